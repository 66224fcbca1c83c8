//! A latency or a share as an average value: it is divided by the number of instances, so a larger pool looks faster than it
//! is.

use super::subject::{Subject, signal, text};
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "percentile-as-average-value", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let divided = |metric: &&serde_json::Value| match subject.kind() {
        "hpa" => {
            let of_all = text(metric, "type").is_some_and(|kind| kind == "external" || kind == "object");
            of_all && metric.get("average_value").is_some()
        }
        // An external trigger is divided unless it says otherwise.
        "keda" => {
            let external = text(metric, "type").is_none_or(|kind| !["cpu", "memory"].contains(&kind));
            let value = text(metric, "metric_type").is_some_and(|kind| kind.eq_ignore_ascii_case("value"));
            external && !value
        }
        _ => false,
    };
    let all = subject.list("metrics").iter().chain(subject.list("triggers"));
    let found = all.filter(divided).filter_map(signal).filter(|signal| !signal.quantity().is_additive());
    found
        .map(|signal| Trap {
            reason: format!(
                "`{}` is no total, but as an average value it is divided by the number of instances: the more there are, \
                 the better it looks",
                signal.name()
            ),
            fix: "take a `Value` target, or a signal that adds up over instances".to_owned(),
        })
        .collect()
}
