//! The CloudWatch metrics of a pool, made of scrapes: one datapoint a period.

use super::alarms::Series;
use crate::autoscaler::Scrape;
use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};
use crate::time::{Instant, Span};

/// What a policy watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    Invocations,
    Concurrency,
    Utilization,
    Backlog,
    BacklogWithoutCapacity,
}

impl Choice for Metric {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "invocations_per_instance",
            Metric::Invocations,
            "requests a minute and instance (`SageMakerVariantInvocationsPerInstance`); no datapoint without a request",
        ),
        (
            "concurrent_requests_per_instance",
            Metric::Concurrency,
            "requests waiting or in service an instance (`ConcurrentRequestsPerModel`)",
        ),
        ("utilization", Metric::Utilization, "busy share of the capacity in percent (`CPUUtilization`)"),
        (
            "backlog_per_instance",
            Metric::Backlog,
            "requests waiting an instance (`ApproximateBacklogSizePerInstance`)",
        ),
        (
            "backlog_without_capacity",
            Metric::BacklogWithoutCapacity,
            "1 while requests wait and no instance is there, else 0 (`HasBacklogWithoutCapacity`)",
        ),
    ];
}

impl Value for Metric {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Metric {
    /// As a scenario writes it.
    pub fn name(self) -> &'static str {
        Self::OPTIONS.iter().find(|(_, metric, _)| *metric == self).map_or("", |(name, _, _)| *name)
    }
}

/// What the scrapes of one period add up to. Times are in seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    arrived: u64,
    seconds: f64,
    ready: f64,
    in_flight: f64,
    work: f64,
    slots: f64,
    waiting: f64,
    without_capacity: bool,
}

/// What instances that warm up contribute to a scrape, in slot-seconds: EC2 leaves their metrics out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LeftOut {
    pub work: f64,
    pub slots: f64,
}

impl Sums {
    fn add(&mut self, sample: &Scrape<'_>, left_out: LeftOut) {
        let seconds = sample.seconds();
        self.arrived += sample.arrived;
        self.seconds += seconds;
        self.ready += f64::from(sample.ready) * seconds;
        self.in_flight += sample.in_flight * seconds;
        self.work += (sample.work * seconds - left_out.work).max(0.0);
        self.slots += (sample.slots * seconds - left_out.slots).max(0.0);
        self.waiting += sample.waiting * seconds;
        self.without_capacity |= sample.existing == 0 && sample.waiting_now > 0;
    }

    /// The datapoint of the period; `None` where the system emits none.
    fn datapoint(&self, metric: Metric) -> Option<f64> {
        let share = |of: f64, whole: f64| (whole > 0.0).then(|| of / whole);
        match metric {
            // Requests over instance-seconds, times 60.
            Metric::Invocations if self.arrived == 0 => None,
            Metric::Invocations => share(self.arrived as f64 * 60.0, self.ready),
            Metric::Concurrency => share(self.in_flight, self.ready),
            Metric::Utilization => share(self.work * 100.0, self.slots),
            Metric::Backlog => share(self.waiting, self.ready),
            Metric::BacklogWithoutCapacity => Some(f64::from(u8::from(self.without_capacity))),
        }
    }
}

/// A metric on its way into its datapoints. Periods are aligned with the start of the run.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    metric: Metric,
    period: Span,
    ends: Instant,
    sums: Sums,
    pub series: Series,
}

impl Feed {
    /// No datapoints yet; see [`Series::new`].
    pub fn new(metric: Metric, period: Span, periods: usize) -> Feed {
        let series = Series::new(periods);
        Feed { metric, period, ends: Instant::ZERO + period, sums: Sums::default(), series }
    }

    /// Takes in a scrape. One that spans the end of a period counts for the period in which it was made.
    pub fn scrape(&mut self, sample: &Scrape<'_>, left_out: LeftOut) {
        while self.ends < sample.at {
            self.end_period();
        }
        self.sums.add(sample, left_out);
        if self.ends == sample.at {
            self.end_period();
        }
    }

    fn end_period(&mut self) {
        let datapoint = if self.sums.seconds > 0.0 { self.sums.datapoint(self.metric) } else { None };
        self.series.push(datapoint);
        self.sums = Sums::default();
        self.ends += self.period;
    }
}
