//! A pool of slots taken event by event: each completes on its own, at the speed of its instance.
//!
//! ```text
//!                 leaf:    0      1      2      3      4      5
//!   slots                [ busy ][ busy ][ idle ][ idle ][ busy ][ vacant ]
//!   instance               7      7      8      8      9      -
//!   due   (tournament)    t=40   t=35    -      -     t=90    -      the least: the next completion
//!   idle  (tournament)     -      -     t=10   t=20    -      -      the least: the slot taken next
//! ```
//!
//! The rule it relies on: a leaf is in at most one of `due` (busy), `idle` (without work, its instance ready, under a
//! central queue) and `vacant` (of no instance). Both tournaments are as wide as `slots`, and a leaf stays with its
//! instance until that is gone, so nothing moves as instances come and go.

mod station;

use super::ledger::Ledger;
use super::notices::Notices;
use super::queue::{Job, Queue};
use super::routing::Routing;
use super::tickets::ByTicket;
use crate::random::{Purpose, Streams};
use crate::service::{FULL, Slots};
use crate::sim::accounting::{Areas, Completion, RequestObserver};
use crate::sim::instances::{DrainPolicy, Instances, LostRequests};
use crate::sim::queueing::dispatch::{Dispatch, DispatchPolicy, Idle};
use crate::sim::queueing::station::{NO_TICKET, RequestOutcome};
use crate::sim::queueing::tournament::{InstantKey, Tournament};

/// See the module.
#[derive(Debug, Clone)]
pub struct EventDrivenSlots {
    concurrency: u32,
    capacity: u64,
    idle_first: Idle,
    leaving: DrainPolicy,
    lost: LostRequests,
    /// Where each instance has a queue of its own: which one a request goes to.
    routing: Option<Routing>,
    slots: Vec<Slot>,
    /// Busy slots by when they fall free.
    due: Tournament,
    /// Under a central queue: idle slots of ready instances, the one to be taken next first.
    idle: Tournament,
    /// Slots of instances that are gone, to be used again.
    vacant: Vec<usize>,
    /// Ready and draining instances, by number.
    hosts: Vec<Host>,
    ready: u32,
    /// Speed of the instance that becomes ready next, and service requirement of its first request.
    next: (f64, u64),
    notices: Notices,
    /// Where the requests with a ticket are.
    places: ByTicket<Place>,
    /// The central queue, or what is buffered because no instance is ready.
    queue: Queue,
    sequence: u64,
    insertions: u64,
    ledger: Ledger,
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
    job: Job,
    begun: u64,
    finish: u64,
    /// Whether it is the first request of its instance and takes the time of one.
    first: bool,
}

#[derive(Debug, Clone)]
struct Host {
    id: u32,
    speed: f64,
    /// Service requirement of the first request it serves; [`u64::MAX`]: the request's own.
    first_service: u64,
    leaves: Vec<usize>,
    /// Those of its slots that are idle, where it has a queue of its own.
    free: Vec<usize>,
    queue: Queue,
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
    #[inline]
    fn served(&self, now: u64) -> u128 {
        self.served + u128::from(now - self.changed) * u128::from(self.busy)
    }

    /// Lets time pass, before `busy` changes.
    #[inline]
    fn pass(&mut self, now: u64) {
        self.served = self.served(now);
        self.changed = now;
    }

    /// How long `work` takes on it.
    #[inline]
    fn time(&self, work: u64) -> u64 {
        if self.speed == 1.0 { work } else { (work as f64 / self.speed).round() as u64 }
    }
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Nowhere,
    /// In the central queue, or buffered because no instance is ready.
    Queue(u64),
    /// In the queue of an instance.
    Host(u32, u64),
    Slot(usize),
}

