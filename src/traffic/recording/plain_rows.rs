//! Rows of requests as most are written: digits, dates and words without quotation marks, read in one pass over their bytes.
//!
//! Whatever is written in another way is no row here, and is read by [`super::table`], which knows all ways and says what is wrong.

use super::choose::RequestPlan;
use super::requests::Row;
use super::values;
use crate::traffic::moment::TimeForm;
use crate::traffic::{Unit, quick};

/// What a column holds.
#[derive(Debug, Clone, Copy)]
enum Field {
    Other,
    /// A number, in units of so many nanoseconds.
    Number(u64),
    /// A date.
    Date,
    PromptTokens,
    OutputTokens,
    Duration(Option<Unit>),
}

/// Reads rows of a table by a plan.
#[derive(Debug)]
pub(super) struct PlainRows {
    delimiter: u8,
    decimal_comma: bool,
    fields: Vec<Field>,
    is_end: bool,
}

impl PlainRows {
    /// A reader of a table of so many columns; `None` where a column has two meanings.
    pub(super) fn new(
        delimiter: u8,
        decimal_comma: bool,
        columns: usize,
        plan: &RequestPlan,
    ) -> Option<Self> {
        let mut fields = vec![Field::Other; columns];
        let time = match plan.form {
            TimeForm::Epoch(unit) | TimeForm::Elapsed(unit) => Field::Number(unit.nanos()),
            TimeForm::Zoned | TimeForm::Local => Field::Date,
        };
        let held = [
            Some((plan.time, time)),
            plan.prompt_tokens.map(|at| (at, Field::PromptTokens)),
            plan.output_tokens.map(|at| (at, Field::OutputTokens)),
            plan.duration.map(|(at, unit)| (at, Field::Duration(unit))),
        ];
        for (at, field) in held.into_iter().flatten() {
            let place = fields.get_mut(at).filter(|place| matches!(place, Field::Other))?;
            *place = field;
        }
        Some(PlainRows { delimiter, decimal_comma, fields, is_end: plan.is_end })
    }

    /// Adds the rows at the start of `bytes` to `rows`, `most` of them at most; ends at one that is written in any other way. Gives
    /// how many there were, and their bytes with the ends of their lines.
    pub(super) fn read(&self, bytes: &[u8], most: usize, rows: &mut Vec<Row>) -> (usize, usize) {
        let (before, mut rest) = (rows.len(), bytes);
        // Instants alone need no look at what each column is.
        if let [Field::Number(unit)] = *self.fields {
            while rows.len() - before < most
                && let Some((arrival, after)) = quick::leading_number(rest, unit)
                && let [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] = after
            {
                rows.push(Row { arrival, ..Row::default() });
                rest = after;
            }
        }
        while rows.len() - before < most
            && let Some((row, after)) = self.row(rest)
        {
            rows.push(row);
            rest = after;
        }
        (rows.len() - before, bytes.len() - rest.len())
    }

    /// The row at the start of `bytes`, and what follows the end of its line; `None` for what is written in any other way.
    #[inline]
    fn row<'a>(&self, bytes: &'a [u8]) -> Option<(Row, &'a [u8])> {
        let mut row = Row::default();
        let mut rest = bytes;
        let last = self.fields.len() - 1;
        for (at, field) in self.fields.iter().enumerate() {
            match *field {
                Field::Number(unit) => (row.arrival, rest) = quick::leading_number(rest, unit)?,
                Field::Date => {
                    let (nanos, _, after) = quick::leading_date(rest)?;
                    (row.arrival, rest) = (i64::try_from(nanos).ok()?, after);
                }
                Field::PromptTokens => (row.prompt_tokens, rest) = tokens(rest)?,
                Field::OutputTokens => (row.output_tokens, rest) = tokens(rest)?,
                Field::Duration(unit) => {
                    let length = self.cell(rest)?;
                    let cell = std::str::from_utf8(&rest[..length]).ok()?;
                    (row.duration, rest) =
                        (values::duration(cell.trim(), unit, self.decimal_comma), &rest[length..]);
                }
                Field::Other => rest = &rest[self.cell(rest)?..],
            }
            rest = match *rest {
                [b'\n', ref after @ ..] | [b'\r', b'\n', ref after @ ..] if at == last => after,
                [mark, ref after @ ..] if mark == self.delimiter && at < last => after,
                _ => return None,
            };
        }
        if self.is_end {
            let duration = i64::try_from(row.duration.unwrap_or(0)).unwrap_or(i64::MAX);
            row.arrival = row.arrival.saturating_sub(duration);
        }
        Some((row, rest))
    }

    /// Bytes of the cell at the start of `bytes`; `None` if it is not there whole, or is not plain.
    #[inline]
    fn cell(&self, bytes: &[u8]) -> Option<usize> {
        let ends = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\n' | b'\r' | b'"' | 0x80..);
        let end = bytes.iter().position(ends)?;
        (!matches!(bytes[end], b'"' | 0x80..)).then_some(end)
    }
}

