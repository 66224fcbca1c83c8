//! A central queue before slots that serve at full speed.
//!
//! ```text
//!                         now         gate
//!                          |           |
//!   slot 0   ==============|===> 5     |          `free` has the slots by when each falls free:
//!   slot 1   ==============|========> 8|          here slot 0, then 1, then 2
//!   slot 2   ==============|===========|====> 12
//!                          |           |
//!   arrival  --------------x           |          gets slot 0 at 5, which is before the gate:
//!                          '-> slot 0 =|==> 9     put on it at once, its end is known
//!   queue    [ ]                       |          only what no slot can start before the gate
//! ```
//!
//! The rule it relies on: until the gate nothing happens to the pool but further arrivals, and nobody looks. Once a
//! request has started its end is known, and nothing but the pool's own changes can alter what follows. So completions are
//! no events here: what ends before the gate is reported as it starts, and of the others a slot remembers what it serves
//! until somebody looks. A request that is sure to start before the gate is put on its slot at once, even if it has to wait until then; the
//! others are queued, because a change of the pool may give them another slot or another time. A request costs one change
//! of the tournament, whatever the length of the queue.
//!
//! Equal instants go by insertion, and completions after instances that become ready: hence the bit `COMPLETION` in the
//! order of a key, and `put_freed_first` where slots have already been seen to fall free at the instant an instance is
//! added.

use std::collections::VecDeque;

use crate::service::{FULL, Request};
use crate::sim::accounting::{Areas, Class, Collector, Completion, Gauges, RequestObserver};
use crate::sim::queueing::free_times::FreeTimes;
use crate::sim::queueing::peak::PeakWaiting;
use crate::sim::queueing::station::{Arrival, Arrivals, Draining, Load, Station, Waiting};

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct CentralSlots {
    slots: Vec<Slot>,
    /// The slots by when they are (or were last) free: the least is the one free longest.
    free: FreeTimes,
    queue: VecDeque<Waiting>,
    draining: Draining,
    concurrency: u32,
    capacity: u64,
    insertions: u64,
    /// The last instant at which a look at the pool found a slot that had fallen free at that very instant.
    freed_at: Option<u64>,
    /// Request-nanoseconds waited and to be worked by all that has started on a slot that is still here.
    waited: u128,
    worked: u128,
    /// Integrals of the requests that have left with a draining instance; their part in `busy` is from before.
    drained: Areas,
    /// Sum of the arrival instants in the queue.
    queued_arrivals: u128,
    peak: PeakWaiting,
}

/// One place on an instance: half a line of the cache, since every request touches one.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// When the request arrived that it serves, if that is still to be reported, and when it started.
    arrival: u64,
    start: u64,
    /// Nanoseconds of all service begun on it.
    begun: u64,
    instance: u32,
    /// Whether the end of its request is still to be reported.
    pending: bool,
}

impl Slot {
    /// The request that it serves until `finish`.
    #[inline]
    fn request(&self, finish: u64) -> Completion {
        let Slot { arrival, start, instance, .. } = *self;
        Completion { arrival, start, finish, instance, class: Class::Low, first: false }
    }
}

/// Completions come after the instances that become ready at the same instant, however late these were inserted.
const COMPLETION: u64 = 1 << 41;

impl CentralSlots {
    /// No instances yet, each to have `concurrency` slots, behind a queue of at most `capacity`.
    pub fn new(concurrency: u32, capacity: Option<u64>) -> Self {
        CentralSlots {
            slots: Vec::new(),
            free: FreeTimes::default(),
            queue: VecDeque::new(),
            draining: Draining::default(),
            concurrency,
            capacity: capacity.unwrap_or(u64::MAX),
            insertions: 0,
            freed_at: None,
            waited: 0,
            worked: 0,
            drained: Areas::default(),
            queued_arrivals: 0,
            peak: PeakWaiting::default(),
        }
    }

    /// Starts what can start before `horizon`, each when the slot it gets falls free. What is over before `gate` can be
    /// reported.
    fn start_waiting(&mut self, horizon: u64, gate: u64, observer: &mut impl RequestObserver) {
        while let Some(waiting) = self.queue.front().copied() {
            let (start, slot) = self.free.least();
            if start >= horizon {
                return;
            }
            self.peak.begin(self.queue.len(), start);
            self.queue.pop_front();
            self.queued_arrivals -= u128::from(waiting.arrival);
            self.begin(slot, waiting, start, gate, observer);
        }
        // Nothing is left whose start is not known.
        self.peak.settle();
    }

    /// Puts a request on a slot, whose previous one is thereby known to be over. What is over before `gate` can be
    /// reported.
    #[inline]
    fn begin(
        &mut self,
        index: usize,
        waiting: Waiting,
        start: u64,
        gate: u64,
        observer: &mut impl RequestObserver,
    ) {
        self.waited += u128::from(start - waiting.arrival);
        self.worked += u128::from(self.occupy::<0>(index, waiting, start, gate, observer));
    }

