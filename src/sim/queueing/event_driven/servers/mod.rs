//! A pool taken event by event, under a service model whose instances take from a queue what they can.
//!
//! ```text
//!   central:  arrival --> [ queue ] --> the least of `open` --> host --> outcome, at the least of `due`
//!   routed:   arrival --> routing --> [ queue of a host ] --> host --> outcome
//! ```
//!
//! The rule it relies on: of the changes due at one instant, those of hosts ready longer come first, then those that end a
//! delay in which a batch is held back. A host that is told what waits has to know whether its own change of this instant
//! has happened ([`Progress`]).

mod host;
mod request_table;
mod station;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::host::Host;
use self::request_table::{Entry, Place, RequestTable};
use super::gateway::Gateway;
use super::ledger::Ledger;
use super::notices::Notices;
use super::queue::{Job, Queue};
use super::routing::Routing;
use crate::random::{Purpose, Streams};
use crate::service::{Contents, Request, Server};
use crate::sim::accounting::{Areas, Completion, RequestObserver};
use crate::sim::instances::{Instances, LostRequests};
use crate::sim::queueing::dispatch::{Dispatch, DispatchPolicy, Idle};
use crate::sim::queueing::notify_list::NotifyList;
use crate::sim::queueing::station::RequestOutcome;
use crate::sim::queueing::tournament::{InstantKey, Tournament};

/// See the module.
#[derive(Debug, Clone)]
pub struct EventDrivenServers<S: Server> {
    settings: Arc<S::Settings>,
    capacity: u64,
    idle_first: Idle,
    lost: LostRequests,
    /// Whether instances can differ in speed.
    weighted: bool,
    /// Where each instance has a queue of its own: which one a request goes to.
    routing: Option<Routing>,
    /// What chooses the instance in the place of `routing`, where a gateway does.
    gateway: Option<Gateway>,
    /// Ready and draining instances, in the order they became ready.
    hosts: Vec<Host<S>>,
    /// Number and place in `hosts` of each, by number.
    by_id: Vec<(u32, usize)>,
    /// The hosts by when something happens to them.
    due: Tournament,
    /// Under a central queue: the ready hosts that are not full, the next in line first.
    open: Tournament,
    /// Under a central queue: the ready hosts to notify of what waits.
    notify_list: NotifyList,
    ready: u32,
    /// Of the instance that becomes ready next.
    speed: f64,
    notices: Notices,
    table: RequestTable,
    /// The central queue, or what is buffered because no instance is ready.
    queue: Queue,
    sequence: u64,
    progress: Progress,
    ledger: Ledger,
    /// Capacity used on instances that are gone.
    past_work: u128,
    /// Sequences that have had to give way on instances that are gone.
    preemptions: u64,
    /// Tokens found in prefix caches of instances that are gone, and of the prompts begun on them.
    prefix: [u64; 2],
}

/// How far the changes of hosts have been gone through.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// All that was to happen up to here has happened, nanoseconds.
    reached: u64,
    /// The instant of the last completion, and how many of the hosts have had their turn at it: all before the next.
    turn: (u64, usize),
}

impl Progress {
    /// Up to when everything has happened to a host, of what is due by `now`.
    fn over(&self, index: usize, now: u64) -> u64 {
        let had_its_turn = self.turn.0 == now && index < self.turn.1;
        if self.reached >= now || had_its_turn { now } else { now.saturating_sub(1) }
    }
}

