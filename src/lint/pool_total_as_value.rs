//! A total of the pool against a `Value` target: the target does not grow with the pool, so the answer to a load that the pool
//! serves is to double it, again and again.

use super::subject::{Subject, signal, text};
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "pool-total-as-value", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let metrics = match subject.kind() {
        "hpa" => subject.list("metrics").iter().filter(|metric| metric.get("value").is_some()).collect(),
        "keda" => {
            let value = |trigger: &&serde_json::Value| {
                text(trigger, "metric_type").is_some_and(|kind| kind.eq_ignore_ascii_case("value"))
            };
            subject.list("triggers").iter().filter(value).collect::<Vec<_>>()
        }
        _ => return Vec::new(),
    };
    let total = |metric: &&serde_json::Value| signal(metric).filter(|signal| signal.quantity().is_additive());
    let trap = |signal: crate::autoscaler::Signal| Trap {
        reason: format!(
            "`{}` is a total of the whole pool, compared with a `Value` target: instances are multiplied by total / target, \
             whatever their number, so the pool grows to its maximum as soon as the total exceeds the target",
            signal.name()
        ),
        fix: "take an average value (AverageValue), which is the total that one instance may have".to_owned(),
    };
    metrics.iter().filter_map(total).map(trap).collect()
}
