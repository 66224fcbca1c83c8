//! `sweep`: every point of the swept parameters, the frontier over them, and its knee.

use super::observer::FirstRuns;
use super::run_plan::run_cases;
use super::{
    COST, Case, Confirmation, DecisionSink, Evaluator, Membership, PointResult, Record, Replications,
    RunError, SLO_LATENCY, SeenRun, SloVerdict, SweepResult, frontier, knee,
};
use crate::scenario::{Point, Scenario};
use crate::stats::{CONFIDENCE, LEAST_REPLICATIONS, Misses, Observation, Plan, Selection, Step};

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
            let misses = replications.misses();
            PointResult {
                number,
                meets_slo: point
                    .scenario
                    .model
                    .slo
                    .map(|slo| SloVerdict::of(misses.as_ref(), slo.quantile())),
                point,
                figures,
                replications,
                frontier: Membership { on: false, uncertain: None },
            }
        })
        .collect();
    let knee = mark_frontier(&mut points);
    let whole = points.len() == planned && procedure.ended();
    let chosen = if whole { confirm(&points, evaluator)? } else { Chosen::default() };
    let cost = |index: usize| points[index].figures.get(COST).mean.unwrap_or(f64::INFINITY);
    let confirmed_cost = chosen.confirmed.as_ref().map(|confirmed| cost(confirmed.point));
    let cheapest_maybe_within_slo = cheapest(&points, |point| {
        point.meets_slo.is_some_and(|meets| meets != SloVerdict::No)
            && point.meets_slo_on_average()
            && !chosen.refused.contains(&point.number)
    })
    .filter(|perhaps| confirmed_cost.is_none_or(|confirmed| cost(*perhaps) < confirmed));
    let mut result = SweepResult {
        points,
        planned,
        procedure,
        knee,
        confirmed: chosen.confirmed,
        cheapest_maybe_within_slo,
        fresh: chosen.fresh,
        detailed_run: None,
        looks: Vec::new(),
    };
    if let Some(index) = result.pick().or_else(|| fastest(&result.points)) {
        let looked = run_in_detail(&result.points[index], log, evaluator)?;
        result.detailed_run = looked.map(|seen| (index, seen));
        result.looks = look_closer(&result, index, evaluator)?;
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

/// What came of confirming a point.
#[derive(Default)]
struct Chosen {
    confirmed: Option<Confirmation>,
    /// Numbers of the points that were proposed and found to miss the SLO on average.
    refused: Vec<usize>,
    fresh: u32,
}

/// Numbers of the fresh replications of a proposal start at as many millions: no sweep has as many of its own.
const FRESH_FROM: u32 = 1_000_000;

/// Fresh replications for confirming a point: half as many as the sweep had in all, so that it takes at most half as long
/// again, but enough for one look. None for a sweep that is smaller than that.
fn budget(points: &[PointResult]) -> u32 {
    let runs: usize = points.iter().map(|point| point.replications.len()).sum();
    let runs = u32::try_from(runs).unwrap_or(u32::MAX);
    let one_look = Plan::LOOKS[0];
    if runs < one_look { 0 } else { (runs / 2).max(one_look) }
}

/// What replications say of SLO and cost, those that say something.
fn observations<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<Observation> {
    records.filter_map(Record::observation).collect()
}

/// Confirms the cheapest point that keeps the SLO, on random numbers that had no part in choosing it. The replications of
/// the sweep are the race.
fn confirm(points: &[PointResult], evaluator: &Evaluator<'_>) -> Result<Chosen, RunError> {
    let mut chosen = Chosen::default();
    let promised = points.first().and_then(|point| point.point.scenario.model.slo).map(|slo| slo.quantile());
    let told = |point: &PointResult| observations(point.replications.iter());
    let raced: Vec<Vec<Observation>> = points.iter().map(told).collect();
    // A replication in which no request ended says nothing, and would be asked for again and again.
    let fewest = raced.iter().map(Vec::len).min().unwrap_or(0);
    let (Some(promised), true) = (promised, fewest >= LEAST_REPLICATIONS as usize) else { return Ok(chosen) };
    let race = fewest as u32;
    let plan = Plan {
        allowed: 1.0 - promised,
        error: 1.0 - CONFIDENCE,
        race: (race, race),
        looks: Plan::LOOKS.to_vec(),
        fresh: budget(points),
    };
    let mut selection = Selection::new(points.len(), plan);
    let mut fresh: Vec<Record> = Vec::new();
    loop {
        let batches = match selection.next_step() {
            Step::Simulate(batches) => batches,
            Step::Confirmed { setting, .. } => {
                let slo = points[setting].point.scenario.model.slo;
                let replications = Replications::new(fresh, slo).without_times();
                let figures = replications.figures();
                chosen.confirmed = Some(Confirmation { point: setting, replications, figures });
                return Ok(chosen);
            }
            Step::Unconfirmed => return Ok(chosen),
        };
        for batch in batches {
            let point = &points[batch.setting];
            let Some(proposal) = batch.proposal else {
                selection.tell(&batch, raced[batch.setting].iter().copied().take(fewest));
                continue;
            };
            if batch.replications.start == 0 {
                fresh.clear();
            }
            let from = FRESH_FROM * (proposal + 1);
            let numbers = from + batch.replications.start..from + batch.replications.end;
            let wanted = numbers.len();
            let case = Case::some(&point.point.scenario, numbers);
            let records = evaluator
                .evaluate(&[case], &(), |_, records| records)
                .map_err(|error| RunError { case: point.number, ..error })?;
            let records: Vec<Record> = records.into_iter().flatten().collect();
            let seen = observations(records.iter());
            if seen.len() < wanted {
                // Stopped, or a replication without a request: nothing can be confirmed.
                return Ok(chosen);
            }
            selection.tell(&batch, seen);
            chosen.fresh += wanted as u32;
            fresh.extend(records);
            let misses = Misses::of(fresh.iter().filter_map(Record::missed));
            let refused = misses.is_some_and(|misses| misses.share() > 1.0 - promised);
            chosen.refused.retain(|number| *number != point.number);
            chosen.refused.extend(refused.then_some(point.number));
        }
    }
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
) -> Result<Option<SeenRun>, RunError> {
    let first_run = FirstRuns::new(1, log);
    let case = Case::some(&point.point.scenario, 0..1);
    evaluator
        .evaluate(&[case], &first_run, |_, _| ())
        .map_err(|error| RunError { case: point.number, ..error })?;
    Ok(first_run.into_seen().pop().flatten())
}

/// Points looked at closely beside the one picked: what a reader compares it with.
const MOST_LOOKS: usize = 11;

/// Runs of a sweep for which one more is allowed for looking closer, so that it adds at most a twentieth.
const RUNS_PER_LOOK: usize = 20;

/// Replication 0 of the points of the frontier that are nearest to the one `picked`, by their rank.
fn look_closer(
    result: &SweepResult,
    picked: usize,
    evaluator: &Evaluator<'_>,
) -> Result<Vec<(usize, SeenRun)>, RunError> {
    let runs: usize = result.points.iter().map(|point| point.replications.len()).sum();
    let cost = |index: usize| result.points[index].figures.get(COST).mean.unwrap_or(f64::INFINITY);
    let mut frontier: Vec<usize> =
        (0..result.points.len()).filter(|index| result.points[*index].frontier.on).collect();
    frontier.sort_by(|a, b| cost(*a).total_cmp(&cost(*b)).then(a.cmp(b)));
    let rank = frontier.iter().position(|index| *index == picked).unwrap_or(0);
    let mut nearest: Vec<(usize, usize)> = frontier.into_iter().enumerate().collect();
    nearest.sort_by_key(|(other, _)| (other.abs_diff(rank), *other));
    let chosen: Vec<usize> =
        nearest.into_iter().map(|(_, index)| index).filter(|index| *index != picked).collect();
    let chosen = &chosen[..chosen.len().min(MOST_LOOKS).min(runs / RUNS_PER_LOOK)];
    let first_runs = FirstRuns::new(chosen.len(), &|_, _| {});
    let cases: Vec<Case<'_>> =
        chosen.iter().map(|index| Case::some(&result.points[*index].point.scenario, 0..1)).collect();
    evaluator
        .evaluate(&cases, &first_runs, |_, _| ())
        .map_err(|error| RunError { case: result.points[chosen[error.case]].number, ..error })?;
    let seen = chosen.iter().copied().zip(first_runs.into_seen());
    Ok(seen.filter_map(|(index, seen)| seen.map(|seen| (index, seen))).collect())
}
