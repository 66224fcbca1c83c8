//! What a row of a replay says of the cluster.

use serde_json::Value;

use super::Hpa;
use super::metric::{MetricSpec, Target};
use super::pods::{Phase, Pod, PodSample};
use super::replica_calculator::{Failure, sum_of_series};
use crate::autoscaler::reading::quantity::{parse_quantity, thousandths};
use crate::autoscaler::replay::percent;
use crate::autoscaler::{Row, RowProblem};
use crate::time::Span;

/// The answers of the cluster, metric by metric.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub pods: Vec<Result<Listed, Failure>>,
    pub usages: Vec<Option<i64>>,
    pub serving: Option<u32>,
}

/// The pods with their samples of one metric, and the samples of pods that do not exist.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub pods: Vec<Pod>,
    pub orphans: Vec<i64>,
}

/// Old enough for anything.
const LONG_AGO: Span = Span::from_secs(1_000_000);

impl Recorded {
    /// Reads the fields of a row that describe the cluster, for the metrics of `hpa`. Where `shares`, numbers of a
    /// utilization are shares, else percent. `standing` pods are there where a value is given and no pods are.
    pub fn read(row: &Row<'_>, hpa: &Hpa, shares: bool, standing: i32) -> Result<Recorded, RowProblem> {
        Self::with(row, hpa, GivenMetrics::read(row, &hpa.metrics, shares)?, standing)
    }

    /// The same without what is not of pods.
    pub fn of_pods(row: &Row<'_>, hpa: &Hpa) -> Result<Recorded, RowProblem> {
        Self::with(row, hpa, GivenMetrics(vec![Given::Nothing; hpa.metrics.len()]), 0)
    }

    fn with(row: &Row<'_>, hpa: &Hpa, given: GivenMetrics, standing: i32) -> Result<Recorded, RowProblem> {
        let is_given = given.0.iter().any(|given| matches!(given, Given::Value(_)));
        // Something was measured, so there were pods.
        let standing =
            u32::try_from(standing).ok().filter(|_| is_given && !COUNTS.iter().any(|name| row.has(name)));
        let alike = Alike::read(row)?;
        let alike = Alike { ready: standing.unwrap_or(alike.ready).min(MOST_PODS), ..alike };
        let orphans = values(row, "orphan_metrics")?;
        let (mut pods, mut serving) = (Vec::new(), None);
        for (index, metric) in hpa.metrics.iter().enumerate() {
            let named = read_pods(row, &metric.name)?;
            if let Some(named) = &named {
                let served = named.iter().filter(|(_, pod)| pod.serves()).count();
                serving = (!named.is_empty()).then_some(served as u32);
            }
            let listed = named.map(|named| named.into_iter().map(|(_, pod)| pod).collect());
            pods.push(match (&given.0[index], listed) {
                (Given::Unavailable, _) => Err(Failure::Unavailable),
                (_, Some(pods)) => Ok(Listed { pods, orphans: orphans.clone() }),
                (given, None) => Ok(Listed { pods: alike.pods(given.single()), orphans: orphans.clone() }),
            });
        }
        let serving = row.find_u32("ready")?.or(serving).or(standing);
        Ok(Recorded { pods, usages: given.0.iter().map(Given::single).collect(), serving })
    }
}

/// Fields by which a row says how many pods there are, or which.
pub(super) const COUNTS: [&str; 4] = ["ready", "unready", "missing", "pods"];

/// What a row says of one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Given {
    Nothing,
    Unavailable,
    Value(i64),
}

impl Given {
    fn single(&self) -> Option<i64> {
        match self {
            Given::Value(value) => Some(*value),
            Given::Nothing | Given::Unavailable => None,
        }
    }
}

#[derive(Debug)]
struct GivenMetrics(Vec<Given>);

impl GivenMetrics {
    /// `metrics`, in the order of the policy's, or `value` or `utilization` for a single one.
    fn read(row: &Row<'_>, expected: &[MetricSpec], shares: bool) -> Result<GivenMetrics, RowProblem> {
        let mut given = vec![Given::Nothing; expected.len()];
        let request = milli(row, "request")?.unwrap_or(1000);
        if let [metric] = expected {
            // A sample that is missing is no sign that there are no pods.
            let is_missing = !COUNTS.iter().any(|name| row.has(name))
                && ["value", "utilization"].iter().any(|name| row.has(name));
            match measured(row, metric, request, shares)? {
                Some(value) => given[0] = Given::Value(value),
                None if is_missing => given[0] = Given::Unavailable,
                None => {}
            }
        } else if let Some(name) = ["value", "utilization"].into_iter().find(|name| row.value(name).is_some())
        {
            return Err(row.wrong(name, "to stand for the only metric; give `metrics`, in their order"));
        }
        let rows = row.rows("metrics")?;
        if rows.len() > expected.len() {
            let most = expected.len();
            return Err(
                row.wrong("metrics", &format!("{most} at most, as many as the policy has, in its order"))
            );
        }
        for ((slot, metric), spec) in given.iter_mut().zip(&rows).zip(expected) {
            let series = match measured(metric, spec, request, shares)? {
                Some(value) => Some(vec![value]),
                None if metric.has("values") => Some(values(metric, "values")?),
                None => None,
            };
            let available = metric.find_bool("available")?.unwrap_or(true);
            metric.finish()?;
            *slot = match (available, series) {
                (false, _) => Given::Unavailable,
                (true, Some(series)) => Given::Value(sum_of_series(&series)),
                (true, None) => Given::Nothing,
            };
        }
        Ok(GivenMetrics(given))
    }
}

