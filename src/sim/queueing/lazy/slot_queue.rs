//! Slots with a queue of their own.
//!
//! ```text
//!                        now          gate
//!                         |            |
//!   slots    =============|==> 5       |           a request that arrives now starts when the next slot falls free, at 5,
//!            =============|=========|==|==> 14     behind no one: its end, 8, is known and reported at once
//!                          5 ====> 8   |
//!   serving                         [==|==> 14]    what ends after the gate is reported when it has
//!   queue                  [ 14 ====|==|=> 20 ]    and waits here if it starts after the gate too
//! ```
//!
//! The rule it relies on: which requests an instance gets is settled as they arrive, and each starts when the first of its
//! slots falls free. So its whole course is known as it arrives, unless the instance is taken away; it takes the least of the
//! instants at which slots fall free, once, and needs no event. Until the gate nothing happens to the instance but arrivals,
//! and nobody looks: what ends before it is reported at once. The slots of an instance are alike, so it does not matter which
//! is which.
//!
//! Whoever chooses by the requests that an instance has, or limits its queue, counts the ends that are still to come:
//! `ends`. With one slot they come in order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::ascending::Ascending;
use super::instance_queue::InstanceQueue;
use crate::service::{FULL, Request};
use crate::sim::accounting::{Areas, Class, Completion, RequestObserver};
use crate::sim::queueing::station::Load;

/// See the module. What every request touches comes first, in one line of the cache.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(in crate::sim) struct SlotQueue {
    /// When the slot that falls free first does.
    free: u64,
    /// Request-nanoseconds waited and to be worked by all that has started since they were last added to the sums.
    waited: u64,
    worked: u64,
    /// Where `ends` does not tell how many wait.
    starts: Starts,
    instance: u32,
    /// Slots beside the first.
    more_slots: u32,
    ends: Option<Ends>,
    /// When the other slots fall free.
    others: BinaryHeap<Reverse<u64>>,
    /// What has started and was not to end before the gate.
    serving: Vec<Completion>,
    /// What was not to start before the gate, in order, and all behind it. None of it is in the sums.
    queue: VecDeque<Settled>,
    queued_arrivals: u128,
    /// Sums of what was waited and worked before.
    before: (u128, u128),
}

/// The course of a request that is still to start.
#[derive(Debug, Clone, Copy)]
struct Settled {
    arrival: u64,
    start: u64,
    finish: u64,
}

impl Settled {
    #[inline]
    fn on(self, instance: u32) -> Completion {
        let Settled { arrival, start, finish } = self;
        Completion { arrival, start, finish, instance, class: Class::Low, first: false }
    }
}

/// What the instances of a pool have in common.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct SlotQueueSettings {
    /// Slots of an instance.
    pub concurrency: u32,
    /// Whether anybody asks for the requests of an instance as others arrive.
    pub counts: bool,
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

/// When those start that have to wait, and some that have started: a ring, in which none that waits is overwritten.
#[derive(Debug, Clone)]
struct Starts {
    /// A power of two of them.
    instants: Vec<u64>,
    came: usize,
    /// How many are known to have started. It follows only when somebody counts or there is no room, so that a request is put down
    /// without a look at others.
    started: usize,
}

impl Default for Starts {
    fn default() -> Self {
        Starts { instants: vec![0; 32], came: 0, started: 0 }
    }
}

impl Starts {
    /// Adds one, not before the last, of a request that came at `arrival`, if it has to wait; what starts by then waits no more.
    /// Whether it has to is as good as random, so it is not asked with a branch.
    #[inline(always)]
    fn push(&mut self, start: u64, arrival: u64) {
        if self.came - self.started == self.instants.len() {
            self.make_room(arrival);
        }
        let at = self.came & (self.instants.len() - 1);
        self.instants[at] = start;
        self.came += usize::from(start > arrival);
    }

