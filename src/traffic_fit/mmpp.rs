//! The Markov-modulated Poisson process of two states with a mean rate of 1, by maximum likelihood.
//!
//! The likelihood of the times between requests is that of the forward recursion over v·exp((Q − R)x)·R (Fischer and
//! Meier-Hellstern, *The Markov-modulated Poisson process (MMPP) cookbook*, Performance Evaluation 18, 1993; Rydén, *Parameter
//! estimation for Markov modulated Poisson processes*, Stochastic Models 10, 1994); its maximum is sought by the simplex of Nelder
//! and Mead (The Computer Journal 7, 1965) from several starts.

use crate::sorting::Sorting as _;

/// Rates of the two states, the higher first, and rates of leaving them; in units in which the mean rate is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TwoStates {
    pub rates: [f64; 2],
    pub leaving: [f64; 2],
}

/// Gaps that are used to find the maximum, in blocks over the whole recording.
const BLOCK: usize = 5_000;
const BLOCKS: usize = 8;

impl TwoStates {
    /// From three free numbers: the share of time in the higher state, the ratio of the rates, how fast states change.
    fn of([share, ratio, speed]: [f64; 3]) -> TwoStates {
        let share = 1.0 / (1.0 + (-share.clamp(-12.0, 12.0)).exp());
        let ratio = 1.0 + ratio.clamp(-8.0, 12.0).exp();
        let speed = speed.clamp(-20.0, 8.0).exp();
        let low = 1.0 / (share * ratio + 1.0 - share);
        TwoStates { rates: [ratio * low, low], leaving: [(1.0 - share) * speed, share * speed] }
    }

    /// Log-likelihood of consecutive times between requests, the first of which begins with a request.
    pub(super) fn likelihood(&self, gaps: &[f64]) -> f64 {
        let ([r1, r2], [q1, q2]) = (self.rates, self.leaving);
        let (a, d) = (-q1 - r1, -q2 - r2);
        let (middle, half) = ((a + d) / 2.0, (a - d) / 2.0);
        let apart = (half * half + q1 * q2).sqrt().max(1e-12);
        // As a request finds them: by time and by rate.
        let first = q2 * r1 / (q2 * r1 + q1 * r2).max(f64::MIN_POSITIVE);
        let (mut one, mut two) = (first, 1.0 - first);
        let mut total = 0.0;
        for gap in gaps {
            let (slow, fast) = (((middle + apart) * gap).exp(), ((middle - apart) * gap).exp());
            let (even, odd) = ((slow + fast) / 2.0, (slow - fast) / (2.0 * apart));
            let next_one = (one * (even + odd * half) + two * odd * q2) * r1;
            let next_two = (one * odd * q1 + two * (even - odd * half)) * r2;
            let sum = next_one + next_two;
            if sum <= 0.0 || !sum.is_finite() {
                return f64::NEG_INFINITY;
            }
            total += sum.ln();
            (one, two) = (next_one / sum, next_two / sum);
        }
        total
    }
}

/// The process that fits the gaps best, and its log-likelihood over all of them.
pub(super) fn fit(gaps: &[f64]) -> (TwoStates, f64) {
    let blocks: Vec<&[f64]> = match gaps.len() <= BLOCK * BLOCKS {
        true => vec![gaps],
        false => {
            let step = (gaps.len() - BLOCK) / (BLOCKS - 1);
            (0..BLOCKS).map(|block| &gaps[block * step..block * step + BLOCK]).collect()
        }
    };
    let cost = |at: [f64; 3]| {
        let states = TwoStates::of(at);
        -blocks.iter().map(|block| states.likelihood(block)).sum::<f64>()
    };
    // Stays of about 10, 100 and 1000 requests.
    let starts = [[-1.0, 0.7, -2.3], [-1.0, 0.7, -4.6], [-1.0, 0.7, -6.9]];
    let found = starts.map(|start| simplex(cost, start));
    let best = found.into_iter().fold(None, |best: Option<([f64; 3], f64)>, one| match best {
        Some(best) if best.1 <= one.1 => Some(best),
        _ => Some(one),
    });
    let states = TwoStates::of(best.map_or(starts[0], |(at, _)| at));
    (states, states.likelihood(gaps))
}

/// A minimum of `cost` by the simplex of Nelder and Mead.
fn simplex(cost: impl Fn([f64; 3]) -> f64, start: [f64; 3]) -> ([f64; 3], f64) {
    const STEPS: usize = 150;
    let mut corners: Vec<([f64; 3], f64)> = vec![(start, cost(start))];
    for axis in 0..3 {
        let mut at = start;
        at[axis] += 1.0;
        corners.push((at, cost(at)));
    }
    let along = |from: [f64; 3], to: [f64; 3], by: f64| {
        let mut at = from;
        at.iter_mut().zip(to).for_each(|(from, to)| *from += by * (to - *from));
        at
    };
    for _ in 0..STEPS {
        corners.sort_once_by(|one, other| one.1.total_cmp(&other.1));
        if (corners[3].1 - corners[0].1).abs() < 1e-7 * corners[0].1.abs().max(1.0) {
            break;
        }
        let mut middle = [0.0; 3];
        for (at, _) in &corners[..3] {
            middle.iter_mut().zip(at).for_each(|(sum, value)| *sum += value / 3.0);
        }
        let worst = corners[3].0;
        let of = |by: f64| {
            let at = along(middle, worst, by);
            (at, cost(at))
        };
        let reflected = of(-1.0);
        let next = match () {
            () if reflected.1 < corners[0].1 => {
                let further = of(-2.0);
                if further.1 < reflected.1 { further } else { reflected }
            }
            () if reflected.1 < corners[2].1 => reflected,
            () => {
                let nearer = if reflected.1 < corners[3].1 { of(-0.5) } else { of(0.5) };
                if nearer.1 < corners[3].1.min(reflected.1) {
                    nearer
                } else {
                    let best = corners[0].0;
                    for corner in &mut corners[1..] {
                        corner.0 = along(corner.0, best, 0.5);
                        corner.1 = cost(corner.0);
                    }
                    continue;
                }
            }
        };
        corners[3] = next;
    }
    corners.sort_once_by(|one, other| one.1.total_cmp(&other.1));
    corners[0]
}
