//! The fast engine against the slow obvious one: the same requests must start and finish at the same instants.

mod oracle;

use kneepoint::arrivals::Arrivals;
use kneepoint::autoscaler::{Autoscaler, Fixed};
use kneepoint::distribution::{Distribution, Durations};
use kneepoint::random::Streams;
use kneepoint::schema::{Context, Tree};
use kneepoint::service::{self, Service, Slots};
use kneepoint::sim::{
    BilledFrom, Block, Cost, Dispatch, DispatchPolicy, Idle, Instances, Leaving, Metrics, Model, Options,
    Served, Simulation, Sink, Stage, Victim,
};
use kneepoint::time::Span;
use oracle::{Course, Fate};
use proptest::prelude::*;

/// Hears everything.
#[derive(Debug, Default)]
struct Ear(Vec<(u64, Fate)>);

impl Sink for Ear {
    fn served(&mut self, request: Served) {
        let Served { arrival, start, finish, instance, class: _ } = request;
        self.0.push((arrival, Fate::Served { start, finish, instance }));
    }
    fn rejected(&mut self, arrival: u64) {
        self.0.push((arrival, Fate::Rejected));
    }
    fn timed_out(&mut self, arrival: u64, at: u64) {
        self.0.push((arrival, Fate::TimedOut { at }));
    }
    fn failed(&mut self, arrival: u64, at: u64) {
        self.0.push((arrival, Fate::Failed { at }));
    }
}

const STREAMS: Streams = Streams::new(11, 3);

/// A multiple of 100 ms: coarse, so that instants coincide often.
fn tenths(n: u64) -> Span {
    Span::from_nanos(n * 100_000_000)
}

fn dispatch() -> impl Strategy<Value = Dispatch> {
    let policy = prop_oneof![
        3 => Just(DispatchPolicy::CentralQueue),
        1 => Just(DispatchPolicy::RoundRobin),
        1 => Just(DispatchPolicy::Random),
        1 => Just(DispatchPolicy::LeastOutstanding),
        1 => (1_u32..4).prop_map(DispatchPolicy::PowerOfD),
    ];
    let idle = prop_oneof![2 => Just(Idle::Longest), 1 => Just(Idle::Newest)];
    (policy, prop::option::of(0_u64..6), idle).prop_map(|(policy, queue_capacity, idle)| Dispatch {
        policy,
        queue_capacity,
        idle: if policy == DispatchPolicy::CentralQueue { idle } else { Idle::Longest },
        ..Dispatch::default()
    })
}

fn instances() -> impl Strategy<Value = Instances> {
    let stage = prop_oneof![
        Just(Distribution::constant(0.0)),
        (1_u64..40).prop_map(|n| Distribution::constant(n as f64 / 10.0)),
        Just(Distribution::exponential(2.0)),
    ];
    let cold_start = prop::collection::vec(stage, 0..3).prop_map(|stages| {
        stages
            .into_iter()
            .map(|time| Stage { name: "stage".into(), time: Durations(time) })
            .collect::<Vec<_>>()
    });
    let victim = prop_oneof![Just(Victim::Newest), Just(Victim::Oldest), Just(Victim::LeastBusy)];
    (0_u32..4, cold_start, victim, prop::option::of(0_u64..50)).prop_map(
        |(initial, cold_start, scale_down, deadline)| Instances {
            initial,
            cold_start,
            scale_down,
            drain_deadline: deadline.map(tenths),
            leaving: Leaving::Finish,
        },
    )
}

fn autoscaler() -> impl Strategy<Value = Autoscaler> {
    let metric = prop_oneof![
        Just(("request_rate", "total", 6.0)),
        Just(("request_rate", "instance", 3.0)),
        Just(("in_flight", "total", 8.0)),
        Just(("in_flight", "instance", 4.0)),
        Just(("concurrency", "instance", 2.0)),
        Just(("queue_length", "total", 4.0)),
        Just(("utilization", "total", 1.0)),
    ];
    let loops = (
        metric,
        0.0..1.0_f64,
        0.0..1.0_f64,
        1_u64..30,
        0_u64..30,
        (0_u32..3, 0_u32..4),
        (1_u32..3, 0_u64..40),
    );
    let threshold = loops.prop_map(|((metric, per, scale), a, b, interval, phase, (min, more), (step, cooldown))| {
        let (below, above) = (a.min(b) * scale, a.max(b) * scale);
        let text = format!(
            "kind = \"threshold\"\nmetric = \"{metric}\"\nper = \"{per}\"\ninterval = \"{}ms\"\nphase = \"{}ms\"\n\
             min = {min}\nmax = {}\nup = {{ above = {above}, step = {step}, cooldown = \"{}ms\" }}\n\
             down = {{ below = {below}, step = \"40%\" }}",
            interval * 100,
            phase * 100,
            (min + more).max(1),
            cooldown * 100
        );
        let context = Context::default();
        Autoscaler::read(Tree::parse(&text).unwrap().root(), "autoscaler", &context).unwrap()
    });
    prop_oneof![
        5 => threshold,
        1 => (1_u32..4).prop_map(|instances| Autoscaler::Fixed(Fixed { instances })),
    ]
}

