//! Ray Serve's autoscaler: requests over a target, a delay in each direction.
//!
//! Modelled after Ray Serve of 2026 (`autoscaling_policy.py`, `autoscaling_state.py`, `config.py`), with the rules of
//! earlier releases as options. Two counts are kept apart, as there: the replicas *running* are what the sizing
//! starts from, the *target* last asked for is what the delays compare with.

mod decision;
mod delay;
mod explain;
mod look_back;
pub(super) mod manifest;
mod replay;

use self::decision::{Decision, Inputs};
use self::delay::{Delay, Delays};
use self::look_back::{Aggregation, LookBack};
use super::{
    Explanation, Limits, MetricsDefaults, Observation, PHASE, Policy, PolicyContext, Replay, Schedule,
    Scrape, Settings, Signal, Watched,
};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};

/// `kind = "ray_serve"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RayServe {
    schedule: Schedule,
    limits: Limits,
    target_ongoing_requests: f64,
    upscaling_factor: f64,
    downscaling_factor: f64,
    delays: Delays,
    look_back: Span,
    push_interval: Span,
    aggregation: Aggregation,
    gang_size: u32,
    /// Percent.
    target_capacity: Option<f64>,
    release: Release,
}

/// Whose rules: they differ in smoothing, in where the bounds apply and in how a delay is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
    Newest,
    V2_54,
    V2_50,
    Legacy,
}

impl Release {
    /// Whether the ratio of requests to target is smoothed, rather than the distance from the running replicas.
    fn smooths_the_ratio(self) -> bool {
        matches!(self, Release::V2_50 | Release::Legacy)
    }

    /// Whether delays go by the clock and the bounds come after them, rather than by ticks and before.
    fn goes_by_the_clock(self) -> bool {
        self == Release::Newest
    }

    /// Whether zero is reached over one replica, where another delay passes.
    fn stops_at_one(self) -> bool {
        self != Release::Legacy
    }
}

impl Choice for Release {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("newest", Release::Newest, "of 2026: delays by the clock, bounds after them"),
        (
            "2.54",
            Release::V2_54,
            "delays by ticks of 0.1 s, bounds before them; from zero on the factor multiplies the whole number",
        ),
        ("2.50", Release::V2_50, "as 2.54, but it is the ratio of requests to target that is smoothed"),
        ("legacy", Release::Legacy, "up to 2.49: as 2.50, and straight to zero, with no stop at one replica"),
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

const MIN: Key<u32> =
    Key::or("min", "1", "Minimum replicas (`min_replicas`). With 0 the pool scales to zero.");
const MAX: Key<u32> = Key::or(
    "max",
    "1",
    "Maximum replicas (`max_replicas`): 1 unless set, as in Ray; `num_replicas: auto` is 100.",
)
.at_least(1.0);
const TARGET_ONGOING_REQUESTS: Key<f64> =
    Key::or("target_ongoing_requests", "2", "Ongoing and queued requests a replica should have.").above(0.0);
const UPSCALING_FACTOR: Key<f64> = Key::or(
    "upscaling_factor",
    "1",
    "The distance from the running replicas up to what is wanted is multiplied by this (`upscale_smoothing_factor`).",
)
.above(0.0);
const DOWNSCALING_FACTOR: Key<f64> =
    Key::or("downscaling_factor", "1", "The same for the distance down (`downscale_smoothing_factor`).")
        .above(0.0);
const UPSCALE_DELAY: Key<Span> =
    Key::or("upscale_delay", "\"30s\"", "How long more replicas must be wanted before they are asked for.");
const DOWNSCALE_DELAY: Key<Span> = Key::or(
    "downscale_delay",
    "\"600s\"",
    "How long fewer replicas must be wanted before the others are removed.",
);
const DOWNSCALE_TO_ZERO_DELAY: Key<Option<Span>> = Key::optional(
    "downscale_to_zero_delay",
    "How long the last replica must be unwanted; left out, as `downscale_delay`. Zero is reached over one replica, so both delays pass.",
);
const LOOK_BACK_PERIOD: Key<Span> =
    Key::or("look_back_period", "\"30s\"", "Requests are averaged over this long.").above(0.0);
const PUSH_INTERVAL: Key<Span> = Key::or(
    "metrics_interval",
    "\"10s\"",
    "Time between two reports of the averages to the controller, which decides with the last one. They are recorded every `metrics.scrape_interval`.",
);
const AGGREGATION_FUNCTION: Key<Aggregation> =
    Key::or("aggregation_function", "\"mean\"", "What becomes of the records of the look-back period.");
const GANG_SIZE: Key<u32> =
    Key::or("gang_size", "1", "Replicas that start together: decisions are rounded up to a multiple.")
        .at_least(1.0);
const TARGET_CAPACITY: Key<Option<f64>> = Key::optional(
    "target_capacity",
    "Percentage of the minimum and maximum that holds, rounded half up; left out, all.",
)
.at_least(0.0)
.at_most(100.0);
const RELEASE: Key<Release> = Key::or("release", "\"newest\"", "Whose rules.");
const INTERVAL: Key<Span> =
    Key::or("interval", "\"100ms\"", "Time between two ticks of the controller.").at_least(1e-3);

/// The keys of `kind = "ray_serve"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "ray_serve",
    doc: "Ray Serve: as many replicas as hold the ongoing and queued requests at a target each, once that has been so for a delay.",
    keys: &[
        &TARGET_ONGOING_REQUESTS,
        &MIN,
        &MAX,
        &UPSCALE_DELAY,
        &DOWNSCALE_DELAY,
        &DOWNSCALE_TO_ZERO_DELAY,
        &UPSCALING_FACTOR,
        &DOWNSCALING_FACTOR,
        &LOOK_BACK_PERIOD,
        &PUSH_INTERVAL,
        &AGGREGATION_FUNCTION,
        &GANG_SIZE,
        &TARGET_CAPACITY,
        &RELEASE,
        &INTERVAL,
        &PHASE,
    ],
};

