//! A pool of fixed size: what every autoscaler is compared with.

use crate::schema::{Key, Problem, Reader, TableSpec};

/// A pool that keeps the same number of instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The number of instances.
    pub instances: u32,
}

const INSTANCES: Key<u32> = Key::required("instances", "The number of instances.");

impl Fixed {
    /// `kind = "fixed"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "fixed",
        doc: "A pool of fixed size: nothing scales. It starts with this many instances; `instances.initial` may be left out.",
        keys: &[&INSTANCES],
    };

    pub(super) fn read(reader: &Reader<'_>) -> Result<Fixed, Problem> {
        Ok(Fixed { instances: reader.get(&INSTANCES)? })
    }
}
