//! Cells of JSON objects by their keys, read without keeping anything else of the object.

use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::traffic::exact::exact;

/// The cells of some keys, of one object after the other.
#[derive(Debug)]
pub(super) struct Picker {
    /// Keys, or keys within keys as `a.b`.
    paths: Vec<String>,
    /// What a table would hold in their place; empty for null, lists, objects, and what is not there.
    cells: Vec<String>,
}

impl Picker {
    pub(super) fn new(paths: Vec<String>) -> Picker {
        let cells = vec![String::new(); paths.len()];
        Picker { paths, cells }
    }

    /// Reads an object; whether it is one.
    ///
    /// # Errors
    /// It is no JSON.
    pub(super) fn read(&mut self, text: &[u8]) -> serde_json::Result<bool> {
        self.cells.iter_mut().for_each(String::clear);
        if std::str::from_utf8(text).is_ok_and(|text| self.read_quickly(text).is_some()) {
            return Ok(true);
        }
        self.cells.iter_mut().for_each(String::clear);
        if text.first() != Some(&b'{') {
            return serde_json::from_slice::<IgnoredAny>(text).map(|_| false);
        }
        let text = &exact(text);
        let Picker { paths, cells } = self;
        let wanted: Vec<(&str, usize)> = paths.iter().map(String::as_str).zip(0..).collect();
        let mut reader = serde_json::Deserializer::from_slice(text);
        Within { wanted: &wanted, cells }.deserialize(&mut reader)?;
        reader.end()?;
        Ok(true)
    }

    /// Reads an object that is written as most are; `None` for what may still be one, and of which the cells may be wrong.
    fn read_quickly(&mut self, text: &str) -> Option<()> {
        let bytes = text.as_bytes();
        let mut at = quick::blank(bytes, quick::mark(bytes, 0, b'{')?);
        loop {
            let end = quick::text(bytes, at)?;
            let key = &text[at + 1..end - 1];
            let start = quick::blank(bytes, quick::mark(bytes, quick::blank(bytes, end), b':')?);
            let end = quick::value(bytes, start, 0)?;
            let value = &text[start..end];
            for (path, cell) in self.paths.iter().zip(&mut self.cells) {
                if path == key {
                    cell.clear();
                    match value.as_bytes()[0] {
                        b'"' => cell.push_str(&value[1..value.len() - 1]),
                        b'{' | b'[' | b'n' => {}
                        _ => cell.push_str(value),
                    }
                } else if path.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')) {
                    return None;
                }
            }
            at = quick::blank(bytes, end);
            match bytes.get(at)? {
                b',' => at = quick::blank(bytes, at + 1),
                b'}' => return (at + 1 == bytes.len()).then_some(()),
                _ => return None,
            }
        }
    }

    /// The cell of the path of this number.
    pub(super) fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", |cell| cell.trim())
    }
}

/// Steps over JSON as most of it is written; each gives the byte behind what it steps over, or nothing where that is not to be seen
/// at once.
mod quick {
    use memchr::memchr2;

    const DEEPEST: usize = 8;

    pub(super) fn blank(bytes: &[u8], at: usize) -> usize {
        let rest = bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
    }

    pub(super) fn mark(bytes: &[u8], at: usize, mark: u8) -> Option<usize> {
        (bytes.get(at) == Some(&mark)).then_some(at + 1)
    }

    /// A text without a backslash.
    pub(super) fn text(bytes: &[u8], at: usize) -> Option<usize> {
        let start = mark(bytes, at, b'"')?;
        let end = start + memchr2(b'"', b'\\', &bytes[start..])?;
        let is_plain = bytes[end] == b'"' && bytes[start..end].iter().all(|byte| *byte >= b' ');
        is_plain.then_some(end + 1)
    }

    pub(super) fn value(bytes: &[u8], at: usize, depth: usize) -> Option<usize> {
        match bytes.get(at)? {
            b'"' => text(bytes, at),
            b'-' | b'0'..=b'9' => number(bytes, at),
            b't' => word(bytes, at, b"true"),
            b'f' => word(bytes, at, b"false"),
            b'n' => word(bytes, at, b"null"),
            b'[' if depth < DEEPEST => entries(bytes, at + 1, b']', |at| value(bytes, at, depth + 1)),
            b'{' if depth < DEEPEST => entries(bytes, at + 1, b'}', |at| {
                let colon = mark(bytes, blank(bytes, text(bytes, at)?), b':')?;
                value(bytes, blank(bytes, colon), depth + 1)
            }),
            _ => None,
        }
    }

