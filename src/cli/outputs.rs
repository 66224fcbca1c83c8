//! Which files a command leaves behind.

use super::Failure;
use crate::experiment::{Alternative, RunResult, SweepResult};
use crate::report::{Folder, OutputError, csv_files, file_name, summary};
use crate::scenario::Scenario;
use crate::sim::{Model, Outcome};

/// Writes everything a run comes to and returns the summary.
pub(super) fn run(mut folder: Folder, scenario: &Scenario, result: &RunResult) -> Result<String, Failure> {
    let summary = summary::run(scenario, result);
    let staged = stage_run(&mut folder, result, &summary).and_then(|()| folder.commit());
    staged.map(|()| summary).map_err(Failure::could_not)
}

fn stage_run(folder: &mut Folder, result: &RunResult, summary: &str) -> Result<(), OutputError> {
    folder.stage("summary.json", |out| out.write_all(summary.as_bytes()))?;
    folder.stage("replications.csv", |out| csv_files::run_replications(result, out))?;
    for (index, alternative) in result.alternatives.iter().enumerate() {
        let Some(first) = &alternative.first else { continue };
        stage_detail(folder, &place(index, alternative), &alternative.scenario.model, first)?;
    }
    Ok(())
}

/// Writes everything a sweep comes to and returns the summary.
pub(super) fn sweep(mut folder: Folder, scenario: &Scenario, result: &SweepResult) -> Result<String, Failure> {
    let summary = summary::sweep(scenario, result);
    let staged = stage_sweep(&mut folder, result, &summary).and_then(|()| folder.commit());
    staged.map(|()| summary).map_err(Failure::could_not)
}

fn stage_sweep(folder: &mut Folder, result: &SweepResult, summary: &str) -> Result<(), OutputError> {
    folder.stage("summary.json", |out| out.write_all(summary.as_bytes()))?;
    folder.stage("sweep.csv", |out| csv_files::sweep(result, out))?;
    folder.stage("replications.csv", |out| csv_files::sweep_replications(result, out))?;
    if let Some((index, outcome)) = &result.closer_look {
        stage_detail(folder, "", &result.points[*index].point.scenario.model, outcome)?;
    }
    Ok(())
}

/// What one run was like over time, in the folder `place` (with its slash, or empty).
fn stage_detail(folder: &mut Folder, place: &str, model: &Model, outcome: &Outcome) -> Result<(), OutputError> {
    let metric = model.autoscaler.query().map_or("", |query| query.name());
    folder.stage(&format!("{place}timeline.csv"), |out| csv_files::timeline(&outcome.timeline, out))?;
    folder.stage(&format!("{place}decisions.csv"), |out| csv_files::decisions(&outcome.decisions, metric, out))
}

/// The first alternative lies in the folder itself, the others each in one of its own. The number keeps apart names that
/// come to the same file name.
fn place(index: usize, alternative: &Alternative) -> String {
    match &alternative.variant {
        Some(name) if index > 0 => format!("variants/{index}-{}/", file_name(name)),
        _ => String::new(),
    }
}
