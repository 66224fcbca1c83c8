//! `replay`: recorded observations through a policy.

mod clock;
mod fleet;
mod prometheus;
mod summary;
mod text;

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use summary::ReplaySummary;

use crate::api::{Error, Scenario};
use crate::autoscaler::{Autoscaler, Line, Replay, Row};
use crate::time::Span;
use crate::traffic::field_place;

type Fields = Map<String, Value>;

/// Recorded observations, a row an evaluation; what a row may hold stands in `docs/replay.md`.
///
/// ```
/// use kneepoint::Observations;
///
/// Observations::csv("incident.csv", "time,ready,metric\n15,2,5\n30,2,9\n")?;
/// let error = Observations::json_lines("incident.jsonl", "{\"time\": 15,").unwrap_err();
/// assert!(error.to_string().contains("incident.jsonl"));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Observations {
    file: RecordedText,
    rows: Vec<RecordedRow>,
    /// What really happened at each row, where it is known.
    expected: Vec<Option<u64>>,
    /// The time of each row as it was written, where it is no number of seconds from the start.
    written_times: Vec<Option<Value>>,
}

/// A file as messages show it.
#[derive(Debug, Clone)]
struct RecordedText {
    name: String,
    /// Its text, for lines that are wrong; empty where rows are of several files.
    text: Arc<str>,
}

impl RecordedText {
    /// What is wrong at a place: the field that the reason names first, in its line.
    fn error(&self, place: &Place, why: &str) -> Error {
        match place {
            Place::Line(line) => {
                // A column that is not known is wrong in the header.
                let unknown = why.split_once("unknown field `").and_then(|(_, rest)| rest.split('`').next());
                let header = self.text.lines().next().filter(|line| !line.contains('{')).unwrap_or_default();
                let column = |field: &&str| header.contains(&field.replace('[', ".").replace(']', ""));
                let in_header =
                    unknown.filter(column).and_then(|field| field_place(&self.name, &self.text, 1, field));
                if let Some(at) = in_header {
                    return Error::at_place(&at, why, "in the header");
                }
                let field = why.split('`').nth(1).unwrap_or_default();
                match field_place(&self.name, &self.text, *line as u64, field) {
                    Some(at) => Error::at_place(&at, why, "in this row"),
                    None => Error::at_line(&self.name, *line, why),
                }
            }
            Place::Time(files, time) => Error::bad_input(format!("error: {why}\n  --> {files}, at {time}")),
        }
    }
}

/// One row, and where it is.
#[derive(Debug, Clone)]
struct RecordedRow {
    place: Place,
    fields: Fields,
}

/// Where a row is, for messages.
#[derive(Debug, Clone)]
enum Place {
    /// A line of the file.
    Line(usize),
    /// A time of series in the files of these names.
    Time(String, String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Time(_, time) => f.write_str(time),
        }
    }
}

/// One file of observations, as it was named: `name` in messages, and the field that it gives where the command line says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordedFile<'a> {
    pub field: Option<&'a str>,
    pub name: &'a str,
    pub text: &'a str,
}

/// How a recording is put through a policy.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReplayOptions {
    /// The cold start of instances that follow the decisions; `None`: instances are those recorded.
    pub follow: Option<Span>,
}

impl Observations {
    /// Reads JSON Lines: an object a line. `name` is what messages call it.
    ///
    /// # Errors
    /// A line is no JSON object, its time falls or is none, or there is no line.
    pub fn json_lines(name: &str, text: &str) -> Result<Observations, Error> {
        Observations::of(name, text, text::json_lines(name, text)?)
    }

    /// Reads CSV with a header; a dot in a column's name makes objects within objects, or lists where it is followed by a
    /// place. `name` is what messages call it.
    ///
    /// # Errors
    /// It is no CSV, a column is within another, a time falls or is none, or there is no row.
    pub fn csv(name: &str, text: &str) -> Result<Observations, Error> {
        Observations::of(name, text, text::csv(name, text)?)
    }

