//! Requests that give up: exponential patience (Erlang-A) and a deterministic time-out.
use super::{Error, markov, positive};

/// Steady state of a queue that is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impatient {
    /// The share of requests that give up.
    pub abandoned: f64,
    /// The probability that an arrival finds every server busy (for a time-out: is not served at once).
    pub wait_probability: f64,
    /// Mean wait over all requests, those that give up included.
    pub mean_wait: f64,
}

/// M/M/c+M (Palm 1957, "Erlang-A"): patience is exponential with rate `theta`.
///
/// # Errors
/// Parameters out of range, or a chain too large.
pub fn erlang_a(lam: f64, mu: f64, c: usize, theta: f64) -> Result<Impatient, Error> {
    positive(&[lam, mu, c as f64, theta])?;
    let law = markov::truncated(
        0usize,
        4 * c,
        |n| n,
        |n, out| {
            out.push((n + 1, lam));
            if n > 0 {
                out.push((n - 1, mu * n.min(c) as f64 + theta * n.saturating_sub(c) as f64));
            }
        },
    )?;
    let queue = markov::mean(&law, |n| n.saturating_sub(c) as f64);
    let wait_probability = markov::mean(&law, |n| f64::from(n >= c));
    Ok(Impatient { abandoned: theta * queue / lam, wait_probability, mean_wait: queue / lam })
}

/// M/M/c+D (Baccelli and Hebuterne 1981): a request leaves after waiting exactly `tau`. The offered wait has
/// density lam p(c-1) e^((lam - c mu) x) below `tau` and lam p(c-1) e^(lam tau - c mu x) beyond.
///
/// # Errors
/// Parameters out of range.
pub fn timeout(lam: f64, mu: f64, c: usize, tau: f64) -> Result<Impatient, Error> {
    positive(&[lam, mu, c as f64, tau])?;
    let capacity = c as f64 * mu;
    // Masses relative to p(c-1), by way of 1/p(c-1) = sum of p(n)/p(c-1), n < c.
    let (mut term, mut idle) = (1.0, 1.0);
    for n in (1..c).rev() {
        term *= n as f64 * mu / lam;
        idle += term;
    }
    let slope = lam - capacity;
    let growth = (slope * tau).exp();
    let near_zero = (slope * tau).abs() < 1e-5;
    let x = slope * tau;
    // Integrals of e^(slope x) and x e^(slope x) over [0, tau], by series where the slope vanishes.
    let (mass, first) = if near_zero {
        (tau * (1.0 + x / 2.0 + x * x / 6.0), tau * tau * (0.5 + x / 3.0 + x * x / 8.0))
    } else {
        (x.exp_m1() / slope, (tau * growth - x.exp_m1() / slope) / slope)
    };
    let beyond = growth / capacity;
    let total = idle + lam * (mass + beyond);
    let wait_below = lam * first / total;
    let abandoned = lam * beyond / total;
    let wait_probability = lam * (mass + beyond) / total;
    Ok(Impatient { abandoned, wait_probability, mean_wait: wait_below + tau * abandoned })
}
