//! Tables of any columns, separated by commas, semicolons, tabs or bars: sampled, understood, and read row by row.

use super::choose::{self, Plan, RequestPlan, SeriesPlan, is_missing};
use super::head::Head;
use super::plain_rows::PlainRows;
use super::reading::{BadCell, Reading};
use super::requests::{Gathered, Row};
use super::sample::Sample;
use super::series::{self, Known};
use super::series_rows::SeriesRows;
use super::values;
use super::wanted::Wanted;
use super::{Recorded, Recording};
use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::error::At;
use crate::traffic::moment::{Looks, looks};
use crate::traffic::records::{Record, Records};
use crate::traffic::table::{broken, clip, open};

/// Rows by which columns are understood.
const SAMPLED: usize = 500;

/// Rows that are passed on at once: few enough for the cache.
const AT_ONCE: usize = 512;

/// How the rows of a table are separated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    pub delimiter: u8,
    /// Whether the first line says the separator, as `sep=;`.
    pub says: bool,
    pub has_names: bool,
    pub decimal_comma: bool,
}

/// The layout of a table and its first rows.
///
/// # Errors
/// The file cannot be read, or is not UTF-8.
pub(super) fn sample(file: &NamedFile<'_>, head: &Head) -> Result<(Layout, Sample), FileError> {
    let (delimiter, says) = delimiter(head);
    let mut layout = Layout { delimiter, says, has_names: false, decimal_comma: false };
    let mut records = Vec::new();
    each_record(file, layout, |record| {
        records.push(record.iter().map(str::to_owned).collect::<Vec<String>>());
        Ok(records.len() <= SAMPLED)
    })?;
    let is_data = |cell: &String| looks(cell) != Looks::Other || choose::is_number(cell);
    if let Some(first) = records.first()
        && !first.iter().any(is_data)
        && first.iter().any(|cell| !cell.is_empty())
    {
        layout.has_names = true;
    }
    let names = if layout.has_names { records.remove(0) } else { Vec::new() };
    layout.decimal_comma = has_decimal_commas(delimiter, &records);
    Ok((layout, Sample { names, rows: records, decimal_comma: layout.decimal_comma }))
}

/// Whether numbers are written as `1,5`. Where commas separate the cells too, one that can be no thousands has to say it, and none may
/// have a point.
fn has_decimal_commas(delimiter: u8, records: &[Vec<String>]) -> bool {
    let mut found = records.iter().flatten().filter_map(|cell| decimals(cell, ','));
    if delimiter == b';' {
        return found.next().is_some();
    }
    found.any(|count| count != 3) && records.iter().flatten().all(|cell| decimals(cell, '.').is_none())
}

/// The number of decimals behind a point of this kind, in a number that may have a short unit.
fn decimals(cell: &str, point: char) -> Option<usize> {
    const UNIT_BYTES: usize = 12;
    let thousands = if point == ',' { b'.' } else { b',' };
    let count = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let cell = cell.trim().trim_start_matches('-');
    let is_whole = |byte: &u8| byte.is_ascii_digit() || *byte == thousands;
    let (whole, rest) = cell.split_at(cell.bytes().take_while(is_whole).count());
    let rest = rest.strip_prefix(point)?;
    let (fraction, unit) = rest.split_at(count(rest));
    let is_unit =
        unit.len() <= UNIT_BYTES && !unit.contains(|c: char| c.is_ascii_digit() || ".,:-".contains(c));
    (!whole.is_empty() && !fraction.is_empty() && is_unit).then_some(fraction.len())
}

fn delimiter(head: &Head) -> (u8, bool) {
    let mut lines = head.lines();
    if let Some(said) = lines.next().and_then(|line| line.trim().strip_prefix("sep="))
        && let [mark] = said.as_bytes()
    {
        return (*mark, true);
    }
    let lines: Vec<&str> = head.lines().take(20).collect();
    let count = |line: &str, mark: char| {
        let mut quoted = false;
        line.chars()
            .filter(|c| {
                quoted ^= *c == '"';
                *c == mark && !quoted
            })
            .count()
    };
    let fits = |mark: char| {
        let counts: Vec<usize> = lines.iter().map(|line| count(line, mark)).collect();
        let first = counts.first().copied().unwrap_or(0);
        let same = counts.iter().filter(|other| **other == first).count();
        (first > 0).then_some((same, first))
    };
    let best = [',', '\t', ';', '|']
        .into_iter()
        .filter_map(|mark| Some((fits(mark)?, mark)))
        .max_by_key(|(fit, mark)| (*fit, *mark != '|'));
    (best.map_or(b',', |(_, mark)| mark as u8), false)
}

