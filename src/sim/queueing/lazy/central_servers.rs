//! A central queue that instances draw from, under a service model that is taken event by event.
//!
//! ```text
//!   arrival --> [ queue ] --> the least of `open`: ready instances with room, by their rank for the next request
//!                                 |
//!                                 v
//!                        host 0   host 1   host 2      each a server with what it has in service
//!                                 |
//!   report  <-- the least of `due`: instances by their next change
//! ```
//!
//! The rule it relies on: a host changes only when a change of its own is due, when it begins something, or when it hears
//! of what waits. So `open` and `due` are right if a host is put in its places after each of these. Nothing is
//! taken before somebody looks or a request arrives; then all changes up to there happen in order, those of one instant by
//! the order in which the hosts became ready.

use std::ops::Range;
use std::sync::Arc;

use super::server_queue::report;
use crate::service::{Queue, Request, Server};
use crate::sim::accounting::{Areas, Gauges, RequestObserver};
use crate::sim::queueing::due_times::DueTimes;
use crate::sim::queueing::levels::{ABSENT, Levels};
use crate::sim::queueing::notify_list::NotifyList;
use crate::sim::queueing::station::{Arrival, CacheUse, Load, Station};

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct CentralServers<S: Server> {
    settings: Arc<S::Settings>,
    queue: Queue,
    capacity: u64,
    /// All that was to happen up to here has happened, nanoseconds.
    reached: u64,
    /// Ready and draining instances, in the order they became ready.
    hosts: Vec<Host<S>>,
    /// The hosts by their next change.
    due: DueTimes,
    /// The ready hosts that are not full, by their rank for the next request.
    open: Levels,
    /// The ready hosts to notify of what waits.
    notify_list: NotifyList,
    /// Integrals of instances that are gone, and sequences that have had to give way on them.
    areas: Areas,
    preemptions: u64,
    peak_waiting: u64,
}

#[derive(Debug, Clone)]
struct Host<S> {
    instance: u32,
    server: S,
    /// Once it drains, its integrals up to then.
    drained: Option<Areas>,
    /// Request-nanoseconds of service had by those that are answered.
    served: u128,
}

impl<S: Server> Host<S> {
    /// Begins what it can; whether it did.
    fn admit(&mut self, queue: &mut Queue, now: u64) -> bool {
        let before = queue.len();
        self.server.admit(queue, now);
        queue.len() < before
    }

    fn areas(&self, now: u64) -> Areas {
        let serving: u128 = self.server.requests().map(|active| u128::from(now - active.start)).sum();
        let in_service = self.served + serving;
        let Areas { busy, work, .. } = self.drained.unwrap_or_else(|| Areas {
            busy: in_service,
            work: self.server.work(now),
            ..Areas::default()
        });
        Areas { waiting: 0, in_service, busy, work }
    }

    /// Whether it may respond to a notification of what waits.
    fn may_respond(&self) -> bool {
        self.drained.is_none() && self.server.may_respond()
    }

    /// Its rank for the next request; [`ABSENT`] if it takes none.
    #[inline]
    fn rank(&self) -> u64 {
        if self.drained.is_some() { ABSENT } else { self.server.dispatch_rank().unwrap_or(ABSENT) }
    }
}

impl<S: Server> CentralServers<S> {
    /// No instances yet, before a queue of at most `capacity`.
    pub fn new(settings: Arc<S::Settings>, capacity: Option<u64>) -> Self {
        CentralServers {
            settings,
            queue: Queue::default(),
            capacity: capacity.unwrap_or(u64::MAX),
            reached: 0,
            hosts: Vec::new(),
            due: DueTimes::default(),
            open: Levels::default(),
            notify_list: NotifyList::default(),
            areas: Areas::default(),
            preemptions: 0,
            peak_waiting: 0,
        }
    }

    /// Puts a host in its places.
    #[inline]
    fn update(&mut self, index: usize) {
        let host = &self.hosts[index];
        self.due.set(index, host.server.next_change());
        self.open.set(index, host.rank());
        if S::TAKES_TURNS {
            self.notify_list.note(index, host.may_respond());
        }
    }

