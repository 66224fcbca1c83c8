//! The content of a load test: text, and the JSON or YAML that it may be.

use serde_json::Value;

use crate::traffic::Unit;

/// The content of a file.
pub(super) struct Content<'a> {
    /// The whole text.
    pub text: &'a str,
    /// JSON objects: one document, or one a line; one of YAML where it is no JSON.
    pub documents: Vec<Value>,
    /// Unit of times in a table that say none.
    pub unit: Option<Unit>,
}

impl<'a> Content<'a> {
    pub(super) fn of(text: &'a str, unit: Option<Unit>) -> Content<'a> {
        let begins = text.trim_start().as_bytes().first().copied();
        let documents = match begins {
            Some(b'{' | b'[') => match serde_json::from_str(text) {
                Ok(document) => vec![document],
                Err(_) => {
                    let finite = finite(text);
                    match serde_json::from_str(&finite) {
                        Ok(document) => vec![document],
                        Err(_) => finite.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
                    }
                }
            },
            _ if text.contains("request_performance:") || text.contains("\nmetrics:") => {
                // JSON knows no infinity, which reports write for what is not limited.
                let finite = text.replace(".inf", "null").replace(".nan", "null");
                serde_saphyr::from_str(&finite).map_or_else(|_| Vec::new(), |document| vec![document])
            }
            _ => Vec::new(),
        };
        Content { text, documents, unit }
    }

    /// Where a text that begins as JSON is none, and why; nothing for what is read.
    pub(super) fn broken(&self) -> Option<(u64, String)> {
        let begins = matches!(self.text.trim_start().as_bytes().first(), Some(b'{' | b'['));
        if !begins || !self.documents.is_empty() {
            return None;
        }
        let error = serde_json::from_str::<Value>(&finite(self.text)).err()?;
        let said = error.to_string();
        let why = said.split(" at line ").next().unwrap_or_default().to_owned();
        Some((error.line() as u64, format!(", column {}: {why}", error.column())))
    }

    /// The document, if there is one alone.
    pub(super) fn document(&self) -> Option<&Value> {
        match self.documents.as_slice() {
            [document] => Some(document),
            _ => None,
        }
    }
}

/// JSON with `null` for what is no number: Python writes `NaN` and `Infinity`.
fn finite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word =
            ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| !quoted && rest.starts_with(word));
        if let Some(word) = word {
            out.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// The number at a JSON pointer, also if it is text.
pub(super) fn number(value: &Value, pointer: &str) -> Option<f64> {
    let found = value.pointer(pointer)?;
    let number = found.as_f64().or_else(|| found.as_str()?.trim().parse().ok())?;
    number.is_finite().then_some(number)
}

/// Seconds of a number of milliseconds at a pointer.
pub(super) fn millis(value: &Value, pointer: &str) -> Option<f64> {
    number(value, pointer).map(|millis| millis / 1e3)
}

/// Seconds of a duration as tools print it: `128.00ms`, `1.20s`, `252µs`.
pub(super) fn printed_seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let value: f64 = text[..end].parse().ok()?;
    let factor = match text[end..].trim() {
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" | "secs" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Some(value * factor)
}
