//! The station: what every arrangement of queues before ready instances offers the engine.

use crate::service::{Request, Tokens, UNKNOWN};
use crate::sim::accounting::{Areas, Class, Completion, Gauges, RequestObserver};

/// What has become of a request, for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum RequestOutcome {
    /// It was answered; and when the first token of the answer came, where tokens are counted.
    Served(Completion, Option<u64>),
    Rejected,
    TimedOut,
    Failed,
}

/// The ticket of requests that have none.
pub(in crate::sim) const NO_TICKET: u32 = u32::MAX;

/// A request that arrives.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Arrival {
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
    /// What its prompt holds, where that is known.
    pub content: u32,
}

impl Arrival {
    /// A request of which nothing more is to be known.
    #[inline]
    pub fn plain(now: u64, service: u64) -> Arrival {
        let (patience, class) = (u64::MAX, Class::Low);
        let (ticket, content) = (NO_TICKET, UNKNOWN);
        Arrival { now, service, patience, class, ticket, tokens: Tokens::default(), content }
    }
}

impl Arrival {
    /// What it asks for.
    #[inline]
    pub fn request(&self) -> Request {
        let Arrival { now: arrival, service, tokens, content, .. } = *self;
        Request { arrival, service, mark: 0, tokens, content }
    }
}

/// Requests that arrive one after the other, column by column.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Arrivals<'a> {
    /// When each does, nanoseconds.
    pub instants: &'a [u64],
    /// Service requirement of each, nanoseconds.
    pub services: &'a [u64],
    /// Tokens of each; empty where they are not counted.
    pub tokens: &'a [Tokens],
}

impl Arrivals<'_> {
    /// One after the other.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Arrival> {
        let tokens = |index: usize| self.tokens.get(index).copied().unwrap_or_default();
        let requests = self.instants.iter().zip(self.services).enumerate();
        requests.map(move |(index, (now, service))| Arrival {
            tokens: tokens(index),
            ..Arrival::plain(*now, *service)
        })
    }

    /// One of them.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Arrival> {
        let (now, service) = self.instants.get(index).zip(self.services.get(index))?;
        let tokens = self.tokens.get(index).copied().unwrap_or_default();
        Some(Arrival { tokens, ..Arrival::plain(*now, *service) })
    }
}

/// What one ready instance has to do, and has done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::sim) struct Load {
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

/// The memory for keys and values of the instances.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::sim) struct CacheUse {
    /// Mean share of it in use on ready instances, 0 to 1.
    pub used: f64,
    /// Sequences that have had to give way, since the start of the run.
    pub preemptions: u64,
    /// Tokens of the prompts begun that prefix caches had, and their tokens, where contents are known; since the start of the
    /// run.
    pub prefix: [u64; 2],
}

/// An arrangement of queues before ready instances. Time never falls from call to call.
pub(in crate::sim) trait Station {
    /// Whether it is taken event by event: then it knows patience and classes, and policies that act at every arrival
    /// and departure can watch it.
    const EVENT_DRIVEN: bool = false;
    /// Whether it counts tokens.
    const COUNTS_TOKENS: bool = false;

