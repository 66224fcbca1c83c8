//! Azure Functions invocation counts of 2019: a row a function, a column a minute of the day.

use super::super::Recorded;
use super::super::reading::Reading;
use super::super::series::{self, Known};
use super::super::series_rows::SeriesRows;
use super::super::table::{self, each_record};
use super::super::wanted::{Quantity, Wanted};
use super::{Form, Head, Likeness, Recording};
use crate::files::NamedFile;
use crate::time::Span;
use crate::traffic::FileError;

const NAME: &str = "azure_functions";
const DOC: &str = "Azure Functions invocation counts of 2019, a column a minute";
const IDS: [&str; 3] = ["HashOwner", "HashApp", "HashFunction"];
const MINUTE_NS: i64 = 60_000_000_000;

pub(super) const FORM: Form = Form { name: NAME, doc: DOC, likeness, read };

fn header(head: &Head) -> Vec<&str> {
    head.lines().next().unwrap_or_default().split(',').map(str::trim).collect()
}

fn likeness(head: &Head) -> Likeness {
    let header = header(head);
    let has_ids = IDS.iter().all(|name| header.contains(name));
    match (has_ids, header.contains(&"1")) {
        (true, true) => Likeness::Yes,
        (true, false) if header.contains(&"Average") => {
            Likeness::Close("it is the file of durations or of memory, without counts".into())
        }
        (true, false) => Likeness::Close("has no columns `1`, `2`, … of the minutes".into()),
        (false, _) => Likeness::No,
    }
}

fn read(file: &NamedFile<'_>, head: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let (mut layout, _) = table::sample(file, head)?;
    layout.has_names = true;
    let names = header(head);
    let minutes: Vec<(usize, i64)> = names
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some((at, name.parse::<i64>().ok().filter(|minute| *minute >= 1)?)))
        .collect();
    let function = names.iter().position(|name| *name == IDS[2]).unwrap_or(0);
    let mut reading = Reading::of(file.shown, NAME, DOC);
    reading.time = "columns of minutes, of which 1 begins at 00:00; the file does not tell the date".into();
    let mut series = SeriesRows::default();
    let mut named = true;
    each_record(file, layout, |record| {
        if std::mem::take(&mut named) {
            return Ok(true);
        }
        let line = record.line();
        let value = |column: usize| {
            let cell = record.get(column)?;
            cell.parse::<f64>().ok().filter(|value| value.is_finite())
        };
        let points: Option<Vec<(i64, f64)>> = minutes
            .iter()
            .map(|(column, minute)| Some(((minute - 1) * MINUTE_NS, value(*column)?)))
            .collect();
        match points {
            Some(points) => {
                let name = record.get(function).unwrap_or_default().to_owned();
                reading.rows += points.len() as u64;
                let one = series.add(name);
                points.into_iter().for_each(|(at, value)| series.push(one, at, value, line));
            }
            None => reading.skip(|| line, "a minute of it holds no number", wanted.strict)?,
        }
        Ok(true)
    })?;
    let known = Known {
        quantity: Some(Quantity::Counts),
        factor: 1.0,
        interval: Some(Span::from_secs(60)),
        form: series::NUMBERED,
    };
    let (reading, series) = series::build(reading, wanted, series, known)?;
    Ok(Recording { reading, content: Recorded::Series(series) })
}
