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

    /// Keeps the points that meet the condition `path = value` and no others.
    ///
    /// # Errors
    /// No point does; says which values there are.
    pub fn keep_condition(&mut self, path: &str, value: &str) -> Result<(), String> {
        let at = |point: &Point| {
            let found = point.condition.iter().find(|(name, _)| name == path);
            found.map(|(_, setting)| setting.to_string())
        };
        let mut there: Vec<String> = Vec::new();
        for found in self.points.iter().filter_map(at) {
            if !there.contains(&found) {
                there.push(found);
            }
        }
        if there.is_empty() {
            return Err(format!("the sweep has no condition \"{path}\""));
        }
        if !there.iter().any(|found| found == value) {
            return Err(format!("the condition \"{path}\" has the values {}", there.join(", ")));
        }
        self.points.retain(|point| at(point).as_deref() == Some(value));
        Ok(())
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
