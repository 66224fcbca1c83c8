//! How much more traffic, and how much slower a cold start, the chosen settings stand.

use super::answer::{Margin, MarginOf};
use super::candidates::Candidates;
use crate::experiment::{Evaluator, Fresh, RunError, RunFailure, allowed};
use crate::scenario::Scenario;
use crate::stats::{CONFIDENCE, Estimate, Misses};

/// Factors that are tried, ascending.
const OF_TRAFFIC: [f64; 8] = [1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 3.0];
const OF_COLD_STARTS: [f64; 6] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0];

/// Fresh replications by which a factor is judged.
const REPLICATIONS: u32 = 20;

/// The factors on traffic and on cold starts that a factor stands for.
type Factors<'a> = &'a dyn Fn(f64) -> (f64, f64);

/// How a factor fills what the promises allow: the worst of all, as a multiple of it.
#[derive(Debug, Clone, Copy)]
struct Level {
    factor: f64,
    used: f64,
    /// What it does not exceed, and is not below.
    most: f64,
    least: f64,
}

/// The margins of a candidate; none of what the scenario does not write so that it can be multiplied. `fresh` are the
/// replications that confirmed it.
pub(super) fn margins(
    candidates: &Candidates<'_>,
    (index, proposal): (usize, u32),
    fresh: &Fresh,
    evaluator: &Evaluator<'_>,
) -> Result<Vec<Margin>, RunError> {
    let traffic = |factor: f64| (factor, 1.0);
    let cold_start = |factor: f64| (1.0, factor);
    let all: [(MarginOf, &[f64], Factors<'_>); 2] =
        [(MarginOf::Traffic, &OF_TRAFFIC, &traffic), (MarginOf::ColdStart, &OF_COLD_STARTS, &cold_start)];
    let scenarios: Vec<&Scenario> = candidates.all[index].scenarios.iter().collect();
    // At the factor 1 the promise is confirmed.
    let now = level(1.0, fresh, &allowed(&scenarios).unwrap_or_default());
    let now = Level { most: now.most.min(1.0), used: now.used.min(1.0), ..now };
    let mut margins = Vec::new();
    for (of, factors, with) in all {
        let mut levels = vec![now];
        for factor in factors {
            match at(candidates, (index, proposal), (*factor, with(*factor)), evaluator)? {
                Some(level) => levels.push(level),
                None => break,
            }
            if levels.last().is_some_and(|level| level.least > 1.0) {
                break;
            }
        }
        margins.extend((levels.len() > 1).then(|| margin(of, &levels)));
    }
    Ok(margins)
}

/// The margin, from what each factor comes to, ascending.
fn margin(of: MarginOf, levels: &[Level]) -> Margin {
    // Each factor speaks for itself alone: with more traffic a larger pool may miss less again, so that what a factor keeps says nothing
    // of lesser ones. The margin ends where the promise first breaks.
    let last = levels[levels.len() - 1].factor;
    let mean = crossing(levels, |level| level.used);
    let kept = levels.iter().take_while(|level| level.used <= 1.0).last();
    Margin {
        of,
        keeps_to: kept.map_or(1.0, |level| level.factor),
        breaks_at: levels.iter().find(|level| level.used > 1.0).map(|level| level.factor),
        factor: Estimate {
            mean: Some(mean.unwrap_or(last)),
            low: Some(crossing(levels, |level| level.most).unwrap_or(last)),
            high: Some(crossing(levels, |level| level.least).unwrap_or(f64::INFINITY)),
            replications: REPLICATIONS,
        },
        beyond: mean.is_none(),
        replications: REPLICATIONS,
    }
}

/// The factor at which what is used exceeds what is allowed, by interpolation; `None` beyond the last.
fn crossing(levels: &[Level], used: impl Fn(&Level) -> f64) -> Option<f64> {
    let over = levels.iter().position(|level| used(level) > 1.0)?;
    let Some(before) = over.checked_sub(1) else { return Some(levels[0].factor) };
    let (a, b) = (&levels[before], &levels[over]);
    let along = if used(b).is_finite() { (1.0 - used(a)) / (used(b) - used(a)) } else { 0.0 };
    Some(a.factor + along * (b.factor - a.factor))
}

/// What a factor comes to under every condition; `None` if that cannot be simulated, or was stopped.
fn at(
    candidates: &Candidates<'_>,
    (index, proposal): (usize, u32),
    (factor, factors): (f64, (f64, f64)),
    evaluator: &Evaluator<'_>,
) -> Result<Option<Level>, RunError> {
    let conditions = 0..candidates.space.conditions.len();
    let scenarios: Option<Vec<Scenario>> =
        conditions.map(|condition| candidates.with_factors(index, condition, factors)).collect();
    let Some(scenarios) = scenarios else { return Ok(None) };
    let scenarios: Vec<&Scenario> = scenarios.iter().collect();
    let mut fresh = Fresh::default();
    match fresh.simulate(&scenarios, proposal, 0..REPLICATIONS, evaluator) {
        Err(RunError { what: RunFailure::Overgrown { .. }, .. }) => {
            let all = f64::INFINITY;
            return Ok(Some(Level { factor, used: all, most: all, least: all }));
        }
        other => {
            if other?.len() < REPLICATIONS as usize {
                return Ok(None);
            }
        }
    }
    Ok(Some(level(factor, &fresh, &allowed(&scenarios).unwrap_or_default())))
}

fn level(factor: f64, fresh: &Fresh, allowed: &[f64]) -> Level {
    let error = (1.0 - CONFIDENCE) / 2.0;
    let worst = |share: &dyn Fn(&Misses) -> f64| {
        let used =
            |(promise, allowed): (usize, &f64)| fresh.misses(promise).map(|misses| share(&misses) / allowed);
        allowed.iter().enumerate().filter_map(used).fold(0.0, f64::max)
    };
    Level {
        factor,
        used: worst(&|misses| misses.share()),
        // Where nothing is missed, that few replications miss nothing is no bound, but no sign of a limit either.
        most: worst(&|misses| match misses.none() {
            true => 0.0,
            false => misses.upper_limit(error).unwrap_or(f64::INFINITY),
        }),
        least: worst(&|misses| misses.lower_limit(error).unwrap_or(0.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(factor: f64, used: f64, least: f64, most: f64) -> Level {
        Level { factor, used, most, least }
    }

    #[test]
    fn a_margin_lies_where_the_misses_cross_what_is_allowed_within_its_interval() {
        let levels = vec![at(1.0, 0.2, 0.1, 0.4), at(1.2, 0.6, 0.4, 1.2), at(1.4, 1.6, 1.2, 3.0)];
        let found = margin(MarginOf::Traffic, &levels);
        assert_eq!((found.keeps_to, found.breaks_at, found.beyond), (1.2, Some(1.4), false));
        let near =
            |end: Option<f64>, expected: f64| assert!((end.unwrap() - expected).abs() < 1e-9, "{end:?}");
        near(found.factor.mean, 1.2 + 0.2 * 0.4);
        near(found.factor.low, 1.0 + 0.2 * 0.75);
        near(found.factor.high, 1.2 + 0.2 * 0.75);
        let beyond = margin(MarginOf::ColdStart, &[at(1.0, 0.2, 0.1, 0.4), at(10.0, 0.3, 0.1, 0.9)]);
        assert!(beyond.beyond && beyond.breaks_at.is_none());
        assert_eq!((beyond.factor.low, beyond.factor.high), (Some(10.0), Some(f64::INFINITY)));
        let overgrown = f64::INFINITY;
        let sudden =
            margin(MarginOf::Traffic, &[at(1.0, 0.2, 0.1, 0.4), at(1.05, overgrown, overgrown, overgrown)]);
        assert_eq!((sudden.factor.mean, sudden.breaks_at), (Some(1.0), Some(1.05)));
    }

    #[test]
    fn a_promise_that_breaks_and_is_kept_again_with_more_has_its_margin_where_it_breaks() {
        let levels = [
            at(1.0, 0.9, 0.8, 1.0),
            at(1.1, 1.05, 0.95, 1.15),
            at(1.3, 0.8, 0.7, 0.9),
            at(1.5, 1.6, 1.5, 1.7),
        ];
        let found = margin(MarginOf::Traffic, &levels);
        let Estimate { mean, low, high, .. } = found.factor;
        assert!(low <= mean && mean <= high, "{low:?} {mean:?} {high:?}");
        assert!((1.0..1.1).contains(&mean.unwrap()), "{mean:?}");
        assert_eq!((found.keeps_to, found.breaks_at), (1.0, Some(1.1)));
    }
}
