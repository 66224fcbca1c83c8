//! Arrival processes: when requests arrive.
//!
//! A process is one file of this folder and one line of the table of kinds: what a scenario writes under
//! `[arrivals]`, the expected rate, and a stream of instants. Spikes are added to any of them.
//!
//! ```
//! use kneepoint::arrivals::Arrivals;
//! use kneepoint::random::Streams;
//!
//! let arrivals = Arrivals::poisson(8.0);
//! let mut instants = Vec::with_capacity(1024);
//! arrivals.stream(Streams::new(1, 0)).fill(&mut instants, 1024);
//! assert!(instants.is_sorted());
//! ```

mod ahead;
mod counts;
mod cut;
mod diurnal;
mod kinds;
mod merge;
mod mmpp;
mod piecewise;
mod poisson;
mod profile;
mod renewal;
mod rows;
mod spikes;
mod steps;
#[cfg(test)]
mod tests;
mod trace;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use crate::distribution::Distribution;
use crate::random::{Purpose, Rng, Streams};
use crate::same::SameAs;
use crate::schema::{Context, Key, Kind, Node, Problem, UnionSpec, Value};
use crate::time::{Instant, Span};
use merge::Merged;
pub use rows::Rows;
use spikes::Spike;

const SPIKES: Key<Vec<Spike>> =
    Key::or("spikes", "[]", "Requests added for a while, to any kind of arrivals.");

/// When requests arrive, as a scenario says it. Cheap to clone; equal if every seed gives the same requests.
#[derive(Debug, Clone)]
pub struct Arrivals {
    process: Arc<dyn Process>,
    spikes: Vec<Spike>,
}

impl Arrivals {
    /// The keys of `[arrivals]`.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "arrivals",
        doc: "When requests arrive.",
        tag: "kind",
        default: None,
        common: &[&SPIKES],
        variants: &kinds::SPECS,
    };

    /// Poisson arrivals of `rate` requests per second, 0 or more.
    pub fn poisson(rate: f64) -> Self {
        poisson::Poisson { rate }.into()
    }

    /// A load for each step, in requests per second, its requests evenly spaced; `step` is not zero.
    pub fn steps(loads: Vec<f64>, step: Span) -> Self {
        steps::Steps { loads, step }.into()
    }

    /// Renewal arrivals with this distribution of the seconds between two requests; its mean must be positive.
    pub fn renewal(interarrival: Distribution) -> Self {
        renewal::Renewal { interarrival }.into()
    }

    /// Reads the table `[arrivals]`.
    ///
    /// # Errors
    /// What is wrong with the table, or with a file it names.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let (variant, reader) = const { &Self::SPEC }.open(node, path, context)?;
        let process = kinds::read(variant, &reader)?;
        Ok(Arrivals { process, spikes: reader.get(&SPIKES)? })
    }

    /// The requests of one replication, from the start.
    pub fn stream(&self, streams: Streams) -> ArrivalStream {
        let process = Arc::clone(&self.process).stream(streams.stream(Purpose::Arrivals));
        if self.spikes.is_empty() {
            return ArrivalStream { stream: process };
        }
        let spike = |(index, spike): (u64, &Spike)| spike.stream(streams.substream(Purpose::Spikes, index));
        let spikes = (0..).zip(&self.spikes).map(spike);
        ArrivalStream { stream: Box::new(Merged::new(std::iter::once(process).chain(spikes))) }
    }

    /// How long the process lasts, if it ends by itself: steps, points that end, and traces and counts that are not looped.
    /// A trace ends one mean gap after its last request, so that its count over this span is its rate.
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
    pub fn rows(&self) -> Option<Rows> {
        self.process.rows()
    }

    /// No less than the expected requests per second at any time: the greatest rate of the process, over its busiest
    /// minute for a trace, plus the greatest of every spike.
    pub fn peak_rate(&self) -> f64 {
        self.process.peak_rate() + self.spikes.iter().map(Spike::peak_rate).sum::<f64>()
    }
}

impl PartialEq for Arrivals {
    fn eq(&self, other: &Self) -> bool {
        let (theirs, other): (_, &dyn Any) = (&other.spikes, other.process.as_ref());
        self.process.same_as(other) && self.spikes == *theirs
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
    /// Appends the next `count` instants in nanoseconds, never descending; fewer only when the process has ended.
    ///
    /// The instants do not depend on how they are divided into calls. Allocates nothing if `out` has room.
    /// A request that would arrive after [`Instant::MAX`] is given that instant: it never arrives.
    pub fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        self.stream.fill(out, count);
    }

    /// Like [`Self::fill`], appending also which row of the trace each comes from, as an index into it; `None` for one
    /// that comes from none, such as a spike's.
    pub fn fill_with_rows(&mut self, out: &mut Vec<u64>, rows: &mut Vec<Option<usize>>, count: usize) {
        self.stream.fill_with_rows(out, rows, count);
    }
}

/// One kind of arrival process, its parameters known to be possible. The methods are those of [`Arrivals`].
trait Process: Debug + Send + Sync + Any + SameAs {
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream>;
    fn natural_duration(&self) -> Option<Span> {
        None
    }
    fn mean_rate(&self, duration: Span) -> f64;
    fn rate_at(&self, at: Instant) -> Option<f64>;
    fn peak_rate(&self) -> f64;
    fn rows(&self) -> Option<Rows> {
        None
    }
    /// Whether the rate over time is a matter of chance, so that `rate_at` gives its mean.
    fn rate_is_random(&self) -> bool {
        false
    }
}

/// A stream of instants; see [`ArrivalStream`].
trait Stream: Debug + Send {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize);
    fn fill_with_rows(&mut self, out: &mut Vec<u64>, rows: &mut Vec<Option<usize>>, count: usize) {
        let before = out.len();
        self.fill(out, count);
        rows.resize(rows.len() + out.len() - before, None);
    }
}
