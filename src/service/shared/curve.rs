//! The curve of a load test: throughput or latency by concurrency.

use crate::schema::{Context, Data, FileName, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::sorting::Sorting as _;
use crate::time::Span;
use crate::traffic::{Column, FileError, Order, Unit, read_column};

/// One point of a load test.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    concurrency: f64,
    /// Requests completed per second.
    throughput: f64,
}

/// The points of a load test, by ascending concurrency.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve(Vec<Point>);

/// Maximum concurrency of a point.
const MAX_MEASURED: f64 = 100_000.0;

const POINT_CONCURRENCY: Key<f64> =
    Key::required("concurrency", "Requests in service on the instance.").at_least(1.0).at_most(MAX_MEASURED);
const THROUGHPUT: Key<Option<f64>> =
    Key::optional("throughput", "Requests answered per second; instead of `latency`.").above(0.0);
const LATENCY: Key<Option<Span>> =
    Key::optional("latency", "Mean latency of a request; instead of `throughput`.").above(0.0);
const POINT_SPEC: TableSpec = TableSpec {
    name: "curve",
    doc: "One point of a load test.",
    keys: &[&POINT_CONCURRENCY, &THROUGHPUT, &LATENCY],
};

const FILE: Key<FileName> = Key::required("file", "CSV file with a row for each concurrency measured.");
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

impl Curve {
    /// From points in any order, at least one and no two of one concurrency.
    fn new(mut points: Vec<Point>) -> Result<Curve, String> {
        points.sort_once_by(|a, b| a.concurrency.total_cmp(&b.concurrency));
        if points.is_empty() {
            return Err("has no points".to_owned());
        }
        match points.windows(2).find(|pair| pair[0].concurrency == pair[1].concurrency) {
            Some(pair) => Err(format!("has two points at a concurrency of {}", pair[0].concurrency)),
            None => Ok(Curve(points)),
        }
    }

    /// Greatest concurrency measured.
    pub fn max_concurrency(&self) -> f64 {
        self.0[self.0.len() - 1].concurrency
    }

    /// Mean latency of a request at the first point, in seconds, and the concurrency there. Up to it requests are taken to
    /// run at full speed, so this is also their mean service time.
    pub fn first_latency_s(&self) -> (f64, f64) {
        let first = self.0[0];
        (first.concurrency / first.throughput, first.concurrency)
    }

    /// Speed of the instance with `n` requests in service, in multiples of the full speed of one request: `n` up to the
    /// first point.
    pub fn speed(&self, n: f64) -> f64 {
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
    let column = |column: &Column, order, (min, max): (f64, f64), expected: &str| {
        let named = reader.context().file(&file);
        let parse = |cell: &str| cell.parse().ok().filter(|number: &f64| (min..=max).contains(number));
        let values = read_column(&named, column, order, expected, parse);
        values.map_err(|error: FileError| error.at(&reader.place_of("file")))
    };
    let levels = reader.get(&CONCURRENCY_COLUMN)?;
    let concurrency = column(&levels, Order::Distinct, (1.0, MAX_MEASURED), "a number from 1 to 100000")?;
    let (Ok(second) | Err(second)) = &measured;
    let second = column(second, Order::Any, (f64::MIN_POSITIVE, f64::MAX), "a number above 0")?;
    let point = |(concurrency, value): (f64, f64)| Point {
        concurrency,
        throughput: if measured.is_ok() { value } else { concurrency / (value * unit.seconds()) },
    };
    Ok(concurrency.into_iter().zip(second).map(point).collect())
}
