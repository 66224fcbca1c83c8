//! Rows of tables with their places: the one reader of values that are separated by a mark.
//!
//! Rows end in LF, CRLF or CR, and blank lines are none. A cell that begins with a quotation mark ends with one, may hold marks and
//! line ends, and `""` in it is one quotation mark; anywhere else a quotation mark is a letter. Blanks around a cell are not of it.
//! Rows lie in one buffer, and nothing is allocated for each.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr3};

use crate::document::{Source, Span};

/// Bytes of the longest row: far more than any row of a table, and few enough to be held. Keeps a file that is one row, or
/// has a quotation mark that nothing closes, from being read whole.
pub(crate) const ROW_BYTES: usize = 16 << 20;

/// Bytes that are read at once.
const PIECE: usize = 1 << 17;

/// The rows of a table, from the first on; a header is a row like the others.
#[derive(Debug)]
pub(crate) struct Records<R> {
    inner: R,
    delimiter: u8,
    buffer: Vec<u8>,
    /// The bytes that are read and not yet taken.
    ready: Range<usize>,
    has_ended: bool,
    has_begun: bool,
    /// The line of the first of them, from 1.
    line: u64,
    cells: Vec<Cell>,
    /// The cells of a row with quotation marks, without these.
    unquoted: String,
}

/// Where a cell stands in its row as it is written, and in the text of the cells.
#[derive(Debug, Clone, Copy)]
struct Cell {
    written: usize,
    start: usize,
    end: usize,
}

/// Why there is no next row.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The file cannot be read.
    Unreadable(io::Error),
    /// The row that begins on this line has more than [`ROW_BYTES`].
    TooLong(u64),
    /// What stands on this line is not UTF-8.
    NotText(u64),
}

impl Broken {
    /// The line it is on, if that is known.
    pub(crate) fn line(&self) -> Option<u64> {
        match self {
            Broken::Unreadable(_) => None,
            Broken::TooLong(line) | Broken::NotText(line) => Some(*line),
        }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Broken::Unreadable(error) => write!(f, "it cannot be read: {error}"),
            Broken::TooLong(_) => write!(f, "a row of more than {} MiB begins here", ROW_BYTES >> 20),
            Broken::NotText(_) => f.write_str("it is not UTF-8 text"),
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    /// As it is written, without its end.
    written: &'a str,
    text: &'a str,
    cells: &'a [Cell],
    line: u64,
}

impl<R: Read> Records<R> {
    /// The rows of `inner`, whose cells are separated by `delimiter`, an ASCII character.
    pub(crate) fn new(inner: R, delimiter: u8) -> Self {
        Records {
            inner,
            delimiter,
            buffer: Vec::new(),
            ready: 0..0,
            has_ended: false,
            has_begun: false,
            line: 1,
            cells: Vec::new(),
            unquoted: String::new(),
        }
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// The file cannot be read, or the row is too long or not UTF-8.
    pub(crate) fn next_row(&mut self) -> Result<Option<Record<'_>>, Broken> {
        self.skip_line_ends()?;
        if self.ready.is_empty() {
            return Ok(None);
        }
        let (length, has_quotes) = self.row_end()?;
        let line = self.line;
        let row = self.ready.start..self.ready.start + length;
        self.ready.start = row.end;
        let written = match std::str::from_utf8(&self.buffer[row.clone()]) {
            Ok(written) => written,
            Err(error) => {
                let before = &self.buffer[row.start..row.start + error.valid_up_to()];
                return Err(Broken::NotText(line + lines_in(before)));
            }
        };
        self.cells.clear();
        if has_quotes {
            self.line += lines_in(written.as_bytes());
            self.unquoted.clear();
            unquote(written, self.delimiter, &mut self.unquoted, &mut self.cells);
            return Ok(Some(Record { written, text: &self.unquoted, cells: &self.cells, line }));
        }
        let mut start = 0;
        for end in memchr_iter(self.delimiter, written.as_bytes()) {
            self.cells.push(Cell { written: start, start, end });
            start = end + 1;
        }
        self.cells.push(Cell { written: start, start, end: length });
        Ok(Some(Record { written, text: written, cells: &self.cells, line }))
    }

    /// Lets `take` have the next rows by itself, as far as they are written as most are. It is given the bytes from the start of a row
    /// on, and gives the number of the rows that it took, each on one line, and of their bytes with the ends of the lines. What it
    /// leaves is for [`Self::next_row`]. Gives the line of the first row, and how many there were.
    ///
    /// # Errors
    /// The file cannot be read.
    #[inline]
    pub(crate) fn next_plain(
        &mut self,
        take: impl FnOnce(&[u8]) -> (usize, usize),
    ) -> Result<(u64, usize), Broken> {
        self.skip_line_ends()?;
        let (rows, bytes) = take(&self.buffer[self.ready.clone()]);
        self.ready.start += bytes;
        let line = self.line;
        self.line += rows as u64;
        Ok((line, rows))
    }

