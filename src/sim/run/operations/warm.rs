//! Instances kept warm beside those that serve.

use super::Operations;
use crate::time::Instant;

impl Operations {
    /// Fills the warm pool at the start of the run, as far as quotas go.
    pub(super) fn seed_warm(&mut self) {
        let target = self.provisioner.warm_target(self.control.desired);
        while self.registry.counts().warm < target
            && let Some(kind) = self.provisioner.initial(&self.registry)
        {
            self.registry.rest(kind, Instant::ZERO);
        }
        self.refill(Instant::ZERO);
    }

    /// What is to be done after the pool has changed: nodes that are empty are noted, and the warm pool is brought to size.
    pub(super) fn tidy(&mut self, at: Instant) {
        self.note_empty_nodes(at);
        self.refill(at);
    }

    /// Brings the warm pool to its size: starts what is missing, gives up what is too much.
    fn refill(&mut self, at: Instant) {
        if self.instances.warm_pool.is_none() {
            return;
        }
        let (target, prepared) =
            (self.provisioner.warm_target(self.control.desired), self.registry.counts().prepared());
        for _ in prepared..target {
            let id = self.registry.request_warm(at);
            self.ask(id, 0, at);
        }
        for _ in target..prepared {
            if !self.registry.discard_warm(at) {
                return;
            }
        }
    }

    /// A draining instance is done: it ends, or returns to the warm pool; `false` if it is gone already.
    pub(super) fn leave(&mut self, id: u32, at: Instant) -> bool {
        let left = self.registry.leave(id, at);
        self.tidy(at);
        left
    }
}
