//! The time of decoding sequences by their number: points of a load test.

use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

/// Points by ascending number of sequences, at least two.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DecodingCurve(Vec<Point>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    sequences: u32,
    time: Span,
}

const SEQUENCES: Key<u32> =
    Key::required("sequences", "Sequences that decode.").at_least(0.0).at_most(100_000.0);
const TIME: Key<Span> = Key::required("time", "What they add to the iteration.").at_least(0.0);
const SPEC: TableSpec =
    TableSpec { name: "decoding", doc: "One point of the curve.", keys: &[&SEQUENCES, &TIME] };

impl Value for Point {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        Ok(Point { sequences: reader.get(&SEQUENCES)?, time: reader.get(&TIME)? })
    }
}

impl Value for DecodingCurve {
    fn kind() -> Kind {
        Kind::List(Box::new(Point::kind()))
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let points = Vec::<Point>::read(node, path, context)?;
        let rises = points
            .windows(2)
            .all(|pair| pair[0].sequences < pair[1].sequences && pair[0].time <= pair[1].time);
        if points.len() < 2 || !rises {
            let label =
                "expected at least two points, with more sequences and no less time from each to the next";
            return Err(Problem::new(&node.place, format!("`{path}` is not a curve"), label));
        }
        Ok(DecodingCurve(points))
    }
}

impl DecodingCurve {
    /// Its time for 0, 1, … `most` sequences, nanoseconds: linear between points; below the first it is that of the first, as a batch
    /// of one takes what its fixed part takes.
    pub fn tabulated(&self, most: u32) -> Vec<u64> {
        (0..=most).map(|sequences| self.at(f64::from(sequences))).collect()
    }

    fn at(&self, sequences: f64) -> u64 {
        let points = &self.0;
        let next = points.iter().position(|point| sequences <= f64::from(point.sequences));
        let (from, to) = match next {
            Some(0) => return points[0].time.as_nanos(),
            Some(next) => (points[next - 1], points[next]),
            None => (points[points.len() - 2], points[points.len() - 1]),
        };
        let (x0, x1) = (f64::from(from.sequences), f64::from(to.sequences));
        let (y0, y1) = (from.time.as_nanos() as f64, to.time.as_nanos() as f64);
        (y0 + (y1 - y0) * (sequences - x0) / (x1 - x0)).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_linear_between_points_and_beyond_the_last() {
        let point = |sequences, millis: u64| Point { sequences, time: Span::from_nanos(millis * 1_000_000) };
        let curve = DecodingCurve(vec![point(16, 8), point(64, 20), point(128, 52)]);
        let millis: Vec<u64> = curve.tabulated(160).iter().map(|nanos| nanos / 1000).collect();
        let expected = [(0, 8_000), (16, 8_000), (40, 14_000), (64, 20_000), (96, 36_000), (160, 68_000)];
        for (sequences, micros) in expected {
            assert_eq!(millis[sequences], micros, "{sequences}");
        }
    }
}
