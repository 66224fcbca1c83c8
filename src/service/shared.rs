//! `model = "shared"`: processor sharing, at a speed that depends on how many share.
//!
//! All requests in service progress alike. So one counter suffices, of the service that a request would have had that
//! was there since the instance last was idle: a request ends when the counter has grown by its requirement since it
//! began, and an arrival or a departure changes nothing for the others but when the next of them ends (Kleinrock,
//! *Queueing Systems*, vol. II, 1976, §4.4; virtual time as in fair queueing).

use std::cmp::Ordering;
use std::sync::Arc;

use super::server::{Active, FULL, Line, Request, Server};
use super::soonest::Soonest;
use crate::schema::{Context, Data, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;
use crate::traffic::{Column, FileError, Order, Unit, read_column};

/// An instance whose requests share its speed.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// Requests in service on one instance at the most.
    pub concurrency: u32,
    /// What the requests in service make of the instance, by their number less one.
    paces: Arc<[Pace]>,
}

/// An instance with so many requests in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Service each request gets in a nanosecond, in units of 2⁻³² ns.
    pub each: u64,
    /// Share of the instance's greatest speed that all get together, in parts of [`FULL`].
    pub share: u64,
}

/// One point of a load test.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    concurrency: f64,
    /// Requests answered per second.
    throughput: f64,
}

/// The points of a load test, by ascending concurrency.
#[derive(Debug, Clone, PartialEq)]
struct Curve(Vec<Point>);

const CONCURRENCY: Key<Option<u32>> = Key::optional(
    "concurrency",
    "Requests in service on one instance at the most; the rest wait, first come first served. Without it, as many as the curve goes to, or 1000 without a curve.",
)
.at_least(1.0)
.at_most(100_000.0);
const CORES: Key<Option<f64>> = Key::optional(
    "cores",
    "How many requests the instance can serve at full speed; more of them share it: n requests run at min(1, cores/n) of full speed each. Without it, and without `slowdown` and `curve`, 1.",
)
.at_least(0.01)
.at_most(100_000.0);
const SLOWDOWN: Key<Option<f64>> = Key::optional(
    "slowdown",
    "What each further request adds to the time of all, as a share of the time of one alone: n requests take 1 + slowdown × (n − 1) times as long. Instead of `cores`.",
)
.at_least(0.0)
.at_most(1e6);
const CURVE: Key<Option<Curve>> = Key::optional(
    "curve",
    "What a load test measured, instead of `cores`: points with a `concurrency` and the `throughput` (requests per second of one instance) or the mean `latency` at it, or a CSV file with such columns. Below the first point requests run at full speed, so `time` is what a request takes there; between points the speed of the instance is interpolated; beyond the last it stays.",
);

/// Greatest concurrency of a curve.
const MOST_MEASURED: f64 = 100_000.0;

const POINT_CONCURRENCY: Key<f64> =
    Key::required("concurrency", "Requests in service on the instance.").at_least(1.0).at_most(MOST_MEASURED);
const THROUGHPUT: Key<Option<f64>> =
    Key::optional("throughput", "Requests answered per second; instead of `latency`.").above(0.0);
const LATENCY: Key<Option<Span>> =
    Key::optional("latency", "Mean latency of a request; instead of `throughput`.").above(0.0);
const POINT_SPEC: TableSpec = TableSpec {
    name: "curve",
    doc: "One point of a load test.",
    keys: &[&POINT_CONCURRENCY, &THROUGHPUT, &LATENCY],
};

const FILE: Key<String> = Key::required("file", "CSV file with a row for each concurrency measured.");
const CONCURRENCY_COLUMN: Key<Column> = Key::or(
    "concurrency",
    "\"concurrency\"",
    "Column of the requests in service: its name, or its number from 1.",
);
const THROUGHPUT_COLUMN: Key<Option<Column>> =
    Key::optional("throughput", "Column of the requests answered per second; instead of `latency`.");
const LATENCY_COLUMN: Key<Option<Column>> =
    Key::optional("latency", "Column of the mean latency; instead of `throughput`.");
