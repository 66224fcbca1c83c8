//! Simulated against measured.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::observed::{Field, Observed};
use crate::experiment::{
    COST, Case, Evaluator, Figures, Observer, Replications, Retain, RunError, SLO_ATTAINMENT,
};
use crate::explain::cause::oracle;
use crate::scenario::{Change, Scenario, ScenarioError, ScenarioFile};
use crate::sim::{Outcome, Window};
use crate::time::Span;
use crate::units::parse_span;

/// Replications that candidates for the missing piece are tried in.
const TRIED: u32 = 3;

/// By how much of the error a candidate has to lower it to be named.
const NOTICED: f64 = 0.1;

/// Share of the measured instances from which on measured and simulated have parted; one instance at least.
const APART: f64 = 0.2;

/// One window, simulated and measured.
#[derive(Debug, Clone, PartialEq)]
pub struct RowCompared {
    /// End of the window, in seconds from the start.
    pub time_s: f64,
    /// Length of the window in seconds.
    pub length_s: f64,
    /// What was measured, and the mean over replications of what was simulated.
    pub fields: BTreeMap<Field, Compared>,
}

/// A field in a window.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Compared {
    /// Measured.
    pub measured: Option<f64>,
    /// Simulated.
    pub simulated: Option<f64>,
}

/// The error of a field over all windows that have it on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldError {
    /// The field.
    pub field: Field,
    /// Mean measured; of lost requests their number.
    pub measured: f64,
    /// Mean simulated; of lost requests their number.
    pub simulated: f64,
    /// Mean of the absolute differences over the mean measured.
    pub apart: f64,
}

/// The longest stretch in which the numbers of instances are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parted {
    /// Its start, in seconds.
    pub from_s: f64,
    /// Its end.
    pub until_s: f64,
    /// Mean of simulated less measured instances within it.
    pub by: f64,
}

/// A piece that the scenario may lack.
#[derive(Debug, Clone, PartialEq)]
pub struct Missing {
    /// What it is.
    pub piece: &'static str,
    /// The change that comes closest.
    pub change: Change,
    /// Error without it: the sum over fields.
    pub before: f64,
    /// Error with it.
    pub after: f64,
}

/// Cost and misses of one pool on the recorded traffic.
#[derive(Debug, Clone, PartialEq)]
pub struct Regret {
    /// Which pool: `deployed`, `recommended`, `clairvoyant`.
    pub pool: &'static str,
    /// Every figure.
    pub figures: Figures,
}

/// What `backtest` comes to.
#[derive(Debug, Clone)]
pub struct Backtest {
    /// The deployed settings on the recorded traffic.
    pub scenario: Scenario,
    /// Window by window.
    pub rows: Vec<RowCompared>,
    /// By field.
    pub errors: Vec<FieldError>,
    /// Price of the ready instances, measured and simulated, over the windows measured.
    pub cost: Option<(f64, f64)>,
    /// Where the numbers of instances part.
    pub parted: Option<Parted>,
    /// The likeliest missing piece.
    pub missing: Option<Missing>,
    /// What deployed, recommended and clairvoyant settings come to.
    pub regrets: Vec<Regret>,
    /// Replications.
    pub replications: u32,
}

/// Why there is no backtest.
#[derive(Debug)]
pub enum BacktestError {
    /// The scenario, or a change of it, is refused.
    Scenario(ScenarioError),
    /// A run came to nothing.
    Run(RunError),
    /// The measurements do not fit the scenario.
    Observed(String),
    /// The work was stopped.
    Stopped,
}

impl fmt::Display for BacktestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BacktestError::Scenario(error) => write!(f, "{}", error.render(false)),
            BacktestError::Run(error) => error.fmt(f),
            BacktestError::Observed(what) => f.write_str(what),
            BacktestError::Stopped => f.write_str("stopped before every run had finished"),
        }
    }
}

impl std::error::Error for BacktestError {}

impl From<ScenarioError> for BacktestError {
    fn from(error: ScenarioError) -> Self {
        BacktestError::Scenario(error)
    }
}

impl From<RunError> for BacktestError {
    fn from(error: RunError) -> Self {
        BacktestError::Run(error)
    }
}

