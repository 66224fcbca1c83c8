//! How an experiment is conducted: the warm-up found by pilot runs, then replications until they are enough.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Case, Evaluator, Observer, Replications, Retain, RunError};
use crate::scenario::{Precision, Scenario, Warmup};
use crate::sim::{Outcome, Window};
use crate::stats::{BATCH, Estimate, mser5};
use crate::time::Span;

/// Replications before the first look at the precision, at the least: fewer tell little about spread (Law, *Simulation
/// Modeling and Analysis*, 5th ed., §9.4.1).
const FIRST_LOOK: u32 = 10;

/// Replications added between two looks. Fixed, so that where it stops depends on nothing but the scenario.
const MORE: u32 = 10;

/// Windows a pilot run is cut into: 200 batches for MSER-5.
const PILOT_WINDOWS: u64 = 1000;

/// Pilot runs of one setting.
const PILOTS: std::ops::RangeInclusive<u32> = 5..=20;

/// Maximum number of settings that pilots are run of, spread over all there are.
const PILOTED: usize = 8;

/// Parts of a run whose expected arrivals are compared.
const PARTS: u64 = 20;

/// From this share of the mean on, a part's arrival rate counts as another one.
const VARIES: f64 = 0.25;

/// How the runs came about, where the scenario leaves it to them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RunPlan {
    /// The warm-up found, if it was to be found.
    pub warmup: Option<WarmupFound>,
    /// What became of the precision asked for, if any was.
    pub precision: Option<PrecisionResult>,
}

/// A warm-up found by MSER-5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmupFound {
    /// The part of every run that is not measured.
    pub span: Span,
    /// Pilot runs of each setting looked at.
    pub pilots: u32,
    /// Settings looked at; the longest of their warm-ups is taken.
    pub settings: usize,
    /// Whether each of them settled in the first half of its run. If not, there may be no steady state to measure.
    pub settled: bool,
    /// Whether the expected arrival rate changes over the run, so that there is no one steady state.
    pub traffic_varies: bool,
}

/// What became of the precision asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionResult {
    /// What was asked for.
    pub asked: Precision,
    /// Replications of every setting.
    pub replications: u32,
    /// The widest of the intervals, half of it as a share of its mean; `None` if there is none.
    pub widest: Option<f64>,
    /// Why no more replications were added.
    pub end: StopReason,
}

/// Why no more replications were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Every setting is as precise as asked for.
    Reached,
    /// The limit was reached first.
    Limit,
    /// No setting has a finite mean of the figure.
    NoFigure,
    /// The work was stopped.
    Stopped,
}

impl RunPlan {
    /// The scenario as it was run in the end.
    #[must_use]
    pub fn applied(&self, mut scenario: Scenario) -> Scenario {
        if let (Warmup::Auto, Some(found)) = (scenario.run.warmup, self.warmup) {
            scenario.model.warmup = found.span;
        }
        if let Some(attained) = self.precision {
            scenario.run.replications = attained.replications;
        }
        scenario
    }

    /// Whether it came to its end.
    pub(super) fn ended(&self) -> bool {
        self.precision.is_none_or(|attained| attained.end != StopReason::Stopped)
    }
}

/// Sets the warm-up of every case that leaves it to be found; `None` if none does, or if the work was stopped.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn settle_warmup(
    cases: &mut [&mut Scenario],
    evaluator: &Evaluator<'_>,
) -> Result<Option<WarmupFound>, RunError> {
    find_warmup(cases, evaluator)
}

/// Runs every case as its scenario says, and sets what the scenario leaves open to what was found: one warm-up and one
/// number of replications for all, so that they stay comparable replication by replication.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub(super) fn run_cases(
    cases: &mut [&mut Scenario],
    observer: &dyn Observer,
    evaluator: &Evaluator<'_>,
) -> Result<(Vec<Replications>, RunPlan), RunError> {
    let warmup = find_warmup(cases, evaluator)?;
    let (results, precision) = match cases.first().and_then(|first| first.run.precision) {
        None => {
            let batch: Vec<Case<'_>> = cases.iter().map(|case| Case::whole(case)).collect();
            (evaluator.replications(&batch, observer)?, None)
        }
        Some(asked) => {
            let (results, attained) = until_precise(cases, asked, observer, evaluator)?;
            (results.into_iter().map(Replications::without_times).collect(), Some(attained))
        }
    };
    Ok((results, RunPlan { warmup, precision }))
}

