//! A target of requests in flight per replica, with windows of its own for each direction: what hosted LLM endpoints offer.
//!
//! The common ground of Baseten (docs.baseten.co, *Autoscaling*: concurrency target, target utilization, autoscaling
//! window, scale-down delay, greatest scale-down rate), Together AI's dedicated endpoints (in-flight requests, scale-up and
//! scale-down windows, inactive timeout) and BentoCloud (docs.bentoml.com, *Concurrency and autoscaling*: requests in
//! flight over concurrency, rounded up, with stabilization windows for both directions). The defaults are Baseten's, whose
//! are published; the evaluation interval is not, by any of them.

use crate::autoscaler::windows::trailing::{Stabilized, TrailingMean};
use crate::autoscaler::{
    Explanation, Limits, MetricsDefaults, Observation, PHASE, Policy, PolicyContext, Rounded, Schedule,
    Scrape, Settings, Signal, Watched,
};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};
use crate::units::show_span;

const TARGET: Key<f64> =
    Key::or("target", "1", "Maximum requests in flight that one instance is meant to have.").above(0.0);
const UTILIZATION: Key<f64> = Key::or(
    "utilization",
    "0.7",
    "Share of the target that is aimed at: the rest is kept free for what comes while an instance starts.",
)
.above(0.0)
.at_most(1.0);
const INTERVAL: Key<Span> = Key::or("interval", "\"10s\"", "Time between two evaluations.").at_least(1e-3);
const UP_WINDOW: Key<Span> = Key::or(
    "up_window",
    "\"60s\"",
    "Requests in flight are averaged over this long to decide whether to add instances.",
);
const DOWN_WINDOW: Key<Span> = Key::or(
    "down_window",
    "\"60s\"",
    "Requests in flight are averaged over this long to decide whether to remove instances.",
);
const UP_DELAY: Key<Span> = Key::or(
    "up_delay",
    "\"0s\"",
    "The pool grows no further than to the smallest size asked for within this time.",
);
const DOWN_DELAY: Key<Span> = Key::or(
    "down_delay",
    "\"15m\"",
    "The pool shrinks no further than to the largest size asked for within this time.",
);
const DOWN_RATE: Key<f64> = Key::or(
    "down_rate",
    "1",
    "Maximum share of the instances that is removed at a time, at least one; below 1 the next removal comes a `down_delay` later.",
)
.above(0.0)
.at_most(1.0);
const IDLE_TIMEOUT: Key<Option<Span>> = Key::optional(
    "idle_timeout",
    "With min = 0, how long no request may have been in flight before the last instance goes; left out, the windows alone \
     decide.",
);
const MIN: Key<u32> = Key::or(
    "min",
    "0",
    "Minimum instances. With 0 the pool scales to zero; a buffered request scales it up at once.",
);
const MAX: Key<u32> = Key::required("max", "Maximum instances.").at_least(1.0);

/// `kind = "in_flight_target"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "in_flight_target",
    doc: "A target of requests in flight (waiting or in service) per instance, with an average and a delay of its own for each \
          direction, as hosted LLM endpoints offer: Baseten, Together AI, BentoCloud. Instances = requests in flight / (target × \
          utilization), rounded up.",
    keys: &[
        &TARGET,
        &UTILIZATION,
        &INTERVAL,
        &PHASE,
        &UP_WINDOW,
        &DOWN_WINDOW,
        &UP_DELAY,
        &DOWN_DELAY,
        &DOWN_RATE,
        &IDLE_TIMEOUT,
        &MIN,
        &MAX,
    ],
};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct InFlightTarget {
    schedule: Schedule,
    target: f64,
    utilization: f64,
    up_window: Span,
    down_window: Span,
    up_delay: Span,
    down_delay: Span,
    down_rate: f64,
    idle_timeout: Option<Span>,
    limits: Limits,
}

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<InFlightTarget, Problem> {
    Ok(InFlightTarget {
        schedule: Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? },
        target: reader.get(&TARGET)?,
        utilization: reader.get(&UTILIZATION)?,
        up_window: reader.get(&UP_WINDOW)?,
        down_window: reader.get(&DOWN_WINDOW)?,
        up_delay: reader.get(&UP_DELAY)?,
        down_delay: reader.get(&DOWN_DELAY)?,
        down_rate: reader.get(&DOWN_RATE)?,
        idle_timeout: reader.find(&IDLE_TIMEOUT)?,
        limits: Limits::read(reader, &MIN, &MAX)?,
    })
}

