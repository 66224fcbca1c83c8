//! Datadog, answers of its query interface, version 1 (`pointlist`) and 2 (`times` and `values`); milliseconds since 1970.

use serde_json::Value;

use super::super::Recorded;
use super::super::objects::document;
use super::super::reading::Reading;
use super::super::series::{self, Known, Points};
use super::super::values::quantity_of_unit;
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
    let whole = document(file)?;
    let mut reading = Reading::of(file.shown, NAME, DOC);
    reading.time = "milliseconds since 1970".into();
    let found = first_version(&whole, &mut reading, wanted)?.or_else(|| second_version(&whole));
    let Some(Found { series, quantity, interval }) = found else {
        let label = "expected `series` with `pointlist`, or `attributes` with `times` and `values`";
        return Err(FileError::whole(file.shown, "has no series that can be read", label));
    };
    reading.rows += series.iter().map(|one| one.points.len() as u64).sum::<u64>();
    let known = Known { quantity, factor: 1.0, interval, form: TimeForm::Epoch(Unit::Milliseconds) };
    let (mut reading, series) = series::build(reading, wanted, series, known)?;
    reading.note(
        "Datadog widens its rollup with the span that is asked for: each value is of one interval of it",
    );
    Ok(Recording { reading, content: Recorded::Series(series) })
}

struct Found {
    series: Vec<Points>,
    quantity: Option<Quantity>,
    interval: Option<Span>,
}

fn millis(value: &Value) -> Option<i64> {
    value.as_f64().filter(|millis| (0.0..9e12).contains(millis)).map(|millis| (millis * 1e6) as i64)
}

fn first_version(whole: &Value, reading: &mut Reading, wanted: &Wanted) -> Result<Option<Found>, FileError> {
    let Some(all) = whole.get("series").and_then(Value::as_array) else { return Ok(None) };
    let (mut series, mut quantity, mut interval) = (Vec::new(), None, None);
    for one in all {
        let text = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
        let name =
            [text("scope"), text("expression"), text("metric")].into_iter().find(|text| !text.is_empty());
        quantity = quantity
            .or_else(|| of_unit(one.pointer("/unit/0")))
            .or_else(|| of_expression(text("expression")));
        let seconds =
            one.get("interval").and_then(Value::as_f64).filter(|seconds| (1e-3..1e9).contains(seconds));
        interval = interval.or(seconds.map(Span::from_secs_f64));
        let mut own = Points { name: name.unwrap_or("series").to_owned(), points: Vec::new() };
        let points = one.get("pointlist").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (number, pair) in (1_u64..).zip(points) {
            match pair.as_array().map(Vec::as_slice) {
                Some([at, value]) if millis(at).is_some() && (value.is_null() || value.is_number()) => {
                    own.points.push((
                        millis(at).unwrap_or_default(),
                        value.as_f64().unwrap_or(f64::NAN),
                        number,
                    ));
                }
                _ => reading.skip(
                    || number,
                    "a point is no pair of milliseconds and a number",
                    wanted.strict,
                )?,
            }
        }
        series.push(own);
    }
    Ok(Some(Found { series, quantity, interval }))
}

fn second_version(whole: &Value) -> Option<Found> {
    let attributes = whole.pointer("/data/attributes").or_else(|| whole.get("attributes"))?;
    let list = |key: &str| attributes.get(key).and_then(Value::as_array);
    let (times, all) = (list("times")?, list("values")?);
    let described = list("series");
    let (mut series, mut quantity) = (Vec::new(), None);
    for (index, values) in all.iter().enumerate() {
        let description = described.and_then(|all| all.get(index));
        quantity = quantity.or_else(|| of_unit(description?.pointer("/unit/0")));
        let tags = description.and_then(|one| one.get("group_tags")).and_then(Value::as_array);
        let tags: Vec<&str> = tags.into_iter().flatten().filter_map(Value::as_str).collect();
        let name = if tags.is_empty() { format!("series {}", index + 1) } else { tags.join(",") };
        let points = times.iter().zip(values.as_array()?).zip(1_u64..);
        let points: Option<Vec<(i64, f64, u64)>> = points
            .map(|((at, value), number)| Some((millis(at)?, value.as_f64().unwrap_or(f64::NAN), number)))
            .collect();
        series.push(Points { name, points: points? });
    }
    Some(Found { series, quantity, interval: None })
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

fn of_expression(expression: &str) -> Option<Quantity> {
    match () {
        () if expression.contains("per_second(") || expression.contains(".as_rate()") => {
            Some(Quantity::Rates)
        }
        () if expression.contains(".as_count()") => Some(Quantity::Counts),
        () => None,
    }
}
