//! `kneepoint verify` passes, and would not if the simulator were wrong.
//!
//! Seeds are fixed. The whole catalogue calls a right simulator wrong once in a thousand seeds; a wrong one is stood in
//! for by a scenario that differs from what the exact value is of, and has to be caught by the rule for the whole
//! catalogue although one system alone is off.

use kneepoint::internals::experiment::Evaluator;
use kneepoint::internals::experiment::verify::{Effort, FALSE_ALARM, Prepared, System, catalogue, verify};

fn prepare(systems: Vec<System>, effort: Effort) -> Vec<Prepared> {
    systems.into_iter().map(|system| Prepared::new(system, effort).unwrap()).collect()
}

#[test]
fn the_simulator_agrees_with_theory() {
    let found = verify(&prepare(catalogue().unwrap(), Effort::Quick), 1, &Evaluator::default()).unwrap();
    let apart: Vec<_> = found.rows.iter().filter(|row| row.p.is_some_and(|p| p < found.limit)).collect();
    assert!(found.plausible && found.complete, "{} missed, {apart:#?}", found.missed);
}

#[test]
fn the_same_seed_gives_the_same_table_on_any_number_of_threads() {
    let some = || prepare(catalogue().unwrap().into_iter().step_by(20).collect(), Effort::Quick);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| verify(&some(), 7, &Evaluator::default()).unwrap())
    };
    let one = on(1);
    assert_eq!(one, on(3));
    assert_ne!(one.rows, verify(&some(), 8, &Evaluator::default()).unwrap().rows);
}

/// A mistake, and how the scenario of a system looks to a simulator that makes it.
struct Mutation {
    mistake: &'static str,
    system: &'static str,
    right: &'static str,
    wrong: &'static str,
}

const MUTATIONS: [Mutation; 12] = [
    Mutation {
        mistake: "one server too many",
        system: "M/M/c, rate 6.5, 8 servers",
        right: "instances = 8",
        wrong: "instances = 9",
    },
    Mutation {
        mistake: "a place too many in the queue",
        system: "M/M/c/K, rate 3.6, 4 servers, 8 in all",
        right: "queue_capacity = 4",
        wrong: "queue_capacity = 5",
    },
    Mutation {
        mistake: "the cold start ignored",
        system: "M/M/k/setup, rate 3.2, 4 servers",
        right: "cold_start = { dist = \"exponential\", mean = \"2s\" }",
        wrong: "cold_start = \"0s\"",
    },
    Mutation {
        mistake: "the warm-up kept",
        system: "power of d, mean field, load 0.7",
        right: "warmup = \"30s\"",
        wrong: "warmup = \"0s\"",
    },
    Mutation {
        mistake: "requests spread at random instead of to the shortest queue",
        system: "join the shortest queue, load 0.7, 3 instances",
        right: "policy = \"least_outstanding\"",
        wrong: "policy = \"random\"",
    },
    Mutation {
        mistake: "a queue at each instance instead of a common one",
        system: "M/M/c, rate 1.6, 2 servers",
        right: "[autoscaler]",
        wrong: "[dispatch]\npolicy = \"round_robin\"\n\n[autoscaler]",
    },
    Mutation {
        mistake: "service as variable as an exponential",
        system: "M/H2/c, rate 1.6, 2 servers, squared cv 4",
        right: "{ dist = \"hyperexponential\", mean = \"1s\", cv = 2 }",
        wrong: "{ dist = \"exponential\", mean = \"1s\" }",
    },
    Mutation {
        mistake: "the time-out ignored",
        system: "M/M/c+D, rate 0.8, 1 server",
        right: "timeout = \"2s\"",
        wrong: "",
    },
    Mutation {
        mistake: "the classes exchanged",
        system: "M/M/1 with priority, rates 0.5 and 0.2",
        right: "high_priority = 0.7142857142857143",
        wrong: "high_priority = 0.2857142857142857",
    },
    Mutation {
        mistake: "the keep-alive ignored",
        system: "scale to zero, rate 0.1",
        right: "keep_alive = \"5s\"",
        wrong: "",
    },
    Mutation {
        mistake: "a threshold off by one",
        system: "hysteresis, instant, rate 2.4",
        right: "up = [4, 8]",
        wrong: "up = [5, 8]",
    },
    Mutation {
        mistake: "every second evaluation left out",
        system: "proportional, instant, rate 5",
        right: "\ninterval = \"5s\"",
        wrong: "\ninterval = \"10s\"",
    },
];

#[test]
fn each_mistake_of_the_simulator_is_caught() {
    let all = catalogue().unwrap();
    let tests = all.iter().flat_map(|system| &system.quantities).filter(|quantity| quantity.within.is_none());
    let limit = FALSE_ALARM / 2.0 / tests.count() as f64;
    for Mutation { mistake, system, right, wrong } in MUTATIONS {
        let found = all.iter().find(|each| each.name().starts_with(system));
        let mut mutant = found.unwrap_or_else(|| panic!("no {system}")).clone();
        assert!(mutant.scenario.contains(right), "{system}:\n{}", mutant.scenario);
        mutant.scenario = mutant.scenario.replace(right, wrong);
        let rows = verify(&prepare(vec![mutant], Effort::Full), 1, &Evaluator::default()).unwrap().rows;
        let least = rows.iter().filter_map(|row| row.p).fold(1.0, f64::min);
        assert!(least < limit, "{mistake} goes unseen: {rows:#?}");
    }
}

#[test]
fn a_step_response_that_is_late_is_caught() {
    let all = catalogue().unwrap();
    let mut step = all.into_iter().find(|system| system.family == "fluid step response").unwrap();
    step.scenario = step.scenario.replace("cold_start = \"29s\"", "cold_start = \"29500ms\"");
    assert!(!verify(&prepare(vec![step], Effort::Full), 1, &Evaluator::default()).unwrap().plausible);
}
