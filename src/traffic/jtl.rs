//! Samples of JMeter in XML: an element each, of which those within another are its parts.

use std::io::{BufRead, Read as _};

/// The longest element or text between two that is read.
const BYTES: u64 = 16 << 20;

/// Whether a text is, or begins as, a JTL file in XML.
pub(super) fn is_one(text: &str) -> bool {
    text.trim_start().starts_with('<') && text.contains("<testResults")
}

/// A request that was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct JtlSample {
    /// The line on which its element begins.
    pub line: u64,
    /// When it was sent, since 1970.
    pub start_ms: u64,
    pub elapsed_ms: u64,
    /// To the first byte of the answer.
    pub first_ms: Option<u64>,
    pub succeeded: bool,
    /// Users of the test at that time.
    pub threads: Option<f64>,
}

/// What is wrong with a file, and on which line.
#[derive(Debug, PartialEq)]
pub(super) struct JtlFault {
    pub line: u64,
    pub what: String,
}

/// Reads samples one by one.
#[derive(Debug)]
pub(super) struct JtlSamples<R> {
    reader: R,
    line: u64,
    /// Elements that are open.
    depth: usize,
    tag: Vec<u8>,
    parts: u64,
    is_cut: bool,
}

impl<R: BufRead> JtlSamples<R> {
    pub(super) fn new(reader: R) -> Self {
        JtlSamples { reader, line: 1, depth: 0, tag: Vec::new(), parts: 0, is_cut: false }
    }

    /// The next sample that is no part of another.
    ///
    /// # Errors
    /// The file cannot be read, or a sample has no times.
    pub(super) fn next_sample(&mut self) -> Result<Option<JtlSample>, JtlFault> {
        loop {
            let Some(line) = self.next_tag()? else { return Ok(None) };
            let text = String::from_utf8_lossy(&self.tag);
            let tag = text.trim_end_matches('>');
            match tag.as_bytes().first() {
                Some(b'?' | b'!') => continue,
                Some(b'/') => {
                    self.depth = self.depth.saturating_sub(1);
                    continue;
                }
                _ => {}
            }
            let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
            let is_sample = matches!(name, "httpSample" | "sample");
            let depth = self.depth;
            self.depth += usize::from(!tag.ends_with('/'));
            if is_sample && depth == 1 {
                return sample(tag, line).map(Some);
            }
            self.parts += u64::from(is_sample);
        }
    }

    /// What was noticed.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.parts > 0 {
            notes.push(format!("{} samples are parts of others, and not counted beside them", self.parts));
        }
        if self.is_cut {
            notes.push(
                "the file ends before its last element does: the run was stopped, or still goes on".into(),
            );
        }
        notes
    }

    /// Reads the next tag, from behind its `<` to its `>`; gives its line.
    fn next_tag(&mut self) -> Result<Option<u64>, JtlFault> {
        self.tag.clear();
        self.read_to(b'<')?;
        if self.tag.last() != Some(&b'<') {
            self.is_cut |= self.depth > 0;
            return Ok(None);
        }
        let line = self.line;
        self.tag.clear();
        loop {
            if !self.read_to(b'>')? {
                self.is_cut = true;
                return Ok(None);
            }
            let is_whole = match self.tag.as_slice() {
                [b'!', b'-', b'-', ..] => self.tag.ends_with(b"-->"),
                [b'!', b'[', ..] => self.tag.ends_with(b"]]>"),
                // Values of attributes may hold `>`, but not a quotation mark.
                tag => tag.iter().filter(|byte| **byte == b'"').count().is_multiple_of(2),
            };
            if is_whole {
                return Ok(Some(line));
            }
        }
    }

    /// Adds the bytes up to and with `mark` to the tag; whether it came.
    fn read_to(&mut self, mark: u8) -> Result<bool, JtlFault> {
        let (line, from) = (self.line, self.tag.len());
        let fault = |what: String| JtlFault { line, what };
        self.reader
            .by_ref()
            .take(BYTES)
            .read_until(mark, &mut self.tag)
            .map_err(|error| fault(format!("it cannot be read: {error}")))?;
        if self.tag.len() as u64 >= BYTES {
            return Err(fault("an element of more than 16 MiB begins here".into()));
        }
        self.line += self.tag[from..].iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(self.tag.len() > from && self.tag.last() == Some(&mark))
    }
}

