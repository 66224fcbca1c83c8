//! Connections that clients keep alive, each tied to an instance.

use crate::time::Span;

/// The idle ones, the one used last at the end.
#[derive(Debug, Clone)]
pub struct Connections {
    expiry: u64,
    idle: Vec<Idle>,
}

#[derive(Debug, Clone, Copy)]
struct Idle {
    instance: u32,
    /// Its last answer, nanoseconds.
    since: u64,
}

impl Connections {
    /// None yet; each is kept for so long after an answer.
    pub fn new(expiry: Span) -> Self {
        Connections { expiry: expiry.as_nanos(), idle: Vec::new() }
    }

    /// The instance of the idle connection used last, which is in use from now on; `None` if there is none.
    pub fn take(&mut self, now: u64) -> Option<u32> {
        let expired = self.idle.partition_point(|idle| idle.since.saturating_add(self.expiry) < now);
        self.idle.drain(..expired);
        self.idle.pop().map(|idle| idle.instance)
    }

    /// A connection of an instance has had its answer.
    pub fn answered(&mut self, instance: u32, now: u64) {
        self.idle.push(Idle { instance, since: now });
    }

    /// An instance takes no more requests.
    pub fn close(&mut self, instance: u32) {
        self.idle.retain(|idle| idle.instance != instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_last_is_taken_and_none_outlives_its_expiry_or_its_instance() {
        let mut connections = Connections::new(Span::from_nanos(5));
        assert_eq!(connections.take(0), None);
        for (instance, at) in [(1, 0), (2, 1), (3, 2), (1, 3)] {
            connections.answered(instance, at);
        }
        assert_eq!(connections.take(4), Some(1));
        connections.close(3);
        assert_eq!(connections.take(6), Some(2));
        connections.answered(2, 7);
        assert_eq!(connections.take(12), Some(2), "kept to the very end");
        connections.answered(2, 20);
        assert_eq!(connections.take(26), None);
    }
}