    /// As [`CentralSlots::begin`], but that the sums are left to the caller; for how long the slot is taken, nanoseconds.
    /// Compiled for a tree of `NODES` nodes, 0 for any.
    #[inline(always)]
    fn occupy<const NODES: usize>(
        &mut self,
        index: usize,
        waiting: Waiting,
        start: u64,
        gate: u64,
        observer: &mut impl RequestObserver,
    ) -> u64 {
        let slot = &mut self.slots[index];
        if slot.pending {
            observer.served(slot.request(self.free.key(index).0));
        }
        let Waiting { arrival, service } = waiting;
        let finish = start.saturating_add(service);
        (slot.arrival, slot.start) = (arrival, start);
        slot.pending = finish >= gate;
        if !slot.pending {
            observer.served(slot.request(finish));
        }
        slot.begun += finish - start;
        self.free.set_in::<NODES>(index, finish, COMPLETION | self.insertions);
        self.insertions += 1;
        finish - start
    }

    /// Takes the first of some arrivals, without a limit on the queue: all that start before the gate. How many they are.
    /// Compiled for trees of common sizes.
    #[inline]
    fn start_arriving(
        &mut self,
        arrivals: Arrivals<'_>,
        gate: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        match self.free.nodes() {
            4 => self.start_arriving_in::<4>(arrivals, gate, observer),
            8 => self.start_arriving_in::<8>(arrivals, gate, observer),
            16 => self.start_arriving_in::<16>(arrivals, gate, observer),
            32 => self.start_arriving_in::<32>(arrivals, gate, observer),
            64 => self.start_arriving_in::<64>(arrivals, gate, observer),
            128 => self.start_arriving_in::<128>(arrivals, gate, observer),
            256 => self.start_arriving_in::<256>(arrivals, gate, observer),
            _ => self.start_arriving_in::<0>(arrivals, gate, observer),
        }
    }

    #[inline(never)]
    fn start_arriving_in<const NODES: usize>(
        &mut self,
        arrivals: Arrivals<'_>,
        gate: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        let observer = &mut Collector::new(observer);
        let (mut waited, mut worked, mut taken) = (0, 0, 0);
        for (&arrival, &service) in arrivals.instants.iter().zip(arrivals.services) {
            let (free, slot) = self.free.least();
            let start = free.max(arrival);
            if start >= gate {
                break;
            }
            self.peak.come(arrival, start);
            waited += u128::from(start - arrival);
            worked +=
                u128::from(self.occupy::<NODES>(slot, Waiting { arrival, service }, start, gate, observer));
            taken += 1;
        }
        self.waited += waited;
        self.worked += worked;
        taken
    }

    /// Puts the slots that have fallen free at this very instant before any that are added at it.
    fn put_freed_first(&mut self, now: u64) {
        let freed = |slot: &usize| self.free.key(*slot).0 == now && !self.slots[*slot].pending;
        let mut freed: Vec<usize> = (0..self.slots.len()).filter(freed).collect();
        freed.sort_unstable_by_key(|slot| self.free.key(*slot));
        for slot in freed {
            self.free.set(slot, now, self.insertions);
            self.insertions += 1;
        }
    }
}

impl Station for CentralSlots {
    #[inline]
    fn arrive(&mut self, arrival: Arrival, gate: u64, observer: &mut impl RequestObserver) {
        let Arrival { now, service, .. } = arrival;
        // With a limit on the queue, how many wait at this very instant matters.
        let horizon = if self.capacity == u64::MAX { gate } else { now + 1 };
        if !self.queue.is_empty() {
            self.peak.pass(now);
            self.start_waiting(horizon, gate, observer);
        }
        let waiting = Waiting { arrival: now, service };
        let (free, slot) = self.free.least();
        let start = free.max(now);
        if start < horizon {
            self.peak.come(now, start);
            self.begin(slot, waiting, start, gate, observer);
        } else if (self.queue.len() as u64) < self.capacity {
            self.peak.come_waiting(now);
            self.queue.push_back(waiting);
            self.queued_arrivals += u128::from(now);
        } else {
            observer.rejected(now);
        }
    }

