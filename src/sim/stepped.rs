//! A central queue taken event by event: for what the lazy one cannot do.
//!
//! Requests that give up waiting, two classes of priority, requests handed back by an instance that leaves, and
//! policies that act at every arrival and departure need each completion at its instant. Slots serve at full speed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::MOST_SLOTS;
use super::dispatch::Idle;
use super::fleet::{Areas, Arrival, Class, Fleet, Gauges, Load, Served, Sink};
use super::instances::Leaving;
use super::tree::{Contender, Key, Tournament};
use crate::service::{FULL, Request};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct SteppedQueue {
    concurrency: u32,
    capacity: u64,
    idle_first: Idle,
    leaving: Leaving,
    slots: Vec<Slot>,
    /// Busy slots by when they fall free.
    due: Tournament<Key>,
    /// Idle slots of ready instances, the one to be taken next first.
    idle: Tournament<Key>,
    /// Slots of instances that are gone, to be used again.
    vacant: Vec<usize>,
    /// Ready and draining instances, by number.
    hosts: Vec<Host>,
    /// Ready instances that have run out of work since [`Fleet::take_idled`], with the count of their busy spells.
    idled: VecDeque<(u32, u64)>,
    queue: Queue,
    insertions: u64,
    /// Integrals up to `counted_to`.
    areas: Areas,
    counted_to: u64,
    serving: u64,
    serving_ready: u64,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    instance: u32,
    active: Option<Active>,
}

impl Slot {
    const VACANT: Slot = Slot { instance: u32::MAX, active: None };
}

/// A request in service.
#[derive(Debug, Clone, Copy)]
struct Active {
    sequence: u64,
    arrival: u64,
    finish: u64,
    /// Its whole service requirement, what it had before it was handed back included.
    service: u64,
    class: Class,
}

#[derive(Debug, Clone, Copy)]
struct Host {
    id: u32,
    busy: u32,
    /// Times it has begun to work after having been idle.
    spells: u64,
    draining: bool,
    /// Request-nanoseconds in service up to the last change of `busy`, and when that was.
    served: u128,
    changed: u64,
}

impl Host {
    /// Request-nanoseconds in service up to `now`.
    fn served(&self, now: u64) -> u128 {
        self.served + u128::from(now - self.changed) * u128::from(self.busy)
    }

    /// Lets time pass, before `busy` changes.
    fn pass(&mut self, now: u64) {
        self.served = self.served(now);
        self.changed = now;
    }
}

/// Requests waiting: those handed back, then the high class, then the low one, each in order of arrival.
#[derive(Debug, Clone, Default)]
struct Queue {
    returned: VecDeque<Waiting>,
    classes: [VecDeque<Waiting>; 2],
    /// When waiting requests give up, by instant; those that have started meanwhile are skipped when their time comes.
    deadlines: BinaryHeap<Reverse<(u64, u64, Class)>>,
    len: u64,
    sequence: u64,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    sequence: u64,
    arrival: u64,
    /// Service still to come, and in all.
    remaining: u64,
    service: u64,
    class: Class,
    abandoned: bool,
}

impl Queue {
    fn push(&mut self, arrival: Arrival) {
        let Arrival { now, service, patience, class } = arrival;
        let sequence = self.sequence;
        self.sequence += 1;
        self.len += 1;
        let waiting =
            Waiting { sequence, arrival: now, remaining: service, service, class, abandoned: false };
        self.classes[class as usize].push_back(waiting);
        if patience < u64::MAX {
            self.deadlines.push(Reverse((now.saturating_add(patience), sequence, class)));
        }
    }

    fn push_returned(&mut self, active: &Active, now: u64) {
        let Active { sequence, arrival, finish, service, class } = *active;
        self.len += 1;
        let at = self.returned.partition_point(|waiting| waiting.sequence < sequence);
        let remaining = finish - now;
        self.returned.insert(at, Waiting { sequence, arrival, remaining, service, class, abandoned: false });
    }

    fn pop(&mut self) -> Option<Waiting> {
        let [high, low] = &mut self.classes;
        let taken = [&mut self.returned, high, low].into_iter().find_map(|queue| {
            loop {
                match queue.pop_front() {
                    Some(waiting) if waiting.abandoned => {}
                    other => return other,
                }
            }
        });
        self.len -= u64::from(taken.is_some());
        taken
    }

    fn next_deadline(&self) -> u64 {
        self.deadlines.peek().map_or(u64::MAX, |Reverse((at, _, _))| *at)
    }

    /// Takes the next deadline; the arrival of the request that gives up, if it still waits.
    fn pass_deadline(&mut self) -> Option<u64> {
        let Reverse((_, sequence, class)) = self.deadlines.pop()?;
        let queue = &mut self.classes[class as usize];
        let index = queue.binary_search_by_key(&sequence, |waiting| waiting.sequence).ok()?;
        queue[index].abandoned = true;
        self.len -= 1;
        Some(queue[index].arrival)
    }

