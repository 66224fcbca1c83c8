//! A queue at each instance, and a dispatcher that picks the instance as the request arrives.

use std::collections::VecDeque;

use rand::RngExt as _;

use super::instance_queue::InstanceQueue;
use crate::random::Rng;
use crate::service::Request;
use crate::sim::accounting::{Areas, Gauges, RequestObserver};
use crate::sim::queueing::station::{Arrival, Load, Station};
use crate::sim::queueing::tournament::{Key, Tournament};

/// Picks the instance a request goes to.
pub(in crate::sim) trait Chooser {
    /// Brings up to `now` the queues whose state the choice depends on, and chooses one of them (there is one).
    fn choose<S: InstanceQueue>(
        &mut self,
        queues: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize;
    /// Hears that the queue at `index` has taken a request.
    fn took<S: InstanceQueue>(&mut self, _station: &S, _index: usize) {}
    /// Hears that the queues are others now.
    fn changed<S: InstanceQueue>(&mut self, _stations: &[S]) {}
}

/// Instances in turn.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct RoundRobin {
    next: usize,
}

impl Chooser for RoundRobin {
    #[inline]
    fn choose<S: InstanceQueue>(
        &mut self,
        queues: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        let index = if self.next < queues.len() { self.next } else { 0 };
        self.next = index + 1;
        queues[index].advance(now, observer);
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
    fn choose<S: InstanceQueue>(
        &mut self,
        queues: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        let index = self.rng.random_range(0..queues.len());
        queues[index].advance(now, observer);
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
    fn choose<S: InstanceQueue>(
        &mut self,
        queues: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        let choices = self.choices.min(queues.len());
        self.drawn.clear();
        let mut best = (u64::MAX, 0);
        while self.drawn.len() < choices {
            let index = self.rng.random_range(0..queues.len());
            // Few are drawn, so looking through them beats any set.
            if self.drawn.contains(&index) {
                continue;
            }
            self.drawn.push(index);
            queues[index].advance(now, observer);
            let outstanding = queues[index].outstanding();
            if outstanding < best.0 {
                best = (outstanding, index);
            }
        }
        best.1
    }
}

/// The least loaded of all. Two tournaments keep a choice at a few comparisons however large the pool: one of the
/// queues by their next change, so that only those with one due are looked at, one by their load.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct LeastOutstanding {
    due: Tournament<Key>,
    /// Load and index in one word.
    load: Tournament<u64>,
}

impl LeastOutstanding {
    #[inline]
    fn update<S: InstanceQueue>(&mut self, queue: &S, index: usize) {
        let due = Self::due_key(queue, index);
        if self.due.key(index) != due {
            self.due.set(index, due);
        }
        self.load.set(index, Self::load_key(queue, index));
    }

    fn due_key<S: InstanceQueue>(queue: &S, index: usize) -> Key {
        Key::new(queue.next_change(), 0, index)
    }

    fn load_key<S: InstanceQueue>(queue: &S, index: usize) -> u64 {
        queue.outstanding() * u64::from(Key::MAX_LEAVES) + index as u64
    }
}

impl Chooser for LeastOutstanding {
    #[inline]
    fn choose<S: InstanceQueue>(
        &mut self,
        queues: &mut [S],
        now: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        loop {
            let due = self.due.least();
            if due.nanos() > now {
                return self.load.least() as usize % Key::MAX_LEAVES as usize;
            }
            queues[due.leaf()].advance(now, observer);
            self.update(&queues[due.leaf()], due.leaf());
        }
    }

    #[inline]
    fn took<S: InstanceQueue>(&mut self, queue: &S, index: usize) {
        self.update(queue, index);
    }

