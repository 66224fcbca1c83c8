//! Recorded traffic of any form, recognised by its content: requests one by one, or numbers of them per interval.
//!
//! A form is one file in `forms/` and one line of [`forms::FORMS`]. Each says by the head of a file whether it is the one, and
//! reads it, into a [`Recording`] with an account of what was read, what was skipped, and how it was understood. What could
//! be understood in two ways is refused with both.

mod choose;
mod document;
mod forms;
mod head;
mod list;
mod merge;
mod objects;
#[cfg(feature = "parquet")]
mod parquet;
mod pick;
mod plain_rows;
mod reading;
mod recorded;
mod requests;
mod sample;
mod series;
mod series_rows;
mod table;
#[cfg(test)]
mod tests;
mod values;
mod wanted;

pub(super) use forms::begins_as_parquet;
pub use merge::read_recordings;
pub use reading::{Reading, Skipped};
pub use recorded::{Recorded, Recording};
pub use requests::Requests;
pub use series::Series;
pub use wanted::{Gaps, Quantity, SeriesChoice, Wanted};

use super::FileError;
use crate::files::NamedFile;

/// Reads a file of traffic in the form that its content shows, or that is `wanted`.
///
/// # Errors
/// The file cannot be read, is in no known form, is close to one, could be understood in several ways, or is plainly not
/// what it was taken for; says what to add to the request.
pub fn read_recording(file: &NamedFile<'_>, wanted: &Wanted) -> Result<Recording, FileError> {
    forms::read(file, wanted).map_err(|error| error.shown_in(file))
}

/// The names of all forms, with what each is.
pub fn form_names() -> Vec<(&'static str, &'static str)> {
    forms::FORMS.iter().map(|form| (form.name, form.doc)).collect()
}
