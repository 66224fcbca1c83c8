//! Tables with the header of a known data set.

use super::super::choose::RequestPlan;
use super::super::plain_rows::PlainRows;
use super::super::reading::Reading;
use super::super::requests::Row;
use super::super::sample::Sample;
use super::super::table::{self, Layout};
use super::super::values::plain;
use super::super::wanted::Wanted;
use super::super::{Recorded, choose};
use super::{Head, Likeness, Recording};
use crate::files::NamedFile;
use crate::traffic::moment::{Looks, TimeForm, looks};
use crate::traffic::{FileError, Unit};

/// What becomes of a row by its status; what is counted and said as a note.
pub(super) type Judge = fn(&str, &mut Row) -> Option<&'static str>;

/// The columns of a known table.
pub(super) struct Known<'a> {
    /// Name of the form, and what it is.
    pub form: (&'a str, &'a str),
    /// Column of the instants.
    pub time: &'a str,
    pub prompt_tokens: Option<&'a str>,
    pub output_tokens: Option<&'a str>,
    /// Column of the time that a request took, and its unit.
    pub duration: Option<(&'a str, Unit)>,
    /// Whether the instants are the ends of requests.
    pub is_end: bool,
    /// A column, and what it holds in rows of requests; the others are of something else, and left out.
    pub only: Option<(&'a str, &'a str)>,
    /// A column, and what becomes of a row by its cell; what is counted is said as a note.
    pub status: Option<(&'a str, Judge)>,
}

/// How like a table with these columns a file is, by its first line.
pub(super) fn likeness(head: &Head, names: &[&str]) -> Likeness {
    let header: Vec<&str> = head
        .lines()
        .next()
        .unwrap_or_default()
        .split(',')
        .map(|cell| cell.trim().trim_matches('"'))
        .collect();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !header.contains(name)).collect();
    if missing.is_empty() {
        return Likeness::Yes;
    }
    let alike: Vec<String> = header.iter().map(|name| plain(name)).collect();
    let found = names.iter().filter(|name| alike.contains(&plain(name))).count();
    // A column or two in common is chance; so is what has another name for most.
    if names.len() >= 3 && found * 3 >= names.len() * 2 {
        let quoted: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        return Likeness::Close(format!("has no column {}", quoted.join(", ")));
    }
    Likeness::No
}

/// Reads a table with the columns of `known`.
pub(super) fn read(
    file: &NamedFile<'_>,
    head: &Head,
    wanted: &Wanted,
    known: &Known<'_>,
) -> Result<Recording, FileError> {
    let wanted = &wanted.of_table();
    let (layout, sample) = table::sample(file, head)?;
    let at =
        |name: &str| choose::position(&sample, file.shown, &crate::traffic::Column::Name(name.to_owned()));
    let maybe = |name: Option<&str>| name.map(at).transpose();
    let time = at(known.time)?;
    let form = form(&sample, time);
    let plan = RequestPlan {
        time,
        form,
        time_shown: format!("column `{}`, {}", known.time, form.words()),
        prompt_tokens: maybe(known.prompt_tokens)?,
        output_tokens: maybe(known.output_tokens)?,
        duration: known.duration.map(|(name, unit)| Ok((at(name)?, Some(unit)))).transpose()?,
        is_end: known.is_end,
        notes: Vec::new(),
    };
    let status = known.status.map(|(name, judge)| Ok::<_, FileError>((at(name)?, judge))).transpose()?;
    let only = known.only.map(|(name, cell)| Ok::<_, FileError>((at(name)?, cell))).transpose()?;
    let mut others = 0_u64;
    let mut reading = Reading::of(file.shown, known.form.0, known.form.1);
    reading.time.clone_from(&plan.time_shown);
    let mut judged: Vec<(&'static str, u64)> = Vec::new();
    let columns = sample.columns();
    let plain = PlainRows::new(layout.delimiter, layout.decimal_comma, columns, &plan)
        .filter(|_| status.is_none() && only.is_none());
    let layout = Layout { has_names: true, ..layout };
    let gathered =
        table::gather(file, (layout, columns), plain.as_ref(), (&mut reading, wanted.strict), |record| {
            if only.is_some_and(|(at, cell)| record.get(at) != Some(cell)) {
                others += 1;
                return Ok(None);
            }
            let mut row = table::row(|at| record.get(at).unwrap_or_default(), &plan, false)?;
            if let Some((at, judge)) = status
                && let Some(judgement) = judge(record.get(at).unwrap_or_default(), &mut row)
            {
                match judged.iter_mut().find(|(known, _)| *known == judgement) {
                    Some((_, count)) => *count += 1,
                    None => judged.push((judgement, 1)),
                }
            }
            Ok(Some(row))
        })?;
    if let Some((name, cell)) = known.only.filter(|_| others > 0) {
        reading.note(format!(
            "{others} rows without `{cell}` in column `{name}` are of something else: left out"
        ));
    }
    for (judgement, count) in judged {
        reading.note(format!("{count} rows {judgement}"));
    }
    if known.is_end {
        reading.note("the instants are the ends of requests: their durations are taken off");
    }
    let (reading, requests) = gathered.finish(reading, wanted, form, known.duration.is_some())?;
    Ok(Recording { reading, content: Recorded::Requests(requests) })
}

fn form(sample: &Sample, time: usize) -> TimeForm {
    let forms = sample.cells(time).filter_map(|cell| match looks(cell) {
        Looks::Time(form) => Some(form),
        _ => None,
    });
    let forms: Vec<TimeForm> = forms.collect();
    match forms.first() {
        Some(first) if forms.iter().all(|form| form == first) => *first,
        _ => TimeForm::Elapsed(Unit::Seconds),
    }
}
