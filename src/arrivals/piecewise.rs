//! Poisson arrivals at a rate given at points in time.

use std::sync::Arc;

use super::poisson::MAX_RATE;
use super::process::{Process, Stream};
use super::profile::{Profile, Segment};
use crate::random::Rng;
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};

const AT: Key<Span> = Key::required("at", "Time from the start.");
const RATE: Key<f64> =
    Key::required("rate", "Requests per second at that time.").at_least(0.0).at_most(MAX_RATE);
const POINT: TableSpec = TableSpec { name: "point", doc: "A rate at a time.", keys: &[&AT, &RATE] };

const POINTS: Key<Vec<Point>> =
    Key::required("points", "Times and rates, in ascending order of time; the first is at \"0s\".");
const SHAPE: Key<Shape> = Key::or("shape", "\"linear\"", "The rate between two points.");
const AFTER: Key<After> = Key::or("after", "\"hold\"", "What follows the last point.");

pub(super) const SPEC: TableSpec = TableSpec {
    name: "piecewise",
    doc: "Poisson arrivals at a rate given at points in time.",
    keys: &[&POINTS, &SHAPE, &AFTER],
};

#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    at: Span,
    rate: f64,
}

impl Value for Point {
    fn kind() -> Kind {
        Kind::Table(const { &POINT })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &POINT, context)?;
        Ok(Point { at: reader.get(&AT)?, rate: reader.get(&RATE)? })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Constant,
    Linear,
}

impl Choice for Shape {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("constant", Shape::Constant, "Each point's rate holds until the next point."),
        ("linear", Shape::Linear, "The rate goes in a straight line from point to point."),
    ];
}

impl Value for Shape {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Hold,
    Repeat,
    End,
}

impl Choice for After {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("hold", After::Hold, "The last point's rate, without end."),
        ("repeat", After::Repeat, "The points again from the first, which takes the place of the last."),
        ("end", After::End, "No more requests."),
    ];
}

impl Value for After {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piecewise {
    profile: Arc<Profile>,
    /// End of the arrivals, if they end.
    end: Option<Span>,
}

pub(super) fn read(reader: &Reader) -> Result<Piecewise, Problem> {
    let points = reader.get(&POINTS)?;
    let (shape, after) = (reader.get(&SHAPE)?, reader.get(&AFTER)?);
    check(reader, &points, after)?;
    let mut segments: Vec<Segment> = points
        .windows(2)
        .map(|pair| Segment {
            length: (pair[1].at - pair[0].at).as_nanos(),
            from: pair[0].rate,
            to: if shape == Shape::Constant { pair[0].rate } else { pair[1].rate },
        })
        .collect();
    let last = points.last().map_or(0.0, |point| point.rate);
    let repeat_from = match after {
        After::End => None,
        After::Repeat => Some(0),
        After::Hold => {
            // A segment of one hour at the last rate, repeated.
            segments.push(Segment::flat(Span::from_secs(3600), last));
            Some(segments.len() - 1)
        }
    };
    let end = points.last().map(|point| point.at).filter(|_| after == After::End);
    Ok(Piecewise { profile: Arc::new(Profile::new(&segments, repeat_from)), end })
}

fn check(reader: &Reader, points: &[Point], after: After) -> Result<(), Problem> {
    let path = reader.path_of("points");
    let wrong = |message: String, label: &str| Err(reader.problem("points", message, label));
    match points {
        [] => return wrong(format!("`{path}` is empty"), "expected at least one point"),
        [first, ..] if !first.at.is_zero() => {
            return wrong(format!("`{path}` starts at {}", first.at), "expected the first point at \"0s\"");
        }
        [_] if after != After::Hold => {
            return wrong(format!("`{path}` has one point"), "expected a second point, where the first ends");
        }
        _ => {}
    }
    match points.windows(2).find(|pair| pair[0].at >= pair[1].at) {
        Some(pair) => wrong(
            format!("`{path}`: {} is followed by {}", pair[0].at, pair[1].at),
            "expected points in ascending order of time",
        ),
        None => Ok(()),
    }
}

impl Process for Piecewise {
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream> {
        Arc::clone(&self.profile).stream(rng)
    }
    fn natural_duration(&self) -> Option<Span> {
        self.end
    }
    fn mean_rate(&self, duration: Span) -> f64 {
        match duration.is_zero() {
            true => self.profile.rate_at(0),
            false => self.profile.requests_before(duration.as_nanos()) / duration.as_secs_f64(),
        }
    }
    fn rate_at(&self, at: Instant) -> Option<f64> {
        Some(self.profile.rate_at(at.as_nanos()))
    }
    fn peak_rate(&self) -> f64 {
        self.profile.peak_rate()
    }
}
