//! The settings of `shared`.

use std::sync::Arc;

use super::curve::Curve;
use crate::distribution::Durations;
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::service::requirement::TIME;
use crate::service::server::FULL;
use crate::time::Span;

/// An instance whose requests share its speed.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// Maximum concurrency: requests in service on one instance.
    pub concurrency: u32,
    /// Speed of the instance, by the number of requests in service − 1.
    pub(super) paces: Arc<[Pace]>,
}

/// Speed of an instance at one concurrency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Service that each request attains in a nanosecond, in units of 2⁻³² ns.
    pub per_request: u64,
    /// Speed of all requests together as a share of the instance's greatest speed, in parts of [`FULL`].
    pub share: u64,
}

const CONCURRENCY: Key<Option<u32>> = Key::optional(
    "concurrency",
    "Maximum concurrency: requests in service on one instance; the rest wait, first come first served. Without it, the greatest concurrency of the curve, or 1000 without a curve.",
)
.at_least(1.0)
.at_most(100_000.0);
const CORES: Key<Option<f64>> = Key::optional(
    "cores",
    "Number of requests that the instance can serve at full speed; more of them share it: n requests run at min(1, cores/n) of full speed each. Without it, and without `slowdown` and `curve`, 1.",
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

/// Attained service is counted in units of 2⁻³² ns.
pub(super) const UNIT_BITS: u32 = 32;
const UNITS_PER_NS: f64 = (1_u64 << UNIT_BITS) as f64;

/// Maximum concurrency where neither `concurrency` nor `curve` gives one.
const DEFAULT_CONCURRENCY: u32 = 1000;

impl Shared {
    /// `model = "shared"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "shared",
        doc: "All requests on an instance progress together and share its speed (processor sharing), up to `concurrency` of them. The speed of the instance by concurrency is `cores`, a `slowdown` or a measured `curve`; it is rounded to 2⁻³² of full speed, and a request completes at the first nanosecond by which it has attained its requirement. The utilization is the speed used as a share of the greatest speed.",
        keys: &[&TIME, &CONCURRENCY, &CORES, &SLOWDOWN, &CURVE],
    };

    pub(in crate::service) fn read(reader: &Reader<'_>) -> Result<Shared, Problem> {
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
                Shared::new(concurrency.unwrap_or(DEFAULT_CONCURRENCY), |n| n / (1.0 + slowdown * (n - 1.0)))
            }
            (None, Some(curve)) => {
                agrees(reader, &curve)?;
                let measured = curve.max_concurrency() as u32;
                Shared::new(concurrency.unwrap_or(measured), |n| curve.speed(n))
            }
            (None, None) => {
                let cores = cores.unwrap_or(1.0);
                Shared::new(concurrency.unwrap_or(DEFAULT_CONCURRENCY), |n| n.min(cores))
            }
        })
    }

    /// Up to `concurrency` requests at a time, at least 1. `speed` is that of the instance with n of them, above 0, in
    /// multiples of the full speed of one request.
    pub fn new(concurrency: u32, speed: impl Fn(f64) -> f64) -> Shared {
        let speeds: Vec<f64> = (1..=concurrency).map(|n| speed(f64::from(n))).collect();
        let greatest = speeds.iter().copied().fold(0.0, f64::max);
        let pace = |(n, speed): (f64, &f64)| Pace {
            // At least 1, or a request would never complete.
            per_request: ((speed / n * UNITS_PER_NS).round() as u64).max(1),
            share: (speed / greatest * FULL as f64).round() as u64,
        };
        let numbers = (1..=concurrency).map(f64::from);
        Shared { concurrency, paces: numbers.zip(&speeds).map(pace).collect() }
    }

    /// The paces of an instance `speed` times as fast, rounded again.
    pub(super) fn scaled(&self, speed: f64) -> Arc<[Pace]> {
        let faster = |pace: &Pace| Pace {
            per_request: ((pace.per_request as f64 * speed).round() as u64).max(1),
            ..*pace
        };
        self.paces.iter().map(faster).collect()
    }

    /// Speed with `requests` in service, at least 1.
    #[inline]
    pub fn pace(&self, requests: usize) -> Pace {
        self.paces[requests - 1]
    }

    /// Maximum throughput of an instance, requests per second, at a mean service requirement of `mean_s` seconds.
    pub fn throughput(&self, mean_s: f64) -> f64 {
        let speed =
            |(index, pace): (usize, &Pace)| pace.per_request as f64 * (index + 1) as f64 / UNITS_PER_NS;
        self.paces.iter().enumerate().map(speed).fold(0.0, f64::max) / mean_s
    }
}

/// A curve scales `time`, so the two must be of one service: what `time` says and what the first point says a request takes
/// may differ by a factor of two, for noise and overhead of a load test, and no more.
fn agrees(reader: &Reader<'_>, curve: &Curve) -> Result<(), Problem> {
    const MOST_APART: f64 = 2.0;
    let Some(Durations(time)) = reader.find(&TIME)? else { return Ok(()) };
    let ((measured_s, concurrency), time_s) = (curve.first_latency_s(), time.mean());
    let ratio = measured_s / time_s;
    if (1.0 / MOST_APART..=MOST_APART).contains(&ratio) || !ratio.is_finite() {
        return Ok(());
    }
    let message = format!(
        "`{}` has a mean of {}, but by its first point, at a concurrency of {concurrency}, `{}` has a latency of {}",
        reader.path_of("time"),
        Span::from_secs_f64(time_s),
        reader.path_of("curve"),
        Span::from_secs_f64(measured_s)
    );
    let label = format!("expected a mean within a factor of {MOST_APART} of the load test");
    let help =
        "the curve gives speeds relative to its first point: take `time` from there, or check its units";
    Err(reader.problem("time", message, label).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Context, Tree};

    #[test]
    fn a_time_far_from_the_first_point_of_the_curve_is_refused_with_both() {
        let read = |time: &str, first: &str| {
            let text =
                format!("time = \"{time}\"\ncurve = [{{ {first} }}, {{ concurrency = 8, throughput = 13 }}]");
            let tree = Tree::parse(&text).unwrap();
            let context = Context::new(".");
            Shared::read(&Reader::open(tree.root(), "service", &Shared::SPEC, &context).unwrap())
        };
        let problem = read("24ms", "concurrency = 1, throughput = 4").unwrap_err();
        assert!(
            problem.message.contains("mean of 24ms") && problem.message.contains("latency of 250ms"),
            "{problem:?}"
        );
        assert!(read("600ms", "concurrency = 1, throughput = 4").is_err());
        assert!(read("240ms", "concurrency = 1, throughput = 4").is_ok());
        // Two at a time at 4/s take 500 ms each.
        assert!(read("500ms", "concurrency = 2, throughput = 4").is_ok());
        assert!(read("200ms", "concurrency = 2, latency = \"500ms\"").is_err());
    }
}
