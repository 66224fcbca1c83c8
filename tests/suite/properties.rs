//! What holds of every run, whatever the scenario says.
//!
//! Each figure is held against one computed another way: from the requests themselves, as a listener heard what became
//! of each, or from a second run that must relate to the first.

use kneepoint::internals::autoscaler::Autoscaler;
use kneepoint::internals::distribution::{Distribution, Durations};
use kneepoint::internals::service::{self, Slots};
use kneepoint::internals::sim::{
    BilledFrom, Completion, Dispatch, DispatchPolicy, Model, Options, Outcome, Simulation,
};
use kneepoint::internals::stats::Digest;
use kneepoint::internals::time::Span;
use proptest::prelude::*;

use crate::fixtures::requests::Requests;
use crate::generated::models::tenths;
use crate::generated::scenarios::{MARK, STREAMS, arrivals, blocks, requests, scenarios};
use crate::generated::{close, config};

const OPTIONS: Options = Options { mark_interval: MARK, timeline: true, decisions: true };

/// One run on `requests`, fed in blocks of `size`.
fn run(model: &Model, requests: &[(u64, u64)], size: usize) -> (Outcome, Requests) {
    let mut simulation = Simulation::new(model, STREAMS, &OPTIONS, Requests::default());
    for block in blocks(requests, size) {
        simulation.feed(&block);
    }
    simulation.finish()
}

/// Everything an outcome holds, in a form that can be compared.
fn everything(outcome: Outcome) -> Vec<String> {
    let digest = |digest: Digest| format!("{:?} {:?} {}", digest.cumulative(), digest.max(), digest.sum_s());
    let Outcome { measured_s, counts, latency, wait, good, integrals, slots, .. } = outcome;
    let Outcome { peak_waiting, peak_ready, started, billed_hours, cost, actions, below_slo_s, .. } = outcome;
    vec![
        digest(latency),
        digest(wait),
        format!("{measured_s} {counts:?} {good} {integrals:?} {slots} {peak_waiting} {peak_ready} {started}"),
        format!("{billed_hours} {cost} {actions:?} {below_slo_s}"),
        format!("{:?}", outcome.timeline),
        format!("{:?}", outcome.decisions),
    ]
}

/// A pool that stays as it is, behind `policy`.
fn fixed(mut model: Model, instances: u32, policy: DispatchPolicy, queue_capacity: Option<u64>) -> Model {
    model.autoscaler = Autoscaler::fixed(instances);
    model.dispatch = Dispatch { policy, queue_capacity, ..Dispatch::default() };
    model
}

/// `model`, measured from its start until everything it met has been served, were it one by one on the slowest instance
/// of these tests.
fn until_empty(mut model: Model, requests: &[(u64, u64)]) -> Model {
    let slowest = match &model.service.model {
        // So many iterations, each as long as any, and all of it once more for those that give way.
        service::Model::Llm(llm) => {
            let mut work = service::IterationWork { decoding: 5, context: 450, ..Default::default() };
            work.add_chunk(0, 20);
            120 * llm.law.time(work)
        }
        _ => SLOWEST_BATCH.as_nanos(),
    };
    let work: u64 = requests.iter().map(|(_, service)| 5 * service + slowest).sum();
    let last = requests.last().map_or(0, |(arrival, _)| *arrival);
    (model.warmup, model.duration) = (Span::ZERO, Span::from_nanos(last + work + 1));
    model
}

/// More than a batch takes in these tests, the delay before it included.
const SLOWEST_BATCH: Span = Span::from_secs(4);

/// `model`, with one slot an instance if it is served in anything but slots.
fn slotted(mut model: Model) -> Model {
    if !matches!(model.service.model, service::Model::Slots(_)) {
        model.service.model = service::Model::Slots(Slots { concurrency: 1 });
    }
    model
}

/// Most requests in service on an instance at a time.
fn most_in_service(model: &Model) -> usize {
    match &model.service.model {
        service::Model::Slots(slots) => slots.concurrency as usize,
        service::Model::Shared(shared) => shared.concurrency as usize,
        service::Model::Batch(batch) => (batch.copies * batch.max_batch()) as usize,
        // Those that had to give way are in service too, while others take their places.
        service::Model::Llm(_) => usize::MAX,
    }
}

fn seconds(nanos: u128) -> f64 {
    nanos as f64 / 1e9
}

