//! What was measured of an endpoint over time: CSV or JSON with the columns of `timeline.csv`.

use std::fmt;

use serde_json::Value as Json;

use crate::document::{Span, excerpt};
use crate::schema::nearest;
use crate::traffic::{Broken, Records, excerpt_of_line, shown_instant, wall_clock};

/// What can be measured and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Ready instances at the end of the window.
    Ready,
    /// Mean latency of the requests answered in it, seconds.
    LatencyMean,
    /// Median latency, seconds.
    LatencyP50,
    /// 99th percentile of the latency, seconds.
    LatencyP99,
    /// Mean time to the first token, seconds.
    Ttft,
    /// Mean time of a further token, seconds.
    Tpot,
    /// The time promised, at the SLO's percentile, seconds.
    Promised,
    /// Requests rejected, timed out or failed in it.
    Lost,
}

impl Field {
    /// All, in the order reported.
    pub const ALL: [Field; 8] = [
        Field::Ready,
        Field::LatencyMean,
        Field::LatencyP50,
        Field::LatencyP99,
        Field::Ttft,
        Field::Tpot,
        Field::Promised,
        Field::Lost,
    ];

    /// Name of its column.
    pub fn name(self) -> &'static str {
        match self {
            Field::Ready => "ready",
            Field::LatencyMean => "latency_mean_s",
            Field::LatencyP50 => "latency_p50_s",
            Field::LatencyP99 => "latency_p99_s",
            Field::Ttft => "ttft_mean_s",
            Field::Tpot => "tpot_mean_s",
            Field::Promised => "promised_s",
            Field::Lost => "lost",
        }
    }

    fn called(name: &str) -> Option<Field> {
        let name = if name == "rejected" { "lost" } else { name };
        Field::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// Name of the column with the time; `time` is another, for instants.
const TIME: &str = "time_s";

/// A number from here on is no time from the start of a run, but one since 1970.
const SINCE_1970: f64 = 1e9;

/// Columns of a timeline that are read over: what was simulated may be read back as if it had been measured.
const READ_OVER: [&str; 17] = [
    "length_s",
    "arrived",
    "served",
    "good",
    "burn_rate",
    "waiting",
    "in_flight",
    "utilization",
    "desired",
    "starting",
    "draining",
    "desired_least",
    "desired_most",
    "ready_least",
    "ready_most",
    "prefix_hit",
    "overdue",
];

/// Rows read, at most.
const MOST_ROWS: usize = 1_000_000;

/// One window that was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservedRow {
    /// Its end, in seconds from the start of the run; of what is known by date since 1970, until it is [set](Observed::set).
    pub time_s: f64,
    values: [Option<f64>; Field::ALL.len()],
}

impl ObservedRow {
    /// What was measured of a field, if anything was.
    pub fn get(&self, field: Field) -> Option<f64> {
        self.values[field as usize]
    }
}

/// What was measured over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// The windows, by time.
    pub rows: Vec<ObservedRow>,
}

/// Why a file of measurements is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedError {
    name: String,
    place: Option<Span>,
    what: String,
    expected: String,
}

impl fmt::Display for ObservedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => f.write_str(&excerpt::rendered(&self.what, place, &self.expected, None)),
            None => write!(f, "error: {}\n  --> {}\n  {}", self.what, self.name, self.expected),
        }
    }
}

impl std::error::Error for ObservedError {}

/// Makes errors of one file.
struct Refusal<'a>(&'a str);

impl Refusal<'_> {
    fn at(&self, place: Option<Span>, what: impl Into<String>, expected: impl Into<String>) -> ObservedError {
        ObservedError { name: self.0.to_owned(), place, what: what.into(), expected: expected.into() }
    }
}

const EXPECTED: &str = "expected time_s (seconds from the start of the run, or dates) and at least one of ready, latency_mean_s, \
                        latency_p50_s, latency_p99_s, ttft_mean_s, tpot_mean_s, promised_s, lost (or rejected)";

