//! Cells of a Parquet file, a batch of rows at a time.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::super::values;
use crate::traffic::Unit;
use crate::traffic::moment::{TimeForm, shown};

/// A column with one value a row.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name; within others as `a.b`.
    pub name: String,
    /// Its number among the leaves of the schema.
    pub leaf: usize,
    kind: Kind,
    /// The level at which a value is there: 0 if one is in every row.
    level: i16,
}

/// What integers of a column are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Plain,
    /// Instants since 1970 in units of so many nanoseconds, and whether in UTC.
    Instant(i64, bool),
    /// Decimals with so many digits after the point.
    Decimal(i32),
}

/// The columns of a schema that hold one value a row.
pub(super) fn fields(schema: &SchemaDescriptor) -> Vec<Field> {
    let columns = schema.columns().iter().enumerate();
    let flat = columns.filter(|(_, column)| column.max_rep_level() == 0);
    flat.filter_map(|(leaf, column)| {
        let name = column.path().parts().join(".");
        Some(Field { name, leaf, kind: kind(column)?, level: column.max_def_level() })
    })
    .collect()
}

fn kind(column: &ColumnDescriptor) -> Option<Kind> {
    const DAY: i64 = 86_400_000_000_000;
    let by_unit = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1_000_000,
        TimeUnit::MICROS => 1_000,
        TimeUnit::NANOS => 1,
    };
    let kind = match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(stamp)), _) => {
            Kind::Instant(by_unit(&stamp.unit), stamp.is_adjusted_to_u_t_c)
        }
        (_, ConvertedType::TIMESTAMP_MILLIS) => Kind::Instant(1_000_000, true),
        (_, ConvertedType::TIMESTAMP_MICROS) => Kind::Instant(1_000, true),
        (_, ConvertedType::DATE) => Kind::Instant(DAY, false),
        (_, ConvertedType::DECIMAL) => Kind::Decimal(column.type_scale()),
        _ => Kind::Plain,
    };
    let is_number = matches!(column.physical_type(), Type::INT32 | Type::INT64);
    match column.physical_type() {
        Type::FIXED_LEN_BYTE_ARRAY => match kind {
            Kind::Decimal(_) => Some(kind),
            _ => None,
        },
        Type::BYTE_ARRAY if matches!(kind, Kind::Decimal(_)) => None,
        Type::INT96 => Some(Kind::Instant(1, false)),
        _ => Some(if is_number { kind } else { Kind::Plain }),
    }
}

/// Some rows of a column.
pub(super) struct Batch {
    reader: ColumnReader,
    kind: Kind,
    level: i16,
    values: Values,
    levels: Vec<i16>,
    /// Which value each row has.
    rows: Vec<Option<u32>>,
}

enum Values {
    Whole(Vec<i64>),
    Real(Vec<f64>),
    Text(Vec<ByteArray>),
    Truth(Vec<bool>),
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    None,
    Whole(i64),
    Real(f64),
    /// Nanoseconds since 1970, and whether the zone is known.
    Instant(i64, bool),
    Text(&'a str),
    Truth(bool),
}

impl Batch {
    pub(super) fn new(field: &Field, reader: ColumnReader) -> Batch {
        let values = match &reader {
            ColumnReader::ByteArrayColumnReader(_) => Values::Text(Vec::new()),
            ColumnReader::FloatColumnReader(_)
            | ColumnReader::DoubleColumnReader(_)
            | ColumnReader::FixedLenByteArrayColumnReader(_) => Values::Real(Vec::new()),
            ColumnReader::BoolColumnReader(_) => Values::Truth(Vec::new()),
            _ => Values::Whole(Vec::new()),
        };
        let (kind, level) = (field.kind, field.level);
        Batch { reader, kind, level, values, levels: Vec::new(), rows: Vec::new() }
    }

    /// Rows that were read last.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Reads the next rows, at most so many; gives their number, 0 at the end.
    pub(super) fn read(&mut self, most: usize) -> Result<usize> {
        self.levels.clear();
        let levels = &mut self.levels;
        let rows = match (&mut self.reader, &mut self.values) {
            (ColumnReader::Int32ColumnReader(reader), Values::Whole(out)) => {
                read_as(reader, most, levels, out, i64::from)?
            }
            (ColumnReader::Int64ColumnReader(reader), Values::Whole(out)) => {
                read_as(reader, most, levels, out, |value| value)?
            }
            (ColumnReader::Int96ColumnReader(reader), Values::Whole(out)) => {
                read_as(reader, most, levels, out, |value: Int96| value.to_nanos())?
            }
            (ColumnReader::FloatColumnReader(reader), Values::Real(out)) => {
                read_as(reader, most, levels, out, f64::from)?
            }
            (ColumnReader::DoubleColumnReader(reader), Values::Real(out)) => {
                read_as(reader, most, levels, out, |value| value)?
            }
            (ColumnReader::ByteArrayColumnReader(reader), Values::Text(out)) => {
                read_as(reader, most, levels, out, |value| value)?
            }
            (ColumnReader::BoolColumnReader(reader), Values::Truth(out)) => {
                read_as(reader, most, levels, out, |value| value)?
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Real(out)) => {
                let digits = if let Kind::Decimal(digits) = self.kind { digits } else { 0 };
                let decimal = |value: FixedLenByteArray| decimal(value.data(), digits);
                read_as(reader, most, levels, out, decimal)?
            }
            _ => return Err(ParquetError::General("a column of another type than its schema says".into())),
        };
        self.rows.clear();
        if self.level == 0 {
            self.rows.extend((0..rows as u32).map(Some));
        } else {
            let mut next = 0;
            self.rows.extend(self.levels.iter().take(rows).map(|level| {
                (*level == self.level).then(|| {
                    next += 1;
                    next - 1
                })
            }));
        }
        Ok(self.rows.len())
    }

