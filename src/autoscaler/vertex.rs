//! Google Vertex AI endpoints: replicas by utilization of CPU and accelerator, up at once, down over five minutes.
//!
//! Source: Google Cloud documentation, "Scale inference nodes by using autoscaling" and the reference of
//! `DedicatedResources` and `AutoscalingMetricSpec` (read 2026): the metrics, the target of 60 %, up when either metric is
//! above its target and down when both are below, minimum and maximum, scale to zero. Not published in numbers, and
//! assumed here: that the need is the ready replicas times utilization over target, rounded up, worked out every 15 s,
//! and that the largest of the last 5 minutes counts.

use super::windows::buckets::TimeWindow;
use super::{
    Explanation, Limits, MetricsDefaults, Observation, PHASE, Policy, PolicyContext, Rounded, Schedule,
    Scrape, Settings, Signal, Watched,
};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vertex {
    schedule: Schedule,
    limits: Limits,
    window: Span,
    /// CPU, then accelerator.
    drivers: [Driver; 2],
    request_count_target: Option<f64>,
    idle_period: Span,
}

/// A utilization and what it is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Driver {
    /// 0 to 1.
    target: f64,
    /// The utilization of a replica all of whose slots are busy, 0 to 1.
    at_full_load: f64,
}

const MIN: Key<u32> = Key::or(
    "min_replica_count",
    "1",
    "Minimum replicas. With 0 the endpoint scales to zero after `idle_scaledown_period`.",
);
const MAX: Key<u32> = Key::required("max_replica_count", "Maximum replicas.").at_least(1.0);
const CPU_TARGET: Key<f64> =
    Key::or("cpu_target", "60", "CPU utilization to aim at, in percent.").at_least(1.0).at_most(100.0);
const ACCELERATOR_TARGET: Key<f64> =
    Key::or("accelerator_target", "60", "Duty cycle of the accelerator to aim at, in percent.")
        .at_least(1.0)
        .at_most(100.0);
const CPU_AT_FULL_LOAD: Key<f64> = Key::or(
    "cpu_at_full_load",
    "1",
    "CPU utilization, 0 to 1, of a replica all of whose slots are busy; in between it is in proportion. With 0, CPU asks for nothing.",
)
.at_least(0.0)
.at_most(1.0);
const DUTY_AT_FULL_LOAD: Key<f64> = Key::or(
    "duty_cycle_at_full_load",
    "0",
    "Duty cycle, 0 to 1, of the accelerator of a replica all of whose slots are busy; in between it is in proportion. 0: there is no accelerator.",
)
.at_least(0.0)
.at_most(1.0);
const REQUESTS: Key<Option<f64>> = Key::optional(
    "request_count_target",
    "Requests per minute one replica is to get; left out: requests are not counted.",
)
.above(0.0);
const WINDOW: Key<Span> = Key::or(
    "window",
    "\"5m\"",
    "The largest need of the last so long counts: replicas are added at once and removed this much later.",
)
.at_most(86_400.0);
const IDLE: Key<Span> = Key::or(
    "idle_scaledown_period",
    "\"1h\"",
    "With `min_replica_count = 0`: time without a request after which the last replica goes.",
);
const EVALUATED: Key<Span> = Key::or("interval", "\"15s\"", "Time between two evaluations.").at_least(0.1);

/// `kind = "vertex"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "vertex",
    doc: "Google Vertex AI endpoints: as many replicas as the largest need of the last 5 minutes, by utilization of CPU and accelerator, each to be 60 %.",
    keys: &[
        &MIN,
        &MAX,
        &CPU_TARGET,
        &ACCELERATOR_TARGET,
        &CPU_AT_FULL_LOAD,
        &DUTY_AT_FULL_LOAD,
        &REQUESTS,
        &WINDOW,
        &IDLE,
        &EVALUATED,
        &PHASE,
    ],
};

