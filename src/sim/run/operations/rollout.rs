//! Rolling updates in a run: when one begins, and what it does whenever an instance is ready, gone or asked for.

use super::Operations;
use crate::sim::instances::{Moves, Rolling, Versions};
use crate::sim::run::request_side::RequestSide;
use crate::time::Instant;

impl Operations {
    /// Rolling update number `index` begins: what there is is old.
    pub(super) fn begin_rollout(&mut self, requests: &mut dyn RequestSide, index: u32, at: Instant) {
        let Some(rollout) = self.instances.rollouts.get(index as usize) else { return };
        self.rolling = Some(Rolling::new(*rollout, self.registry.next_number()));
        self.go_on_rolling(requests, at);
    }

    /// Starts, cancels and drains what the rolling update under way wants; it ends with the last old instance.
    pub(super) fn go_on_rolling(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        // What starts without delay is ready at once, and lets others go.
        while let Some(rolling) = self.rolling {
            let [[old_coming, old_ready], [new_coming, new_ready]] =
                self.registry.by_version(rolling.first_new);
            let desired = self.control.desired;
            let moves = rolling.moves(Versions { desired, old_coming, old_ready, new_coming, new_ready });
            let Moves { start, cancel_old, drain_old, stop_new } = moves;
            for _ in 0..start {
                let id = self.registry.request(at);
                self.ask(id, 0, at);
            }
            for _ in 0..cancel_old + drain_old {
                self.let_one_go(requests, 0..rolling.first_new, at);
            }
            for _ in 0..stop_new {
                self.let_one_go(requests, rolling.first_new..u32::MAX, at);
            }
            if old_coming + old_ready == cancel_old + drain_old && new_coming + new_ready + start >= desired {
                self.rolling = None;
            }
            if moves == Moves::default() {
                break;
            }
        }
        self.tidy(at);
    }
}