    /// Puts all hosts in their places; all that was to happen before `from` has happened.
    fn rebuild(&mut self, from: u64) {
        self.due.rebuild(from, self.hosts.iter().map(|host| host.server.next_change()));
        self.open.rebuild(self.hosts.iter().map(Host::rank));
        self.notify_list.rebuild(self.hosts.iter().map(Host::may_respond));
    }

    /// Brings the next changes of the hosts within reach.
    #[cold]
    fn look_further(&mut self, now: u64) {
        let first = self.hosts.iter().map(|host| host.server.next_change()).min();
        self.rebuild(first.unwrap_or(u64::MAX).min(now));
    }

    /// When the instance that is next in line will begin what waits, if nothing else happens.
    fn held_until(&mut self) -> u64 {
        if self.queue.is_empty() {
            return u64::MAX;
        }
        let next = self.open.least();
        next.map_or(u64::MAX, |index| self.hosts[index].server.holds_until(&self.queue))
    }

    /// Lets instances begin what waits, the one next in line first, as long as one does.
    fn begin(&mut self, now: u64) {
        while !self.queue.is_empty()
            && let Some(index) = self.open.least()
        {
            if S::TAKES_TURNS && self.hosts[index].server.in_service() > 0 {
                break;
            }
            let begun = self.hosts[index].admit(&mut self.queue, now);
            self.update(index);
            if !begun {
                break;
            }
        }
        self.call(0..self.hosts.len(), self.reached);
    }

    /// Lets the instances that take turns hear of what waits now; what was to happen to them up to `over` has happened.
    fn call(&mut self, hosts: Range<usize>, over: u64) {
        if !S::TAKES_TURNS || self.queue.is_empty() {
            return;
        }
        self.notify_list.call(hosts);
        while let Some(index) = self.notify_list.next_called() {
            if self.hosts[index].may_respond() {
                self.hosts[index].server.notify(&self.queue, over);
                self.update(index);
            }
        }
    }

    fn position(&self, instance: u32) -> Option<usize> {
        self.hosts.iter().position(|host| host.instance == instance)
    }

    fn remove(&mut self, index: usize, now: u64) -> Host<S> {
        let host = self.hosts.remove(index);
        self.areas.add(&host.areas(now));
        self.preemptions += host.server.preemptions();
        self.rebuild(now);
        host
    }

    fn complete(&mut self, index: usize, now: u64, observer: &mut impl RequestObserver) {
        let host = &mut self.hosts[index];
        let (instance, total) = (host.instance, &mut host.served);
        host.server.step(&mut |active, first_token| {
            *total += u128::from(now - active.start);
            report::<S>(active, first_token, now, instance, observer);
        });
        if host.drained.is_none() {
            let begun = (S::TAKES_TURNS || !self.queue.is_empty()) && host.admit(&mut self.queue, now);
            self.update(index);
            if begun {
                // Of what is due at this very instant, that of the instances ready longer has happened.
                self.call(0..index, now);
                self.call(index + 1..self.hosts.len(), now.saturating_sub(1));
            }
        } else if host.server.in_service() == 0 {
            self.remove(index, now);
        } else {
            host.server.admit(&mut Queue::default(), now);
            self.update(index);
        }
    }
}

impl<S: Server> Station for CentralServers<S> {
    const COUNTS_TOKENS: bool = S::COUNTS_TOKENS;

    #[inline]
    fn arrive(&mut self, arrival: Arrival, _gate: u64, observer: &mut impl RequestObserver) {
        let now = arrival.now;
        self.advance(now, observer);
        let request = arrival.request();
        if self.queue.is_empty()
            && let Some(index) = self.open.least()
            && self.hosts[index].server.begin(request, now)
        {
            return self.update(index);
        }
        self.queue.push(request);
        self.begin(now);
        if self.queue.len() > self.capacity {
            self.queue.withdraw();
            observer.rejected(now);
        }
        debug_assert!(
            self.queue.len() <= self.capacity,
            "{} wait of at most {}",
            self.queue.len(),
            self.capacity
        );
    }

