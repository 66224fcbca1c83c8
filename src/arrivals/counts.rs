//! Arrivals from counts of requests per interval.

use std::ops::Range;
use std::sync::Arc;

use rand::RngExt as _;
use rand_distr::{Distribution as _, Exp1};

use super::cut::Cut;
use super::process::{Process, Stream};
use crate::files::NamedFile;
use crate::random::Rng;
use crate::schema::{
    Choice, Context, FileName, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice,
};
use crate::time::{Instant, Span};
use crate::traffic::{
    Clock, Column, FileError, Gaps, Quantity, Reading, Recorded, Recording, SeriesChoice, Wanted,
    read_counts, read_counts_clock, read_recording,
};

const FILE: Key<FileName> = Key::required(
    "file",
    "File of numbers per interval: what a monitoring system exports, or a CSV file with a row an interval.",
);
const COLUMN: Key<Option<Column>> = Key::optional(
    "column",
    "Column of the counts in a CSV file: its name, or its number from 1. Without it, the one that its name or its unit shows; the first, if `interval` is given.",
);
const INTERVAL: Key<Option<Span>> = Key::optional(
    "interval",
    "Time that each row of a CSV file counts. Without it, it follows from the instants of the file, which is recognised by its content.",
)
.above(0.0);
const SERIES: Key<Option<String>> = Key::optional(
    "series",
    "Which of several series of the file: its name, or \"sum\" for all of them added up.",
);
const VALUES: Key<Option<Quantity>> = Key::optional(
    "values",
    "What the numbers are. Without it, what the file says; it is asked for where that says nothing.",
);
const GAPS: Key<Option<Gaps>> = Key::optional(
    "gaps",
    "What an interval without a value stands for. Without it, a file with such an interval is refused.",
);
const WITHIN: Key<Within> = Key::or("within", "\"poisson\"", "How requests lie within their interval.");
const SCALE: Key<f64> = Key::or("scale", "1", "Factor on every count.").above(0.0).at_most(1e6);
const CUT: Key<Option<Cut>> = Key::optional("cut", "The part that is used, in whole intervals.");
const LOOP: Key<bool> = Key::or("loop", "false", "Start again at the end of the part.");
const SHIFT: Key<Span> =
    Key::or("shift", "\"0s\"", "Time from the start of the run to the start of the part.");

pub(super) const SPEC: TableSpec = TableSpec {
    name: "counts",
    doc: "Requests from recorded counts per interval.",
    keys: &[&FILE, &COLUMN, &INTERVAL, &SERIES, &VALUES, &GAPS, &WITHIN, &SCALE, &CUT, &LOOP, &SHIFT],
};

/// How requests lie within their interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Poisson,
    Uniform,
    Even,
}

impl Choice for Within {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "poisson",
            Within::Poisson,
            "Poisson at the interval's rate: the count itself is random, with this mean.",
        ),
        ("uniform", Within::Uniform, "Exactly the count, each uniformly distributed over the interval."),
        (
            "even",
            Within::Even,
            "Exactly the count, evenly spaced, half a gap from the edges; nothing random.",
        ),
    ];
}

impl Value for Within {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Counts {
    counts: Arc<Vec<f64>>,
    /// How the file was read, if it was recognised by its content.
    reading: Option<Reading>,
    part: Range<usize>,
    interval: Span,
    within: Within,
    scale: f64,
    looped: bool,
    shift: Span,
}

/// The points of a sweep share the file in memory, so they are compared by address first.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        (&self.part, self.interval, self.within, self.scale, self.looped, self.shift)
            == (&other.part, other.interval, other.within, other.scale, other.looped, other.shift)
            && (Arc::ptr_eq(&self.counts, &other.counts) || self.counts == other.counts)
    }
}