/// Simulates the base scenario of `file` and compares it with what was `observed`; `recommended` is another setting for the
/// same traffic.
///
/// # Errors
/// The scenario is refused, the measurements do not fit it, a run came to nothing, or the work was stopped.
pub fn backtest(
    file: &ScenarioFile,
    observed: &Observed,
    recommended: Option<&Scenario>,
    evaluator: &Evaluator<'_>,
) -> Result<Backtest, BacktestError> {
    let scenario = file.changed(None, &[])?;
    file.refuse_pools(&scenario, "`backtest`")?;
    let duration = scenario.model.duration;
    let observed = &observed
        .set(scenario.model.arrivals.starts_at(), duration.as_secs_f64())
        .map_err(BacktestError::Observed)?;
    if let Some(row) = observed.rows.iter().find(|row| row.time_s > duration.as_secs_f64() + 1e-6) {
        let what = format!(
            "error: a row was measured at {} s, after the end of the run\n  expected at most run.duration, {duration}",
            row.time_s
        );
        return Err(BacktestError::Observed(what));
    }
    let rows = simulate(&[&scenario], scenario.run.replications, observed, evaluator)?.swap_remove(0);
    let errors = errors(&rows);
    let missing = missing(file, &scenario, observed, evaluator)?;
    let regrets = regrets(file, &scenario, recommended, evaluator)?;
    let price = scenario.model.prices().next().unwrap_or(scenario.model.cost.per_instance_hour);
    Ok(Backtest {
        cost: cost(&rows, price),
        parted: parted(&rows),
        errors,
        missing,
        regrets,
        replications: scenario.run.replications,
        rows,
        scenario,
    })
}

/// The windows of each scenario compared, over the first replications.
fn simulate(
    scenarios: &[&Scenario],
    replications: u32,
    observed: &Observed,
    evaluator: &Evaluator<'_>,
) -> Result<Vec<Vec<RowCompared>>, BacktestError> {
    let interval = interval(observed);
    let fine = |scenario: &&Scenario| {
        let mut fine = (*scenario).clone();
        fine.run.timeline_interval = interval.min(fine.model.duration);
        // What was measured was so from the start.
        fine.model.warmup = Span::ZERO;
        fine
    };
    let fine: Vec<Scenario> = scenarios.iter().map(fine).collect();
    let cases: Vec<Case<'_>> = fine.iter().map(|scenario| Case::some(scenario, 0..replications)).collect();
    let watch = Watch(cases.iter().map(|_| Mutex::default()).collect());
    evaluator.evaluate(&cases, &watch, |_, _| ())?;
    let of_case = |runs: Mutex<BTreeMap<u32, Vec<Window>>>| {
        let runs = runs.into_inner().unwrap_or_else(PoisonError::into_inner);
        if runs.len() < replications as usize {
            return Err(BacktestError::Stopped);
        }
        Ok(compare(observed, &runs.into_values().collect::<Vec<_>>()))
    };
    watch.0.into_iter().map(of_case).collect()
}

/// The shortest window measured, within reason.
fn interval(observed: &Observed) -> Span {
    let shortest = observed.lengths().filter(|length| *length > 0.0).fold(f64::INFINITY, f64::min);
    let seconds = if shortest.is_finite() { shortest } else { 60.0 };
    Span::from_secs_f64(seconds.max(1.0))
}

/// Keeps the windows of every run.
struct Watch(Vec<Mutex<BTreeMap<u32, Vec<Window>>>>);

impl Observer for Watch {
    fn retain(&self, _: usize, _: u32) -> Retain {
        Retain::Timeline
    }
    fn outcome(&self, case: usize, replication: u32, outcome: Outcome) {
        let mut runs = self.0[case].lock().unwrap_or_else(PoisonError::into_inner);
        runs.insert(replication, outcome.timeline);
    }
}

/// Measured rows beside the mean over runs.
fn compare(observed: &Observed, runs: &[Vec<Window>]) -> Vec<RowCompared> {
    let fields = observed.fields();
    let mut before = 0.0;
    let mut rows = Vec::with_capacity(observed.rows.len());
    for row in &observed.rows {
        let within = |run: &'_ Vec<Window>| {
            let first = run.partition_point(|window| window.end_s <= before + 1e-6);
            let end = run.partition_point(|window| window.end_s <= row.time_s + 1e-6);
            // A window measured within one simulated is that one.
            first.min(run.len().saturating_sub(1))..end.max(first + 1).min(run.len())
        };
        let mean = |field: &Field| {
            let values = runs.iter().filter_map(|run| of_windows(*field, &run[within(run)]));
            let values: Vec<f64> = values.collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let compared =
            |field: &Field| (*field, Compared { measured: row.get(*field), simulated: mean(field) });
        let fields = fields.iter().map(compared).collect();
        rows.push(RowCompared { time_s: row.time_s, length_s: row.time_s - before, fields });
        before = row.time_s;
    }
    rows
}

