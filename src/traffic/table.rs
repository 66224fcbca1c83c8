//! One column of a CSV file.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Read};
use std::rc::Rc;

use csv::StringRecord;

use super::FileError;
use super::error::{nearest_name, unreadable};
use super::packing::{Content, content};
use crate::document::shown::shown;
use crate::files::{FileKind, NamedFile};
use crate::schema::{Context, Data, Kind, Node, Problem, Value};

/// Which column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// The one whose header is this.
    Name(String),
    /// By its number, from 1.
    Number(usize),
}

/// What the order of the rows must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Any.
    Any,
    /// No value below the one before it.
    Ascending,
    /// Any, but no value twice.
    Distinct,
}

impl Value for Column {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::Text, Kind::Integer])
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        match &node.data {
            Data::Text(name) => Ok(Column::Name(name.clone())),
            Data::Integer(number @ 1..=100_000) => Ok(Column::Number(*number as usize)),
            _ => Err(Problem::new(
                &node.place,
                format!("`{path}` is not a column"),
                "expected the name of a column, or its number from 1",
            )),
        }
    }
}

/// Values of a file that are held in memory, as far as there is room for them.
pub(super) struct Held<T> {
    values: Vec<T>,
    full: bool,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Held { values: Vec::new(), full: false }
    }
}

impl<T> Held<T> {
    pub(super) fn push(&mut self, value: T) {
        self.full |= self.values.try_reserve(1).is_err();
        if !self.full {
            self.values.push(value);
        }
    }

    /// All values.
    ///
    /// # Errors
    /// There was no room for them.
    pub(super) fn whole(self, shown: &str) -> Result<Vec<T>, FileError> {
        match self.full {
            false => Ok(self.values),
            true => Err(out_of_memory(shown, self.values.len())),
        }
    }
}

/// The error of a file of which `rows` rows and no more had room.
fn out_of_memory(shown: &str, rows: usize) -> FileError {
    let what = format!("is larger than memory has room for: {rows} rows were read");
    FileError::whole(shown, &what, "expected a file that fits into memory")
}

/// What is asked of every row: a column, what its cells should hold in words, and how they are read.
pub(super) struct Asked<'a, T> {
    pub column: &'a Column,
    pub expected: &'a str,
    pub parse: &'a dyn Fn(&str) -> Option<T>,
}

