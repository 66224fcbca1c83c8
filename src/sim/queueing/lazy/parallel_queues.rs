//! A queue at each instance, and a dispatcher that picks the instance as the request arrives.

use std::collections::VecDeque;

use super::instance_queue::InstanceQueue;
use super::waiting_counts::WaitingCounts;
use crate::service::{Request, Tokens};
use crate::sim::accounting::{Areas, Collector, Gauges, RequestObserver};
use crate::sim::queueing::dispatcher::{Candidates, Choose};
use crate::sim::queueing::station::{Arrival, Arrivals, CacheUse, Load, Station};

/// The queues of the ready instances at an instant, to choose from.
struct Ready<'a, Q, O> {
    queues: &'a mut [Q],
    now: u64,
    observer: &'a mut O,
}

impl<Q: InstanceQueue, O: RequestObserver> Candidates for Ready<'_, Q, O> {
    #[inline]
    fn count(&self) -> usize {
        self.queues.len()
    }
    #[inline(always)]
    fn update(&mut self, index: usize) {
        self.queues[index].catch_up(self.now, self.observer);
    }
    #[inline]
    fn outstanding(&self, index: usize) -> u64 {
        self.queues[index].outstanding()
    }
    #[inline]
    fn next_change(&self, index: usize) -> u64 {
        self.queues[index].next_change()
    }
    #[inline]
    fn now(&self) -> u64 {
        self.now
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
    peak: Peak,
    /// What waits at each queue, those draining last: kept only where nearly as much waits as ever did, in a large pool.
    counts: Option<Box<WaitingCounts>>,
}

/// Queues that are looked at one by one rather than their changes one by one.
const FEW: usize = 64;

/// The greatest number of requests waiting at a time. They are counted only where more could wait, and once that instant is
/// over: what waits for no time at all does not count.
#[derive(Debug, Clone, Copy)]
struct Peak {
    peak: u64,
    /// How many more may come that have to wait before more could wait than the peak.
    room: u64,
    /// The instant of which they are to be counted; [`u64::MAX`] if there is none.
    unsettled: u64,
}

impl Peak {
    /// So many wait, and never did more.
    fn of(waiting: u64) -> Peak {
        Peak { peak: waiting, room: 0, unsettled: u64::MAX }
    }

    /// A request has come at `now`, which has to wait or not. Which of the two is as good as random, so it is no branch.
    #[inline(always)]
    fn come(&mut self, waits: bool, now: u64) {
        let (room, is_none_left) = self.room.overflowing_sub(u64::from(waits));
        self.room = room;
        if is_none_left {
            self.exceed(now);
        }
    }

    #[cold]
    fn exceed(&mut self, now: u64) {
        self.room = 0;
        self.unsettled = self.unsettled.min(now);
    }

    /// So many waited at the instant that was to be counted.
    fn settle(&mut self, waiting: u64) {
        self.peak = self.peak.max(waiting);
        self.room = self.peak - waiting;
    }
}

