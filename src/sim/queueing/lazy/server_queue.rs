//! One instance with a queue of its own, under a service model that is taken event by event.

use std::sync::Arc;

use super::instance_queue::InstanceQueue;
use crate::service::{Active, Queue, Request, Server};
use crate::sim::accounting::{Areas, Class, Completion, RequestObserver, TokenCompletion};
use crate::sim::queueing::station::Load;

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct ServerQueue<S> {
    instance: u32,
    server: S,
    queue: Queue,
    /// Request-nanoseconds of service had by those that are answered.
    served: u128,
}

/// Reports a request whose service ended at `finish`, the first token of its answer having come at `first_token` if
/// `S` counts tokens.
#[inline]
pub(in crate::sim) fn report<S: Server>(
    active: Active,
    first_token: u64,
    finish: u64,
    instance: u32,
    observer: &mut impl RequestObserver,
) {
    let Active { request, start } = active;
    let Request { arrival, tokens, .. } = request;
    if S::COUNTS_TOKENS {
        observer.generated(TokenCompletion { arrival, first_token, finish, tokens });
    }
    observer.served(Completion { arrival, start, finish, instance, class: Class::Low, first: false });
}

impl<S: Server> InstanceQueue for ServerQueue<S> {
    const COUNTS_TOKENS: bool = S::COUNTS_TOKENS;
    type Settings = Arc<S::Settings>;

    fn new(instance: u32, _now: u64, settings: &Self::Settings) -> Self {
        ServerQueue { instance, server: S::new(settings, 1.0), queue: Queue::default(), served: 0 }
    }

    fn instance(&self) -> u32 {
        self.instance
    }

    #[inline]
    fn outstanding(&self) -> u64 {
        self.waiting() + self.in_service()
    }

    #[inline]
    fn waiting(&self) -> u64 {
        self.queue.len()
    }

    #[inline]
    fn in_service(&self) -> u64 {
        self.server.in_service()
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.server.next_change().min(self.server.holds_until(&self.queue))
    }

    #[inline]
    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        loop {
            let (change, held) = (self.server.next_change(), self.server.holds_until(&self.queue));
            let at = change.min(held);
            if at > now {
                return;
            }
            // What ends at the very instant at which waiting ends comes first.
            if change <= held {
                let (instance, total) = (self.instance, &mut self.served);
                self.server.step(&mut |active, first_token| {
                    *total += u128::from(change - active.start);
                    report::<S>(active, first_token, change, instance, observer);
                });
            }
            self.server.admit(&mut self.queue, at);
        }
    }

    #[inline]
    fn offer(
        &mut self,
        request: Request,
        now: u64,
        _gate: u64,
        capacity: u64,
        observer: &mut impl RequestObserver,
    ) -> bool {
        if request.arrival == now && self.queue.is_empty() && self.server.begin(request, now) {
            return false;
        }
        self.queue.push(request);
        self.server.admit(&mut self.queue, now);
        if self.queue.len() > capacity {
            self.queue.withdraw();
            observer.rejected(request.arrival);
            return false;
        }
        !self.queue.is_empty()
    }

    fn waiting_at(&mut self, now: u64, observer: &mut impl RequestObserver) -> u64 {
        self.advance(now, observer);
        self.queue.len()
    }

    fn next_start(&self) -> u64 {
        if self.queue.is_empty() { u64::MAX } else { self.next_change() }
    }

    fn measure(&self, now: u64, total: &mut Areas) {
        let serving: u128 = self.server.requests().map(|active| u128::from(now - active.start)).sum();
        total.waiting += self.queue.area(now);
        total.in_service += self.served + serving;
        total.busy += self.served + serving;
        total.work += self.server.work(now);
    }

    fn load(&self, now: u64) -> Load {
        let serving: u128 = self.server.requests().map(|active| u128::from(now - active.start)).sum();
        Load {
            instance: self.instance,
            served: self.served + serving,
            work: self.server.work(now),
            in_service: self.server.in_service(),
            waiting: self.queue.len(),
            kv_cache: self.server.kv_cache(now),
        }
    }

    fn preemptions(&self) -> u64 {
        self.server.preemptions()
    }

    fn queued(&self) -> impl Iterator<Item = u64> {
        self.queue.iter().map(|request| request.arrival)
    }

    fn arrivals(&self) -> impl Iterator<Item = u64> {
        let serving = self.server.requests().map(|active| active.request.arrival);
        self.queue.iter().map(|request| request.arrival).chain(serving)
    }

    fn lose(self, lost: &mut Vec<Request>) {
        lost.extend(self.server.requests().map(|active| active.request));
        lost.extend(self.queue.iter());
    }
}