/// Every value of one column of a CSV file, in the order of the file; blank lines are skipped.
///
/// The first line is a header if none of its cells can be `parse`d. `expected` is what a cell should hold, for messages.
/// Lines may end in LF or CRLF, the last in nothing; a byte order mark is skipped.
///
/// # Errors
/// The file cannot be read, is packed, not UTF-8 or empty, has no such column, a cell cannot be parsed, or the
/// rows are not in `order`, or not all of them have as many columns as the first.
pub fn read_column<T: PartialOrd + Copy>(
    file: &NamedFile<'_>,
    column: &Column,
    order: Order,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, FileError> {
    let mut values = Held::default();
    let asked = [Asked { column, expected, parse: &parse }];
    read_csv_rows(file, &asked, order, |row| values.push(row[0]))?;
    values.whole(file.shown)
}

/// Gives what is `asked` of each row of a CSV file to `take`, as [`read_column`] does for one column. The first column
/// asked for tells the header, and is the one that must be in `order`.
///
/// # Errors
/// Those of [`read_column`].
pub(super) fn read_csv_rows<T: PartialOrd + Copy>(
    file: &NamedFile<'_>,
    asked: &[Asked<'_, T>],
    order: Order,
    mut take: impl FnMut(&[T]),
) -> Result<(), FileError> {
    let (mut reader, record_read) = csv_reader(open(file, "CSV file")?);
    let shown = file.shown;
    let mut record = StringRecord::new();
    let (mut chosen, mut columns) = (Vec::new(), 0);
    let mut rows = Rows::new(shown, order, asked.len());
    loop {
        let at = reader.position().clone();
        if !reader.read_record(&mut record).map_err(|error| broken(file, &error, Some(&at)))? {
            break;
        }
        if chosen.is_empty() {
            let is_header = record.iter().all(|cell| asked.iter().take(1).all(|a| (a.parse)(cell).is_none()));
            let each = asked.iter().map(|asked| choose(&record, asked.column, is_header, file));
            chosen = each.collect::<Result<Vec<Chosen>, _>>()?;
            columns = record.len();
            if is_header {
                record_read.set(0);
                continue;
            }
        }
        let line = || line_at(file, record.position());
        rows.begin();
        for (asked, at) in asked.iter().zip(&chosen) {
            rows.cell(record.get(at.index).unwrap_or(""), asked, &at.label, line)?;
        }
        record_read.set(0);
        // A line that has fewer columns was cut short, one that has more has a comma in a cell, and then the cell may
        // not be the one that was meant.
        if record.len() != columns {
            let what = format!(" has {}", counted(record.len(), "column"));
            let label = format!("expected {columns}, as in the first line");
            return Err(FileError::at_line(shown, line(), &what, label));
        }
        take(rows.end(line)?);
    }
    rows.any(asked)
}

/// The rows of a file as they are read, whatever its layout: what makes them, and what is wrong with them.
pub(super) struct Rows<'a, T> {
    shown: &'a str,
    order: Order,
    row: Vec<T>,
    /// The first value of the row before, and how the one of this row and its column are shown.
    before: Option<T>,
    first: (String, String),
    /// The first values so far, where none may come twice.
    seen: BTreeSet<Ordered<T>>,
}

impl<'a, T: PartialOrd + Copy> Rows<'a, T> {
    pub(super) fn new(shown: &'a str, order: Order, columns: usize) -> Self {
        let first = Default::default();
        Rows { shown, order, row: Vec::with_capacity(columns), before: None, first, seen: BTreeSet::new() }
    }

    pub(super) fn begin(&mut self) {
        self.row.clear();
    }

    /// Adds a cell to the row; `label` is its column as messages call it.
    pub(super) fn cell(
        &mut self,
        cell: &str,
        asked: &Asked<'_, T>,
        label: &str,
        line: impl Fn() -> u64,
    ) -> Result<(), FileError> {
        let Some(value) = (asked.parse)(cell) else {
            // Before any row could be read, it may be a file of any kind.
            let longest = if self.before.is_some() { CELL } else { CELL_OF_UNKNOWN };
            let found =
                if cell.is_empty() { "is empty".into() } else { format!("is `{}`", shown(cell, longest)) };
            let what = format!(", {label} {found}");
            return Err(FileError::at_line(
                self.shown,
                line(),
                &what,
                format!("expected {}", asked.expected),
            ));
        };
        if self.row.is_empty() && self.order != Order::Any {
            self.first.0.clear();
            self.first.0.push_str(cell);
            self.first.1.clear();
            self.first.1.push_str(label);
        }
        self.row.push(value);
        Ok(())
    }

    /// The whole row.
    pub(super) fn end(&mut self, line: impl Fn() -> u64) -> Result<&[T], FileError> {
        let first = self.row.first().copied();
        if self.order == Order::Ascending && self.before > first {
            let (cell, label) = &self.first;
            let what = format!(", {label}: `{}` comes before the row above it", shown(cell, CELL));
            let error = FileError::at_line(self.shown, line(), &what, "expected ascending order".into());
            return Err(error.with_help("set `sort = true` to have the rows sorted"));
        }
        if self.order == Order::Distinct && first.is_some_and(|first| !self.seen.insert(Ordered(first))) {
            let (cell, label) = &self.first;
            let what = format!(", {label}: `{}` stands in a row above it already", shown(cell, CELL));
            return Err(FileError::at_line(self.shown, line(), &what, "expected each value once".into()));
        }
        self.before = first;
        Ok(&self.row)
    }

    /// Whether there was a row at all.
    pub(super) fn any(self, asked: &[Asked<'_, T>]) -> Result<(), FileError> {
        match self.before {
            Some(_) => Ok(()),
            None => {
                let expected = asked.first().map_or("a value", |asked| asked.expected);
                let label = format!("expected at least one row with {expected}");
                Err(FileError::whole(self.shown, "has no rows", &label))
            }
        }
    }
}

/// A value that has been parsed: it can be compared with any other.
struct Ordered<T>(T);

impl<T: PartialOrd> Ord for Ordered<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal)
    }
}

