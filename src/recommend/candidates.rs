//! Settings that may be recommended, with what has been seen of them in the race.

use std::collections::HashMap;

use crate::experiment::{
    Case, CaseId, Condition, Evaluator, Record, Replications, RunError, RunFailure, observations,
    settle_warmup,
};
use crate::scenario::{Axis, Scenario, ScenarioFile, Setting, Space, Warmup};
use crate::stats::Observation;
use crate::time::Span;

/// One setting with its scenario under each condition.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The place of each of its values among the levels of its axis; `None` for the base scenario.
    pub place: Option<Vec<usize>>,
    pub settings: Vec<(String, Setting)>,
    pub scenarios: Vec<Scenario>,
    /// Replications of the race, by condition.
    seen: Vec<Vec<Record>>,
    /// Whether it cannot be run: its queue outgrows the memory.
    pub overgrown: bool,
}

impl Candidate {
    /// Its replications of the race, by condition; without the time promised over all requests together.
    pub fn replications(&self) -> Vec<Replications> {
        self.first_replications(usize::MAX)
    }

    /// The first so many of them: all settings that have as many can be paired.
    pub fn first_replications(&self, count: usize) -> Vec<Replications> {
        let of = |(records, scenario): (&Vec<Record>, &Scenario)| {
            let first = records.iter().take(count).cloned().collect();
            Replications::new(first, scenario.model.slo)
        };
        self.seen.iter().zip(&self.scenarios).map(of).collect()
    }

    /// Replications of the race so far.
    pub fn count(&self) -> u32 {
        self.seen.iter().map(|records| records.len() as u32).min().unwrap_or(0)
    }

    /// What these replications came to.
    pub fn observations(&self, numbers: std::ops::Range<u32>) -> Vec<Observation> {
        let part = |records: &Vec<Record>| {
            let within = records.iter().filter(|record| numbers.contains(&record.number));
            within.cloned().collect::<Vec<Record>>()
        };
        observations(&self.seen.iter().map(part).collect::<Vec<_>>())
    }

    /// Requests that one replication is expected to have, under all conditions together.
    pub fn requests(&self) -> f64 {
        let of = |scenario: &Scenario| scenario.model.expected_requests(scenario.model.duration);
        self.scenarios.iter().map(of).sum()
    }
}

/// Settings and their values in a line.
pub fn shown<V: std::fmt::Display>(settings: &[(String, V)]) -> String {
    let all: Vec<String> = settings.iter().map(|(path, value)| format!("{path} = {value}")).collect();
    if all.is_empty() { "base".to_owned() } else { all.join(", ") }
}

/// All candidates so far; today's is the first.
pub(super) struct Candidates<'a> {
    file: &'a ScenarioFile,
    pub space: Space,
    pub all: Vec<Candidate>,
    /// By the identity of their first scenario: values that come to the same are one candidate.
    known: HashMap<CaseId, usize>,
    by_place: HashMap<Vec<usize>, Option<usize>>,
    /// Combinations that are no scenario.
    pub refused: usize,
    /// Requests simulated, or found in a store: what the budget counts.
    pub requests: f64,
    /// The warm-up that was found, where scenarios leave it open: one for all.
    warmup: Option<Span>,
}