    /// Reads more; the bytes that are ready are then the first of the buffer.
    fn read_more(&mut self) -> Result<(), Broken> {
        self.buffer.copy_within(self.ready.clone(), 0);
        self.ready = 0..self.ready.len();
        if self.ready.end > ROW_BYTES {
            return Err(Broken::TooLong(self.line));
        }
        if self.buffer.len() < self.ready.end + PIECE {
            self.buffer.resize((2 * self.buffer.len()).max(self.ready.end + PIECE), 0);
        }
        loop {
            match self.inner.read(&mut self.buffer[self.ready.end..]) {
                Ok(read) => {
                    self.has_ended = read == 0;
                    self.ready.end += read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::Unreadable(error)),
            }
        }
    }

    /// The byte so far into what is ready, if there is one.
    fn peek(&mut self, at: usize) -> Result<Option<u8>, Broken> {
        while self.ready.len() <= at && !self.has_ended {
            self.read_more()?;
        }
        Ok(self.buffer[self.ready.clone()].get(at).copied())
    }

    fn skip_line_ends(&mut self) -> Result<(), Broken> {
        if !self.has_begun {
            self.has_begun = true;
            self.peek(2)?;
            if self.buffer[self.ready.clone()].starts_with(b"\xef\xbb\xbf") {
                self.ready.start += 3;
            }
        }
        loop {
            match self.peek(0)? {
                Some(b'\n') => self.line += 1,
                Some(b'\r') => self.line += u64::from(self.peek(1)? != Some(b'\n')),
                _ => return Ok(()),
            }
            self.ready.start += 1;
        }
    }

    /// Bytes of the row that begins here, and whether a cell of it is quoted.
    fn row_end(&mut self) -> Result<(usize, bool), Broken> {
        let (mut seen, mut has_quotes) = (0, false);
        loop {
            let ready = &self.buffer[self.ready.clone()];
            match memchr3(b'\n', b'\r', b'"', &ready[seen..]).map(|at| seen + at) {
                None if self.has_ended => return Ok((ready.len(), has_quotes)),
                None => {
                    seen = ready.len();
                    self.read_more()?;
                }
                Some(at) if ready[at] != b'"' => return Ok((at, has_quotes)),
                Some(at) if at == 0 || ready[at - 1] == self.delimiter => {
                    has_quotes = true;
                    seen = self.quote_end(at + 1)?;
                }
                Some(at) => seen = at + 1,
            }
        }
    }

    /// The byte after the quotation mark that closes a cell, or the end of the file.
    fn quote_end(&mut self, from: usize) -> Result<usize, Broken> {
        let mut seen = from;
        loop {
            let ready = &self.buffer[self.ready.clone()];
            match memchr(b'"', &ready[seen.min(ready.len())..]) {
                None if self.has_ended => return Ok(ready.len()),
                None => {
                    seen = ready.len();
                    self.read_more()?;
                }
                Some(at) => {
                    seen += at + 1;
                    if self.peek(seen)? != Some(b'"') {
                        return Ok(seen);
                    }
                    seen += 1;
                }
            }
        }
    }
}

/// Ends of lines; CRLF is one.
fn lines_in(bytes: &[u8]) -> u64 {
    let alone = |(at, byte): (usize, &u8)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    let ends = bytes.iter().enumerate().filter(|(at, byte)| **byte == b'\n' || alone((*at, byte)));
    ends.count() as u64
}

fn unquote(written: &str, delimiter: u8, text: &mut String, cells: &mut Vec<Cell>) {
    let bytes = written.as_bytes();
    let next = |byte: u8, from: usize| memchr(byte, &bytes[from..]).map_or(bytes.len(), |at| from + at);
    let mut at = 0;
    loop {
        let (begins, start) = (at, text.len());
        if bytes.get(at) == Some(&b'"') {
            at += 1;
            loop {
                let quote = next(b'"', at);
                text.push_str(&written[at..quote]);
                at = (quote + 1).min(bytes.len());
                if bytes.get(at) != Some(&b'"') {
                    break;
                }
                text.push('"');
                at += 1;
            }
        }
        let end = next(delimiter, at);
        text.push_str(&written[at..end]);
        cells.push(Cell { written: begins, start, end: text.len() });
        if end == bytes.len() {
            return;
        }
        at = end + 1;
    }
}

impl<'a> Record<'a> {
    /// Number of cells, at least one.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// A cell, from 0, without blanks around it.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&'a str> {
        self.cells.get(at).map(|cell| self.text[cell.start..cell.end].trim())
    }

