//! The simulator against exact queueing theory: a catalogue of systems whose answer is known.
//!
//! Every system is written as a user would write it and goes the way of every scenario, from the text to the figures.
//! Its exact values come from [`crate::theory`].

mod elastic;
mod mishaps;
mod queues;
mod reading;
mod routing;
mod serving;
mod system;
mod verdict;

use rayon::prelude::*;

use super::Control;
use crate::random::Streams;
use crate::scenario::{Scenario, ScenarioError, ScenarioFile};
use crate::sim::{Block, Options, Outcome, RequestSource, Simulation};
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

    /// What one run gives for each quantity; `None` if the work was stopped.
    fn simulate(&self, seed: u64, replication: u32, control: &Control) -> Option<Vec<Option<Pair>>> {
        // A seed of its own for each system, so that the systems are independent of one another.
        let own = seed.wrapping_add(self.system.number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let outcome =
            run(&self.scenario, Streams::new(own, u64::from(replication)), self.timeline(), control)?;
        Some(self.system.quantities.iter().map(|quantity| quantity.reading.of(&outcome)).collect())
    }

    fn timeline(&self) -> bool {
        self.system.quantities.iter().any(|quantity| quantity.reading.needs_timeline())
    }
}

fn run(scenario: &Scenario, streams: Streams, timeline: bool, control: &Control) -> Option<Outcome> {
    let options = Options { mark_interval: scenario.run.timeline_interval, timeline, decisions: false };
    let mut source = RequestSource::new(&scenario.model, streams);
    let mut simulation: Simulation = Simulation::new(&scenario.model, streams, &options, ());
    let mut block = Block::default();
    loop {
        if control.cancelled() {
            return None;
        }
        source.fill(&mut block);
        control.count_requests(block.arrival.len() as u64);
        if block.arrival.is_empty() || !simulation.feed(&block) {
            control.count_runs(1);
            return Some(simulation.finish().0);
        }
    }
}

/// Simulates the systems and compares; the same on any number of threads. Systems that were not finished when the work
/// was stopped are left out.
pub fn verify(systems: &[Prepared], seed: u64, control: &Control) -> Verification {
    let tasks: Vec<(usize, u32)> = systems
        .iter()
        .enumerate()
        .flat_map(|(index, prepared)| {
            (0..prepared.scenario.run.replications).map(move |number| (index, number))
        })
        .collect();
    let found: Vec<Option<Vec<Option<Pair>>>> = tasks
        .par_iter()
        .with_max_len(1)
        .map(|(index, replication)| systems[*index].simulate(seed, *replication, control))
        .collect();
    let mut rows = Vec::new();
    let (mut rest, mut finished) = (found.as_slice(), 0);
    for prepared in systems {
        let (own, others) = rest.split_at(prepared.scenario.run.replications as usize);
        rest = others;
        let Some(runs) = own.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else { continue };
        finished += 1;
        for (index, quantity) in prepared.system.quantities.iter().enumerate() {
            let pairs: Vec<Option<Pair>> = runs.iter().map(|run| run[index]).collect();
            rows.push(Row::new(prepared.system.name(), quantity, &pairs, index == 0));
        }
    }
    Verification::of(rows, finished, seed, finished == systems.len())
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
        let control = Control::default();
        control.cancel();
        let found = verify(&[Prepared::new(system, Effort::Quick).unwrap()], 1, &control);
        assert!(!found.complete && found.rows.is_empty());
    }
}