pub(super) fn read(reader: &Reader<'_>) -> Result<RayServe, Problem> {
    Ok(RayServe {
        schedule: Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? },
        limits: Limits::read(reader, &MIN, &MAX)?,
        target_ongoing_requests: reader.get(&TARGET_ONGOING_REQUESTS)?,
        upscaling_factor: reader.get(&UPSCALING_FACTOR)?,
        downscaling_factor: reader.get(&DOWNSCALING_FACTOR)?,
        delays: Delays {
            up: reader.get(&UPSCALE_DELAY)?,
            down: reader.get(&DOWNSCALE_DELAY)?,
            to_zero: reader.find(&DOWNSCALE_TO_ZERO_DELAY)?,
        },
        look_back: reader.get(&LOOK_BACK_PERIOD)?,
        push_interval: reader.get(&PUSH_INTERVAL)?,
        aggregation: reader.get(&AGGREGATION_FUNCTION)?,
        gang_size: reader.get(&GANG_SIZE)?,
        target_capacity: reader.find(&TARGET_CAPACITY)?,
        release: reader.get(&RELEASE)?,
    })
}

impl Settings for RayServe {
    fn limits(&self) -> Limits {
        let (min, max) = self.bounds();
        Limits { min, max }
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        // `RAY_SERVE_HANDLE_AUTOSCALING_METRIC_RECORD_INTERVAL_S`.
        MetricsDefaults {
            scrape_interval: Span::from_nanos(500_000_000),
            window: self.look_back,
            delay: Span::ZERO,
        }
    }
    fn watched(&self) -> Vec<Watched> {
        vec![Watched::new(TARGET_ONGOING_REQUESTS.name(), Signal::InFlight, self.target_ongoing_requests)]
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(RayServePolicy {
            settings: *self,
            look_back: LookBack::new(self.look_back, self.push_interval, self.aggregation),
            delay: Delay::default(),
            last: None,
        })
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::Recorded::new(*self))
    }
}

/// The controller at work on one deployment.
#[derive(Debug, Clone)]
struct RayServePolicy {
    settings: RayServe,
    look_back: LookBack,
    delay: Delay,
    last: Option<(Inputs, Decision)>,
}

impl Policy for RayServePolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        // Requests that draining replicas still serve are no longer counted there.
        self.look_back.record(sample.at, sample.waiting_now + sample.in_service_now);
    }

    fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        // A handle that finds no replica reports at once.
        let total = if seen.ready == 0 && seen.held > 0 { seen.held as f64 } else { self.look_back.total() };
        let inputs = Inputs { running: seen.ready, target: seen.desired, total, proposal: None };
        let decision = self.settings.tick(&mut self.delay, now, inputs);
        self.last = Some((inputs, decision));
        decision.desired
    }

    fn explain(&self) -> Explanation {
        match &self.last {
            Some((inputs, decision)) => Explanation {
                metric: "in_flight",
                observed: Some(inputs.total),
                target: (inputs.running > 0)
                    .then(|| self.settings.target_ongoing_requests * f64::from(inputs.running)),
                figures: self.settings.figures(inputs, decision),
                reason: self.settings.reason(inputs, decision),
            },
            None => Explanation::default(),
        }
    }
}

#[cfg(test)]
impl RayServe {
    /// Ray's defaults, from 0 to 100 replicas.
    fn example() -> RayServe {
        RayServe {
            schedule: Schedule { interval: Span::from_nanos(100_000_000), phase: Span::ZERO },
            limits: Limits { min: 0, max: 100 },
            target_ongoing_requests: 2.0,
            upscaling_factor: 1.0,
            downscaling_factor: 1.0,
            delays: Delays { up: Span::from_secs(30), down: Span::from_secs(600), to_zero: None },
            look_back: Span::from_secs(30),
            push_interval: Span::from_secs(10),
            aggregation: Aggregation::Mean,
            gang_size: 1,
            target_capacity: None,
            release: Release::Newest,
        }
    }
}
