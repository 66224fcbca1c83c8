//! What an experiment comes to, as plain data: everything downstream is a function of it.

use super::{COST, Figures, Membership, Replication};
use crate::scenario::{Scenario, Setting};
use crate::sim::Outcome;

/// One alternative of a `run`, over its replications.
#[derive(Debug, Clone)]
pub struct Alternative {
    /// Its number among those asked for, from 0.
    pub number: usize,
    /// The variant; `None` for the scenario as it stands.
    pub variant: Option<String>,
    /// What was run.
    pub scenario: Scenario,
    /// Every figure.
    pub figures: Figures,
    /// The figures of each replication.
    pub replications: Vec<Replication>,
    /// Replication 0 in full, but for its decisions.
    pub first: Option<Outcome>,
}

/// What `run` comes to.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// The scenario, then its variants; those that finished at least one replication.
    pub alternatives: Vec<Alternative>,
    /// Whether every replication of every alternative finished.
    pub complete: bool,
}

/// A setting of the swept parameters, before it is run.
#[derive(Debug, Clone)]
pub struct PointToRun {
    /// The variant; `None` for the scenario as it stands.
    pub variant: Option<String>,
    /// The swept parameters, by path.
    pub settings: Vec<(String, Setting)>,
    /// What is run.
    pub scenario: Scenario,
}

/// A point of a sweep, over its replications.
#[derive(Debug, Clone)]
pub struct PointResult {
    /// Number of the point among those planned, from 0.
    pub number: usize,
    /// What was run.
    pub point: PointToRun,
    /// Every figure.
    pub figures: Figures,
    /// The figures of each replication.
    pub replications: Vec<Replication>,
    /// Whether it is on the frontier.
    pub frontier: Membership,
    /// Whether the mean of `slo_latency` is within the SLO; `None` if nothing is promised.
    pub meets_slo: Option<bool>,
}

/// What `sweep` comes to.
#[derive(Debug, Clone)]
pub struct SweepResult {
    /// The points all of whose replications finished, in the order planned.
    pub points: Vec<PointResult>,
    /// Points planned.
    pub planned: usize,
    /// The knee of the frontier, as an index into `points`.
    pub knee: Option<usize>,
    /// The cheapest point that meets the SLO, as an index into `points`.
    pub cheapest_within_slo: Option<usize>,
    /// The point looked at closely, as an index into `points`, with its replication 0 in full but for its
    /// decisions: the cheapest that meets the SLO, else the knee, else the fastest of the frontier.
    pub closer_look: Option<(usize, Outcome)>,
}

impl SweepResult {
    /// Whether every point planned finished.
    pub fn complete(&self) -> bool {
        self.points.len() == self.planned
    }

    /// The points of the frontier, cheapest first.
    pub fn frontier(&self) -> impl Iterator<Item = &PointResult> {
        let cost = |point: &PointResult| point.figures.get(COST).mean.unwrap_or(f64::INFINITY);
        let mut on: Vec<&PointResult> = self.points.iter().filter(|point| point.frontier.on).collect();
        on.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.number.cmp(&b.number)));
        on.into_iter()
    }
}
