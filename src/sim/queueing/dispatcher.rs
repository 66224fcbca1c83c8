//! The choice of an instance for a request, where each has a queue of its own.
//!
//! Stated once, for queues that are brought up to date as they are looked at and for those that always are; weighted by
//! speed where speeds differ. A station is compiled for one choice where that is a good part of a request's course, else for
//! any of them ([`Dispatcher`]), which costs some 30 instructions a request.

use std::hint::select_unpredictable;

use rand::RngExt as _;

use super::dispatch::DispatchPolicy;
use super::due_times::DueTimes;
use super::levels::Levels;
use crate::random::{Rng, below};

/// The ready instances a request can be sent to, in the order they became ready. There is at least one.
pub(in crate::sim) trait Candidates {
    fn count(&self) -> usize;
    /// Lets everything happen at one that is due by now.
    fn update(&mut self, index: usize);
    /// Requests one has, that it has been updated for.
    fn outstanding(&self, index: usize) -> u64;
    /// When one next changes by itself; [`u64::MAX`] where all are up to date without being updated.
    fn next_change(&self, index: usize) -> u64;
    /// What is due by this instant has to have happened before a choice, nanoseconds.
    fn now(&self) -> u64;
}

/// Picks the instance a request goes to.
pub(in crate::sim) trait Choose {
    /// Whether it asks for the requests of candidates.
    const COUNTS: bool;

    /// Updates the candidates whose state the choice depends on, and the one that is chosen.
    fn choose(&mut self, candidates: &mut impl Candidates) -> usize;
    /// The candidate at `index` has taken a request.
    fn took(&mut self, _candidates: &impl Candidates, _index: usize) {}
    /// The candidates are others now, or have changed at once.
    fn changed(&mut self, _candidates: &impl Candidates) {}
}

/// Instances in turn.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct RoundRobin {
    next: usize,
}

impl Choose for RoundRobin {
    const COUNTS: bool = false;

    #[inline(always)]
    fn choose(&mut self, candidates: &mut impl Candidates) -> usize {
        let index = if self.next < candidates.count() { self.next } else { 0 };
        self.next = index + 1;
        candidates.update(index);
        index
    }
}

/// A uniform draw.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Random {
    pub rng: Rng,
}

impl Choose for Random {
    const COUNTS: bool = false;

    #[inline(always)]
    fn choose(&mut self, candidates: &mut impl Candidates) -> usize {
        let index = below(&mut self.rng, candidates.count());
        candidates.update(index);
        index
    }
}

/// The least loaded of a few distinct uniform draws.
#[derive(Debug, Clone)]
pub(in crate::sim) struct PowerOfD {
    rng: Rng,
    choices: usize,
    /// The draws of one request, kept to keep their memory.
    drawn: Vec<usize>,
}

impl PowerOfD {
    pub fn new(rng: Rng, choices: u32) -> Self {
        PowerOfD { rng, choices: choices as usize, drawn: Vec::new() }
    }

    /// The one drawn of `count` that `weigh` gives the least weight; among equals the first drawn.
    #[inline]
    fn least<W: PartialOrd>(&mut self, count: usize, mut weigh: impl FnMut(usize) -> W) -> usize {
        let choices = self.choices.min(count);
        self.drawn.clear();
        let mut best: Option<(W, usize)> = None;
        while self.drawn.len() < choices {
            let index = below(&mut self.rng, count);
            // Few are drawn, so looking through them beats any set.
            if self.drawn.contains(&index) {
                continue;
            }
            self.drawn.push(index);
            let weight = weigh(index);
            if best.as_ref().is_none_or(|(least, _)| weight < *least) {
                best = Some((weight, index));
            }
        }
        best.map_or(0, |(_, index)| index)
    }
}

impl Choose for PowerOfD {
    const COUNTS: bool = true;

    #[inline(always)]
    fn choose(&mut self, candidates: &mut impl Candidates) -> usize {
        let count = candidates.count();
        if self.choices == 2 && count > 1 {
            let one = below(&mut self.rng, count);
            candidates.update(one);
            let mut other = below(&mut self.rng, count);
            while other == one {
                other = below(&mut self.rng, count);
            }
            candidates.update(other);
            // Which it is is as good as random, so it is to be selected, not branched on.
            return select_unpredictable(
                candidates.outstanding(other) < candidates.outstanding(one),
                other,
                one,
            );
        }
        self.least(count, |index| {
            candidates.update(index);
            candidates.outstanding(index)
        })
    }
}

/// The least loaded of all. A tournament of the candidates by their next change, so that only those with one due are
/// updated, and their loads by level keep a choice at a few steps however large the pool. That is worth its upkeep where
/// candidates change only when they are updated or take a request; where they change by themselves, [`Weighted`] looks at
/// all.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct LeastOutstanding {
    due: DueTimes,
    load: Levels,
}

impl LeastOutstanding {
    #[inline(always)]
    fn note(&mut self, candidates: &impl Candidates, index: usize) {
        self.due.set(index, candidates.next_change(index));
        self.load.set(index, candidates.outstanding(index));
    }
}

