//! One column of a CSV file.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::BufRead as _;

use super::FileError;
use super::error::{At, nearest_name, unreadable};
use super::packing::{Content, content};
use super::records::{Broken, ROW_BYTES, Record, Records};
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
    let read = read_csv_rows(file, &asked, order, |row| values.push(row[0]));
    read.map_err(|error| error.shown_in(file))?;
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
    let mut records = Records::new(open(file, "CSV file")?, b',');
    let shown = file.shown;
    let (mut chosen, mut columns) = (Vec::new(), 0);
    let mut rows = Rows::new(shown, order, asked.len());
    while let Some(record) = records.next_row().map_err(|error| broken(file, &error))? {
        if chosen.is_empty() {
            let is_header = record.iter().all(|cell| asked.iter().take(1).all(|a| (a.parse)(cell).is_none()));
            let each = asked.iter().map(|asked| choose(&record, asked.column, is_header, file));
            chosen = each.collect::<Result<Vec<Chosen>, _>>()?;
            columns = record.len();
            if is_header {
                rows.is_table = record.iter().all(is_name);
                continue;
            }
        }
        let line = || record.line();
        rows.begin();
        for (asked, at) in asked.iter().zip(&chosen) {
            let cell = record.get(at.index).unwrap_or("");
            let part = || At::Cell { delimiter: b',', index: at.index };
            rows.cell(cell, asked, &at.label, line, part)?;
        }
        // A line that has fewer columns was cut short, one that has more has a comma in a cell, and then the cell may
        // not be the one that was meant.
        if record.len() != columns {
            let what = format!(" has {}", counted(record.len(), "column"));
            let label = format!("expected {columns}, as in the first line");
            let index = columns.min(record.len() - 1);
            let error = FileError::at_line(shown, record.line(), &what, label);
            return Err(error.at_part(At::Cell { delimiter: b',', index }));
        }
        let index = chosen.first().map_or(0, |at| at.index);
        take(rows.end(line, || At::Cell { delimiter: b',', index })?);
    }
    rows.any(asked)
}

/// Whether a cell of a first row could be the name of a column.
fn is_name(cell: &str) -> bool {
    const LONGEST: usize = 60;
    let is_of_names = |c: char| c.is_alphanumeric() || " _-.()[]%#".contains(c);
    cell.len() <= LONGEST && cell.chars().all(is_of_names)
}

/// The rows of a file as they are read, whatever its layout: what makes them, and what is wrong with them.
pub(super) struct Rows<'a, T> {
    shown: &'a str,
    order: Order,
    /// Whether it is known to be a table, whose rows may be shown.
    pub(super) is_table: bool,
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
        Rows {
            shown,
            order,
            is_table: false,
            row: Vec::with_capacity(columns),
            before: None,
            first,
            seen: BTreeSet::new(),
        }
    }

    /// Whether a row could be read.
    pub(super) fn has_rows(&self) -> bool {
        self.before.is_some()
    }

    pub(super) fn begin(&mut self) {
        self.row.clear();
    }

    /// Adds a cell to the row; `label` is its column as messages call it, `part` its place in the line.
    pub(super) fn cell(
        &mut self,
        cell: &str,
        asked: &Asked<'_, T>,
        label: &str,
        line: impl Fn() -> u64,
        part: impl Fn() -> At,
    ) -> Result<(), FileError> {
        let Some(value) = (asked.parse)(cell) else {
            // Before any row could be read, it may be a file of any kind.
            let longest = if self.before.is_some() { CELL } else { CELL_OF_UNKNOWN };
            let found =
                if cell.is_empty() { "is empty".into() } else { format!("is `{}`", shown(cell, longest)) };
            let what = format!(", {label} {found}");
            let label = format!("expected {}", asked.expected);
            let error = FileError::at_line(self.shown, line(), &what, label).at_part(part());
            let may_be_shown = self.before.is_some() || self.is_table;
            return Err(if may_be_shown { error } else { error.without_text() });
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
    pub(super) fn end(&mut self, line: impl Fn() -> u64, part: impl Fn() -> At) -> Result<&[T], FileError> {
        let first = self.row.first().copied();
        if self.order == Order::Ascending && self.before > first {
            let (cell, label) = &self.first;
            let what = format!(", {label}: `{}` comes before the row above it", shown(cell, CELL));
            let error = FileError::at_line(self.shown, line(), &what, "expected ascending order".into());
            return Err(error.at_part(part()).with_help("set `sort = true` to have the rows sorted"));
        }
        if self.order == Order::Distinct && first.is_some_and(|first| !self.seen.insert(Ordered(first))) {
            let (cell, label) = &self.first;
            let what = format!(", {label}: `{}` stands in a row above it already", shown(cell, CELL));
            let error = FileError::at_line(self.shown, line(), &what, "expected each value once".into());
            return Err(error.at_part(part()));
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
    first: &Record<'_>,
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
                Err(FileError::at_line(shown, first.line(), &what, format!("expected a column {number}")))
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

/// The error of a row of more than [`ROW_BYTES`].
pub(super) fn too_long(shown: &str, line: u64) -> FileError {
    let error = FileError::at_line(
        shown,
        line,
        &format!(" begins a row of more than {} MiB", ROW_BYTES >> 20),
        "expected a row a line".into(),
    );
    error.without_text().with_help("a quotation mark that nothing closes takes all that follows into one row")
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

pub(super) fn broken(file: &NamedFile<'_>, error: &Broken) -> FileError {
    match error {
        Broken::Unreadable(why) => unreadable(file, why),
        Broken::TooLong(line) => too_long(file.shown, *line),
        Broken::NotText(line) => {
            let label = "expected a CSV file in UTF-8".into();
            FileError::at_line(file.shown, *line, " is not UTF-8 text", label).without_text()
        }
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

fn quoted(header: &Record<'_>) -> String {
    const MOST: usize = 8;
    let names: Vec<String> = header.iter().take(MOST).map(|name| format!("`{}`", clip(name))).collect();
    let rest = if header.len() > MOST { ", …" } else { "" };
    format!("{}{rest}", names.join(", "))
}
