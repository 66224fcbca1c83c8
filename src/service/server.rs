//! One instance that serves: what every service model but `slots` offers the pool.

use std::fmt;
use std::sync::Arc;

use super::queue::RequestQueue;
use super::request::{Active, Request};

/// Parts in which the share of an instance's capacity that is used is counted: all of it is this many.
pub const FULL: u64 = 1 << 20;

/// One instance, event by event. It draws requests from a queue, which is its own or common to all instances of the
/// pool. Instants never decrease from call to call.
pub trait Server: Clone + fmt::Debug {
    /// Whether it counts tokens, and reports the instant of the first token of each answer.
    const COUNTS_TOKENS: bool = false;
    /// Whether it begins waiting requests only at instants of its own, though it has room: then every instance of a
    /// common queue must be notified of arrivals.
    const TAKES_TURNS: bool = false;
    /// The settings of its service model.
    type Settings: fmt::Debug + Clone + PartialEq;

    /// An idle instance that runs at `speed` times the speed of the settings; above 0.
    fn new(settings: &Arc<Self::Settings>, speed: f64) -> Self;

    /// Begins a request that arrives at `now` while none waits, if it can do so at once: then the request need not pass
    /// through a queue. Returns whether it has begun.
    fn begin(&mut self, _request: Request, _now: u64) -> bool {
        false
    }

    /// Begins, at `now`, as many waiting requests as it can. To be called whenever the queue has grown and after each
    /// [`Server::step`].
    fn admit(&mut self, queue: &mut impl RequestQueue, now: u64);

    /// Notifies it that the queue has changed, all events up to `over` having happened; for [`Server::TAKES_TURNS`].
    fn notify(&mut self, _queue: &impl RequestQueue, _over: u64) {}

    /// Whether [`Server::notify`] may change anything, whatever waits, until it next begins or ends something.
    fn may_respond(&self) -> bool {
        Self::TAKES_TURNS
    }

    /// Instant of its next change of its own accord, nanoseconds; [`u64::MAX`] for never.
    fn next_change(&self) -> u64;

    /// Performs the change at [`Server::next_change`]. Calls `done` for each request that completes, with the instant of
    /// the first token of its answer where tokens are counted.
    fn step(&mut self, done: &mut impl FnMut(Active, u64));

    /// Instant until which it delays the waiting requests, though it could begin them; [`u64::MAX`] if it does not.
    fn holds_until(&self, _queue: &impl RequestQueue) -> u64 {
        u64::MAX
    }

    /// Cancels the request with this mark at `now`, all events up to `over` having happened, as in [`Server::notify`]. It
    /// is no longer in service; `None` if its service continues because it cannot be stopped.
    fn cancel(&mut self, _mark: u32, _now: u64, _over: u64) -> Option<Active> {
        None
    }

    /// Rank of this instance among those that draw from a common queue, the lowest first; `None` if it is full.
    fn dispatch_rank(&self) -> Option<u64>;

    /// Requests in service.
    fn in_service(&self) -> u64;

    /// The requests in service, in no particular order.
    fn requests(&self) -> impl Iterator<Item = &Active>;

    /// Capacity used up to `now`, when all events up to `now` have happened; nanoseconds × [`FULL`] per place.
    fn work(&self, now: u64) -> u128;

    /// Share of the KV cache in use, 0 to 1; 0 for models without one.
    fn kv_cache(&self, _now: u64) -> f64 {
        0.0
    }

    /// Tokens of the blocks of the KV cache in use; 0 for models without one.
    fn cache_tokens(&self, _now: u64) -> u64 {
        0
    }

    /// Gives up what its prefix cache no longer has room for at `now`, when all events up to `now` have happened; to be called before
    /// [`Server::prefix_found`].
    fn settle_prefix_cache(&mut self, _now: u64) {}

    /// Tokens of a prompt of this content that its prefix cache has.
    fn prefix_found(&self, _content: u32, _prompt: u64) -> u64 {
        0
    }

    /// Tokens of the prompts begun so far that its prefix cache had, and their tokens, where it knows contents.
    fn prefix_hits(&self) -> [u64; 2] {
        [0; 2]
    }

    /// Whether the first token of the answer to the request with this mark has come.
    fn has_first_token(&self, _mark: u32) -> bool {
        false
    }

    /// Tokens of the prompts in service whose first token has not come.
    fn prompt_tokens(&self) -> u64 {
        0
    }

    /// Preemptions so far: sequences that gave up their cache and were computed again.
    fn preemptions(&self) -> u64 {
        0
    }
}
