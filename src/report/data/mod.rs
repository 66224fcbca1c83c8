//! Results as tables of typed columns, for programs: what `timeline.csv`, `decisions.csv`, `sweep.csv`,
//! `replications.csv` and `comparison.csv` hold.
//!
//! A [`Dataset`] makes its rows as they are written, so that a sweep of many replications never stands in memory as a
//! table. A writer of another form is one file in [`render`](super::render).
//!
//! - [`WINDOW_COLUMNS`]: the timeline, a row a window
//! - [`DECISION_COLUMNS`]: the decision log, a row an evaluation
//! - [`DIFFERENCE_COLUMNS`]: a comparison, a row a pair and figure
//! - [`figures`]: replications and points, a column a figure of [`FIGURES`](crate::experiment::FIGURES)
mod dataset;
mod decisions;
mod differences;
mod field;
pub mod figures;
mod windows;

pub use dataset::{Column, ColumnKind, Dataset, Value};
pub use decisions::{DECISION_COLUMNS, action, decision_fields};
pub use differences::{DIFFERENCE_COLUMNS, DifferenceRow, differences};
pub use field::{Field, Fields, Records, columns, row};
pub use windows::{WINDOW_COLUMNS, window_column, window_fields};

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables of `docs/outputs.md` that describe `groups` of fields, a line a column.
    fn all<R>(groups: Fields<R>) -> Vec<String> {
        groups.iter().copied().map(documented).collect()
    }

    fn documented<R>(fields: &[Field<R>]) -> String {
        fields.iter().map(|field| format!("| `{}` | {} |\n", field.name, field.doc)).collect()
    }

    #[test]
    fn the_documentation_describes_every_column_as_it_is_declared() {
        let page = include_str!("../../../docs/outputs.md");
        let tables = [all(window_fields(true)), all(decision_fields(true)), all(&[DIFFERENCE_COLUMNS])];
        for table in tables.concat() {
            assert!(page.contains(&table), "docs/outputs.md lacks these lines, in this order:\n{table}");
        }
    }
}
