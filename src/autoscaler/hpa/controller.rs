//! One reconcile of the HPA, in the controller's order.
//!
//! Source: `reconcileAutoscaler`, `computeReplicasForMetrics`, `normalizeDesiredReplicas` and
//! `normalizeDesiredReplicasWithBehaviors` of `pkg/controller/podautoscaler/horizontal.go` (Kubernetes, main of 2026; what
//! [`Release::V1_32`] does otherwise is of 1.32).

use super::behavior::{Changes, Limit, without_behavior};
use super::history::{Moment, Recommendations};
use super::metric::{MetricSpec, Source, Target};
use super::pods::{Grouping, Pod};
use super::replica_calculator::{Failure, Goal, Proposal, Tolerance, by_average_value, by_pods, by_value};
use super::{Hpa, Release};

/// What the controller can ask the cluster, metric by metric.
pub(crate) trait Cluster {
    /// The pods with their samples of the metric.
    fn pods(&self, index: usize, metric: &MetricSpec) -> Result<impl Iterator<Item = Pod>, Failure>;
    /// Samples of the metric of pods that do not exist.
    fn orphans(&self, _index: usize) -> &[i64] {
        &[]
    }
    /// The value of an object or external metric, in thousandths.
    fn usage(&self, index: usize, metric: &MetricSpec) -> Result<i64, Failure>;
    /// The pods that are Running and Ready; `None` if there is no pod at all.
    fn serving(&self) -> Option<u32>;
}

/// The replicas of the target: asked for, and there, ready or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    pub spec: i32,
    pub status: i32,
}

/// What a reconcile came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    /// The replicas asked for before.
    pub before: i32,
    /// The replicas asked for from now on.
    pub replicas: i32,
    pub route: Route,
    /// What the metrics ask for, and the first of them that asks for so much.
    pub wanted: Option<i32>,
    pub leader: Option<usize>,
    /// What the recommendations of late make of it.
    pub stabilized: Option<i32>,
    /// What rates and bounds make of that.
    pub limit: Option<Limit>,
}

/// Which way a reconcile went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// At zero, and not by the HPA's own doing or not allowed to leave it: nothing is done.
    Disabled,
    /// Above the maximum: down to it at once, whatever the metrics say.
    AboveMax,
    /// Below the minimum: up to it at once.
    BelowMin,
    /// No metric, or too few of them for the way down: nothing is done.
    Failed,
    /// The metrics decided.
    Metrics,
}

/// An HPA at work: what it remembers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Controller {
    pub recommendations: Recommendations,
    pub changes: Changes,
    /// Whether the HPA itself scaled to zero, and may come back: the condition `ScaledToZero`.
    pub scaled_to_zero: bool,
    /// What each metric asked for at the last reconcile that looked at them.
    pub proposals: Vec<Result<Proposal, Failure>>,
}

impl Controller {
    /// One reconcile.
    pub fn reconcile(&mut self, hpa: &Hpa, now: Moment, scale: Scale, cluster: &impl Cluster) -> Outcome {
        self.recommendations.start(scale.spec, now);
        match self.shortcut(hpa, scale.spec) {
            Some((replicas, route)) => self.finish(hpa, now, Outcome::direct(scale.spec, replicas, route)),
            None => {
                let (wanted, leader) = self.evaluate(hpa, scale, cluster);
                self.reconcile_to(hpa, now, scale.spec, wanted, leader)
            }
        }
    }

    /// A reconcile whose metrics ask for `wanted` replicas; `None`: they could not be had.
    pub fn reconcile_to(
        &mut self,
        hpa: &Hpa,
        now: Moment,
        current: i32,
        wanted: Option<i32>,
        leader: Option<usize>,
    ) -> Outcome {
        self.recommendations.start(current, now);
        if let Some((replicas, route)) = self.shortcut(hpa, current) {
            return self.finish(hpa, now, Outcome::direct(current, replicas, route));
        }
        let Some(wanted) = wanted else {
            // The controller would stay at zero; a minimum above it is taken for what its owner wants.
            let (replicas, route) = match current == 0 && hpa.bounds.min > 0 {
                true => (hpa.bounds.min, Route::BelowMin),
                false => (current, Route::Failed),
            };
            return self.finish(hpa, now, Outcome::direct(current, replicas, route));
        };
        let stabilized = self.stabilize(hpa, now, current, wanted);
        let limit = self.limit(hpa, now, current, stabilized);
        let outcome = Outcome {
            before: current,
            // Rates may hold it below a minimum that was raised while it was at zero.
            replicas: if current == 0 { limit.replicas.max(hpa.bounds.min) } else { limit.replicas },
            route: Route::Metrics,
            wanted: Some(wanted),
            leader,
            stabilized: Some(stabilized),
            limit: Some(limit),
        };
        self.finish(hpa, now, outcome)
    }

    /// What is decided without looking at metrics. From zero they decide even below the minimum.
    fn shortcut(&self, hpa: &Hpa, current: i32) -> Option<(i32, Route)> {
        if current == 0 {
            (!self.leaves_zero(hpa)).then_some((0, Route::Disabled))
        } else if current > hpa.bounds.max {
            Some((hpa.bounds.max, Route::AboveMax))
        } else if current < hpa.bounds.min {
            Some((hpa.bounds.min, Route::BelowMin))
        } else {
            None
        }
    }

