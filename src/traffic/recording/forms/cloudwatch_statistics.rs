//! CloudWatch, `aws cloudwatch get-metric-statistics`: datapoints in no order, their period not in the file.

use serde_json::Value;

use super::super::Recorded;
use super::super::objects::document;
use super::super::reading::Reading;
use super::super::series::{self, Known, Points};
use super::super::wanted::{Quantity, Wanted};
use super::cloudwatch_data::{instant, is_count, no_count};
use super::{Form, Head, Likeness, Recording};
use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::moment::TimeForm;

const NAME: &str = "cloudwatch_statistics";
const DOC: &str = "CloudWatch get-metric-statistics in JSON";

pub(super) const FORM: Form =
    Form { name: NAME, doc: DOC, likeness: |head| Likeness::of(head.has_key("Datapoints")), read };

fn read(file: &NamedFile<'_>, _: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let refuse = |what: &str, label: &str| FileError::whole(file.shown, what, label);
    let whole = document(file)?;
    let label = whole.get("Label").and_then(Value::as_str).unwrap_or("Datapoints");
    let Some(datapoints) = whole.get("Datapoints").and_then(Value::as_array) else {
        return Err(refuse("has `Datapoints` that is no list", "expected a list of datapoints"));
    };
    let has = |key: &str| datapoints.iter().any(|point| point.get(key).is_some_and(Value::is_number));
    let per_second =
        datapoints.iter().any(|point| point.get("Unit").and_then(Value::as_str) == Some("Count/Second"));
    let (statistic, quantity) = match no_count(label) {
        // The samples of a latency are the requests.
        Some("a duration") if has("SampleCount") => ("SampleCount", Some(Quantity::Counts)),
        Some(refused) => {
            let what = format!("has the metric `{label}`, which is {refused}");
            return Err(refuse(&what, "expected numbers of requests").with_help(
                "ask for the statistic Sum of RequestCount or Invocations, or SampleCount of a latency",
            ));
        }
        None if has("Sum") => ("Sum", is_count(label).then_some(Quantity::Counts)),
        None if has("SampleCount") => ("SampleCount", Some(Quantity::Counts)),
        None if has("Average") => ("Average", per_second.then_some(Quantity::Rates)),
        None => {
            return Err(refuse(
                "has no `Sum`, `SampleCount` or `Average`",
                "expected one of these statistics",
            ));
        }
    };
    let mut reading = Reading::of(file.shown, NAME, DOC);
    reading.time = "`Timestamp`, the start of the period".into();
    reading.note(format!("statistic {statistic} of `{label}`"));
    let mut own = Points { name: label.to_owned(), points: Vec::new() };
    for (number, point) in (1_u64..).zip(datapoints) {
        let at = point.get("Timestamp").and_then(instant);
        match (at, point.get(statistic).and_then(Value::as_f64)) {
            (Some(at), Some(value)) => own.points.push((at, value, number)),
            _ => reading.skip(|| number, "its timestamp or its value cannot be read", wanted.strict)?,
        }
    }
    let known = Known { quantity, factor: 1.0, interval: None, form: TimeForm::Zoned };
    let (mut reading, series) = series::build(reading, wanted, vec![own], known)?;
    reading.note("the period is not in the file: it is taken from the instants");
    if series.gaps() > 0 {
        reading.note(
            "CloudWatch leaves out a period in which nothing was counted: `gaps = \"zero\"` takes it so",
        );
    }
    Ok(Recording { reading, content: Recorded::Series(series) })
}
