//! A published simulation of a function platform.

use kneepoint::internals::sim::Outcome;

use crate::fixtures::estimate::mean_and_error;
use crate::fixtures::platform::{alive, cold_share, platform};
use crate::fixtures::replications::replications;

fn busy(run: &Outcome) -> f64 {
    run.integrals.in_service / run.measured_s
}

/// SimFaaS 0.2.2 (Mahmoudi and Khazaei, "SimFaaS: A Performance Simulator for Serverless Computing Platforms", 2021), its
/// documented example run 8 times over 10⁶ s: mean and standard error of each quantity. Each of ours must be within
/// three standard errors of the difference, which one comparison in 370 misses by chance.
#[test]
fn scale_per_request_agrees_with_simfaas() {
    let exponential = |mean: f64| format!("{{ dist = \"exponential\", mean = \"{mean}s\" }}");
    let model = platform(
        "kind = \"poisson\"\nrate = 0.9",
        &exponential(1.991),
        &exponential(2.244),
        "\"600s\"",
        "1000000s",
    );
    let runs = replications(&model, 7, 8, None);
    let life = |run: &Outcome| run.integrals.ready / run.started as f64;
    let idle = |run: &Outcome| alive(run) - busy(run);
    let estimate = |of: &dyn Fn(&Outcome) -> f64| mean_and_error(runs.iter().map(of));
    let rows = [
        ("probability of a cold request", (0.001_353_7, 0.000_008_1), estimate(&cold_share)),
        ("mean instances alive", (7.7008, 0.0048), estimate(&alive)),
        ("mean busy instances", (1.793_27, 0.000_60), estimate(&busy)),
        ("mean idle instances", (5.9075, 0.0048), estimate(&idle)),
        ("mean life of an instance, s", (6339.5, 36.4), estimate(&life)),
    ];
    for (name, (theirs, error), (ours, own_error)) in rows {
        let apart = (ours - theirs) / f64::hypot(error, own_error);
        println!("{name}: {theirs} ± {error}, here {ours:.6} ± {own_error:.6}: {apart:+.2} standard errors");
        assert!(apart.abs() < 3.0, "{name}: {ours} ± {own_error} for {theirs} ± {error}");
    }
}
