//! What an experiment comes to, as plain data: everything downstream is a function of it.

use super::{COST, Figures, LoadLimit, Membership, Replications, RunPlan, SeenRun, SloVerdict};
use crate::scenario::{Point, Scenario, Setting};
use crate::sorting::Sorting as _;

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
    /// Replication 0 in full, but for the decisions that changed nothing.
    pub first: Option<SeenRun>,
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

impl PointResult {
    /// Whether it keeps the SLO with all requests of all replications taken together; `true` if nothing is promised.
    pub fn meets_slo_on_average(&self) -> bool {
        self.replications.keeps_slo_on_average()
    }

    /// The value of the parameter or condition at `path`; empty if the point's variant has no such key.
    pub fn setting(&self, path: &str) -> String {
        self.value(path).map_or_else(String::new, Setting::to_string)
    }

    /// The value of the parameter or condition at `path`.
    pub fn value(&self, path: &str) -> Option<&Setting> {
        let mut all = self.point.settings.iter().chain(&self.point.condition);
        all.find(|(name, _)| name == path).map(|(_, setting)| setting)
    }
}

/// A setting of a sweep that was simulated again after it was chosen.
#[derive(Debug, Clone)]
pub struct Confirmation {
    /// Its point under the first condition, as an index into the points of the sweep.
    pub point: usize,
    /// The fresh replications there, which had no part in the choice.
    pub replications: Replications,
    /// Every figure of these.
    pub figures: Figures,
    /// The same under each of the other conditions: the index of the point, every figure, and the fresh replications.
    pub others: Vec<(usize, Figures, Replications)>,
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
    /// The cheapest point that meets the SLO, confirmed on fresh random numbers.
    pub confirmed: Option<Confirmation>,
    /// The cheapest point that meets it on average but was not confirmed, if it is cheaper than the one confirmed, as an
    /// index into `points`.
    pub cheapest_maybe_within_slo: Option<usize>,
    /// Fresh replications that were simulated to confirm a point, whether or not one was.
    pub fresh: u32,
    /// The greatest load that keeps the SLO, of each alternative, if the load is all that is swept.
    pub load_limits: Vec<LoadLimit>,
    /// The point looked at closely, as an index into `points`, with its replication 0 in full but for its
    /// decisions: the one that [`SweepResult::pick`] picks, else the fastest of the frontier.
    pub detailed_run: Option<(usize, SeenRun)>,
    /// Replication 0 of a few more points, as indices into `points`: those of the frontier nearest to it.
    pub looks: Vec<(usize, SeenRun)>,
}

impl SweepResult {
    /// The point a user would pick, as an index into `points`: the cheapest confirmed to meet the SLO, else the cheapest
    /// that does on average, else the knee, unless it misses the SLO.
    pub fn pick(&self) -> Option<usize> {
        let knee = self.knee.filter(|knee| !self.misses_slo(*knee));
        self.cheapest_within_slo().or(self.cheapest_maybe_within_slo).or(knee)
    }

    /// The points of the setting at `index`, one under each condition, as indices.
    pub fn of_setting(&self, index: usize) -> impl Iterator<Item = usize> {
        let chosen = &self.points[index].point;
        let alike = |point: &PointResult| {
            point.point.variant == chosen.variant && point.point.settings == chosen.settings
        };
        (0..self.points.len()).filter(move |index| alike(&self.points[*index]))
    }

    /// Whether the setting at `index` misses the SLO under some condition, surely or on average.
    pub fn misses_slo(&self, index: usize) -> bool {
        let misses =
            |point: &PointResult| point.meets_slo == Some(SloVerdict::No) || !point.meets_slo_on_average();
        self.of_setting(index).any(|index| misses(&self.points[index]))
    }

    /// The parameters whose value at `index` is the least or the greatest that was tried: path, value, and whether it is the
    /// greatest. Only of numbers and durations.
    pub fn at_edges(&self, index: usize) -> Vec<(String, String, bool)> {
        let chosen = &self.points[index];
        let edge = |(path, setting): &(String, Setting)| {
            let value = setting.value().filter(|_| !matches!(setting, Setting::Bool(_)))?;
            let all: Vec<f64> = self.points.iter().filter_map(|point| point.value(path)?.value()).collect();
            let least = all.iter().copied().fold(f64::INFINITY, f64::min);
            let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let at = (least < most) && (value == least || value == most);
            at.then(|| (path.clone(), setting.to_string(), value == most))
        };
        chosen.point.settings.iter().filter_map(edge).collect()
    }

    /// The cheapest point that is confirmed to meet the SLO, as an index into `points`.
    pub fn cheapest_within_slo(&self) -> Option<usize> {
        self.confirmed.as_ref().map(|confirmed| confirmed.point)
    }

    /// Whether every point planned finished, with all the replications that its precision asks for.
    pub fn complete(&self) -> bool {
        self.points.len() == self.planned && self.procedure.ended()
    }

    /// The paths of the swept parameters, of all variants together.
    pub fn paths(&self) -> Vec<String> {
        Self::once(self.points.iter().flat_map(|point| &point.point.settings))
    }

    /// The paths of the conditions, likewise.
    pub fn condition_paths(&self) -> Vec<String> {
        Self::once(self.points.iter().flat_map(|point| &point.point.condition))
    }

    fn once<'a>(all: impl Iterator<Item = &'a (String, Setting)>) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        for (path, _) in all {
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
        on.sort_once_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.number.cmp(&b.number)));
        on.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Misses;

    #[test]
    fn a_promise_is_kept_surely_only_by_every_limit_and_enough_replications() {
        let keeps = |missed: &[f64], times: usize| {
            let each = missed.iter().cycle().take(missed.len() * times).map(|missed| (*missed, 1000.0));
            SloVerdict::of(Misses::of(each).as_ref(), 0.95)
        };
        // 3 % ± 1 of 5 % allowed.
        assert_eq!(keeps(&[20.0, 30.0, 40.0, 30.0], 5), SloVerdict::Yes);
        assert_eq!(keeps(&[20.0, 30.0, 40.0, 30.0], 4), SloVerdict::SoFar);
        assert_eq!(keeps(&[45.0, 30.0, 70.0, 40.0], 5), SloVerdict::Uncertain);
        assert_eq!(keeps(&[60.0, 70.0, 80.0, 70.0], 5), SloVerdict::No);
        assert_eq!(keeps(&[60.0, 70.0, 80.0, 70.0], 1), SloVerdict::No);
        // All misses in one replication of twenty: another may hold twice as many.
        let mut bursts = [0.0; 20];
        bursts[7] = 600.0;
        assert_eq!(keeps(&bursts, 1), SloVerdict::Uncertain);
        // Nothing missed tells that fewer than one replication in so many misses something: 72 for one in twenty.
        assert_eq!(keeps(&[0.0], 20), SloVerdict::SoFar);
        assert_eq!(keeps(&[0.0], 71), SloVerdict::SoFar);
        assert_eq!(keeps(&[0.0], 72), SloVerdict::Yes);
        let nothing = Misses::of([(0.0, 1000.0); 20].into_iter());
        assert_eq!(SloVerdict::replications_to_be_kept(nothing.as_ref(), 0.95), 72);
        assert_eq!(keeps(&[0.0], 1), SloVerdict::Uncertain);
        assert_eq!(SloVerdict::of(None, 0.95), SloVerdict::Uncertain);
    }
}
