//! CloudWatch, `aws cloudwatch get-metric-data`: newest first, periods without data left out.

use serde_json::Value;

use super::super::Recorded;
use super::super::document::{self, Document, Long};
use super::super::reading::Reading;
use super::super::series::{self, Known};
use super::super::series_rows::SeriesRows;
use super::super::wanted::{Quantity, Wanted};
use super::{Form, Head, Likeness, Recording};
use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::moment::{Looks, TimeForm, looks};

const NAME: &str = "cloudwatch_data";
const DOC: &str = "CloudWatch get-metric-data in JSON";

pub(super) const FORM: Form =
    Form { name: NAME, doc: DOC, likeness: |head| Likeness::of(head.has_key("MetricDataResults")), read };

/// Entries as instants, and as numbers: a list is of the ones or of the others.
const LONG: Long<2> = Long {
    is_one: |key, in_list| ["Timestamps", "Values"].contains(&key) && !in_list,
    keep: |entry| [document::of_instant(instant(entry)), document::of_number(entry.as_f64())],
};

fn read(file: &NamedFile<'_>, _: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let refuse = |what: &str, label: &str| FileError::whole(file.shown, what, label);
    let document = Document::read(file, LONG)?;
    let whole = &document.tree;
    let Some(results) = whole.get("MetricDataResults").and_then(Value::as_array) else {
        return Err(refuse("has `MetricDataResults` that is no list", "expected a list of results"));
    };
    let mut reading = Reading::of(file.shown, NAME, DOC);
    reading.time = "`Timestamps`, the starts of the periods".into();
    let mut series = SeriesRows::default();
    let mut quantity = None;
    for result in results {
        let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default();
        let label = if text("Label").is_empty() { text("Id") } else { text("Label") };
        if text("StatusCode") == "PartialData" || whole.get("NextToken").is_some_and(|token| !token.is_null())
        {
            reading.note(format!(
                "`{label}` is only a part of what was asked for: `PartialData` or `NextToken`"
            ));
        }
        if let Some(refused) = no_count(label) {
            return Err(refuse(&format!("has the metric `{label}`, which is {refused}"), "expected numbers of requests")
                .with_help("ask for the Sum of RequestCount or Invocations; SampleCount of a latency counts requests too"));
        }
        quantity = quantity.or_else(|| is_count(label).then_some(Quantity::Counts));
        let list = |key: &str| document.entries(result.get(key));
        let (stamps, values) = (list("Timestamps"), list("Values"));
        let count = |list: &Option<_>| list.as_ref().map_or(0, ExactSizeIterator::len);
        if count(&stamps) != count(&values) {
            let (stamps, values) = (count(&stamps), count(&values));
            let what = format!("has {stamps} `Timestamps` and {values} `Values` for `{label}`");
            return Err(refuse(&what, "expected one of each"));
        }
        // Pages of one answer repeat the label.
        let own = series.named(label);
        let pairs = stamps.into_iter().flatten().zip(values.into_iter().flatten());
        for (number, ([stamp, _], [_, value])) in (1_u64..).zip(pairs) {
            match (document::instant(stamp), document::number(value)) {
                (Some(at), Some(value)) => {
                    series.push(own, at, value, number);
                    reading.rows += 1;
                }
                _ => reading.skip(|| number, "its timestamp or its value cannot be read", wanted.strict)?,
            }
        }
    }
    let known = Known { quantity, factor: 1.0, interval: None, form: TimeForm::Zoned };
    let (mut reading, series) = series::build(reading, wanted, series, known)?;
    if series.gaps() > 0 {
        reading.note(
            "CloudWatch leaves out a period in which nothing was counted: `gaps = \"zero\"` takes it so",
        );
    }
    Ok(Recording { reading, content: Recorded::Series(series) })
}

pub(super) fn instant(stamp: &Value) -> Option<i64> {
    let text = match stamp {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match looks(&text) {
        Looks::Time(form) if form.is_absolute() => form.parse(&text),
        _ => None,
    }
}

/// Metrics whose sum over a period is the number of requests.
pub(super) fn is_count(label: &str) -> bool {
    let last = label.rsplit([' ', '/', '.']).next().unwrap_or_default();
    ["RequestCount", "Invocations", "Count", "Requests", "AllRequests", "NumberOfMessagesSent"]
        .contains(&last)
        || ["RequestCount", "Invocations"].contains(&label.split(' ').next().unwrap_or_default())
}

/// What a metric is that is no number of requests.
pub(super) fn no_count(label: &str) -> Option<&'static str> {
    let lower = label.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    match () {
        () if has(&["latency", "duration", "responsetime"]) => Some("a duration"),
        () if has(&["perinstance", "pertarget"]) => {
            Some("a number for one instance, and not for the endpoint")
        }
        () if has(&["utilization", "percent"]) => Some("a share"),
        () => None,
    }
}
