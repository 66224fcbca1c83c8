//! `[run]`: how long and how often.

use super::precision::Precision;
use crate::schema::{Context, Data, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

/// How long and how often a scenario is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Length of one run; not zero.
    pub duration: Span,
    /// Part of it, from the start, that is simulated but not measured.
    pub warmup: Warmup,
    /// Runs with requests of their own; at least 1.
    pub replications: u32,
    /// How sure a figure has to be; more replications are added until it is.
    pub precision: Option<Precision>,
    /// What all randomness is derived from.
    pub seed: u64,
    /// Length of the windows of the timeline; not zero.
    pub timeline_interval: Span,
}

/// How the part that is not measured is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmup {
    /// As long as this; shorter than the run.
    Fixed(Span),
    /// By the runs themselves, before they are measured.
    Auto,
}

impl Warmup {
    /// The time to leave out as far as it is known beforehand.
    pub fn fixed(self) -> Span {
        match self {
            Warmup::Fixed(span) => span,
            Warmup::Auto => Span::ZERO,
        }
    }
}

impl std::fmt::Display for Warmup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Warmup::Fixed(span) => span.fmt(f),
            Warmup::Auto => f.write_str("auto"),
        }
    }
}

impl Value for Warmup {
    fn kind() -> Kind {
        let auto =
            "As much as MSER-5 leaves out of a pilot: see docs/statistics.md. For traffic that settles";
        Kind::Either(vec![Kind::Duration, Kind::Choice(vec![("auto", auto)])])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        match &node.data {
            Data::Text(text) if text == "auto" => Ok(Warmup::Auto),
            _ => Span::read(node, path, context)
                .map(Warmup::Fixed)
                .map_err(|problem| problem.help("or warmup = \"auto\", which finds it in pilot runs")),
        }
    }
}

const DURATION: Key<Option<Span>> = Key::optional(
    "duration",
    "Length of one run, in simulated time. Without it, the length of the arrivals, where they end by themselves: steps, points and traces that are not looped.",
)
.above(0.0);
const WARMUP: Key<Warmup> = Key::or(
    "warmup",
    "\"0s\"",
    "Part of the run, from its start, that is simulated but not measured; shorter than the run. `\"auto\"` finds it in pilot runs, by MSER-5, for traffic that settles: see [statistics](statistics.md).",
);
const REPLICATIONS: Key<u32> = Key::or(
    "replications",
    "20",
    "Number of runs, each with requests of its own; figures are their means, with 95 % confidence intervals. Below 3 there are no intervals, below 5 none of percentiles and maxima, below 20 no setting is said to meet the SLO.",
)
.at_least(1.0)
.at_most(10_000.0);
const PRECISION: Key<Option<Precision>> = Key::optional(
    "precision",
    "Precision that a figure must have; replications are added until it is reached. Without it, `replications` is the number.",
);
const SEED: Key<u64> = Key::or(
    "seed",
    "1",
    "Seed of all random numbers: the same scenario, seed and version give the same results.",
);
const TIMELINE_INTERVAL: Key<Option<Span>> = Key::optional(
    "timeline_interval",
    "Length of the windows of the timeline. Without it, the shortest round length that gives at most 400 windows.",
)
.above(0.0);

/// Maximum number of windows of a timeline, where its interval is chosen here.
const MOST_WINDOWS: u64 = 400;

/// Windows a timeline may have where its interval is written: each is a row of `timeline.csv`.
const MOST_WINDOWS_WRITTEN: u64 = 100_000;

impl Run {
    /// The `[run]` table.
    pub const SPEC: TableSpec = TableSpec {
        name: "run",
        doc: "Length and number of runs.",
        keys: &[&DURATION, &WARMUP, &REPLICATIONS, &PRECISION, &SEED, &TIMELINE_INTERVAL],
    };

    /// Reads the `[run]` table; `natural` is how long the arrivals last by themselves, if they end.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>, natural: Option<Span>) -> Result<Run, Problem> {
        let written = reader.find(&DURATION)?;
        let duration = written.or(natural.filter(|span| !span.is_zero())).ok_or_else(|| {
            let message = format!("`{}` is missing", reader.path_of("duration"));
            let label = match natural {
                Some(_) => "the length of these arrivals is zero, so the run needs its own",
                None => "these arrivals do not end by themselves, so the run needs its length",
            };
            reader.problem("duration", message, label).help("for example, in `[run]`: duration = \"24h\"")
        })?;
        let run = Run {
            duration,
            warmup: reader.get(&WARMUP)?,
            replications: reader.get(&REPLICATIONS)?,
            precision: reader.find(&PRECISION)?,
            seed: reader.get(&SEED)?,
            timeline_interval: match reader.find(&TIMELINE_INTERVAL)? {
                Some(interval) => checked(reader, interval, duration)?,
                None => round_interval(duration),
            },
        };
        if let Some(precision) = run.precision.filter(|precision| precision.most < run.replications) {
            let message = format!("`{}` is {}", reader.path_of("precision.most"), precision.most);
            let label = format!("expected at least the {} of `replications`", run.replications);
            return Err(reader.problem("precision", message, label));
        }
        if run.warmup.fixed() >= duration {
            let message = format!("`{}` is {}", reader.path_of("warmup"), run.warmup);
            let label = format!("expected less than the run's {duration}, or nothing is left to measure");
            return Err(reader.problem("warmup", message, label));
        }
        Ok(run)
    }
}

fn checked(reader: &Reader<'_>, interval: Span, duration: Span) -> Result<Span, Problem> {
    let windows = duration.as_nanos().div_ceil(interval.as_nanos().max(1));
    if windows <= MOST_WINDOWS_WRITTEN {
        return Ok(interval);
    }
    let path = reader.path_of("timeline_interval");
    let message = format!("`{path}` is {interval}, which makes {windows} windows of a run of {duration}");
    let label = format!("expected a length that makes at most {MOST_WINDOWS_WRITTEN}");
    Err(reader.problem("timeline_interval", message, label))
}

/// The shortest round length that divides `duration` into at most [`MOST_WINDOWS`].
fn round_interval(duration: Span) -> Span {
    const ROUND_S: [u64; 18] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];
    let fits = |interval: &Span| duration.as_nanos().div_ceil(interval.as_nanos()) <= MOST_WINDOWS;
    let days = duration.as_nanos().div_ceil(MOST_WINDOWS * Span::from_secs(86_400).as_nanos());
    let round = ROUND_S.into_iter().map(Span::from_secs).find(fits);
    round.unwrap_or(Span::from_secs(86_400) * days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_has_at_most_400_windows_of_round_length() {
        let chosen = |seconds| round_interval(Span::from_secs(seconds)).as_secs_f64();
        assert_eq!(chosen(400), 1.0);
        assert_eq!(chosen(401), 2.0);
        assert_eq!(chosen(86_400), 300.0);
        assert_eq!(chosen(7 * 86_400), 1_800.0);
        assert_eq!(chosen(100 * 365 * 86_400), 92.0 * 86_400.0);
        assert_eq!(round_interval(Span::from_nanos(1)), Span::from_secs(1));
    }
}
