//! The report of a backtest.

use super::parts::chart;
use crate::backtest::Backtest;
use crate::report::chart::Size;
use crate::report::content::{ChartPart, Head, REPORT_VERSION, Report};
use crate::report::results::Results;
use crate::report::{backtested, chart_data, sentences};

/// The report of a backtest.
pub fn backtest(result: &Backtest) -> Report<'_> {
    let scenario = &result.scenario;
    let over_time = chart("backtest", chart_data::backtest(result), Size::TALL);
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
        charts: vec![ChartPart { caption: backtested::CAPTION.to_owned(), ..over_time }],
        runs: Vec::new(),
        looks: Vec::new(),
        notes: sentences::description(scenario)
            .into_iter()
            .chain([sentences::intervals(replications)])
            .collect(),
        origin: sentences::origin("backtest", scenario),
        results: Results::Backtest(result),
    }
}
