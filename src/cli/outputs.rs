//! Which files a command leaves behind.

use super::Failure;
use crate::experiment::{
    COST, CompareResult, MOST_FOR_ALL_PAIRS, Procedure, RunResult, SweepResult, comparable,
};
use crate::report::chart::{self, Chart, Size};
use crate::report::data::{self, Dataset, Records, WINDOW_COLUMNS, figures};
use crate::report::html::{Part, Report, Table, html};
use crate::report::render::csv;
use crate::report::{Folder, OutputError, chart_data, file_name, sentences, summary, tables};
use crate::scenario::Scenario;
use crate::sim::Outcome;

/// Writes everything a run comes to and returns the summary.
pub(super) fn run(mut folder: Folder, scenario: &Scenario, result: &RunResult) -> Result<String, Failure> {
    let summary = summary::run(scenario, result);
    let mut charts = Charts::default();
    if let Some(comparison) = chart_data::comparison(scenario, result) {
        charts.add(&mut folder, "comparison", &comparison, Size::WIDE, "")?;
    }
    for alternative in &result.alternatives {
        let Some(first) = &alternative.first else { continue };
        let place = place(alternative.number, alternative.variant.as_deref());
        let title = alternative.variant.as_deref().unwrap_or(&scenario.name);
        detail(&mut folder, &mut charts, &place, &alternative.scenario, title, first)?;
    }
    let fewest = result.alternatives.iter().map(|alternative| alternative.replications.len()).min();
    let report = Report {
        title: scenario.name.clone(),
        answer: sentences::run(scenario, result),
        parts: charts.with([Some(tables::run(scenario, result)), tables::types_of_run(result)]),
        notes: notes(scenario, fewest.unwrap_or(0), &result.procedure),
        origin: sentences::origin("run", scenario),
    };
    text(&mut folder, "report.html", &html(&report))?;
    text(&mut folder, "summary.json", &summary)?;
    let replications = dataset(&mut folder, figures::run_replications(result));
    replications.and_then(|()| folder.commit()).map_err(Failure::could_not)?;
    Ok(summary)
}

/// Writes everything a sweep comes to and returns the summary.
pub(super) fn sweep(
    mut folder: Folder,
    scenario: &Scenario,
    result: &SweepResult,
) -> Result<String, Failure> {
    let summary = summary::sweep(scenario, result);
    let mut charts = Charts::default();
    let curve = chart_data::cost_latency(scenario, result);
    let caption = "Each mark is a setting, a cross if it misses the SLO on average; the line joins those that none beats in \
                   both. Bars are confidence intervals.";
    charts.add(&mut folder, "cost_latency", &curve, Size::WIDE, caption)?;
    if let Some(map) = chart_data::heat_map(scenario, result) {
        charts.add(&mut folder, "heat_map", &map, Size::WIDE, "")?;
    }
    if let Some((index, outcome)) = &result.closer_look {
        let point = &result.points[*index];
        detail(
            &mut folder,
            &mut charts,
            "",
            &point.point.scenario,
            &sentences::settings(&point.point),
            outcome,
        )?;
    }
    let answer =
        sentences::within_slo(scenario, result).into_iter().chain([sentences::knee(scenario, result)]);
    let report = Report {
        title: scenario.name.clone(),
        answer: answer.collect(),
        parts: charts.with([Some(tables::sweep(scenario, result)), tables::types_of_pick(result)]),
        notes: notes(scenario, scenario.run.replications as usize, &result.procedure),
        origin: sentences::origin("sweep", scenario),
    };
    text(&mut folder, "report.html", &html(&report))?;
    text(&mut folder, "summary.json", &summary)?;
    dataset(&mut folder, figures::points(result))
        .and_then(|()| dataset(&mut folder, figures::sweep_replications(result)))
        .and_then(|()| folder.commit())
        .map_err(Failure::could_not)?;
    Ok(summary)
}

/// Writes everything a comparison comes to and returns the summary.
pub(super) fn compare(
    mut folder: Folder,
    scenario: &Scenario,
    result: &CompareResult,
) -> Result<String, Failure> {
    let summary = summary::compare(scenario, result);
    let mut charts = Charts::default();
    // Costs in several currencies have no common axis.
    let has_cost = comparable(result.contenders.iter().map(|contender| &contender.scenario)).contains(&COST);
    if let Some(chart) = has_cost.then(|| chart_data::compared(scenario, result)).flatten() {
        let caption =
            "Bars are the intervals of each alone: those of their differences, in the table, tell more.";
        charts.add(&mut folder, "comparison", &chart, Size::WIDE, caption)?;
    }
    let tables = [tables::differences(result), tables::contenders(result)].map(Some);
    let tables = tables.into_iter().chain([tables::types_of_comparison(result)]);
    let mut notes = sentences::comparison_notes(result);
    notes.extend(sentences::procedure(&result.procedure));
    notes.extend(warmup_note(scenario));
    let report = Report {
        title: comparison_title(result),
        answer: comparison_answer(result),
        parts: charts.with(tables),
        notes,
        origin: sentences::origin("compare", scenario),
    };
    text(&mut folder, "report.html", &html(&report))?;
    text(&mut folder, "summary.json", &summary)?;
    dataset(&mut folder, data::differences(result))
        .and_then(|()| dataset(&mut folder, figures::compare_replications(result)))
        .and_then(|()| folder.commit())
        .map_err(Failure::could_not)?;
    Ok(summary)
}

