//! The measured part of a run, and the windows it is cut into.

use std::ops::Range;

use super::{Operations, WarmupBaseline};
use crate::sim::accounting::{MORE, Promise, Slo, Timeline, WindowCounters};
use crate::sim::run::event_queue::Event;
use crate::sim::run::request_side::RequestSide;
use crate::time::Instant;

impl Operations {
    pub(super) fn measure_from(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        // Where another pool has brought everything to this instant, what was reported is not accounted for yet.
        requests.recorder().settle();
        // The window at hand ends here, so that each is either measured or not.
        self.close_window(requests, at);
        self.registry.measure_from(at);
        requests.restart_peak();
        let nanos = at.as_nanos();
        self.baseline = WarmupBaseline {
            at,
            arrived: requests.arrived(),
            areas: requests.areas(nanos),
            time: self.registry.time(at),
            actions: self.control.actions,
            starts: self.registry.starts(),
            in_flight: requests.in_flight_area(nanos),
            attempt_counts: requests.attempt_counts(),
            failure_counts: self.provisioner.failure_counts,
            ready_times: self.registry.bills(at).into_iter().map(|bill| bill.ready_time).collect(),
            cache: requests.cache(nanos),
        };
    }

    pub(super) fn mark(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        if at < self.end {
            self.events.add((at + self.timeline.windows.length).min(self.end), Event::Mark);
        }
        self.close_window(requests, at);
    }

    fn close_window(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        let nanos = at.as_nanos();
        let overdue = self.overdue(requests, at);
        debug_assert!(self.is_conserved(requests, nanos), "requests have been lost or invented by {at:?}");
        let cache = requests.cache(nanos);
        let fleet = match requests.fleet(at) {
            Some(fleet) => fleet,
            None => self.fleet(at),
        };
        let counters = WindowCounters {
            at,
            kv_cache: cache.used,
            prefix: cache.prefix,
            overdue: overdue[0],
            more_overdue: std::array::from_fn(|index| overdue[index + 1]),
            areas: requests.areas(nanos),
            in_flight: requests.in_flight_area(nanos),
            time: fleet.time,
            counts: fleet.counts,
            arrived: requests.arrived(),
            totals: requests.recorder().totals,
            desired: fleet.desired,
            transfers: fleet.transfers,
        };
        let recorder = requests.recorder();
        self.timeline.close(counters, recorder.window.as_mut(), recorder.window_tokens.as_mut());
    }

    /// Whether every request that has arrived is answered, lost or in flight.
    fn is_conserved(&self, requests: &mut dyn RequestSide, now: u64) -> bool {
        let totals = requests.recorder().totals;
        requests.arrived() == totals.served + totals.lost + requests.in_flight(now, 0..u64::MAX)
    }

    /// Requests in flight at `at` that are measured and have missed each promise; none without one.
    pub(super) fn overdue(&self, requests: &dyn RequestSide, at: Instant) -> [u64; MORE + 1] {
        let mut overdue = [0; MORE + 1];
        let arrivals = self.baseline.at.as_nanos()..u64::MAX;
        let promises = self.timeline.windows.slo.iter().flat_map(Slo::promises);
        for (place, promise) in overdue.iter_mut().zip(promises) {
            *place = overdue_of(&promise, requests, at, arrivals.clone());
        }
        overdue
    }

    /// Takes those of each window into account for the promises of windows, at the end of the run.
    pub(super) fn tell_overdue(&self, requests: &mut dyn RequestSide, overdue: &[u64]) {
        let from = self.baseline.at.as_nanos();
        for (index, overdue) in overdue.iter().enumerate() {
            let promise = requests.recorder().more.get(index).map(|tally| tally.promise);
            let Some((promise, windows)) = promise.and_then(|it| Some((it, it.windows?))) else { continue };
            let length = windows.length.as_nanos();
            let (mut end, mut left) = (
                from.saturating_add(self.end.since(self.baseline.at).as_nanos() / length * length + length),
                *overdue,
            );
            // The latest first: what is overdue has mostly come last.
            while left > 0 && end > from {
                let start = end - length;
                let many = overdue_of(&promise, requests, self.end, start..end);
                if many > 0 {
                    requests.recorder().more[index].overdue(start - from, many);
                }
                left = left.saturating_sub(many);
                end = start;
            }
        }
    }
}

/// Requests in flight at `at` that arrived within `arrivals` and have missed a promise.
fn overdue_of(promise: &Promise, requests: &dyn RequestSide, at: Instant, arrivals: Range<u64>) -> u64 {
    let before = Timeline::overdue_before(at, promise);
    let unanswered = arrivals.start..before.unanswered.min(arrivals.end);
    let waiting = arrivals.start.max(before.unanswered)..before.waiting.min(arrivals.end);
    let some = |range: &Range<u64>| range.start < range.end;
    let unanswered = if some(&unanswered) { requests.in_flight(at.as_nanos(), unanswered) } else { 0 };
    unanswered + if some(&waiting) { requests.waiting(waiting) } else { 0 }
}
