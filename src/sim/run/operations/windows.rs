//! The measured part of a run, and the windows it is cut into.

use super::{Operations, WarmupBaseline};
use crate::sim::accounting::WindowCounters;
use crate::sim::run::event_queue::Event;
use crate::sim::run::request_side::RequestSide;
use crate::time::Instant;

impl Operations {
    pub(super) fn measure_from(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        // The window at hand ends here, so that each is either measured or not.
        self.close_window(requests, at);
        self.registry.measure_from(at);
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
            preemptions: requests.cache(nanos).1,
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
        debug_assert!(self.is_conserved(requests, nanos), "requests have been lost or invented by {at:?}");
        let counters = WindowCounters {
            at,
            gauges: requests.gauges(nanos),
            kv_cache: requests.cache(nanos).0,
            overdue: self.overdue(requests, at),
            areas: requests.areas(nanos),
            in_flight: requests.in_flight_area(nanos),
            time: self.registry.time(at),
            counts: self.registry.counts(),
            arrived: requests.arrived(),
            totals: requests.recorder().totals,
            desired: self.control.desired,
        };
        let recorder = requests.recorder();
        self.timeline.close(counters, recorder.window.as_mut(), recorder.window_tokens.as_mut());
    }

    /// Whether every request that has arrived is answered, lost or in flight.
    fn is_conserved(&self, requests: &mut dyn RequestSide, now: u64) -> bool {
        let totals = requests.recorder().totals;
        requests.arrived() == totals.served + totals.lost + requests.in_flight(now, 0..u64::MAX)
    }

    /// Requests in flight at `at` that are measured and have missed the SLO.
    pub(super) fn overdue(&self, requests: &dyn RequestSide, at: Instant) -> u64 {
        let (from, before) = (self.baseline.at.as_nanos(), self.timeline.overdue_before(at));
        let unanswered = requests.in_flight(at.as_nanos(), from..before.unanswered);
        unanswered + requests.waiting(from.max(before.unanswered)..before.waiting)
    }
}
