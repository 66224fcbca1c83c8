//! The figures a run is reported by: each stated once, with its unit and how it follows from an outcome.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::sim::{Outcome, Slo};
use crate::stats::{CONFIDENCE, Estimate, Linearised};

/// Unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A share, 0 to 1.
    Share,
    /// Requests.
    Requests,
    /// Instances.
    Instances,
    /// Hours of one instance.
    InstanceHours,
    /// The scenario's currency.
    Currency,
    /// How many times.
    Count,
}

/// A figure in one replication.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// The replication does not have it: no request was answered, or nothing is promised.
    Missing,
    /// A value of its own.
    Value(f64),
    /// A ratio; over several replications, of their totals.
    Ratio {
        /// Numerator.
        of: f64,
        /// Denominator.
        to: f64,
    },
}

impl Sample {
    fn maybe(value: Option<f64>) -> Sample {
        value.map_or(Sample::Missing, Sample::Value)
    }

    fn ratio(of: f64, to: f64) -> Sample {
        if to > 0.0 { Sample::Ratio { of, to } } else { Sample::Missing }
    }

    /// The replication's own value, if it has one and it is finite.
    pub fn value(self) -> Option<f64> {
        match self {
            Sample::Missing => None,
            Sample::Value(value) => Some(value),
            Sample::Ratio { of, to } => Some(of / to),
        }
        .filter(|value| value.is_finite())
    }
}

/// A figure: its name everywhere, what it means, its unit, and how it follows from a run.
#[derive(Debug)]
pub struct Figure {
    /// Name in `summary.json` (a dot opens a table), in the CSV files and on the terminal.
    pub name: &'static str,
    /// Unit.
    pub unit: Unit,
    /// What it is.
    pub doc: &'static str,
    of: fn(&Outcome, Option<Slo>) -> Sample,
}

use Unit::{Count, Currency, InstanceHours, Instances, Requests, Seconds, Share};

const fn figure(
    name: &'static str,
    unit: Unit,
    doc: &'static str,
    of: fn(&Outcome, Option<Slo>) -> Sample,
) -> Figure {
    Figure { name, unit, doc, of }
}

