//! Results and reports as JSON.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use super::form::TextFormat;
use crate::report::content::Report;
use crate::report::results::Results;
use crate::report::summary::Summary;

/// `summary.json`: every figure of a result.
pub fn summary(report: &Report<'_>) -> String {
    let mut text = Vec::new();
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut text, Lines { depth: 0, is_empty: true });
    // As below: it cannot fail.
    let _ = Summary::of(&report.results).serialize(&mut serializer);
    text.push(b'\n');
    String::from_utf8(text).unwrap_or_default()
}

/// Depth up to which each value has a line of its own.
const OUTER: usize = 2;

/// Lines for people, without a hundred for each of ten thousand points: what is deeper than [`OUTER`] stays on one line, so
/// that a figure of a run is one, and a point of a sweep.
struct Lines {
    depth: usize,
    /// Whether what was begun last has had no value yet.
    is_empty: bool,
}

impl Lines {
    fn begin<W: ?Sized + io::Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        out.write_all(bracket)
    }

    fn end<W: ?Sized + io::Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.depth <= OUTER && !self.is_empty {
            self.new_line(out, self.depth - 1)?;
        }
        self.depth -= 1;
        self.is_empty = false;
        out.write_all(bracket)
    }

    fn next<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        let comma: &[u8] = if first { b"" } else { b"," };
        out.write_all(comma)?;
        match (self.depth <= OUTER, first) {
            (true, _) => self.new_line(out, self.depth),
            (false, true) => Ok(()),
            (false, false) => out.write_all(b" "),
        }
    }

    fn new_line<W: ?Sized + io::Write>(&self, out: &mut W, depth: usize) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }
}

/// `recommendation.json`: all that a recommendation came to; `None` for other results.
pub fn recommendation(report: &Report<'_>) -> Option<String> {
    matches!(report.results, Results::Recommend(..)).then(|| summary(report))
}

/// The whole report as one JSON document.
pub const FORMAT: TextFormat = TextFormat { name: "report-json", text: report };

/// The whole report, as a page or a program reads it.
pub fn report(report: &Report<'_>) -> String {
    text(report)
}

fn text(content: &impl Serialize) -> String {
    // Writing plain data to memory cannot fail: keys are text, and a number that is not finite is written as null.
    let mut text = serde_json::to_string_pretty(content).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::report::example;

    #[test]
    fn a_summary_has_a_line_for_each_figure() {
        let text = example::report("day", super::summary);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["command"], "run");
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines.contains(&"{") && lines.contains(&"}") && lines.contains(&"  \"complete\": true,"),
            "{text}"
        );
        assert!(lines.contains(&"    \"arrived\": \"requests\","), "{text}");
        assert!(lines.contains(&"  \"warnings\": [],"), "an empty list takes no lines: {text}");
    }

    #[test]
    fn a_report_is_whole_as_json() {
        let text = example::report("day", super::report);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["head"]["title"], "day");
        assert_eq!(json["answer"][0]["text"], "day");
        assert_eq!(json["tables"][0]["rows"][0]["cells"][1]["text"], "12.5");
        assert_eq!(json["charts"][0]["chart"]["kind"], "comparison");
        assert_eq!(json["runs"][0]["windows"]["arrived"], serde_json::json!([3]));
        assert_eq!(json["summary"]["command"], "run");
    }
}
