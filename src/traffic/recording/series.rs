//! Numbers of requests per interval, made of the points that a form gives: chosen or added up, put in order, on a grid.

use super::reading::Reading;
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

/// One series as a form gives it.
#[derive(Debug, Clone, Default)]
pub(super) struct Points {
    pub name: String,
    /// Instant, value (NaN: none), and the line or the number of the point.
    pub points: Vec<(i64, f64, u64)>,
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
    mut series: Vec<Points>,
    known: Known,
) -> Result<(Reading, Series), FileError> {
    for one in &mut series {
        order(one, &mut reading)?;
    }
    let file = reading.file.clone();
    let all: Vec<i64> = series.iter().flat_map(|one| one.points.iter().map(|(at, ..)| *at)).collect();
    let (Some(first), Some(last)) = (all.iter().min().copied(), all.iter().max().copied()) else {
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
    if intervals > FEW_INTERVALS && intervals / all.len() as u64 > MOST_APART {
        let what = format!("has values in {} of {intervals} intervals of {interval} at most", all.len());
        let (from, to) =
            (moment::shown(first, known.form.is_absolute()), moment::shown(last, known.form.is_absolute()));
        return Err(FileError::whole(&file, &what, "expected values at even intervals").with_help(format!(
            "check the instants, from {from} to {to}: the unit may be another, or one of them wrong"
        )));
    }
    let chosen = choose(series, &mut reading, wanted)?;
    let quantity = quantity(&mut reading, wanted, known)?;
    chosen.iter().try_for_each(|one| refuse_total(one, &mut reading, quantity))?;
    let factor = known.factor * if quantity == Quantity::Rates { interval.as_secs_f64() } else { 1.0 };

    let mut counts = vec![if chosen.is_empty() { f64::NAN } else { 0.0 }; intervals as usize];
    let mut infinite = 0_u64;
    for one in &chosen {
        let mut own = vec![f64::NAN; counts.len()];
        for (at, value, line) in &one.points {
            let offset = at.saturating_sub(first);
            let slot = offset.saturating_add(length / 2) / length;
            if (offset - slot * length).abs() > length / 50 {
                let what = format!(
                    ": {} is not a whole number of intervals of {interval} after {}",
                    moment::shown(*at, known.form.is_absolute()),
                    moment::shown(first, known.form.is_absolute())
                );
                let label = "expected values at even intervals".to_owned();
                return Err(FileError::at_line(&file, *line, &what, label)
                    .with_help("if each row is a request, say `format = \"csv\"` (`--format csv`)"));
            }
            if *value < 0.0 {
                let what = format!(": {value} is no number of requests");
                return Err(FileError::at_line(&file, *line, &what, "expected 0 or more".into()));
            }
            infinite += u64::from(value.is_infinite());
            own[slot as usize] = if value.is_finite() { value * factor } else { f64::NAN };
        }
        for (count, own) in counts.iter_mut().zip(own) {
            *count += own;
        }
    }
    if infinite > 0 {
        reading.note(format!("{infinite} values are infinite: taken as missing"));
    }
    reading.used = chosen.iter().map(|one| one.points.len() as u64).sum();
    reading.rows = reading.rows.max(reading.used + reading.skipped_rows());
    reading.is_enough()?;
    reading.set_span(first, last, known.form.is_absolute());
    let origin = known.form.is_absolute().then_some(first);
    let series = Series { origin, interval, counts, quantity };
    describe(&mut reading, &series, first, known.form)?;
    Ok((reading, series))
}

/// Refuses a counter that runs since its start, by its name and by values that never fall; without such a name it is noted.
fn refuse_total(series: &Points, reading: &mut Reading, quantity: Quantity) -> Result<(), FileError> {
    const MANY: usize = 10;
    let values: Vec<f64> =
        series.points.iter().map(|(_, value, _)| *value).filter(|value| value.is_finite()).collect();
    let rises =
        values.is_sorted() && values.windows(2).filter(|pair| pair[1] > pair[0]).count() * 2 > values.len();
    if quantity == Quantity::Rates || values.len() < 3 || !rises {
        return Ok(());
    }
    let name = series.name.to_lowercase();
    let is_named = ["_total", "_count", "_sum", "counter", "cumulative"].iter().any(|end| name.contains(end));
    if is_named {
        let what = format!(
            "has values in `{}` that only rise, from {} to {}: a total since some start",
            clip(&series.name),
            values[0],
            values[values.len() - 1]
        );
        let error = FileError::whole(&reading.file, &what, "expected the requests of each interval");
        return Err(error.with_help(
            "take the difference from row to row; of Prometheus ask for `increase(metric[1m])` with a step of 1m, or `rate(metric[1m])`",
        ));
    }
    if values.len() >= MANY {
        reading
            .note("its values never fall: if they are a running total, take the difference from row to row");
    }
    Ok(())
}

fn order(series: &mut Points, reading: &mut Reading) -> Result<(), FileError> {
    let points = &mut series.points;
    if !points.is_sorted_by_key(|(at, ..)| *at) {
        let newest_first = points.is_sorted_by(|(one, ..), (other, ..)| one >= other);
        reading.note(match newest_first {
            true => "its values are newest first: turned round",
            false => "its values are in no order: sorted by their instants",
        });
        points.sort_by_key(|(at, ..)| *at);
    }
    match points.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        None => Ok(()),
        Some(pair) => {
            let line = pair[1].2.max(pair[0].2);
            let what = ": its instant stands in another row too".to_owned();
            let label = "expected one value an interval".to_owned();
            Err(FileError::at_line(&reading.file, line, &what, label)
                .with_help("if each row is a request, say `format = \"csv\"` (`--format csv`)"))
        }
    }
}