/// All figures, in the order they are reported.
pub static FIGURES: &[Figure] = &[
    figure("latency.mean", Seconds, "mean latency of the requests answered", |run, _| {
        Sample::maybe(run.latency.mean())
    }),
    figure("latency.p50", Seconds, "median latency", |run, _| Sample::maybe(run.latency.quantile(0.5))),
    figure("latency.p90", Seconds, "90th percentile of the latency", |run, _| {
        Sample::maybe(run.latency.quantile(0.9))
    }),
    figure("latency.p95", Seconds, "95th percentile of the latency", |run, _| {
        Sample::maybe(run.latency.quantile(0.95))
    }),
    figure("latency.p99", Seconds, "99th percentile of the latency", |run, _| {
        Sample::maybe(run.latency.quantile(0.99))
    }),
    figure("latency.p999", Seconds, "99.9th percentile of the latency", |run, _| {
        Sample::maybe(run.latency.quantile(0.999))
    }),
    figure("latency.max", Seconds, "longest latency", |run, _| Sample::maybe(run.latency.max())),
    figure("wait.mean", Seconds, "mean wait of the requests answered", |run, _| {
        Sample::maybe(run.wait.mean())
    }),
    figure("wait.p50", Seconds, "median wait", |run, _| Sample::maybe(run.wait.quantile(0.5))),
    figure("wait.p90", Seconds, "90th percentile of the wait", |run, _| {
        Sample::maybe(run.wait.quantile(0.9))
    }),
    figure("wait.p95", Seconds, "95th percentile of the wait", |run, _| {
        Sample::maybe(run.wait.quantile(0.95))
    }),
    figure("wait.p99", Seconds, "99th percentile of the wait", |run, _| {
        Sample::maybe(run.wait.quantile(0.99))
    }),
    figure("wait.p999", Seconds, "99.9th percentile of the wait", |run, _| {
        Sample::maybe(run.wait.quantile(0.999))
    }),
    figure("wait.max", Seconds, "longest wait", |run, _| Sample::maybe(run.wait.max())),
    figure(
        SLO_LATENCY,
        Seconds,
        "latency at the SLO's percentile (p99 without an SLO), requests lost counting as never answered",
        |run, slo| Sample::maybe(slo_latency(run, slo.map_or(0.99, |slo| slo.quantile()))),
    ),
    figure("slo_attainment", Share, "share of the requests ended that were answered within the SLO", {
        |run, slo| match slo {
            Some(_) => Sample::ratio(run.good as f64, ended(run)),
            None => Sample::Missing,
        }
    }),
    figure("below_slo_s", Seconds, "time in windows that missed the SLO", |run, slo| {
        Sample::maybe(slo.map(|_| run.below_slo_s))
    }),
    figure("arrived", Requests, "requests that arrived", |run, _| Sample::Value(run.counts.arrived as f64)),
    figure("served", Requests, "requests answered", |run, _| Sample::Value(run.counts.served as f64)),
    figure("rejected", Requests, "requests turned away by a full queue", |run, _| {
        Sample::Value(run.counts.rejected as f64)
    }),
    figure("timed_out", Requests, "requests that gave up waiting", |run, _| {
        Sample::Value(run.counts.timed_out as f64)
    }),
    figure("failed", Requests, "requests lost with their instance", |run, _| {
        Sample::Value(run.counts.failed as f64)
    }),
    figure("in_flight_at_end", Requests, "requests waiting or in service at the end", |run, _| {
        Sample::Value(run.counts.in_flight as f64)
    }),
    figure("utilization", Share, "busy share of the capacity of ready instances", |run, _| {
        Sample::ratio(run.integrals.busy, run.integrals.ready * f64::from(run.slots))
    }),
    figure("mean_queue", Requests, "time-average of requests waiting", |run, _| {
        per_time(run, run.integrals.waiting)
    }),
    figure("peak_queue", Requests, "most requests waiting at the end of a window", |run, _| {
        Sample::Value(run.peak_waiting as f64)
    }),
    figure("mean_in_flight", Requests, "time-average of requests waiting or in service", |run, _| {
        per_time(run, run.integrals.waiting + run.integrals.in_service)
    }),
    figure("mean_ready", Instances, "time-average of ready instances", |run, _| {
        per_time(run, run.integrals.ready)
    }),
    figure("peak_ready", Instances, "most instances ready at once", |run, _| {
        Sample::Value(f64::from(run.peak_ready))
    }),
    figure("mean_starting", Instances, "time-average of instances starting", |run, _| {
        per_time(run, run.integrals.starting)
    }),
    figure("mean_draining", Instances, "time-average of instances draining", |run, _| {
        per_time(run, run.integrals.draining)
    }),
    figure("starts", Count, "instances started", |run, _| Sample::Value(run.started as f64)),
    figure("scale_ups", Count, "decisions that raised the instances asked for", |run, _| {
        Sample::Value(run.actions.up as f64)
    }),
    figure("scale_downs", Count, "decisions that lowered the instances asked for", |run, _| {
        Sample::Value(run.actions.down as f64)
    }),
    figure("flaps", Count, "decisions that undid one of the five minutes before", |run, _| {
        Sample::Value(run.actions.flaps as f64)
    }),
    figure("instance_hours", InstanceHours, "instance-hours billed", |run, _| {
        Sample::Value(run.billed_hours)
    }),
    figure(COST, Currency, "price of the instance-hours billed", |run, _| Sample::Value(run.cost)),
    figure("cost_per_1000", Currency, "cost per thousand requests answered", |run, _| {
        Sample::ratio(run.cost * 1000.0, run.counts.served as f64)
    }),
    figure("cost_per_1000_within_slo", Currency, "cost per thousand requests answered within the SLO", {
        |run, slo| match slo {
            Some(_) => Sample::ratio(run.cost * 1000.0, run.good as f64),
            None => Sample::Missing,
        }
    }),
];