/// What was measured for one metric, in thousandths: `value`, in the `unit` given, or `utilization`.
fn measured(
    row: &Row<'_>,
    metric: &MetricSpec,
    request: i64,
    shares: bool,
) -> Result<Option<i64>, RowProblem> {
    let unit = row.find_text("unit")?;
    let of_request = |percent: f64| thousandths(percent / 100.0 * request as f64 / 1000.0);
    let by_utilization = matches!(metric.target, Target::Utilization(_));
    if let Some(utilization) = row.value("utilization") {
        let read = match utilization {
            Value::String(text) => percent(text),
            number => number.as_f64().map(|number| if shares { number * 100.0 } else { number }),
        };
        let percent = read.filter(|percent| *percent >= 0.0);
        let percent = percent
            .ok_or_else(|| row.wrong("utilization", "percent of the requests, 0 or more (77, or \"77%\")"))?;
        if !by_utilization {
            let expected = "left out: the target of the metric is no utilization, give its `value`";
            return Err(row.wrong("utilization", expected));
        }
        if row.value("value").is_some() {
            return Err(
                row.wrong("value", "left out where there is a `utilization`: both say what was measured")
            );
        }
        return Ok(Some(of_request(percent)));
    }
    let percentage = row.value("value").and_then(Value::as_str).and_then(percent).filter(|_| by_utilization);
    if let Some(percent) = percentage {
        return Ok(Some(of_request(percent)));
    }
    let number = |row: &Row<'_>| row.find_f64("value");
    match unit {
        None | Some("thousandths") => milli(row, "value"),
        Some("whole") => Ok(number(row)?.map(thousandths)),
        Some("percent") if by_utilization => Ok(number(row)?.map(of_request)),
        Some(_) => {
            let percent = if by_utilization {
                "\"thousandths\", \"whole\" or \"percent\""
            } else {
                "\"thousandths\" or \"whole\""
            };
            Err(row.wrong("unit", percent))
        }
    }
}

/// Pods that are counted, not listed: each shows the same.
#[derive(Debug)]
struct Alike {
    ready: u32,
    unready: u32,
    missing: u32,
    request: Option<i64>,
}

impl Alike {
    fn read(row: &Row<'_>) -> Result<Alike, RowProblem> {
        Ok(Alike {
            ready: row.find_u32("ready")?.unwrap_or(0).min(MOST_PODS),
            unready: row.find_u32("unready")?.unwrap_or(0).min(MOST_PODS),
            missing: row.find_u32("missing")?.unwrap_or(0).min(MOST_PODS),
            request: Some(milli(row, "request")?.unwrap_or(1000)),
        })
    }

    fn pods(&self, value: Option<i64>) -> Vec<Pod> {
        let sample = value.map(|value| PodSample { value, age: Span::ZERO, window: Span::ZERO });
        let ready = Pod { request: self.request, sample, ..RUNNING };
        let missing = Pod { sample: None, ..ready };
        let unready = Pod { phase: Phase::Pending, ..missing };
        let of = |pod, count: u32| std::iter::repeat_n(pod, count as usize);
        of(ready, self.ready).chain(of(missing, self.missing)).chain(of(unready, self.unready)).collect()
    }
}

/// A cluster has thousands of pods, not millions.
const MOST_PODS: u32 = 1_000_000;

const RUNNING: Pod = Pod {
    phase: Phase::Running,
    deleted: false,
    ready: Some(true),
    start_age: Some(LONG_AGO),
    transition_age: Some(LONG_AGO),
    request: None,
    sample: None,
};

