//! The forms of a report and of its parts, one file a form.
//!
//! | form | of | file |
//! |---|---|---|
//! | [`html`] | the report | `report.html` |
//! | [`terminal`] | the report | standard output |
//! | [`markdown`] | the report | a comment on a pull request |
//! | [`json`] | the report, or its figures | `summary.json`, `--json` |
//! | [`svg`], [`png`] | a chart | `.svg`, `.png` |
//! | [`csv`] | a dataset | `.csv` |
pub mod csv;
pub mod html;
pub mod json;
pub mod markdown;
pub mod png;
pub mod svg;
#[cfg(feature = "cli")]
pub mod terminal;

use std::io::{self, Write};

use super::chart::{AnyChart, ChartError, Size};
use super::content::Report;
use super::data::Dataset;

/// A form of the whole report as text.
#[derive(Debug)]
pub struct TextFormat {
    /// Name on the command line.
    pub name: &'static str,
    /// Makes the text.
    pub text: fn(&Report<'_>) -> String,
}

/// The forms in which a command can print its report, besides the terminal's.
pub static TEXT_FORMATS: &[TextFormat] = &[json::FORMAT, markdown::FORMAT];

/// A form of a chart as a file, besides the SVG that the page is made with.
#[derive(Debug)]
pub struct PictureFormat {
    /// Extension of its files.
    pub extension: &'static str,
    /// Makes the bytes of a file.
    pub draw: fn(&AnyChart, Size) -> Result<Vec<u8>, ChartError>,
}

/// The forms in which every chart is written.
pub static PICTURE_FORMATS: &[PictureFormat] = &[png::FORMAT];

/// A form of a dataset as a file.
#[derive(Debug)]
pub struct DataFormat {
    /// Extension of its files.
    pub extension: &'static str,
    /// Writes a file.
    pub write: fn(Dataset<'_>, &mut dyn Write) -> io::Result<()>,
}

/// The forms in which every dataset is written.
pub static DATA_FORMATS: &[DataFormat] = &[csv::FORMAT];
