//! How requests and instances meet: what every arrangement of queues offers the engine.

use crate::service::{Request, Tokens};

/// A request that was answered; instants in nanoseconds from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// When it arrived.
    pub arrival: u64,
    /// When its service began.
    pub start: u64,
    /// When its service ended.
    pub finish: u64,
    /// The instance that served it.
    pub instance: u32,
    /// Its class.
    pub class: Class,
    /// Whether it was the first request of its instance, and took the time of one.
    pub first: bool,
}

/// What becomes of a request whose client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It was answered; and when the first token of the answer came, where tokens are counted.
    Served(Served, Option<u64>),
    Rejected,
    TimedOut,
    Failed,
}

/// The ticket of requests that have none.
pub(super) const NO_TICKET: u32 = u32::MAX;

/// The class of a request: the high one is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Class {
    /// Served first.
    High,
    /// Every request, where classes are not told apart.
    #[default]
    Low,
}

/// A request that arrives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// When, nanoseconds.
    pub now: u64,
    /// Its service requirement, nanoseconds.
    pub service: u64,
    /// How long it is willing to wait, nanoseconds; [`u64::MAX`] for as long as it takes.
    pub patience: u64,
    pub class: Class,
    /// What its client knows it by; [`NO_TICKET`]: it has no client that listens.
    pub ticket: u32,
    /// Its tokens, where they are counted.
    pub tokens: Tokens,
}

impl Arrival {
    /// A request of which nothing more is to be known.
    pub fn plain(now: u64, service: u64) -> Arrival {
        let (patience, class) = (u64::MAX, Class::Low);
        Arrival { now, service, patience, class, ticket: NO_TICKET, tokens: Tokens::default() }
    }
}

impl Arrival {
    /// What it asks for.
    #[inline]
    pub fn request(&self) -> Request {
        Request { arrival: self.now, service: self.service, mark: 0, tokens: self.tokens }
    }
}

/// The course of an answer to a language model's request; instants in nanoseconds from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated {
    /// When the request arrived.
    pub arrival: u64,
    /// When the first token of the answer came.
    pub first_token: u64,
    /// When the last came.
    pub finish: u64,
    /// Its tokens.
    pub tokens: Tokens,
}

impl Generated {
    /// Time from arrival to the first token.
    pub fn ttft(&self) -> u64 {
        self.first_token - self.arrival
    }

    /// Mean time of the further tokens, rounded down; `None` if there is no further one.
    pub fn tpot(&self) -> Option<u64> {
        let further = u64::from(self.tokens.output.max(1)) - 1;
        (self.finish - self.first_token).checked_div(further)
    }
}

/// Hears what becomes of each request. Every request that arrives is reported at most once.
///
/// Reports come late and out of order in time, but whenever the engine looks (a scrape, a mark of the timeline, an
/// evaluation, the end), everything up to then has been reported.
pub trait Sink {
    /// A request was answered token by token; [`Sink::served`] follows.
    fn generated(&mut self, _answer: Generated) {}
    /// A request was answered.
    fn served(&mut self, request: Served);
    /// A request that arrived at `arrival` found the queue full.
    fn rejected(&mut self, arrival: u64);
    /// A request that arrived at `arrival` found the queue full, for the last time at `at`.
    fn rejected_at(&mut self, arrival: u64, _at: u64) {
        self.rejected(arrival);
    }
    /// A request that arrived at `arrival` gave up waiting at `at`.
    fn timed_out(&mut self, arrival: u64, at: u64);
    /// A request that arrived at `arrival` was lost at `at` with its instance.
    fn failed(&mut self, arrival: u64, at: u64);
}

/// Requests in the pool at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Gauges {
    /// Waiting, at the door, in the queue or at an instance.
    pub waiting: u64,
    /// Of those, held at the door because no instance is ready.
    pub held: u64,
    /// In service on ready instances.
    pub busy: u64,
    /// In service on draining instances.
    pub draining: u64,
}

/// What one ready instance has to do, and has done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    pub instance: u32,
    /// Request-nanoseconds in service since it became ready.
    pub served: u128,
    /// Capacity used since it became ready, as in [`Areas::work`].
    pub work: u128,
    /// Requests in service.
    pub in_service: u64,
    /// Requests waiting in a queue of its own.
    pub waiting: u64,
    /// Share of its KV cache in use, 0 to 1; 0 where there is none.
    pub kv_cache: f64,
}

/// Integrals over time since the start of the run, in request-nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Areas {
    /// Of requests waiting.
    pub waiting: u128,
    /// Of requests in service, wherever.
    pub in_service: u128,
    /// Of requests in service on ready instances.
    pub busy: u128,
    /// Of the capacity used on ready instances: place-nanoseconds times [`crate::service::FULL`].
    pub work: u128,
}

impl Areas {
    /// Adds those of another part of the pool.
    pub fn add(&mut self, other: &Areas) {
        self.waiting += other.waiting;
        self.in_service += other.in_service;
        self.busy += other.busy;
        self.work += other.work;
    }
}

/// An arrangement of queues and ready instances. Time only moves forward from call to call.
pub(super) trait Fleet {
    /// Whether it is taken event by event: then it knows patience and classes, and policies that act at every arrival
    /// and departure can watch it.
    const STEPPED: bool = false;
    /// Whether it counts tokens.
    const COUNTS_TOKENS: bool = false;

