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
//! | [`openmetrics`] | a timeline | `.om`, with `--format openmetrics` |
//! | `parquet` | a dataset | `.parquet`, with `--format parquet` in builds with that feature |

pub mod csv;
mod form;
pub mod html;
pub mod json;
pub mod json_layout;
pub mod markdown;
pub mod openmetrics;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod png;
pub mod svg;
#[cfg(feature = "cli")]
pub mod terminal;

pub use form::{BeginRows, DataFormat, PictureFormat, RowWriter, RunOrigin, TextFormat};

/// The forms in which a command can print its report, besides the terminal's.
pub static TEXT_FORMATS: &[TextFormat] = &[json::FORMAT, markdown::FORMAT];

/// The forms in which every chart is written.
pub static PICTURE_FORMATS: &[PictureFormat] = &[png::FORMAT];

/// The forms in which datasets are written: some always, the others on request.
pub static DATA_FORMATS: &[DataFormat] = &[
    csv::FORMAT,
    openmetrics::FORMAT,
    #[cfg(feature = "parquet")]
    parquet::FORMAT,
];