impl EventDrivenSlots {
    /// The arrangement of `dispatch`, without instances yet, each to have `slots` of its service model.
    pub fn new(dispatch: &Dispatch, instances: &Instances, slots: Slots, streams: Streams) -> Self {
        let policy = dispatch.policy;
        let rng = streams.stream(Purpose::Routing);
        let routing = Routing::new(policy, instances.differ_in_speed(), rng);
        EventDrivenSlots {
            concurrency: slots.concurrency,
            capacity: dispatch.queue_capacity.unwrap_or(u64::MAX),
            idle_first: dispatch.idle,
            leaving: instances.leaving,
            lost: instances.lost,
            routing: (policy != DispatchPolicy::CentralQueue).then_some(routing),
            slots: Vec::new(),
            due: Tournament::default(),
            idle: Tournament::default(),
            vacant: Vec::new(),
            hosts: Vec::new(),
            ready: 0,
            next: (1.0, u64::MAX),
            notices: Notices::default(),
            places: ByTicket::new(Place::Nowhere),
            queue: Queue::default(),
            sequence: 0,
            insertions: 0,
            ledger: Ledger::default(),
        }
    }

    /// Whether the ledger has what there is: no request waits or is served that is not in a queue or a slot.
    fn counts_hold(&self) -> bool {
        let (mut waiting, mut serving, mut serving_ready) = (self.queue.len(), 0, 0);
        for host in &self.hosts {
            waiting += host.queue.len();
            serving += u64::from(host.busy);
            serving_ready += if host.draining { 0 } else { u64::from(host.busy) };
        }
        let Ledger { waiting: w, serving: s, serving_ready: r, .. } = self.ledger;
        (w, s, r) == (waiting, serving, serving_ready)
            && serving <= (self.slots.len() - self.vacant.len()) as u64
    }

    fn index(&self, id: u32) -> Option<usize> {
        self.hosts.binary_search_by_key(&id, |host| host.id).ok()
    }

    fn host(&mut self, id: u32) -> Option<&mut Host> {
        let index = self.index(id)?;
        Some(&mut self.hosts[index])
    }

    /// Reports what has become of a request: to its client if it has one.
    #[inline]
    fn report(&mut self, job: &Job, outcome: RequestOutcome, now: u64, observer: &mut impl RequestObserver) {
        self.places.put(job.ticket, Place::Nowhere);
        self.notices.report(job.ticket, &job.request, outcome, now, observer);
    }

    #[inline]
    fn enqueue(&mut self, job: Job, deadline: u64) {
        self.places.put(job.ticket, Place::Queue(job.sequence));
        self.queue.push(job, deadline);
        self.ledger.waiting += 1;
    }

    fn enqueue_returned(&mut self, job: Job) {
        self.places.put(job.ticket, Place::Queue(job.sequence));
        self.queue.push_returned(job);
        self.ledger.waiting += 1;
    }

    #[inline]
    fn dequeue(&mut self) -> Option<Job> {
        let job = self.queue.pop()?;
        self.ledger.waiting -= 1;
        Some(job)
    }

    #[inline]
    fn begin(&mut self, leaf: usize, job: Job, now: u64) {
        let id = self.slots[leaf].instance;
        let Some(host) = self.host(id) else { return };
        let first = host.spells == 0 && job.remaining.is_none() && host.first_service < u64::MAX;
        host.pass(now);
        host.spells += u64::from(host.busy == 0);
        host.busy += 1;
        let work = job.remaining.unwrap_or(if first { host.first_service } else { job.request.service });
        let finish = now.saturating_add(host.time(work));
        self.slots[leaf].active = Some(Active { job, begun: now, finish, first });
        self.note_change(id);
        self.places.put(job.ticket, Place::Slot(leaf));
        self.ledger.serving += 1;
        self.ledger.serving_ready += 1;
        self.idle.set(leaf, InstantKey::NEVER);
        self.due.set(leaf, InstantKey::new(finish, self.insertions, leaf));
        self.insertions += 1;
    }

