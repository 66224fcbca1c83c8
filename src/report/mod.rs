//! What a person or a script reads afterwards: charts, tables and the report. A function of results; nothing here
//! simulates.
//!
//! - [`canvas`]: SVG and PNG as targets of plotters, with text drawn from an embedded font
//! - [`chart`]: the charts, each over a small struct of plain data; [`chart_data`] fills them
//! - [`html`]: `report.html`, charts and tables in one file
//! - [`mod@format`], [`sentences`], [`tables`]: figures, sentences and tables for people, on the terminal and in the report
//! - [`summary`], [`csv_files`]: the files for scripts
//! - [`Folder`]: where all of it is written, whole or not at all
pub mod canvas;
pub mod chart;
pub mod chart_data;
pub mod data;
#[cfg(feature = "cli")]
mod folder;
pub mod format;
pub mod html;
pub mod render;
pub mod sentences;
pub mod summary;
pub mod tables;

#[cfg(feature = "cli")]
pub use folder::{Folder, OutputError, Staged, file_name};
