//! The fast tests: what a user types and sees, scenarios, manifests and traces, the policies against published cases, what
//! holds of every run, and the engine against the reference engine.
//!
//! `cargo test --test suite` runs them all, `cargo test --test suite -- properties` those of one file. All integration
//! tests are in three programs, since each program links the whole crate: this one, `statistics` (slow) and `measured`
//! (runs over public data, which need it).

#[path = "../fixtures"]
mod fixtures {
    pub mod cli;
    pub mod queue;
    pub mod requests;
    pub mod scenario;
    pub mod simulation;
    pub mod traces;
}

mod architecture;
mod autoscalers;
mod backtest;
mod bad_input;
mod bounds;
mod browser;
mod cli;
mod closed_loops;
mod comparisons;
mod conformance;
mod documentation;
mod editor;
mod explain;
mod facade;
#[cfg(feature = "fetch")]
mod fetch;
mod gallery;
mod generated;
mod hardware;
mod hostile;
mod kind_pages;
mod lints;
mod manifest_forms;
mod manifests;
mod misbehaviour;
mod mutations;
mod openmetrics;
mod oracle;
mod oracle_engine;
#[cfg(feature = "parquet")]
mod parquet;
mod pipeline;
mod promises;
mod properties;
mod quantiles;
mod recommend;
mod replay;
mod resume;
mod scenarios;
mod service_fit;
mod sessions;
mod shards;
mod still;
mod summary_schema;
mod terminal;
mod traces;
mod two_pools;
mod your_data;
