//! A server that takes all that waits, up to a maximum, as one batch, in a time that grows with its size.
use super::{Error, markov, poisson, positive};

/// M/D\[b\]/1 with batches: one of b takes `slope` b + `constant` (Inoue, "Queueing analysis of GPU-based inference servers
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
    /// Arrival rate, the two parts of a batch's time, and the most in one batch, if there is a most. From the chain of
    /// the number left behind by each batch: with n left, the next is of min(max(n, 1), most), and leaves the rest and
    /// a Poisson number behind.
    ///
    /// # Errors
    /// Parameters out of range, an unstable system, or one too large to solve.
    pub fn new(lam: f64, slope: f64, constant: f64, most: Option<usize>) -> Result<Self, Error> {
        positive(&[lam, slope, constant])?;
        let most = most.unwrap_or(usize::MAX);
        if most == 0 {
            return Err(Error::OutOfRange);
        }
        let per_request = slope + if most == usize::MAX { 0.0 } else { constant / most as f64 };
        if lam * per_request >= 1.0 {
            return Err(Error::Unstable);
        }
        let size = |left: usize| left.clamp(1, most);
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

/// The two closed-form upper bounds of the mean sojourn without a greatest batch, of which the lesser holds (Inoue 2021,
/// theorem 2).
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
