//! Many servers, memoryless or phase-type: M/M/c, M/M/c/K, Erlang B, M/G/∞, M/H2/c, M/E2/c, M/D/c, MMPP(2)/M/c.
use super::{Error, MAX_SERVERS, markov, poisson, positive, quantile_of_tail, servers};

/// Erlang's loss probability for offered load `a` and `c` servers (Erlang 1917; the stable recursion
/// B(k) = aB(k-1)/(k + aB(k-1))). Holds for every service distribution.
///
/// # Errors
/// [`Error::OutOfRange`] unless the load is finite and positive and there are 1 to [`super::MAX_SERVERS`] servers.
pub fn erlang_b(a: f64, c: usize) -> Result<f64, Error> {
    positive(&[a])?;
    servers(c)?;
    Ok((1..=c).fold(1.0, |b, k| a * b / (k as f64 + a * b)))
}

/// M/M/c with a common queue (Erlang 1917); `c = 1` is M/M/1.
#[derive(Clone, Copy, Debug)]
pub struct Mmc {
    lam: f64,
    mu: f64,
    c: f64,
    /// The probability that a request waits (Erlang C).
    pub wait_probability: f64,
}

impl Mmc {
    /// Arrival rate `lam`, service rate `mu` of each of `c` servers.
    ///
    /// # Errors
    /// Rates out of range, no server, or `lam >= c mu`.
    pub fn new(lam: f64, mu: f64, c: usize) -> Result<Self, Error> {
        positive(&[lam, mu])?;
        let servers = servers(c)?;
        let rho = lam / (servers * mu);
        if rho >= 1.0 {
            return Err(Error::Unstable);
        }
        let b = erlang_b(lam / mu, c)?;
        Ok(Self { lam, mu, c: servers, wait_probability: b / (1.0 - rho * (1.0 - b)) })
    }
    fn spare(&self) -> f64 {
        self.c * self.mu - self.lam
    }
    /// The share of each server's time that is busy.
    #[cfg(feature = "internals")]
    pub fn utilisation(&self) -> f64 {
        self.lam / (self.c * self.mu)
    }
    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        self.wait_probability / self.spare()
    }
    /// Mean time in the system.
    pub fn mean_sojourn(&self) -> f64 {
        self.mean_wait() + 1.0 / self.mu
    }
    /// Mean number waiting.
    #[cfg(feature = "internals")]
    pub fn mean_queue(&self) -> f64 {
        self.lam * self.mean_wait()
    }
    /// Variance of the time in the system: of the wait, which is zero or exponential, and of the service.
    #[cfg(feature = "internals")]
    pub fn sojourn_variance(&self) -> f64 {
        let wait = self.wait_probability;
        wait * (2.0 - wait) / self.spare().powi(2) + self.mu.powi(-2)
    }
    /// The probability that the system is empty.
    #[cfg(feature = "internals")]
    pub fn empty(&self) -> f64 {
        // P(n)/P(c) downwards from n = c, and P(c) (1/(1 - rho)) = P(wait).
        let mut term = self.wait_probability * (1.0 - self.utilisation());
        for n in (1..=self.c as usize).rev() {
            term *= n as f64 * self.mu / self.lam;
        }
        term
    }
    /// Mean number in the system.
    pub fn mean_jobs(&self) -> f64 {
        self.lam * self.mean_sojourn()
    }
    /// P(wait > t).
    #[cfg(feature = "internals")]
    pub fn wait_tail(&self, t: f64) -> f64 {
        self.wait_probability * (-self.spare() * t).exp()
    }
    /// P(sojourn > t), the mixture of a service time alone and of an independent wait plus a service time.
    pub fn sojourn_tail(&self, t: f64) -> f64 {
        let (theta, mu) = (self.spare(), self.mu);
        // (1 - e^-gap)/gap, whole where the two rates meet; the slower rate outside so that nothing overflows.
        let gap = (theta - mu).abs() * t;
        let ratio = if gap < 1e-12 { 1.0 } else { -(-gap).exp_m1() / gap };
        (-mu * t).exp() + self.wait_probability * mu * t * (-mu.min(theta) * t).exp() * ratio
    }
    /// The wait's quantile; `None` unless `0 <= p < 1`.
    #[cfg(feature = "internals")]
    pub fn wait_quantile(&self, p: f64) -> Option<f64> {
        (0.0..1.0).contains(&p).then(|| ((self.wait_probability / (1.0 - p)).ln() / self.spare()).max(0.0))
    }
    /// The sojourn's quantile; `None` unless `0 <= p < 1`.
    pub fn sojourn_quantile(&self, p: f64) -> Option<f64> {
        quantile_of_tail(p, |t| self.sojourn_tail(t))
    }
}

