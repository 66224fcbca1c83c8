//! What a form of a report, a chart or a dataset is.

use std::io::{self, Write};

use crate::report::chart::{AnyChart, ChartError, Size};
use crate::report::content::Report;
use crate::report::data::Dataset;

/// A form of the whole report as text.
#[derive(Debug)]
pub struct TextFormat {
    /// Name on the command line.
    pub name: &'static str,
    /// Makes the text.
    pub text: fn(&Report<'_>) -> String,
}

/// A form of a chart as a file, besides the SVG that the page is made with.
#[derive(Debug)]
pub struct PictureFormat {
    /// Extension of its files.
    pub extension: &'static str,
    /// Makes the bytes of a file.
    pub draw: fn(&AnyChart, Size) -> Result<Vec<u8>, ChartError>,
}

/// A form of a dataset as a file.
#[derive(Debug)]
pub struct DataFormat {
    /// Name on the command line.
    pub name: &'static str,
    /// Extension of its files.
    pub extension: &'static str,
    /// Whether it is written without being asked for.
    pub is_always: bool,
    /// Which datasets it has a form for.
    pub takes: fn(&Dataset<'_>) -> bool,
    /// Writes a file.
    pub write: fn(Dataset<'_>, &RunOrigin<'_>, &mut dyn Write) -> io::Result<()>,
}

/// What a dataset is of, where a form says it with every value.
#[derive(Debug, Clone, Copy)]
pub struct RunOrigin<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// When its runs are said to start, milliseconds since 1970.
    pub start_ms: i64,
}