impl<S: InstanceQueue, C: Choose> ParallelQueues<S, C> {
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
            peak: Peak::of(0),
            counts: None,
        }
    }

    /// What was before `now` is over.
    #[inline(always)]
    fn pass(&mut self, now: u64, observer: &mut impl RequestObserver) {
        if now > self.peak.unsettled {
            self.count_waiting(observer);
        }
    }

    #[cold]
    fn count_waiting(&mut self, observer: &mut impl RequestObserver) {
        let at = std::mem::replace(&mut self.peak.unsettled, u64::MAX);
        self.counts.take_if(|counts| counts.is_beyond(at));
        let queued = if self.counts.is_some() {
            self.count_changed(at, observer)
        } else {
            self.count_all(at, observer)
        };
        self.peak.settle(queued + self.buffer.len() as u64);
        // Between two counts as many come as there is room. To look at all queues is worth it where these are as many as a good
        // part of them.
        let (room, queues) = (self.peak.room, self.queues.len() as u64);
        match &self.counts {
            Some(_) if room > queues / 2 => self.counts = None,
            None if room < queues / 4 && self.queues.len() > FEW => {
                let each = self.queues.iter_mut().chain(self.draining.iter_mut().map(|(queue, _)| queue));
                let each = each.map(|queue| (queue.waiting_at(at, observer), queue.next_start()));
                self.counts = Some(Box::new(WaitingCounts::begin(at, each)));
            }
            _ => {}
        }
    }

    /// What waits at all queues at `at`.
    fn count_all(&mut self, at: u64, observer: &mut impl RequestObserver) -> u64 {
        let draining = self.draining.iter_mut().map(|(queue, _)| queue);
        let queues = self.queues.iter_mut().chain(draining);
        let queued = queues.map(|queue| queue.waiting_at(at, observer)).sum();
        if !S::IS_SETTLED {
            self.changed(at);
        }
        queued
    }

    /// The same where only some have changed.
    fn count_changed(&mut self, at: u64, observer: &mut impl RequestObserver) -> u64 {
        while let Some(index) = self.counts.as_ref().and_then(|counts| counts.next_by(at)) {
            self.count_again(index, at, observer);
        }
        self.counts.as_ref().map_or(0, |counts| counts.total())
    }

    /// Counts what waits at one queue at `at`.
    fn count_again(&mut self, index: usize, at: u64, observer: &mut impl RequestObserver) {
        let draining = index.checked_sub(self.queues.len());
        let queue = match draining {
            None => &mut self.queues[index],
            Some(index) => &mut self.draining[index].0,
        };
        let waiting = queue.waiting_at(at, observer);
        if let Some(counts) = &mut self.counts {
            counts.set(index, waiting, queue.next_start());
        }
        if !S::IS_SETTLED && draining.is_none() {
            self.chooser.took(&Ready { queues: &mut self.queues, now: at, observer: &mut () }, index);
        }
    }

    #[inline(always)]
    fn dispatch(
        &mut self,
        request: Request,
        now: u64,
        gate: u64,
        capacity: u64,
        observer: &mut impl RequestObserver,
    ) -> bool {
        let mut ready = Ready { queues: &mut self.queues, now, observer };
        let index = self.chooser.choose(&mut ready);
        let waits = ready.queues[index].offer(request, now, gate, capacity, ready.observer);
        self.chooser.took(&ready, index);
        if self.counts.is_some() {
            self.count_again(index, now, observer);
        }
        waits
    }

    /// Has all arrivals join queues that have no limit.
    #[inline]
    fn arrive_at_queues(&mut self, arrivals: Arrivals<'_>, gate: u64, observer: &mut impl RequestObserver) {
        let mut from = 0;
        while let Some(first) = arrivals.instants.get(from) {
            self.pass(*first, observer);
            from = match arrivals.get(from).filter(|_| self.counts.is_some()) {
                Some(arrival) => {
                    self.arrive(arrival, gate, observer);
                    from + 1
                }
                None => self.join_queues(arrivals, from, gate, observer),
            };
        }
    }

    /// Has arrivals from the one at `from` on join queues that have no limit, up to the first before which those that wait are to be
    /// counted, which is not that one itself. Where that is.
    #[inline(never)]
    fn join_queues(
        &mut self,
        arrivals: Arrivals<'_>,
        from: usize,
        gate: u64,
        observer: &mut impl RequestObserver,
    ) -> usize {
        let queues = self.queues.as_mut_slice();
        let mut peak = self.peak;
        let (instants, tokens) = (arrivals.instants, arrivals.tokens);
        let services = &arrivals.services[..instants.len()];
        let mut at = from;
        while at < instants.len() && instants[at] <= peak.unsettled {
            let now = instants[at];
            let tokens = if S::COUNTS_TOKENS {
                tokens.get(at).copied().unwrap_or_default()
            } else {
                Tokens::default()
            };
            let request = Request { arrival: now, service: services[at], tokens, ..Request::default() };
            let mut ready = Ready { queues: &mut *queues, now, observer: &mut *observer };
            let index = self.chooser.choose(&mut ready);
            let waits = ready.queues[index].offer(request, now, gate, u64::MAX, ready.observer);
            self.chooser.took(&ready, index);
            peak.come(waits, now);
            at += 1;
        }
        self.peak = peak;
        at
    }

    #[cold]
    fn dispatch_buffered(&mut self, now: u64, observer: &mut impl RequestObserver) {
        while let Some(request) = self.buffer.pop_front() {
            self.buffered_arrivals -= u128::from(request.arrival);
            // Those that wait did so before.
            let _ = self.dispatch(request, now, now, u64::MAX, observer);
        }
    }

    /// Tells the chooser that the queues are others, or have changed at once.
    fn changed(&mut self, now: u64) {
        self.counts = None;
        self.chooser.changed(&Ready { queues: &mut self.queues, now, observer: &mut () });
    }

    fn queue(&self, instance: u32) -> Option<usize> {
        self.queues.iter().position(|queue| queue.instance() == instance)
    }

    fn take_ready(&mut self, instance: u32, now: u64) -> Option<S> {
        let index = self.queue(instance)?;
        let queue = self.queues.remove(index);
        self.changed(now);
        Some(queue)
    }

    fn take_draining(&mut self, instance: u32) -> Option<(S, Areas)> {
        let index = self.draining.iter().position(|(queue, _)| queue.instance() == instance)?;
        self.counts = None;
        Some(self.draining.remove(index))
    }
}

