//! Numbers of requests per interval, made of the points that a form gives: chosen or added up, put in order, on a grid.

use super::reading::Reading;
use super::series_rows::{self, AllSeries, Facts, SeriesRows};
use super::wanted::{Gaps, Quantity, SeriesChoice, Wanted, add};
use crate::time::Span;
use crate::traffic::error::nearest_name;
use crate::traffic::moment::{self, TimeForm};
use crate::traffic::table::clip;
use crate::traffic::{FileError, Unit};

/// Intervals of which no one has a file: a millisecond over a month.
const MOST_INTERVALS: u64 = 100_000_000;

/// Intervals that are held whatever the number of values.
const FEW_INTERVALS: u64 = 1_000_000;

/// Intervals a value of a longer file, beyond which it is none with gaps.
const MOST_APART: u64 = 1_000;

/// Numbers of requests, an interval each.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Start of the first interval, nanoseconds since 1970; `None` if the file does not tell the date.
    pub origin: Option<i64>,
    /// Length of an interval, above 0.
    pub interval: Span,
    /// Requests in each interval; NaN where the file has no value.
    pub counts: Vec<f64>,
    /// What the file wrote.
    pub quantity: Quantity,
}

impl Series {
    /// Intervals without a value.
    pub fn gaps(&self) -> usize {
        self.counts.iter().filter(|count| count.is_nan()).count()
    }

    /// The counts, with the intervals without a value filled as `gaps` says; `None` if there are some and it says nothing.
    pub fn filled(&self, gaps: Option<Gaps>) -> Option<Vec<f64>> {
        let mut last = 0.0;
        let fill = |count: &f64| match (count.is_nan(), gaps) {
            (false, _) => {
                last = *count;
                Some(*count)
            }
            (true, Some(Gaps::Zero)) => Some(0.0),
            (true, Some(Gaps::Hold)) => Some(last),
            (true, None) => None,
        };
        self.counts.iter().map(fill).collect()
    }
}

/// What a form knows of its series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// What the values are, if the form says.
    pub quantity: Option<Quantity>,
    /// Requests per second, or requests, for a value of 1.
    pub factor: f64,
    /// Length of an interval, if the form says.
    pub interval: Option<Span>,
    /// How instants are written.
    pub form: TimeForm,
}

