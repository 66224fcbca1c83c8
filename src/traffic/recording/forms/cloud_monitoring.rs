//! Google Cloud Monitoring, `timeSeries.list`: newest first, counts in intervals that each point states.

use serde_json::Value;

use super::super::Recorded;
use super::super::document::{self, Document, Long};
use super::super::reading::Reading;
use super::super::series::{self, Known};
use super::super::series_rows::SeriesRows;
use super::super::wanted::{Quantity, Wanted};
use super::cloudwatch_data::instant;
use super::{Form, Head, Likeness, Recording};
use crate::files::NamedFile;
use crate::time::Span;
use crate::traffic::FileError;
use crate::traffic::moment::TimeForm;

const NAME: &str = "cloud_monitoring";
const DOC: &str = "Google Cloud Monitoring time series in JSON";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        Likeness::of(head.has_key("timeSeries") || (head.has_key("points") && head.has_key("metricKind")))
    },
    read,
};

/// Of a point the start, the end and the value.
const LONG: Long<3> = Long {
    is_one: |key, in_list| key == "points" && !in_list,
    keep: |point| {
        let bound =
            |key: &str| point.get("interval").and_then(|interval| interval.get(key)).and_then(instant);
        let [start, end] = ["startTime", "endTime"].map(|key| document::of_instant(bound(key)));
        [start, end, document::of_number(point.get("value").and_then(value))]
    },
};

fn read(file: &NamedFile<'_>, _: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let refuse = |what: &str, label: &str| FileError::whole(file.shown, what, label);
    let document = Document::read(file, LONG)?;
    let Some(all) = document.tree.get("timeSeries").unwrap_or(&document.tree).as_array() else {
        return Err(refuse("has `timeSeries` that is no list", "expected a list of series"));
    };
    let mut reading = Reading::of(file.shown, NAME, DOC);
    reading.time = "`interval`, from its start for counts".into();
    let (mut series, mut quantity, mut interval) = (SeriesRows::default(), None, None);
    for one in all {
        let metric = one.pointer("/metric/type").and_then(Value::as_str).unwrap_or("series");
        let is_delta = match one.get("metricKind").and_then(Value::as_str) {
            Some("DELTA") => true,
            Some("CUMULATIVE") => {
                let error = refuse(
                    &format!("has `{metric}` as CUMULATIVE, which only rises"),
                    "expected DELTA or GAUGE",
                );
                return Err(error.with_help("align it: --aggregation with ALIGN_DELTA or ALIGN_RATE"));
            }
            _ => false,
        };
        quantity = is_delta.then_some(Quantity::Counts);
        if !is_delta && one.get("unit").and_then(Value::as_str).is_some_and(|unit| unit.ends_with("/s")) {
            quantity = Some(Quantity::Rates);
        }
        let labels = one.pointer("/metric/labels").and_then(Value::as_object);
        let named: Vec<String> = labels
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        let own = series.add(format!("{metric}{{{}}}", named.join(",")));
        let points = document.entries(one.get("points")).into_iter().flatten();
        for (number, [start, end, value]) in (1_u64..).zip(points) {
            let (start, end) = (document::instant(start), document::instant(end));
            let at = if is_delta { start.or(end) } else { end };
            match (at, document::number(value)) {
                (Some(at), Some(value)) => {
                    series.push(own, at, value, number);
                    reading.rows += 1;
                }
                _ => reading.skip(|| number, "its interval or its value cannot be read", wanted.strict)?,
            }
            if let (true, Some(start), Some(end)) = (is_delta, start, end)
                && end > start
            {
                let own = Span::from_nanos(end.saturating_sub(start).unsigned_abs());
                interval = Some(interval.map_or(own, |known: Span| known.min(own)));
            }
        }
    }
    let known = Known { quantity, factor: 1.0, interval, form: TimeForm::Zoned };
    let (reading, series) = series::build(reading, wanted, series, known)?;
    Ok(Recording { reading, content: Recorded::Series(series) })
}

fn value(value: &Value) -> Option<f64> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    ["int64Value", "doubleValue"]
        .iter()
        .find_map(|key| value.get(*key).and_then(number))
        .or_else(|| value.pointer("/distributionValue/count").and_then(number))
}