proptest! {
    #![proptest_config(config(2, 1500))]

    #[test]
    fn requests_are_conserved(mut model in scenarios(), first in prop::option::of(any::<prop::sample::Index>())) {
        let requests = requests(&model);
        if let Some(index) = first.filter(|_| !requests.is_empty()) {
            // The measured part begins the instant a request arrives, which is the first of it.
            model.warmup = Span::from_nanos(index.get(&requests).0);
        }
        let (outcome, heard) = run(&model, &requests, 100);
        let from = model.warmup.as_nanos();
        let since = |arrival: &u64| *arrival >= from;
        let counts = outcome.counts;
        prop_assert!(counts.conserved(), "{:?}", counts);
        prop_assert_eq!(counts.arrived, requests.iter().filter(|(arrival, _)| since(arrival)).count() as u64);
        prop_assert_eq!(counts.served, heard.served_from(from).count() as u64);
        prop_assert_eq!(counts.rejected, heard.rejected.iter().filter(|(at, _)| since(at)).count() as u64);
        prop_assert_eq!(counts.timed_out, heard.timed_out.iter().filter(|(at, _)| since(at)).count() as u64);
        prop_assert_eq!(counts.failed, heard.failed.iter().filter(|(at, _)| since(at)).count() as u64);
        prop_assert_eq!(counts.in_flight, heard.remaining(&requests).iter().filter(|at| since(at)).count() as u64);
    }

    /// Little's law as an identity (Stidham 1974): the time-integral of the requests in flight is the sum of the
    /// parts of their stays that lie in the window, whatever the window.
    #[test]
    fn littles_law_is_exact(model in scenarios()) {
        let requests = requests(&model);
        let (outcome, heard) = run(&model, &requests, 100);
        let (from, end) = (model.warmup.as_nanos(), model.duration.as_nanos());
        let remaining = heard.remaining(&requests);
        let stays = heard.stays().chain(remaining.iter().map(|arrival| (*arrival, end)));
        let within = |(arrival, left): (u64, u64)| u128::from(left.min(end).saturating_sub(arrival.max(from)));
        let stayed: u128 = stays.map(within).sum();
        let in_flight = outcome.integrals.waiting + outcome.integrals.in_service;
        prop_assert!(close(in_flight, seconds(stayed)), "{in_flight} for {}", seconds(stayed));
    }

    /// Little's law as users know it, L = λ W, in a window that cuts no stay off.
    #[test]
    fn littles_law_is_exact_in_a_closed_window(model in scenarios(), instances in 1_u32..5) {
        let requests = requests(&model);
        let model = until_empty(fixed(model.clone(), instances, model.dispatch.policy, model.dispatch.queue_capacity), &requests);
        let (outcome, _) = run(&model, &requests, 100);
        prop_assert_eq!(outcome.counts.in_flight, 0);
        let in_flight = (outcome.integrals.waiting + outcome.integrals.in_service) / outcome.measured_s;
        let rate = outcome.counts.served as f64 / outcome.measured_s;
        let law = rate * outcome.latency.mean().unwrap_or(0.0);
        prop_assert!(close(in_flight, law), "{in_flight} for {law}");
    }

    #[test]
    fn latency_is_wait_plus_service(model in scenarios()) {
        let requests = requests(&model);
        let (outcome, heard) = run(&model, &requests, 100);
        let mut needs = requests.clone();
        needs.sort_unstable();
        let mut got: Vec<(u64, u64)> = heard.served.iter().map(|r| (r.arrival, r.finish - r.start)).collect();
        got.sort_unstable();
        let mut needs = needs.into_iter();
        if matches!(model.service.model, service::Model::Slots(_)) {
            for request in &got {
                prop_assert!(needs.any(|need| need == *request), "{request:?} was not asked for");
            }
        }
        for Completion { arrival, start, finish, .. } in &heard.served {
            prop_assert!(arrival <= start && start <= finish && *finish <= model.duration.as_nanos());
        }
        let service: u128 = heard.served_from(model.warmup.as_nanos()).map(|r| u128::from(r.finish - r.start)).sum();
        prop_assert!(close(outcome.latency.sum_s(), outcome.wait.sum_s() + seconds(service)));
    }

    /// Counts, sums and extremes exactly; quantiles within a thousandth of an order statistic.
    #[test]
    fn digests_hold_what_was_heard(model in scenarios(), q in 0.0..1.0_f64) {
        let (outcome, heard) = run(&model, &requests(&model), 100);
        let from = model.warmup.as_nanos();
        let latencies = heard.served_from(from).map(|r| r.finish - r.arrival).collect();
        let waits = heard.served_from(from).map(|r| r.start - r.arrival).collect();
        for (digest, values) in [(&outcome.latency, latencies), (&outcome.wait, waits)] {
            let mut values: Vec<u64> = values;
            values.sort_unstable();
            prop_assert_eq!(digest.count(), values.len() as u64);
            prop_assert_eq!(digest.sum_s(), seconds(values.iter().map(|value| u128::from(*value)).sum()));
            prop_assert_eq!(digest.max(), values.last().map(|value| seconds(u128::from(*value))));
            let rank = ((q * values.len() as f64).ceil() as usize).max(1);
            if let Some(value) = values.get(rank - 1) {
                let (exact, found) = (seconds(u128::from(*value)), digest.quantile(q).unwrap());
                prop_assert!((found - exact).abs() <= exact * 1e-3, "{q}: {found} for {exact}");
            }
        }
        let slo = model.slo.map_or(u64::MAX, |slo| slo.latency.as_nanos());
        prop_assert_eq!(outcome.good, heard.served_from(from).filter(|r| r.finish - r.arrival <= slo).count() as u64);
    }

    /// The door before the instances is first in, first out, and none serves more at a time than it can.
    #[test]
    fn no_instance_serves_more_than_it_can_and_nobody_overtakes(model in scenarios()) {
        let (outcome, mut heard) = run(&model, &requests(&model), 100);
        if model.dispatch.policy == DispatchPolicy::CentralQueue {
            heard.served.sort_unstable_by_key(|request| (request.arrival, request.start));
            prop_assert!(heard.served.is_sorted_by_key(|request| request.start));
        }
        heard.served.sort_unstable_by_key(|request| (request.instance, request.start));
        for of_one in heard.served.chunk_by(|a, b| a.instance == b.instance) {
            let mut ends: Vec<u64> = of_one.iter().map(|request| request.finish).collect();
            ends.sort_unstable();
            for (index, request) in of_one.iter().enumerate() {
                let over = ends.partition_point(|end| *end <= request.start);
                // Requests that take no time are over the instant they start.
                let busy = (index + 1).saturating_sub(over);
                prop_assert!(busy <= most_in_service(&model), "{busy} at once on instance {}", request.instance);
            }
        }
        let capacity = outcome.integrals.ready * f64::from(outcome.slots);
        prop_assert!(outcome.integrals.work <= capacity * (1.0 + 1e-12));
        prop_assert!(outcome.integrals.busy <= outcome.integrals.in_service * (1.0 + 1e-12));
    }

    #[test]
    fn cost_is_billed_instance_time_times_price(mut model in scenarios()) {
        let requests = requests(&model);
        let rounded = run(&model, &requests, 100).0;
        let unit = model.cost.granularity + model.cost.minimum;
        (model.cost.granularity, model.cost.minimum) = (Span::ZERO, Span::ZERO);
        let exact = run(&model, &requests, 100).0;
        let time = exact.integrals;
        let used = match model.cost.billed_from {
            BilledFrom::Requested => time.starting + time.ready + time.draining,
            BilledFrom::Ready => time.ready + time.draining,
        };
        prop_assert!(close(exact.billed_hours * 3600.0, used), "{} for {used}", exact.billed_hours * 3600.0);
        prop_assert!(close(exact.cost, used / 3600.0 * model.cost.per_instance_hour));
        prop_assert_eq!(rounded.cost, rounded.billed_hours * model.cost.per_instance_hour);
        if model.warmup.is_zero() {
            // Each instance owes less than a unit more than it used, or the minimum.
            let most = used + rounded.started as f64 * unit.as_secs_f64();
            let billed = rounded.billed_hours * 3600.0;
            prop_assert!(billed >= used * (1.0 - 1e-12) && billed <= most * (1.0 + 1e-12), "{billed}: {used} to {most}");
        }
    }

    #[test]
    fn the_pool_stays_within_its_limits_and_follows_its_decisions(model in scenarios()) {
        let (outcome, _) = run(&model, &requests(&model), 100);
        let limits = model.autoscaler.limits();
        let within = limits.min..=limits.max;
        for window in &outcome.timeline {
            prop_assert!(within.contains(&window.desired) && within.contains(&window.ready), "{window:?}");
            prop_assert_eq!(window.ready + window.starting, window.desired);
        }
        prop_assert!(within.contains(&outcome.peak_ready));
        let mut desired = model.initial_instances();
        let (mut up, mut down) = (0, 0);
        for record in &outcome.decisions {
            prop_assert!(within.contains(&record.desired) && within.contains(&record.ready), "{record:?}");
            prop_assert_eq!(record.before, desired);
            desired = record.desired;
            if record.at.as_nanos() >= model.warmup.as_nanos() {
                up += u64::from(desired > record.before);
                down += u64::from(desired < record.before);
            }
        }
        prop_assert_eq!((outcome.actions.up, outcome.actions.down), (up, down));
        prop_assert!(outcome.actions.flaps <= up + down);
        let seconds = outcome.measured_s;
        prop_assert!(outcome.integrals.ready >= f64::from(limits.min) * seconds * (1.0 - 1e-12));
        prop_assert!(outcome.integrals.ready <= f64::from(limits.max) * seconds * (1.0 + 1e-12));
    }

    #[test]
    fn windows_add_up_to_the_run(mut model in scenarios()) {
        model.warmup = Span::ZERO;
        let (outcome, _) = run(&model, &requests(&model), 100);
        let windows = &outcome.timeline;
        let count = |of: fn(&kneepoint::internals::sim::Window) -> u64| windows.iter().map(of).sum::<u64>();
        prop_assert_eq!(count(|window| window.arrived), outcome.counts.arrived);
        prop_assert_eq!(count(|window| window.served), outcome.counts.served);
        prop_assert_eq!(count(|window| window.lost), outcome.counts.rejected + outcome.counts.failed);
        prop_assert_eq!(count(|window| window.good), outcome.good);
        let integral = |of: &dyn Fn(&kneepoint::internals::sim::Window) -> f64| {
            windows.iter().map(|window| of(window) * window.length_s).sum::<f64>()
        };
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
        prop_assert!(near(integral(&|_| 1.0), model.duration.as_secs_f64()));
        prop_assert!(near(integral(&|window| window.waiting), outcome.integrals.waiting));
        let in_flight = outcome.integrals.waiting + outcome.integrals.in_service;
        prop_assert!(near(integral(&|window| window.in_flight), in_flight));
        let latency = |window: &kneepoint::internals::sim::Window| window.latency_mean_s.unwrap_or(0.0) * window.served as f64;
        prop_assert!(near(windows.iter().map(latency).sum(), outcome.latency.sum_s()));
        prop_assert!(windows.iter().all(|window| window.utilization.is_none_or(|busy| (0.0..=1.0).contains(&busy))));
        // Windows too small to judge are judged together with those that follow.
        let allowed = model.slo.as_ref().and_then(|slo| slo.promises().next()).map(|promise| promise.allowed());
        let beyond_chance = |missed: u64, judged: u64| {
            allowed.is_some_and(|allowed| kneepoint::internals::stats::more_than_chance(missed, judged, allowed))
        };
        let (mut below, mut judged, mut missed, mut seconds) = (0.0, 0, 0, 0.0);
        for window in windows.iter().filter(|window| window.served + window.lost + window.overdue > 0) {
            let ended = window.served + window.lost + window.overdue;
            (judged, missed, seconds) = (judged + ended, missed + ended - window.good, seconds + window.length_s);
            if allowed.is_some() && !beyond_chance(1, judged) {
                below += if beyond_chance(missed, judged) { seconds } else { 0.0 };
                (judged, missed, seconds) = (0, 0, 0.0);
            }
        }
        below += if missed > 1 && beyond_chance(missed, judged) { seconds } else { 0.0 };
        prop_assert!(near(outcome.below_slo_s, below), "{} for {below}", outcome.below_slo_s);
    }

    #[test]
    fn a_run_does_not_depend_on_how_its_requests_are_fed(model in scenarios(), size in 1_usize..40) {
        let requests = requests(&model);
        let (outcome, heard) = run(&model, &requests, size);
        let (again, heard_again) = run(&model, &requests, 1024);
        prop_assert_eq!(everything(outcome), everything(again));
        prop_assert_eq!(heard.sorted(), heard_again.sorted());
    }

    /// With one instance there is nothing to choose: the central queue's engine and the routed ones are one.
    #[test]
    fn one_instance_serves_alike_under_every_policy(model in scenarios(), choices in 1_u32..4, capacity in prop::option::of(0_u64..5)) {
        let requests = requests(&model);
        let central = fixed(model.clone(), 1, DispatchPolicy::CentralQueue, capacity);
        let central = run(&central, &requests, 100);
        let (expected, heard) = (everything(central.0), central.1.sorted());
        for policy in [
            DispatchPolicy::RoundRobin,
            DispatchPolicy::Random,
            DispatchPolicy::LeastOutstanding,
            DispatchPolicy::PowerOfD(choices),
        ] {
            let routed = run(&fixed(model.clone(), 1, policy, capacity), &requests, 100);
            prop_assert_eq!(&everything(routed.0), &expected);
            prop_assert_eq!(&routed.1.sorted(), &heard);
        }
    }

    /// Waits in a first-come-first-served queue fall, for each request alike, as servers are added (Kiefer and
    /// Wolfowitz 1955: the ordered workloads of the greater pool are never above those of the smaller).
    #[test]
    fn another_instance_never_makes_a_request_wait_longer(model in scenarios(), instances in 1_u32..5) {
        let requests = requests(&model);
        let starts = |instances| {
            let model = fixed(slotted(model.clone()), instances, DispatchPolicy::CentralQueue, None);
            let (_, heard) = run(&until_empty(model, &requests), &requests, 100);
            // Equal arrivals start in order, so the n-th start belongs to the n-th request.
            let mut starts: Vec<(u64, u64)> = heard.served.iter().map(|r| (r.arrival, r.start)).collect();
            starts.sort_unstable();
            starts
        };
        let (fewer, more) = (starts(instances), starts(instances + 1));
        prop_assert_eq!(fewer.len(), more.len());
        for ((arrival, start), (_, earlier)) in fewer.into_iter().zip(more) {
            prop_assert!(earlier <= start, "{arrival} starts at {earlier} instead of {start}");
        }
    }

    /// With equal service times more room turns fewer requests away (with unequal ones this is false: a long request
    /// let in can keep several short ones out).
    #[test]
    fn a_longer_queue_turns_fewer_away(model in scenarios(), arrivals in arrivals(), service in 1_u64..20, capacity in 0_u64..6, instances in 1_u32..4) {
        let mut model = slotted(model);
        model.arrivals = arrivals;
        model.service.time = Durations(Distribution::constant(tenths(service).as_secs_f64()));
        let requests = requests(&model);
        let rejected = |capacity| {
            let model = fixed(model.clone(), instances, DispatchPolicy::CentralQueue, Some(capacity));
            run(&model, &requests, 100).1.rejected.len()
        };
        prop_assert!(rejected(capacity + 1) <= rejected(capacity));
    }

    /// A pool that nobody watches knows no time of day.
    #[test]
    fn a_run_shifted_in_time_is_the_same_run(mut model in scenarios(), shift in 0_u64..10_000_000_000, instances in 1_u32..4) {
        model.autoscaler = Autoscaler::fixed(instances);
        model.warmup = Span::ZERO;
        let requests = requests(&model);
        let later: Vec<_> = requests.iter().map(|(arrival, service)| (arrival + shift, *service)).collect();
        let (outcome, heard) = run(&model, &requests, 100);
        let (mut shifted, mut again) = {
            let mut model = model.clone();
            model.duration += Span::from_nanos(shift);
            run(&model, &later, 100)
        };
        for request in &mut again.served {
            (request.arrival, request.start, request.finish) = (request.arrival - shift, request.start - shift, request.finish - shift);
        }
        again.rejected.iter_mut().for_each(|(arrival, at)| (*arrival, *at) = (*arrival - shift, *at - shift));
        again.first_tokens.iter_mut().for_each(|(arrival, at)| (*arrival, *at) = (*arrival - shift, *at - shift));
        prop_assert_eq!(again.sorted(), heard.sorted());
        prop_assert_eq!(shifted.counts, outcome.counts);
        prop_assert_eq!(shifted.integrals.waiting, outcome.integrals.waiting);
        prop_assert_eq!(shifted.integrals.in_service, outcome.integrals.in_service);
        shifted.latency.merge(&outcome.latency);
        prop_assert_eq!(shifted.latency.max(), outcome.latency.max());
        prop_assert_eq!(shifted.latency.count(), 2 * outcome.latency.count());
    }

    /// The autoscaler looks, and decides the same, whatever the windows the run is drawn in.
    #[test]
    fn looking_changes_nothing(model in scenarios(), mark in 1_u64..60) {
        let requests = requests(&model);
        let (seen, heard) = run(&model, &requests, 100);
        let options = Options { mark_interval: tenths(mark), timeline: false, decisions: true };
        let mut simulation = Simulation::new(&model, STREAMS, &options, Requests::default());
        blocks(&requests, 100).for_each(|block| { simulation.feed(&block); });
        let (unseen, heard_again) = simulation.finish();
        prop_assert_eq!(heard.sorted(), heard_again.sorted());
        prop_assert_eq!(seen.decisions, unseen.decisions);
        prop_assert_eq!((seen.integrals, seen.cost, seen.counts), (unseen.integrals, unseen.cost, unseen.counts));
    }
}