impl<S: Server> EventDrivenServers<S> {
    /// The arrangement of `dispatch`, without instances yet, each to be of these settings; with what prompts hold, and the
    /// tokens in a block of the caches.
    pub fn new(
        dispatch: &Dispatch,
        instances: &Instances,
        settings: Arc<S::Settings>,
        contents: (Contents, u32),
        streams: Streams,
    ) -> Self {
        let policy = dispatch.policy;
        let weighted = instances.differ_in_speed();
        let routing = Routing::new(policy, weighted, streams.stream(Purpose::Routing));
        EventDrivenServers {
            settings,
            capacity: dispatch.queue_capacity.unwrap_or(u64::MAX),
            idle_first: dispatch.idle,
            lost: instances.lost,
            weighted,
            routing: (policy != DispatchPolicy::CentralQueue).then_some(routing),
            gateway: match policy {
                DispatchPolicy::Gateway(rule) => {
                    let (contents, block_tokens) = contents;
                    Some(Gateway::new(rule, streams.stream(Purpose::Routing), contents, block_tokens))
                }
                _ => None,
            },
            hosts: Vec::new(),
            by_id: Vec::new(),
            due: Tournament::default(),
            open: Tournament::default(),
            notify_list: NotifyList::default(),
            ready: 0,
            speed: 1.0,
            notices: Notices::default(),
            table: RequestTable::default(),
            queue: Queue::default(),
            sequence: 0,
            progress: Progress::default(),
            ledger: Ledger::default(),
            past_work: 0,
            preemptions: 0,
            prefix: [0; 2],
        }
    }

    /// Up to when everything has happened to a host, of what is due by `now`.
    fn over(&self, index: usize, now: u64) -> u64 {
        self.progress.over(index, now)
    }

    /// Whether the ledger has what there is: no request waits or is served that is not in a queue or on an instance.
    fn counts_hold(&self) -> bool {
        let (mut waiting, mut serving, mut serving_ready) = (self.queue.len(), 0, 0);
        for host in &self.hosts {
            waiting += host.queue.len();
            serving += host.server.in_service();
            serving_ready += if host.drained.is_none() { host.server.in_service() } else { 0 };
        }
        let Ledger { waiting: w, serving: s, serving_ready: r, .. } = self.ledger;
        (w, s, r) == (waiting, serving, serving_ready)
    }

    fn index(&self, id: u32) -> Option<usize> {
        let at = self.by_id.binary_search_by_key(&id, |(other, _)| *other).ok()?;
        Some(self.by_id[at].1)
    }

    fn is_central(&self) -> bool {
        self.routing.is_none()
    }

    fn update(&mut self, index: usize) {
        let due = self.hosts[index].due_key(!self.is_central(), index);
        if self.due.key(index) != due {
            self.due.set(index, due);
        }
        if let Some(routing) = &mut self.routing {
            routing.changed(self.hosts[index].id);
        } else {
            let open = self.hosts[index].open_key(self.idle_first, self.weighted, index);
            if self.open.key(index) != open {
                self.open.set(index, open);
            }
            self.notify_list.note(index, self.hosts[index].may_respond());
        }
    }

    fn rebuild(&mut self) {
        let own = !self.is_central();
        let (idle_first, weighted) = (self.idle_first, self.weighted);
        let hosts = || self.hosts.iter().enumerate();
        self.due.rebuild(hosts().map(|(index, host)| host.due_key(own, index)));
        if !own {
            self.open.rebuild(hosts().map(|(index, host)| host.open_key(idle_first, weighted, index)));
            self.notify_list.rebuild(self.hosts.iter().map(Host::may_respond));
        }
        self.by_id.clear();
        self.by_id.extend(self.hosts.iter().enumerate().map(|(index, host)| (host.id, index)));
        self.by_id.sort_unstable();
    }

    /// Counts requests that have begun on a host.
    fn count_begun(&mut self, index: usize, begun: u64) {
        self.ledger.waiting -= begun;
        self.ledger.serving += begun;
        if self.hosts[index].drained.is_none() {
            self.ledger.serving_ready += begun;
        }
    }

    /// Counts requests that are no longer in service on a host.
    fn count_over(&mut self, index: usize, over: u64) {
        self.ledger.serving -= over;
        if self.hosts[index].drained.is_none() {
            self.ledger.serving_ready -= over;
        }
    }

