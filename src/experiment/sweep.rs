//! `sweep`: every point of the swept parameters, the frontier over them, and its knee.

use super::observer::FirstRuns;
use super::run_plan::run_cases;
use super::{
    COST, Case, DecisionSink, Evaluator, Membership, PointResult, RunError, SLO_ATTAINMENT, SLO_LATENCY,
    SloVerdict, SweepResult, frontier, knee,
};
use crate::scenario::{Point, Scenario};
use crate::sim::Outcome;

/// Runs every point with all its replications, and looks closer at the one a user would pick:
/// `log` hears the decisions of its replication 0.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn sweep(
    mut points: Vec<Point>,
    log: DecisionSink<'_>,
    evaluator: &Evaluator<'_>,
) -> Result<SweepResult, RunError> {
    let planned = points.len();
    let mut cases: Vec<&mut Scenario> = points.iter_mut().map(|point| &mut point.scenario).collect();
    let (results, procedure) = run_cases(&mut cases, &(), evaluator)?;
    let mut points: Vec<PointResult> = points
        .into_iter()
        .zip(results)
        .enumerate()
        .filter(|(_, (point, replications))| replications.len() == point.scenario.run.replications as usize)
        .map(|(number, (point, replications))| {
            let figures = replications.figures();
            let kept = figures.get(SLO_ATTAINMENT);
            PointResult {
                number,
                meets_slo: point.scenario.model.slo.map(|slo| SloVerdict::of(&kept, slo.quantile())),
                point,
                figures,
                replications,
                frontier: Membership { on: false, uncertain: None },
            }
        })
        .collect();
    let knee = mark_frontier(&mut points);
    let cheapest_within_slo = cheapest(&points, |point| point.meets_slo == Some(SloVerdict::Yes));
    let cost = |index: usize| points[index].figures.get(COST).mean.unwrap_or(f64::INFINITY);
    let cheapest_maybe_within_slo = cheapest(&points, |point| {
        point.meets_slo == Some(SloVerdict::Uncertain) && point.meets_slo_on_average()
    })
    .filter(|perhaps| cheapest_within_slo.is_none_or(|sure| cost(*perhaps) < cost(sure)));
    let mut result = SweepResult {
        points,
        planned,
        procedure,
        knee,
        cheapest_within_slo,
        cheapest_maybe_within_slo,
        detailed_run: None,
    };
    if let Some(index) = result.pick().or_else(|| fastest(&result.points)) {
        let looked = run_in_detail(&result.points[index], log, evaluator)?;
        result.detailed_run = looked.map(|outcome| (index, outcome));
    }
    Ok(result)
}

/// Marks the points of the frontier and returns its knee.
fn mark_frontier(points: &mut [PointResult]) -> Option<usize> {
    let over = |point: &PointResult, name: &str| point.replications.figure(name);
    let figures: Vec<_> = points.iter().map(|point| (over(point, COST), over(point, SLO_LATENCY))).collect();
    let seed = |point: &PointResult| point.point.scenario.run.seed;
    let paired = points.windows(2).all(|two| seed(&two[0]) == seed(&two[1]));
    for (point, membership) in points.iter_mut().zip(frontier(&figures, paired)) {
        point.frontier = membership;
    }
    let mut members: Vec<(f64, f64, usize)> = points
        .iter()
        .enumerate()
        .filter(|(_, point)| point.frontier.on)
        .filter_map(|(index, _)| {
            let (cost, latency) = &figures[index];
            Some((cost.mean()?, latency.mean()?, index))
        })
        .collect();
    members.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    // Settings that come to the same run are one point of the curve.
    members.dedup_by(|next, before| (next.0, next.1) == (before.0, before.1));
    let curve: Vec<(f64, f64)> = members.iter().map(|(cost, latency, _)| (*cost, *latency)).collect();
    knee(&curve).map(|index| members[index].2)
}

/// The cheapest of the points that are `wanted`, the faster of equals, then the first.
fn cheapest(points: &[PointResult], wanted: impl Fn(&PointResult) -> bool) -> Option<usize> {
    let key = |point: &PointResult| {
        (
            point.figures.get(COST).mean.unwrap_or(f64::INFINITY),
            point.figures.get(SLO_LATENCY).mean.unwrap_or(f64::INFINITY),
        )
    };
    let within = points.iter().enumerate().filter(|(_, point)| wanted(point));
    within
        .min_by(|(_, a), (_, b)| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        })
        .map(|(index, _)| index)
}

fn fastest(points: &[PointResult]) -> Option<usize> {
    let latency = |point: &PointResult| point.figures.get(SLO_LATENCY).mean.unwrap_or(f64::INFINITY);
    let on = points.iter().enumerate().filter(|(_, point)| point.frontier.on);
    on.min_by(|(_, a), (_, b)| latency(a).total_cmp(&latency(b))).map(|(index, _)| index)
}

/// Replication 0 of `point` once more, with everything kept: cheaper than keeping it for every point.
fn run_in_detail(
    point: &PointResult,
    log: DecisionSink<'_>,
    evaluator: &Evaluator<'_>,
) -> Result<Option<Outcome>, RunError> {
    let first_run = FirstRuns::new(1, log);
    let case = Case::some(&point.point.scenario, 0..1);
    evaluator
        .evaluate(&[case], &first_run, |_, _| ())
        .map_err(|error| RunError { case: point.number, ..error })?;
    Ok(first_run.into_outcomes().pop().flatten())
}
