//! How a decision came about, in numbers and in words.

use super::super::{Explanation, Rounded};
use super::Knative;
use super::activator::activators;
use super::apply::{Condition, Step, Why};
use super::decider::Verdict;
use super::evaluation::{KpaEvaluation, Occasion};
use crate::time::{Instant, Span};

/// The explanation of one evaluation.
pub(super) fn explain(settings: &Knative, found: &KpaEvaluation) -> Explanation {
    let metric = settings.load.metric();
    let panicking = found.verdict.is_some_and(|verdict| verdict.panic_since.is_some());
    let observed = found.verdict.map(|_| if panicking { found.panic } else { found.stable });
    let mut figures = Vec::new();
    if let Some(verdict) = &found.verdict {
        figures.push(("stable", found.stable.into()));
        figures.push(("panic", found.panic.into()));
        figures.push(("target", settings.spec.target.into()));
        figures.push(("total", settings.spec.total.into()));
        verdict_figures(verdict, found.at, &mut figures);
    }
    figures.push(("decided", found.desired.into()));
    figures.push(("bounded", found.step.bounded.into()));
    figures.push(("scale", found.step.scale.into()));
    figures.push(("excess_burst_capacity", found.excess_burst_capacity.into()));
    let spec = &settings.spec;
    let count = activators(found.ready, spec.total, spec.target_burst_capacity, settings.activator_capacity);
    figures.push(("activators", count.into()));
    figures.push(("route", if found.proxied { "proxy" } else { "serve" }.into()));
    figures.push(("condition", condition_name(found.condition).into()));
    // The means are the pool's.
    let target = (found.ready > 0).then(|| settings.spec.target * f64::from(found.ready));
    Explanation { metric: metric.name(), observed, target, figures, reason: words(settings, found) }
}

/// Every intermediate number of the decider.
pub(super) fn verdict_figures(
    verdict: &Verdict,
    now: Instant,
    figures: &mut Vec<(&'static str, serde_json::Value)>,
) {
    let panic_age = verdict.panic_since.map(|since| now.since(since).as_secs_f64());
    figures.push(("max_scale_up", verdict.max_scale_up.into()));
    figures.push(("max_scale_down", verdict.max_scale_down.into()));
    figures.push(("stable_needs", verdict.stable_needs.into()));
    figures.push(("panic_needs", verdict.panic_needs.into()));
    figures.push(("desired_stable", verdict.desired_stable.into()));
    figures.push(("desired_panic", verdict.desired_panic.into()));
    figures.push(("over_panic_threshold", verdict.over_threshold.into()));
    figures.push(("panic_mode", verdict.panic_since.is_some().into()));
    figures.push(("panic_age_s", panic_age.into()));
    figures.push(("before_delay", verdict.undelayed.into()));
}

/// The condition as it is written.
pub(super) fn condition_name(condition: Condition) -> &'static str {
    match condition {
        Condition::Activating => "activating",
        Condition::Active => "active",
        Condition::Inactive => "inactive",
    }
}

fn words(settings: &Knative, found: &KpaEvaluation) -> String {
    let decided = match &found.verdict {
        Some(verdict) => {
            let means = Means {
                stable: (settings.spec.stable_window, found.stable),
                panic: (settings.panic_window, found.panic),
                target: settings.spec.target,
                threshold: settings.spec.panic_threshold,
                ready: found.ready,
                now: found.at,
            };
            let poked = if found.occasion == Occasion::Poke { "first request: " } else { "" };
            format!("{poked}{}", decided(&means, verdict))
        }
        None if found.occasion == Occasion::Requeue => "a wait is over".to_owned(),
        None => "no metrics for longer than the stable window: no decision".to_owned(),
    };
    let mut words = decided;
    if let Some(applied) = applied(found.desired, &found.step) {
        words.push_str("; ");
        words.push_str(&applied);
    }
    words
}

/// What the words of the decider are made of.
pub(super) struct Means {
    pub stable: (Span, f64),
    pub panic: (Span, f64),
    pub target: f64,
    pub threshold: f64,
    pub ready: u32,
    pub now: Instant,
}

/// The decider in words.
pub(super) fn decided(means: &Means, verdict: &Verdict) -> String {
    let needs = |(window, mean): (Span, f64), needs: f64| {
        format!("{window} mean {} at {} a pod needs {}", Rounded(mean), Rounded(means.target), Rounded(needs))
    };
    let stable = || needs(means.stable, verdict.stable_needs);
    let panic = || needs(means.panic, verdict.panic_needs);
    let wanted = verdict.undelayed;
    let mut words = match verdict.panic_since {
        Some(_) if verdict.over_threshold => format!(
            "panic: {} of {} ready (≥ {} %): {wanted}",
            panic(),
            means.ready,
            Rounded(means.threshold * 100.0)
        ),
        Some(since) => {
            let left = (since + means.stable.0).since(means.now);
            format!("panic for another {left}: {}, {}: not below {wanted}", panic(), stable())
        }
        None if verdict.calmed => format!("panic over: {}: {wanted}", stable()),
        None => format!("{}: {wanted}", stable()),
    };
    if verdict.panic_since.is_none() && f64::from(wanted) != verdict.stable_needs {
        let (low, high) = (Rounded(verdict.max_scale_down), Rounded(verdict.max_scale_up));
        words.push_str(&format!(" (from {low} to {high} with {} ready)", means.ready));
    }
    if verdict.desired != wanted {
        words.push_str(&format!(", held at {} by the scale-down delay", verdict.desired));
    }
    words
}

/// The scale-to-zero machine in words; `None` where it does what was wanted.
pub(super) fn applied(desired: Option<u32>, step: &Step) -> Option<String> {
    let wait = || step.requeue.map_or_else(String::new, |span| format!(" for another {span}"));
    let replicas = step.replicas;
    if (step.before, replicas) == (0, 0) && step.scale == Some(0) {
        return Some("at zero".to_owned());
    }
    Some(match step.why {
        Why::Wanted if desired == Some(step.bounded) => return None,
        Why::Wanted if desired > Some(step.bounded) => format!("held at the maximum of {}", step.bounded),
        Why::Wanted if desired.is_some() => format!("held at the minimum of {}", step.bounded),
        Why::Wanted => format!("bounded to {}", step.bounded),
        Why::Unknown => format!("stay at {replicas}"),
        Why::ZeroDisabled => "the last pod may not go: 1".to_owned(),
        Why::StillActivating => "none wanted, but the first pod still starts: wait".to_owned(),
        Why::ActivationFailed => "the first pod did not start in time: 0".to_owned(),
        Why::KeepOne => format!("none wanted: keep 1, active{} at least", wait()),
        Why::Deactivated => {
            format!("none wanted: inactive from now on, {replicas} stays until the activator has taken over")
        }
        Why::NotConfirmed => {
            format!("inactive, but it is not sure that the activator is in the path: stay at {replicas}")
        }
        Why::ScaledToZero => "inactive for long enough: 0".to_owned(),
        Why::Retained => format!("inactive, the last pod is kept{}", wait()),
        Why::ProxiedToZero => {
            "inactive, and the activator has been in the path for the grace period: 0".to_owned()
        }
        Why::Grace => format!("inactive, in the grace period{}", wait()),
    })
}