    fn entries(bytes: &[u8], at: usize, end: u8, one: impl Fn(usize) -> Option<usize>) -> Option<usize> {
        let mut at = blank(bytes, at);
        if bytes.get(at) == Some(&end) {
            return Some(at + 1);
        }
        loop {
            at = blank(bytes, one(at)?);
            match bytes.get(at)? {
                b',' => at = blank(bytes, at + 1),
                byte if *byte == end => return Some(at + 1),
                _ => return None,
            }
        }
    }

    fn word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
        bytes[at..].starts_with(word).then_some(at + word.len())
    }

    /// Digits, which are more than one only if the first is none of 0, and a point and digits behind it.
    fn number(bytes: &[u8], at: usize) -> Option<usize> {
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let start = at + usize::from(bytes[at] == b'-');
        let whole = digits(start);
        if whole == 0 || (whole > 1 && bytes[start] == b'0') {
            return None;
        }
        let mut end = start + whole;
        if bytes.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            end += 1 + fraction;
            if fraction == 0 {
                return None;
            }
        }
        (!matches!(bytes.get(end), Some(b'e' | b'E'))).then_some(end)
    }
}

/// An object, or what stands in its place, of which some paths are wanted.
struct Within<'a, 'p> {
    wanted: &'a [(&'p str, usize)],
    cells: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Within<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl Within<'_, '_> {
    /// A scalar, which is the value of the paths that end here.
    fn put(self, value: fmt::Arguments<'_>) {
        for (path, at) in self.wanted {
            if path.is_empty() {
                self.cells[*at].clear();
                // Writing into a text cannot fail.
                let _ = self.cells[*at].write_fmt(value);
            }
        }
    }
}

impl<'de> Visitor<'de> for Within<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(format_args!("{value}"));
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(format_args!("{value}"));
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(format_args!("{value}"));
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.put(format_args!("{value}"));
        Ok(())
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.put(format_args!("{value}"));
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut inner = [("", 0); MOST];
        while let Some(count) = entries.next_key_seed(Key { wanted: self.wanted, inner: &mut inner })? {
            match count {
                0 => drop(entries.next_value::<IgnoredAny>()?),
                _ => entries.next_value_seed(Within { wanted: &inner[..count], cells: self.cells })?,
            }
        }
        Ok(())
    }
}

/// Paths that are wanted at most; more are left out. Few are, and they need no allocation.
const MOST: usize = 8;

/// A key: how many of the paths go on behind it, and how.
struct Key<'a, 'p> {
    wanted: &'a [(&'p str, usize)],
    inner: &'a mut [(&'p str, usize); MOST],
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<usize, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<usize, E> {
        let mut count = 0;
        for (path, at) in self.wanted.iter().filter(|(path, _)| !path.is_empty()) {
            let rest = match path.strip_prefix(key) {
                Some("") => Some(""),
                Some(rest) => rest.strip_prefix('.'),
                None => None,
            };
            if let Some(rest) = rest.filter(|_| count < MOST) {
                self.inner[count] = (rest, *at);
                count += 1;
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_those_of_their_keys_and_nothing_is_left_of_the_object_before() {
        let mut picker = Picker::new(["ts", "a.b", "c", "d.e"].map(str::to_owned).to_vec());
        let mut cells = |text: &str| {
            let read = picker.read(text.as_bytes()).map_err(|error| error.to_string());
            read.map(|is_one| is_one.then(|| (0..4).map(|at| picker.cell(at).to_owned()).collect::<Vec<_>>()))
        };
        let row = |cells: [&str; 4]| Ok(Some(cells.map(str::to_owned).to_vec()));
        let text = r#"{"x": [{"ts": 9}], "ts": "1767603600.123456789", "a": {"c": 8, "b": 2.5}, "c": null, "d.e": true}"#;
        assert_eq!(cells(text), row(["1767603600.123456789", "2.5", "", "true"]));
        assert_eq!(cells(r#"{"ts": " 5\u0020", "a": 7, "c": [1]}"#), row(["5", "", "", ""]));
        let quick = r#"{"ts":1767603600.123456789,"c":-0.50,"x":{"y":[1,{}]}}"#;
        assert_eq!(cells(quick), row(["1767603600.123456789", "", "-0.50", ""]));
        assert_eq!(cells(r#"{"c": [1, {"x": "}"}, []], "ts": 7 , "c": 1e3 } "#), row(["7", "", "1000", ""]));
        assert_eq!(cells("[1]"), Ok(None));
        for broken in [
            r#"{"ts": 01}"#,
            r#"{"ts": 1.}"#,
            r#"{"ts": 1,}"#,
            r#"{"ts": tru}"#,
            "{\"ts\": \"a\tb\"}",
            r#"{"ts" 1}"#,
            r#"{"c": [1,]}"#,
            "{",
        ] {
            assert!(cells(broken).is_err(), "{broken}");
        }
        assert!(cells("{\"ts\": 5").is_err() && cells("{} x").is_err() && cells("x").is_err());
    }
}
