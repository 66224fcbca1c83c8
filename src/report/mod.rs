//! What a person reads afterwards: charts and the report. A function of results; nothing here simulates.
//!
//! - [`canvas`]: SVG and PNG as targets of plotters, with text drawn from an embedded font
//! - [`chart`]: the charts, each over a small struct of plain data
//! - [`html`]: `report.html`, charts and tables in one file
pub mod canvas;
pub mod chart;
pub mod html;