fn sample(tag: &str, line: u64) -> Result<JtlSample, JtlFault> {
    let millis = |name: &str, what: &str| {
        let text = attribute(tag, name);
        text.and_then(|text| text.split('.').next()?.parse::<u64>().ok()).ok_or_else(|| JtlFault {
            line,
            what: match text {
                Some(_) => format!("the attribute `{name}` ({what}) is no number of milliseconds"),
                None => format!("a sample has no attribute `{name}` ({what})"),
            },
        })
    };
    Ok(JtlSample {
        line,
        start_ms: millis("ts", "when it was sent")?,
        elapsed_ms: millis("t", "how long it took")?,
        // 0 is what JMeter writes where it knows none.
        first_ms: attribute(tag, "lt").and_then(|text| text.parse().ok()).filter(|millis| *millis > 0),
        succeeded: attribute(tag, "s") == Some("true"),
        threads: attribute(tag, "na")
            .and_then(|text| text.parse().ok())
            .filter(|count: &f64| count.is_finite()),
    })
}

/// The value of an attribute as it is written.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = tag;
    loop {
        let (before, after) = rest.split_once("=\"")?;
        let (value, next) = after.split_once('"')?;
        if before.rsplit(char::is_whitespace).next() == Some(name) {
            return Some(value);
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<JtlSample>, Vec<String>), JtlFault> {
        let mut samples = JtlSamples::new(std::io::BufReader::with_capacity(5, text.as_bytes()));
        let mut found = Vec::new();
        while let Some(sample) = samples.next_sample()? {
            found.push(sample);
        }
        Ok((found, samples.notes()))
    }

    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testResults version=\"1.2\">\n";

    #[test]
    fn samples_are_read_with_their_lines_and_parts_are_not_counted() {
        let text = format!(
            "{HEAD}<httpSample t=\"400\" lt=\"150\" ts=\"1767603600000\" s=\"true\" lb=\"a > t=&quot;1&quot;\" na=\"2\"/>\n\
             <!-- <httpSample/> \"> -->\n<sample t=\"90\" lt=\"0\"\n  ts=\"1767603600100\" s=\"false\">\n\
             <httpSample t=\"45\" ts=\"1767603600100\" s=\"true\"><responseData>x</responseData></httpSample>\n</sample>\n</testResults>\n"
        );
        let one = JtlSample {
            line: 3,
            start_ms: 1_767_603_600_000,
            elapsed_ms: 400,
            first_ms: Some(150),
            succeeded: true,
            threads: Some(2.0),
        };
        let other = JtlSample {
            line: 5,
            start_ms: 1_767_603_600_100,
            elapsed_ms: 90,
            first_ms: None,
            succeeded: false,
            threads: None,
        };
        let (found, notes) = read(&text).unwrap();
        assert_eq!(found, [one, other]);
        assert_eq!(notes, ["1 samples are parts of others, and not counted beside them"]);
    }

    #[test]
    fn a_run_that_was_stopped_is_read_up_to_there_and_a_sample_without_times_refused() {
        let (found, notes) = read(&format!("{HEAD}<sample t=\"1\" ts=\"5\"/>\n<sample t=\"1\"")).unwrap();
        assert_eq!((found.len(), notes.len()), (1, 1));
        let fault = read(&format!("{HEAD}\n<sample t=\"1\"/>")).unwrap_err();
        assert_eq!(fault.line, 4);
        assert_eq!(fault.what, "a sample has no attribute `ts` (when it was sent)");
    }
}
