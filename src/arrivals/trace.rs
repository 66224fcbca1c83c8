//! Arrivals replayed from a trace.

use std::ops::Range;
use std::sync::Arc;

use rand::RngExt as _;

use super::cut::Cut;
use super::process::{Process, Stream};
use super::trace_rows::TraceRows;
use crate::random::{Purpose, Rng, Streams};
use crate::schema::{FileName, Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};
use crate::traffic::{
    Column, Cursor, FileError, Format, Packed, Reading, Recorded, Recording, Requests, Trace, TraceColumns,
    TraceForm, Unit, Wanted, read_recording, read_trace,
};

const FILE: Key<FileName> = Key::required("file", "File with a row a request.");
const FORMAT: Key<Option<TraceForm>> = Key::optional(
    "format",
    "Format of the file: its columns, where the following keys are left out. Without it, the file is recognised by its content.",
);
const COLUMN: Key<Option<Column>> = Key::optional(
    "column",
    "Column of the timestamps: its name, or its number from 1. Without it, the format's, or the one that holds instants.",
);
const UNIT: Key<Option<Unit>> = Key::optional(
    "unit",
    "Unit of timestamps that are numbers; dates need none. Without it, the format's: \"s\", but for \"mooncake\"; without a format, that of their size.",
);
const PROMPT_TOKENS: Key<Option<Column>> = Key::optional(
    "prompt_tokens",
    "Column of the tokens of each prompt, for an `llm` whose `service.prompt_tokens` is left out. Without it, the format's.",
);
const OUTPUT_TOKENS: Key<Option<Column>> = Key::optional(
    "output_tokens",
    "Column of the tokens of each answer, for an `llm` whose `service.output_tokens` is left out. Without it, the format's.",
);
const SERVICE_TIME: Key<Option<Column>> = Key::optional(
    "service_time",
    "Column of the time that each request takes, a number, for `slots` and `shared` whose `service.time` is left out. Without it, the format's.",
);
const SERVICE_UNIT: Key<Unit> = Key::or("service_unit", "\"s\"", "Unit of the numbers of `service_time`.");
const SORT: Key<Option<bool>> = Key::optional(
    "sort",
    "Sort the rows, instead of refusing a trace whose rows do not ascend. Without it, only those of \"aibrix\" are; without a format, rows that are at most 1h out of order.",
);
const STRICT: Key<bool> = Key::or(
    "strict",
    "false",
    "Refuse the first line of a log that cannot be read, instead of skipping and counting it. A row of a table is always refused.",
);
const SPREAD: Key<Option<Span>> = Key::optional(
    "spread",
    "Resolution of the trace's clock, if it is coarser than the time between requests: the requests of a tick are distributed over it uniformly, in the same way under every seed. Before `cut` and `speed`.",
)
.above(0.0);
const CUT: Key<Option<Cut>> =
    Key::optional("cut", "The part that is used, from the first request of the trace on.");
const SPEED: Key<f64> =
    Key::or("speed", "1", "Factor on the speed of the trace: 2 halves every gap, and so doubles the rate.")
        .above(0.0)
        .at_most(1e6);
const SCALE: Key<f64> = Key::or(
    "scale",
    "1",
    "Factor on the number of requests; the shape of the trace over time is kept. Below 1 each request is kept with \
     that probability. Above 1 copies are added (a fraction of a copy by chance), each at random between its request \
     and the next one, at most a mean gap later.",
)
.at_least(1e-6)
.at_most(1e6);
const LOOP: Key<bool> = Key::or(
    "loop",
    "false",
    "Start again at the end of the part: at `cut.to` if it is given, else one mean gap after the last request.",
);
const SHIFT: Key<Span> =
    Key::or("shift", "\"0s\"", "Time from the start of the run to the start of the part.");

pub(super) const SPEC: TableSpec = TableSpec {
    name: "trace",
    doc: "The requests of a recorded trace, at the instants it holds. The first request, or the start of the cut, is \
          the start of the run. Tokens and service time of a row stay with its request, each time the trace is looped and in each copy that `scale` adds; a request of `spikes`, which has no row, takes those of a row drawn at random with equal probability.",
    keys: &[
        &FILE,
        &FORMAT,
        &COLUMN,
        &UNIT,
        &PROMPT_TOKENS,
        &OUTPUT_TOKENS,
        &SERVICE_TIME,
        &SERVICE_UNIT,
        &SORT,
        &STRICT,
        &SPREAD,
        &CUT,
        &SPEED,
        &SCALE,
        &LOOP,
        &SHIFT,
    ],
};

