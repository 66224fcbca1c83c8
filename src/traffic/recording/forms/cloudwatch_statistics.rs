//! CloudWatch, `aws cloudwatch get-metric-statistics`: datapoints in no order, their period not in the file.

use serde_json::Value;

use super::super::Recorded;
use super::super::document::{self, Document, Long};
use super::super::reading::Reading;
use super::super::series::{self, Known};
use super::super::series_rows::SeriesRows;
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

/// Statistics that tell a number of requests.
const STATISTICS: [&str; 3] = ["Sum", "SampleCount", "Average"];

/// What stands for the unit of a point that is a rate.
const PER_SECOND: u64 = 1;

/// Of a point the instant, the unit and the statistics.
const LONG: Long<5> = Long {
    is_one: |key, in_list| key == "Datapoints" && !in_list,
    keep: |point| {
        let at = document::of_instant(point.get("Timestamp").and_then(instant));
        let unit = point.get("Unit").and_then(Value::as_str);
        let per_second = if unit == Some("Count/Second") { PER_SECOND } else { 0 };
        let [sum, samples, mean] =
            STATISTICS.map(|key| document::of_number(point.get(key).and_then(Value::as_f64)));
        [at, per_second, sum, samples, mean]
    },
};

fn read(file: &NamedFile<'_>, _: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let refuse = |what: &str, label: &str| FileError::whole(file.shown, what, label);
    let document = Document::read(file, LONG)?;
    let whole = &document.tree;
    let label = whole.get("Label").and_then(Value::as_str).unwrap_or("Datapoints");
    let datapoints = || document.entries(whole.get("Datapoints"));
    let Some(points) = datapoints() else {
        return Err(refuse("has `Datapoints` that is no list", "expected a list of datapoints"));
    };
    let mut has_statistic = [false; STATISTICS.len()];
    let mut per_second = false;
    for [_, unit, values @ ..] in points {
        has_statistic
            .iter_mut()
            .zip(values)
            .for_each(|(has, value)| *has |= document::number(value).is_some());
        per_second |= unit == PER_SECOND;
    }
    let has = |key: &str| STATISTICS.iter().zip(has_statistic).any(|(known, has)| has && *known == key);
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
    let mut series = SeriesRows::default();
    let own = series.add(label);
    let column = STATISTICS.iter().position(|known| *known == statistic).unwrap_or_default();
    for (number, [at, _, values @ ..]) in (1_u64..).zip(datapoints().into_iter().flatten()) {
        match (document::instant(at), document::number(values[column])) {
            (Some(at), Some(value)) => series.push(own, at, value, number),
            _ => reading.skip(|| number, "its timestamp or its value cannot be read", wanted.strict)?,
        }
    }
    let known = Known { quantity, factor: 1.0, interval: None, form: TimeForm::Zoned };
    let (mut reading, series) = series::build(reading, wanted, series, known)?;
    reading.note("the period is not in the file: it is taken from the instants");
    if series.gaps() > 0 {
        reading.note(
            "CloudWatch leaves out a period in which nothing was counted: `gaps = \"zero\"` takes it so",
        );
    }
    Ok(Recording { reading, content: Recorded::Series(series) })
}