    fn arrivals(&self) -> impl Iterator<Item = u64> {
        let all = self.returned.iter().chain(self.classes.iter().flatten());
        all.filter(|waiting| !waiting.abandoned).map(|waiting| waiting.arrival)
    }
}

impl SteppedQueue {
    /// No instances yet, each to have `concurrency` slots, behind a queue of at most `capacity`.
    pub fn new(concurrency: u32, capacity: Option<u64>, idle_first: Idle, leaving: Leaving) -> Self {
        SteppedQueue {
            concurrency,
            capacity: capacity.unwrap_or(u64::MAX),
            idle_first,
            leaving,
            slots: Vec::new(),
            due: Tournament::default(),
            idle: Tournament::default(),
            vacant: Vec::new(),
            hosts: Vec::new(),
            idled: VecDeque::new(),
            queue: Queue::default(),
            insertions: 0,
            areas: Areas::default(),
            counted_to: 0,
            serving: 0,
            serving_ready: 0,
        }
    }

    /// Lets time pass, adding to the integrals.
    fn pass(&mut self, now: u64) {
        self.areas = self.areas(now);
        self.counted_to = now;
    }

    fn host(&mut self, id: u32) -> Option<&mut Host> {
        let index = self.hosts.binary_search_by_key(&id, |host| host.id).ok()?;
        Some(&mut self.hosts[index])
    }

    fn begin(&mut self, leaf: usize, waiting: Waiting, now: u64) {
        let Waiting { sequence, arrival, remaining, service, class, .. } = waiting;
        let finish = now.saturating_add(remaining);
        self.slots[leaf].active = Some(Active { sequence, arrival, finish, service, class });
        let id = self.slots[leaf].instance;
        if let Some(host) = self.host(id) {
            host.pass(now);
            host.spells += u64::from(host.busy == 0);
            host.busy += 1;
        }
        self.serving += 1;
        self.serving_ready += 1;
        self.idle.set(leaf, Key::NEVER);
        self.due.set(leaf, Key::new(finish, self.insertions, leaf));
        self.insertions += 1;
    }

    /// Takes the request off a slot, whatever becomes of it; the slot is left without work.
    fn release(&mut self, leaf: usize) -> Option<Active> {
        let active = self.slots[leaf].active.take()?;
        self.due.set(leaf, Key::NEVER);
        self.serving -= 1;
        let id = self.slots[leaf].instance;
        let now = self.counted_to;
        let draining = self.host(id).is_none_or(|host| {
            host.pass(now);
            host.busy -= 1;
            host.draining
        });
        self.serving_ready -= u64::from(!draining);
        Some(active)
    }

    /// Gives an empty slot of a ready instance its next request, or lets it idle.
    fn employ(&mut self, leaf: usize, now: u64) {
        if let Some(waiting) = self.queue.pop() {
            return self.begin(leaf, waiting, now);
        }
        let id = self.slots[leaf].instance;
        let key = match self.idle_first {
            Idle::Longest => Key::new(now, self.insertions, leaf),
            Idle::Newest => Key::new(u64::from(!id), self.insertions, leaf),
        };
        self.insertions += 1;
        self.idle.set(leaf, key);
    }

    /// Notes an instance that has nothing to do.
    fn note_idle(&mut self, id: u32) {
        if let Some(Host { busy: 0, spells, .. }) = self.host(id).copied() {
            self.idled.push_back((id, spells));
        }
    }

    fn complete(&mut self, leaf: usize, now: u64, sink: &mut impl Sink) {
        let id = self.slots[leaf].instance;
        let Some(Active { arrival, finish, service, class, .. }) = self.release(leaf) else { return };
        // Where service was interrupted, the wait is all the time without it.
        sink.served(Served {
            arrival,
            start: finish - service.min(finish - arrival),
            finish,
            instance: id,
            class,
        });
        match self.host(id).copied() {
            Some(Host { draining: false, .. }) => {
                self.employ(leaf, now);
                self.note_idle(id);
            }
            _ => self.vacate(leaf),
        }
    }

    fn leaves_of(&self, instance: u32) -> Vec<usize> {
        (0..self.slots.len()).filter(|leaf| self.slots[*leaf].instance == instance).collect()
    }

    fn vacate(&mut self, leaf: usize) {
        self.slots[leaf] = Slot::VACANT;
        self.vacant.push(leaf);
    }

    fn grow(&mut self, leaves: usize) {
        let from = self.slots.len();
        self.slots.resize(from + leaves, Slot::VACANT);
        self.vacant.extend((from..from + leaves).rev());
        let padded = |tree: &Tournament<Key>| {
            let mut keys = tree.keys().to_vec();
            keys.resize(from + leaves, Key::NEVER);
            keys
        };
        let (due, idle) = (padded(&self.due), padded(&self.idle));
        self.due.rebuild(due.into_iter());
        self.idle.rebuild(idle.into_iter());
    }
}

impl Fleet for SteppedQueue {
    const STEPPED: bool = true;

