//! Bytes of a JSON document as its parser takes them: counted, and no more of them than one part may have.

use std::cell::Cell;
use std::io::{self, BufRead as _, Read};

use super::FileError;
use super::error::{At, unreadable};
use super::packing::Content;
use super::table::{clip, open};
use crate::files::NamedFile;

/// The longest entry of a list, or line, of JSON that is read.
pub(super) const ENTRY_BYTES: u64 = 16 << 20;

/// What has been read, and what may be; shared by the reader of the bytes and by those who know what they are of.
#[derive(Debug)]
pub(super) struct Meter {
    read: Cell<u64>,
    line: Cell<u64>,
    left: Cell<u64>,
    /// Of the entry that is read the line, 0 before its first byte; none outside of one.
    entry: Cell<Option<u64>>,
    is_over: Cell<bool>,
}

impl Meter {
    /// For documents of at most so many bytes outside of [`Meter::entry`].
    pub(super) fn new(most: u64) -> Meter {
        let (read, line, left) = (Cell::new(0), Cell::new(1), Cell::new(most));
        Meter { read, line, left, entry: Cell::new(None), is_over: Cell::new(false) }
    }

    /// Bytes that have been read, a byte order mark among them.
    pub(super) fn read(&self) -> u64 {
        self.read.get()
    }

    /// The line of the last of them.
    pub(super) fn line(&self) -> u64 {
        self.line.get()
    }

    /// What is read from here on may have so many bytes.
    pub(super) fn allow(&self, bytes: u64) {
        self.left.set(bytes);
    }

    /// What `parse` reads is one entry, or key, and not counted to the document.
    pub(super) fn entry<T>(&self, parse: impl FnOnce() -> T) -> T {
        let (left, entry) = (self.left.replace(ENTRY_BYTES), self.entry.replace(Some(0)));
        let parsed = parse();
        if !self.is_over.get() {
            self.left.set(left);
            self.entry.set(entry);
        }
        parsed
    }

    /// What a parser says of a document, as an error of its file.
    pub(super) fn fault(&self, file: &NamedFile<'_>, error: serde_json::Error) -> FileError {
        let shown = file.shown;
        match self.entry.get() {
            None if self.is_over.get() => {
                let label = "expected at most 256 MiB of it beside the entries of its lists";
                FileError::whole(shown, "is too large", label)
                    .with_help("ask for a shorter span, or a wider step")
            }
            Some(line) if self.is_over.get() => {
                let label = "expected entries of at most 16 MiB".to_owned();
                FileError::at_line(shown, line, " begins an entry that is too long", label)
            }
            _ if error.is_io() => unreadable(file, &io::Error::from(error)),
            _ => {
                let said = error.to_string();
                let why = clip(said.split(" at line ").next().unwrap_or_default());
                let what = format!(", column {}: {why}", error.column());
                FileError::at_line(shown, error.line() as u64, &what, "expected JSON".into())
                    .at_part(At::Column(error.column().max(1)))
            }
        }
    }
}

/// A file as a parser of JSON reads it, byte by byte.
pub(super) struct Metered<'a> {
    content: Content,
    meter: &'a Meter,
    piece: Vec<u8>,
    next: usize,
}

impl<'a> Metered<'a> {
    /// Opens a file; a byte order mark is passed over.
    ///
    /// # Errors
    /// It cannot be read, or is empty or plainly no text.
    pub(super) fn open(file: &NamedFile<'_>, meter: &'a Meter) -> Result<Metered<'a>, FileError> {
        let mut content = open(file, "JSON file")?;
        if content.fill_buf().is_ok_and(|start| start.starts_with(b"\xef\xbb\xbf")) {
            content.consume(3);
            meter.read.set(3);
        }
        Ok(Metered { content, meter, piece: Vec::new(), next: 0 })
    }
}

impl Read for Metered<'_> {
    /// One byte: what has been read is then what the parser has taken.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.next == self.piece.len() {
            let piece = self.content.fill_buf()?;
            self.piece.clear();
            self.piece.extend_from_slice(piece);
            self.next = 0;
            let length = self.piece.len();
            self.content.consume(length);
        }
        let (Some(byte), Some(out)) = (self.piece.get(self.next), out.first_mut()) else { return Ok(0) };
        let meter = self.meter;
        let Some(left) = meter.left.get().checked_sub(1) else {
            meter.is_over.set(true);
            return Err(io::Error::other("too long"));
        };
        meter.left.set(left);
        meter.read.set(meter.read.get() + 1);
        meter.line.set(meter.line.get() + u64::from(*byte == b'\n'));
        if meter.entry.get() == Some(0) && !byte.is_ascii_whitespace() && *byte != b',' {
            meter.entry.set(Some(meter.line.get()));
        }
        *out = *byte;
        self.next += 1;
        Ok(1)
    }
}
