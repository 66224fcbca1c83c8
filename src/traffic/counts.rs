//! Counts of requests, one row an interval.

use super::{Column, FileError, Order, read_column};
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