/// Waits that are Erlang: `seen[j]` is the probability that an arrival finds `j + 1` departures to wait for.
fn erlang_wait_tail(seen: &[f64], rate: f64, t: f64) -> f64 {
    let counts = poisson(rate * t);
    let mut cumulative = 0.0;
    let mut total = 0.0;
    for (j, mass) in seen.iter().enumerate() {
        cumulative += counts.get(j).copied().unwrap_or(0.0);
        total += mass * cumulative;
    }
    total
}

/// M/M/c/K: at most `k` requests in the system, the rest lost (birth and death).
#[derive(Clone, Debug)]
pub struct Mmck {
    lam: f64,
    mu: f64,
    c: usize,
    law: Vec<f64>,
}

impl Mmck {
    /// # Errors
    /// Rates out of range, no server, or `k < c`.
    pub fn new(lam: f64, mu: f64, c: usize, k: usize) -> Result<Self, Error> {
        positive(&[lam, mu, servers(c)?])?;
        if k < c || k > MAX_SERVERS {
            return Err(Error::OutOfRange);
        }
        let mut law = vec![1.0f64];
        for n in 1..=k {
            let mass = law[n - 1] * lam / (mu * n.min(c) as f64);
            law.push(mass);
            if mass > 1e250 {
                law.iter_mut().for_each(|mass| *mass *= 1e-250);
            }
        }
        let total: f64 = law.iter().sum();
        law.iter_mut().for_each(|mass| *mass /= total);
        Ok(Self { lam, mu, c, law })
    }
    /// The probability that an arrival is lost.
    pub fn blocking(&self) -> f64 {
        self.law.last().copied().unwrap_or(1.0)
    }
    /// Accepted requests per unit of time.
    pub fn throughput(&self) -> f64 {
        self.lam * self.law[..self.law.len() - 1].iter().sum::<f64>()
    }
    /// Mean number in the system.
    pub fn mean_jobs(&self) -> f64 {
        self.law.iter().enumerate().map(|(n, mass)| n as f64 * mass).sum()
    }
    /// Mean number waiting.
    pub fn mean_queue(&self) -> f64 {
        self.law.iter().enumerate().skip(self.c).map(|(n, mass)| (n - self.c) as f64 * mass).sum()
    }
    /// Mean wait of the accepted.
    pub fn mean_wait(&self) -> f64 {
        self.mean_queue() / self.throughput()
    }
    /// Mean sojourn of the accepted.
    #[cfg(feature = "internals")]
    pub fn mean_sojourn(&self) -> f64 {
        self.mean_jobs() / self.throughput()
    }
    fn seen(&self) -> Vec<f64> {
        let accepted = &self.law[..self.law.len() - 1];
        let total: f64 = accepted.iter().sum();
        accepted.iter().skip(self.c).map(|mass| mass / total).collect()
    }
    /// The probability that an accepted request waits.
    #[cfg(feature = "internals")]
    pub fn wait_probability(&self) -> f64 {
        self.seen().iter().sum()
    }
    /// The wait's quantile among the accepted; `None` unless `0 <= p < 1`.
    pub fn wait_quantile(&self, p: f64) -> Option<f64> {
        let seen = self.seen();
        quantile_of_tail(p, |t| erlang_wait_tail(&seen, self.c as f64 * self.mu, t))
    }
}

/// M/G/∞: the number in service is Poisson with mean `lam * service`, for every service distribution.
/// Gives the smallest n with P(N <= n) >= p.
///
/// # Errors
/// Parameters out of range, or `p` not in `[0, 1)`.
#[cfg(feature = "internals")]
pub fn infinite_server_quantile(lam: f64, service: f64, p: f64) -> Result<usize, Error> {
    positive(&[lam, service])?;
    if lam * service > MAX_SERVERS as f64 {
        return Err(Error::TooLarge);
    }
    if !(0.0..1.0).contains(&p) {
        return Err(Error::OutOfRange);
    }
    let mut cumulative = 0.0;
    let law = poisson(lam * service);
    Ok(law
        .iter()
        .position(|mass| {
            cumulative += mass;
            cumulative >= p
        })
        .unwrap_or(law.len()))
}

