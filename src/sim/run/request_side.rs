//! The requests of a run: the station they meet, the clients that wait for them, and the account of what becomes of them.
//!
//! Everything that happens once a request is compiled for the service model and the arrangement of queues. What happens
//! to instances is rare, and the same for all of them: it reaches the requests by way of [`RequestSide`], so that it is
//! compiled once.

use std::ops::Range;

use crate::service::Request;
use crate::sim::accounting::{
    Areas, Gauges, HeldTimes, InstanceCounts, InstanceTime, Recorder, Recording, RequestObserver,
};
use crate::sim::clients::{AttemptCounts, Attempts};
use crate::sim::queueing::{CacheUse, Load, Station};
use crate::stats::Digest;
use crate::time::Instant;

/// The requests of a run, as seen from the side of the instances. Where an instant is given, everything has advanced to it.
pub(super) trait RequestSide {
    /// Whether every change happens at its instant, so that policies can act at each.
    fn is_event_driven(&self) -> bool;
    /// Lets every request up to `now` take its course, and accounts for it.
    fn advance(&mut self, now: u64);
    /// Hands the clients what has become of their attempts.
    fn take_outcomes(&mut self, now: u64);
    /// A draining instance that has run out of work since the last call.
    fn next_drained(&mut self) -> Option<u32>;
    /// A ready instance that has run out of work since the last call, and the count of its busy spells.
    fn next_idle(&mut self) -> Option<(u32, u64)>;
    /// Whether an instance has been idle since the end of this busy spell.
    fn still_idle(&self, instance: u32, spells: u64) -> bool;
    /// An instance becomes ready, of this speed and with this service requirement of its first request.
    fn add(&mut self, instance: u32, now: u64, speed: f64, first_service: u64);
    /// An instance takes no more requests; when it will have finished those it has.
    fn drain(&mut self, instance: u32, now: u64) -> u64;
    /// An instance is taken away with all it has.
    fn kill(&mut self, instance: u32, now: u64);
    /// Requests an instance has.
    fn outstanding(&self, instance: u32) -> u64;
    /// Requests that wait, as far as is known without letting anything happen.
    fn backlog(&self, now: u64) -> u64;
    /// Of those, requests that wait to be sent, because only so many may be outstanding.
    fn held_back(&self) -> u64;
    fn gauges(&self, now: u64) -> Gauges;
    /// The greatest number of requests that have waited at a time since the measured part began.
    fn peak_waiting(&self) -> u64;
    /// The measured part begins.
    fn restart_peak(&mut self);
    fn areas(&self, now: u64) -> Areas;
    /// What has become of the memory for keys and values.
    fn cache(&self, now: u64) -> CacheUse;
    fn loads(&self, now: u64, out: &mut Vec<Load>);
    /// Requests that have arrived.
    fn arrived(&self) -> u64;
    /// How long requests have waited to be sent, where only so many may be outstanding.
    fn held(&self) -> Option<HeldTimes>;
    /// What has been sent so far.
    fn attempt_counts(&self) -> AttemptCounts;
    /// The instances of the pools that it stands for, where it stands for several.
    fn fleet(&mut self, _now: Instant) -> Option<Fleet> {
        None
    }
    /// Integral of the requests in flight.
    fn in_flight_area(&self, now: u64) -> u128;
    /// Requests in flight that arrived within `arrivals`.
    fn in_flight(&self, now: u64, arrivals: Range<u64>) -> u64;
    /// Records how long the requests in flight have been so, of those that arrived at or after `from`.
    fn record_in_flight(&self, now: u64, from: u64, times: &mut Digest);
    /// Requests in flight that wait and arrived within `arrivals`, where tokens are counted.
    fn waiting(&self, arrivals: Range<u64>) -> u64;
    /// When the oldest request in flight arrived; [`u64::MAX`] if there is none.
    fn oldest_in_flight(&self, now: u64) -> u64;
    fn recorder(&mut self) -> &mut Recorder;
    /// The same, for what is compiled once.
    fn as_dyn(&mut self) -> &mut dyn RequestSide;
}

/// The instances of one or several pools at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fleet {
    pub time: InstanceTime,
    pub counts: InstanceCounts,
    pub desired: u32,
    /// Integrals of the KV caches that wait for their transfer between pools, and of those under way.
    pub transfers: [u128; 2],
}

/// See the module.
#[derive(Debug)]
pub(super) struct Requests<S, T> {
    pub station: S,
    pub recording: Recording<T>,
    /// Where requests may be sent more than once.
    pub clients: Option<Attempts>,
    pub arrived: u64,
    /// The instant to which the station has advanced, if nothing has come or gone since.
    pub advanced_to: Option<u64>,
    /// Requests lost with an instance; kept to keep its memory.
    lost: Vec<Request>,
}

