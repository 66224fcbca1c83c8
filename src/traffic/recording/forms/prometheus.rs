//! Prometheus, `query_range`: a matrix of series, values as text.

use serde_json::{Map, Value};

use super::super::Recorded;
use super::super::document::{self, Document, Long};
use super::super::reading::Reading;
use super::super::series::{self, Known};
use super::super::series_rows::SeriesRows;
use super::super::values::quantity_of_expression;
use super::super::wanted::{Quantity, Wanted};
use super::{Form, Head, Likeness, Recording};
use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::moment::TimeForm;
use crate::traffic::table::clip;
use crate::traffic::{Unit, timestamps};

const NAME: &str = "prometheus";
const DOC: &str = "an answer of Prometheus in JSON";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let has_series = head.has_key("metric") && head.has_key("values");
        match (head.has_key("resultType"), has_series) {
            (true, _) => Likeness::Yes,
            _ if head.has_key_at(1, "errorType") && head.has_key_at(1, "status") => Likeness::Yes,
            (false, true) if head.has_key("result") => Likeness::Yes,
            (false, true) => Likeness::Close("has no `result` around its series".into()),
            (false, false) => Likeness::No,
        }
    },
    read,
};

/// Instants and values; text may be NaN.
const LONG: Long<2> = Long {
    is_one: |key, in_list| key == "values" && !in_list,
    keep: |pair| {
        let point = point(pair);
        [document::of_instant(point.map(|(at, _)| at)), document::of_number(point.map(|(_, value)| value))]
    },
};

fn read(file: &NamedFile<'_>, _: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let refuse = |what: &str, label: &str| FileError::whole(file.shown, what, label);
    let document = Document::read(file, LONG)?;
    let whole = &document.tree;
    if whole.get("status").and_then(Value::as_str) == Some("error") {
        let message = whole.get("error").and_then(Value::as_str).unwrap_or("no message");
        return Err(refuse(&format!("is an error of Prometheus: {message}"), "expected an answer"));
    }
    let data = whole.get("data").unwrap_or(whole);
    if let Some(kind) = data.get("resultType").and_then(Value::as_str).filter(|kind| *kind != "matrix") {
        let what = format!("is an answer of the type \"{kind}\"");
        let error = refuse(&what, "expected a \"matrix\": values over time");
        return Err(error.with_help(match kind {
            "streams" => "of lines in Loki query the rate, as in sum(rate({app=\"x\"}[1m]))",
            _ => "ask with query_range: start, end and step",
        }));
    }
    let Some(result) = data.get("result").and_then(Value::as_array) else {
        return Err(refuse("is an answer without `result`", "expected a list of series"));
    };
    let mut reading = Reading::of(file.shown, NAME, DOC);
    reading.time = "seconds since 1970 in `values`".into();
    let mut series = SeriesRows::default();
    // What `traffic fetch` asked for stands in its file.
    let query = whole.get("query").and_then(Value::as_str);
    let mut quantity = query.and_then(quantity_of_expression);
    if let Some(query) = query {
        reading.note(format!("query `{}`", clip(query)));
    }
    for one in result {
        let metric = one.get("metric").and_then(Value::as_object);
        let metric_name = metric.and_then(|labels| labels.get("__name__")).and_then(Value::as_str);
        if let Some(name) = metric_name {
            if name.ends_with("_total") || name.ends_with("_count") {
                let what = format!("has the counter `{name}` itself, which only rises");
                let error = refuse(&what, "expected its rate or its increase");
                return Err(error.with_help(format!("query sum(rate({name}[1m])), in requests per second")));
            }
            if name.contains(":rate") {
                quantity = Some(Quantity::Rates);
            }
        }
        let Some(values) = document.entries(one.get("values")) else {
            let found = if one.get("histograms").is_some() { "native histograms" } else { "no `values`" };
            return Err(refuse(&format!("has a series with {found}"), "expected values over time"));
        };
        let own = series.add(name(metric));
        for (number, [at, value]) in (1_u64..).zip(values) {
            match document::instant(at) {
                Some(at) => {
                    series.push(own, at, f64::from_bits(value), number);
                    reading.rows += 1;
                }
                None => reading.skip(|| number, "a point is no pair of seconds and text", wanted.strict)?,
            }
        }
    }
    let known = Known { quantity, factor: 1.0, interval: None, form: TimeForm::Epoch(Unit::Seconds) };
    let (mut reading, series) = series::build(reading, wanted, series, known)?;
    if series.quantity == Quantity::Rates {
        reading.note("a rate over a window is a moving mean: bursts shorter than the window are not in it");
    }
    Ok(Recording { reading, content: Recorded::Series(series) })
}

fn point(pair: &Value) -> Option<(i64, f64)> {
    let [at, value] = pair.as_array()?.as_slice() else { return None };
    let at = timestamps::decimal(&at.to_string(), 1_000_000_000)?;
    let value: f64 = match value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    Some((i64::try_from(at).ok()?, value))
}

/// Labels as PromQL writes them.
fn name(labels: Option<&Map<String, Value>>) -> String {
    let Some(labels) = labels else { return "{}".into() };
    let metric = labels.get("__name__").and_then(Value::as_str).unwrap_or_default();
    let mut pairs: Vec<String> = labels
        .iter()
        .filter(|(key, _)| *key != "__name__")
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort_unstable();
    match pairs.as_slice() {
        [] if !metric.is_empty() => metric.to_owned(),
        pairs => format!("{metric}{{{}}}", pairs.join(",")),
    }
}
