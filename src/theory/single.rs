//! One server: M/G/1, GI/M/1, priorities; and the deterministic or infinite-server answers to a changing rate.
use super::{Error, positive};

/// M/G/1 (Pollaczek 1930, Khinchine 1932; the variance from Takács 1962).
#[derive(Clone, Copy, Debug)]
pub struct Mg1 {
    lam: f64,
    moments: [f64; 3],
}

impl Mg1 {
    /// Arrival rate and the first three moments of service.
    ///
    /// # Errors
    /// Parameters out of range or an unstable system.
    pub fn new(lam: f64, moments: [f64; 3]) -> Result<Self, Error> {
        positive(&[lam, moments[0], moments[1], moments[2]])?;
        if lam * moments[0] >= 1.0 { Err(Error::Unstable) } else { Ok(Self { lam, moments }) }
    }
    /// The share of time the server is busy, which is also the probability of waiting.
    pub fn utilisation(&self) -> f64 {
        self.lam * self.moments[0]
    }
    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        self.lam * self.moments[1] / (2.0 * (1.0 - self.utilisation()))
    }
    /// Mean sojourn.
    pub fn mean_sojourn(&self) -> f64 {
        self.mean_wait() + self.moments[0]
    }
    /// Mean number waiting.
    pub fn mean_queue(&self) -> f64 {
        self.lam * self.mean_wait()
    }
    /// Mean number in the system.
    #[cfg(feature = "internals")]
    pub fn mean_jobs(&self) -> f64 {
        self.lam * self.mean_sojourn()
    }
    /// Variance of the wait.
    #[cfg(feature = "internals")]
    pub fn wait_variance(&self) -> f64 {
        self.mean_wait().powi(2) + self.lam * self.moments[2] / (3.0 * (1.0 - self.utilisation()))
    }
}

/// Inter-arrival laws of [`GiM1`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interarrival {
    /// Constant.
    Deterministic,
    /// Gamma of this shape (1/cv²); a whole number is Erlang, and round robin over k servers is shape k.
    Gamma(f64),
}

/// GI/M/1 (Kendall 1953): sigma solves sigma = A*(mu (1 - sigma)).
#[derive(Clone, Copy, Debug)]
pub struct GiM1 {
    mu: f64,
    /// The probability that an arrival waits.
    pub sigma: f64,
}

impl GiM1 {
    /// # Errors
    /// Parameters out of range or an unstable system.
    pub fn new(lam: f64, mu: f64, interarrival: Interarrival) -> Result<Self, Error> {
        positive(&[lam, mu])?;
        if let Interarrival::Gamma(shape) = interarrival {
            positive(&[shape])?;
        }
        if lam >= mu {
            return Err(Error::Unstable);
        }
        let log_transform = |s: f64| match interarrival {
            Interarrival::Deterministic => -s / lam,
            Interarrival::Gamma(shape) => -shape * (s / (shape * lam)).ln_1p(),
        };
        // In x = 1 - sigma, so that heavy traffic keeps its digits: ln A*(mu x) - ln(1 - x) is negative below
        // the root and positive above it, by convexity of the transform.
        let (mut low, mut high) = (0.0f64, 1.0f64);
        for _ in 0..200 {
            let x = 0.5 * (low + high);
            if log_transform(mu * x) < (-x).ln_1p() { low = x } else { high = x }
        }
        Ok(Self { mu, sigma: 1.0 - 0.5 * (low + high) })
    }
    /// Mean sojourn.
    pub fn mean_sojourn(&self) -> f64 {
        1.0 / (self.mu * (1.0 - self.sigma))
    }
    /// Mean wait.
    #[cfg(feature = "internals")]
    pub fn mean_wait(&self) -> f64 {
        self.sigma * self.mean_sojourn()
    }
    /// The wait's quantile; `None` unless `0 <= p < 1`.
    #[cfg(feature = "internals")]
    pub fn wait_quantile(&self, p: f64) -> Option<f64> {
        (0.0..1.0).contains(&p).then(|| ((self.sigma / (1.0 - p)).ln() * self.mean_sojourn()).max(0.0))
    }
    /// The sojourn's quantile (it is exponential); `None` unless `0 <= p < 1`.
    pub fn sojourn_quantile(&self, p: f64) -> Option<f64> {
        (0.0..1.0).contains(&p).then(|| -(-p).ln_1p() * self.mean_sojourn())
    }
}

