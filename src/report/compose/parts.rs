//! The parts that reports of several kinds have in common.

use crate::experiment::RunPlan;
use crate::report::chart::{AnyChart, Size};
use crate::report::content::{ChartPart, RunPart};
use crate::report::data::{Records, WINDOW_COLUMNS};
use crate::report::statement::Statement;
use crate::report::{chart_data, sentences};
use crate::scenario::Scenario;
use crate::sim::Outcome;

/// The notes of a run and of a sweep: what the scenario says of itself, what intervals are, and how the runs came about.
/// `simulated` are the scenarios that were.
pub(super) fn notes<'a>(
    scenario: &Scenario,
    simulated: impl Iterator<Item = &'a Scenario>,
    replications: usize,
    procedure: &RunPlan,
) -> Vec<Statement> {
    let described = sentences::description(scenario).into_iter();
    let conducted = sentences::procedure(procedure);
    let unmeasured = sentences::unmeasured(scenario);
    let intervals = [sentences::intervals(replications)].into_iter().chain(sentences::formulas(simulated));
    described.chain(intervals).chain(conducted).chain(unmeasured).collect()
}

/// A chart without a caption.
pub(super) fn chart(name: impl Into<String>, chart: impl Into<AnyChart>, size: Size) -> ChartPart {
    ChartPart { name: name.into(), caption: String::new(), size, chart: chart.into() }
}

/// One run window by window, and its charts, whose files lie in the folder `place`.
pub(super) fn detail<'a>(
    place: &str,
    scenario: &Scenario,
    title: &str,
    outcome: &'a Outcome,
) -> (RunPart<'a>, [ChartPart; 2]) {
    let timeline = chart_data::timeline(scenario, title, outcome);
    let distribution = chart_data::distribution(scenario, title, outcome);
    let charts = [
        chart(format!("{place}timeline"), timeline, Size::TALL),
        chart(format!("{place}latency_distribution"), distribution, Size::WIDE),
    ];
    let windows = Records { fields: WINDOW_COLUMNS, records: &outcome.timeline };
    let run = RunPart { place: place.to_owned(), title: title.to_owned(), windows };
    (run, charts.map(|chart| ChartPart { caption: sentences::RUN_CAPTION.to_owned(), ..chart }))
}