impl Observed {
    /// Reads `text`, shown in messages as `name`: JSON if it begins as JSON does, else CSV with a header.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(name: &str, text: &str) -> Result<Observed, ObservedError> {
        let refusal = Refusal(name);
        let text = text.trim_start_matches('\u{feff}');
        let rows = match text.trim_start().chars().next() {
            Some('[' | '{') => json(text, &refusal)?,
            _ => csv(text, &refusal)?,
        };
        if rows.is_empty() {
            return Err(refusal.at(None, "nothing was measured: there is no row", EXPECTED));
        }
        if let Some(index) = rows.windows(2).position(|pair| pair[1].time_s <= pair[0].time_s) {
            let what = not_rising(&rows[index], &rows[index + 1]);
            return Err(refusal.at(None, what, "expected the rows by time"));
        }
        Ok(Observed { rows })
    }

    /// With times from the start of a run that begins at this instant, nanoseconds since 1970: what is known by date and lies
    /// outside of a run of this length is left out.
    ///
    /// # Errors
    /// A sentence, where the measurements are known by date and the run is not, or nothing lies within it.
    pub fn set(&self, start: Option<i64>, duration_s: f64) -> Result<Observed, String> {
        if self.rows.first().is_none_or(|row| row.time_s < SINCE_1970) {
            return Ok(self.clone());
        }
        let Some(start) = start else {
            return Err("error: the measurements are known by date, and the arrivals of the scenario are not\n  expected a \
                        recording with dates as its arrivals, or time_s in seconds from the start of the run"
                .to_owned());
        };
        let from_start =
            |row: &ObservedRow| ObservedRow { time_s: row.time_s - start as f64 / 1e9, ..row.clone() };
        let within = |row: &ObservedRow| row.time_s > 0.0 && row.time_s <= duration_s;
        let rows: Vec<ObservedRow> = self.rows.iter().map(from_start).filter(within).collect();
        if rows.is_empty() {
            let (first, last) = (self.rows[0].time_s, self.rows[self.rows.len() - 1].time_s);
            let shown = |seconds: f64| shown_instant((seconds * 1e9) as i64, true);
            return Err(format!(
                "error: nothing was measured during the run: the measurements are from {} to {}, and it starts at {}\n  \
                 expected measurements of the same time as the arrivals",
                shown(first),
                shown(last),
                shown_instant(start, true)
            ));
        }
        Ok(Observed { rows })
    }

    /// The fields that some row has.
    pub fn fields(&self) -> Vec<Field> {
        let measured = |field: &Field| self.rows.iter().any(|row| row.get(*field).is_some());
        Field::ALL.into_iter().filter(measured).collect()
    }

    /// Length of each window, seconds: from the end of the one before.
    pub fn lengths(&self) -> impl Iterator<Item = f64> {
        let before = std::iter::once(0.0).chain(self.rows.iter().map(|row| row.time_s));
        self.rows.iter().zip(before).map(|(row, before)| row.time_s - before)
    }
}

/// A column: the time, a field, or one that is read over.
#[derive(Clone, Copy)]
enum Column {
    Time,
    Field(Field),
    Over,
}

fn column(
    name: &str,
    place: impl Fn() -> Option<Span>,
    refusal: &Refusal<'_>,
) -> Result<Column, ObservedError> {
    if name == TIME || name == "time" {
        return Ok(Column::Time);
    }
    if let Some(field) = Field::called(name) {
        return Ok(Column::Field(field));
    }
    if READ_OVER.contains(&name) {
        return Ok(Column::Over);
    }
    let names = Field::ALL.into_iter().map(Field::name).chain([TIME, "rejected"]);
    let near = nearest(name, names).map(|near| format!("did you mean `{near}`?"));
    Err(refusal.at(
        place(),
        format!("there is no column `{name}`"),
        near.unwrap_or_else(|| EXPECTED.to_owned()),
    ))
}

