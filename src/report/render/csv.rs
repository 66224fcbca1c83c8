//! Datasets as CSV.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::form::{DataFormat, RowWriter};
use crate::report::data::{Column, Dataset, Value};

/// Comma-separated values.
pub const FORMAT: DataFormat = DataFormat {
    name: "csv",
    extension: "csv",
    is_always: true,
    takes: |_| true,
    write: |dataset, _, out| write(dataset, out),
    begin: Some(|columns, out| {
        header(columns, out)?;
        Ok(Box::new(CsvRows))
    }),
};

/// Nothing is held back.
#[derive(Debug)]
struct CsvRows;

impl RowWriter for CsvRows {
    fn rows<'a>(
        &mut self,
        more: &mut dyn Iterator<Item = Vec<Value<'a>>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        rows(more, out)
    }

    fn finish(self: Box<Self>, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the names of the columns, then a line a row.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(dataset: Dataset<'_>, out: &mut dyn Write) -> io::Result<()> {
    header(&dataset.columns, out)?;
    rows(dataset.rows, out)
}

/// Writes the names of `columns`.
fn header(columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(columns.iter().map(|column| &column.name))?;
    csv.flush()
}

/// Writes a line a row, to go below a [`header`].
fn rows<'a>(rows: impl Iterator<Item = Vec<Value<'a>>>, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let mut text = String::new();
    for row in rows {
        for value in &row {
            text.clear();
            // A number is the shortest text that reads back as the same number. Writing to a string cannot fail.
            let _ = match value {
                Value::Missing => Ok(()),
                Value::Number(number) => write!(text, "{number}"),
                Value::Count(count) => write!(text, "{count}"),
                Value::Flag(flag) => write!(text, "{flag}"),
                Value::Text(words) => {
                    if runs_as_formula(words) {
                        text.push('\'');
                    }
                    text.write_str(words)
                }
            };
            csv.write_field(&text)?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

/// Whether a spreadsheet would run the text of a cell as a formula. A number is none, nor is a dash alone.
fn runs_as_formula(text: &str) -> bool {
    text.len() > 1 && text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::ColumnKind;

    #[test]
    fn values_are_written_as_they_read_back_and_text_is_quoted_where_it_must_be() {
        let columns = ["a", "b,c", "d"].map(|name| Column::plain(name, ColumnKind::Text)).to_vec();
        let values = [
            vec![Value::Missing, Value::Number(0.1 + 0.2), Value::text("x, \"y\"")],
            vec![Value::Count(7), Value::Flag(true), Value::Number(1e-7)],
        ];
        let dataset = Dataset { name: String::new(), columns, rows: Box::new(values.into_iter()) };
        let mut out = Vec::new();
        write(dataset, &mut out).unwrap();
        let expected = "a,\"b,c\",d\n,0.30000000000000004,\"x, \"\"y\"\"\"\n7,true,0.0000001\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_text_that_a_spreadsheet_would_run_is_kept_from_it_by_an_apostrophe() {
        for text in ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1"] {
            assert!(runs_as_formula(text), "{text}");
        }
        for text in ["", "-", "-0.5", "+3", "a=b", "'=1", "1e9", "−3"] {
            assert!(!runs_as_formula(text), "{text}");
        }
        let mut out = Vec::new();
        rows([vec![Value::text("=1+1"), Value::Number(-1.0)]].into_iter(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "'=1+1,-1\n");
    }
}
