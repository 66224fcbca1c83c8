//! JSON objects of any keys, one a line or in a list: understood as the columns of a table.

use super::super::Recorded;
use super::super::choose::{self, Plan, RequestPlan};
use super::super::head::Head;
use super::super::objects::{self, each_object, each_picked, each_row};
use super::super::pick::Picker;
use super::super::reading::Reading;
use super::super::requests::Gathered;
use super::super::sample::Sample;
use super::super::series::{self, Known};
use super::super::series_rows::SeriesRows;
use super::super::table;
use super::super::values;
use super::super::wanted::Wanted;
use super::{Form, Likeness, Recording};
use crate::files::NamedFile;
use crate::traffic::error::At;
use crate::traffic::moment::TimeForm;
use crate::traffic::{FileError, Unit};

const NAME: &str = "json_lines";
const DOC: &str = "JSON objects, a row each";
const SAMPLED: usize = 500;

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let begins = head.text.trim_start().as_bytes().first().copied();
        let is_list = begins == Some(b'[') && head.is_json();
        let is_one_row = begins == Some(b'{') && head.whole && head.lines().count() == 1 && is_flat(head);
        Likeness::of(
            head.is_json() && (is_list || !head.is_json_document() || is_one_row || head.wraps_list()),
        )
    },
    read,
};

/// Whether a single object has an instant of its own, and so is a row and not a document.
fn is_flat(head: &Head) -> bool {
    ["timestamp", "time", "ts", "@timestamp"].iter().any(|key| head.has_key_at(1, key))
}

fn read(file: &NamedFile<'_>, head: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let wanted = &wanted.of_table();
    let sample = sample(file, head)?;
    if sample.rows.is_empty() {
        return Err(FileError::whole(file.shown, "has no rows", "expected JSON objects"));
    }
    let plan = choose::choose(&sample, file.shown, wanted)?;
    by_plan(file, head, wanted, &sample.names, plan, Reading::of(file.shown, NAME, DOC))
}

/// The first objects as columns, one for each path to a scalar.
fn sample(file: &NamedFile<'_>, head: &Head) -> Result<Sample, FileError> {
    let mut names: Vec<String> = Vec::new();
    let mut kept = Vec::new();
    each_object(file, head, |object, _| {
        if let Ok(object) = object {
            for path in objects::paths(object) {
                if !names.contains(&path) && names.len() < 500 {
                    names.push(path);
                }
            }
            kept.push(object.clone());
        }
        Ok(kept.len() < SAMPLED)
    })?;
    let row = |object| names.iter().map(|name| objects::cell(objects::at(object, name))).collect();
    let rows = kept.iter().map(row).collect();
    Ok(Sample { names, rows, decimal_comma: false })
}

fn by_plan(
    file: &NamedFile<'_>,
    head: &Head,
    wanted: &Wanted,
    names: &[String],
    plan: Plan,
    mut reading: Reading,
) -> Result<Recording, FileError> {
    match plan {
        Plan::Requests(plan) => {
            let mut gathered = Gathered::new();
            let columns: Vec<usize> = plan_columns(&plan).collect();
            let picker = Picker::new(columns.iter().map(|at| names[*at].clone()).collect());
            each_picked(file, head, (&mut reading, wanted.strict), picker, |reading, cells, line| {
                let column = |at: usize| {
                    columns.iter().position(|other| *other == at).map_or("", |place| cells.cell(place))
                };
                match table::row(column, &plan, false) {
                    Ok(row) => gathered.push(row, || line),
                    Err(bad) => {
                        let part = At::Key(names[bad.at].clone());
                        reading.skip_cell(|| line, &bad, part, wanted.strict)?;
                    }
                }
                Ok(())
            })?;
            reading.time = plan.time_shown.replacen("column", "key", 1);
            plan.notes.iter().for_each(|note| reading.note(note.replacen("column `", "key `", 1)));
            let waiting = plan.duration.is_some();
            let (reading, requests) = gathered.finish(reading, wanted, plan.form, waiting)?;
            Ok(Recording { reading, content: Recorded::Requests(requests) })
        }
        Plan::Series(plan) => {
            let Some((time, form, shown)) = plan.time else {
                return Err(FileError::whole(
                    file.shown,
                    "has no key of instants",
                    "expected dates or times",
                ));
            };
            let mut all = SeriesRows::default();
            each_row(file, head, (&mut reading, wanted.strict), |reading, object, line| {
                let text = |at: usize| objects::cell(objects::at(object, &names[at]));
                let Some(stamp) = form.parse(&text(time)) else {
                    reading.skip(|| line, "it has no instant", wanted.strict)?;
                    return Ok(());
                };
                reading.rows += 1;
                for at in &plan.values {
                    let name = plan.group.map_or_else(|| names[*at].clone(), text);
                    let value = values::measure(&text(*at), false).map_or(f64::NAN, |(value, _)| value);
                    let series = all.named(&name);
                    all.push(series, stamp, value, line);
                }
                Ok(())
            })?;
            reading.time = shown.replacen("column", "key", 1);
            plan.notes.iter().for_each(|note| reading.note(note));
            let (quantity, factor) =
                plan.quantity.map_or((None, 1.0), |(quantity, factor)| (Some(quantity), factor));
            let known = Known { quantity, factor, interval: None, form };
            let (reading, series) = series::build(reading, wanted, all, known)?;
            Ok(Recording { reading, content: Recorded::Series(series) })
        }
    }
}

fn plan_columns(plan: &RequestPlan) -> impl Iterator<Item = usize> {
    let duration = plan.duration.map(|(at, _)| at);
    [Some(plan.time), plan.prompt_tokens, plan.output_tokens, duration].into_iter().flatten()
}

/// Reads `timestamp`, `input_length` and `output_length`, with timestamps in `unit` from the start.
pub(super) fn read_keys(
    file: &NamedFile<'_>,
    head: &Head,
    wanted: &Wanted,
    form: (&str, &str),
    unit: Unit,
) -> Result<Recording, FileError> {
    let wanted = &wanted.of_table();
    let time = TimeForm::Elapsed(wanted.unit.unwrap_or(unit));
    let names = ["timestamp", "input_length", "output_length"].map(str::to_owned);
    let plan = RequestPlan {
        time: 0,
        form: time,
        time_shown: format!("key `timestamp`, {}", time.words()),
        prompt_tokens: Some(1),
        output_tokens: Some(2),
        duration: None,
        is_end: false,
        notes: Vec::new(),
    };
    by_plan(file, head, wanted, &names, Plan::Requests(plan), Reading::of(file.shown, form.0, form.1))
}
