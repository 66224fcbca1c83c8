//! The GPUs that there are, which bound how a simulated pool grows.

use std::collections::BTreeMap;

use super::tokens::pipeline::{Change, limit, used};

/// The GPUs that a limiter knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inventory {
    pub gpus: u32,
    /// GPUs that an instance takes.
    pub per_replica: u32,
}

impl Inventory {
    /// Instances that `current` may become where `wanted` are asked for, and the GPUs that were free.
    pub fn limit(self, pool: &str, current: u32, wanted: u32) -> (u32, u32) {
        let change = Change {
            accelerator: pool,
            current,
            target: wanted,
            gpus_per_replica: self.per_replica,
            spare: 0.0,
            cost: 1.0,
        };
        let changes = [change];
        let in_use = used(&changes).get(pool).copied().unwrap_or(0);
        let free = self.gpus.saturating_sub(in_use);
        let limited = limit(&changes, &BTreeMap::from([(pool.to_owned(), free)]));
        (limited.targets[0], free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limiter_gives_whole_replicas_of_what_is_free() {
        let inventory = Inventory { gpus: 16, per_replica: 3 };
        assert_eq!(inventory.limit("pool", 2, 9), (5, 10), "10 free GPUs are three replicas of three");
        assert_eq!(inventory.limit("pool", 2, 4), (4, 10));
        assert_eq!(inventory.limit("pool", 7, 9), (7, 0), "more in use than there are");
        assert_eq!(inventory.limit("pool", 4, 2), (2, 4), "what shrinks is left alone");
    }
}