/// Passes the records of a table to `take`, until it has enough.
pub(super) fn each_record(
    file: &NamedFile<'_>,
    layout: Layout,
    mut take: impl FnMut(&Record<'_>) -> Result<bool, FileError>,
) -> Result<(), FileError> {
    let mut records = Records::new(open(file, "file of traffic")?, layout.delimiter);
    let mut says = layout.says;
    while let Some(record) = records.next_row().map_err(|error| broken(file, &error))? {
        if !std::mem::take(&mut says) && !take(&record)? {
            break;
        }
    }
    Ok(())
}

/// Gathers the requests of a table of so many columns, whose first row is a header if `layout` says so. Rows that `plain` reads are taken
/// as it reads them; of any other `row` says what it holds: nothing for one that is to be left out.
pub(super) fn gather(
    file: &NamedFile<'_>,
    (layout, columns): (Layout, usize),
    plain: Option<&PlainRows>,
    (reading, strict): (&mut Reading, bool),
    mut row: impl FnMut(&Record<'_>) -> Result<Option<Row>, BadCell>,
) -> Result<Gathered, FileError> {
    let mut gathered = Gathered::new();
    let mut records = Records::new(open(file, "file of traffic")?, layout.delimiter);
    // Lines at the start that are none of requests: what says the separator, and the header.
    let mut before = usize::from(layout.says) + usize::from(layout.has_names);
    let mut rows = Vec::with_capacity(AT_ONCE);
    loop {
        let Some(record) = records.next_row().map_err(|error| broken(file, &error))? else {
            return Ok(gathered);
        };
        if before > 0 {
            before -= 1;
            continue;
        }
        let line = || record.line();
        if record.len() == columns {
            match row(&record) {
                Ok(Some(row)) => gathered.push(row, line),
                Ok(None) => {}
                Err(bad) => {
                    let part = At::Cell { delimiter: layout.delimiter, index: bad.at };
                    reading.skip_cell(line, &bad, part, strict)?;
                }
            }
        } else {
            let reason = format!("it has {} columns instead of {columns}", record.len());
            reading.skip(line, &reason, strict)?;
        }
        let Some(plain) = plain else { continue };
        loop {
            rows.clear();
            let read = records.next_plain(|bytes| plain.read(bytes, AT_ONCE, &mut rows));
            let (line, count) = read.map_err(|error| broken(file, &error))?;
            if count == 0 {
                break;
            }
            gathered.push_all(&rows, line);
        }
    }
}

/// Reads a table by a plan.
///
/// # Errors
/// Those of the file and of its rows.
pub(super) fn read(
    file: &NamedFile<'_>,
    layout: Layout,
    columns: usize,
    plan: Plan,
    reading: Reading,
    wanted: &Wanted,
) -> Result<Recording, FileError> {
    let (reading, content) = match plan {
        Plan::Requests(plan) => {
            let (reading, requests) = read_requests(file, layout, columns, &plan, reading, wanted)?;
            (reading, Recorded::Requests(requests))
        }
        Plan::Series(plan) => {
            let (reading, series) = read_series(file, layout, plan, reading, wanted)?;
            (reading, Recorded::Series(series))
        }
    };
    Ok(Recording { reading, content })
}

fn read_requests(
    file: &NamedFile<'_>,
    layout: Layout,
    columns: usize,
    plan: &RequestPlan,
    mut reading: Reading,
    wanted: &Wanted,
) -> Result<(Reading, super::Requests), FileError> {
    let plain = PlainRows::new(layout.delimiter, layout.decimal_comma, columns, plan);
    let gathered =
        gather(file, (layout, columns), plain.as_ref(), (&mut reading, wanted.strict), |record| {
            row(|at| record.get(at).unwrap_or_default(), plan, layout.decimal_comma).map(Some)
        })?;
    reading.time.clone_from(&plan.time_shown);
    plan.notes.iter().for_each(|note| reading.note(note));
    gathered.finish(reading, wanted, plan.form, plan.duration.is_some())
}

/// One row by a plan, or why it cannot be used.
pub(super) fn row<'a>(
    cell: impl Fn(usize) -> &'a str,
    plan: &RequestPlan,
    decimal_comma: bool,
) -> Result<Row, BadCell> {
    let time = cell(plan.time);
    let stamp = plan.form.parse(time).ok_or_else(|| {
        let (column, _) = plan.time_shown.split_once(", ").unwrap_or((&plan.time_shown, ""));
        let (reason, found) = match time {
            "" => ("it has no instant".to_owned(), "is empty".to_owned()),
            _ => (format!("its instant is none of {}", plan.form.words()), format!("is `{}`", clip(time))),
        };
        let expected = format!("expected {}", plan.form.words());
        BadCell { reason, place: format!(", {column} {found}"), expected, at: plan.time }
    })?;
    let duration = plan.duration.and_then(|(at, unit)| values::duration(cell(at), unit, decimal_comma));
    let arrival = match plan.is_end {
        true => stamp.saturating_sub(i64::try_from(duration.unwrap_or(0)).unwrap_or(i64::MAX)),
        false => stamp,
    };
    let tokens = |at: Option<usize>| {
        let Some(at) = at else { return Ok(None) };
        match cell(at) {
            text if is_missing(text) => Ok(None),
            text => values::tokens(text).map(Some).ok_or_else(|| BadCell {
                reason: "its tokens are no number".to_owned(),
                place: format!(", tokens are `{}`", clip(text)),
                expected: "expected a number of tokens, 0 or more".to_owned(),
                at,
            }),
        }
    };
    Ok(Row {
        arrival,
        prompt_tokens: tokens(plan.prompt_tokens)?,
        output_tokens: tokens(plan.output_tokens)?,
        duration,
    })
}

fn read_series(
    file: &NamedFile<'_>,
    layout: Layout,
    plan: SeriesPlan,
    mut reading: Reading,
    wanted: &Wanted,
) -> Result<(Reading, super::Series), FileError> {
    let SeriesPlan { time, values: columns, group, quantity, notes } = plan;
    let mut names: Vec<String> = Vec::new();
    let mut series = SeriesRows::default();
    let mut number = 0;
    let mut named = layout.has_names;
    each_record(file, layout, |record| {
        if std::mem::take(&mut named) {
            names = record.iter().map(str::to_owned).collect();
            return Ok(true);
        }
        let line = || record.line();
        let stamp = match &time {
            None => 0,
            Some((column, form, _)) => match form.parse(record.get(*column).unwrap_or_default()) {
                Some(stamp) => stamp,
                None => {
                    let reason = format!("its instant is none of {}", form.words());
                    reading.skip(line, &reason, wanted.strict)?;
                    return Ok(true);
                }
            },
        };
        reading.rows += 1;
        for column in &columns {
            let cell = record.get(*column).unwrap_or_default();
            let value = match values::measure(cell, layout.decimal_comma) {
                Some((value, _)) => value,
                None if is_missing(cell) => f64::NAN,
                None => {
                    reading.skip(line, "its value is no number", wanted.strict)?;
                    continue;
                }
            };
            if time.is_none() {
                if let Some(interval) = wanted.interval {
                    let one = series.named("values");
                    series.push_numbered(one, number, value, record.line(), interval);
                    number += 1;
                }
                continue;
            }
            let name = match group {
                Some(group) => record.get(group).unwrap_or_default(),
                None => names.get(*column).map_or("values", String::as_str),
            };
            let one = series.named(name);
            series.push(one, stamp, value, record.line());
        }
        Ok(true)
    })?;
    notes.into_iter().for_each(|note| reading.note(note));
    let (form, shown) = match time {
        Some((_, form, shown)) => (form, shown),
        None => {
            (series::NUMBERED, "none: the numbers follow each other at the interval that was said".into())
        }
    };
    reading.time = shown;
    let (quantity, factor) = quantity.map_or((None, 1.0), |(quantity, factor)| (Some(quantity), factor));
    series::build(reading, wanted, series, Known { quantity, factor, interval: None, form })
}
