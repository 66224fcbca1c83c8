//! Which columns of a table are what: told by names and by content, and refused where both leave several readings.

use super::sample::Sample;
use super::values::{self, Holds};
use super::wanted::{Quantity, SeriesChoice, Wanted, add};
use crate::sorting::Sorting as _;
use crate::traffic::error::nearest_name;
use crate::traffic::moment::{Looks, TimeForm, looks};
use crate::traffic::table::clip;
use crate::traffic::{Column, FileError, Unit};

/// How the rows of a table are to be read.
#[derive(Debug)]
pub(super) enum Plan {
    /// A request each.
    Requests(RequestPlan),
    /// Numbers of requests, an interval each.
    Series(SeriesPlan),
}

/// Columns of a table with a row a request.
#[derive(Debug)]
pub(super) struct RequestPlan {
    pub time: usize,
    pub form: TimeForm,
    /// The column and the form in words.
    pub time_shown: String,
    pub prompt_tokens: Option<usize>,
    pub output_tokens: Option<usize>,
    /// Column, and the unit of its numbers.
    pub duration: Option<(usize, Option<Unit>)>,
    /// Whether the instants are the ends of requests, and a duration takes them to their start.
    pub is_end: bool,
    pub notes: Vec<String>,
}

/// Columns of a table with a row an interval.
#[derive(Debug)]
pub(super) struct SeriesPlan {
    /// Column and form of the instants, and both in words; `None` if there are none.
    pub time: Option<(usize, TimeForm, String)>,
    pub values: Vec<usize>,
    /// The column that names the series of a row.
    pub group: Option<usize>,
    pub quantity: Option<(Quantity, f64)>,
    pub notes: Vec<String>,
}

/// A column that could hold the instants.
struct Candidate {
    at: usize,
    form: TimeForm,
    rank: u8,
    /// Whether it counts rows.
    counter: bool,
}

/// Cells of a form that make a column one of that form.
const MOST: f64 = 0.8;

/// What the columns of `sample` are.
///
/// # Errors
/// No column holds instants, several could, or rows could be requests as well as intervals; says what to add.
pub(super) fn choose(sample: &Sample, shown: &str, wanted: &Wanted) -> Result<Plan, FileError> {
    let mut notes = Vec::new();
    let time = time_column(sample, shown, wanted, &mut notes)?;
    if let Some(plan) = series(sample, shown, wanted, time.as_ref(), &mut notes)? {
        if let (Some((at, form, _)), None) = (&plan.time, wanted.unit) {
            refuse_serial_days(sample, shown, *at, *form)?;
        }
        return Ok(Plan::Series(plan));
    }
    let Some(Candidate { at, form, counter, .. }) = time else { return Err(no_time(sample, shown)) };
    refuse_serial_days(sample, shown, at, form)?;
    split_date(sample, shown, at)?;
    if counter {
        return Err(counts_rows_only(sample, shown, at));
    }
    let named =
        |column: &Option<Column>| column.as_ref().map(|column| position(sample, shown, column)).transpose();
    let by_name = |wanted: Holds| {
        (0..sample.columns()).find(|other| {
            *other != at
                && values::holds(sample.name(*other)) == wanted
                && sample.share(*other, is_number) >= MOST
        })
    };
    let prompt_tokens = named(&wanted.prompt_tokens)?.or_else(|| by_name(Holds::PromptTokens));
    let output_tokens = named(&wanted.output_tokens)?.or_else(|| by_name(Holds::OutputTokens));
    let duration = match named(&wanted.service_time)? {
        Some(column) => {
            let unit = wanted.service_unit.or_else(|| unit_in_name(sample.name(column)));
            if unit.is_none() && sample.share(column, is_number) > 0.0 {
                return Err(no_unit(sample, shown, column));
            }
            Some((column, unit))
        }
        None => duration(sample, at, wanted, &mut notes),
    };
    let is_end = values::holds(sample.name(at)) == Holds::End;
    if is_end {
        notes.push(match duration {
            Some(_) => format!("{} is the end of a request: its duration is taken off", sample.shown(at)),
            None => format!("{} is the end of a request: arrivals were earlier", sample.shown(at)),
        });
    }
    Ok(Plan::Requests(RequestPlan {
        time: at,
        form,
        time_shown: format!("{}, {}", sample.shown(at), form.words()),
        prompt_tokens,
        output_tokens,
        duration,
        is_end,
        notes,
    }))
}

