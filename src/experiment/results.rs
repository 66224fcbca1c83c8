//! What an experiment comes to, as plain data: everything downstream is a function of it.

use super::{COST, Figures, Membership, Procedure, Replication};
use crate::scenario::{Point, Scenario};
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
    /// What the runs themselves found of warm-up and precision.
    pub procedure: Procedure,
    /// Whether every replication of every alternative finished.
    pub complete: bool,
}

/// A point of a sweep, over its replications.
#[derive(Debug, Clone)]
pub struct PointResult {
    /// Number of the point among those planned, from 0.
    pub number: usize,
    /// What was run.
    pub point: Point,
    /// Every figure.
    pub figures: Figures,
    /// The figures of each replication.
    pub replications: Vec<Replication>,
    /// Whether it is on the frontier.
    pub frontier: Membership,
    /// Whether the mean of `slo_latency` is within the SLO; `None` if nothing is promised.
    pub meets_slo: Option<bool>,
}

impl PointResult {
    /// The value of the parameter at `path`; empty if the point's variant has no such key.
    pub fn setting(&self, path: &str) -> String {
        let found = self.point.settings.iter().find(|(name, _)| name == path);
        found.map_or_else(String::new, |(_, setting)| setting.to_string())
    }
}

/// What `sweep` comes to.
#[derive(Debug, Clone)]
pub struct SweepResult {
    /// The points all of whose replications finished, in the order planned.
    pub points: Vec<PointResult>,
    /// Points planned.
    pub planned: usize,
    /// What the runs themselves found of warm-up and precision.
    pub procedure: Procedure,
    /// The knee of the frontier, as an index into `points`.
    pub knee: Option<usize>,
    /// The cheapest point that meets the SLO, as an index into `points`.
    pub cheapest_within_slo: Option<usize>,
    /// The point looked at closely, as an index into `points`, with its replication 0 in full but for its
    /// decisions: the cheapest that meets the SLO, else the knee, else the fastest of the frontier.
    pub closer_look: Option<(usize, Outcome)>,
}

impl SweepResult {
    /// Whether every point planned finished, with all the replications that its precision asks for.
    pub fn complete(&self) -> bool {
        self.points.len() == self.planned && self.procedure.ended()
    }

    /// The paths of the swept parameters, of all variants together.
    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        for (path, _) in self.points.iter().flat_map(|point| &point.point.settings) {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        paths
    }

    /// The points of the frontier, cheapest first.
    pub fn frontier(&self) -> impl Iterator<Item = &PointResult> {
        let cost = |point: &PointResult| point.figures.get(COST).mean.unwrap_or(f64::INFINITY);
        let mut on: Vec<&PointResult> = self.points.iter().filter(|point| point.frontier.on).collect();
        on.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.number.cmp(&b.number)));
        on.into_iter()
    }
}