    #[inline]
    fn arrive_all(&mut self, arrivals: Arrivals<'_>, gate: u64, observer: &mut impl RequestObserver) {
        if self.capacity < u64::MAX {
            return arrivals.iter().for_each(|arrival| self.arrive(arrival, gate, observer));
        }
        if !self.queue.is_empty() {
            let Some(first) = arrivals.instants.first() else { return };
            self.peak.pass(*first);
            self.start_waiting(gate, gate, observer);
        }
        let taken = if self.queue.is_empty() { self.start_arriving(arrivals, gate, observer) } else { 0 };
        // No slot falls free before the gate, so none of the others starts before it.
        for arrival in arrivals.iter().skip(taken) {
            self.peak.come_waiting(arrival.now);
            self.queue.push_back(Waiting { arrival: arrival.now, service: arrival.service });
            self.queued_arrivals += u128::from(arrival.now);
        }
    }

    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        self.peak.pass(now);
        let after = now.saturating_add(1);
        self.start_waiting(after, after, observer);
        for (slot, (free, _)) in self.slots.iter_mut().zip(self.free.keys()) {
            if slot.pending && free <= now {
                slot.pending = false;
                observer.served(slot.request(free));
            }
            if free == now {
                self.freed_at = Some(now);
            }
        }
        self.draining.advance(now, &mut self.drained, observer);
    }

    fn add(&mut self, instance: u32, now: u64, observer: &mut impl RequestObserver) {
        if self.freed_at == Some(now) {
            self.put_freed_first(now);
        }
        for _ in 0..self.concurrency {
            self.free.push(now, self.insertions);
            self.slots.push(Slot { arrival: now, start: now, begun: 0, instance, pending: false });
            self.insertions += 1;
        }
        // Only the new slots: those that fall free at this very instant do so after the instance has become ready.
        for leaf in self.slots.len() - self.concurrency as usize..self.slots.len() {
            let Some(waiting) = self.queue.pop_front() else { break };
            self.peak.begin(self.queue.len() + 1, now);
            self.queued_arrivals -= u128::from(waiting.arrival);
            // What else happens at this instant is not known yet.
            self.begin(leaf, waiting, now, now, observer);
        }
        if self.queue.is_empty() {
            self.peak.settle();
        }
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        let mut last = now;
        let mut kept = Vec::with_capacity(self.slots.len());
        let mut keys = Vec::with_capacity(self.slots.len());
        for (slot, key) in self.slots.iter().zip(self.free.keys()) {
            let request = slot.request(key.0);
            if slot.instance != instance {
                keys.push(key);
                kept.push(*slot);
            } else if slot.pending {
                // It takes its whole course along: `draining` accounts for it.
                self.waited -= u128::from(request.start - request.arrival);
                self.worked -= u128::from(request.finish - request.start);
                self.drained.busy += u128::from(now - request.start);
                self.draining.push(request);
                last = last.max(request.finish);
            }
        }
        self.slots = kept;
        self.free.rebuild(&keys);
        last
    }

    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>) {
        self.drain(instance, now);
        self.draining.kill(instance, now, &mut self.drained, lost);
    }

    fn outstanding(&self, instance: u32) -> u64 {
        self.slots.iter().filter(|slot| slot.pending && slot.instance == instance).count() as u64
    }

    #[inline]
    fn gauges(&self, now: u64) -> Gauges {
        let waiting = self.queue.len() as u64;
        let busy = self.slots.iter().filter(|slot| slot.pending).count() as u64;
        let mut gauges = Gauges { waiting, busy, ..Gauges::default() };
        if self.slots.is_empty() {
            gauges.buffered = waiting;
        }
        self.draining.gauge(now, &mut gauges);
        gauges
    }

    fn backlog(&self, _now: u64) -> u64 {
        self.queue.len() as u64
    }

    fn peak_waiting(&self) -> u64 {
        self.peak.get()
    }

    fn restart_peak(&mut self) {
        self.peak.restart(self.queue.len() as u64);
    }

    #[inline]
    fn areas(&self, now: u64) -> Areas {
        let mut areas = self.drained;
        areas.waiting += self.waited + u128::from(now) * self.queue.len() as u128 - self.queued_arrivals;
        let mut worked = self.worked;
        for (slot, (finish, _)) in self.slots.iter().zip(self.free.keys()) {
            if slot.pending {
                worked -= u128::from(finish - now);
            }
        }
        areas.in_service += worked;
        areas.busy += worked;
        areas.work = areas.busy * u128::from(FULL);
        self.draining.measure(now, &mut areas);
        areas
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        let mut finishes = self.free.keys().map(|(finish, _)| finish);
        // The slots of an instance stand together.
        for slots in self.slots.chunk_by(|one, other| one.instance == other.instance) {
            let (mut busy, mut served) = (0, 0_u128);
            for (slot, finish) in slots.iter().zip(&mut finishes) {
                let ahead = if slot.pending { finish - now } else { 0 };
                busy += u64::from(slot.pending);
                served += u128::from(slot.begun - ahead);
            }
            out.push(Load {
                instance: slots[0].instance,
                served,
                work: served * u128::from(FULL),
                in_service: busy,
                waiting: 0,
                kv_cache: 0.0,
            });
        }
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let busy = self.slots.iter().filter(|slot| slot.pending).map(|slot| slot.arrival);
        self.queue.iter().map(|waiting| waiting.arrival).chain(busy).chain(self.draining.arrivals())
    }
}
