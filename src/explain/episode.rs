//! The worst times of one run, with what happened before them: when the threshold was crossed, when that was seen, and how
//! long the instances asked for took to start.

use crate::autoscaler::{OfPool, Per, Quantity, Scrape, Signal, Watched};
use crate::random::Streams;
use crate::scenario::Scenario;
use crate::sim::{DecisionRecord, PoolName, Window};
use crate::sorting::Sorting as _;
use crate::time::{Instant, Span};

/// How far back from the first late request its causes are looked for, in seconds.
const LOOK_BACK_S: f64 = 1800.0;

/// Stretches without a late request that are still within one episode, in windows of the timeline.
const BRIDGED: usize = 2;

/// Seconds over which a signal is averaged before it is compared with its threshold.
const SMOOTHED_S: f64 = 10.0;

/// How soon after the first late request its causes may show at the latest, in seconds.
const BURST_S: f64 = 20.0;

/// From this share of the time promised on, the queue counts as grown.
const GROWN: f64 = 0.2;

/// The episodes of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Episodes {
    /// Number of the replication.
    pub replication: u32,
    /// All of them, by time.
    pub all: Vec<Episode>,
}

/// A time in which requests were late or lost, with what came before it. Instants in seconds from the start of the run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Episode {
    /// The first request that was late or lost ended then.
    pub from_s: f64,
    /// The last.
    pub until_s: f64,
    /// Requests late or lost.
    pub late: u64,
    /// Requests that ended.
    pub ended: u64,
    /// When the signal that the autoscaler watches crossed its threshold, and the key of the threshold.
    pub crossed: Option<(f64, String)>,
    /// Since when requests have waited for long.
    pub queued_s: Option<f64>,
    /// Instances that the arrivals take at their peak until the episode's end, and those ready when requests began to wait.
    pub needed: f64,
    /// See `needed`.
    pub ready: u32,
    /// The first decision for more instances since then.
    pub seen: Option<Seen>,
    /// Instances that went before, if any.
    pub dropped: Option<Dropped>,
    /// When the maximum was asked for, and what it is, if the arrivals take more.
    pub capped: Option<(f64, u32)>,
    /// The pool in which most requests waited, where there are two; instances and decisions are then those of this pool.
    pub pool: Option<PoolName>,
}

/// A decision for more instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// When.
    pub at_s: f64,
    /// Instances asked for before and after.
    pub before: u32,
    /// See `before`.
    pub desired: u32,
    /// Why, in the policy's words.
    pub reason: String,
    /// When as many were ready; `None` if that did not happen.
    pub ready_s: Option<f64>,
}

/// Instances that went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropped {
    /// When the last of them went.
    pub at_s: f64,
    /// Number of instances.
    pub by: u32,
    /// Whether the autoscaler asked for fewer; else they were lost.
    pub decided: bool,
}

/// The run of a scenario, in windows as fine as its moments are to be told.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// What was run.
    pub scenario: &'a Scenario,
    /// Fine windows.
    pub windows: &'a [Window],
    /// Every decision.
    pub decisions: &'a [DecisionRecord],
}

