//! Where a request goes, where each instance has a queue of its own.

use crate::random::Rng;
use crate::sim::queueing::dispatch::DispatchPolicy;
use crate::sim::queueing::dispatcher::{Candidates, Choose as _, Dispatcher};

/// The ready instances, and the dispatcher that chooses one.
#[derive(Debug, Clone)]
pub struct Routing {
    dispatcher: Dispatcher,
    /// In the order they became ready.
    ready: Vec<u32>,
}

impl Routing {
    pub fn new(policy: DispatchPolicy, weighted: bool, rng: Rng) -> Self {
        Routing { dispatcher: Dispatcher::event_driven(policy, weighted, rng), ready: Vec::new() }
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
    }

    /// The instance the next request goes to, of which there is one; `load` tells the requests an instance has.
    pub fn choose(&mut self, load: impl Fn(u32) -> u64) -> u32 {
        let Routing { dispatcher, ready } = self;
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
