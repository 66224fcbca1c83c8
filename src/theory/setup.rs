//! Servers that take time to start: M/M/k/setup, with delayed off, M/M/∞/setup, M/G/1/setup, scale to zero.
use super::{Error, markov, positive, servers};

/// Steady-state means of a system whose servers start and stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elastic {
    /// Mean number of requests in the system.
    pub mean_jobs: f64,
    /// Mean sojourn.
    pub mean_sojourn: f64,
    /// Mean number of busy servers.
    pub busy: f64,
    /// Mean number of servers starting.
    pub starting: f64,
    /// Mean number of idle servers.
    pub idle: f64,
    /// The probability that no server is on or starting.
    pub all_off: f64,
    /// The probability that an arrival finds no idle server.
    pub wait_probability: f64,
}

/// M/M/k/setup and M/M/k/setup/delayedoff (Gandhi, Harchol-Balter and Adan 2010; Gandhi, Doroudi, Harchol-Balter and
/// Scheller-Wolf 2014): each waiting job keeps at most one server in
/// set-up (rate `alpha`, cancelled when surplus); an idle server switches off at rate `beta`, at once if `None`.
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn mmk_setup(lam: f64, mu: f64, k: usize, alpha: f64, beta: Option<f64>) -> Result<Elastic, Error> {
    positive(&[lam, mu, servers(k)?, alpha, beta.unwrap_or(1.0)])?;
    if lam >= mu * k as f64 {
        return Err(Error::Unstable);
    }
    let law = markov::truncated(
        (0usize, 0usize),
        4 * k,
        |(n, _)| n,
        |(n, on), out| {
            out.push(((n + 1, on), lam));
            out.push(((n, on + 1), alpha * n.min(k).saturating_sub(on) as f64));
            if n > 0 {
                let left = if beta.is_none() { on.min(n - 1) } else { on };
                out.push(((n - 1, left), mu * n.min(on) as f64));
            }
            if let (Some(rate), true) = (beta, on > n) {
                out.push(((n, on - 1), rate * (on - n) as f64));
            }
        },
    )?;
    let mean_jobs = markov::mean(&law, |(n, _)| n as f64);
    Ok(Elastic {
        mean_jobs,
        mean_sojourn: mean_jobs / lam,
        busy: markov::mean(&law, |(n, on)| n.min(on) as f64),
        starting: markov::mean(&law, |(n, on)| n.min(k).saturating_sub(on) as f64),
        idle: markov::mean(&law, |(n, on)| on.saturating_sub(n) as f64),
        all_off: markov::mean(&law, |(n, on)| f64::from(n == 0 && on == 0)),
        wait_probability: markov::mean(&law, |(n, on)| f64::from(on <= n)),
    })
}

/// M/M/∞/setup: busy is Poisson; P(j starting) is proportional to the product over l <= j of
/// lam/(lam + l alpha) (Gandhi, Harchol-Balter and Adan, "Server farms with setup costs", 2010).
///
/// # Errors
/// Parameters out of range, or starts too many to sum over.
pub fn infinite_setup(lam: f64, mu: f64, alpha: f64) -> Result<Elastic, Error> {
    positive(&[lam, mu, alpha])?;
    let (mut term, mut total, mut sum, mut j) = (1.0f64, 1.0, 0.0, 0.0f64);
    while term * (j + 1.0) > 1e-18 * total {
        j += 1.0;
        if j > markov::MAX_STATES as f64 {
            return Err(Error::TooLarge);
        }
        term *= lam / (lam + j * alpha);
        total += term;
        sum += j * term;
    }
    let (busy, starting) = (lam / mu, sum / total);
    Ok(Elastic {
        mean_jobs: busy + starting,
        mean_sojourn: (busy + starting) / lam,
        busy,
        starting,
        idle: 0.0,
        all_off: (-busy).exp() / total,
        wait_probability: 1.0,
    })
}

/// The delay that a set-up of moments `i1`, `i2` adds to M/G/1's mean sojourn when the server is off while empty
/// (Welch 1964): `(2 i1 + lam i2) / (2 (1 + lam i1))`.
///
/// # Errors
/// Parameters out of range.
pub fn welch_delay(lam: f64, i1: f64, i2: f64) -> Result<f64, Error> {
    positive(&[lam, i1, i2])?;
    Ok((2.0 * i1 + lam * i2) / (2.0 * (1.0 + lam * i1)))
}

/// The shares of time one server is off and starting, for mean set-up `i1` and mean service `m1` (M/G/1/setup, by
/// renewal: off for 1/lam and starting for `i1` in each cycle, and busy for a share `lam m1` of all time).
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn single_setup_shares(lam: f64, m1: f64, i1: f64) -> Result<[f64; 2], Error> {
    positive(&[lam, m1, i1])?;
    let not_busy = 1.0 - lam * m1;
    if not_busy <= 0.0 {
        return Err(Error::Unstable);
    }
    let off = not_busy / (1.0 + lam * i1);
    Ok([off, not_busy - off])
}

/// The probability that a request starts cold when one instance of unlimited concurrency is kept for `keep`
/// after its last request: M/G/∞ with service S + keep is empty, for every law of S.
///
/// # Errors
/// Parameters out of range.
pub fn cold_probability(lam: f64, service: f64, keep: f64) -> Result<f64, Error> {
    positive(&[lam, service])?;
    if !(keep >= 0.0 && keep.is_finite()) {
        return Err(Error::OutOfRange);
    }
    Ok((-lam * (service + keep)).exp())
}
