//! Slots with a queue of their own.
//!
//! ```text
//!                        now          gate
//!                         |            |
//!   slots    =============|==> 5       |           a request that arrives now starts when the next slot falls free, at 5,
//!            =============|=========|==|==> 14     behind no one: its end, 8, is known and reported at once
//!                          5 ====> 8   |
//!   queue    [ ]                       |           only what no slot can start before the gate
//! ```
//!
//! The rule it relies on: which requests an instance gets is settled as they arrive, and each starts when the first of its
//! slots falls free. Until the gate nothing happens to the instance but arrivals, and nobody looks. So a request that
//! starts before the gate needs no event: it takes the least of the instants at which slots fall free, and is reported at
//! once if it ends before the gate too. The slots of an instance are alike, so it does not matter which is which.
//!
//! Whoever chooses by the requests that an instance has, or limits its queue, counts the ends that are still to come:
//! `ends`. With one slot they come in order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::ascending::Ascending;
use super::instance_queue::InstanceQueue;
use crate::service::{FULL, Request};
use crate::sim::accounting::{Areas, Class, Completion, RequestObserver};
use crate::sim::queueing::station::{Load, Waiting};

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct SlotQueue {
    /// Request-nanoseconds waited and to be worked by all that has started.
    waited: u128,
    worked: u128,
    free: FreeSlots,
    /// What cannot start before the gate; every slot is busy until then.
    queue: VecDeque<Waiting>,
    ends: Option<Ends>,
    starts: Starts,
    instance: u32,
    concurrency: u32,
    /// What has started and was not to end before the gate.
    pending: Vec<Completion>,
    queued_arrivals: u128,
}

/// What the instances of a pool have in common.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct SlotQueueSettings {
    /// Slots of an instance.
    pub concurrency: u32,
    /// Whether anybody asks for the requests of an instance as others arrive.
    pub counts: bool,
}

/// When each slot falls free, or last fell free.
#[derive(Debug, Clone)]
struct FreeSlots {
    least: u64,
    /// Those of the other slots.
    others: BinaryHeap<Reverse<u64>>,
}

impl FreeSlots {
    fn new(slots: u32, now: u64) -> Self {
        FreeSlots { least: now, others: (1..slots).map(|_| Reverse(now)).collect() }
    }

    /// Lets the slot that falls free first fall free at `finish` instead.
    #[inline]
    fn replace_least(&mut self, finish: u64) {
        self.least = match self.others.peek_mut() {
            Some(mut next) if next.0 < finish => std::mem::replace(&mut *next, Reverse(finish)).0,
            _ => finish,
        };
    }
}

/// The ends of what has started, those that are over taken off.
#[derive(Debug, Clone, Default)]
struct Ends {
    /// Those that came in order.
    ordered: Ascending,
    /// The others.
    overtaking: BinaryHeap<Reverse<u64>>,
}

impl Ends {
    #[inline(always)]
    fn push(&mut self, end: u64) {
        if end < self.ordered.last() { self.overtaking.push(Reverse(end)) } else { self.ordered.push(end) }
    }

    #[inline]
    fn len(&self) -> usize {
        self.ordered.len() + self.overtaking.len()
    }

    #[inline]
    fn next(&self) -> u64 {
        let first = self.ordered.first();
        self.overtaking.peek().map_or(first, |next| next.0.min(first))
    }

    /// Takes off those up to `now`.
    #[inline(always)]
    fn pass(&mut self, now: u64) {
        self.ordered.pass(now);
        while self.overtaking.peek().is_some_and(|end| end.0 <= now) {
            self.overtaking.pop();
        }
    }
}

/// When those have started, or will, that came last: a ring, in which none that waits is overwritten.
#[derive(Debug, Clone)]
struct Starts {
    /// A power of two of them.
    instants: Vec<u64>,
    came: usize,
}

impl Default for Starts {
    fn default() -> Self {
        Starts { instants: vec![0; 4], came: 0 }
    }
}

impl Starts {
    /// Adds one, not before the last, of a request that came at `arrival`: what starts by then waits no more.
    #[inline(always)]
    fn push(&mut self, start: u64, arrival: u64) {
        if self.instants[self.came & (self.instants.len() - 1)] > arrival {
            self.grow();
        }
        let at = self.came & (self.instants.len() - 1);
        self.instants[at] = start;
        self.came += 1;
    }

    #[cold]
    fn grow(&mut self) {
        let room = self.instants.len();
        self.instants.rotate_left(self.came & (room - 1));
        self.instants.resize(2 * room, 0);
        self.came = room;
    }

    /// How many start after `now`.
    fn after(&self, now: u64) -> usize {
        self.instants.iter().filter(|start| **start > now).count()
    }
}

impl SlotQueue {
    /// Starts a request on the slot that falls free first.
    #[inline(always)]
    fn begin(&mut self, waiting: Waiting, start: u64, gate: u64, observer: &mut impl RequestObserver) {
        let finish = start.saturating_add(waiting.service);
        self.free.replace_least(finish);
        self.starts.push(start, waiting.arrival);
        self.waited += u128::from(start - waiting.arrival);
        self.worked += u128::from(finish - start);
        if let Some(ends) = &mut self.ends {
            ends.push(finish);
        }
        let (arrival, instance) = (waiting.arrival, self.instance);
        let request = Completion { arrival, start, finish, instance, class: Class::Low, first: false };
        if finish < gate {
            observer.served(request);
        } else {
            self.pending.push(request);
        }
    }

