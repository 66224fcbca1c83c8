//! A backtest as a person or a program reads it: its sentences, tables and data.

use std::collections::BTreeMap;

use serde::Serialize;

use super::clock::RunClock;
use super::data::{Column, ColumnKind, Dataset, Value};
use super::format;
use super::statement::Statement;
use super::table::{Cell, Heading, Row, Table};
use crate::backtest::{Backtest, Field, FieldError, Regret};
use crate::experiment::Unit;
use crate::recommend::MISSES_PAST;

/// Below the chart.
pub const CAPTION: &str =
    "Measured, and the mean over replications of the same settings simulated on the recorded traffic.";

/// What it comes to, in sentences.
pub fn answer(result: &Backtest) -> Vec<Statement> {
    let mut said = Vec::new();
    let error = |field: Field| result.errors.iter().find(|error| error.field == field);
    if let Some(ready) = error(Field::Ready) {
        let verdict = if ready.apart <= MISSES_PAST { "follows" } else { "misses" };
        let text = format!(
            "The simulation {verdict} the measured instances: {:.2} ready on average against {:.2} measured, {:.0} % apart \
             window by window.",
            ready.simulated,
            ready.measured,
            100.0 * ready.apart
        );
        said.push(
            Statement::plain("backtest.ready", text)
                .with("measured", ready.measured)
                .with("simulated", ready.simulated)
                .with("apart", ready.apart),
        );
    }
    let latency =
        [Field::LatencyP99, Field::LatencyP50, Field::LatencyMean, Field::Promised, Field::Ttft, Field::Tpot];
    if let Some(latency) = latency.into_iter().find_map(error) {
        let text = format!(
            "The {} is {} simulated and {} measured, {:.0} % apart window by window.",
            name(latency.field),
            format::seconds(latency.simulated),
            format::seconds(latency.measured),
            100.0 * latency.apart
        );
        said.push(Statement::plain("backtest.latency", text).with("apart", latency.apart));
    }
    if let Some((measured, simulated)) = result.cost {
        let currency = &result.scenario.model.cost.currency;
        let text = format!(
            "The ready instances cost {simulated:.2} {currency} simulated and {measured:.2} measured ({:+.0} %).",
            100.0 * (simulated / measured - 1.0)
        );
        said.push(
            Statement::plain("backtest.cost", text).with("measured", measured).with("simulated", simulated),
        );
    }
    let clock = RunClock::of(&result.scenario);
    if let Some(parted) = result.parted {
        let text = format!(
            "They part longest from {} to {}: {:+.1} instances on average.",
            clock.show(parted.from_s),
            clock.show(parted.until_s),
            parted.by
        );
        let text = clock.words().map_or_else(|| text.clone(), |words| format!("{text} {words}"));
        said.push(
            Statement::plain("backtest.parted", text).with("from_s", parted.from_s).with("by", parted.by),
        );
    }
    said.push(match &result.missing {
        Some(missing) => {
            let text = format!(
                "The likeliest missing piece is {}: with {} = {} the error falls from {:.0} to {:.0} %.",
                missing.piece,
                missing.change.path,
                missing.change.value.as_deref().unwrap_or("nothing"),
                100.0 * missing.before,
                100.0 * missing.after
            );
            Statement::plain("backtest.missing", text).with("key", missing.change.path.as_str())
        }
        None => {
            let text = "No other start, delay of metrics or service time comes closer by a tenth.";
            Statement::plain("backtest.nothing_missing", text)
        }
    });
    said
}

fn name(field: Field) -> &'static str {
    match field {
        Field::Ready => "ready instances",
        Field::LatencyMean => "mean latency",
        Field::LatencyP50 => "median latency",
        Field::LatencyP99 => "p99 of the latency",
        Field::Ttft => "mean time to the first token",
        Field::Tpot => "mean time of a further token",
        Field::Promised => "time promised, at its percentile,",
        Field::Lost => "requests lost",
    }
}

