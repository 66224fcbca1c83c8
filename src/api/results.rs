//! `run`, `sweep` and `compare`, and what they come to.

use std::sync::{Mutex, PoisonError};

use crate::api::{Error, Options, Report, Scenario, Setting};
use crate::experiment::{self, Evaluator, Figure, Figures, PointResult, RunError, SloVerdict, Verdict};
use crate::report::tables::MAX_STEPS;
use crate::report::{compose, sentences};
use crate::scenario as inner;
use crate::sim::DecisionRecord;
use crate::stats::Estimate;

/// Simulates a scenario, and its variants beside it, on the threads of the current pool.
///
/// # Errors
/// What is wrong with the scenario; a run that came to nothing; or nothing had finished when it was cancelled.
///
/// ```
/// use kneepoint::{Options, Scenario, run};
///
/// let mut scenario = Scenario::load("scenarios/walkthrough.toml")?;
/// let result = run(&scenario, &Options::default())?;
/// let p99 = result.figures().get("latency.p99");
/// println!("p99 {:?} s, {} replications", p99.mean, p99.replications);
/// # assert!(p99.mean.is_some());
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn run(scenario: &Scenario, options: &Options) -> Result<RunResult, Error> {
    let alternatives = scenario.alternatives()?;
    let evaluator = options.evaluator(&scenario.file, alternatives.iter().map(|(_, each)| each))?;
    let steps: Vec<Mutex<Vec<DecisionRecord>>> = alternatives.iter().map(|_| Mutex::default()).collect();
    // One more than are shown, to tell whether they are all.
    let log = |case: usize, decisions: &[DecisionRecord]| {
        let mut steps = steps[case].lock().unwrap_or_else(PoisonError::into_inner);
        let room = (MAX_STEPS + 1).saturating_sub(steps.len());
        steps.extend(decisions.iter().take(room).cloned());
    };
    let names: Vec<Option<String>> = alternatives.iter().map(|(variant, _)| variant.clone()).collect();
    let result = experiment::run(alternatives, &log, &evaluator)
        .map_err(|error| Error::of_run(&error, names[error.case].as_deref()))?;
    if result.alternatives.is_empty() {
        return Err(Error::cancelled("the first run had finished"));
    }
    let base = result.procedure.applied(scenario.file.scenario()?);
    let steps = steps.into_iter().map(|each| each.into_inner().unwrap_or_else(PoisonError::into_inner));
    let steps = steps.collect();
    Ok(RunResult { base, steps, result })
}

/// What [`run`] comes to.
///
/// ```
/// use kneepoint::{Options, Scenario, run};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[run]\nduration = \"1m\"";
/// let result = run(&Scenario::parse(text)?, &Options::default())?;
/// let names: Vec<&str> = result.alternatives().map(|alternative| alternative.name).collect();
/// assert!(result.complete() && names.len() == 1);
/// assert!(result.figures().get("latency.mean").mean >= Some(1.0));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug)]
pub struct RunResult {
    base: inner::Scenario,
    steps: Vec<Vec<DecisionRecord>>,
    result: experiment::RunResult,
}

impl RunResult {
    /// The figures of the scenario itself; with variants, see [`alternatives`](RunResult::alternatives).
    pub fn figures(&self) -> &Figures {
        &self.result.alternatives[0].figures
    }

    /// The scenario, then its variants: those that finished at least one replication.
    pub fn alternatives(&self) -> impl Iterator<Item = Alternative<'_>> {
        self.result.alternatives.iter().map(|each| Alternative { name: each.name(), figures: &each.figures })
    }

    /// Whether every replication of every alternative finished: if not, the work was cancelled.
    pub fn complete(&self) -> bool {
        self.result.complete
    }

    /// All there is to say of it.
    pub fn report(&self) -> Report<'_> {
        Report(compose::run(&self.base, &self.result, &self.steps))
    }
}