pub(super) fn is_number(cell: &str) -> bool {
    cell.parse::<f64>().is_ok_and(f64::is_finite)
}

fn unit_in_name(name: &str) -> Option<Unit> {
    crate::traffic::doubt::unit_in_name(name)
}

/// The column that a user has named.
pub(super) fn position(sample: &Sample, shown: &str, column: &Column) -> Result<usize, FileError> {
    let columns = sample.columns();
    match column {
        Column::Number(number) if (1..=columns).contains(number) => Ok(number - 1),
        Column::Number(number) => {
            let what = format!("has {columns} columns");
            Err(FileError::whole(shown, &what, &format!("expected a column {number}")))
        }
        Column::Name(name) => sample.names.iter().position(|other| other == name).ok_or_else(|| {
            let names: Vec<&str> = sample.names.iter().map(String::as_str).collect();
            let quoted: Vec<String> = names.iter().take(8).map(|name| format!("`{}`", clip(name))).collect();
            let label = match names.is_empty() {
                true => "expected a number from 1, as it has no header".to_owned(),
                false => format!("expected a column among {}", quoted.join(", ")),
            };
            let error = FileError::whole(shown, &format!("has no column `{}`", clip(name)), &label);
            match nearest_name(name, &names) {
                Some(near) => error.with_help(format!("did you mean `{near}`?")),
                None => error,
            }
        }),
    }
}

/// The form of the instants in a column, if most of its cells have one.
fn form_of(sample: &Sample, at: usize) -> Option<TimeForm> {
    let mut forms: Vec<(TimeForm, usize)> = Vec::new();
    let mut all = 0;
    for cell in sample.cells(at) {
        all += 1;
        if let Looks::Time(form) = looks(cell) {
            match forms.iter_mut().find(|(known, _)| *known == form) {
                Some((_, count)) => *count += 1,
                None => forms.push((form, 1)),
            }
        }
    }
    let (form, count) = forms.into_iter().max_by_key(|(_, count)| *count)?;
    if count as f64 >= MOST * f64::from(all) {
        return Some(match form {
            TimeForm::Elapsed(_) => TimeForm::Elapsed(unit_in_name(sample.name(at)).unwrap_or(Unit::Seconds)),
            other => other,
        });
    }
    // Numbers of several lengths count from the start, however long some are.
    (sample.share(at, is_number) >= MOST)
        .then(|| TimeForm::Elapsed(unit_in_name(sample.name(at)).unwrap_or(Unit::Seconds)))
}

/// Whole numbers, each one more than the one above it.
fn counts_rows(sample: &Sample, at: usize) -> bool {
    let numbers: Option<Vec<i64>> = sample.cells(at).map(|cell| cell.parse().ok()).collect();
    numbers.is_some_and(|numbers| {
        numbers.len() >= 3 && numbers.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(1))
    })
}

fn ascends(sample: &Sample, at: usize) -> bool {
    let numbers: Vec<f64> = sample.cells(at).filter_map(|cell| cell.parse().ok()).collect();
    numbers.len() >= 2 && numbers.is_sorted() && numbers.first() != numbers.last()
}

