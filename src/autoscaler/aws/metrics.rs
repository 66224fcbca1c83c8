//! The CloudWatch metrics of a pool, made of scrapes: one datapoint a period.

use super::alarms::Series;
use crate::autoscaler::{Quantity, Scrape, Signal};
use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};
use crate::time::{Instant, Span};

/// What a policy watches: a signal per instance, in CloudWatch's unit, or whether requests wait for a first instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Metric {
    PerInstance(Signal, f64),
    BacklogWithoutCapacity,
}

impl Choice for Metric {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "invocations_per_instance",
            Metric::PerInstance(Signal::RequestRate, 60.0),
            "requests a minute and instance (`SageMakerVariantInvocationsPerInstance`); no datapoint without a request",
        ),
        (
            "concurrent_requests_per_instance",
            Metric::PerInstance(Signal::InFlight, 1.0),
            "requests waiting or in service an instance (`ConcurrentRequestsPerModel`)",
        ),
        (
            "utilization",
            Metric::PerInstance(Signal::Utilization, 100.0),
            "busy share of the capacity in percent (`CPUUtilization`)",
        ),
        (
            "backlog_per_instance",
            Metric::PerInstance(Signal::QueueLength, 1.0),
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

/// What the scrapes of one period add up to.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    seconds: f64,
    /// What is shared, and what it is shared by.
    parts: (f64, f64),
    without_capacity: bool,
}

/// What instances that warm up contribute to a scrape, in slot-seconds: EC2 leaves their metrics out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LeftOut {
    pub work: f64,
    pub slots: f64,
}

impl Sums {
    fn add(&mut self, metric: Metric, sample: &Scrape<'_>, left_out: LeftOut) {
        self.seconds += sample.seconds();
        self.without_capacity |= sample.existing == 0 && sample.waiting_now > 0;
        let Metric::PerInstance(signal, _) = metric else { return };
        let (mut shared, mut by) = signal.per_instance(sample, 1.0);
        if signal.quantity() == Quantity::Share {
            (shared, by) = ((shared - left_out.work).max(0.0), (by - left_out.slots).max(0.0));
        }
        self.parts.0 += shared;
        self.parts.1 += by;
    }

    /// The datapoint of the period; `None` where the system emits none.
    fn datapoint(&self, metric: Metric) -> Option<f64> {
        let (shared, by) = self.parts;
        match metric {
            Metric::PerInstance(Signal::RequestRate, _) if shared == 0.0 => None,
            Metric::PerInstance(_, factor) => (by > 0.0).then(|| shared * factor / by),
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
        self.sums.add(self.metric, sample, left_out);
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