/// The integrals of a queue that is draining, of which `before` are from while it was ready.
fn measure_draining<S: InstanceQueue>(queue: &S, before: &Areas, now: u64) -> Areas {
    let mut all = Areas::default();
    queue.measure(now, &mut all);
    Areas { busy: before.busy, work: before.work, ..all }
}

impl<S: InstanceQueue, C: Choose> Station for ParallelQueues<S, C> {
    const COUNTS_TOKENS: bool = S::COUNTS_TOKENS;

    #[inline]
    fn arrive(&mut self, arrival: Arrival, gate: u64, observer: &mut impl RequestObserver) {
        let now = arrival.now;
        self.pass(now, observer);
        let request = arrival.request();
        if !self.queues.is_empty() {
            let waits = self.dispatch(request, now, gate, self.capacity, observer);
            self.peak.come(waits, now);
        } else if (self.buffer.len() as u64) < self.capacity {
            self.buffer.push_back(request);
            self.buffered_arrivals += u128::from(now);
            self.peak.come(true, now);
        } else {
            observer.rejected(now);
        }
    }

    #[inline]
    fn arrive_all(&mut self, arrivals: Arrivals<'_>, gate: u64, observer: &mut impl RequestObserver) {
        if self.queues.is_empty() || self.capacity < u64::MAX {
            return arrivals.iter().for_each(|arrival| self.arrive(arrival, gate, observer));
        }
        // Where most answers are known as the requests arrive.
        if S::IS_SETTLED {
            self.arrive_at_queues(arrivals, gate, &mut Collector::new(observer));
        } else {
            self.arrive_at_queues(arrivals, gate, observer);
        }
    }

    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        self.pass(now, observer);
        self.queues.iter_mut().for_each(|queue| queue.advance(now, observer));
        self.changed(now);
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
        self.queues.push(S::new(instance, now, &self.settings));
        self.changed(now);
        // All that is buffered goes on at once: its own limit has already been applied. What else happens at this instant is
        // not known yet, so it is the gate.
        self.dispatch_buffered(now, observer);
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        let Some(queue) = self.take_ready(instance, now) else { return now };
        let mut areas = Areas::default();
        queue.measure(now, &mut areas);
        let last = queue.last(now);
        self.draining.push((queue, areas));
        last
    }

    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>) {
        let mut areas = Areas::default();
        let queue = match self.take_ready(instance, now) {
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

    fn peak_waiting(&self) -> u64 {
        self.peak.peak
    }

    fn restart_peak(&mut self) {
        let waiting = self.gauges(0).waiting;
        self.peak = Peak::of(waiting);
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

    fn cache(&self, now: u64) -> CacheUse {
        let used: f64 = self.queues.iter().map(|queue| queue.load(now).kv_cache).sum();
        let draining = self.draining.iter().map(|(queue, _)| queue.preemptions());
        let preempted = self.queues.iter().map(InstanceQueue::preemptions).chain(draining).sum::<u64>();
        let (used, preemptions) = (used / (self.queues.len() as f64).max(1.0), self.preemptions + preempted);
        CacheUse { used, preemptions, ..CacheUse::default() }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::random::{Purpose, Streams};
    use crate::schema::{Context, Tree};
    use crate::service::{BatchServer, Model, Service};
    use crate::sim::accounting::Completion;
    use crate::sim::queueing::dispatcher::{LeastOutstanding, PowerOfD, Random, RoundRobin};
    use crate::sim::queueing::lazy::server_queue::ServerQueue;
    use crate::sim::queueing::lazy::slot_queue::{SlotQueue, SlotQueueSettings};

    #[test]
    fn what_was_buffered_before_the_pool_counts_until_its_end_and_no_longer() {
        let settings = SlotQueueSettings { concurrency: 1, counts: true };
        let mut station: ParallelQueues<SlotQueue, _> =
            ParallelQueues::new(LeastOutstanding::default(), settings, None);
        let arrive = |station: &mut ParallelQueues<SlotQueue, LeastOutstanding>, instants: &[u64]| {
            let services = vec![10; instants.len()];
            station.arrive_all(Arrivals { instants, services: &services, tokens: &[] }, 100, &mut ());
        };
        arrive(&mut station, &[5]);
        // As the engine does before what changes at 10.
        station.advance(9, &mut ());
        station.add(0, 10, &mut ());
        station.add(1, 10, &mut ());
        assert_eq!([0, 1].map(|id| station.outstanding(id)), [1, 0]);
        // The one that was buffered has been served from 10 to 20: both are idle, and the first is chosen.
        arrive(&mut station, &[30]);
        assert_eq!([0, 1].map(|id| station.outstanding(id)), [1, 0]);
        arrive(&mut station, &[35]);
        assert_eq!([0, 1].map(|id| station.outstanding(id)), [1, 1]);
    }

    /// When requests arrived, and when they started.
    #[derive(Default)]
    struct Courses(Vec<(u64, u64)>);

    impl RequestObserver for Courses {
        fn served(&mut self, request: Completion) {
            self.0.push((request.arrival, request.start));
        }
        fn rejected(&mut self, _: u64) {}
        fn timed_out(&mut self, _: u64, _: u64) {}
        fn failed(&mut self, _: u64, _: u64) {}
    }

    /// Instances of the pools below: more than are looked at one by one.
    const INSTANCES: u32 = 100;

    /// More and more requests wait, then fewer, then more than ever, looked at now and then; some arrive together.
    fn peak_of<Q: InstanceQueue, C: Choose>(settings: Q::Settings, chooser: C, slots: u32) {
        // Mean nanoseconds of a request.
        let service = 3_000;
        let mut station: ParallelQueues<Q, C> = ParallelQueues::new(chooser, settings, None);
        let mut courses = Courses::default();
        (0..INSTANCES).for_each(|instance| station.add(instance, 0, &mut courses));
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut now = 0;
        let mut was_counted = [false; 2];
        for (gate, load) in (1..=12).zip([5, 15, 15, 8, 5, 14, 20, 20, 3, 3, 25, 0]) {
            let (mut instants, mut services) = (Vec::new(), Vec::new());
            let end = gate * 20 * service;
            // So that `load` tenths of what the pool can do arrive.
            while load > 0 && now < end {
                instants.push(now);
                services.push(1 + next(2 * service));
                now += next(2 * service * 10 / (load * u64::from(INSTANCES * slots)) + 1);
            }
            for from in (0..instants.len()).step_by(64) {
                let part = from..instants.len().min(from + 64);
                let (instants, services) = (&instants[part.clone()], &services[part]);
                let arrivals = Arrivals { instants, services, tokens: &[] };
                station.arrive_all(arrivals, end + 1, &mut courses);
                was_counted[usize::from(station.counts.is_some())] = true;
            }
            now = now.max(end + 1);
            station.advance(now, &mut courses);
        }
        assert_eq!(was_counted, [true; 2], "both ways of counting are taken");
        let last = now + 1_000 * service;
        station.advance(last, &mut courses);
        assert_eq!(station.gauges(last).waiting, 0);
        let mut starts: Vec<u64> = courses.0.iter().map(|course| course.1).collect();
        courses.0.sort_unstable();
        starts.sort_unstable();
        let waiting = (0..courses.0.len()).map(|index| {
            let arrived = courses.0[index].0;
            let all_of_instant = courses.0.partition_point(|course| course.0 <= arrived);
            all_of_instant - starts.partition_point(|start| *start <= arrived)
        });
        let peak = waiting.max().unwrap();
        assert!(peak > INSTANCES as usize);
        assert_eq!(station.peak_waiting(), peak as u64);
    }

    #[test]
    fn the_peak_of_what_waits_at_many_queues_is_exact() {
        let rng = || Streams::new(5, 0).stream(Purpose::Routing);
        for concurrency in [1, 3] {
            let settings = |counts| SlotQueueSettings { concurrency, counts };
            peak_of::<SlotQueue, _>(settings(false), RoundRobin::default(), concurrency);
            peak_of::<SlotQueue, _>(settings(false), Random { rng: rng() }, concurrency);
            peak_of::<SlotQueue, _>(settings(true), LeastOutstanding::default(), concurrency);
            peak_of::<SlotQueue, _>(settings(true), PowerOfD::new(rng(), 2), concurrency);
        }
        let text = "model = \"batch\"\nmax_batch = 1\nconstant = \"3us\"\nslope = \"0s\"";
        let (tree, context) = (Tree::parse(text).unwrap(), Context::default());
        let service = Service::read(tree.root(), "service", &context).unwrap();
        let Model::Batch(batch) = service.model else { panic!("a batch") };
        let batch = Arc::new(batch);
        peak_of::<ServerQueue<BatchServer>, _>(batch.clone(), RoundRobin::default(), 1);
        peak_of::<ServerQueue<BatchServer>, _>(batch, LeastOutstanding::default(), 1);
    }
}