/// A row from its values by column.
fn row(
    values: impl Iterator<Item = (Column, Option<f64>)>,
    place: impl Fn(usize) -> Option<Span>,
    refusal: &Refusal<'_>,
) -> Result<ObservedRow, ObservedError> {
    let mut row = ObservedRow { time_s: f64::NAN, ..ObservedRow::default() };
    for (at, (column, value)) in values.enumerate() {
        match (column, value) {
            (_, Some(value)) if !value.is_finite() || value < 0.0 => {
                return Err(refusal.at(
                    place(at),
                    format!("{value} cannot have been measured"),
                    "expected a number from 0",
                ));
            }
            (Column::Time, Some(value)) => row.time_s = value,
            (Column::Field(field), value) => row.values[field as usize] = value,
            (Column::Time, None) | (Column::Over, _) => {}
        }
    }
    if row.time_s.is_nan() {
        return Err(refusal.at(place(0), "a row has no `time_s`", EXPECTED));
    }
    Ok(row)
}

fn csv(text: &str, refusal: &Refusal<'_>) -> Result<Vec<ObservedRow>, ObservedError> {
    const ROWS: &str = "expected a header and rows of as many values";
    let mut records = Records::new(text.as_bytes(), b',');
    let wrong = |error: Broken| {
        let place = error.line().map(|line| excerpt_of_line(refusal.0, line, "", 0..0));
        refusal.at(place, format!("the file is not CSV: {error}"), ROWS)
    };
    let Some(header) = records.next_row().map_err(wrong)? else {
        return Err(refusal.at(None, "there is no column `time_s`", EXPECTED));
    };
    let columns: Vec<Column> = header
        .iter()
        .enumerate()
        .map(|(at, name)| column(name, || Some(header.place(at, refusal.0)), refusal))
        .collect::<Result<_, _>>()?;
    if !columns.iter().any(|column| matches!(column, Column::Time)) {
        return Err(refusal.at(Some(header.place(0, refusal.0)), "there is no column `time_s`", EXPECTED));
    }
    let mut rows = Vec::new();
    while let Some(record) = records.next_row().map_err(wrong)? {
        let place = |at: usize| Some(record.place(at, refusal.0));
        if record.len() != columns.len() {
            let what = format!("a row has {} values, and the header {}", record.len(), columns.len());
            return Err(refusal.at(place(columns.len().min(record.len() - 1)), what, ROWS));
        }
        let mut values = Vec::with_capacity(columns.len());
        for (at, (column, text)) in columns.iter().zip(record.iter()).enumerate() {
            let value = match (column, text) {
                (Column::Over, _) | (_, "") => None,
                (Column::Time, text) => Some(instant(text, place(at), refusal)?),
                (_, text) => Some(text.parse::<f64>().map_err(|_| {
                    refusal.at(
                        place(at),
                        format!("\"{text}\" is not a number"),
                        "expected a number, or nothing",
                    )
                })?),
            };
            values.push((*column, value));
        }
        if rows.len() == MOST_ROWS {
            return Err(refusal.at(
                place(0),
                format!("there are more than {MOST_ROWS} rows"),
                "expected fewer",
            ));
        }
        let row = row(values.into_iter(), place, refusal)?;
        if let Some(before) = rows.last().filter(|before: &&ObservedRow| row.time_s <= before.time_s) {
            let at = columns.iter().position(|column| matches!(column, Column::Time)).unwrap_or(0);
            return Err(refusal.at(place(at), not_rising(before, &row), "expected the rows by time"));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn not_rising(before: &ObservedRow, row: &ObservedRow) -> String {
    format!("`time_s` does not rise: {} after {}", row.time_s, before.time_s)
}

/// Seconds from the start of the run, or since 1970.
fn instant(text: &str, place: Option<Span>, refusal: &Refusal<'_>) -> Result<f64, ObservedError> {
    let by_date = wall_clock(text).map(|nanos| nanos as f64 / 1e9);
    by_date.or_else(|| text.parse().ok()).ok_or_else(|| {
        let expected = "expected a date such as 2026-05-04T14:05:00Z, or seconds from the start of the run";
        refusal.at(place, format!("\"{text}\" is no time"), expected)
    })
}

/// A list of objects, or an object whose `rows` is one.
fn json(text: &str, refusal: &Refusal<'_>) -> Result<Vec<ObservedRow>, ObservedError> {
    let json: Json = serde_json::from_str(text).map_err(|error| {
        let lines = text.lines().nth(error.line().max(1) - 1).unwrap_or_default();
        let place = excerpt_of_line(refusal.0, error.line() as u64, lines, 0..lines.len());
        refusal.at(Some(place), format!("the file is not JSON: {error}"), "expected a list of objects")
    })?;
    let list = json.as_array().or_else(|| json.get("rows")?.as_array());
    let list = list.ok_or_else(|| {
        refusal.at(
            None,
            "the file has no rows",
            "expected a list of objects, or an object with a list `rows`",
        )
    })?;
    let of_object = |object: &Json| {
        let Some(object) = object.as_object() else {
            return Err(refusal.at(None, "a row is no object", EXPECTED));
        };
        let mut values = Vec::new();
        for (name, value) in object {
            let column = column(name, || None, refusal)?;
            let value = match (column, value) {
                (Column::Over, _) | (_, Json::Null) => None,
                (Column::Time, Json::String(text)) => Some(instant(text, None, refusal)?),
                (_, value) => Some(value.as_f64().ok_or_else(|| {
                    refusal.at(None, format!("`{name}` is {value}"), "expected a number, or null")
                })?),
            };
            values.push((column, value));
        }
        row(values.into_iter(), |_| None, refusal)
    };
    if list.len() > MOST_ROWS {
        return Err(refusal.at(None, format!("there are more than {MOST_ROWS} rows"), "expected fewer"));
    }
    list.iter().map(of_object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_and_json_of_the_same_measurements_are_the_same() {
        let csv = "time_s,ready,latency_p99_s,rejected\n60,2,0.5,0\n120,3,,4\n";
        let json = r#"{"rows": [{"time_s": 60, "ready": 2, "latency_p99_s": 0.5, "lost": 0},
                       {"time_s": 120, "ready": 3, "latency_p99_s": null, "rejected": 4}]}"#;
        let (csv, json) = (Observed::read("a.csv", csv).unwrap(), Observed::read("a.json", json).unwrap());
        assert_eq!(csv, json);
        assert_eq!(csv.fields(), [Field::Ready, Field::LatencyP99, Field::Lost]);
        assert_eq!(csv.rows[1].get(Field::LatencyP99), None);
        assert_eq!(csv.lengths().collect::<Vec<_>>(), [60.0, 60.0]);
    }

    #[test]
    fn instants_become_times_of_the_run_and_what_is_outside_of_it_is_left_out() {
        let csv = "time,ready\n2026-05-04T14:00:00Z,1\n2026-05-04T14:06:00Z,2\n2026-05-04T16:00:00Z,3\n";
        let json = r#"[{"time_s": 1777903200, "ready": 1}, {"time_s": 1777903560, "ready": 2}, {"time_s": "2026-05-04T16:00:00Z", "ready": 3}]"#;
        for text in [csv, json] {
            let observed = Observed::read("a", text).unwrap();
            let within = observed.set(Some(1_777_903_500_000_000_000), 3600.0).unwrap();
            assert_eq!(within.rows.iter().map(|row| row.time_s).collect::<Vec<_>>(), [60.0]);
            assert!(observed.set(None, 3600.0).unwrap_err().contains("known by date"));
            assert!(
                observed.set(Some(0), 3600.0).unwrap_err().contains("nothing was measured during the run")
            );
        }
        let plain = Observed::read("a", "time_s,ready\n60,1\n").unwrap();
        assert_eq!(plain.set(None, 10.0), Ok(plain.clone()));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        for (text, expected) in [
            ("time_s,redy\n1,2", "did you mean `ready`?"),
            ("ready\n1", "there is no column `time_s`"),
            ("time_s,ready\n1,two", "a.csv:2:3"),
            ("time_s,ready\n2,1\n1,1", "does not rise"),
            ("ready,time_s\r\n\r\n1,2\r\n1, 1", "a.csv:4:4"),
            ("time_s,ready\n1,two", "2 | 1,two\n"),
            ("time_s,ready\n1,-1", "cannot have been measured"),
            ("time_s,ready\n", "there is no row"),
            ("time_s,ready\n1", "a.csv:2"),
            ("[1]", "a row is no object"),
            ("{\"a\": 1}", "has no rows"),
            ("[{\"time_s\": \"x\"}]", "is no time"),
            ("{", "not JSON"),
        ] {
            let message = Observed::read("a.csv", text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
