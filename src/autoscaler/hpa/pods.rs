//! The pods of the target, and which of them count.
//!
//! Source: `groupPods` of the Kubernetes controller (`pkg/controller/podautoscaler/replica_calculator.go`, main of 2026).

use super::Release;
use crate::time::Span;

/// One pod as the controller sees it for one metric. Times are ages: how long before the evaluation it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pod {
    pub phase: Phase,
    /// Whether it is being deleted.
    pub deleted: bool,
    /// Its Ready condition; `None` while it has none.
    pub ready: Option<bool>,
    /// Since when the kubelet knows it.
    pub start_age: Option<Span>,
    /// Since when its Ready condition is what it is.
    pub transition_age: Option<Span>,
    /// What it asks for of the resource, in thousandths.
    pub request: Option<i64>,
    /// The newest value of the metric.
    pub sample: Option<PodSample>,
}

/// Where a pod is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

/// A value of the metric, in thousandths, when its window ended and how long that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PodSample {
    pub value: i64,
    pub age: Span,
    pub window: Span,
}

/// How a pod counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Ready,
    /// Not to be judged by its metric yet.
    Unready,
    /// Its metric is not there.
    Missing,
    /// On its way out.
    Ignored,
}

/// What decides how a pod counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grouping {
    /// Whether the metric is the CPU's, whose first samples say nothing.
    pub cpu: bool,
    pub cpu_initialization_period: Span,
    pub initial_readiness_delay: Span,
    pub release: Release,
}

impl Pod {
    /// How the pod counts.
    pub fn group(&self, rule: &Grouping) -> Group {
        let over = self.phase == Phase::Failed
            || (self.phase == Phase::Succeeded && rule.release == Release::Newest);
        if self.deleted || over {
            return Group::Ignored;
        }
        if self.phase == Phase::Pending {
            return Group::Unready;
        }
        match self.sample {
            None => Group::Missing,
            Some(sample) if rule.cpu && self.is_warming_up(sample, rule) => Group::Unready,
            Some(_) => Group::Ready,
        }
    }

    /// Whether the CPU it uses is still that of its start.
    fn is_warming_up(&self, sample: PodSample, rule: &Grouping) -> bool {
        let (Some(ready), Some(start_age)) = (self.ready, self.start_age) else { return true };
        // A condition without a transition time is as old as can be.
        let transition_age = self.transition_age.unwrap_or(Span::MAX);
        if start_age < rule.cpu_initialization_period {
            // Not ready, or a sample that reaches back to before it was.
            !ready || sample.age + sample.window > transition_age
        } else {
            // Never been ready: its condition has not changed since shortly after the start.
            !ready && transition_age + rule.initial_readiness_delay > start_age
        }
    }

    /// Whether it is Running and Ready.
    pub fn serves(&self) -> bool {
        self.phase == Phase::Running && self.ready == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Grouping = Grouping {
        cpu: true,
        cpu_initialization_period: Span::from_secs(120),
        initial_readiness_delay: Span::from_secs(10),
        release: Release::Newest,
    };

    fn pod(ready: bool, start_age: u64, transition_age: u64) -> Pod {
        Pod {
            phase: Phase::Running,
            deleted: false,
            ready: Some(ready),
            start_age: Some(Span::from_secs(start_age)),
            transition_age: Some(Span::from_secs(transition_age)),
            request: None,
            sample: Some(PodSample { value: 1, age: Span::ZERO, window: Span::from_secs(30) }),
        }
    }

    #[test]
    fn a_young_pod_counts_once_a_whole_window_lies_after_its_readiness() {
        assert_eq!(pod(true, 60, 29).group(&RULE), Group::Unready);
        assert_eq!(pod(true, 60, 30).group(&RULE), Group::Ready, "equality is fresh");
        assert_eq!(pod(false, 60, 40).group(&RULE), Group::Unready);
        assert_eq!(pod(true, 120, 5).group(&RULE), Group::Ready, "the period is over at its very end");
    }

    #[test]
    fn an_old_pod_that_was_never_ready_is_unready_and_one_that_was_is_not() {
        assert_eq!(pod(false, 600, 591).group(&RULE), Group::Unready);
        assert_eq!(pod(false, 600, 590).group(&RULE), Group::Ready, "the delay is over at its very end");
        assert_eq!(pod(false, 600, 540).group(&RULE), Group::Ready);
    }

    #[test]
    fn only_the_cpu_looks_at_readiness() {
        let memory = Grouping { cpu: false, ..RULE };
        assert_eq!(pod(false, 1, 0).group(&memory), Group::Ready);
        assert_eq!(Pod { sample: None, ..pod(true, 1, 0) }.group(&memory), Group::Missing);
        assert_eq!(Pod { phase: Phase::Pending, ..pod(true, 1, 0) }.group(&memory), Group::Unready);
    }

    #[test]
    fn pods_on_their_way_out_are_ignored_and_older_releases_count_those_that_succeeded() {
        let succeeded = Pod { phase: Phase::Succeeded, ..pod(true, 600, 600) };
        assert_eq!(succeeded.group(&RULE), Group::Ignored);
        assert_eq!(succeeded.group(&Grouping { release: Release::V1_32, ..RULE }), Group::Ready);
        assert_eq!(Pod { deleted: true, ..pod(true, 600, 600) }.group(&RULE), Group::Ignored);
    }
}
