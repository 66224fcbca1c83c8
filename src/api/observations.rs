//! `replay`: recorded observations through a policy.

use serde_json::{Map, Value};

use crate::api::{Error, Scenario};
use crate::autoscaler::{Autoscaler, Line, Row};

/// Recorded observations, a row an evaluation; what a row may hold stands in `docs/replay.md`.
#[derive(Debug, Clone)]
pub struct Observations {
    /// Name in messages.
    name: String,
    /// Rows, each with the number of its line.
    rows: Vec<(usize, Map<String, Value>)>,
}

impl Observations {
    /// Reads JSON Lines: an object a line. `name` is what messages call it.
    ///
    /// # Errors
    /// A line is no JSON object.
    pub fn json_lines(name: &str, text: &str) -> Result<Observations, Error> {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let rows = lines
            .map(|(number, line)| match serde_json::from_str(line) {
                Ok(Value::Object(fields)) => Ok((number, fields)),
                Ok(_) => Err(Error::at_line(name, number, "expected one JSON object a line")),
                Err(error) => Err(Error::at_line(name, number, &format!("not JSON: {error}"))),
            })
            .collect::<Result<_, _>>()?;
        Ok(Observations { name: name.to_owned(), rows })
    }

    /// Reads CSV with a header; a dot in a column's name makes objects within objects. `name` is what messages call it.
    ///
    /// # Errors
    /// It is no CSV, or a column is within another.
    pub fn csv(name: &str, text: &str) -> Result<Observations, Error> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| Error::at_line(name, 1, &error.to_string()))?.clone();
        // Each dot is an object within an object.
        const DEEPEST: usize = 64;
        let dots = header.iter().map(|column| column.matches('.').count()).max().unwrap_or(0);
        if dots > DEEPEST {
            let why = format!("the name of a column has {dots} dots; at most {DEEPEST} are read");
            return Err(Error::at_line(name, 1, &why));
        }
        let mut rows = Vec::new();
        for (index, record) in reader.records().enumerate() {
            let record = record.map_err(|error| Error::at_line(name, index + 2, &error.to_string()))?;
            let line = record.position().map_or(index + 2, |position| position.line() as usize);
            let mut fields = Map::new();
            for (column, cell) in header.iter().zip(&record).filter(|(_, cell)| !cell.is_empty()) {
                set(&mut fields, column, value(cell)).map_err(|why| Error::at_line(name, line, &why))?;
            }
            rows.push((line, fields));
        }
        Ok(Observations { name: name.to_owned(), rows })
    }

    pub(crate) fn replay(&self, autoscaler: &Autoscaler) -> Result<Vec<Decision>, Error> {
        let mut replay = autoscaler.replay();
        let step = |(line, fields): &(usize, Map<String, Value>)| {
            let decision = replay.step(&Row::new(fields));
            decision.map(Decision).map_err(|why| Error::at_line(&self.name, *line, &why.to_string()))
        };
        self.rows.iter().map(step).collect()
    }
}

/// A cell as JSON would have it: a number, true or false, a list or an object, else a text.
fn value(cell: &str) -> Value {
    serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned()))
}

/// Sets a field; dots in its name make objects within objects.
fn set(fields: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), String> {
    let Some((outer, inner)) = name.split_once('.') else {
        fields.insert(name.to_owned(), value);
        return Ok(());
    };
    match fields.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(within) => set(within, inner, value),
        _ => Err(format!("the column `{name}` is within `{outer}`, which is a column of its own")),
    }
}

/// What a policy decided for one row, with every intermediate number and the reason in words.
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
///     {"time": 15, "ready": 2, "desired": 2, "metric": 5}
///     {"time": 30, "ready": 2, "metric": 9}
/// "#;
/// let decisions = replay(&policy, &Observations::json_lines("incident.jsonl", rows)?)?;
/// assert_eq!(decisions.iter().map(|decision| decision.desired()).collect::<Vec<_>>(), [Some(2), Some(3)]);
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn replay(policy: &Scenario, observations: &Observations) -> Result<Vec<Decision>, Error> {
    observations.replay(&policy.file.autoscaler()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_nothing_but_dots_is_refused_at_once() {
        let rows =
            |dots: usize| Observations::csv("rows.csv", &format!("time,{}b\n1,2\n", "a.".repeat(dots)));
        assert!(rows(64).is_ok());
        let error = rows(200_000).unwrap_err().to_string();
        assert!(error.contains("has 200000 dots; at most 64 are read"), "{error}");
    }
}