/// One of several scenarios that were run side by side.
///
/// ```
/// use kneepoint::{Options, Scenario, run};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"1m\"";
/// let mut scenario = Scenario::parse(text)?;
/// scenario.set("variant", "[{ name = 'more', set = { 'autoscaler.instances' = 12 } }]")?;
/// for alternative in run(&scenario, &Options::default())?.alternatives() {
///     println!("{}: {:?}", alternative.name, alternative.figures.get("cost").mean);
/// }
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Alternative<'a> {
    /// What it is called beside the others.
    pub name: &'a str,
    /// Its figures.
    pub figures: &'a Figures,
}

/// Tries every setting of the swept parameters, of the scenario and of its variants, and finds the frontier of cost versus
/// latency with its knee.
///
/// # Errors
/// What is wrong with the scenario, or it sweeps nothing; a run that came to nothing; or no point had finished when it was
/// cancelled.
///
/// ```
/// use kneepoint::{Options, Scenario, sweep};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"1m\"";
/// let mut scenario = Scenario::parse(text)?;
/// scenario.set("sweep.parameters", "{ 'autoscaler.instances' = [9, 12, 15] }")?;
/// let result = sweep(&scenario, &Options::default())?;
/// assert_eq!(result.points().len(), 3);
/// for sentence in result.report().answer() {
///     println!("{sentence}");
/// }
/// if let Some(knee) = result.knee() {
///     println!("{}: {:?}", knee.setting, knee.figures.get("cost").mean);
/// }
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn sweep(scenario: &Scenario, options: &Options) -> Result<SweepResult, Error> {
    let points = points(scenario)?;
    let evaluator = options.evaluator(&scenario.file, points.iter().map(|point| &point.scenario))?;
    sweep_by(scenario, points, &evaluator)
}

/// The points of a sweep, if there is one.
pub(super) fn points(scenario: &Scenario) -> Result<Vec<inner::Point>, Error> {
    let points = scenario.file.points()?;
    if !scenario.file.has_sweep() && points.len() < 2 {
        return Err(Error::bad_input(
            "error: the scenario sweeps nothing\n  expected a [sweep] table or a [[variant]]",
        ));
    }
    scenario.file.check_overrides_of_sweep()?;
    Ok(points)
}

/// The sweep of these points of a scenario.
pub(super) fn sweep_by(
    scenario: &Scenario,
    points: Vec<inner::Point>,
    evaluator: &Evaluator<'_>,
) -> Result<SweepResult, Error> {
    let result = experiment::sweep(points.clone(), &|_, _| {}, evaluator)
        .map_err(|error| of_point(&points, &error))?;
    if result.points.is_empty() {
        return Err(Error::cancelled("the first point had finished"));
    }
    Ok(SweepResult { base: result.procedure.applied(scenario.file.scenario()?), result })
}

/// A run of a point came to nothing.
pub(super) fn of_point(points: &[inner::Point], error: &RunError) -> Error {
    Error::of_run(error, Some(&sentences::settings_and_condition(&points[error.case])))
}

/// What [`sweep`] comes to.
///
/// ```
/// use kneepoint::{Options, Scenario, sweep};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[run]\nduration = \"1m\"";
/// let mut scenario = Scenario::parse(text)?;
/// scenario.set("sweep.parameters", "{ 'autoscaler.instances' = [9, 15] }")?;
/// let result = sweep(&scenario, &Options::default())?;
/// let setting = &result.points()[1].setting;
/// assert_eq!(setting.values, [("autoscaler.instances".to_owned(), "15".to_owned())]);
/// assert!(result.complete() && result.points().iter().any(|point| point.on_frontier));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug)]
pub struct SweepResult {
    base: inner::Scenario,
    result: experiment::SweepResult,
}

