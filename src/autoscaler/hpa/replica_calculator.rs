//! From one metric to the replicas it asks for.
//!
//! Source: `replica_calculator.go` and `metrics/utilization.go` of the Kubernetes controller
//! (`pkg/controller/podautoscaler`, main of 2026). Values are 64-bit integers in thousandths and every division of them
//! truncates; ratios are `f64`; replica counts saturate at 2³¹ − 1.

use super::Release;
use super::pods::{Group, Grouping, Pod};

/// How far the ratio of metric and target may be from 1 without a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tolerance {
    pub down: f64,
    pub up: f64,
    pub release: Release,
}

impl Tolerance {
    /// Whether `ratio` is near enough to 1. The two rules differ by an ulp at the edge: |1 − 1.1| > 0.1 in `f64`.
    pub fn allows(&self, ratio: f64) -> bool {
        match self.release {
            Release::Newest => 1.0 - self.down <= ratio && ratio <= 1.0 + self.up,
            Release::V1_32 => (1.0 - ratio).abs() <= if ratio < 1.0 { self.down } else { self.up },
        }
    }
}

/// What the metric should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Of what pods request, in percent.
    Utilization(i32),
    /// A pod's value, in thousandths.
    Average(i64),
}

/// What one metric asks for, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Proposal {
    pub replicas: i32,
    /// Metric over target.
    pub ratio: f64,
    /// The ratio once pods without a sample, or not ready, are filled in for; where that was necessary.
    pub filled: Option<f64>,
    /// What the HPA's status reports: a pod's average or the object's value, in thousandths.
    pub usage: i64,
    /// Percent of what is requested, truncated.
    pub utilization: Option<i32>,
    /// What the ratio is multiplied by.
    pub pods: u32,
    pub verdict: Verdict,
    pub tally: Counts,
}

/// How the ratio became replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Within the tolerance: the replicas there are.
    Tolerated,
    /// The ratio times the pods, rounded up.
    Scaled,
    /// The total over the target, rounded up.
    Divided,
    /// Filling in turned the direction round: the replicas there are.
    Reversed,
}

/// How many pods count as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub ready: u32,
    pub unready: u32,
    pub missing: u32,
    pub ignored: u32,
}

/// Why a metric asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The metric could not be had.
    Unavailable,
    /// No pod matches the selector.
    NoPods,
    /// No pod that counts has a sample.
    NoSamples,
    /// A pod does not say what it requests.
    NoRequest,
    /// No sample belongs to a pod.
    NoMatch,
}

/// Sums over pods for one metric; wide enough for any number of 64-bit values.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    counts: Counts,
    /// Samples that count, those of unknown pods included.
    samples: u32,
    usage: i128,
    /// Samples of known pods, what they add up to and what their pods request.
    matched: u32,
    matched_usage: i128,
    requested: i128,
    missing_requested: i128,
    /// What missing pods are taken to use on the way down.
    missing_filled: i128,
    unready_requested: i128,
}

impl Tally {
    fn of(
        pods: impl Iterator<Item = Pod>,
        orphans: &[i64],
        rule: &Grouping,
        goal: Goal,
    ) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        let (mut is_empty, mut lacks_request) = (true, false);
        for pod in pods {
            is_empty = false;
            lacks_request |= pod.request.is_none();
            let request = i128::from(pod.request.unwrap_or(0));
            match pod.group(rule) {
                Group::Ignored => tally.counts.ignored += 1,
                Group::Unready => {
                    tally.counts.unready += 1;
                    tally.unready_requested += request;
                }
                Group::Missing => {
                    tally.counts.missing += 1;
                    tally.missing_requested += request;
                    tally.missing_filled += match goal {
                        Goal::Utilization(percent) => request * i128::from(percent.max(100)) / 100,
                        Goal::Average(value) => i128::from(value),
                    };
                }
                Group::Ready => {
                    tally.counts.ready += 1;
                    let value = pod.sample.map_or(0, |sample| i128::from(sample.value));
                    tally.samples += 1;
                    tally.usage += value;
                    tally.matched += 1;
                    tally.matched_usage += value;
                    tally.requested += request;
                }
            }
        }
        tally.samples += orphans.len() as u32;
        tally.usage += orphans.iter().copied().map(i128::from).sum::<i128>();
        match goal {
            _ if is_empty => Err(Failure::NoPods),
            _ if tally.samples == 0 => Err(Failure::NoSamples),
            Goal::Utilization(_) if lacks_request => Err(Failure::NoRequest),
            _ => Ok(tally),
        }
    }

    /// Metric over target, with what a status reports: utilization where that is the goal, and the average.
    fn ratio(&self, goal: Goal) -> Result<(f64, Option<i32>, i64), Failure> {
        match goal {
            Goal::Utilization(target) => {
                if self.requested == 0 {
                    return Err(Failure::NoMatch);
                }
                let percent = clamp_i32(self.matched_usage * 100 / self.requested);
                let average = clamp_i64(self.matched_usage / i128::from(self.matched.max(1)));
                Ok((f64::from(percent) / f64::from(target), Some(percent), average))
            }
            Goal::Average(target) => {
                let average = clamp_i64(self.usage / i128::from(self.samples.max(1)));
                Ok((average as f64 / target as f64, None, average))
            }
        }
    }

    /// The sums with what pods without a sample, or not ready, are taken to use.
    fn filled(mut self, ratio: f64) -> Tally {
        let Counts { unready, missing, .. } = self.counts;
        let mut fill = |pods: u32, usage: i128, requested: i128| {
            self.samples += pods;
            self.usage += usage;
            self.matched += pods;
            self.matched_usage += usage;
            self.requested += requested;
        };
        if ratio < 1.0 {
            fill(missing, self.missing_filled, self.missing_requested);
        } else if ratio > 1.0 {
            fill(missing, 0, self.missing_requested);
            fill(unready, 0, self.unready_requested);
        }
        self
    }
}