impl Settings for InFlightTarget {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    /// The door counts what is in flight, so averages are of the whole time and nothing is late.
    fn metrics_defaults(&self) -> MetricsDefaults {
        MetricsDefaults { scrape_interval: self.schedule.interval, ..MetricsDefaults::DEFAULT }
    }
    fn watched(&self) -> Vec<Watched> {
        vec![Watched::new(TARGET.name(), Signal::InFlight, self.target * self.utilization)]
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn wakes(&self) -> bool {
        self.limits.min == 0
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(InFlightTargetPolicy::new(*self))
    }
}

/// The policy at work.
#[derive(Debug, Clone)]
struct InFlightTargetPolicy {
    settings: InFlightTarget,
    up_mean: TrailingMean,
    down_mean: TrailingMean,
    smallest: Stabilized,
    largest: Stabilized,
    /// When a request was last in flight.
    busy: Instant,
    shrunk: Option<Instant>,
    found: InFlightTargetEvaluation,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, Default)]
struct InFlightTargetEvaluation {
    before: u32,
    ready: u32,
    held: u64,
    mean_up: Option<f64>,
    mean_down: Option<f64>,
    wanted_up: u32,
    wanted_down: u32,
    up_to: u32,
    down_to: u32,
    desired: u32,
    because: Because,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Because {
    #[default]
    NoMetric,
    Woken,
    Grows,
    Shrinks,
    /// It would shrink, but was needed within the delay.
    Delayed,
    /// It would shrink, but did so within the delay.
    TooSoon,
    /// The last instance stays until the timeout.
    NotIdle,
    Fits,
}

impl InFlightTargetPolicy {
    fn new(settings: InFlightTarget) -> InFlightTargetPolicy {
        InFlightTargetPolicy {
            settings,
            up_mean: TrailingMean::new(settings.up_window),
            down_mean: TrailingMean::new(settings.down_window),
            smallest: Stabilized::least(settings.up_delay),
            largest: Stabilized::largest(settings.down_delay),
            busy: Instant::ZERO,
            shrunk: None,
            found: InFlightTargetEvaluation::default(),
        }
    }

    /// Takes in the mean of the requests in flight from `since` to `at`.
    fn record(&mut self, since: Instant, at: Instant, in_flight: f64) {
        self.up_mean.record(since, at, in_flight);
        self.down_mean.record(since, at, in_flight);
        if in_flight > 0.0 {
            self.busy = at;
        }
    }

    fn wanted(&self, in_flight: f64) -> u32 {
        // `as` saturates, and the limits bound what it saturates at.
        (in_flight / (self.settings.target * self.settings.utilization)).ceil() as u32
    }

