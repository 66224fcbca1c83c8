//! A table of typed columns whose rows are made as they are written.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::ser::Serializer;

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
