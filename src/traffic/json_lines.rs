//! Rows of a file with a JSON object a line.

use std::io::{BufRead as _, Read as _};

use serde_json::{Map, Value};

use super::error::{At, nearest_name, unreadable};
use super::exact::exact;
use super::records::ROW_BYTES;
use super::table::{Asked, Rows, clip, open, too_long};
use super::{Column, FileError, Order};
use crate::files::NamedFile;

/// Gives what is `asked` of each line of the file to `take`; a column is the name of a key. Blank lines are skipped.
///
/// # Errors
/// The file cannot be read, is packed or empty, a line is no JSON object, lacks a key or holds in it what cannot be
/// parsed, or the first of the keys is not in `order`.
pub(super) fn read_json_rows<T: PartialOrd + Copy>(
    file: &NamedFile<'_>,
    asked: &[Asked<'_, T>],
    order: Order,
    mut take: impl FnMut(&[T]),
) -> Result<(), FileError> {
    const KIND: &str = "file with a JSON object a line";
    let mut reader = open(file, KIND)?;
    let shown = file.shown;
    let mut rows = Rows::new(shown, order, asked.len());
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        let read = reader.by_ref().take(ROW_BYTES as u64).read_until(b'\n', &mut line);
        if read.map_err(|error| unreadable(file, &error))? == 0 {
            return rows.any(asked);
        }
        if line.len() == ROW_BYTES {
            return Err(too_long(shown, number));
        }
        let text = line.trim_ascii().strip_prefix(b"\xef\xbb\xbf").unwrap_or(line.trim_ascii());
        if text.is_empty() {
            continue;
        }
        let Ok(Value::Object(object)) = serde_json::from_slice(&exact(text)) else {
            let start = String::from_utf8_lossy(&text[..text.len().min(200)]);
            let found = clip(&start);
            let what = format!(" is `{found}`");
            let error = FileError::at_line(shown, number, &what, "expected a JSON object".into());
            return Err(if rows.has_rows() { error } else { error.without_text() });
        };
        rows.is_table = true;
        rows.begin();
        for asked in asked {
            let key = name(asked.column, shown)?;
            let value = object.get(key).ok_or_else(|| missing(shown, number, key, &object))?;
            rows.cell(
                &text_of(value),
                asked,
                &format!("key `{key}`"),
                || number,
                || At::Key(key.to_owned()),
            )?;
        }
        let first = asked.first().map_or(Ok(""), |asked| name(asked.column, shown))?;
        take(rows.end(|| number, || At::Key(first.to_owned()))?);
    }
}

fn name<'a>(column: &'a Column, shown: &str) -> Result<&'a str, FileError> {
    match column {
        Column::Name(name) => Ok(name),
        Column::Number(_) => {
            Err(FileError::whole(shown, "has no numbered columns", "expected the name of a key"))
        }
    }
}

fn missing(shown: &str, line: u64, key: &str, object: &Map<String, Value>) -> FileError {
    let names: Vec<&str> = object.keys().map(String::as_str).collect();
    let quoted: Vec<String> = names.iter().take(8).map(|name| format!("`{}`", clip(name))).collect();
    let label = format!("expected a key among {}", quoted.join(", "));
    let error = FileError::at_line(shown, line, &format!(" has no key `{key}`"), label);
    match nearest_name(key, &names) {
        Some(close) => error.with_help(format!("did you mean `{close}`?")),
        None => error,
    }
}

/// A value as a cell of a table would hold it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}