/// The figure a frontier is drawn over.
pub const COST: &str = "cost";
/// The latency figure a frontier is drawn against.
pub const SLO_LATENCY: &str = "slo_latency";

fn ended(run: &Outcome) -> f64 {
    (run.counts.arrived - run.counts.in_flight + run.overdue) as f64
}

fn per_time(run: &Outcome, integral: f64) -> Sample {
    Sample::ratio(integral, run.measured_s).value().map_or(Sample::Missing, Sample::Value)
}

/// The latency within which a share `quantile` of the requests that ended was answered; infinite if more were lost than
/// that allows, for a pool that turns its users away must not look fast.
fn slo_latency(run: &Outcome, quantile: f64) -> Option<f64> {
    let ended = ended(run);
    if ended == 0.0 {
        return None;
    }
    if run.counts.served as f64 == ended {
        return run.latency.quantile(quantile);
    }
    let among_served = quantile * ended / run.counts.served as f64;
    if among_served <= 1.0 { run.latency.quantile(among_served) } else { Some(f64::INFINITY) }
}

/// All figures of one replication, in the order of [`FIGURES`].
#[derive(Debug, Clone, PartialEq)]
pub struct Replication {
    /// Its number, from 0; what its random streams are derived from.
    pub number: u32,
    samples: Vec<Sample>,
}

impl Replication {
    /// The figures of `outcome`, that of replication `number`, judged by `slo`.
    pub fn of(number: u32, outcome: &Outcome, slo: Option<Slo>) -> Replication {
        let samples = FIGURES.iter().map(|figure| (figure.of)(outcome, slo)).collect();
        Replication { number, samples }
    }

    /// The figures with their values.
    pub fn values(&self) -> impl Iterator<Item = (&'static Figure, Option<f64>)> {
        FIGURES.iter().zip(self.samples.iter().map(|sample| sample.value()))
    }
}

/// All figures over the replications of a run, in the order of [`FIGURES`].
#[derive(Debug, Clone, PartialEq)]
pub struct Figures(Vec<Estimate>);

impl Figures {
    /// The figures of `replications` together.
    pub fn over(replications: &[Replication]) -> Figures {
        let estimate = |index: usize| {
            let most = if FIGURES[index].unit == Share { 1.0 } else { f64::INFINITY };
            let samples = replications.iter().map(|replication| replication.samples[index]);
            linearised(samples).estimate(CONFIDENCE).within(0.0, most)
        };
        Figures((0..FIGURES.len()).map(estimate).collect())
    }

    /// The figure called `name`; one without a mean if there is none of that name.
    pub fn get(&self, name: &str) -> Estimate {
        self.iter().find(|(figure, _)| figure.name == name).map(|(_, estimate)| estimate).unwrap_or_default()
    }

    /// Every figure with its estimate.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Figure, Estimate)> {
        FIGURES.iter().zip(self.0.iter().copied())
    }
}

/// One figure over replications, by the kind of its samples. Replications that miss it do not count.
fn linearised(samples: impl Iterator<Item = Sample>) -> Linearised {
    let (mut values, mut pairs) = (Vec::new(), Vec::new());
    for sample in samples {
        match sample {
            Sample::Missing => {}
            Sample::Value(value) => values.push(value),
            Sample::Ratio { of, to } => pairs.push((of, to)),
        }
    }
    if pairs.is_empty() { Linearised::of_values(&values) } else { Linearised::of_ratio(&pairs) }
}

/// The figure called `name` over all of `replications` that have it.
pub fn figure_over(name: &str, replications: &[Replication]) -> Linearised {
    let Some(index) = FIGURES.iter().position(|figure| figure.name == name) else {
        return Linearised::default();
    };
    linearised(replications.iter().map(|replication| replication.samples[index]))
}

