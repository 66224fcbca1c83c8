//! `sweep`: every point of the swept parameters, the frontier over them, and its knee.

use super::fresh::{Fresh, allowed, observations};
use super::load;
use super::observer::FirstRuns;
use super::run_plan::run_cases;
use super::{
    COST, Case, Confirmation, DecisionSink, Evaluator, Membership, PointResult, Record, RunError,
    SLO_LATENCY, SeenRun, SloVerdict, SweepResult, frontier, knee,
};
use crate::scenario::{Point, Scenario};
use crate::sorting::Sorting as _;
use crate::stats::{CONFIDENCE, LEAST_REPLICATIONS, Linearised, Observation, Plan, Selection, Step};

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
            PointResult {
                number,
                meets_slo: replications.keeps_slo(),
                point,
                figures,
                replications,
                frontier: Membership { on: false, uncertain: None },
            }
        })
        .collect();
    let settings = settings(&points, planned);
    let knee = mark_frontier(&mut points, &settings);
    let whole = points.len() == planned && procedure.ended();
    let chosen = if whole { confirm(&points, &settings, evaluator)? } else { Chosen::default() };
    evaluator.progress.set_note("");
    let cost = |setting: &Setting| setting.cost(&points).mean().unwrap_or(f64::INFINITY);
    let of = |index: usize| settings.iter().find(|setting| setting.points.contains(&index));
    let confirmed_cost =
        chosen.confirmed.as_ref().and_then(|confirmed| of(confirmed.point)).map_or(f64::INFINITY, cost);
    let perhaps = settings.iter().filter(|setting| {
        let may_keep = |index: &usize| {
            let point = &points[*index];
            point.meets_slo.is_some_and(|meets| meets != SloVerdict::No) && point.meets_slo_on_average()
        };
        setting.is_choice(&points)
            && setting.points.iter().all(may_keep)
            && !chosen.refused.contains(&setting.points[0])
    });
    let cheapest_maybe_within_slo = cheapest(perhaps, &points)
        .filter(|perhaps| cost(perhaps) < confirmed_cost)
        .map(|setting| setting.points[0]);
    let load_limits = load::limits(&points, points.len() == planned);
    let mut result = SweepResult {
        points,
        planned,
        procedure,
        knee,
        confirmed: chosen.confirmed,
        cheapest_maybe_within_slo,
        fresh: chosen.fresh,
        load_limits,
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

/// One setting of a sweep: its points, one under each condition, as indices. A setting is judged by all of them.
struct Setting {
    points: Vec<usize>,
}

/// The settings whose points all finished, in the order planned.
fn settings(points: &[PointResult], planned: usize) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let alike = |setting: &Setting| {
            let first = &points[setting.points[0]].point;
            first.variant == point.point.variant && first.settings == point.point.settings
        };
        // The points of a setting follow one another.
        match settings.last_mut() {
            Some(setting) if alike(setting) => setting.points.push(index),
            _ => settings.push(Setting { points: vec![index] }),
        }
    }
    let most = settings.iter().map(|setting| setting.points.len()).max().unwrap_or(0);
    if points.len() < planned {
        settings.retain(|setting| setting.points.len() == most);
    }
    settings
}

impl Setting {
    /// Whether it is one to choose: other traffic is not.
    fn is_choice(&self, points: &[PointResult]) -> bool {
        self.points.iter().all(|index| !points[*index].point.what_if)
    }

    /// The cost: the mean over the conditions, each with the same weight.
    fn cost(&self, points: &[PointResult]) -> Linearised {
        let each = self.points.iter().map(|index| points[*index].replications.figure(COST));
        let sum = each.reduce(|sum, cost| sum.plus(&cost)).unwrap_or_default();
        let share = 1.0 / self.points.len() as f64;
        sum.mapped(|sum| sum * share, |_| share)
    }

    /// The time promised, under the condition where it is longest.
    fn latency(&self, points: &[PointResult]) -> Linearised {
        let each = self.points.iter().map(|index| points[*index].replications.figure(SLO_LATENCY));
        let long = |latency: &Linearised| latency.mean().unwrap_or(f64::INFINITY);
        each.max_by(|a, b| long(a).total_cmp(&long(b))).unwrap_or_default()
    }
}

/// Marks the points of the settings on the frontier and returns the first point of its knee. A sweep of conditions alone has
/// one setting to choose from, and so no knee.
fn mark_frontier(points: &mut [PointResult], settings: &[Setting]) -> Option<usize> {
    let choices: Vec<&Setting> = settings.iter().filter(|setting| setting.is_choice(points)).collect();
    let figures: Vec<_> =
        choices.iter().map(|setting| (setting.cost(points), setting.latency(points))).collect();
    let seed = |point: &PointResult| point.point.scenario.run.seed;
    let paired = points.windows(2).all(|two| seed(&two[0]) == seed(&two[1]));
    let found = frontier(&figures, paired);
    for (setting, membership) in choices.iter().zip(&found) {
        setting.points.iter().for_each(|index| points[*index].frontier = *membership);
    }
    let mut members: Vec<(f64, f64, usize)> = choices
        .iter()
        .zip(&found)
        .enumerate()
        .filter(|(_, (_, membership))| membership.on)
        .filter_map(|(place, (setting, _))| {
            let (cost, latency) = &figures[place];
            Some((cost.mean()?, latency.mean()?, setting.points[0]))
        })
        .collect();
    members.sort_once_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    // Settings that come to the same run are one point of the curve.
    members.dedup_by(|next, before| (next.0, next.1) == (before.0, before.1));
    let curve: Vec<(f64, f64)> = members.iter().map(|(cost, latency, _)| (*cost, *latency)).collect();
    let alone = choices.len() == 1 && choices.iter().any(|setting| setting.points.len() > 1);
    knee(&curve).filter(|_| !alone).map(|index| members[index].2)
}