/// The series of a file.
///
/// # Errors
/// There is none, or several and none was chosen; points are no numbers of requests, lie at one instant or not on a grid;
/// or nothing says what the values are.
pub(super) fn build(
    mut reading: Reading,
    wanted: &Wanted,
    series: SeriesRows,
    known: Known,
) -> Result<(Reading, Series), FileError> {
    let series = series.ordered(&mut reading)?;
    let file = reading.file.clone();
    let some = || series.facts.iter().filter(|facts| facts.values > 0);
    let (Some(first), Some(last)) =
        (some().map(|facts| facts.first).min(), some().map(|facts| facts.last).max())
    else {
        return Err(FileError::whole(&file, "has no values", "expected at least one series with values"));
    };
    let interval = interval(&reading, wanted, &series, known)?;
    let length = interval.as_nanos() as i64;
    let span = last.saturating_sub(first).unsigned_abs();
    let intervals = span.saturating_add(interval.as_nanos() / 2) / interval.as_nanos() + 1;
    if intervals > MOST_INTERVALS {
        let what = format!("has {intervals} intervals of {interval}");
        return Err(
            FileError::whole(&file, &what, "expected at most 100 million").with_help("check the instants")
        );
    }
    // Before anything is held for each interval: a wrong instant or two make a few values a file of millions.
    if intervals > FEW_INTERVALS && intervals / series.len() as u64 > MOST_APART {
        let what = format!("has values in {} of {intervals} intervals of {interval} at most", series.len());
        let (from, to) =
            (moment::shown(first, known.form.is_absolute()), moment::shown(last, known.form.is_absolute()));
        return Err(FileError::whole(&file, &what, "expected values at even intervals").with_help(format!(
            "check the instants, from {from} to {to}: the unit may be another, or one of them wrong"
        )));
    }
    let chosen = choose(&series.names, &mut reading, wanted)?;
    let quantity = quantity(&mut reading, wanted, known)?;
    chosen
        .iter()
        .try_for_each(|one| refuse_total(&series.names[*one], &series.facts[*one], &mut reading, quantity))?;
    let factor = known.factor * if quantity == Quantity::Rates { interval.as_secs_f64() } else { 1.0 };

    // Of each series the interval of its last value, which is never before that of the one before.
    let mut before: Vec<Option<i64>> = vec![None; series.names.len()];
    let mut is_chosen = vec![false; series.names.len()];
    chosen.iter().for_each(|one| is_chosen[*one] = true);
    let are_several = chosen.len() > 1;
    let mut counts = vec![if are_several { 0.0 } else { f64::NAN }; intervals as usize];
    // Where one has no value the sum has none.
    let mut missing = vec![chosen.len() as u32; if are_several { counts.len() } else { 0 }];
    let mut infinite = 0_u64;
    for (one, at, value, line) in series.rows().filter(|(one, ..)| is_chosen[*one]) {
        let offset = at.saturating_sub(first);
        let slot = offset.saturating_add(length / 2) / length;
        if (offset - slot * length).abs() > length / 50 {
            let what = format!(
                ": {} is not a whole number of intervals of {interval} after {}",
                moment::shown(at, known.form.is_absolute()),
                moment::shown(first, known.form.is_absolute())
            );
            let label = "expected values at even intervals".to_owned();
            return Err(FileError::at_line(&file, line, &what, label)
                .with_help("if each row is a request, say `format = \"csv\"` (`--format csv`)"));
        }
        if before[one].replace(slot) == Some(slot) {
            return Err(series_rows::twice(&file, line));
        }
        if value < 0.0 {
            let what = format!(": {value} is no number of requests");
            return Err(FileError::at_line(&file, line, &what, "expected 0 or more".into()));
        }
        infinite += u64::from(value.is_infinite());
        let value = if value.is_finite() { value * factor } else { f64::NAN };
        match missing.get_mut(slot as usize) {
            Some(missing) => {
                counts[slot as usize] += value;
                *missing -= 1;
            }
            None => counts[slot as usize] = value,
        }
    }
    for (count, missing) in counts.iter_mut().zip(missing) {
        if missing > 0 {
            *count = f64::NAN;
        }
    }
    if infinite > 0 {
        reading.note(format!("{infinite} values are infinite: taken as missing"));
    }
    reading.used = chosen.iter().map(|one| series.facts[*one].values).sum();
    reading.rows = reading.rows.max(reading.used + reading.skipped_rows());
    reading.is_enough()?;
    reading.set_span(first, last, known.form.is_absolute());
    let origin = known.form.is_absolute().then_some(first);
    let series = Series { origin, interval, counts, quantity };
    describe(&mut reading, &series, first, known.form)?;
    Ok((reading, series))
}

/// Refuses a counter that runs since its start, by its name and by values that never fall; without such a name it is noted.
fn refuse_total(
    series: &str,
    facts: &Facts,
    reading: &mut Reading,
    quantity: Quantity,
) -> Result<(), FileError> {
    const MANY: u64 = 10;
    let rises = !facts.falls && facts.rises * 2 > facts.finite;
    if quantity == Quantity::Rates || facts.finite < 3 || !rises {
        return Ok(());
    }
    let name = series.to_lowercase();
    let is_named = ["_total", "_count", "_sum", "counter", "cumulative"].iter().any(|end| name.contains(end));
    if is_named {
        let what = format!(
            "has values in `{}` that only rise, from {} to {}: a total since some start",
            clip(series),
            facts.first_finite,
            facts.last_finite
        );
        let error = FileError::whole(&reading.file, &what, "expected the requests of each interval");
        return Err(error.with_help(
            "take the difference from row to row; of Prometheus ask for `increase(metric[1m])` with a step of 1m, or `rate(metric[1m])`",
        ));
    }
    if facts.finite >= MANY {
        reading
            .note("its values never fall: if they are a running total, take the difference from row to row");
    }
    Ok(())
}

fn interval(reading: &Reading, wanted: &Wanted, series: &AllSeries, known: Known) -> Result<Span, FileError> {
    let smallest = series.facts.iter().filter_map(|facts| facts.gap).min().map(Span::from_nanos);
    let agreed = known.interval.or(smallest);
    match (wanted.interval, agreed) {
        (Some(said), Some(found)) if !near(said, found) => {
            let what = format!("has values {found} apart, but `interval` is {said}");
            Err(FileError::whole(&reading.file, &what, "expected the interval of the file, or none"))
        }
        (Some(said), _) => Ok(said),
        (None, Some(found)) if !found.is_zero() => Ok(found),
        _ => {
            let error = FileError::whole(
                &reading.file,
                "has one value: its interval is not known",
                "expected two or more",
            );
            Err(error.with_help(format!("say it: {}", add("interval", "1m"))))
        }
    }
}

fn near(one: Span, other: Span) -> bool {
    one.as_nanos().abs_diff(other.as_nanos()) <= other.as_nanos() / 100
}

