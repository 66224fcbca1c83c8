//! What a pool has beside the instances that serve: those kept warm, and the nodes all are on.

use super::{Instance, InstanceRegistry, State};
use crate::sim::instances::nodes::{Cluster, Place};
use crate::time::Instant;

impl InstanceRegistry {
    /// Asks for an instance to be kept warm and returns its number.
    pub fn request_warm(&mut self, now: Instant) -> u32 {
        self.count(now);
        self.counts.warm_pending += 1;
        self.enter(State::WarmPending, now)
    }

    /// Has a pending instance take the place of a warm one of type `kind`, and start from there.
    pub fn start_warm(&mut self, id: u32, kind: usize, now: Instant) {
        self.start(id, kind, now);
        self.started -= 1;
        self.warm_starts += 1;
        self.counts.warm -= 1;
        self.shares[kind].warm -= 1;
    }

    /// An instance of type `kind` is warm from here on.
    pub fn rest(&mut self, kind: usize, now: Instant) {
        self.count(now);
        self.counts.warm += 1;
        self.shares[kind].warm += 1;
    }

    /// Marks an instance that was to become warm so.
    pub fn warmed(&mut self, id: u32, kind: usize, now: Instant) {
        if self.remove(id, now) {
            self.rest(kind, now);
        }
    }

    /// Takes out one that is warm or on its way there: the newest on its way, else one of the last type listed; `false`
    /// if there is none but those that drain yet.
    pub fn discard_warm(&mut self, now: Instant) -> bool {
        let coming = |state: State| self.instances.iter().rfind(move |instance| instance.state == state);
        if let Some(instance) = coming(State::WarmPending).or_else(|| coming(State::Warming)) {
            return self.remove(instance.id, now);
        }
        self.count(now);
        let Some(share) = self.shares.iter_mut().rfind(|share| share.warm > 0) else { return false };
        share.warm -= 1;
        self.counts.warm -= 1;
        true
    }

    /// Instances of type `kind` that are warm.
    pub fn warm(&self, kind: usize) -> u32 {
        self.shares[kind].warm
    }

    /// A draining instance will not go to the warm pool after all.
    pub fn keep_from_returning(&mut self, id: u32) {
        if let Some(index) = self.index(id) {
            self.counts.returning -= u32::from(self.instances[index].returns);
            self.instances[index].returns = false;
        }
    }

    /// A draining instance is done: it goes to the warm pool, or ends; `false` if it was out already.
    pub fn leave(&mut self, id: u32, now: Instant) -> bool {
        let Some(index) = self.index(id) else { return false };
        let Instance { kind, returns, .. } = self.instances[index];
        self.remove(id, now);
        if returns {
            self.rest(kind, now);
        }
        true
    }

    /// Whether an instance of type `kind` has room on a node.
    pub fn has_room(&self, kind: usize) -> bool {
        self.nodes.as_ref().is_some_and(|nodes| nodes.has_room(kind))
    }

    /// Puts an instance that has just been granted on a node; `None` without nodes.
    pub fn place(&mut self, id: u32, kind: usize, now: Instant) -> Option<Place> {
        self.count(now);
        let place = self.nodes.as_mut()?.place(id, kind);
        self.shares[kind].nodes += u32::from(matches!(place, Place::New(_)));
        Some(place)
    }

    /// The nodes, if there are such.
    pub fn nodes(&mut self) -> Option<&mut Cluster> {
        self.nodes.as_mut()
    }

    /// Takes a node out: its instances, by number, which are still to be removed; `None` if it was out already.
    pub fn remove_node(&mut self, number: u32, now: Instant) -> Option<Vec<u32>> {
        self.count(now);
        let (kind, instances) = self.nodes.as_mut()?.remove(number)?;
        self.shares[kind].nodes -= 1;
        Some(instances)
    }
}
