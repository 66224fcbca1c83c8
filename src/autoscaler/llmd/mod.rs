//! The workload variant autoscaler of llm-d: one replica more when the replicas of a model are close to saturation, one
//! fewer when the others would have room for its load.
//!
//! llm-d workload-variant-autoscaler at b08b1c7: the token-capacity analyzer ([`tokens`]), which is the default from 0.9 on, or
//! with `release = "0.8"` the saturation analyzer V1 (`internal/saturation`), each with the defaults of its ConfigMap (`deploy/configmap-saturation-scaling.yaml`) and collector (the greatest value of the last minute:
//! `max_over_time[1m]`). In a simulation the pool is a model with one variant; `kneepoint replay` takes several.
//!
//! The controller publishes its number for an HPA or KEDA to follow. Here it takes effect at once.

mod explain;
mod inventory;
pub(super) mod manifest;
mod replay;
mod saturation;
mod targets;
mod tokens;

use super::{
    Explanation, InstanceState, Limits, MetricsDefaults, Observation, PHASE, Policy, PolicyContext, Replay,
    Role, Schedule, Scrape, Settings, Signal, TokenContext, Watched,
};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};
use crate::units::show_span;
use inventory::Inventory;
use saturation::{Analysis, Group, Load, Thresholds};
use targets::{Variant, Verdict};
use tokens::analysis::{Memory, Rules, SchedulerQueue, TokenAnalysis, Variant as TokenVariant};
use tokens::capacity::{Engine, Replica};
use tokens::pipeline::{SizedVariant, optimize};

/// The one variant of a simulation.
const POOL: &str = "pool";

const KV_CACHE_THRESHOLD: Key<f64> = Key::or(
    "kv_cache_threshold",
    "0.8",
    "Share of its KV cache in use from which on an instance is saturated. Services other than `llm` have none in use.",
)
.at_least(0.0)
.at_most(1.0);
const QUEUE_LENGTH_THRESHOLD: Key<f64> = Key::or(
    "queue_length_threshold",
    "5",
    "Requests waiting at an instance from which on it is saturated. What waits in a central queue counts as spread evenly \
     over the ready instances.",
)
.at_least(0.0);
const KV_SPARE_TRIGGER: Key<f64> = Key::or(
    "kv_spare_trigger",
    "0.1",
    "One more instance is asked for when those not saturated are on average closer than this to `kv_cache_threshold`.",
)
.at_least(0.0)
.at_most(1.0);
const QUEUE_SPARE_TRIGGER: Key<f64> = Key::or(
    "queue_spare_trigger",
    "3",
    "One more instance is asked for when those not saturated are on average closer than this to `queue_length_threshold`.",
)
.at_least(0.0);
const SCALE_UP_THRESHOLD: Key<f64> = Key::or(
    "scale_up_threshold",
    "0.85",
    "Share of the capacity that demand may take, in tokens; above it more instances are asked for. From 0.9 on.",
)
.above(0.0);
const SCALE_DOWN_BOUNDARY: Key<f64> = Key::or(
    "scale_down_boundary",
    "0.7",
    "Share of the capacity that is left to demand, in tokens; what is spare beyond it is given up. From 0.9 on.",
)
.above(0.0);
const RELEASE: Key<Release> = Key::or("release", "\"newest\"", "Whose analyzer.");
const INTERVAL: Key<Span> = Key::or("interval", "\"60s\"", "Time between two evaluations.").at_least(1e-3);
const METRICS_WINDOW: Key<Span> = Key::or(
    "metrics_window",
    "\"1m\"",
    "KV-cache use and queue of an instance are the maxima of its scrapes within this time.",
);
const RETENTION_PERIOD: Key<Span> = Key::or(
    "retention_period",
    "\"10m\"",
    "With min = 0, all instances go when no request has come for this long.",
)
.above(0.0);
const GPUS: Key<Option<u32>> = Key::optional(
    "gpus",
    "GPUs of the model's type that there are, those in use among them: the limiter lets the pool grow by what is free, in whole \
     replicas. Without it there is no limiter. From 0.9 on.",
);
const GPUS_PER_REPLICA: Key<u32> =
    Key::or("gpus_per_replica", "1", "GPUs that an instance takes of `gpus`.").at_least(1.0);