#[derive(Debug, Clone)]
pub(super) struct TraceArrivals {
    trace: Arc<Trace>,
    /// How the file was read, if it was recognised by its content.
    reading: Option<Reading>,
    /// The rows that are replayed.
    part: Range<usize>,
    /// Start of the part, in the time of the trace.
    origin: u64,
    speed: f64,
    scale: f64,
    looped: bool,
    shift: Span,
    /// Length of the part, nanoseconds in the time of the run.
    length: u64,
    /// Mean gap between two of its requests, nanoseconds in the time of the run.
    mean_gap: u64,
}

pub(super) fn read(reader: &Reader) -> Result<TraceArrivals, Problem> {
    let Loaded { trace, reading } = (*load(reader)?).clone();
    let cut = reader.find(&CUT)?.unwrap_or(Cut { from: Span::ZERO, to: None });
    let origin = cut.from.as_nanos();
    let before = |nanos: u64| trace.instants.partition_point(|instant| instant < nanos);
    let part = before(origin)..cut.to.map_or(trace.instants.len(), |to| before(to.as_nanos()));
    if part.is_empty() {
        let last = Span::from_nanos(trace.instants.last().unwrap_or(0));
        let message = format!("`{}` leaves no request", reader.path_of("cut"));
        let label = format!("expected a part with requests; the last one is at {last}");
        return Err(reader.problem("cut", message, label));
    }
    let mut cursor = Cursor::default();
    let [first, last] = [part.start, part.end - 1].map(|row| cursor.get(&trace.instants, row));
    let recorded_gap = (last - first) / (part.len() - 1).max(1) as u64;
    let end = cut.to.map_or(last.saturating_add(recorded_gap), Span::as_nanos);
    let (speed, looped) = (reader.get(&SPEED)?, reader.get(&LOOP)?);
    let length = sped_up(end - origin, speed);
    if looped && length == 0 {
        let message = "a trace that takes no time cannot be looped";
        return Err(reader.problem("loop", message, "expected `cut` with `to`, where the loop ends"));
    }
    Ok(TraceArrivals {
        scale: reader.get(&SCALE)?,
        shift: reader.get(&SHIFT)?,
        mean_gap: sped_up(recorded_gap, speed),
        part,
        origin,
        speed,
        looped,
        length,
        trace,
        reading,
    })
}

/// How a file was read makes no other requests of it.
impl PartialEq for TraceArrivals {
    fn eq(&self, other: &Self) -> bool {
        let part =
            |one: &Self| (one.part.clone(), one.origin, one.looped, one.shift, one.length, one.mean_gap);
        part(self) == part(other)
            && (self.speed, self.scale) == (other.speed, other.scale)
            && (Arc::ptr_eq(&self.trace, &other.trace) || self.trace == other.trace)
    }
}

/// A trace, and how it was read.
#[derive(Debug, Clone)]
struct Loaded {
    trace: Arc<Trace>,
    reading: Option<Reading>,
}

fn load(reader: &Reader) -> Result<Arc<Loaded>, Problem> {
    match reader.find(&FORMAT)? {
        Some(TraceForm::Columns(format)) => load_columns(reader, format),
        Some(TraceForm::Recorded(name)) => load_recorded(reader, Some(name)),
        None => load_recorded(reader, None),
    }
}

/// Loads a file in the form that its content shows, or of this name.
fn load_recorded(reader: &Reader, form: Option<&str>) -> Result<Arc<Loaded>, Problem> {
    let file = reader.get(&FILE)?;
    let service_unit = reader.get(&SERVICE_UNIT)?;
    let wanted = Wanted {
        format: form.map(str::to_owned),
        column: reader.find(&COLUMN)?,
        unit: reader.find(&UNIT)?,
        prompt_tokens: reader.find(&PROMPT_TOKENS)?,
        output_tokens: reader.find(&OUTPUT_TOKENS)?,
        service_time: reader.find(&SERVICE_TIME)?,
        service_unit: reader.has("service_unit").then_some(service_unit),
        strict: reader.get(&STRICT)?,
        strict_tables: true,
        sort: reader.find(&SORT)?.unwrap_or(false),
        ..Wanted::default()
    };
    let spread = reader.find(&SPREAD)?;
    let named = reader.context().file(&file);
    let key = format!("recording {} {wanted:?} {spread:?}", named.path.display());
    let loaded = reader.context().load_once(&key, || {
        let Recording { reading, content } = read_recording(&named, &wanted)?;
        let Recorded::Requests(Requests { mut trace, .. }) = content else {
            let what = format!("holds numbers per interval ({})", reading.form);
            return Err(FileError::whole(named.shown, &what, "expected a row a request")
                .with_help("use `kind = \"counts\"` with this file"));
        };
        if let Some(tick) = spread {
            trace.instants = spread_within(&trace.instants, tick.as_nanos());
        }
        Ok(Loaded { trace: Arc::new(trace), reading: Some(reading) })
    });
    loaded.map_err(|error: FileError| error.at(&reader.place_of("file")))
}

