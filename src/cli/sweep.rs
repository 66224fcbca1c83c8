//! `kneepoint sweep FILE`.

use std::path::{Path, PathBuf};

use super::outputs::{self, Gate, Printed};
use super::records::{Records, Resume};
use super::{Answer, COULD_NOT, Failure, Global, Show, progress, session};
use crate::experiment::{self, Shard, simulate_shard};
use crate::report::content::Report;
use crate::report::manifests::manifests;
use crate::report::{DecisionLogs, Folder, compose, format, sentences};
use crate::scenario::{Plan, Scenario};

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
    /// Simulate one share of the runs alone, as in --shard 2/8, into a file for `kneepoint merge`: for a sweep on several
    /// machines. Writes no other outputs.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["gate", "summary", "json", "format"])]
    shard: Option<Shard>,
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    shown: Shown,
}

/// How the result is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Shown {
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
    let plan = read(&arguments.file, &arguments.condition, global)?;
    let warnings = session::warnings(&plan, global);
    if let Some(shard) = arguments.shard {
        return simulate(shard, &plan, &arguments.resume, global, warnings);
    }
    arguments.shown.check(&plan)?;
    let folder = Folder::open(&session::out(&plan, global)).map_err(Failure::could_not)?;
    let records = Records::open(&folder, &arguments.resume, ("sweep", &scenarios(&plan)))?;
    carry_out(plan, (folder, records), &arguments.shown, (global, warnings), show)
}

/// What is swept, if there is anything and the machine can hold it.
pub(super) fn read(file: &Path, conditions: &[String], global: &Global) -> Result<Plan, Failure> {
    let mut plan = session::read(file, global)?;
    session::keep_conditions(&mut plan, conditions)?;
    if !plan.sweeps() {
        return Err(Failure::bad_input(format!(
            "error: `{}` sweeps nothing\n  expected a [sweep] table or a [[variant]]; `kneepoint run` simulates it without them",
            file.display()
        )));
    }
    plan.check_overrides_of_sweep().map_err(session::refused)?;
    session::check_fits(&plan, scenarios(&plan).into_iter(), global)?;
    Ok(plan)
}

impl Shown {
    /// Refuses a gate of a scenario that promises nothing.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), Failure> {
        self.gate.check(plan.scenario.model.slo.is_some())
    }
}

pub(super) fn scenarios(plan: &Plan) -> Vec<&Scenario> {
    plan.points.iter().map(|point| &point.scenario).collect()
}

/// Simulates what the records do not have, and delivers the outputs into the folder.
pub(super) fn carry_out(
    plan: Plan,
    (mut folder, records): (Folder, Records),
    shown: &Shown,
    (global, warnings): (&Global, String),
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let two_pools = scenarios(&plan).iter().any(|scenario| scenario.model.decode.is_some());
    let place = std::iter::once((String::new(), two_pools));
    let logs = DecisionLogs::begin(&folder, place, &shown.printed.formats()).map_err(Failure::could_not)?;
    let points = plan.points.clone();
    let result = progress::watched(global, &scenarios(&plan), Some(records.store()), |evaluator| {
        experiment::sweep(points, &|_, decisions| logs.write(0, decisions), evaluator)
    })?
    .map_err(|error| of_point(&plan, &error))?;
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
    let answer = outputs::deliver(&report, folder, (&shown.printed, global), notes, show)?;
    records.close(result.complete())?;
    Ok(shown.gate.apply(answer, kept))
}

/// A run of a point came to nothing.
pub(super) fn of_point(plan: &Plan, error: &experiment::RunError) -> Failure {
    Failure::of_run(error, Some(&sentences::settings_and_condition(&plan.points[error.case])))
}

/// Simulates one shard into its file.
fn simulate(
    shard: Shard,
    plan: &Plan,
    resume: &Resume,
    global: &Global,
    warnings: String,
) -> Result<Answer, Failure> {
    let folder = session::out(plan, global);
    let scenarios = scenarios(plan);
    let records = Records::of_shard(&folder, resume, shard, &scenarios)?;
    let points = plan.points.clone();
    let state = progress::watched(global, &scenarios, Some(records.store()), |evaluator| {
        simulate_shard(points, shard, evaluator)
    })?
    .map_err(|error| of_point(plan, &error))?;
    let file = folder.join(shard.file_name());
    let (file, runs) = (file.display(), format::counted(state.planned as usize, "run"));
    let stderr = warnings + &records.warning();
    if records.store().failure().is_some() || state.stored < state.planned {
        let stopped = format!(
            "stopped: {} of {runs} of shard {shard} are in {file}; go on with --resume\n",
            state.stored
        );
        return Ok(Answer { stderr: stderr + &stopped, status: COULD_NOT, ..Answer::default() });
    }
    let stdout = match global.quiet {
        true => String::new(),
        false => format!("Shard {shard}: {runs} in {file}\n"),
    };
    Ok(Answer { stdout, stderr, ..Answer::default() })
}