impl Choose for LeastOutstanding {
    const COUNTS: bool = true;

    #[inline(always)]
    fn choose(&mut self, candidates: &mut impl Candidates) -> usize {
        let now = candidates.now();
        if self.due.is_beyond(now) {
            self.changed(candidates);
        }
        let limit = self.due.limit(now);
        while let Some(index) = self.due.next_below(limit) {
            candidates.update(index);
            self.note(candidates, index);
        }
        // There is one.
        self.load.least().unwrap_or(0)
    }

    #[inline(always)]
    fn took(&mut self, candidates: &impl Candidates, index: usize) {
        self.note(candidates, index);
    }

    fn changed(&mut self, candidates: &impl Candidates) {
        let indices = || 0..candidates.count();
        self.due.rebuild(candidates.now(), indices().map(|index| candidates.next_change(index)));
        self.load.rebuild(indices().map(|index| candidates.outstanding(index)));
    }
}

/// The policies where candidates can differ in speed, and the least loaded of all that change by themselves.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Weighted {
    rule: Rule,
    /// Of each candidate.
    members: Vec<Member>,
}

#[derive(Debug, Clone)]
enum Rule {
    Turns,
    Draw(Rng),
    LeastOfAll,
    LeastOfDraws(PowerOfD),
}

#[derive(Debug, Clone, Copy)]
struct Member {
    speed: f64,
    /// Share of a turn it has earned and not had.
    credit: f64,
}

impl Weighted {
    /// Each earns its speed a request; the one that has earned most takes it and pays the speed of all. So turns are
    /// in proportion to speed and as even as they can be (the smooth weighted round robin of nginx).
    fn turn(members: &mut [Member]) -> usize {
        let total: f64 = members.iter().map(|member| member.speed).sum();
        let mut best = 0;
        for index in 0..members.len() {
            members[index].credit += members[index].speed;
            if members[index].credit > members[best].credit {
                best = index;
            }
        }
        members[best].credit -= total;
        best
    }

    fn draw(members: &[Member], rng: &mut Rng) -> usize {
        let total: f64 = members.iter().map(|member| member.speed).sum();
        let mut left = rng.random::<f64>() * total;
        let passed = |member: &Member| {
            left -= member.speed;
            left < 0.0
        };
        // Rounding may leave a rest behind the last.
        members.iter().position(passed).unwrap_or(members.len() - 1)
    }
}

impl Choose for Weighted {
    const COUNTS: bool = true;

    fn choose(&mut self, candidates: &mut impl Candidates) -> usize {
        let Weighted { rule, members } = self;
        // The requests of a candidate, with this one, against its speed.
        let mut weigh = |index: usize| {
            candidates.update(index);
            (candidates.outstanding(index) + 1) as f64 / members[index].speed
        };
        match rule {
            Rule::Turns => Self::turn(members),
            Rule::Draw(rng) => Self::draw(members, rng),
            Rule::LeastOfDraws(draws) => draws.least(members.len(), weigh),
            Rule::LeastOfAll => {
                let mut best = (f64::INFINITY, 0);
                for index in 0..members.len() {
                    let weight = weigh(index);
                    if weight < best.0 {
                        best = (weight, index);
                    }
                }
                best.1
            }
        }
    }
}

/// Any of them, chosen as the run begins.
#[derive(Debug, Clone)]
pub(in crate::sim) enum Dispatcher {
    RoundRobin(RoundRobin),
    Random(Random),
    LeastOutstanding(LeastOutstanding),
    PowerOfD(PowerOfD),
    Weighted(Weighted),
}

impl Dispatcher {
    /// That of a policy, for candidates that are updated as they are looked at and are all of one speed. A central queue
    /// has no choice to make.
    pub fn lazy(policy: DispatchPolicy, rng: Rng) -> Self {
        match policy {
            // A new connection is drawn; which are there already is known where it ends, not here. A gateway chooses by
            // itself.
            DispatchPolicy::Random | DispatchPolicy::Connections(_) | DispatchPolicy::Gateway(_) => {
                Dispatcher::Random(Random { rng })
            }
            DispatchPolicy::LeastOutstanding => Dispatcher::LeastOutstanding(LeastOutstanding::default()),
            DispatchPolicy::PowerOfD(choices) => Dispatcher::PowerOfD(PowerOfD::new(rng, choices)),
            DispatchPolicy::RoundRobin | DispatchPolicy::CentralQueue => {
                Dispatcher::RoundRobin(RoundRobin::default())
            }
        }
    }

