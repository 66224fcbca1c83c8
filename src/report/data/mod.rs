//! Results as tables of typed columns, for programs: what `timeline.csv`, `decisions.csv`, `sweep.csv`,
//! `replications.csv` and `comparison.csv` hold.
//!
//! A [`Dataset`] makes its rows as they are written, so that a sweep of many replications never stands in memory as a
//! table. A writer of another form is one file in [`render`](super::render).
//!
//! - [`WINDOW_COLUMNS`]: the timeline, a row a window
//! - [`DECISION_COLUMNS`]: the decision log, a row an evaluation
//! - [`DIFFERENCE_COLUMNS`]: a comparison, a row a pair and figure
//! - [`figures`]: replications and points, a column a figure of [`FIGURES`](crate::experiment::FIGURES)
mod decisions;
mod differences;
pub mod figures;
mod windows;

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub use decisions::{DECISION_COLUMNS, action};
pub use differences::{DIFFERENCE_COLUMNS, DifferenceRow, differences};
pub use windows::{WINDOW_COLUMNS, window_column};

use crate::experiment::Unit;

/// A table whose rows are made one at a time.
pub struct Dataset<'a> {
    /// Name of its file, without an extension; may lie in a folder of its own.
    pub name: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each with a value a column.
    pub rows: Box<dyn Iterator<Item = Vec<Value<'a>>> + 'a>,
}

impl fmt::Debug for Dataset<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("name", &self.name)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// A column of a [`Dataset`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name in the header.
    pub name: String,
    /// Type of its values.
    pub kind: ColumnKind,
    /// Unit of its values; `None` for text, numbers of things and flags.
    pub unit: Option<Unit>,
}

impl Column {
    /// A column without a unit.
    pub fn plain(name: impl Into<String>, kind: ColumnKind) -> Column {
        Column { name: name.into(), kind, unit: None }
    }
}

/// Type of the values of a column; any of them may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// A number with a fraction.
    Number,
    /// A whole number from 0.
    Count,
    /// True or false.
    Flag,
    /// Text.
    Text,
}

/// A value of a [`Dataset`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// None.
    Missing,
    /// A number with a fraction.
    Number(f64),
    /// A whole number.
    Count(u64),
    /// True or false.
    Flag(bool),
    /// Text.
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// Text, empty or not.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Value<'a> {
        Value::Text(text.into())
    }

    /// The same value, with text of its own.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Missing => Value::Missing,
            Value::Number(number) => Value::Number(number),
            Value::Count(count) => Value::Count(count),
            Value::Flag(flag) => Value::Flag(flag),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
        }
    }

    /// The value as a number with a fraction; NaN where it is missing or none.
    pub fn number(&self) -> f64 {
        match self {
            Value::Number(number) => *number,
            Value::Count(count) => *count as f64,
            Value::Missing | Value::Flag(_) | Value::Text(_) => f64::NAN,
        }
    }
}

impl From<Option<f64>> for Value<'_> {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Value::Missing, Value::Number)
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Missing => serializer.serialize_none(),
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::Count(count) => serializer.serialize_u64(*count),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A column over records of type `R`: its name, unit and meaning, and how its value follows from a record.
#[derive(Debug)]
pub struct Field<R: 'static> {
    /// Name in the header of the file.
    pub name: &'static str,
    /// Unit; `None` for text, numbers of things and flags.
    pub unit: Option<Unit>,
    /// What it is, as the documentation says it.
    pub doc: &'static str,
    get: Getter<R>,
}

/// How the value of a field follows from a record.
#[derive(Debug)]
enum Getter<R> {
    Number(fn(&R) -> f64),
    Maybe(fn(&R) -> Option<f64>),
    Count(fn(&R) -> u64),
    Flag(fn(&R) -> bool),
    Text(fn(&R) -> Cow<'_, str>),
}

impl<R> Field<R> {
    const fn number(name: &'static str, unit: Unit, doc: &'static str, get: fn(&R) -> f64) -> Field<R> {
        Field { name, unit: Some(unit), doc, get: Getter::Number(get) }
    }

    const fn maybe(
        name: &'static str,
        unit: Option<Unit>,
        doc: &'static str,
        get: fn(&R) -> Option<f64>,
    ) -> Field<R> {
        Field { name, unit, doc, get: Getter::Maybe(get) }
    }

