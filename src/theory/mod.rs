//! Exact results of queueing theory: `verify` compares the simulator with them, and sizing policies use them.
//!
//! Rates are per unit of time, times in that same unit. Parameters out of range give an [`Error`], never a panic.
pub mod autoscaled;
pub mod balanced;
pub mod batching;
pub mod closed;
pub mod impatient;
pub mod markov;
pub mod markovian;
pub mod periodic;
pub mod setup;
pub mod sharing;
pub mod single;
pub mod unreliable;

/// Why a system has no exact value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A parameter is not finite, not positive, or otherwise outside the model.
    OutOfRange,
    /// Work arrives at least as fast as it can be served, so there is no steady state.
    Unstable,
    /// The truncated chain would need more states than [`markov::MAX_STATES`], or did not converge.
    TooLarge,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Error::OutOfRange => "a parameter is outside the model's range",
            Error::Unstable => "work arrives at least as fast as it can be served",
            Error::TooLarge => "the Markov chain of this system is too large to solve",
        })
    }
}

impl std::error::Error for Error {}

/// Maximum number of servers of any system here, so that a mistyped number does not exhaust memory.
pub const MAX_SERVERS: usize = 1_000_000;

/// The number of servers; refuses 0, and more than [`MAX_SERVERS`].
fn servers(count: usize) -> Result<f64, Error> {
    if (1..=MAX_SERVERS).contains(&count) { Ok(count as f64) } else { Err(Error::OutOfRange) }
}

/// Refuses parameters which are not finite and above zero.
fn positive(values: &[f64]) -> Result<(), Error> {
    if values.iter().all(|value| value.is_finite() && *value > 0.0) { Ok(()) } else { Err(Error::OutOfRange) }
}

/// The smallest `t >= 0` with `tail(t) <= 1 - p`, for a decreasing tail; `None` unless `0 <= p < 1`.
fn quantile_of_tail(p: f64, tail: impl Fn(f64) -> f64) -> Option<f64> {
    if !(0.0..1.0).contains(&p) {
        return None;
    }
    let target = 1.0 - p;
    if tail(0.0) <= target {
        return Some(0.0);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while tail(high) > target {
        low = high;
        high *= 2.0;
        if high > 1e15 {
            return None;
        }
    }
    while high - low > 4.0 * f64::EPSILON * high {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if tail(middle) > target { low = middle } else { high = middle }
    }
    Some(0.5 * (low + high))
}

/// Poisson probabilities 0, 1, … up to where the upper tail is below 1e-20, by recursion away from the mode. The
/// length grows with `mean`, so callers bound it.
fn poisson(mean: f64) -> Vec<f64> {
    let last = (mean + 12.0 * mean.sqrt() + 40.0) as usize;
    let mode = mean as usize;
    let mut weights = vec![0.0; last + 1];
    weights[mode] = 1.0;
    for n in mode..last {
        weights[n + 1] = weights[n] * mean / (n + 1) as f64;
    }
    for n in (0..mode).rev() {
        weights[n] = weights[n + 1] * (n + 1) as f64 / mean;
    }
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}
