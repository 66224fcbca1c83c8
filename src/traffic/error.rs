//! What is wrong with a file of traffic.

use crate::files::NamedFile;
use crate::schema::{Place, Problem, nearest};

/// One thing wrong with a file: which and where, what was expected, what may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// File, line, column and what stands there, as one phrase.
    pub message: String,
    /// What was expected: "expected …".
    pub label: String,
    /// A line of further help.
    pub help: Option<String>,
}

impl FileError {
    /// An error about all of the file `shown`.
    pub(super) fn whole(shown: &str, what: &str, label: &str) -> Self {
        FileError { message: format!("`{shown}` {what}"), label: label.into(), help: None }
    }

    /// An error at one line of the file `shown`.
    pub(super) fn at_line(shown: &str, line: u64, what: &str, label: String) -> Self {
        FileError { message: format!("`{shown}`, line {line}{what}"), label, help: None }
    }

    pub(super) fn with_help(self, line: impl Into<String>) -> Self {
        FileError { help: Some(line.into()), ..self }
    }

    /// The error as a problem of the scenario, at the `place` that names the file.
    pub fn at(self, place: &Place) -> Problem {
        let problem = Problem::new(place, self.message, self.label);
        match self.help {
            Some(line) => problem.help(line),
            None => problem,
        }
    }
}

/// The error of a file that could not be opened or read.
pub(super) fn unreadable(file: &NamedFile<'_>, error: &std::io::Error) -> FileError {
    let shown = file.shown;
    match error.kind() {
        std::io::ErrorKind::NotFound => missing(file),
        std::io::ErrorKind::PermissionDenied => {
            FileError::whole(shown, "may not be read", "expected a file that you have the right to read")
        }
        _ => FileError::whole(shown, &format!("cannot be read: {error}"), "expected a readable file"),
    }
}

fn missing(file: &NamedFile<'_>) -> FileError {
    let error =
        FileError::whole(file.shown, "does not exist", "expected a file, relative to the scenario's folder");
    let Some(names) = file.siblings() else {
        return error.with_help("its folder does not exist either");
    };
    let wanted = file.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match nearest_name(&wanted, &names) {
        Some(name) => error.with_help(format!("did you mean `{name}`, in the same folder?")),
        None => error,
    }
}

/// The one of `names` most like `word`, whatever the case of either.
pub(super) fn nearest_name<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let folded: Vec<String> = names.iter().map(|name| name.to_lowercase().replace('-', "_")).collect();
    let close = nearest(word, folded.iter().map(String::as_str))?;
    folded.iter().position(|name| name == close).map(|index| names[index])
}
