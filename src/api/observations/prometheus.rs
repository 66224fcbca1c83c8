//! Observations as Prometheus answers a range query: one file a metric.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::text::{set, with_lists};
use super::{Place, RecordedRow};
use crate::api::Error;

/// For how long a count, such as the ready replicas, holds after its last sample: Prometheus's own look-back.
const HOLDS_MS: i64 = 300_000;
/// Most rows a recording may come to.
const MOST_ROWS: i64 = 2_000_000;
/// Fields that count instances: what was last seen holds.
const COUNTS: [&str; 11] = [
    "ready", "desired", "existing", "unready", "missing", "starting", "running", "replicas", "target",
    "warming", "expected",
];

#[derive(Debug, Deserialize)]
struct Response {
    status: Option<String>,
    error: Option<String>,
    data: Option<Data>,
    #[serde(flatten)]
    bare: Option<Data>,
}

#[derive(Debug, Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    result_type: String,
    result: Value,
}

#[derive(Debug, Deserialize)]
struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

/// One file: the field that it gives, and its series.
#[derive(Debug)]
pub(super) struct Query {
    field: String,
    name: String,
    series: Vec<Series>,
}

/// Whether a text is an answer of Prometheus, rather than rows.
pub(super) fn is_response(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{')
        && serde_json::from_str::<Response>(text).is_ok_and(|response| {
            response.status.is_some() || response.data.is_some() || response.bare.is_some()
        })
}

impl Query {
    /// Reads the answer of a range query, whose samples are the field `field`.
    pub fn read(field: &str, name: &str, text: &str) -> Result<Query, Error> {
        let refuse = |why: &str| Err(Error::bad_input(format!("error: {why}\n  --> {name}")));
        let response: Response = match serde_json::from_str(text) {
            Ok(response) => response,
            Err(error) => {
                let why = format!("no answer of Prometheus to a range query: {error}");
                return Err(Error::at_line(name, error.line().max(1), &why));
            }
        };
        if let Some(error) = response.error {
            return refuse(&format!("Prometheus answered with an error: {error}"));
        }
        let Some(data) = response.data.or(response.bare) else {
            return refuse("no answer of Prometheus to a range query: it has no `data`");
        };
        if data.result_type != "matrix" {
            return refuse(&format!(
                "a {} has no times to replay: expected the matrix of a range query (/api/v1/query_range)",
                data.result_type
            ));
        }
        let series: Vec<Series> = match serde_json::from_value(data.result) {
            Ok(series) => series,
            Err(error) => return refuse(&format!("the samples cannot be read: {error}")),
        };
        let query = Query { field: field.to_owned(), name: name.to_owned(), series };
        query.check()?;
        Ok(query)
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |why: String| Err(Error::bad_input(format!("error: {why}\n  --> {}", self.name)));
        if self.series.iter().all(|series| series.values.is_empty()) {
            return refuse("the query has no samples".to_owned());
        }
        if self.field != "pods" && self.series.len() > 1 {
            let labels = |series: &Series| {
                let labels: Vec<String> =
                    series.metric.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
                format!("{{{}}}", labels.join(", "))
            };
            let (first, second) = (labels(&self.series[0]), labels(&self.series[1]));
            return refuse(format!(
                "the query has {} series, such as {first} and {second}, and `{}` is one number: aggregate them in the \
                 query, by sum(…) or avg(…), or give each pod's as pods={}",
                self.series.len(),
                self.field,
                self.name
            ));
        }
        let falls = |series: &Series| series.values.windows(2).any(|pair| pair[1].0 < pair[0].0);
        if self.series.iter().any(falls) {
            return refuse("the times of the samples fall".to_owned());
        }
        Ok(())
    }

    fn is_count(&self) -> bool {
        COUNTS.contains(&self.field.as_str())
    }

    fn times(&self) -> impl Iterator<Item = i64> {
        self.series.iter().flat_map(|series| series.values.iter().map(|(seconds, _)| millis(*seconds)))
    }
}

fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// The rows that several queries make together: one at each step of those that are measured. What a measured one lacks at a
/// step is a missing sample; what counts instances holds for up to five minutes. Where `as_quantity`, values are written as
/// quantities in whole units.
pub(super) fn rows(queries: &[Query], as_quantity: bool) -> Result<Vec<RecordedRow>, Error> {
    let names = queries.iter().map(|query| query.name.as_str()).collect::<Vec<_>>().join(", ");
    let measured = || queries.iter().filter(|query| !query.is_count());
    let mut times: Vec<i64> = match measured().next() {
        Some(_) => measured().flat_map(Query::times).collect(),
        None => queries.iter().flat_map(Query::times).collect(),
    };
    times.sort_unstable();
    times.dedup();
    let step = times.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(HOLDS_MS);
    let (first, last) = (times.first().copied().unwrap_or(0), times.last().copied().unwrap_or(0));
    if (last - first) / step.max(1) >= MOST_ROWS {
        return Err(Error::bad_input(format!(
            "error: {} s in steps of {} ms are more than {MOST_ROWS} rows\n  --> {names}",
            (last - first) / 1000,
            step
        )));
    }
    let mut grid = Vec::new();
    for pair in times.windows(2) {
        // Where every series has a gap there is a row all the same: the system looks, and finds nothing.
        grid.extend((pair[0]..pair[1]).step_by(step.max(1) as usize).filter(|at| pair[1] - at >= step));
    }
    grid.extend(times.last());
    let row = |at: i64| {
        let mut fields = Map::from_iter([("time".to_owned(), json!(at as f64 / 1000.0))]);
        for query in queries {
            fill(&mut fields, query, at, step, as_quantity)
                .map_err(|why| Error::bad_input(format!("error: {why}\n  --> {}", query.name)))?;
        }
        let fields =
            with_lists(fields).map_err(|why| Error::bad_input(format!("error: {why}\n  --> {names}")))?;
        Ok(RecordedRow { place: Place::Time(names.clone(), shown(at)), fields })
    };
    grid.into_iter().map(row).collect()
}

fn shown(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |time| time.to_string())
}

