//! Tables in Parquet: the columns that hold one value a row, understood as those of any other table.

mod cells;
mod zstd;

use std::fs::File;
use std::io;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::page::PageReader;
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::errors::Result as ParquetResult;
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};

use super::choose::{self, Plan, RequestPlan, SeriesPlan};
use super::reading::Reading;
use super::requests::{Gathered, Row};
use super::sample::Sample;
use super::series::{self, Known};
use super::series_rows::SeriesRows;
use super::wanted::Wanted;
use super::{Recorded, Recording};
use crate::files::NamedFile;
use crate::traffic::packing::content;
use crate::traffic::{FileError, Quantity};
use cells::{Batch, Cell, Field, fields};
use zstd::ZstdPages;

const NAME: &str = "parquet";
const DOC: &str = "a table in Parquet";

/// Rows by which columns are understood.
const SAMPLED: usize = 500;

/// Rows that are read at once.
const BATCH: usize = 4096;

/// Reads a file in Parquet.
///
/// # Errors
/// It is damaged, packed in a way that is not read, or its columns are no requests and no numbers of them.
pub(super) fn read(file: &NamedFile<'_>, wanted: &Wanted) -> Result<Recording, FileError> {
    let table = Table::open(file)?;
    let sample = table.sample()?;
    if sample.rows.is_empty() {
        return Err(FileError::whole(file.shown, "has no rows", "expected at least one row with an instant"));
    }
    let plan = choose::choose(&sample, file.shown, wanted)?;
    let reading = Reading::of(file.shown, NAME, DOC);
    let read = match plan {
        Plan::Requests(plan) => table.requests(&plan, reading, wanted),
        Plan::Series(plan) => table.series(plan, reading, wanted),
    };
    // Rows have numbers, and no lines.
    read.map_err(FileError::without_text)
}

struct Table<'a> {
    shown: &'a str,
    file: Arc<File>,
    reader: SerializedFileReader<File>,
    fields: Vec<Field>,
}

