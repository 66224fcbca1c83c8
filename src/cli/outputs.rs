//! Which files a command leaves behind.

use super::Failure;
use crate::experiment::{RunResult, SweepResult};
use crate::report::{Folder, OutputError, csv_files, file_name, summary};
use crate::scenario::Scenario;
use crate::sim::Outcome;

/// Writes everything a run comes to and returns the summary.
pub(super) fn run(mut folder: Folder, scenario: &Scenario, result: &RunResult) -> Result<String, Failure> {
    let summary = summary::run(scenario, result);
    let staged = stage_run(&mut folder, result, &summary).and_then(|()| folder.commit());
    staged.map(|()| summary).map_err(Failure::could_not)
}

fn stage_run(folder: &mut Folder, result: &RunResult, summary: &str) -> Result<(), OutputError> {
    folder.stage("summary.json", |out| out.write_all(summary.as_bytes()))?;
    folder.stage("replications.csv", |out| csv_files::run_replications(result, out))?;
    for alternative in &result.alternatives {
        let Some(first) = &alternative.first else { continue };
        stage_detail(folder, &place(alternative.number, alternative.variant.as_deref()), first)?;
    }
    Ok(())
}

/// Writes everything a sweep comes to and returns the summary.
pub(super) fn sweep(
    mut folder: Folder,
    scenario: &Scenario,
    result: &SweepResult,
) -> Result<String, Failure> {
    let summary = summary::sweep(scenario, result);
    let staged = stage_sweep(&mut folder, result, &summary).and_then(|()| folder.commit());
    staged.map(|()| summary).map_err(Failure::could_not)
}

fn stage_sweep(folder: &mut Folder, result: &SweepResult, summary: &str) -> Result<(), OutputError> {
    folder.stage("summary.json", |out| out.write_all(summary.as_bytes()))?;
    folder.stage("sweep.csv", |out| csv_files::sweep(result, out))?;
    folder.stage("replications.csv", |out| csv_files::sweep_replications(result, out))?;
    result.closer_look.as_ref().map_or(Ok(()), |(_, outcome)| stage_detail(folder, "", outcome))
}

/// What one run was like over time, in the folder `place`.
fn stage_detail(folder: &mut Folder, place: &str, outcome: &Outcome) -> Result<(), OutputError> {
    folder.stage(&format!("{place}timeline.csv"), |out| csv_files::timeline(&outcome.timeline, out))
}

/// Where the files of an alternative lie, empty or with a slash at its end: those of the first in the folder itself, the
/// others' each in a folder of its own. The number keeps apart names that come to the same file name.
pub(super) fn place(number: usize, variant: Option<&str>) -> String {
    match variant {
        Some(name) if number > 0 => format!("variants/{number}-{}/", file_name(name)),
        _ => String::new(),
    }
}
