//! What a person or a script reads afterwards: charts, tables and the report. A function of results; nothing here
//! simulates.
//!
//! - [`canvas`]: SVG and PNG as targets of plotters, with text drawn from an embedded font
//! - [`chart`]: the charts, each over a small struct of plain data; [`from_results`] fills them
//! - [`html`]: `report.html`, charts and tables in one file
//! - [`mod@format`], [`words`], [`tables`]: figures, sentences and tables for people, on the terminal and in the report
//! - [`summary`], [`csv_files`]: the files for scripts
//! - [`Folder`]: where all of it is written, whole or not at all
pub mod canvas;
pub mod chart;
pub mod csv_files;
mod folder;
pub mod format;
pub mod from_results;
pub mod html;
pub mod summary;
pub mod tables;
pub mod words;

pub use folder::{Folder, OutputError, Staged, file_name};