/// The replicas a metric of the pods asks for: a resource, or a custom metric of each pod. `orphans` are samples of pods
/// that do not exist (any more).
///
/// # Errors
/// Nothing to go by.
pub(crate) fn by_pods(
    current: i32,
    goal: Goal,
    pods: impl Iterator<Item = Pod>,
    orphans: &[i64],
    rule: &Grouping,
    tolerance: &Tolerance,
) -> Result<Proposal, Failure> {
    let tally = Tally::of(pods, orphans, rule, goal)?;
    let (ratio, utilization, usage) = tally.ratio(goal)?;
    let Counts { ready, unready, missing, .. } = tally.counts;
    let fills_unready = unready > 0 && ratio > 1.0;
    let proposal = Proposal {
        replicas: current,
        ratio,
        filled: None,
        usage,
        utilization,
        pods: ready,
        verdict: Verdict::Tolerated,
        tally: tally.counts,
    };
    if !fills_unready && missing == 0 {
        return Ok(match tolerance.allows(ratio) {
            true => proposal,
            false => Proposal { replicas: scaled(ratio, ready), verdict: Verdict::Scaled, ..proposal },
        });
    }
    let tally = tally.filled(ratio);
    let filled = tally.ratio(goal)?.0;
    let proposal = Proposal { filled: Some(filled), pods: tally.samples, ..proposal };
    if tolerance.allows(filled) {
        return Ok(proposal);
    }
    let replicas = scaled(filled, tally.samples);
    let turned = (ratio < 1.0 && filled > 1.0) || (ratio > 1.0 && filled < 1.0);
    let backwards = (filled < 1.0 && replicas > current) || (filled > 1.0 && replicas < current);
    Ok(match turned || backwards {
        true => Proposal { verdict: Verdict::Reversed, ..proposal },
        false => Proposal { replicas, verdict: Verdict::Scaled, ..proposal },
    })
}

/// The replicas that a value of the whole, to be shared by `ready` pods at `target`, asks for. From zero there is no
/// tolerance, and the value stands for itself.
pub(crate) fn by_value(
    current: i32,
    usage: i64,
    target: i64,
    ready: Option<u32>,
    tolerance: &Tolerance,
) -> Result<Proposal, Failure> {
    let ratio = usage as f64 / target as f64;
    let proposal = Proposal {
        replicas: current,
        ratio,
        filled: None,
        usage,
        utilization: None,
        pods: ready.unwrap_or(0),
        verdict: Verdict::Tolerated,
        tally: Counts::default(),
    };
    if current == 0 {
        return Ok(Proposal { replicas: ceil(ratio), verdict: Verdict::Divided, ..proposal });
    }
    if tolerance.allows(ratio) {
        return Ok(proposal);
    }
    let ready = ready.ok_or(Failure::NoPods)?;
    Ok(Proposal { replicas: scaled(ratio, ready), verdict: Verdict::Scaled, ..proposal })
}

/// The replicas that a total, at `target` a replica, asks for. `status` counts the replicas there are, ready or not.
pub(crate) fn by_average_value(status: i32, usage: i64, target: i64, tolerance: &Tolerance) -> Proposal {
    // Without replicas the ratio is infinite or not a number: never within the tolerance.
    let ratio = usage as f64 / (target as f64 * f64::from(status));
    let (replicas, verdict) = match tolerance.allows(ratio) {
        true => (status, Verdict::Tolerated),
        false => (ceil(usage as f64 / target as f64), Verdict::Divided),
    };
    // A total that has reached the greatest value is reported as such, however many share it.
    let average = match status {
        _ if usage as f64 >= i64::MAX as f64 => i64::MAX,
        0 => 0,
        status => (usage as f64 / f64::from(status)).ceil() as i64,
    };
    Proposal {
        replicas,
        ratio,
        filled: None,
        usage: average,
        utilization: None,
        pods: status.max(0) as u32,
        verdict,
        tally: Counts::default(),
    }
}