pub(super) fn read(reader: &Reader) -> Result<Counts, Problem> {
    let Loaded { counts, interval, reading } = match reader.find(&INTERVAL)? {
        Some(interval) if ["series", "values", "gaps"].iter().all(|key| !reader.has(key)) => {
            rows(reader, interval)?
        }
        interval => recorded(reader, interval)?,
    };
    let part = part(reader, interval, counts.len())?;
    Ok(Counts {
        counts,
        reading,
        part,
        interval,
        within: reader.get(&WITHIN)?,
        scale: reader.get(&SCALE)?,
        looped: reader.get(&LOOP)?,
        shift: reader.get(&SHIFT)?,
    })
}

/// Counts of a file, and how it was read.
struct Loaded {
    counts: Arc<Vec<f64>>,
    interval: Span,
    reading: Option<Reading>,
}

/// Loads what a file recognised by its content holds.
fn recorded(reader: &Reader, interval: Option<Span>) -> Result<Loaded, Problem> {
    let (file, gaps) = (reader.get(&FILE)?, reader.find(&GAPS)?);
    let by_column = match reader.find(&COLUMN)? {
        Some(Column::Name(name)) => Some(SeriesChoice::Named(name)),
        Some(Column::Number(_)) => {
            let label = "expected its name, or `interval` beside it";
            return Err(reader.problem(
                "column",
                "a column by its number needs the interval of its rows",
                label,
            ));
        }
        None => None,
    };
    let wanted = Wanted {
        series: reader.find(&SERIES)?.as_deref().map(SeriesChoice::of).or(by_column),
        values: reader.find(&VALUES)?,
        interval,
        strict_tables: true,
        ..Wanted::default()
    };
    let named = reader.context().file(&file);
    let key = format!("series {} {wanted:?} {gaps:?}", named.path.display());
    let loaded = reader.context().load_once(&key, || {
        let Recording { reading, content } = read_recording(&named, &wanted)?;
        let refuse = |what: String, label: &str, help: &str| {
            FileError::whole(named.shown, &what, label).with_help(help)
        };
        let Recorded::Series(series) = content else {
            return Err(refuse(
                format!("holds a row a request ({})", reading.form),
                "expected numbers per interval",
                "use `kind = \"trace\"` with this file; if its rows are intervals, set `interval`, or `values`",
            ));
        };
        let Some(counts) = series.filled(gaps) else {
            return Err(refuse(
                format!("has {} of {} intervals without a value", series.gaps(), series.counts.len()),
                "expected a value for each interval",
                "set `gaps = \"zero\"` if there were no requests in them, \"hold\" if there were as many as before",
            ));
        };
        Ok((Arc::new(counts), series.interval, reading))
    });
    let loaded = loaded.map_err(|error: FileError| error.at(&reader.place_of("file")))?;
    let (counts, interval, reading) = &*loaded;
    Ok(Loaded { counts: Arc::clone(counts), interval: *interval, reading: Some(reading.clone()) })
}

/// Loads the rows of a CSV file, of which each counts `interval`.
fn rows(reader: &Reader, interval: Span) -> Result<Loaded, Problem> {
    let file = reader.get(&FILE)?;
    let column = reader.find(&COLUMN)?.unwrap_or(Column::Number(1));
    let named = reader.context().file(&file);
    let key = format!("counts of {} {column:?}", named.path.display());
    let loaded = reader.context().load_once(&key, || read_counts(&named, &column));
    let counts = loaded.map_err(|error: FileError| error.at(&reader.place_of("file")))?;
    agrees(reader, &named, &column, interval)?;
    whole(reader, &counts)?;
    Ok(Loaded { counts, interval, reading: None })
}

