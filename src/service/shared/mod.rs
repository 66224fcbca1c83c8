//! `model = "shared"`: processor sharing, at a speed that depends on the number of requests that share.

mod curve;
mod server;
mod settings;

pub use server::SharedServer;
pub use settings::Shared;

use crate::schema::{Problem, Reader, TableSpec};
use crate::service::requirement::TokenLaws;
use crate::service::service_model::{Requirement, ServerChoice, ServiceModel};
use crate::service::trace_input::TraceColumnMeans;

impl ServiceModel for Shared {
    const SPEC: TableSpec = Shared::SPEC;

    fn read(reader: &Reader<'_>, columns: TraceColumnMeans) -> Result<(Requirement, Shared), Problem> {
        Ok((Requirement::time(reader, columns)?, Shared::read(reader)?))
    }

    fn most_at_once(&self) -> u32 {
        self.concurrency
    }

    fn throughput(&self, time_s: f64, _: Option<&TokenLaws>) -> f64 {
        self.throughput(time_s)
    }

    fn in_words(&self, alone: &str) -> String {
        format!("shared among requests, {alone} alone")
    }

    fn choose<C: ServerChoice>(&self, choice: C) -> C::Chosen {
        choice.served::<SharedServer>(self)
    }
}