fn load_columns(reader: &Reader, format: &Format) -> Result<Arc<Loaded>, Problem> {
    let file = reader.get(&FILE)?;
    let named = |name: Option<&str>| name.map(|name| Column::Name(name.to_owned()));
    let or = |written: Option<Column>, name| written.or_else(|| named(name));
    let time = or(reader.find(&COLUMN)?, format.column).unwrap_or(Column::Number(1));
    let service_unit = reader.get(&SERVICE_UNIT)?;
    let service = or(reader.find(&SERVICE_TIME)?, format.service_time);
    let columns = TraceColumns {
        layout: format.layout,
        unit_given: reader.has("unit") || format.column.is_some(),
        time: (time, reader.find(&UNIT)?.unwrap_or(format.unit)),
        sort: reader.find(&SORT)?.unwrap_or(format.unordered),
        prompt_tokens: or(reader.find(&PROMPT_TOKENS)?, format.prompt_tokens),
        output_tokens: or(reader.find(&OUTPUT_TOKENS)?, format.output_tokens),
        service: service.map(|column| (column, service_unit)),
    };
    let spread = reader.find(&SPREAD)?;
    let named = reader.context().file(&file);
    let key = format!("trace {} {columns:?} {spread:?}", named.path.display());
    let loaded = reader.context().load_once(&key, || {
        let mut trace = read_trace(&named, &columns)?;
        if let Some(tick) = spread {
            trace.instants = spread_within(&trace.instants, tick.as_nanos());
        }
        Ok(Loaded { trace: Arc::new(trace), reading: None })
    });
    loaded.map_err(|error: FileError| error.at(&reader.place_of("file")))
}

/// Distributes the instants of each tick over it uniformly, in order; the first one becomes 0.
fn spread_within(instants: &Packed, tick: u64) -> Packed {
    let mut rng = Streams::new(0, 0).stream(Purpose::Ticks);
    let mut instants = instants.iter().peekable();
    let mut first = None;
    let mut of_tick = Vec::new();
    std::iter::from_fn(|| {
        let start = instants.peek()? / tick * tick;
        of_tick.clear();
        while instants.next_if(|instant| instant / tick * tick == start).is_some() {
            of_tick.push(start.saturating_add(rng.random_range(0..tick)));
        }
        of_tick.sort_unstable();
        let first = *first.get_or_insert(of_tick[0]);
        Some(of_tick.iter().map(|instant| instant - first).collect::<Vec<u64>>())
    })
    .flatten()
    .collect()
}

fn sped_up(nanos: u64, speed: f64) -> u64 {
    if speed == 1.0 { nanos } else { (nanos as f64 / speed).round() as u64 }
}

impl TraceArrivals {
    /// Instant of a recorded request, nanoseconds from the start of the part in the time of the run.
    #[inline]
    fn within(&self, recorded: u64) -> u64 {
        sped_up(recorded - self.origin, self.speed)
    }

    /// The row after the last of the part that is before an instant, nanoseconds from the start of the part in the time of the run.
    fn rows_before(&self, nanos: u64) -> usize {
        // Rows before the part lie before its start, which they may not be subtracted from.
        let is_before = |recorded: u64| recorded < self.origin || self.within(recorded) < nanos;
        self.trace.instants.partition_point(is_before).clamp(self.part.start, self.part.end)
    }

    /// Number of recorded requests in the first `duration` of the run.
    fn recorded_before(&self, duration: Span) -> f64 {
        let along = (duration - self.shift).as_nanos();
        let within = |nanos: u64| self.rows_before(nanos) - self.part.start;
        match self.looped {
            false => within(along) as f64,
            true => {
                let turns = (along / self.length) as f64;
                turns * self.part.len() as f64 + within(along % self.length) as f64
            }
        }
    }
}