    fn changed<S: InstanceQueue>(&mut self, queues: &[S]) {
        let queues = || queues.iter().enumerate();
        self.due.rebuild(queues().map(|(index, queue)| Self::due_key(queue, index)));
        self.load.rebuild(queues().map(|(index, queue)| Self::load_key(queue, index)));
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct ParallelQueues<S: InstanceQueue, C> {
    chooser: C,
    settings: S::Settings,
    /// Ready instances, in the order they became ready.
    queues: Vec<S>,
    /// Instances that take no more requests, each with its busy time while it still did.
    draining: Vec<(S, Areas)>,
    /// Requests held because no instance is ready.
    buffer: VecDeque<Request>,
    capacity: u64,
    /// Integrals of what is no longer at a queue.
    areas: Areas,
    buffered_arrivals: u128,
    /// Sequences that have had to give way at queues that are gone.
    preemptions: u64,
}

impl<S: InstanceQueue, C: Chooser> ParallelQueues<S, C> {
    /// No instances yet, each to have a queue of at most `capacity`.
    pub fn new(chooser: C, settings: S::Settings, capacity: Option<u64>) -> Self {
        ParallelQueues {
            chooser,
            settings,
            queues: Vec::new(),
            draining: Vec::new(),
            buffer: VecDeque::new(),
            capacity: capacity.unwrap_or(u64::MAX),
            areas: Areas::default(),
            buffered_arrivals: 0,
            preemptions: 0,
        }
    }

    #[inline]
    fn dispatch(&mut self, request: Request, now: u64, capacity: u64, observer: &mut impl RequestObserver) {
        let index = self.chooser.choose(&mut self.queues, now, observer);
        let queue = &mut self.queues[index];
        queue.offer(request, now, capacity, observer);
        self.chooser.took(queue, index);
    }

    fn queue(&self, instance: u32) -> Option<usize> {
        self.queues.iter().position(|queue| queue.instance() == instance)
    }

    fn take_ready(&mut self, instance: u32) -> Option<S> {
        let index = self.queue(instance)?;
        let queue = self.queues.remove(index);
        self.chooser.changed(&self.queues);
        Some(queue)
    }

    fn take_draining(&mut self, instance: u32) -> Option<(S, Areas)> {
        let index = self.draining.iter().position(|(queue, _)| queue.instance() == instance)?;
        Some(self.draining.remove(index))
    }
}

/// The integrals of a queue that is draining, of which `before` are from while it was ready.
fn measure_draining<S: InstanceQueue>(queue: &S, before: &Areas, now: u64) -> Areas {
    let mut all = Areas::default();
    queue.measure(now, &mut all);
    Areas { busy: before.busy, work: before.work, ..all }
}

impl<S: InstanceQueue, C: Chooser> Station for ParallelQueues<S, C> {
    const COUNTS_TOKENS: bool = S::COUNTS_TOKENS;

    #[inline]
    fn arrive(&mut self, arrival: Arrival, _gate: u64, observer: &mut impl RequestObserver) {
        let now = arrival.now;
        let request = arrival.request();
        if !self.queues.is_empty() {
            self.dispatch(request, now, self.capacity, observer);
        } else if (self.buffer.len() as u64) < self.capacity {
            self.buffer.push_back(request);
            self.buffered_arrivals += u128::from(now);
        } else {
            observer.rejected(now);
        }
    }

    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        self.queues.iter_mut().for_each(|queue| queue.advance(now, observer));
        self.chooser.changed(&self.queues);
        if self.draining.is_empty() {
            return;
        }
        self.draining.iter_mut().for_each(|(queue, _)| queue.advance(now, observer));
        let (areas, preemptions) = (&mut self.areas, &mut self.preemptions);
        self.draining.retain(|(queue, before)| {
            let empty = queue.outstanding() == 0;
            if empty {
                areas.add(&measure_draining(queue, before, now));
                *preemptions += queue.preemptions();
            }
            !empty
        });
    }

    fn add(&mut self, instance: u32, now: u64, observer: &mut impl RequestObserver) {
        self.queues.push(S::new(instance, &self.settings));
        self.chooser.changed(&self.queues);
        // The door opens whole: its own limit has already been applied.
        while let Some(request) = self.buffer.pop_front() {
            self.buffered_arrivals -= u128::from(request.arrival);
            self.dispatch(request, now, u64::MAX, observer);
        }
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        let Some(queue) = self.take_ready(instance) else { return now };
        let mut areas = Areas::default();
        queue.measure(now, &mut areas);
        let last = queue.last(now);
        self.draining.push((queue, areas));
        last
    }

    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>) {
        let mut areas = Areas::default();
        let queue = match self.take_ready(instance) {
            Some(queue) => {
                queue.measure(now, &mut areas);
                queue
            }
            None => {
                let Some((queue, before)) = self.take_draining(instance) else { return };
                areas = measure_draining(&queue, &before, now);
                queue
            }
        };
        self.areas.add(&areas);
        self.preemptions += queue.preemptions();
        queue.lose(lost);
    }

    fn outstanding(&self, instance: u32) -> u64 {
        self.queue(instance).map_or(0, |index| self.queues[index].outstanding())
    }

    fn gauges(&self, _now: u64) -> Gauges {
        let buffered = self.buffer.len() as u64;
        let mut gauges = Gauges { waiting: buffered, buffered, ..Gauges::default() };
        for queue in &self.queues {
            gauges.waiting += queue.waiting();
            gauges.busy += queue.in_service();
        }
        for (queue, _) in &self.draining {
            gauges.waiting += queue.waiting();
            gauges.draining += queue.in_service();
        }
        gauges
    }

    fn areas(&self, now: u64) -> Areas {
        let mut areas = self.areas;
        areas.waiting += u128::from(now) * self.buffer.len() as u128 - self.buffered_arrivals;
        self.queues.iter().for_each(|queue| queue.measure(now, &mut areas));
        for (queue, before) in &self.draining {
            areas.add(&measure_draining(queue, before, now));
        }
        areas
    }

    fn cache(&self, now: u64) -> (f64, u64) {
        let used: f64 = self.queues.iter().map(|queue| queue.load(now).kv_cache).sum();
        let draining = self.draining.iter().map(|(queue, _)| queue.preemptions());
        let preempted = self.queues.iter().map(InstanceQueue::preemptions).chain(draining).sum::<u64>();
        (used / (self.queues.len() as f64).max(1.0), self.preemptions + preempted)
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        out.extend(self.queues.iter().map(|queue| queue.load(now)));
    }

    fn waiting(&self) -> impl Iterator<Item = u64> {
        let buffered = self.buffer.iter().map(|request| request.arrival);
        let draining = self.draining.iter().flat_map(|(queue, _)| queue.queued());
        buffered.chain(self.queues.iter().flat_map(InstanceQueue::queued)).chain(draining)
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let buffered = self.buffer.iter().map(|request| request.arrival);
        let draining = self.draining.iter().flat_map(|(queue, _)| queue.arrivals());
        buffered.chain(self.queues.iter().flat_map(InstanceQueue::arrivals)).chain(draining)
    }
}