/// The sequential procedure of Law (§9.4.1, after Chow and Robbins, Ann. Math. Stat. 36, 1965): look at the interval
/// after every batch, stop at the first that is narrow enough. All cases get the same number of replications, that of
/// the one that needs most.
///
/// Stopping at a look that happens to be narrow costs some coverage: the more so the fewer replications there are, and
/// nothing in the limit. Starting at [`FIRST_LOOK`] and looking once in [`MORE`] keeps that loss to a percent or two
/// (docs/statistics.md).
fn until_precise(
    cases: &mut [&mut Scenario],
    asked: Precision,
    observer: &dyn Observer,
    evaluator: &Evaluator<'_>,
) -> Result<(Vec<Replications>, PrecisionResult), RunError> {
    let most_asked = cases.iter().map(|case| case.run.replications).max().unwrap_or(1);
    let mut results: Vec<Replications> =
        cases.iter().map(|case| Replications::new(Vec::new(), case.model.slo)).collect();
    let mut attained = PrecisionResult { asked, replications: 0, widest: None, end: StopReason::Stopped };
    let mut next = most_asked.max(FIRST_LOOK).min(asked.most);
    loop {
        cases.iter_mut().for_each(|case| case.run.replications = next);
        let done = attained.replications;
        let batch: Vec<Case<'_>> = cases.iter().map(|case| Case::some(case, done..next)).collect();
        let more = evaluator.evaluate(&batch, observer, |_, records| records)?;
        let whole = more.iter().all(|records| records.len() == (next - done) as usize);
        if !whole && done > 0 {
            // What was finished of this batch is of some cases only.
            cases.iter_mut().for_each(|case| case.run.replications = done);
            return Ok((results, PrecisionResult { end: StopReason::Stopped, ..attained }));
        }
        let with = |(result, more): (Replications, _)| result.and(more);
        results = results.into_iter().zip(more).map(with).collect();
        attained.replications = next;
        if !whole {
            return Ok((results, attained));
        }
        attained.widest = widest(&results, asked.metric);
        attained.end = match attained.widest {
            None => StopReason::NoFigure,
            Some(widest) if widest <= asked.relative => StopReason::Reached,
            Some(_) if next >= asked.most => StopReason::Limit,
            Some(_) => StopReason::Stopped,
        };
        if attained.end != StopReason::Stopped {
            return Ok((results, attained));
        }
        next = (next + MORE).min(asked.most);
    }
}

/// The widest interval of the figure, relative to its mean, of the cases that have one.
fn widest(results: &[Replications], metric: &str) -> Option<f64> {
    let relative = |result: &Replications| relative(&result.figures().get(metric));
    results.iter().filter_map(relative).max_by(f64::total_cmp)
}

fn relative(estimate: &Estimate) -> Option<f64> {
    let (below, above) = estimate.widths()?;
    // The wider side: one may be cut to what a figure can be.
    let half = below.max(above);
    estimate.mean.map(|mean| if half == 0.0 { 0.0 } else { half / mean.abs() })
}

/// Finds one warm-up for all cases that leave it to be found: the longest that MSER-5 cuts from their pilots' mean
/// requests in flight and mean latency, window by window.
fn find_warmup(
    cases: &mut [&mut Scenario],
    evaluator: &Evaluator<'_>,
) -> Result<Option<WarmupFound>, RunError> {
    let auto: Vec<usize> = (0..cases.len()).filter(|case| cases[*case].run.warmup == Warmup::Auto).collect();
    if auto.is_empty() {
        return Ok(None);
    }
    let looked_at: Vec<usize> = auto.iter().copied().step_by(auto.len().div_ceil(PILOTED)).collect();
    let piloted: Vec<Scenario> = looked_at.iter().map(|case| pilot(cases[*case])).collect();
    let batch: Vec<Case<'_>> = piloted.iter().map(Case::whole).collect();
    let timelines = Timelines::of(&batch);
    evaluator
        .evaluate(&batch, &timelines, |_, _| ())
        .map_err(|error| RunError { case: looked_at[error.case], ..error })?;
    let cut = |(case, timelines): (&Scenario, Vec<Vec<Window>>)| cut(&timelines, case.run.timeline_interval);
    let cuts: Vec<(Span, bool)> = piloted.iter().zip(timelines.into_inner()).map(cut).collect();
    let found = WarmupFound {
        span: cuts.iter().map(|cut| cut.0).max().unwrap_or(Span::ZERO),
        pilots: piloted.iter().map(|case| case.run.replications).max().unwrap_or(0),
        settings: piloted.len(),
        settled: cuts.iter().all(|cut| cut.1),
        traffic_varies: piloted.iter().any(traffic_varies),
    };
    for case in cases.iter_mut().filter(|case| case.run.warmup == Warmup::Auto) {
        // Runs of another length may be shorter than the warm-up of the longest.
        case.model.warmup = if found.span < case.model.duration { found.span } else { Span::ZERO };
    }
    Ok(Some(found))
}

