//! Random models of the pool: instances, dispatch, observation, autoscaler and cost.

use std::sync::Arc;

use kneepoint::internals::arrivals::Arrivals;
use kneepoint::internals::autoscaler::Autoscaler;
use kneepoint::internals::distribution::{Distribution, Durations};
use kneepoint::internals::schema::{Context, Tree};
use kneepoint::internals::service::{
    self, Batch, Contents, FromTrace, IterationLaw, Llm, Service, Shared, Slots,
};
use kneepoint::internals::sim::{
    BilledFrom, Client, Cost, Dispatch, DispatchPolicy, DrainPolicy, DynamoKv, GatewayRule, Idle, Instances,
    KnownBy, Metrics, Model, Picker, ScaleDownOrder, Scorers, Stage,
};
use kneepoint::internals::time::Span;
use proptest::prelude::*;

/// A metric as a scenario names it, `per` what, and the scale of its thresholds.
pub type Watched = (&'static str, &'static str, f64);

/// The metrics that are exact: all but the latency, which is read from a histogram.
pub const EXACT_METRICS: [Watched; 7] = [
    ("request_rate", "total", 6.0),
    ("request_rate", "instance", 3.0),
    ("in_flight", "total", 8.0),
    ("in_flight", "instance", 4.0),
    ("concurrency", "instance", 2.0),
    ("queue_length", "total", 4.0),
    ("utilization", "total", 1.0),
];

/// A multiple of 100 ms: coarse, so that instants coincide often.
pub fn tenths(n: u64) -> Span {
    Span::from_nanos(n * 100_000_000)
}

fn dispatch() -> impl Strategy<Value = Dispatch> {
    let policy = prop_oneof![
        3 => Just(DispatchPolicy::CentralQueue),
        1 => Just(DispatchPolicy::RoundRobin),
        1 => Just(DispatchPolicy::Random),
        1 => Just(DispatchPolicy::LeastOutstanding),
        1 => (1_u32..4).prop_map(DispatchPolicy::PowerOfD),
        2 => gateway().prop_map(DispatchPolicy::Gateway),
    ];
    let idle = prop_oneof![2 => Just(Idle::Longest), 1 => Just(Idle::Newest)];
    (policy, prop::option::of(0_u64..6), idle).prop_map(|(policy, queue_capacity, idle)| Dispatch {
        policy,
        queue_capacity,
        idle,
        ..Dispatch::default()
    })
}

fn gateway() -> impl Strategy<Value = GatewayRule> {
    let weight = || prop_oneof![2 => Just(0.0), 1 => Just(1.0), 1 => Just(3.0)];
    let picker = prop_oneof![2 => Just(Picker::MaxScore), 1 => Just(Picker::WeightedRandom)];
    let scorers = (prop::array::uniform7(weight()), picker).prop_map(|(weights, picker)| {
        let [queue, kv_cache, running, load_aware, token_load, active_request, prefix] = weights;
        GatewayRule::Scorers(Scorers {
            queue,
            kv_cache,
            running,
            load_aware,
            token_load,
            active_request,
            prefix,
            session: 0.0,
            no_hit: 0.0,
            prefix_index: KnownBy::Cached,
            picker,
        })
    });
    let dynamo = weight().prop_map(|prefill| GatewayRule::DynamoKv(DynamoKv { prefill }));
    prop_oneof![
        1 => Just(GatewayRule::LeastKvCache),
        1 => Just(GatewayRule::LeastWaiting),
        3 => scorers,
        2 => dynamo
    ]
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
            .map(|time| Stage { name: "stage".into(), time: Durations(time), cached_on_node: false })
            .collect::<Vec<_>>()
    });
    let victim = prop_oneof![
        Just(ScaleDownOrder::Newest),
        Just(ScaleDownOrder::Oldest),
        Just(ScaleDownOrder::LeastBusy)
    ];
    let leaving = prop_oneof![2 => Just(DrainPolicy::Finish), 1 => Just(DrainPolicy::Requeue)];
    (0_u32..4, cold_start, victim, prop::option::of(0_u64..50), leaving).prop_map(
        |(initial, cold_start, scale_down, deadline, leaving)| Instances {
            initial,
            cold_start,
            scale_down,
            drain_deadline: deadline.map(tenths),
            leaving,
            ..Instances::default()
        },
    )
}