/// The figure called `name` of two settings, over the replications that both have it in: what can be subtracted one
/// from the other.
pub fn figure_paired(name: &str, a: &[Replication], b: &[Replication]) -> (Linearised, Linearised) {
    let Some(index) = FIGURES.iter().position(|figure| figure.name == name) else {
        return Default::default();
    };
    let both: Vec<(Sample, Sample)> = a
        .iter()
        .filter_map(|a| Some((a, b.iter().find(|b| b.number == a.number)?)))
        .map(|(a, b)| (a.samples[index], b.samples[index]))
        .filter(|(a, b)| *a != Sample::Missing && *b != Sample::Missing)
        .collect();
    (linearised(both.iter().map(|pair| pair.0)), linearised(both.iter().map(|pair| pair.1)))
}

/// As tables: `latency.p99` becomes the key `p99` of `latency`.
impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let all: Vec<_> = self.iter().collect();
        for group in all.chunk_by(|(one, _), (next, _)| table(one).is_some() && table(one) == table(next)) {
            let (first, estimate) = group[0];
            match table(first) {
                None => map.serialize_entry(first.name, &estimate)?,
                Some(name) => map.serialize_entry(name, &Nested(group))?,
            }
        }
        map.end()
    }
}

struct Nested<'a>(&'a [(&'static Figure, Estimate)]);

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = |figure: &Figure| figure.name.split_once('.').map_or(figure.name, |(_, key)| key);
        serializer.collect_map(self.0.iter().map(|(figure, estimate)| (key(figure), estimate)))
    }
}

fn table(figure: &Figure) -> Option<&'static str> {
    figure.name.split_once('.').map(|(table, _)| table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Digest;
    use crate::time::Span;

    /// Requests answered after 1, 2, … seconds, and some that were not.
    fn latency(served: u64, rejected: u64, quantile: f64) -> Option<f64> {
        let mut latency = Digest::new(Span::from_secs(1000));
        (1..=served).for_each(|seconds| latency.record(seconds * 1_000_000_000));
        let run = Outcome {
            measured_s: 1.0,
            counts: crate::sim::Counts { arrived: served + rejected, served, rejected, ..Default::default() },
            wait: latency.clone(),
            latency,
            high_priority: None,
            good: 0,
            overdue: 0,
            integrals: crate::sim::Integrals::default(),
            slots: 1,
            peak_waiting: 0,
            peak_ready: 1,
            started: 1,
            billed_hours: 1.0,
            cost: 1.0,
            actions: crate::sim::Actions::default(),
            below_slo_s: 0.0,
            timeline: Vec::new(),
            decisions: Vec::new(),
        };
        slo_latency(&run, quantile)
    }

    #[test]
    fn requests_lost_count_as_never_answered() {
        let near = |found: Option<f64>, exact: f64| {
            let found = found.unwrap();
            assert!((found - exact).abs() <= exact * 1e-3, "{found} for {exact}");
        };
        near(latency(100, 0, 0.9), 90.0);
        // 90 of 100 is all that were answered: the 90th took 90 s.
        near(latency(90, 10, 0.9), 90.0);
        near(latency(90, 10, 0.45), 45.0);
        assert_eq!(latency(89, 11, 0.9), Some(f64::INFINITY));
        assert_eq!(latency(0, 5, 0.9), Some(f64::INFINITY));
        assert_eq!(latency(0, 0, 0.9), None);
    }

    #[test]
    fn names_are_given_once_and_tables_of_names_stand_together() {
        let names: std::collections::BTreeSet<&str> = FIGURES.iter().map(|figure| figure.name).collect();
        assert_eq!(names.len(), FIGURES.len());
        let json = serde_json::to_value(Figures::over(&[])).unwrap();
        for figure in FIGURES {
            let pointer = format!("/{}", figure.name.replace('.', "/"));
            assert!(json.pointer(&pointer).is_some_and(|value| value.get("mean").is_some()), "{pointer}");
        }
    }
}
