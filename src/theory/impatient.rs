//! Requests that give up: exponential patience (Erlang-A) and a deterministic time-out.
use super::{Error, markov, positive, servers};

/// Steady state of a queue with impatient requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impatient {
    /// The share of requests that give up.
    pub abandoned: f64,
    /// The probability that an arrival finds every server busy (for a time-out: is not served at once).
    pub wait_probability: f64,
    /// Mean wait over all requests, those that give up included.
    pub mean_wait: f64,
    /// Mean number of busy servers.
    pub busy: f64,
}

/// M/M/c+M (Palm 1957, "Erlang-A"): patience is exponential with rate `theta`. The birth-death law by its recursion
/// up and down from `c`.
///
/// # Errors
/// Parameters out of range, or more states than can be summed over.
pub fn erlang_a(lam: f64, mu: f64, c: usize, theta: f64) -> Result<Impatient, Error> {
    let size = servers(c)?;
    positive(&[lam, mu, theta])?;
    // Masses relative to that of n = c: what they are of the states below, of those from c on, and of the queue.
    let (mut term, mut below, mut idle) = (1.0f64, 0.0f64, 0.0f64);
    for n in (1..=c).rev() {
        term *= n as f64 * mu / lam;
        below += term;
        idle += term * (c - n + 1) as f64;
    }
    let (mut term, mut above, mut queue, mut waiting) = (1.0f64, 1.0f64, 0.0f64, 0.0f64);
    loop {
        waiting += 1.0;
        let ratio = lam / (size * mu + waiting * theta);
        term *= ratio;
        above += term;
        queue += term * waiting;
        if ratio < 1.0 && term * waiting < 1e-18 * (1.0 - ratio) * (above + queue) {
            break;
        }
        if waiting > markov::MAX_STATES as f64 {
            return Err(Error::TooLarge);
        }
        if above + queue > 1e250 {
            for mass in [&mut term, &mut below, &mut idle, &mut above, &mut queue] {
                *mass *= 1e-250;
            }
        }
    }
    let total = below + above;
    if !total.is_finite() {
        // A load so small against so many servers that nobody ever waits, to the last digit there is.
        return Ok(Impatient { abandoned: 0.0, wait_probability: 0.0, mean_wait: 0.0, busy: lam / mu });
    }
    let queue = queue / total;
    Ok(Impatient {
        abandoned: theta * queue / lam,
        wait_probability: above / total,
        mean_wait: queue / lam,
        busy: size - idle / total,
    })
}

/// M/M/c+D (Baccelli and Hebuterne 1981): a request leaves after waiting exactly `tau`. The offered wait has
/// density lam p(c-1) e^((lam - c mu) x) below `tau` and lam p(c-1) e^(lam tau - c mu x) beyond.
///
/// # Errors
/// Parameters out of range.
pub fn timeout(lam: f64, mu: f64, c: usize, tau: f64) -> Result<Impatient, Error> {
    let size = servers(c)?;
    positive(&[lam, mu, tau])?;
    let capacity = size * mu;
    // Masses relative to p(c-1), by way of 1/p(c-1) = sum of p(n)/p(c-1), n < c.
    let (mut term, mut idle) = (1.0f64, 1.0f64);
    for n in (1..c).rev() {
        term *= n as f64 * mu / lam;
        idle += term;
    }
    let slope = lam - capacity;
    let x = slope * tau;
    // Everything is divided by e^x where that is large, so that no load is too high.
    let scale = (-x.max(0.0)).exp();
    let growth = x.min(0.0).exp();
    // Integrals of e^(slope y) and y e^(slope y) over [0, tau], by series where the slope vanishes.
    let (mass, first) = if x.abs() < 1e-5 {
        (scale * tau * (1.0 + x / 2.0 + x * x / 6.0), scale * tau * tau * (0.5 + x / 3.0 + x * x / 8.0))
    } else {
        let mass = (if x > 0.0 { -(-x).exp_m1() } else { x.exp_m1() }) / slope;
        (mass, (tau * growth - mass) / slope)
    };
    let beyond = growth / capacity;
    let total = idle * scale + lam * (mass + beyond);
    let abandoned = lam * beyond / total;
    Ok(Impatient {
        abandoned,
        wait_probability: lam * (mass + beyond) / total,
        mean_wait: lam * first / total + tau * abandoned,
        busy: lam * (1.0 - abandoned) / mu,
    })
}

impl Impatient {
    /// Mean wait of the requests that are served, when the others give up after exactly `tau`.
    pub fn mean_wait_served(&self, tau: f64) -> f64 {
        (self.mean_wait - tau * self.abandoned) / (1.0 - self.abandoned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_under_any_load_stays_finite() {
        // With c mu = 1 and no end of requests, all but those served give up.
        let flooded = timeout(1e6, 1.0, 1, 1e6).unwrap();
        assert!((flooded.abandoned - (1.0 - 1e-6)).abs() < 1e-12, "{flooded:?}");
        assert!((flooded.mean_wait - 1e6).abs() < 1e-3, "{flooded:?}");
        let idle = timeout(1e-3, 1.0, 500, 1.0).unwrap();
        assert!(idle.abandoned == 0.0 && idle.mean_wait == 0.0, "{idle:?}");
    }

    #[test]
    fn hundreds_of_servers_balance_what_comes_and_goes() {
        // All arrivals are served or give up: lam (1 - abandoned) = mu busy.
        for (lam, c, theta) in [(500.0, 400, 0.1), (390.0, 400, 2.0), (1e4, 300, 1.0), (1e-3, 500, 1.0)] {
            let queue = erlang_a(lam, 1.0, c, theta).unwrap();
            let served = lam * (1.0 - queue.abandoned);
            assert!((served / queue.busy - 1.0).abs() < 1e-9, "{queue:?}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        assert_eq!(erlang_a(1.0, 1.0, 0, 1.0), Err(Error::OutOfRange));
        assert_eq!(erlang_a(1.0, 1.0, usize::MAX, 1.0), Err(Error::OutOfRange));
        assert_eq!(erlang_a(1e12, 1.0, 1, 1e-3), Err(Error::TooLarge));
        assert_eq!(timeout(f64::NAN, 1.0, 1, 1.0), Err(Error::OutOfRange));
    }
}
