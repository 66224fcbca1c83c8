//! Objects that are the entries of one list of a JSON document, one by one and with their lines.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::error::unreadable;
use crate::traffic::metered::{ENTRY_BYTES, Meter, Metered};
use crate::traffic::table::clip;

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
        if entry.len() as u64 > ENTRY_BYTES {
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

/// Where the one list of objects that a document holds begins: so many bytes from the start of the file, and on this line.
///
/// # Errors
/// The file cannot be read or is no JSON; it holds no such list, or several.
pub(super) fn find(file: &NamedFile<'_>) -> Result<(u64, u64), FileError> {
    let meter = Meter::new(u64::MAX);
    let mut json = serde_json::Deserializer::from_reader(Metered::open(file, &meter)?);
    let mut finder = Finder { meter: &meter, path: Vec::new(), found: BTreeMap::new() };
    let read = Searched(Some(&mut finder)).deserialize(&mut json).and_then(|_| json.end());
    read.map_err(|error| meter.fault(file, error))?;
    let mut found = finder.found.into_iter();
    match (found.next(), found.next()) {
        (Some((_, start)), None) => Ok(start),
        (None, _) => {
            let what = "is a JSON document without a list of objects";
            Err(FileError::whole(file.shown, what, "expected rows: one list of objects, or an object a line"))
        }
        (Some((first, _)), Some((second, _))) => {
            let several = [first, second].into_iter().chain(found.map(|(path, _)| path));
            let paths: Vec<String> =
                several.take(4).map(|path| format!("`{}`", clip(&path.join(".")))).collect();
            let what = format!("is a JSON document with several lists of objects: {}", paths.join(", "));
            Err(FileError::whole(file.shown, &what, "expected one list of objects, or an object a line"))
        }
    }
}

/// Keys within keys that may lead to a list.
const DEEPEST: usize = 3;

struct Finder<'a> {
    meter: &'a Meter,
    path: Vec<String>,
    /// Lists of objects by their keys, with the byte and the line at which they begin.
    found: BTreeMap<Vec<String>, (u64, u64)>,
}

/// A value that may be such a list, or hold one, if it is to be looked into; whether it is an object.
struct Searched<'a, 'm>(Option<&'a mut Finder<'m>>);

impl<'de> DeserializeSeed<'de> for Searched<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Searched<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        if let Searched(Some(finder)) = self {
            // Behind the bracket.
            let start = (finder.meter.read() - 1, finder.meter.line());
            if list.next_element_seed(Searched(None))? == Some(true) {
                finder.found.insert(finder.path.clone(), start);
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<bool, A::Error> {
        let Searched(mut finder) = self;
        while let Some(finder) = finder.as_mut().filter(|finder| finder.path.len() < DEEPEST) {
            let Some(key) = finder.meter.entry(|| object.next_key::<String>())? else { return Ok(true) };
            finder.path.push(key);
            // Of a key that comes twice the last counts.
            finder.found.retain(|path, _| !path.starts_with(&finder.path));
            object.next_value_seed(Searched(Some(finder)))?;
            finder.path.pop();
        }
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(true)
    }
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
        let find = |text: &str| {
            let mut files = Memory::default();
            files.insert("t", text);
            let file = NamedFile { files: &files, path: "t".into(), shown: "t" };
            find(&file).map_err(|error| error.message)
        };
        let text = " {\"x\": {\"hits\": 3, \"y\": [5, {}]},\n \"hits\" : {\"total\": {\"a\": 1}, \"hits\":\n  [{\"z\": [{}]}]}}";
        let (at, line) = find(text).unwrap();
        assert!(text[at as usize..].starts_with("[{\"z\""));
        assert_eq!(line, 3);
        let text = "\u{feff}{\"a\": {\"b\": [{}], \"c\": [1]}, \"a\": {\"d\": []}, \"e\": [{}], \"e\": [{\"last\": 1}]}";
        let (at, _) = find(text).unwrap();
        assert!(text[at as usize..].starts_with("[{\"last"), "of a key that comes twice the last counts");
        assert_eq!(find("{\"a\": [1]}"), Err("`t` is a JSON document without a list of objects".to_owned()));
        let several = "`t` is a JSON document with several lists of objects: `a`, `b.c`".to_owned();
        assert_eq!(find("{\"b\": {\"c\": [{}]}, \"a\": [{}]}"), Err(several));
        assert_eq!(find("{\"a\": [{}], }"), Err("`t`, line 1, column 13: trailing comma".to_owned()));
    }
}