fn time_column(
    sample: &Sample,
    shown: &str,
    wanted: &Wanted,
    notes: &mut Vec<String>,
) -> Result<Option<Candidate>, FileError> {
    if let Some(column) = &wanted.column {
        let at = position(sample, shown, column)?;
        refuse_ambiguous(sample, shown, at)?;
        let form = match wanted.unit {
            Some(unit) if sample.share(at, is_number) >= MOST => in_unit(sample, at, unit),
            _ => form_of(sample, at).ok_or_else(|| {
                let found = sample.cells(at).next().unwrap_or_default();
                let what = format!("has `{}` in {}", clip(found), sample.shown(at));
                FileError::whole(shown, &what, "expected dates or numbers that are instants")
            })?,
        };
        return Ok(Some(Candidate { at, form, rank: u8::MAX, counter: false }));
    }
    let mut candidates: Vec<Candidate> =
        (0..sample.columns()).filter_map(|at| candidate(sample, at)).collect();
    candidates.sort_once_by_key(|candidate| std::cmp::Reverse(candidate.rank));
    let best = candidates.iter().find(|candidate| !candidate.counter);
    let Some(best) = best else {
        for at in 0..sample.columns() {
            refuse_ambiguous(sample, shown, at)?;
        }
        // Rows counted by a number may still be intervals.
        return Ok(candidates.into_iter().next());
    };
    let rivals: Vec<usize> = candidates
        .iter()
        .filter(|other| !other.counter && other.rank == best.rank)
        .map(|other| other.at)
        .collect();
    if rivals.len() > 1 {
        let names: Vec<String> = rivals.iter().map(|at| sample.shown(*at)).collect();
        let what = format!("has instants in {}", names.join(" and in "));
        let error = FileError::whole(shown, &what, "expected to be told which is the arrival");
        let name = sample.name(rivals[0]);
        let twice = sample.names.iter().filter(|other| *other == name).count() > 1;
        let first = if twice { (rivals[0] + 1).to_string() } else { name.to_owned() };
        return Err(error.with_help(format!("choose one: {}", add("column", &first))));
    }
    let best_at = best.at;
    for other in candidates.iter().filter(|other| other.at != best_at) {
        notes.push(match other.counter {
            true => format!("{} counts rows: not taken for instants", sample.shown(other.at)),
            false => format!("{} holds instants too, and was not taken", sample.shown(other.at)),
        });
    }
    let mut best = candidates.into_iter().find(|candidate| candidate.at == best_at);
    if let (Some(best), Some(unit)) = (&mut best, wanted.unit)
        && sample.share(best.at, is_number) >= MOST
    {
        best.form = in_unit(sample, best.at, unit);
    }
    if let Some(Candidate { at, form: TimeForm::Elapsed(Unit::Seconds), .. }) = &best
        && wanted.unit.is_none()
        && unit_in_name(sample.name(*at)).is_none()
    {
        notes.push(format!("{} has small numbers: taken as seconds", sample.shown(*at)));
    }
    Ok(best)
}

/// Numbers in a unit that was said: since 1970 if that is a date of our time.
fn in_unit(sample: &Sample, at: usize, unit: Unit) -> TimeForm {
    const SINCE_2001_S: f64 = 978_307_200.0;
    const TO_2286_S: f64 = 1e10;
    let first = sample.cells(at).find_map(|cell| cell.parse::<f64>().ok()).unwrap_or(0.0) * unit.seconds();
    if (SINCE_2001_S..TO_2286_S).contains(&first) { TimeForm::Epoch(unit) } else { TimeForm::Elapsed(unit) }
}

fn candidate(sample: &Sample, at: usize) -> Option<Candidate> {
    let form = form_of(sample, at)?;
    let holds = values::holds(sample.name(at));
    let alone = sample.columns() == 1;
    let counter = !form.is_absolute() && counts_rows(sample, at);
    let rank = match (holds, form.is_absolute()) {
        (Holds::Duration | Holds::PromptTokens | Holds::OutputTokens, false) => return None,
        (Holds::Arrival(rank), true) => 10 + rank,
        (Holds::End, true) => 8,
        (_, true) => 9,
        _ if alone && (ascends(sample, at) || sample.rows.len() < 2) => 5,
        _ if counter => 0,
        (Holds::Arrival(rank @ 2..), false) => rank,
        (Holds::End, false) => 1,
        // A first column of numbers that rise.
        (Holds::Unknown, false) if at == 0 && ascends(sample, at) && !is_level(sample.name(at)) => 1,
        _ => return None,
    };
    Some(Candidate { at, form, rank, counter })
}

/// Whether a column is called as the levels of a load test are.
fn is_level(name: &str) -> bool {
    let name = values::plain(name);
    ["concurrency", "users", "vus", "connections", "clients", "batch", "sequences", "in_flight"]
        .iter()
        .any(|word| name.contains(word))
}

fn refuse_ambiguous(sample: &Sample, shown: &str, at: usize) -> Result<(), FileError> {
    let is_ambiguous = |cell: &str| looks(cell) == Looks::Ambiguous;
    if sample.share(at, is_ambiguous) < MOST {
        return Ok(());
    }
    let found = sample.cells(at).next().unwrap_or_default();
    let what = format!("has dates such as `{}` in {}", clip(found), sample.shown(at));
    let label = "expected dates that begin with the year, as day and month could be exchanged";
    let error = FileError::whole(shown, &what, label);
    Err(error.with_help("export them as 2024-11-05 09:00:00, or as seconds since 1970"))
}