pub(super) fn read(reader: &Reader<'_>) -> Result<Vertex, Problem> {
    let driver = |target: &Key<f64>, at_full_load: &Key<f64>| {
        Ok(Driver { target: reader.get(target)? / 100.0, at_full_load: reader.get(at_full_load)? })
    };
    let vertex = Vertex {
        schedule: Schedule { interval: reader.get(&EVALUATED)?, phase: reader.get(&PHASE)? },
        limits: Limits::read(reader, &MIN, &MAX)?,
        window: reader.get(&WINDOW)?,
        drivers: [driver(&CPU_TARGET, &CPU_AT_FULL_LOAD)?, driver(&ACCELERATOR_TARGET, &DUTY_AT_FULL_LOAD)?],
        request_count_target: reader.find(&REQUESTS)?,
        idle_period: reader.get(&IDLE)?,
    };
    let is_silent = |driver: &Driver| driver.at_full_load < driver.target;
    let keys = [CPU_AT_FULL_LOAD.name(), DUTY_AT_FULL_LOAD.name()];
    let loaded = vertex.drivers.iter().zip(keys).find(|(driver, _)| driver.at_full_load > 0.0);
    let no_driver = vertex.request_count_target.is_none() && vertex.drivers.iter().all(is_silent);
    if let (true, Some((driver, key))) = (no_driver, loaded) {
        let (most, target) = (Rounded(100.0 * driver.at_full_load), Rounded(100.0 * driver.target));
        let message = format!(
            "`{}` makes {most} % of a replica under full load, below the {target} % to aim at: it never gets there",
            reader.path_of(key)
        );
        return Err(reader.problem(
            key,
            message,
            "expected more, a lower target, or a `request_count_target`",
        ));
    }
    let silent = vertex.drivers.iter().all(|driver| driver.at_full_load == 0.0);
    if silent && vertex.request_count_target.is_none() {
        let message = format!("`{}` leaves nothing to scale on", reader.path_of(CPU_AT_FULL_LOAD.name()));
        let label = "expected more than 0 here, or `duty_cycle_at_full_load`, or a `request_count_target`";
        return Err(reader.problem(CPU_AT_FULL_LOAD.name(), message, label));
    }
    Ok(vertex)
}

impl Settings for Vertex {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn limiting_key(&self) -> &'static str {
        MAX.name()
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn watched(&self) -> Vec<Watched> {
        let keys = [CPU_TARGET.name(), ACCELERATOR_TARGET.name()];
        // What a driver never comes to asks for nothing.
        let drivers =
            self.drivers.iter().zip(keys).filter(|(driver, _)| driver.at_full_load >= driver.target);
        let by_share = drivers.map(|(driver, key)| Watched {
            is_of_system: true,
            is_percent: true,
            ..Watched::new(key, Signal::Utilization, driver.target / driver.at_full_load)
        });
        let by_requests = self
            .request_count_target
            .map(|a_minute| Watched::new(REQUESTS.name(), Signal::RequestRate, a_minute / 60.0));
        by_share.chain(by_requests).collect()
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        MetricsDefaults {
            scrape_interval: self.schedule.interval,
            window: self.schedule.interval,
            delay: Span::ZERO,
        }
    }
    fn wakes(&self) -> bool {
        true
    }
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        Box::new(self.new_policy(start.initial))
    }
}

impl Vertex {
    /// The busy share from which on replicas are added, unless requests are counted too.
    fn share_target(&self) -> Option<f64> {
        let watched = Settings::watched(self).into_iter();
        let shares = watched.map(|watched| Some(watched).filter(|watched| watched.is_percent));
        let shares: Option<Vec<Watched>> = shares.collect();
        shares?.into_iter().map(|watched| watched.target).min_by(f64::total_cmp)
    }

    fn new_policy(&self, initial: u32) -> VertexPolicy {
        let seconds = (self.schedule.interval.as_secs_f64().ceil() as u64).max(1);
        VertexPolicy {
            settings: *self,
            load: Load::default(),
            busy_until: None,
            largest: (!self.window.is_zero()).then(|| TimeWindow::new(self.window, seconds)),
            found: VertexEvaluation {
                needed: initial,
                held: initial,
                desired: initial,
                ..VertexEvaluation::default()
            },
        }
    }
}