const MIN: Key<u32> = Key::or(
    "min",
    "1",
    "Minimum instances. With 0 the pool scales to zero; a buffered request then scales it up at once.",
);
const MAX: Key<u32> = Key::required("max", "Maximum instances.").at_least(1.0);

/// `kind = "llm_d"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "llm_d",
    doc: "The workload variant autoscaler of llm-d. From 0.9 on it sizes the pool by tokens: those held and waiting against those \
          that the instances can hold; it needs a service of the model `llm` with a KV cache. Before (`release = \"0.8\"`) it asks \
          for one instance more when the instances have little room left in KV cache or queue, one fewer when the others would keep \
          enough room, and nothing while a change is on its way.",
    keys: &[
        &KV_CACHE_THRESHOLD,
        &QUEUE_LENGTH_THRESHOLD,
        &KV_SPARE_TRIGGER,
        &QUEUE_SPARE_TRIGGER,
        &SCALE_UP_THRESHOLD,
        &SCALE_DOWN_BOUNDARY,
        &RELEASE,
        &INTERVAL,
        &PHASE,
        &METRICS_WINDOW,
        &RETENTION_PERIOD,
        &GPUS,
        &GPUS_PER_REPLICA,
        &MIN,
        &MAX,
    ],
};

/// Whose analyzer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
    Newest,
    V0_8,
}

impl Choice for Release {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("newest", Release::Newest, "0.9 and later: the token-capacity analyzer (V2)"),
        ("0.8", Release::V0_8, "the saturation analyzer (V1), by shares of the cache and queues"),
    ];
}

impl Value for Release {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Llmd {
    schedule: Schedule,
    release: Release,
    thresholds: Thresholds,
    rules: Rules,
    metrics_window: Span,
    retention_period: Span,
    inventory: Option<Inventory>,
    limits: Limits,
}

pub(super) fn read(reader: &Reader<'_>) -> Result<Llmd, Problem> {
    let per_replica = reader.get(&GPUS_PER_REPLICA)?;
    let inventory = reader.find(&GPUS)?.map(|gpus| Inventory { gpus, per_replica });
    if inventory.is_some() && reader.get(&RELEASE)? == Release::V0_8 {
        return Err(reader.problem("gpus", "llm-d before 0.9 has no limiter", "expected `max` alone"));
    }
    Ok(Llmd {
        inventory,
        schedule: Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? },
        release: reader.get(&RELEASE)?,
        rules: Rules {
            kv_cache_threshold: reader.get(&KV_CACHE_THRESHOLD)?,
            queue_length_threshold: reader.get(&QUEUE_LENGTH_THRESHOLD)?,
            scale_up_threshold: reader.get(&SCALE_UP_THRESHOLD)?,
            scale_down_boundary: reader.get(&SCALE_DOWN_BOUNDARY)?,
        },
        thresholds: Thresholds {
            kv_cache_threshold: reader.get(&KV_CACHE_THRESHOLD)?,
            queue_length_threshold: reader.get(&QUEUE_LENGTH_THRESHOLD)?,
            kv_spare_trigger: reader.get(&KV_SPARE_TRIGGER)?,
            queue_spare_trigger: reader.get(&QUEUE_SPARE_TRIGGER)?,
        },
        metrics_window: reader.get(&METRICS_WINDOW)?,
        retention_period: reader.get(&RETENTION_PERIOD)?,
        limits: Limits::read(reader, &MIN, &MAX)?,
    })
}

