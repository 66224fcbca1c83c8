//! What holds of every run of a pool that misbehaves under clients that do not wait.

use kneepoint::internals::distribution::{Distribution, Durations};
use kneepoint::internals::random::Streams;
use kneepoint::internals::sim::{
    BilledFrom, Block, DispatchPolicy, Model, Options, Outcome, Portion, RequestSource, Rollout, Simulation,
};
use kneepoint::internals::time::Span;
use proptest::prelude::*;

use crate::fixtures::requests::Requests;
use crate::generated::models::{EXACT_METRICS, tenths};
use crate::generated::wild::wild_models;
use crate::generated::{close, config, tokens_of};

const STREAMS: Streams = Streams::new(41, 7);

/// Wild models with a load that fits them.
fn scenarios() -> impl Strategy<Value = Model> {
    let service = prop_oneof![
        (0_u64..15).prop_map(|n| Distribution::constant(n as f64 / 10.0)),
        Just(Distribution::exponential(0.5)),
    ];
    let patience = prop::option::of(1_u64..20);
    let classes = prop::option::of(0.1..0.9_f64);
    let all = (wild_models(EXACT_METRICS.to_vec()), service, 0.0..0.9_f64, patience, classes);
    all.prop_map(|(mut model, service, warmup, patience, classes)| {
        if model.dispatch.policy == DispatchPolicy::CentralQueue {
            let wait = |n: u64| Durations(Distribution::constant(n as f64 / 10.0));
            model.dispatch.patience = patience.map(wait);
            model.dispatch.high_priority = classes;
        }
        model.arrivals = kneepoint::internals::arrivals::Arrivals::poisson(3.0);
        model.service.time = Durations(service);
        model.warmup = tenths((model.duration.as_secs_f64() * 10.0 * warmup) as u64);
        model
    })
}

/// The requests a model meets before its end, as one block.
fn requests(model: &Model) -> Block {
    let mut source = RequestSource::new(model, STREAMS);
    let (mut block, mut all) = (Block::default(), Block::default());
    let end = model.duration.as_nanos();
    loop {
        source.fill(&mut block);
        let before = block.arrival.iter().filter(|arrival| **arrival < end).count();
        all.arrival.extend(&block.arrival[..before]);
        all.service.extend(&block.service[..before]);
        all.patience.extend(block.patience.iter().take(before));
        all.class.extend(block.class.iter().take(before));
        all.tokens.extend(block.service[..before].iter().map(|service| tokens_of(*service, 20, 15)));
        if before < block.arrival.len() || block.arrival.is_empty() {
            return all;
        }
    }
}

/// An outcome, with arrival and departure of every request that has ended.
fn run(model: &Model, requests: &Block, size: usize) -> (Outcome, Vec<(u64, u64)>) {
    let options = Options { mark_interval: tenths(7), timeline: true, decisions: true };
    let mut simulation = Simulation::new(model, STREAMS, &options, Requests::default());
    for from in (0..requests.arrival.len()).step_by(size) {
        let to = (from + size).min(requests.arrival.len());
        simulation.feed(&Block {
            arrival: requests.arrival[from..to].into(),
            service: requests.service[from..to].into(),
            tokens: requests.tokens[from..to].into(),
            patience: requests.patience.get(from..to).unwrap_or_default().into(),
            class: requests.class.get(from..to).unwrap_or_default().into(),
            content: requests.content.get(from..to).unwrap_or_default().into(),
        });
    }
    let (outcome, heard) = simulation.finish();
    let mut stays: Vec<(u64, u64)> = heard.stays().collect();
    stays.sort_unstable();
    (outcome, stays)
}

