//! Objects that are the entries of one list of a JSON document, one by one and with their lines.

use std::io::BufRead;

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::error::unreadable;
use crate::traffic::table::clip;

/// The longest line of JSON, or entry of a list, that is read.
pub(super) const LINE_BYTES: u64 = 16 << 20;

/// Takes the text of an entry and its line; says whether it wants more.
pub(super) type Take<'a> = &'a mut dyn FnMut(&[u8], u64) -> Result<bool, FileError>;

/// Passes the entries of the list that `reader` begins with to `take`; `line` is that of its start. Whether it came to the end of
/// the list, which is then behind it.
///
/// # Errors
/// The file cannot be read, an entry is too long, or the list has no end.
pub(super) fn each_entry(
    file: &NamedFile<'_>,
    mut reader: impl BufRead,
    mut line: u64,
    take: Take<'_>,
) -> Result<bool, FileError> {
    let (mut entry, mut begins) = (Vec::new(), line);
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    loop {
        let piece = reader.fill_buf().map_err(|error| unreadable(file, &error))?;
        if piece.is_empty() {
            let what = ": the list has no end: the file is cut off";
            return Err(FileError::at_line(file.shown, line, what, "expected `]`".into()));
        }
        let length = piece.len();
        let mut copied = 0;
        for (at, byte) in piece.iter().enumerate() {
            line += u64::from(*byte == b'\n');
            if is_text {
                is_text = is_escaped || *byte != b'"';
                is_escaped = *byte == b'\\' && !is_escaped;
                continue;
            }
            match byte {
                b'"' => is_text = true,
                b'[' | b'{' => {
                    depth += 1;
                    if depth == 1 {
                        (copied, begins) = (at + 1, line);
                    }
                }
                b']' | b'}' if depth > 1 => depth -= 1,
                b',' | b']' if depth == 1 => {
                    entry.extend_from_slice(&piece[copied..at]);
                    let is_last = *byte == b']';
                    let is_empty = entry.trim_ascii().is_empty();
                    let more = (is_last && is_empty) || one(&entry, begins, take)?;
                    if is_last || !more {
                        reader.consume(at + 1);
                        return Ok(more);
                    }
                    entry.clear();
                    (copied, begins) = (at + 1, line);
                }
                _ => {}
            }
        }
        if depth > 0 {
            entry.extend_from_slice(&piece[copied..]);
        }
        if entry.len() as u64 > LINE_BYTES {
            let label = "expected entries of at most 16 MiB".to_owned();
            return Err(FileError::at_line(file.shown, begins, " begins an entry that is too long", label));
        }
        reader.consume(length);
    }
}

/// One entry, which begins on a line or on blank ones before it.
fn one(entry: &[u8], begins: u64, take: Take<'_>) -> Result<bool, FileError> {
    let text = entry.trim_ascii_start();
    let before = &entry[..entry.len() - text.len()];
    take(text.trim_ascii_end(), begins + before.iter().filter(|byte| **byte == b'\n').count() as u64)
}

/// The keys that lead to the one list of objects that a document holds.
///
/// # Errors
/// It holds none, or several.
pub(super) fn path(file: &NamedFile<'_>, whole: &Value) -> Result<Vec<String>, FileError> {
    fn collect(value: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
        const DEEPEST: usize = 3;
        let Value::Object(object) = value else { return };
        for (key, value) in object {
            let path = [path, std::slice::from_ref(key)].concat();
            match value {
                Value::Array(entries) if entries.first().is_some_and(Value::is_object) => found.push(path),
                Value::Object(_) if path.len() < DEEPEST => collect(value, &path, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    collect(whole, &[], &mut found);
    match found.as_slice() {
        [path] => Ok(path.clone()),
        [] => {
            let what = "is a JSON document without a list of objects";
            Err(FileError::whole(file.shown, what, "expected rows: one list of objects, or an object a line"))
        }
        several => {
            let paths: Vec<String> =
                several.iter().take(4).map(|path| format!("`{}`", clip(&path.join(".")))).collect();
            let what = format!("is a JSON document with several lists of objects: {}", paths.join(", "));
            Err(FileError::whole(file.shown, &what, "expected one list of objects, or an object a line"))
        }
    }
}

/// The byte at which the value behind these keys begins, in a text that is JSON; of a key that comes twice the last.
pub(super) fn start(text: &[u8], path: &[String]) -> Option<usize> {
    let blank = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let mut at = blank(0);
    for key in path {
        // Behind the brace.
        let (mut next, mut found) = (at + 1, None);
        loop {
            next += blank(next);
            if matches!(text.get(next), None | Some(b'}')) {
                break;
            }
            next += usize::from(text[next] == b',');
            let mut names = Deserializer::from_slice(&text[next..]).into_iter::<String>();
            let name = names.next()?.ok()?;
            next += names.byte_offset();
            // Behind the colon.
            next += blank(next) + 1;
            next += blank(next);
            if name == *key {
                found = Some(next);
            }
            let mut values = Deserializer::from_slice(&text[next..]).into_iter::<IgnoredAny>();
            values.next()?.ok()?;
            next += values.byte_offset();
        }
        at = found?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    fn entries(text: &str, line: u64) -> Result<Vec<(String, u64)>, String> {
        let files = Memory::default();
        let file = NamedFile { files: &files, path: "t".into(), shown: "t" };
        let mut found = Vec::new();
        let mut take = |text: &[u8], line: u64| {
            found.push((String::from_utf8_lossy(text).into_owned(), line));
            Ok(true)
        };
        each_entry(&file, std::io::BufReader::with_capacity(3, text.as_bytes()), line, &mut take)
            .map_err(|error| error.message)?;
        Ok(found)
    }

    #[test]
    fn entries_come_one_by_one_with_their_lines() {
        let text = "[\n {\"a\": [1, {\"b\": \"],\\\"\"}]},\n\n {\"a\": 1,\n\"c\": {}}, 5]\n";
        let expected = [(r#"{"a": [1, {"b": "],\""}]}"#, 2), ("{\"a\": 1,\n\"c\": {}}", 4), ("5", 5)];
        assert_eq!(entries(text, 1), Ok(expected.map(|(entry, line)| (entry.to_owned(), line)).to_vec()));
        assert_eq!(entries(" [ ]", 1), Ok(vec![]));
        assert!(entries("[{}, {\"a\": 1", 7).unwrap_err().contains("line 7: the list has no end"));
    }

    #[test]
    fn a_list_within_a_document_is_found_by_its_keys() {
        let text = br#" {"x": {"hits": 3, "y": [{}]}, "hits" : {"total": {"a": 1}, "hits":  [{"z": 1}]}}"#;
        let path = ["hits", "hits"].map(str::to_owned);
        let at = start(text, &path).unwrap();
        assert!(text[at..].starts_with(b"[{\"z\""));
        assert_eq!(start(text, &["none".to_owned()]), None);
    }
}