/// Refuses the days since 1899-12-30 that spreadsheets write for dates: 46027.375 is 9 o'clock of 2026-01-05, and no number of
/// seconds.
fn refuse_serial_days(sample: &Sample, shown: &str, at: usize, form: TimeForm) -> Result<(), FileError> {
    // From 1990 to 2100.
    const DAYS: std::ops::Range<f64> = 32_874.0..73_051.0;
    let TimeForm::Elapsed(Unit::Seconds) = form else { return Ok(()) };
    let days: Vec<f64> = sample.cells(at).filter_map(|cell| cell.parse().ok()).collect();
    // Whole seconds of a day, to the digits that such numbers have.
    let is_clock = |day: &f64| {
        let seconds = day * 86_400.0;
        (seconds - seconds.round()).abs() < 0.01
    };
    let is_long = |cell: &&str| cell.split_once('.').is_some_and(|(_, fraction)| fraction.len() >= 4);
    let broken = sample.cells(at).filter(is_long).count();
    let all = days.iter().all(|day| DAYS.contains(day) && is_clock(day));
    if days.len() < 3 || !all || broken * 2 < days.len() {
        return Ok(());
    }
    let what =
        format!("has numbers such as {} in {}, which are days of a spreadsheet", days[0], sample.shown(at));
    let error = FileError::whole(shown, &what, "expected dates, or seconds since 1970");
    Err(error.with_help(
        "format the column as 2024-11-05 09:00:00 before the export; if they are seconds all the same: `unit = \"s\"` in the \
         scenario, `--unit s` on the command line",
    ))
}

fn no_time(sample: &Sample, shown: &str) -> FileError {
    let label = "expected dates, or numbers that are times";
    if sample.columns() == 0 {
        let what = "has no rows of a form that is known, and no list of objects with instants";
        let help = "the forms that are read are listed in docs/your-data.md; what is in a list of lists has to be taken out first";
        return FileError::whole(shown, what, label).with_help(help);
    }
    if is_prose(sample) {
        let line = sample.names.first().or_else(|| sample.rows.first()?.first()).map_or("", String::as_str);
        let what = format!("looks like the lines of a log in a form that is not read: `{}`", clip(line));
        let help = "logs are read as combined or common (Apache, nginx), ALB, CloudFront, Envoy, or with a JSON object a line; else \
                    make it a table with a column of instants";
        return FileError::whole(shown, &what, label).with_help(help);
    }
    let names: Vec<String> = (0..sample.columns().min(8)).map(|at| sample.shown(at)).collect();
    let what = format!("has no column of instants among {}", names.join(", "));
    // What its name says to be instants, and is written in a way that cannot be read.
    let called = |at: &usize| matches!(values::holds(sample.name(*at)), Holds::Arrival(2..) | Holds::End);
    let Some(at) = (0..sample.columns()).find(called) else {
        let error = FileError::whole(shown, &what, label);
        return error
            .with_help("name it with `column` (`--column NAME`), and its unit with `unit` (`--unit ms`)");
    };
    let found = sample.cells(at).next().unwrap_or_default();
    let what = format!("has `{}` in {}, which is no instant that can be read", clip(found), sample.shown(at));
    let help = match () {
        () if found.len() >= 4 && found.as_bytes()[..found.len().min(8)].contains(&b':') => {
            "a time of day needs its date: write 2024-11-05 09:00:00, or seconds since 1970"
        }
        () if ["am", "pm"].iter().any(|half| found.to_lowercase().ends_with(half)) => {
            "write hours from 0 to 23, as in 2024-11-05 21:00:00"
        }
        () if found.ends_with(|c: char| c.is_ascii_uppercase()) => {
            "a zone by its letters may be several: write its offset, as in 2024-11-05 09:00:00-08:00, or UTC"
        }
        () => {
            "write 2024-11-05 09:00:00 or seconds since 1970, or name another column with `column` (`--column NAME`)"
        }
    };
    FileError::whole(shown, &what, label).with_help(help)
}

