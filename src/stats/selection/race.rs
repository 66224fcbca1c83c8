//! The race: which settings are simulated further before one of them is proposed.
//!
//! All settings get the first replications. From then on only what can change the choice is simulated: the leader, which is
//! the cheapest setting that can be expected to be confirmed, and its contenders, which are cheaper, or hardly dearer, and not
//! known to miss the promise. Whatever is dearer waits at no cost, and is there again when a leader falls. The effort follows
//! the difficulty: a leader that a first look will confirm needs no race, one that is near the promise a long one. Replications
//! are added a few at a time, since each may end the race; whether a doubtful leader needs contenders that are dearer is asked
//! once it has some itself.

use super::runner::{Standing, cost_above, surely_dearer, surely_within};
use super::{Batch, Look, Phase, Selection, Step};
use crate::sorting::Sorting as _;

/// What is raced around a leader.
struct Effort {
    /// Replications of the leader itself.
    leader: u32,
    /// Contenders cost up to this share more than the leader.
    within: f64,
}

/// By the look that is expected to confirm the leader.
const EFFORTS: [Effort; 3] = [
    Effort { leader: 20, within: 0.0 },
    Effort { leader: 160, within: 0.03 },
    Effort { leader: 160, within: 0.06 },
];

/// Replications of a leader before its contenders are simulated any further.
const ALONE: u32 = 10;

/// Probability of error at which a leader that its first look is expected to confirm seems to keep the promise.
const SEEMS_KEPT: f64 = 0.005;

/// Replications from which on a leader that only seems doubtful has contenders that are dearer.
const DOUBTFUL: u32 = 20;

/// The share of what is allowed up to which its first look is expected to be filled by a leader that keeps the promise with room.
const WITH_ROOM: f64 = 0.8;

/// The share of its cost that such a leader may cost more than a contender for there to be no choice between them, and the
/// probability of error at which it is known to cost no more.
const INDIFFERENT: (f64, f64) = (0.03, 0.3);

/// By what factor replications grow from one step of the race to the next: below so many, and from there on.
const GROWTH: (f64, u32, f64) = (1.25, 20, 1.5);

/// Contenders of such a leader are dropped from this many replications on, if they miss the promise but for this error.
const DROPPED: (u32, f64) = (20, 0.15);

/// Dearer ones are contenders of such a leader up to this many replications, if they too can be expected to be confirmed and
/// cost at most this share more: in few replications the order of costs is not known.
const CLOSE: (u32, f64) = (40, 0.03);

/// Probability of error at which a close one is known to be dearer.
const DEARER: f64 = 0.2;

/// Settings that are simulated further at once where none can be expected to be confirmed.
const AT_ONCE: usize = 4;

/// Probability of error of what is put out: small with few replications, whose limit does not hold its level, since a good
/// setting that is put out is lost.
fn screening_error(replications: u32) -> f64 {
    match replications {
        0..10 => 0.001,
        10..20 => 0.0033,
        _ => 0.02,
    }
}

/// Replications after the next step of the race.
fn next_count(seen: u32) -> u32 {
    let (early, until, late) = GROWTH;
    (f64::from(seen) * if seen < until { early } else { late }).ceil() as u32
}