    /// The value of a row; none for what is null or no text.
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        let Some(at) = self.rows.get(row).copied().flatten().map(|at| at as usize) else { return Cell::None };
        match &self.values {
            Values::Whole(values) => values.get(at).map_or(Cell::None, |value| self.whole(*value)),
            Values::Real(values) => values.get(at).map_or(Cell::None, |value| Cell::Real(*value)),
            Values::Truth(values) => values.get(at).map_or(Cell::None, |value| Cell::Truth(*value)),
            Values::Text(values) => {
                let text = values.get(at).and_then(|bytes| std::str::from_utf8(bytes.data()).ok());
                text.map_or(Cell::None, |text| Cell::Text(text.trim()))
            }
        }
    }

    fn whole(&self, value: i64) -> Cell<'_> {
        match self.kind {
            Kind::Plain => Cell::Whole(value),
            Kind::Instant(unit, zoned) => {
                value.checked_mul(unit).map_or(Cell::None, |nanos| Cell::Instant(nanos, zoned))
            }
            Kind::Decimal(digits) => Cell::Real(value as f64 / 10_f64.powi(digits)),
        }
    }
}

/// A decimal as Parquet writes long ones: a whole number in two's complement, its highest byte first.
fn decimal(bytes: &[u8], digits: i32) -> f64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let of = |byte: u8| f64::from(if negative { !byte } else { byte });
    let size = bytes.iter().fold(0.0, |value, byte| 256.0 * value + of(*byte));
    let value = if negative { -size - 1.0 } else { size };
    value / 10_f64.powi(digits)
}

fn read_as<T: DataType, V>(
    reader: &mut parquet::column::reader::ColumnReaderImpl<T>,
    most: usize,
    levels: &mut Vec<i16>,
    out: &mut Vec<V>,
    convert: impl Fn(T::T) -> V,
) -> Result<usize> {
    let mut values = Vec::with_capacity(most);
    let (rows, _, _) = reader.read_records(most, Some(levels), None, &mut values)?;
    out.clear();
    out.extend(values.into_iter().map(convert));
    Ok(rows)
}

impl Cell<'_> {
    /// As a table would hold it; empty for none.
    pub(super) fn text(self) -> String {
        match self {
            Cell::None => String::new(),
            Cell::Whole(value) => value.to_string(),
            Cell::Real(value) => value.to_string(),
            Cell::Truth(value) => value.to_string(),
            Cell::Text(text) => text.to_owned(),
            Cell::Instant(nanos, zoned) => {
                let date = shown(nanos, true);
                if zoned { date } else { date.trim_end_matches('Z').to_owned() }
            }
        }
    }

    /// The instant that it is.
    pub(super) fn nanos(self, form: TimeForm) -> Option<i64> {
        match (self, form) {
            (Cell::Instant(nanos, _), _) => Some(nanos),
            (Cell::Whole(value), TimeForm::Epoch(unit) | TimeForm::Elapsed(unit)) => {
                value.checked_mul(i64::try_from(unit.nanos()).ok()?)
            }
            (Cell::None, _) => None,
            (Cell::Text(text), form) => form.parse(text),
            (other, form) => form.parse(&other.text()),
        }
    }

    /// The number that it is.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Cell::Whole(value) => Some(value as f64),
            Cell::Real(value) => Some(value),
            Cell::Text(text) => values::measure(text, false).map(|(value, _)| value),
            Cell::None | Cell::Instant(..) | Cell::Truth(_) => None,
        }
    }

    /// The number of tokens that it is; nothing where it is empty.
    pub(super) fn tokens(self) -> std::result::Result<Option<u32>, ()> {
        match self {
            Cell::None => Ok(None),
            Cell::Whole(value) => u32::try_from(value).map(Some).map_err(|_| ()),
            Cell::Real(value) if value.is_nan() => Ok(None),
            other => values::tokens(&other.text()).map(Some).ok_or(()),
        }
    }

    /// Nanoseconds of the duration that it is, a number in `unit`.
    pub(super) fn duration(self, unit: Option<Unit>) -> Option<u64> {
        match self {
            Cell::Whole(value) => u64::try_from(value).ok()?.checked_mul(unit?.nanos()),
            Cell::Text(text) => values::duration(text, unit, false),
            Cell::Real(value) => {
                let nanos = (value * unit?.nanos() as f64).round();
                (0.0..1e18).contains(&nanos).then_some(nanos as u64)
            }
            Cell::None | Cell::Instant(..) | Cell::Truth(_) => None,
        }
    }
}
