//! In which units the numbers of a recording are: thousandths, whole units, percent or shares. One number does not say; all
//! of them together most often do, and where they do not the recording is refused.

use serde_json::{Map, Value};

use super::Hpa;
use super::metric::{MetricSpec, Source, Target};
use super::recorded::COUNTS;
use crate::autoscaler::recording::largest;
use crate::autoscaler::{PoolFields, Rows, Unclear};

/// Below this share of what pods request, a whole recording of the CPU in thousandths would be of pods that idle: more
/// likely it is in percent.
const IDLE_SHARE: f64 = 0.2;
/// Pods do not use more than this many times what they request.
const HIGHEST_SHARE: f64 = 10.0;
/// A utilization in percent that never is above this may be meant as a share, and a share is not above this.
const LARGEST_SHARE: f64 = 1.0;
const SMALLEST_PERCENT: f64 = 5.0;

/// Whether numbers of a utilization are shares, and what a reader should know of how the rows are taken.
///
/// # Errors
/// The unit of a number is not clear.
pub(super) fn review(metrics: &[MetricSpec], rows: &Rows<'_>) -> Result<(bool, Vec<String>), Unclear> {
    let (mut shares, mut notes) = (false, Vec::new());
    for (index, metric) in metrics.iter().enumerate() {
        let single = metrics.len() == 1;
        let name =
            |field: &str| if single { format!("`{field}`") } else { format!("`metrics[{index}].{field}`") };
        let number = |field: &'static str| {
            move |fields: &Map<String, Value>| given(fields, index, single, field).and_then(Value::as_f64)
        };
        if let Some((row, most)) = largest(rows, |fields| number("utilization")(fields)) {
            if most > LARGEST_SHARE && most <= SMALLEST_PERCENT {
                let problem = format!(
                    "{} reaches {most} at most, which may be a share or percent: write \"{most}%\" or \"{}%\"",
                    name("utilization"),
                    most * 100.0
                );
                return Err(Unclear { row, problem });
            }
            if most <= LARGEST_SHARE {
                shares = true;
                notes.push(format!(
                    "{} is taken for a share: {most} is {} %",
                    name("utilization"),
                    most * 100.0
                ));
            }
        }
        if matches!(metric.target, Target::Utilization(_))
            && let Some(row) = rows.iter().position(|fields| has_bare_pods(fields))
        {
            let problem = format!(
                "no pod says what it requests of {}, of which the target is a percentage: give the `request` of the pods, beside \
                 them or in each (a recording of queries: request=FILE)",
                metric.name
            );
            return Err(Unclear { row, problem });
        }
        let bare = |fields: &Map<String, Value>| {
            number("value")(fields).filter(|_| !has_unit(fields, index, single))
        };
        let Some((row, most)) = largest(rows, bare) else { continue };
        if let Some(problem) = unclear(metric, &name("value"), most) {
            return Err(Unclear { row, problem });
        }
    }
    let measures = |fields: &&&Map<String, Value>| {
        ["value", "utilization", "metrics"]
            .iter()
            .any(|name| fields.get(*name).is_some_and(|value| !value.is_null()))
    };
    let uncounted = |fields: &&&Map<String, Value>| !COUNTS.iter().any(|name| fields.contains_key(*name));
    let reconciles = |fields: &&&Map<String, Value>| !fields.contains_key("part");
    if rows.iter().filter(reconciles).filter(measures).any(|fields| uncounted(&fields)) {
        notes.push("`ready` is left out: all pods that are asked for are taken to be ready".to_owned());
    }
    Ok((shares, notes))
}

/// Whether a row lists pods with samples, none of which says what it requests, nor does the row.
fn has_bare_pods(fields: &Map<String, Value>) -> bool {
    let Some(Value::Array(pods)) = fields.get("pods") else { return false };
    let has = |pod: &Value, name: &str| pod.get(name).is_some_and(|value| !value.is_null());
    let is_bare =
        |pod: &Value| has(pod, "metric") && pod.get("request").is_none() && pod.get("metrics").is_none();
    !fields.contains_key("request")
        && !fields.contains_key("part")
        && !pods.is_empty()
        && pods.iter().all(is_bare)
}

/// What one row says of a metric.
fn given<'a>(fields: &'a Map<String, Value>, index: usize, single: bool, name: &str) -> Option<&'a Value> {
    let of_list = || fields.get("metrics")?.as_array()?.get(index)?.get(name);
    let own = if single { fields.get(name) } else { None };
    own.or_else(of_list).filter(|value| !value.is_null())
}

/// Whether a row says in which unit its value is, or what it is a share of.
fn has_unit(fields: &Map<String, Value>, index: usize, single: bool) -> bool {
    fields.contains_key("request")
        || fields.contains_key("pods")
        || given(fields, index, single, "unit").is_some()
}

/// What is unclear about a metric whose largest value is `most`, taken for thousandths.
fn unclear(metric: &MetricSpec, name: &str, most: f64) -> Option<String> {
    let ways = "`unit` (\"thousandths\", \"whole\" or \"percent\")";
    match metric.target {
        Target::Utilization(_) if most / 1000.0 <= IDLE_SHARE => Some(format!(
            "{name} reaches {most} at most: is that {most} percent, or {most} thousandths of a {} request of 1000, which is \
             {} %? Give `utilization` in percent, the `request` of a pod, or the {ways}",
            metric.name,
            most / 10.0
        )),
        Target::Utilization(_) if most / 1000.0 > HIGHEST_SHARE => Some(format!(
            "{name} reaches {most}, which would be {} % of a {} request of 1000: give the `request` of a pod, or `utilization` \
             in percent",
            most / 10.0,
            metric.name
        )),
        Target::AverageValue(target) | Target::Value(target) => {
            let target = target as f64;
            let idle = most < target / 10.0 && most * 1000.0 >= target / 10.0;
            idle.then(|| {
                format!(
                    "{name} reaches {most} at most: is that {most}, or {most} thousandths, which is {} of a target of {}? Give \
                     its `unit` (\"thousandths\" or \"whole\")",
                    most / 1000.0,
                    target / 1000.0
                )
            })
        }
        Target::Utilization(_) => None,
    }
}

/// The fields that a closed loop sets.
pub(crate) fn pool_fields(hpa: &Hpa) -> PoolFields {
    let shared = |metric: &MetricSpec| match metric.source {
        Source::Resource | Source::ContainerResource | Source::Pods => true,
        Source::Object | Source::External => false,
    };
    PoolFields {
        desired: Some("desired"),
        existing: Some("existing"),
        ready: Some("ready"),
        starting: Some("unready"),
        shared: hpa.metrics.iter().map(shared).collect(),
    }
}
