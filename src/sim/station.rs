//! One instance with a queue of its own.

use std::collections::VecDeque;

use super::fleet::{Areas, Class, Draining, Load, Served, Sink, Waiting};
use super::tree::{Contender, Key, Tournament};

/// Slots that serve at full speed behind one queue, first come first served; every completion is taken when it is due.
#[derive(Debug, Clone)]
pub(super) struct Station {
    pub instance: u32,
    /// What each slot serves, if it serves.
    slots: Vec<Option<Served>>,
    /// The busy slots by when they fall free.
    busy: Tournament<Key>,
    idle: Vec<usize>,
    pub queue: VecDeque<Waiting>,
    insertions: u64,
    areas: Areas,
    queued_arrivals: u128,
}

impl Station {
    /// An idle instance with `concurrency` slots.
    pub fn new(instance: u32, concurrency: u32) -> Self {
        let slots = concurrency as usize;
        let mut busy = Tournament::default();
        busy.rebuild((0..slots).map(|_| Key::NEVER));
        Station {
            instance,
            slots: vec![None; slots],
            busy,
            idle: (0..slots).collect(),
            queue: VecDeque::new(),
            insertions: 0,
            areas: Areas::default(),
            queued_arrivals: 0,
        }
    }

    /// Requests waiting or in service.
    #[inline]
    pub fn outstanding(&self) -> u64 {
        (self.slots.len() - self.idle.len() + self.queue.len()) as u64
    }

    /// When the next request completes; [`u64::MAX`] if none is in service.
    #[inline]
    pub fn next_completion(&self) -> u64 {
        self.busy.least().nanos()
    }

    /// Takes the completions due by `now`; each slot that falls free takes the head of the queue.
    #[inline]
    pub fn advance(&mut self, now: u64, sink: &mut impl Sink) {
        loop {
            let due = self.busy.least();
            if due.nanos() > now {
                return;
            }
            let Some(served) = self.slots[due.leaf()].take() else { return };
            self.areas.in_service += u128::from(served.finish - served.start);
            sink.served(served);
            match self.queue.pop_front() {
                Some(waiting) => {
                    self.queued_arrivals -= u128::from(waiting.arrival);
                    self.begin(due.leaf(), waiting, due.nanos());
                }
                None => {
                    self.busy.set(due.leaf(), Key::NEVER);
                    self.idle.push(due.leaf());
                }
            }
        }
    }

    /// Takes a request, unless `capacity` requests wait already.
    #[inline]
    pub fn offer(&mut self, waiting: Waiting, now: u64, capacity: u64, sink: &mut impl Sink) {
        if let Some(slot) = self.idle.pop() {
            self.begin(slot, waiting, now);
        } else if (self.queue.len() as u64) < capacity {
            self.queue.push_back(waiting);
            self.queued_arrivals += u128::from(waiting.arrival);
        } else {
            sink.rejected(waiting.arrival);
        }
    }

    #[inline]
    fn begin(&mut self, slot: usize, waiting: Waiting, start: u64) {
        self.areas.waiting += u128::from(start - waiting.arrival);
        let finish = start.saturating_add(waiting.service);
        self.slots[slot] = Some(Served {
            arrival: waiting.arrival,
            start,
            finish,
            instance: self.instance,
            class: Class::Low,
        });
        self.busy.set(slot, Key::new(finish, self.insertions, slot));
        self.insertions += 1;
    }

    /// Hands everything it has to `draining`: with no more to come, the course of each request is settled.
    /// Returns when the last will have finished.
    pub fn settle(mut self, now: u64, draining: &mut Draining, total: &mut Areas) -> u64 {
        // What it serves takes its wait along: `draining` accounts for the whole course of each request.
        let taken: u128 = self.serving().map(|served| u128::from(served.start - served.arrival)).sum();
        total.waiting += self.areas.waiting - taken;
        total.in_service += self.areas.in_service;
        total.busy += self.areas.in_service;
        let mut last = now;
        loop {
            let due = self.busy.least();
            let Some(served) = self.slots.get_mut(due.leaf()).and_then(Option::take) else { return last };
            total.busy += u128::from(now.saturating_sub(served.start));
            last = last.max(served.finish);
            draining.push(served);
            match self.queue.pop_front() {
                Some(waiting) => self.begin(due.leaf(), waiting, due.nanos()),
                None => self.busy.set(due.leaf(), Key::NEVER),
            }
        }
    }

    /// Requests in service.
    pub fn in_service(&self) -> u64 {
        (self.slots.len() - self.idle.len()) as u64
    }

    /// Adds its integrals up to `now`, to which it has advanced.
    pub fn measure(&self, now: u64, total: &mut Areas) {
        let queued = u128::from(now) * self.queue.len() as u128 - self.queued_arrivals;
        let serving: u128 = self.serving().map(|served| u128::from(now - served.start)).sum();
        total.waiting += self.areas.waiting + queued;
        total.in_service += self.areas.in_service + serving;
        total.busy += self.areas.in_service + serving;
    }

    /// Its load at `now`, to which it has advanced.
    pub fn load(&self, now: u64) -> Load {
        let serving: u128 = self.serving().map(|served| u128::from(now - served.start)).sum();
        Load {
            instance: self.instance,
            served: self.areas.in_service + serving,
            in_service: self.in_service(),
            waiting: self.queue.len() as u64,
            kv_cache: 0.0,
        }
    }

    /// Arrival instants of everything it has.
    pub fn arrivals(&self) -> impl Iterator<Item = u64> {
        self.queue.iter().map(|waiting| waiting.arrival).chain(self.serving().map(|served| served.arrival))
    }

    fn serving(&self) -> impl Iterator<Item = &Served> {
        self.slots.iter().flatten()
    }
}
