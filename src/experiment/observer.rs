//! What is seen of runs beside their records.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sim::{DecisionRecord, Outcome, PoolName};

/// What is retained of a run beside its record, from little to much. Anything but nothing has to be simulated: a store
/// holds records only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retain {
    /// Nothing: the record may come from the store.
    Nothing,
    /// Its outcome: distributions and totals.
    Outcome,
    /// Its outcome with the timeline.
    Timeline,
    /// Its outcome with the timeline, and every decision of the autoscaler.
    Decisions,
}

/// Sees runs in full, as far as it wants to. Called from many threads; a run is seen by one of them.
pub trait Observer: Sync {
    /// What it wants of this run.
    fn retain(&self, case: usize, replication: u32) -> Retain;

    /// Hears decisions as they are made, in their order, a batch at a time: there may be more of them than memory should
    /// hold.
    fn decisions(&self, _case: usize, _decisions: &[DecisionRecord]) {}

    /// Takes the outcome of a run that has finished.
    fn outcome(&self, _case: usize, _replication: u32, _outcome: Outcome) {}
}

/// Wants nothing but records.
impl Observer for () {
    fn retain(&self, _: usize, _: u32) -> Retain {
        Retain::Nothing
    }
}

/// Hears the decisions of a case as they are made, in their order, a batch at a time.
pub type DecisionSink<'a> = &'a (dyn Fn(usize, &[DecisionRecord]) + Sync);

/// A run seen in full.
#[derive(Debug, Clone)]
pub struct SeenRun {
    /// What it came to, with its timeline.
    pub outcome: Outcome,
    /// The decisions that changed the number of instances, in their order: the first [`MAX_CHANGES`].
    pub changes: Vec<DecisionRecord>,
    /// What the metrics came to that the decisions rest on, one for each metric.
    pub metrics: Vec<SeenMetric>,
}

/// The values of a metric over the decisions of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenMetric {
    /// The pool whose autoscaler saw it, where there are two.
    pub pool: Option<PoolName>,
    /// As a scenario names it.
    pub name: &'static str,
    /// The least value.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// What it was compared with, where the decisions say it and it was the same at all of them.
    pub target: Option<f64>,
    /// The least and the greatest share of what it was compared with, at the decisions that say it.
    pub ratio: Option<(f64, f64)>,
}

impl SeenMetric {
    /// Takes in a decision.
    fn take(seen: &mut Vec<SeenMetric>, decision: &DecisionRecord) {
        let explanation = &decision.explanation;
        let Some(value) = explanation.observed.filter(|_| !explanation.metric.is_empty()) else { return };
        let target = explanation.target.filter(|target| *target > 0.0);
        let ratio = target.map(|target| (value / target, value / target));
        match seen.iter_mut().find(|metric| metric.name == explanation.metric && metric.pool == decision.pool)
        {
            Some(metric) => {
                metric.low = metric.low.min(value);
                metric.high = metric.high.max(value);
                if target.is_some() && metric.target != target {
                    // Without a ratio so far it is the first one.
                    metric.target = target.filter(|_| metric.ratio.is_none());
                }
                metric.ratio = match (metric.ratio, ratio) {
                    (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                    (known, new) => known.or(new),
                };
            }
            None => {
                let (pool, name) = (decision.pool, explanation.metric);
                seen.push(SeenMetric { pool, name, low: value, high: value, target, ratio });
            }
        }
    }
}

/// Changes of one run that are kept: more than a chart can show.
pub const MAX_CHANGES: usize = 2000;

/// Sees replication 0 of every case in full; its decisions go to a sink.
pub(super) struct FirstRuns<'a> {
    log: DecisionSink<'a>,
    found: Vec<Mutex<Found>>,
}

#[derive(Default)]
struct Found {
    outcome: Option<Outcome>,
    changes: Vec<DecisionRecord>,
    metrics: Vec<SeenMetric>,
}

impl<'a> FirstRuns<'a> {
    pub fn new(cases: usize, log: DecisionSink<'a>) -> Self {
        FirstRuns { log, found: (0..cases).map(|_| Mutex::default()).collect() }
    }

    /// Replication 0 of each case, if it finished; all decisions were told to the sink.
    pub fn into_seen(self) -> Vec<Option<SeenRun>> {
        let seen = |found: Mutex<Found>| {
            let Found { outcome, changes, metrics } =
                found.into_inner().unwrap_or_else(PoisonError::into_inner);
            outcome.map(|outcome| SeenRun { outcome, changes, metrics })
        };
        self.found.into_iter().map(seen).collect()
    }

    fn found(&self, case: usize) -> MutexGuard<'_, Found> {
        self.found[case].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for FirstRuns<'_> {
    fn retain(&self, _: usize, replication: u32) -> Retain {
        if replication == 0 { Retain::Decisions } else { Retain::Nothing }
    }

    fn decisions(&self, case: usize, decisions: &[DecisionRecord]) {
        let mut found = self.found(case);
        let room = MAX_CHANGES.saturating_sub(found.changes.len());
        let changed = decisions.iter().filter(|decision| decision.before != decision.desired);
        found.changes.extend(changed.take(room).cloned());
        decisions.iter().for_each(|decision| SeenMetric::take(&mut found.metrics, decision));
        drop(found);
        (self.log)(case, decisions);
    }

    fn outcome(&self, case: usize, _: u32, outcome: Outcome) {
        self.found(case).outcome = Some(outcome);
    }
}
