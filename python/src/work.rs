//! Scenarios, the work on them, and its results.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kneepoint::decision::{Explanation, Recommendation};
use kneepoint::{
    CancelToken, CompareResult, Figures, Observations, Options, Progress, Report, RunResult, SweepResult,
    shards,
};
use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::bundle;
use crate::scenario_error::raised;
use crate::table::Table;

/// How often work looks for Ctrl-C and tells its progress.
const BEAT: Duration = Duration::from_millis(50);

/// How soon it looks first: short work is not kept waiting.
const FIRST_BEAT: Duration = Duration::from_millis(1);

/// A scenario of one use: `kneepoint.Scenario` makes one for each.
#[pyclass(module = "kneepoint")]
pub struct Scenario(Arc<kneepoint::Scenario>);

#[pymethods]
impl Scenario {
    /// Read from `files`, where they are given; else from the disk at `path`, else of `text`.
    #[new]
    #[pyo3(signature = (path, text, files=None))]
    fn new(
        py: Python<'_>,
        path: Option<String>,
        text: Option<&str>,
        files: Option<Vec<(String, PyBackedBytes)>>,
    ) -> PyResult<Scenario> {
        let scenario = match (path, files) {
            (Some(path), Some(files)) => kneepoint::Scenario::load_from(bundle::memory(files), path),
            (Some(path), None) => kneepoint::Scenario::load(path),
            (None, _) => kneepoint::Scenario::parse(text.unwrap_or_default()),
        };
        scenario.map(|scenario| Scenario(Arc::new(scenario))).map_err(|error| raised(py, &error))
    }

    fn set(&mut self, py: Python<'_>, path: &str, value: &str) -> PyResult<()> {
        let Some(scenario) = Arc::get_mut(&mut self.0) else {
            return Err(PyRuntimeError::new_err("the scenario is at work"));
        };
        scenario.set(path, value).map(|_| ()).map_err(|error| raised(py, &error))
    }

    fn name(&self, py: Python<'_>) -> PyResult<String> {
        self.0.name().map_err(|error| raised(py, &error))
    }
}

/// The TOML text of a JSON object.
#[pyfunction]
pub fn toml(json: &str) -> PyResult<String> {
    let wrong =
        |error: String| PyValueError::new_err(format!("a scenario cannot be made of this dict: {error}"));
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
    ::toml::to_string(&value).map_err(|error| wrong(error.to_string()))
}

/// The TOML text of one JSON value, as `--set` takes it.
#[pyfunction]
pub fn toml_value(json: &str) -> PyResult<String> {
    let wrong =
        |error: String| PyValueError::new_err(format!("a setting cannot be made of this value: {error}"));
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
    let value = ::toml::Value::try_from(value).map_err(|error| wrong(error.to_string()))?;
    Ok(value.to_string())
}

type Checked = (usize, Vec<String>, u32, f64, Vec<String>, Vec<String>);

/// What there is to know of a scenario before it is run.
#[pyfunction]
pub fn check(py: Python<'_>, scenario: &Scenario) -> PyResult<Checked> {
    let checked = py.detach(|| kneepoint::check(&scenario.0)).map_err(|error| raised(py, &error))?;
    let kneepoint::results::Checked { points, variants, replications, requests, warnings, reading, .. } =
        checked;
    Ok((points, variants, replications, requests, warnings, reading))
}

/// Recorded observations through a policy: a JSON object for each decision.
#[pyfunction]
pub fn replay(
    py: Python<'_>,
    policy: &Scenario,
    name: &str,
    text: &str,
    form: &str,
) -> PyResult<Vec<String>> {
    let decisions = py.detach(|| {
        let observations = match form {
            "csv" => Observations::csv(name, text)?,
            _ => Observations::json_lines(name, text)?,
        };
        let decisions = kneepoint::replay(&policy.0, &observations)?;
        Ok(decisions.iter().map(kneepoint::results::Decision::json).collect())
    });
    decisions.map_err(|error: kneepoint::Error| raised(py, &error))
}

enum Inner {
    Run(RunResult),
    Sweep(SweepResult),
    Compare(CompareResult),
    Recommend(Recommendation),
    Explain(Explanation),
}

/// A result: `kneepoint.Result` shows it.
#[pyclass(frozen, module = "kneepoint")]
pub struct Result {
    inner: Inner,
    /// The tables for programs by name, as CSV: written when the first is asked for.
    csv: OnceLock<Vec<(String, String)>>,
}

