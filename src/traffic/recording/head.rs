//! The first bytes of a file, by which its form is recognised.

use std::io::Read as _;

use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::error::unreadable;
use crate::traffic::table::open;

/// Enough for the keys of any document and some hundred rows of any table.
const BYTES: u64 = 128 << 10;

/// The first bytes of a file.
#[derive(Debug)]
pub(in crate::traffic) struct Head {
    /// As text, without a byte order mark; the last line may be cut off.
    pub text: String,
    /// Whether this is all of it.
    pub whole: bool,
    /// Keys of a JSON document with their depth, from 1; none for what begins otherwise.
    keys: Vec<(usize, String)>,
}

impl Head {
    /// Reads it.
    ///
    /// # Errors
    /// The file cannot be read, or is plainly no text.
    pub(in crate::traffic) fn read(file: &NamedFile<'_>) -> Result<Head, FileError> {
        let mut bytes = Vec::new();
        let reader = open(file, "file of traffic")?;
        reader.take(BYTES).read_to_end(&mut bytes).map_err(|error| unreadable(file, &error))?;
        if bytes.iter().take(4096).any(|byte| *byte == 0) {
            let error = FileError::whole(file.shown, "is a binary file", "expected text");
            return Err(error.with_help("see docs/your-data.md for the forms that are read"));
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_start_matches('\u{feff}').to_owned();
        let whole = (bytes.len() as u64) < BYTES;
        let begins = matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['));
        let mut head = Head { text, whole, keys: Vec::new() };
        // Of lines of which most are objects the others are lines of a log between them.
        if begins || head.share(is_object) > 0.5 {
            let start = head.text.find(['{', '[']).unwrap_or(0);
            head.keys = keys(&head.text[start..]);
        }
        Ok(head)
    }

    /// Whether it begins as JSON does.
    pub(in crate::traffic) fn is_json(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether it is one JSON object or list over the whole file, rather than an object a line.
    pub(in crate::traffic) fn is_json_document(&self) -> bool {
        let text = self.text.trim_start();
        let first = text.lines().next().unwrap_or_default();
        let more = text.lines().nth(1).is_some_and(|line| !line.trim().is_empty());
        match text.as_bytes().first() {
            Some(b'[') => true,
            Some(b'{') => !(more && serde_json::from_str::<serde_json::Value>(first).is_ok()),
            _ => false,
        }
    }

    /// Whether a JSON document has this key at any depth up to the third.
    pub(in crate::traffic) fn has_key(&self, key: &str) -> bool {
        self.keys.iter().any(|(depth, known)| *depth <= 3 && known == key)
    }

    /// Whether it has this key at this depth, from 1.
    pub(in crate::traffic) fn has_key_at(&self, depth: usize, key: &str) -> bool {
        self.keys.iter().any(|(at, known)| *at == depth && known == key)
    }

    /// Whether it is one JSON object around a list of objects.
    pub(in crate::traffic) fn wraps_list(&self) -> bool {
        let follows = |rest: &str| {
            let rest = rest.trim_start().strip_prefix('[').map(str::trim_start);
            rest.is_some_and(|rest| rest.starts_with('{'))
        };
        self.text.trim_start().starts_with('{')
            && self.is_json_document()
            && self.text.match_indices(':').any(|(at, _)| follows(&self.text[at + 1..]))
    }

    /// The first few keys of the first level, for messages.
    pub(in crate::traffic) fn first_keys(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (_, key) in &self.keys {
            if !names.contains(&key.as_str()) && names.len() < 8 {
                names.push(key);
            }
        }
        names
    }

    /// Lines that hold something, the one that may be cut off left out.
    pub(in crate::traffic) fn lines(&self) -> impl Iterator<Item = &str> {
        let end = if self.whole { self.text.len() } else { self.text.rfind('\n').unwrap_or(self.text.len()) };
        self.text[..end].lines().map(str::trim_end).filter(|line| !line.trim().is_empty())
    }

    /// The share of the first lines that `is_one`.
    pub(in crate::traffic) fn share(&self, is_one: impl Fn(&str) -> bool) -> f64 {
        let lines: Vec<&str> = self.lines().take(50).collect();
        let found = lines.iter().filter(|line| is_one(line)).count();
        if lines.is_empty() { 0.0 } else { found as f64 / lines.len() as f64 }
    }
}

fn is_object(line: &str) -> bool {
    line.trim_start().starts_with('{') && line.ends_with('}')
}

/// The keys of a JSON text with their depths, as far as it goes.
fn keys(text: &str) -> Vec<(usize, String)> {
    const MOST: usize = 2000;
    let (mut keys, mut depth) = (Vec::new(), 0_usize);
    let mut lists = Vec::new();
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' => {
                depth += 1;
                lists.push(false);
            }
            b'[' => lists.push(true),
            b'}' | b']' => depth = depth.saturating_sub(usize::from(lists.pop() == Some(false))),
            b'"' => {
                let mut end = None;
                while let Some((index, byte)) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => {
                            end = Some(index);
                            break;
                        }
                        _ => {}
                    }
                }
                let Some(end) = end else { break };
                let follows = text[end + 1..].trim_start().starts_with(':');
                if follows && keys.len() < MOST {
                    keys.push((depth, text[at + 1..end].to_owned()));
                }
            }
            _ => {}
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_document_are_found_with_their_depth_even_if_it_is_cut_off() {
        let found = keys(r#"{"a": [{"b c": "x\"y:", "d": {"e": 1}}], "f": "#);
        let found: Vec<(usize, &str)> = found.iter().map(|(depth, key)| (*depth, key.as_str())).collect();
        assert_eq!(found, [(1, "a"), (2, "b c"), (2, "d"), (3, "e"), (1, "f")]);
    }
}