    const fn count(name: &'static str, unit: Unit, doc: &'static str, get: fn(&R) -> u64) -> Field<R> {
        Field { name, unit: Some(unit), doc, get: Getter::Count(get) }
    }

    const fn flag(name: &'static str, doc: &'static str, get: fn(&R) -> bool) -> Field<R> {
        Field { name, unit: None, doc, get: Getter::Flag(get) }
    }

    const fn text(name: &'static str, doc: &'static str, get: fn(&R) -> Cow<'_, str>) -> Field<R> {
        Field { name, unit: None, doc, get: Getter::Text(get) }
    }

    /// The value of this field in `record`.
    pub fn of<'a>(&self, record: &'a R) -> Value<'a> {
        match self.get {
            Getter::Number(get) => Value::Number(get(record)),
            Getter::Maybe(get) => get(record).into(),
            Getter::Count(get) => Value::Count(get(record)),
            Getter::Flag(get) => Value::Flag(get(record)),
            Getter::Text(get) => Value::Text(get(record)),
        }
    }

    /// The column of a [`Dataset`] that holds this field.
    pub fn column(&self) -> Column {
        let kind = match self.get {
            Getter::Number(_) | Getter::Maybe(_) => ColumnKind::Number,
            Getter::Count(_) => ColumnKind::Count,
            Getter::Flag(_) => ColumnKind::Flag,
            Getter::Text(_) => ColumnKind::Text,
        };
        Column { name: self.name.to_owned(), kind, unit: self.unit }
    }
}

/// The columns of a dataset of `fields`.
pub fn columns<R>(fields: &[Field<R>]) -> Vec<Column> {
    fields.iter().map(Field::column).collect()
}

/// A row of a dataset of `fields`: their values in `record`.
pub fn row<'a, R>(fields: &[Field<R>], record: &'a R) -> Vec<Value<'a>> {
    fields.iter().map(|field| field.of(record)).collect()
}

/// The records of a table by its fields: each field a list of values under its name.
#[derive(Debug)]
pub struct Records<'a, R: 'static> {
    /// The fields.
    pub fields: &'static [Field<R>],
    /// The records.
    pub records: &'a [R],
}

impl<R> Clone for Records<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Records<'_, R> {}

impl<'a, R> Records<'a, R> {
    /// As a dataset called `name`.
    pub fn dataset(self, name: String) -> Dataset<'a> {
        let rows = self.records.iter().map(|record| row(self.fields, record));
        Dataset { name, columns: columns(self.fields), rows: Box::new(rows) }
    }
}

impl<R> Serialize for Records<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for field in self.fields {
            map.serialize_entry(field.name, &FieldValues { field, records: self.records })?;
        }
        map.end()
    }
}

/// The values of one field in all records.
struct FieldValues<'a, R: 'static> {
    field: &'static Field<R>,
    records: &'a [R],
}

impl<R> Serialize for FieldValues<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.records.iter().map(|record| self.field.of(record)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `docs/outputs.md` that describes `fields`, a line a column.
    fn documented<R>(fields: &[Field<R>]) -> String {
        fields.iter().map(|field| format!("| `{}` | {} |\n", field.name, field.doc)).collect()
    }

    #[test]
    fn the_documentation_describes_every_column_as_it_is_declared() {
        let page = include_str!("../../../docs/outputs.md");
        let tables =
            [documented(WINDOW_COLUMNS), documented(DECISION_COLUMNS), documented(DIFFERENCE_COLUMNS)];
        for table in tables {
            assert!(page.contains(&table), "docs/outputs.md lacks these lines, in this order:\n{table}");
        }
    }

    #[test]
    fn records_are_a_list_of_values_a_field() {
        let windows = [crate::sim::Window { end_s: 5.0, ..Default::default() }];
        let json = serde_json::to_value(Records { fields: WINDOW_COLUMNS, records: &windows }).unwrap();
        assert_eq!(json["time_s"], serde_json::json!([5.0]));
        assert_eq!(json["latency_p50_s"], serde_json::json!([null]));
        assert_eq!(json["arrived"], serde_json::json!([0]));
        assert_eq!(json.as_object().map(|columns| columns.len()), Some(WINDOW_COLUMNS.len()));
    }
}
