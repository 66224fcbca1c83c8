//! Google Cloud Run: instances by concurrency and by CPU, each aiming at 60 %, and at once for requests without a slot.
//!
//! Source: Google Cloud documentation, "About instance autoscaling in Cloud Run services" (read 2026): the targets, the
//! one-minute window, the defaults of minimum and maximum, up to 15 minutes of idleness. Not published, and assumed here:
//! that evaluations come every second, that each driver's need is rounded up, and that an idle instance is kept for all
//! of the 15 minutes.

use super::windows::buckets::{Aggregation, Buckets, TimeWindow};
use super::{
    Explanation, Limits, MetricsDefaults, Observation, PHASE, Policy, PolicyContext, Rounded, Schedule,
    Scrape, Settings, Signal, Watched,
};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};

/// Length of the mean both drivers follow.
const WINDOW: Span = Span::from_secs(60);

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CloudRun {
    schedule: Schedule,
    limits: Limits,
    max_concurrency: f64,
    concurrency_target: f64,
    cpu_target: f64,
    cpu_at_full_load: f64,
    idle_timeout: Span,
}

const MAX_CONCURRENCY: Key<u32> = Key::or(
    "max_concurrency",
    "80",
    "Requests an instance takes at a time: set it to the instances' own `service.concurrency`.",
)
.at_least(1.0)
.at_most(1000.0);
const CONCURRENCY_TARGET: Key<f64> =
    Key::or("concurrency_target", "0.6", "Share of `max_concurrency` to aim at, over a minute, 0 to 1.")
        .above(0.0)
        .at_most(1.0);
const CPU_TARGET: Key<f64> =
    Key::or("cpu_target", "0.6", "CPU utilization to aim at, over a minute, 0 to 1.").above(0.0).at_most(1.0);
const CPU_AT_FULL_LOAD: Key<f64> = Key::or(
    "cpu_at_full_load",
    "0",
    "CPU utilization, 0 to 1, of an instance that serves `max_concurrency` requests; in between it is in proportion. With 0, as where a GPU does the work, CPU asks for nothing.",
)
.at_least(0.0)
.at_most(1.0);
const MIN: Key<u32> = Key::or("min_instances", "0", "Minimum instances.");
const MAX: Key<u32> = Key::or("max_instances", "100", "Maximum instances.").at_least(1.0);
const IDLE: Key<Span> = Key::or(
    "idle_timeout",
    "\"15m\"",
    "How long an instance that is not needed any more is kept. Cloud Run keeps it for up to 15 minutes; here it is for exactly this time.",
)
.at_most(86_400.0);
const EVALUATED: Key<Span> = Key::or("interval", "\"1s\"", "Time between two evaluations.").at_least(0.1);

/// `kind = "cloud_run"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "cloud_run",
    doc: "Google Cloud Run: as many instances as the larger of two needs, by concurrency and by CPU, each a minute's mean over 60 % of what an instance can take; more at once when requests find no free slot; fewer after 15 minutes.",
    keys: &[
        &MAX_CONCURRENCY,
        &CONCURRENCY_TARGET,
        &CPU_TARGET,
        &CPU_AT_FULL_LOAD,
        &MIN,
        &MAX,
        &IDLE,
        &EVALUATED,
        &PHASE,
    ],
};

pub(super) fn read(reader: &Reader<'_>) -> Result<CloudRun, Problem> {
    Ok(CloudRun {
        schedule: Schedule { interval: reader.get(&EVALUATED)?, phase: reader.get(&PHASE)? },
        limits: Limits::read(reader, &MIN, &MAX)?,
        max_concurrency: f64::from(reader.get(&MAX_CONCURRENCY)?),
        concurrency_target: reader.get(&CONCURRENCY_TARGET)?,
        cpu_target: reader.get(&CPU_TARGET)?,
        cpu_at_full_load: reader.get(&CPU_AT_FULL_LOAD)?,
        idle_timeout: reader.get(&IDLE)?,
    })
}