fn fill(
    fields: &mut Map<String, Value>,
    query: &Query,
    at: i64,
    step: i64,
    as_quantity: bool,
) -> Result<(), String> {
    let holds = if query.is_count() { HOLDS_MS } else { step - 1 };
    let sample = |series: &Series| {
        let seen = series.values.partition_point(|(seconds, _)| millis(*seconds) <= at);
        let (seconds, text) = series.values.get(seen.checked_sub(1)?)?;
        let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
        (at - millis(*seconds) <= holds).then_some(number)
    };
    let quantity = |number: Option<f64>| match number {
        Some(number) if as_quantity && !query.is_count() => json!(format!("{number}")),
        number => json!(number),
    };
    if query.field == "pods" {
        let pod = |(index, series): (usize, &Series)| {
            let name = series.metric.get("pod").cloned().unwrap_or_else(|| index.to_string());
            Some(json!({"name": name, "metric": quantity(Some(sample(series)?))}))
        };
        let pods: Vec<Value> = query.series.iter().enumerate().filter_map(pod).collect();
        fields.insert("pods".to_owned(), Value::Array(pods));
        return Ok(());
    }
    let number = query.series.first().and_then(sample);
    if query.is_count() {
        let Some(number) = number else { return Ok(()) };
        return set(fields, &query.field, json!(number));
    }
    let utilization = query.field.rsplit('.').next() == Some("utilization");
    set(fields, &query.field, if utilization { json!(number) } else { quantity(number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(samples: &str) -> String {
        format!(
            r#"{{"status": "success", "data": {{"resultType": "matrix", "result": [{{"metric": {{}}, "values": {samples}}}]}}}}"#
        )
    }

    #[test]
    fn a_row_a_step_with_what_is_missing_as_null_and_counts_that_hold() {
        let values = matrix(r#"[[1000, "0.5"], [1015, "NaN"], [1060, "0.25"]]"#);
        let ready = matrix(r#"[[990, "3"], [1050, "4"]]"#);
        assert!(
            is_response(&values)
                && !is_response("{\"time\": 1}\n{\"time\": 2}")
                && !is_response("{\"time\": 1}")
        );
        let queries = [
            Query::read("value", "cpu.json", &values).unwrap(),
            Query::read("ready", "ready.json", &ready).unwrap(),
        ];
        let rows = rows(&queries, true).unwrap();
        let found: Vec<Value> = rows.into_iter().map(|row| Value::Object(row.fields)).collect();
        let row = |time: f64, value: Value, ready: f64| json!({"time": time, "value": value, "ready": ready});
        let expected = [
            row(1000.0, json!("0.5"), 3.0),
            row(1015.0, Value::Null, 3.0),
            row(1030.0, Value::Null, 3.0),
            row(1045.0, Value::Null, 3.0),
            row(1060.0, json!("0.25"), 4.0),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_range_query_of_one_series_says_why() {
        let refused = |text: &str| Query::read("value", "q.json", text).unwrap_err().to_string();
        let vector = r#"{"status": "success", "data": {"resultType": "vector", "result": []}}"#;
        assert!(refused(vector).contains("a vector has no times to replay"), "{}", refused(vector));
        let failed = r#"{"status": "error", "errorType": "bad_data", "error": "parse error"}"#;
        assert!(refused(failed).contains("answered with an error: parse error"), "{}", refused(failed));
        let two = r#"{"resultType": "matrix", "result": [
            {"metric": {"pod": "a"}, "values": [[1, "2"]]}, {"metric": {"pod": "b"}, "values": [[1, "2"]]}]}"#;
        assert!(
            refused(two).contains("has 2 series, such as {pod=\"a\"} and {pod=\"b\"}"),
            "{}",
            refused(two)
        );
        let pods = rows(&[Query::read("pods", "q.json", two).unwrap()], true).unwrap();
        assert_eq!(pods[0].fields["pods"][1], json!({"name": "b", "metric": "2"}));
        assert!(refused(&matrix("[]")).contains("no samples"));
    }
}