impl<S: Station, T: RequestObserver> Requests<S, T> {
    pub fn new(station: S, recording: Recording<T>, clients: Option<Attempts>) -> Self {
        Requests { station, recording, clients, arrived: 0, advanced_to: None, lost: Vec::new() }
    }

    /// Arrival instants of the requests in flight at `now`, in no order.
    fn arrivals_in_flight(&self, now: u64) -> impl Iterator<Item = u64> {
        let attended = self.clients.iter().flat_map(Attempts::in_flight);
        let plain = self.clients.is_none().then(|| self.station.in_flight(now));
        attended.chain(plain.into_iter().flatten())
    }

    /// Arrival instants of the requests in flight that wait, in no order, where tokens are counted.
    fn arrivals_waiting(&self) -> impl Iterator<Item = u64> {
        let attended = self.clients.iter().filter(|_| S::COUNTS_TOKENS);
        let plain = self.clients.is_none().then(|| self.station.waiting());
        attended.flat_map(|clients| clients.waiting(&self.station)).chain(plain.into_iter().flatten())
    }
}

impl<S: Station, T: RequestObserver> RequestSide for Requests<S, T> {
    fn is_event_driven(&self) -> bool {
        S::EVENT_DRIVEN
    }

    fn advance(&mut self, now: u64) {
        // Scrapes, evaluations and marks are often of one instant.
        if !S::EVENT_DRIVEN && self.advanced_to == Some(now) {
            return;
        }
        self.advanced_to = Some(now);
        self.station.advance(now, &mut self.recording);
        self.recording.recorder.settle();
    }

    #[inline]
    fn take_outcomes(&mut self, now: u64) {
        if let Some(clients) = &mut self.clients {
            clients.take_outcomes(now, &mut self.station, &mut self.recording);
        }
    }

    #[inline]
    fn next_drained(&mut self) -> Option<u32> {
        self.station.next_drained()
    }

    #[inline]
    fn next_idle(&mut self) -> Option<(u32, u64)> {
        self.station.next_idle()
    }

    fn still_idle(&self, instance: u32, spells: u64) -> bool {
        self.station.still_idle(instance, spells)
    }

    fn add(&mut self, instance: u32, now: u64, speed: f64, first_service: u64) {
        self.advanced_to = None;
        self.station.set_next_instance(speed, first_service);
        self.station.add(instance, now, &mut self.recording);
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        self.advanced_to = None;
        self.station.drain(instance, now)
    }

    fn kill(&mut self, instance: u32, now: u64) {
        self.advanced_to = None;
        self.station.kill(instance, now, &mut self.lost);
        for request in self.lost.drain(..) {
            self.recording.failed(request.arrival, now);
        }
    }

    fn outstanding(&self, instance: u32) -> u64 {
        self.station.outstanding(instance)
    }

    fn backlog(&self, now: u64) -> u64 {
        self.station.backlog(now) + self.held_back()
    }

    fn held_back(&self) -> u64 {
        self.clients.as_ref().map_or(0, Attempts::held_back)
    }

    #[inline]
    fn gauges(&self, now: u64) -> Gauges {
        self.station.gauges(now)
    }

    fn peak_waiting(&self) -> u64 {
        self.station.peak_waiting()
    }

    fn restart_peak(&mut self) {
        self.station.restart_peak();
    }

    fn areas(&self, now: u64) -> Areas {
        self.station.areas(now)
    }

    fn cache(&self, now: u64) -> CacheUse {
        self.station.cache(now)
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        self.station.loads(now, out);
    }

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

    fn in_flight_area(&self, now: u64) -> u128 {
        match &self.clients {
            Some(clients) => clients.area(now),
            None => {
                let areas = self.station.areas(now);
                areas.waiting + areas.in_service
            }
        }
    }

    fn in_flight(&self, now: u64, arrivals: Range<u64>) -> u64 {
        self.arrivals_in_flight(now).filter(|arrival| arrivals.contains(arrival)).count() as u64
    }

    fn record_in_flight(&self, now: u64, from: u64, times: &mut Digest) {
        let measured = self.arrivals_in_flight(now).filter(|arrival| *arrival >= from);
        measured.for_each(|arrival| times.record(now - arrival));
    }

    fn waiting(&self, arrivals: Range<u64>) -> u64 {
        self.arrivals_waiting().filter(|arrival| arrivals.contains(arrival)).count() as u64
    }

    fn oldest_in_flight(&self, now: u64) -> u64 {
        self.arrivals_in_flight(now).min().unwrap_or(u64::MAX)
    }

    fn recorder(&mut self) -> &mut Recorder {
        &mut self.recording.recorder
    }

    fn as_dyn(&mut self) -> &mut dyn RequestSide {
        self
    }
}