impl Course<'_> {
    /// The episodes, by time.
    pub fn episodes(&self) -> Vec<Episode> {
        let stretches = self.stretches();
        let mut previous_end = self.scenario.model.warmup.as_secs_f64();
        let mut found = Vec::with_capacity(stretches.len());
        for (first, last) in stretches {
            found.push(self.episode(first, last, previous_end));
            previous_end = self.windows[last].end_s;
        }
        found
    }

    /// First and last fine window of each stretch whose coarse windows miss the SLO.
    fn stretches(&self) -> Vec<(usize, usize)> {
        let coarse = self.scenario.run.timeline_interval.as_secs_f64();
        let kept = self.scenario.model.slo.map_or(1.0, |slo| slo.quantile());
        let mut stretches: Vec<(usize, usize)> = Vec::new();
        let mut begin = 0;
        let (mut calm, mut open) = (0, false);
        while begin < self.windows.len() {
            let slot = (self.windows[begin].end_s / coarse).ceil();
            let in_slot = |window: &&Window| (window.end_s / coarse).ceil() == slot;
            let length = self.windows[begin..].iter().take_while(in_slot).count().max(1);
            let part = &self.windows[begin..begin + length];
            let measured = part[0].end_s > self.scenario.model.warmup.as_secs_f64();
            let (late, ended): (u64, u64) = (part.iter().map(late).sum(), part.iter().map(ended).sum());
            let of_part = |index: Option<usize>| begin + index.unwrap_or(0);
            if measured && late > 0 && (late as f64) > (1.0 - kept) * ended as f64 {
                let first = of_part(part.iter().position(late_in));
                let last = of_part(part.iter().rposition(late_in));
                match stretches.last_mut().filter(|_| open) {
                    Some(stretch) => stretch.1 = last,
                    None => stretches.push((first, last)),
                }
                (calm, open) = (0, true);
            } else {
                calm += 1;
                open &= calm <= BRIDGED;
            }
            begin += length;
        }
        stretches
    }

    fn episode(&self, first: usize, last: usize, previous_end: f64) -> Episode {
        let windows = self.windows;
        let (first, last) = self.dense(first, last);
        let from_s = windows[first].end_s - windows[first].length_s;
        let earliest = previous_end.max(from_s - LOOK_BACK_S);
        let begin = windows.partition_point(|window| window.end_s <= earliest).min(first);
        // A sudden burst makes the first request late before an average over seconds has risen.
        let soon =
            windows.partition_point(|window| window.end_s <= from_s + BURST_S).clamp(first + 1, last + 1) - 1;
        let queued = self.queued(begin, soon);
        let calm = &windows[queued.unwrap_or(first).saturating_sub(1).max(begin)];
        let per_instance = self.per_instance();
        let peak = (begin..=last).map(|at| self.smoothed(at, |window| window.arrived as f64));
        let needed = peak.fold(0.0, f64::max) / per_instance;
        let since_s = windows[queued.unwrap_or(first)].end_s - windows[queued.unwrap_or(first)].length_s;
        let until_s = windows[last].end_s;
        let crossed = self.crossed(begin, soon);
        let since = crossed.as_ref().map_or(since_s, |(at, _)| at.min(since_s));
        let seen = self.seen(since, until_s);
        let max = self.scenario.model.autoscaler.limits().max;
        let at_max = self.decisions.iter().rfind(|decision| {
            decision.at.as_secs_f64() <= until_s && decision.desired >= max && decision.before < max
        });
        let still = windows[first..=last].iter().any(|window| window.desired >= max);
        let capped = (needed > f64::from(max) && still)
            .then(|| (at_max.map_or(0.0, |decision| decision.at.as_secs_f64()), max));
        Episode {
            from_s,
            until_s,
            late: windows[first..=last].iter().map(late).sum(),
            ended: windows[first..=last].iter().map(ended).sum(),
            crossed,
            queued_s: queued.map(|_| since_s),
            needed,
            ready: calm.ready,
            seen,
            dropped: self.dropped(begin, first),
            capped,
            pool: None,
        }
    }

    /// The stretch without single late requests at its ends, which a long service alone may make.
    fn dense(&self, first: usize, last: usize) -> (usize, usize) {
        const NEAR_S: f64 = 15.0;
        const FEW: u64 = 3;
        let near = |at: usize| {
            let apart = |window: &&Window| (window.end_s - self.windows[at].end_s).abs() < NEAR_S;
            self.windows[first..=last].iter().filter(apart).map(late).sum::<u64>()
        };
        let dense = |at: &usize| late_in(&self.windows[*at]) && near(*at) > FEW;
        let ends = (first..=last).find(dense).zip((first..=last).rfind(dense));
        ends.unwrap_or((first, last))
    }

    /// The window from which on requests wait for long, up to the first late one.
    fn queued(&self, begin: usize, first: usize) -> Option<usize> {
        let promised = self.scenario.model.slo.and_then(|slo| slo.leading().1).unwrap_or(Span::from_secs(1));
        let grown = |window: &Window| {
            let rate = window.served as f64 / window.length_s.max(1e-9);
            window.waiting > (GROWN * promised.as_secs_f64() * rate).max(1.0)
        };
        let waits = (begin..=first).rev().take_while(|at| grown(&self.windows[*at]) || *at == first);
        waits.last().filter(|at| grown(&self.windows[*at]) || *at < first)
    }

    /// When the watched signal crossed its threshold last before the episode.
    fn crossed(&self, begin: usize, first: usize) -> Option<(f64, String)> {
        let watched: Vec<Watched> = self.scenario.model.autoscaler.watched();
        let of_one = |watched: &Watched| {
            let above = |at: usize| {
                self.signal(at, watched.signal, watched.per).is_some_and(|value| value > watched.target)
            };
            let peak = (begin..=first).rev().find(|at| above(*at))?;
            let run = (begin..=peak).rev().take_while(|at| above(*at)).last()?;
            let window = &self.windows[run];
            Some((window.end_s - window.length_s, format!("autoscaler.{}", watched.key)))
        };
        watched.iter().filter(|watched| watched.adds()).filter_map(of_one).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// A signal as one instance has it, or the pool, at the end of a window.
    fn signal(&self, at: usize, signal: Signal, per: Per) -> Option<f64> {
        let ready = self.smoothed(at, |window| f64::from(window.ready) * window.length_s).max(1e-9);
        let shared_by = if per == Per::Instance { ready.max(1.0) } else { 1.0 };
        let value = |of: &dyn Fn(&Window) -> f64| Some(self.smoothed(at, of) / shared_by);
        match signal.spec().of_pool {
            // Windows do not tell tokens.
            OfPool::Count { .. } if signal.quantity() == Quantity::TokensPerSecond => None,
            OfPool::Count { since, .. } => value(&|window| since(&scraped(window))),
            OfPool::Gauge { mean, .. } => value(&|window| mean(&scraped(window)) * window.length_s),
            OfPool::Share { used, .. } => self.windows[at]
                .utilization
                .map(|_| self.smoothed(at, |window| used(&scraped(window)) * window.length_s)),
            OfPool::Quantile(_) | OfPool::Instances(_) => None,
        }
    }

    /// A quantity of windows per second, over the last seconds up to the window at `at`.
    fn smoothed(&self, at: usize, of: impl Fn(&Window) -> f64) -> f64 {
        let end = self.windows[at].end_s;
        let recent = self.windows[..=at].iter().rev();
        let recent: Vec<&Window> = recent.take_while(|window| end - window.end_s < SMOOTHED_S).collect();
        let seconds: f64 = recent.iter().map(|window| window.length_s).sum();
        recent.into_iter().map(of).sum::<f64>() / seconds.max(1e-9)
    }

    fn seen(&self, since_s: f64, until_s: f64) -> Option<Seen> {
        let decision = self.decisions.iter().find(|decision| {
            let at = decision.at.as_secs_f64();
            at >= since_s && at <= until_s && decision.desired > decision.before
        })?;
        let at_s = decision.at.as_secs_f64();
        let enough = |window: &&Window| window.end_s > at_s && window.ready >= decision.desired;
        Some(Seen {
            at_s,
            before: decision.before,
            desired: decision.desired,
            reason: decision.explanation.reason.clone(),
            ready_s: self.windows.iter().find(enough).map(|window| window.end_s),
        })
    }

    /// Instances that went in the last minutes before the first late request, the last of them.
    fn dropped(&self, begin: usize, first: usize) -> Option<Dropped> {
        const RECENT_S: f64 = 300.0;
        let recent = self.windows[first].end_s - RECENT_S;
        let begin = begin.max(self.windows.partition_point(|window| window.end_s < recent)).max(1);
        let fell = |at: &usize| self.windows[*at].ready < self.windows[at - 1].ready;
        let last = (begin..=first).rev().find(fell)?;
        let at_s = self.windows[last].end_s;
        let most = (begin..=last).map(|at| self.windows[at - 1].ready).max()?;
        let decided = self.decisions.iter().any(|decision| {
            let at = decision.at.as_secs_f64();
            decision.desired < decision.before && at > recent && at <= at_s
        });
        Some(Dropped { at_s, by: most - self.windows[last].ready, decided })
    }

    /// Requests per second that one instance serves.
    fn per_instance(&self) -> f64 {
        let start = self.scenario.model.start(Streams::new(0, 0));
        f64::from(start.slots) / start.service_mean_s.max(1e-12)
    }
}

