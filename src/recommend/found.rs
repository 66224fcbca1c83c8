//! What is made of race and verification: standings, alternatives, what could not be decided.

use std::sync::{Mutex, PoisonError};

use super::answer::{
    Alternative, BindingMaximum, ChangedSetting, Ending, Point, Recommendation, Standing, Tried, Undecided,
    UnderCondition, WorstWindow,
};
use super::candidates::{Candidate, Candidates, shown};
use super::margin;
use crate::experiment::{
    COST, Case, Evaluator, Fresh, Observer, PromiseSummary, Replications, Retain, RunError, RunFailure,
    SLO_LATENCY_OF_RUN, frontier, knee,
};
use crate::scenario::{Axis, Scenario, Setting};
use crate::sim::{Model, Outcome};
use crate::sorting::Sorting as _;
use crate::stats::{CONFIDENCE, Estimate, Linearised, Selection};

/// Fresh replications by which the settings in force are judged where nothing is confirmed.
const OF_TODAY: u32 = 40;

/// Replications by which the alternatives are shown: as many as a verdict takes.
const OF_ALTERNATIVES: u32 = 20;

/// What race and verification came to.
pub(super) struct Found<'a> {
    pub candidates: Candidates<'a>,
    pub selection: Selection,
    pub fresh: Fresh,
    pub fresh_runs: u32,
    /// The setting, its proposal, and the fresh replications that confirmed it.
    pub confirmed: Option<(usize, u32, u32)>,
    pub whole: bool,
    /// Whether the budget ended the race, or left no room to confirm anything.
    pub spent: bool,
    pub grid: f64,
}

