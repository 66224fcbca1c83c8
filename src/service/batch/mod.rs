//! `model = "batch"`: dynamic batching, as inference servers do it.

mod server;
mod settings;

pub use server::BatchServer;
pub use settings::Batch;

use crate::schema::{Problem, Reader, TableSpec};
use crate::service::requirement::{EXTRA_TIME, TokenLaws};
use crate::service::service_model::{Requirement, ServerChoice, ServiceModel};
use crate::service::trace_input::{FromTrace, TraceColumnMeans};

impl ServiceModel for Batch {
    const SPEC: TableSpec = Batch::SPEC;

    fn read(reader: &Reader<'_>, _: TraceColumnMeans) -> Result<(Requirement, Batch), Problem> {
        Ok((
            Requirement { time: reader.get(&EXTRA_TIME)?, tokens: None, from_trace: FromTrace::default() },
            Batch::read(reader)?,
        ))
    }

    fn places(&self) -> u32 {
        self.copies
    }

    fn most_at_once(&self) -> u32 {
        self.copies.saturating_mul(self.max_batch())
    }

    fn throughput(&self, time_s: f64, _: Option<&TokenLaws>) -> f64 {
        self.throughput(time_s)
    }

    fn in_words(&self, _: &str) -> String {
        format!("batches of up to {}", self.max_batch())
    }

    fn choose<C: ServerChoice>(&self, choice: C) -> C::Chosen {
        choice.served::<BatchServer>(self)
    }
}
