//! Percentiles of runs and of their requests together, against the exact ones of the raw values.

use kneepoint::internals::experiment::{Case, Evaluator};
use kneepoint::internals::random::Streams;
use kneepoint::internals::stats::Digest;

use crate::fixtures::queue::mm;
use crate::fixtures::requests::Requests;
use crate::fixtures::scenario::scenario;
use crate::fixtures::simulation::simulate;

/// Latencies in nanoseconds of the requests that arrived at or after an instant.
fn latencies(requests: &Requests, from: u64) -> impl Iterator<Item = u64> {
    requests.served_from(from).map(|request| request.finish - request.arrival)
}

/// The exact quantile of a finite set in seconds: the least value that at least `per_mille` thousandths do not exceed.
fn exact(nanos: &[u64], per_mille: usize) -> f64 {
    let mut sorted = nanos.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() * per_mille).div_ceil(1000) - 1] as f64 / 1e9
}

/// Fails where `found` is off by more than a thousandth.
fn near(found: f64, exact: f64, what: &str) {
    assert!((found - exact).abs() <= 1e-3 * exact, "{what}: {found} for {exact}");
}

#[test]
fn p999_of_replicated_runs_agrees_with_the_exact_quantiles_of_the_raw_values() {
    const SEED: u64 = 3;
    let run = format!("[run]\nduration = \"50000s\"\nwarmup = \"200s\"\nreplications = 5\nseed = {SEED}");
    let scenario = scenario(&(mm(1, 0.5) + &run), ".");
    let (mut all, mut each) = (Vec::new(), Vec::new());
    let mut merged = Digest::new(scenario.model.duration);
    for replication in 0..5 {
        let streams = Streams::new(SEED, replication);
        let (outcome, requests) = simulate(&scenario.model, streams, Requests::default());
        let raw: Vec<u64> = latencies(&requests, scenario.model.warmup.as_nanos()).collect();
        assert_eq!(outcome.latency.count(), raw.len() as u64);
        let what = format!("replication {replication}");
        near(outcome.latency.quantile(0.999).unwrap(), exact(&raw, 999), &what);
        each.push(exact(&raw, 999));
        all.extend(raw);
        merged.merge(&outcome.latency);
    }
    let result = Evaluator::default().replications(&[Case::whole(&scenario)], &()).unwrap();
    let reported = result[0].figures().get("latency.p999");
    // Of each run, in which hardly anything is in flight at the end; and of all requests, which is what is promised.
    near(reported.mean.unwrap(), each.iter().sum::<f64>() / 5.0, "reported");
    let scenario = crate::fixtures::scenario::scenario(
        &(mm(1, 0.5) + &run + "\n[slo]\nlatency = \"9s\"\npercentile = 99.9"),
        ".",
    );
    let result = Evaluator::default().replications(&[Case::whole(&scenario)], &()).unwrap();
    near(result[0].figures().get("slo_latency").mean.unwrap(), exact(&all, 999), "promised");
    near(merged.quantile(0.999).unwrap(), exact(&all, 999), "merged");
    // The latency of M/M/1 is exponential with rate μ − λ.
    let truth = 1000_f64.ln() / 0.5;
    assert!(reported.low.unwrap() < truth && truth < reported.high.unwrap(), "{reported:?} for {truth}");
}

#[test]
fn quantiles_of_merged_replications_are_within_a_thousandth_of_the_raw_values() {
    let systems = [
        ("M/M/1", mm(1, 0.5), 400_000),
        ("M/M/4", mm(4, 0.7), 71_429),
        (
            "M/M/10 as 2 instances of 5 slots",
            mm(10, 0.85)
                .replace("instances = 10", "instances = 2")
                .replace("time =", "concurrency = 5\ntime ="),
            35_294,
        ),
        ("M/M/4/8", mm(4, 0.9) + "[dispatch]\nqueue_capacity = 4\n", 55_556),
    ];
    for (name, queue, seconds) in systems {
        let model = scenario(&format!("{queue}[run]\nduration = \"{seconds}s\""), ".").model;
        let mut merged = Digest::new(model.duration);
        let mut raw = vec![];
        for replication in 0..5 {
            let streams = Streams::new(99, replication);
            let (outcome, requests) = simulate(&model, streams, Requests::default());
            merged.merge(&outcome.latency);
            raw.extend(latencies(&requests, model.warmup.as_nanos()));
        }
        raw.sort_unstable();
        for per_mille in [500, 900, 950, 990, 999] {
            let found = merged.quantile(per_mille as f64 / 1000.0).unwrap();
            near(found, exact(&raw, per_mille), &format!("{name}, {per_mille} ‰"));
        }
    }
}
