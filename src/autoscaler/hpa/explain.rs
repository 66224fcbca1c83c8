//! A reconcile in words and figures.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::Hpa;
use super::behavior::{Limit, Limited, RateKind};
use super::controller::{Controller, Outcome, Route};
use super::metric::{MetricSpec, Source, Target};
use super::replica_calculator::{Failure, Proposal, Verdict};
use crate::autoscaler::{Explanation, Rounded};

/// How `outcome` came about.
pub(crate) fn explain(hpa: &Hpa, controller: &Controller, outcome: &Outcome) -> Explanation {
    let looked = matches!(outcome.route, Route::Metrics | Route::Failed);
    let leader = outcome.leader.filter(|_| looked);
    let leading = leader.and_then(|index| {
        let proposal = controller.proposals.get(index)?.ok()?;
        Some((hpa.metrics.get(index)?, proposal))
    });
    let observed = leading.map(|(_, proposal)| match proposal.utilization {
        Some(percent) => f64::from(percent) / 100.0,
        None => proposal.usage as f64 / 1000.0,
    });
    let mut figures = vec![("scaling_active", Value::from(active(hpa, controller, outcome)))];
    if looked && !controller.proposals.is_empty() {
        figures.push(("metrics", metrics_figure(hpa, controller)));
    }
    if let Some((metric, proposal)) = leading {
        figures.extend(proposal_figures(metric, &proposal));
    }
    if outcome.route == Route::Metrics {
        let stabilized = outcome.stabilized != outcome.wanted;
        figures.push(("wanted", outcome.wanted.into()));
        figures.push(("stabilized", outcome.stabilized.into()));
        figures.push(("able_to_scale", able(outcome, stabilized, hpa).into()));
        let rate = outcome.limit.and_then(|limit| limit.rate).map(|reach| reach.replicas);
        figures.push(("rate_limit", rate.into()));
        figures.push(("scaling_limited", outcome.limit.map(|limit| limit.reason.name()).into()));
    }
    Explanation {
        metric: leading.map_or("", |(metric, _)| metric.signal.name()),
        observed,
        target: leading.map(|(metric, proposal)| compared_with(metric, &proposal)),
        figures,
        reason: reason(hpa, controller, outcome),
    }
}

/// What the value of a metric is compared with: a share for a percentage, else in whole units.
fn compared_with(metric: &MetricSpec, proposal: &Proposal) -> f64 {
    match metric.target {
        Target::Utilization(percent) if proposal.utilization.is_some() => f64::from(percent) / 100.0,
        Target::Utilization(percent) => f64::from(percent),
        Target::AverageValue(value) | Target::Value(value) => value as f64 / 1000.0,
    }
}

/// The condition `ScalingActive`.
fn active(hpa: &Hpa, controller: &Controller, outcome: &Outcome) -> &'static str {
    let failed = controller.proposals.iter().position(Result::is_err);
    match outcome.route {
        Route::Disabled => "ScalingDisabled",
        Route::Failed => match failed.and_then(|index| hpa.metrics.get(index)).map(|metric| metric.source) {
            Some(Source::Resource) => "FailedGetResourceMetric",
            Some(Source::ContainerResource) => "FailedGetContainerResourceMetric",
            Some(Source::Pods) => "FailedGetPodsMetric",
            Some(Source::Object) => "FailedGetObjectMetric",
            Some(Source::External) | None => "FailedGetExternalMetric",
        },
        Route::AboveMax | Route::BelowMin | Route::Metrics => "ValidMetricFound",
    }
}

/// The condition `AbleToScale`.
fn able(outcome: &Outcome, stabilized: bool, hpa: &Hpa) -> &'static str {
    let up = hpa.behavior.is_some() && outcome.wanted >= Some(outcome.before);
    match (stabilized, up) {
        (false, _) => "ReadyForNewScale",
        (true, true) => "ScaleUpStabilized",
        (true, false) => "ScaleDownStabilized",
    }
}

fn metrics_figure(hpa: &Hpa, controller: &Controller) -> Value {
    let one = |(metric, proposal): (&MetricSpec, &Result<Proposal, Failure>)| {
        let mut fields = Map::new();
        fields.insert("name".into(), metric.name.clone().into());
        match proposal {
            Ok(proposal) => {
                let figures = proposal_figures(metric, proposal);
                fields.extend(figures.into_iter().map(|(name, value)| (name.to_owned(), value)));
                fields.insert("replicas".into(), proposal.replicas.into());
            }
            Err(failure) => {
                fields.insert("error".into(), failure.words().into());
            }
        }
        Value::Object(fields)
    };
    hpa.metrics.iter().zip(&controller.proposals).map(one).collect()
}