/// A field over windows that follow each other.
fn of_windows(field: Field, windows: &[Window]) -> Option<f64> {
    let weighted = |of: fn(&Window) -> Option<f64>| {
        let timed = windows.iter().filter_map(|window| Some((of(window)?, window.served as f64)));
        let (sum, weight) =
            timed.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
        (weight > 0.0).then(|| sum / weight)
    };
    match field {
        Field::Ready => windows.last().map(|window| f64::from(window.ready)),
        Field::LatencyMean => weighted(|window| window.latency_mean_s),
        Field::LatencyP50 => weighted(|window| window.latency_p50_s),
        Field::LatencyP99 => weighted(|window| window.latency_p99_s),
        Field::Ttft => weighted(|window| window.ttft_mean_s),
        Field::Tpot => weighted(|window| window.tpot_mean_s),
        Field::Promised => weighted(|window| window.promised_s),
        Field::Lost => Some(windows.iter().map(|window| window.lost as f64).sum()),
    }
}

fn errors(rows: &[RowCompared]) -> Vec<FieldError> {
    let of_field = |field: Field| {
        let pairs: Vec<(f64, f64)> = rows
            .iter()
            .filter_map(|row| {
                let compared = row.fields.get(&field)?;
                Some((compared.measured?, compared.simulated?))
            })
            .collect();
        let count = if field == Field::Lost { 1.0 } else { pairs.len() as f64 };
        let sum = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
        let (measured, simulated) = (sum(|pair| pair.0), sum(|pair| pair.1));
        let difference = sum(|pair| (pair.1 - pair.0).abs());
        let apart = if difference == 0.0 { 0.0 } else { difference / measured };
        (!pairs.is_empty()).then_some(FieldError { field, measured, simulated, apart })
    };
    Field::ALL.into_iter().filter_map(of_field).collect()
}

/// One number for how far the simulation is from what was measured: the errors of instances and of latency, each by its own
/// size. Lost requests may be none at all, so that theirs has no size.
fn score(rows: &[RowCompared]) -> f64 {
    let errors = errors(rows);
    let of = |error: &FieldError| if error.field == Field::Lost { 0.0 } else { error.apart.min(10.0) };
    errors.iter().map(of).sum()
}

fn cost(rows: &[RowCompared], per_hour: f64) -> Option<(f64, f64)> {
    let hours = |of: fn(&Compared) -> Option<f64>| {
        let row = |row: &RowCompared| Some(of(row.fields.get(&Field::Ready)?)? * row.length_s / 3600.0);
        rows.iter().filter_map(row).sum::<f64>()
    };
    let measured =
        rows.iter().any(|row| row.fields.get(&Field::Ready).is_some_and(|ready| ready.measured.is_some()));
    let of_both = |compared: &Compared| compared.measured.and(compared.simulated);
    measured.then(|| (per_hour * hours(|compared| compared.measured), per_hour * hours(of_both)))
}

fn parted(rows: &[RowCompared]) -> Option<Parted> {
    let difference = |row: &RowCompared| {
        let ready = row.fields.get(&Field::Ready)?;
        let (measured, simulated) = (ready.measured?, ready.simulated?);
        let apart = (simulated - measured).abs() >= (APART * measured).max(1.0);
        apart.then_some(simulated - measured)
    };
    let stretches = rows.chunk_by(|a, b| difference(a).is_some() == difference(b).is_some());
    let stretch = |rows: &[RowCompared]| {
        let differences: Vec<f64> = rows.iter().filter_map(difference).collect();
        let (first, last) = (rows.first()?, rows.last()?);
        (!differences.is_empty()).then(|| Parted {
            from_s: first.time_s - first.length_s,
            until_s: last.time_s,
            by: differences.iter().sum::<f64>() / differences.len() as f64,
        })
    };
    stretches.filter_map(stretch).max_by(|a, b| (a.until_s - a.from_s).total_cmp(&(b.until_s - b.from_s)))
}

