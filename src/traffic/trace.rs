//! Requests of a trace, a row each: when they came, and what the trace says of what they asked for.

use super::doubt::{AsRead, check_trace};
use super::format::Layout;
use super::packed::{Packed, Packer, sorted};
use super::table::Asked;
use super::timestamps::{decimal, parse_timestamp};
use super::{Column, FileError, Order, Unit};
use crate::files::NamedFile;
use crate::units::LONGEST;

/// The requests of a trace, column by column; counts of tokens have 32 bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// When each request arrived, in nanoseconds from the first one; ascending, never empty.
    pub instants: Packed,
    /// Tokens of the prompt of each; empty if the trace does not tell.
    pub prompt_tokens: Packed,
    /// Tokens of the answer to each; empty if the trace does not tell.
    pub output_tokens: Packed,
    /// Service time of each in nanoseconds; empty if the trace does not tell.
    pub service: Packed,
}

/// Where a file has what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceColumns {
    /// How rows are written.
    pub layout: Layout,
    /// Timestamps, and the unit of those that are numbers.
    pub time: (Column, Unit),
    /// Whether the rows are sorted by their timestamps, instead of refused if they do not ascend. Rows of one instant
    /// stay in the order of the file.
    pub sort: bool,
    /// Whether the scenario says the unit of the timestamps itself: then 0, 1, 2, … are not taken for the numbers of rows.
    pub unit_given: bool,
    /// Tokens of the prompt.
    pub prompt_tokens: Option<Column>,
    /// Tokens of the answer.
    pub output_tokens: Option<Column>,
    /// Service time, a number in this unit.
    pub service: Option<(Column, Unit)>,
}

impl TraceColumns {
    /// Timestamps in one column of a CSV file, and nothing else.
    #[cfg(feature = "internals")]
    pub fn timestamps(column: Column, unit: Unit, sort: bool) -> Self {
        TraceColumns {
            layout: Layout::Csv,
            time: (column, unit),
            sort,
            unit_given: false,
            prompt_tokens: None,
            output_tokens: None,
            service: None,
        }
    }
}

/// Reads a trace, a row a request.
///
/// A timestamp is a number in its unit, of any size and with any fraction, or a date and time with any number of
/// digits in the fraction of its second: with a zone offset (`2024-05-01T10:00:00+02:00`, `…Z`), or without one
/// (`2023-11-16 18:15:46.6805900`), taken as UTC. Token counts may be written with a fraction, and are rounded.
///
/// # Errors
/// The file cannot be read or is empty, has not these columns, a cell holds something else, the rows do not ascend,
/// the trace lasts longer than 100 years, or its numbers are plainly of another unit, or row numbers.
pub fn read_trace(file: &NamedFile<'_>, columns: &TraceColumns) -> Result<Trace, FileError> {
    let (time, unit) = &columns.time;
    let when = |cell: &str| parse_timestamp(cell, *unit);
    let tokens = |cell: &str| {
        let count = cell.parse::<f64>().ok().filter(|count| (0.0..=f64::from(u32::MAX)).contains(count));
        count.map(|count| count.round() as i128)
    };
    let service_unit = columns.service.as_ref().map_or(Unit::Seconds, |(_, unit)| *unit);
    let service = |cell: &str| {
        let nanos = decimal(cell, service_unit.nanos().into());
        nanos.filter(|nanos| (0..=i128::from(LONGEST.as_nanos())).contains(nanos))
    };
    let mut asked = vec![Asked { column: time, expected: "a number or a date and time", parse: &when }];
    for column in [&columns.prompt_tokens, &columns.output_tokens].into_iter().flatten() {
        asked.push(Asked { column, expected: "a number of tokens, 0 or more", parse: &tokens });
    }
    if let Some((column, _)) = &columns.service {
        asked.push(Asked { column, expected: "a service time of 0 or more, as a number", parse: &service });
    }

    let order = if columns.sort { Order::Any } else { Order::Ascending };
    let mut rows: [Packer; 4] = Default::default();
    let [stamps, prompt_tokens, output_tokens, service_times] = &mut rows;
    let (mut base, mut is_far) = (None, false);
    let (mut lowest, mut highest, mut ascends) = (0_i64, 0_i64, true);
    let mut take = |row: &[i128]| {
        let mut row = row.iter().copied();
        let mut next = |wanted: bool| if wanted { row.next() } else { None };
        // Each value is known to fit.
        if let Some(stamp) = next(true) {
            let base = *base.get_or_insert(stamp);
            // What lies further than 292 years from the first row is refused below.
            let stamp = i64::try_from(stamp - base).unwrap_or_else(|_| {
                is_far = true;
                0
            });
            ascends &= stamps.last().is_none_or(|last| last as i64 <= stamp);
            (lowest, highest) = (lowest.min(stamp), highest.max(stamp));
            stamps.push(stamp as u64);
        }
        next(columns.prompt_tokens.is_some()).into_iter().for_each(|count| prompt_tokens.push(count as u64));
        next(columns.output_tokens.is_some()).into_iter().for_each(|count| output_tokens.push(count as u64));
        next(columns.service.is_some()).into_iter().for_each(|nanos| service_times.push(nanos as u64));
    };
    columns.layout.read_rows(file, &asked, order, &mut take).map_err(|error| error.shown_in(file))?;
    if is_far || i128::from(highest) - i128::from(lowest) > i128::from(LONGEST.as_nanos()) {
        let error =
            FileError::whole(file.shown, "spans more than 100 years", "expected timestamps of one trace");
        return Err(
            error.with_help("check the unit of the timestamps: `unit` is \"s\", \"ms\", \"us\" or \"ns\"")
        );
    }
    let first = base.unwrap_or_default() + i128::from(lowest);
    let rows = rows.map(Packer::finish);
    let [instants, prompt_tokens, output_tokens, service] =
        if ascends { rows } else { sorted(&rows, lowest as u64) };
    let trace = Trace { instants, prompt_tokens, output_tokens, service };
    let read = AsRead {
        layout: columns.layout,
        time: &columns.time,
        unit_given: columns.unit_given,
        service: columns.service.as_ref(),
        first,
        instants: &trace.instants,
    };
    check_trace(file, &read)?;
    Ok(trace)
}
