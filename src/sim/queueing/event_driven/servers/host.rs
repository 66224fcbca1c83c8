//! One instance of a pool under a service model that is taken event by event.

use super::request_table::{Intake, RequestTable};
use crate::service::{Request, Server};
use crate::sim::queueing::dispatch::Idle;
use crate::sim::queueing::event_driven::gateway::{EngineView, Looks};
use crate::sim::queueing::event_driven::queue::Queue;
use crate::sim::queueing::station::Load;
use crate::sim::queueing::tournament::InstantKey;

/// See the module.
#[derive(Debug, Clone)]
pub struct Host<S> {
    pub id: u32,
    pub speed: f64,
    pub server: S,
    /// What waits for it, where each has a queue of its own.
    pub queue: Queue,
    /// Times it has begun to work after having been idle.
    pub spells: u64,
    /// Once it drains, the capacity it used up to then.
    pub drained: Option<u128>,
    /// Request-nanoseconds in service up to the last change of their number, and when that was.
    served: u128,
    changed: u64,
}

impl<S: Server> Host<S> {
    pub fn new(id: u32, speed: f64, server: S, now: u64) -> Self {
        Host { id, speed, server, queue: Queue::default(), spells: 0, drained: None, served: 0, changed: now }
    }

    /// Request-nanoseconds in service up to `now`.
    pub fn served(&self, now: u64) -> u128 {
        self.served + u128::from(now - self.changed) * u128::from(self.server.in_service())
    }

    /// Lets time pass, before the number in service changes.
    pub fn pass(&mut self, now: u64) {
        self.served = self.served(now);
        self.changed = now;
    }

    /// Capacity used up to `now` while it took requests.
    pub fn work(&self, now: u64) -> u128 {
        self.drained.unwrap_or_else(|| self.server.work(now))
    }

    /// Whether it may respond to a notification of what waits.
    pub fn may_respond(&self) -> bool {
        self.drained.is_none() && self.server.may_respond()
    }

    /// Whether it has nothing to do.
    pub fn is_empty(&self) -> bool {
        self.server.in_service() == 0 && self.queue.len() == 0
    }

    pub fn outstanding(&self) -> u64 {
        self.server.in_service() + self.queue.len()
    }

    /// Begins what it can of `queue`; how many begin.
    pub fn admit(&mut self, queue: &mut Queue, table: &mut RequestTable, now: u64) -> u64 {
        let (before, idle) = (queue.len(), self.server.in_service() == 0);
        self.pass(now);
        self.server.admit(&mut Intake { queue, table, instance: self.id }, now);
        let begun = before - queue.len();
        self.spells += u64::from(begun > 0 && idle);
        begun
    }

    /// Begins what it can of what waits for it, all that was to happen to it up to `over` having happened.
    pub fn admit_own(&mut self, table: &mut RequestTable, over: u64, now: u64) -> u64 {
        let mut queue = std::mem::take(&mut self.queue);
        self.server.notify(&queue, over);
        let begun = self.admit(&mut queue, table, now);
        self.queue = queue;
        begun
    }

    /// When something happens to it, as far as `own` queue goes; a change at the same instant as the end of a delay
    /// comes first, on whatever instance.
    pub fn due_key(&self, own: bool, index: usize) -> InstantKey {
        let change = self.server.next_change();
        let held = if own { self.server.holds_until(&self.queue) } else { u64::MAX };
        if change <= held { InstantKey::new(change, 0, index) } else { InstantKey::new(held, 1, index) }
    }

    /// Its place in line for what waits in a common queue. One that takes turns is in line while it has no work; while it
    /// has, it comes by itself.
    pub fn open_key(&self, idle_first: Idle, weighted: bool, index: usize) -> InstantKey {
        let busy = S::TAKES_TURNS && self.server.next_change() < u64::MAX;
        let Some(dispatch_rank) = self.server.dispatch_rank().filter(|_| self.drained.is_none() && !busy)
        else {
            return InstantKey::NEVER;
        };
        // The bits of numbers above zero are in their order.
        match idle_first {
            Idle::Longest if weighted => {
                InstantKey::new(((dispatch_rank + 1) as f64 / self.speed).to_bits(), 0, index)
            }
            Idle::Longest => InstantKey::new(dispatch_rank, 0, index),
            Idle::Newest => InstantKey::new(u64::from(!self.id), 0, index),
            Idle::Fastest => InstantKey::new(u64::MAX - 1 - self.speed.to_bits(), dispatch_rank, index),
        }
    }

    /// What a gateway sees of it at `now`, for a request.
    pub fn view(&self, request: &Request, looks: Looks, now: u64) -> EngineView {
        let waiting = || self.queue.iter().map(|job| u64::from(job.request.tokens.prompt)).sum::<u64>();
        let begun =
            || self.server.requests().map(|active| u64::from(active.request.tokens.prompt)).sum::<u64>();
        let counted = |count: &dyn Fn() -> u64| if looks.tokens { count() } else { 0 };
        let prompt = u64::from(request.tokens.prompt);
        EngineView {
            id: self.id,
            waiting: self.queue.len(),
            running: self.server.in_service(),
            kv_cache: self.server.kv_cache(now),
            tokens: counted(&|| waiting() + begun()),
            prefill: counted(&|| waiting() + self.server.prompt_tokens()),
            held: counted(&|| self.server.cache_tokens(now)),
            found: if looks.prefix_cache { self.server.prefix_found(request.content, prompt) } else { 0 },
        }
    }

    pub fn load(&self, now: u64) -> Load {
        Load {
            instance: self.id,
            served: self.served(now),
            work: self.work(now),
            in_service: self.server.in_service(),
            waiting: self.queue.len(),
            kv_cache: self.server.kv_cache(now),
        }
    }
}