impl<T: PartialOrd> PartialOrd for Ordered<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: PartialOrd> PartialEq for Ordered<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: PartialOrd> Eq for Ordered<T> {}

/// The column that was asked for.
struct Chosen {
    index: usize,
    /// How messages call it.
    label: String,
}

fn choose(
    first: &StringRecord,
    column: &Column,
    is_header: bool,
    file: &NamedFile<'_>,
) -> Result<Chosen, FileError> {
    let shown = file.shown;
    match column {
        Column::Number(number) => match first.get(number - 1) {
            Some(name) if is_header => {
                Ok(Chosen { index: number - 1, label: format!("column `{}`", clip(name)) })
            }
            Some(_) => Ok(Chosen { index: number - 1, label: format!("column {number}") }),
            None => {
                let what = format!(" has {}", counted(first.len(), "column"));
                Err(FileError::at_line(
                    shown,
                    line_at(file, first.position()),
                    &what,
                    format!("expected a column {number}"),
                ))
            }
        },
        Column::Name(name) if !is_header => Err(FileError::whole(
            shown,
            "has no header line",
            &format!("expected a header that names the column `{name}`"),
        )
        .with_help("give the column by its number, from 1")),
        Column::Name(name) => match first.iter().position(|cell| cell == name) {
            Some(index) => Ok(Chosen { index, label: format!("column `{}`", clip(name)) }),
            None => {
                let label = format!("expected a column among {}", quoted(first));
                let error = FileError::whole(shown, &format!("has no column `{name}`"), &label);
                let close = nearest_name(name, &first.iter().collect::<Vec<_>>());
                Err(match close {
                    Some(close) => error.with_help(format!("did you mean `{close}`?")),
                    None => error,
                })
            }
        },
    }
}

/// Bytes of the longest row: far more than any row of a table, and few enough to be held. Keeps a file that is one row, or
/// has a quotation mark that nothing closes, from being read whole.
pub(crate) const ROW_BYTES: u64 = 16 << 20;

/// A reader that fails once more than [`ROW_BYTES`] have been read since `read` was last set to 0.
pub(crate) struct Metered<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        match self.read.get() > ROW_BYTES {
            true => Err(io::Error::from(io::ErrorKind::FileTooLarge)),
            false => Ok(read),
        }
    }
}

/// The rows of a CSV file; the count of the bytes that were read is to be set to 0 after each.
pub(crate) fn csv_reader<R: Read>(inner: R) -> (csv::Reader<Metered<R>>, Rc<Cell<u64>>) {
    separated_reader(inner, b',')
}

/// The rows of a file whose cells are separated by `delimiter`; as [`csv_reader`].
pub(super) fn separated_reader<R: Read>(inner: R, delimiter: u8) -> (csv::Reader<Metered<R>>, Rc<Cell<u64>>) {
    let read = Rc::new(Cell::new(0));
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).trim(csv::Trim::All);
    (builder.from_reader(Metered { inner, read: Rc::clone(&read) }), read)
}

/// The error of a row of more than [`ROW_BYTES`].
pub(super) fn too_long(shown: &str, line: u64) -> FileError {
    let error = FileError::at_line(
        shown,
        line,
        &format!(" begins a row of more than {} MiB", ROW_BYTES >> 20),
        "expected a row a line".into(),
    );
    error.with_help("a quotation mark that nothing closes takes all that follows into one row")
}

