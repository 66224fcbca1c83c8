//! Recorded traffic as a Parquet file, whose schema `docs/your-data.md` states.

use std::io::{self, Seek as _, Write};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::traffic::{Packed, Recorded, Requests, Series};

/// Rows of a group: few enough to be held, enough to be packed well.
const GROUP: usize = 1 << 20;

/// Writes the traffic to `out`; gives the number of rows.
///
/// # Errors
/// It cannot be written.
pub(super) fn write(recorded: &Recorded, out: &mut dyn Write) -> io::Result<usize> {
    // The writer asks for a file that another thread may have.
    let mut file = tempfile::tempfile()?;
    let rows = match recorded {
        Recorded::Requests(requests) => write_requests(requests, &mut file),
        Recorded::Series(series) => write_series(series, &mut file),
    };
    let rows = rows.map_err(io::Error::other)?;
    file.rewind()?;
    io::copy(&mut file, out)?;
    Ok(rows)
}

fn writer<'a>(
    columns: &[String],
    file: &'a mut std::fs::File,
) -> Result<SerializedFileWriter<&'a mut std::fs::File>, ParquetError> {
    let columns: String = columns.iter().map(|column| format!("{column};\n")).collect();
    let schema = Arc::new(parse_message_type(&format!("message traffic {{\n{columns}}}"))?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_column_encoding("requests".into(), Encoding::PLAIN)
        .set_encoding(Encoding::DELTA_BINARY_PACKED)
        .build();
    SerializedFileWriter::new(file, schema, Arc::new(properties))
}

/// The column of instants: dates where they are known, else nanoseconds from the start.
fn instants(origin: Option<i64>) -> String {
    match origin {
        Some(_) => "required int64 timestamp (TIMESTAMP(NANOS,true))".into(),
        None => "required int64 timestamp_ns".into(),
    }
}

fn write_requests(requests: &Requests, file: &mut std::fs::File) -> Result<usize, ParquetError> {
    let trace = &requests.trace;
    let named = [("prompt_tokens", &trace.prompt_tokens), ("output_tokens", &trace.output_tokens)];
    let named =
        named.into_iter().chain([("duration_ns", &trace.service)]).filter(|(_, column)| !column.is_empty());
    let others: Vec<(&str, &Packed)> = named.collect();
    let names = others.iter().map(|(name, _)| format!("required int64 {name}"));
    let columns: Vec<String> = std::iter::once(instants(requests.origin)).chain(names).collect();
    let mut writer = writer(&columns, file)?;
    let origin = requests.origin.unwrap_or(0);
    let rows = trace.instants.len();
    for start in (0..rows).step_by(GROUP) {
        let mut group = writer.next_row_group()?;
        let sources =
            std::iter::once((&trace.instants, origin)).chain(others.iter().map(|(_, column)| (*column, 0)));
        for (source, more) in sources {
            let range = source.range(start..start + GROUP);
            let values: Vec<i64> = range.map(|value| more.saturating_add_unsigned(value)).collect();
            if let Some(mut column) = group.next_column()? {
                column.typed::<Int64Type>().write_batch(&values, None, None)?;
                column.close()?;
            }
        }
        group.close()?;
    }
    writer.close()?;
    Ok(rows)
}

fn write_series(series: &Series, file: &mut std::fs::File) -> Result<usize, ParquetError> {
    let columns = [instants(series.origin), "optional double requests".into()];
    let mut writer = writer(&columns, file)?;
    let origin = series.origin.unwrap_or(0);
    let interval = series.interval.as_nanos();
    for (number, counts) in (0_u64..).zip(series.counts.chunks(GROUP)) {
        let first = number * GROUP as u64;
        let instant = |row: u64| origin.saturating_add_unsigned(row.saturating_mul(interval));
        let stamps: Vec<i64> = (first..first + counts.len() as u64).map(instant).collect();
        let known: Vec<f64> = counts.iter().copied().filter(|count| !count.is_nan()).collect();
        let levels: Vec<i16> = counts.iter().map(|count| i16::from(!count.is_nan())).collect();
        let mut group = writer.next_row_group()?;
        if let Some(mut column) = group.next_column()? {
            column.typed::<Int64Type>().write_batch(&stamps, None, None)?;
            column.close()?;
        }
        if let Some(mut column) = group.next_column()? {
            column.typed::<DoubleType>().write_batch(&known, Some(&levels), None)?;
            column.close()?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(series.counts.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Memory, NamedFile};
    use crate::traffic::{Quantity, Wanted, read_recording};

    fn recorded(name: &str, bytes: &[u8], wanted: &Wanted) -> Recorded {
        let mut files = Memory::default();
        files.insert(name, bytes);
        let file = NamedFile { files: &files, path: name.into(), shown: name };
        let recording = read_recording(&file, wanted).unwrap_or_else(|error| panic!("{}", error.rendered()));
        assert_eq!(recording.reading.skipped_rows(), 0, "{:?}", recording.reading);
        recording.content
    }

    fn again(recorded: &Recorded, wanted: &Wanted) -> Recorded {
        let mut bytes = Vec::new();
        write(recorded, &mut bytes).unwrap();
        self::recorded("t.parquet", &bytes, wanted)
    }

    #[test]
    fn requests_are_the_same_to_the_nanosecond_with_dates_and_without() {
        for (text, has_date) in [
            (
                "ts,prompt_tokens,output_tokens,latency_ms\n1767603600.123456789,5,6,7.5\n1767603601.5,8,9,1e3\n1767603601.5,1,2,3\n",
                true,
            ),
            ("ts_ms,prompt_tokens\n0,5\n1.5,6\n7,7\n", false),
            ("ts\n2026-01-05 09:00:00.25\n2026-01-05 09:00:07\n", true),
        ] {
            let Recorded::Requests(before) = recorded("t.csv", text.as_bytes(), &Wanted::default()) else {
                panic!()
            };
            let Recorded::Requests(after) = again(&Recorded::Requests(before.clone()), &Wanted::default())
            else {
                panic!()
            };
            assert_eq!((&before.trace, before.origin.is_some()), (&after.trace, has_date), "{text}");
            assert_eq!(before.origin, after.origin);
        }
    }

    #[test]
    fn numbers_per_interval_keep_their_gaps() {
        let text =
            "time,requests\n2026-01-05T09:00:00Z,5\n2026-01-05T09:01:00Z,6.5\n2026-01-05T09:03:00Z,0\n";
        let wanted = Wanted { values: Some(Quantity::Counts), ..Wanted::default() };
        let Recorded::Series(before) = recorded("t.csv", text.as_bytes(), &wanted) else { panic!() };
        let Recorded::Series(after) = again(&Recorded::Series(before.clone()), &wanted) else { panic!() };
        assert_eq!((before.origin, before.interval), (after.origin, after.interval));
        assert_eq!((after.gaps(), after.counts.len()), (1, 4));
    }

    #[test]
    fn what_is_damaged_is_refused_and_not_echoed() {
        let mut bytes = Vec::new();
        let text = "ts\n1767603600.5\n1767603601.5\n1767603603.5\n";
        write(&recorded("t.csv", text.as_bytes(), &Wanted::default()), &mut bytes).unwrap();
        for length in [4, 20, bytes.len() / 2, bytes.len() - 1] {
            let mut files = Memory::default();
            files.insert("t", &bytes[..length]);
            let file = NamedFile { files: &files, path: "t".into(), shown: "t" };
            let error = read_recording(&file, &Wanted::default()).unwrap_err();
            assert!(error.message.starts_with("`t` cannot be read as Parquet: "), "{}", error.message);
        }
    }
}