impl Settings for CloudRun {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn limiting_key(&self) -> &'static str {
        MAX.name()
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        MetricsDefaults { scrape_interval: Span::from_secs(1), window: WINDOW, delay: Span::ZERO }
    }
    fn watched(&self) -> Vec<Watched> {
        let each = self.max_concurrency * self.concurrency_target;
        let by_requests = Watched {
            is_of_system: true,
            ..Watched::new(CONCURRENCY_TARGET.name(), Signal::Concurrency, each)
        };
        // What CPU never comes to asks for nothing.
        let by_cpu = (self.cpu_at_full_load >= self.cpu_target)
            .then(|| self.cpu_target / self.cpu_at_full_load)
            .map(|share| Watched {
                is_of_system: true,
                ..Watched::new(CPU_TARGET.name(), Signal::Utilization, share)
            });
        std::iter::once(by_requests).chain(by_cpu).collect()
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn wakes(&self) -> bool {
        true
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(self.new_policy())
    }
}

impl CloudRun {
    fn new_policy(&self) -> CloudRunPolicy {
        CloudRunPolicy {
            settings: *self,
            in_service: Buckets::new(WINDOW, 1, Aggregation::Linear),
            now: (0, 0),
            kept: (!self.idle_timeout.is_zero()).then(|| TimeWindow::new(self.idle_timeout, 1)),
            found: CloudRunEvaluation::default(),
        }
    }
}

/// The policy at work.
#[derive(Debug, Clone)]
struct CloudRunPolicy {
    settings: CloudRun,
    /// Requests in service on all instances, per second.
    in_service: Buckets,
    /// Requests waiting, and in service, at the last scrape.
    now: (u64, u64),
    /// What was needed in the time that idle instances are kept.
    kept: Option<TimeWindow>,
    found: CloudRunEvaluation,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, Default)]
struct CloudRunEvaluation {
    ready: u32,
    concurrency: f64,
    by_concurrency: u32,
    by_cpu: u32,
    waiting: u64,
    by_requests: u32,
    needed: u32,
    kept: u32,
    desired: u32,
}

