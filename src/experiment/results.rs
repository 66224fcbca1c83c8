//! What an experiment comes to, as plain data: everything downstream is a function of it.

use serde::Serialize;

use super::{COST, Figures, Membership, Replications, RunPlan, SLO_ATTAINMENT};
use crate::scenario::{Point, Scenario};
use crate::sim::Outcome;
use crate::stats::Estimate;

/// One alternative of a `run`, over its replications.
#[derive(Debug, Clone)]
pub struct Alternative {
    /// Its number among those asked for, from 0.
    pub number: usize,
    /// The variant; `None` for the base scenario.
    pub variant: Option<String>,
    /// What was run.
    pub scenario: Scenario,
    /// Every figure.
    pub figures: Figures,
    /// The figures of each replication.
    pub replications: Replications,
    /// Replication 0 in full, but for its decisions.
    pub first: Option<Outcome>,
}

impl Alternative {
    /// What it is called beside the others.
    pub fn name(&self) -> &str {
        self.variant.as_deref().unwrap_or(&self.scenario.label)
    }
}

/// What `run` comes to.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// The scenario, then its variants; those that finished at least one replication.
    pub alternatives: Vec<Alternative>,
    /// What the runs themselves found of warm-up and precision.
    pub procedure: RunPlan,
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
    pub replications: Replications,
    /// Whether it is on the frontier.
    pub frontier: Membership,
    /// Whether it keeps the SLO, by the interval of `slo_attainment`; `None` if nothing is promised.
    pub meets_slo: Option<SloVerdict>,
}

/// Whether a promise is kept, as far as the replications can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SloVerdict {
    /// The whole interval of the share of requests that keeps it is at least the share promised.
    Yes,
    /// None of the interval is.
    No,
    /// The interval reaches to both sides, or there is none.
    Uncertain,
}

impl SloVerdict {
    /// Whether a share of requests with this `estimate` is at least the share `promised`.
    pub fn of(estimate: &Estimate, promised: f64) -> SloVerdict {
        match (estimate.low, estimate.high) {
            (Some(low), _) if low >= promised => SloVerdict::Yes,
            (_, Some(high)) if high < promised => SloVerdict::No,
            _ => SloVerdict::Uncertain,
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            SloVerdict::Yes => "yes",
            SloVerdict::No => "no",
            SloVerdict::Uncertain => "uncertain",
        }
    }
}

impl PointResult {
    /// Whether it keeps the SLO with all requests of all replications taken together; `true` if nothing is promised.
    pub fn meets_slo_on_average(&self) -> bool {
        let promised = self.point.scenario.model.slo.map(|slo| slo.quantile());
        promised
            .is_none_or(|promised| self.figures.get(SLO_ATTAINMENT).mean.is_some_and(|kept| kept >= promised))
    }

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
    pub procedure: RunPlan,
    /// The knee of the frontier, as an index into `points`.
    pub knee: Option<usize>,
    /// The cheapest point that surely meets the SLO ([`SloVerdict::Yes`]), as an index into `points`.
    pub cheapest_within_slo: Option<usize>,
    /// The cheapest point that meets it on average but not surely, if it is cheaper than that one, as an index into
    /// `points`.
    pub cheapest_maybe_within_slo: Option<usize>,
    /// The point looked at closely, as an index into `points`, with its replication 0 in full but for its
    /// decisions: the one that [`SweepResult::pick`] picks, else the fastest of the frontier.
    pub detailed_run: Option<(usize, Outcome)>,
}

impl SweepResult {
    /// The point a user would pick, as an index into `points`: the cheapest that surely meets the SLO, else the cheapest
    /// that does on average, else the knee.
    pub fn pick(&self) -> Option<usize> {
        self.cheapest_within_slo.or(self.cheapest_maybe_within_slo).or(self.knee)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_surely_only_by_the_whole_interval() {
        let keeps = |mean: f64, half: f64| {
            let ends = Estimate {
                mean: Some(mean),
                low: Some(mean - half),
                high: Some(mean + half),
                replications: 5,
            };
            SloVerdict::of(&ends, 0.95)
        };
        assert_eq!(keeps(0.97, 0.02), SloVerdict::Yes);
        assert_eq!(keeps(0.96, 0.02), SloVerdict::Uncertain);
        assert_eq!(keeps(0.94, 0.02), SloVerdict::Uncertain);
        assert_eq!(keeps(0.92, 0.02), SloVerdict::No);
        let once = Estimate { mean: Some(1.0), replications: 1, ..Estimate::default() };
        assert_eq!(SloVerdict::of(&once, 0.95), SloVerdict::Uncertain);
        assert_eq!(SloVerdict::of(&Estimate::default(), 0.95), SloVerdict::Uncertain);
    }
}
