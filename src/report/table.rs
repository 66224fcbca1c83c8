//! A table of a report: typed cells, each with the text that a reader sees.

use serde::Serialize;

use super::format;
use crate::experiment::Unit;
use crate::stats::Estimate;

/// A table.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Table {
    /// Which table it is: `figures`, `points`.
    pub id: &'static str,
    /// What it shows, above it.
    pub title: String,
    /// The alternative that it is about, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The columns.
    pub columns: Vec<Heading>,
    /// The rows, each with a cell a column.
    pub rows: Vec<Row>,
    /// Rows that were left out because they are too many to read.
    pub left_out: usize,
}

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heading {
    /// Name for programs: the figure's, the parameter's path, or what the column holds.
    pub id: String,
    /// Name for readers.
    pub title: String,
    /// Unit of all its values, if they have one in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

impl Heading {
    /// A column whose name is the same for programs and readers.
    pub fn named(name: impl Into<String>) -> Heading {
        let name = name.into();
        Heading { id: name.clone(), title: name, unit: None }
    }

    /// A column of values of one unit.
    pub fn of_unit(id: &str, title: impl Into<String>, unit: Unit) -> Heading {
        Heading { id: id.to_owned(), title: title.into(), unit: Some(unit) }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Row {
    /// The cells, in the order of the columns.
    pub cells: Vec<Cell>,
    /// What is to be said of the row as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}

impl Row {
    /// A row without marks.
    pub fn of(cells: impl IntoIterator<Item = Cell>) -> Row {
        Row { cells: cells.into_iter().collect(), marks: Vec::new() }
    }

    /// Whether it stands out among the others: the knee, and the bound of a comparison.
    pub fn stands_out(&self) -> bool {
        self.marks.iter().any(|mark| matches!(mark, Mark::Knee | Mark::Bound))
    }
}

/// What is to be said of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// On the frontier, beyond noise.
    Frontier,
    /// On the frontier, but noise may have decided it.
    FrontierUncertain,
    /// The knee.
    Knee,
    /// The cheapest setting that keeps the SLO with confidence.
    CheapestWithinSlo,
    /// Misses the SLO with confidence.
    MissesSlo,
    /// The replications do not tell whether it keeps the SLO.
    SloUncertain,
    /// The policy that knows the future.
    Bound,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Cell {
    /// What a reader sees.
    pub text: String,
    /// The value, where it is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Lower end of its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Unit of the three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

impl Cell {
    /// A cell of text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// A figure with its interval.
    pub fn estimate(estimate: &Estimate, unit: Unit, currency: &str) -> Cell {
        Cell {
            text: format::estimate(estimate, unit, currency),
            value: estimate.mean,
            low: estimate.low,
            high: estimate.high,
            unit: Some(unit),
        }
    }

    /// The same where the true value is at least this: it would be more if the run were longer.
    #[must_use]
    pub fn at_least(self) -> Cell {
        Cell { text: format!("≥ {}", self.text), ..self }
    }

    /// A number and how it is written.
    pub fn number(value: f64, text: impl Into<String>) -> Cell {
        Cell { text: text.into(), value: Some(value), ..Cell::default() }
    }
}

impl Table {
    /// A table of text.
    pub fn of_text(id: &'static str, columns: &[&str], rows: Vec<Vec<String>>) -> Table {
        let row = |cells: Vec<String>| Row::of(cells.into_iter().map(Cell::text));
        Table {
            id,
            columns: columns.iter().copied().map(Heading::named).collect(),
            rows: rows.into_iter().map(row).collect(),
            ..Table::default()
        }
    }

    /// Whether every cell of a column that says anything is a quantity; such a column is set to the right.
    pub fn is_numeric(&self, column: usize) -> bool {
        let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
        let mut cells = cells.filter(|cell| !cell.text.is_empty()).peekable();
        cells.peek().is_some() && cells.all(|cell| cell.value.is_some() || is_quantity(&cell.text))
    }
}

/// Whether a text is a number with its unit and interval, as `12.5 USD (11 to 14)`, and no name or sentence that begins with
/// one, as `2 H100, fp8` or `99 % of requests within 1 s`.
fn is_quantity(text: &str) -> bool {
    let starts = |word: &str| word.starts_with(|c: char| c.is_ascii_digit() || "-−–+≥(±%/∞".contains(c));
    let unit = |word: &str| word == "to" || word.len() <= 4 && !word.contains(|c: char| c.is_ascii_digit());
    starts(text)
        && text.split_whitespace().all(|word| starts(word) || unit(word) && word != "of" && word != "on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_numeric_by_the_cells_that_say_something() {
        let rows = [["1 s", "a", "", "–", "2 H100, fp8"], ["", "2", "", "-3", "99 % of requests within 1 s"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let table = Table::of_text("any", &["a", "b", "c", "d", "e"], rows);
        let numeric = [0, 1, 2, 3, 4, 5].map(|column| table.is_numeric(column));
        assert_eq!(numeric, [true, false, false, true, false, false]);
    }

    #[test]
    fn a_cell_says_its_value_with_its_interval_and_unit() {
        let estimate = Estimate { mean: Some(0.5), low: Some(0.4), high: Some(0.6), replications: 5 };
        let json = serde_json::to_value(Cell::estimate(&estimate, Unit::Share, "")).unwrap();
        let expected = serde_json::json!({
            "text": "50.00 ± 10.00 %", "value": 0.5, "low": 0.4, "high": 0.6, "unit": "share"
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::to_value(Cell::text("a")).unwrap(), serde_json::json!({ "text": "a" }));
    }
}