    /// Whether zero replicas are for the HPA to leave (`shouldComputeMetricsForZeroReplicas`).
    fn leaves_zero(&self, hpa: &Hpa) -> bool {
        match hpa.release {
            Release::Newest => {
                hpa.scale_to_zero && self.scaled_to_zero && (hpa.bounds.min > 0 || hpa.sees_beyond_pods())
            }
            Release::V1_32 => hpa.bounds.min == 0,
        }
    }

    /// What the metrics ask for: the most that any of them does. `None` if there are none to go by, or if some are
    /// missing and the others would shrink the pool.
    pub fn evaluate(
        &mut self,
        hpa: &Hpa,
        scale: Scale,
        cluster: &impl Cluster,
    ) -> (Option<i32>, Option<usize>) {
        self.proposals.clear();
        // As in the controller, a metric that asks for nothing or less leads to zero.
        let (mut wanted, mut leader, mut failures) = (0, None, 0);
        for (index, metric) in hpa.metrics.iter().enumerate() {
            let proposal = propose(hpa, index, metric, scale, cluster);
            match proposal {
                Ok(Proposal { replicas, .. }) if leader.is_none() || replicas > wanted => {
                    (wanted, leader) = (replicas.max(0), Some(index));
                }
                Ok(_) => {}
                Err(_) => failures += 1,
            }
            self.proposals.push(proposal);
        }
        let failed = failures >= hpa.metrics.len() || (failures > 0 && wanted < scale.spec);
        (if failed { None } else { Some(wanted) }, leader)
    }

    /// What the recommendations of late make of the replicas wanted, which are recorded.
    pub fn stabilize(&mut self, hpa: &Hpa, now: Moment, current: i32, wanted: i32) -> i32 {
        match &hpa.behavior {
            None => self.recommendations.hold(wanted, hpa.downscale_stabilization, now),
            Some(rules) => {
                self.recommendations.steady(current, wanted, rules.up.window, rules.down.window, now)
            }
        }
    }

    /// What rates and bounds make of the replicas wanted.
    pub fn limit(&self, hpa: &Hpa, now: Moment, current: i32, wanted: i32) -> Limit {
        match &hpa.behavior {
            None => without_behavior(current, wanted, hpa.bounds),
            Some(behavior) => self.changes.limit(behavior, current, wanted, hpa.bounds, now),
        }
    }

    fn finish(&mut self, hpa: &Hpa, now: Moment, outcome: Outcome) -> Outcome {
        if outcome.replicas != outcome.before {
            self.changes.store(hpa.behavior.as_ref(), outcome.before, outcome.replicas, now);
            self.scaled_to_zero = outcome.replicas == 0 && hpa.scale_to_zero && hpa.sees_beyond_pods();
        }
        outcome
    }
}

impl Outcome {
    fn direct(before: i32, replicas: i32, route: Route) -> Outcome {
        Outcome { before, replicas, route, wanted: None, leader: None, stabilized: None, limit: None }
    }
}

/// What one metric asks for.
fn propose(
    hpa: &Hpa,
    index: usize,
    metric: &MetricSpec,
    scale: Scale,
    cluster: &impl Cluster,
) -> Result<Proposal, Failure> {
    let tolerance = Tolerance { release: hpa.release, ..hpa.tolerance };
    let by_each = |goal| {
        let rule = hpa.grouping(metric);
        let pods = cluster.pods(index, metric)?;
        by_pods(scale.spec, goal, pods, cluster.orphans(index), &rule, &tolerance)
    };
    match (metric.source, metric.target) {
        (_, Target::Utilization(percent)) => by_each(Goal::Utilization(percent)),
        (Source::Object | Source::External, Target::AverageValue(target)) => {
            let usage = match cluster.usage(index, metric)? {
                // The controller takes a negative total for one that has wrapped.
                usage if usage < 0 && metric.source == Source::External => i64::MAX,
                usage => usage,
            };
            Ok(by_average_value(scale.status, usage, target, &tolerance))
        }
        (_, Target::AverageValue(target)) => by_each(Goal::Average(target)),
        (_, Target::Value(target)) => {
            let usage = cluster.usage(index, metric)?;
            by_value(scale.spec, usage, target, cluster.serving(), &tolerance)
        }
    }
}

impl Hpa {
    /// Whether a metric can be had without pods.
    pub fn sees_beyond_pods(&self) -> bool {
        self.metrics.iter().any(|metric| matches!(metric.source, Source::Object | Source::External))
    }

    /// How pods count for a metric: only the CPU's samples are left out while a pod starts.
    pub fn grouping(&self, metric: &MetricSpec) -> Grouping {
        let is_resource = matches!(metric.source, Source::Resource | Source::ContainerResource);
        Grouping {
            cpu: is_resource && metric.name == "cpu",
            cpu_initialization_period: self.cpu_initialization_period,
            initial_readiness_delay: self.initial_readiness_delay,
            release: self.release,
        }
    }
}
