//! Recorded observations through a policy, one row at a time.
//!
//! A row is one JSON object (a line of CSV becomes one too). What a row of each system may hold stands in
//! `docs/replay.md`; a field that no one asks for is refused, so that a slip of the hand is not silently left out.

use std::cell::RefCell;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::recording::{PoolFields, Rows, Unclear, largest};
use super::{Observation, Per, Policy, PoolState, Quantity, Query, Scrape};
use crate::schema::nearest;
use crate::time::{Instant, Span};

/// A policy as `kneepoint replay` and the conformance tests drive it. It keeps its state from row to row.
pub trait Replay {
    /// Takes one row and says what comes of it.
    ///
    /// # Errors
    /// A field is missing, of the wrong kind, or out of place.
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem>;

    /// The field that a recording of one metric gives.
    fn metric_field(&self) -> &'static str {
        "metric"
    }

    /// Whether its metrics take quantities as text, which are in whole units.
    fn takes_quantities(&self) -> bool {
        false
    }

    /// Looks at a whole recording before its first row, since a unit shows in many numbers where it does not in one. Returns
    /// what a reader should know of how it is taken.
    ///
    /// # Errors
    /// The unit of a number is not clear.
    fn review(&mut self, _rows: &Rows<'_>) -> Result<Vec<String>, Unclear> {
        Ok(Vec::new())
    }

    /// The fields that a closed loop sets; `None` if rows list instances, which cannot be made up.
    fn pool_fields(&self) -> Option<PoolFields> {
        Some(PoolFields { desired: Some("desired"), ..PoolFields::default() })
    }
}

/// What came of one row: named values, in the order they are to be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line(Vec<(&'static str, Value)>);

impl Line {
    /// A line that begins with the instant of its row, in seconds.
    pub fn at(time_s: f64) -> Line {
        Line(vec![("time", time_s.into())])
    }

