//! Load tests of any tool, recognised by their content: a level each of load, in seconds and requests per second.
//!
//! A form is one file in `forms/` and one line of [`forms::FORMS`].

mod engine_metrics;
mod forms;
mod glimpse;
mod law;
mod level;
mod level_rows;
mod request_log;
mod row_fit;
mod samples;
#[cfg(test)]
mod tests;
mod text;

pub use law::{Fitted, Law, Refit, fit};
pub use level::{Driven, Level, LoadTest};

use std::io::Read as _;

use super::error::{At, unreadable};
use super::table::{clip, open};
use super::{FileError, Unit};
use crate::files::NamedFile;
use text::{Content, Fault};

/// The largest file of a load test that is read.
const BYTES: u64 = 256 << 20;

/// What tool a file is the result of, in words.
pub(super) fn recognised(file: &NamedFile<'_>) -> Option<&'static str> {
    glimpse::glimpse(file, |content| {
        let header = content.text.lines().next().unwrap_or_default().to_lowercase();
        let has_levels = ["concurrency", "users", "connections"].iter().any(|word| header.contains(word));
        let known = forms::FORMS.len() - usize::from(!has_levels);
        forms::FORMS.iter().take(known).find(|form| (form.read)(content).is_some()).map(|form| form.doc)
    })
    .flatten()
}

/// The text of a file.
fn text_of(file: &NamedFile<'_>) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    let reader = open(file, "load test")?;
    reader.take(BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(file, &error))?;
    if bytes.len() as u64 > BYTES {
        return Err(FileError::whole(file.shown, "is too large", "expected at most 256 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Fits the times of a language model's iterations to an engine's own metrics or to a log of requests; `None` if the first file is
/// neither. Without `kv_tokens`, the tokens that the cache holds, what tokens in it add is not fitted to metrics.
///
/// # Errors
/// A file cannot be read, or does not tell what is needed; says what.
pub fn fit_recording(
    files: &[NamedFile<'_>],
    kv_tokens: Option<f64>,
    unit: Option<Unit>,
) -> Result<Option<(&'static str, Fitted)>, FileError> {
    let texts = files.iter().map(text_of).collect::<Result<Vec<String>, FileError>>()?;
    let Some(fitted) = row_fit::fit_recorded(&texts, kv_tokens, unit) else { return Ok(None) };
    fitted.map(Some).map_err(|fault| {
        let shown = files.get(fault.file).map_or("", |file| file.shown);
        let text = texts.get(fault.file).map_or("", String::as_str);
        refused(shown, text, &fault.what, fault.at, "expected what an iteration's time follows from")
    })
}

/// What is wrong with a text, with its line where that is known.
fn refused(shown: &str, text: &str, what: &str, at: Option<(u64, At)>, label: &str) -> FileError {
    let error = FileError::whole(shown, what, label);
    match at {
        Some((line, part)) => error.on_line(line, part).shown_in_text(shown, text.as_bytes()),
        None => error,
    }
}

/// Reads a load test: in the unit `unit` where a table has times without one.
///
/// # Errors
/// The file cannot be read, is of no known tool, holds no level, or a time has no unit.
pub fn read_load_test(file: &NamedFile<'_>, unit: Option<Unit>) -> Result<LoadTest, FileError> {
    let text = text_of(file)?;
    let content = Content::of(text.trim_start_matches('\u{feff}'), unit);
    if let Some((line, column, what)) = content.broken() {
        let error = FileError::at_line(file.shown, line, &what, "expected JSON".into());
        return Err(error.at_part(At::Column(column)).shown_in_text(file.shown, text.as_bytes()));
    }
    const LEVELS: &str = "expected levels of load";
    let refuse = |what: String| FileError::whole(file.shown, &what, LEVELS);
    let wrong = |form: &forms::Form, Fault { what, at, .. }: Fault| {
        refused(file.shown, &text, &format!("is {}, but {what}", form.doc), at, LEVELS)
    };
    for form in &forms::FORMS {
        let Some(read) = (form.read)(&content) else { continue };
        let mut test = read.map_err(|fault| wrong(form, fault))?;
        if test.levels.is_empty() {
            return Err(refuse(format!("is {}, but has no level with answers", form.doc)));
        }
        test.form = form.doc.to_owned();
        for level in &test.levels {
            level
                .check()
                .map_err(|what| refuse(format!("is {}, but level {} {what}", form.doc, clip(&level.name))))?;
        }
        return Ok(test);
    }
    let names: Vec<&str> = forms::FORMS.iter().map(|form| form.doc).collect();
    Err(refuse("is of no known tool".into()).with_help(format!("known are {}", names.join(", "))))
}