    /// Takes the request off a slot, whatever becomes of it; the slot is left without work.
    fn release(&mut self, leaf: usize) -> Option<Active> {
        let active = self.slots[leaf].active.take()?;
        self.due.set(leaf, InstantKey::NEVER);
        self.ledger.serving -= 1;
        let id = self.slots[leaf].instance;
        self.note_change(id);
        let now = self.ledger.now();
        let draining = self.host(id).is_none_or(|host| {
            host.pass(now);
            host.busy -= 1;
            host.draining
        });
        self.ledger.serving_ready -= u64::from(!draining);
        Some(active)
    }

    /// Gives an empty slot its next request, lets it idle, or vacates it if its instance takes no more.
    fn assign_next(&mut self, leaf: usize, now: u64) {
        let id = self.slots[leaf].instance;
        let Some(index) = self.index(id) else { return self.free_slot(leaf) };
        if self.routing.is_some() {
            if let Some(job) = self.hosts[index].queue.pop() {
                self.ledger.waiting -= 1;
                self.begin(leaf, job, now);
                if self.hosts[index].draining {
                    self.ledger.serving_ready -= 1;
                }
                return;
            }
            if !self.hosts[index].draining {
                return self.hosts[index].free.push(leaf);
            }
        } else if !self.hosts[index].draining {
            if let Some(job) = self.dequeue() {
                return self.begin(leaf, job, now);
            }
            let order = match self.idle_first {
                Idle::Longest => now,
                Idle::Newest => u64::from(!id),
                // The bits of numbers above zero are in their order.
                Idle::Fastest => u64::MAX - 1 - self.hosts[index].speed.to_bits(),
            };
            self.idle.set(leaf, InstantKey::new(order, self.insertions, leaf));
            self.insertions += 1;
            return;
        }
        self.free_slot(leaf);
        let host = &self.hosts[index];
        if host.busy == 0 && host.queue.len() == 0 {
            self.notices.drained.push_back(id);
        }
    }

    /// Notes that an instance has more or fewer requests.
    #[inline]
    fn note_change(&mut self, id: u32) {
        if let Some(routing) = &mut self.routing {
            routing.changed(id);
        }
    }

    /// Notes a ready instance that has nothing to do.
    fn note_idle(&mut self, id: u32) {
        if let Some(Host { busy: 0, spells, draining: false, .. }) = self.host(id) {
            let spells = *spells;
            self.notices.idle.push_back((id, spells));
        }
    }

    #[inline]
    fn complete(&mut self, leaf: usize, now: u64, observer: &mut impl RequestObserver) {
        let id = self.slots[leaf].instance;
        let Some(Active { job, begun, finish, first }) = self.release(leaf) else { return };
        // Where service was interrupted, the wait is all the time without it.
        let service = job.had + (finish - begun);
        let served = Completion {
            arrival: job.request.arrival,
            start: finish - service.min(finish - job.request.arrival),
            finish,
            instance: id,
            class: job.class,
            first,
        };
        self.report(&job, RequestOutcome::Served(served, None), now, observer);
        if let Some(routing) = &mut self.routing {
            routing.answered(id, now);
        }
        self.assign_next(leaf, now);
        self.note_idle(id);
    }

    /// The slots an instance still has.
    fn leaves_of(&self, id: u32) -> Vec<usize> {
        let leaves = self.index(id).map_or(&[][..], |index| &self.hosts[index].leaves);
        leaves.iter().copied().filter(|leaf| self.slots[*leaf].instance == id).collect()
    }

    #[inline]
    fn free_slot(&mut self, leaf: usize) {
        self.slots[leaf] = Slot::VACANT;
        self.vacant.push(leaf);
    }

