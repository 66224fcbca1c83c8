//! Spikes: requests added to any process for a limited time.

use std::sync::Arc;

use super::poisson::MAX_RATE;
use super::process::Stream;
use super::profile::{Profile, Segment};
use crate::random::Rng;
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};

const AT: Key<Span> = Key::required("at", "When the spike starts.");
const DURATION: Key<Span> = Key::required("duration", "How long it lasts.").above(0.0);
const RATE: Key<f64> =
    Key::required("rate", "Requests per second it adds, at its height.").above(0.0).at_most(MAX_RATE);
const SHAPE: Key<Shape> = Key::or("shape", "\"constant\"", "How the added rate goes over the spike.");
const EVERY: Key<Option<Span>> = Key::optional(
    "every",
    "Time from the start of one spike to the start of the next; left out, there is one.",
)
.above(0.0);

const SPEC: TableSpec = TableSpec {
    name: "spike",
    doc: "Poisson requests added to the arrivals for a while.",
    keys: &[&AT, &DURATION, &RATE, &SHAPE, &EVERY],
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Constant,
    Triangle,
}

impl Choice for Shape {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("constant", Shape::Constant, "The whole rate from start to end."),
        ("triangle", Shape::Triangle, "Up from nothing to the rate at half time, and down again."),
    ];
}

impl Value for Shape {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// One spike, or periodic spikes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spike {
    profile: Arc<Profile>,
}

impl Value for Spike {
    fn kind() -> Kind {
        Kind::Table(const { &SPEC })
    }

    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let (at, duration, rate) = (reader.get(&AT)?, reader.get(&DURATION)?, reader.get(&RATE)?);
        let half = Span::from_nanos(duration.as_nanos() / 2);
        let line = |length: Span, from, to| Segment { length: length.as_nanos(), from, to };
        let mut segments = vec![Segment::flat(at, 0.0)];
        match reader.get(&SHAPE)? {
            Shape::Constant => segments.push(Segment::flat(duration, rate)),
            Shape::Triangle => segments.extend([line(half, 0.0, rate), line(duration - half, rate, 0.0)]),
        }
        let every = reader.find(&EVERY)?;
        if let Some(every) = every {
            if every < duration {
                let path = reader.path_of("every");
                let message = format!("`{path}` is {every}, but the spike lasts {duration}");
                return Err(reader.problem("every", message, "expected no less than `duration`"));
            }
            segments.push(Segment::flat(every - duration, 0.0));
        }
        Ok(Spike { profile: Arc::new(Profile::new(&segments, every.map(|_| 1))) })
    }
}

impl Spike {
    pub(super) fn stream(&self, rng: Rng) -> Box<dyn Stream> {
        Arc::clone(&self.profile).stream(rng)
    }

    /// Expected requests in the first `duration`.
    pub(super) fn requests(&self, duration: Span) -> f64 {
        self.profile.requests_before(duration.as_nanos())
    }

    pub(super) fn rate_at(&self, at: Instant) -> f64 {
        self.profile.rate_at(at.as_nanos())
    }

    pub(super) fn peak_rate(&self) -> f64 {
        self.profile.peak_rate()
    }
}
