//! What can go wrong with an instance: starts that fail or are refused, failures, interruptions, slowness.
//!
//! Everything is drawn from streams of the instance's own, so that the n-th instance meets the same fate under every
//! setting.

use rand::RngExt as _;

use super::capacity::CapacityLimits;
use super::stage::{Backoff, Stage};
use crate::distribution::Durations;
use crate::random::{Purpose, Streams};
use crate::schema::{
    AnyKey, Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice,
};
use crate::time::Span;

/// What can go wrong with an instance. By default, nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hazards {
    /// Starts that fail.
    pub start_failures: Option<StartFailures>,
    /// Starts that are refused for want of capacity.
    pub stock: Option<CapacityLimits>,
    /// Failures without notice.
    pub failures: Option<Failures>,
    /// Interruptions with notice, as of spot instances.
    pub interruptions: Option<Interruptions>,
    /// Instances that are slow from the start.
    pub slow: Option<Slow>,
}

/// Cold starts that fail.
#[derive(Debug, Clone, PartialEq)]
pub struct StartFailures {
    /// Probability that a start fails, below 1.
    pub probability: f64,
    /// Name of the stage at whose end a failed start is found out; `None`: the last.
    pub after: Option<String>,
    /// Pause before the next attempt.
    pub backoff: Backoff,
}

/// Failures without notice.
#[derive(Debug, Clone, PartialEq)]
pub struct Failures {
    /// Time from ready to the failure, in seconds.
    pub after: Durations,
}

/// Interruptions with notice.
#[derive(Debug, Clone, PartialEq)]
pub struct Interruptions {
    /// Time from ready to the notice, in seconds.
    pub after: Durations,
    /// Time from the notice to the end; the instance drains meanwhile.
    pub notice: Span,
}

/// Instances that are slow from the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slow {
    /// Share of the instances, 0 to 1.
    pub share: f64,
    /// Their speed against that of the others, above 0.
    pub speed: f64,
}

/// What happens to the requests on an instance that is lost: failed, interrupted, or out of time as it drains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LostRequests {
    /// They fail; a client may try again.
    #[default]
    Fail,
    /// They go back to the head of the queue and start from the beginning elsewhere.
    Restart,
    /// They go back to the head of the queue and are resumed elsewhere where they were.
    Resume,
}

impl Choice for LostRequests {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("fail", LostRequests::Fail, "they fail; a client may try again"),
        (
            "restart",
            LostRequests::Restart,
            "they go back to the head of the queue and start from the beginning elsewhere",
        ),
        (
            "resume",
            LostRequests::Resume,
            "they go back to the head of the queue and are resumed elsewhere where they were, as with a checkpoint",
        ),
    ];
}