/// Steady-state means of a queue solved as a chain.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "internals"), expect(dead_code, reason = "some of them are for tests alone"))]
pub struct Queue {
    /// The probability that an arrival waits.
    pub wait_probability: f64,
    /// Mean number waiting.
    pub mean_queue: f64,
    /// Mean wait.
    pub mean_wait: f64,
    /// Mean sojourn.
    pub mean_sojourn: f64,
    /// Mean number in the system.
    pub mean_jobs: f64,
}

/// M/PH/c with two phases: a service starts in phase one with probability `first`, leaves phase `i` at
/// `rates[i]`, and passes from phase one to two with probability `onward`.
fn two_phases(lam: f64, c: usize, first: f64, rates: [f64; 2], onward: f64) -> Result<Queue, Error> {
    positive(&[lam, servers(c)?, rates[0], rates[1]])?;
    let service = first / rates[0] + (1.0 - first + first * onward) / rates[1];
    if lam * service >= c as f64 {
        return Err(Error::Unstable);
    }
    let law = markov::truncated(
        (0usize, 0usize),
        4 * c,
        |(n, _)| n,
        |(n, one), out| {
            let busy = n.min(c);
            if n < c {
                out.push(((n + 1, one + 1), lam * first));
                out.push(((n + 1, one), lam * (1.0 - first)));
            } else {
                out.push(((n + 1, one), lam));
            }
            let (of_one, of_two) = (one as f64 * rates[0], (busy - one) as f64 * rates[1]);
            if one > 0 {
                out.push(((n, one - 1), of_one * onward));
            }
            let mut depart = |left: usize, rate: f64| {
                if rate > 0.0 && n > c {
                    out.push(((n - 1, left + 1), rate * first));
                    out.push(((n - 1, left), rate * (1.0 - first)));
                } else if rate > 0.0 {
                    out.push(((n - 1, left), rate));
                }
            };
            depart(one.saturating_sub(1), of_one * (1.0 - onward));
            depart(one, of_two);
        },
    )?;
    let mean_queue = markov::mean(&law, |(n, _)| n.saturating_sub(c) as f64);
    let mean_jobs = markov::mean(&law, |(n, _)| n as f64);
    Ok(Queue {
        wait_probability: markov::mean(&law, |(n, _)| f64::from(n >= c)),
        mean_queue,
        mean_wait: mean_queue / lam,
        mean_sojourn: mean_jobs / lam,
        mean_jobs,
    })
}

/// M/H2/c: hyperexponential service, balanced means, of mean `service` and squared variation `cv2 > 1`.
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn mh2c(lam: f64, service: f64, cv2: f64, c: usize) -> Result<Queue, Error> {
    positive(&[service, cv2 - 1.0])?;
    let first = 0.5 * (1.0 + ((cv2 - 1.0) / (cv2 + 1.0)).sqrt());
    two_phases(lam, c, first, [2.0 * first / service, 2.0 * (1.0 - first) / service], 0.0)
}

/// M/E2/c: Erlang-2 service of mean `service`.
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn me2c(lam: f64, service: f64, c: usize) -> Result<Queue, Error> {
    positive(&[service])?;
    two_phases(lam, c, 1.0, [2.0 / service; 2], 1.0)
}

/// M/D/c (Crommelin 1932): N(t+D) = max(N(t) - c, 0) + Poisson(lam D).
#[derive(Clone, Debug)]
pub struct Mdc {
    lam: f64,
    service: f64,
    c: usize,
    law: Vec<f64>,
}