/// The numbers behind what one metric asks for, values in thousandths.
pub(crate) fn proposal_figures(metric: &MetricSpec, proposal: &Proposal) -> Vec<(&'static str, Value)> {
    let mut figures = Vec::new();
    match (metric.target, proposal.utilization) {
        (Target::Value(_), _) => figures.push(("usage", proposal.usage.into())),
        (_, Some(percent)) => {
            figures.push(("utilization", percent.into()));
            figures.push(("average", proposal.usage.into()));
        }
        (_, None) => figures.push(("average", proposal.usage.into())),
    }
    let target = match metric.target {
        Target::Utilization(percent) => i64::from(percent),
        Target::AverageValue(value) | Target::Value(value) => value,
    };
    figures.push(("target", target.into()));
    figures.push(("ratio", number(proposal.ratio)));
    figures.push(("filled_ratio", proposal.filled.map_or(Value::Null, number)));
    if metric.is_of_pods() {
        let counts = proposal.tally;
        let counted = [
            ("ready", counts.ready),
            ("unready", counts.unready),
            ("missing", counts.missing),
            ("ignored", counts.ignored),
        ];
        figures.extend(counted.map(|(name, count)| (name, count.into())));
    }
    figures.push(("pods", proposal.pods.into()));
    figures
}

/// A ratio without replicas is infinite, or not a number: null in JSON, so a text instead.
fn number(ratio: f64) -> Value {
    if ratio.is_finite() { json!(ratio) } else { ratio.to_string().into() }
}

impl MetricSpec {
    fn is_of_pods(&self) -> bool {
        match self.target {
            Target::Value(_) => false,
            Target::Utilization(_) => true,
            Target::AverageValue(_) => !matches!(self.source, Source::Object | Source::External),
        }
    }
}

impl Failure {
    /// What went wrong.
    pub fn words(self) -> &'static str {
        match self {
            Failure::Unavailable => "the metric is not available",
            Failure::NoPods => "there are no pods",
            Failure::NoSamples => "no pod that counts has a sample",
            Failure::NoRequest => "a pod does not say what it requests",
            Failure::NoMatch => "no sample belongs to a pod",
        }
    }
}

fn reason(hpa: &Hpa, controller: &Controller, outcome: &Outcome) -> String {
    let Outcome { before, replicas, .. } = *outcome;
    let mut words = match outcome.route {
        Route::Disabled if hpa.scale_to_zero && !hpa.sees_beyond_pods() => {
            return "at 0, and no object or external metric to return by: scaling is disabled".into();
        }
        Route::Disabled if hpa.scale_to_zero || hpa.bounds.min == 0 => {
            return "at 0, but not by the HPA itself: scaling is disabled".into();
        }
        Route::Disabled => return "at 0: scaling is disabled".into(),
        Route::AboveMax => return format!("{before} is above the maximum: down to {replicas} at once"),
        Route::BelowMin => return format!("{before} is below the minimum: up to {replicas} at once"),
        Route::Failed => return format!("{}: stay at {before}", failure_words(hpa, controller)),
        Route::Metrics => metric_words(hpa, controller, outcome),
    };
    let wanted = outcome.wanted.unwrap_or(before);
    let stabilized = outcome.stabilized.unwrap_or(wanted);
    // Writing to a string cannot fail.
    if stabilized != wanted {
        let window = hpa.window_words(wanted < stabilized);
        let _ =
            write!(words, "; wants {wanted}, held at {stabilized} by the stabilization window ({window})");
    }
    if let Some(limit) = outcome.limit.filter(|limit| limit.reason != Limited::DesiredWithinRange) {
        let _ = write!(words, "; {}", hpa.limit_words(stabilized, &limit));
    }
    let _ = match replicas == before {
        true => write!(words, ": stay at {before}"),
        false => write!(words, ": {before} to {replicas}"),
    };
    words
}

fn failure_words(hpa: &Hpa, controller: &Controller) -> String {
    let failed = controller.proposals.iter().zip(&hpa.metrics);
    let mut failed = failed.filter_map(|(proposal, metric)| Some((proposal.err()?, metric)));
    let (all, first) = (hpa.metrics.len(), failed.next());
    let Some((failure, metric)) = first else { return "the metrics could not be had".into() };
    match (all, 1 + failed.count()) {
        (1, _) => format!("{}: {}", metric.name, failure.words()),
        (all, failures) if all == failures => {
            format!("all {all} metrics fail, the first ({}) because {}", metric.name, failure.words())
        }
        (all, failures) => format!(
            "{failures} of {all} metrics fail, the first ({}) because {}, and the others would shrink the pool",
            metric.name,
            failure.words()
        ),
    }
}