    /// Starts what can start before `gate`, each when a slot falls free.
    #[inline(never)]
    fn start_queued(&mut self, gate: u64, observer: &mut impl RequestObserver) {
        while let Some(waiting) = self.queue.front().copied() {
            let start = self.free.least.max(waiting.arrival);
            if start >= gate {
                return;
            }
            self.queue.pop_front();
            self.queued_arrivals -= u128::from(waiting.arrival);
            self.begin(waiting, start, gate, observer);
        }
    }

    /// Nanoseconds worked by `now` by all that has started.
    fn worked_by(&self, now: u64) -> u128 {
        self.worked - self.pending.iter().map(|request| u128::from(request.finish - now)).sum::<u128>()
    }
}

impl InstanceQueue for SlotQueue {
    type Settings = SlotQueueSettings;

    fn new(instance: u32, now: u64, settings: &SlotQueueSettings) -> Self {
        SlotQueue {
            waited: 0,
            worked: 0,
            free: FreeSlots::new(settings.concurrency, now),
            queue: VecDeque::new(),
            ends: settings.counts.then(Ends::default),
            starts: Starts::default(),
            instance,
            concurrency: settings.concurrency,
            pending: Vec::new(),
            queued_arrivals: 0,
        }
    }

    fn instance(&self) -> u32 {
        self.instance
    }

    #[inline]
    fn outstanding(&self) -> u64 {
        let started = self.ends.as_ref().map_or(self.pending.len(), Ends::len);
        (started + self.queue.len()) as u64
    }

    fn waiting(&self) -> u64 {
        self.queue.len() as u64
    }

    fn in_service(&self) -> u64 {
        self.pending.len() as u64
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.ends.as_ref().map_or(u64::MAX, Ends::next)
    }

    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        self.start_queued(now.saturating_add(1), observer);
        self.pending.retain(|request| {
            let is_over = request.finish <= now;
            if is_over {
                observer.served(*request);
            }
            !is_over
        });
        if let Some(ends) = &mut self.ends {
            ends.pass(now);
        }
    }

    #[inline(always)]
    fn catch_up(&mut self, now: u64, gate: u64, observer: &mut impl RequestObserver) {
        self.start_waiting(gate, observer);
        if let Some(ends) = &mut self.ends {
            ends.pass(now);
        }
    }

    #[inline(always)]
    fn start_waiting(&mut self, gate: u64, observer: &mut impl RequestObserver) {
        if !self.queue.is_empty() {
            self.start_queued(gate, observer);
        }
    }

    #[inline(always)]
    fn offer(
        &mut self,
        request: Request,
        now: u64,
        gate: u64,
        capacity: u64,
        observer: &mut impl RequestObserver,
    ) -> bool {
        let waiting = Waiting { arrival: request.arrival, service: request.service };
        // A slot is idle only if no request waits.
        if capacity < u64::MAX && self.outstanding() >= capacity.saturating_add(u64::from(self.concurrency)) {
            observer.rejected(waiting.arrival);
            return false;
        }
        let start = self.free.least.max(now);
        let waits = start > now || !self.queue.is_empty();
        if start < gate && self.queue.is_empty() {
            self.begin(waiting, start, gate, observer);
        } else {
            self.queue.push_back(waiting);
            self.queued_arrivals += u128::from(waiting.arrival);
        }
        waits
    }

    fn waiting_at(&mut self, now: u64, gate: u64, observer: &mut impl RequestObserver) -> u64 {
        self.start_waiting(gate, observer);
        (self.starts.after(now) + self.queue.len()) as u64
    }

    fn measure(&self, now: u64, total: &mut Areas) {
        let queued = u128::from(now) * self.queue.len() as u128 - self.queued_arrivals;
        let worked = self.worked_by(now);
        total.waiting += self.waited + queued;
        total.in_service += worked;
        total.busy += worked;
        total.work += worked * u128::from(FULL);
    }

    fn load(&self, now: u64) -> Load {
        let served = self.worked_by(now);
        Load {
            instance: self.instance,
            served,
            work: served * u128::from(FULL),
            in_service: self.in_service(),
            waiting: self.waiting(),
            kv_cache: 0.0,
        }
    }

    fn arrivals(&self) -> impl Iterator<Item = u64> {
        let serving = self.pending.iter().map(|request| request.arrival);
        self.queue.iter().map(|waiting| waiting.arrival).chain(serving)
    }

    fn lose(self, lost: &mut Vec<Request>) {
        let request = |arrival, service| Request { arrival, service, ..Request::default() };
        lost.extend(self.pending.iter().map(|served| request(served.arrival, served.finish - served.start)));
        lost.extend(self.queue.iter().map(|waiting| request(waiting.arrival, waiting.service)));
    }

    fn last(&self, now: u64) -> u64 {
        let mut free = self.free.clone();
        let waiting = self.queue.iter().map(|waiting| {
            let finish = free.least.max(now).saturating_add(waiting.service);
            free.replace_least(finish);
            finish
        });
        let ends = self.pending.iter().map(|request| request.finish).chain(waiting);
        ends.filter(|end| *end < u64::MAX).max().unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_to_come_are_counted_and_never_overwritten() {
        let mut starts = Starts::default();
        // One comes at each instant and starts ten later: nine wait besides the one that has just come.
        for arrival in 0..100 {
            starts.push(arrival + 10, arrival);
            assert_eq!(starts.after(arrival), (arrival as usize + 1).min(10), "at {arrival}");
        }
        assert_eq!(starts.instants.len(), 16);
        starts.push(120, 120);
        assert_eq!(starts.after(120), 0, "one that starts at once waits for nothing");
    }
}