    /// A request arrives; everything that completes up to `now` has happened before it. Until `gate`, nothing but
    /// further arrivals will happen to the pool, and nobody will look.
    fn arrive(&mut self, arrival: Arrival, gate: u64, sink: &mut impl Sink);
    /// Lets everything happen up to `now` and reports it.
    fn advance(&mut self, now: u64, sink: &mut impl Sink);
    /// When it next changes by itself, if it is [`Fleet::STEPPED`].
    fn next_change(&self) -> u64 {
        u64::MAX
    }
    /// Lets the change at [`Fleet::next_change`] happen, and no other, if it is [`Fleet::STEPPED`].
    fn step(&mut self, _sink: &mut impl Sink) {}
    /// A ready instance that has run out of work since the last call, with the count of its busy spells, if it is
    /// [`Fleet::STEPPED`].
    fn take_idled(&mut self) -> Option<(u32, u64)> {
        None
    }
    /// Whether a ready instance has been without work since it ran out of it after so many busy spells.
    fn still_idle(&self, _instance: u32, _spells: u64) -> bool {
        false
    }
    /// A draining instance that has run out of work since the last call, if it is [`Fleet::STEPPED`].
    fn take_emptied(&mut self) -> Option<u32> {
        None
    }
    /// What has become of a request with a ticket since the last call, if it is [`Fleet::STEPPED`].
    fn take_ended(&mut self) -> Option<(u32, Ending)> {
        None
    }
    /// Takes away a request with a ticket: from a queue, or if asked to from its slot too. How many nanoseconds it has
    /// been in service, or `None` if it was not taken away.
    fn call_off(&mut self, _ticket: u32, _now: u64, _serving_too: bool) -> Option<u64> {
        None
    }
    /// Tells the speed of the instance that [`Fleet::add`] is called for next, and the service requirement of the first
    /// request it serves ([`u64::MAX`]: the request's own), if it is [`Fleet::STEPPED`].
    fn expect(&mut self, _speed: f64, _first_service: u64) {}
    /// An instance becomes ready; what waits may start on it at once.
    fn add(&mut self, instance: u32, now: u64, sink: &mut impl Sink);
    /// A ready instance stops taking requests; returns when it will have finished those it has.
    fn drain(&mut self, instance: u32, now: u64) -> u64;
    /// A ready or draining instance is taken away at `now`, to which everything has advanced; the requests that are lost
    /// with it, none of which is reported, are added to `lost`.
    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>);
    /// Requests a ready instance has, in service or waiting for it.
    fn outstanding(&self, instance: u32) -> u64;
    /// Requests in the pool at `now`, to which everything has advanced.
    fn gauges(&self, now: u64) -> Gauges;
    /// Requests it holds waiting at `now`, up to which everything may not have advanced yet: what its memory grows with.
    fn held(&self, now: u64) -> u64 {
        self.gauges(now).waiting
    }
    /// Integrals up to `now`, to which everything has advanced.
    fn areas(&self, now: u64) -> Areas;
    /// Mean share of the memory for keys and values that is taken on ready instances at `now`, 0 to 1, and the sequences
    /// that have had to give way on any, if it counts tokens.
    fn cache(&self, _now: u64) -> (f64, u64) {
        (0.0, 0)
    }
    /// Appends the load of each ready instance at `now`, to which everything has advanced.
    fn loads(&self, now: u64, out: &mut Vec<Load>);
    /// Whether a request with a ticket waits, not being in service, if it is [`Fleet::STEPPED`].
    fn waits(&self, _ticket: u32) -> bool {
        false
    }
    /// Arrival instants of the requests that wait, in no order, if it counts tokens and everything has advanced to now.
    fn waiting(&self) -> impl Iterator<Item = u64> {
        std::iter::empty()
    }
    /// Arrival instants of the requests in the pool at `now`, to which everything has advanced, in no order.
    fn in_flight(&self, now: u64) -> impl Iterator<Item = u64>;
}

/// A request in a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub arrival: u64,
    pub service: u64,
}

/// Requests on instances that take no more. Their course is settled: nothing can come before them.
#[derive(Debug, Clone, Default)]
pub(super) struct Draining {
    requests: Vec<Served>,
}

impl Draining {
    pub fn push(&mut self, request: Served) {
        self.requests.push(request);
    }

    /// Reports what is finished by `now`, adding its wait and service to `areas`.
    #[inline]
    pub fn advance(&mut self, now: u64, areas: &mut Areas, sink: &mut impl Sink) {
        if self.requests.is_empty() {
            return;
        }
        self.requests.retain(|request| {
            let finished = request.finish <= now;
            if finished {
                areas.waiting += u128::from(request.start - request.arrival);
                areas.in_service += u128::from(request.finish - request.start);
                sink.served(*request);
            }
            !finished
        });
    }

    /// Takes away what `instance` has left.
    pub fn kill(&mut self, instance: u32, now: u64, areas: &mut Areas, lost: &mut Vec<Request>) {
        self.requests.retain(|request| {
            let stays = request.instance != instance;
            if !stays {
                add_partial(areas, request, now);
                lost.push(unfinished(request));
            }
            stays
        });
    }

    pub fn gauge(&self, now: u64, gauges: &mut Gauges) {
        for request in &self.requests {
            if request.start > now { gauges.waiting += 1 } else { gauges.draining += 1 }
        }
    }

    /// Adds what the requests have waited and been served by `now`.
    pub fn measure(&self, now: u64, areas: &mut Areas) {
        self.requests.iter().for_each(|request| add_partial(areas, request, now));
    }

    pub fn arrivals(&self) -> impl Iterator<Item = u64> {
        self.requests.iter().map(|request| request.arrival)
    }
}

/// What a request asked for, before its course was settled.
fn unfinished(request: &Served) -> Request {
    Request { arrival: request.arrival, service: request.finish - request.start, ..Request::default() }
}

/// Adds the part of a request's course up to `now`.
fn add_partial(areas: &mut Areas, request: &Served, now: u64) {
    areas.waiting += u128::from(request.start.min(now) - request.arrival);
    areas.in_service += u128::from(now.saturating_sub(request.start));
}
