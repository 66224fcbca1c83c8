//! The content of a load test: text, and the JSON or YAML that it may be.

use serde_json::Value;

use crate::traffic::Unit;
use crate::traffic::error::At;
use crate::traffic::records::{Broken, Record, Records};
use crate::traffic::table::clip;

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
            _ if is_yaml(text) => {
                // JSON knows no infinity, which reports write for what is not limited.
                let finite = text.replace(".inf", "null").replace(".nan", "null");
                serde_saphyr::from_str(&finite).map_or_else(|_| Vec::new(), |document| vec![document])
            }
            _ => Vec::new(),
        };
        Content { text, documents, unit }
    }

    /// Where a text that begins as JSON is none, and why; nothing for what is read.
    pub(super) fn broken(&self) -> Option<(u64, usize, String)> {
        let begins = matches!(self.text.trim_start().as_bytes().first(), Some(b'{' | b'['));
        if !begins || !self.documents.is_empty() {
            return None;
        }
        let error = serde_json::from_str::<Value>(&finite(self.text)).err()?;
        let said = error.to_string();
        let why = said.split(" at line ").next().unwrap_or_default().to_owned();
        Some((error.line() as u64, error.column().max(1), format!(", column {}: {why}", error.column())))
    }

    /// The document, if there is one alone.
    pub(super) fn document(&self) -> Option<&Value> {
        match self.documents.as_slice() {
            [document] => Some(document),
            _ => None,
        }
    }
}

/// Whether a text is YAML of a tool that writes it: llm-d-benchmark or GuideLLM.
fn is_yaml(text: &str) -> bool {
    let begins = |key: &str| text.starts_with(key) || text.contains(&format!("\n{key}"));
    text.contains("request_performance:") || begins("metrics:") || begins("benchmarks:")
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

/// Why a result cannot be used, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub what: String,
    /// The line, and what of it.
    pub at: Option<(u64, At)>,
    /// Which of several files that are read together.
    pub file: usize,
}

impl Fault {
    /// On this line, as a whole.
    pub(super) fn on(line: u64, what: impl Into<String>) -> Fault {
        Fault { what: what.into(), at: Some((line, At::Line)), file: 0 }
    }

    /// In a cell: its line, what separates the cells there, and its number from 0; `name` is that of its column.
    pub(super) fn in_cell((line, delimiter, index): (u64, u8, usize), name: &str, what: &str) -> Fault {
        let what = format!("line {line}, column `{}`: {what}", clip(name));
        Fault { what, at: Some((line, At::Cell { delimiter, index })), file: 0 }
    }
}

impl From<String> for Fault {
    fn from(what: String) -> Fault {
        Fault { what, at: None, file: 0 }
    }
}

impl From<&str> for Fault {
    fn from(what: &str) -> Fault {
        Fault::from(what.to_owned())
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Fault {
        Fault { what: broken.to_string(), at: broken.line().map(|line| (line, At::Line)), file: 0 }
    }
}

/// A table with a header.
pub(super) struct Table<'a> {
    records: Records<&'a [u8]>,
    delimiter: u8,
    pub header: Vec<String>,
}

impl<'a> Table<'a> {
    /// The table that `text` is.
    ///
    /// # Errors
    /// Its first row cannot be read.
    pub(super) fn of(text: &'a str, delimiter: u8) -> Result<Table<'a>, Fault> {
        let mut records = Records::new(text.as_bytes(), delimiter);
        let header = records.next_row()?.map(|header| header.iter().map(str::to_owned).collect());
        Ok(Table { records, delimiter, header: header.unwrap_or_default() })
    }

    /// Where a column is.
    pub(super) fn at(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The same of a column that has to be there.
    pub(super) fn needed(&self, name: &str) -> Result<usize, Fault> {
        self.at(name).ok_or_else(|| format!("has no column `{name}`").into())
    }

    /// The next row.
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'_>>, Fault> {
        let Table { records, delimiter, header } = self;
        Ok(records.next_row()?.map(|record| Row { record, delimiter: *delimiter, header }))
    }
}

/// A row of a table.
pub(super) struct Row<'a> {
    pub record: Record<'a>,
    delimiter: u8,
    header: &'a [String],
}

impl Row<'_> {
    /// A cell that may be missing.
    pub(super) fn text(&self, at: usize) -> Option<&str> {
        self.record.get(at).filter(|cell| !cell.is_empty())
    }

    /// A cell that may be missing or be anything.
    pub(super) fn maybe(&self, at: usize) -> Option<f64> {
        let number: f64 = self.record.get(at)?.parse().ok()?;
        number.is_finite().then_some(number)
    }

    /// A cell that has to be a number.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn number(&self, at: usize) -> Result<f64, Fault> {
        self.maybe(at).ok_or_else(|| {
            let cell = self.record.get(at).unwrap_or_default();
            self.fault(at, &format!("`{}` is no number", clip(cell)))
        })
    }

    /// What is wrong with a cell.
    pub(super) fn fault(&self, at: usize, what: &str) -> Fault {
        let name = self.header.get(at).map_or("", String::as_str);
        Fault::in_cell((self.record.line(), self.delimiter, at), name, what)
    }
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