    /// Lets a host begin what it can of what it draws from; how many begin.
    fn admit(&mut self, index: usize, now: u64) -> u64 {
        let over = self.over(index, now);
        let host = &mut self.hosts[index];
        let begun = match (self.routing.is_some(), host.drained) {
            (true, _) => host.admit_own(&mut self.table, over, now),
            (false, None) => host.admit(&mut self.queue, &mut self.table, now),
            (false, Some(_)) => host.admit(&mut Queue::default(), &mut self.table, now),
        };
        self.count_begun(index, begun);
        self.update(index);
        begun
    }

    /// The host that is next in line for what waits in the central queue.
    fn next_open(&self) -> Option<usize> {
        let least = self.open.least();
        (least != InstantKey::NEVER).then(|| least.leaf())
    }

    /// When the host that is next in line will begin what waits in the central queue, if nothing else happens.
    fn held_until(&self) -> u64 {
        if self.queue.len() == 0 {
            return u64::MAX;
        }
        self.next_open().map_or(u64::MAX, |index| self.hosts[index].server.holds_until(&self.queue))
    }

    /// Lets hosts begin what waits in the central queue, the one next in line first, as long as one does.
    fn begin(&mut self, now: u64) {
        while self.queue.len() > 0
            && let Some(index) = self.next_open()
        {
            if self.admit(index, now) == 0 {
                break;
            }
        }
        self.call(now);
    }

    /// Lets the hosts that take turns hear of what waits in the central queue now.
    fn call(&mut self, now: u64) {
        if !S::TAKES_TURNS || !self.is_central() || self.queue.len() == 0 {
            return;
        }
        self.notify_list.call(0..self.hosts.len());
        while let Some(index) = self.notify_list.next_called() {
            if self.hosts[index].may_respond() {
                let over = self.over(index, now);
                self.hosts[index].server.notify(&self.queue, over);
                self.update(index);
            }
        }
    }

    /// What is due at a host at `now` happens.
    fn happen(&mut self, index: usize, now: u64, observer: &mut impl RequestObserver) {
        if self.hosts[index].server.next_change() > now {
            // It has held back what waits for it long enough; all changes of this instant have come before.
            self.progress.reached = now;
            self.admit(index, now);
            return;
        }
        let had_their_turn = if self.progress.turn.0 == now { self.progress.turn.1 } else { 0 };
        self.progress.turn = (now, had_their_turn.max(index + 1));
        self.complete(index, now, observer);
        if self.admit(index, now) > 0 {
            self.call(now);
        }
        self.settle(index, now);
    }

    /// Lets the requests go whose service ends at `now`.
    fn complete(&mut self, index: usize, now: u64, observer: &mut impl RequestObserver) {
        let (table, notices, host) = (&mut self.table, &mut self.notices, &mut self.hosts[index]);
        host.pass(now);
        let (instance, before) = (host.id, host.server.in_service());
        host.server.step(&mut |active, first_token| {
            let Request { arrival, mark, .. } = active.request;
            let entry = table.remove(mark);
            let start = active.start;
            let served =
                Completion { arrival, start, finish: now, instance, class: entry.class, first: false };
            let outcome = RequestOutcome::Served(served, S::COUNTS_TOKENS.then_some(first_token));
            notices.report(entry.ticket, &active.request, outcome, now, observer);
        });
        let over = before - host.server.in_service();
        if let Some(routing) = &mut self.routing {
            (0..over).for_each(|_| routing.answered(instance, now));
        }
        self.count_over(index, over);
    }

    /// Notes a host that has run out of work; a draining one is gone then.
    fn settle(&mut self, index: usize, now: u64) {
        let Host { id, spells, drained, .. } = self.hosts[index];
        if !self.hosts[index].is_empty() {
            return;
        }
        if drained.is_none() {
            self.notices.idle.push_back((id, spells));
        } else {
            self.remove(index, now);
            self.notices.drained.push_back(id);
        }
    }

