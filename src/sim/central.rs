//! A central queue before slots that serve at full speed.
//!
//! Once a request has started, its end is known, and nothing but the pool's own changes can alter what follows. So
//! completions are no events here: each slot remembers what it serves, the slots stand in a tournament by when they
//! are free, and the queue is drained lazily, up to the instant of the next arrival or the next look at the pool.

use std::collections::VecDeque;

use super::fleet::{Areas, Draining, Fleet, Gauges, Served, Sink, Waiting};
use super::tree::{Key, Tournament};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct CentralQueue {
    slots: Vec<Slot>,
    /// The slots by when they are (or were last) free: the least is the one free longest.
    free: Tournament,
    queue: VecDeque<Waiting>,
    draining: Draining,
    concurrency: u32,
    capacity: u64,
    insertions: u64,
    areas: Areas,
    /// Sum of the arrival instants in the queue.
    queued_arrivals: u128,
}

/// One place on an instance.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// What it serves, or served last.
    request: Served,
    /// Whether the end of `request` is still to be reported.
    pending: bool,
    order: u64,
}

/// Completions come after the instances that become ready at the same instant, however early these were inserted.
const COMPLETION: u64 = 1 << 43;

impl CentralQueue {
    /// No instances yet, each to have `concurrency` slots, behind a queue of at most `capacity`.
    pub fn new(concurrency: u32, capacity: Option<u64>) -> Self {
        CentralQueue {
            slots: Vec::new(),
            free: Tournament::default(),
            queue: VecDeque::new(),
            draining: Draining::default(),
            concurrency,
            capacity: capacity.unwrap_or(u64::MAX),
            insertions: 0,
            areas: Areas::default(),
            queued_arrivals: 0,
        }
    }

    /// Starts what can start by `now`, each when the slot it gets falls free.
    #[inline]
    fn start_waiting(&mut self, now: u64, sink: &mut impl Sink) {
        while let Some(waiting) = self.queue.front().copied() {
            let least = self.free.least();
            if least.nanos() > now {
                return;
            }
            self.queue.pop_front();
            self.queued_arrivals -= u128::from(waiting.arrival);
            self.areas.waiting += u128::from(least.nanos() - waiting.arrival);
            self.begin(least.leaf(), waiting, least.nanos(), sink);
        }
    }

    /// Puts a request on a slot, whose previous one is thereby known to be over.
    #[inline]
    fn begin(&mut self, leaf: usize, waiting: Waiting, start: u64, sink: &mut impl Sink) {
        let slot = &mut self.slots[leaf];
        if slot.pending {
            report(slot, &mut self.areas, sink);
        }
        let finish = start.saturating_add(waiting.service);
        slot.request = Served { arrival: waiting.arrival, start, finish, ..slot.request };
        slot.pending = true;
        slot.order = COMPLETION | self.insertions;
        self.free.set(leaf, Key::new(finish, slot.order, leaf));
        self.insertions += 1;
    }

    fn rebuild(&mut self) {
        let key = |(leaf, slot): (usize, &Slot)| Key::new(slot.request.finish, slot.order, leaf);
        self.free.rebuild(self.slots.iter().enumerate().map(key));
    }
}

#[inline]
fn report(slot: &Slot, areas: &mut Areas, sink: &mut impl Sink) {
    let time = u128::from(slot.request.finish - slot.request.start);
    areas.in_service += time;
    areas.busy += time;
    sink.served(slot.request);
}

impl Fleet for CentralQueue {
    #[inline]
    fn arrive(&mut self, now: u64, service: u64, sink: &mut impl Sink) {
        self.start_waiting(now, sink);
        let waiting = Waiting { arrival: now, service };
        let least = self.free.least();
        if least.nanos() <= now {
            self.begin(least.leaf(), waiting, now, sink);
        } else if (self.queue.len() as u64) < self.capacity {
            self.queue.push_back(waiting);
            self.queued_arrivals += u128::from(now);
        } else {
            sink.rejected(now);
        }
    }

    fn advance(&mut self, now: u64, sink: &mut impl Sink) {
        self.start_waiting(now, sink);
        for slot in &mut self.slots {
            if slot.pending && slot.request.finish <= now {
                slot.pending = false;
                report(slot, &mut self.areas, sink);
            }
        }
        self.draining.advance(now, &mut self.areas, sink);
    }

    fn add(&mut self, instance: u32, now: u64, sink: &mut impl Sink) {
        for _ in 0..self.concurrency {
            let request = Served { arrival: now, start: now, finish: now, instance };
            self.slots.push(Slot { request, pending: false, order: self.insertions });
            self.insertions += 1;
        }
        self.rebuild();
        // Only the new slots: those that fall free at this very instant do so after the instance has become ready.
        for leaf in self.slots.len() - self.concurrency as usize..self.slots.len() {
            let Some(waiting) = self.queue.pop_front() else { return };
            self.queued_arrivals -= u128::from(waiting.arrival);
            self.areas.waiting += u128::from(now - waiting.arrival);
            self.begin(leaf, waiting, now, sink);
        }
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        let mut last = now;
        let (draining, areas) = (&mut self.draining, &mut self.areas);
        self.slots.retain(|slot| {
            let leaves = slot.request.instance == instance;
            if leaves && slot.pending {
                last = last.max(slot.request.finish);
                areas.busy += u128::from(now - slot.request.start);
                // It takes its wait along: `draining` accounts for the whole course of a request.
                areas.waiting -= u128::from(slot.request.start - slot.request.arrival);
                draining.push(slot.request);
            }
            !leaves
        });
        self.rebuild();
        last
    }

    fn kill(&mut self, instance: u32, now: u64, sink: &mut impl Sink) {
        self.draining.kill(instance, now, &mut self.areas, sink);
    }

    fn outstanding(&self, instance: u32) -> u64 {
        self.slots.iter().filter(|slot| slot.pending && slot.request.instance == instance).count() as u64
    }

    fn gauges(&self, now: u64) -> Gauges {
        let waiting = self.queue.len() as u64;
        let busy = self.slots.iter().filter(|slot| slot.pending).count() as u64;
        let mut gauges = Gauges { waiting, busy, ..Gauges::default() };
        if self.slots.is_empty() {
            gauges.held = waiting;
        }
        self.draining.gauge(now, &mut gauges);
        gauges
    }

    fn areas(&self, now: u64) -> Areas {
        let mut areas = self.areas;
        areas.waiting += u128::from(now) * self.queue.len() as u128 - self.queued_arrivals;
        for slot in self.slots.iter().filter(|slot| slot.pending) {
            let time = u128::from(now - slot.request.start);
            areas.in_service += time;
            areas.busy += time;
        }
        self.draining.measure(now, &mut areas);
        areas
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let busy = self.slots.iter().filter(|slot| slot.pending).map(|slot| slot.request.arrival);
        self.queue.iter().map(|waiting| waiting.arrival).chain(busy).chain(self.draining.arrivals())
    }
}