fn interval(reading: &Reading, wanted: &Wanted, series: &[Points], known: Known) -> Result<Span, FileError> {
    let gaps =
        series.iter().flat_map(|one| one.points.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0)));
    let smallest = gaps.min().map(|nanos| Span::from_nanos(nanos.unsigned_abs()));
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

fn choose(series: Vec<Points>, reading: &mut Reading, wanted: &Wanted) -> Result<Vec<Points>, FileError> {
    let names: Vec<String> = series.iter().map(|one| one.name.clone()).collect();
    let count = names.len();
    match &wanted.series {
        Some(SeriesChoice::Sum) => {
            if count > 1 {
                reading.note(format!("{count} series are added up; where one has no value the sum has none"));
            }
            Ok(series)
        }
        Some(SeriesChoice::Named(name)) => {
            let found: Vec<Points> = series.into_iter().filter(|one| one.name == *name).collect();
            if found.is_empty() {
                let label = format!("expected one of {}", listed(&names));
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
            let what = format!("has {count} series: {}", listed(&names));
            let error = FileError::whole(&reading.file, &what, "expected one, or a choice");
            let first = names.first().map_or("", String::as_str);
            Err(error.with_help(format!(
                "choose one: {}; or add them up: {}",
                add("series", first),
                add("series", "sum")
            )))
        }
        None => Ok(series),
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
    let empty: Vec<usize> = (0..series.counts.len()).filter(|at| series.counts[*at].is_nan()).collect();
    if !empty.is_empty() {
        let runs: Vec<&[usize]> = empty.chunk_by(|one, other| one + 1 == *other).collect();
        let at = |index: usize| {
            let nanos =
                first.saturating_add((index as u64).saturating_mul(series.interval.as_nanos()) as i64);
            moment::shown(nanos, form.is_absolute())
        };
        let shown: Vec<String> = runs
            .iter()
            .take(3)
            .map(|run| match run.len() {
                1 => at(run[0]),
                length => format!("{} to {} ({length})", at(run[0]), at(run[length - 1])),
            })
            .collect();
        let more = if runs.len() > 3 { ", …" } else { "" };
        reading.note(format!("{} intervals have no value: {}{more}", empty.len(), shown.join(", ")));
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

/// Instants of values that have none.
pub(super) fn numbered(values: Vec<(f64, u64)>, interval: Span) -> Points {
    let step = interval.as_nanos() as i64;
    let at = |row: i64| row.saturating_mul(step);
    let points = (0_i64..).zip(values).map(|(row, (value, line))| (at(row), value, line));
    Points { name: "values".into(), points: points.collect() }
}

/// How instants of [`numbered`] are written.
pub(super) const NUMBERED: TimeForm = TimeForm::Elapsed(Unit::Seconds);
