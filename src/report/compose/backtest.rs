//! The report of a backtest.

use std::collections::BTreeMap;

use super::parts::charts;
use crate::backtest::Backtest;
use crate::report::content::{Head, REPORT_VERSION, Report};
use crate::report::results::Results;
use crate::report::{backtested, notes, sentences};

/// The report of a backtest.
pub fn backtest(result: &Backtest) -> Report<'_> {
    let scenario = &result.scenario;
    let replications = result.replications as usize;
    Report {
        schema_version: REPORT_VERSION,
        head: Head {
            title: format!("{}: simulated and measured", scenario.name),
            command: "backtest",
            complete: true,
        },
        verdict: None,
        warnings: Vec::new(),
        answer: backtested::answer(result),
        details: Vec::new(),
        reading: sentences::reading(scenario),
        tables: backtested::tables(result),
        charts: charts(Results::Backtest(result)).collect(),
        runs: Vec::new(),
        looks: Vec::new(),
        manifests: BTreeMap::new(),
        notes: notes::description(scenario).into_iter().chain([notes::intervals(replications)]).collect(),
        origin: sentences::origin("backtest", scenario),
        results: Results::Backtest(result),
    }
}
