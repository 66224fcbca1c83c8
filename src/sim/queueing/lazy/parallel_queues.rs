//! A queue at each instance, and a dispatcher that picks the instance as the request arrives.

use std::collections::VecDeque;

use rand::RngExt as _;

use super::instance_queue::Station;
use crate::random::Rng;
use crate::service::Request;
use crate::sim::accounting::{Areas, Gauges, RequestObserver};
use crate::sim::queueing::station::{Arrival, Fleet, Load};
use crate::sim::queueing::tournament::{Key, Tournament};

/// Picks the instance a request goes to.
pub(in crate::sim) trait Chooser {
    /// Brings up to `now` the stations whose state the choice depends on, and chooses one of them (there is one).
    fn choose<S: Station>(
        &mut self,
        stations: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize;
    /// Hears that the station at `index` has taken a request.
    fn took<S: Station>(&mut self, _station: &S, _index: usize) {}
    /// Hears that the stations are others now.
    fn changed<S: Station>(&mut self, _stations: &[S]) {}
}

/// Instances in turn.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct RoundRobin {
    next: usize,
}

impl Chooser for RoundRobin {
    #[inline]
    fn choose<S: Station>(
        &mut self,
        stations: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        let index = if self.next < stations.len() { self.next } else { 0 };
        self.next = index + 1;
        stations[index].advance(now, observer);
        index
    }
}

/// A uniform draw.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Random {
    pub rng: Rng,
}

impl Chooser for Random {
    #[inline]
    fn choose<S: Station>(
        &mut self,
        stations: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        let index = self.rng.random_range(0..stations.len());
        stations[index].advance(now, observer);
        index
    }
}

/// The least loaded of a few distinct uniform draws.
#[derive(Debug, Clone)]
pub(in crate::sim) struct PowerOfD {
    pub rng: Rng,
    pub choices: usize,
    /// The draws of one request, kept to keep their memory.
    pub drawn: Vec<usize>,
}

impl Chooser for PowerOfD {
    #[inline]
    fn choose<S: Station>(
        &mut self,
        stations: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        let choices = self.choices.min(stations.len());
        self.drawn.clear();
        let mut best = (u64::MAX, 0);
        while self.drawn.len() < choices {
            let index = self.rng.random_range(0..stations.len());
            // Few are drawn, so looking through them beats any set.
            if self.drawn.contains(&index) {
                continue;
            }
            self.drawn.push(index);
            stations[index].advance(now, observer);
            let outstanding = stations[index].outstanding();
            if outstanding < best.0 {
                best = (outstanding, index);
            }
        }
        best.1
    }
}

/// The least loaded of all. Two tournaments keep a choice at a few comparisons however large the pool: one of the
/// stations by their next change, so that only those with one due are looked at, one by their load.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct LeastOutstanding {
    due: Tournament<Key>,
    /// Load and index in one word.
    load: Tournament<u64>,
}

impl LeastOutstanding {
    #[inline]
    fn update<S: Station>(&mut self, station: &S, index: usize) {
        let due = Self::due_key(station, index);
        if self.due.key(index) != due {
            self.due.set(index, due);
        }
        self.load.set(index, Self::load_key(station, index));
    }

    fn due_key<S: Station>(station: &S, index: usize) -> Key {
        Key::new(station.next_change(), 0, index)
    }

    fn load_key<S: Station>(station: &S, index: usize) -> u64 {
        station.outstanding() * u64::from(Key::MOST_LEAVES) + index as u64
    }
}

impl Chooser for LeastOutstanding {
    #[inline]
    fn choose<S: Station>(
        &mut self,
        stations: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        loop {
            let due = self.due.least();
            if due.nanos() > now {
                return self.load.least() as usize % Key::MOST_LEAVES as usize;
            }
            stations[due.leaf()].advance(now, observer);
            self.update(&stations[due.leaf()], due.leaf());
        }
    }

    #[inline]
    fn took<S: Station>(&mut self, station: &S, index: usize) {
        self.update(station, index);
    }