fn models() -> impl Strategy<Value = Model> {
    let metrics =
        (1_u64..20, 0_u64..10, 0_u64..60, 0_u64..30).prop_map(|(interval, phase, window, delay)| Metrics {
            scrape_interval: tenths(interval),
            phase: tenths(phase),
            window: tenths(window),
            delay: tenths(delay),
        });
    let billed_from = prop_oneof![Just(BilledFrom::Requested), Just(BilledFrom::Ready)];
    let cost = (billed_from, 0_u64..30, 0_u64..50).prop_map(|(billed_from, granularity, minimum)| Cost {
        per_instance_hour: 3.6,
        currency: "USD".into(),
        billed_from,
        granularity: tenths(granularity),
        minimum: tenths(minimum),
    });
    (1_u32..4, instances(), dispatch(), metrics, autoscaler(), cost, 1_u64..400).prop_map(
        |(concurrency, instances, dispatch, metrics, autoscaler, cost, duration)| Model {
            arrivals: Arrivals::poisson(1.0),
            service: Service {
                time: Durations(Distribution::constant(1.0)),
                model: service::Model::Slots(Slots { concurrency }),
            },
            instances,
            dispatch,
            metrics,
            autoscaler,
            cost,
            slo: None,
            duration: tenths(duration),
            warmup: Span::ZERO,
        },
    )
}

/// Requests as `(arrival, service)`, often at coinciding instants.
fn requests() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..8, 0_u64..25), 0..120).prop_map(|gaps| {
        let mut now = Span::ZERO;
        gaps.into_iter()
            .map(|(gap, service)| {
                now += tenths(gap);
                (now.as_nanos(), tenths(service).as_nanos())
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_engine_agrees_with_the_obvious_one(model in models(), requests in requests(), cut in 1_usize..50) {
        let options = Options { mark_interval: tenths(7), timeline: true, decisions: true };
        let mut simulation = Simulation::new(&model, STREAMS, &options, Ear::default());
        for part in requests.chunks(cut) {
            let (arrival, service) = part.iter().copied().unzip();
            simulation.feed(&Block { arrival, service, ..Block::default() });
        }
        let (outcome, Ear(mut heard)) = simulation.finish();
        let course: Course = oracle::run(&model, STREAMS, &requests);

        let mut expected = course.requests.clone();
        let unfinished = expected.iter().filter(|(_, fate)| *fate == Fate::InFlight).count();
        expected.retain(|(_, fate)| *fate != Fate::InFlight);
        heard.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(heard, expected);
        prop_assert_eq!(outcome.counts.in_flight, unfinished as u64);
        prop_assert!(outcome.counts.conserved());

        let decisions: Vec<_> = outcome
            .decisions
            .iter()
            .map(|record| (record.at.as_nanos(), record.observed, record.decision.desired))
            .collect();
        prop_assert_eq!(decisions, course.decisions);

        let seconds = |nanos: u128| nanos as f64 / 1e9;
        prop_assert_eq!(outcome.integrals.waiting, seconds(course.waiting));
        prop_assert_eq!(outcome.integrals.in_service, seconds(course.in_service));
        prop_assert_eq!(outcome.integrals.busy, seconds(course.busy));
        prop_assert_eq!(outcome.integrals.starting, seconds(course.starting));
        prop_assert_eq!(outcome.integrals.ready, seconds(course.ready));
        prop_assert_eq!(outcome.integrals.draining, seconds(course.draining));
        prop_assert_eq!(outcome.billed_hours, course.billed as f64 / 3.6e12);
    }
}