type Row = (&'static str, Option<f64>, Option<f64>, Option<f64>, u64);

impl Result {
    fn of(inner: Inner) -> Result {
        Result { inner, csv: OnceLock::new() }
    }

    fn report(&self) -> Report<'_> {
        match &self.inner {
            Inner::Run(result) => result.report(),
            Inner::Sweep(result) => result.report(),
            Inner::Compare(result) => result.report(),
            Inner::Recommend(result) => result.report(),
            Inner::Explain(result) => result.report(),
        }
    }

    fn first(&self) -> Option<&Figures> {
        match &self.inner {
            Inner::Run(result) => Some(result.figures()),
            Inner::Sweep(result) => result.points().first().map(|point| point.figures),
            Inner::Compare(result) => result.alternatives().next().map(|alternative| alternative.figures),
            Inner::Recommend(_) | Inner::Explain(_) => None,
        }
    }

    /// The tables for programs, by name.
    fn csv(&self, py: Python<'_>) -> PyResult<&[(String, String)]> {
        if self.csv.get().is_none() {
            let written = py.detach(|| self.report().csv_files()).map_err(|error| raised(py, &error))?;
            // Whoever was first wrote the same.
            _ = self.csv.set(written);
        }
        Ok(self.csv.get().map_or(&[], Vec::as_slice))
    }
}

#[pymethods]
impl Result {
    fn answer(&self) -> Vec<String> {
        self.report().answer().map(str::to_owned).collect()
    }

    fn summary_json(&self) -> String {
        self.report().summary_json()
    }

    fn figures(&self) -> Vec<Row> {
        let of = |figures: &Figures| {
            let rows = figures.iter().map(|(figure, estimate)| {
                (figure.name, estimate.mean, estimate.low, estimate.high, u64::from(estimate.replications))
            });
            rows.collect()
        };
        self.first().map(of).unwrap_or_default()
    }

    fn complete(&self) -> bool {
        match &self.inner {
            Inner::Run(result) => result.complete(),
            Inner::Sweep(result) => result.complete(),
            Inner::Compare(result) => result.complete(),
            Inner::Recommend(result) => result.complete(),
            // Of work that was stopped there is no explanation.
            Inner::Explain(_) => true,
        }
    }

    fn markdown(&self) -> String {
        self.report().markdown()
    }

    fn html(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.report().html()).map_err(|error| raised(py, &error))
    }

    fn charts(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        py.detach(|| self.report().charts()).map_err(|error| raised(py, &error))
    }

    fn tables(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.csv(py)?.iter().map(|(name, _)| name.clone()).collect())
    }

    fn csv_files(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        self.csv(py).map(<[_]>::to_vec)
    }

    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Table> {
        let found = self.csv(py)?.iter().find(|(known, _)| known == name);
        let (_, text) = found.ok_or_else(|| PyKeyError::new_err(format!("there is no table {name}")))?;
        Table::of_csv(text)
    }
}

/// Does the work called `kind` on threads of its own, without the interpreter's lock. `progress` is called with the runs and the
/// requests that are done, a few times a second. Ctrl-C stops the work. `requests` bounds those of a recommendation.
#[pyfunction]
#[pyo3(signature = (kind, scenarios, threads, progress, requests))]
pub fn work(
    py: Python<'_>,
    kind: &str,
    scenarios: Vec<PyRef<'_, Scenario>>,
    threads: Option<usize>,
    progress: Option<Bound<'_, PyAny>>,
    requests: Option<f64>,
) -> PyResult<Result> {
    let scenarios: Vec<Arc<kneepoint::Scenario>> =
        scenarios.iter().map(|scenario| scenario.0.clone()).collect();
    let what = kind.to_owned();
    let job = move |options: &Options| {
        let all: Vec<&kneepoint::Scenario> = scenarios.iter().map(AsRef::as_ref).collect();
        match (what.as_str(), all.as_slice()) {
            ("run", [scenario]) => kneepoint::run(scenario, options).map(Inner::Run),
            ("sweep", [scenario]) => kneepoint::sweep(scenario, options).map(Inner::Sweep),
            ("recommend", [scenario]) => {
                kneepoint::recommend(scenario, requests, options).map(Inner::Recommend)
            }
            ("explain", [scenario]) => kneepoint::explain(scenario, options).map(Inner::Explain),
            _ => kneepoint::compare(&all, options).map(Inner::Compare),
        }
    };
    watched(py, threads, progress, job).map(Result::of)
}