const UNIT: Key<Unit> = Key::or("unit", "\"s\"", "Unit of the latencies.");
const FILE_SPEC: TableSpec = TableSpec {
    name: "curve",
    doc: "The points of a load test in a CSV file.",
    keys: &[&FILE, &CONCURRENCY_COLUMN, &THROUGHPUT_COLUMN, &LATENCY_COLUMN, &UNIT],
};

/// Most requests in service where neither `concurrency` nor `curve` says.
const MOST: u32 = 1000;

impl Shared {
    /// `model = "shared"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "shared",
        doc: "All requests on an instance progress together and share its speed (processor sharing), up to `concurrency` of them. How fast the instance is with so many at a time is `cores`, a `slowdown` or a measured `curve`; it is rounded to 2⁻³² of full speed, and a request ends at the first nanosecond by which it has had its requirement. The utilization is the speed used as a share of the greatest speed.",
        keys: &[&super::TIME, &CONCURRENCY, &CORES, &SLOWDOWN, &CURVE],
    };

    pub(super) fn read(reader: &Reader<'_>) -> Result<Shared, Problem> {
        let (cores, slowdown) = (reader.find(&CORES)?, reader.find(&SLOWDOWN)?);
        let curve = reader.find(&CURVE)?;
        let given =
            [("cores", cores.is_some()), ("slowdown", slowdown.is_some()), ("curve", curve.is_some())];
        let mut given = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            let message = format!("both `{}` and `{}`", reader.path_of(first), reader.path_of(second));
            return Err(reader.problem(second, message, "expected one of `cores`, `slowdown` and `curve`"));
        }
        let concurrency = reader.find(&CONCURRENCY)?;
        Ok(match (slowdown, curve) {
            (Some(slowdown), _) => {
                Shared::of(concurrency.unwrap_or(MOST), |n| n / (1.0 + slowdown * (n - 1.0)))
            }
            (None, Some(curve)) => {
                let last = curve.0.last().map_or(MOST, |point| point.concurrency as u32);
                Shared::of(concurrency.unwrap_or(last), |n| curve.speed(n))
            }
            (None, None) => {
                let cores = cores.unwrap_or(1.0);
                Shared::of(concurrency.unwrap_or(MOST), |n| n.min(cores))
            }
        })
    }

    /// Up to `concurrency` requests at a time, 1 or more; `speed` says how fast the instance is with n of them, in
    /// requests served alone at full speed; it must be positive.
    pub fn of(concurrency: u32, speed: impl Fn(f64) -> f64) -> Shared {
        let speeds: Vec<f64> = (1..=concurrency).map(|n| speed(f64::from(n))).collect();
        let greatest = speeds.iter().copied().fold(0.0, f64::max);
        let pace = |(n, speed): (f64, &f64)| Pace {
            // At least 1, or a request would never end.
            each: ((speed / n * UNITS_PER_NS).round() as u64).max(1),
            share: (speed / greatest * FULL as f64).round() as u64,
        };
        let numbers = (1..=concurrency).map(f64::from);
        Shared { concurrency, paces: numbers.zip(&speeds).map(pace).collect() }
    }

    /// The paces of the same instance `speed` times as fast, with the speed of each request rounded again.
    fn at(&self, speed: f64) -> Arc<[Pace]> {
        let faster = |pace: &Pace| Pace { each: ((pace.each as f64 * speed).round() as u64).max(1), ..*pace };
        self.paces.iter().map(faster).collect()
    }

    /// The instance with `requests` in service, of which there is one or more.
    #[inline]
    pub fn pace(&self, requests: usize) -> Pace {
        self.paces[requests - 1]
    }

    /// The most requests of mean requirement `mean_s` seconds that an instance can answer per second.
    pub fn throughput(&self, mean_s: f64) -> f64 {
        let speed = |(index, pace): (usize, &Pace)| pace.each as f64 * (index + 1) as f64 / UNITS_PER_NS;
        self.paces.iter().enumerate().map(speed).fold(0.0, f64::max) / mean_s
    }
}

impl Curve {
    /// Points in any order, made to stand by concurrency.
    fn new(mut points: Vec<Point>) -> Result<Curve, String> {
        points.sort_by(|a, b| a.concurrency.total_cmp(&b.concurrency));
        if points.is_empty() {
            return Err("has no points".to_owned());
        }
        match points.windows(2).find(|pair| pair[0].concurrency == pair[1].concurrency) {
            Some(pair) => Err(format!("has two points at a concurrency of {}", pair[0].concurrency)),
            None => Ok(Curve(points)),
        }
    }

