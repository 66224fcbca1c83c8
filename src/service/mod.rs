//! Service models: how one instance serves the requests it has. One file or folder each.
//!
//! A model has settings, read from `[service]`, and a [`Server`] that serves by them; it knows nothing of the pool it
//! stands in. `slots` has no server of its own: the engine has a faster one for it. Which model a scenario uses is
//! decided once per run, and the engine's loop is compiled for each.
//!
//! Adding a model: write its folder, declare it here, and add its line to the registry.

mod batch;
mod contents;
mod llm;
mod model;
mod queue;
mod registry;
mod request;
mod requirement;
mod server;
mod service_model;
mod shared;
mod slots;
mod small_heap;
mod trace_input;

pub use batch::{Batch, BatchServer};
pub use contents::{BlockSet, ContentBlock, ContentRows, Contents, UNKNOWN};
#[cfg(feature = "internals")]
pub use llm::law_with;
pub use llm::{
    DecodeServer, EngineRole, FITTED, Fitted, IterationLaw, IterationWork, Llm, LlmServer, PRESETS, Preset,
    SteadyIterations, Uncertainty,
};
pub use model::Service;
pub use queue::{Queue, RequestQueue};
pub use registry::Model;
pub use request::{Active, MeanTokens, Request, Tokens};
pub use requirement::TokenLaws;
pub use server::{FULL, Server};
pub(crate) use service_model::ServerChoice;
pub use shared::{Shared, SharedServer};
pub use slots::Slots;
pub use trace_input::{FromTrace, TraceColumnMeans};
