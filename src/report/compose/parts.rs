//! The parts that reports of several kinds have in common.

use crate::experiment::RunPlan;
use crate::report::chart::{AnyChart, InReport, Of, ShownRun, in_reports};
use crate::report::content::{ChartPart, RunPart};
use crate::report::data::{Records, window_fields};
use crate::report::notes;
use crate::report::results::Results;
use crate::report::statement::Statement;
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
    let described = notes::description(scenario).into_iter();
    let conducted = notes::procedure(procedure);
    let unmeasured = notes::unmeasured(scenario);
    let intervals = [notes::intervals(replications)].into_iter().chain(notes::formulas(simulated));
    described.chain(intervals).chain(conducted).chain(unmeasured).collect()
}

/// The charts of a whole result.
pub(super) fn charts(results: Results<'_>) -> impl Iterator<Item = ChartPart> {
    in_reports().filter_map(move |place| match place.of {
        Of::Result(make) => Some(part(place, "", make(results)?)),
        Of::Run(_) => None,
    })
}

/// One run window by window, and its charts, whose files lie in the folder `place`.
pub(super) fn detail<'a>(
    place: &str,
    scenario: &Scenario,
    title: &str,
    outcome: &'a Outcome,
) -> (RunPart<'a>, Vec<ChartPart>) {
    let charts = in_reports().filter_map(|chart| match chart.of {
        Of::Run(make) => Some(part(chart, place, make(ShownRun { scenario, title, outcome })?)),
        Of::Result(_) => None,
    });
    let windows =
        Records { fields: window_fields(scenario.model.decode.is_some()), records: &outcome.timeline };
    (RunPart { place: place.to_owned(), title: title.to_owned(), windows }, charts.collect())
}

fn part(place: &InReport, folder: &str, chart: AnyChart) -> ChartPart {
    let InReport { name, caption, size, is_of_a_run, .. } = *place;
    ChartPart { name: format!("{folder}{name}"), caption: caption.to_owned(), size, is_of_a_run, chart }
}