impl Process for TraceArrivals {
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream> {
        let start = self.shift.as_nanos();
        Box::new(TraceStream {
            next: self.part.start,
            config: self,
            cursor: Cursor::default(),
            start,
            copies: 0,
            row: 0,
            now: 0,
            until: 0,
            rng,
        })
    }
    fn natural_duration(&self) -> Option<Span> {
        (!self.looped).then(|| self.shift + Span::from_nanos(self.length))
    }
    fn mean_rate(&self, duration: Span) -> f64 {
        match duration.is_zero() {
            true => 0.0,
            false => self.recorded_before(duration) * self.scale / duration.as_secs_f64(),
        }
    }
    fn rate_at(&self, _: Instant) -> Option<f64> {
        None
    }
    fn reading(&self) -> Option<&Reading> {
        self.reading.as_ref()
    }
    fn starts_at(&self) -> Option<i64> {
        let began = self.reading.as_ref()?.began.filter(|_| self.speed == 1.0)?;
        began.checked_add_unsigned(self.origin)?.checked_sub_unsigned(self.shift.as_nanos())
    }
    fn rows(&self) -> Option<TraceRows> {
        Some(TraceRows { trace: Arc::clone(&self.trace), part: self.part.clone() })
    }
    /// The rate of the busiest minute, with minutes from the start of the part; a shorter part counts as a whole.
    fn peak_rate(&self) -> f64 {
        const NEAR: usize = 256;
        let bucket = self.length.clamp(1, 60_000_000_000);
        let (mut busiest, mut next) = (0, self.part.start);
        let mut cursor = Cursor::default();
        // From one bucket with requests to the next: row by row while there are few, else by a search for its end.
        while next < self.part.end {
            let mut within = |row: usize| self.within(cursor.get(&self.trace.instants, row));
            let end = (within(next) / bucket + 1).saturating_mul(bucket);
            let near = self.part.end.min(next + NEAR);
            let after = match (next + 1..near).find(|row| within(*row) >= end) {
                Some(after) => after,
                None if near == self.part.end => near,
                None => self.rows_before(end).max(near),
            };
            busiest = busiest.max(after - next);
            next = after;
        }
        busiest as f64 * self.scale / (bucket as f64 / 1e9)
    }
}

#[derive(Debug)]
struct TraceStream {
    config: Arc<TraceArrivals>,
    cursor: Cursor,
    /// Row of the next recorded request.
    next: usize,
    /// Start of this turn of the loop.
    start: u64,
    /// Copies of the last recorded request that are still to come.
    copies: u64,
    /// Row of the last arrival.
    row: usize,
    /// Instant of the last arrival.
    now: u64,
    /// Instant before which all copies come.
    until: u64,
    rng: Rng,
}

impl TraceStream {
    fn next(&mut self) -> Option<u64> {
        loop {
            if self.copies > 0 {
                return Some(self.copy());
            }
            if self.next == self.config.part.end {
                if !self.config.looped || self.start == u64::MAX {
                    return None;
                }
                self.start = self.start.saturating_add(self.config.length);
                self.next = self.config.part.start;
            }
            let arrival = self.instant(self.next);
            self.row = self.next;
            self.next += 1;
            let requests = self.draw_scale();
            if requests > 0 {
                self.copies = requests - 1;
                self.now = arrival;
                if self.copies > 0 {
                    self.until = arrival.saturating_add(self.config.mean_gap).min(self.following());
                }
                return Some(arrival);
            }
        }
    }

    fn instant(&mut self, index: usize) -> u64 {
        let recorded = self.cursor.get(&self.config.trace.instants, index);
        self.start.saturating_add(self.config.within(recorded))
    }

    /// Instant of the next recorded request, or end of the part.
    fn following(&mut self) -> u64 {
        match self.next < self.config.part.end {
            true => self.instant(self.next),
            false => self.start.saturating_add(self.config.length),
        }
    }

    /// Number of requests that take the place of one recorded request.
    fn draw_scale(&mut self) -> u64 {
        let (whole, fraction) = (self.config.scale.floor(), self.config.scale.fract());
        whole as u64 + u64::from(fraction > 0.0 && self.rng.random::<f64>() < fraction)
    }

    /// Whether each recorded request is one request.
    fn is_plain(&self) -> bool {
        self.config.scale == 1.0 && self.copies == 0
    }

    /// Instant of the earliest of the copies still to come, each uniform between now and `until`: the minimum of n
    /// uniforms on (0, 1) is 1 − U^(1/n).
    fn copy(&mut self) -> u64 {
        let earliest = 1.0 - self.rng.random::<f64>().powf(1.0 / self.copies as f64);
        let room = self.until.saturating_sub(self.now);
        self.now += ((room as f64 * earliest) as u64).min(room);
        self.copies -= 1;
        self.now
    }
}

impl Stream for TraceStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        let end = out.len() + count;
        while self.is_plain() && out.len() < end {
            let Some(first) = self.next() else { return };
            out.push(first);
            let rows = self.next..self.config.part.end.min(self.next + end - out.len());
            let recorded = self.cursor.run(&self.config.trace.instants, rows);
            out.extend(
                recorded.iter().map(|recorded| self.start.saturating_add(self.config.within(*recorded))),
            );
            self.next += recorded.len();
        }
        let left = end - out.len();
        out.extend(std::iter::from_fn(|| self.next()).take(left));
    }
    fn fill_with_rows(&mut self, out: &mut Vec<u64>, rows: &mut Vec<Option<usize>>, count: usize) {
        for _ in 0..count {
            let Some(instant) = self.next() else { return };
            out.push(instant);
            rows.push(Some(self.row));
        }
    }
}
