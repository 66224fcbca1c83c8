//! One column of a CSV file.

use std::io::{self, BufRead, BufReader, Read};

use csv::StringRecord;

use super::FileError;
use super::error::{nearest_name, unreadable};
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
    let mut values = Vec::new();
    let asked = [Asked { column, expected, parse: &parse }];
    read_csv_rows(file, &asked, order, |row| values.push(row[0]))?;
    Ok(values)
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
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(open(file, "CSV file")?);
    let shown = file.shown;
    let mut record = StringRecord::new();
    let (mut chosen, mut columns) = (Vec::new(), 0);
    let mut rows = Rows::new(shown, order, asked.len());
    while reader.read_record(&mut record).map_err(|error| broken(file, &error))? {
        if chosen.is_empty() {
            let is_header = record.iter().all(|cell| asked.iter().take(1).all(|a| (a.parse)(cell).is_none()));
            let each = asked.iter().map(|asked| choose(&record, asked.column, is_header, file));
            chosen = each.collect::<Result<Vec<Chosen>, _>>()?;
            columns = record.len();
            if is_header {
                continue;
            }
        }
        let line = || line_at(file, record.position());
        rows.begin();
        for (asked, at) in asked.iter().zip(&chosen) {
            rows.cell(record.get(at.index).unwrap_or(""), asked, &at.label, line)?;
        }
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
    seen: Vec<T>,
}

impl<'a, T: PartialOrd + Copy> Rows<'a, T> {
    pub(super) fn new(shown: &'a str, order: Order, columns: usize) -> Self {
        let first = Default::default();
        Rows { shown, order, row: Vec::with_capacity(columns), before: None, first, seen: Vec::new() }
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
            let found = if cell.is_empty() { "is empty".into() } else { format!("is `{}`", clip(cell)) };
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
            let what = format!(", {label}: `{}` comes before the row above it", clip(cell));
            let error = FileError::at_line(self.shown, line(), &what, "expected ascending order".into());
            return Err(error.with_help("set `sort = true` to have the rows sorted"));
        }
        if self.order == Order::Distinct {
            if first.is_some_and(|first| self.seen.contains(&first)) {
                let (cell, label) = &self.first;
                let what = format!(", {label}: `{}` stands in a row above it already", clip(cell));
                return Err(FileError::at_line(self.shown, line(), &what, "expected each value once".into()));
            }
            self.seen.extend(first);
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

/// A file as it is read: in pieces.
pub(super) type Content = BufReader<Box<dyn Read + Send>>;

fn content(file: &NamedFile<'_>) -> io::Result<Content> {
    Ok(BufReader::with_capacity(1 << 16, file.open()?))
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
    const PACKED: [(&[u8], &str, &str); 5] = [
        (b"\x1f\x8b", "gzip", "gunzip -k"),
        (b"BZh", "bzip2", "bunzip2 -k"),
        (b"PK\x03\x04", "zip", "unzip"),
        (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
        (b"\xfd7zXZ", "xz", "unxz -k"),
    ];
    match PACKED.iter().find(|(magic, _, _)| start.starts_with(magic)) {
        Some((_, packer, command)) => {
            let label = format!("expected the unpacked {kind}");
            let error = FileError::whole(shown, &format!("is packed with {packer}"), &label);
            Err(error.with_help(format!("unpack it first: {command} {shown}")))
        }
        None => Ok(reader),
    }
}

fn broken(file: &NamedFile<'_>, error: &csv::Error) -> FileError {
    let (shown, line) = (file.shown, line_at(file, error.position()));
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => {
            FileError::at_line(shown, line, " is not UTF-8 text", "expected a CSV file in UTF-8".into())
        }
        _ => FileError::whole(shown, &format!("cannot be read: {error}"), "expected a CSV file"),
    }
}

/// The line of the first text at or after the byte of `position`. Counted in the file itself, because the line of
/// a position comes short by one after CRLF, and by any blank lines before its record.
fn line_at(file: &NamedFile<'_>, position: Option<&csv::Position>) -> u64 {
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

pub(super) fn clip(cell: &str) -> String {
    const LONGEST: usize = 40;
    match cell.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn quoted(header: &StringRecord) -> String {
    const MOST: usize = 8;
    let names: Vec<String> = header.iter().take(MOST).map(|name| format!("`{}`", clip(name))).collect();
    let rest = if header.len() > MOST { ", …" } else { "" };
    format!("{}{rest}", names.join(", "))
}
