//! `model = "slots"`: a fixed number of requests at a time, each at full speed.

use super::requirement::{TIME, TokenLaws};
use super::service_model::{Requirement, ServerChoice, ServiceModel};
use super::trace_input::TraceColumnMeans;
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

impl ServiceModel for Slots {
    const SPEC: TableSpec = TableSpec {
        name: "slots",
        doc: "Up to `concurrency` requests at a time, each as fast as if it were alone; the rest wait, first come first served.",
        keys: &[&TIME, &CONCURRENCY],
    };

    fn read(reader: &Reader<'_>, columns: TraceColumnMeans) -> Result<(Requirement, Slots), Problem> {
        let required = Requirement::time(reader, columns)?;
        Ok((required, Slots { concurrency: reader.get(&CONCURRENCY)? }))
    }

    fn places(&self) -> u32 {
        self.concurrency
    }

    fn slots_allocated(&self) -> u32 {
        self.concurrency
    }

    fn throughput(&self, time_s: f64, _: Option<&TokenLaws>) -> f64 {
        f64::from(self.concurrency) / time_s
    }

    fn in_words(&self, alone: &str) -> String {
        format!("{} at a time, {alone} each", self.concurrency)
    }

    fn choose<C: ServerChoice>(&self, choice: C) -> C::Chosen {
        choice.slots(self.concurrency)
    }
}
