//! The values of the series of a file as they come: packed columns of all of them together, whatever their number and order.

use std::collections::HashMap;

use super::reading::Reading;
use crate::time::Span;
use crate::traffic::FileError;
use crate::traffic::packed::{Packed, Packer, Rows, sorted};

/// Gathers them.
#[derive(Debug, Default)]
pub(super) struct SeriesRows {
    names: Vec<String>,
    by_name: HashMap<String, u64>,
    /// Instant, value, line or number of the point, series.
    columns: [Packer; 4],
}

impl SeriesRows {
    /// A further series, of which others may have the name.
    pub(super) fn add(&mut self, name: impl Into<String>) -> u64 {
        self.names.push(name.into());
        self.names.len() as u64 - 1
    }

    /// The series of this name.
    pub(super) fn named(&mut self, name: &str) -> u64 {
        if let Some(series) = self.by_name.get(name) {
            return *series;
        }
        let series = self.add(name);
        self.by_name.insert(name.to_owned(), series);
        series
    }

    /// A value of a series (NaN: none) at an instant; `line` is that of its row, or the number of the point.
    pub(super) fn push(&mut self, series: u64, at: i64, value: f64, line: u64) {
        let row = [at as u64, value.to_bits(), line, series];
        self.columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }

    /// The values of one series that have no instants of their own.
    pub(super) fn push_numbered(&mut self, series: u64, row: u64, value: f64, line: u64, interval: Span) {
        self.push(series, (row as i64).saturating_mul(interval.as_nanos() as i64), value, line);
    }

    /// All of them, each in the order of its instants.
    ///
    /// # Errors
    /// A series has two values at an instant.
    pub(super) fn ordered(self, reading: &mut Reading) -> Result<AllSeries, FileError> {
        let SeriesRows { names, columns, .. } = self;
        let mut rows = columns.map(Packer::finish);
        let mut facts = facts(&rows, names.len());
        let mut is_sorted = true;
        for facts in &facts {
            match (facts.ascends, facts.descends) {
                (true, _) => continue,
                (_, true) => reading.note("its values are newest first: turned round"),
                _ => reading.note("its values are in no order: sorted by their instants"),
            }
            is_sorted = false;
        }
        if !is_sorted {
            rows = sorted(&rows, 0);
            facts = self::facts(&rows, names.len());
        }
        if let Some(line) = facts.iter().find_map(|facts| facts.twice) {
            return Err(twice(&reading.file, line));
        }
        Ok(AllSeries { names, facts, rows })
    }
}

/// The error of a second value in an interval.
pub(super) fn twice(file: &str, line: u64) -> FileError {
    let what = ": its instant stands in another row too".to_owned();
    FileError::at_line(file, line, &what, "expected one value an interval".to_owned())
        .with_help("if each row is a request, say `format = \"csv\"` (`--format csv`)")
}

/// The series of a file.
#[derive(Debug)]
pub(super) struct AllSeries {
    pub names: Vec<String>,
    /// Of each.
    pub facts: Vec<Facts>,
    rows: Rows<4>,
}

impl AllSeries {
    /// Number of values in all of them.
    pub(super) fn len(&self) -> usize {
        self.rows[0].len()
    }

    /// The series, instant, value and line of each value; those of a series in the order of their instants.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, i64, f64, u64)> + '_ {
        rows(&self.rows)
    }
}

fn rows(columns: &Rows<4>) -> impl Iterator<Item = (usize, i64, f64, u64)> + '_ {
    let [at, value, line, series] = columns.each_ref().map(Packed::iter);
    at.zip(value)
        .zip(line.zip(series))
        .map(|((at, value), (line, series))| (series as usize, at as i64, f64::from_bits(value), line))
}

/// What is to be known of a series before its values are used.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Number of its values.
    pub values: u64,
    pub first: i64,
    pub last: i64,
    /// The shortest time between two values.
    pub gap: Option<u64>,
    /// Number of its finite values.
    pub finite: u64,
    pub first_finite: f64,
    pub last_finite: f64,
    /// Finite values that are above the one before.
    pub rises: u64,
    /// Whether a finite value is below the one before.
    pub falls: bool,
    ascends: bool,
    descends: bool,
    /// The line of the second value of an instant.
    twice: Option<u64>,
    line: u64,
}

impl Default for Facts {
    fn default() -> Self {
        Facts {
            values: 0,
            first: 0,
            last: 0,
            gap: None,
            finite: 0,
            first_finite: f64::NAN,
            last_finite: f64::NAN,
            rises: 0,
            falls: false,
            ascends: true,
            descends: true,
            twice: None,
            line: 0,
        }
    }
}

impl Facts {
    fn take(&mut self, at: i64, value: f64, line: u64) {
        if self.values == 0 {
            self.first = at;
        } else {
            self.ascends &= self.last <= at;
            self.descends &= self.last >= at;
            let gap = at.abs_diff(self.last);
            self.gap = Some(self.gap.map_or(gap, |known| known.min(gap)));
            if gap == 0 && self.twice.is_none() {
                self.twice = Some(line.max(self.line));
            }
        }
        (self.last, self.line) = (at, line);
        self.values += 1;
        if !value.is_finite() {
            return;
        }
        if self.finite == 0 {
            self.first_finite = value;
        }
        self.rises += u64::from(self.last_finite < value);
        self.falls |= self.last_finite > value;
        self.last_finite = value;
        self.finite += 1;
    }
}

fn facts(columns: &Rows<4>, series: usize) -> Vec<Facts> {
    let mut all = vec![Facts::default(); series];
    for (series, at, value, line) in rows(columns) {
        if let Some(facts) = all.get_mut(series) {
            facts.take(at, value, line);
        }
    }
    all
}