    fn changed<S: Station>(&mut self, stations: &[S]) {
        let stations = || stations.iter().enumerate();
        self.due.rebuild(stations().map(|(index, station)| Self::due_key(station, index)));
        self.load.rebuild(stations().map(|(index, station)| Self::load_key(station, index)));
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Routed<S: Station, C> {
    chooser: C,
    settings: S::Settings,
    /// Ready instances, in the order they became ready.
    stations: Vec<S>,
    /// Instances that take no more requests, each with its busy time while it still did.
    draining: Vec<(S, Areas)>,
    /// Requests held because no instance is ready.
    door: VecDeque<Request>,
    capacity: u64,
    /// Integrals of what is no longer at a station.
    areas: Areas,
    held_arrivals: u128,
    /// Sequences that have had to give way at stations that are gone.
    preemptions: u64,
}

impl<S: Station, C: Chooser> Routed<S, C> {
    /// No instances yet, each to have a queue of at most `capacity`.
    pub fn new(chooser: C, settings: S::Settings, capacity: Option<u64>) -> Self {
        Routed {
            chooser,
            settings,
            stations: Vec::new(),
            draining: Vec::new(),
            door: VecDeque::new(),
            capacity: capacity.unwrap_or(u64::MAX),
            areas: Areas::default(),
            held_arrivals: 0,
            preemptions: 0,
        }
    }

    #[inline]
    fn dispatch(&mut self, request: Request, now: u64, capacity: u64, observer: &mut impl RequestObserver) {
        let index = self.chooser.choose(&mut self.stations, now, observer);
        let station = &mut self.stations[index];
        station.offer(request, now, capacity, observer);
        self.chooser.took(station, index);
    }

    fn station(&self, instance: u32) -> Option<usize> {
        self.stations.iter().position(|station| station.instance() == instance)
    }

    fn take_ready(&mut self, instance: u32) -> Option<S> {
        let index = self.station(instance)?;
        let station = self.stations.remove(index);
        self.chooser.changed(&self.stations);
        Some(station)
    }

    fn take_draining(&mut self, instance: u32) -> Option<(S, Areas)> {
        let index = self.draining.iter().position(|(station, _)| station.instance() == instance)?;
        Some(self.draining.remove(index))
    }
}

/// The integrals of a station that is draining, of which `before` are from while it was ready.
fn measure_draining<S: Station>(station: &S, before: &Areas, now: u64) -> Areas {
    let mut all = Areas::default();
    station.measure(now, &mut all);
    Areas { busy: before.busy, work: before.work, ..all }
}

impl<S: Station, C: Chooser> Fleet for Routed<S, C> {
    const COUNTS_TOKENS: bool = S::COUNTS_TOKENS;

    #[inline]
    fn arrive(&mut self, arrival: Arrival, _gate: u64, observer: &mut impl RequestObserver) {
        let now = arrival.now;
        let request = arrival.request();
        if !self.stations.is_empty() {
            self.dispatch(request, now, self.capacity, observer);
        } else if (self.door.len() as u64) < self.capacity {
            self.door.push_back(request);
            self.held_arrivals += u128::from(now);
        } else {
            observer.rejected(now);
        }
    }

    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        self.stations.iter_mut().for_each(|station| station.advance(now, observer));
        self.chooser.changed(&self.stations);
        if self.draining.is_empty() {
            return;
        }
        self.draining.iter_mut().for_each(|(station, _)| station.advance(now, observer));
        let (areas, preemptions) = (&mut self.areas, &mut self.preemptions);
        self.draining.retain(|(station, before)| {
            let empty = station.outstanding() == 0;
            if empty {
                areas.add(&measure_draining(station, before, now));
                *preemptions += station.preemptions();
            }
            !empty
        });
    }

    fn add(&mut self, instance: u32, now: u64, observer: &mut impl RequestObserver) {
        self.stations.push(S::new(instance, &self.settings));
        self.chooser.changed(&self.stations);
        // The door opens whole: its own limit has already been applied.
        while let Some(request) = self.door.pop_front() {
            self.held_arrivals -= u128::from(request.arrival);
            self.dispatch(request, now, u64::MAX, observer);
        }
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        let Some(station) = self.take_ready(instance) else { return now };
        let mut areas = Areas::default();
        station.measure(now, &mut areas);
        let last = station.last(now);
        self.draining.push((station, areas));
        last
    }

    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>) {
        let mut areas = Areas::default();
        let station = match self.take_ready(instance) {
            Some(station) => {
                station.measure(now, &mut areas);
                station
            }
            None => {
                let Some((station, before)) = self.take_draining(instance) else { return };
                areas = measure_draining(&station, &before, now);
                station
            }
        };
        self.areas.add(&areas);
        self.preemptions += station.preemptions();
        station.lose(lost);
    }

    fn outstanding(&self, instance: u32) -> u64 {
        self.station(instance).map_or(0, |index| self.stations[index].outstanding())
    }

    fn gauges(&self, _now: u64) -> Gauges {
        let held = self.door.len() as u64;
        let mut gauges = Gauges { waiting: held, held, ..Gauges::default() };
        for station in &self.stations {
            gauges.waiting += station.waiting();
            gauges.busy += station.in_service();
        }
        for (station, _) in &self.draining {
            gauges.waiting += station.waiting();
            gauges.draining += station.in_service();
        }
        gauges
    }

    fn areas(&self, now: u64) -> Areas {
        let mut areas = self.areas;
        areas.waiting += u128::from(now) * self.door.len() as u128 - self.held_arrivals;
        self.stations.iter().for_each(|station| station.measure(now, &mut areas));
        for (station, before) in &self.draining {
            areas.add(&measure_draining(station, before, now));
        }
        areas
    }

    fn cache(&self, now: u64) -> (f64, u64) {
        let used: f64 = self.stations.iter().map(|station| station.load(now).kv_cache).sum();
        let draining = self.draining.iter().map(|(station, _)| station.preemptions());
        let preempted = self.stations.iter().map(Station::preemptions).chain(draining).sum::<u64>();
        (used / (self.stations.len() as f64).max(1.0), self.preemptions + preempted)
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        out.extend(self.stations.iter().map(|station| station.load(now)));
    }

    fn waiting(&self) -> impl Iterator<Item = u64> {
        let at_door = self.door.iter().map(|request| request.arrival);
        let draining = self.draining.iter().flat_map(|(station, _)| station.queued());
        at_door.chain(self.stations.iter().flat_map(Station::queued)).chain(draining)
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let at_door = self.door.iter().map(|request| request.arrival);
        let draining = self.draining.iter().flat_map(|(station, _)| station.arrivals());
        at_door.chain(self.stations.iter().flat_map(Station::arrivals)).chain(draining)
    }
}
