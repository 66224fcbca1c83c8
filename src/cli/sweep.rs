//! `kneepoint sweep FILE`.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::decision_log::DecisionLogs;
use super::session::Plan;
use super::{Answer, COULD_NOT, DONE, Failure, Global, outputs, progress, table};
use crate::experiment::{self, SweepResult};
use crate::report::{Folder, format, sentences, tables};
use crate::scenario::Scenario;
use crate::units::show_span;

/// Try every setting of the swept parameters and find the knee of cost versus latency.
///
/// Prints the points with the frontier and the knee marked, and writes summary.json, sweep.csv, replications.csv,
/// charts and report.html. Ctrl-C stops within a second and keeps the points that are finished.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint sweep scenarios/quickstart.toml")]
pub(super) struct Arguments {
    /// The scenario file.
    file: PathBuf,
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let plan = Plan::read(&arguments.file, global)?;
    let warnings = plan.warnings(global);
    if !plan.sweeps() {
        return Err(Failure::bad_input(format!(
            "error: `{}` sweeps nothing\n  expected a [sweep] table or a [[variant]]; `kneepoint run` simulates it as it stands",
            arguments.file.display()
        )));
    }
    plan.check_overrides_of_sweep()?;
    let scenarios: Vec<&Scenario> = plan.points.iter().map(|point| &point.scenario).collect();
    plan.check_fits(scenarios.iter().copied(), global)?;
    let mut folder = Folder::open(&plan.out(global)).map_err(Failure::could_not)?;
    let logs = DecisionLogs::begin(&folder, std::iter::once(String::new()))?;
    let path = folder.path().display().to_string();
    let points = plan.points.clone();
    let result = progress::watched(global, &scenarios, |control| {
        experiment::sweep(points, &|_, decisions| logs.write(0, decisions), control)
    })?
    .map_err(|error| Failure::of_run(&error, Some(&sentences::settings(&plan.points[error.case]))))?;
    if result.points.is_empty() {
        return Err(Failure::could_not("stopped before the first point had finished; nothing was written"));
    }
    logs.finish(&mut folder, |_| result.closer_look.is_some())?;
    let scenario = result.procedure.applied(plan.scenario);
    let summary = outputs::sweep(folder, &scenario, &result)?;
    Ok(answer(&scenario, &result, &path, summary, global).warned(&warnings))
}

fn answer(scenario: &Scenario, result: &SweepResult, path: &str, summary: String, global: &Global) -> Answer {
    let mut answer = Answer { status: DONE, ..Answer::default() };
    if !result.complete() {
        answer.status = COULD_NOT;
        answer.stderr = format!(
            "stopped: {} of {} points had finished and are in {path}",
            result.points.len(),
            result.planned
        );
    }
    answer.stdout = match (global.json, global.quiet) {
        (true, _) => summary,
        (false, true) => String::new(),
        (false, false) => text(scenario, result, path),
    };
    answer
}

fn text(scenario: &Scenario, result: &SweepResult, path: &str) -> String {
    let points = tables::sweep(scenario, result);
    let mut text = format!(
        "{}: {}, {} of {} each\n\n{}\n\n",
        table::bold(&scenario.name),
        format::counted(result.points.len(), "point"),
        format::counted(scenario.run.replications as usize, "replication"),
        show_span(scenario.model.duration),
        table::plain(&points),
    );
    let more = result.points.len() - points.rows.len();
    if more > 0 {
        let _ = writeln!(text, "… and {} in sweep.csv\n", format::counted(more, "more point"));
    }
    if let Some(types) = tables::types_of_pick(result) {
        let _ = writeln!(text, "{}\n{}\n", types.title, table::plain(&types));
    }
    let _ = writeln!(text, "{}", table::bold(&sentences::knee(scenario, result)));
    if let Some(sentence) = sentences::within_slo(scenario, result) {
        let _ = writeln!(text, "{}", table::bold(&sentence));
    }
    let _ = writeln!(text, "{}", sentences::intervals(scenario.run.replications as usize));
    sentences::procedure(&result.procedure).iter().for_each(|line| {
        let _ = writeln!(text, "{line}");
    });
    let _ = writeln!(text, "Outputs are in {path}");
    text
}
