//! Many queues: how requests are spread over them.

use super::reading::Reading;
use super::system::{System, Text, fixed};
use crate::theory::single::{GiM1, Interarrival};
use crate::theory::{Error, balanced, markovian};

pub(super) fn systems() -> Result<Vec<System>, Error> {
    let mut all = Vec::new();
    for (load, instances) in [(0.7, 5), (0.85, 10)] {
        all.push(random(load, instances)?);
    }
    for (load, instances) in [(0.7, 4), (0.8, 10)] {
        all.push(round_robin(load, instances)?);
    }
    for (load, instances) in [(0.9, 2), (0.7, 3), (0.8, 3)] {
        all.push(shortest(load, instances)?);
    }
    all.push(two_of(0.8, 3)?);
    all.push(two_of(0.6, 4)?);
    all.push(mean_field(0.7, 2)?);
    all.push(mean_field(0.8, 3)?);
    Ok(all)
}

/// Poisson arrivals of `load` for each of the instances, which have queues of their own.
fn routed(load: f64, instances: usize, policy: &str) -> Text {
    Text::markovian(load * instances as f64, format!("[dispatch]\n{policy}\n\n{}", fixed(instances)))
}

fn random(load: f64, instances: usize) -> Result<System, Error> {
    let exact = markovian::Mmc::new(load, 1.0, 1)?;
    let text = routed(load, instances, "policy = \"random\"");
    Ok(System::new("random split", format!("load {load}, {instances} instances"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("share that waits", Reading::Waited, exact.wait_probability)
        .with("requests in the system", Reading::Jobs, instances as f64 * exact.mean_jobs()))
}

fn round_robin(load: f64, instances: usize) -> Result<System, Error> {
    // Every k-th Poisson arrival: Erlang gaps of k stages.
    let exact = GiM1::new(load, 1.0, Interarrival::Gamma(instances as f64))?;
    let text = routed(load, instances, "policy = \"round_robin\"");
    Ok(System::new("round robin", format!("load {load}, {instances} instances"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("share that waits", Reading::Waited, exact.sigma))
}

fn shortest(load: f64, instances: usize) -> Result<System, Error> {
    let rate = load * instances as f64;
    let jobs = balanced::shortest_of(rate, 1.0, instances, instances)?;
    let text = routed(load, instances, "policy = \"least_outstanding\"");
    Ok(System::new("join the shortest queue", format!("load {load}, {instances} instances"), text)
        .with("mean sojourn", Reading::Sojourn, jobs / rate)
        .with("requests in the system", Reading::Jobs, jobs))
}

fn two_of(load: f64, instances: usize) -> Result<System, Error> {
    let rate = load * instances as f64;
    let jobs = balanced::shortest_of(rate, 1.0, instances, 2)?;
    let text = routed(load, instances, "policy = \"power_of_d\"\nchoices = 2");
    Ok(System::new("power of d", format!("load {load}, 2 of {instances} instances"), text)
        .with("mean sojourn", Reading::Sojourn, jobs / rate)
        .with("requests in the system", Reading::Jobs, jobs))
}

/// The limit of many instances, which a pool of n nears as 1/n does 0 (Gast 2017, "Expected values estimated via
/// mean-field approximation are 1/N-accurate"): 4000 are within less of it than the interval tells.
fn mean_field(load: f64, choices: usize) -> Result<System, Error> {
    let instances = 4000;
    let rate = load * instances as f64;
    let sojourn = balanced::mean_field_sojourn(load, choices)?;
    let text = routed(load, instances, &format!("policy = \"power_of_d\"\nchoices = {choices}"));
    let text = Text { requests: 60.0 * rate, warmup_s: 30.0, ..text };
    Ok(System::new(
        "power of d, mean field",
        format!("load {load}, {choices} of {instances} instances"),
        text,
    )
    .with("requests in the system", Reading::Jobs, rate * sojourn)
    .with("requests in service", Reading::Busy, rate))
}