/// Mean waits of M/M/1 with non-preemptive priority, highest class first (Cobham 1954).
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn priority_waits(lam: &[f64], mu: f64) -> Result<Vec<f64>, Error> {
    positive(lam)?;
    positive(&[mu])?;
    let residual = lam.iter().sum::<f64>() / (mu * mu);
    if residual * mu >= 1.0 {
        return Err(Error::Unstable);
    }
    let mut above = 0.0;
    Ok(lam
        .iter()
        .map(|rate| {
            let upto = above + rate / mu;
            let wait = residual / ((1.0 - above) * (1.0 - upto));
            above = upto;
            wait
        })
        .collect())
}

/// M(t)/M/∞ under the rate mean + swing sin(2 pi t / period) (Eick, Massey and Whitt, "M(t)/G/∞ queues with
/// sinusoidal arrival rates", 1993).
#[derive(Clone, Copy, Debug)]
pub struct SineLoad {
    mean: f64,
    swing: f64,
    frequency: f64,
    service: f64,
}

impl SineLoad {
    /// # Errors
    /// Parameters out of range, or a swing above the mean rate.
    pub fn new(mean: f64, swing: f64, period: f64, service: f64) -> Result<Self, Error> {
        positive(&[mean, period, service])?;
        if !(0.0..=mean).contains(&swing) {
            return Err(Error::OutOfRange);
        }
        Ok(Self { mean, swing, frequency: std::f64::consts::TAU / period, service })
    }
    /// Mean number in service at time `t`; the number itself is Poisson.
    #[cfg(feature = "internals")]
    pub fn mean_at(&self, t: f64) -> f64 {
        let (angle, turn) = (self.frequency * t, self.frequency * self.service);
        let wave = (angle.sin() - turn * angle.cos()) / (1.0 + turn * turn);
        self.service * (self.mean + self.swing * wave)
    }
    /// Mean number in service, averaged from time `from` to a later `to`.
    pub fn mean_between(&self, from: f64, to: f64) -> f64 {
        let turn = self.frequency * self.service;
        let area = |t: f64| -(self.frequency * t).cos() - turn * (self.frequency * t).sin();
        let wave = (area(to) - area(from)) / (self.frequency * (to - from) * (1.0 + turn * turn));
        self.service * (self.mean + self.swing * wave)
    }
    /// The highest mean number in service.
    #[cfg(feature = "internals")]
    pub fn peak(&self) -> f64 {
        self.service * (self.mean + self.swing / (self.frequency * self.service).hypot(1.0))
    }
    /// The lowest mean number in service.
    #[cfg(feature = "internals")]
    pub fn trough(&self) -> f64 {
        2.0 * self.service * self.mean - self.peak()
    }
    /// How long the peak of the load lags the peak of the rate.
    #[cfg(feature = "internals")]
    pub fn lag(&self) -> f64 {
        (self.frequency * self.service).atan() / self.frequency
    }
}

/// The fluid answer to a step of the arrival rate: backlog while instances start, then drain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FluidStep {
    /// Highest backlog, in requests.
    pub peak_backlog: f64,
    /// Delay of the last request before the new instances serve.
    pub peak_delay: f64,
    /// The longest delay: of the request that the old capacity, left alone, would start as the new one arrives.
    pub longest_delay: f64,
    /// Time from capacity's arrival to an empty queue.
    pub drain_time: f64,
    /// The integral of the backlog.
    pub total_delay: f64,
    /// Requests that arrive while capacity is short or the backlog drains.
    pub delayed: f64,
}

/// Rate steps to `lam` with capacity `before`; capacity `after` serves from `cold` later.
///
/// # Errors
/// Parameters out of range, or `after <= lam`.
pub fn fluid_step(lam: f64, before: f64, after: f64, cold: f64) -> Result<FluidStep, Error> {
    positive(&[lam, before, after, cold])?;
    if after <= lam {
        return Err(Error::Unstable);
    }
    let peak_backlog = (lam - before).max(0.0) * cold;
    let drain_time = peak_backlog / (after - lam);
    let hold = if peak_backlog > 0.0 { cold + drain_time } else { 0.0 };
    let peak_delay = peak_backlog / after;
    Ok(FluidStep {
        peak_backlog,
        peak_delay,
        longest_delay: cold * (1.0 - before / lam).max(0.0),
        drain_time,
        total_delay: 0.5 * peak_backlog * hold,
        delayed: lam * hold,
    })
}