/// Timestamps beside the counts say how long an interval is, and whether one is missing: the rows after it would come early.
fn agrees(reader: &Reader, file: &NamedFile<'_>, column: &Column, interval: Span) -> Result<(), Problem> {
    let key = format!("clock of {} {column:?}", file.path.display());
    let clock: Arc<Option<Clock>> =
        reader.context().load_once(&key, || Ok::<_, Problem>(read_counts_clock(file, column)))?;
    let Some(Clock { column, interval: apart, hole }) = &*clock else { return Ok(()) };
    let (shown, apart) = (file.shown, Span::from_nanos(*apart));
    if apart.as_nanos().abs_diff(interval.as_nanos()) > interval.as_nanos() / 100 {
        let path = reader.path_of("interval");
        let message =
            format!("`{path}` is {interval}, but by column {column} the rows of `{shown}` are {apart} apart");
        return Err(reader.problem("interval", message, format!("expected {apart}")));
    }
    let Some((row, gap)) = hole else { return Ok(()) };
    let message = format!(
        "`{shown}` has a hole: by column {column}, {} lie between row {row} and the next, not {apart}",
        Span::from_nanos(*gap)
    );
    let problem = reader.problem("file", message, "expected a row for each interval");
    Err(problem.help("add the rows that are missing, with a count of 0 if there were no requests"))
}

/// Counts with a fraction are averages or rates; which, only `scale` can say.
fn whole(reader: &Reader, counts: &[f64]) -> Result<(), Problem> {
    let fractions = counts.iter().filter(|count| count.fract() != 0.0);
    let Some(found) = fractions.clone().next().filter(|_| !reader.has("scale")) else { return Ok(()) };
    let message = format!(
        "{} of {} counts have a fraction, such as {found}: they may be rates, or averages",
        fractions.count(),
        counts.len()
    );
    let problem = reader.problem("column", message, "expected whole numbers, or `scale` beside it");
    Err(problem.help(
        "set `scale` to the seconds of an interval for requests per second, to 1 for requests per interval",
    ))
}

/// The range of rows that `cut` keeps of `rows`.
fn part(reader: &Reader, interval: Span, rows: usize) -> Result<Range<usize>, Problem> {
    let Some(cut) = reader.find(&CUT)? else { return Ok(0..rows) };
    let path = reader.path_of("cut");
    let edges = [cut.from, cut.to.unwrap_or(cut.from)];
    if let Some(edge) = edges.iter().find(|edge| edge.as_nanos() % interval.as_nanos() != 0) {
        let message = format!("`{path}` has {edge}, which is not a whole number of intervals");
        return Err(reader.problem("cut", message, format!("expected a multiple of {interval}")));
    }
    let row = |edge: Span| (edge.as_nanos() / interval.as_nanos()).min(rows as u64) as usize;
    match row(cut.from)..cut.to.map_or(rows, row) {
        part if part.is_empty() => {
            let length = interval * rows as u64;
            let message = format!("`{path}` leaves no interval");
            Err(reader.problem("cut", message, format!("expected a part of the {length} of the trace")))
        }
        part => Ok(part),
    }
}

impl Counts {
    fn counts(&self) -> &[f64] {
        &self.counts[self.part.clone()]
    }

    /// Rate, requests per second, of a count of 1.
    fn unit_rate(&self) -> f64 {
        self.scale / self.interval.as_secs_f64()
    }

    fn requests_before(&self, duration: Span) -> f64 {
        let along = (duration - self.shift).as_nanos();
        let rows = self.counts().len() as u64;
        let (row, offset) = (along / self.interval.as_nanos(), along % self.interval.as_nanos());
        let total: f64 = self.counts().iter().sum();
        let (whole, row) = match self.looped {
            true => ((row / rows) as f64 * total, row % rows),
            false => (0.0, row.min(rows)),
        };
        let before: f64 = self.counts()[..row as usize].iter().sum();
        let started = self.counts().get(row as usize).copied().unwrap_or(0.0);
        self.scale * (whole + before + started * offset as f64 / self.interval.as_nanos() as f64)
    }
}

