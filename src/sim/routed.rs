//! A queue at each instance, and a dispatcher that picks the instance as the request arrives.

use std::collections::VecDeque;

use rand::RngExt as _;

use super::fleet::{Areas, Arrival, Draining, Fleet, Gauges, Load, Sink, Waiting};
use super::station::Station;
use super::tree::{Key, Tournament};
use crate::random::Rng;

/// Picks the instance a request goes to.
pub(super) trait Chooser {
    /// Brings up to `now` the stations whose state the choice depends on, and chooses one of them (there is one).
    fn choose(&mut self, stations: &mut [Station], now: u64, sink: &mut impl Sink) -> usize;
    /// Hears that the station at `index` has taken a request.
    fn took(&mut self, _station: &Station, _index: usize) {}
    /// Hears that the stations are others now.
    fn changed(&mut self, _stations: &[Station]) {}
}

/// Instances in turn.
#[derive(Debug, Clone, Default)]
pub(super) struct RoundRobin {
    next: usize,
}

impl Chooser for RoundRobin {
    #[inline]
    fn choose(&mut self, stations: &mut [Station], now: u64, sink: &mut impl Sink) -> usize {
        let index = if self.next < stations.len() { self.next } else { 0 };
        self.next = index + 1;
        stations[index].advance(now, sink);
        index
    }
}

/// A uniform draw.
#[derive(Debug, Clone)]
pub(super) struct Random {
    pub rng: Rng,
}

impl Chooser for Random {
    #[inline]
    fn choose(&mut self, stations: &mut [Station], now: u64, sink: &mut impl Sink) -> usize {
        let index = self.rng.random_range(0..stations.len());
        stations[index].advance(now, sink);
        index
    }
}

/// The least loaded of a few distinct uniform draws.
#[derive(Debug, Clone)]
pub(super) struct PowerOfD {
    pub rng: Rng,
    pub choices: usize,
    /// The draws of one request, kept to keep their memory.
    pub drawn: Vec<usize>,
}

impl Chooser for PowerOfD {
    #[inline]
    fn choose(&mut self, stations: &mut [Station], now: u64, sink: &mut impl Sink) -> usize {
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
            stations[index].advance(now, sink);
            let outstanding = stations[index].outstanding();
            if outstanding < best.0 {
                best = (outstanding, index);
            }
        }
        best.1
    }
}

/// The least loaded of all. Two tournaments keep a choice at a few comparisons however large the pool: one of the
/// stations by their next completion, so that only those with one due are looked at, one by their load.
#[derive(Debug, Clone, Default)]
pub(super) struct LeastOutstanding {
    due: Tournament<Key>,
    /// Load and index in one word.
    load: Tournament<u64>,
}

impl LeastOutstanding {
    #[inline]
    fn update(&mut self, station: &Station, index: usize) {
        let due = Self::due_key(station, index);
        if self.due.key(index) != due {
            self.due.set(index, due);
        }
        self.load.set(index, Self::load_key(station, index));
    }

    fn due_key(station: &Station, index: usize) -> Key {
        Key::new(station.next_completion(), 0, index)
    }

    fn load_key(station: &Station, index: usize) -> u64 {
        station.outstanding() * u64::from(Key::MOST_LEAVES) + index as u64
    }
}

impl Chooser for LeastOutstanding {
    #[inline]
    fn choose(&mut self, stations: &mut [Station], now: u64, sink: &mut impl Sink) -> usize {
        loop {
            let due = self.due.least();
            if due.nanos() > now {
                return self.load.least() as usize % Key::MOST_LEAVES as usize;
            }
            stations[due.leaf()].advance(now, sink);
            self.update(&stations[due.leaf()], due.leaf());
        }
    }

    #[inline]
    fn took(&mut self, station: &Station, index: usize) {
        self.update(station, index);
    }