proptest! {
    #![proptest_config(config(3, 2000))]

    /// However often a request is sent, it arrives once and ends at most once.
    #[test]
    fn requests_are_conserved(model in scenarios()) {
        let requests = requests(&model);
        let (outcome, stays) = run(&model, &requests, 100);
        let from = model.warmup.as_nanos();
        let counts = outcome.counts;
        prop_assert!(counts.conserved(), "{:?}", counts);
        prop_assert_eq!(counts.arrived, requests.arrival.iter().filter(|at| **at >= from).count() as u64);
        let ended = stays.iter().filter(|(arrival, _)| *arrival >= from).count() as u64;
        prop_assert_eq!(counts.arrived - counts.in_flight, ended);
        let sending = outcome.sending;
        if model.warmup.is_zero() {
            prop_assert_eq!(sending.sent, counts.arrived + sending.retried + sending.hedged);
        }
        let most = u64::from(model.client.retries) * requests.arrival.len() as u64;
        prop_assert!(sending.retried <= most);
        let (whole, _) = run(&Model { warmup: Span::ZERO, ..model }, &requests, 100);
        prop_assert!(whole.sending.wasted_s <= whole.integrals.in_service * (1.0 + 1e-9));
    }

    /// The integral of the requests in flight is the sum of their stays, pauses between two attempts included.
    #[test]
    fn littles_law_is_exact(model in scenarios()) {
        let requests = requests(&model);
        let (outcome, stays) = run(&model, &requests, 100);
        let (from, end) = (model.warmup.as_nanos(), model.duration.as_nanos());
        let mut left = stays.iter().map(|(arrival, _)| *arrival).peekable();
        let mut remaining = vec![];
        for arrival in &requests.arrival {
            if left.next_if_eq(arrival).is_none() {
                remaining.push((*arrival, end));
            }
        }
        let within = |(arrival, left): (u64, u64)| u128::from(left.min(end).saturating_sub(arrival.max(from)));
        let stayed: u128 = stays.into_iter().chain(remaining).map(within).sum();
        let stayed = stayed as f64 / 1e9;
        prop_assert!(close(outcome.integrals.in_flight, stayed), "{} for {stayed}", outcome.integrals.in_flight);
        let windows: f64 = outcome.timeline.iter().map(|window| window.in_flight * window.length_s).sum();
        let near = (windows - outcome.integrals.in_flight).abs() <= 1e-9 * (1.0 + windows);
        prop_assert!(near || !model.warmup.is_zero());
    }

    #[test]
    fn cost_is_billed_instance_time_times_price_type_by_type(mut model in scenarios()) {
        (model.cost.granularity, model.cost.minimum) = (Span::ZERO, Span::ZERO);
        let (outcome, _) = run(&model, &requests(&model), 100);
        let time = outcome.integrals;
        let used = match model.cost.billed_from {
            BilledFrom::Requested => time.starting + time.warming + time.ready + time.draining,
            BilledFrom::Ready => time.ready + time.draining,
        };
        prop_assert!(close(outcome.billed_hours * 3600.0, used), "{} for {used}", outcome.billed_hours * 3600.0);
        let prices: Vec<f64> = model.prices().collect();
        prop_assert_eq!(prices.len(), outcome.by_type.len());
        for (price, share) in prices.iter().zip(&outcome.by_type) {
            prop_assert!(close(share.warm_cost, share.warm_hours * price * model.instances.warm_fraction()));
            prop_assert!(close(share.cost, share.billed_hours * price + share.warm_cost + share.node_cost));
            let per_node_hour = model.instances.node.as_ref().map_or(0.0, |node| node.per_node_hour);
            prop_assert!(close(share.node_cost, share.node_hours * per_node_hour));
        }
        prop_assert!(close(outcome.cost, outcome.by_type.iter().map(|share| share.cost).sum()));
        let warm: f64 = outcome.by_type.iter().map(|share| share.warm_hours * 3600.0).sum();
        prop_assert!(close(time.warm, warm), "{} for {warm}", time.warm);
        prop_assert!(close(time.ready, outcome.by_type.iter().map(|share| share.ready).sum()));
    }

    /// The pool has what was asked for, or is on its way to it, and in a rolling update no more than its surge beyond; what is
    /// lost is replaced at once.
    #[test]
    fn what_is_lost_is_replaced_at_once(model in scenarios()) {
        let (outcome, _) = run(&model, &requests(&model), 100);
        for window in &outcome.timeline {
            let surge = |rollout: &Rollout| match rollout.max_surge {
                Portion::Instances(count) => count,
                Portion::Percent(percent) => (f64::from(window.desired) * percent / 100.0).ceil() as u32,
            };
            let surge = model.instances.rollouts.iter().map(surge).max().unwrap_or(0);
            let there = window.ready + window.starting;
            prop_assert!((window.desired..=window.desired + surge).contains(&there), "{:?}", window);
        }
    }

    #[test]
    fn a_run_does_not_depend_on_how_its_requests_are_fed(model in scenarios(), size in 1_usize..40) {
        let requests = requests(&model);
        let (outcome, stays) = run(&model, &requests, size);
        let (again, stays_again) = run(&model, &requests, 1024);
        prop_assert_eq!(stays, stays_again);
        prop_assert_eq!(format!("{:?}", outcome.timeline), format!("{:?}", again.timeline));
        prop_assert_eq!((outcome.integrals, outcome.counts), (again.integrals, again.counts));
        prop_assert_eq!((outcome.sending, outcome.failure_counts, outcome.by_type), (again.sending, again.failure_counts, again.by_type));
    }
}
