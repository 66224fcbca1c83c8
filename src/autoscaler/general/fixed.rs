//! A pool of fixed size: what every autoscaler is compared with.

use crate::autoscaler::{Explanation, Limits, Observation, Policy, PolicyContext, Schedule, Settings};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::Instant;

/// A pool that keeps the same number of instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::autoscaler) struct Fixed {
    /// The number of instances.
    pub instances: u32,
}

const INSTANCES: Key<u32> = Key::required("instances", "The number of instances.");

/// `kind = "fixed"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "fixed",
    doc: "A pool of fixed size: nothing scales. It starts with this many instances; `instances.initial` may be left out.",
    keys: &[&INSTANCES],
};

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<Fixed, Problem> {
    Ok(Fixed { instances: reader.get(&INSTANCES)? })
}

impl Settings for Fixed {
    fn limits(&self) -> Limits {
        Limits { min: self.instances, max: self.instances }
    }
    fn limiting_key(&self) -> &'static str {
        INSTANCES.name()
    }
    fn schedule(&self) -> Option<Schedule> {
        None
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

impl Policy for Fixed {
    fn decide(&mut self, _: Instant, _: &Observation<'_>) -> u32 {
        self.instances
    }
    fn explain(&self) -> Explanation {
        Explanation::plain("the pool has a fixed size")
    }
}
