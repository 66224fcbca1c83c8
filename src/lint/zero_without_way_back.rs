//! An HPA that may go to zero by the metrics of its pods alone: with the last pod it loses what it could come back by.

use super::subject::{Subject, text};
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "zero-without-way-back", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let may_be_at_zero = subject.kind() == "hpa" && subject.model.autoscaler.limits().min == 0;
    let beyond_pods = |metric: &serde_json::Value| {
        text(metric, "type").is_some_and(|kind| kind == "external" || kind == "object")
    };
    if !may_be_at_zero || subject.list("metrics").iter().any(beyond_pods) {
        return Vec::new();
    }
    vec![Trap {
        reason: "the pool goes to zero and never comes back: no metric is left there without an object or external one. The API \
                 of Kubernetes refuses such an HPA"
            .to_owned(),
        fix: "keep one instance (`min = 1`), or add a metric of type \"object\" or \"external\"".to_owned(),
    }]
}