/// Tries what may be missing: a longer or shorter start, a delay of metrics, a longer or shorter service.
fn missing(
    file: &ScenarioFile,
    scenario: &Scenario,
    observed: &Observed,
    evaluator: &Evaluator<'_>,
) -> Result<Option<Missing>, BacktestError> {
    let candidates = candidates(file, scenario)?;
    let built = candidates.iter().filter_map(|(piece, change)| {
        Some((*piece, change, file.changed(None, std::slice::from_ref(change)).ok()?))
    });
    let built: Vec<(&'static str, &Change, Scenario)> = built.collect();
    let all: Vec<&Scenario> =
        std::iter::once(scenario).chain(built.iter().map(|(_, _, scenario)| scenario)).collect();
    let tried = scenario.run.replications.min(TRIED);
    let scores: Vec<f64> =
        simulate(&all, tried, observed, evaluator)?.iter().map(|rows| score(rows)).collect();
    let (before, with) = (scores[0], &scores[1..]);
    let best = built.into_iter().zip(with).min_by(|(_, a), (_, b)| a.total_cmp(b));
    Ok(best
        .filter(|(_, after)| **after < before * (1.0 - NOTICED))
        .map(|((piece, change, _), after)| Missing { piece, change: change.clone(), before, after: *after }))
}

fn candidates(
    file: &ScenarioFile,
    scenario: &Scenario,
) -> Result<Vec<(&'static str, Change)>, BacktestError> {
    let model = &scenario.model;
    let limits = model.autoscaler.limits();
    let span = |seconds: f64| Some(format!("\"{:.0}ms\"", seconds * 1e3));
    let change = |path: &str, value: Option<String>| Change { path: path.to_owned(), value };
    let mut all = Vec::new();
    if limits.min < limits.max {
        let start: f64 = model.instances.cold_start.iter().map(|stage| stage.time.0.mean()).sum();
        for seconds in [0.5 * start, 1.5 * start, start + 30.0, start + 60.0, start + 120.0] {
            all.push(("the time of a start", change("instances.cold_start", span(seconds))));
        }
        for more in [15.0, 30.0, 60.0] {
            let delay = model.metrics.delay.as_secs_f64() + more;
            all.push(("the delay of metrics", change("metrics.delay", span(delay))));
        }
    }
    for path in ["service.time", "service.time.mean", "service.fixed"] {
        let written = file.written(None, path)?;
        let written =
            written.as_ref().and_then(|value| value.as_str()).and_then(|text| parse_span(text).ok());
        let Some(time) = written else { continue };
        for factor in [0.7, 0.85, 1.15, 1.4] {
            let value = format!("\"{:.0}ns\"", time.as_secs_f64() * factor * 1e9);
            all.push(("the service time", change(path, Some(value))));
        }
    }
    Ok(all)
}

/// Deployed, recommended and clairvoyant settings on the same traffic.
fn regrets(
    file: &ScenarioFile,
    scenario: &Scenario,
    recommended: Option<&Scenario>,
    evaluator: &Evaluator<'_>,
) -> Result<Vec<Regret>, BacktestError> {
    let limits = scenario.model.autoscaler.limits();
    let oracle = (limits.min < limits.max).then(|| file.changed(None, &[oracle(scenario)]).ok()).flatten();
    let mut pools = vec![("deployed", scenario)];
    pools.extend(recommended.map(|recommended| ("recommended", recommended)));
    pools.extend(oracle.as_ref().map(|oracle| ("clairvoyant", oracle)));
    let cases: Vec<Case<'_>> = pools.iter().map(|(_, scenario)| Case::whole(scenario)).collect();
    let found: Vec<Replications> = evaluator.replications(&cases, &())?;
    if found.iter().zip(&cases).any(|(found, case)| found.len() < case.replications.len()) {
        return Err(BacktestError::Stopped);
    }
    let regret = |((pool, _), found): (&(&'static str, &Scenario), &Replications)| Regret {
        pool,
        figures: found.figures(),
    };
    Ok(pools.iter().zip(&found).map(regret).collect())
}

impl Regret {
    /// Mean cost of a replication.
    pub fn cost(&self) -> f64 {
        self.figures.get(COST).mean.unwrap_or(f64::NAN)
    }

    /// Mean share of the requests that missed the SLO; `None` without one.
    pub fn missed(&self) -> Option<f64> {
        self.figures.get(SLO_ATTAINMENT).mean.map(|kept| 1.0 - kept)
    }
}

impl Backtest {
    /// The line of the ledger for `day`, and its header.
    pub fn ledger(&self, day: &str) -> (String, String) {
        let header = "day,scenario,measured_cost,simulated_cost,deployed_cost,deployed_missed,recommended_cost,\
                      recommended_missed,clairvoyant_cost,clairvoyant_missed,ready_error";
        let shown = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let pool = |name: &str| self.regrets.iter().find(|regret| regret.pool == name);
        let ready = self.errors.iter().find(|error| error.field == Field::Ready).map(|error| error.apart);
        let mut cells = vec![
            quoted(day),
            quoted(&self.scenario.name),
            shown(self.cost.map(|cost| cost.0)),
            shown(self.cost.map(|cost| cost.1)),
        ];
        for name in ["deployed", "recommended", "clairvoyant"] {
            cells.push(shown(pool(name).map(Regret::cost)));
            cells.push(shown(pool(name).and_then(Regret::missed)));
        }
        cells.push(shown(ready));
        (header.to_owned(), cells.join(","))
    }
}
