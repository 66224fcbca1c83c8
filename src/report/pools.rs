//! The table of two pools: what each came to, and the way of the KV caches between them.

use super::sentences;
use super::table::{Cell, Heading, Row, Table};
use crate::experiment::{CompareResult, FIGURES, Figures, RunResult, SweepResult, Unit};
use crate::scenario::Scenario;

/// The table of two pools.
pub const POOLS_TABLE: &str = "pools";

/// The parts of a request's way, by the group of their figures.
const PARTS: [&str; 3] = ["prefill", "transfer", "decode"];

/// The columns: heading, and the figure of a pool and of the transfer that stand there.
const COLUMNS: [(&str, &str, Option<&str>); 6] = [
    ("mean time", "latency_mean", Some("mean")),
    ("p99 wait", "wait_p99", Some("wait_p99")),
    ("utilization", "utilization", None),
    ("instances", "mean_ready", None),
    ("instance_hours", "instance_hours", None),
    ("cost", "cost", None),
];

/// The pools of a run's alternatives; `None` where none has two.
pub fn of_run(result: &RunResult) -> Option<Table> {
    table(result.alternatives.iter().map(|each| (each.name(), &each.scenario, &each.figures)))
}

/// The pools of what was compared; `None` where nothing has two.
pub fn of_comparison(result: &CompareResult) -> Option<Table> {
    table(result.contenders.iter().map(|each| (each.name.as_str(), &each.scenario, &each.figures)))
}

/// The pools at the point of a sweep that a user would pick; `None` where it has not two.
pub fn of_pick(result: &SweepResult) -> Option<Table> {
    let point = &result.points[result.pick()?];
    let table = table(std::iter::once(("", &point.point.scenario, &point.figures)))?;
    Some(Table { title: format!("By pool at {}", sentences::settings(&point.point)), ..table })
}

/// A row for each part of the way of each alternative that has two pools.
fn table<'a>(alternatives: impl Iterator<Item = (&'a str, &'a Scenario, &'a Figures)>) -> Option<Table> {
    let alternatives: Vec<_> =
        alternatives.filter(|(_, scenario, _)| scenario.model.decode.is_some()).collect();
    let named = alternatives.len() > 1;
    let row = |(name, scenario, figures): &(&str, &Scenario, &Figures), part: &str| {
        let currency = &scenario.model.cost.currency;
        let cell = |(_, of_pool, of_transfer): &(&str, &str, Option<&str>)| {
            let figure = if part == "transfer" { *of_transfer } else { Some(*of_pool) };
            let Some(figure) = figure.map(|figure| format!("{part}.{figure}")) else {
                return Cell::text("–");
            };
            Cell::estimate(&figures.get(&figure), unit(&figure), currency)
        };
        let name = named.then(|| Cell::text(*name));
        Row::of(name.into_iter().chain([Cell::text(part)]).chain(COLUMNS.iter().map(cell)))
    };
    let rows: Vec<Row> = alternatives.iter().flat_map(|each| PARTS.map(|part| row(each, part))).collect();
    let heading = |(title, figure, _): &(&str, &str, Option<&str>)| {
        Heading::of_unit(title, *title, unit(&format!("decode.{figure}")))
    };
    let columns = named.then_some("alternative").into_iter().chain(["part"]).map(Heading::named);
    let columns = columns.chain(COLUMNS.iter().map(heading)).collect();
    let title = "By pool".to_owned();
    (!rows.is_empty()).then(|| Table { id: POOLS_TABLE, title, columns, rows, ..Table::default() })
}

/// The unit of a figure.
fn unit(name: &str) -> Unit {
    FIGURES.iter().find(|figure| figure.name == name).map_or(Unit::Count, |figure| figure.unit)
}
