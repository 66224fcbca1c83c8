//! Logs: a line a request.

use std::io::{BufRead as _, Read as _};

use super::super::Recorded;
use super::super::reading::Reading;
use super::super::requests::{Gathered, Row};
use super::super::wanted::Wanted;
use super::Recording;
use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::error::unreadable;
use crate::traffic::moment::TimeForm;
use crate::traffic::table::open;

/// The longest line of a log that is read.
const LINE_BYTES: u64 = 1 << 20;

/// How a log is read.
pub(super) struct Log<'a> {
    /// Name of the form, and what it is.
    pub form: (&'a str, &'a str),
    /// Where the instants stand and how they are written.
    pub time: &'a str,
    /// Whether the durations include waiting at the server.
    pub waiting: bool,
}

/// Reads a log by what `row` makes of each line: a request, nothing (a comment), or why it cannot be used.
pub(super) fn read_log(
    file: &NamedFile<'_>,
    wanted: &Wanted,
    log: &Log<'_>,
    mut row: impl FnMut(&str) -> Result<Option<Row>, &'static str>,
    notes: impl FnOnce(&mut Reading),
) -> Result<Recording, FileError> {
    let mut reader = open(file, "log")?;
    let mut reading = Reading::of(file.shown, log.form.0, log.form.1);
    reading.time = log.time.into();
    let mut gathered = Gathered::new();
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        number += 1;
        let read = reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line);
        let read = read.map_err(|error| unreadable(file, &error))? as u64;
        if read == 0 {
            break;
        }
        if read == LINE_BYTES {
            let label = "expected lines of at most 1 MiB".to_owned();
            return Err(FileError::at_line(file.shown, number, " is too long", label));
        }
        // Logs hold what clients send, which need not be UTF-8.
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        match row(text) {
            Ok(Some(row)) => gathered.push(row, || number),
            Ok(None) => {}
            Err(reason) => reading.skip(|| number, reason, wanted.strict)?,
        }
    }
    notes(&mut reading);
    let (reading, requests) = gathered.finish(reading, wanted, TimeForm::Zoned, log.waiting)?;
    Ok(Recording { reading, content: Recorded::Requests(requests) })
}

/// The tokens of a line: separated by blanks, or within quotation marks or brackets.
pub(super) fn tokens(line: &str) -> Vec<&str> {
    const MOST: usize = 64;
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && tokens.len() < MOST {
        let (token, after) = match rest.as_bytes()[0] {
            b'"' => quoted(&rest[1..]),
            b'[' => rest[1..].split_once(']').unwrap_or((&rest[1..], "")),
            _ => rest.split_once(' ').unwrap_or((rest, "")),
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

/// What stands before the closing quotation mark, and after it; a mark after a backslash closes nothing.
fn quoted(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return (&text[..at], &text[at + 1..]),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    (text, "")
}

/// Nanoseconds of a number of seconds; `None` for −1, which is none.
pub(super) fn seconds(token: &str) -> Option<u64> {
    let seconds: f64 = token.parse().ok()?;
    (0.0..1e9).contains(&seconds).then(|| (seconds * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_words_quoted_texts_and_what_stands_in_brackets() {
        let line = r#"1.2.3.4 - - [05/Nov/2024:09:00:00 +0000] "GET /a\"b HTTP/1.1" 200 "-" x"#;
        let expected =
            ["1.2.3.4", "-", "-", "05/Nov/2024:09:00:00 +0000", r#"GET /a\"b HTTP/1.1"#, "200", "-", "x"];
        assert_eq!(tokens(line), expected);
        assert_eq!(tokens("a \"open"), ["a", "open"]);
        assert_eq!(tokens("[open"), ["open"]);
    }
}