    /// The instances wanted of `before`, and why.
    fn judge(&mut self, now: Instant, before: u32) -> (u32, Because) {
        let InFlightTarget { limits, down_delay, down_rate, idle_timeout, .. } = self.settings;
        let InFlightTargetEvaluation { up_to, down_to, wanted_down, .. } = self.found;
        let clamped = |wanted: u32| wanted.clamp(limits.min, limits.max);
        if clamped(up_to) > before {
            return (clamped(up_to), Because::Grows);
        }
        if clamped(down_to) >= before {
            let delayed = clamped(wanted_down) < before;
            return (clamped(before), if delayed { Because::Delayed } else { Because::Fits });
        }
        if down_rate < 1.0 && self.shrunk.is_some_and(|at| now < at + down_delay) {
            return (clamped(before), Because::TooSoon);
        }
        // `as` truncates: no more than the share, but one at least.
        let most = ((f64::from(before) * down_rate) as u32).max(1);
        let wanted = clamped(down_to).max(before.saturating_sub(most));
        if wanted == 0 && idle_timeout.is_some_and(|timeout| now < self.busy + timeout) {
            let stays = before.min(1);
            return (stays, if before == stays { Because::NotIdle } else { Because::Shrinks });
        }
        (wanted, Because::Shrinks)
    }
}

impl Policy for InFlightTargetPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        self.record(sample.since, sample.at, sample.in_flight);
    }

    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let (before, held) = (observation.desired, observation.held);
        let (mean_up, mean_down) = (self.up_mean.value(), self.down_mean.value());
        self.found = InFlightTargetEvaluation {
            before,
            ready: observation.ready,
            held,
            mean_up,
            mean_down,
            ..InFlightTargetEvaluation::default()
        };
        if held > 0 {
            self.busy = now;
        }
        let (desired, because) = match (mean_up, mean_down) {
            _ if before == 0 && held > 0 => (self.settings.limits.min.max(1), Because::Woken),
            (Some(up), Some(down)) => {
                let (wanted_up, wanted_down) = (self.wanted(up), self.wanted(down));
                self.found.wanted_up = wanted_up;
                self.found.wanted_down = wanted_down;
                self.found.up_to = self.smallest.push(now, wanted_up);
                self.found.down_to = self.largest.push(now, wanted_up.max(wanted_down));
                self.judge(now, before)
            }
            _ => (before, Because::NoMetric),
        };
        if desired < before {
            self.shrunk = Some(now);
        }
        (self.found.desired, self.found.because) = (desired, because);
        desired
    }

    fn explain(&self) -> Explanation {
        let InFlightTargetEvaluation {
            before,
            ready,
            held,
            mean_up,
            mean_down,
            wanted_up,
            wanted_down,
            up_to,
            down_to,
            desired,
            because,
        } = self.found;
        let settings = &self.settings;
        let mean = |mean: Option<f64>, window| {
            format!("{} in flight over {}", Rounded(mean.unwrap_or(0.0)), show_span(window))
        };
        let up = mean(mean_up, settings.up_window);
        let down = mean(mean_down, settings.down_window);
        let most = self.settings.limits.max;
        let reason = match because {
            Because::NoMetric => "no scrape yet: stay".to_owned(),
            Because::Woken => format!("{held} buffered: scale up from zero"),
            Because::Grows if wanted_up > most => {
                format!("{up} ask for {wanted_up}, more than the maximum: {desired}")
            }
            Because::Grows => format!("{up} ask for {wanted_up}: up to {desired}"),
            Because::Shrinks if desired > down_to => {
                format!("{down} ask for {wanted_down}: down to {desired} at this step")
            }
            Because::Shrinks => format!("{down} ask for {wanted_down}: down to {desired}"),
            Because::Delayed => format!(
                "{down} ask for {wanted_down}, but {down_to} were needed within {}: stay at {before}",
                show_span(settings.down_delay)
            ),
            Because::TooSoon => format!(
                "{down} ask for {wanted_down}, but the last removal was less than {} ago: stay at {before}",
                show_span(settings.down_delay)
            ),
            Because::NotIdle => format!(
                "not idle for {} yet: the last instance stays",
                show_span(settings.idle_timeout.unwrap_or(Span::ZERO))
            ),
            Because::Fits => format!("{up} ask for {wanted_up}: stay at {desired}"),
        };
        let figures = vec![
            ("mean_up", mean_up.into()),
            ("mean_down", mean_down.into()),
            ("wanted_up", wanted_up.into()),
            ("wanted_down", wanted_down.into()),
            ("up_to", up_to.into()),
            ("down_to", down_to.into()),
        ];
        // The mean is the pool's.
        let each = settings.target * settings.utilization;
        let target = (ready > 0).then(|| each * f64::from(ready));
        Explanation { metric: "in_flight", observed: mean_up, target, figures, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> InFlightTarget {
        InFlightTarget {
            schedule: Schedule { interval: Span::from_secs(60), phase: Span::ZERO },
            target: 32.0,
            utilization: 1.0,
            up_window: Span::from_secs(60),
            down_window: Span::from_secs(60),
            up_delay: Span::ZERO,
            down_delay: Span::ZERO,
            down_rate: 1.0,
            idle_timeout: None,
            limits: Limits { min: 0, max: 20 },
        }
    }

    /// The instances after each minute, and the last reason, given those in flight in it and starting from `desired`.
    fn sizes(settings: InFlightTarget, desired: u32, in_flight: &[f64]) -> (Vec<u32>, String) {
        let (mut policy, mut desired, mut found) = (InFlightTargetPolicy::new(settings), desired, Vec::new());
        for (minute, mean) in (0..).zip(in_flight) {
            let at = |minute: u64| Instant::ZERO + Span::from_secs(60 * minute);
            policy.record(at(minute), at(minute + 1), *mean);
            let observation = Observation {
                desired,
                existing: desired,
                ready: desired,
                held: 0,
                metric: None,
                instances: &[],
            };
            desired = policy.decide(at(minute + 1), &observation);
            found.push(desired);
        }
        (found, policy.explain().reason)
    }

    #[test]
    fn in_flight_over_concurrency_is_rounded_up() {
        // BentoCloud's example: two replicas of concurrency 32; 100 in flight take 4, fewer than 32 take 1.
        assert_eq!(sizes(settings(), 2, &[100.0, 31.0, 0.0]).0, [4, 1, 0]);
        let (found, reason) = sizes(settings(), 2, &[1e9]);
        assert_eq!((found, reason.ends_with("more than the maximum: 20")), (vec![20], true), "{reason}");
    }

    #[test]
    fn the_utilization_keeps_room_free() {
        let roomy = InFlightTarget { target: 1.0, utilization: 0.7, ..settings() };
        assert_eq!(sizes(roomy, 1, &[1.4, 1.41]).0, [2, 3]);
    }

    #[test]
    fn shrinking_waits_until_the_largest_of_the_delay_has_passed() {
        let slow = InFlightTarget { down_delay: Span::from_secs(120), ..settings() };
        let (found, reason) = sizes(slow, 1, &[100.0, 60.0, 10.0, 10.0, 10.0]);
        assert_eq!(found, [4, 4, 4, 2, 1]);
        assert_eq!(reason, "10 in flight over 1m ask for 1: down to 1");
        let reason = sizes(slow, 1, &[100.0, 60.0]).1;
        assert_eq!(reason, "60 in flight over 1m ask for 2, but 4 were needed within 2m: stay at 4");
    }

    #[test]
    fn growing_waits_until_the_smallest_of_the_delay_asks_for_it() {
        let slow = InFlightTarget { up_delay: Span::from_secs(60), ..settings() };
        assert_eq!(sizes(slow, 1, &[10.0, 100.0, 100.0]).0, [1, 1, 4]);
    }

    #[test]
    fn a_limited_rate_removes_a_share_at_a_time_one_at_least() {
        let halves = InFlightTarget { down_rate: 0.5, ..settings() };
        assert_eq!(sizes(halves, 9, &[10.0; 5]).0, [5, 3, 2, 1, 1]);
        let later = InFlightTarget { down_delay: Span::from_secs(120), ..halves };
        assert_eq!(sizes(later, 8, &[10.0; 5]).0, [4, 4, 2, 2, 1]);
    }

    #[test]
    fn the_last_instance_stays_until_the_pool_has_idled_for_long_enough() {
        let patient = InFlightTarget { idle_timeout: Some(Span::from_secs(180)), ..settings() };
        assert_eq!(sizes(patient, 3, &[10.0, 0.0, 0.0, 0.0, 0.0]).0, [1, 1, 1, 0, 0]);
    }
}
