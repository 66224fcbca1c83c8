//! From the command line to what is to be run.

use std::path::{Path, PathBuf};

use super::records::{Records, Resume};
use super::{Failure, Global, memory, progress};
use crate::document::shown::{PHRASE, shown};
use crate::report::{Folder, file_name};
use crate::scenario::{Plan, Scenario, ScenarioError, ScenarioFile};

/// Reads all that `file` asks for, with the overrides of the command line in place.
pub(super) fn read(file: &Path, global: &Global) -> Result<Plan, Failure> {
    let mut file = ScenarioFile::load(file).map_err(refused)?;
    override_all(&mut file, global)?;
    if let Some(seed) = global.seed {
        file.override_seed(seed).map_err(refused)?;
    }
    progress::pool(global)?.install(|| Plan::read(file)).map_err(refused)
}

/// What a command works with: the folder of its files, and the records of its runs.
pub(super) struct Opened {
    pub folder: Folder,
    pub records: Records,
}

/// Opens the folder `out` for the `command` over these scenarios of `plans`, if the machine can hold them.
pub(super) fn open(
    (command, resume): (&str, &Resume),
    plans: &[&Plan],
    scenarios: &[&Scenario],
    out: &Path,
    global: &Global,
) -> Result<Opened, Failure> {
    for plan in plans {
        check_fits(plan, scenarios.iter().copied(), global)?;
    }
    let folder = Folder::open(out).map_err(Failure::could_not)?;
    let records = Records::open(&folder, resume, (command, scenarios))?;
    Ok(Opened { folder, records })
}

/// Sets what `--set` asks for.
pub(super) fn override_all(scenario: &mut ScenarioFile, global: &Global) -> Result<(), Failure> {
    for setting in &global.set {
        let Some((path, value)) = setting.split_once('=') else {
            let setting = shown(setting, PHRASE);
            return Err(Failure::bad_input(format!(
                "error: `--set {setting}` sets nothing\n  expected PATH=VALUE, as in --set autoscaler.up.above=120"
            )));
        };
        scenario.override_path(path.trim(), value.trim()).map_err(refused)?;
    }
    Ok(())
}

/// Keeps the conditions that are asked for, each as `PATH=VALUE`.
pub(super) fn keep_conditions(plan: &mut Plan, asked: &[String]) -> Result<(), Failure> {
    for condition in asked {
        let wrong = |why: String| Failure::bad_input(format!("error: `--condition {condition}`: {why}"));
        let Some((path, value)) = condition.split_once('=') else {
            return Err(wrong("expected PATH=VALUE, as in --condition traffic=1.2".to_owned()));
        };
        plan.keep_condition(path.trim(), value.trim()).map_err(wrong)?;
    }
    Ok(())
}

/// The warnings of a plan, a line each; none if nothing but errors is to be printed.
pub(super) fn warnings(plan: &Plan, global: &Global) -> String {
    let lines = if global.quiet { Vec::new() } else { plan.warnings() };
    lines.iter().map(|line| format!("warning: {line}\n")).collect()
}

/// Refuses, before it starts, what the machine's memory cannot hold.
pub(super) fn check_fits<'a>(
    plan: &Plan,
    scenarios: impl Iterator<Item = &'a Scenario>,
    global: &Global,
) -> Result<(), Failure> {
    let budget = memory::budget(progress::threads(global));
    let scenarios: Vec<&Scenario> = scenarios.collect();
    let parallel_runs = budget.parallel_runs_of(&scenarios);
    plan.check_fits(scenarios.into_iter(), budget.bytes, parallel_runs).map_err(refused)
}

/// Where outputs go.
pub(super) fn out(plan: &Plan, global: &Global) -> PathBuf {
    let default = || Path::new("output").join(file_name(&plan.scenario.name));
    global.out.clone().unwrap_or_else(default)
}

pub(super) fn refused(error: ScenarioError) -> Failure {
    Failure::from(error)
}