#[inline]
fn tokens(bytes: &[u8]) -> Option<(Option<u32>, &[u8])> {
    let (count, rest) = quick::leading_number(bytes, 1)?;
    let count = u32::try_from(count).ok().filter(|count| values::is_count(*count))?;
    Some((Some(count), rest))
}

#[cfg(test)]
mod tests {
    use super::super::table;
    use super::*;
    use crate::traffic::records::Records;

    /// Bytes that make another of a row: what ends cells and rows, quotes, and is no digit.
    const BYTES: &[u8] = b"0123456789.,;\t\n\r\" -:TZ+eE\xc3\xa4x\xef\xbb\xbf";

    fn plan(form: TimeForm, is_end: bool) -> RequestPlan {
        RequestPlan {
            time: 1,
            form,
            time_shown: String::new(),
            prompt_tokens: Some(0),
            output_tokens: None,
            duration: Some((3, Some(Unit::Milliseconds))),
            is_end,
            notes: Vec::new(),
        }
    }

    #[test]
    fn instants_alone_are_read_as_those_with_other_columns() {
        let plan = RequestPlan {
            time: 0,
            prompt_tokens: None,
            duration: None,
            ..plan(TimeForm::Elapsed(Unit::Seconds), false)
        };
        let plain = PlainRows::new(b',', false, 1, &plan).unwrap();
        for (text, instants, left) in [
            ("1\n2.5\r\n3\n", &[1_000_000_000, 2_500_000_000, 3_000_000_000][..], ""),
            ("12345678.123456789\n-1\n", &[12_345_678_123_456_789], "-1\n"),
            ("1\n2", &[1_000_000_000], "2"),
            ("1,2\n", &[], "1,2\n"),
            ("1\n\n2\n", &[1_000_000_000], "\n2\n"),
        ] {
            let mut rows = Vec::new();
            let (count, length) = plain.read(text.as_bytes(), 10, &mut rows);
            let arrivals: Vec<i64> = rows.iter().map(|row| row.arrival).collect();
            assert_eq!(
                (arrivals.as_slice(), count, &text[length..]),
                (instants, instants.len(), left),
                "{text}"
            );
        }
        assert_eq!(plain.read(b"1\n2\n3\n", 2, &mut Vec::new()), (2, 4));
    }

    #[test]
    fn what_is_read_as_plain_is_what_is_read_with_care() {
        let (mut state, mut plain, mut other) = (7_u64, 0, 0);
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let rows = [
            ("12,1742750167.4895,chat,230\n", TimeForm::Epoch(Unit::Seconds)),
            ("4294967295,27482,chat,2.5\r\n", TimeForm::Elapsed(Unit::Milliseconds)),
            ("0,2024-11-05 09:00:00.25,a b,1e3\n", TimeForm::Local),
            ("7,2024-11-05T09:00:00+01:00,,0.24s\n", TimeForm::Zoned),
        ];
        for case in 0..100_000 {
            let (text, form) = rows[case % rows.len()];
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..draw(4) {
                let (at, byte) = (draw(bytes.len()), BYTES[draw(BYTES.len())]);
                match draw(3) {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            bytes.extend_from_slice(b"5,6,7,8\n");
            let plan = plan(form, case % 3 == 0);
            let mut rows = Vec::new();
            let (count, length) = PlainRows::new(b',', false, 4, &plan).unwrap().read(&bytes, 1, &mut rows);
            let [row] = *rows else {
                assert_eq!((count, length), (0, 0));
                other += 1;
                continue;
            };
            plain += count;
            let mut records = Records::new(bytes.as_slice(), b',');
            let record = records.next_row().unwrap().unwrap();
            assert_eq!(record.len(), 4, "{}", bytes.escape_ascii());
            let cared = table::row(|at| record.get(at).unwrap_or_default(), &plan, false).unwrap();
            assert_eq!(row, cared, "{}", bytes.escape_ascii());
            let rest: Vec<_> =
                std::iter::from_fn(|| records.next_row().ok().flatten().map(|record| record.len())).collect();
            let mut after = Records::new(&bytes[length..], b',');
            let expected: Vec<_> =
                std::iter::from_fn(|| after.next_row().ok().flatten().map(|record| record.len())).collect();
            assert_eq!(rest, expected, "{}", bytes.escape_ascii());
        }
        assert!(plain > 30_000 && other > 30_000, "{plain} {other}");
    }
}
