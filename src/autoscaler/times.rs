//! Times of requests that are watched by their quantiles.

use crate::stats::Buckets;
use crate::time::Span;

/// A time of a request of which a quantile is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timed {
    /// From its arrival to its end.
    Latency,
    /// From its arrival to the first token of its answer.
    Ttft,
    /// Of each further token of its answer.
    Tpot,
}

impl Timed {
    /// Every kind, in order.
    pub const ALL: [Timed; 3] = [Timed::Latency, Timed::Ttft, Timed::Tpot];
}

/// Times of requests that completed, of each kind that is watched.
#[derive(Debug, Clone, Default)]
pub struct ScrapedTimes([Option<TimeHistogram>; 3]);

/// Times in microseconds, to two significant digits.
pub(crate) type TimeHistogram = Buckets<7>;

impl ScrapedTimes {
    /// Watches a kind of times, none of which is longer than `longest`.
    pub(crate) fn watch(&mut self, timed: Timed, longest: Span) {
        self.0[timed as usize] = Some(Buckets::new((longest.as_nanos() / 1000).clamp(2, u64::MAX / 2)));
    }

    /// Times of a kind, if it is watched.
    pub(crate) fn of(&self, timed: Timed) -> Option<&TimeHistogram> {
        self.0[timed as usize].as_ref()
    }

    /// The same, to record more.
    #[inline]
    pub(crate) fn of_mut(&mut self, timed: Timed) -> Option<&mut TimeHistogram> {
        self.0[timed as usize].as_mut()
    }

    /// Times of a kind, taken out.
    pub(crate) fn part(&mut self, timed: Timed) -> Option<TimeHistogram> {
        self.0[timed as usize].take()
    }

    /// What has been recorded since the last call; `longest` is that of [`ScrapedTimes::watch`].
    pub(crate) fn take(&mut self, longest: Span) -> ScrapedTimes {
        let taken = std::mem::take(self);
        Timed::ALL
            .into_iter()
            .filter(|timed| taken.of(*timed).is_some())
            .for_each(|timed| self.watch(timed, longest));
        taken
    }
}
