//! The autoscaler at work in a run: when it runs, what it is shown, and what it has done.

use super::Model;
use super::observation::Pipeline;
use super::outcome::{Actions, DecisionRecord, FLAP_WINDOW_S};
use crate::autoscaler::{Observation, Policy, Schedule};
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Scaler {
    policy: Policy,
    pub schedule: Option<Schedule>,
    pub scrape_interval: Span,
    pub pipeline: Option<Pipeline>,
    /// Instances asked for.
    pub desired: u32,
    pub actions: Actions,
    last_action: Option<(Instant, Direction)>,
    keep_decisions: bool,
    pub decisions: Vec<DecisionRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Scaler {
    /// The model's autoscaler, asking for `initial` instances until its first decision.
    pub fn new(model: &Model, initial: u32, keep_decisions: bool) -> Self {
        Scaler {
            policy: model.autoscaler.policy(),
            schedule: model.autoscaler.schedule(),
            scrape_interval: model.metrics.scrape_interval,
            pipeline: model.autoscaler.query().map(|query| Pipeline::new(model.metrics, query)),
            desired: initial,
            actions: Actions::default(),
            last_action: None,
            keep_decisions,
            decisions: Vec::new(),
        }
    }

    /// Evaluates the policy and takes over what it asks for.
    pub fn decide(&mut self, at: Instant, observation: &Observation) {
        let decision = self.policy.decide(at, observation);
        if self.keep_decisions {
            let (before, observed, ready) = (self.desired, observation.metric, observation.ready);
            self.decisions.push(DecisionRecord { at, observed, before, ready, decision });
        }
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
