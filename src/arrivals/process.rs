//! The two traits of an arrival process: what it is, and the instants it gives.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use super::trace_rows::TraceRows;
use crate::dyn_eq::DynEq;
use crate::random::Rng;
use crate::time::{Instant, Span};
use crate::traffic::Reading;

/// One kind of arrival process with valid parameters. The methods are those of [`super::Arrivals`].
pub(super) trait Process: Debug + Send + Sync + Any + DynEq {
    /// The instants of one replication, from the start of the run.
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream>;

    /// Duration of the process, if it ends of its own accord.
    fn natural_duration(&self) -> Option<Span> {
        None
    }

    /// Expected requests per second over the first `duration`.
    fn mean_rate(&self, duration: Span) -> f64;

    /// Expected requests per second at `at`; `None` for a trace, which has instants and no rate.
    fn rate_at(&self, at: Instant) -> Option<f64>;

    /// Maximum of the expected requests per second.
    fn peak_rate(&self) -> f64;

    /// The rows that are replayed, for a trace.
    fn rows(&self) -> Option<TraceRows> {
        None
    }

    /// How the file of a process was read, a sentence each, and what of it was left out; none for what has no file.
    fn reading(&self) -> Option<&Reading> {
        None
    }

    /// The instant of the start of the run in nanoseconds since 1970, for a recording that is known by date.
    fn starts_at(&self) -> Option<i64> {
        None
    }

    /// Whether the rate over time is itself random, so that `rate_at` gives its mean.
    fn rate_is_random(&self) -> bool {
        false
    }
}

/// The instants of one replication; see [`super::ArrivalStream`].
pub(super) trait Stream: Debug + Send {
    /// A stream is read in one of the two ways throughout: with rows or without.
    fn fill(&mut self, out: &mut Vec<u64>, count: usize);

    fn fill_with_rows(&mut self, out: &mut Vec<u64>, rows: &mut Vec<Option<usize>>, count: usize) {
        let before = out.len();
        self.fill(out, count);
        rows.resize(rows.len() + out.len() - before, None);
    }
}