    fn arrive(&mut self, arrival: Arrival, _gate: u64, sink: &mut impl Sink) {
        let now = arrival.now;
        self.advance(now, sink);
        let idle = self.idle.least();
        if idle != Key::NEVER {
            self.queue.push(Arrival { patience: u64::MAX, ..arrival });
            self.employ(idle.leaf(), now);
        } else if self.queue.len < self.capacity {
            self.queue.push(arrival);
        } else {
            sink.rejected(now);
        }
    }

    fn advance(&mut self, now: u64, sink: &mut impl Sink) {
        while self.next_change() <= now {
            self.step(sink);
        }
        self.pass(now);
    }

    fn step(&mut self, sink: &mut impl Sink) {
        let (due, deadline) = (self.due.least(), self.queue.next_deadline());
        // A slot that falls free at the very instant of a deadline is still in time.
        if due.nanos() <= deadline {
            self.pass(due.nanos());
            self.complete(due.leaf(), due.nanos(), sink);
        } else {
            self.pass(deadline);
            if let Some(arrival) = self.queue.pass_deadline() {
                sink.timed_out(arrival, deadline);
            }
        }
    }

    fn next_change(&self) -> u64 {
        self.due.least().nanos().min(self.queue.next_deadline())
    }

    fn take_idled(&mut self) -> Option<(u32, u64)> {
        self.idled.pop_front()
    }

    fn still_idle(&self, instance: u32, spell: u64) -> bool {
        let host = self.hosts.binary_search_by_key(&instance, |host| host.id).map(|index| self.hosts[index]);
        host.is_ok_and(|host| host.busy == 0 && host.spells == spell && !host.draining)
    }

    fn add(&mut self, instance: u32, now: u64, _sink: &mut impl Sink) {
        self.pass(now);
        self.hosts.retain(|host| !host.draining || host.busy > 0);
        let at = self.hosts.partition_point(|host| host.id < instance);
        self.hosts
            .insert(at, Host { id: instance, busy: 0, spells: 0, draining: false, served: 0, changed: now });
        let slots = self.concurrency as usize;
        if self.vacant.len() < slots {
            // Doubling keeps the cost of growing small; the last bit of room is given out sparingly.
            let double = self.slots.len().min(MOST_SLOTS as usize);
            self.grow(slots.max(double) - self.vacant.len());
        }
        for _ in 0..slots {
            if let Some(leaf) = self.vacant.pop() {
                self.slots[leaf] = Slot { instance, active: None };
                self.employ(leaf, now);
            }
        }
        self.note_idle(instance);
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        self.pass(now);
        let mut last = now;
        let Some(host) = self.host(instance) else { return now };
        host.draining = true;
        self.serving_ready -= u64::from(host.busy);
        for leaf in self.leaves_of(instance) {
            self.idle.set(leaf, Key::NEVER);
            match (self.slots[leaf].active, self.leaving) {
                (None, _) => self.vacate(leaf),
                (Some(active), Leaving::Finish) => last = last.max(active.finish),
                (Some(active), Leaving::HandBack) => {
                    self.release(leaf);
                    self.vacate(leaf);
                    self.queue.push_returned(&active, now);
                }
            }
        }
        // What was handed back may start elsewhere at once.
        while self.queue.len > 0 && self.idle.least() != Key::NEVER {
            self.employ(self.idle.least().leaf(), now);
        }
        last
    }

    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>) {
        self.pass(now);
        for leaf in self.leaves_of(instance) {
            self.idle.set(leaf, Key::NEVER);
            if let Some(Active { arrival, service, class, .. }) = self.release(leaf) {
                lost.push(Request { arrival, service, mark: class as u32 });
            }
            self.vacate(leaf);
        }
        self.hosts.retain(|host| host.id != instance);
    }

    fn outstanding(&self, instance: u32) -> u64 {
        let host = self.hosts.binary_search_by_key(&instance, |host| host.id).map(|index| self.hosts[index]);
        host.map_or(0, |host| u64::from(host.busy))
    }

    fn gauges(&self, _now: u64) -> Gauges {
        let ready = self.hosts.iter().any(|host| !host.draining);
        Gauges {
            waiting: self.queue.len,
            held: if ready { 0 } else { self.queue.len },
            busy: self.serving_ready,
            draining: self.serving - self.serving_ready,
        }
    }

    fn areas(&self, now: u64) -> Areas {
        let passed = u128::from(now - self.counted_to);
        let busy = self.areas.busy + passed * u128::from(self.serving_ready);
        Areas {
            waiting: self.areas.waiting + passed * u128::from(self.queue.len),
            in_service: self.areas.in_service + passed * u128::from(self.serving),
            busy,
            work: busy * u128::from(FULL),
        }
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        let load = |host: &Host| Load {
            instance: host.id,
            served: host.served(now),
            in_service: u64::from(host.busy),
            waiting: 0,
            kv_cache: 0.0,
        };
        out.extend(self.hosts.iter().filter(|host| !host.draining).map(load));
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let serving = self.slots.iter().filter_map(|slot| slot.active.map(|active| active.arrival));
        self.queue.arrivals().chain(serving)
    }
}
