//! Hugging Face Inference Endpoints: one replica more while the hardware, or the queue, is past a limit.
//!
//! Source: Inference Endpoints documentation, "Autoscaling" (2024): up every minute, down every two, a pause of 300 s after a
//! scale-down, to zero after a time without requests. It gives no rule for scaling down; assumed here: one replica fewer if
//! the metric would still be within its limit on the rest. While an endpoint at zero starts, its proxy answers 503 unless
//! the client asks to be held; here every request is held.

use std::collections::VecDeque;

use super::{
    Explanation, Limits, MetricsDefaults, Observation, PHASE, Policy, PolicyContext, Rounded, Schedule,
    Scrape, Settings, Signal, Watched,
};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};
use crate::units::show_span;

/// `kind = "hugging_face"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct HuggingFace {
    schedule: Schedule,
    limits: Limits,
    strategy: Strategy,
    /// The limit of the metric: a share for the hardware, requests a replica for the queue.
    threshold: f64,
    window: Span,
    scale_down_interval: Span,
    stabilization_window: Span,
    scale_to_zero_after: Span,
}

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    Hardware,
    Pending,
}

impl Choice for Strategy {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("hardware_usage", Strategy::Hardware, "mean utilization over the replicas, 0 to 1"),
        (
            "pending_requests",
            Strategy::Pending,
            "requests without an answer yet, being served or not, a replica",
        ),
    ];
}

impl Value for Strategy {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const MIN: Key<u32> = Key::or("min", "1", "Minimum replicas. With 0 the endpoint scales to zero.");
const MAX: Key<u32> = Key::required("max", "Maximum replicas.").at_least(1.0);
const STRATEGY: Key<Strategy> = Key::or("strategy", "\"hardware_usage\"", "What is watched.");
const THRESHOLD: Key<Option<f64>> = Key::optional(
    "threshold",
    "One replica more at this utilization (left out, 0.8), or above these pending requests a replica (left out, 1.5).",
)
.above(0.0);
const WINDOW: Key<Option<Span>> = Key::optional(
    "window",
    "The metric is averaged over this long; left out, 1 minute for the hardware, 20 s for pending requests.",
);
const INTERVAL: Key<Span> =
    Key::or("interval", "\"60s\"", "Time between two evaluations for a scale-up.").at_least(1.0);
const SCALE_DOWN_INTERVAL: Key<Span> =
    Key::or("scale_down_interval", "\"120s\"", "Time between two evaluations for a scale-down.")
        .at_least(1.0);
const STABILIZATION_WINDOW: Key<Span> =
    Key::or("stabilization_window", "\"300s\"", "Time after a scale-down without another.");
const SCALE_TO_ZERO_AFTER: Key<Span> = Key::or(
    "scale_to_zero_after",
    "\"1h\"",
    "With `min = 0`: time without a request after which the last replicas go.",
)
.above(0.0);

/// The keys of `kind = "hugging_face"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "hugging_face",
    doc: "Hugging Face Inference Endpoints: replicas one by one, by hardware usage or pending requests, and none after a time without requests.",
    keys: &[
        &MIN,
        &MAX,
        &STRATEGY,
        &THRESHOLD,
        &WINDOW,
        &INTERVAL,
        &SCALE_DOWN_INTERVAL,
        &STABILIZATION_WINDOW,
        &SCALE_TO_ZERO_AFTER,
        &PHASE,
    ],
};

pub(super) fn read(reader: &Reader<'_>) -> Result<HuggingFace, Problem> {
    let strategy = reader.get(&STRATEGY)?;
    let (threshold, window) = match strategy {
        Strategy::Hardware => (0.8, Span::from_secs(60)),
        Strategy::Pending => (1.5, Span::from_secs(20)),
    };
    Ok(HuggingFace {
        schedule: Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? },
        limits: Limits::read(reader, &MIN, &MAX)?,
        strategy,
        threshold: reader.find(&THRESHOLD)?.unwrap_or(threshold),
        window: reader.find(&WINDOW)?.unwrap_or(window),
        scale_down_interval: reader.get(&SCALE_DOWN_INTERVAL)?,
        stabilization_window: reader.get(&STABILIZATION_WINDOW)?,
        scale_to_zero_after: reader.get(&SCALE_TO_ZERO_AFTER)?,
    })
}

