//! Two thresholds so close that removing one instance lifts the others above the upper one: the pool goes up and down.

use super::subject::{Subject, text};
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "thresholds-too-close", find };

/// Sizes of a pool that are looked at, at most.
const LARGEST: u32 = 1000;

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    if subject.kind() != "threshold" {
        return Vec::new();
    }
    // A total of the pool does not change with its size.
    let query = subject.model.autoscaler.query();
    let per_instance = subject.at("per").is_some_and(|per| per == "instance");
    let spreads = query.is_some_and(|query| per_instance || !query.metric.quantity().is_additive());
    let is_latency = text_of(subject) == Some("latency");
    let (Some(above), Some(below)) = (subject.number("up/above"), subject.number("down/below")) else {
        return Vec::new();
    };
    if !spreads || is_latency {
        return Vec::new();
    }
    let limits = subject.model.autoscaler.limits();
    let smallest = limits.min.max(1) + 1;
    let flaps = |size: &u32| below >= above * f64::from(size - 1) / f64::from(*size);
    let most = limits.max.min(LARGEST);
    let Some(size) = (smallest..=most).rev().find(flaps) else { return Vec::new() };
    let limit = above * f64::from(smallest - 1) / f64::from(smallest);
    vec![Trap {
        reason: format!(
            "with {size} instances or fewer, one that goes below {below} leaves the others above {above}: `down.below` is at \
             least `up.above` × (n − 1) / n"
        ),
        fix: format!("take `down.below` under {limit:.3}, or a larger `min`"),
    }]
}

fn text_of<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    subject.at("metric").and_then(|metric| metric.as_str().or_else(|| text(metric, "name")))
}
