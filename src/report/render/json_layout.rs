//! JSON in three layouts, by one writer: how a type is written is compiled for each writer that it meets.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Depth up to which each value has a line of its own in [`Layout::Values`].
const OUTER: usize = 2;

/// Where lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Nowhere: for programs.
    Compact,
    /// For people, without a hundred lines for each of ten thousand points: what is deeper than two levels stays on one line,
    /// so that a figure of a run is one, and a point of a sweep.
    Values,
    /// After each value.
    Lines,
}

impl Layout {
    /// Plain data as JSON.
    pub fn write(self, content: &impl Serialize) -> String {
        let mut text = Vec::new();
        let written = Written { layout: self, depth: 0, is_empty: true };
        // Writing plain data to memory cannot fail: keys are text, and a number that is not finite is written as null.
        let _ = content.serialize(&mut Serializer::with_formatter(&mut text, written));
        String::from_utf8(text).unwrap_or_default()
    }
}

/// What has been written so far.
struct Written {
    layout: Layout,
    depth: usize,
    /// Whether what was begun last has had no value yet.
    is_empty: bool,
}

impl Written {
    fn begin<W: ?Sized + io::Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        out.write_all(bracket)
    }

    fn end<W: ?Sized + io::Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.breaks() && !self.is_empty {
            self.new_line(out, self.depth - 1)?;
        }
        self.depth -= 1;
        self.is_empty = false;
        out.write_all(bracket)
    }

    fn next<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        let comma: &[u8] = if first { b"" } else { b"," };
        out.write_all(comma)?;
        match (self.breaks(), first || self.layout == Layout::Compact) {
            (true, _) => self.new_line(out, self.depth),
            (false, true) => Ok(()),
            (false, false) => out.write_all(b" "),
        }
    }

    /// Whether each value has a line of its own here.
    fn breaks(&self) -> bool {
        match self.layout {
            Layout::Compact => false,
            Layout::Values => self.depth <= OUTER,
            Layout::Lines => true,
        }
    }

    fn new_line<W: ?Sized + io::Write>(&self, out: &mut W, depth: usize) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Written {
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
        out.write_all(if self.layout == Layout::Compact { b":" } else { b": " })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_the_library_but_for_values_on_one_line() {
        let deep = serde_json::json!({
            "a": [1, 2.5, null, "x\"\n"],
            "b": {},
            "c": [],
            "d": { "e": { "f": [{ "g": [], "h": 1 }, true] } }
        });
        assert_eq!(Layout::Compact.write(&deep), serde_json::to_string(&deep).unwrap());
        assert_eq!(Layout::Lines.write(&deep), serde_json::to_string_pretty(&deep).unwrap());
        let values = "{\n  \"a\": [\n    1,\n    2.5,\n    null,\n    \"x\\\"\\n\"\n  ],\n  \"b\": {},\n  \"c\": [],\n  \"d\": {\n    \"e\": {\"f\": [{\"g\": [], \"h\": 1}, true]}\n  }\n}";
        assert_eq!(Layout::Values.write(&deep), values);
    }
}