impl Settings for HuggingFace {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        MetricsDefaults { scrape_interval: Span::from_secs(5), window: self.window, delay: Span::ZERO }
    }
    fn watched(&self) -> Vec<Watched> {
        let signal = match self.strategy {
            Strategy::Hardware => Signal::Utilization,
            Strategy::Pending => Signal::InFlight,
        };
        vec![Watched::new(THRESHOLD.name(), signal, self.threshold)]
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn wakes(&self) -> bool {
        // The proxy starts an endpoint at zero on the first request.
        self.limits.min == 0
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(HuggingFacePolicy::new(*self))
    }
}

impl HuggingFace {
    fn is_past(&self, metric: f64) -> bool {
        match self.strategy {
            Strategy::Hardware => metric >= self.threshold,
            Strategy::Pending => metric > self.threshold,
        }
    }

    fn name(&self) -> &'static str {
        Strategy::OPTIONS
            .iter()
            .find(|(_, known, _)| *known == self.strategy)
            .map_or("", |(name, _, _)| *name)
    }
}

/// The endpoint's autoscaler at work.
#[derive(Debug, Clone)]
struct HuggingFacePolicy {
    settings: HuggingFace,
    /// Scrapes within the window, oldest first: when, what is shared times seconds, and what it is shared by.
    scrapes: VecDeque<(Instant, f64, f64)>,
    last_request: Instant,
    last_look_down: Instant,
    last_down: Option<Instant>,
    metric: Option<f64>,
    outcome: Outcome,
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Asleep,
    Wake,
    Idle(Span),
    NoData,
    Up,
    AtMax,
    NotYet(Span),
    Stabilizing(Span),
    WouldBePast,
    AtMin,
    Down,
}

impl HuggingFacePolicy {
    fn new(settings: HuggingFace) -> HuggingFacePolicy {
        let (last_request, last_look_down) = (Instant::ZERO, Instant::ZERO);
        let scrapes = VecDeque::new();
        let (last_down, metric, outcome) = (None, None, Outcome::NoData);
        HuggingFacePolicy { settings, scrapes, last_request, last_look_down, last_down, metric, outcome }
    }

    /// The mean over the window.
    fn observe(&self) -> Option<f64> {
        let (shared, by) = self.scrapes.iter().fold((0.0, 0.0), |(a, b), (_, c, d)| (a + c, b + d));
        (by > 0.0).then(|| shared / by)
    }

    fn evaluate(&mut self, now: Instant, current: u32, held: u64, metric: Option<f64>) -> u32 {
        let Limits { min, max } = self.settings.limits;
        self.metric = metric;
        let (desired, outcome) = match metric {
            _ if current == 0 && held > 0 => (min.max(1), Outcome::Wake),
            _ if current == 0 && min == 0 => (0, Outcome::Asleep),
            _ if min == 0 && now.since(self.last_request) >= self.settings.scale_to_zero_after => {
                (0, Outcome::Idle(now.since(self.last_request)))
            }
            None => (current, Outcome::NoData),
            Some(metric) if self.settings.is_past(metric) => match current < max {
                true => (current + 1, Outcome::Up),
                false => (current, Outcome::AtMax),
            },
            Some(metric) => self.look_down(now, current, metric),
        };
        if outcome == Outcome::Wake {
            self.last_request = now;
        }
        self.outcome = outcome;
        desired.clamp(min, max)
    }

    fn look_down(&mut self, now: Instant, current: u32, metric: f64) -> (u32, Outcome) {
        // The last replica goes by idle time alone.
        if current <= self.settings.limits.min.max(1) {
            return (current, Outcome::AtMin);
        }
        let remaining = self.metric_with(current - 1, current, metric);
        if self.settings.is_past(remaining) {
            return (current, Outcome::WouldBePast);
        }
        let next = self.last_look_down + self.settings.scale_down_interval;
        if now < next {
            return (current, Outcome::NotYet(next.since(now)));
        }
        self.last_look_down = now;
        let steady = self.last_down.map_or(now, |last| last + self.settings.stabilization_window);
        if now < steady {
            return (current, Outcome::Stabilizing(steady.since(now)));
        }
        self.last_down = Some(now);
        (current - 1, Outcome::Down)
    }

    /// What the metric would be with `left` of `current` replicas.
    fn metric_with(&self, left: u32, current: u32, metric: f64) -> f64 {
        metric * f64::from(current) / f64::from(left)
    }

