//! A text and places in it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that was read, under the name that messages show.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    first_line: usize,
}

/// Bytes of a [`Source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub source: Arc<Source>,
    /// The bytes, from the start of the text.
    pub bytes: Range<usize>,
}

/// Line and column as an editor shows them, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// Line. LF and CRLF each end one.
    pub line: usize,
    /// Column in characters, not bytes.
    pub column: usize,
}

impl Source {
    /// A whole text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Source::excerpt(name, text, 1)
    }

    /// Part of a text that is too long to be kept, from the start of line `first_line` (from 1) on.
    pub fn excerpt(name: impl Into<String>, text: impl Into<String>, first_line: usize) -> Arc<Source> {
        Arc::new(Source { name: name.into(), text: text.into(), first_line })
    }

    /// The name that messages show: most often the path of a file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Number of the first line, from 1.
    pub fn first_line(&self) -> usize {
        self.first_line
    }

    /// Line and column of a byte; those of the end of the text for what lies behind it.
    pub fn line_column(&self, byte: usize) -> LineColumn {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        LineColumn {
            line: self.first_line + before.matches('\n').count(),
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.name, self.text.len())
    }
}

impl Span {
    /// These bytes of `source`.
    pub fn new(source: &Arc<Source>, bytes: Range<usize>) -> Span {
        Span { source: source.clone(), bytes }
    }

    /// All of `source`.
    pub fn whole(source: &Arc<Source>) -> Span {
        Span::new(source, 0..source.text.len())
    }

    /// The bytes as text; empty where they are none of the source's.
    pub fn text(&self) -> &str {
        self.source.text.get(self.bytes.clone()).unwrap_or_default()
    }

    /// Line and column of the first byte.
    pub fn line_column(&self) -> LineColumn {
        self.source.line_column(self.bytes.start)
    }

    /// The bytes to point at; `None` for the whole text, which has no place of its own.
    pub fn pointed(&self) -> Option<Range<usize>> {
        let text = self.source.text();
        let (start, end) = (self.bytes.start.min(text.len()), self.bytes.end.min(text.len()));
        let everywhere = start == 0 && end == text.len();
        (!everywhere && text.is_char_boundary(start) && text.is_char_boundary(end))
            .then_some(start..end.max(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_lf_or_crlf_and_columns_count_characters() {
        for end in ["\n", "\r\n"] {
            let source = Source::new("a", format!("one{end}zwölf{end}{end}drei"));
            let at = |needle: &str| {
                let LineColumn { line, column } = source.line_column(source.text().find(needle).unwrap());
                (line, column)
            };
            assert_eq!((at("one"), at("lf"), at("drei")), ((1, 1), (2, 4), (4, 1)), "{end:?}");
        }
        let source = Source::excerpt("a", "x\nöy", 40);
        assert_eq!(
            source.line_column(3),
            LineColumn { line: 41, column: 1 },
            "within a character: its start"
        );
        assert_eq!(source.line_column(99), LineColumn { line: 41, column: 3 });
    }

    #[test]
    fn a_whole_text_has_no_place_of_its_own() {
        let source = Source::new("a", "text");
        assert_eq!(Span::whole(&source).pointed(), None);
        assert_eq!(Span::new(&source, 1..2).pointed(), Some(1..2));
        assert_eq!(Span::new(&source, 1..2).text(), "e");
    }
}