/// The errors by field, and the pools on the same traffic.
pub fn tables(result: &Backtest) -> Vec<Table> {
    let shown = |error: &FieldError, value: f64| match error.field {
        Field::Ready | Field::Lost => format::count(value),
        _ => format::seconds(value),
    };
    let row = |error: &FieldError| {
        Row::of([
            Cell::text(name(error.field)),
            Cell::number(error.measured, shown(error, error.measured)),
            Cell::number(error.simulated, shown(error, error.simulated)),
            Cell::number(
                error.apart,
                match error.apart.is_finite() {
                    true => format!("{:.1} %", 100.0 * error.apart),
                    false => "–".to_owned(),
                },
            ),
        ])
    };
    let columns = ["", "measured", "simulated", "apart"].map(Heading::named);
    let errors = Table {
        id: "errors",
        title: "Simulated and measured".to_owned(),
        columns: columns.into(),
        rows: result.errors.iter().map(row).collect(),
        ..Table::default()
    };
    let currency = &result.scenario.model.cost.currency;
    let row = |regret: &Regret| {
        let missed =
            regret.missed().map_or_else(|| "–".to_owned(), |missed| format!("{:.2} %", 100.0 * missed));
        let cost = regret.figures.get(crate::experiment::COST);
        Row::of([
            Cell::text(regret.pool),
            Cell::estimate(&cost, Unit::Currency, currency),
            Cell::number(regret.missed().unwrap_or(0.0), missed),
        ])
    };
    let columns = ["settings", "cost", "missed the SLO"].map(Heading::named);
    let regrets = Table {
        id: "regret",
        title: "On the same traffic".to_owned(),
        columns: columns.into(),
        rows: result.regrets.iter().map(row).collect(),
        ..Table::default()
    };
    vec![errors, regrets]
}

/// The windows, measured and simulated side by side.
pub fn windows(result: &Backtest) -> Dataset<'_> {
    let fields: Vec<Field> =
        result.rows.first().map(|row| row.fields.keys().copied().collect()).unwrap_or_default();
    let number = |name: String| Column { name, kind: ColumnKind::Number, unit: None };
    let named = fields
        .iter()
        .flat_map(|field| ["measured", "simulated"].map(|side| format!("{}_{side}", field.name())));
    let columns = std::iter::once("time_s".to_owned()).chain(named).map(number).collect();
    let rows = result.rows.iter().map(move |row| {
        let values = row.fields.values().flat_map(|compared| [compared.measured, compared.simulated]);
        std::iter::once(Value::Number(row.time_s)).chain(values.map(Value::from)).collect()
    });
    Dataset { name: "backtest".to_owned(), columns, rows: Box::new(rows) }
}

/// What `summary.json` holds of a backtest.
#[derive(Serialize)]
pub struct Past<'a> {
    replications: u32,
    errors: BTreeMap<&'static str, Error>,
    measured_cost: Option<f64>,
    simulated_cost: Option<f64>,
    parted: Option<[f64; 3]>,
    missing: Option<Piece<'a>>,
    regrets: BTreeMap<&'static str, Pool>,
}

#[derive(Serialize)]
struct Error {
    measured: f64,
    simulated: f64,
    apart: f64,
}

#[derive(Serialize)]
struct Piece<'a> {
    piece: &'static str,
    key: &'a str,
    value: Option<&'a str>,
    error_before: f64,
    error_after: f64,
}

#[derive(Serialize)]
struct Pool {
    cost: f64,
    missed: Option<f64>,
}

impl<'a> Past<'a> {
    /// Of `result`.
    pub fn of(result: &'a Backtest) -> Past<'a> {
        let error = |error: &FieldError| {
            let FieldError { field, measured, simulated, apart } = *error;
            (field.name(), Error { measured, simulated, apart })
        };
        Past {
            replications: result.replications,
            errors: result.errors.iter().map(error).collect(),
            measured_cost: result.cost.map(|cost| cost.0),
            simulated_cost: result.cost.map(|cost| cost.1),
            parted: result.parted.map(|parted| [parted.from_s, parted.until_s, parted.by]),
            missing: result.missing.as_ref().map(|missing| Piece {
                piece: missing.piece,
                key: &missing.change.path,
                value: missing.change.value.as_deref(),
                error_before: missing.before,
                error_after: missing.after,
            }),
            regrets: result
                .regrets
                .iter()
                .map(|regret| (regret.pool, Pool { cost: regret.cost(), missed: regret.missed() }))
                .collect(),
        }
    }
}
