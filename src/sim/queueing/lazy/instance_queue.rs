//! One instance with a queue of its own.

use std::collections::VecDeque;

use crate::service::{FULL, Request};
use crate::sim::accounting::{Areas, Class, Completion, RequestObserver};
use crate::sim::queueing::station::{Load, Waiting};
use crate::sim::queueing::tournament::{InstantKey, Ordered, Tournament};

/// One instance with a queue of its own. What happens to it depends on nothing but the requests it is offered, so it is
/// brought up to date only when somebody looks. Time only moves forward from call to call.
pub(in crate::sim) trait InstanceQueue: Clone {
    /// Whether it counts tokens.
    const COUNTS_TOKENS: bool = false;
    /// What the instances of a pool have in common.
    type Settings;

    /// An idle instance.
    fn new(instance: u32, settings: &Self::Settings) -> Self;
    /// Its number.
    fn instance(&self) -> u32;
    /// Requests waiting or in service.
    fn outstanding(&self) -> u64;
    /// Requests waiting.
    fn waiting(&self) -> u64;
    /// Requests in service.
    fn in_service(&self) -> u64;
    /// When it next changes by itself; [`u64::MAX`] for never.
    fn next_change(&self) -> u64;
    /// Lets everything happen that is due by `now`.
    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver);
    /// Takes a request, unless `capacity` requests wait already.
    fn offer(&mut self, request: Request, now: u64, capacity: u64, observer: &mut impl RequestObserver);
    /// Adds its integrals up to `now`, to which it has advanced.
    fn measure(&self, now: u64, total: &mut Areas);
    /// Its load at `now`, to which it has advanced.
    fn load(&self, now: u64) -> Load;
    /// Sequences that have had to give way, if it counts tokens.
    fn preemptions(&self) -> u64 {
        0
    }
    /// Arrival instants of what waits, if it counts tokens.
    fn queued(&self) -> impl Iterator<Item = u64> {
        std::iter::empty()
    }
    /// Arrival instants of everything it has.
    fn arrivals(&self) -> impl Iterator<Item = u64>;
    /// Hands over everything it has.
    fn lose(self, lost: &mut Vec<Request>);

    /// When it will have finished everything it has, if it gets no more; `now` if it has nothing.
    fn last(&self, now: u64) -> u64 {
        let mut ahead = self.clone();
        let mut last = now;
        while ahead.outstanding() > 0 && ahead.next_change() < u64::MAX {
            last = ahead.next_change();
            ahead.advance(last, &mut ());
        }
        last
    }
}

/// Slots that serve at full speed behind one queue, first come first served; every completion is taken when it is due.
#[derive(Debug, Clone)]
pub(in crate::sim) struct SlotQueue {
    instance: u32,
    /// What each slot serves, if it serves.
    slots: Vec<Option<Completion>>,
    /// The busy slots by when they fall free.
    busy: Tournament<InstantKey>,
    idle: Vec<usize>,
    queue: VecDeque<Waiting>,
    insertions: u64,
    areas: Areas,
    queued_arrivals: u128,
}

impl SlotQueue {
    #[inline]
    fn begin(&mut self, slot: usize, waiting: Waiting, start: u64) {
        self.areas.waiting += u128::from(start - waiting.arrival);
        let finish = start.saturating_add(waiting.service);
        self.slots[slot] = Some(Completion {
            arrival: waiting.arrival,
            start,
            finish,
            instance: self.instance,
            class: Class::Low,
            first: false,
        });
        self.busy.set(slot, InstantKey::new(finish, self.insertions, slot));
        self.insertions += 1;
    }

    fn serving(&self) -> impl Iterator<Item = &Completion> {
        self.slots.iter().flatten()
    }
}

impl InstanceQueue for SlotQueue {
    /// Slots of an instance.
    type Settings = u32;

    fn new(instance: u32, concurrency: &u32) -> Self {
        let slots = *concurrency as usize;
        let mut busy = Tournament::default();
        busy.rebuild((0..slots).map(|_| InstantKey::NEVER));
        SlotQueue {
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

    fn instance(&self) -> u32 {
        self.instance
    }

    #[inline]
    fn outstanding(&self) -> u64 {
        (self.slots.len() - self.idle.len() + self.queue.len()) as u64
    }

    fn waiting(&self) -> u64 {
        self.queue.len() as u64
    }

    fn in_service(&self) -> u64 {
        (self.slots.len() - self.idle.len()) as u64
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.busy.least().nanos()
    }

    /// Each slot that falls free takes the head of the queue.
    #[inline]
    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        loop {
            let due = self.busy.least();
            if due.nanos() > now {
                return;
            }
            let Some(served) = self.slots[due.leaf()].take() else { return };
            self.areas.in_service += u128::from(served.finish - served.start);
            observer.served(served);
            match self.queue.pop_front() {
                Some(waiting) => {
                    self.queued_arrivals -= u128::from(waiting.arrival);
                    self.begin(due.leaf(), waiting, due.nanos());
                }
                None => {
                    self.busy.set(due.leaf(), InstantKey::NEVER);
                    self.idle.push(due.leaf());
                }
            }
        }
    }

    #[inline]
    fn offer(&mut self, request: Request, now: u64, capacity: u64, observer: &mut impl RequestObserver) {
        let waiting = Waiting { arrival: request.arrival, service: request.service };
        if let Some(slot) = self.idle.pop() {
            self.begin(slot, waiting, now);
        } else if (self.queue.len() as u64) < capacity {
            self.queue.push_back(waiting);
            self.queued_arrivals += u128::from(waiting.arrival);
        } else {
            observer.rejected(waiting.arrival);
        }
    }

    fn measure(&self, now: u64, total: &mut Areas) {
        let queued = u128::from(now) * self.queue.len() as u128 - self.queued_arrivals;
        let serving: u128 = self.serving().map(|served| u128::from(now - served.start)).sum();
        total.waiting += self.areas.waiting + queued;
        total.in_service += self.areas.in_service + serving;
        total.busy += self.areas.in_service + serving;
        total.work += (self.areas.in_service + serving) * u128::from(FULL);
    }

    fn load(&self, now: u64) -> Load {
        let serving: u128 = self.serving().map(|served| u128::from(now - served.start)).sum();
        Load {
            instance: self.instance,
            served: self.areas.in_service + serving,
            work: (self.areas.in_service + serving) * u128::from(FULL),
            in_service: self.in_service(),
            waiting: self.queue.len() as u64,
            kv_cache: 0.0,
        }
    }

    fn arrivals(&self) -> impl Iterator<Item = u64> {
        self.queue.iter().map(|waiting| waiting.arrival).chain(self.serving().map(|served| served.arrival))
    }

    fn lose(self, lost: &mut Vec<Request>) {
        let request = |arrival, service| Request { arrival, service, ..Request::default() };
        lost.extend(self.serving().map(|served| request(served.arrival, served.finish - served.start)));
        lost.extend(self.queue.iter().map(|waiting| request(waiting.arrival, waiting.service)));
    }
}