/// Whether the expected arrival rate of some part of the run is far from that of the whole.
fn traffic_varies(case: &Scenario) -> bool {
    let (arrivals, whole) = (&case.model.arrivals, case.model.duration);
    let expected = |part: u64| {
        let until =
            Span::from_nanos((u128::from(whole.as_nanos()) * u128::from(part) / u128::from(PARTS)) as u64);
        arrivals.mean_rate(until) * until.as_secs_f64()
    };
    let even = expected(PARTS) / PARTS as f64;
    (1..=PARTS).any(|part| (expected(part) - expected(part - 1) - even).abs() > VARIES * even)
}

fn pilot(case: &Scenario) -> Scenario {
    let mut pilot = case.clone();
    pilot.run.replications = pilot.run.replications.clamp(*PILOTS.start(), *PILOTS.end());
    pilot.run.timeline_interval = Span::from_nanos((pilot.model.duration.as_nanos() / PILOT_WINDOWS).max(1));
    pilot
}

/// SloVerdict the timeline of every run.
struct Timelines(Vec<Mutex<ByReplication>>);

/// Timelines by the number of the replication.
type ByReplication = BTreeMap<u32, Vec<Window>>;

impl Timelines {
    fn of(batch: &[Case<'_>]) -> Timelines {
        Timelines(batch.iter().map(|_| Mutex::default()).collect())
    }

    /// Those of each case, in the order of their replications.
    fn into_inner(self) -> Vec<Vec<Vec<Window>>> {
        let in_order = |case: Mutex<ByReplication>| {
            case.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
        };
        self.0.into_iter().map(in_order).collect()
    }
}

impl Observer for Timelines {
    fn retain(&self, _: usize, _: u32) -> Retain {
        Retain::Timeline
    }