impl Policy for CloudRunPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        self.in_service.record(sample.at, sample.in_service);
        self.now = (sample.waiting_now, sample.in_service_now);
    }

    fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        let CloudRun { limits, max_concurrency, concurrency_target, cpu_target, cpu_at_full_load, .. } =
            self.settings;
        let concurrency = self.in_service.average(now);
        // A need that is not finite cannot come of settings that were checked; `as` saturates all the same.
        let by_concurrency = (concurrency / (max_concurrency * concurrency_target)).ceil() as u32;
        let by_cpu = (concurrency / max_concurrency * cpu_at_full_load / cpu_target).ceil() as u32;
        let (waiting, busy) = (self.now.0.max(seen.held), self.now.1);
        let by_requests =
            if waiting > 0 { ((waiting + busy) as f64 / max_concurrency).ceil() as u32 } else { 0 };
        let needed = by_concurrency.max(by_cpu).max(by_requests);
        let kept = self.kept.as_mut().map_or(needed, |kept| kept.record(now, needed));
        let desired = kept.clamp(limits.min, limits.max);
        self.found = CloudRunEvaluation {
            ready: seen.ready,
            concurrency,
            by_concurrency,
            by_cpu,
            waiting,
            by_requests,
            needed,
            kept,
            desired,
        };
        desired
    }

    fn explain(&self) -> Explanation {
        let CloudRunEvaluation {
            ready,
            concurrency,
            by_concurrency,
            by_cpu,
            waiting,
            by_requests,
            needed,
            kept,
            desired,
        } = self.found;
        let CloudRun { max_concurrency, concurrency_target, idle_timeout, .. } = self.settings;
        let each = max_concurrency * concurrency_target;
        let mut reason = format!(
            "1m mean concurrency {} at {} an instance needs {by_concurrency}",
            Rounded(concurrency),
            Rounded(each)
        );
        if by_cpu > 0 {
            reason.push_str(&format!(", CPU {by_cpu}"));
        }
        if waiting > 0 {
            reason.push_str(&format!(", {waiting} without a slot {by_requests}"));
        }
        if kept > needed {
            reason.push_str(&format!("; {kept} were needed within {idle_timeout}: kept"));
        }
        if desired != kept {
            let side = if desired < kept { "maximum" } else { "minimum" };
            reason.push_str(&format!("; held at the {side} of {desired}"));
        }
        Explanation {
            metric: "concurrency",
            observed: Some(concurrency),
            target: (ready > 0).then(|| each * f64::from(ready)),
            figures: vec![
                ("per_instance", each.into()),
                ("by_concurrency", by_concurrency.into()),
                ("by_cpu", by_cpu.into()),
                ("waiting", waiting.into()),
                ("by_requests", by_requests.into()),
                ("needed", needed.into()),
                ("kept", kept.into()),
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

    fn settings() -> CloudRun {
        CloudRun {
            schedule: Schedule { interval: Span::from_secs(1), phase: Span::ZERO },
            limits: Limits { min: 0, max: 100 },
            max_concurrency: 80.0,
            concurrency_target: 0.6,
            cpu_target: 0.6,
            cpu_at_full_load: 0.0,
            idle_timeout: Span::from_secs(900),
        }
    }

    fn observe(policy: &mut CloudRunPolicy, second: u64, in_service: u64, waiting: u64, held: u64) -> u32 {
        let sample = Scrape {
            tokens: [0; 2],
            at: at(second),
            since: at(second - 1),
            arrived: 0,
            in_flight: (in_service + waiting) as f64,
            waiting: waiting as f64,
            in_service: in_service as f64,
            in_flight_now: in_service + waiting,
            waiting_now: waiting,
            held_now: held,
            in_service_now: in_service,
            slots: 0.0,
            work: in_service as f64,
            ready: 1,
            existing: 1,
            instances: &[],
            times: None,
        };
        policy.scrape(&sample);
        let seen = Observation { desired: 1, existing: 1, ready: 1, held, metric: None, instances: &[] };
        policy.decide(at(second), &seen)
    }

    #[test]
    fn an_instance_is_to_hold_sixty_percent_of_its_concurrency() {
        let mut policy = settings().new_policy();
        assert_eq!(observe(&mut policy, 1, 48, 0, 0), 1);
        let mut policy = settings().new_policy();
        assert_eq!(observe(&mut policy, 1, 49, 0, 0), 2);
    }

    #[test]
    fn the_larger_need_counts() {
        let mut policy = CloudRun { cpu_at_full_load: 1.0, cpu_target: 0.3, ..settings() }.new_policy();
        assert_eq!(observe(&mut policy, 1, 48, 0, 0), 2);
        assert_eq!(policy.found.by_concurrency, 1);
    }

    #[test]
    fn requests_without_a_slot_start_instances_at_once() {
        let mut policy = settings().new_policy();
        (1..60).for_each(|second| assert_eq!(observe(&mut policy, second, 40, 0, 0), 1));
        assert_eq!(observe(&mut policy, 60, 80, 100, 0), 3);
        let mut asleep = settings().new_policy();
        let seen = Observation { desired: 0, existing: 0, ready: 0, held: 1, metric: None, instances: &[] };
        assert_eq!(asleep.decide(at(9), &seen), 1);
    }

    #[test]
    fn what_is_idle_is_kept_for_a_quarter_of_an_hour() {
        let mut policy = settings().new_policy();
        assert_eq!(observe(&mut policy, 1, 480, 0, 0), 10);
        let kept = (2..2000).take_while(|second| observe(&mut policy, *second, 0, 0, 0) > 0).count();
        // The minute's mean needs one instance until the minute is over, and that one is kept as long again.
        assert!((900 + 55..=900 + 61).contains(&kept), "{kept} s");
    }
}
