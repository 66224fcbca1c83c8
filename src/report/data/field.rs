//! Columns over records, each stated once.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::dataset::{Column, ColumnKind, Dataset, Value};
use crate::experiment::Unit;

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
    pub(super) const fn number(
        name: &'static str,
        unit: Unit,
        doc: &'static str,
        get: fn(&R) -> f64,
    ) -> Field<R> {
        Field { name, unit: Some(unit), doc, get: Getter::Number(get) }
    }

    pub(super) const fn maybe(
        name: &'static str,
        unit: Option<Unit>,
        doc: &'static str,
        get: fn(&R) -> Option<f64>,
    ) -> Field<R> {
        Field { name, unit, doc, get: Getter::Maybe(get) }
    }

    pub(super) const fn count(
        name: &'static str,
        unit: Unit,
        doc: &'static str,
        get: fn(&R) -> u64,
    ) -> Field<R> {
        Field { name, unit: Some(unit), doc, get: Getter::Count(get) }
    }

    pub(super) const fn flag(name: &'static str, doc: &'static str, get: fn(&R) -> bool) -> Field<R> {
        Field { name, unit: None, doc, get: Getter::Flag(get) }
    }

    pub(super) const fn text(name: &'static str, doc: &'static str, get: fn(&R) -> Cow<'_, str>) -> Field<R> {
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

/// The fields of a table, in groups that follow each other.
pub type Fields<R> = &'static [&'static [Field<R>]];

/// The columns of a dataset of `fields`.
pub fn columns<R>(fields: Fields<R>) -> Vec<Column> {
    fields.iter().copied().flatten().map(Field::column).collect()
}

/// A row of a dataset of `fields`: their values in `record`.
pub fn row<'a, R>(fields: Fields<R>, record: &'a R) -> Vec<Value<'a>> {
    fields.iter().copied().flatten().map(|field| field.of(record)).collect()
}

/// The records of a table by its fields: each field a list of values under its name.
#[derive(Debug)]
pub struct Records<'a, R: 'static> {
    /// The fields.
    pub fields: Fields<R>,
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
        let mut map = serializer.serialize_map(None)?;
        for field in self.fields.iter().copied().flatten() {
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
    use crate::report::data::WINDOW_COLUMNS;

    #[test]
    fn records_are_a_list_of_values_a_field() {
        let windows = [crate::sim::Window { end_s: 5.0, ..Default::default() }];
        let json = serde_json::to_value(Records { fields: &[WINDOW_COLUMNS], records: &windows }).unwrap();
        assert_eq!(json["time_s"], serde_json::json!([5.0]));
        assert_eq!(json["latency_p50_s"], serde_json::json!([null]));
        assert_eq!(json["arrived"], serde_json::json!([0]));
        assert_eq!(json.as_object().map(|columns| columns.len()), Some(WINDOW_COLUMNS.len()));
    }
}
