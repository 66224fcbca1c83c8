//! What a figure is, and how it follows from a run.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::sim::{Class, Outcome, PoolName, Promised, Slo};
use crate::stats::{Digest, LEAST_REPLICATIONS};

/// Unit of a figure.
///
/// ```
/// use kneepoint::{Options, Scenario, Unit, run};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[run]\nduration = \"1m\"";
/// let result = run(&Scenario::parse(text)?, &Options::default())?;
/// let shares = result.figures().iter().filter(|(figure, _)| figure.unit == Unit::Share);
/// assert!(shares.filter_map(|(_, share)| share.mean).all(|mean| (0.0..=1.0).contains(&mean)));
/// # Ok::<(), kneepoint::Error>(())
/// ```
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
    /// So many a second.
    PerSecond,
}

/// A figure in one replication.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
    pub(super) fn maybe(value: Option<f64>) -> Sample {
        value.map_or(Sample::Missing, Sample::Value)
    }

    pub(super) fn ratio(of: f64, to: f64) -> Sample {
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
///
/// ```
/// use kneepoint::{Options, Scenario, run};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[run]\nduration = \"1m\"";
/// let result = run(&Scenario::parse(text)?, &Options::default())?;
/// let (figure, _) = result.figures().iter().find(|(figure, _)| figure.name == "latency.p99").unwrap();
/// println!("{}: {}", figure.name, figure.doc);
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Name in `summary.json` (a dot opens a table), in the CSV files and on the terminal.
    pub name: &'static str,
    /// Unit.
    pub unit: Unit,
    /// What it is.
    pub doc: &'static str,
    pub(super) source: Source,
}

/// How a figure follows from runs.
#[derive(Debug, Clone, Copy)]
pub(in crate::experiment) enum Source {
    /// From each by itself.
    Run(fn(&Outcome, Option<Slo>) -> Sample),
    /// From one of its two pools by itself.
    OfPool(PoolName, fn(&Outcome) -> Sample),
    /// The mean of such times.
    Mean(Times),
    /// The longest of such times.
    Longest(Times),
    /// The quantile of such times.
    Quantile(Times, f64),
    /// The time promised at the SLO's percentile (the latency's p99 without an SLO), of all requests that ended; over
    /// several replications, of all their requests together.
    SloLatency,
    /// The same of each replication by itself.
    SloLatencyOfRun,
}

/// Minimum number of replications with an interval of what the tail decides.
const LEAST_FOR_TAILS: u32 = 5;

/// Times that requests took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::experiment) enum Times {
    Latency,
    Wait,
    LatencyOf(Class),
    WaitOf(Class),
    /// Latency of cold requests.
    Cold,
    /// To the first token.
    Ttft,
    /// Of each further token.
    Tpot,
    /// From when a request was meant to be sent to when it was.
    SendDelay,
    /// Latency from when a request was meant to be sent.
    LatencyAsMeant,
    /// From arrival at one of two pools to the end of its part.
    LatencyIn(PoolName),
    /// From arrival at one of two pools to the beginning of its part.
    WaitIn(PoolName),
    /// Of the transfer of a cache between two pools.
    Transfer,
    /// From a computed prompt to the transfer of its cache.
    TransferWait,
}

/// What a pool came to, in a run that has two.
pub(in crate::experiment) fn of_pool(pool: PoolName, run: &Outcome) -> Option<&Outcome> {
    run.pools.as_ref().map(|pools| pools.of(pool))
}

impl Times {
    /// Those of one run; `None` where classes are not told apart, none are cold, or tokens not counted.
    pub fn of(self, run: &Outcome) -> Option<&Digest> {
        let class = |class| run.classes.as_ref().map(|classes| &classes[class as usize]);
        match self {
            Times::Latency => Some(&run.latency),
            Times::Wait => Some(&run.wait),
            Times::LatencyOf(of) => class(of).map(|times| &times.latency),
            Times::WaitOf(of) => class(of).map(|times| &times.wait),
            Times::Cold => run.cold.as_ref(),
            Times::Ttft => run.tokens.as_ref().map(|tokens| &tokens.ttft),
            Times::Tpot => run.tokens.as_ref().map(|tokens| &tokens.tpot),
            Times::SendDelay => run.held.as_ref().map(|held| &held.delay),
            Times::LatencyAsMeant => run.held.as_ref().map(|held| &held.latency),
            Times::LatencyIn(pool) => of_pool(pool, run).map(|pool| &pool.latency),
            Times::WaitIn(pool) => of_pool(pool, run).map(|pool| &pool.wait),
            Times::Transfer => run.pools.as_ref().map(|pools| &pools.transfer.time),
            Times::TransferWait => run.pools.as_ref().map(|pools| &pools.transfer.wait),
        }
    }
}

/// The times that `slo_latency` is of.
pub(in crate::experiment) fn slo_times(slo: Option<Slo>) -> Times {
    match slo.map(|slo| slo.leading().0) {
        Some(Promised::Ttft) => Times::Ttft,
        Some(Promised::Tpot) => Times::Tpot,
        Some(Promised::Latency) | None => Times::Latency,
    }
}

/// The quantile that `slo_latency` is at.
pub(in crate::experiment) fn slo_quantile(slo: Option<Slo>) -> f64 {
    slo.map_or(0.99, |slo| slo.quantile())
}

/// Requests that have ended, and those that have missed the SLO without.
pub(in crate::experiment) fn ended(run: &Outcome) -> u64 {
    run.counts.arrived - run.counts.in_flight + run.overdue
}

