//! Requests as rows are read: put in order, and doubted where they are plainly something else.

use super::reading::Reading;
use super::wanted::Wanted;
use crate::time::Span;
use crate::traffic::moment::TimeForm;
use crate::traffic::packed::{Packer, reversed, sorted};
use crate::traffic::{FileError, Packed, Trace};
use crate::units::LONGEST;

/// Rows that come later than the newest before them by no more than this are sorted.
const WINDOW: i64 = 3_600_000_000_000;

/// A column that a row has no value in.
const NONE: u64 = u64::MAX;

/// Requests of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Requests {
    /// Instants from the first, and what the rows tell of each request. A column is empty if not every row has it.
    pub trace: Trace,
    /// The first instant, nanoseconds since 1970; `None` if the file does not tell the date.
    pub origin: Option<i64>,
    /// How long requests took, nanoseconds, of the rows that tell, if some do not; else they are in the trace.
    pub some_durations: Packed,
    /// Whether that includes waiting at the server.
    pub durations_include_waiting: bool,
}

impl Requests {
    /// How long requests took, nanoseconds, of the rows that tell; not in the order of the rows.
    pub fn durations(&self) -> &Packed {
        if self.some_durations.is_empty() { &self.trace.service } else { &self.some_durations }
    }
}

/// One row of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Nanoseconds since 1970, or from the start of the recording.
    pub arrival: i64,
    pub prompt_tokens: Option<u32>,
    pub output_tokens: Option<u32>,
    /// Nanoseconds.
    pub duration: Option<u64>,
}

/// A column that takes no memory until a row has a value in it.
#[derive(Debug, Default)]
struct Sparse {
    values: Packer,
    /// Rows before the first value; `None` once there is one.
    before: Option<u64>,
    missing: u64,
}

impl Sparse {
    fn push(&mut self, value: Option<u64>) {
        self.missing += u64::from(value.is_none());
        match (value, &mut self.before) {
            (None, Some(before)) => *before += 1,
            (value, before) => {
                (0..before.take().unwrap_or(0)).for_each(|_| self.values.push(NONE));
                self.values.push(value.unwrap_or(NONE));
            }
        }
    }

    fn push_all(&mut self, rows: &[Row], value: impl Fn(&Row) -> Option<u64>) {
        match self.before {
            Some(before) if rows.iter().all(|row| value(row).is_none()) => {
                self.before = Some(before + rows.len() as u64);
                self.missing += rows.len() as u64;
            }
            _ => rows.iter().for_each(|row| self.push(value(row))),
        }
    }
}

/// Rows as they are read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    rows: u64,
    /// Instants from that of the first row.
    stamps: Packer,
    first: i64,
    above: i64,
    prompt: Sparse,
    output: Sparse,
    duration: Sparse,
    newest: Option<i64>,
    oldest: Option<i64>,
    /// The largest step back from the newest so far, and the line it first went beyond the window.
    back: i64,
    first_beyond: Option<u64>,
    out_of_order: u64,
    /// Rows at the instant of the row above.
    shared: u64,
    /// Whether each row is at or before the one above.
    descends: bool,
}

impl Gathered {
    pub(super) fn new() -> Self {
        let sparse = || Sparse { before: Some(0), ..Sparse::default() };
        Gathered {
            descends: true,
            prompt: sparse(),
            output: sparse(),
            duration: sparse(),
            ..Gathered::default()
        }
    }

    pub(super) fn push(&mut self, row: Row, line: impl Fn() -> u64) {
        if let Some(newest) = self.newest
            && row.arrival < newest
        {
            self.out_of_order += 1;
            let back = newest.saturating_sub(row.arrival);
            self.back = self.back.max(back);
            if back > WINDOW && self.first_beyond.is_none() {
                self.first_beyond = Some(line());
            }
        }
        if self.rows == 0 {
            self.first = row.arrival;
        } else if row.arrival > self.above {
            self.descends = false;
        } else {
            self.shared += u64::from(row.arrival == self.above);
        }
        self.rows += 1;
        self.above = row.arrival;
        self.newest = self.newest.max(Some(row.arrival));
        self.oldest = Some(self.oldest.map_or(row.arrival, |oldest| oldest.min(row.arrival)));
        self.stamps.push(row.arrival.wrapping_sub(self.first) as u64);
        self.prompt.push(row.prompt_tokens.map(u64::from));
        self.output.push(row.output_tokens.map(u64::from));
        self.duration.push(row.duration);
    }

