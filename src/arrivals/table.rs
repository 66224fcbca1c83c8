//! The table `[arrivals]`: a process, and spikes on top of it.

use std::any::Any;
use std::sync::Arc;

use super::answered::Answered;
use super::merge::Merged;
use super::process::{Process, Stream};
use super::spikes::Spike;
use super::trace_rows::TraceRows;
use super::{poisson, registry, renewal, steps};
use crate::distribution::Distribution;
use crate::random::{Purpose, Streams};
use crate::schema::{Context, Data, Key, Kind, Node, Problem, UnionSpec, Value};
use crate::time::{Instant, Span};
use crate::traffic::Reading;

const SPIKES: Key<Vec<Spike>> =
    Key::or("spikes", "[]", "Requests added for a while, to any kind of arrivals.");

/// When requests arrive, as a scenario describes it. Cheap to clone; two are equal if they give the same requests under
/// every seed.
#[derive(Debug, Clone)]
pub struct Arrivals {
    pub(super) process: Arc<dyn Process>,
    spikes: Vec<Spike>,
}

/// Names that arrivals have elsewhere where users wait for their answers.
const CLOSED_KINDS: [&str; 9] = [
    "closed",
    "closed_loop",
    "closed-loop",
    "users",
    "clients",
    "vus",
    "concurrency",
    "concurrent",
    "sessions",
];

/// Where these stand here.
const CLOSED_LOOP: &str = "users who wait for an answer before they send again stand in `[client]`, without `[arrivals]`: users = 50 and think_time = \"2s\"";

/// Whether the kind that is written is that of a closed loop.
fn is_closed_loop(node: &Node) -> bool {
    let Data::Table(table) = &node.data else { return false };
    match table.get("kind").map(|node| &node.data) {
        Some(Data::Text(kind)) => CLOSED_KINDS.contains(&kind.to_lowercase().as_str()),
        _ => false,
    }
}

impl Arrivals {
    /// The keys of `[arrivals]`.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "arrivals",
        doc: "When requests arrive.",
        tag: "kind",
        default: None,
        common: &[&SPIKES],
        variants: &registry::SPECS,
    };

    /// Poisson arrivals of `rate` requests per second, 0 or more.
    pub fn poisson(rate: f64) -> Self {
        poisson::Poisson { rate }.into()
    }

    /// A load for each step of length `step`, above 0: requests per second, evenly spaced.
    pub fn steps(loads: Vec<f64>, step: Span) -> Self {
        steps::Steps { loads, step }.into()
    }

    /// Renewal arrivals with this distribution of the seconds between two requests; its mean must be above 0.
    pub fn renewal(interarrival: Distribution) -> Self {
        renewal::Renewal { interarrival }.into()
    }

    /// Requests that depend on the answers: none comes from here, and `points` are an estimate of their rate, as seconds
    /// from the start and requests per second, in order, with straight lines between. `natural_duration` is how long they
    /// go on, if they end of their own accord.
    pub fn answered(points: Vec<(f64, f64)>, natural_duration: Option<Span>) -> Self {
        Answered { points, natural_duration }.into()
    }

    /// Reads the table `[arrivals]`.
    ///
    /// # Errors
    /// What is wrong with the table, or with a file it names.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let opened = const { &Self::SPEC }.open(node, path, context);
        let (variant, reader) = opened.map_err(|problem| match is_closed_loop(node) {
            true => problem.help(CLOSED_LOOP),
            false => problem,
        })?;
        let process = registry::read(variant, &reader)?;
        Ok(Arrivals { process, spikes: reader.get(&SPIKES)? })
    }

    /// The arrivals of one replication, from the start of the run.
    pub fn stream(&self, streams: Streams) -> ArrivalStream {
        let process = Arc::clone(&self.process).stream(streams.stream(Purpose::Arrivals));
        if self.spikes.is_empty() {
            return ArrivalStream { stream: process };
        }
        let spike = |(index, spike): (u64, &Spike)| spike.stream(streams.substream(Purpose::Spikes, index));
        let spikes = (0..).zip(&self.spikes).map(spike);
        ArrivalStream { stream: Box::new(Merged::new(std::iter::once(process).chain(spikes))) }
    }

    /// Duration of the process, if it ends of its own accord: steps, points that end, and traces and counts that are not
    /// looped. A trace ends one mean gap after its last request, so that its count over this span is its rate.
    pub fn natural_duration(&self) -> Option<Span> {
        self.process.natural_duration()
    }

    /// Expected requests per second over the first `duration`.
    pub fn mean_rate(&self, duration: Span) -> f64 {
        let spikes: f64 = self.spikes.iter().map(|spike| spike.requests(duration)).sum();
        let added = if duration.is_zero() { 0.0 } else { spikes / duration.as_secs_f64() };
        self.process.mean_rate(duration) + added
    }

    /// Expected requests per second at `at`, for charts; `None` for traces, which have instants and no rate.
    pub fn rate_at(&self, at: Instant) -> Option<f64> {
        let spikes: f64 = self.spikes.iter().map(|spike| spike.rate_at(at)).sum();
        self.process.rate_at(at).map(|rate| rate + spikes)
    }

    /// The rows that are replayed, if the arrivals are a trace.
    pub fn rows(&self) -> Option<TraceRows> {
        self.process.rows()
    }

    /// How their file was read, if it was recognised by its content.
    pub fn reading(&self) -> Option<&Reading> {
        self.process.reading()
    }

    /// The instant of the start of the run in nanoseconds since 1970, for a recording that is known by date and replayed at its
    /// own speed.
    pub fn starts_at(&self) -> Option<i64> {
        self.process.starts_at()
    }

    /// An upper bound of the expected requests per second: the maximum rate of the process, for a trace that of its
    /// busiest minute, plus the maximum rate of every spike.
    pub fn peak_rate(&self) -> f64 {
        self.process.peak_rate() + self.spikes.iter().map(Spike::peak_rate).sum::<f64>()
    }
}

impl PartialEq for Arrivals {
    fn eq(&self, other: &Self) -> bool {
        let (theirs, other): (_, &dyn Any) = (&other.spikes, other.process.as_ref());
        self.process.dyn_eq(other) && self.spikes == *theirs
    }
}

impl<P: Process> From<P> for Arrivals {
    fn from(process: P) -> Self {
        Arrivals { process: Arc::new(process), spikes: Vec::new() }
    }
}

impl Value for Arrivals {
    fn kind() -> Kind {
        Kind::Union(const { &Self::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Arrivals::read(node, path, context)
    }
}

/// The arrivals of one replication, in time order.
#[derive(Debug)]
pub struct ArrivalStream {
    stream: Box<dyn Stream>,
}

impl ArrivalStream {
    /// Appends the next `count` instants, in nanoseconds and ascending order; fewer only when the process has ended.
    ///
    /// The instants do not depend on how they are divided into calls. Allocates nothing if `out` has room. A request that
    /// would arrive after [`Instant::MAX`] gets that instant: it never arrives.
    pub fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        self.stream.fill(out, count);
    }

    /// Like [`Self::fill`], and appends the index of the row of the trace that each request comes from; `None` for a request
    /// without a row, such as one of a spike.
    pub fn fill_with_rows(&mut self, out: &mut Vec<u64>, rows: &mut Vec<Option<usize>>, count: usize) {
        self.stream.fill_with_rows(out, rows, count);
    }
}
