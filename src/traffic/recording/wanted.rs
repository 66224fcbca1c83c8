//! What a user adds where a file does not say enough.

use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};
use crate::time::Span;
use crate::traffic::{Column, Unit};

/// What numbers per interval are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Requests in the interval.
    Counts,
    /// Requests per second.
    Rates,
}

impl Choice for Quantity {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("counts", Quantity::Counts, "Requests in the interval."),
        ("rates", Quantity::Rates, "Requests per second, on average over the interval."),
    ];
}

impl Value for Quantity {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// What an interval without a value stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// No requests.
    Zero,
    /// As many as in the interval before it.
    Hold,
}

impl Choice for Gaps {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("zero", Gaps::Zero, "No requests: so CloudWatch leaves out a minute in which nothing was counted."),
        ("hold", Gaps::Hold, "As many as in the last interval that has a value."),
    ];
}

impl Value for Gaps {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// Which of several series of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesChoice {
    /// All, added up.
    Sum,
    /// The one of this name.
    Named(String),
}

impl SeriesChoice {
    /// From what a user writes: "sum", or a name.
    pub fn of(text: &str) -> SeriesChoice {
        if text == "sum" { SeriesChoice::Sum } else { SeriesChoice::Named(text.to_owned()) }
    }
}

/// What a user says of a file, beside its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// Its form, by name.
    pub format: Option<String>,
    /// Column or key of the instants.
    pub column: Option<Column>,
    /// Unit of instants that are numbers.
    pub unit: Option<Unit>,
    /// Which of several series.
    pub series: Option<SeriesChoice>,
    /// What numbers per interval are.
    pub values: Option<Quantity>,
    /// Length of an interval, where there are no instants.
    pub interval: Option<Span>,
    /// Column of the tokens of the prompt.
    pub prompt_tokens: Option<Column>,
    /// Column of the tokens of the answer.
    pub output_tokens: Option<Column>,
    /// Column of the time that a request took.
    pub service_time: Option<Column>,
    /// Unit of that time, where its column has none.
    pub service_unit: Option<Unit>,
    /// Whether the first row that cannot be read is refused, instead of skipped and counted.
    pub strict: bool,
    /// The same for tables alone: logs hold broken lines as a matter of course, tables do not.
    pub strict_tables: bool,
    /// Whether rows may come in any order.
    pub sort: bool,
}

impl Wanted {
    /// Whether the user has named columns: then a file is a table of any columns, whatever else it looks like.
    pub(super) fn names_columns(&self) -> bool {
        let columns = [&self.column, &self.prompt_tokens, &self.output_tokens, &self.service_time];
        columns.into_iter().any(Option::is_some)
    }

    /// The same for the rows of a table.
    pub(super) fn of_table(&self) -> Wanted {
        Wanted { strict: self.strict || self.strict_tables, ..self.clone() }
    }

    /// Whether the user has said what the instants are: then no doubt of them is raised.
    pub(super) fn says_time(&self) -> bool {
        self.column.is_some() || self.unit.is_some()
    }
}

/// How a user adds one thing, in a scenario and on the command line.
pub(super) fn add(key: &str, value: &str) -> String {
    let flag = key.replace('_', "-");
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:".contains(c);
    let said = if value.chars().all(is_plain) { value.to_owned() } else { format!("'{value}'") };
    let written = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("`{key} = \"{written}\"` in the scenario, `--{flag} {said}` on the command line")
}
