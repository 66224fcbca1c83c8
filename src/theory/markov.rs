//! Stationary laws of finite and truncated Markov chains.
//!
//! Grassmann, Taksar and Heyman (1985): elimination from the last state down, without a subtraction, so that
//! every probability is accurate relative to itself. In level order a chain is banded and stays so.
use std::collections::BTreeMap;

use super::Error;

/// Maximum size of the band of a chain, in numbers; a larger system is refused.
pub const MAX_STATES: usize = 24_000_000;
/// Maximum probability of the last level of a truncated chain.
pub const BOUNDARY_MASS: f64 = 1e-13;

/// The stationary law over the states reachable from `start`, in order; `next` lists the rates (or
/// probabilities) out of a state.
///
/// # Errors
/// [`Error::TooLarge`] for too many states, [`Error::Unstable`] if some state cannot return to `start`'s class.
pub fn stationary<S: Ord + Copy>(
    start: S,
    mut next: impl FnMut(S, &mut Vec<(S, f64)>),
) -> Result<Vec<(S, f64)>, Error> {
    let mut leaving: BTreeMap<S, Vec<(S, f64)>> = BTreeMap::new();
    let mut found = vec![start];
    while let Some(state) = found.pop() {
        if leaving.contains_key(&state) {
            continue;
        }
        let mut out = Vec::new();
        next(state, &mut out);
        out.retain(|(to, rate)| *rate > 0.0 && *to != state);
        found.extend(out.iter().map(|(to, _)| *to).filter(|to| !leaving.contains_key(to)));
        leaving.insert(state, out);
        if leaving.len() > MAX_STATES / 16 {
            return Err(Error::TooLarge);
        }
    }
    let states: Vec<S> = leaving.keys().copied().collect();
    let place: BTreeMap<S, usize> = states.iter().enumerate().map(|(i, s)| (*s, i)).collect();
    let rates: Vec<Vec<(usize, f64)>> =
        leaving.values().map(|out| out.iter().map(|(to, rate)| (place[to], *rate)).collect()).collect();
    let law = eliminate(&rates)?;
    Ok(states.into_iter().zip(law).collect())
}

fn eliminate(rates: &[Vec<(usize, f64)>]) -> Result<Vec<f64>, Error> {
    let count = rates.len();
    let band =
        rates.iter().enumerate().flat_map(|(i, out)| out.iter().map(move |(j, _)| i.abs_diff(*j))).max();
    let band = band.unwrap_or(0);
    let width = 2 * band + 1;
    if count * width > MAX_STATES {
        return Err(Error::TooLarge);
    }
    let at = |i: usize, j: usize| i * width + (j + band - i);
    let mut table = vec![0.0; count * width];
    for (i, out) in rates.iter().enumerate() {
        for (j, rate) in out {
            table[at(i, *j)] += rate;
        }
    }
    let mut down = vec![0.0; count];
    for s in (1..count).rev() {
        let first = s.saturating_sub(band);
        let row = table[at(s, first)..at(s, s)].to_vec();
        down[s] = row.iter().sum();
        if down[s] <= 0.0 {
            return Err(Error::Unstable);
        }
        for i in first..s {
            let into = table[at(i, s)] / down[s];
            if into > 0.0 {
                let start = at(i, first);
                for (cell, rate) in table[start..start + row.len()].iter_mut().zip(&row) {
                    *cell += into * rate;
                }
            }
        }
    }
    let mut law = vec![0.0; count];
    law[0] = 1.0;
    for s in 1..count {
        law[s] = (s.saturating_sub(band)..s).map(|i| law[i] * table[at(i, s)]).sum::<f64>() / down[s];
        if law[s] > 1e200 {
            law.iter_mut().for_each(|mass| *mass *= 1e-200);
        }
    }
    let total: f64 = law.iter().sum();
    Ok(law.into_iter().map(|mass| mass / total).collect())
}

/// As [`stationary`], for an unbounded chain: transitions above a highest `level` are dropped, and that level is doubled
/// from `first` until its probability is below [`BOUNDARY_MASS`].
///
/// # Errors
/// As [`stationary`].
pub fn truncated<S: Ord + Copy>(
    start: S,
    first: usize,
    level: impl Fn(S) -> usize,
    mut next: impl FnMut(S, &mut Vec<(S, f64)>),
) -> Result<Vec<(S, f64)>, Error> {
    let mut cap = first.max(64);
    loop {
        let law = stationary(start, |state, out| {
            next(state, out);
            out.retain(|(to, _)| level(*to) <= cap);
        })?;
        let edge: f64 = law.iter().filter(|(s, _)| level(*s) == cap).map(|(_, mass)| mass).sum();
        if edge < BOUNDARY_MASS {
            return Ok(law);
        }
        cap = cap.checked_mul(2).ok_or(Error::TooLarge)?;
    }
}

/// The mean of `value` under a law.
pub fn mean<S: Copy>(law: &[(S, f64)], value: impl Fn(S) -> f64) -> f64 {
    law.iter().map(|(state, mass)| value(*state) * mass).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_death_chain_has_its_geometric_law() {
        let law = truncated(
            0usize,
            64,
            |n| n,
            |n, out| {
                out.push((n + 1, 0.5));
                if n > 0 {
                    out.push((n - 1, 1.0));
                }
            },
        )
        .unwrap();
        for (n, mass) in law.iter().take(20) {
            assert!((mass / 0.5f64.powi(*n as i32 + 1) - 1.0).abs() < 1e-12, "{n}: {mass}");
        }
    }
}
