//! The workload variant autoscaler of llm-d: one replica more when the replicas of a model are close to saturation, one
//! fewer when the others would have room for its load.
//!
//! llm-d workload-variant-autoscaler at b08b1c7, saturation analyzer V1 (`internal/saturation`), with the defaults of its
//! ConfigMap (`deploy/configmap-saturation-scaling.yaml`) and collector (the greatest value of the last minute:
//! `max_over_time[1m]`). In a simulation the pool is a model with one variant; `kneepoint replay` takes several.
//!
//! The controller publishes its number for an HPA or KEDA to follow. Here it takes effect at once.

mod explain;
mod replay;
mod saturation;
mod targets;

use super::{
    Explanation, InstanceState, Limits, MetricsDefaults, Observation, PHASE, Policy, PolicyContext, Replay,
    Schedule, Scrape, Settings,
};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};
use crate::units::show_span;
use saturation::{Analysis, Group, Load, Thresholds};
use targets::{Variant, Verdict};

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
const MIN: Key<u32> = Key::or(
    "min",
    "1",
    "Minimum instances. With 0 the pool scales to zero; a buffered request then scales it up at once.",
);
const MAX: Key<u32> = Key::required("max", "Maximum instances.").at_least(1.0);

/// `kind = "llm_d"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "llm_d",
    doc: "The workload variant autoscaler of llm-d (saturation analyzer V1): one instance more when the instances have little \
          room left in KV cache or queue, one fewer when the others would keep enough room, and nothing while a change is on its \
          way.",
    keys: &[
        &KV_CACHE_THRESHOLD,
        &QUEUE_LENGTH_THRESHOLD,
        &KV_SPARE_TRIGGER,
        &QUEUE_SPARE_TRIGGER,
        &INTERVAL,
        &PHASE,
        &METRICS_WINDOW,
        &RETENTION_PERIOD,
        &MIN,
        &MAX,
    ],
};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Llmd {
    schedule: Schedule,
    thresholds: Thresholds,
    metrics_window: Span,
    retention_period: Span,
    limits: Limits,
}

pub(super) fn read(reader: &Reader<'_>) -> Result<Llmd, Problem> {
    Ok(Llmd {
        schedule: Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? },
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
    fn scrapes(&self) -> bool {
        true
    }
    fn watches_instances(&self) -> bool {
        true
    }
    fn wakes(&self) -> bool {
        self.limits.min == 0
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(LlmdPolicy {
            settings: *self,
            reports: Vec::new(),
            greatest: Vec::new(),
            loads: Vec::new(),
            last_request: Instant::ZERO,
            found: LlmdEvaluation::default(),
        })
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::Replayed(*self))
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
}

impl Default for Because {
    fn default() -> Self {
        Because::Judged(Verdict::NoMetrics)
    }
}

impl LlmdPolicy {
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
            name: "pool",
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
        let share = sample.waiting_now.saturating_sub(own) as f64 / sample.instances.len().max(1) as f64;
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
            Because::Judged(verdict) => {
                let variant = self.variant();
                let thresholds = &self.settings.thresholds;
                explain::reason(verdict, &analysis, thresholds, std::slice::from_ref(&variant))
                    + &self.settings.limits.words(verdict.target(0, &variant))
            }
        };
        let figures = explain::figures(&analysis).into();
        Explanation { metric: "queue_length", observed: Some(group.max_queue), figures, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::{InstanceScrape, InstanceView};

    const DEFAULT: Llmd = Llmd {
        schedule: Schedule { interval: Span::from_secs(60), phase: Span::ZERO },
        thresholds: Thresholds {
            kv_cache_threshold: 0.8,
            queue_length_threshold: 5.0,
            kv_spare_trigger: 0.1,
            queue_spare_trigger: 3.0,
        },
        metrics_window: Span::from_secs(60),
        retention_period: Span::from_secs(600),
        limits: Limits { min: 1, max: 10 },
    };

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    fn new_policy(settings: Llmd) -> LlmdPolicy {
        LlmdPolicy {
            settings,
            reports: Vec::new(),
            greatest: Vec::new(),
            loads: Vec::new(),
            last_request: Instant::ZERO,
            found: LlmdEvaluation::default(),
        }
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
}