    /// Adds rows that follow each other, a line each, the first on `line`: as [`Self::push`] adds each of them.
    pub(super) fn push_all(&mut self, rows: &[Row], line: u64) {
        let (Some(newest), Some(last)) = (self.newest, rows.last()) else {
            return rows.iter().zip(line..).for_each(|(row, line)| self.push(*row, || line));
        };
        let (mut above, mut ascends, mut shared) = (newest, true, 0);
        for row in rows {
            ascends &= above <= row.arrival;
            shared += u64::from(above == row.arrival);
            above = row.arrival;
        }
        // What the row above was matters only where it was not the newest.
        if !ascends || self.above != newest {
            return rows.iter().zip(line..).for_each(|(row, line)| self.push(*row, || line));
        }
        self.shared += shared;
        self.descends &= shared == rows.len() as u64;
        (self.above, self.newest) = (last.arrival, Some(last.arrival));
        self.rows += rows.len() as u64;
        let first = self.first;
        self.stamps.extend(rows.iter().map(|row| row.arrival.wrapping_sub(first) as u64));
        self.prompt.push_all(rows, |row| row.prompt_tokens.map(u64::from));
        self.output.push_all(rows, |row| row.output_tokens.map(u64::from));
        self.duration.push_all(rows, |row| row.duration);
    }

    /// The requests in order, and the account of them.
    ///
    /// # Errors
    /// There are none, more rows were skipped than used, rows are further out of order than is sorted unasked, or the
    /// instants are plainly something else.
    pub(super) fn finish(
        self,
        mut reading: Reading,
        wanted: &Wanted,
        form: TimeForm,
        waiting: bool,
    ) -> Result<(Reading, Requests), FileError> {
        reading.used = self.rows;
        reading.rows = reading.used + reading.skipped_rows();
        reading.is_enough()?;
        let (Some(first), Some(last)) = (self.oldest, self.newest) else {
            let label = "expected at least one row with an instant";
            return Err(FileError::whole(&reading.file, "has no rows that can be used", label));
        };
        reading.set_span(first, last, form.is_absolute());
        if !wanted.says_time() {
            plausible(&reading, self.rows as usize, last.saturating_sub(first), form)?;
        }
        let turned = self.order(&mut reading, wanted)?;
        // Of sorted rows it is not known before.
        let may_share = !matches!(turned, Turned::No) || is_many(self.shared as usize, self.rows as usize);
        if last.checked_sub(first).is_none_or(|nanos| nanos as u64 > LONGEST.as_nanos()) {
            let label = "expected instants of one recording";
            return Err(FileError::whole(&reading.file, "spans more than 100 years", label));
        }
        let missing = [self.prompt.missing, self.output.missing, self.duration.missing];
        let columns = [self.stamps, self.prompt.values, self.output.values, self.duration.values];
        let columns = columns.map(Packer::finish);
        let from_first = first.wrapping_sub(self.first) as u64;
        let [instants, prompt, output, duration] = match turned {
            Turned::No => columns,
            Turned::Round => reversed(&columns, from_first),
            Turned::Sorted => sorted(&columns, from_first),
        };
        let some_durations = match missing[2] {
            0 => Packed::default(),
            _ => duration.iter().filter(|nanos| *nanos != NONE).collect(),
        };
        let mut whole = |column: Packed, missing: u64, called: &str| {
            if missing == 0 || column.is_empty() {
                return column;
            }
            reading.note(format!(
                "{missing} of {} rows have no {called}: it is measured here, and not replayed with the requests",
                self.rows
            ));
            Packed::default()
        };
        let trace = Trace {
            prompt_tokens: whole(prompt, missing[0], "tokens of the prompt"),
            output_tokens: whole(output, missing[1], "tokens of the answer"),
            service: whole(duration, missing[2], "duration"),
            instants,
        };
        if may_share {
            coarse_clock(&trace.instants, &mut reading);
        }
        let origin = form.is_absolute().then_some(first);
        Ok((reading, Requests { trace, origin, some_durations, durations_include_waiting: waiting }))
    }