    fn outcome(&self, case: usize, replication: u32, outcome: Outcome) {
        let mut timelines = self.0[case].lock().unwrap_or_else(PoisonError::into_inner);
        timelines.insert(replication, outcome.timeline);
    }
}

/// The time to leave out, and whether the runs had settled by then.
fn cut(timelines: &[Vec<Window>], interval: Span) -> (Span, bool) {
    // The last window may be the rest of a division.
    let whole = |window: &&Window| window.length_s >= interval.as_secs_f64() * 0.999;
    let windows = timelines.iter().map(|each| each.iter().filter(whole).count()).min().unwrap_or(0);
    let across = |index: usize| timelines.iter().map(move |each| &each[index]);
    let in_flight: Vec<f64> =
        (0..windows).map(|index| across(index).map(|window| window.in_flight).sum::<f64>()).collect();
    let latency = (0..windows).map(|index| {
        let total = |value: fn(&Window) -> f64| across(index).map(value).sum::<f64>();
        let served = total(|window| window.served as f64);
        let seconds = total(|window| window.latency_mean_s.unwrap_or(0.0) * window.served as f64);
        (served > 0.0).then(|| seconds / served)
    });
    // Where whole windows pass without an answer, the requests in flight must do.
    let latency: Option<Vec<f64>> = latency.collect();
    let cuts = [Some(in_flight), latency].into_iter().flatten().filter_map(|series| mser5(&series));
    cuts.fold((Span::ZERO, true), |(longest, settled), cut| {
        (longest.max(interval * (cut.batches * BATCH) as u64), settled && cut.settled)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::FIGURES;
    use crate::scenario::ScenarioFile;

    fn scenario(run: &str) -> Scenario {
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = 0.9\n[service]\ntime = {{ dist = \"exponential\", mean = \"1s\" }}\n\
             [autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\n{run}"
        );
        ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap()
    }

    fn conducted(scenarios: &mut [Scenario]) -> (Vec<Replications>, RunPlan) {
        let mut cases: Vec<&mut Scenario> = scenarios.iter_mut().collect();
        run_cases(&mut cases, &(), &Evaluator::default()).unwrap()
    }

    #[test]
    fn every_metric_of_a_precision_is_a_figure() {
        for metric in Precision::metrics() {
            assert!(FIGURES.iter().any(|figure| figure.name == metric), "{metric}");
        }
    }

    #[test]
    fn replications_are_added_until_the_figure_is_sure() {
        let precise = |relative: f64, most: u32| {
            let run = format!(
                "duration = \"2h\"\nreplications = 3\nprecision = {{ metric = \"latency.mean\", relative = {relative}, most = {most} }}"
            );
            let mut scenarios = [scenario(&run)];
            let (results, procedure) = conducted(&mut scenarios);
            let attained = procedure.precision.unwrap();
            let estimate = results[0].figures().get("latency.mean");
            let half = estimate.widths().unwrap().1 / estimate.mean.unwrap();
            assert_eq!(results[0].len(), attained.replications as usize);
            assert_eq!(scenarios[0].run.replications, attained.replications);
            assert!((attained.widest.unwrap() - half).abs() < 1e-12);
            let numbers: Vec<u32> = results[0].iter().map(|each| each.number).collect();
            assert_eq!(numbers, (0..attained.replications).collect::<Vec<_>>());
            (attained.replications, attained.end, half)
        };
        let (rough, end, half) = precise(0.5, 200);
        assert_eq!((rough, end), (10, StopReason::Reached));
        assert!(half <= 0.5);
        let (fine, end, half) = precise(0.05, 400);
        assert!(
            fine > 10 && fine % 10 == 0 && end == StopReason::Reached && half <= 0.05,
            "{fine} {end:?} {half}"
        );
        assert_eq!(precise(0.001, 15).0, 15);
        assert_eq!(precise(0.001, 15).1, StopReason::Limit);
    }

    #[test]
    fn all_settings_get_the_replications_of_the_one_that_needs_most() {
        let run = "duration = \"2h\"\nprecision = { metric = \"latency.mean\", relative = 0.05, most = 400 }";
        let calm = || {
            let mut calm = scenario(run);
            calm.model.service = scenario(run).model.service;
            calm.model.autoscaler = ScenarioFile::parse(
                "calm.toml",
                "[arrivals]\nkind = \"poisson\"\nrate = 0.9\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 9\n[run]\nduration = \"2h\"",
                ".",
            )
            .unwrap()
            .scenario()
            .unwrap()
            .model
            .autoscaler;
            calm
        };
        let alone = conducted(&mut [calm()]).1.precision.unwrap().replications;
        let (results, procedure) = conducted(&mut [calm(), scenario(run)]);
        let together = procedure.precision.unwrap().replications;
        assert!(alone < together, "{alone} {together}");
        assert!(results.iter().all(|result| result.len() == together as usize));
    }

    #[test]
    fn the_warm_up_of_a_queue_that_starts_empty_is_found() {
        let mut scenarios = [scenario("duration = \"4h\"\nwarmup = \"auto\"\nreplications = 20")];
        let (_, procedure) = conducted(&mut scenarios);
        let found = procedure.warmup.unwrap();
        assert!(found.settled && found.pilots == 20 && !found.traffic_varies, "{found:?}");
        // An M/M/1 at 0.9 needs some hundred service times to settle, and nothing like an hour.
        assert!(found.span > Span::ZERO && found.span < Span::from_secs(3600), "{}", found.span);
        assert_eq!(scenarios[0].model.warmup, found.span);
        assert_eq!(
            procedure.applied(scenario("duration = \"4h\"\nwarmup = \"auto\"")).model.warmup,
            found.span
        );
    }

    #[test]
    fn traffic_that_follows_the_day_has_no_steady_state_and_says_so() {
        let text = "[arrivals]\nkind = \"diurnal\"\ntrough = 0.1\npeak = 0.9\n[service]\ntime = \"1s\"\n\
                    [autoscaler]\nkind = \"fixed\"\ninstances = 2\n[run]\nduration = \"1d\"\nwarmup = \"auto\"";
        let daily = ScenarioFile::parse("daily.toml", text, ".").unwrap().scenario().unwrap();
        let (_, procedure) = conducted(&mut [daily]);
        assert!(procedure.warmup.unwrap().traffic_varies);
    }

    #[test]
    fn a_queue_that_only_grows_has_no_steady_state_and_says_so() {
        let mut growing = scenario("duration = \"1h\"\nwarmup = \"auto\"");
        growing.model.service = ScenarioFile::parse(
            "slow.toml",
            "[arrivals]\nkind = \"poisson\"\nrate = 0.9\n[service]\ntime = \"2s\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"1h\"",
            ".",
        )
        .unwrap()
        .scenario()
        .unwrap()
        .model
        .service;
        let (_, procedure) = conducted(&mut [growing]);
        assert!(!procedure.warmup.unwrap().settled);
    }
}
