//!
//! - [`canvas`]: SVG and PNG as targets of plotters, with text drawn from an embedded font
pub mod canvas;
