//! All that a scenario file asks for.

use super::{Point, Scenario, ScenarioError, ScenarioFile};

/// Everything that can be run of a scenario file, read and checked.
#[derive(Debug)]
pub struct Plan {
    file: ScenarioFile,
    /// The base scenario.
    pub scenario: Scenario,
    /// The base scenario, then its variants by name.
    pub alternatives: Vec<(Option<String>, Scenario)>,
    /// The points of its sweep; without one, the scenario and its variants.
    pub points: Vec<Point>,
}

impl Plan {
    /// Reads all that follows from `file`, with what was overridden in it.
    ///
    /// # Errors
    /// The first thing that is wrong with the scenario, a variant or a point.
    pub fn read(file: ScenarioFile) -> Result<Plan, ScenarioError> {
        let scenario = file.scenario()?;
        let mut alternatives = vec![(None, scenario.clone())];
        alternatives.extend(file.variants()?.into_iter().map(|(name, variant)| (Some(name), variant)));
        let points = file.points()?;
        Ok(Plan { file, scenario, alternatives, points })
    }

    /// What the scenario and its variants take from elsewhere that is not modelled, each once.
    pub fn warnings(&self) -> Vec<&str> {
        let mut warnings: Vec<&str> = Vec::new();
        for warning in self.alternatives.iter().flat_map(|(_, scenario)| &scenario.warnings) {
            if !warnings.contains(&warning.as_str()) {
                warnings.push(warning);
            }
        }
        warnings
    }

    /// Whether there is anything to sweep.
    pub fn sweeps(&self) -> bool {
        self.file.has_sweep() || self.alternatives.len() > 1
    }

    /// The file, for scenarios with other values.
    pub fn file(&self) -> &ScenarioFile {
        &self.file
    }

    /// Refuses an override of what the sweep varies.
    ///
    /// # Errors
    /// Names the path that is both set and varied.
    pub fn check_overrides_of_sweep(&self) -> Result<(), ScenarioError> {
        self.file.check_overrides_of_sweep()
    }

    /// Refuses, before it starts, what `memory` bytes cannot hold, with so many runs at a time.
    ///
    /// # Errors
    /// One of the scenarios does not fit; says what takes how much.
    pub fn check_fits<'a>(
        &self,
        mut scenarios: impl Iterator<Item = &'a Scenario>,
        memory: u64,
        parallel_runs: usize,
    ) -> Result<(), ScenarioError> {
        scenarios.try_for_each(|scenario| self.file.check_fits(scenario, memory, parallel_runs))
    }
}