fn metric_words(hpa: &Hpa, controller: &Controller, outcome: &Outcome) -> String {
    let leading = outcome
        .leader
        .and_then(|index| Some((hpa.metrics.get(index)?, controller.proposals.get(index)?.as_ref().ok()?)));
    let Some((metric, proposal)) = leading else {
        return format!("the metrics ask for {}", outcome.wanted.unwrap_or(outcome.before));
    };
    let (name, usage) = (&metric.name, Rounded(proposal.usage as f64 / 1000.0));
    let mut words = match (metric.target, proposal.utilization) {
        (Target::Utilization(target), Some(percent)) => {
            format!("{name} utilization {percent} % of target {target} %")
        }
        (Target::Value(_), _) => format!("{name} {usage} of target {}", Rounded(metric.target.shown())),
        _ => format!("{name} {usage} a replica, target {}", Rounded(metric.target.shown())),
    };
    let ratio = proposal.filled.unwrap_or(proposal.ratio);
    if !ratio.is_finite() {
        let (target, wanted) = (Rounded(metric.target.shown()), proposal.replicas);
        return format!("{name}: no replica is there, and the total over target {target} asks for {wanted}");
    }
    let _ = write!(words, ": ratio {}", Rounded(ratio));
    if proposal.filled.is_some() {
        let (unready, missing) = (proposal.tally.unready, proposal.tally.missing);
        let _ = match (unready, missing) {
            (_, 0) => write!(words, " with {unready} unready filled in"),
            (0, _) => write!(words, " with {missing} missing filled in"),
            _ => write!(words, " with {unready} unready and {missing} missing filled in"),
        };
    }
    let _ = match proposal.verdict {
        Verdict::Tolerated => {
            let tolerance = if ratio < 1.0 { hpa.tolerance.down } else { hpa.tolerance.up };
            let _ = write!(words, " within tolerance {tolerance:.2}");
            match proposal.replicas == outcome.before {
                true => Ok(()),
                // Of averages of objects and external metrics it is the replicas that are there which stay.
                false => write!(words, ", so status.replicas ({}) is written back", proposal.replicas),
            }
        }
        Verdict::Scaled => write!(words, " × {} pods asks for {}", proposal.pods, proposal.replicas),
        Verdict::Divided => write!(words, " asks for {}", proposal.replicas),
        Verdict::Reversed => write!(words, " would turn the direction round"),
    };
    words
}

impl Hpa {
    /// What held back the replicas wanted; empty if nothing did.
    pub fn limit_words(&self, wanted: i32, limit: &Limit) -> String {
        let replicas = limit.replicas;
        match limit.reason {
            Limited::DesiredWithinRange => String::new(),
            Limited::TooFewReplicas => format!("{wanted} is below the minimum, which holds it at {replicas}"),
            Limited::TooManyReplicas => {
                format!("{wanted} is above the maximum, which holds it at {replicas}")
            }
            Limited::ScaleUpLimit => {
                let by = self.rate_words(true, limit).unwrap_or_else(|| "to double, or 4, per sync".into());
                format!("{wanted} is too far up at once: limited to {replicas} by {by}")
            }
            Limited::ScaleDownLimit => {
                let by = self.rate_words(false, limit).unwrap_or_default();
                format!("{wanted} is too far down at once: limited to {replicas} by {by}")
            }
        }
    }

    /// The policy of `behavior` that limited the change.
    fn rate_words(&self, up: bool, limit: &Limit) -> Option<String> {
        let behavior = self.behavior.as_ref()?;
        let rules = if up { &behavior.up } else { &behavior.down };
        let index = limit.rate.and_then(|reach| reach.policy);
        let Some(rate) = index.and_then(|index| rules.rates.get(index)) else {
            return Some("select_policy = \"disabled\"".into());
        };
        let kind = match rate.kind {
            RateKind::Pods => "pods",
            RateKind::Percent => "percent",
        };
        Some(format!("policy {kind} {} per {}", rate.value, rate.period))
    }

    fn window_words(&self, down: bool) -> String {
        let window = match &self.behavior {
            None => self.downscale_stabilization,
            Some(behavior) if down => behavior.down.window,
            Some(behavior) => behavior.up.window,
        };
        window.to_string()
    }
}