    fn changed(&mut self, stations: &[Station]) {
        let stations = || stations.iter().enumerate();
        self.due.rebuild(stations().map(|(index, station)| Self::due_key(station, index)));
        self.load.rebuild(stations().map(|(index, station)| Self::load_key(station, index)));
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Routed<C> {
    chooser: C,
    stations: Vec<Station>,
    /// Requests held because no instance is ready.
    door: VecDeque<Waiting>,
    draining: Draining,
    concurrency: u32,
    capacity: u64,
    /// Integrals of what is no longer at a station.
    areas: Areas,
    held_arrivals: u128,
}

impl<C: Chooser> Routed<C> {
    /// No instances yet, each to have `concurrency` slots behind a queue of at most `capacity`.
    pub fn new(chooser: C, concurrency: u32, capacity: Option<u64>) -> Self {
        Routed {
            chooser,
            stations: Vec::new(),
            door: VecDeque::new(),
            draining: Draining::default(),
            concurrency,
            capacity: capacity.unwrap_or(u64::MAX),
            areas: Areas::default(),
            held_arrivals: 0,
        }
    }

    #[inline]
    fn dispatch(&mut self, waiting: Waiting, now: u64, capacity: u64, sink: &mut impl Sink) {
        let index = self.chooser.choose(&mut self.stations, now, sink);
        let station = &mut self.stations[index];
        station.offer(waiting, now, capacity, sink);
        self.chooser.took(station, index);
    }

    fn station(&self, instance: u32) -> Option<usize> {
        self.stations.iter().position(|station| station.instance == instance)
    }
}

impl<C: Chooser> Fleet for Routed<C> {
    #[inline]
    fn arrive(&mut self, arrival: Arrival, _gate: u64, sink: &mut impl Sink) {
        let Arrival { now, service, .. } = arrival;
        let waiting = Waiting { arrival: now, service };
        if !self.stations.is_empty() {
            self.dispatch(waiting, now, self.capacity, sink);
        } else if (self.door.len() as u64) < self.capacity {
            self.door.push_back(waiting);
            self.held_arrivals += u128::from(now);
        } else {
            sink.rejected(now);
        }
    }

    fn advance(&mut self, now: u64, sink: &mut impl Sink) {
        self.stations.iter_mut().for_each(|station| station.advance(now, sink));
        self.chooser.changed(&self.stations);
        self.draining.advance(now, &mut self.areas, sink);
    }

    fn add(&mut self, instance: u32, now: u64, sink: &mut impl Sink) {
        self.stations.push(Station::new(instance, self.concurrency));
        self.chooser.changed(&self.stations);
        // The door opens whole: its own limit has already been applied.
        while let Some(waiting) = self.door.pop_front() {
            self.held_arrivals -= u128::from(waiting.arrival);
            self.dispatch(waiting, now, u64::MAX, sink);
        }
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        let Some(index) = self.station(instance) else { return now };
        let station = self.stations.remove(index);
        let last = station.settle(now, &mut self.draining, &mut self.areas);
        self.chooser.changed(&self.stations);
        last
    }

    fn kill(&mut self, instance: u32, now: u64, sink: &mut impl Sink) {
        self.draining.kill(instance, now, &mut self.areas, sink);
    }

    fn outstanding(&self, instance: u32) -> u64 {
        self.station(instance).map_or(0, |index| self.stations[index].outstanding())
    }

    fn gauges(&self, now: u64) -> Gauges {
        let held = self.door.len() as u64;
        let mut gauges = Gauges { waiting: held, held, ..Gauges::default() };
        for station in &self.stations {
            gauges.waiting += station.queue.len() as u64;
            gauges.busy += station.in_service();
        }
        self.draining.gauge(now, &mut gauges);
        gauges
    }

    fn areas(&self, now: u64) -> Areas {
        let mut areas = self.areas;
        areas.waiting += u128::from(now) * self.door.len() as u128 - self.held_arrivals;
        self.stations.iter().for_each(|station| station.measure(now, &mut areas));
        self.draining.measure(now, &mut areas);
        areas
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        out.extend(self.stations.iter().map(|station| station.load(now)));
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let at_door = self.door.iter().map(|waiting| waiting.arrival);
        at_door.chain(self.stations.iter().flat_map(Station::arrivals)).chain(self.draining.arrivals())
    }
}