impl Selection {
    /// What the race takes next; `None` once a setting is proposed.
    pub(super) fn race(&mut self) -> Option<Step> {
        let (first, most) = self.plan.race;
        let missing = self.grown(&self.running(), |seen| (seen < first).then_some(first));
        if !missing.is_empty() {
            return Some(Step::Simulate(missing));
        }
        self.screen();
        let looks = self.looks(0);
        if looks.is_empty() {
            return self.done(Step::Unconfirmed);
        }
        let beyond = |index: &usize| {
            self.proposed
                .is_none_or(|proposed| self.more_than(*index, proposed).is_some_and(|more| more > 0.0))
        };
        let open: Vec<usize> = self.running().into_iter().filter(beyond).collect();
        let limits = self.expected_limits(&open);
        let hopeful = |(index, limit): (&usize, &f64)| (*limit <= 1.0).then_some(*index);
        let hopeful: Vec<usize> = open.iter().zip(&limits).filter_map(hopeful).collect();
        let Some(leader) = self.cheapest(&hopeful) else { return self.without_leader(&open, &limits) };
        let (effort, look) = self.difficulty(leader, looks.len());
        let more = self.contest((leader, effort), &open, &hopeful);
        if !self.raced && !more.is_empty() {
            let least = more.iter().map(|index| self.runners[*index].count()).min().unwrap_or(0);
            let grown = self.grown(&more, |seen| (seen == least).then_some(next_count(seen).min(most)));
            return Some(Step::Simulate(grown));
        }
        self.propose(leader, look)
    }

    /// The settings that are not out.
    pub(super) fn running(&self) -> Vec<usize> {
        let running = |index: &usize| self.runners[*index].standing == Standing::Running;
        (0..self.runners.len()).filter(running).collect()
    }

    /// By how much the worst promise of each is expected to fill what it allows at the last look, if all the error is left to
    /// it: up to 1 it passes.
    pub(super) fn expected_limits(&self, settings: &[usize]) -> Vec<f64> {
        let looks = self.looks(usize::MAX);
        let Some(last) = looks.last() else { return vec![f64::INFINITY; settings.len()] };
        let expected = last.expected();
        let limit = |index: &usize| {
            self.runners[*index].all(&self.plan.allowed).worst(|misses| misses.expected_by(&expected))
        };
        settings.iter().map(limit).collect()
    }

    /// Replications that all of these have.
    pub(super) fn shared(&self, settings: &[usize]) -> usize {
        settings.iter().map(|index| self.runners[*index].seen.len()).min().unwrap_or(0)
    }

    /// Puts out what surely misses a promise.
    fn screen(&mut self) {
        let allowed = &self.plan.allowed;
        for runner in self.runners.iter_mut().filter(|runner| !runner.screened) {
            let error = screening_error(runner.count());
            runner.screened = true;
            if runner.standing == Standing::Running
                && runner.all(allowed).any(|misses, allowed| misses.surely_above(allowed, error))
            {
                runner.standing = Standing::Out;
            }
        }
    }

    /// The share of its cost that a setting costs more than another, over the replications that both have.
    fn more_than(&self, setting: usize, other: usize) -> Option<f64> {
        cost_above(&self.runners[setting], &self.runners[other])
    }

    fn cheapest(&self, settings: &[usize]) -> Option<usize> {
        let cheaper = |best: usize, index: usize| {
            if self.more_than(index, best).is_some_and(|more| more < 0.0) { index } else { best }
        };
        settings.iter().copied().reduce(cheaper)
    }

    /// How much is raced around a leader, and the look that is expected to confirm it.
    fn difficulty(&self, leader: usize, looks: usize) -> (usize, usize) {
        let misses = self.runners[leader].all(&self.plan.allowed);
        let passes = |look: &usize| {
            let expected = self.looks(*look)[0].expected();
            misses.worst(|misses| misses.expected_by(&expected)) <= 1.0
        };
        let look = (0..looks).find(passes).unwrap_or(looks - 1);
        let seems_kept = |misses: &super::Misses, allowed: f64| {
            misses.upper_limit(SEEMS_KEPT).is_some_and(|limit| limit <= allowed)
        };
        let doubtful = look == 0 && !misses.all(seems_kept);
        let effort = look + usize::from(doubtful);
        (effort.min(EFFORTS.len() - 1), effort.min(looks - 1))
    }

