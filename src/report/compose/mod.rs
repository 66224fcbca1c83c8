//! From results to reports: one file a kind of result. What a report holds, and in which order, is decided here; how it
//! looks is decided in [`render`](super::render).
mod compare;
mod run;
mod sweep;

pub use compare::compare;
pub use run::run;
pub use sweep::sweep;

use super::chart::{AnyChart, Size};
use super::content::{ChartPart, RunPart};
use super::data::{Records, WINDOW_COLUMNS};
use super::statement::Statement;
use super::{chart_data, sentences};
use crate::experiment::Procedure;
use crate::scenario::Scenario;
use crate::sim::Outcome;

/// The notes of a run and of a sweep: what the scenario says of itself, what intervals are, and how the runs came about.
fn notes(scenario: &Scenario, replications: usize, procedure: &Procedure) -> Vec<Statement> {
    let described = sentences::description(scenario).into_iter();
    let conducted = sentences::procedure(procedure);
    let unmeasured = sentences::unmeasured(scenario);
    described.chain([sentences::intervals(replications)]).chain(conducted).chain(unmeasured).collect()
}

/// A chart without a caption.
fn chart(name: impl Into<String>, chart: impl Into<AnyChart>, size: Size) -> ChartPart {
    ChartPart { name: name.into(), caption: String::new(), size, chart: chart.into() }
}

/// One run window by window, and its charts, whose files lie in the folder `place`.
fn detail<'a>(
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
    (run, charts.map(|chart| ChartPart { caption: "Replication 0.".to_owned(), ..chart }))
}