    /// Reads one file of rows, or several answers of Prometheus to range queries, for the policy that they are for.
    pub(crate) fn read(files: &[RecordedFile<'_>], autoscaler: &Autoscaler) -> Result<Observations, Error> {
        let refuse = |name: &str, why: &str| Err(Error::bad_input(format!("error: {why}\n  --> {name}")));
        let replay = autoscaler.replay();
        let mut queries = Vec::new();
        for file in files {
            if file.text.trim_start_matches('\u{feff}').trim().is_empty() {
                return refuse(file.name, "the file is empty: there are no observations");
            }
            if prometheus::is_response(file.text) {
                let field = file.field.unwrap_or_else(|| replay.metric_field());
                queries.push(prometheus::Query::read(field, file.name, file.text)?);
            } else if files.len() > 1 || file.field.is_some() {
                let why =
                    "only answers of Prometheus to range queries may be given by field, or several together";
                return refuse(file.name, why);
            }
        }
        let names: Vec<&str> = files.iter().map(|file| file.name).collect();
        match files {
            _ if !queries.is_empty() => {
                let rows = prometheus::rows(&queries, replay.takes_quantities())?;
                Observations::of(&names.join(", "), "", rows)
            }
            [file] if [".csv", ".tsv"].iter().any(|end| file.name.to_ascii_lowercase().ends_with(end)) => {
                Observations::csv(file.name, file.text)
            }
            _ => Observations::json_lines(&names.join(", "), files.first().map_or("", |file| file.text)),
        }
    }

    fn of(name: &str, text: &str, mut rows: Vec<RecordedRow>) -> Result<Observations, Error> {
        let file = RecordedText { name: name.to_owned(), text: text.into() };
        if rows.is_empty() {
            return Err(Error::bad_input(format!("error: there are no observations\n  --> {name}")));
        }
        for row in &mut rows {
            // Other programs' names for the time of a row.
            for known in ["timestamp", "Time", "Timestamp"] {
                if !row.fields.contains_key("time")
                    && let Some(time) = row.fields.remove(known)
                {
                    row.fields.insert("time".to_owned(), time);
                }
            }
        }
        let mut expected = Vec::with_capacity(rows.len());
        for row in &mut rows {
            let count = match row.fields.remove("expected") {
                None | Some(Value::Null) => None,
                Some(value) => {
                    let count = value.as_f64().filter(|count| *count >= 0.0 && count.fract() == 0.0);
                    let count = count.ok_or_else(|| {
                        let why = format!("`expected` is {value}: expected instances, a whole number");
                        file.error(&row.place, &why)
                    })?;
                    Some(count as u64)
                }
            };
            expected.push(count);
        }
        let written_times =
            clock::normalise(&mut rows).map_err(|(index, why)| file.error(&rows[index].place, &why))?;
        Ok(Observations { file, rows, expected, written_times })
    }

    pub(crate) fn replay(&self, autoscaler: &Autoscaler, options: ReplayOptions) -> Result<Replayed, Error> {
        let mut replay = autoscaler.replay();
        let fields: Vec<&Fields> = self.rows.iter().map(|row| &row.fields).collect();
        let mut notes = match replay.review(&fields) {
            Ok(notes) => notes,
            Err(unclear) => {
                let row = self.rows.get(unclear.row).or(self.rows.first());
                let why = unclear.problem;
                return Err(
                    row.map_or_else(|| Error::bad_input(&why), |row| self.file.error(&row.place, &why))
                );
            }
        };
        let decisions = match options.follow {
            None => self.open_loop(replay.as_mut())?,
            Some(cold_start) => {
                let seconds = cold_start.as_secs_f64();
                notes.push(format!(
                    "instances follow the decisions {seconds} s later; those of the recording are used for the first row, \
                     and for the load that a recorded mean stands for"
                ));
                self.closed_loop(replay.as_mut(), seconds)?
            }
        };
        let mut decisions: Vec<Decision> = decisions.into_iter().map(Decision).collect();
        for (index, decision) in decisions.iter_mut().enumerate() {
            if let Some(expected) = self.expected[index] {
                let differs = decision.desired() != Some(expected);
                decision.0.insert_after("desired", "expected", expected);
                decision.0.insert_after("expected", "differs", differs);
            }
            if let Some(written) = &self.written_times[index] {
                decision.0.insert_after("time", "at", written.clone());
            }
        }
        let places = self.rows.iter().map(|row| &row.place);
        let summary = ReplaySummary::of(places.zip(&decisions), &notes);
        Ok(Replayed { decisions, summary })
    }

    fn open_loop(&self, replay: &mut dyn Replay) -> Result<Vec<Line>, Error> {
        self.rows.iter().map(|row| self.step(replay, row, &row.fields)).collect()
    }

    fn step(&self, replay: &mut dyn Replay, row: &RecordedRow, fields: &Fields) -> Result<Line, Error> {
        replay.step(&Row::new(fields)).map_err(|why| self.file.error(&row.place, &why.to_string()))
    }

    fn closed_loop(&self, replay: &mut dyn Replay, cold_start_s: f64) -> Result<Vec<Line>, Error> {
        let Some(names) = replay.pool_fields() else {
            let why = "rows of this system list its replicas one by one: they cannot follow the decisions";
            return Err(Error::bad_input(format!("error: {why}\n  --> {}", self.file.name)));
        };
        let mut fleet: Option<fleet::Fleet> = None;
        let mut lines = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let refuse = |why: &str| Err(self.file.error(&row.place, why));
            let Some(now_s) = row.fields.get("time").and_then(Value::as_f64) else {
                return refuse("`time` is missing: instances that follow the decisions need it");
            };
            if row.fields.contains_key("pods") {
                return refuse(
                    "`pods` lists the instances one by one: they cannot follow the decisions; give `ready`",
                );
            }
            let mut fields = row.fields.clone();
            let is_first = fleet.is_none();
            if is_first {
                let of = |name: Option<&str>| fields.get(name?).and_then(Value::as_f64);
                let Some(count) = of(names.ready).or_else(|| of(names.desired)) else {
                    let named = names.ready.or(names.desired).unwrap_or("ready");
                    return refuse(&format!(
                        "`{named}` is missing: the first row has to say how many instances there are"
                    ));
                };
                fleet = Some(fleet::Fleet::of(count.clamp(0.0, 1e6) as u32, cold_start_s));
            }
            if let Some(fleet) = &mut fleet {
                fleet.advance(now_s);
                fleet.set_in(&mut fields, &names, is_first);
            }
            let line = self.step(replay, row, &fields)?;
            let desired = line.get("desired").and_then(Value::as_u64);
            if let Some((fleet, desired)) = fleet.as_mut().zip(desired) {
                fleet.follow(desired.min(1_000_000) as u32, now_s);
            }
            lines.push(line);
        }
        Ok(lines)
    }
}

