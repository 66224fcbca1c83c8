//! Parallel queues: join the shortest of d sampled, finite and in the mean field.
use super::{Error, markov, positive};

/// Mean sojourn of power-of-d with infinitely many servers of rate 1, load `rho` (Vvedenskaya, Dobrushin and
/// Karpelevich 1996; Mitzenmacher 1996): the sum over i >= 1 of rho^((d^i - d)/(d - 1)).
///
/// # Errors
/// Parameters out of range or `rho >= 1`.
pub fn mean_field_sojourn(rho: f64, d: usize) -> Result<f64, Error> {
    positive(&[rho, d as f64])?;
    if rho >= 1.0 {
        return Err(Error::Unstable);
    }
    if d == 1 {
        return Ok(1.0 / (1.0 - rho));
    }
    let (mut total, mut exponent) = (0.0, 0.0);
    loop {
        let term = rho.powf(exponent);
        total += term;
        if term < 1e-18 {
            return Ok(total);
        }
        exponent = (exponent + 1.0) * d as f64;
    }
}

/// The share of servers with at least `length` requests under power-of-d with infinitely many servers of rate 1
/// (Mitzenmacher 1996): rho^((d^length - 1)/(d - 1)).
///
/// # Errors
/// Parameters out of range or `rho >= 1`.
#[cfg(feature = "internals")]
pub fn mean_field_tail(rho: f64, d: usize, length: u32) -> Result<f64, Error> {
    positive(&[rho, d as f64])?;
    if rho >= 1.0 {
        return Err(Error::Unstable);
    }
    Ok((0..length).fold(1.0, |tail, _| rho * f64::powf(tail, d as f64)))
}

/// Maximum number of servers of [`shortest_of`]; the size of its chain grows steeply with it.
pub const MAX_QUEUES: usize = 4;

/// Mean number in a system of `k` queues (rate `mu` each) where an arrival joins the shortest of `d` distinct
/// ones; `d = k` is join-shortest-queue. The chain of sorted lengths, with the gap between longest and
/// shortest bounded too; the bound is raised until its probability is negligible.
///
/// # Errors
/// Parameters out of range (`k` above [`MAX_QUEUES`] included), an unstable system, or a chain too large to solve.
pub fn shortest_of(lam: f64, mu: f64, k: usize, d: usize) -> Result<f64, Error> {
    positive(&[lam, mu, d as f64])?;
    if d > k || k > MAX_QUEUES || (d == 1 && k > 1) {
        return Err(Error::OutOfRange);
    }
    if lam >= mu * k as f64 {
        return Err(Error::Unstable);
    }
    let mut gap = if k <= 2 { 40 } else { 8 };
    loop {
        let (jobs, edge) = within_gap(lam, mu, k, d, gap)?;
        if edge < EDGE_MASS {
            return Ok(jobs);
        }
        gap += gap / 2;
    }
}

/// Maximum probability of the largest gap allowed between longest and shortest queue; the error of the mean is a few
/// times this.
const EDGE_MASS: f64 = 1e-9;

/// The mean number in the system with the gap kept within `gap`, and the probability of that gap.
fn within_gap(lam: f64, mu: f64, k: usize, d: usize, gap: usize) -> Result<(f64, f64), Error> {
    // Ascending lengths in the last k places; the total first, so that levels are in order.
    let start = (0usize, [0usize; MAX_QUEUES]);
    let ways = |n: usize| (0..d - 1).fold(1.0, |w, i| w * (n as f64 - i as f64) / (i + 1) as f64).max(0.0);
    let all = (0..d).fold(1.0, |w, i| w * (k - i) as f64 / (i + 1) as f64);
    let law = markov::truncated(
        start,
        64,
        |(total, _)| total,
        |(total, lengths), out| {
            for place in MAX_QUEUES - k..MAX_QUEUES {
                let mut more = lengths;
                more[place] += 1;
                more.sort_unstable();
                if more[MAX_QUEUES - 1] - more[MAX_QUEUES - k] <= gap {
                    out.push(((total + 1, more), lam * ways(MAX_QUEUES - 1 - place) / all));
                }
                if lengths[place] > 0 {
                    let mut less = lengths;
                    less[place] -= 1;
                    less[MAX_QUEUES - k..].sort_unstable();
                    if less[MAX_QUEUES - 1] - less[MAX_QUEUES - k] <= gap {
                        out.push(((total - 1, less), mu));
                    }
                }
            }
        },
    )?;
    let edge = |(_, lengths): (usize, [usize; MAX_QUEUES])| {
        f64::from(lengths[MAX_QUEUES - 1] - lengths[MAX_QUEUES - k] >= gap && k > 1)
    };
    Ok((markov::mean(&law, |(total, _)| total as f64), markov::mean(&law, edge)))
}