impl SweepResult {
    /// The points all of whose replications finished, in their order.
    pub fn points(&self) -> Vec<Point<'_>> {
        self.result.points.iter().map(Point::of).collect()
    }

    /// The knee of the frontier: where paying more begins to buy little.
    pub fn knee(&self) -> Option<Point<'_>> {
        self.at(self.result.knee)
    }

    /// The cheapest point that surely keeps the promise, with 95 % confidence.
    pub fn cheapest_within_slo(&self) -> Option<Point<'_>> {
        self.at(self.result.cheapest_within_slo())
    }

    /// Whether every point finished: if not, the work was cancelled.
    pub fn complete(&self) -> bool {
        self.result.complete()
    }

    /// All there is to say of it.
    pub fn report(&self) -> Report<'_> {
        Report(compose::sweep(&self.base, &self.result))
    }

    fn at(&self, index: Option<usize>) -> Option<Point<'_>> {
        index.and_then(|index| self.result.points.get(index)).map(Point::of)
    }
}

/// A point of a sweep.
///
/// ```
/// use kneepoint::{Options, Scenario, sweep};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"1m\"";
/// let mut scenario = Scenario::parse(text)?;
/// scenario.set("sweep.parameters", "{ 'autoscaler.instances' = [9, 12] }")?;
/// let result = sweep(&scenario, &Options::default())?;
/// let points = result.points();
/// assert!(points.iter().any(|point| point.on_frontier && point.keeps_slo.is_some()));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Point<'a> {
    /// Its setting.
    pub setting: Setting,
    /// Its figures.
    pub figures: &'a Figures,
    /// Whether no other point beats it in both cost and latency.
    pub on_frontier: bool,
    /// Whether it keeps the promise; `None` if nothing is promised.
    pub keeps_slo: Option<SloVerdict>,
}

impl<'a> Point<'a> {
    fn of(result: &'a PointResult) -> Point<'a> {
        Point {
            setting: Setting::of(&result.point),
            figures: &result.figures,
            on_frontier: result.frontier.on,
            keeps_slo: result.meets_slo,
        }
    }
}

/// Tells settings apart: differences with intervals, paired replication by replication on common random numbers. Compares
/// several scenarios without their variants, or one with its variants.
///
/// # Errors
/// What is wrong with a scenario; there is nothing to compare, or runs cannot be paired; a run that came to nothing; or one
/// of them had not finished a run when it was cancelled.
///
/// ```
/// use kneepoint::{Options, Scenario, compare};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[run]\nduration = \"1m\"";
/// let (mut ten, mut twenty) = (Scenario::parse(text)?, Scenario::parse(text)?);
/// ten.set("name", "ten")?;
/// twenty.set("name", "twenty")?.set("autoscaler.instances", "20")?;
/// let result = compare(&[&ten, &twenty], &Options::default())?;
/// let cost = result.differences().into_iter().find(|difference| difference.figure.name == "cost").unwrap();
/// assert_eq!((cost.a, cost.b), ("ten", "twenty"));
/// assert!(cost.b_minus_a.low.unwrap() > 0.0);
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn compare(scenarios: &[&Scenario], options: &Options) -> Result<CompareResult, Error> {
    let contenders = contenders(scenarios)?;
    let Some(((_, first), others)) = contenders.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(Error::bad_input(
            "error: there is nothing to compare\n  expected two scenarios, or one with a [[variant]]",
        ));
    };
    others.iter().try_for_each(|(name, other)| check_pairs(first, name, other))?;
    let evaluator = options.evaluator(&scenarios[0].file, contenders.iter().map(|(_, each)| each))?;
    let figures = experiment::comparable(contenders.iter().map(|(_, scenario)| scenario));
    let result = experiment::compare(contenders.clone(), &figures, &evaluator)
        .map_err(|error| Error::of_run(&error, Some(&contenders[error.case].0)))?;
    if result.contenders.iter().any(|contender| contender.replications.is_empty()) {
        return Err(Error::cancelled("each had finished a run"));
    }
    Ok(CompareResult { base: result.procedure.applied(first.clone()), result })
}