    /// That of a policy, for candidates that change by themselves, and whose speeds can differ if it is `weighted`.
    pub fn event_driven(policy: DispatchPolicy, weighted: bool, rng: Rng) -> Self {
        let rule = match policy {
            DispatchPolicy::LeastOutstanding => Rule::LeastOfAll,
            _ if !weighted => return Dispatcher::lazy(policy, rng),
            DispatchPolicy::Random | DispatchPolicy::Connections(_) | DispatchPolicy::Gateway(_) => {
                Rule::Draw(rng)
            }
            DispatchPolicy::PowerOfD(choices) => Rule::LeastOfDraws(PowerOfD::new(rng, choices)),
            DispatchPolicy::RoundRobin | DispatchPolicy::CentralQueue => Rule::Turns,
        };
        Dispatcher::Weighted(Weighted { rule, members: Vec::new() })
    }

    /// A candidate of this speed has come, after all others.
    pub fn add(&mut self, speed: f64) {
        if let Dispatcher::Weighted(weighted) = self {
            weighted.members.push(Member { speed, credit: 0.0 });
        }
    }

    /// The candidate at `index` has gone.
    pub fn remove(&mut self, index: usize) {
        if let Dispatcher::Weighted(weighted) = self {
            weighted.members.remove(index);
        }
    }
}

impl Choose for Dispatcher {
    const COUNTS: bool = true;

    #[inline]
    fn choose(&mut self, candidates: &mut impl Candidates) -> usize {
        match self {
            Dispatcher::RoundRobin(choice) => choice.choose(candidates),
            Dispatcher::Random(choice) => choice.choose(candidates),
            Dispatcher::LeastOutstanding(choice) => choice.choose(candidates),
            Dispatcher::PowerOfD(choice) => choice.choose(candidates),
            Dispatcher::Weighted(choice) => choice.choose(candidates),
        }
    }

    #[inline]
    fn took(&mut self, candidates: &impl Candidates, index: usize) {
        if let Dispatcher::LeastOutstanding(choice) = self {
            choice.took(candidates, index);
        }
    }

    fn changed(&mut self, candidates: &impl Candidates) {
        if let Dispatcher::LeastOutstanding(choice) = self {
            choice.changed(candidates);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    /// Candidates that have so many requests each.
    struct Loads(Vec<u64>);

    impl Candidates for Loads {
        fn count(&self) -> usize {
            self.0.len()
        }
        fn update(&mut self, _: usize) {}
        fn outstanding(&self, index: usize) -> u64 {
            self.0[index]
        }
        fn next_change(&self, _: usize) -> u64 {
            u64::MAX
        }
        fn now(&self) -> u64 {
            0
        }
    }

    fn dispatcher(policy: DispatchPolicy, speeds: &[f64]) -> Dispatcher {
        let rng = Streams::new(3, 0).stream(Purpose::Routing);
        let mut dispatcher = Dispatcher::event_driven(policy, true, rng);
        speeds.iter().for_each(|speed| dispatcher.add(*speed));
        dispatcher
    }

    fn turns(policy: DispatchPolicy, speeds: &[f64], requests: usize) -> Vec<usize> {
        let (mut dispatcher, mut idle) = (dispatcher(policy, speeds), Loads(vec![0; speeds.len()]));
        (0..requests).map(|_| dispatcher.choose(&mut idle)).collect()
    }

    #[test]
    fn turns_are_in_proportion_to_speed_and_spread_evenly() {
        assert_eq!(turns(DispatchPolicy::RoundRobin, &[2.0, 1.0, 1.0], 8), [0, 1, 2, 0, 0, 1, 2, 0]);
        assert_eq!(turns(DispatchPolicy::RoundRobin, &[1.0, 1.0], 4), [0, 1, 0, 1]);
    }

    #[test]
    fn draws_are_in_proportion_to_speed() {
        let drawn = turns(DispatchPolicy::Random, &[3.0, 1.0], 10_000);
        let fast = drawn.iter().filter(|instance| **instance == 0).count();
        // Five standard deviations of a binomial of 10,000 draws.
        assert!((7280..=7720).contains(&fast), "{fast} of 10000");
    }

    #[test]
    fn the_fewest_requests_are_counted_against_the_speed() {
        let mut least = dispatcher(DispatchPolicy::LeastOutstanding, &[1.0, 2.0]);
        assert_eq!(least.choose(&mut Loads(vec![0, 0])), 1, "of two idle ones the faster");
        assert_eq!(least.choose(&mut Loads(vec![0, 2])), 0);
        assert_eq!(least.choose(&mut Loads(vec![0, 1])), 0, "the first among equals");
        least.remove(0);
        assert_eq!(least.choose(&mut Loads(vec![9])), 0);
    }

    #[test]
    fn with_and_without_weights_the_same_is_chosen_among_equals_in_speed() {
        let rng = || Streams::new(3, 0).stream(Purpose::Routing);
        for policy in [DispatchPolicy::RoundRobin, DispatchPolicy::PowerOfD(2)] {
            let (mut plain, mut weighted) = (Dispatcher::lazy(policy, rng()), dispatcher(policy, &[1.0; 5]));
            for request in 0..100_u64 {
                let mut loads = Loads((0..5).map(|index| (request * 7 + index * 3) % 4).collect());
                assert_eq!(plain.choose(&mut loads), weighted.choose(&mut loads), "{policy:?}");
            }
        }
    }
}
