//! What is said of the promises of an SLO: in words, as a verdict and as a table.

use super::format;
use super::statement::{PromiseVerdict, Statement};
use super::table::{Cell, Heading, Row, Table};
use crate::experiment::{
    CompareResult, PromiseKept, Replications, RunResult, SLO_ATTAINMENT, SloVerdict, SweepResult, Unit,
};
use crate::recommend::{Recommendation, shown};
use crate::scenario::{Point, Scenario};
use crate::sim::{Promise, Slo};
use crate::time::Span;

/// The table of the promises.
pub const PROMISES_TABLE: &str = "promises";

fn seconds(span: Span) -> String {
    format::seconds(span.as_secs_f64())
}

/// The SLO as something to keep: `p99 within 2 s`; of several promises all of them.
pub fn promise(scenario: &Scenario) -> Option<String> {
    let slo = scenario.model.slo?;
    let times = slo.first().times(seconds);
    let first = match times.is_empty() {
        true => slo.first().describe(seconds),
        false => format!("p{} within {times}", slo.percentile),
    };
    let more: Vec<String> = slo.more().map(|promise| promise.describe(seconds)).collect();
    Some(match more.len() {
        0 => first,
        many => format!("all {} promises ({first}; {})", many + 1, more.join("; ")),
    })
}

/// What the first promise asks of a request: `within 2 s`, `within 2 s, 500 ms to the first token`, `answered`.
pub fn asked(slo: &Slo) -> String {
    let times = slo.first().times(seconds);
    if times.is_empty() { "answered".to_owned() } else { format!("within {times}") }
}

/// Whether the first alternative of a run keeps the SLO; `None` if nothing is promised.
pub fn run_verdict(result: &RunResult) -> Option<PromiseVerdict> {
    let first = result.alternatives.first()?;
    let slo = first.scenario.model.slo?;
    let worst = first.replications.worst_promise()?;
    let begin = match worst.kept {
        SloVerdict::Yes => "The SLO is met",
        SloVerdict::SoFar => "The SLO is met so far",
        SloVerdict::No => "The SLO is missed",
        SloVerdict::Uncertain => "It is uncertain whether the SLO is met",
    };
    let few = match worst.kept {
        SloVerdict::SoFar => format!(
            " {} are too few to call it met: that takes {}.",
            format::counted(first.replications.len(), "replication"),
            SloVerdict::replications_to_be_kept(worst.misses.as_ref(), 1.0 - worst.promise.allowed()),
        ),
        _ => String::new(),
    };
    let attained = first.figures.get(SLO_ATTAINMENT);
    let promises = slo.promises().count();
    let text = match promises {
        1 => format!(
            "{begin}: {} of requests {}; {} % are required.{few}",
            format::estimate(&attained, Unit::Share, ""),
            asked(&slo),
            slo.percentile,
        ),
        many => format!(
            "{begin}: of its {many} promises the one kept worst is {}; {} of its error budget is used.{few}",
            worst.promise.describe(seconds),
            format::estimate(&worst.budget_used(), Unit::Share, ""),
        ),
    };
    let statement =
        Statement::plain("run.verdict", text).with(SLO_ATTAINMENT, attained).with("required", slo.quantile());
    let statement = match promises {
        1 => statement,
        many => statement.with("promises", many).with("error_budget_used", worst.budget_used()),
    };
    Some(PromiseVerdict { kept: worst.kept, statement })
}

/// How each promise is kept by the alternatives of a run.
pub fn of_run(result: &RunResult) -> Option<Table> {
    table(
        result
            .alternatives
            .iter()
            .map(|each| (each.name().to_owned(), each.replications.promises()))
            .collect(),
    )
}

/// The same for contenders.
pub fn of_comparison(result: &CompareResult) -> Option<Table> {
    table(result.contenders.iter().map(|each| (each.name.clone(), each.replications.promises())).collect())
}

/// The same at the point of a sweep that a user would pick, by the new replications where it was confirmed.
/// `name` says what a point is called.
pub fn of_sweep(result: &SweepResult, name: impl Fn(&Point) -> String) -> Option<Table> {
    let picked = &result.points[result.pick()?];
    let fresh = result.confirmed.as_ref().map_or_else(Vec::new, |confirmed| {
        let others = confirmed.others.iter().map(|(index, _, replications)| (*index, replications));
        std::iter::once((confirmed.point, &confirmed.replications)).chain(others).collect()
    });
    let of = |(index, replications): (usize, &Replications)| {
        (name(&result.points[index].point), replications.promises())
    };
    let rows = match fresh.is_empty() {
        true => vec![(name(&picked.point), picked.replications.promises())],
        false => fresh.into_iter().map(of).collect(),
    };
    table(rows)
}

/// How each promise is kept; `None` where there is one alone, of which all other tables are.
fn table(all: Vec<(String, Vec<PromiseKept>)>) -> Option<Table> {
    let named = all.len() > 1;
    let row = |name: &str, kept: &PromiseKept| {
        let name = named.then(|| Cell::text(name));
        Row::of(name.into_iter().chain([
            Cell::text(kept.promise.describe(seconds)),
            Cell::estimate(&kept.share, Unit::Share, ""),
            Cell::number(kept.promise.allowed(), allowed(&kept.promise)),
            Cell::estimate(&kept.budget_used(), Unit::Share, ""),
            Cell::text(kept.kept.name().replace('_', " ")),
        ]))
    };
    let several = all.iter().any(|(_, promises)| promises.len() > 1);
    let rows = all.iter().flat_map(|(name, promises)| promises.iter().map(|kept| row(name, kept)));
    let columns = named.then_some("alternative").into_iter().chain(COLUMNS);
    several.then(|| built(columns.map(Heading::named).collect(), rows.collect()))
}

const COLUMNS: [&str; 5] = ["promise", "missed", "may miss", "error budget used", "kept"];

fn built(columns: Vec<Heading>, rows: Vec<Row>) -> Table {
    Table { id: PROMISES_TABLE, title: "Promises".to_owned(), columns, rows, ..Table::default() }
}

fn allowed(promise: &Promise) -> String {
    format!("{} %", format::count(promise.allowed() * 100.0))
}

/// The same of the settings in force and of those of the answer, under each condition.
pub fn of_recommendation(result: &Recommendation) -> Option<Table> {
    let mut rows = Vec::new();
    let mut several = false;
    for (name, standing) in result.standings() {
        for under in &standing.by_condition {
            several |= under.promises.len() > 1;
            let name = match under.condition.is_empty() {
                true => name.to_owned(),
                false => format!("{name}, {}", shown(&under.condition)),
            };
            rows.extend(under.promises.iter().map(|each| {
                Row::of([
                    Cell::text(name.as_str()),
                    Cell::text(each.promise.as_str()),
                    Cell::estimate(&each.missed, Unit::Share, ""),
                    Cell::number(each.allowed, format!("{} %", format::count(each.allowed * 100.0))),
                    Cell::estimate(&each.budget_used, Unit::Share, ""),
                    Cell::text(each.keeps.name().replace('_', " ")),
                ])
            }));
        }
    }
    let columns = std::iter::once("settings").chain(COLUMNS).map(Heading::named).collect();
    several.then(|| built(columns, rows))
}