impl<'a> Table<'a> {
    /// Opens a file by way of a temporary one, as the end of a Parquet file is read before its start.
    fn open(file: &NamedFile<'a>) -> Result<Table<'a>, FileError> {
        let shown = file.shown;
        let copied = || -> io::Result<(File, File)> {
            let mut copy = tempfile::tempfile()?;
            io::copy(&mut content(file)?, &mut copy)?;
            Ok((copy.try_clone()?, copy))
        };
        let (copy, pages) = copied().map_err(|error| crate::traffic::error::unreadable(file, &error))?;
        let reader = SerializedFileReader::new(copy).map_err(|error| broken(shown, &error))?;
        let fields = fields(reader.metadata().file_metadata().schema_descr());
        if fields.is_empty() {
            let label = "expected columns with one value a row";
            return Err(FileError::whole(shown, "has no column of numbers, texts or instants", label));
        }
        Ok(Table { shown, file: Arc::new(pages), reader, fields })
    }

    /// Passes the rows of some columns to `take`, batch by batch, until it has enough.
    fn each_batch(
        &self,
        columns: &[usize],
        mut take: impl FnMut(&[Batch], usize) -> Result<bool, FileError>,
    ) -> Result<(), FileError> {
        let wrong = |error| broken(self.shown, &error);
        for group in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(group).map_err(wrong)?;
            let mut batches = Vec::with_capacity(columns.len());
            for column in columns {
                let field = &self.fields[*column];
                batches.push(Batch::new(field, self.column(group.as_ref(), field.leaf).map_err(wrong)?));
            }
            loop {
                let mut rows = 0;
                for batch in &mut batches {
                    rows = batch.read(BATCH).map_err(wrong)?;
                }
                if rows == 0 {
                    break;
                }
                if batches.iter().any(|batch| batch.len() != rows) {
                    let what = "has columns with different numbers of rows";
                    return Err(FileError::whole(self.shown, what, "expected a Parquet file that is whole"));
                }
                if !take(&batches, rows)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A column of a group of rows.
    fn column(&self, group: &dyn RowGroupReader, leaf: usize) -> ParquetResult<ColumnReader> {
        let meta = group.metadata().column(leaf);
        let pages: Box<dyn PageReader> = match meta.compression() {
            Compression::ZSTD(_) => {
                let rows = usize::try_from(group.metadata().num_rows())?;
                Box::new(ZstdPages::new(&self.file, meta, rows)?)
            }
            _ => group.get_column_page_reader(leaf)?,
        };
        Ok(get_column_reader(meta.column_descr_ptr(), pages))
    }

    fn sample(&self) -> Result<Sample, FileError> {
        let mut rows = Vec::new();
        let all: Vec<usize> = (0..self.fields.len()).collect();
        self.each_batch(&all, |batches, count| {
            let row = |row: usize| batches.iter().map(|batch| batch.cell(row).text()).collect();
            rows.extend((0..count.min(SAMPLED - rows.len())).map(row));
            Ok(rows.len() < SAMPLED)
        })?;
        let names = self.fields.iter().map(|field| field.name.clone()).collect();
        Ok(Sample { names, rows, decimal_comma: false })
    }

    fn requests(
        &self,
        plan: &RequestPlan,
        mut reading: Reading,
        wanted: &Wanted,
    ) -> Result<Recording, FileError> {
        let mut columns = vec![plan.time];
        let mut place = |column: Option<usize>| {
            column.map(|column| {
                columns.push(column);
                columns.len() - 1
            })
        };
        let (prompt, output) = (place(plan.prompt_tokens), place(plan.output_tokens));
        let duration = place(plan.duration.map(|(column, _)| column));
        let unit = plan.duration.and_then(|(_, unit)| unit);
        let mut gathered = Gathered::new();
        let mut number = 0_u64;
        self.each_batch(&columns, |batches, count| {
            for row in 0..count {
                number += 1;
                let cell = |at: usize| batches[at].cell(row);
                let Some(stamp) = cell(0).nanos(plan.form) else {
                    let reason = match cell(0) {
                        Cell::None => "it has no instant".to_owned(),
                        _ => format!("its instant is none of {}", plan.form.words()),
                    };
                    reading.skip(|| number, &reason, wanted.strict)?;
                    continue;
                };
                let tokens = [prompt, output].map(|at| at.map_or(Ok(None), |at| cell(at).tokens()));
                let [Ok(prompt_tokens), Ok(output_tokens)] = tokens else {
                    reading.skip(|| number, "its tokens are no number", wanted.strict)?;
                    continue;
                };
                let duration = duration.and_then(|at| cell(at).duration(unit));
                let taken = i64::try_from(duration.filter(|_| plan.is_end).unwrap_or(0)).unwrap_or(i64::MAX);
                let arrival = stamp.saturating_sub(taken);
                gathered.push(Row { arrival, prompt_tokens, output_tokens, duration }, || number);
            }
            Ok(true)
        })?;
        reading.time.clone_from(&plan.time_shown);
        plan.notes.iter().for_each(|note| reading.note(note));
        let (reading, requests) = gathered.finish(reading, wanted, plan.form, plan.duration.is_some())?;
        Ok(Recording { reading, content: Recorded::Requests(requests) })
    }

    fn series(
        &self,
        plan: SeriesPlan,
        mut reading: Reading,
        wanted: &Wanted,
    ) -> Result<Recording, FileError> {
        let SeriesPlan { time, values, group, quantity, notes } = plan;
        let Some((time, form, time_shown)) = time else {
            return Err(FileError::whole(self.shown, "has no column of instants", "expected dates or times"));
        };
        let columns: Vec<usize> = [time].into_iter().chain(values.iter().copied()).chain(group).collect();
        let mut all = SeriesRows::default();
        let mut number = 0_u64;
        self.each_batch(&columns, |batches, count| {
            for row in 0..count {
                number += 1;
                let Some(stamp) = batches[0].cell(row).nanos(form) else {
                    reading.skip(|| number, "it has no instant", wanted.strict)?;
                    continue;
                };
                reading.rows += 1;
                for (place, column) in (1..).zip(&values) {
                    let name = match group {
                        Some(_) => batches[columns.len() - 1].cell(row).text(),
                        None => self.fields[*column].name.clone(),
                    };
                    let value = batches[place].cell(row).number().unwrap_or(f64::NAN);
                    let series = all.named(&name);
                    all.push(series, stamp, value, number);
                }
            }
            Ok(true)
        })?;
        reading.time = time_shown;
        notes.into_iter().for_each(|note| reading.note(note));
        let (quantity, factor): (Option<Quantity>, f64) =
            quantity.map_or((None, 1.0), |(quantity, factor)| (Some(quantity), factor));
        let known = Known { quantity, factor, interval: None, form };
        let (reading, series) = series::build(reading, wanted, all, known)?;
        Ok(Recording { reading, content: Recorded::Series(series) })
    }
}

fn broken(shown: &str, error: &parquet::errors::ParquetError) -> FileError {
    let said = error.to_string();
    let label = "expected a Parquet file, its columns packed with nothing, snappy, gzip, lz4 or zstd";
    let what = format!("cannot be read as Parquet: {}", crate::document::shown::shown(&said, 200));
    let error = FileError::whole(shown, &what, label);
    match said.contains("brotli") {
        true => error.with_help(format!(
            "pack it anew: duckdb -c \"COPY (FROM '{shown}') TO 'snappy.parquet' (COMPRESSION snappy)\""
        )),
        false => error,
    }
}
