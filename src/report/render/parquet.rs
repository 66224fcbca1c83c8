//! Datasets as Parquet: typed columns in groups of rows, packed with Snappy.

use std::fs::File;
use std::io::{self, Seek as _, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::form::{DataFormat, RowWriter};
use crate::report::data::{Column, ColumnKind, Value};

/// Parquet, of every dataset.
pub const FORMAT: DataFormat = DataFormat {
    name: "parquet",
    extension: "parquet",
    is_always: false,
    takes: |_| true,
    write: |mut dataset, _, out| {
        let mut writer = Box::new(ParquetRows::begin(&dataset.columns)?);
        writer.rows(&mut dataset.rows, out)?;
        writer.finish(out)
    },
    begin: Some(|columns, _| Ok(Box::new(ParquetRows::begin(columns)?))),
};

/// Values of a group of rows: few enough to be held.
const GROUP_VALUES: usize = 1 << 18;

/// Key of the file's metadata under which the units of its columns stand, as a JSON object.
const UNITS: &str = "kneepoint.units";

/// Writes groups of rows as soon as they are full.
struct ParquetRows {
    kinds: Vec<ColumnKind>,
    /// Rows of a group.
    group: usize,
    waiting: Vec<Vec<Value<'static>>>,
    /// A file of its own, since the writer wants one that another thread may have.
    writer: SerializedFileWriter<File>,
}

impl std::fmt::Debug for ParquetRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetRows").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

impl ParquetRows {
    fn begin(columns: &[Column]) -> io::Result<ParquetRows> {
        let unit = |column: &Column| {
            let unit = serde_json::to_value(column.unit?).ok()?;
            Some((column.name.clone(), unit))
        };
        let units = serde_json::Value::Object(columns.iter().filter_map(unit).collect());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("kneepoint ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(vec![KeyValue::new(UNITS.to_owned(), units.to_string())]))
            .build();
        let file = tempfile::tempfile()?;
        let schema = schema(columns).map_err(io::Error::other)?;
        let writer =
            SerializedFileWriter::new(file, schema, Arc::new(properties)).map_err(io::Error::other)?;
        Ok(ParquetRows {
            kinds: columns.iter().map(|column| column.kind).collect(),
            group: (GROUP_VALUES / columns.len().max(1)).max(1),
            waiting: Vec::new(),
            writer,
        })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for (at, kind) in self.kinds.iter().enumerate() {
            let values = rows.iter().map(|row| &row[at]);
            match kind {
                ColumnKind::Number => column::<DoubleType>(&mut group, values, |value| match value {
                    Value::Number(_) | Value::Count(_) => Some(value.number()),
                    _ => None,
                }),
                ColumnKind::Count => column::<Int64Type>(&mut group, values, |value| match value {
                    Value::Count(count) => Some(i64::try_from(*count).unwrap_or(i64::MAX)),
                    _ => None,
                }),
                ColumnKind::Flag => column::<BoolType>(&mut group, values, |value| match value {
                    Value::Flag(flag) => Some(*flag),
                    _ => None,
                }),
                ColumnKind::Text => column::<ByteArrayType>(&mut group, values, |value| match value {
                    Value::Text(text) => Some(ByteArray::from(text.as_ref())),
                    _ => None,
                }),
            }?;
        }
        group.close().map(drop)
    }
}

impl RowWriter for ParquetRows {
    fn rows<'a>(
        &mut self,
        rows: &mut dyn Iterator<Item = Vec<Value<'a>>>,
        _: &mut dyn Write,
    ) -> io::Result<()> {
        for row in rows {
            self.waiting.push(row.into_iter().map(Value::into_owned).collect());
            if self.waiting.len() == self.group {
                self.write_group().map_err(io::Error::other)?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut dyn Write) -> io::Result<()> {
        self.write_group().map_err(io::Error::other)?;
        let mut file = self.writer.into_inner().map_err(io::Error::other)?;
        file.rewind()?;
        io::copy(&mut file, out).map(drop)
    }
}

/// The schema: every column may be empty.
fn schema(columns: &[Column]) -> Result<Arc<Type>, ParquetError> {
    let field = |column: &Column| {
        let (physical, logical) = match column.kind {
            ColumnKind::Number => (Physical::DOUBLE, None),
            ColumnKind::Count => (Physical::INT64, None),
            ColumnKind::Flag => (Physical::BOOLEAN, None),
            ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        Type::primitive_type_builder(&column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("kneepoint").with_fields(fields).build().map(Arc::new)
}

/// Writes one column of a group.
fn column<'a, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: impl Iterator<Item = &'a Value<'static>>,
    of: impl Fn(&Value<'static>) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let (mut known, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        let value = of(value);
        levels.push(i16::from(value.is_some()));
        known.extend(value);
    }
    column.typed::<T>().write_batch(&known, Some(&levels), None)?;
    column.close()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::{Row, RowAccessor as _};

    use super::*;
    use crate::experiment::Unit;
    use crate::report::data::Dataset;
    use crate::report::render::RunOrigin;

    #[test]
    fn values_and_gaps_of_every_kind_are_read_back_over_several_groups() {
        let seconds =
            Column { name: "latency.p99_s".into(), kind: ColumnKind::Number, unit: Some(Unit::Seconds) };
        let plain =
            [("served", ColumnKind::Count), ("on frontier", ColumnKind::Flag), ("reason", ColumnKind::Text)];
        let columns: Vec<Column> =
            std::iter::once(seconds).chain(plain.map(|(name, kind)| Column::plain(name, kind))).collect();
        let count = 2 * GROUP_VALUES as u64 / 4 + 7;
        let rows = (0..count).map(|row| match row % 3 {
            0 => vec![
                Value::Number(row as f64 / 3.0),
                Value::Count(row),
                Value::Flag(row % 2 == 0),
                Value::text("größer"),
            ],
            1 => vec![Value::Missing, Value::Missing, Value::Missing, Value::Missing],
            _ => vec![Value::Number(-0.5), Value::Count(u64::MAX), Value::Flag(true), Value::text("")],
        });
        let dataset = Dataset { name: "x".into(), columns, rows: Box::new(rows) };
        let mut out = Vec::new();
        (FORMAT.write)(dataset, &RunOrigin { scenario: "x", start_ms: 0 }, &mut out).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&out).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        assert_eq!(reader.num_row_groups(), 3);
        let metadata = reader.metadata().file_metadata();
        let units = metadata.key_value_metadata().unwrap().iter().find(|entry| entry.key == UNITS).unwrap();
        assert_eq!(units.value.as_deref(), Some("{\"latency.p99_s\":\"seconds\"}"));
        let read: Vec<Row> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect();
        assert_eq!(read.len() as u64, count);
        let shown = |row: usize| read[row].to_string();
        assert_eq!(shown(3), "{latency.p99_s: 1.0, served: 3, on frontier: false, reason: \"größer\"}");
        assert_eq!(shown(1), "{latency.p99_s: null, served: null, on frontier: null, reason: null}");
        let last = (0..read.len()).rev().find(|row| row % 3 == 2).unwrap();
        assert_eq!(read[last].get_double(0).unwrap(), -0.5);
        let rest = format!("served: {}, on frontier: true, reason: \"\"}}", i64::MAX);
        assert!(shown(last).ends_with(&rest), "{}", shown(last));
    }
}