/// What came of a replay.
#[derive(Debug, Clone)]
pub(crate) struct Replayed {
    pub decisions: Vec<Decision>,
    pub summary: ReplaySummary,
}

/// What a policy decided for one row, with every intermediate number and the reason in words.
///
/// ```
/// use kneepoint::{Observations, Scenario, replay};
///
/// # let policy = Scenario::parse("[autoscaler]\nkind = \"threshold\"\nmetric = \"concurrency\"\nmax = 9\n\
/// #     up = { above = 8 }\ndown = { below = 2 }")?;
/// let rows = Observations::csv("incident.csv", "time,ready,metric,expected\n30,2,9,4\n")?;
/// let decision = &replay(&policy, &rows)?[0];
/// assert_eq!((decision.desired(), decision.expected(), decision.differs()), (Some(2), Some(4), true));
/// assert!(decision.reason().is_some());
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Decision(Line);

impl Decision {
    /// Instances wanted; `None` if the row decides none.
    pub fn desired(&self) -> Option<u64> {
        self.0.get("desired").and_then(Value::as_u64)
    }

    /// Why, in words.
    pub fn reason(&self) -> Option<&str> {
        self.0.get("reason").and_then(Value::as_str)
    }

    /// Instances that there really were, where the row says so as `expected`.
    pub fn expected(&self) -> Option<u64> {
        self.0.get("expected").and_then(Value::as_u64)
    }

    /// Whether the decision differs from [`expected`](Decision::expected).
    pub fn differs(&self) -> bool {
        self.0.get("differs").and_then(Value::as_bool).unwrap_or(false)
    }

    /// All of it as a JSON object on one line.
    pub fn json(&self) -> String {
        // Only a key that is not text cannot be written, and all keys are.
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

/// Puts recorded observations through the policy of a scenario, which needs nothing but its `[autoscaler]` table: what
/// would it have decided, and why? The policy keeps its state from row to row.
///
/// # Errors
/// What is wrong with the policy, or with a row.
///
/// ```
/// use kneepoint::{Observations, Scenario, replay};
///
/// let policy = Scenario::parse(r#"
///     [autoscaler]
///     kind = "threshold"
///     metric = "concurrency"
///     max = 9
///     up = { above = 8 }
///     down = { below = 2 }
/// "#)?;
/// let rows = r#"
///     {"time": 15, "ready": 2, "desired": 2, "metric": 5, "expected": 2}
///     {"time": 30, "ready": 2, "metric": 9, "expected": 4}
/// "#;
/// let decisions = replay(&policy, &Observations::json_lines("incident.jsonl", rows)?)?;
/// assert_eq!(decisions.iter().map(|decision| decision.desired()).collect::<Vec<_>>(), [Some(2), Some(3)]);
/// assert_eq!(decisions.iter().map(|decision| decision.differs()).collect::<Vec<_>>(), [false, true]);
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn replay(policy: &Scenario, observations: &Observations) -> Result<Vec<Decision>, Error> {
    Ok(observations.replay(&policy.file.autoscaler_of_recording()?, ReplayOptions::default())?.decisions)
}
