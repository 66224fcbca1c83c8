//! The account of a file: what was read, what was skipped and why, and how it was understood.

use serde::Serialize;

use crate::traffic::FileError;
use crate::traffic::error::At;
use crate::traffic::moment;

/// How a file was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reading {
    /// The file, as the user named it.
    pub file: String,
    /// Name of its form.
    pub format: String,
    /// What the form is, in words.
    pub form: String,
    /// Rows that hold something.
    pub rows: u64,
    /// Rows that were used.
    pub used: u64,
    /// Rows that were not, by reason.
    pub skipped: Vec<Skipped>,
    /// Where the instants stand and how they are written.
    pub time: String,
    /// The first instant, as a date where it is one.
    pub first: String,
    /// The last instant.
    pub last: String,
    /// The first instant in nanoseconds since 1970; `None` if instants count from the start of the recording.
    pub began: Option<i64>,
    /// What was assumed, changed or noticed, a sentence each.
    pub notes: Vec<String>,
}

/// Why a row cannot be used.
#[derive(Debug)]
pub(super) struct BadCell {
    /// In general, for counting.
    pub reason: String,
    /// Which cell and what it holds.
    pub place: String,
    /// What was expected of it.
    pub expected: String,
    /// Its column, from 0.
    pub at: usize,
}

/// Rows that were skipped for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Why.
    pub reason: String,
    /// How many.
    pub rows: u64,
    /// Lines of the first few, from 1.
    pub lines: Vec<u64>,
}

impl Reading {
    pub(super) fn of(shown: &str, format: &str, form: impl Into<String>) -> Self {
        Reading { file: shown.into(), format: format.into(), form: form.into(), ..Reading::default() }
    }

    pub(super) fn note(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.notes.contains(&sentence) {
            self.notes.push(sentence);
        }
    }

    /// Leaves out the row at `line`.
    ///
    /// # Errors
    /// No row may be left out: `strict`.
    pub(super) fn skip(
        &mut self,
        line: impl Fn() -> u64,
        reason: &str,
        strict: bool,
    ) -> Result<(), FileError> {
        self.skip_line(&line, reason, strict)
    }

    /// Compiled once, whatever tells the line.
    fn skip_line(&mut self, line: &dyn Fn() -> u64, reason: &str, strict: bool) -> Result<(), FileError> {
        const LINES: usize = 5;
        const REASONS: usize = 20;
        if strict {
            let label = "expected a row that can be read, as `strict` is set".to_owned();
            return Err(FileError::at_line(&self.file, line(), &format!(": {reason}"), label));
        }
        match self.skipped.iter().position(|skipped| skipped.reason == reason) {
            Some(at) => {
                let skipped = &mut self.skipped[at];
                skipped.rows += 1;
                if skipped.lines.len() < LINES {
                    skipped.lines.push(line());
                }
            }
            None if self.skipped.len() < REASONS => {
                self.skipped.push(Skipped { reason: reason.into(), rows: 1, lines: vec![line()] });
            }
            None => {
                if let Some(last) = self.skipped.last_mut() {
                    last.reason = "other reasons".into();
                    last.rows += 1;
                }
            }
        }
        Ok(())
    }

    /// Leaves out the row at `line` for a cell of it, which stands at `part` of the line.
    ///
    /// # Errors
    /// No row may be left out: `strict`.
    pub(super) fn skip_cell(
        &mut self,
        line: impl Fn() -> u64,
        bad: &BadCell,
        part: At,
        strict: bool,
    ) -> Result<(), FileError> {
        if strict {
            let error = FileError::at_line(&self.file, line(), &bad.place, bad.expected.clone());
            return Err(error.at_part(part));
        }
        self.skip(line, &bad.reason, strict)
    }

    /// Rows skipped in all.
    pub fn skipped_rows(&self) -> u64 {
        self.skipped.iter().map(|skipped| skipped.rows).sum()
    }

    /// Whether what was skipped leaves the reading in doubt: more than what was used.
    ///
    /// # Errors
    /// It does.
    pub(super) fn is_enough(&self) -> Result<(), FileError> {
        let skipped = self.skipped_rows();
        let first = self.skipped.iter().max_by_key(|skipped| skipped.rows);
        let Some(first) = first.filter(|_| skipped > self.used) else { return Ok(()) };
        let what = format!(
            "was taken for {}, but {skipped} of its {} rows cannot be read so: {} (line {})",
            self.form,
            self.used + skipped,
            first.reason,
            first.lines.first().copied().unwrap_or_default(),
        );
        let error = FileError::whole(&self.file, &what, "expected rows of this form");
        Err(error.with_help("say what it is with `format`, and which columns are meant"))
    }

    pub(super) fn set_span(&mut self, first: i64, last: i64, absolute: bool) {
        self.first = moment::shown(first, absolute);
        self.began = absolute.then_some(first);
        self.last = moment::shown(last, absolute);
    }

    /// The account as lines for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{}: {}", self.file, self.form),
            format!("  rows     {} read, {} used, {} skipped", self.rows, self.used, self.skipped_rows()),
        ];
        for Skipped { reason, rows, lines: at } in &self.skipped {
            let at: Vec<String> = at.iter().map(u64::to_string).collect();
            let more = if *rows > at.len() as u64 { ", …" } else { "" };
            lines.push(format!("           {rows} skipped: {reason} (line {}{more})", at.join(", ")));
        }
        lines.push(format!("  time     {}", self.time));
        lines.push(format!("  first    {}", self.first));
        lines.push(format!("  last     {}", self.last));
        lines.extend(self.notes.iter().map(|note| format!("  note     {note}")));
        lines
    }

    /// What a run that uses the file has to say of rows that were skipped, if any were.
    pub fn skipped_words(&self) -> Option<String> {
        if self.skipped_rows() == 0 {
            return None;
        }
        let reasons: Vec<String> = self
            .skipped
            .iter()
            .map(|skipped| {
                let at: Vec<String> = skipped.lines.iter().map(u64::to_string).collect();
                format!("{} (line {})", skipped.reason, at.join(", "))
            })
            .collect();
        let (skipped, rows) = (self.skipped_rows(), self.rows);
        Some(format!("`{}`: {skipped} of {rows} rows were skipped: {}", self.file, reasons.join("; ")))
    }
}