    /// Forgets what has started by `now`, and makes the ring longer if little has.
    #[cold]
    fn make_room(&mut self, now: u64) {
        let waiting = self.after(now);
        let room = self.instants.len();
        if 4 * waiting > 3 * room {
            self.instants.rotate_left(self.started & (room - 1));
            self.instants.resize(2 * room, 0);
            (self.started, self.came) = (0, waiting);
        }
    }

    /// The first that is not known to have started; [`u64::MAX`] if all have.
    fn next(&self) -> u64 {
        if self.started == self.came {
            return u64::MAX;
        }
        self.instants[self.started & (self.instants.len() - 1)]
    }

    /// How many start after `now`, which never falls.
    fn after(&mut self, now: u64) -> usize {
        while self.started < self.came && self.instants[self.started & (self.instants.len() - 1)] <= now {
            self.started += 1;
        }
        self.came - self.started
    }
}

impl SlotQueue {
    /// Takes in a request that is not to end before the gate.
    #[inline]
    fn defer(&mut self, request: Completion, gate: u64) {
        if request.start < gate && self.queue.is_empty() {
            self.count(&request);
            self.serving.push(request);
        } else {
            let Completion { arrival, start, finish, .. } = request;
            self.queued_arrivals += u128::from(arrival);
            self.queue.push_back(Settled { arrival, start, finish });
        }
    }

    /// Adds the course of a request to the sums.
    #[inline(always)]
    fn count(&mut self, request: &Completion) {
        let (waited, carries) = self.waited.overflowing_add(request.start - request.arrival);
        let (worked, carries_too) = self.worked.overflowing_add(request.finish - request.start);
        if carries | carries_too {
            self.add_up();
            return self.count(request);
        }
        (self.waited, self.worked) = (waited, worked);
    }

    /// Adds what has come together to the sums.
    #[cold]
    fn add_up(&mut self) {
        self.before.0 += u128::from(std::mem::take(&mut self.waited));
        self.before.1 += u128::from(std::mem::take(&mut self.worked));
    }

    /// Lets the slot that falls free first fall free at `finish` instead.
    #[inline(always)]
    fn occupy(&mut self, finish: u64) {
        self.free = finish;
        if self.more_slots > 0 {
            self.order_slots();
        }
    }

    /// Lets the first slot be the one that falls free first.
    #[inline]
    fn order_slots(&mut self) {
        if let Some(mut next) = self.others.peek_mut()
            && next.0 < self.free
        {
            std::mem::swap(&mut next.0, &mut self.free);
        }
    }

    /// Nanoseconds worked by `now` by all that has started.
    fn worked_by(&self, now: u64) -> u128 {
        self.before.1 + u128::from(self.worked)
            - self.serving.iter().map(|request| u128::from(request.finish - now)).sum::<u128>()
    }
}

impl InstanceQueue for SlotQueue {
    const IS_SETTLED: bool = true;
    type Settings = SlotQueueSettings;

    fn new(instance: u32, now: u64, settings: &SlotQueueSettings) -> Self {
        SlotQueue {
            free: now,
            waited: 0,
            worked: 0,
            starts: Starts::default(),
            ends: settings.counts.then(Ends::default),
            instance,
            more_slots: settings.concurrency.saturating_sub(1),
            others: (1..settings.concurrency).map(|_| Reverse(now)).collect(),
            serving: Vec::new(),
            queue: VecDeque::new(),
            queued_arrivals: 0,
            before: (0, 0),
        }
    }

    fn instance(&self) -> u32 {
        self.instance
    }

    #[inline]
    fn outstanding(&self) -> u64 {
        self.ends.as_ref().map_or(self.serving.len() + self.queue.len(), Ends::len) as u64
    }

    fn waiting(&self) -> u64 {
        self.queue.len() as u64
    }