/// The one of `times` within which a share `quantile` of the requests that ended was answered; infinite if more were lost
/// than that allows, for a pool that turns its users away must not look fast. An answer of one token, which has no time
/// per further token, does not count there.
fn slo_latency(run: &Outcome, times: Times, quantile: f64) -> Option<f64> {
    let times = times.of(run)?;
    let timed = times.count() as f64;
    let ended = ended(run) as f64 - (run.counts.served as f64 - timed);
    if ended <= 0.0 {
        return None;
    }
    if timed == ended {
        return times.quantile(quantile);
    }
    let among_timed = quantile * ended / timed;
    if among_timed <= 1.0 { times.quantile(among_timed) } else { Some(f64::INFINITY) }
}

/// The times that percentiles and maxima are of: those of the requests answered, and of the latency also how long the
/// requests in flight at the end had been so by then. Where many are, because the queue has grown, the latency is at least
/// that; left out, a pool that answers ever fewer of its users would look ever faster.
pub(super) fn with_unanswered(times: Times, run: &Outcome) -> Option<Cow<'_, Digest>> {
    let answered = times.of(run)?;
    if times != Times::Latency || run.unanswered.count() == 0 {
        return Some(Cow::Borrowed(answered));
    }
    let mut all = answered.clone();
    all.merge(&run.unanswered);
    Some(Cow::Owned(all))
}

impl Figure {
    /// The share that a quantile is at.
    pub(super) fn share(&self) -> Option<f64> {
        match self.source {
            Source::Quantile(_, q) => Some(q),
            _ => None,
        }
    }

    /// The figure in one run.
    pub(super) fn of(&self, run: &Outcome, slo: Option<Slo>) -> Sample {
        match self.source {
            Source::Run(of) => of(run, slo),
            Source::OfPool(pool, of) => of_pool(pool, run).map_or(Sample::Missing, of),
            Source::Mean(times) => Sample::maybe(times.of(run).and_then(Digest::mean)),
            Source::Longest(times) => {
                Sample::maybe(with_unanswered(times, run).and_then(|times| times.max()))
            }
            Source::Quantile(times, q) => {
                Sample::maybe(with_unanswered(times, run).and_then(|times| times.quantile(q)))
            }
            Source::SloLatency | Source::SloLatencyOfRun => {
                Sample::maybe(slo_latency(run, slo_times(slo), slo_quantile(slo)))
            }
        }
    }

    pub(in crate::experiment) fn source(&self) -> Source {
        self.source
    }

    /// Whether it is one of a priority class, which runs that do not tell classes apart lack.
    pub fn is_of_a_class(&self) -> bool {
        match self.source {
            Source::Mean(times) | Source::Longest(times) | Source::Quantile(times, _) => {
                matches!(times, Times::LatencyOf(_) | Times::WaitOf(_))
            }
            Source::Run(_) | Source::OfPool(..) | Source::SloLatency | Source::SloLatencyOfRun => false,
        }
    }

    /// Whether it is one of two pools or of the way between them, which runs of one pool lack.
    pub fn is_of_pools(&self) -> bool {
        let group = self.name.split_once('.').map(|(group, _)| group);
        matches!(group, Some("prefill" | "transfer" | "decode"))
    }

    /// Minimum number of replications with an interval. Of percentiles and extremes none holds below five: the heavy replication that
    /// decides it is most likely not among them.
    pub fn least_replications(&self) -> u32 {
        match self.source {
            Source::Run(_) | Source::OfPool(..)
                if self.name.contains("peak_") || self.name.ends_with(".peak") =>
            {
                LEAST_FOR_TAILS
            }
            Source::Run(_) | Source::OfPool(..) | Source::Mean(_) => LEAST_REPLICATIONS,
            Source::Longest(_) | Source::Quantile(..) | Source::SloLatency | Source::SloLatencyOfRun => {
                LEAST_FOR_TAILS
            }
        }
    }

    /// Minimum number of replications with an interval of the difference between two settings: of a cost as many as of a figure, of
    /// anything else as many as of a percentile.
    pub fn least_replications_of_difference(&self) -> u32 {
        if self.unit == Unit::Currency { LEAST_REPLICATIONS } else { LEAST_FOR_TAILS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    /// Requests answered after 1, 2, … seconds, and some that were not.
    fn latency(served: u64, rejected: u64, quantile: f64) -> Option<f64> {
        let mut latency = Digest::new(Span::from_secs(1000));
        (1..=served).for_each(|seconds| latency.record(seconds * 1_000_000_000));
        let run = Outcome {
            queue_overflow: None,
            measured_s: 1.0,
            counts: crate::sim::Counts { arrived: served + rejected, served, rejected, ..Default::default() },
            wait: latency.clone(),
            unanswered: Digest::new(Span::from_secs(1)),
            latency,
            classes: None,
            tokens: None,
            good: 0,
            overdue: 0,
            more: Vec::new(),
            integrals: crate::sim::Integrals::default(),
            slots: 1,
            peak_waiting: 0,
            peak_ready: 1,
            started: 1,
            warm_starts: 0,
            billed_hours: 1.0,
            cost: 1.0,
            by_type: Vec::new(),
            cold: None,
            held: None,
            sending: crate::sim::Sending::default(),
            failure_counts: crate::sim::FailureCounts::default(),
            actions: crate::sim::Actions::default(),
            below_slo_s: 0.0,
            timeline: Vec::new(),
            decisions: Vec::new(),
            pools: None,
        };
        slo_latency(&run, Times::Latency, quantile)
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
}