fn autoscaler(metrics: Vec<Watched>) -> impl Strategy<Value = Autoscaler> {
    let metric = prop::sample::select(metrics);
    let loops = (
        metric,
        0.0..1.0_f64,
        0.0..1.0_f64,
        1_u64..30,
        0_u64..30,
        (0_u32..3, 0_u32..4),
        (1_u32..3, 0_u64..40, 1_u32..3),
    );
    let threshold = loops.prop_map(|((metric, per, scale), a, b, interval, phase, (min, more), (step, cooldown, breaches))| {
        let (below, above) = (a.min(b) * scale, a.max(b) * scale);
        let text = format!(
            "kind = \"threshold\"\nmetric = \"{metric}\"\nper = \"{per}\"\ninterval = \"{}ms\"\nphase = \"{}ms\"\n\
             min = {min}\nmax = {}\nup = {{ above = {above}, step = {step}, cooldown = \"{}ms\" }}\n\
             down = {{ below = {below}, step = \"40%\", breaches = {breaches} }}",
            interval * 100,
            phase * 100,
            (min + more).max(1),
            cooldown * 100
        );
        read_autoscaler(&text)
    });
    let target = ((0_u64..5, 0_u64..20, 1_u64..30), 0.2..3.0_f64).prop_map(|((min, phase, interval), target)| {
        let text = format!(
            "kind = \"target\"\nmetric = \"in_flight\"\ninterval = \"{interval}00ms\"\nphase = \"{phase}00ms\"\n\
             target = {target}\nmin = {min}\nmax = 6"
        );
        read_autoscaler(&text)
    });
    let setup = (0_u32..2, 1_u32..5, 0_u64..30).prop_map(|(min, max, keep)| {
        read_autoscaler(&format!("kind = \"setup\"\nmin = {min}\nmax = {max}\nkeep_alive = \"{keep}00ms\""))
    });
    let hysteresis = prop::sample::select(vec![
        "up = [2]\ndown = [0]",
        "up = [4, 8]\ndown = [1, 4]",
        "up = [3, 6, 9]\ndown = [0, 2, 4]",
        "up = [1, 2, 3]\ndown = [0, 1, 2]",
    ])
    .prop_map(|thresholds| read_autoscaler(&format!("kind = \"hysteresis\"\n{thresholds}")));
    prop_oneof![
        5 => threshold,
        1 => target,
        1 => setup,
        1 => hysteresis,
        1 => (1_u32..4).prop_map(Autoscaler::fixed),
    ]
}

fn read_autoscaler(text: &str) -> Autoscaler {
    Autoscaler::read(Tree::parse(text).unwrap().root(), "autoscaler", &Context::default()).unwrap()
}

/// Every service model.
fn service() -> impl Strategy<Value = service::Model> {
    let slots = (1_u32..4).prop_map(|concurrency| service::Model::Slots(Slots { concurrency }));
    // Speeds by a formula, and by a table that rises and falls.
    let speed = prop_oneof![
        (1.0..3.0_f64).prop_map(|cores| vec![1.0_f64.min(cores), 2.0_f64.min(cores), cores, cores, cores]),
        (0.0..1.5_f64).prop_map(|slowdown| (0..5)
            .map(|n| f64::from(n + 1) / (1.0 + slowdown * f64::from(n)))
            .collect()),
        prop::collection::vec(0.2..2.0_f64, 5),
    ];
    let shared = (1_u32..6, speed).prop_map(|(concurrency, speeds): (u32, Vec<f64>)| {
        service::Model::Shared(Shared::new(concurrency, |n| speeds[n as usize - 1]))
    });
    let preferred = prop::collection::btree_set(1_u32..6, 0..3);
    let batch = (1_u32..6, 1_u64..8, 0_u64..4, (1_u32..4, preferred, 0_u64..10)).prop_map(
        |(most, constant, slope, (copies, preferred, delay))| {
            let seconds = |size: u32| (constant + slope * u64::from(size)) as f64 / 10.0;
            let preferred = preferred.into_iter().filter(|size| *size <= most).collect();
            service::Model::Batch(Batch::new(most, seconds).with(copies, preferred, tenths(delay)))
        },
    );
    prop_oneof![3 => slots, 2 => shared, 2 => batch, 4 => llms().prop_map(service::Model::Llm)]
}