impl Settings for Llmd {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        MetricsDefaults { window: self.metrics_window, ..MetricsDefaults::DEFAULT }
    }
    fn watched(&self) -> Vec<Watched> {
        if self.release == Release::Newest {
            return Vec::new();
        }
        let Thresholds { kv_cache_threshold, queue_length_threshold, kv_spare_trigger, queue_spare_trigger } =
            self.thresholds;
        let of_system = |key: &Key<f64>, signal, target| Watched {
            role: Role::Up,
            is_of_system: true,
            ..Watched::new(key.name(), signal, target)
        };
        vec![
            of_system(&KV_CACHE_THRESHOLD, Signal::KvCache, kv_cache_threshold - kv_spare_trigger),
            of_system(
                &QUEUE_LENGTH_THRESHOLD,
                Signal::QueueLength,
                queue_length_threshold - queue_spare_trigger,
            ),
        ]
    }
    fn aims(&self) -> Vec<String> {
        let Rules { scale_up_threshold, scale_down_boundary, .. } = self.rules;
        match self.release {
            Release::Newest => vec![format!(
                "tokens held and waiting against {scale_up_threshold} (`scale_up_threshold`) of the tokens that the instances can \
                 hold; what is spare beyond {scale_down_boundary} of it (`scale_down_boundary`) is given up"
            )],
            Release::V0_8 => Vec::new(),
        }
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn watches_instances(&self) -> bool {
        true
    }
    fn wakes(&self) -> bool {
        self.limits.min == 0
    }
    fn counts_tokens(&self) -> bool {
        self.release == Release::Newest
    }
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        Box::new(LlmdPolicy::new(*self, start.tokens))
    }
    fn replay(&self) -> Box<dyn Replay> {
        match self.release {
            Release::Newest => Box::new(tokens::replay::TokenReplay::new(self.rules, self.limits)),
            Release::V0_8 => Box::new(replay::Replayed(*self)),
        }
    }
}

/// What one instance reported at a scrape.
#[derive(Debug, Clone, Copy)]
struct Report {
    at: Instant,
    id: u32,
    kv_cache: f64,
    queue: f64,
}

/// The policy at work.
#[derive(Debug, Clone)]
struct LlmdPolicy {
    settings: Llmd,
    /// Reports within the metrics window, in time order.
    reports: Vec<Report>,
    /// The most each ready instance has reported of both, and their loads; kept for their memory.
    greatest: Vec<(u32, Option<(f64, f64)>)>,
    loads: Vec<Load>,
    last_request: Instant,
    found: LlmdEvaluation,
    /// What is known of the cache and the tokens of requests; with it and `memory` the token-capacity analyzer works.
    tokens: Option<TokenContext>,
    memory: Memory,
    /// Requests that wait before they have an instance, at the last scrape.
    central: u64,
    /// What the token-capacity analyzer found, of which pool, and the instances it asks for before the limits.
    counted: (TokenAnalysis, TokenVariant, u32),
    /// Where the limiter gave fewer: the instances that it gave, and the GPUs that were free.
    limited: Option<(u32, u32)>,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, Default)]
struct LlmdEvaluation {
    analysis: Analysis,
    group: Group,
    seen: Seen,
    because: Because,
    desired: u32,
}

/// The pool as it was found.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    existing: u32,
    ready: u32,
    desired: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    Woken,
    Idle,
    Judged(Verdict),
    Counted,
}

impl Default for Because {
    fn default() -> Self {
        Because::Judged(Verdict::NoMetrics)
    }
}

impl LlmdPolicy {
    fn new(settings: Llmd, tokens: Option<TokenContext>) -> LlmdPolicy {
        LlmdPolicy {
            settings,
            reports: Vec::new(),
            greatest: Vec::new(),
            loads: Vec::new(),
            last_request: Instant::ZERO,
            found: LlmdEvaluation::default(),
            tokens,
            memory: Memory::default(),
            central: 0,
            counted: Default::default(),
            limited: None,
        }
    }

    /// The instances that the token-capacity analyzer asks for.
    fn count(&mut self, now: Instant, tokens: TokenContext) -> u32 {
        let Seen { existing, ready, .. } = self.found.seen;
        let pool = TokenVariant {
            name: POOL.to_owned(),
            cost: 1.0,
            current: existing,
            pending: existing.saturating_sub(ready),
            engine: Engine { token_budget: tokens.token_budget, max_sequences: tokens.max_sequences },
            cache: tokens.cache,
            ..TokenVariant::default()
        };
        let replica = |load: &Load| Replica {
            variant: POOL,
            in_use: load.kv_usage.unwrap_or(0.0) * tokens.cache,
            cache: tokens.cache,
            waiting: load.queue.unwrap_or(0.0),
            prompt: tokens.prompt,
            output: tokens.output,
            prefix_hit: tokens.prefix_hit,
        };
        let replicas: Vec<Replica<'_>> = self.loads.iter().map(replica).collect();
        let queue = SchedulerQueue { size: self.central as f64, bytes: 0.0 };
        let pools = [pool];
        let analysis = self.memory.analyse(&self.settings.rules, &pools, &replicas, Some(queue), now);
        let [pool] = pools;
        let choice = SizedVariant { cost: pool.cost, current: existing, capacity: analysis.capacities[0] };
        let wanted = optimize(&[choice], analysis.required, analysis.spare)[0];
        self.counted = (analysis, pool, wanted);
        wanted
    }