    /// All cells.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a str> {
        let Record { text, cells, .. } = *self;
        cells.iter().map(move |cell| text[cell.start..cell.end].trim())
    }

    /// The line that it begins on, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The place of a cell in the file of this name, with the text of its line; of the row where there is no such cell.
    pub(crate) fn place(&self, at: usize, file: &str) -> Span {
        let written = self.cells.get(at).map_or(0, |cell| cell.written);
        let bytes = self.written.as_bytes();
        let end = match self.cells.get(at + 1) {
            Some(next) => next.written - 1,
            None => bytes.len(),
        };
        let cell = &self.written[written..end];
        let start = written + (cell.len() - cell.trim_start().len());
        let length = cell.trim().split(['\r', '\n']).next().map_or(0, str::len);
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let line_start = bytes[..start].iter().rposition(is_end).map_or(0, |end| end + 1);
        let line_end = bytes[start..].iter().position(is_end).map_or(bytes.len(), |end| start + end);
        let line = self.line + lines_in(&bytes[..line_start]);
        excerpt_of_line(
            file,
            line,
            &self.written[line_start..line_end],
            start - line_start..start - line_start + length,
        )
    }
}

/// These bytes of a line, with its text as far as it can be shown.
pub(crate) fn excerpt_of_line(file: &str, line: u64, text: &str, bytes: Range<usize>) -> Span {
    const AFTER: usize = 400;
    const BEFORE: usize = 1 << 16;
    // What stands further into a line than anyone looks is told by the line alone.
    let (text, bytes) = if bytes.start > BEFORE { ("", 0..0) } else { (text, bytes) };
    let mut end = text.len().min(bytes.end.saturating_add(AFTER));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let bytes = bytes.start.min(end)..bytes.end.min(end);
    // With its end, so that a cell that is the whole line is not the whole text.
    let source =
        Source::excerpt(file, format!("{}\n", &text[..end]), usize::try_from(line).unwrap_or(usize::MAX));
    Span::new(&source, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(3).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(Drops(text.as_bytes()), b',');
        let mut rows = Vec::new();
        while let Some(record) = records.next_row().unwrap() {
            rows.push((record.line(), record.iter().map(str::to_owned).collect()));
        }
        rows
    }

    #[test]
    fn rows_are_those_that_any_reader_of_csv_finds() {
        for text in [
            "a,b\n1,2\n",
            "a,b\r\n\r\n1,2",
            "a\rb\r\rc",
            "\"a,\"\"b\"\"\nc\",2\n\"x\"y,3\n",
            " \"a\" , b \n,\n",
            "x\"y,\"\"\n",
            "\"open,\n1\n",
            "ü,\"ö,\"\n",
            "",
            "\n\n",
            "a,b,",
        ] {
            let mut other = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .trim(csv::Trim::All)
                .from_reader(text.as_bytes());
            let expected: Vec<Vec<String>> =
                other.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            let found: Vec<Vec<String>> = rows(text).into_iter().map(|(_, row)| row).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn lines_and_columns_are_those_of_the_file_over_crlf_blank_lines_and_cells_of_several_lines() {
        let text = "\u{feff}time,why\r\n0,a\r\n\r\n\r\n15,\"b\r\nb\", ümlaut\r\n30,c\r\n";
        let mut records = Records::new(text.as_bytes(), b',');
        let mut lines = Vec::new();
        let mut places = Vec::new();
        while let Some(record) = records.next_row().unwrap() {
            lines.push(record.line());
            let place = record.place(record.len() - 1, "t.csv");
            let at = place.line_column();
            places.push((at.line, at.column, place.text().to_owned()));
        }
        assert_eq!(lines, [1, 2, 5, 7]);
        let expected = [(1, 6, "why"), (2, 3, "a"), (6, 5, "ümlaut"), (7, 4, "c")];
        assert_eq!(places, expected.map(|(line, column, text)| (line, column, text.to_owned())));
    }

    #[test]
    fn a_place_lies_in_its_line_whatever_ends_it() {
        for text in [
            "a\r\"b\rc\",d\n",
            "x,\"4\n\",5\r500m\n",
            "\"\r\r\",\"\n\n x\"",
            "\"",
            "ü,\"ö\r\u{2028}\"",
            " , \r",
        ] {
            let mut records = Records::new(text.as_bytes(), b',');
            while let Some(record) = records.next_row().unwrap() {
                for at in 0..=record.len() {
                    let place = record.place(at, "t");
                    let line = place.source.text();
                    assert!(
                        line.get(place.bytes.clone()).is_some(),
                        "{text:?}: {:?} of {line:?}",
                        place.bytes
                    );
                    assert!(!place.text().contains(['\r', '\n']), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_text_or_has_no_end_is_told_with_its_line() {
        let mut records = Records::new(&b"a\n\"b\n\xff\"\n"[..], b',');
        assert!(records.next_row().unwrap().is_some());
        assert!(matches!(records.next_row(), Err(Broken::NotText(3))));
        let endless = io::repeat(b'x');
        let mut records = Records::new((&b"a\n"[..]).chain(endless), b',');
        assert!(records.next_row().unwrap().is_some());
        assert!(matches!(records.next_row(), Err(Broken::TooLong(2))));
    }
}
