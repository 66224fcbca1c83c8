//! A periodic proportional autoscaler over M/M/c, exactly: the pool is set every period, and constant in between.
use super::{Error, MAX_SERVERS, poisson, positive};

/// A pool resized every `period` to `ceil(jobs / target)` instances, within its limits, one job on each at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proportional {
    /// Arrival rate.
    pub lam: f64,
    /// Service rate of an instance.
    pub mu: f64,
    /// Target: jobs in the system per instance.
    pub target: f64,
    /// Time between two resizings, each by the number of jobs at its instant.
    pub period: f64,
    /// Minimum instances.
    pub min: usize,
    /// Maximum instances.
    pub max: usize,
    /// Whether an instance takes one period to start, rather than no time; instances are removed at once.
    pub slow_start: bool,
}

/// Long-run averages of a [`Proportional`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averages {
    /// Mean number of jobs in the system.
    pub mean_jobs: f64,
    /// Mean sojourn.
    pub mean_sojourn: f64,
    /// Mean number of busy instances.
    pub busy: f64,
    /// Mean number of instances that serve, busy or idle.
    pub active: f64,
    /// Mean number of instances starting.
    pub pending: f64,
    /// The probability that an arrival waits.
    pub wait_probability: f64,
}

/// Maximum multiplications spent on the transition matrices.
const MAX_WORK: f64 = 6e9;
/// Maximum probability at the boundary.
const EDGE_MASS: f64 = 1e-12;

impl Proportional {
    /// Solves the chain embedded at the resizings by power iteration, with the exact transient law of M/M/c in between
    /// by uniformization (Jensen 1953), and integrates that law over a period for the averages.
    ///
    /// # Errors
    /// Parameters out of range, an unstable system, or one too large to solve.
    pub fn averages(&self) -> Result<Averages, Error> {
        positive(&[self.lam, self.mu, self.target, self.period, self.min as f64])?;
        if self.min > self.max || self.max > MAX_SERVERS {
            return Err(Error::OutOfRange);
        }
        if self.lam >= self.mu * self.max as f64 {
            return Err(Error::Unstable);
        }
        let mut levels = 4 * self.max + 32;
        loop {
            let (averages, edge) = self.truncated(levels)?;
            if edge < EDGE_MASS {
                return Ok(averages);
            }
            levels *= 2;
        }
    }

    fn wanted(&self, jobs: usize) -> usize {
        ((jobs as f64 / self.target).ceil() as usize).clamp(self.min, self.max)
    }

    /// The instances that serve during the period after a resizing that finds `jobs`, when the one before asked for
    /// `before`.
    fn active(&self, jobs: usize, before: usize) -> usize {
        let wanted = self.wanted(jobs);
        if self.slow_start { wanted.min(before) } else { wanted }
    }

    /// With at most `levels` jobs: the averages, and the probability of that many.
    fn truncated(&self, levels: usize) -> Result<(Averages, f64), Error> {
        let steps = (self.lam + self.mu * self.max as f64) * self.period;
        let pools = self.max - self.min + 1;
        let work = (steps + 12.0 * steps.sqrt() + 40.0) * 3.0 * ((levels + 1) * (levels + 1) * pools) as f64;
        if work > MAX_WORK {
            return Err(Error::TooLarge);
        }
        let kernels: Vec<Kernel> = (self.min..=self.max)
            .map(|pool| Kernel::new(self.lam, self.mu, pool, levels, self.period))
            .collect();
        let matrices: Vec<Vec<Vec<f64>>> = kernels.iter().map(Kernel::matrix).collect();
        let law = self.embedded(&matrices, levels)?;
        let mut found = Averages {
            mean_jobs: 0.0,
            mean_sojourn: 0.0,
            busy: 0.0,
            active: 0.0,
            pending: 0.0,
            wait_probability: 0.0,
        };
        let mut edge = 0.0;
        let mut starts = vec![vec![0.0; levels + 1]; pools];
        for (at, mass) in law.iter().enumerate() {
            let (jobs, before) = (at / pools, at % pools + self.min);
            let active = self.active(jobs, before);
            starts[active - self.min][jobs] += mass;
            found.active += mass * active as f64;
            if self.slow_start {
                found.pending += mass * self.wanted(jobs).saturating_sub(before) as f64;
            }
        }
        for ((start, kernel), pool) in starts.iter().zip(&kernels).zip(self.min..) {
            for (jobs, mass) in kernel.average(start).iter().enumerate() {
                found.mean_jobs += mass * jobs as f64;
                found.busy += mass * jobs.min(pool) as f64;
                found.wait_probability += if jobs >= pool { *mass } else { 0.0 };
                edge += if jobs == levels { *mass } else { 0.0 };
            }
        }
        found.mean_sojourn = found.mean_jobs / self.lam;
        Ok((found, edge))
    }

