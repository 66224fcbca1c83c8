//! Autoscalers with an exact answer: hysteresis thresholds on the number of jobs.
use super::{Error, MAX_SERVERS, markov, positive};

/// Steady state under hysteresis thresholds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hysteresis {
    /// Mean number in the system.
    pub mean_jobs: f64,
    /// Mean sojourn.
    pub mean_sojourn: f64,
    /// Mean number of ready servers.
    pub ready: f64,
    /// Mean number of servers starting.
    pub pending: f64,
    /// Scale-ups started per unit of time.
    pub scale_ups: f64,
}

/// Between 1 and `up.len() + 1` servers (class of Lui and Golubchik 1999): from i servers one is added when the
/// jobs exceed `up[i-1]`, and from i + 1 one is removed when they fall to `down[i-1]`. With `alpha`, one server
/// at a time starts for an exponential time of that rate, and is cancelled when jobs fall to `down[i-1]`.
///
/// # Errors
/// Parameters out of range, thresholds that do not rise or cross, or an unstable system.
pub fn hysteresis(
    lam: f64,
    mu: f64,
    up: &[usize],
    down: &[usize],
    alpha: Option<f64>,
) -> Result<Hysteresis, Error> {
    positive(&[lam, mu, alpha.unwrap_or(1.0)])?;
    let rising = |t: &[usize]| t.windows(2).all(|pair| pair[0] < pair[1]);
    if up.last().is_some_and(|last| *last > MAX_SERVERS) {
        return Err(Error::TooLarge);
    }
    if up.len() != down.len() || !rising(up) || !rising(down) || up.iter().zip(down).any(|(f, r)| r >= f) {
        return Err(Error::OutOfRange);
    }
    let most = up.len() + 1;
    if lam >= mu * most as f64 {
        return Err(Error::Unstable);
    }
    let wants_more = |n: usize, i: usize| i < most && n > up[i - 1];
    let first = 4 * up.last().copied().unwrap_or(0);
    let law = markov::truncated(
        (0usize, 1usize, false),
        first,
        |(n, _, _)| n,
        |(n, i, pending), out| {
            let more = wants_more(n + 1, i);
            let grown = if alpha.is_none() {
                (n + 1, i + usize::from(more), false)
            } else {
                (n + 1, i, pending || more)
            };
            out.push((grown, lam));
            if let (true, Some(rate)) = (pending, alpha) {
                out.push(((n, i + 1, wants_more(n, i + 1)), rate));
            }
            if n > 0 {
                let left = n - 1;
                let cancelled = pending && left <= down[i - 1];
                let fewer = i > 1 && left <= down[i - 2];
                out.push(((left, i - usize::from(fewer), pending && !cancelled), mu * n.min(i) as f64));
            }
        },
    )?;
    let mean_jobs = markov::mean(&law, |(n, _, _)| n as f64);
    Ok(Hysteresis {
        mean_jobs,
        mean_sojourn: mean_jobs / lam,
        ready: markov::mean(&law, |(_, i, _)| i as f64),
        pending: markov::mean(&law, |(_, _, pending)| f64::from(pending)),
        scale_ups: lam * markov::mean(&law, |(n, i, pending)| f64::from(!pending && wants_more(n + 1, i))),
    })
}
