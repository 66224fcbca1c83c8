//! What a person or a program reads of a result. A function of results; nothing here simulates.
//!
//! - [`results`], [`content`]: a result, and the [`Report`](content::Report): everything there is to say of it, as data
//! - [`compose`]: from results to reports, one file a kind of result
//! - [`sentences`], [`tables`], [`chart`]: its parts, made of results; every sentence is in the first,
//!   and in [`notes`] what is to be said of figures themselves
//! - [`explained`], [`backtested`]: the same of an explanation and of a backtest
//! - [`warnings`]: what a result begins with; of an autoscaler that had nothing to decide, [`still`]
//! - [`statement`], [`table`], [`data`]: what these parts are
//! - [`looks`]: single runs of settings, small enough for a page
//! - [`mod@format`]: numbers for people
//! - [`summary`]: every figure, as `summary.json` holds it, and its schema
//! - [`render`]: the report in each of its forms, one file a form
//! - [`canvas`]: SVG and PNG as targets of plotters, with text drawn from an embedded font
//! - [`Folder`], [`write()`]: the files of a report on disk, all of them or none
pub mod backtested;
pub mod canvas;
pub mod chart;
mod clock;
pub mod compose;
pub mod content;
pub mod data;
#[cfg(feature = "cli")]
mod decision_log;
#[cfg(test)]
mod example;
pub mod explained;
#[cfg(feature = "cli")]
mod folder;
pub mod format;
pub mod looks;
pub mod manifests;
mod names;
pub mod notes;
pub mod pools;
pub mod promises;
pub mod recommendation;
pub mod render;
pub mod results;
pub mod sentences;
pub mod statement;
pub mod still;
pub mod summary;
#[cfg(feature = "cli")]
mod summary_schema;
pub mod table;
pub mod tables;
pub mod warnings;
#[cfg(feature = "cli")]
mod write;

#[cfg(feature = "cli")]
pub use decision_log::DecisionLogs;
#[cfg(feature = "cli")]
pub use folder::{Folder, OutputError, Staged};
pub use names::{file_name, place};
#[cfg(feature = "cli")]
pub use summary_schema::summary_schema;
#[cfg(feature = "cli")]
pub use write::{WriteError, write};