impl Value for LostRequests {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const PROBABILITY: Key<f64> =
    Key::required("probability", "Probability that a start fails, each attempt for itself.")
        .at_least(0.0)
        .at_most(0.99);
const AFTER_STAGE: Key<Option<String>> = Key::optional(
    "after",
    "Name of the stage of the cold start at whose end a failed start is found out. Without it, the last.",
);
const START_BACKOFF: Key<Span> = Key::or(
    "backoff",
    "\"10s\"",
    "Pause before a failed start is retried; it doubles with every failure. The default is that of a Kubernetes crash loop.",
)
.above(0.0);
const START_BACKOFF_MAX: Key<Span> = Key::or("backoff_max", "\"5m\"", "The longest such pause.").above(0.0);

const START_FAILURES_SPEC: TableSpec = TableSpec {
    name: "instances.start_failures",
    doc: "Cold starts that fail. The instance stays and tries again from the first stage, after a pause.",
    keys: &[&PROBABILITY, &AFTER_STAGE, &START_BACKOFF, &START_BACKOFF_MAX],
};

impl StartFailures {
    /// How long a start in `stages` takes, of which each takes as long as `time` says, until it is found to have failed.
    pub(in crate::sim) fn found_out(&self, stages: &[Stage], time: impl FnMut(&Stage) -> Span) -> Span {
        let last = stages.iter().position(|stage| Some(&stage.name) == self.after.as_ref());
        let stages = stages.iter().take(last.map_or(stages.len(), |last| last + 1));
        stages.map(time).fold(Span::ZERO, |total, time| total + time)
    }
}

impl Value for StartFailures {
    fn kind() -> Kind {
        Kind::Table(&START_FAILURES_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &START_FAILURES_SPEC, context)?;
        Ok(StartFailures {
            probability: reader.get(&PROBABILITY)?,
            after: reader.find(&AFTER_STAGE)?,
            backoff: Backoff::read(&reader, &START_BACKOFF, &START_BACKOFF_MAX)?,
        })
    }
}

/// Minimum mean life of an instance or a node, in seconds: a run of instances that all fail at once would not end.
pub(in crate::sim) const LEAST_LIFE_S: f64 = 1e-3;

const AFTER: Key<Durations> = Key::required(
    "after",
    "Time from ready to the failure: a distribution, drawn for each instance. Exponential means that age does not matter.",
)
.at_least(LEAST_LIFE_S);
const FAILURES_SPEC: TableSpec = TableSpec {
    name: "instances.failures",
    doc: "Instances that fail without notice, busy or not. The pool starts another at once.",
    keys: &[&AFTER],
};

impl Value for Failures {
    fn kind() -> Kind {
        Kind::Table(&FAILURES_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &FAILURES_SPEC, context)?;
        Ok(Failures { after: reader.get(&AFTER)? })
    }
}

const NOTICE_AFTER: Key<Durations> =
    Key::required("after", "Time from ready to the notice: a distribution, drawn for each instance.")
        .at_least(LEAST_LIFE_S);
const NOTICE: Key<Span> = Key::or(
    "notice",
    "\"2m\"",
    "Time from the notice to the end. The instance drains meanwhile, and what it has not finished then is lost. The default is that of AWS; Google and Azure give 30 s.",
);

const INTERRUPTIONS_SPEC: TableSpec = TableSpec {
    name: "instances.interruptions",
    doc: "Instances that are interrupted with notice, such as spot instances. The pool starts another at the notice.",
    keys: &[&NOTICE_AFTER, &NOTICE],
};

impl Value for Interruptions {
    fn kind() -> Kind {
        Kind::Table(&INTERRUPTIONS_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &INTERRUPTIONS_SPEC, context)?;
        Ok(Interruptions { after: reader.get(&NOTICE_AFTER)?, notice: reader.get(&NOTICE)? })
    }
}

const SHARE: Key<f64> =
    Key::required("share", "Share of the instances that are slow, 0 to 1.").at_least(0.0).at_most(1.0);
const SPEED: Key<f64> =
    Key::required("speed", "Their speed relative to that of the others: 0.5 takes twice as long.")
        .above(0.0)
        .at_most(1.0);

const SLOW_SPEC: TableSpec = TableSpec {
    name: "instances.slow",
    doc: "Instances that are slow from the start: a bad host, a noisy neighbour, a throttled chip.",
    keys: &[&SHARE, &SPEED],
};

impl Value for Slow {
    fn kind() -> Kind {
        Kind::Table(&SLOW_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SLOW_SPEC, context)?;
        Ok(Slow { share: reader.get(&SHARE)?, speed: reader.get(&SPEED)? })
    }
}

const START_FAILURES: Key<Option<StartFailures>> =
    Key::optional("start_failures", "Cold starts that fail. Without it none does.");
const STOCK: Key<Option<CapacityLimits>> =
    Key::optional("stock", "Capacity that may be unavailable. Without it every start is granted.");
const FAILURES: Key<Option<Failures>> =
    Key::optional("failures", "Instances that fail without notice. Without it none does.");
const INTERRUPTIONS: Key<Option<Interruptions>> =
    Key::optional("interruptions", "Instances that are interrupted with notice. Without it none is.");
const SLOW: Key<Option<Slow>> =
    Key::optional("slow", "Instances that are slow from the start. Without it all are alike.");

impl Hazards {
    /// The keys of the hazards.
    pub(in crate::sim) const KEYS: [&'static dyn AnyKey; 5] =
        [&START_FAILURES, &STOCK, &FAILURES, &INTERRUPTIONS, &SLOW];

    /// Reads the hazards of instances that start in `stages`; what is left out is as in `others`.
    pub(in crate::sim) fn read(
        reader: &Reader<'_>,
        stages: &[Stage],
        others: &Hazards,
    ) -> Result<Hazards, Problem> {
        let others = others.clone();
        let start_failures = reader.find(&START_FAILURES)?.or(others.start_failures);
        let after = start_failures.as_ref().and_then(|failures| failures.after.as_ref());
        if let Some(after) = after.filter(|after| stages.iter().all(|stage| stage.name != **after)) {
            let message = format!("`{}.after` is \"{after}\"", reader.path_of("start_failures"));
            let names: Vec<String> = stages.iter().map(|stage| format!("\"{}\"", stage.name)).collect();
            let label = match names.as_slice() {
                [] => "there is no cold start: give `cold_start` stages".to_owned(),
                _ => format!("expected the name of a stage of the cold start: {}", names.join(", ")),
            };
            return Err(reader.problem("start_failures", message, label));
        }
        Ok(Hazards {
            start_failures,
            stock: reader.find(&STOCK)?.or(others.stock),
            failures: reader.find(&FAILURES)?.or(others.failures),
            interruptions: reader.find(&INTERRUPTIONS)?.or(others.interruptions),
            slow: reader.find(&SLOW)?.or(others.slow),
        })
    }

    /// How long after it has become ready instance number `instance` fails; `None`: never.
    pub fn draw_failure(&self, streams: Streams, instance: u32) -> Option<Span> {
        let time = &self.failures.as_ref()?.after;
        let mut rng = streams.substream(Purpose::Failures, 2 * u64::from(instance) + 1);
        Some(Span::from_secs_f64(time.0.sample(&mut rng)))
    }

    /// How long after it has become ready instance number `instance` is given notice; `None`: never.
    pub fn draw_interruption(&self, streams: Streams, instance: u32) -> Option<Span> {
        let time = &self.interruptions.as_ref()?.after;
        let mut rng = streams.substream(Purpose::Failures, 2 * u64::from(instance) + 2);
        Some(Span::from_secs_f64(time.0.sample(&mut rng)))
    }

    /// Speed of instance number `instance` against that of others of its type.
    pub fn draw_speed(&self, streams: Streams, instance: u32) -> f64 {
        let Some(slow) = self.slow else { return 1.0 };
        let mut rng = streams.substream(Purpose::Slowness, u64::from(instance));
        if rng.random::<f64>() < slow.share { slow.speed } else { 1.0 }
    }

    /// Whether attempt number `attempt`, from 0, of instance number `instance` to start fails.
    pub fn draw_start_failure(
        &self,
        streams: Streams,
        instance: u32,
        attempt: u32,
    ) -> Option<&StartFailures> {
        let failures = self.start_failures.as_ref()?;
        let part = u64::from(instance) << 32 | u64::from(attempt);
        let mut rng = streams.substream(Purpose::FailedStarts, part);
        (rng.random::<f64>() < failures.probability).then_some(failures)
    }
}
