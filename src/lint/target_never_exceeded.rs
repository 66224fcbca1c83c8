//! A target of a share so near 100 % that a full pool is within the tolerance of it: no instance is ever asked for.

use serde_json::Value as Json;

use super::subject::{Subject, signal, text};
use super::{Lint, Trap};
use crate::autoscaler::Signal;

pub(super) const LINT: Lint = Lint { name: "target-never-exceeded", find };

/// What Kubernetes takes without a value.
const DEFAULT: f64 = 0.1;

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    if !["hpa", "keda"].contains(&subject.kind()) || !subject.scales() {
        return Vec::new();
    }
    let of_all = subject.number("tolerance").unwrap_or(DEFAULT);
    let tolerance = subject.number("behavior/scale_up/tolerance").unwrap_or(of_all);
    let all = subject.list("metrics").iter().chain(subject.list("triggers"));
    let never =
        all.filter_map(share).filter(|target| *target <= 1.0 && 1.0 / target <= 1.0 + tolerance + 1e-9);
    never
        .map(|target| Trap {
            reason: format!(
                "a pool that is full is at {:.3} times its target of {} %, which a tolerance of {tolerance} takes for reached: \
                 this metric never asks for an instance",
                1.0 / target,
                percent(target)
            ),
            fix: format!(
                "take a target below {} %, with room for what comes while an instance starts",
                percent((100.0 / (1.0 + tolerance)).floor() / 100.0)
            ),
        })
        .collect()
}

/// The target of a metric of which all instances together have a share, 0 to 1.
fn share(metric: &Json) -> Option<f64> {
    let number = |key: &str| metric.get(key).and_then(Json::as_f64);
    let is_cpu =
        text(metric, "type").is_some_and(|kind| kind == "cpu") && is(metric, "metric_type", "utilization");
    if let Some(percent) = number("average_utilization").or(number("threshold").filter(|_| is_cpu)) {
        return Some(percent / 100.0);
    }
    let signal = signal(metric)?;
    // A share that is divided by the instances says something else.
    let kept = text(metric, "type").is_some_and(|kind| kind == "pods") || is(metric, "metric_type", "value");
    let target = number("value").or_else(|| number("average_value").or(number("threshold")).filter(|_| kept));
    target.filter(|_| [Signal::Utilization, Signal::KvCache].contains(&signal))
}

fn is(metric: &Json, key: &str, value: &str) -> bool {
    text(metric, key).is_some_and(|text| text.eq_ignore_ascii_case(value))
}

fn percent(share: f64) -> f64 {
    (1000.0 * share).round() / 10.0
}