/// What came of confirming a point.
#[derive(Default)]
struct Chosen {
    confirmed: Option<Confirmation>,
    /// The first points of settings that were proposed and found to miss the SLO on average, as indices.
    refused: Vec<usize>,
    fresh: u32,
}

/// Fresh replications for confirming a setting: half as many as the sweep had in all, so that it takes at most half as long
/// again, but enough for one look. None for a sweep that is smaller than that.
fn budget(points: &[PointResult], conditions: usize) -> u32 {
    let runs: usize = points.iter().map(|point| point.replications.len()).sum();
    let runs = u32::try_from(runs / conditions.max(1)).unwrap_or(u32::MAX);
    let one_look = Plan::LOOKS[0];
    if runs < one_look { 0 } else { (runs / 2).max(one_look) }
}

/// Confirms the cheapest setting that keeps the SLO under every condition, on random numbers that had no part in choosing
/// it. The replications of the sweep are the race.
fn confirm(
    points: &[PointResult],
    settings: &[Setting],
    evaluator: &Evaluator<'_>,
) -> Result<Chosen, RunError> {
    let mut chosen = Chosen::default();
    let choices: Vec<&Setting> = settings.iter().filter(|setting| setting.is_choice(points)).collect();
    let scenarios: Vec<Vec<&Scenario>> = choices
        .iter()
        .map(|choice| choice.points.iter().map(|index| &points[*index].point.scenario).collect())
        .collect();
    let conditions = scenarios.iter().map(Vec::len).max().unwrap_or(0);
    let same = scenarios.iter().all(|scenarios| scenarios.len() == conditions);
    let Some(allowed) = scenarios.first().and_then(|first| allowed(first)).filter(|_| same) else {
        return Ok(chosen);
    };
    let told = |choice: &&Setting| {
        let each: Vec<Vec<Record>> =
            choice.points.iter().map(|index| points[*index].replications.iter().cloned().collect()).collect();
        observations(&each)
    };
    let raced: Vec<Vec<Observation>> = choices.iter().map(told).collect();
    // A replication in which no request ended says nothing, and would be asked for again and again.
    let fewest = raced.iter().map(Vec::len).min().unwrap_or(0);
    if fewest < LEAST_REPLICATIONS as usize {
        return Ok(chosen);
    }
    let race = fewest as u32;
    let plan = Plan {
        allowed,
        error: 1.0 - CONFIDENCE,
        race: (race, race),
        looks: Plan::LOOKS.to_vec(),
        fresh: budget(points, conditions),
    };
    let mut selection = Selection::new(choices.len(), plan);
    let mut fresh = Fresh::default();
    loop {
        let batches = match selection.next_step() {
            Step::Simulate(batches) => batches,
            Step::Confirmed { setting, .. } => {
                let indices = &choices[setting].points;
                let mut each = fresh.replications(&scenarios[setting]).into_iter();
                let Some(first) = each.next() else { return Ok(chosen) };
                let others = indices.iter().skip(1).copied().zip(each);
                let others =
                    others.map(|(point, replications)| (point, replications.figures(), replications));
                chosen.confirmed = Some(Confirmation {
                    point: indices[0],
                    figures: first.figures(),
                    replications: first,
                    others: others.collect(),
                });
                return Ok(chosen);
            }
            Step::Unconfirmed => return Ok(chosen),
        };
        for batch in batches {
            let Some(proposal) = batch.proposal else {
                selection.tell(&batch, raced[batch.setting].iter().take(fewest).cloned());
                continue;
            };
            let wanted = batch.replications.len();
            let most = budget(points, conditions);
            evaluator.progress.set_note(format!(
                "verifying the cheapest on fresh runs: {} of at most {most}",
                chosen.fresh + wanted as u32
            ));
            let more = fresh
                .simulate(&scenarios[batch.setting], proposal, batch.replications.clone(), evaluator)
                .map_err(|error| RunError {
                    case: points[choices[batch.setting].points[error.case]].number,
                    ..error
                })?;
            // Work that was stopped, or a setting that answers nothing: there is nothing to decide by.
            if more.len() < wanted {
                return Ok(chosen);
            }
            chosen.fresh += wanted as u32;
            selection.tell(&batch, more);
            let misses = |promise: usize| fresh.misses(promise);
            let over =
                selection.allowed().iter().enumerate().any(|(promise, allowed)| {
                    misses(promise).is_some_and(|misses| misses.share() > *allowed)
                });
            if over {
                chosen.refused.push(choices[batch.setting].points[0]);
            }
        }
    }
}

/// The cheapest of some settings; of equally cheap ones the fastest.
fn cheapest<'a>(settings: impl Iterator<Item = &'a Setting>, points: &[PointResult]) -> Option<&'a Setting> {
    let key = |setting: &Setting| {
        let mean = |figure: Linearised| figure.mean().unwrap_or(f64::INFINITY);
        (mean(setting.cost(points)), mean(setting.latency(points)))
    };
    settings.min_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    })
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
    frontier.sort_once_by(|a, b| cost(*a).total_cmp(&cost(*b)).then(a.cmp(b)));
    let rank = frontier.iter().position(|index| *index == picked).unwrap_or(0);
    let mut nearest: Vec<(usize, usize)> = frontier.into_iter().enumerate().collect();
    nearest.sort_once_by_key(|(other, _)| (other.abs_diff(rank), *other));
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