/// The policy at work.
#[derive(Debug, Clone)]
struct VertexPolicy {
    settings: Vertex,
    /// Since the evaluation before.
    load: Load,
    /// The last scrape that found a request.
    busy_until: Option<Instant>,
    largest: Option<TimeWindow>,
    found: VertexEvaluation,
}

/// Integrals over time, seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    seconds: f64,
    work: f64,
    slots: f64,
    arrived: f64,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, Default)]
struct VertexEvaluation {
    /// Busy share of the replicas' slots; `None` while there were none.
    busy: Option<f64>,
    by: [u32; 2],
    by_requests: u32,
    ready: u32,
    needed: u32,
    held: u32,
    desired: u32,
    idle: bool,
}

impl Policy for VertexPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        let seconds = sample.seconds();
        self.load.seconds += seconds;
        self.load.work += sample.work * seconds;
        self.load.slots += sample.slots * seconds;
        self.load.arrived += sample.arrived as f64;
        if sample.arrived > 0 || sample.in_flight > 0.0 {
            self.busy_until = Some(sample.at);
        }
    }

    fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        let Vertex { limits, drivers, request_count_target, idle_period, .. } = self.settings;
        let load = std::mem::take(&mut self.load);
        let busy = (load.slots > 0.0).then(|| load.work / load.slots);
        let ready = seen.ready;
        let by = drivers.map(|driver| {
            let utilization = busy.unwrap_or(0.0) * driver.at_full_load;
            // Rounded to a millionth first, as utilizations are reported: 60.000000001 % of a target of 60 % is 60 %.
            ((f64::from(ready) * utilization / driver.target * 1e6).round() / 1e6).ceil() as u32
        });
        let by_requests = match request_count_target {
            Some(target) if load.seconds > 0.0 => (load.arrived * 60.0 / load.seconds / target).ceil() as u32,
            _ => 0,
        };
        // Nothing was measured: whatever was needed before still is.
        let needed = match busy {
            Some(_) => by[0].max(by[1]).max(by_requests),
            None => self.found.needed,
        };
        let held = self.largest.as_mut().map_or(needed, |largest| largest.record(now, needed));
        if seen.held > 0 {
            self.busy_until = Some(now);
        }
        let idle = self.busy_until.map_or(now.since(Instant::ZERO), |busy| now.since(busy)) >= idle_period;
        // Only a silence as long as the idle period takes the last replica; the first request brings one back.
        let asleep = seen.desired == 0 && seen.held == 0;
        let least = if limits.min == 0 && (idle || asleep) { 0 } else { limits.min.max(1) };
        let most = if limits.min == 0 && (idle || asleep) && held <= 1 { 0 } else { limits.max };
        let desired = held.clamp(least, most);
        self.found = VertexEvaluation { busy, by, by_requests, ready, needed, held, desired, idle };
        desired
    }

    fn explain(&self) -> Explanation {
        let VertexEvaluation { busy, by, by_requests, ready, needed, held, desired, idle } = self.found;
        let [cpu, accelerator] = self.settings.drivers;
        let driver = |name: &str, driver: Driver, needs: u32| {
            let utilization = busy.unwrap_or(0.0) * driver.at_full_load * 100.0;
            let target = driver.target * 100.0;
            format!(
                "{name} {} % at {} % of {ready} ready needs {needs}",
                Rounded(utilization),
                Rounded(target)
            )
        };
        let mut parts = Vec::new();
        match busy {
            None => parts.push(format!("no ready replica measured: still {needed}")),
            Some(_) => {
                let measured = [("CPU", cpu, by[0]), ("accelerator", accelerator, by[1])];
                let measured = measured.iter().filter(|(_, driver, _)| driver.at_full_load > 0.0);
                parts.extend(measured.map(|(name, settings, needs)| driver(name, *settings, *needs)));
                if self.settings.request_count_target.is_some() {
                    parts.push(format!("requests need {by_requests}"));
                }
            }
        }
        let mut reason = parts.join(", ");
        if held > needed {
            reason.push_str(&format!("; the largest of the last {} is {held}", self.settings.window));
        }
        if desired == 0 && idle {
            reason.push_str(&format!("; no request for {}: 0", self.settings.idle_period));
        } else if desired != held {
            let side = if desired < held { "maximum" } else { "minimum" };
            reason.push_str(&format!("; held at the {side} of {desired}"));
        }
        Explanation {
            metric: "utilization",
            observed: busy,
            target: self.settings.share_target(),
            figures: vec![
                ("by_cpu", by[0].into()),
                ("by_accelerator", by[1].into()),
                ("by_requests", by_requests.into()),
                ("needed", needed.into()),
                ("largest", held.into()),
            ],
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    fn settings() -> Vertex {
        Vertex {
            schedule: Schedule { interval: Span::from_secs(15), phase: Span::ZERO },
            limits: Limits { min: 1, max: 20 },
            window: Span::from_secs(300),
            drivers: [Driver { target: 0.6, at_full_load: 1.0 }, Driver { target: 0.6, at_full_load: 0.0 }],
            request_count_target: None,
            idle_period: Span::from_secs(3600),
        }
    }

    /// Evaluates `second`, after 15 s with `ready` replicas of which so great a share was busy.
    fn observe(policy: &mut VertexPolicy, second: u64, ready: u32, busy: f64) -> u32 {
        let slots = f64::from(ready) * 10.0;
        let sample = Scrape {
            tokens: [0; 2],
            at: at(second),
            since: at(second - 15),
            arrived: u64::from(busy > 0.0) * 150,
            in_flight: slots * busy,
            waiting: 0.0,
            in_service: slots * busy,
            in_flight_now: 0,
            waiting_now: 0,
            held_now: 0,
            in_service_now: 0,
            slots,
            work: slots * busy,
            ready,
            existing: ready,
            instances: &[],
            times: None,
        };
        policy.scrape(&sample);
        let desired = policy.found.desired;
        let seen = Observation { desired, existing: ready, ready, held: 0, metric: None, instances: &[] };
        policy.decide(at(second), &seen)
    }

    #[test]
    fn replicas_are_added_at_once_and_removed_after_five_minutes() {
        let mut policy = settings().new_policy(3);
        assert_eq!(observe(&mut policy, 15, 3, 0.6), 3, "exactly at the target");
        assert_eq!(observe(&mut policy, 30, 3, 0.9), 5);
        let kept = (3..).take_while(|tick| observe(&mut policy, 15 * tick, 5, 0.1) == 5).count();
        assert_eq!(kept, 19, "ticks after the one that asked for 5, of 20 in five minutes");
    }

    #[test]
    fn either_metric_adds_and_both_must_allow_to_remove() {
        let both = [Driver { target: 0.6, at_full_load: 0.3 }, Driver { target: 0.6, at_full_load: 1.0 }];
        let mut policy = Vertex { drivers: both, window: Span::ZERO, ..settings() }.new_policy(4);
        assert_eq!(observe(&mut policy, 15, 4, 0.9), 6, "the accelerator asks");
        assert_eq!(observe(&mut policy, 30, 6, 0.6), 6, "CPU alone would allow fewer");
    }

    #[test]
    fn requests_per_minute_can_count() {
        let mut policy = Vertex { request_count_target: Some(100.0), ..settings() }.new_policy(1);
        assert_eq!(observe(&mut policy, 15, 1, 0.1), 6, "600 a minute");
    }

    #[test]
    fn the_last_replica_goes_after_an_idle_hour_only() {
        let settings = Vertex { limits: Limits { min: 0, max: 20 }, ..settings() };
        let mut policy = settings.new_policy(1);
        observe(&mut policy, 15, 1, 0.5);
        let kept = (2..1000).take_while(|tick| observe(&mut policy, 15 * tick, 1, 0.0) > 0).count();
        assert_eq!(kept, 239, "ticks until an hour after the last request");
        let seen = Observation { desired: 0, existing: 0, ready: 0, held: 1, metric: None, instances: &[] };
        assert_eq!(policy.decide(at(9000), &seen), 1, "and the next request brings one");
    }

    #[test]
    fn with_no_replica_ready_nothing_changes() {
        let mut policy = settings().new_policy(4);
        assert_eq!(observe(&mut policy, 15, 0, 0.0), 4);
    }
}
