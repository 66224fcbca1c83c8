//! What a replay asks of a policy about a recording as a whole: which field a single metric is, in which unit its numbers
//! are, and which fields a closed loop sets.

use serde_json::{Map, Value};

/// The fields of every row of a recording.
pub type Rows<'a> = [&'a Map<String, Value>];

/// A recording that cannot be replayed: the row, from 0, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// The row, from 0.
    pub row: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// The fields through which a row says how many instances there are: a closed loop sets them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolFields {
    /// Instances asked for before.
    pub desired: Option<&'static str>,
    /// Instances starting or ready.
    pub existing: Option<&'static str>,
    /// Instances ready.
    pub ready: Option<&'static str>,
    /// Instances starting.
    pub starting: Option<&'static str>,
    /// Whether each metric is a mean over the instances, so that other numbers of instances share the same load.
    pub shared: Vec<bool>,
}

/// The largest number among a field of the rows, with the first row where it is above zero; `None` where none is.
pub(super) fn largest<'a>(
    rows: &Rows<'a>,
    number: impl Fn(&'a Map<String, Value>) -> Option<f64>,
) -> Option<(usize, f64)> {
    let mut found: Option<(usize, f64)> = None;
    for (index, fields) in rows.iter().enumerate() {
        if let Some(number) = number(fields).filter(|number| *number > 0.0) {
            let (first, largest) = found.unwrap_or((index, number));
            found = Some((first, largest.max(number)));
        }
    }
    found
}
