//! Processor sharing: all requests in service progress at once, at a speed that depends on their number.
use super::{Error, positive};

/// M/G/1 with processor sharing (Kleinrock 1967; insensitive to the distribution of service).
#[derive(Clone, Copy, Debug)]
pub struct Mg1Ps {
    lam: f64,
    service: f64,
}

impl Mg1Ps {
    /// Arrival rate and mean service time.
    ///
    /// # Errors
    /// Parameters out of range or an unstable system.
    pub fn new(lam: f64, service: f64) -> Result<Self, Error> {
        positive(&[lam, service])?;
        if lam * service >= 1.0 { Err(Error::Unstable) } else { Ok(Self { lam, service }) }
    }
    /// The share of time the server is busy.
    pub fn utilisation(&self) -> f64 {
        self.lam * self.service
    }
    /// Slowdown: mean sojourn over mean service time, the same for every service distribution.
    pub fn slowdown(&self) -> f64 {
        1.0 / (1.0 - self.utilisation())
    }
    /// Mean sojourn.
    pub fn mean_sojourn(&self) -> f64 {
        self.service * self.slowdown()
    }
    /// Mean number in the system.
    pub fn mean_jobs(&self) -> f64 {
        self.lam * self.mean_sojourn()
    }
    /// Variance of the sojourn for exponential service (Coffman, Muntz and Trotter, "Waiting time distributions for
    /// processor-sharing systems", 1970).
    #[cfg(feature = "internals")]
    pub fn sojourn_variance(&self) -> f64 {
        let rho = self.utilisation();
        self.service.powi(2) * (2.0 + rho) / ((1.0 - rho).powi(2) * (2.0 - rho))
    }
}

/// Processor sharing at a speed that depends on the number in service, up to a maximum, with a queue for the others: a birth-death chain for exponential service, and for any while the limit does not bind (Cohen, "The
/// multiple phase service network with generalized processor sharing", 1979).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadDependent {
    /// Mean number in the system.
    pub mean_jobs: f64,
    /// Mean number in service.
    pub mean_active: f64,
    /// Mean sojourn.
    pub mean_sojourn: f64,
    /// Mean wait for service to begin.
    pub mean_wait: f64,
    /// The probability that a request waits.
    pub wait_probability: f64,
    /// The probability of an empty system.
    pub empty: f64,
}

impl LoadDependent {
    /// Arrival rate, and the completion rate by the number of requests in service − 1, up to their maximum.
    ///
    /// # Errors
    /// Rates out of range or an unstable system.
    pub fn new(lam: f64, rates: &[f64]) -> Result<Self, Error> {
        positive(&[lam])?;
        positive(rates)?;
        let Some(last) = rates.last() else { return Err(Error::OutOfRange) };
        let ratio = lam / last;
        if ratio >= 1.0 {
            return Err(Error::Unstable);
        }
        // Weights of 0, 1, … in the system, kept from overflowing by the greatest so far.
        let mut weights = vec![1.0];
        for rate in rates {
            let next = weights[weights.len() - 1] * lam / rate;
            if next > 1e200 {
                weights.iter_mut().for_each(|weight| *weight *= 1e-200);
                weights.push(next * 1e-200);
            } else {
                weights.push(next);
            }
        }
        let cap = rates.len() as f64;
        let full = weights.pop().unwrap_or(0.0);
        // From the cap on the weights are geometric.
        let (tail, queue) = (full / (1.0 - ratio), full * ratio / (1.0 - ratio).powi(2));
        let total = weights.iter().sum::<f64>() + tail;
        let below: f64 = weights.iter().enumerate().map(|(n, weight)| n as f64 * weight).sum();
        let (mean_active, mean_queue) = ((below + cap * tail) / total, queue / total);
        Ok(Self {
            mean_jobs: mean_active + mean_queue,
            mean_active,
            mean_sojourn: (mean_active + mean_queue) / lam,
            mean_wait: mean_queue / lam,
            wait_probability: tail / total,
            empty: weights[0] / total,
        })
    }
}