    /// The line with one more value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Line {
        self.push(name, value);
        self
    }

    /// Adds a value.
    pub fn push(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// Puts a value behind the one called `after`; at the end if there is none.
    pub fn insert_after(&mut self, after: &str, name: &'static str, value: impl Into<Value>) {
        let place =
            self.0.iter().position(|(known, _)| *known == after).map_or(self.0.len(), |place| place + 1);
        self.0.insert(place, (name, value.into()));
    }

    /// The value called `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem(String);

impl RowProblem {
    /// A problem in words: "`ready` is above `existing`".
    pub fn new(message: impl Into<String>) -> RowProblem {
        RowProblem(message.into())
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RowProblem {}

/// One row, or an object within one. Remembers what it was asked for.
#[derive(Debug)]
pub struct Row<'a> {
    fields: &'a Map<String, Value>,
    path: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Row<'a> {
    /// A row of these fields.
    pub fn new(fields: &'a Map<String, Value>) -> Row<'a> {
        Row::within(fields, String::new())
    }

    fn within(fields: &'a Map<String, Value>, path: String) -> Row<'a> {
        Row { fields, path, asked: RefCell::default() }
    }

    /// The field unconverted; `None` where it is left out or null.
    pub fn value(&self, name: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(name);
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Whether the row has the field, be it null.
    pub fn has(&self, name: &'static str) -> bool {
        self.asked.borrow_mut().push(name);
        self.fields.contains_key(name)
    }

    /// Full path of a field, for messages.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The problem of a field that must be there.
    pub fn missing(&self, name: &str) -> RowProblem {
        RowProblem(format!("`{}` is missing{}", self.path_of(name), self.slip_of(&[name])))
    }

    /// What a message says of a field that nobody has asked for, where its name is like one of `names`; else nothing.
    pub(crate) fn slip_of(&self, names: &[&str]) -> String {
        let asked = self.asked.borrow();
        let others = self.fields.keys().filter(|name| !asked.contains(&name.as_str()));
        let slip =
            others.filter_map(|name| nearest(name, names.iter().copied()).map(|meant| (name, meant))).next();
        slip.map_or_else(String::new, |(name, meant)| {
            format!("; unknown field `{}`, did you mean `{meant}`?", self.path_of(name))
        })
    }

    /// The problem of a field that is not what it has to be.
    pub fn wrong(&self, name: &str, expected: &str) -> RowProblem {
        let found = self.fields.get(name).map_or_else(|| "missing".to_owned(), Value::to_string);
        RowProblem(format!("`{}` is {found}: expected {expected}", self.path_of(name)))
    }

    fn read<T>(
        &self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, RowProblem> {
        let Some(value) = self.value(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(name, expected))
    }

    /// A number that may be left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn find_f64(&self, name: &'static str) -> Result<Option<f64>, RowProblem> {
        self.read(name, "a number", Value::as_f64)
    }

    /// A number.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn f64(&self, name: &'static str) -> Result<f64, RowProblem> {
        self.find_f64(name)?.ok_or_else(|| self.missing(name))
    }

    /// A whole number that may be left out.
    ///
    /// # Errors
    /// It is something else, or takes more than 64 bits.
    pub fn find_i64(&self, name: &'static str) -> Result<Option<i64>, RowProblem> {
        self.read(name, "a whole number", whole)
    }

    /// A whole number.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn i64(&self, name: &'static str) -> Result<i64, RowProblem> {
        self.find_i64(name)?.ok_or_else(|| self.missing(name))
    }

    /// A count that may be left out.
    ///
    /// # Errors
    /// It is something else, negative, or more than 32 bits hold.
    pub fn find_u32(&self, name: &'static str) -> Result<Option<u32>, RowProblem> {
        let count = |value: &Value| u32::try_from(whole(value)?).ok();
        self.read(name, "a whole number from 0 to 4294967295", count)
    }

    /// A count.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn u32(&self, name: &'static str) -> Result<u32, RowProblem> {
        self.find_u32(name)?.ok_or_else(|| self.missing(name))
    }

    /// True or false, that may be left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn find_bool(&self, name: &'static str) -> Result<Option<bool>, RowProblem> {
        self.read(name, "true or false", Value::as_bool)
    }

    /// True or false.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn bool(&self, name: &'static str) -> Result<bool, RowProblem> {
        self.find_bool(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text that may be left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn find_text(&self, name: &'static str) -> Result<Option<&'a str>, RowProblem> {
        self.read(name, "a text", Value::as_str)
    }

    /// A text.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn text(&self, name: &'static str) -> Result<&'a str, RowProblem> {
        self.find_text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A list that may be left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn find_list(&self, name: &'static str) -> Result<Option<&'a [Value]>, RowProblem> {
        self.read(name, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    /// A list of numbers; none if it is left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn numbers(&self, name: &'static str) -> Result<Vec<f64>, RowProblem> {
        let numbers = |value: &Value| value.as_array()?.iter().map(Value::as_f64).collect();
        Ok(self.read(name, "a list of numbers", numbers)?.unwrap_or_default())
    }

    /// What was measured for each of `count` rules: `metric` for all of them, or `metrics`, a number or null for each;
    /// `None` if the row has neither.
    ///
    /// # Errors
    /// It is something else, or not as many.
    pub fn measured(&self, count: usize, expected: &str) -> Result<Option<Vec<Option<f64>>>, RowProblem> {
        if self.has("metric") {
            return Ok(Some(vec![self.find_f64("metric")?; count]));
        }
        let Some(list) = self.find_list("metrics")? else { return Ok(None) };
        let number = |value: &Value| if value.is_null() { Some(None) } else { value.as_f64().map(Some) };
        let values: Option<Vec<Option<f64>>> = list.iter().map(number).collect();
        let values = values.filter(|values| values.len() == count);
        values.map(Some).ok_or_else(|| self.wrong("metrics", expected))
    }

    /// An object that may be left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn find_row(&self, name: &'static str) -> Result<Option<Row<'a>>, RowProblem> {
        let fields = self.read(name, "an object", Value::as_object)?;
        Ok(fields.map(|fields| Row::within(fields, self.path_of(name))))
    }

    /// A list of objects; none if it is left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn rows(&self, name: &'static str) -> Result<Vec<Row<'a>>, RowProblem> {
        let objects = |value: &'a Value| value.as_array()?.iter().map(Value::as_object).collect();
        let objects: Vec<_> = self.read(name, "a list of objects", objects)?.unwrap_or_default();
        let row = |(index, fields)| Row::within(fields, format!("{}[{index}]", self.path_of(name)));
        Ok(objects.into_iter().enumerate().map(row).collect())
    }

    /// Seconds from the start of the recording as an instant.
    ///
    /// # Errors
    /// It is missing, negative, not finite, or too large.
    pub fn instant(&self, name: &'static str) -> Result<Instant, RowProblem> {
        let seconds = self.f64(name)?;
        if !(0.0..1e9).contains(&seconds) {
            return Err(self.wrong(name, "seconds from the start, 0 to 1e9"));
        }
        Ok(Instant::ZERO + Span::from_secs_f64(seconds))
    }

    /// The same for a row that looks at one step alone, whose `before` the row before was: it may leave its time out.
    ///
    /// # Errors
    /// It is negative, not finite, or too large.
    pub(crate) fn instant_or(&self, name: &'static str, before: Instant) -> Result<Instant, RowProblem> {
        if self.has(name) { self.instant(name) } else { Ok(before) }
    }

    /// Refuses a field that was not asked for. To be called when everything has been read, within objects too.
    ///
    /// # Errors
    /// There is one; names it and the nearest that was asked for.
    pub fn finish(&self) -> Result<(), RowProblem> {
        let asked = self.asked.borrow();
        let Some(unknown) = self.fields.keys().find(|name| !asked.contains(&name.as_str())) else {
            return Ok(());
        };
        let hint = match nearest(unknown, asked.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("it takes: {}", sorted(&asked).join(", ")),
        };
        Err(RowProblem(format!("unknown field `{}`; {hint}", self.path_of(unknown))))
    }
}

fn sorted(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names
}

/// A whole number, also where it is written with a fraction of zero.
fn whole(value: &Value) -> Option<i64> {
    let exact = |number: &f64| number.fract() == 0.0 && number.abs() < 9e15;
    value.as_i64().or_else(|| value.as_f64().filter(exact).map(|number| number as i64))
}

/// The replay of a policy that has none of its own: what the simulator shows it, row by row.
#[derive(Debug)]
pub(super) struct Generic {
    policy: Box<dyn Policy>,
    query: Option<Query>,
    reactive: bool,
    desired: u32,
    scraped: Instant,
}

impl Generic {
    pub fn new(policy: Box<dyn Policy>, query: Option<Query>, reactive: bool, initial: u32) -> Generic {
        Generic { policy, query, reactive, desired: initial, scraped: Instant::ZERO }
    }

    fn observe(&mut self, row: &Row<'_>, at: Instant) -> Result<u32, RowProblem> {
        let ready = row.find_u32("ready")?.unwrap_or(self.desired);
        if self.reactive {
            let pool = PoolState {
                in_flight: count(row, "in_flight")?,
                waiting: count(row, "waiting")?,
                ready,
                starting: row.find_u32("starting")?.unwrap_or(0),
            };
            row.finish()?;
            return Ok(self.policy.react(&pool).unwrap_or(self.desired));
        }
        let named = match self.query {
            Some(query) => share_or_number(row, query.name())?,
            None => None,
        };
        let given = share_or_number(row, "metric")?;
        let observation = Observation {
            desired: self.desired,
            existing: row.find_u32("existing")?.unwrap_or(self.desired.max(ready)),
            ready,
            held: count(row, "held")?,
            metric: given.or(named),
            instances: &[],
        };
        row.finish()?;
        Ok(self.policy.decide(at, &observation))
    }

    fn scrape(&mut self, row: &Row<'_>, at: Instant) -> Result<(), RowProblem> {
        let number = |name| Ok::<f64, RowProblem>(row.find_f64(name)?.unwrap_or(0.0));
        let (waiting, in_service) = (number("waiting")?, number("in_service")?);
        let sample = Scrape {
            tokens: [0; 2],
            at,
            since: self.scraped,
            arrived: count(row, "arrived")?,
            in_flight: row.find_f64("in_flight")?.unwrap_or(waiting + in_service),
            waiting,
            in_service,
            in_flight_now: count(row, "in_flight_now")?,
            waiting_now: count(row, "waiting_now")?,
            held_now: count(row, "held_now")?,
            in_service_now: count(row, "in_service_now")?,
            slots: number("slots")?,
            work: row.find_f64("work")?.unwrap_or(in_service),
            ready: row.find_u32("ready")?.unwrap_or(self.desired),
            existing: row.find_u32("existing")?.unwrap_or(self.desired),
            instances: &[],
            times: None,
        };
        row.finish()?;
        self.policy.scrape(&sample);
        self.scraped = at;
        Ok(())
    }
}

/// A number, or a percentage as text ("77%"), which is a share.
fn share_or_number(row: &Row<'_>, name: &'static str) -> Result<Option<f64>, RowProblem> {
    let Some(text) = row.value(name).and_then(Value::as_str) else { return row.find_f64(name) };
    percent(text)
        .map(|percent| Some(percent / 100.0))
        .ok_or_else(|| row.wrong(name, "a number, or a percentage (\"77%\")"))
}

/// The number of a percentage as text: 77 of "77%".
pub(super) fn percent(text: &str) -> Option<f64> {
    text.trim().strip_suffix('%')?.trim_end().parse().ok().filter(|number: &f64| number.is_finite())
}

/// A count of requests; 0 if it is left out.
fn count(row: &Row<'_>, name: &'static str) -> Result<u64, RowProblem> {
    let count = row.find_i64(name)?.unwrap_or(0);
    u64::try_from(count).map_err(|_| row.wrong(name, "a count, 0 or more"))
}

impl Replay for Generic {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let at = row.instant("time")?;
        self.desired = row.find_u32("desired")?.unwrap_or(self.desired);
        match row.find_text("part")? {
            None | Some("decide") => {}
            Some("scrape") => {
                self.scrape(row, at)?;
                return Ok(Line::at(at.as_secs_f64()).with("part", "scrape"));
            }
            Some(_) => return Err(row.wrong("part", "\"decide\" or \"scrape\"")),
        }
        let before = self.desired;
        self.desired = self.observe(row, at)?;
        let explanation = self.policy.explain();
        let mut line = Line::at(at.as_secs_f64()).with("desired", self.desired);
        line.push("reason", explanation.reason);
        line.push("before", before);
        line.push("metric", explanation.metric);
        line.push("observed", explanation.observed);
        explanation.figures.into_iter().for_each(|(name, value)| line.push(name, value));
        Ok(line)
    }

    fn review(&mut self, rows: &Rows<'_>) -> Result<Vec<String>, Unclear> {
        let Some(query) = self.query.filter(|query| query.metric.quantity() == Quantity::Share) else {
            return Ok(Vec::new());
        };
        for name in ["metric", query.name()] {
            let number = |fields: &Map<String, Value>| fields.get(name).and_then(Value::as_f64);
            if let Some((row, most)) = largest(rows, |fields| number(fields).filter(|number| *number > 1.0)) {
                let problem = format!(
                    "`{name}` reaches {most}, and {} is a share from 0 to 1: write 0.77 or \"77%\" for 77 percent",
                    query.name()
                );
                return Err(Unclear { row, problem });
            }
        }
        Ok(Vec::new())
    }

    fn pool_fields(&self) -> Option<PoolFields> {
        if self.reactive {
            let (ready, starting) = (Some("ready"), Some("starting"));
            return Some(PoolFields { ready, starting, desired: Some("desired"), ..PoolFields::default() });
        }
        let shared = |query: Query| query.metric.quantity() == Quantity::Share || query.per == Per::Instance;
        Some(PoolFields {
            desired: Some("desired"),
            existing: Some("existing"),
            ready: Some("ready"),
            starting: None,
            shared: vec![self.query.is_some_and(shared)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Autoscaler;
    use super::*;
    use crate::schema::{Context, Tree};

    fn replayed(rows: &[&str]) -> Vec<String> {
        let text = "kind = \"threshold\"\nmetric = \"request_rate\"\nmax = 4\nup = { above = 100 }\ndown = { below = 20 }";
        let tree = Tree::parse(text).unwrap();
        let autoscaler = Autoscaler::read(tree.root(), "autoscaler", &Context::default()).unwrap();
        let mut replay = autoscaler.replay();
        let step = |row: &&str| {
            let value: Value = serde_json::from_str(row).unwrap();
            match replay.step(&Row::new(value.as_object().unwrap())) {
                Ok(line) => serde_json::to_string(&line).unwrap(),
                Err(problem) => problem.to_string(),
            }
        };
        rows.iter().map(step).collect()
    }

    #[test]
    fn a_row_gives_a_line_with_every_number_and_the_reason() {
        let lines = replayed(&[
            r#"{"time": 15, "request_rate": 120}"#,
            r#"{"time": 30, "metric": 50, "desired": 3}"#,
        ]);
        assert_eq!(
            lines[0],
            r#"{"time":15.0,"desired":2,"reason":"request_rate 120 is above 100: add","before":1,"metric":"request_rate","observed":120.0,"above":100.0,"below":20.0}"#
        );
        assert!(lines[1].starts_with(r#"{"time":30.0,"desired":3,"#), "{}", lines[1]);
    }

    #[test]
    fn a_row_that_is_not_right_is_refused_with_what_would_be() {
        let lines = replayed(&[
            r#"{"request_rate": 120}"#,
            r#"{"time": 15, "request_rat": 120}"#,
            r#"{"time": 15, "ready": -1}"#,
            r#"{"time": 15, "part": "scrapes"}"#,
            r#"{"tyme": 15, "request_rate": 120}"#,
        ]);
        assert_eq!(lines[0], "`time` is missing");
        assert_eq!(lines[1], "unknown field `request_rat`; did you mean `request_rate`?");
        assert_eq!(lines[2], "`ready` is -1: expected a whole number from 0 to 4294967295");
        assert_eq!(lines[3], "`part` is \"scrapes\": expected \"decide\" or \"scrape\"");
        assert_eq!(lines[4], "`time` is missing; unknown field `tyme`, did you mean `time`?");
    }
}
