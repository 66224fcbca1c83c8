//! Closed systems: users who think, send a request, wait for its answer, and think again.
use super::{Error, positive, quantile_of_tail, servers};

/// The machine-repairman model M/M/c//N: N users who think for a mean time Z, and c servers with a common queue
/// (Feller, *An Introduction to Probability Theory*, vol. 1, XVII.7). The law of the number in the system is the same for
/// every distribution of the think time (Baskett, Chandy, Muntz and Palacios 1975), and with one server under processor
/// sharing it is the same for every distribution of the service too.
#[derive(Clone, Debug)]
pub struct Repairmen {
    think: f64,
    mu: f64,
    c: usize,
    /// Probability of n in the system, n from 0 to N.
    states: Vec<f64>,
    /// The same of N − 1 users, which is what a request finds when it is sent (Sevcik and Mitrani 1981).
    found: Vec<f64>,
}

impl Repairmen {
    /// `users` with a mean think time, and `c` servers of service rate `mu`.
    ///
    /// # Errors
    /// Parameters out of range.
    pub fn new(users: usize, think: f64, mu: f64, c: usize) -> Result<Self, Error> {
        positive(&[think, mu])?;
        servers(c)?;
        servers(users)?;
        let states = states(users, think * mu, c);
        Ok(Self { think, mu, c, states, found: self::states(users - 1, think * mu, c) })
    }
    fn users(&self) -> f64 {
        (self.states.len() - 1) as f64
    }
    fn mean(states: &[f64], of: impl Fn(f64) -> f64) -> f64 {
        states.iter().enumerate().map(|(n, p)| of(n as f64) * p).sum()
    }
    /// Requests answered per unit of time.
    pub fn throughput(&self) -> f64 {
        (self.users() - self.mean_jobs()) / self.think
    }
    /// Mean number in the system.
    pub fn mean_jobs(&self) -> f64 {
        Self::mean(&self.states, |n| n)
    }
    /// Mean time in the system: the interactive response-time law, R = N/X − Z.
    pub fn mean_sojourn(&self) -> f64 {
        self.users() / self.throughput() - self.think
    }
    /// Mean wait.
    #[cfg(feature = "internals")]
    pub fn mean_wait(&self) -> f64 {
        self.mean_sojourn() - 1.0 / self.mu
    }
    /// The share of the servers' time that is busy.
    pub fn utilisation(&self) -> f64 {
        Self::mean(&self.states, |n| n.min(self.c as f64)) / self.c as f64
    }
    /// The probability that a request waits.
    pub fn wait_probability(&self) -> f64 {
        self.found.iter().skip(self.c).sum()
    }
    /// P(wait > t): who finds n in the system waits for n − c + 1 departures at rate c mu.
    pub fn wait_tail(&self, t: f64) -> f64 {
        let mean = self.c as f64 * self.mu * t;
        // P(Erlang of k stages > t), stage by stage.
        let (mut term, mut tail, mut total) = ((-mean).exp(), 0.0, 0.0);
        for (ahead, p) in self.found.iter().skip(self.c).enumerate() {
            tail += term;
            term *= mean / (ahead + 1) as f64;
            total += p * tail;
        }
        total
    }
    /// Quantile `p` of the wait.
    pub fn wait_quantile(&self, p: f64) -> Option<f64> {
        quantile_of_tail(p, |t| self.wait_tail(t))
    }
}

/// Probabilities of 0 to `users` in the system; `ratio` is mean think time over mean service time.
fn states(users: usize, ratio: f64, c: usize) -> Vec<f64> {
    let mut weights = vec![1.0_f64];
    for n in 0..users {
        let next = weights[n] * (users - n) as f64 / (ratio * (n + 1).min(c) as f64);
        weights.push(next);
        if next > 1e200 {
            weights.iter_mut().for_each(|weight| *weight *= 1e-200);
        }
    }
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn one_user_never_waits() {
        let one = Repairmen::new(1, 4.0, 1.0, 1).unwrap();
        assert!(near(one.throughput(), 0.2) && near(one.mean_sojourn(), 1.0) && near(one.mean_wait(), 0.0));
        assert_eq!(one.wait_quantile(0.99), Some(0.0));
    }

    /// Ten users, a think time of 5, one server of rate 1: Erlang's loss formula B(N, Z) is the probability that none is in
    /// the system, so X = 1 − B.
    #[test]
    fn one_server_is_empty_as_often_as_erlangs_trunks_are_full() {
        let exact = Repairmen::new(10, 5.0, 1.0, 1).unwrap();
        let blocking = crate::theory::markovian::erlang_b(5.0, 10).unwrap();
        assert!(near(exact.throughput(), 1.0 - blocking), "{}", exact.throughput());
        assert!(near(exact.mean_jobs(), exact.throughput() * exact.mean_sojourn()));
    }

    /// With as many servers as users nobody waits; the number in the system is binomial.
    #[test]
    fn as_many_servers_as_users_never_make_one_wait() {
        let exact = Repairmen::new(7, 3.0, 1.0, 7).unwrap();
        assert!(near(exact.mean_wait(), 0.0) && near(exact.mean_jobs(), 7.0 / 4.0));
        assert!(near(exact.wait_probability(), 0.0));
    }

    #[test]
    fn the_tail_of_the_wait_sums_to_its_mean() {
        let exact = Repairmen::new(12, 4.0, 1.0, 2).unwrap();
        assert!(near(exact.wait_tail(0.0), exact.wait_probability()));
        let step = 1e-3;
        let sum: f64 = (0..80_000).map(|k| exact.wait_tail((f64::from(k) + 0.5) * step) * step).sum();
        assert!((sum - exact.mean_wait()).abs() < 1e-6, "{sum} for {}", exact.mean_wait());
    }
}