    fn in_service(&self) -> u64 {
        self.serving.len() as u64
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.ends.as_ref().map_or(u64::MAX, Ends::next)
    }

    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        if !self.serving.is_empty() {
            self.serving.retain(|request| {
                let is_over = request.finish <= now;
                if is_over {
                    observer.served(*request);
                }
                !is_over
            });
        }
        while let Some(settled) = self.queue.front().filter(|settled| settled.start <= now).copied() {
            self.queue.pop_front();
            let request = settled.on(self.instance);
            self.queued_arrivals -= u128::from(request.arrival);
            self.count(&request);
            if request.finish <= now { observer.served(request) } else { self.serving.push(request) }
        }
        if let Some(ends) = &mut self.ends {
            ends.pass(now);
        }
    }

    #[inline(always)]
    fn catch_up(&mut self, now: u64, _observer: &mut impl RequestObserver) {
        if let Some(ends) = &mut self.ends {
            ends.pass(now);
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
        let Request { arrival, service, .. } = request;
        // A slot is idle only if no request waits.
        if capacity < u64::MAX
            && self.outstanding() >= capacity.saturating_add(1 + u64::from(self.more_slots))
        {
            observer.rejected(arrival);
            return false;
        }
        let start = self.free.max(now);
        let finish = start.saturating_add(service);
        self.occupy(finish);
        match &mut self.ends {
            Some(ends) => ends.push(finish),
            None => self.starts.push(start, arrival),
        }
        let instance = self.instance;
        let request = Completion { arrival, start, finish, instance, class: Class::Low, first: false };
        if finish < gate {
            self.count(&request);
            observer.served(request);
        } else {
            self.defer(request, gate);
        }
        start > now
    }

    fn waiting_at(&mut self, now: u64, _observer: &mut impl RequestObserver) -> u64 {
        match &mut self.ends {
            // None waits while a slot is idle.
            Some(ends) => {
                ends.pass(now);
                (ends.len() as u64).saturating_sub(1 + u64::from(self.more_slots))
            }
            None => self.starts.after(now) as u64,
        }
    }

    fn next_start(&self) -> u64 {
        match &self.ends {
            Some(ends) if ends.len() as u64 > 1 + u64::from(self.more_slots) => ends.next(),
            Some(_) => u64::MAX,
            None => self.starts.next(),
        }
    }

    fn measure(&self, now: u64, total: &mut Areas) {
        let queued = u128::from(now) * self.queue.len() as u128 - self.queued_arrivals;
        let worked = self.worked_by(now);
        total.waiting += self.before.0 + u128::from(self.waited) + queued;
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
        let serving = self.serving.iter().map(|request| request.arrival);
        self.queue.iter().map(|settled| settled.arrival).chain(serving)
    }

    fn lose(self, lost: &mut Vec<Request>) {
        let request = |arrival, service| Request { arrival, service, ..Request::default() };
        lost.extend(self.serving.iter().map(|served| request(served.arrival, served.finish - served.start)));
        lost.extend(
            self.queue.iter().map(|settled| request(settled.arrival, settled.finish - settled.start)),
        );
    }

    fn last(&self, now: u64) -> u64 {
        let waiting = self.queue.iter().map(|settled| settled.finish);
        let ends = self.serving.iter().map(|request| request.finish).chain(waiting);
        ends.filter(|end| *end < u64::MAX).max().unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_to_come_are_counted_and_never_overwritten() {
        let mut starts = Starts { instants: vec![0; 4], came: 0, started: 0 };
        // One comes at each instant and starts ten later: nine wait besides the one that has just come.
        for arrival in 0..100 {
            starts.push(arrival + 10, arrival);
            assert_eq!(starts.after(arrival), (arrival as usize + 1).min(10), "at {arrival}");
        }
        assert_eq!(starts.instants.len(), 16);
        starts.push(120, 120);
        assert_eq!(starts.after(120), 0, "one that starts at once waits for nothing");
        // As many as have room start together, and are forgotten for those that come then.
        (0..16).for_each(|_| starts.push(130, 125));
        (0..16).for_each(|_| starts.push(140, 135));
        assert_eq!((starts.after(135), starts.instants.len()), (16, 16));
    }
}