    /// The leader and its contenders, as far as they are to be simulated further.
    fn contest(&self, (leader, effort): (usize, usize), open: &[usize], hopeful: &[usize]) -> Vec<usize> {
        let most = self.plan.race.1;
        let count = |index: usize| self.runners[index].count();
        let mut due = EFFORTS[effort].leader.min(most);
        if count(leader) < ALONE.min(most) {
            return vec![leader];
        }
        let (enough, close_within) = CLOSE;
        let close = |index: usize, more: f64| {
            effort == 0
                && more < close_within
                && count(index).min(count(leader)) < enough.min(most)
                && hopeful.contains(&index)
                && !surely_dearer(&self.runners[index], &self.runners[leader], DEARER)
        };
        let early = effort <= 1 && count(leader) < DOUBTFUL;
        let within = if early { 0.0 } else { EFFORTS[effort].within };
        let with_room = effort == 0 && self.fills_first_look(leader) <= WITH_ROOM;
        let mut more = Vec::new();
        for index in open.iter().copied().filter(|index| *index != leader) {
            let Some(extra) = self.more_than(index, leader) else { continue };
            if with_room && surely_within(&self.runners[leader], &self.runners[index], INDIFFERENT) {
                continue;
            }
            if extra < within {
                if count(index) < most && !(effort == 0 && self.dropped(index)) {
                    more.push(index);
                }
            } else if close(index, extra) {
                // Costs are compared over the replications that both have.
                if count(leader) <= count(index) {
                    due = due.max(enough.min(most));
                }
                if count(index) < most {
                    more.push(index);
                }
            }
        }
        if count(leader) < due {
            more.push(leader);
        }
        more
    }

    /// How much of what is allowed the first look at a setting is expected to fill, by its worst promise.
    fn fills_first_look(&self, index: usize) -> f64 {
        let looks = self.looks(0);
        let Some(first) = looks.first().map(Look::expected) else { return f64::INFINITY };
        self.runners[index].all(&self.plan.allowed).worst(|misses| misses.expected_by(&first))
    }

    fn dropped(&self, index: usize) -> bool {
        let (from, error) = DROPPED;
        let runner = &self.runners[index];
        runner.count() >= from
            && runner.all(&self.plan.allowed).any(|misses, allowed| misses.surely_above(allowed, error))
    }

    /// Where none can be expected to be confirmed: those nearest to it are simulated further, and then the nearest is proposed.
    fn without_leader(&mut self, open: &[usize], limits: &[f64]) -> Option<Step> {
        let shared = self.shared(open);
        let mut nearest: Vec<(usize, f64)> = open.iter().copied().zip(limits.iter().copied()).collect();
        nearest.sort_once_by(|a, b| {
            let cost = |index: usize| self.runners[index].mean_cost(shared);
            a.1.total_cmp(&b.1).then(cost(a.0).total_cmp(&cost(b.0))).then(a.0.cmp(&b.0))
        });
        let Some((first, _)) = nearest.first() else { return self.done(Step::Unconfirmed) };
        let most = self.plan.race.1;
        // One that misses nothing cannot come nearer.
        let perfect = self.runners[*first].all(&self.plan.allowed).all(|misses, _| misses.none());
        let short =
            nearest.iter().map(|(index, _)| *index).filter(|index| self.runners[*index].count() < most);
        let short: Vec<usize> = short.take(AT_ONCE).collect();
        if self.raced || perfect || short.is_empty() {
            return self.propose(*first, 0);
        }
        Some(Step::Simulate(self.grown(&short, |seen| Some((2 * seen).min(most)))))
    }

    /// What these settings lack of the replications that they are to have.
    fn grown(&self, settings: &[usize], to: impl Fn(u32) -> Option<u32>) -> Vec<Batch> {
        let batch = |setting: &usize| {
            let seen = self.runners[*setting].count();
            to(seen).map(|to| Batch { setting: *setting, proposal: None, replications: seen..to })
        };
        settings.iter().filter_map(batch).collect()
    }

    fn propose(&mut self, setting: usize, first_look: usize) -> Option<Step> {
        self.proposed = Some(setting);
        let looks = self.looks(first_look);
        self.phase = Phase::Confirm { setting, seen: Vec::new(), looks, look: 0 };
        None
    }
}