    /// Speed of the instance with `n` in service: 1 for each of them up to the first point.
    fn speed(&self, n: f64) -> f64 {
        let (first, last) = (self.0[0], self.0[self.0.len() - 1]);
        let at = |point: Point| point.throughput / first.throughput * first.concurrency;
        if n <= first.concurrency {
            return n;
        }
        match self.0.windows(2).find(|pair| n <= pair[1].concurrency) {
            Some(pair) => {
                let along = (n - pair[0].concurrency) / (pair[1].concurrency - pair[0].concurrency);
                at(pair[0]) + along * (at(pair[1]) - at(pair[0]))
            }
            None => at(last),
        }
    }
}

impl Value for Curve {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::List(Box::new(Point::kind())), Kind::Table(&FILE_SPEC)])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let points = match &node.data {
            Data::Table(_) => read_file(&Reader::open(node, path, &FILE_SPEC, context)?)?,
            _ => Vec::<Point>::read(node, path, context)?,
        };
        Curve::new(points).map_err(|fault| {
            let label = "expected a point for each concurrency measured";
            Problem::new(&node.place, format!("`{path}` {fault}"), label)
        })
    }
}

impl Value for Point {
    fn kind() -> Kind {
        Kind::Table(&POINT_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &POINT_SPEC, context)?;
        let concurrency = reader.get(&POINT_CONCURRENCY)?;
        let throughput = match one_of(&reader, reader.find(&THROUGHPUT)?, reader.find(&LATENCY)?)? {
            Ok(throughput) => throughput,
            Err(latency) => concurrency / latency.as_secs_f64(),
        };
        Ok(Point { concurrency, throughput })
    }
}

/// `throughput` or `latency`, of which exactly one must be written.
fn one_of<A, B>(reader: &Reader, throughput: Option<A>, latency: Option<B>) -> Result<Result<A, B>, Problem> {
    match (throughput, latency) {
        (Some(throughput), None) => Ok(Ok(throughput)),
        (None, Some(latency)) => Ok(Err(latency)),
        (Some(_), Some(_)) => {
            let message = format!("`{}` beside `throughput`", reader.path_of("latency"));
            Err(reader.problem("latency", message, "expected one of `throughput` and `latency`"))
        }
        (None, None) => Err(reader.missing("throughput").help("or `latency`")),
    }
}

fn read_file(reader: &Reader) -> Result<Vec<Point>, Problem> {
    let (file, unit) = (reader.get(&FILE)?, reader.get(&UNIT)?);
    let measured = one_of(reader, reader.find(&THROUGHPUT_COLUMN)?, reader.find(&LATENCY_COLUMN)?)?;
    let column = |column: &Column, order, (least, most): (f64, f64), expected: &str| {
        let path = reader.context().resolve(&file);
        let parse = |cell: &str| cell.parse().ok().filter(|number: &f64| (least..=most).contains(number));
        let values = read_column(&path, &file, column, order, expected, parse);
        values.map_err(|error: FileError| error.at(&reader.place_of("file")))
    };
    let levels = reader.get(&CONCURRENCY_COLUMN)?;
    let concurrency = column(&levels, Order::Distinct, (1.0, MOST_MEASURED), "a number from 1 to 100000")?;
    let (Ok(second) | Err(second)) = &measured;
    let second = column(second, Order::Any, (f64::MIN_POSITIVE, f64::MAX), "a number above 0")?;
    let point = |(concurrency, value): (f64, f64)| Point {
        concurrency,
        throughput: if measured.is_ok() { value } else { concurrency / (value * unit.seconds()) },
    };
    Ok(concurrency.into_iter().zip(second).map(point).collect())
}

/// The unit of attained service is 2⁻³² ns.
const UNIT_BITS: u32 = 32;
const UNITS_PER_NS: f64 = (1_u64 << UNIT_BITS) as f64;