    /// Drops the reports that the metrics window at `now` does not reach.
    fn forget(&mut self, now: Instant) {
        let window = self.settings.metrics_window;
        let old = self.reports.partition_point(|report| report.at + window < now);
        self.reports.drain(..old);
    }

    /// The greatest values of each ready instance within the metrics window, for those that have reported.
    fn gather(&mut self, now: Instant, observation: &Observation<'_>) {
        self.forget(now);
        let ready = observation.instances.iter().filter(|view| view.state == InstanceState::Ready);
        self.greatest.clear();
        self.greatest.extend(ready.map(|view| (view.id, None)));
        // One scrape after the other, each by number, as the instances are.
        let (mut index, mut before) = (0, 0);
        for report in &self.reports {
            if report.id <= before {
                index = 0;
            }
            before = report.id;
            while self.greatest.get(index).is_some_and(|(id, _)| *id < report.id) {
                index += 1;
            }
            if let Some((id, greatest)) = self.greatest.get_mut(index)
                && *id == report.id
            {
                let (kv, queue) = greatest.unwrap_or((0.0, 0.0));
                *greatest = Some((report.kv_cache.max(kv), report.queue.max(queue)));
            }
        }
        let load = |(kv, queue)| Load { kv_usage: Some(kv), queue: Some(queue) };
        self.loads.clear();
        self.loads.extend(self.greatest.iter().filter_map(|(_, greatest)| greatest.map(load)));
    }

    fn variant(&self) -> Variant<'static> {
        let LlmdEvaluation { group, seen: Seen { existing, ready, desired }, .. } = self.found;
        Variant {
            name: POOL,
            cost: 1.0,
            reporting: Some(group.replicas).filter(|reporting| *reporting > 0),
            current: existing,
            desired,
            pending: existing.saturating_sub(ready),
        }
    }

    /// The instances wanted, and why.
    fn judge(&mut self, now: Instant, held: u64) -> (u32, Because) {
        let Llmd { thresholds, limits, retention_period, .. } = self.settings;
        if self.found.seen.desired == 0 && held > 0 {
            return (limits.min.max(1), Because::Woken);
        }
        if limits.min == 0 && held == 0 && now >= self.last_request + retention_period {
            return (0, Because::Idle);
        }
        if let Some(tokens) = self.tokens.filter(|_| self.settings.release == Release::Newest) {
            let wanted = self.count(now, tokens);
            let existing = self.found.seen.existing;
            let given = self.settings.inventory.map(|inventory| inventory.limit(POOL, existing, wanted));
            self.limited = given.filter(|(given, _)| *given < wanted);
            let given = self.limited.map_or(wanted, |(given, _)| given);
            return (given.clamp(limits.min, limits.max), Because::Counted);
        }
        let group = Group::of(self.loads.iter().copied(), &thresholds);
        let analysis = Analysis::of(std::iter::once(group), &thresholds);
        (self.found.group, self.found.analysis) = (group, analysis);
        let variant = self.variant();
        let verdict =
            Verdict::of(std::slice::from_ref(&variant), analysis.scale_up(), analysis.scale_down_safe);
        (verdict.target(0, &variant).clamp(limits.min, limits.max), Because::Judged(verdict))
    }
}

