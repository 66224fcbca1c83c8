//! Where a request goes, where each instance has a queue of its own.

use super::connections::Connections;
use crate::random::Rng;
use crate::sim::queueing::dispatch::DispatchPolicy;
use crate::sim::queueing::dispatcher::{Candidates, Choose as _, Dispatcher};

/// The ready instances, and the dispatcher that chooses one.
#[derive(Debug, Clone)]
pub struct Routing {
    dispatcher: Dispatcher,
    /// In the order they became ready.
    ready: Vec<u32>,
    /// Where clients keep connections.
    connections: Option<Connections>,
}

impl Routing {
    pub fn new(policy: DispatchPolicy, weighted: bool, rng: Rng) -> Self {
        let connections = match policy {
            DispatchPolicy::Connections(expiry) => Some(Connections::new(expiry)),
            _ => None,
        };
        Routing {
            dispatcher: Dispatcher::event_driven(policy, weighted, rng),
            ready: Vec::new(),
            connections,
        }
    }

    /// The ready instances, in the order they became ready.
    pub fn ready(&self) -> &[u32] {
        &self.ready
    }

    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    pub fn add(&mut self, instance: u32, speed: f64) {
        self.ready.push(instance);
        self.dispatcher.add(speed);
    }

    pub fn remove(&mut self, instance: u32) {
        if let Some(index) = self.ready.iter().position(|other| *other == instance) {
            self.ready.remove(index);
            self.dispatcher.remove(index);
        }
        if let Some(connections) = &mut self.connections {
            connections.close(instance);
        }
    }

    /// Requests of an instance have been answered, of which it still takes more if it is ready.
    #[inline]
    pub fn answered(&mut self, instance: u32, now: u64) {
        if let Some(connections) = &mut self.connections
            && self.ready.contains(&instance)
        {
            connections.answered(instance, now);
        }
    }

    /// The instance the next request goes to, of which there is one; `load` tells the requests an instance has.
    pub fn choose(&mut self, now: u64, load: impl Fn(u32) -> u64) -> u32 {
        let Routing { dispatcher, ready, connections } = self;
        if let Some(instance) = connections.as_mut().and_then(|connections| connections.take(now)) {
            return instance;
        }
        ready[dispatcher.choose(&mut UpToDate { ready, load })]
    }
}

/// Instances at which everything has happened.
struct UpToDate<'a, L> {
    ready: &'a [u32],
    load: L,
}

impl<L: Fn(u32) -> u64> Candidates for UpToDate<'_, L> {
    fn count(&self) -> usize {
        self.ready.len()
    }
    fn update(&mut self, _: usize) {}
    fn outstanding(&self, index: usize) -> u64 {
        (self.load)(self.ready[index])
    }
    fn next_change(&self, _: usize) -> u64 {
        u64::MAX
    }
    fn now(&self) -> u64 {
        0
    }
}