impl Mdc {
    /// # Errors
    /// Parameters out of range or an unstable system.
    pub fn new(lam: f64, service: f64, c: usize) -> Result<Self, Error> {
        positive(&[lam, service, servers(c)?])?;
        if lam * service >= c as f64 {
            return Err(Error::Unstable);
        }
        let arrivals = poisson(lam * service);
        if (c + arrivals.len()).saturating_pow(2) > markov::MAX_STATES {
            return Err(Error::TooLarge);
        }
        let law = markov::truncated(
            0usize,
            4 * (c + arrivals.len()),
            |n| n,
            |n, out| {
                let left = n.saturating_sub(c);
                out.extend(arrivals.iter().enumerate().map(|(k, mass)| (left + k, *mass)));
            },
        )?;
        Ok(Self { lam, service, c, law: law.into_iter().map(|(_, mass)| mass).collect() })
    }
    /// Mean number waiting.
    pub fn mean_queue(&self) -> f64 {
        self.law.iter().enumerate().skip(self.c).map(|(n, mass)| (n - self.c) as f64 * mass).sum()
    }
    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        self.mean_queue() / self.lam
    }
    /// Mean sojourn.
    #[cfg(feature = "internals")]
    pub fn mean_sojourn(&self) -> f64 {
        self.mean_wait() + self.service
    }
    /// The probability that an arrival waits.
    pub fn wait_probability(&self) -> f64 {
        self.law.iter().skip(self.c).sum()
    }
    /// P(wait > t) for t >= 0 (Franx 2001, "A simple solution for the M/D/c waiting time distribution": a sum of positive terms, unlike Crommelin's alternating series).
    pub fn wait_tail(&self, t: f64) -> f64 {
        let periods = (t / self.service).floor() + 1.0;
        let arrivals = poisson(self.lam * (periods * self.service - t).max(f64::MIN_POSITIVE));
        let most = (periods as usize).saturating_mul(self.c);
        let mut beyond = vec![0.0; self.law.len() + 1];
        for n in (0..self.law.len()).rev() {
            beyond[n] = beyond[n + 1] + self.law[n];
        }
        let over = |n: usize| beyond.get(n).copied().unwrap_or(0.0);
        arrivals
            .iter()
            .enumerate()
            .map(|(j, mass)| mass * if j < most { over(most.saturating_add(self.c) - j) } else { 1.0 })
            .sum()
    }
    /// The wait's quantile; `None` unless `0 <= p < 1`.
    pub fn wait_quantile(&self, p: f64) -> Option<f64> {
        quantile_of_tail(p, |t| self.wait_tail(t))
    }
}

/// MMPP(2)/M/c: Poisson arrivals at `lam[i]` in phase `i`, which is left at rate `leave[i]`.
/// Gives the means and the waits' 95 % and 99 % quantiles as arrivals see them.
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn mmpp2(lam: [f64; 2], leave: [f64; 2], mu: f64, c: usize) -> Result<(Queue, [Option<f64>; 2]), Error> {
    positive(&[leave[0], leave[1], mu, servers(c)?, lam[0] + lam[1]])?;
    if lam.iter().any(|rate| *rate < 0.0) {
        return Err(Error::OutOfRange);
    }
    let mean_rate = (lam[0] * leave[1] + lam[1] * leave[0]) / (leave[0] + leave[1]);
    if mean_rate >= mu * c as f64 {
        return Err(Error::Unstable);
    }
    let law = markov::truncated(
        (0usize, 0usize),
        4 * c,
        |(n, _)| n,
        |(n, phase), out| {
            out.push(((n + 1, phase), lam[phase]));
            out.push(((n, 1 - phase), leave[phase]));
            if n > 0 {
                out.push(((n - 1, phase), mu * n.min(c) as f64));
            }
        },
    )?;
    let mut seen = vec![0.0; law.last().map_or(0, |((n, _), _)| (n + 1).saturating_sub(c))];
    for ((n, phase), mass) in law.iter().filter(|((n, _), _)| *n >= c) {
        seen[n - c] += mass * lam[*phase] / mean_rate;
    }
    let mean_queue = markov::mean(&law, |(n, _)| n.saturating_sub(c) as f64);
    let mean_jobs = markov::mean(&law, |(n, _)| n as f64);
    let quantile = |p| quantile_of_tail(p, |t| erlang_wait_tail(&seen, mu * c as f64, t));
    let means = Queue {
        wait_probability: seen.iter().sum(),
        mean_queue,
        mean_wait: mean_queue / mean_rate,
        mean_sojourn: mean_jobs / mean_rate,
        mean_jobs,
    };
    Ok((means, [quantile(0.95), quantile(0.99)]))
}
