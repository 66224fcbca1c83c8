//! The settings of `batch`.

use std::sync::Arc;

use crate::schema::{Context, Data, FileName, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::service::requirement::EXTRA_TIME;
use crate::sorting::Sorting as _;
use crate::time::Span;
use crate::traffic::{Column, FileError, Order, Unit, read_column};

/// An instance that serves requests in batches.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Copies of the model, each of which runs one batch at a time.
    pub copies: u32,
    /// Preferred batch sizes, ascending: a batch of one of them begins without delay. None is above the maximum.
    pub preferred: Vec<u32>,
    /// Maximum delay of a request, from its arrival, for others to join its batch.
    pub max_delay: Span,
    /// Time of a batch in nanoseconds, by its size − 1; its length is the maximum batch size.
    pub(super) times: Arc<[u64]>,
}

/// The measured time of batches of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Timing {
    size: u32,
    seconds: f64,
}

/// Measured times of batches, by ascending size.
#[derive(Debug, Clone, PartialEq)]
struct Timings(Vec<Timing>);

const MAX_BATCH: Key<Option<u32>> = Key::optional(
    "max_batch",
    "Maximum batch size, in requests. May be left out with a `table`: then it is the greatest size measured.",
)
.at_least(1.0)
.at_most(100_000.0);
const PREFERRED: Key<Vec<u32>> = Key::or(
    "preferred",
    "[]",
    "Preferred batch sizes: as soon as a copy is free and enough requests wait, a batch of the greatest preferred size that they fill begins. Without any, only the maximum is preferred.",
)
.at_least(1.0);
const MAX_DELAY: Key<Span> = Key::or(
    "max_delay",
    "\"0s\"",
    "Maximum delay of a request, from its arrival, while a copy is free, for others to join its batch. After it all waiting requests begin, up to the maximum batch size.",
);
const COPIES: Key<u32> = Key::or(
    "copies",
    "1",
    "Copies of the model on an instance, each of which runs one batch at a time, none slowing the others.",
)
.at_least(1.0)
.at_most(1000.0);
const CONSTANT: Key<Option<Span>> = Key::optional(
    "constant",
    "Time of a batch that does not depend on its size. With `slope`, or alone; without `table`.",
);
const SLOPE: Key<Option<Span>> = Key::optional("slope", "Time that each request adds to its batch.");
const TABLE: Key<Option<Timings>> = Key::optional(
    "table",
    "Measured times, instead of `constant` and `slope`: a list of `size` and `time`, or a CSV file with such columns. Between sizes it is interpolated; below the first it is the first.",
);

const SIZE: Key<u32> = Key::required("size", "Requests in the batch.").at_least(1.0).at_most(100_000.0);
const TIME: Key<Span> = Key::required("time", "How long the batch takes.").above(0.0);
const TIMING_SPEC: TableSpec =
    TableSpec { name: "table", doc: "The time of a batch of one size.", keys: &[&SIZE, &TIME] };

const FILE: Key<FileName> = Key::required("file", "CSV file with a row for each size measured.");
const SIZE_COLUMN: Key<Column> =
    Key::or("size", "\"size\"", "Column of the batch sizes: its name, or its number from 1.");
const TIME_COLUMN: Key<Column> =
    Key::or("time", "\"time\"", "Column of the times: its name, or its number from 1.");
const UNIT: Key<Unit> = Key::or("unit", "\"s\"", "Unit of the times.");
const FILE_SPEC: TableSpec = TableSpec {
    name: "table",
    doc: "The times of batches of several sizes in a CSV file.",
    keys: &[&FILE, &SIZE_COLUMN, &TIME_COLUMN, &UNIT],
};

