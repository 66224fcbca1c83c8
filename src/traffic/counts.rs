//! Counts of requests, one row an interval.

use super::doubt::times_beside;
use super::timestamps::parse_timestamp;
use super::{Column, FileError, Order, Unit, read_column};
use crate::files::NamedFile;

/// Reads a column of counts, one row an interval, from a CSV file.
///
/// A count may have a fraction: it may be an average. Intervals without requests must be there, as 0.
///
/// # Errors
/// The file cannot be read or is empty, or a cell is no number of 0 or more.
pub fn read_counts(file: &NamedFile<'_>, column: &Column) -> Result<Vec<f64>, FileError> {
    const MOST: f64 = 1e12;
    let parse = |cell: &str| cell.parse::<f64>().ok().filter(|count| (0.0..=MOST).contains(count));
    read_column(file, column, Order::Any, "a count of 0 or more", parse)
}

/// The timestamps beside counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Their column, as a message shows it.
    pub column: String,
    /// Nanoseconds from one row to the next, in most rows; above 0.
    pub interval: u64,
    /// The first two rows next to each other, counted from 1, that are further apart, and by how much.
    pub hole: Option<(usize, u64)>,
}

/// Reads the timestamps in a column beside the counts: dates, or seconds or finer units since 1970. `None` if there are none
/// that ascend; then nothing is known of when the rows were counted.
pub fn read_counts_clock(file: &NamedFile<'_>, counts: &Column) -> Option<Clock> {
    // What is earlier, in seconds, is a number of a row or of a minute.
    const YEAR_1973_S: f64 = 1e8;
    let (column, shown) = times_beside(file, counts)?;
    let parse = |cell: &str| match cell.parse::<f64>() {
        Ok(number) if number < YEAR_1973_S => None,
        Ok(number) => {
            let unit = match number {
                seconds if seconds < 1e11 => Unit::Seconds,
                millis if millis < 1e14 => Unit::Milliseconds,
                micros if micros < 1e17 => Unit::Microseconds,
                _ => Unit::Nanoseconds,
            };
            parse_timestamp(cell, unit)
        }
        Err(_) => parse_timestamp(cell, Unit::Seconds),
    };
    let stamps = read_column(file, &column, Order::Ascending, "a time", parse).ok()?;
    let gap = |pair: &[i128]| u64::try_from(pair[1] - pair[0]).unwrap_or(u64::MAX);
    let gaps: Vec<u64> = stamps.windows(2).map(gap).collect();
    let mut sorted = gaps.clone();
    sorted.sort_unstable();
    let interval = sorted.get(sorted.len() / 2).copied().filter(|interval| *interval > 0)?;
    let hole = gaps.iter().position(|gap| *gap > interval.saturating_add(interval / 2));
    Some(Clock { column: shown, interval, hole: hole.map(|at| (at + 1, gaps[at])) })
}