/// Engines of language models.
pub fn llms() -> impl Strategy<Value = Llm> {
    // In the second kind iterations end when other things happen too.
    let fine = (1_u64..301, 0_u64..20, 0_u64..30, 0_u64..3);
    let times = prop_oneof![2 => fine, 1 => (1_u64..4).prop_map(|n| (n * 100, 0, 0, 0))];
    let limits = (1_u32..6, 0_u32..12, 1_u32..6, prop::option::of(1_u64..12), 0_u32..3);
    // Attention of prompts, and a bend at the second sequence.
    let bends = (prop_oneof![Just(0.0), Just(40_000.0)], prop::option::of((0_u64..20, 0_u64..40)));
    let prefix_cache =
        prop::option::of((0_u64..12).prop_map(|common_tokens| Contents::Sessions { common_tokens }));
    (times, limits, bends, prefix_cache).prop_map(
        |(
            (fixed, prefill, sequence, kv),
            (max_sequences, more, block_tokens, blocks, hits),
            (attended, bend),
            prefix_cache,
        )| {
            let milli = 1_000_000;
            Llm {
                law: IterationLaw {
                    fixed: fixed * milli,
                    per_prefill_token: prefill * milli,
                    per_sequence: sequence * milli,
                    per_kv_token: kv * milli * 1000,
                    per_attended_twice: attended,
                    curve: bend.map(|(before, more)| Arc::from([0, before * milli, (before + more) * milli])),
                    ..IterationLaw::default()
                },
                max_sequences,
                token_budget: max_sequences + more,
                block_tokens,
                blocks: blocks.unwrap_or(u64::MAX),
                prefix_hit: if prefix_cache.is_some() { 0 } else { hits * 300 },
                prefix_cache,
                ..Llm::default()
            }
        },
    )
}

/// Models in which everything may vary but the requests, for autoscalers that watch one of `metrics`.
pub fn models(metrics: Vec<Watched>) -> impl Strategy<Value = Model> {
    let pipeline =
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
    (service(), instances(), dispatch(), pipeline, autoscaler(metrics), cost, 1_u64..400).prop_map(
        |(mut service, mut instances, mut dispatch, metrics, mut autoscaler, cost, duration)| {
            if !matches!(service, service::Model::Slots(_)) {
                // What only slots can do.
                instances.leaving = DrainPolicy::Finish;
            }
            if matches!(dispatch.policy, DispatchPolicy::Gateway(_))
                && !matches!(service, service::Model::Llm(_))
            {
                // A gateway looks at the engines of a language model.
                dispatch.policy = DispatchPolicy::Random;
            }
            if let service::Model::Batch(batch) = &mut service
                && autoscaler.is_reactive()
            {
                batch.max_delay = Span::ZERO;
            }
            if dispatch.policy != DispatchPolicy::CentralQueue {
                // What acts on a central queue only.
                dispatch.idle = Idle::Longest;
                instances.leaving = DrainPolicy::Finish;
                if autoscaler.is_reactive() {
                    autoscaler = Autoscaler::fixed(2);
                }
            }
            Model {
                arrivals: Arrivals::poisson(1.0),
                service: Service {
                    in_sessions: None,
                    from_trace: FromTrace::default(),
                    time: Durations(Distribution::constant(1.0)),
                    tokens: None,
                    model: service,
                    fit_error: None,
                },
                instances,
                dispatch,
                client: Client::default(),
                metrics,
                autoscaler,
                cost,
                slo: None,
                duration: tenths(duration),
                warmup: Span::ZERO,
                decode: None,
            }
        },
    )
}