impl Batch {
    /// `model = "batch"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "batch",
        doc: "Requests are served in batches (dynamic batching): a free copy of the model begins a batch as soon as one of a preferred size or of the maximum can be made, or a request has been delayed for `max_delay`. A batch takes `constant` + `slope` × size, or what a `table` says, and beyond that the longest `time` of its requests; all its requests end together. The utilization is the busy share of the copies. With a central queue, batches are made from all waiting requests of the pool. A batch that has begun runs to its end, whichever of its requests have timed out.",
        keys: &[&EXTRA_TIME, &MAX_BATCH, &PREFERRED, &MAX_DELAY, &COPIES, &CONSTANT, &SLOPE, &TABLE],
    };

    pub(in crate::service) fn read(reader: &Reader<'_>) -> Result<Batch, Problem> {
        let (constant, slope) = (reader.find(&CONSTANT)?, reader.find(&SLOPE)?);
        let (table, written) = (reader.find(&TABLE)?, reader.find(&MAX_BATCH)?);
        let max_batch = match (written, &table) {
            (Some(max), Some(table)) if max > table.max_size() => {
                let message = format!("`{}` is {max}", reader.path_of("max_batch"));
                let label = format!("expected at most {}, the greatest size of the table", table.max_size());
                return Err(reader.problem("max_batch", message, label));
            }
            (Some(max), _) => max,
            (None, Some(table)) => table.max_size(),
            (None, None) => return Err(reader.missing("max_batch")),
        };
        let seconds: Box<dyn Fn(u32) -> f64> = match (constant, slope, table) {
            (None, None, None) => return Err(reader.missing("constant").help("or `table`")),
            (None, None, Some(table)) => Box::new(move |size| table.seconds(size)),
            (_, _, Some(_)) => {
                let message = format!("`{}` beside `constant` or `slope`", reader.path_of("table"));
                return Err(reader.problem("table", message, "expected one or the other"));
            }
            (constant, slope, None) => {
                let (constant, slope) = (constant.unwrap_or(Span::ZERO), slope.unwrap_or(Span::ZERO));
                Box::new(move |size| (constant + slope * u64::from(size)).as_secs_f64())
            }
        };
        let mut preferred = reader.get(&PREFERRED)?;
        preferred.sort_unstable();
        preferred.dedup();
        if let Some(over) = preferred.iter().find(|size| **size > max_batch) {
            let message = format!("`{}` has {over}", reader.path_of("preferred"));
            let label = format!("expected at most {max_batch}, the maximum batch size");
            return Err(reader.problem("preferred", message, label));
        }
        Ok(Batch::new(max_batch, seconds).with(reader.get(&COPIES)?, preferred, reader.get(&MAX_DELAY)?))
    }

    /// One copy that begins a batch as soon as it is free: up to `max_batch` requests, at least 1, which take `seconds` of
    /// the batch size.
    pub fn new(max_batch: u32, seconds: impl Fn(u32) -> f64) -> Batch {
        let nanos = |size| Span::from_secs_f64(seconds(size)).as_nanos();
        Batch {
            copies: 1,
            preferred: Vec::new(),
            max_delay: Span::ZERO,
            times: (1..=max_batch).map(nanos).collect(),
        }
    }

    /// The same with this number of copies, preferred sizes (ascending, none above the maximum) and maximum delay.
    #[must_use]
    pub fn with(self, copies: u32, preferred: Vec<u32>, max_delay: Span) -> Batch {
        Batch { copies, preferred, max_delay, ..self }
    }

    /// Maximum batch size, requests.
    pub fn max_batch(&self) -> u32 {
        self.times.len() as u32
    }

    /// Time of a batch of `size` requests, at least 1, without the extra time of its requests.
    pub fn time(&self, size: usize) -> Span {
        Span::from_nanos(self.times[size - 1])
    }

    /// Size of the batch that a free copy begins when `waiting` requests wait, the first of them for the maximum delay if
    /// `overdue`; `None` if it waits for more. The rule is that of NVIDIA's Triton Inference Server (user guide, "Dynamic
    /// Batcher").
    #[inline]
    pub fn size(&self, waiting: u64, overdue: bool) -> Option<usize> {
        let full = self.times.len();
        let waiting = waiting.min(full as u64) as usize;
        let preferred = self.preferred.iter().rev().map(|size| *size as usize).find(|size| *size <= waiting);
        match preferred {
            Some(size) => Some(size),
            None if waiting == full || (overdue && waiting > 0) => Some(waiting),
            None => None,
        }
    }

    /// Maximum throughput of an instance, requests per second, when each request adds `extra_s` seconds to its batch.
    pub fn throughput(&self, extra_s: f64) -> f64 {
        let rate = |(index, nanos): (usize, &u64)| (index + 1) as f64 / (*nanos as f64 / 1e9 + extra_s);
        f64::from(self.copies) * self.times.iter().enumerate().map(rate).fold(0.0, f64::max)
    }
}

impl Timings {
    fn max_size(&self) -> u32 {
        self.0.last().map_or(1, |timing| timing.size)
    }

    fn seconds(&self, size: u32) -> f64 {
        match self.0.windows(2).find(|pair| (pair[0].size..=pair[1].size).contains(&size)) {
            Some(pair) => {
                let along = f64::from(size - pair[0].size) / f64::from(pair[1].size - pair[0].size);
                pair[0].seconds + along * (pair[1].seconds - pair[0].seconds)
            }
            None => self.0[0].seconds,
        }
    }
}

impl Value for Timings {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::List(Box::new(Timing::kind())), Kind::Table(&FILE_SPEC)])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let mut timings = match &node.data {
            Data::Table(_) => read_file(&Reader::open(node, path, &FILE_SPEC, context)?)?,
            _ => Vec::<Timing>::read(node, path, context)?,
        };
        timings.sort_once_by_key(|timing| timing.size);
        let fault = match timings.windows(2).find(|pair| pair[0].size == pair[1].size) {
            Some(pair) => format!("has two times for a size of {}", pair[0].size),
            None if timings.is_empty() => "has no sizes".to_owned(),
            None => return Ok(Timings(timings)),
        };
        let label = "expected a time for each size measured";
        Err(Problem::new(&node.place, format!("`{path}` {fault}"), label))
    }
}

impl Value for Timing {
    fn kind() -> Kind {
        Kind::Table(&TIMING_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &TIMING_SPEC, context)?;
        Ok(Timing { size: reader.get(&SIZE)?, seconds: reader.get(&TIME)?.as_secs_f64() })
    }
}

fn read_file(reader: &Reader) -> Result<Vec<Timing>, Problem> {
    let (file, unit) = (reader.get(&FILE)?, reader.get(&UNIT)?);
    let named = reader.context().file(&file);
    let failed = |error: FileError| error.at(&reader.place_of("file"));
    let size = |cell: &str| cell.parse().ok().filter(|size: &u32| (1..=100_000).contains(size));
    let sizes = reader.get(&SIZE_COLUMN)?;
    let sizes = read_column(&named, &sizes, Order::Distinct, "a whole number from 1 to 100000", size)
        .map_err(failed)?;
    let time = |cell: &str| cell.parse().ok().filter(|time: &f64| *time > 0.0 && time.is_finite());
    let times = read_column(&named, &reader.get(&TIME_COLUMN)?, Order::Any, "a number above 0", time)
        .map_err(failed)?;
    let timing = |(size, time): (u32, f64)| Timing { size, seconds: time * unit.seconds() };
    Ok(sizes.into_iter().zip(times).map(timing).collect())
}