    /// Sends a request that has arrived, or come back, to an instance with a queue of its own; it is buffered if there
    /// is none.
    fn dispatch(&mut self, job: Job, capacity: u64, now: u64, observer: &mut impl RequestObserver) {
        let Some(routing) = self.routing.as_mut().filter(|routing| !routing.is_empty()) else {
            return if job.returned {
                self.enqueue_returned(job);
            } else if self.queue.len() < capacity {
                self.enqueue(job, u64::MAX);
            } else {
                self.report(&job, RequestOutcome::Rejected, now, observer);
            };
        };
        let hosts = &self.hosts;
        let load = |id: u32| {
            hosts
                .binary_search_by_key(&id, |host| host.id)
                .map_or(0, |index| u64::from(hosts[index].busy) + hosts[index].queue.len())
        };
        let id = routing.choose(now, load);
        let Some(host) = self.host(id) else { return };
        if let Some(leaf) = host.free.pop() {
            return self.begin(leaf, job, now);
        }
        if job.returned || host.queue.len() < capacity {
            if job.returned {
                host.queue.push_returned(job);
            } else {
                host.queue.push(job, u64::MAX);
            }
            self.ledger.waiting += 1;
            self.note_change(id);
            self.places.put(job.ticket, Place::Host(id, job.sequence));
        } else {
            self.report(&job, RequestOutcome::Rejected, now, observer);
        }
    }

    /// Hands back the requests of an instance that is gone.
    fn requeue(&mut self, mut jobs: Vec<Job>, now: u64, observer: &mut impl RequestObserver) {
        jobs.sort_unstable_by_key(|job| job.sequence);
        for job in jobs {
            if self.routing.is_some() {
                self.dispatch(Job { returned: true, ..job }, u64::MAX, now, observer);
            } else {
                self.enqueue_returned(job);
            }
        }
        // What was handed back to the central queue may start elsewhere at once.
        while self.queue.len() > 0 && self.idle.least() != InstantKey::NEVER {
            self.assign_next(self.idle.least().leaf(), now);
        }
    }

    /// The rest of an interrupted request.
    fn rest_of(&self, active: &Active, speed: f64, now: u64) -> Job {
        let left = active.finish - now;
        let remaining = if speed == 1.0 { left } else { (left as f64 * speed).round() as u64 };
        Job { remaining: Some(remaining), had: active.job.had + (now - active.begun), ..active.job }
    }

    /// Takes an instance out of the choice; `false` if it is not here.
    fn close(&mut self, id: u32) -> bool {
        let Some(host) = self.host(id).filter(|host| !host.draining) else { return false };
        host.draining = true;
        let busy = u64::from(host.busy);
        host.free.clear();
        self.ledger.serving_ready -= busy;
        self.ready -= 1;
        if let Some(routing) = &mut self.routing {
            routing.remove(id);
        }
        for leaf in self.leaves_of(id) {
            self.idle.set(leaf, InstantKey::NEVER);
            if self.slots[leaf].active.is_none() {
                self.free_slot(leaf);
            }
        }
        true
    }

    /// When a draining instance will have finished what it has, if nothing is cancelled.
    fn last_finish(&self, host: &Host, now: u64) -> u64 {
        let finish = |leaf: &usize| self.slots[*leaf].active.map(|active| active.finish);
        let mut ends: Vec<u64> = self.leaves_of(host.id).iter().filter_map(finish).collect();
        for job in host.queue.iter() {
            // It has a queue only while all its slots are busy.
            let Some(next) = ends.iter_mut().min() else { return now };
            *next = next.saturating_add(host.time(job.remaining.unwrap_or(job.request.service)));
        }
        ends.into_iter().max().unwrap_or(now)
    }

    fn grow(&mut self, leaves: usize) {
        let from = self.slots.len();
        self.slots.resize(from + leaves, Slot::VACANT);
        self.vacant.extend((from..from + leaves).rev());
        let padded = |tree: &Tournament| {
            let mut keys = tree.keys().to_vec();
            keys.resize(from + leaves, InstantKey::NEVER);
            keys
        };
        let (due, idle) = (padded(&self.due), padded(&self.idle));
        self.due.rebuild(due.into_iter());
        self.idle.rebuild(idle.into_iter());
    }
}
