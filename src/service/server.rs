//! One instance at work: what every service model but `slots` offers the pool.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// What a request asks for; all instants and times in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request {
    /// When it arrived.
    pub arrival: u64,
    /// Its service requirement: the time it takes at full speed.
    pub service: u64,
    /// What the pool knows it by; handed back as it came.
    pub mark: u32,
    /// Its tokens, where the service model counts them.
    pub tokens: Tokens,
}

/// Tokens of a request to a language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// Of its prompt.
    pub prompt: u32,
    /// Of its answer.
    pub output: u32,
}

/// A request in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Active {
    /// What it asks for.
    pub request: Request,
    /// When its service began, nanoseconds.
    pub start: u64,
}

/// Requests that wait, first come first served, and what they have waited.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    requests: VecDeque<Request>,
    /// Sum of the arrival instants of those that wait.
    arrivals: u128,
    /// Request-nanoseconds waited by those that have left.
    waited: u128,
}

impl Queue {
    /// Adds a request at the end.
    #[inline]
    pub fn push(&mut self, request: Request) {
        self.arrivals += u128::from(request.arrival);
        self.requests.push_back(request);
    }

    /// Takes the first request out at `now`.
    #[inline]
    pub fn pop(&mut self, now: u64) -> Option<Request> {
        let request = self.requests.pop_front()?;
        self.arrivals -= u128::from(request.arrival);
        self.waited += u128::from(now - request.arrival);
        Some(request)
    }

    /// Takes the last request back out, as if it had never come.
    pub fn withdraw(&mut self) -> Option<Request> {
        let request = self.requests.pop_back()?;
        self.arrivals -= u128::from(request.arrival);
        Some(request)
    }

    /// How many wait.
    #[inline]
    pub fn len(&self) -> u64 {
        self.requests.len() as u64
    }

    /// Whether none waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The requests that wait, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter()
    }

    /// Request-nanoseconds waited up to `now`.
    pub fn area(&self, now: u64) -> u128 {
        self.waited + u128::from(now) * self.requests.len() as u128 - self.arrivals
    }
}

/// What an instance draws requests from: a [`Queue`], or one in which some go first.
pub trait Line {
    /// How many wait.
    fn len(&self) -> u64;

    /// Whether none waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The request that goes next.
    fn front(&self) -> Option<&Request>;

    /// Takes the request that goes next out at `now`.
    fn pop(&mut self, now: u64) -> Option<Request>;

    /// When the request arrived that has waited longest, nanoseconds.
    fn oldest(&self) -> Option<u64>;
}

impl Line for Queue {
    #[inline]
    fn len(&self) -> u64 {
        self.len()
    }

    #[inline]
    fn front(&self) -> Option<&Request> {
        self.requests.front()
    }

    #[inline]
    fn pop(&mut self, now: u64) -> Option<Request> {
        self.pop(now)
    }

    #[inline]
    fn oldest(&self) -> Option<u64> {
        self.requests.front().map(|first| first.arrival)
    }
}

/// Shares of an instance's capacity are counted in this many parts.
pub const FULL: u64 = 1 << 20;

/// One instance, event by event. What waits for it stands in a queue that it draws from: its own, or one that all
/// instances of a pool share. Time only moves forward from call to call.
pub trait Server: Clone + fmt::Debug {
    /// Whether it counts tokens, and reports the first of each answer.
    const COUNTS_TOKENS: bool = false;
    /// Whether it begins what waits only when it comes to it, though it is not full: then all instances before a common
    /// queue must hear of what has come.
    const TAKES_TURNS: bool = false;
    /// What its service model says.
    type Settings: fmt::Debug + Clone + PartialEq;

    /// An instance without work, which does everything `speed` times as fast as the settings say; above 0.
    fn new(settings: &Arc<Self::Settings>, speed: f64) -> Self;

    /// Begins a request that arrives at `now`, before which none waits, if it can without more ado: then the request need
    /// not pass through a queue. Whether it has.
    fn begin(&mut self, _request: Request, _now: u64) -> bool {
        false
    }

    /// Begins at `now` what it can of what waits. To be called whenever the queue has grown and after each
    /// [`Server::step`].
    fn admit(&mut self, queue: &mut impl Line, now: u64);

    /// Hears that other requests wait now, all that was to happen up to `over` having happened; for
    /// [`Server::TAKES_TURNS`].
    fn hear(&mut self, _queue: &impl Line, _over: u64) {}

    /// When it next changes by itself, nanoseconds; [`u64::MAX`] for never.
    fn next_change(&self) -> u64;

    /// Lets the change at [`Server::next_change`] happen; `done` hears of each request whose service ends, and when the
    /// first token of its answer came, where tokens are counted.
    fn step(&mut self, done: &mut impl FnMut(Active, u64));

    /// Until when it holds back what waits, though it could begin it; [`u64::MAX`] if it does not.
    fn holds_until(&self, _queue: &impl Line) -> u64 {
        u64::MAX
    }

    /// Stops the service of the request with this mark at `now`, all that was to happen up to `over` having happened, as
    /// in [`Server::hear`]. It is in service no longer; `None` if its service goes on, because it cannot be stopped.
    fn cancel(&mut self, _mark: u32, _now: u64, _over: u64) -> Option<Active> {
        None
    }

    /// The place in line of this instance for what waits in a common queue, the least first; `None` if it is full.
    fn eagerness(&self) -> Option<u64>;

    /// Requests in service.
    fn in_service(&self) -> u64;

    /// The requests in service, in no order.
    fn requests(&self) -> impl Iterator<Item = &Active>;

    /// Capacity used up to `now`, to which everything has happened, in nanoseconds times [`FULL`] per place.
    fn work(&self, now: u64) -> u128;

    /// Share of the memory for keys and values that is taken, 0 to 1; 0 for models that have none.
    fn kv_cache(&self, _now: u64) -> f64 {
        0.0
    }

    /// Sequences that have had to give way and were computed again, so far.
    fn preemptions(&self) -> u64 {
        0
    }
}