/// Whether what was taken for names of columns is the line of a log: of many words, with a time of day among them.
fn is_prose(sample: &Sample) -> bool {
    let is_line = |text: &str| {
        let clock = |word: &str| {
            word.split(|c: char| c != ':' && !c.is_ascii_digit())
                .any(|part| part.len() >= 8 && part.split(':').count() == 3 && !part.starts_with(':'))
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        words.len() >= 5 && words.iter().any(|word| clock(word))
    };
    sample.names.iter().any(|name| is_line(name))
        || sample.rows.first().is_some_and(|row| row.iter().any(|cell| is_line(cell)))
}

/// Dates in one column and times of day in another.
fn split_date(sample: &Sample, shown: &str, at: usize) -> Result<(), FileError> {
    let is_day = |cell: &str| cell.len() == 10;
    let is_clock = |cell: &str| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = cell.split(':').collect();
        matches!(parts.as_slice(), [hour, minute, rest @ ..] if digits(hour) && digits(minute) && rest.len() <= 1)
    };
    let clock = (0..sample.columns()).find(|other| *other != at && sample.share(*other, is_clock) >= MOST);
    match clock {
        Some(clock) if sample.share(at, is_day) >= MOST => {
            let what =
                format!("has dates in {} and times of day in {}", sample.shown(at), sample.shown(clock));
            let error = FileError::whole(shown, &what, "expected instants in one column");
            Err(error.with_help("join the two in one column, as in 2024-11-05 09:00:00"))
        }
        _ => Ok(()),
    }
}

fn counts_rows_only(sample: &Sample, shown: &str, at: usize) -> FileError {
    let others: Vec<String> =
        (0..sample.columns()).filter(|other| *other != at).map(|at| sample.shown(at)).collect();
    let what = format!("has numbers in {} that rise by exactly 1: it counts rows", sample.shown(at));
    let label = match others.is_empty() {
        true => "expected a column of instants".to_owned(),
        false => format!("expected instants in {}", others.join(" or ")),
    };
    let error = FileError::whole(shown, &what, &label);
    error.with_help(format!("if they are seconds all the same: {}", add("column", sample.name(at))))
}

fn no_unit(sample: &Sample, shown: &str, at: usize) -> FileError {
    let what = format!("has numbers without a unit in {}", sample.shown(at));
    let error = FileError::whole(shown, &what, "expected to be told their unit");
    error.with_help(add("service_unit", "ms"))
}

/// The column that says how long requests took, if one does in a unit that is known.
fn duration(
    sample: &Sample,
    time: usize,
    wanted: &Wanted,
    notes: &mut Vec<String>,
) -> Option<(usize, Option<Unit>)> {
    let unit = |at: usize| wanted.service_unit.or_else(|| unit_in_name(sample.name(at)));
    let is = |at: &usize| {
        // In its own unit: nanoseconds taken for seconds would be longer than anything lasts.
        let unit = unit(*at).unwrap_or(Unit::Seconds);
        let is_one = |cell: &str| values::duration(cell, Some(unit), sample.decimal_comma).is_some();
        *at != time && values::holds(sample.name(*at)) == Holds::Duration && sample.share(*at, is_one) >= MOST
    };
    let found: Vec<usize> = (0..sample.columns()).filter(is).collect();
    let has_unit = |at: &usize| unit(*at).is_some() || sample.share(*at, is_number) == 0.0;
    let known: Vec<usize> = found.iter().copied().filter(has_unit).collect();
    match (known.as_slice(), found.as_slice()) {
        ([at], _) => {
            notes.push(format!(
                "{} is how long requests took, waiting at the server included{}",
                sample.shown(*at),
                unit(*at).map_or(String::new(), |unit| format!(", in {}", unit.plural()))
            ));
            Some((*at, unit(*at)))
        }
        ([], []) => None,
        ([], [at, ..]) => {
            notes.push(format!(
                "{} may be how long requests took, but has no unit: not used ({})",
                sample.shown(*at),
                add("service_unit", "ms")
            ));
            None
        }
        (several, _) => {
            let names: Vec<String> = several.iter().map(|at| sample.shown(*at)).collect();
            notes.push(format!(
                "{} may be how long requests took: none is used ({})",
                names.join(" and "),
                add("service_time", sample.name(several[0]))
            ));
            None
        }
    }
}