/// Which series are meant.
fn choose(names: &[String], reading: &mut Reading, wanted: &Wanted) -> Result<Vec<usize>, FileError> {
    let count = names.len();
    match &wanted.series {
        Some(SeriesChoice::Sum) => {
            if count > 1 {
                reading.note(format!("{count} series are added up; where one has no value the sum has none"));
            }
            Ok((0..count).collect())
        }
        Some(SeriesChoice::Named(name)) => {
            let found: Vec<usize> = (0..count).filter(|one| names[*one] == *name).collect();
            if found.is_empty() {
                let label = format!("expected one of {}", listed(names));
                let error =
                    FileError::whole(&reading.file, &format!("has no series `{}`", clip(name)), &label);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                return Err(match nearest_name(name, &names) {
                    Some(near) => error.with_help(format!("did you mean `{near}`?")),
                    None => error.with_help(format!("or add them up: {}", add("series", "sum"))),
                });
            }
            if count > 1 {
                reading.note(format!("series `{name}` of {count}"));
            }
            Ok(found)
        }
        None if count > 1 => {
            let what = format!("has {count} series: {}", listed(names));
            let error = FileError::whole(&reading.file, &what, "expected one, or a choice");
            let first = names.first().map_or("", String::as_str);
            Err(error.with_help(format!(
                "choose one: {}; or add them up: {}",
                add("series", first),
                add("series", "sum")
            )))
        }
        None => Ok((0..count).collect()),
    }
}

fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{}`", clip(name))).collect();
    format!("{}{}", shown.join(", "), if names.len() > MOST { ", …" } else { "" })
}

fn quantity(reading: &mut Reading, wanted: &Wanted, known: Known) -> Result<Quantity, FileError> {
    let words = |quantity| match quantity {
        Quantity::Counts => "requests in each interval",
        Quantity::Rates => "requests per second",
    };
    match (wanted.values, known.quantity) {
        (Some(said), Some(found)) if said != found => {
            reading.note(format!(
                "its values look like {}; taken for {}, as was said",
                words(found),
                words(said)
            ));
            Ok(said)
        }
        (Some(said), _) => Ok(said),
        (None, Some(found)) => {
            let scaled = match known.factor {
                1.0 => words(found).to_owned(),
                factor if (60.0 * factor - 1.0).abs() < 1e-9 => "requests per minute".to_owned(),
                factor => format!("{}, times {factor}", words(found)),
            };
            reading.note(format!("its values are {scaled}"));
            Ok(found)
        }
        (None, None) => {
            let error = FileError::whole(
                &reading.file,
                "does not say whether its values are requests in an interval or requests per second",
                "expected a unit, or to be told",
            );
            Err(error.with_help(format!("{}; or {}", add("values", "counts"), add("values", "rates"))))
        }
    }
}

fn describe(reading: &mut Reading, series: &Series, first: i64, form: TimeForm) -> Result<(), FileError> {
    reading.note(format!("{} intervals of {}", series.counts.len(), series.interval));
    let at = |index: usize| {
        let nanos = first.saturating_add((index as u64).saturating_mul(series.interval.as_nanos()) as i64);
        moment::shown(nanos, form.is_absolute())
    };
    let (mut empty, mut runs, mut shown) = (0, 0, Vec::new());
    let mut end = 0;
    for run in series.counts.chunk_by(|one, other| one.is_nan() == other.is_nan()) {
        let start = end;
        end += run.len();
        if run[0].is_nan() {
            empty += run.len();
            runs += 1;
            if shown.len() < 3 {
                shown.push(match run.len() {
                    1 => at(start),
                    length => format!("{} to {} ({length})", at(start), at(end - 1)),
                });
            }
        }
    }
    if empty > 0 {
        let more = if runs > shown.len() { ", …" } else { "" };
        reading.note(format!("{empty} intervals have no value: {}{more}", shown.join(", ")));
    }
    let total: f64 = series.counts.iter().filter(|count| count.is_finite()).sum();
    let days = series.counts.len() as f64 * series.interval.as_secs_f64() / 86_400.0;
    if days > 50.0 * 365.0 || (total > 0.0 && days > 3.0 && total < days) {
        let what = format!(
            "would have {total:.1} requests over {days:.0} days, with {} read as {}",
            reading.time,
            form.words()
        );
        let error = FileError::whole(&reading.file, &what, "expected a request a day or more");
        return Err(
            error.with_help("say the unit of the instants with `unit`, or their column with `column`")
        );
    }
    Ok(())
}

/// How instants of values that have none are written.
pub(super) const NUMBERED: TimeForm = TimeForm::Elapsed(Unit::Seconds);