impl<'a> Candidates<'a> {
    pub fn new(file: &'a ScenarioFile, space: Space) -> Candidates<'a> {
        let mut candidates = Candidates {
            file,
            space,
            all: Vec::new(),
            known: HashMap::new(),
            by_place: HashMap::new(),
            refused: 0,
            requests: 0.0,
            warmup: None,
        };
        candidates.make(None, Vec::new());
        candidates
    }

    /// Combinations of all values.
    pub fn combinations(&self) -> f64 {
        self.space.axes.iter().map(|axis| axis.levels.len() as f64).product()
    }

    /// The candidate with these values, made if need be; `None` if they are no scenario.
    pub fn at(&mut self, place: &[usize]) -> Option<usize> {
        if let Some(known) = self.by_place.get(place) {
            return *known;
        }
        let value = |(axis, level): (&Axis, &usize)| (axis.path.clone(), axis.levels[*level].clone());
        let settings = self.space.axes.iter().zip(place).map(value).collect();
        let made = self.make(Some(place.to_vec()), settings);
        self.refused += usize::from(made.is_none());
        self.by_place.insert(place.to_vec(), made);
        made
    }

    fn make(&mut self, place: Option<Vec<usize>>, settings: Vec<(String, Setting)>) -> Option<usize> {
        let under = |condition: &Vec<(String, Setting)>| self.file.with(&settings, condition);
        let mut scenarios: Vec<Scenario> =
            self.space.conditions.iter().map(under).collect::<Result<_, _>>().ok()?;
        scenarios.iter_mut().for_each(|scenario| self.warm_up(scenario));
        let id = CaseId::of(scenarios.first()?, Condition::AsWritten);
        if let Some(known) = self.known.get(&id) {
            // Today's values lie somewhere among the levels.
            let known = *known;
            let same = &mut self.all[known];
            if same.place.is_none() {
                (same.place, same.settings) = (place, settings);
            }
            return Some(known);
        }
        let seen = vec![Vec::new(); scenarios.len()];
        self.all.push(Candidate { place, settings, scenarios, seen, overgrown: false });
        self.known.insert(id, self.all.len() - 1);
        Some(self.all.len() - 1)
    }

    /// Makes room for a value beyond an end of an axis; places of values at and above it move.
    pub fn widen(&mut self, axis: usize, greatest: bool, level: Setting) {
        let levels = &mut self.space.axes[axis].levels;
        if greatest {
            levels.push(level);
            return;
        }
        levels.insert(0, level);
        self.all
            .iter_mut()
            .filter_map(|candidate| candidate.place.as_mut())
            .for_each(|place| place[axis] += 1);
        let moved = std::mem::take(&mut self.by_place).into_iter().map(|(mut place, candidate)| {
            place[axis] += 1;
            (place, candidate)
        });
        self.by_place = moved.collect();
    }

    /// Finds the warm-up, if the base scenario leaves it open.
    pub fn settle_warmup(&mut self, evaluator: &Evaluator<'_>) -> Result<(), RunError> {
        let mut cases: Vec<&mut Scenario> =
            self.all.iter_mut().flat_map(|candidate| &mut candidate.scenarios).collect();
        self.warmup = settle_warmup(&mut cases, evaluator)?.map(|found| found.span);
        Ok(())
    }

    /// Sets the warm-up that was found.
    pub fn warm_up(&self, scenario: &mut Scenario) {
        if let (Warmup::Auto, Some(warmup)) = (scenario.run.warmup, self.warmup) {
            scenario.model.warmup = if warmup < scenario.model.duration { warmup } else { Span::ZERO };
        }
    }

    /// The scenario with the values of a candidate under a condition, with factors on traffic and cold starts.
    pub fn with_factors(&self, index: usize, condition: usize, factors: (f64, f64)) -> Option<Scenario> {
        let settings = &self.all[index].settings;
        let mut scenario = self.file.with_factors(settings, &self.space.conditions[condition], factors)?;
        self.warm_up(&mut scenario);
        Some(scenario)
    }

    /// Whether the scenario takes these values.
    pub fn takes(&self, settings: &[(String, Setting)]) -> bool {
        self.file.with(settings, &self.space.conditions[0]).is_ok()
    }

    /// Keeps what had finished of a batch that was stopped: of each candidate the replications that follow those it has, under
    /// every condition.
    fn keep_begun(&mut self, wanted: &[(usize, u32)], cases: &[(usize, usize)], more: Vec<Vec<Record>>) {
        for ((place, of), records) in cases.iter().zip(more) {
            let seen = &mut self.all[wanted[*place].0].seen[*of];
            for record in records {
                if record.number as usize == seen.len() {
                    seen.push(record);
                }
            }
        }
        for (index, _) in wanted {
            let candidate = &mut self.all[*index];
            let count = candidate.count() as usize;
            candidate.seen.iter_mut().for_each(|records| records.truncate(count));
        }
    }

    /// Simulates what these lack of replications of the race, up to so many each; `false` if the work was stopped meanwhile.
    pub fn race(&mut self, wanted: &[(usize, u32)], evaluator: &Evaluator<'_>) -> Result<bool, RunError> {
        let mut wanted: Vec<(usize, u32)> =
            wanted.iter().copied().filter(|(index, count)| self.all[*index].count() < *count).collect();
        loop {
            wanted.retain(|(index, _)| !self.all[*index].overgrown);
            let cases: Vec<(usize, usize)> = wanted
                .iter()
                .enumerate()
                .flat_map(|(place, (index, _))| {
                    (0..self.all[*index].scenarios.len()).map(move |of| (place, of))
                })
                .collect();
            let batch: Vec<Case<'_>> = cases
                .iter()
                .map(|(place, of)| {
                    let (index, count) = wanted[*place];
                    let candidate = &self.all[index];
                    Case::some(&candidate.scenarios[*of], candidate.count()..count)
                })
                .collect();
            let strip = |_: usize, records: Vec<Record>| -> Vec<Record> {
                records.into_iter().map(Record::without_times).collect()
            };
            let more = match evaluator.evaluate(&batch, &(), strip) {
                Ok(more) => more,
                Err(RunError { case, what: RunFailure::Overgrown { .. }, .. }) => {
                    let (place, _) = cases[case];
                    self.all[wanted[place].0].overgrown = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let whole =
                more.iter().zip(&batch).all(|(records, case)| records.len() == case.replications.len());
            if !whole {
                self.keep_begun(&wanted, &cases, more);
                return Ok(false);
            }
            for (index, count) in &wanted {
                let candidate = &self.all[*index];
                self.requests += candidate.requests() * f64::from(count.saturating_sub(candidate.count()));
            }
            for ((place, of), records) in cases.iter().zip(more) {
                let (index, _) = wanted[*place];
                self.all[index].seen[*of].extend(records);
            }
            return Ok(true);
        }
    }
}