impl Found<'_> {
    pub fn answer(mut self, evaluator: &Evaluator<'_>) -> Result<Recommendation, RunError> {
        let mut whole = self.whole;
        if let Some((index, ..)) = self.confirmed.filter(|_| whole) {
            evaluator.progress.set_note("looking closer at the alternatives");
            self.look_at_alternatives(index, evaluator)?;
            whole &= !evaluator.cancel.is_cancelled();
        }
        let today = &self.candidates.all[0];
        let of = |index: usize| -> Vec<&Scenario> { self.candidates.all[index].scenarios.iter().collect() };
        let (proposal, count) =
            self.confirmed.map_or((9, OF_TODAY), |(_, proposal, count)| (proposal, count));
        // Today's settings on the same fresh random numbers.
        let mut of_today = Vec::new();
        if whole && !today.overgrown {
            let mut fresh = Fresh::default();
            evaluator.progress.set_note("simulating the settings in force");
            match fresh.simulate(&of(0), proposal, 0..count, evaluator) {
                Err(RunError { what: RunFailure::Overgrown { .. }, .. }) => {}
                other => {
                    other?;
                    whole &= !evaluator.cancel.is_cancelled();
                    of_today = fresh.replications(&of(0));
                }
            }
        }
        let chosen = self.confirmed.map(|(index, ..)| (index, self.fresh.replications(&of(index))));
        let saving = chosen.as_ref().map(|(_, chosen)| saving(&of_today, chosen)).unwrap_or_default();
        let standing = |index: usize, replications: &[Replications]| -> Result<Standing, RunError> {
            let worst = self.worst_windows(index, proposal, evaluator)?;
            Ok(self.standing(index, replications, worst))
        };
        let today_standing = match of_today.is_empty() {
            true => None,
            false => Some(standing(0, &of_today)?),
        };
        let chosen_standing = match &chosen {
            Some((index, replications)) => Some(standing(*index, replications)?),
            None => None,
        };
        let best = self.best().filter(|_| self.confirmed.is_none());
        let estimated = best.map(|index| {
            let replications = self.candidates.all[index].replications();
            self.standing(index, &replications, vec![None; replications.len()])
        });
        let mut margins = Vec::new();
        if let Some((index, ..)) = self.confirmed.filter(|_| whole && !evaluator.cancel.is_cancelled()) {
            evaluator.progress.set_note("measuring how far the promise holds");
            margins = margin::margins(&self.candidates, (index, proposal), &self.fresh, evaluator)?;
        }
        let whole = whole && !evaluator.cancel.is_cancelled();
        let reference = self.confirmed.map(|(index, ..)| index).or(best);
        Ok(Recommendation {
            complete: whole,
            ending: match (&self.confirmed, whole) {
                (Some((0, ..)), _) => Ending::TodayIsCheapest,
                (Some(_), _) => Ending::Confirmed,
                (None, true) => Ending::Unconfirmed,
                (None, false) => Ending::Stopped,
            },
            tried: self.tried(),
            changes: reference.map(|index| self.changes(index)).unwrap_or_default(),
            today: today_standing,
            best_estimate: best
                .map(|index| self.alternative(index, "cheapest that seemed to keep the promise", None)),
            estimated,
            budget_spent: self.spent && self.confirmed.is_none(),
            saving,
            margins,
            alternatives: reference
                .map(|chosen| {
                    let shown = self.alternatives(chosen).into_iter();
                    shown.map(|(index, what)| self.alternative(index, what, Some(chosen))).collect()
                })
                .unwrap_or_default(),
            undecided: self.undecided(),
            edges: reference.map(|index| self.edges(index)).unwrap_or_default(),
            points: self.points(reference),
            recommended: chosen_standing,
            past: Vec::new(),
        })
    }

    /// The cheapest that can be expected to be confirmed, else the one that is nearest to it; where all are known to miss the
    /// promise, the one that misses it least.
    fn best(&self) -> Option<usize> {
        let all = &self.candidates.all;
        let ranking = self.selection.ranking();
        let open = ranking.iter().map(|(index, _)| *index).find(|index| all[*index].count() > 0);
        let missed = |index: usize| {
            let worst = |each: &Replications| {
                let used = each.worst_promise().and_then(|worst| worst.budget_used().mean);
                used.unwrap_or(f64::INFINITY)
            };
            all[index].replications().iter().map(worst).fold(0.0, f64::max)
        };
        let least = || {
            let runs = (0..all.len()).filter(|index| !all[*index].overgrown && all[*index].count() > 0);
            runs.min_by(|a, b| missed(*a).total_cmp(&missed(*b)).then(a.cmp(b)))
        };
        open.or_else(least)
    }

    fn standing(
        &self,
        index: usize,
        replications: &[Replications],
        worst: Vec<Option<WorstWindow>>,
    ) -> Standing {
        let candidate = &self.candidates.all[index];
        let under = |(index, worst): (usize, Option<WorstWindow>)| {
            let (replications, scenario) = (&replications[index], &candidate.scenarios[index]);
            let condition = &self.candidates.space.conditions[index];
            let figures = replications.figures();
            let measured = measured(scenario);
            let below = figures.get("below_slo_s");
            UnderCondition {
                condition: plain(condition),
                keeps: replications.keeps_slo(),
                promises: replications.promises().iter().map(PromiseSummary::of).collect(),
                cost_per_hour: scaled(&figures.get(COST), 3600.0 / measured),
                share_of_time: Estimate {
                    mean: below.mean.map(|below| 1.0 - below / measured),
                    low: below.high.map(|below| (1.0 - below / measured).clamp(0.0, 1.0)),
                    high: below.low.map(|below| (1.0 - below / measured).clamp(0.0, 1.0)),
                    replications: below.replications,
                },
                worst_window: worst,
                maximum: binding(scenario, replications),
                figures,
            }
        };
        // As many as there are conditions, of all three.
        let all = worst.into_iter().enumerate().take(replications.len());
        Standing {
            settings: plain(&candidate.settings),
            replications: replications.first().map_or(0, |each| each.len() as u32),
            cost_per_hour: per_hour(replications, &candidate.scenarios).estimate(CONFIDENCE),
            by_condition: all.map(under).collect(),
        }
    }

    /// The window in which the largest share of the requests missed the SLO, in one fresh run under each condition.
    fn worst_windows(
        &self,
        index: usize,
        proposal: u32,
        evaluator: &Evaluator<'_>,
    ) -> Result<Vec<Option<WorstWindow>>, RunError> {
        let scenarios = &self.candidates.all[index].scenarios;
        let number = Fresh::number(proposal, 0);
        let batch: Vec<Case<'_>> =
            scenarios.iter().map(|scenario| Case::some(scenario, number..number + 1)).collect();
        let seen = Seen((0..batch.len()).map(|_| Mutex::default()).collect());
        evaluator.evaluate(&batch, &seen, |_, _| ())?;
        let outcomes =
            seen.0.into_iter().map(|outcome| outcome.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(outcomes.map(|outcome| outcome.and_then(|outcome| WorstWindow::of(&outcome.timeline))).collect())
    }

    fn changes(&self, index: usize) -> Vec<ChangedSetting> {
        let axes = &self.candidates.space.axes;
        let changed = |(path, new): &(String, Setting)| {
            let today = axes.iter().find(|axis| axis.path == *path).and_then(|axis| axis.today.clone());
            (today.as_ref() != Some(new)).then(|| ChangedSetting {
                path: path.clone(),
                old: today.map(|today| today.to_string()),
                new: new.to_string(),
                value: new.clone(),
            })
        };
        if index == 0 {
            Vec::new()
        } else {
            self.candidates.all[index].settings.iter().filter_map(changed).collect()
        }
    }

    fn tried(&self) -> Tried {
        let all = &self.candidates.all;
        let runs = |candidate: &Candidate| u64::from(candidate.count()) * candidate.scenarios.len() as u64;
        Tried {
            settings: all.len(),
            combinations: self.grid,
            exhausted: all.len() as f64 + self.candidates.refused as f64 >= self.grid,
            refused: self.candidates.refused,
            overgrown: all.iter().filter(|candidate| candidate.overgrown).count(),
            conditions: self.candidates.space.conditions.len(),
            shipped: self.candidates.space.shipped,
            race_runs: all.iter().map(runs).sum(),
            fresh_runs: self.fresh_runs,
            requests: self.candidates.requests,
        }
    }

    /// Cost per hour and latency of a candidate by its first so many replications of the race.
    fn race_figures(&self, index: usize, count: u32) -> (Linearised, Linearised) {
        let candidate = &self.candidates.all[index];
        let replications = candidate.first_replications(count as usize);
        let slow = |latency: &Linearised| latency.mean().unwrap_or(f64::INFINITY);
        let latency = replications.iter().map(|each| each.figure(SLO_LATENCY_OF_RUN));
        let latency = latency.max_by(|a, b| slow(a).total_cmp(&slow(b))).unwrap_or_default();
        (per_hour(&replications, &candidate.scenarios), latency)
    }

    /// By what share of those of `other` the cost and the latency of a candidate exceed them, over the replications of the race
    /// that both have.
    fn over(&self, index: usize, other: usize) -> (Option<f64>, Option<f64>) {
        let both = self.candidates.all[index].count().min(self.candidates.all[other].count());
        let (cost, latency) = self.race_figures(index, both);
        let (of_other, latency_of_other) = self.race_figures(other, both);
        let more = |a: &Linearised, b: &Linearised| Some(a.mean()? / b.mean()? - 1.0);
        (more(&cost, &of_other), more(&latency, &latency_of_other))
    }

    fn alternative(&self, index: usize, what: &'static str, than: Option<usize>) -> Alternative {
        let candidate = &self.candidates.all[index];
        let (cost, latency) = self.race_figures(index, u32::MAX);
        let (cost_more, latency_more) = than.map(|other| self.over(index, other)).unwrap_or_default();
        let misses = |each: &Replications| !each.keeps_slo_on_average();
        Alternative {
            what,
            settings: plain(&candidate.settings),
            cost_per_hour: cost.estimate(CONFIDENCE),
            latency: latency.estimate(CONFIDENCE),
            misses_slo: candidate.replications().iter().any(misses),
            cost_more,
            latency_more,
            replications: candidate.count(),
        }
    }

    /// The knee, and the next two on the frontier that keep the promise on average and are faster than the choice. The frontier
    /// is that of the replications that all have.
    fn alternatives(&self, chosen: usize) -> Vec<(usize, &'static str)> {
        let all = &self.candidates.all;
        let shown: Vec<usize> =
            (0..all.len()).filter(|index| !all[*index].overgrown && all[*index].count() > 0).collect();
        let shared = shown.iter().map(|index| all[*index].count()).min().unwrap_or(0);
        let figures: Vec<_> = shown.iter().map(|index| self.race_figures(*index, shared)).collect();
        let on = frontier(&figures, false);
        let mut curve: Vec<(f64, f64, usize)> = on
            .iter()
            .zip(&figures)
            .zip(&shown)
            .filter(|((membership, _), _)| membership.on)
            .filter_map(|((_, (cost, latency)), index)| Some((cost.mean()?, latency.mean()?, *index)))
            .collect();
        curve.sort_once_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        curve.dedup_by(|next, before| (next.0, next.1) == (before.0, before.1));
        let places: Vec<(f64, f64)> = curve.iter().map(|(cost, latency, _)| (*cost, *latency)).collect();
        let knee = knee(&places).filter(|_| places.len() > 1).map(|knee| curve[knee].2);
        let faster = curve.iter().map(|(.., index)| *index).filter(|index| {
            let dearer_and_faster = match self.over(*index, chosen) {
                (Some(cost), Some(latency)) => cost > 0.0 && latency < 0.0,
                _ => false,
            };
            let keeps =
                |index: usize| all[index].replications().iter().all(Replications::keeps_slo_on_average);
            *index != chosen && Some(*index) != knee && dearer_and_faster && keeps(*index)
        });
        let knee = knee.into_iter().map(|index| (index, "knee"));
        knee.chain(faster.take(2).map(|index| (index, "faster"))).collect()
    }

    /// Simulates what is shown beside the choice as often as a verdict takes, as far as the race did not.
    fn look_at_alternatives(&mut self, chosen: usize, evaluator: &Evaluator<'_>) -> Result<(), RunError> {
        let mut shown = self.alternatives(chosen);
        // Those that turn out to miss the promise make room for others.
        for _ in 0..3 {
            let of = |index: usize| (index, OF_ALTERNATIVES);
            let wanted: Vec<(usize, u32)> =
                shown.iter().map(|(index, _)| of(*index)).chain([of(chosen)]).collect();
            let short = wanted.iter().any(|(index, count)| self.candidates.all[*index].count() < *count);
            if !short || !self.candidates.race(&wanted, evaluator)? {
                break;
            }
            shown = self.alternatives(chosen);
        }
        Ok(())
    }

    /// Cheaper settings than the choice that keep the promise on average and could not be decided.
    fn undecided(&self) -> Vec<Undecided> {
        let Some((chosen, ..)) = self.confirmed else { return Vec::new() };
        let mut all: Vec<usize> =
            self.selection.open().chain(self.selection.undecided().iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        // What it saves, where it is cheaper and keeps the promise.
        let saves = |index: usize| {
            let saves = -self.over(index, chosen).0?;
            let keeps = index != chosen && saves > 0.0 && !self.alternative(index, "", None).misses_slo;
            keeps.then_some((index, saves))
        };
        let mut all: Vec<(usize, f64)> = all.into_iter().filter_map(saves).collect();
        all.sort_once_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let of = |(index, saves): (usize, f64)| Undecided {
            settings: plain(&self.candidates.all[index].settings),
            cost_per_hour: self.race_figures(index, u32::MAX).0.mean().unwrap_or(f64::INFINITY),
            saves,
            replications: self.selection.needed(index),
        };
        all.into_iter().take(3).map(of).collect()
    }

    /// The values of a setting that are the least or the greatest tried.
    fn edges(&self, index: usize) -> Vec<(String, String, bool)> {
        let candidate = &self.candidates.all[index];
        let Some(place) = &candidate.place else { return Vec::new() };
        let edge = |((axis, level), (path, value)): ((&Axis, &usize), &(String, Setting))| {
            let last = axis.levels.len() - 1;
            let ordered = axis.levels.iter().all(|level| level.value().is_some());
            let least = *level == 0 && axis.least.is_none_or(|least| value_of(value) > least);
            let at = ordered && last > 0 && (least || *level == last);
            at.then(|| (path.clone(), value.to_string(), *level == last))
        };
        self.candidates.space.axes.iter().zip(place).zip(&candidate.settings).filter_map(edge).collect()
    }

    /// Cost and latency of all that were tried, for a chart.
    fn points(&self, chosen: Option<usize>) -> Vec<Point> {
        let sure = self.confirmed.is_some();
        let name = if sure { "recommended" } else { "estimated" };
        let all = (0..self.candidates.all.len()).filter(|index| !self.candidates.all[*index].overgrown);
        all.map(|index| {
            let alternative = self.alternative(index, "", None);
            Point {
                name: match (index, chosen, sure) {
                    (0, Some(0), true) => Some("today and recommended"),
                    (0, Some(0), false) => Some("today and estimated"),
                    (0, ..) => Some("today"),
                    (index, Some(chosen), _) if index == chosen => Some(name),
                    _ => None,
                },
                settings: shown(&self.candidates.all[index].settings),
                cost_per_hour: alternative.cost_per_hour,
                latency: alternative.latency,
                misses_slo: alternative.misses_slo,
            }
        })
        .collect()
    }
}

/// Keeps the outcome of the one run of each case.
struct Seen(Vec<Mutex<Option<Outcome>>>);

impl Observer for Seen {
    fn retain(&self, _: usize, _: u32) -> Retain {
        Retain::Timeline
    }

    fn outcome(&self, case: usize, _: u32, outcome: Outcome) {
        *self.0[case].lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

/// How the maximum of a scenario binds. A pool of one size has none to bind.
fn binding(scenario: &Scenario, replications: &Replications) -> Option<BindingMaximum> {
    let of_pool = |figure: &str, model: &Model, prefix: &str| {
        let limits = model.autoscaler.limits();
        let peaks = replications.iter().filter_map(|record| record.sample(figure).value());
        let reached = peaks.filter(|peak| *peak >= f64::from(limits.max)).count();
        (limits.min < limits.max && reached > 0).then(|| BindingMaximum {
            instances: limits.max,
            key: format!("{prefix}{}", model.autoscaler.limiting_path()),
            share_of_runs: reached as f64 / replications.len().max(1) as f64,
            needed: scenario.instances_needed_of(model, 0),
        })
    };
    match scenario.model.decode_pool() {
        None => of_pool("peak_ready", &scenario.model, ""),
        Some(decode) => of_pool("prefill.peak_ready", &scenario.model, "")
            .or_else(|| of_pool("decode.peak_ready", &decode, "decode.")),
    }
}

fn value_of(setting: &Setting) -> f64 {
    setting.value().unwrap_or(f64::INFINITY)
}

/// Cost per hour: the mean over the conditions.
fn per_hour(replications: &[Replications], scenarios: &[Scenario]) -> Linearised {
    let each = replications.iter().zip(scenarios).map(|(replications, scenario)| {
        let share = 3600.0 / measured(scenario) / scenarios.len().max(1) as f64;
        replications.figure(COST).mapped(|cost| cost * share, |_| share)
    });
    each.reduce(|sum, cost| sum.plus(&cost)).unwrap_or_default()
}

/// Seconds of a run that are measured, and so paid for.
fn measured(scenario: &Scenario) -> f64 {
    (scenario.model.duration - scenario.model.warmup).as_secs_f64().max(1e-9)
}

/// The share of today's cost that is saved, on the same random numbers; under all conditions together.
fn saving(today: &[Replications], chosen: &[Replications]) -> Option<Estimate> {
    let sum =
        |all: &[Replications]| all.iter().map(|each| each.figure(COST)).reduce(|sum, cost| sum.plus(&cost));
    let (today, chosen) = (sum(today)?, sum(chosen)?);
    if today.replications() != chosen.replications() || today.mean().is_none_or(|cost| cost <= 0.0) {
        return None;
    }
    let left = chosen.over(&today).estimate(CONFIDENCE);
    let saved = |end: Option<f64>| end.map(|end| 1.0 - end);
    Some(Estimate { mean: saved(left.mean), low: saved(left.high), high: saved(left.low), ..left })
}

fn scaled(estimate: &Estimate, factor: f64) -> Estimate {
    let times = |end: Option<f64>| end.map(|end| end * factor);
    Estimate { mean: times(estimate.mean), low: times(estimate.low), high: times(estimate.high), ..*estimate }
}

fn plain(settings: &[(String, Setting)]) -> Vec<(String, String)> {
    settings.iter().map(|(path, value)| (path.clone(), value.to_string())).collect()
}
