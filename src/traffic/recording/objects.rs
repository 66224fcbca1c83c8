//! Rows that are JSON objects: one a line, or the members of one list.

use std::io::{self, BufRead, Read as _};

use serde_json::{Map, Value};

use super::head::Head;
use super::list;
use super::pick::Picker;
use super::reading::Reading;
use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::error::unreadable;
use crate::traffic::exact::exact;
use crate::traffic::metered::ENTRY_BYTES;
use crate::traffic::table::{clip, open};

const KIND: &str = "JSON file";

/// Passes each object to `take` with its line, until it has enough. What is no object is passed as the reason why.
///
/// # Errors
/// The file cannot be read, a line is too long, or the document is no list of objects.
pub(super) fn each_object(
    file: &NamedFile<'_>,
    head: &Head,
    mut take: impl FnMut(Result<&Map<String, Value>, &str>, u64) -> Result<bool, FileError>,
) -> Result<(), FileError> {
    each_text(file, head, |text, line| match serde_json::from_slice(&exact(text)) {
        Ok(Value::Object(object)) => take(Ok(&object), line),
        Ok(_) => take(Err("it is no JSON object"), line),
        Err(error) => take(Err(no_json(file, head, &error, line)?), line),
    })
}

/// Passes the cells of each row that `picker` wants to `take`, with the line; what is no object is skipped in the account, or refused
/// where the account is strict. The quick way where the keys are known.
///
/// # Errors
/// Those of [`each_object`] and of `take`; a row that is no object, where none may be skipped.
pub(super) fn each_picked(
    file: &NamedFile<'_>,
    head: &Head,
    (reading, strict): (&mut Reading, bool),
    mut picker: Picker,
    mut take: impl FnMut(&mut Reading, &Picker, u64) -> Result<(), FileError>,
) -> Result<(), FileError> {
    each_text(file, head, |text, line| {
        match picker.read(text) {
            Ok(true) => take(reading, &picker, line)?,
            Ok(false) => reading.skip(|| line, "it is no JSON object", strict)?,
            Err(error) => reading.skip(|| line, no_json(file, head, &error, line)?, strict)?,
        }
        Ok(true)
    })
}

/// Why a line is skipped that is no JSON.
///
/// # Errors
/// It is an entry of a list: then the document is broken.
fn no_json(
    file: &NamedFile<'_>,
    head: &Head,
    error: &serde_json::Error,
    line: u64,
) -> Result<&'static str, FileError> {
    if !is_list(head) && !head.wraps_list() {
        return Ok("it is no JSON");
    }
    let what = format!(": {}", without_place(&error.to_string()));
    Err(FileError::at_line(file.shown, line + error.line() as u64 - 1, &what, "expected JSON".into()))
}

fn is_list(head: &Head) -> bool {
    head.text.trim_start().starts_with('[')
}

/// Passes the text of each row to `take` with its line, until it has enough.
fn each_text(
    file: &NamedFile<'_>,
    head: &Head,
    mut take: impl FnMut(&[u8], u64) -> Result<bool, FileError>,
) -> Result<(), FileError> {
    if is_list(head) {
        let mut reader = open(file, KIND)?;
        let is_whole = list::each_entry(file, &mut reader, 1, &mut take)?;
        return if is_whole { nothing_after(file, reader) } else { Ok(()) };
    }
    if head.wraps_list() {
        let (start, line) = list::find(file)?;
        let mut reader = open(file, KIND)?;
        io::copy(&mut reader.by_ref().take(start), &mut io::sink())
            .map_err(|error| unreadable(file, &error))?;
        return list::each_entry(file, reader, line, &mut take).map(drop);
    }
    let mut reader = open(file, KIND)?;
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        let read = reader.by_ref().take(ENTRY_BYTES).read_until(b'\n', &mut line);
        let read = read.map_err(|error| unreadable(file, &error))? as u64;
        if read == 0 {
            return Ok(());
        }
        if read == ENTRY_BYTES {
            let label = "expected a JSON object a line, of at most 16 MiB".to_owned();
            return Err(FileError::at_line(file.shown, number, " is too long", label));
        }
        let text = line.trim_ascii();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if text.is_empty() {
            continue;
        }
        if !take(text, number)? {
            return Ok(());
        }
    }
}

/// Whether the list of a file is all that it holds.
fn nothing_after(file: &NamedFile<'_>, mut reader: impl BufRead) -> Result<(), FileError> {
    loop {
        let piece = reader.fill_buf().map_err(|error| unreadable(file, &error))?;
        if piece.is_empty() {
            return Ok(());
        }
        if !piece.trim_ascii().is_empty() {
            return Err(FileError::whole(file.shown, "goes on after its list", "expected one JSON list"));
        }
        let length = piece.len();
        reader.consume(length);
    }
}

/// Passes each object to `take` with its line; what is no object is skipped in the account, or refused
/// where the account is strict.
///
/// # Errors
/// Those of [`each_object`] and of `take`; a row that is no object, where none may be skipped.
pub(super) fn each_row(
    file: &NamedFile<'_>,
    head: &Head,
    (reading, strict): (&mut Reading, bool),
    mut take: impl FnMut(&mut Reading, &Map<String, Value>, u64) -> Result<(), FileError>,
) -> Result<(), FileError> {
    each_object(file, head, |object, line| {
        match object {
            Ok(object) => take(reading, object, line)?,
            Err(reason) => reading.skip(|| line, reason, strict)?,
        }
        Ok(true)
    })
}

fn without_place(message: &str) -> String {
    clip(message.split(" at line ").next().unwrap_or(message)).into_owned()
}

/// The value at a path such as `httpRequest.latency`.
pub(super) fn at<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    at(object.get(first)?.as_object()?, rest)
}

/// A value as a cell of a table would hold it; nothing for null, lists and objects.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => String::new(),
    }
}

/// The paths of the scalars of an object, two levels into it.
pub(super) fn paths(object: &Map<String, Value>) -> Vec<String> {
    fn collect(object: &Map<String, Value>, before: &str, depth: usize, paths: &mut Vec<String>) {
        for (key, value) in object {
            let path = if before.is_empty() { key.clone() } else { format!("{before}.{key}") };
            match value {
                Value::Object(inner) if depth > 0 => collect(inner, &path, depth - 1, paths),
                Value::Array(_) | Value::Object(_) => {}
                _ => paths.push(path),
            }
        }
    }
    let mut found = Vec::new();
    collect(object, "", 2, &mut found);
    found
}
