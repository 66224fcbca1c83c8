//! The simulator against exact queueing theory: a catalogue of systems whose answer is known.
//!
//! Every system is written as a user would write it and goes the way of every scenario, from the text to the figures.
//! Its exact values come from [`crate::theory`].

mod closed_loop;
mod elastic;
mod mishaps;
mod queues;
mod reading;
mod routing;
mod serving;
mod system;
mod verdict;

use std::sync::OnceLock;

use super::{Case, Evaluator, Observer, Retain, RunError};
use crate::scenario::{Scenario, ScenarioError, ScenarioFile};
use crate::sim::Outcome;
use crate::theory;
use crate::time::Span;
use reading::Pair;
pub use reading::Reading;
pub use system::{Quantity, System};
pub use verdict::{CONFIDENCE, FALSE_ALARM, Row, Verdict, Verification};

/// How much is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As the scenarios say.
    Full,
    /// Half the replications of a fifth of the length: a tenth of the work, for tests.
    Quick,
}

/// Replications of a quick run.
const QUICK_REPLICATIONS: u32 = 10;
/// A quick run is shorter by this factor, its warm-up apart.
const QUICK_SHORTER: u64 = 5;

/// A system ready to run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The system.
    pub system: System,
    /// Its scenario.
    pub scenario: Scenario,
}

/// Every system there is, in the order of the table.
///
/// # Errors
/// A system of the catalogue has no exact value: a defect of the program.
pub fn catalogue() -> Result<Vec<System>, theory::Error> {
    let mut all = queues::systems()?;
    all.extend(routing::systems()?);
    all.extend(serving::systems()?);
    all.extend(elastic::systems()?);
    all.extend(mishaps::systems()?);
    all.extend(closed_loop::systems()?);
    for (number, system) in all.iter_mut().enumerate() {
        system.number = number as u64;
    }
    Ok(all)
}

impl Prepared {
    /// Reads the scenario of `system`.
    ///
    /// # Errors
    /// The scenario is wrong.
    pub fn new(system: System, effort: Effort) -> Result<Prepared, ScenarioError> {
        let mut scenario = ScenarioFile::parse("verify.toml", &system.scenario, ".")?.scenario()?;
        if effort == Effort::Quick && scenario.run.replications > 1 {
            let model = &mut scenario.model;
            let measured = (model.duration - model.warmup).as_nanos() / QUICK_SHORTER;
            // Whole windows, where the timeline is read by its phase.
            let window = scenario.run.timeline_interval.as_nanos().max(1);
            let least = measured.max(window).next_multiple_of(window);
            model.duration = model.warmup + Span::from_nanos(least);
            scenario.run.duration = model.duration;
            scenario.run.replications = QUICK_REPLICATIONS;
        }
        Ok(Prepared { system, scenario })
    }

    fn timeline(&self) -> bool {
        self.system.quantities.iter().any(|quantity| quantity.reading.needs_timeline())
    }
}

/// What the runs of each system give for each quantity.
struct Readings<'a> {
    systems: &'a [Prepared],
    /// By system and replication.
    found: Vec<Vec<OnceLock<Vec<Option<Pair>>>>>,
}

impl<'a> Readings<'a> {
    fn of(systems: &'a [Prepared]) -> Self {
        let runs = |prepared: &Prepared| prepared.scenario.run.replications;
        let empty = |prepared| (0..runs(prepared)).map(|_| OnceLock::new()).collect();
        Readings { systems, found: systems.iter().map(empty).collect() }
    }
}

impl Observer for Readings<'_> {
    fn retain(&self, case: usize, _: u32) -> Retain {
        if self.systems[case].timeline() { Retain::Timeline } else { Retain::Outcome }
    }

    fn outcome(&self, case: usize, replication: u32, outcome: Outcome) {
        let quantities = &self.systems[case].system.quantities;
        self.found[case][replication as usize]
            .get_or_init(|| quantities.iter().map(|quantity| quantity.reading.of(&outcome)).collect());
    }
}

/// Simulates the systems and compares; the same on any number of threads. Systems that were not finished when the work
/// was stopped are left out.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn verify(systems: &[Prepared], seed: u64, evaluator: &Evaluator<'_>) -> Result<Verification, RunError> {
    // A seed of its own for each system, so that the systems are independent of one another.
    let own_seed = |prepared: &Prepared| {
        let mut scenario = prepared.scenario.clone();
        scenario.run.seed = seed.wrapping_add(prepared.system.number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        scenario
    };
    let scenarios: Vec<Scenario> = systems.iter().map(own_seed).collect();
    let batch: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
    let readings = Readings::of(systems);
    evaluator.evaluate(&batch, &readings, |_, _| ())?;
    let (mut rows, mut finished) = (Vec::new(), 0);
    for (prepared, runs) in systems.iter().zip(&readings.found) {
        let Some(runs) = runs.iter().map(OnceLock::get).collect::<Option<Vec<_>>>() else { continue };
        finished += 1;
        for (index, quantity) in prepared.system.quantities.iter().enumerate() {
            let pairs: Vec<Option<Pair>> = runs.iter().map(|run| run[index]).collect();
            rows.push(Row::new(prepared.system.name(), quantity, &pairs, index == 0));
        }
    }
    Ok(Verification::of(rows, finished, seed, finished == systems.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_catalogue_is_one_that_a_user_could_write() {
        for system in catalogue().unwrap() {
            assert!(!system.quantities.is_empty());
            let name = system.name();
            if let Err(error) = Prepared::new(system, Effort::Full) {
                panic!("{name}:\n{}", error.render(false));
            }
        }
    }

    #[test]
    fn stopped_work_leaves_systems_out() {
        let system = catalogue().unwrap().swap_remove(0);
        let evaluator = Evaluator::default();
        evaluator.cancel.cancel();
        let found = verify(&[Prepared::new(system, Effort::Quick).unwrap()], 1, &evaluator).unwrap();
        assert!(!found.complete && found.rows.is_empty());
    }
}
