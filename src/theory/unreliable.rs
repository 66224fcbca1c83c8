//! Servers that fail and are repaired; customers that are rejected and retry.
use super::{Error, markov, positive, servers};

/// Steady-state means of a queue whose servers fail and are repaired.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Failing {
    /// Mean number of requests in the system.
    pub mean_jobs: f64,
    /// Mean sojourn.
    pub mean_sojourn: f64,
    /// Mean number of servers up.
    pub mean_up: f64,
    /// Interruptions of a request.
    pub restarts_per_request: f64,
}

/// M/M/c whose servers, busy or not, each fail at rate `failure` and are each repaired at rate `repair`; an interrupted
/// request goes to the head of the queue; as service is memoryless, resuming and restarting are the same (Mitrany and
/// Avi-Itzhak, "A many-server queue with service interruptions", 1968).
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn failing(lam: f64, mu: f64, c: usize, failure: f64, repair: f64) -> Result<Failing, Error> {
    positive(&[lam, mu, servers(c)?, failure, repair])?;
    if lam >= mu * c as f64 * repair / (failure + repair) {
        return Err(Error::Unstable);
    }
    let law = markov::truncated(
        (0_usize, c),
        4 * c,
        |(n, _)| n,
        |(n, up), out| {
            out.push(((n + 1, up), lam));
            if n > 0 {
                out.push(((n - 1, up), mu * n.min(up) as f64));
            }
            if up > 0 {
                out.push(((n, up - 1), failure * up as f64));
            }
            if up < c {
                out.push(((n, up + 1), repair * (c - up) as f64));
            }
        },
    )?;
    let mean_jobs = markov::mean(&law, |(n, _)| n as f64);
    let busy = markov::mean(&law, |(n, up)| n.min(up) as f64);
    Ok(Failing {
        mean_jobs,
        mean_sojourn: mean_jobs / lam,
        mean_up: markov::mean(&law, |(_, up)| up as f64),
        restarts_per_request: failure * busy / lam,
    })
}

/// Steady-state means of a loss system whose customers retry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retrial {
    /// Mean number of customers that were rejected and will retry.
    pub orbit: f64,
    /// Mean time from arrival to service.
    pub mean_wait: f64,
    /// The probability that a customer is rejected at its first attempt.
    pub blocked: f64,
    /// Mean number of busy servers.
    pub busy: f64,
}

/// M/M/c/c whose rejected customers each retry after an exponential time of rate `retry`, until they are served
/// (Falin and Templeton, *Retrial Queues*, 1997, ch. 2).
///
/// # Errors
/// Parameters out of range or an unstable system.
pub fn retrial(lam: f64, mu: f64, c: usize, retry: f64) -> Result<Retrial, Error> {
    positive(&[lam, mu, servers(c)?, retry])?;
    if lam >= mu * c as f64 {
        return Err(Error::Unstable);
    }
    let law = markov::truncated(
        (0_usize, 0_usize),
        4 * c,
        |(orbit, _)| orbit,
        |(orbit, busy), out| {
            if busy < c {
                out.push(((orbit, busy + 1), lam));
                if orbit > 0 {
                    out.push(((orbit - 1, busy + 1), retry * orbit as f64));
                }
            } else {
                out.push(((orbit + 1, busy), lam));
            }
            if busy > 0 {
                out.push(((orbit, busy - 1), mu * busy as f64));
            }
        },
    )?;
    let orbit = markov::mean(&law, |(orbit, _)| orbit as f64);
    Ok(Retrial {
        orbit,
        mean_wait: orbit / lam,
        blocked: markov::mean(&law, |(_, busy)| f64::from(busy == c)),
        busy: markov::mean(&law, |(_, busy)| busy as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Falin and Templeton, (1.7): one server, closed form.
    #[test]
    fn one_server_with_retries_agrees_with_its_closed_form() {
        for (lam, retry) in [(0.5, 2.0), (0.7, 0.5)] {
            let found = retrial(lam, 1.0, 1, retry).unwrap();
            let orbit = lam * lam / (1.0 - lam) + lam * lam / (retry * (1.0 - lam));
            assert!((found.orbit - orbit).abs() < 1e-9 * orbit, "{} for {orbit}", found.orbit);
        }
    }

    #[test]
    fn servers_that_hardly_ever_fail_are_those_of_a_common_queue() {
        let common = crate::theory::markovian::Mmc::new(3.0, 1.0, 4).unwrap();
        let found = failing(3.0, 1.0, 4, 1e-9, 1.0).unwrap();
        assert!((found.mean_jobs - common.mean_jobs()).abs() < 1e-6);
        assert_eq!(failing(3.0, 1.0, 4, 1.0, 1.0), Err(Error::Unstable));
    }
}
