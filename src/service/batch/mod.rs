//! `model = "batch"`: dynamic batching, as inference servers do it.

mod server;
mod settings;

pub use server::BatchServer;
pub use settings::Batch;