impl Process for Counts {
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream> {
        Box::new(CountsStream {
            silent: self.counts().iter().all(|count| *count == 0.0),
            row: 0,
            start: self.shift.as_nanos(),
            entered: false,
            total: 0.0,
            size: 0,
            left: 0,
            now: 0,
            config: self,
            rng,
        })
    }
    fn reading(&self) -> Option<&Reading> {
        self.reading.as_ref()
    }
    fn starts_at(&self) -> Option<i64> {
        let before = self.interval.as_nanos().checked_mul(self.part.start as u64)?;
        let began = self.reading.as_ref()?.began?.checked_add_unsigned(before)?;
        began.checked_sub_unsigned(self.shift.as_nanos())
    }
    fn natural_duration(&self) -> Option<Span> {
        (!self.looped).then(|| self.shift + self.interval * self.part.len() as u64)
    }
    fn mean_rate(&self, duration: Span) -> f64 {
        match duration.is_zero() {
            true => 0.0,
            false => self.requests_before(duration) / duration.as_secs_f64(),
        }
    }
    fn rate_at(&self, at: Instant) -> Option<f64> {
        let Some(along) = at.as_nanos().checked_sub(self.shift.as_nanos()) else { return Some(0.0) };
        let row = along / self.interval.as_nanos();
        let rows = self.part.len() as u64;
        let row = if self.looped { row % rows } else { row };
        let count = usize::try_from(row).ok().and_then(|row| self.counts().get(row)).copied();
        Some(count.unwrap_or(0.0) * self.unit_rate())
    }
    fn peak_rate(&self) -> f64 {
        self.counts().iter().copied().fold(0.0, f64::max) * self.unit_rate()
    }
}

#[derive(Debug)]
struct CountsStream {
    config: Arc<Counts>,
    /// Whether all counts are 0.
    silent: bool,
    row: usize,
    /// Start of the row's interval.
    start: u64,
    /// Whether the row has been entered.
    entered: bool,
    /// Sum of the scaled counts so far: a fraction of a request is carried into the next interval.
    total: f64,
    /// Requests of the interval, and those still to come; not used by `poisson`.
    size: u64,
    left: u64,
    /// Instant of the last arrival, from the start of the interval.
    now: u64,
    rng: Rng,
}

impl CountsStream {
    fn next(&mut self) -> Option<u64> {
        if self.silent {
            return None;
        }
        let rows = self.config.part.len();
        loop {
            if self.row == rows {
                if !self.config.looped || self.start == u64::MAX {
                    return None;
                }
                self.row = 0;
            }
            if !self.entered {
                self.enter();
            }
            if let Some(offset) = self.next_within() {
                self.now = offset;
                return Some(self.start.saturating_add(offset));
            }
            self.start = self.start.saturating_add(self.config.interval.as_nanos());
            self.row += 1;
            self.entered = false;
        }
    }

    fn enter(&mut self) {
        let before = (self.total + 0.5).floor();
        self.total += self.config.counts()[self.row] * self.config.scale;
        self.size = ((self.total + 0.5).floor() - before) as u64;
        self.left = self.size;
        self.now = 0;
        self.entered = true;
    }

    /// Instant of the next arrival of the interval, from its start.
    fn next_within(&mut self) -> Option<u64> {
        let length = self.config.interval.as_nanos();
        if self.config.within == Within::Poisson {
            // Starting afresh in every interval changes nothing, as the gaps are memoryless.
            let rate = self.config.counts()[self.row] * self.config.scale;
            let gap: f64 = if rate > 0.0 { Exp1.sample(&mut self.rng) } else { return None };
            let next = self.now.saturating_add((gap * length as f64 / rate + 0.5) as u64);
            return (next < length).then_some(next);
        }
        let done = self.size - self.left;
        self.left = self.left.checked_sub(1)?;
        Some(match self.config.within {
            Within::Even => ((done as f64 + 0.5) / self.size as f64 * length as f64) as u64,
            // The earliest of those still to come, as for copies of a trace's requests.
            _ => {
                let earliest = 1.0 - self.rng.random::<f64>().powf(1.0 / (self.left + 1) as f64);
                self.now + ((length - self.now) as f64 * earliest) as u64
            }
        })
    }
}

impl Stream for CountsStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        out.extend(std::iter::from_fn(|| self.next()).take(count));
    }
}