/// The value of an external metric's series together: it stays at the greatest value once it passes it.
pub(crate) fn sum_of_series(values: &[i64]) -> i64 {
    let mut total: i64 = 0;
    for value in values {
        match total.checked_add(*value) {
            Some(sum) => total = sum,
            None if *value > 0 => return i64::MAX,
            None => total = i64::MIN,
        }
    }
    total
}

fn scaled(ratio: f64, pods: u32) -> i32 {
    ceil(ratio * f64::from(pods))
}

fn ceil(replicas: f64) -> i32 {
    // `as` saturates, and takes what is not a number for zero.
    replicas.ceil() as i32
}

fn clamp_i32(value: i128) -> i32 {
    value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

fn clamp_i64(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::super::pods::{Phase, PodSample};
    use super::*;
    use crate::time::Span;

    const OLD: Span = Span::from_secs(1_000_000);
    const RULE: Grouping = Grouping {
        cpu: true,
        cpu_initialization_period: Span::from_secs(120),
        initial_readiness_delay: Span::from_secs(10),
        release: Release::Newest,
    };
    const TOLERANCE: Tolerance = Tolerance { down: 0.1, up: 0.1, release: Release::Newest };

    fn pod(request: i64, value: Option<i64>) -> Pod {
        Pod {
            phase: Phase::Running,
            deleted: false,
            ready: Some(true),
            start_age: Some(OLD),
            transition_age: Some(OLD),
            request: Some(request),
            sample: value.map(|value| PodSample { value, age: OLD, window: Span::from_secs(60) }),
        }
    }

    fn by_cpu(current: i32, percent: i32, pods: &[Pod]) -> Proposal {
        by_pods(current, Goal::Utilization(percent), pods.iter().copied(), &[], &RULE, &TOLERANCE).unwrap()
    }

    #[test]
    fn utilization_is_truncated_to_a_whole_percent_before_the_ratio() {
        let pods = [pod(1000, Some(779)); 10];
        let proposal = by_cpu(10, 70, &pods);
        assert_eq!((proposal.utilization, proposal.verdict), (Some(77), Verdict::Tolerated));
        assert_eq!(by_cpu(10, 70, &[pod(1000, Some(780)); 10]).replicas, 12);
    }

    #[test]
    fn at_a_ratio_of_exactly_one_and_a_tenth_older_releases_scale_and_newer_do_not() {
        let older = Tolerance { release: Release::V1_32, ..TOLERANCE };
        assert!(TOLERANCE.allows(88.0 / 80.0));
        assert!(!older.allows(88.0 / 80.0));
    }

    #[test]
    fn missing_pods_are_full_on_the_way_down_and_idle_on_the_way_up() {
        let down = by_cpu(4, 300, &[pod(2000, Some(200)), pod(4000, Some(200)), pod(4000, None)]);
        assert_eq!(down.filled, Some(124.0 / 300.0));
        let up = by_cpu(3, 100, &[pod(2000, Some(8000)), pod(2000, Some(6000)), pod(2000, None)]);
        assert_eq!((up.filled, up.replicas), (Some(2.33), 7));
        let even = by_cpu(2, 100, &[pod(2000, Some(2000)), pod(2000, None)]);
        assert_eq!((even.filled, even.replicas), (Some(1.0), 2));
    }

    #[test]
    fn the_ready_pods_are_multiplied_not_the_replicas_asked_for() {
        assert_eq!(by_cpu(4, 50, &[pod(200, Some(200))]).replicas, 2);
    }

    #[test]
    fn a_value_scales_the_ready_pods_and_from_zero_stands_for_itself() {
        assert_eq!(by_value(3, 8600, 4400, Some(1), &TOLERANCE).unwrap().replicas, 2);
        assert_eq!(by_value(0, 1000, 1000, None, &TOLERANCE).unwrap().replicas, 1);
        assert_eq!(by_value(3, i64::MAX, 1, Some(3), &TOLERANCE).unwrap().replicas, i32::MAX);
        assert_eq!(by_value(3, 9000, 1000, None, &TOLERANCE), Err(Failure::NoPods));
    }

    #[test]
    fn an_average_value_divides_the_total_and_compares_with_the_replicas_there_are() {
        let proposal = by_average_value(3, 20_000, 5000, &TOLERANCE);
        assert_eq!((proposal.replicas, proposal.usage), (4, 6667));
        let none = by_average_value(0, 0, 5000, &TOLERANCE);
        assert_eq!((none.replicas, none.usage), (0, 0));
        assert_eq!(by_average_value(3, i64::MAX, 1, &TOLERANCE).usage, i64::MAX);
    }

    #[test]
    fn series_add_up_to_the_greatest_value_at_most() {
        assert_eq!(sum_of_series(&[i64::MAX, 5]), i64::MAX);
        assert_eq!(sum_of_series(&[8600, -600]), 8000);
    }
}
