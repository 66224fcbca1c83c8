//! From the command line to what is to be run.

use std::path::{Path, PathBuf};

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::{Failure, Global, progress};
use crate::experiment::PointToRun;
use crate::report::file_name;
use crate::scenario::{Scenario, ScenarioFile};

/// What a scenario file asks for, with the overrides of the command line in place.
pub(super) struct Plan {
    /// The scenario as it stands.
    pub scenario: Scenario,
    /// The scenario as it stands, then its variants by name.
    pub alternatives: Vec<(Option<String>, Scenario)>,
    /// The points of its sweep; none if it sweeps nothing.
    pub points: Vec<PointToRun>,
}

/// Reads `file`, and all that follows from it.
pub(super) fn plan(file: &Path, global: &Global) -> Result<Plan, Failure> {
    let file = open(file, global)?;
    let scenario = file.scenario().map_err(Failure::bad_input)?;
    let variants = file.variants().map_err(Failure::bad_input)?;
    let mut alternatives = vec![(None, scenario.clone())];
    alternatives.extend(variants.into_iter().map(|(name, variant)| (Some(name), variant)));
    let points = file.points().map_err(Failure::bad_input)?;
    let points = points
        .into_iter()
        .map(|point| PointToRun { variant: None, settings: point.settings, scenario: point.scenario })
        .collect();
    Ok(Plan { scenario, alternatives, points })
}

/// Reads `file` with the overrides of the command line.
fn open(file: &Path, global: &Global) -> Result<ScenarioFile, Failure> {
    let mut scenario = ScenarioFile::load(file).map_err(Failure::bad_input)?;
    for setting in &global.set {
        let Some((path, value)) = setting.split_once('=') else {
            return Err(Failure::bad_input(format!(
                "error: `--set {setting}` sets nothing\n  expected PATH=VALUE, as in --set autoscaler.up.above=120"
            )));
        };
        scenario.override_path(path.trim(), value.trim()).map_err(Failure::bad_input)?;
    }
    if let Some(seed) = global.seed {
        scenario.override_path("run.seed", &seed.to_string()).map_err(Failure::bad_input)?;
    }
    Ok(scenario)
}

/// Refuses, before it starts, what the machine's memory cannot hold.
pub(super) fn check_fits(scenarios: &[&Scenario], global: &Global) -> Result<(), Failure> {
    let memory = MemoryRefreshKind::nothing().with_ram();
    // Where the system does not say how much memory it has, nothing is refused on its account.
    let available = System::new_with_specifics(RefreshKind::nothing().with_memory(memory))
        .map_or(u64::MAX, |system| system.available_memory());
    let threads = progress::threads(global);
    scenarios
        .iter()
        .try_for_each(|scenario| scenario.check_fits(available, threads))
        .map_err(Failure::bad_input)
}

/// Where outputs go.
pub(super) fn out(scenario: &Scenario, global: &Global) -> PathBuf {
    let default = || Path::new("output").join(file_name(&scenario.name));
    global.out.clone().unwrap_or_else(default)
}