/// Opens the file, refusing what is plainly no table; `kind` is what it should be, in words.
pub(super) fn open(file: &NamedFile<'_>, kind: &str) -> Result<Content, FileError> {
    let (shown, expected) = (file.shown, &format!("expected a {kind}"));
    match file.kind() {
        Some(FileKind::Folder) => return Err(FileError::whole(shown, "is a folder", expected)),
        Some(FileKind::Stream) => return Err(FileError::whole(shown, "is no regular file", expected)),
        Some(FileKind::Regular) | None => {}
    }
    let mut reader = content(file).map_err(|error| unreadable(file, &error))?;
    let start = reader.fill_buf().map_err(|error| unreadable(file, &error))?;
    if start.is_empty() {
        return Err(FileError::whole(shown, "is empty", expected));
    }
    if start.starts_with(b"version https://git-lfs") {
        let error = FileError::whole(shown, "is a Git LFS pointer, not the data itself", expected);
        return Err(error.with_help("fetch the data with `git lfs pull`"));
    }
    const PACKED: [(&[u8], &str, &str); 3] =
        [(b"BZh", "bzip2", "bunzip2 -k"), (b"PK\x03\x04", "zip", "unzip"), (b"\xfd7zXZ", "xz", "unxz -k")];
    if let Some((_, packer, command)) = PACKED.iter().find(|(magic, _, _)| start.starts_with(magic)) {
        let label = format!("expected the unpacked {kind}");
        let error = FileError::whole(shown, &format!("is packed with {packer}"), &label);
        return Err(error.with_help(format!("unpack it first: {command} {shown}")));
    }
    // None of them is a table, and nothing of them may be echoed.
    let other = match start {
        _ if start.starts_with(b"-----BEGIN ") => Some("is a key or a certificate"),
        _ if start.contains(&0) => Some("is binary, not text"),
        _ => None,
    };
    match other {
        Some(what) => Err(FileError::whole(shown, what, &format!("expected a {kind} in UTF-8"))),
        None => Ok(reader),
    }
}

pub(super) fn broken(file: &NamedFile<'_>, error: &csv::Error, before: Option<&csv::Position>) -> FileError {
    let shown = file.shown;
    let line = line_at(file, error.position().or(before));
    match error.kind() {
        csv::ErrorKind::Io(why) if why.kind() == io::ErrorKind::FileTooLarge => too_long(shown, line),
        csv::ErrorKind::Io(why) => unreadable(file, why),
        csv::ErrorKind::Utf8 { .. } => {
            FileError::at_line(shown, line, " is not UTF-8 text", "expected a CSV file in UTF-8".into())
        }
        _ => FileError::whole(shown, &format!("cannot be read: {error}"), "expected a CSV file"),
    }
}

/// The line of the first text at or after the byte of `position`. Counted in the file itself, because the line of
/// a position comes short by one after CRLF, and by any blank lines before its record.
pub(super) fn line_at(file: &NamedFile<'_>, position: Option<&csv::Position>) -> u64 {
    let from = position.map_or(0, csv::Position::byte);
    let (mut at, mut line) = (0, 1);
    // What was read a moment ago can be read again; if not, the line is the last that could.
    let Ok(mut reader) = content(file) else { return line };
    loop {
        let Ok(piece) = reader.fill_buf() else { return line };
        if piece.is_empty() {
            return line;
        }
        for byte in piece {
            if at >= from && !matches!(byte, b'\r' | b'\n') {
                return line;
            }
            line += u64::from(*byte == b'\n');
            at += 1;
        }
        let read = piece.len();
        reader.consume(read);
    }
}

/// The name of a column, as messages show it.
pub(super) fn clip(name: &str) -> Cow<'_, str> {
    shown(name, NAME)
}

/// Characters of the name of a column that a message shows.
const NAME: usize = 32;

/// Characters of a cell that a message shows.
const CELL: usize = 40;

/// The same, as long as nothing in the file is what it should be.
const CELL_OF_UNKNOWN: usize = 24;

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn quoted(header: &StringRecord) -> String {
    const MOST: usize = 8;
    let names: Vec<String> = header.iter().take(MOST).map(|name| format!("`{}`", clip(name))).collect();
    let rest = if header.len() > MOST { ", …" } else { "" };
    format!("{}{rest}", names.join(", "))
}
