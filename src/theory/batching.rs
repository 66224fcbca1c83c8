//! A server that takes all waiting requests, up to a maximum, as one batch; its time grows with the batch size.
use super::{Error, markov, poisson, positive};

/// M/D\[b\]/1: a batch of b requests takes `slope` b + `constant` (Inoue, "Queueing analysis of GPU-based inference servers
/// with dynamic batching: a closed-form characterization", 2021).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batching {
    /// Mean number in the system.
    pub mean_jobs: f64,
    /// Mean sojourn.
    pub mean_sojourn: f64,
    /// Mean size of a batch.
    pub mean_batch: f64,
    /// The share of time the server is busy.
    pub utilisation: f64,
}

impl Batching {
    /// Arrival rate, the two parts of a batch's time, and the maximum batch size, if there is one. Solved by the chain of
    /// the number waiting at the end of each batch: with n waiting, the next batch has min(max(n, 1), maximum) requests,
    /// and at its end the rest of the n and a Poisson number of arrivals wait.
    ///
    /// # Errors
    /// Parameters out of range, an unstable system, or one too large to solve.
    pub fn new(lam: f64, slope: f64, constant: f64, max_batch: Option<usize>) -> Result<Self, Error> {
        positive(&[lam, slope, constant])?;
        let max_batch = max_batch.unwrap_or(usize::MAX);
        if max_batch == 0 {
            return Err(Error::OutOfRange);
        }
        let per_request = slope + if max_batch == usize::MAX { 0.0 } else { constant / max_batch as f64 };
        if lam * per_request >= 1.0 {
            return Err(Error::Unstable);
        }
        let size = |left: usize| left.clamp(1, max_batch);
        let time = |left: usize| slope * size(left) as f64 + constant;
        let first = (2.0 * lam * constant / (1.0 - lam * per_request)) as usize + 64;
        if first > LARGEST {
            return Err(Error::TooLarge);
        }
        let law = markov::truncated(
            0,
            first,
            |left: usize| left,
            |left, next| {
                let rest = left.max(1) - size(left);
                let arrivals = poisson(lam * time(left));
                next.extend(arrivals.into_iter().enumerate().map(|(count, share)| (rest + count, share)));
            },
        )?;
        let sum = |of: &dyn Fn(usize) -> f64| law.iter().map(|(left, share)| share * of(*left)).sum::<f64>();
        let busy = sum(&time);
        let cycle = busy + sum(&|left| if left == 0 { 1.0 / lam } else { 0.0 });
        let jobs = sum(&|left| left.max(1) as f64 * time(left) + lam * time(left).powi(2) / 2.0) / cycle;
        Ok(Self {
            mean_jobs: jobs,
            mean_sojourn: jobs / lam,
            mean_batch: sum(&|left| size(left) as f64),
            utilisation: busy / cycle,
        })
    }
}

/// States of the chain up to which it is solved.
const LARGEST: usize = 4096;

/// The two closed-form upper bounds of the mean sojourn without a maximum batch size; both hold (Inoue 2021, theorem 2).
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn sojourn_bounds(lam: f64, slope: f64, constant: f64) -> Result<[f64; 2], Error> {
    positive(&[lam, slope, constant])?;
    let load = lam * slope;
    if load >= 1.0 {
        return Err(Error::Unstable);
    }
    let fixed = lam * constant;
    let phi0 = (slope + constant) / (2.0 * (1.0 - load)) * (1.0 + 2.0 * fixed + (1.0 - fixed) / (1.0 + load));
    let phi1 = 1.5 * constant / (1.0 - load) + slope / 2.0 * (load + 2.0) / (1.0 - load * load);
    Ok([phi0, phi1])
}
