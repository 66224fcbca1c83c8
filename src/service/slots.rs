//! `model = "slots"`: a fixed number of requests at a time, each at full speed.

use super::requirement::TIME;
use crate::schema::{Key, Problem, Reader, TableSpec};

/// An instance that serves up to `concurrency` requests at a time, each as fast as if it were alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// Maximum concurrency: requests in service on one instance.
    pub concurrency: u32,
}

const CONCURRENCY: Key<u32> =
    Key::or("concurrency", "1", "Maximum concurrency: requests in service on one instance.")
        .at_least(1.0)
        .at_most(100_000.0);

impl Slots {
    /// `model = "slots"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "slots",
        doc: "Up to `concurrency` requests at a time, each as fast as if it were alone; the rest wait, first come first served.",
        keys: &[&TIME, &CONCURRENCY],
    };

    pub(super) fn read(reader: &Reader<'_>) -> Result<Slots, Problem> {
        Ok(Slots { concurrency: reader.get(&CONCURRENCY)? })
    }
}