/// The contenders by name, or how many they are.
fn comparison_title(result: &CompareResult) -> String {
    let names: Vec<&str> = result.contenders.iter().map(|each| each.name.as_str()).collect();
    match names.len() {
        0..=MOST_FOR_ALL_PAIRS => names.join(" – "),
        many => format!("{many} alternatives compared"),
    }
}

/// What a comparison comes to: against the bound if there is one, else against the first. The table has all pairs.
fn comparison_answer(result: &CompareResult) -> Vec<String> {
    let against_the_bound = sentences::bound(result);
    if against_the_bound.is_empty() { sentences::pairs_with_first(result) } else { against_the_bound }
}

/// The charts of a report, in their order.
#[derive(Default)]
struct Charts(Vec<Part>);

impl Charts {
    /// Writes a chart as `name.svg` and `name.png`, and puts it into the report.
    fn add(
        &mut self,
        folder: &mut Folder,
        name: &str,
        chart: &impl Chart,
        size: Size,
        caption: &str,
    ) -> Result<(), Failure> {
        let svg = chart::svg(chart, size).map_err(Failure::could_not)?;
        let png = chart::png(chart, size).map_err(Failure::could_not)?;
        text(folder, &format!("{name}.svg"), &svg)?;
        folder.stage(&format!("{name}.png"), |out| out.write_all(&png)).map_err(Failure::could_not)?;
        self.0.push(Part::Chart { svg, caption: caption.to_owned() });
        Ok(())
    }

    /// The charts, then the tables there are.
    fn with(self, tables: impl IntoIterator<Item = Option<Table>>) -> Vec<Part> {
        self.0.into_iter().chain(tables.into_iter().flatten().map(Part::Table)).collect()
    }
}

/// What one run was like, in the folder `place`.
fn detail(
    folder: &mut Folder,
    charts: &mut Charts,
    place: &str,
    scenario: &Scenario,
    title: &str,
    outcome: &Outcome,
) -> Result<(), Failure> {
    let windows = Records { fields: WINDOW_COLUMNS, records: &outcome.timeline };
    dataset(folder, windows.dataset(format!("{place}timeline"))).map_err(Failure::could_not)?;
    let timeline = chart_data::timeline(scenario, title, outcome);
    charts.add(folder, &format!("{place}timeline"), &timeline, Size::TALL, "Replication 0.")?;
    let distribution = chart_data::distribution(scenario, title, outcome);
    charts.add(folder, &format!("{place}latency_distribution"), &distribution, Size::WIDE, "Replication 0.")
}

fn dataset(folder: &mut Folder, dataset: Dataset<'_>) -> Result<(), OutputError> {
    folder.stage(&format!("{}.csv", dataset.name), |out| csv::write(dataset, out))
}

fn text(folder: &mut Folder, name: &str, text: &str) -> Result<(), Failure> {
    folder.stage(name, |out| out.write_all(text.as_bytes())).map_err(Failure::could_not)
}

fn notes(scenario: &Scenario, replications: usize, procedure: &Procedure) -> Vec<String> {
    let left_out = warmup_note(scenario);
    let described = (!scenario.description.is_empty()).then(|| scenario.description.clone());
    let found = sentences::procedure(procedure);
    described.into_iter().chain([sentences::intervals(replications)]).chain(found).chain(left_out).collect()
}

/// What was left out of the measurement, if anything was.
fn warmup_note(scenario: &Scenario) -> Option<String> {
    let warmup = scenario.model.warmup;
    (!warmup.is_zero()).then(|| format!("The first {warmup} of each run are not measured."))
}

/// Where the files of an alternative lie, empty or with a slash at its end: those of the first in the folder itself, the
/// others' each in a folder of its own. The number keeps apart names that come to the same file name.
pub(super) fn place(number: usize, variant: Option<&str>) -> String {
    match variant {
        Some(name) if number > 0 => format!("variants/{number}-{}/", file_name(name)),
        _ => String::new(),
    }
}
