//! The control loop of a run: when the autoscaler is evaluated, the metrics it is given, and what it has asked for.

use std::collections::VecDeque;

use super::metrics::Metrics;
use super::pipeline::Pipeline;
use crate::autoscaler::{
    Autoscaler, Explanation, InstanceScrape, Limits, Observation, Policy, PolicyContext, PoolState, Schedule,
    Scrape, ScrapedTimes,
};
use crate::random::Streams;
use crate::sim::accounting::{Actions, DecisionRecord, FLAP_WINDOW_S};
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug)]
pub(in crate::sim) struct ControlLoop {
    policy: Box<dyn Policy>,
    limits: Limits,
    pub schedule: Option<Schedule>,
    pub scrape_interval: Span,
    pub pipeline: Option<Pipeline>,
    /// What the policy's own pipeline takes in, if it has one.
    feed: Option<Feed>,
    /// Whether the policy looks at each instance.
    pub watches_instances: bool,
    wakes: bool,
    /// Instances asked for.
    pub desired: u32,
    pub actions: Actions,
    last_action: Option<(Instant, Direction)>,
    keep: Retention,
    pub decisions: Vec<DecisionRecord>,
}

/// Scrapes on their way to a policy.
#[derive(Debug, Default)]
struct Feed {
    delay: Span,
    late: VecDeque<LateScrape>,
}

/// One of them, with lists of its own.
#[derive(Debug)]
struct LateScrape {
    pool: Scrape<'static>,
    instances: Vec<InstanceScrape>,
    times: Option<ScrapedTimes>,
}

/// Which decisions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retention {
    None,
    /// Those that change the number asked for: where there are more evaluations than a person can read, or memory hold.
    Changes,
    All,
}

/// Evaluations of a run up to which all decisions are kept; of more, only those that change something. Documented in
/// `docs/outputs.md` and at the run option that asks for decisions.
const MAX_EVALUATIONS_KEPT: u64 = 100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl ControlLoop {
    /// An autoscaler that sees the pool by way of `metrics`, and asks for what there is at the `start` until its first
    /// decision.
    pub fn new(
        autoscaler: &Autoscaler,
        metrics: Metrics,
        start: &PolicyContext,
        keep_decisions: bool,
    ) -> Self {
        let schedule = autoscaler.schedule();
        let evaluations =
            schedule.map_or(0, |schedule| start.duration.as_nanos() / schedule.interval.as_nanos().max(1));
        let keep = match keep_decisions {
            false => Retention::None,
            true if evaluations > MAX_EVALUATIONS_KEPT => Retention::Changes,
            true => Retention::All,
        };
        ControlLoop {
            policy: autoscaler.policy(start),
            limits: autoscaler.limits(),
            schedule,
            scrape_interval: metrics.scrape_interval,
            pipeline: autoscaler.query().map(|query| Pipeline::new(metrics, query)),
            feed: autoscaler.scrapes().then(|| Feed { delay: metrics.delay, ..Feed::default() }),
            watches_instances: autoscaler.watches_instances(),
            wakes: autoscaler.wakes(),
            desired: start.initial,
            actions: Actions::default(),
            last_action: None,
            keep,
            decisions: Vec::new(),
        }
    }

    /// Whether the pool is scraped at all.
    pub fn is_fed(&self) -> bool {
        self.pipeline.is_some() || self.feed.is_some()
    }

    /// Whether the policy takes in raw scrapes.
    pub fn scrapes(&self) -> bool {
        self.feed.is_some()
    }

    /// Whether the next request is to wake the pool.
    pub fn is_asleep(&self) -> bool {
        self.wakes && self.desired == 0
    }

    /// Hands over a scrape, at once or when it is as old as scrapes have to be.
    pub fn take_in(&mut self, sample: &Scrape<'_>) {
        let Some(feed) = &mut self.feed else { return };
        if feed.delay.is_zero() {
            return self.policy.scrape(sample);
        }
        feed.late.push_back(LateScrape {
            pool: sample.of_pool(),
            instances: sample.instances.to_vec(),
            times: sample.times.cloned(),
        });
    }

    /// Hands over the scrapes that are old enough at `now`.
    fn deliver(&mut self, now: Instant) {
        let Some(feed) = &mut self.feed else { return };
        while feed.late.front().is_some_and(|late| late.pool.at + feed.delay <= now) {
            if let Some(LateScrape { pool, instances, times }) = feed.late.pop_front() {
                self.policy.scrape(&Scrape { instances: &instances, times: times.as_ref(), ..pool });
            }
        }
    }

    /// Evaluates the policy and takes over what it asks for.
    pub fn decide(&mut self, at: Instant, observation: &Observation<'_>) {
        self.deliver(at);
        let desired = self.policy.decide(at, observation);
        self.record(at, observation.ready, desired);
        self.take_over(at, desired);
    }

    /// When the policy is evaluated next, after an evaluation at `at`.
    pub fn next_evaluation(&self, at: Instant) -> Option<Instant> {
        let interval = self.schedule?.interval;
        Some(self.policy.next(at).filter(|next| *next > at).unwrap_or(at + interval))
    }

    fn record(&mut self, at: Instant, ready: u32, desired: u32) {
        if self.keeps(desired) {
            let explanation = self.policy.explain();
            self.decisions.push(DecisionRecord {
                at,
                before: self.desired,
                ready,
                desired,
                explanation,
                pool: None,
            });
        }
    }

    fn keeps(&self, desired: u32) -> bool {
        self.keep == Retention::All || (self.keep == Retention::Changes && desired != self.desired)
    }

    /// What a policy that acts at every arrival and departure wants changed, if anything.
    pub fn react(&mut self, at: Instant, pool: &PoolState) -> Option<u32> {
        let desired = self.policy.react(pool)?;
        if desired == self.desired {
            return None;
        }
        self.record(at, pool.ready, desired);
        Some(desired)
    }

    /// How long an instance that has run out of work is kept; `None`: as long as the policy does not say otherwise.
    pub fn keep_alive(&self, streams: Streams, instance: u32, spells: u64) -> Option<Span> {
        self.policy.keep_alive(streams, instance, spells)
    }

    /// Whether one of `ready` instances may go because it has idled.
    pub fn may_expire(&self, ready: u32) -> bool {
        ready > self.limits.min
    }

    /// An instance has gone because it had idled long enough.
    pub fn expired(&mut self, at: Instant) {
        let desired = self.desired.saturating_sub(1);
        if self.keeps(desired) {
            let explanation = Explanation::plain("an instance has been idle for its keep-alive: remove it");
            let (before, ready) = (self.desired, self.desired);
            self.decisions.push(DecisionRecord { at, before, ready, desired, explanation, pool: None });
        }
        self.take_over(at, desired);
    }

    /// Takes over what a decision asks for.
    pub fn take_over(&mut self, at: Instant, desired: u32) {
        debug_assert!(desired <= self.limits.max, "{desired} of at most {} instances", self.limits.max);
        let direction = match desired.cmp(&self.desired) {
            std::cmp::Ordering::Greater => Direction::Up,
            std::cmp::Ordering::Less => Direction::Down,
            std::cmp::Ordering::Equal => return,
        };
        let undoes = |(then, before): (Instant, Direction)| {
            before != direction && at.since(then) < Span::from_secs(FLAP_WINDOW_S)
        };
        self.actions.flaps += u64::from(self.last_action.is_some_and(undoes));
        match direction {
            Direction::Up => self.actions.up += 1,
            Direction::Down => self.actions.down += 1,
        }
        self.last_action = Some((at, direction));
        self.desired = desired;
    }
}
