//! Rows that are JSON objects: one a line, or the members of one list.

use std::io::{BufRead as _, Read as _};

use serde_json::{Map, Value};

use super::head::Head;
use super::reading::Reading;
use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::error::unreadable;
use crate::traffic::exact::exact;
use crate::traffic::table::{clip, open};

/// The longest line of JSON that is read.
const LINE_BYTES: u64 = 16 << 20;

/// The largest JSON document that is read as one.
const DOCUMENT_BYTES: u64 = 256 << 20;

const KIND: &str = "JSON file";

/// Passes each object to `take` with its line (in a list, its number), until it has enough. What is no object is passed as
/// the reason why.
///
/// # Errors
/// The file cannot be read, a line is too long, or the document is no list of objects.
pub(super) fn each_object(
    file: &NamedFile<'_>,
    head: &Head,
    mut take: impl FnMut(Result<&Map<String, Value>, &str>, u64) -> Result<bool, FileError>,
) -> Result<(), FileError> {
    if head.text.trim_start().starts_with('[') || head.wraps_list() {
        let whole = parsed(file, &exact(&bytes_of(file)?))?;
        for (number, entry) in (1..).zip(list(file, &whole)?) {
            let entry = entry.as_object().ok_or("it is no JSON object");
            if !take(entry, number)? {
                break;
            }
        }
        return Ok(());
    }
    let mut reader = open(file, KIND)?;
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        let read = reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line);
        let read = read.map_err(|error| unreadable(file, &error))? as u64;
        if read == 0 {
            return Ok(());
        }
        if read == LINE_BYTES {
            let label = "expected a JSON object a line, of at most 16 MiB".to_owned();
            return Err(FileError::at_line(file.shown, number, " is too long", label));
        }
        let text = line.trim_ascii();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if text.is_empty() {
            continue;
        }
        let more = match serde_json::from_slice(&exact(text)) {
            Ok(Value::Object(object)) => take(Ok(&object), number)?,
            Ok(_) => take(Err("it is no JSON object"), number)?,
            Err(_) => take(Err("it is no JSON"), number)?,
        };
        if !more {
            return Ok(());
        }
    }
}

/// Passes each object to `take` with its line (in a list, its number); what is no object is skipped in the account, or refused
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

/// The list of objects that a document is, or holds.
///
/// # Errors
/// It holds none, or several.
fn list<'a>(file: &NamedFile<'_>, whole: &'a Value) -> Result<&'a [Value], FileError> {
    fn collect<'a>(value: &'a Value, path: &str, depth: usize, found: &mut Vec<(String, &'a [Value])>) {
        let Value::Object(object) = value else { return };
        for (key, value) in object {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match value {
                Value::Array(entries) if entries.first().is_some_and(Value::is_object) => {
                    found.push((path, entries));
                }
                Value::Object(_) if depth > 0 => collect(value, &path, depth - 1, found),
                _ => {}
            }
        }
    }
    if let Value::Array(entries) = whole {
        return Ok(entries);
    }
    let mut found = Vec::new();
    collect(whole, "", 2, &mut found);
    match found.as_slice() {
        [(_, entries)] => Ok(entries),
        [] => {
            let what = "is a JSON document without a list of objects";
            Err(FileError::whole(file.shown, what, "expected rows: one list of objects, or an object a line"))
        }
        several => {
            let paths: Vec<String> =
                several.iter().take(4).map(|(path, _)| format!("`{}`", clip(path))).collect();
            let what = format!("is a JSON document with several lists of objects: {}", paths.join(", "));
            Err(FileError::whole(file.shown, &what, "expected one list of objects, or an object a line"))
        }
    }
}

/// The whole file as one JSON document.
///
/// # Errors
/// It cannot be read, is larger than 256 MiB unpacked, or is not JSON: with line and column.
pub(super) fn document(file: &NamedFile<'_>) -> Result<Value, FileError> {
    parsed(file, &bytes_of(file)?)
}

fn bytes_of(file: &NamedFile<'_>) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let reader = open(file, KIND)?;
    reader.take(DOCUMENT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(file, &error))?;
    if bytes.len() as u64 > DOCUMENT_BYTES {
        let label = "expected at most 256 MiB in one JSON document";
        return Err(FileError::whole(file.shown, "is too large", label)
            .with_help("ask for a shorter span, or a wider step"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

fn parsed(file: &NamedFile<'_>, text: &[u8]) -> Result<Value, FileError> {
    serde_json::from_slice(text).map_err(|error| {
        let what = format!(", column {}: {}", error.column(), without_place(&error.to_string()));
        FileError::at_line(file.shown, error.line() as u64, &what, "expected JSON".into())
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
