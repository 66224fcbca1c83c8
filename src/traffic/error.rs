//! What is wrong with a file of traffic.

use std::io::{BufRead as _, Read};

use super::packing::content;
use super::records::{ROW_BYTES, Records, excerpt_of_line};
use crate::document::shown::PHRASE;
use crate::document::{Place, Span};
use crate::files::NamedFile;
use crate::schema::{Problem, nearest};

/// One thing wrong with a file: which and where, what was expected, what may help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileError {
    /// File, line, column and what stands there, as one phrase.
    pub message: String,
    /// What was expected: "expected …".
    pub label: String,
    /// A line of further help.
    pub help: Option<String>,
    /// The place in the file, with the text of its line, where it is at one.
    pub place: Option<Span>,
    /// Where that is to be found.
    spot: Option<Box<Spot>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Spot {
    line: u64,
    at: At,
}

/// What of a line is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    /// All of it.
    Line,
    /// A cell, from 0, of the row that begins there.
    Cell { delimiter: u8, index: usize },
    /// The value of a key of a JSON object.
    Key(String),
    /// The character in this column, from 1.
    Column(usize),
}

impl FileError {
    /// An error about all of the file `shown`.
    pub fn whole(shown: &str, what: &str, label: &str) -> Self {
        FileError {
            message: format!("`{shown}` {}", clean(what)),
            label: clean(label),
            ..FileError::default()
        }
    }

    /// An error at one line of the file `shown`.
    pub(super) fn at_line(shown: &str, line: u64, what: &str, label: String) -> Self {
        let spot = Some(Box::new(Spot { line, at: At::Line }));
        let message = format!("`{shown}`, line {line}{}", clean(what));
        FileError { message, label: clean(&label), spot, ..FileError::default() }
    }

    /// The same error with a line of further help.
    #[must_use]
    pub fn with_help(self, line: impl Into<String>) -> Self {
        FileError { help: Some(clean(&line.into())), ..self }
    }

    /// The same error at a part of a line, which its message has already.
    pub(super) fn on_line(self, line: u64, at: At) -> Self {
        FileError { spot: Some(Box::new(Spot { line, at })), ..self }
    }

    /// The same error of a part of its line.
    pub(super) fn at_part(self, at: At) -> Self {
        FileError { spot: self.spot.map(|spot| Box::new(Spot { at, ..*spot })), ..self }
    }

    /// The same error without the text of its line, of a file that may be of any kind: a private key, a file of passwords.
    pub(super) fn without_text(self) -> Self {
        FileError { spot: None, ..self }
    }

    /// The error with the text of its line, which is looked for in the file once more.
    pub(super) fn shown_in(self, file: &NamedFile<'_>) -> Self {
        if self.place.is_some() || self.spot.is_none() {
            return self;
        }
        match content(file) {
            Ok(reader) => self.shown_in_text(file.shown, reader),
            // What was read a moment ago and cannot be now is told without.
            Err(_) => self,
        }
    }

    /// The same in a text that is at hand.
    pub(super) fn shown_in_text(self, shown: &str, reader: impl Read) -> Self {
        let place = self.spot.as_ref().and_then(|spot| find(spot, shown, reader));
        FileError { place: self.place.or(place), ..self }
    }

    /// The error as a problem of the scenario: at its own line, or else at the `place` that names the file.
    pub fn at(self, place: &Place) -> Problem {
        let own = self.place.map(Place::File);
        let problem = Problem::new(own.as_ref().unwrap_or(place), self.message, self.label);
        match self.help {
            Some(line) => problem.help(line),
            None => problem,
        }
    }

    /// The message for a terminal, with the line that it is about.
    pub fn rendered(&self) -> String {
        let help = self.help.as_deref();
        match &self.place {
            Some(place) => crate::document::excerpt::rendered(&self.message, place, &self.label, help),
            None => {
                let help = help.map_or(String::new(), |help| format!("\n  help: {help}"));
                format!("error: {}\n  {}{help}", self.message, self.label)
            }
        }
    }
}

/// What a message says of a file, whatever the file holds: on one line and not too long.
fn clean(text: &str) -> String {
    crate::document::shown::shown(text, 4 * PHRASE).into_owned()
}

fn find(spot: &Spot, shown: &str, reader: impl Read) -> Option<Span> {
    if let At::Cell { delimiter, index } = spot.at {
        let mut records = Records::new(reader, delimiter);
        loop {
            let record = records.next_row().ok()??;
            if record.line() >= spot.line {
                return Some(record.place(index, shown));
            }
        }
    }
    let mut reader = std::io::BufReader::new(reader);
    let mut line = Vec::new();
    for _ in 0..spot.line {
        line.clear();
        let read = reader.by_ref().take(ROW_BYTES as u64).read_until(b'\n', &mut line).ok()?;
        if read == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&line);
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let begins = text.len() - text.trim_start().len();
    let bytes = match &spot.at {
        At::Key(key) => value_of(text, key).unwrap_or(begins..text.len()),
        At::Column(column) => {
            let start = text.char_indices().nth(column - 1).map_or(text.len(), |(at, _)| at);
            start..text[start..].chars().next().map_or(start, |c| start + c.len_utf8())
        }
        At::Line | At::Cell { .. } => begins..text.len(),
    };
    Some(excerpt_of_line(shown, spot.line, text, bytes))
}

/// The place of a field in the row that begins on a line of a text: a cell under its name, or the value of a key; the whole row where
/// it has no such field.
pub(crate) fn field_place(shown: &str, text: &str, line: u64, field: &str) -> Option<Span> {
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let at = match is_json {
        true => At::Key(field.to_owned()),
        false => {
            // As messages name a field within lists: `triggers[0].value` is the column `triggers.0.value`.
            let field = field.replace('[', ".").replace(']', "");
            let find = |delimiter: u8| {
                let mut records = Records::new(text.as_bytes(), delimiter);
                let header = records.next_row().ok()??;
                // A column may hold a part of it.
                let is_of = |name: &str| {
                    name.strip_prefix(&*field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                };
                let index = header.iter().position(is_of)?;
                Some(At::Cell { delimiter, index })
            };
            [b',', b';', b'\t'].into_iter().find_map(find).unwrap_or(At::Line)
        }
    };
    find(&Spot { line, at }, shown, text.as_bytes())
}

/// The bytes of the value of a key, or of the last of keys within keys, in a JSON object on one line.
fn value_of(text: &str, key: &str) -> Option<std::ops::Range<usize>> {
    let after = |key: &str| {
        let quoted = serde_json::Value::from(key).to_string();
        text.match_indices(&quoted).find_map(|(at, found)| {
            let rest = text[at + found.len()..].trim_start().strip_prefix(':')?.trim_start();
            Some(text.len() - rest.len())
        })
    };
    let start = after(key).or_else(|| after(key.rsplit('.').next()?))?;
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<serde_json::Value>();
    let is_one = values.next().is_some_and(|value| value.is_ok());
    let end = if is_one { start + values.byte_offset() } else { text.len() };
    Some(start..end)
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
