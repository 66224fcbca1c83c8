//! Both pools as one, from outside.

use std::ops::Range;

use super::in_flight::InFlight;
use super::network::Network;
use crate::sim::accounting::{Areas, Gauges, HeldTimes, Recorder, RequestObserver};
use crate::sim::clients::AttemptCounts;
use crate::sim::queueing::{CacheUse, Load, Station};
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
        self.prefill.requests.backlog(now) + self.decode.requests.backlog(now) + self.transfers.waiting()
    }
    fn held_back(&self) -> u64 {
        0
    }
    fn gauges(&self, now: u64) -> Gauges {
        let (one, other) = (self.prefill.requests.gauges(now), self.decode.requests.gauges(now));
        Gauges {
            waiting: one.waiting + other.waiting + self.transfers.waiting(),
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
        let mut areas = self.prefill.requests.areas(now);
        areas.add(&self.decode.requests.areas(now));
        areas.waiting += self.transfers.areas(now)[0];
        areas
    }
    fn cache(&self, now: u64) -> CacheUse {
        let (one, other) = (self.prefill.requests.cache(now), self.decode.requests.cache(now));
        let ready = [self.prefill.operations.sizes().1, self.decode.operations.sizes().1].map(f64::from);
        CacheUse {
            used: (one.used * ready[0] + other.used * ready[1]) / (ready[0] + ready[1]).max(1.0),
            preemptions: one.preemptions + other.preemptions,
            prefix: one.prefix,
        }
    }
    fn loads(&self, _now: u64, _out: &mut Vec<Load>) {}
    fn arrived(&self) -> u64 {
        self.arrived
    }
    fn held(&self) -> Option<HeldTimes> {
        None
    }
    fn attempt_counts(&self) -> AttemptCounts {
        AttemptCounts { sent: self.arrived, ..AttemptCounts::default() }
    }
    fn fleet(&mut self, now: Instant) -> Option<Fleet> {
        let (one, other) = (self.prefill.operations.fleet(now), self.decode.operations.fleet(now));
        Some(Fleet {
            time: one.time.and(other.time),
            counts: one.counts.and(other.counts),
            desired: one.desired + other.desired,
            transfers: self.transfers.areas(now.as_nanos()),
        })
    }
    fn in_flight_area(&self, now: u64) -> u128 {
        self.table.area(now)
    }
    fn in_flight(&self, _now: u64, arrivals: Range<u64>) -> u64 {
        self.table.iter().filter(|(_, request)| arrivals.contains(&request.arrival)).count() as u64
    }
    fn record_in_flight(&self, now: u64, from: u64, times: &mut Digest) {
        let measured = self.table.iter().filter(|(_, request)| request.arrival >= from);
        measured.for_each(|(_, request)| times.record(now - request.arrival));
    }
    fn waiting(&self, arrivals: Range<u64>) -> u64 {
        let station = &self.prefill.requests.station;
        let waits = |(ticket, request): &(u32, &InFlight)| {
            arrivals.contains(&request.arrival) && request.in_prefill && station.waits(*ticket)
        };
        self.table.iter().filter(waits).count() as u64
    }
    fn oldest_in_flight(&self, _now: u64) -> u64 {
        self.table.iter().map(|(_, request)| request.arrival).min().unwrap_or(u64::MAX)
    }
    fn recorder(&mut self) -> &mut Recorder {
        &mut self.recording.recorder
    }
    fn as_dyn(&mut self) -> &mut dyn RequestSide {
        self
    }
}