/// Requests of a window that were late or lost.
fn late(window: &Window) -> u64 {
    window.served.saturating_sub(window.good) + window.lost
}

fn late_in(window: &Window) -> bool {
    late(window) > 0
}

/// Requests of a window that ended.
fn ended(window: &Window) -> u64 {
    window.served + window.lost
}

impl Episodes {
    /// The episode at an instant, in seconds from the start: the one that holds it, else the nearest.
    pub fn at(&self, at_s: f64) -> Option<&Episode> {
        let apart = |episode: &&Episode| (episode.from_s - at_s).max(at_s - episode.until_s).max(0.0);
        self.all.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)))
    }

    /// The worst `count`, by requests late or lost.
    pub fn worst(&self, count: usize) -> Vec<&Episode> {
        let mut all: Vec<&Episode> = self.all.iter().collect();
        all.sort_once_by(|a, b| b.late.cmp(&a.late).then(a.from_s.total_cmp(&b.from_s)));
        all.truncate(count);
        all
    }
}

/// A window as a scrape would show it; what is used is a share of a single place.
fn scraped(window: &Window) -> Scrape<'static> {
    let end = Instant::ZERO + Span::from_secs_f64(window.end_s);
    Scrape {
        tokens: [0; 2],
        at: end,
        since: Instant::ZERO + Span::from_secs_f64(window.end_s - window.length_s),
        arrived: window.arrived,
        in_flight: window.in_flight,
        waiting: window.waiting,
        in_service: window.in_flight - window.waiting,
        in_flight_now: 0,
        waiting_now: 0,
        held_now: 0,
        in_service_now: 0,
        slots: 1.0,
        work: window.utilization.unwrap_or(0.0),
        ready: window.ready,
        existing: window.ready,
        instances: &[],
        times: None,
    }
}
