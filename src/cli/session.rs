//! From the command line to what is to be run.

use std::path::{Path, PathBuf};

use super::{Failure, Global, memory};
use crate::report::file_name;
use crate::scenario::{Point, Scenario, ScenarioError, ScenarioFile};

/// What a scenario file asks for, with the overrides of the command line in place.
pub(super) struct Plan {
    file: ScenarioFile,
    /// The scenario as it stands.
    pub scenario: Scenario,
    /// The scenario as it stands, then its variants by name.
    pub alternatives: Vec<(Option<String>, Scenario)>,
    /// The points of its sweep; without one, the scenario and its variants.
    pub points: Vec<Point>,
}

impl Plan {
    /// Reads `file` and all that follows from it.
    pub fn read(file: &Path, global: &Global) -> Result<Plan, Failure> {
        let file = open(file, global)?;
        let scenario = file.scenario().map_err(refused)?;
        let variants = file.variants().map_err(refused)?;
        let mut alternatives = vec![(None, scenario.clone())];
        alternatives.extend(variants.into_iter().map(|(name, variant)| (Some(name), variant)));
        let points = file.points().map_err(refused)?;
        Ok(Plan { file, scenario, alternatives, points })
    }

    /// What the scenario and its variants take from elsewhere that is not modelled: a line each, each once.
    pub fn warnings(&self, global: &Global) -> String {
        let mut lines: Vec<&String> = Vec::new();
        let all = self.alternatives.iter().flat_map(|(_, scenario)| &scenario.warnings);
        for warning in all.filter(|_| !global.quiet) {
            if !lines.contains(&warning) {
                lines.push(warning);
            }
        }
        lines.iter().map(|line| format!("warning: {line}\n")).collect()
    }

    /// Whether there is anything to sweep.
    pub fn sweeps(&self) -> bool {
        self.file.has_sweep() || self.alternatives.len() > 1
    }

    /// Refuses `--set` of what the sweep varies.
    pub fn check_overrides_of_sweep(&self) -> Result<(), Failure> {
        self.file.check_overrides_of_sweep().map_err(refused)
    }

    /// Refuses, before it starts, what the machine's memory cannot hold.
    pub fn check_fits<'a>(
        &self,
        mut scenarios: impl Iterator<Item = &'a Scenario>,
        global: &Global,
    ) -> Result<(), Failure> {
        let (available, parallel) = (memory::available(), memory::parallel_runs(global));
        scenarios
            .try_for_each(|scenario| self.file.check_fits(scenario, available, parallel))
            .map_err(refused)
    }

    /// Where outputs go.
    pub fn out(&self, global: &Global) -> PathBuf {
        let default = || Path::new("output").join(file_name(&self.scenario.name));
        global.out.clone().unwrap_or_else(default)
    }
}

/// Reads `file` with the overrides of the command line.
fn open(file: &Path, global: &Global) -> Result<ScenarioFile, Failure> {
    let mut scenario = ScenarioFile::load(file).map_err(refused)?;
    override_all(&mut scenario, global)?;
    if let Some(seed) = global.seed {
        scenario.override_seed(seed).map_err(refused)?;
    }
    Ok(scenario)
}

/// Sets what `--set` asks for.
pub(super) fn override_all(scenario: &mut ScenarioFile, global: &Global) -> Result<(), Failure> {
    for setting in &global.set {
        let Some((path, value)) = setting.split_once('=') else {
            return Err(Failure::bad_input(format!(
                "error: `--set {setting}` sets nothing\n  expected PATH=VALUE, as in --set autoscaler.up.above=120"
            )));
        };
        scenario.override_path(path.trim(), value.trim()).map_err(refused)?;
    }
    Ok(())
}

fn refused(error: ScenarioError) -> Failure {
    Failure::bad_input(error.render(true))
}