    fn reason(&self, observed: f64) -> String {
        let (name, limit) = (self.settings.name(), Rounded(self.settings.threshold));
        let metric = Rounded(observed);
        match self.outcome {
            Outcome::Asleep => "no replica and no request: none".to_owned(),
            Outcome::Wake => "a request buffered and no replica: start one".to_owned(),
            Outcome::Idle(since) => format!("no request for {}: scale to zero", show_span(since)),
            Outcome::NoData => format!("no {name} yet: stay"),
            Outcome::Up => format!("{name} {metric} is past {limit}: one more"),
            Outcome::AtMax => {
                format!("{name} {metric} is past {limit}, but the pool is already at its maximum")
            }
            Outcome::NotYet(left) => {
                format!("{name} {metric} allows one fewer, at the next look down in {}", show_span(left))
            }
            Outcome::Stabilizing(left) => {
                format!(
                    "{name} {metric} allows one fewer, but the last scale-down rests for {}",
                    show_span(left)
                )
            }
            Outcome::WouldBePast => {
                format!("{name} {metric} is within {limit}, with one fewer it would not be: stay")
            }
            Outcome::AtMin => format!("{name} {metric} is within {limit}, at the minimum: stay"),
            Outcome::Down => format!("{name} {metric} is within {limit} with one fewer: one fewer"),
        }
    }
}

impl Policy for HuggingFacePolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        let seconds = sample.seconds();
        let (shared, by) = match self.settings.strategy {
            Strategy::Hardware => (sample.work * seconds, sample.slots * seconds),
            Strategy::Pending => (sample.in_flight * seconds, f64::from(sample.ready) * seconds),
        };
        while self.scrapes.front().is_some_and(|(at, _, _)| *at + self.settings.window <= sample.at) {
            self.scrapes.pop_front();
        }
        self.scrapes.push_back((sample.at, shared, by));
        if sample.arrived > 0 || sample.in_flight_now > 0 {
            self.last_request = sample.at;
        }
    }

    fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        let metric = seen.metric.or_else(|| self.observe());
        self.evaluate(now, seen.desired, seen.held, metric)
    }

    fn explain(&self) -> Explanation {
        Explanation {
            metric: self.settings.name(),
            observed: self.metric,
            target: Some(self.settings.threshold),
            figures: vec![("threshold", self.settings.threshold.into())],
            reason: self.reason(self.metric.unwrap_or(f64::NAN)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_policy(strategy: Strategy, min: u32) -> HuggingFacePolicy {
        HuggingFacePolicy::new(HuggingFace {
            schedule: Schedule { interval: Span::from_secs(60), phase: Span::ZERO },
            limits: Limits { min, max: 4 },
            strategy,
            threshold: if strategy == Strategy::Hardware { 0.8 } else { 1.5 },
            window: Span::from_secs(60),
            scale_down_interval: Span::from_secs(120),
            stabilization_window: Span::from_secs(300),
            scale_to_zero_after: Span::from_secs(3600),
        })
    }

    fn minute(minute: u64) -> Instant {
        Instant::ZERO + Span::from_secs(60) * minute
    }

    #[test]
    fn replicas_come_one_by_one() {
        let mut policy = new_policy(Strategy::Hardware, 1);
        let mut look = |at, current, metric| policy.evaluate(minute(at), current, 0, Some(metric));
        assert_eq!((look(1, 1, 0.8), look(2, 2, 1.0), look(3, 4, 1.0)), (2, 3, 4));
        let mut policy = new_policy(Strategy::Pending, 1);
        let mut look = |metric| policy.evaluate(minute(1), 1, 0, Some(metric));
        assert_eq!((look(1.5), look(1.6)), (1, 2), "pending requests must be above");
    }

    #[test]
    fn they_go_every_other_minute_and_rest_after_each() {
        let mut policy = new_policy(Strategy::Hardware, 1);
        let mut look = |at, current| policy.evaluate(minute(at), current, 0, Some(0.1));
        assert_eq!((look(1, 4), look(2, 4), look(4, 3), look(6, 3), look(8, 3)), (4, 3, 3, 3, 2));
        let mut look = |metric| policy.evaluate(minute(20), 2, 0, Some(metric));
        assert_eq!((look(0.41), look(0.39)), (2, 1), "what is left must bear it");
    }

    #[test]
    fn an_hour_without_requests_leads_to_zero_and_a_request_away_from_it() {
        let mut policy = new_policy(Strategy::Hardware, 0);
        assert_eq!(policy.evaluate(minute(59), 1, 0, Some(0.0)), 1);
        assert_eq!(policy.evaluate(minute(60), 1, 0, Some(0.0)), 0);
        assert_eq!(policy.evaluate(minute(61), 0, 0, None), 0);
        assert_eq!(policy.evaluate(minute(62), 0, 1, None), 1);
        assert_eq!(policy.evaluate(minute(63), 1, 0, None), 1, "the request counts");
    }
}
