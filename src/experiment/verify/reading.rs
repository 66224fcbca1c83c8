//! How a quantity is read from the outcome of a run.

use crate::sim::{Class, Outcome, Window};
use crate::stats::Digest;

/// A quantity of one run as numerator and denominator; over several runs, the total of one over that of the other.
pub(super) type Pair = (f64, f64);

/// How a quantity is read from a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// Mean sojourn of the requests answered, seconds.
    Sojourn,
    /// A quantile of that sojourn, seconds; within 0.1 %.
    SojournQuantile(f64),
    /// Mean wait of the requests answered, seconds.
    Wait,
    /// A quantile of that wait, seconds; within 0.1 %.
    WaitQuantile(f64),
    /// Mean wait of all requests, those that give up included, seconds: by Little's law from the requests waiting.
    WaitOfAll,
    /// Mean wait of the high class, seconds.
    HighWait,
    /// Mean wait of the low class, seconds.
    LowWait,
    /// Share of the requests answered that waited.
    Waited,
    /// Requests that arrived per second.
    ArrivalRate,
    /// Share of requests turned away.
    Rejected,
    /// Share of requests that gave up.
    TimedOut,
    /// Time-average of requests that have arrived and not ended.
    Jobs,
    /// Time-average of requests waiting.
    Queue,
    /// Time-average of requests in service.
    Busy,
    /// Busy share of the capacity of ready instances.
    Utilization,
    /// Time-average of instances ready.
    Ready,
    /// Time-average of instances starting.
    Starting,
    /// Time-average of instances ready without work (one request on each at a time).
    Idle,
    /// Decisions for more instances per second.
    ScaleUps,
    /// Instances started per request.
    StartsPerRequest,
    /// Time-average of requests waiting or in service in the windows of the timeline that end at this phase of a
    /// period, both in seconds.
    JobsAtPhase {
        /// The period.
        period_s: f64,
        /// The end of the window within it.
        end_s: f64,
    },
    /// Most requests waiting at a time.
    PeakQueue,
    /// The longest wait of a request answered, seconds.
    LongestWait,
    /// Seconds of requests waiting, all requests together.
    TotalDelay,
    /// Seconds from this instant, in seconds from the start, until the last window of the timeline with requests waiting.
    DrainedAfter(f64),
}

impl Reading {
    /// Whether it needs the timeline.
    pub(super) fn needs_timeline(self) -> bool {
        matches!(self, Reading::JobsAtPhase { .. } | Reading::DrainedAfter(_))
    }

    /// The quantity in one run; `None` if the run does not have it.
    pub(super) fn of(self, run: &Outcome) -> Option<Pair> {
        let arrived = run.counts.arrived as f64;
        let per_time = |integral: f64| (integral, run.measured_s);
        let value = |value: Option<f64>| value.map(|value| (value, 1.0));
        Some(match self {
            Reading::Sojourn => mean(&run.latency),
            Reading::SojournQuantile(q) => return value(run.latency.quantile(q)),
            Reading::Wait => mean(&run.wait),
            Reading::WaitQuantile(q) => return value(run.wait.quantile(q)),
            Reading::WaitOfAll => (run.integrals.waiting, arrived),
            Reading::HighWait => mean(&run.classes.as_ref()?[Class::High as usize].wait),
            Reading::LowWait => mean(&run.classes.as_ref()?[Class::Low as usize].wait),
            Reading::Waited => {
                let at_once = run
                    .wait
                    .cumulative()
                    .first()
                    .filter(|(wait, _)| *wait == 0.0)
                    .map_or(0.0, |(_, share)| *share);
                let count = run.wait.count() as f64;
                ((1.0 - at_once) * count, count)
            }
            Reading::ArrivalRate => per_time(arrived),
            Reading::Rejected => (run.counts.rejected as f64, arrived),
            Reading::TimedOut => (run.counts.timed_out as f64, arrived),
            Reading::Jobs => per_time(run.integrals.in_flight),
            Reading::Queue => per_time(run.integrals.waiting),
            Reading::Busy => per_time(run.integrals.in_service),
            Reading::Utilization => (run.integrals.work, run.integrals.ready * f64::from(run.slots)),
            Reading::Ready => per_time(run.integrals.ready),
            Reading::Starting => per_time(run.integrals.starting),
            Reading::Idle => per_time(run.integrals.ready - run.integrals.busy),
            Reading::ScaleUps => per_time(run.actions.up as f64),
            Reading::StartsPerRequest => (run.started as f64, arrived),
            Reading::JobsAtPhase { period_s, end_s } => at_phase(&run.timeline, period_s, end_s),
            Reading::PeakQueue => (run.peak_waiting as f64, 1.0),
            Reading::LongestWait => return value(run.wait.max()),
            Reading::TotalDelay => (run.integrals.waiting, 1.0),
            Reading::DrainedAfter(from_s) => {
                let last = run.timeline.iter().rev().find(|window| window.waiting > 0.0);
                return value(last.map(|window| window.end_s - from_s));
            }
        })
    }
}

fn mean(digest: &Digest) -> Pair {
    (digest.sum_s(), digest.count() as f64)
}

/// Every window counts but those of the first period, in which the load builds up.
fn at_phase(timeline: &[Window], period_s: f64, end_s: f64) -> Pair {
    let here = |window: &&Window| {
        let phase = (window.end_s - end_s) / period_s;
        phase > 0.5 && (phase - phase.round()).abs() * period_s < 1e-6
    };
    timeline.iter().filter(here).fold((0.0, 0.0), |(jobs, time), window| {
        (jobs + window.in_flight * window.length_s, time + window.length_s)
    })
}