impl Policy for LlmdPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        if sample.arrived > 0 || sample.in_flight_now > 0 {
            self.last_request = sample.at;
        }
        let own: u64 = sample.instances.iter().map(|instance| instance.waiting_now).sum();
        self.central = sample.waiting_now.saturating_sub(own);
        // The token-capacity analyzer counts what waits in the scheduler apart.
        let share = match self.settings.release {
            Release::Newest => 0.0,
            Release::V0_8 => self.central as f64 / sample.instances.len().max(1) as f64,
        };
        self.forget(sample.at);
        self.reports.extend(sample.instances.iter().map(|instance| Report {
            at: sample.at,
            id: instance.id,
            kv_cache: instance.kv_cache,
            queue: instance.waiting_now as f64 + share,
        }));
    }

    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let Observation { desired, existing, ready, held, .. } = *observation;
        self.found = LlmdEvaluation { seen: Seen { existing, ready, desired }, ..LlmdEvaluation::default() };
        self.gather(now, observation);
        let (desired, because) = self.judge(now, held);
        (self.found.desired, self.found.because) = (desired, because);
        desired
    }

    fn explain(&self) -> Explanation {
        let LlmdEvaluation { analysis, group, because, desired, .. } = self.found;
        let reason = match because {
            Because::Woken => format!("requests buffered: scale up from zero to {desired}"),
            Because::Idle => {
                format!("no request for {}: to zero", show_span(self.settings.retention_period))
            }
            Because::Counted => {
                let (analysis, pool, wanted) = &self.counted;
                let pool = std::slice::from_ref(pool);
                let given = self.limited.map_or(*wanted, |(given, _)| given);
                let limiter = self.limited.zip(self.settings.inventory).map(|((given, free), inventory)| {
                    format!("; {free} of {} GPUs are free: limited to {given}", inventory.gpus)
                });
                tokens::words::reason(&self.settings.rules, analysis, pool, &[*wanted])
                    + &limiter.unwrap_or_default()
                    + &self.settings.limits.words(given)
            }
            Because::Judged(verdict) => {
                let variant = self.variant();
                let thresholds = &self.settings.thresholds;
                explain::reason(verdict, &analysis, thresholds, std::slice::from_ref(&variant))
                    + &self.settings.limits.words(verdict.target(0, &variant))
            }
        };
        let figures = match because {
            Because::Counted => tokens::words::figures(&self.counted.0),
            _ => explain::figures(&analysis).into(),
        };
        let (metric, observed, target) = match because {
            // The share of what the instances can hold that demand takes.
            Because::Counted if self.counted.0.anticipated > 0.0 => (
                "kv_cache",
                Some(self.counted.0.demand / self.counted.0.anticipated),
                Some(self.settings.rules.scale_up_threshold),
            ),
            Because::Counted => ("kv_cache", None, None),
            // The cache counts beside it.
            _ => ("queue_length", Some(group.max_queue), None),
        };
        Explanation { metric, observed, target, figures, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::{InstanceScrape, InstanceView};
    use crate::service::{EngineRole, SteadyIterations};

    const DEFAULT: Llmd = Llmd {
        schedule: Schedule { interval: Span::from_secs(60), phase: Span::ZERO },
        release: Release::V0_8,
        rules: Rules {
            kv_cache_threshold: 0.8,
            queue_length_threshold: 5.0,
            scale_up_threshold: 0.85,
            scale_down_boundary: 0.7,
        },
        thresholds: Thresholds {
            kv_cache_threshold: 0.8,
            queue_length_threshold: 5.0,
            kv_spare_trigger: 0.1,
            queue_spare_trigger: 3.0,
        },
        metrics_window: Span::from_secs(60),
        retention_period: Span::from_secs(600),
        inventory: None,
        limits: Limits { min: 1, max: 10 },
    };

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    fn new_policy(settings: Llmd) -> LlmdPolicy {
        let (cache, token_budget, max_sequences) = (16_000.0, 0.0, 0.0);
        let (prompt, output, prefix_hit) = (100.0, 50.0, 0.0);
        let iterations =
            SteadyIterations { fixed_s: 0.01, prefill_s: 0.01, decode_s: 0.01, prompt_iterations: 1.0 };
        let role = EngineRole::Whole;
        let tokens =
            TokenContext { cache, token_budget, max_sequences, prompt, output, prefix_hit, role, iterations };
        LlmdPolicy::new(settings, Some(tokens))
    }

    /// A scrape at `seconds` of the instances 0, 1, … with these queues, and `central` waiting at the door.
    fn scrape(policy: &mut LlmdPolicy, seconds: u64, queues: &[u64], central: u64) {
        let instance = |(id, queue): (u32, &u64)| InstanceScrape {
            id,
            measured: Span::from_secs(15),
            service_seconds: 15.0,
            busy_seconds: 15.0,
            in_service_now: 1,
            waiting_now: *queue,
            kv_cache: 0.2,
        };
        let instances: Vec<InstanceScrape> = (0..).zip(queues).map(instance).collect();
        let waiting = queues.iter().sum::<u64>() + central;
        policy.scrape(&Scrape {
            tokens: [0; 2],
            at: at(seconds),
            since: at(seconds - 15),
            arrived: waiting,
            in_flight: waiting as f64,
            waiting: waiting as f64,
            in_service: 1.0,
            in_flight_now: waiting,
            waiting_now: waiting,
            held_now: 0,
            in_service_now: 1,
            slots: 1.0,
            work: 1.0,
            ready: queues.len() as u32,
            existing: queues.len() as u32,
            instances: &instances,
            times: None,
        });
    }

    fn decide(policy: &mut LlmdPolicy, seconds: u64, ready: u32, starting: u32) -> u32 {
        let view = |id: u32| InstanceView {
            id,
            state: if id < ready { InstanceState::Ready } else { InstanceState::Starting },
            requested: Instant::ZERO,
            ready: (id < ready).then_some(Instant::ZERO),
        };
        let instances: Vec<InstanceView> = (0..ready + starting).map(view).collect();
        let existing = ready + starting;
        let observation =
            Observation { desired: existing, existing, ready, held: 0, metric: None, instances: &instances };
        policy.decide(at(seconds), &observation)
    }

    #[test]
    fn the_longest_queue_of_the_last_minute_counts() {
        let mut policy = new_policy(DEFAULT);
        scrape(&mut policy, 15, &[4, 4], 0);
        scrape(&mut policy, 30, &[0, 0], 0);
        assert_eq!(decide(&mut policy, 60, 2, 0), 3);
        let expected = "room for 1 request in the queue on average, less than 3: one more, to 3";
        assert_eq!(policy.explain().reason, expected);
        scrape(&mut policy, 90, &[0, 0], 0);
        assert_eq!(decide(&mut policy, 120, 2, 0), 1, "what was longer ago is forgotten");
    }

    #[test]
    fn what_waits_in_a_central_queue_is_spread_over_the_instances() {
        let mut policy = new_policy(DEFAULT);
        scrape(&mut policy, 60, &[0, 0], 5);
        assert_eq!((decide(&mut policy, 60, 2, 0), policy.found.group.max_queue), (3, 2.5));
    }

    #[test]
    fn an_instance_that_has_not_reported_makes_it_wait() {
        let mut policy = new_policy(DEFAULT);
        scrape(&mut policy, 60, &[4, 4], 0);
        assert_eq!(decide(&mut policy, 60, 2, 1), 3);
        let expected = "3 exist but 2 report: a change is on its way, so stay at 3";
        assert_eq!(policy.explain().reason, expected);
    }

    #[test]
    fn a_pool_without_requests_goes_to_zero_only_where_it_may() {
        let may = Llmd { limits: Limits { min: 0, max: 10 }, ..DEFAULT };
        let mut policy = new_policy(may);
        scrape(&mut policy, 60, &[1], 0);
        assert_eq!((decide(&mut policy, 600, 1, 0), decide(&mut policy, 660, 1, 0)), (1, 0));
        assert_eq!(policy.explain().reason, "no request for 10m: to zero");
        let mut stays = new_policy(DEFAULT);
        scrape(&mut stays, 60, &[1], 0);
        assert_eq!(decide(&mut stays, 6000, 1, 0), 1);
    }

    #[test]
    fn tokens_held_and_waiting_against_what_the_instances_hold_size_the_pool_at_once() {
        let mut policy = new_policy(Llmd { release: Release::Newest, ..DEFAULT });
        // 0.2 of 16,000 tokens at each, and 200 prompts of 100 with answers of 50 in the scheduler.
        scrape(&mut policy, 60, &[0, 0], 200);
        assert_eq!(decide(&mut policy, 60, 2, 0), 4);
        let expected = "36400 tokens held and waiting take 42824 at 0.85 of the capacity, and what exists holds 25600: 2 to 4";
        assert_eq!(policy.explain().reason, expected);
        scrape(&mut policy, 125, &[0, 0, 0, 0], 0);
        assert_eq!(
            decide(&mut policy, 130, 4, 0),
            2,
            "6400 over 0.7 leave 42057 of 51200, three replicas' worth"
        );
    }
}
