//! How much more traffic, and how much slower a cold start, the chosen settings stand.

use super::answer::{Margin, MarginOf};
use super::candidates::Candidates;
use crate::experiment::{Evaluator, Fresh, RunError, RunFailure, allowed};
use crate::scenario::Scenario;

/// Factors that are tried, ascending.
const OF_TRAFFIC: [f64; 8] = [1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 3.0];
const OF_COLD_STARTS: [f64; 6] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0];

/// Fresh replications by which a factor is judged.
const REPLICATIONS: u32 = 20;

/// The factors on traffic and on cold starts that a factor stands for.
type Factors<'a> = &'a dyn Fn(f64) -> (f64, f64);

/// The margins of a candidate; none of what the scenario does not write so that it can be multiplied.
pub(super) fn margins(
    candidates: &Candidates<'_>,
    index: usize,
    proposal: u32,
    evaluator: &Evaluator<'_>,
) -> Result<Vec<Margin>, RunError> {
    let traffic = |factor: f64| (factor, 1.0);
    let cold_start = |factor: f64| (1.0, factor);
    let all: [(MarginOf, &[f64], Factors<'_>); 2] =
        [(MarginOf::Traffic, &OF_TRAFFIC, &traffic), (MarginOf::ColdStart, &OF_COLD_STARTS, &cold_start)];
    let mut margins = Vec::new();
    for (of, factors, with) in all {
        let mut margin = Margin { of, keeps_to: 1.0, breaks_at: None, replications: REPLICATIONS };
        let mut told = false;
        for factor in factors {
            match keeps(candidates, (index, proposal), with(*factor), evaluator)? {
                Some(true) => (margin.keeps_to, told) = (*factor, true),
                Some(false) => {
                    (margin.breaks_at, told) = (Some(*factor), true);
                    break;
                }
                None => break,
            }
        }
        margins.extend(told.then_some(margin));
    }
    Ok(margins)
}

/// Whether the promise is kept on average under every condition; `None` if that cannot be simulated, or was stopped.
fn keeps(
    candidates: &Candidates<'_>,
    (index, proposal): (usize, u32),
    factors: (f64, f64),
    evaluator: &Evaluator<'_>,
) -> Result<Option<bool>, RunError> {
    let conditions = 0..candidates.space.conditions.len();
    let scenarios: Option<Vec<Scenario>> =
        conditions.map(|condition| candidates.with_factors(index, condition, factors)).collect();
    let Some(scenarios) = scenarios else { return Ok(None) };
    let scenarios: Vec<&Scenario> = scenarios.iter().collect();
    let mut fresh = Fresh::default();
    match fresh.simulate(&scenarios, proposal, 0..REPLICATIONS, evaluator) {
        Err(RunError { what: RunFailure::Overgrown { .. }, .. }) => return Ok(Some(false)),
        other => {
            if other?.len() < REPLICATIONS as usize {
                return Ok(None);
            }
        }
    }
    let allowed = allowed(&scenarios).unwrap_or_default();
    let within = |(promise, allowed): (usize, &f64)| {
        fresh.misses(promise).is_some_and(|misses| misses.share() <= *allowed)
    };
    Ok(Some(allowed.iter().enumerate().all(within)))
}