/// An instance of `shared` at work.
#[derive(Debug, Clone)]
pub struct SharedServer {
    /// By the number of requests in service less one; as many as may be in service.
    paces: Arc<[Pace]>,
    /// Requests in service, by their end.
    active: Soonest<Sharer>,
    /// Service had by a request that was there since the instance last was idle, as of `counted_to`; 2⁻³² ns.
    attained: u128,
    counted_to: u64,
    pace: Pace,
    next_change: u64,
    begun: u64,
    work: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sharer {
    /// What `attained` will be when it ends.
    target: u128,
    /// How many began before it.
    number: u64,
    active: Active,
}

impl Ord for Sharer {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (self.target, self.number).cmp(&(other.target, other.number))
    }
}

impl PartialOrd for Sharer {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const IDLE: Pace = Pace { each: 0, share: 0 };

impl SharedServer {
    /// Lets everybody progress to `now`.
    #[inline]
    fn pass(&mut self, now: u64) {
        let passed = now - self.counted_to;
        self.attained += u128::from(passed) * u128::from(self.pace.each);
        self.work += u128::from(passed) * u128::from(self.pace.share);
        self.counted_to = now;
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.active.len() == self.paces.len()
    }

    /// Adds a request at `now`, up to which everybody has progressed.
    #[inline(always)]
    fn add(&mut self, request: Request, now: u64) {
        let target = self.attained + (u128::from(request.service) << UNIT_BITS);
        self.active.add(Sharer { target, number: self.begun, active: Active { request, start: now } });
        self.begun += 1;
    }

    /// Sets the speed, and the end of the next request to end, for as many as are here now.
    #[inline]
    fn plan(&mut self) {
        match self.active.least() {
            None => {
                self.attained = 0;
                self.pace = IDLE;
                self.next_change = u64::MAX;
            }
            Some(first) => {
                self.pace = self.paces[self.active.len() - 1];
                let left = first.target.saturating_sub(self.attained);
                let time = match u64::try_from(left) {
                    Ok(left) => left.div_ceil(self.pace.each),
                    Err(_) => left.div_ceil(u128::from(self.pace.each)).try_into().unwrap_or(u64::MAX),
                };
                self.next_change = self.counted_to.saturating_add(time);
            }
        }
    }
}

impl Server for SharedServer {
    type Settings = Shared;

    fn new(settings: &Arc<Shared>, speed: f64) -> Self {
        SharedServer {
            paces: if speed == 1.0 { Arc::clone(&settings.paces) } else { settings.at(speed) },
            active: Soonest::new(),
            attained: 0,
            counted_to: 0,
            pace: IDLE,
            next_change: u64::MAX,
            begun: 0,
            work: 0,
        }
    }

    // Handed on in registers: a request that goes through memory is waited for there.
    #[inline(always)]
    fn begin(&mut self, request: Request, now: u64) -> bool {
        let begins = !self.is_full();
        if begins {
            self.pass(now);
            self.add(request, now);
            self.plan();
        }
        begins
    }

    #[inline]
    fn admit(&mut self, queue: &mut impl Line, now: u64) {
        if queue.is_empty() || self.is_full() {
            return;
        }
        self.pass(now);
        while !self.is_full()
            && let Some(request) = queue.pop(now)
        {
            self.add(request, now);
        }
        self.plan();
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.next_change
    }

    #[inline]
    fn step(&mut self, done: &mut impl FnMut(Active, u64)) {
        self.pass(self.next_change);
        if let Some(first) = self.active.take() {
            done(first.active, 0);
        }
        self.plan();
    }

    fn cancel(&mut self, mark: u32, now: u64, _over: u64) -> Option<Active> {
        self.pass(now);
        let mut stopped = None;
        self.active.remove(|Sharer { active, .. }| {
            let goes = active.request.mark == mark;
            if goes {
                stopped = Some(*active);
            }
            goes
        });
        self.plan();
        stopped
    }

    fn eagerness(&self) -> Option<u64> {
        (!self.is_full()).then_some(self.active.len() as u64)
    }

    #[inline]
    fn in_service(&self) -> u64 {
        self.active.len() as u64
    }

    fn requests(&self) -> impl Iterator<Item = &Active> {
        self.active.iter().map(|sharer| &sharer.active)
    }

    fn work(&self, now: u64) -> u128 {
        self.work + u128::from(now - self.counted_to) * u128::from(self.pace.share)
    }
}