/// The pods a row lists, with their names (their place in the list, from 0, where they have none) and their samples of
/// the metric `metric`; `None` if it lists none.
pub(crate) fn read_pods(row: &Row<'_>, metric: &str) -> Result<Option<Vec<(String, Pod)>>, RowProblem> {
    if row.find_list("pods")?.is_none() {
        return Ok(None);
    }
    let pods = row.rows("pods")?;
    // What every pod requests, unless it says so itself.
    let request = milli(row, "request")?;
    let named = pods.iter().enumerate().map(|(index, pod)| {
        let name = pod.find_text("name")?.map_or_else(|| index.to_string(), str::to_owned);
        let read = read_pod(pod, metric)?;
        let request = if pod.has("request") { read.request } else { request };
        Ok((name, Pod { request, ..read }))
    });
    named.collect::<Result<_, _>>().map(Some)
}

fn read_pod(row: &Row<'_>, metric: &str) -> Result<Pod, RowProblem> {
    let phase = match row.find_text("phase")?.unwrap_or("Running") {
        "Pending" => Phase::Pending,
        "Running" => Phase::Running,
        "Succeeded" => Phase::Succeeded,
        "Failed" => Phase::Failed,
        _ => return Err(row.wrong("phase", "\"Pending\", \"Running\", \"Succeeded\" or \"Failed\"")),
    };
    // Left out, a pod is an old one that is ready; null means that the pod has none.
    let age_or_old = |name| if row.has(name) { age(row, name) } else { Ok(Some(LONG_AGO)) };
    let ready = if row.has("ready") { row.find_bool("ready")? } else { Some(true) };
    let own = match row.value("metrics") {
        None => None,
        Some(Value::Object(samples)) => samples.get(metric),
        Some(_) => return Err(row.wrong("metrics", "an object from names of metrics to their samples")),
    };
    let sample = match own {
        Some(sample) => read_sample(row, "metrics", sample)?,
        None => match row.value("metric") {
            Some(Value::Object(_)) => {
                row.find_row("metric")?.map(|sample| read_object(&sample)).transpose()?
            }
            Some(sample) => read_sample(row, "metric", sample)?,
            None => None,
        },
    };
    let pod = Pod {
        phase,
        deleted: row.find_bool("deleted")?.unwrap_or(false),
        ready,
        start_age: age_or_old("start_age")?,
        transition_age: age_or_old("ready_transition_age")?,
        request: match row.value("request") {
            // Requests that differ by resource.
            Some(Value::Object(by_name)) => match by_name.get(metric) {
                None | Some(Value::Null) => None,
                Some(value) => Some(thousandths_of(value).ok_or_else(|| row.wrong("request", EXPECTED))?),
            },
            _ => milli(row, "request")?,
        },
        sample,
    };
    row.finish()?;
    Ok(pod)
}

fn read_sample(row: &Row<'_>, name: &str, sample: &Value) -> Result<Option<PodSample>, RowProblem> {
    match sample {
        Value::Null => Ok(None),
        Value::Object(fields) => read_object(&Row::new(fields)).map(Some),
        value => {
            let read = thousandths_of(value).ok_or_else(|| row.wrong(name, EXPECTED))?;
            Ok(Some(PodSample { value: read, age: Span::ZERO, window: Span::ZERO }))
        }
    }
}

fn read_object(fields: &Row<'_>) -> Result<PodSample, RowProblem> {
    let sample = PodSample {
        value: milli(fields, "value")?.ok_or_else(|| fields.missing("value"))?,
        age: age(fields, "age")?.unwrap_or(Span::ZERO),
        window: age(fields, "window")?.unwrap_or(Span::ZERO),
    };
    fields.finish()?;
    Ok(sample)
}

const EXPECTED: &str = "a whole number of thousandths, or a quantity as text (\"350m\")";

/// A value of a metric in thousandths, or a quantity as text.
pub(crate) fn milli(row: &Row<'_>, name: &'static str) -> Result<Option<i64>, RowProblem> {
    let Some(value) = row.value(name) else { return Ok(None) };
    thousandths_of(value).map(Some).ok_or_else(|| row.wrong(name, EXPECTED))
}

fn values(row: &Row<'_>, name: &'static str) -> Result<Vec<i64>, RowProblem> {
    let list = row.find_list(name)?.unwrap_or_default();
    list.iter().map(|value| thousandths_of(value).ok_or_else(|| row.wrong(name, EXPECTED))).collect()
}

fn thousandths_of(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => parse_quantity(text),
        value => value.as_i64().or_else(|| {
            let whole = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
            whole.map(|number| number as i64)
        }),
    }
}

/// A length of time in seconds.
pub(crate) fn age(row: &Row<'_>, name: &'static str) -> Result<Option<Span>, RowProblem> {
    match row.find_f64(name)? {
        None => Ok(None),
        Some(seconds) if (0.0..=1e9).contains(&seconds) => Ok(Some(Span::from_secs_f64(seconds))),
        Some(_) => Err(row.wrong(name, "seconds, 0 to 1e9")),
    }
}
