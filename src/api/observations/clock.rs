//! The times of recorded rows: seconds, dates, or times since 1970, each turned into seconds from the first row.

use serde_json::{Value, json};

use super::RecordedRow;
use crate::traffic::{Unit, parse_date};

/// How a recording writes its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Seconds on a clock of its own.
    Seconds,
    /// A number since 1970.
    Epoch(Unit),
    /// A date with a time of day.
    Date,
}

impl Form {
    fn words(self) -> &'static str {
        match self {
            Form::Seconds => "seconds on the recording's clock",
            Form::Epoch(Unit::Seconds) => "seconds since 1970",
            Form::Epoch(Unit::Milliseconds) => "milliseconds since 1970",
            Form::Epoch(Unit::Microseconds) => "microseconds since 1970",
            Form::Epoch(Unit::Nanoseconds) => "nanoseconds since 1970",
            Form::Date => "dates",
        }
    }

    /// Which form a number has by its size: a recording on a clock of its own ends before 1e9 s, which is 31 years, and
    /// after 1e9 s (September 2001) no two units of time since 1970 share a size before the year 5138.
    fn of_number(number: f64) -> Form {
        match number.abs() {
            size if size < 1e9 => Form::Seconds,
            size if size < 1e11 => Form::Epoch(Unit::Seconds),
            size if size < 1e14 => Form::Epoch(Unit::Milliseconds),
            size if size < 1e17 => Form::Epoch(Unit::Microseconds),
            _ => Form::Epoch(Unit::Nanoseconds),
        }
    }
}

/// Parts of a policy that follow one another in time; the others look at one step alone.
const IN_ORDER: [&str; 6] = ["decide", "scrape", "reconcile", "executor", "hpa", "autoscale"];

/// Sets `time` of each row to seconds, from the first row on where it was a date or since 1970, and says which time was
/// written, for the rows where it was.
///
/// # Errors
/// The place of a row, and what is wrong with its time.
pub(super) fn normalise(rows: &mut [RecordedRow]) -> Result<Vec<Option<Value>>, (usize, String)> {
    let mut written = Vec::with_capacity(rows.len());
    let mut origin: Option<(Form, i128)> = None;
    let mut last: Option<(f64, String)> = None;
    for (index, row) in rows.iter_mut().enumerate() {
        let Some(time) = row.fields.get("time").filter(|time| !time.is_null()).cloned() else {
            written.push(None);
            continue;
        };
        let (form, nanos) = read(&time).map_err(|why| (index, why))?;
        let (first_form, first) = *origin.get_or_insert((form, nanos));
        if form != first_form {
            let why = format!(
                "`time` is {time}, which is in {}; the rows before have {}",
                form.words(),
                first_form.words()
            );
            return Err((index, why));
        }
        let seconds = match form {
            Form::Seconds => time.as_f64().unwrap_or(nanos as f64 / 1e9),
            Form::Epoch(_) | Form::Date => (nanos - first) as f64 / 1e9,
        };
        let in_order = row.fields.get("part").is_none_or(|part| IN_ORDER.iter().any(|known| part == known));
        if in_order && !row.fields.contains_key("state") {
            if let Some((before, shown)) = last.as_ref().filter(|(before, _)| seconds < *before) {
                let why = format!(
                    "`time` falls to {time} from {shown}, {} s earlier: rows must be in the order of their times",
                    before - seconds
                );
                return Err((index, why));
            }
            last = Some((seconds, time.to_string()));
        }
        match form {
            Form::Seconds => written.push(None),
            Form::Epoch(_) | Form::Date => {
                row.fields.insert("time".to_owned(), json!(seconds));
                written.push(Some(time));
            }
        }
    }
    Ok(written)
}

/// A time with its form, in nanoseconds.
fn read(time: &Value) -> Result<(Form, i128), String> {
    let expected = "seconds, a date such as 2026-11-05T09:00:00Z, or a time since 1970 in s or ms";
    match time {
        Value::String(text) => match parse_date(text.trim()) {
            Some(nanos) => Ok((Form::Date, nanos)),
            None => Err(format!("`time` is {time}: expected {expected}")),
        },
        Value::Number(number) => {
            let value = number.as_f64().unwrap_or(f64::NAN);
            // More than nanoseconds since 1970 of any year with four digits, and within what is computed with below.
            const LARGEST: f64 = 1e20;
            if !(-LARGEST..=LARGEST).contains(&value) {
                return Err(format!("`time` is {time}: expected {expected}"));
            }
            let form = Form::of_number(value);
            let nanos = match (form, number.as_i64()) {
                (Form::Epoch(unit), Some(whole)) => i128::from(whole) * i128::from(unit.nanos()),
                // A float holds microseconds of the times since 1970, and no less.
                (Form::Epoch(unit), None) => (value * unit.seconds() * 1e6).round() as i128 * 1000,
                (Form::Seconds | Form::Date, _) => (value * 1e9).round() as i128,
            };
            Ok((form, nanos))
        }
        _ => Err(format!("`time` is {time}: expected {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    fn times(times: &[Value]) -> Result<Vec<f64>, (usize, String)> {
        let row = |time: &Value| RecordedRow {
            place: Place::Line(1),
            fields: [("time".to_owned(), time.clone())].into_iter().collect(),
        };
        let mut rows: Vec<RecordedRow> = times.iter().map(row).collect();
        normalise(&mut rows)?;
        Ok(rows.iter().map(|row| row.fields["time"].as_f64().unwrap()).collect())
    }

    #[test]
    fn times_since_1970_and_dates_are_seconds_from_the_first_row() {
        assert_eq!(times(&[json!(30), json!(45.5)]).unwrap(), [30.0, 45.5]);
        assert_eq!(times(&[json!(1_764_170_000), json!(1_764_170_015)]).unwrap(), [0.0, 15.0]);
        assert_eq!(times(&[json!(1_764_170_000.25), json!(1_764_170_015)]).unwrap(), [0.0, 14.75]);
        assert_eq!(
            times(&[json!(1_764_170_000_000_i64), json!(1_764_170_000_250_i64)]).unwrap(),
            [0.0, 0.25]
        );
        let dates =
            [json!("2024-11-05T09:00:00Z"), json!("2024-11-05 09:00:15"), json!("2024-11-05T10:00:30+01:00")];
        assert_eq!(times(&dates).unwrap(), [0.0, 15.0, 30.0]);
    }

    #[test]
    fn times_that_fall_change_their_form_or_are_none_are_refused() {
        let why = |list: &[Value]| times(list).unwrap_err();
        let (row, said) = why(&[json!(30), json!(15)]);
        assert_eq!(row, 1);
        assert!(said.contains("falls to 15 from 30"), "{said}");
        let (_, said) = why(&[json!(30), json!("2024-11-05T09:00:00Z")]);
        assert!(said.contains("which is in dates; the rows before have seconds"), "{said}");
        let (_, said) = why(&[json!("9 o'clock")]);
        assert!(said.contains("expected seconds, a date"), "{said}");
        // Found by throwing anything at it: a product that no integer holds.
        for far in [1e41, -1e300, 1e20] {
            let (_, said) = why(&[json!(1), json!(far)]);
            assert!(said.contains("expected seconds, a date") || said.contains("time"), "{said}");
        }
        let (_, said) = why(&[json!(true)]);
        assert!(said.contains("expected seconds, a date"), "{said}");
    }
}