    /// A request arrives; everything that completes up to `now` has happened before it. Until `gate`, nothing but
    /// further arrivals will happen to the pool, and nobody will look.
    fn arrive(&mut self, arrival: Arrival, gate: u64, observer: &mut impl RequestObserver);
    /// Requests arrive, all of them before `gate` but perhaps the first.
    #[inline]
    fn arrive_all(&mut self, arrivals: Arrivals<'_>, gate: u64, observer: &mut impl RequestObserver) {
        arrivals.iter().for_each(|arrival| self.arrive(arrival, gate, observer));
    }
    /// Lets everything happen up to `now` and reports it.
    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver);
    /// When it next changes by itself, if it is [`Station::EVENT_DRIVEN`].
    fn next_change(&self) -> u64 {
        u64::MAX
    }
    /// Lets the change at [`Station::next_change`] happen, and no other, if it is [`Station::EVENT_DRIVEN`].
    fn step(&mut self, _observer: &mut impl RequestObserver) {}
    /// A ready instance that has run out of work since the last call, with the count of its busy spells, if it is
    /// [`Station::EVENT_DRIVEN`].
    fn next_idle(&mut self) -> Option<(u32, u64)> {
        None
    }
    /// Whether a ready instance has been idle since the end of its busy spell number `spells`.
    fn still_idle(&self, _instance: u32, _spells: u64) -> bool {
        false
    }
    /// A draining instance that has run out of work since the last call, if it is [`Station::EVENT_DRIVEN`].
    fn next_drained(&mut self) -> Option<u32> {
        None
    }
    /// What has become of a request with a ticket since the last call, if it is [`Station::EVENT_DRIVEN`].
    fn next_outcome(&mut self) -> Option<(u32, RequestOutcome)> {
        None
    }
    /// Takes away a request with a ticket: from a queue, or if asked to from its slot too. How many nanoseconds it has
    /// been in service, or `None` if it was not taken away.
    fn cancel(&mut self, _ticket: u32, _now: u64, _serving_too: bool) -> Option<u64> {
        None
    }
    /// Sets the speed of the instance that [`Station::add`] is called for next, and the service requirement of the first
    /// request it serves ([`u64::MAX`]: the request's own), if it is [`Station::EVENT_DRIVEN`].
    fn set_next_instance(&mut self, _speed: f64, _first_service: u64) {}
    /// An instance becomes ready; what waits may start on it at once.
    fn add(&mut self, instance: u32, now: u64, observer: &mut impl RequestObserver);
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
    fn backlog(&self, now: u64) -> u64 {
        self.gauges(now).waiting
    }
    /// The greatest number of requests that have waited at a time, since the start or [`Station::restart_peak`].
    fn peak_waiting(&self) -> u64;
    /// Forgets the peak; everything has advanced to now.
    fn restart_peak(&mut self);
    /// Integrals up to `now`, to which everything has advanced.
    fn areas(&self, now: u64) -> Areas;
    /// What has become of the memory for keys and values up to `now`, if it counts tokens.
    fn cache(&self, _now: u64) -> CacheUse {
        CacheUse::default()
    }
    /// Whether the first token of the answer to a request with a ticket has come, if it is [`Station::EVENT_DRIVEN`].
    fn has_first_token(&self, _ticket: u32) -> bool {
        false
    }
    /// Appends the load of each ready instance at `now`, to which everything has advanced.
    fn loads(&self, now: u64, out: &mut Vec<Load>);
    /// Whether a request with a ticket waits, not being in service, if it is [`Station::EVENT_DRIVEN`].
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

/// Where clients send requests and hear what has become of them: a station, or several one after the other.
pub(in crate::sim) trait Attended {
    /// See [`Station::arrive`].
    fn arrive(&mut self, arrival: Arrival, gate: u64, observer: &mut impl RequestObserver);
    /// See [`Station::next_outcome`].
    fn next_outcome(&mut self) -> Option<(u32, RequestOutcome)>;
    /// See [`Station::cancel`].
    fn cancel(&mut self, ticket: u32, now: u64, serving_too: bool) -> Option<u64>;
    /// See [`Station::has_first_token`].
    fn has_first_token(&self, ticket: u32) -> bool;
    /// See [`Station::waits`].
    fn waits(&self, ticket: u32) -> bool;
    /// How long the request whose outcome was taken last was not in service between its start and its end, nanoseconds.
    fn paused(&self) -> u64 {
        0
    }
}

impl<S: Station> Attended for S {
    #[inline]
    fn arrive(&mut self, arrival: Arrival, gate: u64, observer: &mut impl RequestObserver) {
        Station::arrive(self, arrival, gate, observer);
    }
    #[inline]
    fn next_outcome(&mut self) -> Option<(u32, RequestOutcome)> {
        Station::next_outcome(self)
    }
    #[inline]
    fn cancel(&mut self, ticket: u32, now: u64, serving_too: bool) -> Option<u64> {
        Station::cancel(self, ticket, now, serving_too)
    }
    #[inline]
    fn has_first_token(&self, ticket: u32) -> bool {
        Station::has_first_token(self, ticket)
    }
    #[inline]
    fn waits(&self, ticket: u32) -> bool {
        Station::waits(self, ticket)
    }
}

/// A request in a queue.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Waiting {
    pub arrival: u64,
    pub service: u64,
}

/// Requests on instances that take no more. Their course is settled: nothing can come before them.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Draining {
    requests: Vec<Completion>,
}

impl Draining {
    pub fn push(&mut self, request: Completion) {
        self.requests.push(request);
    }

    /// Reports what is finished by `now`, adding its wait and service to `areas`.
    #[inline]
    pub fn advance(&mut self, now: u64, areas: &mut Areas, observer: &mut impl RequestObserver) {
        if self.requests.is_empty() {
            return;
        }
        self.requests.retain(|request| {
            let finished = request.finish <= now;
            if finished {
                areas.waiting += u128::from(request.start - request.arrival);
                areas.in_service += u128::from(request.finish - request.start);
                observer.served(*request);
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
fn unfinished(request: &Completion) -> Request {
    Request { arrival: request.arrival, service: request.finish - request.start, ..Request::default() }
}

/// Adds the part of a request's course up to `now`.
fn add_partial(areas: &mut Areas, request: &Completion, now: u64) {
    areas.waiting += u128::from(request.start.min(now) - request.arrival);
    areas.in_service += u128::from(now.saturating_sub(request.start));
}
