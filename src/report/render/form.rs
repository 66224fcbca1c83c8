//! What a form of a report, a chart or a dataset is.

use std::fmt;
use std::io::{self, Write};

use crate::report::chart::{AnyChart, ChartError, Size};
use crate::report::content::Report;
use crate::report::data::{Column, Dataset, Value};

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
    /// Begins a file whose rows come while a run goes on; `None` where all rows are needed at once.
    pub begin: Option<BeginRows>,
}

/// Begins a file with these columns.
pub type BeginRows = fn(&[Column], &mut dyn Write) -> io::Result<Box<dyn RowWriter>>;

/// Writes the rows of one file as they come.
pub trait RowWriter: fmt::Debug + Send {
    /// Writes more rows, at once or by the end.
    ///
    /// # Errors
    /// They cannot be written.
    fn rows<'a>(
        &mut self,
        rows: &mut dyn Iterator<Item = Vec<Value<'a>>>,
        out: &mut dyn Write,
    ) -> io::Result<()>;

    /// Writes what is left.
    ///
    /// # Errors
    /// It cannot be written.
    fn finish(self: Box<Self>, out: &mut dyn Write) -> io::Result<()>;
}

/// What a dataset is of, where a form says it with every value.
#[derive(Debug, Clone, Copy)]
pub struct RunOrigin<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// When its runs are said to start, milliseconds since 1970.
    pub start_ms: i64,
}