    /// What brings the rows in order; says so in the account.
    fn order(&self, reading: &mut Reading, wanted: &Wanted) -> Result<Turned, FileError> {
        if self.out_of_order == 0 {
            return Ok(Turned::No);
        }
        if self.descends {
            reading.note("its rows are newest first: turned round");
            return Ok(Turned::Round);
        }
        if let Some(line) = self.first_beyond.filter(|_| !wanted.sort) {
            let what =
                format!(": its row lies more than {} before one above it", Span::from_nanos(WINDOW as u64));
            let label = "expected rows in the order of their instants, or nearly".to_owned();
            let error = FileError::at_line(&reading.file, line, &what, label);
            return Err(
                error.with_help("set `sort = true` (`--sort`) to have the rows sorted whatever their order")
            );
        }
        let back = Span::from_nanos(self.back.unsigned_abs());
        reading.note(format!(
            "{} rows came up to {back} after a later one: sorted by their instants",
            self.out_of_order
        ));
        Ok(Turned::Sorted)
    }
}

/// What brings rows in order.
enum Turned {
    No,
    Round,
    Sorted,
}

/// Says so where many requests share an instant: the clock of the recording is coarser than the time between them.
fn coarse_clock(instants: &Packed, reading: &mut Reading) {
    const LEAST_TICK: u64 = 1_000_000;
    let (mut apart, mut tick) = (0_usize, 0_u64);
    for (one, other) in instants.pairs().filter(|(one, other)| other > one) {
        apart += 1;
        // A clock that is finer than this is not told.
        if apart == 1 || tick >= LEAST_TICK {
            tick = common_divisor(tick, other - one);
        }
    }
    let shared = instants.len().saturating_sub(apart + 1);
    if !is_many(shared, instants.len()) || apart == 0 {
        return;
    }
    let all = instants.len();
    reading.note(match tick >= LEAST_TICK {
        true => format!(
            "{shared} of {all} requests share the instant of another: its clock ticks every {}; `spread` in `[arrivals]` \
             distributes the requests of a tick",
            Span::from_nanos(tick)
        ),
        false => format!("{shared} of {all} requests share the instant of another: they come in groups"),
    });
}

/// Whether so many requests share an instant that it is said.
fn is_many(shared: usize, all: usize) -> bool {
    shared * 5 >= all
}

/// The greatest common divisor; that of 0 and another is the other.
fn common_divisor(mut one: u64, mut other: u64) -> u64 {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Whether the instants could be those of requests.
fn plausible(reading: &Reading, rows: usize, length: i64, form: TimeForm) -> Result<(), FileError> {
    const DAY: i64 = 86_400_000_000_000;
    const LEAST_ROWS: usize = 3;
    let days = length / DAY;
    let doubt = match () {
        () if rows >= LEAST_ROWS && length == 0 => format!("all of its {rows} requests at one instant"),
        () if days > 50 * 365 => format!("a span of {} years", days / 365),
        () if rows >= LEAST_ROWS && days as u64 > rows as u64 => {
            format!("less than a request a day ({rows} over {days} days)")
        }
        () => return Ok(()),
    };
    let read_as = match reading.time.contains(&form.words()) {
        true => String::new(),
        false => format!(" read as {}", form.words()),
    };
    let what = format!("would have {doubt}, with {}{read_as}", reading.time);
    let error = FileError::whole(&reading.file, &what, "expected the instants of requests");
    let help = match form {
        TimeForm::Elapsed(_) | TimeForm::Epoch(_) => {
            "say the unit with `unit` (`--unit ms`), or another column with `column` (`--column NAME`)"
        }
        TimeForm::Zoned | TimeForm::Local => {
            "name the column of the instants with `column` (`--column NAME`) if this is what is meant"
        }
    };
    Err(error.with_help(help))
}
