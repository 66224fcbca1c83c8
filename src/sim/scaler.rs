//! The autoscaler at work in a run: when it runs, what it is shown, and what it has done.

use super::Model;
use super::observation::Pipeline;
use super::outcome::{Actions, DecisionRecord, FLAP_WINDOW_S};
use crate::autoscaler::{Decision, Glance, Limits, Observation, Policy, Reason, Schedule};
use crate::random::Streams;
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Scaler {
    policy: Policy,
    limits: Limits,
    pub schedule: Option<Schedule>,
    pub scrape_interval: Span,
    pub pipeline: Option<Pipeline>,
    /// Instances asked for.
    pub desired: u32,
    pub actions: Actions,
    last_action: Option<(Instant, Direction)>,
    keep: Keep,
    pub decisions: Vec<DecisionRecord>,
}

/// Which decisions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    None,
    /// Those that change the number asked for: where there are more evaluations than a person can read, or memory hold.
    Changes,
    All,
}

/// Evaluations up to which all are kept.
const MOST_KEPT: u64 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Scaler {
    /// The model's autoscaler, asking for `initial` instances until its first decision.
    pub fn new(model: &Model, initial: u32, keep_decisions: bool) -> Self {
        let schedule = model.autoscaler.schedule();
        let evaluations =
            schedule.map_or(0, |schedule| model.duration.as_nanos() / schedule.interval.as_nanos().max(1));
        let keep = match keep_decisions {
            false => Keep::None,
            true if evaluations > MOST_KEPT => Keep::Changes,
            true => Keep::All,
        };
        Scaler {
            policy: model.autoscaler.policy(),
            limits: model.autoscaler.limits(),
            schedule,
            scrape_interval: model.metrics.scrape_interval,
            pipeline: model.autoscaler.query().map(|query| Pipeline::new(model.metrics, query)),
            desired: initial,
            actions: Actions::default(),
            last_action: None,
            keep,
            decisions: Vec::new(),
        }
    }

    /// Evaluates the policy and takes over what it asks for.
    pub fn decide(&mut self, at: Instant, observation: &Observation) {
        let decision = self.policy.decide(at, observation);
        self.record(at, observation.metric, observation.ready, decision);
        self.take_over(at, decision);
    }

    fn record(&mut self, at: Instant, observed: Option<f64>, ready: u32, decision: Decision) {
        let before = self.desired;
        if self.keep == Keep::All || (self.keep == Keep::Changes && decision.desired != before) {
            self.decisions.push(DecisionRecord { at, observed, before, ready, decision });
        }
    }

    /// What a policy that acts at every arrival and departure wants changed, if anything.
    pub fn react(&mut self, at: Instant, glance: &Glance) -> Option<Decision> {
        let decision = self.policy.react(glance)?;
        if decision.desired == self.desired {
            return None;
        }
        self.record(at, Some(glance.in_flight as f64), glance.ready, decision);
        Some(decision)
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
        let decision = Decision { desired: self.desired.saturating_sub(1), reason: Reason::Idle };
        self.record(at, None, self.desired, decision);
        self.take_over(at, decision);
    }

    /// Takes over what a decision asks for.
    pub fn take_over(&mut self, at: Instant, decision: Decision) {
        let direction = match decision.desired.cmp(&self.desired) {
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
        self.desired = decision.desired;
    }
}
