//! The scenario file a user writes, and what it means.
//!
//! [`ScenarioFile`] is the parsed text with the place of every value; [`Scenario`] is one validated setting of it, ready
//! to run. Each part of the model states its own keys beside the struct they fill; this folder assembles them, checks
//! what spans several tables, and expands sweeps and variants.
//!
//! ```
//! use kneepoint::internals::scenario::ScenarioFile;
//!
//! let text = r#"
//! [arrivals]
//! kind = "poisson"
//! rate = 20
//! [service]
//! time = "200ms"
//! [autoscaler]
//! kind = "fixed"
//! instances = 6
//! [run]
//! duration = "10m"
//! "#;
//! let file = ScenarioFile::parse("example.toml", text, ".").unwrap();
//! assert_eq!(file.scenario().unwrap().run.replications, 20);
//! ```

mod assemble;
mod autoscaler_reading;
mod checks;
mod circumstance;
mod closed_loop;
mod contents;
mod decode;
mod decode_tables;
mod design;
mod error;
mod file;
mod fits;
mod identity;
mod json_schema;
mod lint_names;
mod load;
mod manifest;
mod paths;
mod plan;
mod precision;
mod read_fact;
mod reading;
#[cfg(feature = "internals")]
mod reference;
mod run;
mod setting;
mod space;
mod sweep;
#[cfg(test)]
mod tests;
mod variant;

pub use assemble::Scenario;
#[cfg(test)]
pub(crate) use assemble::keys;
pub use decode_tables::keys_in_decode;
pub use error::ScenarioError;
pub use file::{Change, Point, ScenarioFile};
pub use identity::Identity;
pub(crate) use identity::defaults;
pub use json_schema::{SCHEMA_URL, json_schema};
pub use lint_names::LINT_NAMES;
pub use manifest::WrittenManifest;
pub use plan::Plan;
pub use precision::Precision;
pub use read_fact::ReadFact;
#[cfg(feature = "internals")]
pub use reference::{KindReference, ReferencePage, kind_references, reference_pages};
pub use run::{Run, Warmup};
pub use setting::Setting;
pub use space::{Axis, Space};

/// A commented scenario to start from, for `kneepoint init`.
pub const STARTER: &str = include_str!("starter.toml");