/// What is compared, each with a name of its own.
fn contenders(scenarios: &[&Scenario]) -> Result<Vec<(String, inner::Scenario)>, Error> {
    if let [scenario] = scenarios {
        let alternatives = scenario.alternatives()?.into_iter();
        return Ok(alternatives
            .map(|(name, each)| (name.unwrap_or_else(|| each.label.clone()), each))
            .collect());
    }
    let mut contenders: Vec<(String, inner::Scenario)> = Vec::new();
    for scenario in scenarios {
        let scenario = scenario.file.scenario()?;
        let alike = contenders.iter().filter(|(_, other)| other.name == scenario.name).count();
        let name = scenario.name.clone();
        contenders.push((if alike == 0 { name } else { format!("{name} ({})", alike + 1) }, scenario));
    }
    Ok(contenders)
}

/// Refuses two scenarios whose runs cannot be paired, and says what would have to be equal.
pub(crate) fn check_pairs(first: &inner::Scenario, name: &str, other: &inner::Scenario) -> Result<(), Error> {
    let Some((key, a, b)) = experiment::pairing_conflict(first, other) else { return Ok(()) };
    Err(Error::bad_input(format!(
        "error: the runs of \"{name}\" cannot be paired with those of the first: `{key}` is {b}, not {a}\n  \
         expected the same duration, warm-up, replications and seed, so that differences are not those of the \
         experiment\n  help: set it for all with --set {key}=…"
    )))
}

/// What [`compare`] comes to: the differences between all pairs, and a report.
///
/// ```
/// use kneepoint::{Options, Scenario, compare};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[run]\nduration = \"1m\"";
/// # let (today, mut larger) = (Scenario::parse(text)?, Scenario::parse(text)?);
/// larger.set("autoscaler.instances", "12")?;
/// let result = compare(&[&today, &larger], &Options::default())?;
/// assert!(!result.differences().is_empty());
/// assert!(result.report().html()?.contains("</html>"));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug)]
pub struct CompareResult {
    base: inner::Scenario,
    result: experiment::CompareResult,
}

impl CompareResult {
    /// What was compared, in order.
    pub fn alternatives(&self) -> impl Iterator<Item = Alternative<'_>> {
        self.result.contenders.iter().map(|each| Alternative { name: &each.name, figures: &each.figures })
    }

    /// The differences of every pair in every figure compared.
    pub fn differences(&self) -> Vec<Difference<'_>> {
        let name = |index: usize| self.result.contenders[index].name.as_str();
        let all = self.result.pairs.iter().flat_map(|pair| {
            pair.differences.iter().map(move |difference| Difference {
                a: name(pair.a),
                b: name(pair.b),
                figure: difference.figure,
                b_minus_a: difference.joint,
                verdict: difference.verdict,
            })
        });
        all.collect()
    }

    /// Whether every replication finished: if not, the work was cancelled.
    pub fn complete(&self) -> bool {
        self.result.complete
    }

    /// All there is to say of it.
    pub fn report(&self) -> Report<'_> {
        Report(compose::compare(&self.base, &self.result))
    }
}

/// How two alternatives differ in one figure.
///
/// ```
/// use kneepoint::{Options, Scenario, Verdict, compare};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"1m\"";
/// let (today, mut larger) = (Scenario::parse(text)?, Scenario::parse(text)?);
/// larger.set("autoscaler.instances", "12")?;
/// let result = compare(&[&today, &larger], &Options::default())?;
/// let cost = result.differences().into_iter().find(|difference| difference.figure.name == "cost").unwrap();
/// // Two instances more for a minute, at 2 an hour each.
/// assert!((cost.b_minus_a.mean.unwrap() - 2.0 * 2.0 / 60.0).abs() < 1e-9);
/// assert_ne!(cost.verdict, Verdict::Unknown);
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Difference<'a> {
    /// One.
    pub a: &'a str,
    /// The other.
    pub b: &'a str,
    /// The figure.
    pub figure: &'static Figure,
    /// The other's less the one's. The intervals of all differences hold together with 95 % confidence.
    pub b_minus_a: Estimate,
    /// Whether the difference is beyond noise.
    pub verdict: Verdict,
}