    /// The stationary law at the resizings, over (jobs, instances asked for before).
    fn embedded(&self, matrices: &[Vec<Vec<f64>>], levels: usize) -> Result<Vec<f64>, Error> {
        let pools = matrices.len();
        let mut law = vec![0.0; (levels + 1) * pools];
        law[0] = 1.0;
        for _ in 0..100_000 {
            let mut next = vec![0.0; law.len()];
            for jobs in 0..=levels {
                let asked = self.wanted(jobs) - self.min;
                let mut by_active = vec![0.0; pools];
                for before in 0..pools {
                    by_active[self.active(jobs, before + self.min) - self.min] += law[jobs * pools + before];
                }
                for (active, mass) in by_active.iter().enumerate().filter(|(_, mass)| **mass > 1e-25) {
                    for (then, share) in matrices[active][jobs].iter().enumerate() {
                        next[then * pools + asked] += mass * share;
                    }
                }
            }
            let total: f64 = next.iter().sum();
            next.iter_mut().for_each(|mass| *mass /= total);
            let moved: f64 = next.iter().zip(&law).map(|(new, old)| (new - old).abs()).sum();
            law = next;
            if moved < 1e-14 {
                return Ok(law);
            }
        }
        Err(Error::TooLarge)
    }
}

/// M/M/c with a maximum number of jobs, as a discrete chain at the jumps of a Poisson process.
struct Kernel {
    up: f64,
    down: Vec<f64>,
    /// Probabilities of 0, 1, … jumps in a period.
    jumps: Vec<f64>,
    mean_jumps: f64,
}

impl Kernel {
    fn new(lam: f64, mu: f64, pool: usize, levels: usize, period: f64) -> Kernel {
        let rate = lam + mu * pool as f64;
        let down = (0..=levels).map(|jobs| mu * jobs.min(pool) as f64 / rate).collect();
        Kernel { up: lam / rate, down, jumps: poisson(rate * period), mean_jumps: rate * period }
    }

    fn step(&self, law: &[f64], next: &mut [f64]) {
        let top = law.len() - 1;
        for (jobs, slot) in next.iter_mut().enumerate() {
            let up = if jobs < top { self.up } else { 0.0 };
            let mut mass = law[jobs] * (1.0 - up - self.down[jobs]);
            if jobs > 0 {
                mass += law[jobs - 1] * self.up;
            }
            if jobs < top {
                mass += law[jobs + 1] * self.down[jobs + 1];
            }
            *slot = mass;
        }
    }

    /// The sum, over the number of jumps, of the law after that many jumps times its weight.
    fn weighted(&self, start: &[f64], weights: impl Iterator<Item = f64>) -> Vec<f64> {
        let (mut law, mut next) = (start.to_vec(), vec![0.0; start.len()]);
        let mut sum = vec![0.0; start.len()];
        for weight in weights {
            sum.iter_mut().zip(&law).for_each(|(total, mass)| *total += weight * mass);
            self.step(&law, &mut next);
            std::mem::swap(&mut law, &mut next);
        }
        sum
    }

    /// The law after a period, from each number of jobs.
    fn matrix(&self) -> Vec<Vec<f64>> {
        let levels = self.down.len();
        let from = |jobs: usize| {
            let mut start = vec![0.0; levels];
            start[jobs] = 1.0;
            self.weighted(&start, self.jumps.iter().copied())
        };
        (0..levels).map(from).collect()
    }

    /// The law averaged over a period: the weight of j jumps is P(more than j in a period) over their mean.
    fn average(&self, start: &[f64]) -> Vec<f64> {
        let mut beyond = vec![0.0; self.jumps.len()];
        for jumps in (1..self.jumps.len()).rev() {
            beyond[jumps - 1] = beyond[jumps] + self.jumps[jumps];
        }
        self.weighted(start, beyond.into_iter().map(|tail| tail / self.mean_jumps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::markovian::Mmc;

    const POOL: Proportional =
        Proportional { lam: 2.0, mu: 1.0, target: 0.7, period: 5.0, min: 3, max: 3, slow_start: true };

    #[test]
    fn a_pool_that_cannot_be_resized_is_a_common_queue() {
        let found = POOL.averages().unwrap();
        let exact = Mmc::new(2.0, 1.0, 3).unwrap();
        assert!((found.mean_jobs / exact.mean_jobs() - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.wait_probability / exact.wait_probability - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.active - 3.0).abs() < 1e-9 && found.pending == 0.0, "{found:?}");
    }

    #[test]
    fn what_is_out_of_range_or_too_large_is_refused() {
        assert_eq!(Proportional { lam: 3.0, ..POOL }.averages(), Err(Error::Unstable));
        assert_eq!(Proportional { min: 0, ..POOL }.averages(), Err(Error::OutOfRange));
        assert_eq!(Proportional { min: 4, ..POOL }.averages(), Err(Error::OutOfRange));
        assert_eq!(Proportional { period: 1e12, ..POOL }.averages(), Err(Error::TooLarge));
    }
}
