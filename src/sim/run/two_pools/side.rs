//! Both pools as one, from outside.

use std::ops::Range;

use super::network::Network;
use crate::sim::accounting::{Areas, Gauges, HeldTimes, Recorder, RequestObserver};
use crate::sim::clients::{AttemptCounts, Attempts};
use crate::sim::queueing::{CacheUse, Load};
use crate::sim::run::request_side::{Fleet, RequestSide};
use crate::stats::Digest;
use crate::time::Instant;

/// Both pools as one, from outside. Instances are those of the pools: nothing is asked for here.
impl<T: RequestObserver> RequestSide for Network<T> {
    fn is_event_driven(&self) -> bool {
        true
    }
    fn advance(&mut self, now: u64) {
        self.recording.recorder.settle();
        self.waiting.pass(now);
    }
    fn take_outcomes(&mut self, _now: u64) {}
    fn next_drained(&mut self) -> Option<u32> {
        None
    }
    fn next_idle(&mut self) -> Option<(u32, u64)> {
        None
    }
    fn still_idle(&self, _instance: u32, _spells: u64) -> bool {
        false
    }
    fn add(&mut self, _instance: u32, _now: u64, _speed: f64, _first_service: u64) {}
    fn drain(&mut self, _instance: u32, now: u64) -> u64 {
        now
    }
    fn kill(&mut self, _instance: u32, _now: u64) {}
    fn outstanding(&self, _instance: u32) -> u64 {
        0
    }
    fn backlog(&self, now: u64) -> u64 {
        self.path.prefill.requests.backlog(now)
            + self.path.decode.requests.backlog(now)
            + self.path.transfers.waiting()
    }
    fn held_back(&self) -> u64 {
        self.clients.as_ref().map_or(0, Attempts::held_back)
    }
    fn gauges(&self, now: u64) -> Gauges {
        let (one, other) = (self.path.prefill.requests.gauges(now), self.path.decode.requests.gauges(now));
        Gauges {
            waiting: one.waiting + other.waiting + self.path.transfers.waiting(),
            buffered: one.buffered + other.buffered,
            busy: one.busy + other.busy,
            draining: one.draining + other.draining,
        }
    }
    fn peak_waiting(&self) -> u64 {
        self.waiting.peak
    }
    fn restart_peak(&mut self) {
        self.waiting.peak = self.waiting.count;
    }
    fn areas(&self, now: u64) -> Areas {
        let mut areas = self.path.prefill.requests.areas(now);
        areas.add(&self.path.decode.requests.areas(now));
        areas.waiting += self.path.transfers.areas(now)[0];
        areas
    }
    fn cache(&self, now: u64) -> CacheUse {
        let (one, other) = (self.path.prefill.requests.cache(now), self.path.decode.requests.cache(now));
        let ready =
            [self.path.prefill.operations.sizes().1, self.path.decode.operations.sizes().1].map(f64::from);
        CacheUse {
            used: (one.used * ready[0] + other.used * ready[1]) / (ready[0] + ready[1]).max(1.0),
            preemptions: one.preemptions + other.preemptions,
            prefix: one.prefix,
        }
    }
    fn loads(&self, _now: u64, _out: &mut Vec<Load>) {}
    fn arrived(&self) -> u64 {
        self.clients.as_ref().map_or(self.arrived, Attempts::arrived)
    }
    fn held(&self) -> Option<HeldTimes> {
        self.clients.as_ref().and_then(Attempts::held).cloned()
    }
    fn attempt_counts(&self) -> AttemptCounts {
        let plain = AttemptCounts { sent: self.arrived, ..AttemptCounts::default() };
        self.clients.as_ref().map_or(plain, |clients| clients.attempt_counts)
    }
    fn fleet(&mut self, now: Instant) -> Option<Fleet> {
        let (one, other) = (self.path.prefill.operations.fleet(now), self.path.decode.operations.fleet(now));
        Some(Fleet {
            time: one.time.and(other.time),
            counts: one.counts.and(other.counts),
            desired: one.desired + other.desired,
            transfers: self.path.transfers.areas(now.as_nanos()),
        })
    }
    fn in_flight_area(&self, now: u64) -> u128 {
        self.clients.as_ref().map_or_else(|| self.path.table.area(now), |clients| clients.area(now))
    }
    fn in_flight(&self, _now: u64, arrivals: Range<u64>) -> u64 {
        self.arrivals_in_flight().filter(|arrival| arrivals.contains(arrival)).count() as u64
    }
    fn record_in_flight(&self, now: u64, from: u64, times: &mut Digest) {
        let measured = self.arrivals_in_flight().filter(|arrival| *arrival >= from);
        measured.for_each(|arrival| times.record(now - arrival));
    }
    fn waiting(&self, arrivals: Range<u64>) -> u64 {
        let path = &self.path;
        let attended = self.clients.iter().flat_map(|clients| clients.waiting(path));
        let plain = path.table.iter().filter(|_| self.clients.is_none());
        let plain = plain.filter(|(ticket, request)| path.waits_for_prefill(*ticket, request));
        let all = attended.chain(plain.map(|(_, request)| request.arrival));
        all.filter(|arrival| arrivals.contains(arrival)).count() as u64
    }
    fn oldest_in_flight(&self, _now: u64) -> u64 {
        self.arrivals_in_flight().min().unwrap_or(u64::MAX)
    }
    fn recorder(&mut self) -> &mut Recorder {
        &mut self.recording.recorder
    }
    fn as_dyn(&mut self) -> &mut dyn RequestSide {
        self
    }
}

impl<T> Network<T> {
    /// Arrival instants of the requests in flight, in no order.
    fn arrivals_in_flight(&self) -> impl Iterator<Item = u64> {
        let attended = self.clients.iter().flat_map(Attempts::in_flight);
        let plain = self.path.table.iter().filter(|_| self.clients.is_none());
        attended.chain(plain.map(|(_, request)| request.arrival))
    }
}
