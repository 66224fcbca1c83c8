//! Requests of a trace, a row each: when they came, and what the trace says of what they asked for.

use super::doubt::{AsRead, check_trace};
use super::format::Layout;
use super::table::{Asked, Held};
use super::timestamps::{decimal, parse_timestamp};
use super::{Column, FileError, Order, Unit};
use crate::files::NamedFile;
use crate::units::LONGEST;

/// The requests of a trace, column by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// When each request arrived, in nanoseconds from the first one; ascending, never empty.
    pub instants: Vec<u64>,
    /// Tokens of the prompt of each; empty if the trace does not tell.
    pub prompt_tokens: Vec<u32>,
    /// Tokens of the answer to each; empty if the trace does not tell.
    pub output_tokens: Vec<u32>,
    /// Service time of each in nanoseconds; empty if the trace does not tell.
    pub service: Vec<u64>,
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
    let mut stamps: Held<i64> = Held::default();
    let (mut base, mut is_far) = (None, false);
    let (mut prompt_tokens, mut output_tokens) = (Held::default(), Held::default());
    let mut service_times = Held::default();
    let mut take = |row: &[i128]| {
        let mut row = row.iter().copied();
        let mut next = |wanted: bool| if wanted { row.next() } else { None };
        // Each value is known to fit.
        if let Some(stamp) = next(true) {
            let base = *base.get_or_insert(stamp);
            // Eight bytes a row; what lies further than 292 years from the first row is refused below.
            stamps.push(i64::try_from(stamp - base).unwrap_or_else(|_| {
                is_far = true;
                0
            }));
        }
        next(columns.prompt_tokens.is_some()).into_iter().for_each(|count| prompt_tokens.push(count as u32));
        next(columns.output_tokens.is_some()).into_iter().for_each(|count| output_tokens.push(count as u32));
        next(columns.service.is_some()).into_iter().for_each(|nanos| service_times.push(nanos as u64));
    };
    columns.layout.read_rows(file, &asked, order, &mut take)?;
    let mut stamps = stamps.whole(file.shown)?;
    let mut trace = Trace {
        instants: Vec::new(),
        prompt_tokens: prompt_tokens.whole(file.shown)?,
        output_tokens: output_tokens.whole(file.shown)?,
        service: service_times.whole(file.shown)?,
    };
    trace.sort(&mut stamps);
    let lowest = stamps.first().copied().unwrap_or_default();
    let first = base.unwrap_or_default() + i128::from(lowest);
    let relative = |stamp: i64| {
        let nanos = u64::try_from(i128::from(stamp) - i128::from(lowest)).ok();
        nanos.filter(|nanos| *nanos <= LONGEST.as_nanos())
    };
    // In the same memory.
    let instants: Option<Vec<u64>> = stamps.into_iter().map(relative).collect();
    let trace =
        instants.filter(|_| !is_far).map(|instants| Trace { instants, ..trace }).ok_or_else(|| {
            let error =
                FileError::whole(file.shown, "spans more than 100 years", "expected timestamps of one trace");
            error.with_help("check the unit of the timestamps: `unit` is \"s\", \"ms\", \"us\" or \"ns\"")
        })?;
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

impl Trace {
    /// Brings the rows into the order of `stamps`, and those into theirs.
    fn sort(&mut self, stamps: &mut Vec<i64>) {
        if stamps.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..stamps.len()).collect();
        order.sort_by_key(|row| stamps[*row]);
        fn gather<T: Copy>(column: &mut Vec<T>, order: &[usize]) {
            if !column.is_empty() {
                *column = order.iter().map(|row| column[*row]).collect();
            }
        }
        gather(stamps, &order);
        gather(&mut self.prompt_tokens, &order);
        gather(&mut self.output_tokens, &order);
        gather(&mut self.service, &order);
    }
}
