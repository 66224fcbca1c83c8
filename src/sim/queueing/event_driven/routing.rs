//! Where a request goes, where each instance has a queue of its own.

use super::connections::Connections;
use crate::random::Rng;
use crate::sim::queueing::dispatch::DispatchPolicy;
use crate::sim::queueing::dispatcher::{Candidates, Choose as _, Dispatcher};
use crate::sim::queueing::levels::Levels;

/// The ready instances, and the dispatcher that chooses one.
#[derive(Debug, Clone)]
pub struct Routing {
    dispatcher: Dispatcher,
    /// In the order they became ready.
    ready: Vec<u32>,
    /// Where clients keep connections.
    connections: Option<Connections>,
    /// Where the least loaded of all is chosen and all are of one speed.
    loads: Option<Loads>,
}

/// The requests of the ready instances, as of the last choice.
#[derive(Debug, Clone, Default)]
struct Loads {
    levels: Levels,
    /// Number and place of each ready instance, by number.
    places: Vec<(u32, usize)>,
    /// Instances whose requests have changed since; at most as many as there are, then all are counted anew.
    changed: Vec<u32>,
    is_stale: bool,
}

impl Loads {
    fn note(&mut self, instance: u32) {
        if self.changed.len() < self.places.len() {
            self.changed.push(instance);
        } else {
            self.is_stale = true;
        }
    }

    /// Index in `ready` of the instance with the fewest outstanding requests; ties go to the lowest index.
    fn least(&mut self, ready: &[u32], load: &impl Fn(u32) -> u64) -> usize {
        if self.is_stale {
            self.is_stale = false;
            self.places.clear();
            self.places.extend(ready.iter().enumerate().map(|(place, instance)| (*instance, place)));
            self.places.sort_unstable();
            self.levels.rebuild(ready.iter().map(|instance| load(*instance)));
        } else {
            for instance in &self.changed {
                if let Ok(at) = self.places.binary_search_by_key(instance, |(other, _)| *other) {
                    self.levels.set(self.places[at].1, load(*instance));
                }
            }
        }
        self.changed.clear();
        debug_assert!((0..ready.len()).all(|place| self.levels.load(place) == load(ready[place])));
        self.levels.least().unwrap_or(0)
    }
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
            loads: (policy == DispatchPolicy::LeastOutstanding && !weighted)
                .then(|| Loads { is_stale: true, ..Loads::default() }),
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
        self.forget_loads();
    }

    /// The ready instances are others now.
    fn forget_loads(&mut self) {
        if let Some(loads) = &mut self.loads {
            loads.is_stale = true;
        }
    }

    /// An instance may have more or fewer requests now.
    #[inline]
    pub fn changed(&mut self, instance: u32) {
        if let Some(loads) = &mut self.loads {
            loads.note(instance);
        }
    }

    pub fn remove(&mut self, instance: u32) {
        if let Some(index) = self.ready.iter().position(|other| *other == instance) {
            self.ready.remove(index);
            self.dispatcher.remove(index);
            self.forget_loads();
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
        let Routing { dispatcher, ready, connections, loads } = self;
        if let Some(loads) = loads {
            return ready[loads.least(ready, &load)];
        }
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
