//! Instances that fail, and clients that try again.

use super::reading::Reading;
use super::system::{System, Text, fixed, servers as counted};
use crate::theory::{Error, unreliable};

pub(super) fn systems() -> Result<Vec<System>, Error> {
    Ok(vec![
        failing(1.2, 2, 0.01, 0.1)?,
        failing(3.0, 4, 0.05, 0.2)?,
        failing(7.0, 10, 0.01, 0.05)?,
        retrial(0.7, 1, 0.5)?,
        retrial(8.0, 10, 0.2)?,
    ])
}

/// A failed instance is replaced at once, by one whose cold start is the repair.
fn failing(rate: f64, servers: usize, failure: f64, repair: f64) -> Result<System, Error> {
    let exact = unreliable::failing(rate, 1.0, servers, failure, repair)?;
    let exponential = |rate: f64| format!("{{ dist = \"exponential\", mean = \"{}s\" }}", 1.0 / rate);
    let tables = format!(
        "[instances]\nlost = \"resume\"\ncold_start = {}\nfailures = {{ after = {} }}\n\n{}",
        exponential(repair),
        exponential(failure),
        fixed(servers)
    );
    // What is down together stays down for long: neighbouring requests are alike over thousands of them.
    let text = Text { requests: 1e6, ..Text::markovian(rate, tables) };
    let case = format!("rate {rate}, {}, failures {failure}, repairs {repair}", counted(servers));
    Ok(System::new("M/M/c with failures", case, text)
        .with("requests in the system", Reading::Jobs, exact.mean_jobs)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn)
        .with("instances ready", Reading::Ready, exact.mean_up))
}

fn retrial(rate: f64, servers: usize, retry: f64) -> Result<System, Error> {
    let exact = unreliable::retrial(rate, 1.0, servers, retry)?;
    let tables = format!(
        "[dispatch]\nqueue_capacity = 0\n\n[client]\nretries = 1000000000\nretry_on = [\"rejected\"]\njitter = \"none\"\n\
         backoff = {{ dist = \"exponential\", mean = \"{}s\" }}\nbackoff_factor = 1\nbackoff_max = \"365d\"\n\n{}",
        1.0 / retry,
        fixed(servers)
    );
    let text = Text::markovian(rate, tables);
    Ok(System::new(
        "M/M/c/c with retries",
        format!("rate {rate}, {}, retries {retry}", counted(servers)),
        text,
    )
    .with("mean wait", Reading::Wait, exact.mean_wait)
    .with("requests in flight", Reading::Jobs, exact.orbit + exact.busy)
    .with("servers busy", Reading::Busy, exact.busy))
}