/// The reading as numbers per interval, if that is what the rows are.
fn series(
    sample: &Sample,
    shown: &str,
    wanted: &Wanted,
    time: Option<&Candidate>,
    notes: &mut Vec<String>,
) -> Result<Option<SeriesPlan>, FileError> {
    let is_said = wanted.values.is_some() || wanted.series.is_some() || wanted.interval.is_some();
    let at_time = time.map(|time| time.at);
    let others: Vec<usize> = (0..sample.columns()).filter(|at| Some(*at) != at_time).collect();
    let is_value = |cell: &str| values::measure(cell, sample.decimal_comma).is_some() || is_missing(cell);
    let numeric: Vec<usize> =
        others.iter().copied().filter(|at| sample.share(*at, is_value) >= MOST).collect();
    let by_unit = |at: usize| {
        let unit = sample.cells(at).find_map(|cell| values::measure(cell, sample.decimal_comma))?.1;
        values::quantity_of_unit(unit)
    };
    let known = |at: usize| by_unit(at).or_else(|| values::quantity_of_name(sample.name(at)));
    let is_request_column = |at: &usize| {
        matches!(values::holds(sample.name(*at)), Holds::Duration | Holds::PromptTokens | Holds::OutputTokens)
    };
    let group = others.iter().copied().find(|at| {
        let name = values::plain(sample.name(*at));
        ["group", "series", "metric", "name", "scope", "tags"].contains(&name.as_str())
            && !numeric.contains(at)
    });
    let counted: Vec<usize> = numeric.iter().copied().filter(|at| known(*at).is_some()).collect();
    let unknown: Vec<usize> = numeric.iter().copied().filter(|at| !is_request_column(at)).collect();
    let regular = time.is_some_and(|time| is_regular(sample, time));
    // What says nothing of how many requests came: names, codes, and instants in another form.
    let says_nothing = |at: &usize| {
        form_of(sample, *at).is_some_and(TimeForm::is_absolute)
            || ["status", "code", "port", "id", "bytes", "size", "index", "row"]
                .iter()
                .any(|word| values::plain(sample.name(*at)).split('_').any(|part| part == *word))
    };
    let asked: Vec<usize> = unknown.iter().copied().filter(|at| !says_nothing(at)).collect();
    let evenly = regular && time.is_some_and(|time| is_even(sample, time));
    if wanted.format.as_deref().is_some_and(|format| ["csv", "json_lines"].contains(&format)) && !is_said {
        return Ok(None);
    }
    if time.is_none() || time.is_some_and(|time| time.counter && !counted.is_empty()) {
        return without_times(sample, shown, wanted, &numeric, &counted, notes);
    }
    let by_name = match &wanted.series {
        Some(SeriesChoice::Named(name)) => numeric.iter().copied().find(|at| sample.name(*at) == name),
        _ => None,
    };
    let values = match (counted.as_slice(), group) {
        _ if by_name.is_some() && group.is_none() => by_name.into_iter().collect(),
        _ if !is_said && numeric.iter().any(is_request_column) && counted.is_empty() => return Ok(None),
        (_, Some(_)) if regular || is_said || numeric.len() == 1 => numeric.clone(),
        ([_, ..], _) => counted.clone(),
        ([], _) if is_said => unknown.clone(),
        ([], None) if regular && !unknown.is_empty() && others.len() == numeric.len() => {
            return Err(ask_rows(sample, shown, &unknown));
        }
        // No requests come as evenly as this.
        ([], None) if evenly && !asked.is_empty() => return Err(ask_rows(sample, shown, &asked)),
        ([], None) if regular => match others.iter().find_map(|at| unread_number(sample, *at)) {
            Some(error) => return Err(error(shown)),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    if values.is_empty() {
        return Err(FileError::whole(
            shown,
            "has no column of numbers",
            "expected numbers of requests per interval",
        ));
    }
    let ignored: Vec<String> = others
        .iter()
        .filter(|at| !values.contains(at) && Some(**at) != group)
        .map(|at| sample.shown(*at))
        .collect();
    if !ignored.is_empty() {
        notes.push(format!("not used: {}", ignored.join(", ")));
    }
    let quantity = values.first().and_then(|at| known(*at));
    let time =
        time.map(|time| (time.at, time.form, format!("{}, {}", sample.shown(time.at), time.form.words())));
    Ok(Some(SeriesPlan { time, values, group, quantity, notes: std::mem::take(notes) }))
}

/// Cells that monitoring tools write for no value.
pub(super) fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    ["", "null", "nan", "n/a", "-", "none", "undefined"].iter().any(|word| cell.eq_ignore_ascii_case(word))
}

fn is_regular(sample: &Sample, time: &Candidate) -> bool {
    const SECOND: i64 = 1_000_000_000;
    let stamps: Vec<i64> = sample.cells(time.at).filter_map(|cell| time.form.parse(cell)).collect();
    let gaps: Vec<i64> =
        stamps.windows(2).map(|pair| pair[1].saturating_sub(pair[0]).saturating_abs()).collect();
    let Some(step) = gaps.iter().copied().filter(|gap| *gap > 0).min() else { return false };
    let even = gaps.iter().filter(|gap| **gap % step == 0).count();
    let same = gaps.iter().filter(|gap| **gap == step).count();
    step >= SECOND && even == gaps.len() && same * 10 >= gaps.len() * 6
}

/// Whether many rows lie exactly one step apart each.
fn is_even(sample: &Sample, time: &Candidate) -> bool {
    const MANY: usize = 10;
    let stamps: Vec<i64> = sample.cells(time.at).filter_map(|cell| time.form.parse(cell)).collect();
    let steps: Vec<i64> = stamps.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    steps.len() >= MANY && steps.iter().all(|step| *step != 0 && *step == steps[0])
}

/// Numbers one after the other, without times.
fn without_times(
    sample: &Sample,
    shown: &str,
    wanted: &Wanted,
    numeric: &[usize],
    counted: &[usize],
    notes: &mut Vec<String>,
) -> Result<Option<SeriesPlan>, FileError> {
    let values = if counted.is_empty() { numeric } else { counted };
    if values.is_empty() || (sample.columns() > 1 && counted.is_empty() && wanted.interval.is_none()) {
        return Ok(None);
    }
    if wanted.interval.is_none() {
        let called = |at: usize| matches!(values::holds(sample.name(at)), Holds::Arrival(2..) | Holds::End);
        if time_is_unread(sample, called) {
            return Err(no_time(sample, shown));
        }
        let what = format!("has numbers without times in {}", sample.shown(values[0]));
        let error =
            FileError::whole(shown, &what, "expected instants, or the interval that each number is of");
        return Err(error.with_help(format!(
            "say both: {}, and {}",
            add("interval", "1s"),
            add("values", "counts")
        )));
    }
    let quantity = values.first().and_then(|at| values::quantity_of_name(sample.name(*at)));
    Ok(Some(SeriesPlan {
        time: None,
        values: values.to_vec(),
        group: None,
        quantity,
        notes: std::mem::take(notes),
    }))
}

/// Whether a column is called as instants are, and holds none that can be read.
fn time_is_unread(sample: &Sample, called: impl Fn(usize) -> bool) -> bool {
    (0..sample.columns())
        .any(|at| called(at) && sample.share(at, is_number) < MOST && form_of(sample, at).is_none())
}

/// What is to be said of a column of numbers that are written in a way that is not read, if it is one.
fn unread_number(sample: &Sample, at: usize) -> Option<impl Fn(&str) -> FileError> {
    let is_one = |cell: &str| {
        let start = cell.trim().trim_start_matches('-').split(char::is_alphabetic).next().unwrap_or_default();
        let is_number = start.starts_with(|c: char| c.is_ascii_digit())
            && start.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || ".,'".contains(c))
            && start.trim().contains(|c: char| c.is_whitespace() || ",'".contains(c));
        is_number && values::measure(cell, sample.decimal_comma).is_none() && looks(cell) == Looks::Other
    };
    let cell =
        sample.cells(at).find(|cell| is_one(cell)).filter(|_| sample.share(at, is_one) >= 0.5)?.to_owned();
    let column = sample.shown(at);
    Some(move |shown: &str| {
        let what =
            format!("has evenly spaced rows with `{}` in {column}, a number that is not read", clip(&cell));
        FileError::whole(
            shown,
            &what,
            "expected numbers as `1234.5`, or as `1234,5` where semicolons separate the cells",
        )
    })
}

fn ask_rows(sample: &Sample, shown: &str, values: &[usize]) -> FileError {
    let names: Vec<String> = values.iter().take(4).map(|at| sample.shown(*at)).collect();
    let what = format!("has evenly spaced rows with numbers in {}", names.join(", "));
    let error =
        FileError::whole(shown, &what, "expected to be told whether a row is a request or an interval");
    error.with_help(format!(
        "for requests in each interval: {}; for requests per second: {}; for a request a row: {}",
        add("values", "counts"),
        add("values", "rates"),
        add("format", "csv")
    ))
}