    fn remove(&mut self, index: usize, now: u64) -> Host<S> {
        let host = self.hosts.remove(index);
        self.past_work += host.work(now);
        self.preemptions += host.server.preemptions();
        let [found, prompts] = host.server.prefix_hits();
        self.prefix = [self.prefix[0] + found, self.prefix[1] + prompts];
        if index < self.progress.turn.1 {
            self.progress.turn.1 -= 1;
        }
        self.rebuild();
        host
    }

    /// Lets a host take no more requests; `false` if it takes none already.
    fn close(&mut self, index: usize, now: u64) -> bool {
        let host = &mut self.hosts[index];
        if host.drained.is_some() {
            return false;
        }
        host.drained = Some(host.server.work(now));
        self.ledger.serving_ready -= host.server.in_service();
        self.ready -= 1;
        if let Some(routing) = &mut self.routing {
            routing.remove(host.id);
        }
        if let Some(gateway) = &mut self.gateway {
            gateway.forget(host.id);
        }
        self.update(index);
        true
    }

    fn enqueue(&mut self, job: Job, deadline: u64) {
        self.table.put(job.request.mark, Place::Queue);
        if job.returned {
            self.queue.push_returned(job);
        } else {
            self.queue.push(job, deadline);
        }
        self.ledger.waiting += 1;
    }

    /// A request that came too many: it is turned away.
    fn reject(&mut self, job: &Job, now: u64, observer: &mut impl RequestObserver) {
        self.table.remove(job.request.mark);
        self.notices.report(job.ticket, &job.request, RequestOutcome::Rejected, now, observer);
    }

    /// Sends a request that has arrived, or come back, to an instance with a queue of its own; it is buffered if there
    /// is none.
    fn dispatch(&mut self, job: Job, capacity: u64, now: u64, observer: &mut impl RequestObserver) {
        let Some(routing) = self.routing.as_mut().filter(|routing| !routing.is_empty()) else {
            return if job.returned || self.queue.len() < capacity {
                self.enqueue(job, u64::MAX);
            } else {
                self.reject(&job, now, observer);
            };
        };
        // An instance may fail before what is due elsewhere at that instant has happened.
        let progress = self.progress;
        if self.gateway.as_ref().is_some_and(|gateway| gateway.looks().prefix_cache) {
            let hosts = self.hosts.iter_mut().enumerate();
            hosts.for_each(|(index, host)| host.server.settle_prefix_cache(progress.over(index, now)));
        }
        let (hosts, by_id) = (&self.hosts, &self.by_id);
        let place = |id: u32| {
            let at = by_id.binary_search_by_key(&id, |(other, _)| *other).ok()?;
            Some(by_id[at].1)
        };
        let id = match &mut self.gateway {
            None => routing.choose(now, |id| place(id).map_or(0, |index| hosts[index].outstanding())),
            Some(gateway) => {
                let (looks, request) = (gateway.looks(), job.request);
                let engines = routing.ready().iter().filter_map(|id| place(*id));
                let view = |index: usize| hosts[index].view(&request, looks, progress.over(index, now));
                gateway.choose(&request, engines.map(view))
            }
        };
        let Some(index) = self.index(id) else { return };
        let (host, mark) = (&mut self.hosts[index], job.request.mark);
        self.table.put(mark, Place::Host(id));
        if job.returned {
            host.queue.push_returned(job);
        } else {
            host.queue.push(job, u64::MAX);
        }
        self.ledger.waiting += 1;
        self.admit(index, now);
        let queue = &mut self.hosts[index].queue;
        if !job.returned && queue.len() > capacity && queue.remove(job.sequence).is_some() {
            self.ledger.waiting -= 1;
            self.update(index);
            self.reject(&job, now, observer);
        }
    }

    /// Hands back the requests of an instance that is gone.
    fn requeue(&mut self, jobs: Vec<Job>, now: u64) {
        for job in jobs {
            let job = Job { returned: true, ..job };
            if self.is_central() {
                self.enqueue(job, u64::MAX);
            } else {
                self.dispatch(job, u64::MAX, now, &mut ());
            }
        }
        if self.is_central() {
            self.begin(now);
        }
    }
}
