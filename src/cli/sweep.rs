//! `kneepoint sweep FILE`.

use std::path::PathBuf;

use super::outputs::{self, Gate, Printed};
use super::records::{Records, Resume};
use super::{Answer, Failure, Global, Show, progress, session};
use crate::experiment;
use crate::report::content::Report;
use crate::report::manifests::manifests;
use crate::report::{DecisionLogs, Folder, compose, sentences};
use crate::scenario::Scenario;

/// Simulate the swept settings, and find the knee of cost versus latency.
///
/// Prints the points with the frontier and the knee marked, and writes summary.json, sweep.csv, replications.csv,
/// charts and report.html. Ctrl-C stops within a second and keeps the points that are finished.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint sweep scenarios/quickstart.toml")]
pub(super) struct Arguments {
    /// The scenario file.
    file: PathBuf,
    /// Simulate this condition of [sweep.conditions] alone, as in --condition traffic=1.2; may be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    condition: Vec<String>,
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    gate: Gate,
    #[command(flatten)]
    printed: Printed,
}

pub(super) fn execute(
    arguments: &Arguments,
    global: &Global,
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let mut plan = session::read(&arguments.file, global)?;
    session::keep_conditions(&mut plan, &arguments.condition)?;
    let warnings = session::warnings(&plan, global);
    arguments.gate.check(plan.scenario.model.slo.is_some())?;
    if !plan.sweeps() {
        return Err(Failure::bad_input(format!(
            "error: `{}` sweeps nothing\n  expected a [sweep] table or a [[variant]]; `kneepoint run` simulates it without them",
            arguments.file.display()
        )));
    }
    plan.check_overrides_of_sweep().map_err(session::refused)?;
    let scenarios: Vec<&Scenario> = plan.points.iter().map(|point| &point.scenario).collect();
    session::check_fits(&plan, scenarios.iter().copied(), global)?;
    let mut folder = Folder::open(&session::out(&plan, global)).map_err(Failure::could_not)?;
    let records = Records::open(&folder, &arguments.resume, ("sweep", &scenarios))?;
    let logs = DecisionLogs::begin(&folder, std::iter::once(String::new())).map_err(Failure::could_not)?;
    let points = plan.points.clone();
    let result = progress::watched(global, &scenarios, Some(records.store()), |evaluator| {
        experiment::sweep(points, &|_, decisions| logs.write(0, decisions), evaluator)
    })?
    .map_err(|error| {
        Failure::of_run(&error, Some(&sentences::settings_and_condition(&plan.points[error.case])))
    })?;
    if result.points.is_empty() {
        return Err(Failure::could_not("stopped before the first point had finished; nothing was written"));
    }
    logs.finish(&mut folder, |_| result.detailed_run.is_some()).map_err(Failure::could_not)?;
    let manifests = manifests(plan.file(), &plan.scenario, &result);
    let scenario = result.procedure.applied(plan.scenario);
    let report = Report { manifests, ..compose::sweep(&scenario, &result) };
    let stopped = format!("{} of {} points had finished and are", result.points.len(), result.planned);
    let notes = (warnings + &records.warning(), stopped.as_str());
    let kept = report.verdict.as_ref().map(|verdict| verdict.kept);
    let answer = outputs::deliver(&report, folder, (&arguments.printed, global), notes, show)?;
    records.close(result.complete())?;
    Ok(arguments.gate.apply(answer, kept))
}