    #[inline]
    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        if now > self.reached {
            // What waits since the last instant that is over; until the next arrival only fewer do.
            self.peak_waiting = self.peak_waiting.max(self.queue.len());
        }
        loop {
            let held = self.held_until();
            let until = held.min(now);
            // What ends at the very instant at which waiting ends comes first.
            if let Some(index) = self.due.next_by(until) {
                self.complete(index, self.hosts[index].server.next_change(), observer);
            } else if self.due.is_beyond(until) {
                self.look_further(until);
            } else if held <= now {
                self.begin(held);
            } else {
                break;
            }
        }
        self.reached = now;
    }

    fn add(&mut self, instance: u32, now: u64, _sink: &mut impl RequestObserver) {
        let server = S::new(&self.settings, 1.0);
        self.hosts.push(Host { instance, server, drained: None, served: 0 });
        self.rebuild(now);
        self.begin(now);
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        let Some(index) = self.position(instance) else { return now };
        let areas = self.hosts[index].areas(now);
        self.hosts[index].drained = Some(areas);
        let mut ahead = self.hosts[index].server.clone();
        if ahead.in_service() == 0 {
            self.remove(index, now);
            return now;
        }
        self.update(index);
        let mut last = now;
        while ahead.in_service() > 0 && ahead.next_change() < u64::MAX {
            last = ahead.next_change();
            ahead.step(&mut |_, _| ());
            ahead.admit(&mut Queue::default(), last);
        }
        last
    }

    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>) {
        let Some(index) = self.position(instance) else { return };
        let host = self.remove(index, now);
        lost.extend(host.server.requests().map(|active| active.request));
    }

    fn outstanding(&self, instance: u32) -> u64 {
        self.position(instance).map_or(0, |index| self.hosts[index].server.in_service())
    }

    fn gauges(&self, _now: u64) -> Gauges {
        let waiting = self.queue.len();
        let ready = self.hosts.iter().any(|host| host.drained.is_none());
        let mut gauges = Gauges { waiting, buffered: if ready { 0 } else { waiting }, ..Gauges::default() };
        for host in &self.hosts {
            match host.drained {
                None => gauges.busy += host.server.in_service(),
                Some(_) => gauges.draining += host.server.in_service(),
            }
        }
        gauges
    }

    fn peak_waiting(&self) -> u64 {
        self.peak_waiting
    }

    fn restart_peak(&mut self) {
        self.peak_waiting = self.queue.len();
    }

    fn areas(&self, now: u64) -> Areas {
        let mut areas = self.areas;
        areas.waiting += self.queue.area(now);
        self.hosts.iter().for_each(|host| areas.add(&host.areas(now)));
        areas
    }

    fn cache(&self, now: u64) -> CacheUse {
        let ready = || self.hosts.iter().filter(|host| host.drained.is_none());
        let used: f64 = ready().map(|host| host.server.kv_cache(now)).sum();
        let preempted: u64 = self.hosts.iter().map(|host| host.server.preemptions()).sum();
        let (used, preemptions) = (used / (ready().count() as f64).max(1.0), self.preemptions + preempted);
        CacheUse { used, preemptions, ..CacheUse::default() }
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        let load = |host: &Host<S>| Load {
            instance: host.instance,
            served: host.areas(now).in_service,
            work: host.areas(now).work,
            in_service: host.server.in_service(),
            waiting: 0,
            kv_cache: host.server.kv_cache(now),
        };
        out.extend(self.hosts.iter().filter(|host| host.drained.is_none()).map(load));
    }

    fn waiting(&self) -> impl Iterator<Item = u64> {
        self.queue.iter().map(|request| request.arrival)
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let serving = self.hosts.iter().flat_map(|host| host.server.requests());
        self.queue.iter().map(|request| request.arrival).chain(serving.map(|active| active.request.arrival))
    }
}
