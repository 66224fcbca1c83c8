//! Race and verification of the settings tried, within a budget.

use super::answer::Recommendation;
use super::candidates::{Candidate, Candidates, shown};
use super::found::Found;
use super::{search, walk};
use crate::experiment::{Evaluator, Fresh, RunError, RunFailure, allowed};
use crate::scenario::{Scenario, ScenarioFile, Space};
use crate::stats::{CONFIDENCE, Plan, Selection, Step};
use crate::time::Span;

/// Maximum number of replications of each setting in the race.
const RACE: u32 = 160;

/// Part of a budget that may be spent on finding settings, and on the race as a whole; the rest is for verification.
const FOR_SEARCH: f64 = 0.3;
const FOR_RACE: f64 = 0.5;

/// How much may be spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// As much as the method takes.
    Unlimited,
    /// So many simulated requests: what comes out depends on nothing else.
    Requests(f64),
    /// So much time of the machine's clock.
    Time(Span),
}

/// What is spent of a budget.
struct Spending<'a> {
    budget: Budget,
    /// Time since the work began. The library itself reads no clock.
    elapsed: &'a dyn Fn() -> Span,
}

impl Spending<'_> {
    /// The share that is spent once `requests` are simulated.
    fn share(&self, requests: f64) -> f64 {
        match self.budget {
            Budget::Unlimited => 0.0,
            Budget::Requests(budget) => requests / budget,
            Budget::Time(budget) => (self.elapsed)().as_secs_f64() / budget.as_secs_f64().max(1e-9),
        }
    }

    /// Requests that are left, as far as can be told; `None` if there is no end.
    fn left(&self, requests: f64) -> Option<f64> {
        let share = self.share(requests).max(1e-9);
        (self.budget != Budget::Unlimited).then(|| requests * (1.0 / share - 1.0).max(0.0))
    }
}

/// Finds the cheapest settings of `space` that keep the SLO of the scenario in `file` under every condition.
/// `elapsed` tells the time since the work began, which only a budget of time asks for.
///
/// # Errors
/// A run lost or made up requests.
pub fn recommend(
    file: &ScenarioFile,
    space: Space,
    (budget, elapsed): (Budget, &dyn Fn() -> Span),
    evaluator: &Evaluator<'_>,
) -> Result<Option<Recommendation>, RunError> {
    let spending = Spending { budget, elapsed };
    let mut candidates = Candidates::new(file, space);
    let Some(promises) = candidates.all.first().and_then(|today| {
        let scenarios: Vec<&Scenario> = today.scenarios.iter().collect();
        allowed(&scenarios)
    }) else {
        return Ok(None);
    };
    candidates.settle_warmup(evaluator)?;
    let first = walk::first_replications(candidates.combinations());
    let plan = Plan {
        allowed: promises,
        error: 1.0 - CONFIDENCE,
        race: (first, RACE),
        looks: Plan::LOOKS.to_vec(),
        fresh: u32::MAX,
    };
    let enough = |candidates: &Candidates<'_>| spending.share(candidates.requests) >= FOR_SEARCH;
    let grid = candidates.combinations();
    let mut whole = search::explore(&mut candidates, (first, &plan), &enough, evaluator)?;
    let mut selection = Selection::new(candidates.all.len(), plan);
    if !whole {
        // The first round was stopped: what it came to is all there is to estimate by.
        for (index, candidate) in candidates.all.iter().enumerate() {
            selection.tell_of(index, candidate.observations(0..first));
            if candidate.overgrown || candidate.count() == 0 {
                selection.reject(index);
            }
        }
    }
    let mut fresh = Fresh::default();
    let mut fresh_runs = 0;
    let mut confirmed = None;
    let mut spent = false;
    while whole {
        if let Some(left) = spending.left(candidates.requests).filter(|_| selection.is_racing()) {
            let each = candidates.all.iter().map(Candidate::requests).fold(0.0, f64::max);
            let fresh = (left / each.max(1.0)) as u32;
            spent |= fresh < Plan::LOOKS[0];
            selection.limit_fresh(fresh);
        }
        let batches = match selection.next_step() {
            Step::Simulate(batches) => batches,
            Step::Confirmed { setting, proposal, replications } => {
                confirmed = Some((setting, proposal, replications));
                break;
            }
            Step::Unconfirmed => break,
        };
        let in_race = batches.iter().any(|batch| batch.proposal.is_none());
        let racing: Vec<(usize, u32)> = batches
            .iter()
            .filter(|batch| batch.proposal.is_none())
            .map(|batch| (batch.setting, batch.replications.end))
            .collect();
        let cost: f64 = batches
            .iter()
            .filter(|batch| batch.proposal.is_none())
            .map(|batch| {
                let candidate = &candidates.all[batch.setting];
                candidate.requests() * f64::from(batch.replications.end.saturating_sub(candidate.count()))
            })
            .sum();
        let tried = racing.iter().all(|(_, count)| *count <= first);
        if in_race && !tried && spending.share(candidates.requests + cost) > FOR_RACE {
            selection.end_race();
            spent = true;
            continue;
        }
        whole = candidates.race(&racing, evaluator)?;
        if !whole {
            break;
        }
        for batch in batches {
            let Some(proposal) = batch.proposal else {
                let candidate = &candidates.all[batch.setting];
                let seen = candidate.observations(batch.replications.clone());
                // What cannot be run, or answers nothing in some replication, says nothing to decide by.
                if candidate.overgrown || seen.len() < batch.replications.len() {
                    selection.reject(batch.setting);
                }
                selection.tell(&batch, seen);
                continue;
            };
            evaluator
                .progress
                .set_note(format!("verifying {}", shown(&candidates.all[batch.setting].settings)));
            let scenarios: Vec<&Scenario> = candidates.all[batch.setting].scenarios.iter().collect();
            let wanted = batch.replications.len();
            let more = match fresh.simulate(&scenarios, proposal, batch.replications.clone(), evaluator) {
                Err(RunError { what: RunFailure::Overgrown { .. }, .. }) => {
                    selection.give_up(batch.setting);
                    continue;
                }
                other => other?,
            };
            if more.len() < wanted {
                if evaluator.cancel.is_cancelled() {
                    whole = false;
                    break;
                }
                // A run in which no request ended says nothing to decide by.
                selection.give_up(batch.setting);
                continue;
            }
            candidates.requests += candidates.all[batch.setting].requests() * wanted as f64;
            fresh_runs += wanted as u32 * scenarios.len() as u32;
            selection.tell(&batch, more);
        }
    }
    let found = Found { candidates, selection, fresh, fresh_runs, confirmed, whole, spent, grid };
    found.answer(evaluator).map(Some)
}