/// Into how many shards the sweep of a scenario can be divided at most.
#[pyfunction]
pub fn shards_max(py: Python<'_>, scenario: &Scenario) -> PyResult<u32> {
    py.detach(|| shards::shards_max(&scenario.0)).map_err(|error| raised(py, &error))
}

/// One share of a sweep, that at `index` of `of`, as bytes for `merge_shards`.
#[pyfunction]
pub fn simulate_shard<'py>(
    py: Python<'py>,
    scenario: &Scenario,
    index: u32,
    of: u32,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyBytes>> {
    let scenario = scenario.0.clone();
    let bytes =
        watched(py, threads, None, move |options| shards::simulate_shard(&scenario, index, of, options))?;
    Ok(PyBytes::new(py, &bytes))
}

/// The sweep of which these are the shards.
#[pyfunction]
pub fn merge_shards(
    py: Python<'_>,
    scenario: &Scenario,
    parts: Vec<PyBackedBytes>,
    threads: Option<usize>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Result> {
    let scenario = scenario.0.clone();
    let job = move |options: &Options| shards::merge_shards(&scenario, &parts, options).map(Inner::Sweep);
    watched(py, threads, progress, job).map(Result::of)
}

/// A recommendation by several processes, of which this is that at `index` of `of`. `put` is called with an entry for the others,
/// `take` gives those of the others since it was last called.
#[pyfunction]
#[pyo3(signature = (scenario, requests, index, of, put, take, threads))]
#[expect(clippy::too_many_arguments, reason = "a call from Python, where they have names")]
pub fn recommend_shared(
    py: Python<'_>,
    scenario: &Scenario,
    requests: Option<f64>,
    index: u32,
    of: u32,
    put: Py<PyAny>,
    take: Py<PyAny>,
    threads: Option<usize>,
) -> PyResult<Result> {
    let (scenario, board) = (scenario.0.clone(), PythonBoard { put, take });
    let job = move |options: &Options| {
        shards::recommend_shared(&scenario, requests, (index, of), &board, options).map(Inner::Recommend)
    };
    watched(py, threads, None, job).map(Result::of)
}

/// A board whose two halves are functions of Python.
#[derive(Debug)]
struct PythonBoard {
    put: Py<PyAny>,
    take: Py<PyAny>,
}

impl shards::Board for PythonBoard {
    fn put(&self, entry: Vec<u8>) {
        // A board may lose what is put: the others then simulate it.
        _ = Python::attach(|py| self.put.call1(py, (PyBytes::new(py, &entry),)).map(drop));
    }

    fn take(&self) -> Vec<Vec<u8>> {
        let taken = Python::attach(|py| self.take.call0(py)?.extract::<Vec<PyBackedBytes>>(py));
        taken.map_or_else(
            |_: PyErr| Vec::new(),
            |entries| entries.iter().map(|entry| entry.to_vec()).collect(),
        )
    }
}

/// Does `job` on threads of its own, without the interpreter's lock. `progress` is called with the runs and the requests that are
/// done, a few times a second. Ctrl-C stops the work.
fn watched<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<Bound<'_, PyAny>>,
    job: impl FnOnce(&Options) -> std::result::Result<T, kneepoint::Error> + Send + 'static,
) -> PyResult<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    let pool = pool.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let (cancel, counted) = (CancelToken::default(), Progress::default());
    let options = Options { cancel: cancel.clone(), progress: counted.clone(), ..Options::default() };
    let work = move || pool.install(|| job(&options));
    let worker = std::thread::Builder::new().name("kneepoint".to_owned()).spawn(work)?;
    let mut stopped = None;
    let mut beat = FIRST_BEAT;
    while !worker.is_finished() {
        let told = progress
            .as_ref()
            .map_or(Ok(()), |tell| tell.call1((counted.runs(), counted.requests())).map(|_| ()));
        if let Err(error) = told.and_then(|()| py.check_signals()) {
            cancel.cancel();
            stopped = Some(error);
            break;
        }
        py.detach(|| std::thread::sleep(beat));
        beat = BEAT.min(beat * 2);
    }
    let done = py.detach(|| worker.join());
    if let Some(error) = stopped {
        return Err(error);
    }
    let done = done.map_err(|_| PyRuntimeError::new_err("a thread of the simulation ended unexpectedly"))?;
    let result = done.map_err(|error| raised(py, &error))?;
    if let Some(tell) = progress {
        tell.call1((counted.runs(), counted.requests()))?;
    }
    Ok(result)
}
