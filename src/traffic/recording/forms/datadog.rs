//! Datadog, answers of its query interface, version 1 (`pointlist`) and 2 (`times` and `values`); milliseconds since 1970.

use serde_json::Value;

use super::super::Recorded;
use super::super::document::{self, Document, Long};
use super::super::reading::Reading;
use super::super::series::{self, Known};
use super::super::series_rows::SeriesRows;
use super::super::values::{quantity_of_expression, quantity_of_unit};
use super::super::wanted::{Quantity, Wanted};
use super::{Form, Head, Likeness, Recording};
use crate::files::NamedFile;
use crate::time::Span;
use crate::traffic::moment::TimeForm;
use crate::traffic::{FileError, Unit};

const NAME: &str = "datadog";
const DOC: &str = "an answer of Datadog's query interface in JSON";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let second = head.has_key("attributes") && head.has_key("times") && head.has_key("values");
        Likeness::of(head.has_key("pointlist") || second)
    },
    read,
};

fn read(file: &NamedFile<'_>, _: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let document = Document::read(file, LONG)?;
    let mut reading = Reading::of(file.shown, NAME, DOC);
    reading.time = "milliseconds since 1970".into();
    let found = first_version(&document, &mut reading, wanted)?.or_else(|| second_version(&document));
    let Some(Found { series, count, quantity, interval }) = found else {
        let label = "expected `series` with `pointlist`, or `attributes` with `times` and `values`";
        return Err(FileError::whole(file.shown, "has no series that can be read", label));
    };
    reading.rows += count;
    let known = Known { quantity, factor: 1.0, interval, form: TimeForm::Epoch(Unit::Milliseconds) };
    let (mut reading, series) = series::build(reading, wanted, series, known)?;
    reading.note(
        "Datadog widens its rollup with the span that is asked for: each value is of one interval of it",
    );
    Ok(Recording { reading, content: Recorded::Series(series) })
}

/// Points of the first version as instants and numbers; times of the second as instants, its values as numbers.
const LONG: Long<2> = Long {
    is_one: |key, in_list| match key {
        "pointlist" | "times" => !in_list,
        "values" => in_list,
        _ => false,
    },
    keep: |entry| match entry.as_array().map(Vec::as_slice) {
        Some([at, value]) if value.is_null() || value.is_number() => {
            [document::of_instant(millis(at)), document::of_number(value.as_f64())]
        }
        Some(_) => [document::of_instant(None), document::of_number(None)],
        None => [document::of_instant(millis(entry)), document::of_number(entry.as_f64())],
    },
};

struct Found {
    series: SeriesRows,
    /// Of all values.
    count: u64,
    quantity: Option<Quantity>,
    interval: Option<Span>,
}

fn millis(value: &Value) -> Option<i64> {
    value.as_f64().filter(|millis| (0.0..9e12).contains(millis)).map(|millis| (millis * 1e6) as i64)
}

fn first_version(
    document: &Document<2>,
    reading: &mut Reading,
    wanted: &Wanted,
) -> Result<Option<Found>, FileError> {
    let Some(all) = document.tree.get("series").and_then(Value::as_array) else { return Ok(None) };
    let (mut series, mut count, mut quantity, mut interval) = (SeriesRows::default(), 0, None, None);
    for one in all {
        let text = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
        let name =
            [text("scope"), text("expression"), text("metric")].into_iter().find(|text| !text.is_empty());
        quantity = quantity
            .or_else(|| of_unit(one.pointer("/unit/0")))
            .or_else(|| quantity_of_expression(text("expression")));
        let seconds =
            one.get("interval").and_then(Value::as_f64).filter(|seconds| (1e-3..1e9).contains(seconds));
        interval = interval.or(seconds.map(Span::from_secs_f64));
        let own = series.add(name.unwrap_or("series"));
        let points = document.entries(one.get("pointlist")).into_iter().flatten();
        for (number, [at, value]) in (1_u64..).zip(points) {
            match document::instant(at) {
                Some(at) => {
                    series.push(own, at, f64::from_bits(value), number);
                    count += 1;
                }
                None => reading.skip(
                    || number,
                    "a point is no pair of milliseconds and a number",
                    wanted.strict,
                )?,
            }
        }
    }
    Ok(Some(Found { series, count, quantity, interval }))
}

fn second_version(document: &Document<2>) -> Option<Found> {
    let whole = &document.tree;
    let attributes = whole.pointer("/data/attributes").or_else(|| whole.get("attributes"))?;
    let list = |key: &str| attributes.get(key).and_then(Value::as_array);
    let times = || document.entries(attributes.get("times"));
    let all = list("values")?;
    let described = list("series");
    let (mut series, mut count, mut quantity) = (SeriesRows::default(), 0, None);
    for (index, values) in all.iter().enumerate() {
        let description = described.and_then(|all| all.get(index));
        quantity = quantity.or_else(|| of_unit(description?.pointer("/unit/0")));
        let tags = description.and_then(|one| one.get("group_tags")).and_then(Value::as_array);
        let tags: Vec<&str> = tags.into_iter().flatten().filter_map(Value::as_str).collect();
        let name = if tags.is_empty() { format!("series {}", index + 1) } else { tags.join(",") };
        let own = series.add(name);
        for (number, ([at, _], [_, value])) in (1_u64..).zip(times()?.zip(document.entries(Some(values))?)) {
            series.push(own, document::instant(at)?, f64::from_bits(value), number);
            count += 1;
        }
    }
    Some(Found { series, count, quantity, interval: None })
}

fn of_unit(unit: Option<&Value>) -> Option<Quantity> {
    let unit = unit?;
    let per = unit.pointer("/per_unit/name").and_then(Value::as_str);
    let name = unit.get("name").and_then(Value::as_str)?;
    match per {
        Some("second") => Some(Quantity::Rates),
        Some(_) => None,
        None => quantity_of_unit(name).map(|(quantity, _)| quantity),
    }
}
