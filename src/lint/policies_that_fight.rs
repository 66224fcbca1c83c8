//! Two rules of one autoscaler that are both true at once and pull in opposite directions.

use super::subject::{Subject, text};
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "policies-that-fight", find };

/// A rule on a metric: adds instances above its threshold, or removes some below it.
struct Rule<'a> {
    index: usize,
    metric: &'a str,
    adds: bool,
    threshold: f64,
}

/// Reads an item of the list of rules.
type Read = fn(usize, &serde_json::Value) -> Option<Rule<'_>>;

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let (list, read): (&str, Read) = match subject.kind() {
        "aws" => ("policies", of_aws),
        "azure_monitor" => ("rules", of_azure),
        _ => return Vec::new(),
    };
    let items = subject.list(list).iter().enumerate();
    let rules: Vec<Rule<'_>> = items.filter_map(|(index, rule)| read(index, rule)).collect();
    let mut found = Vec::new();
    for up in rules.iter().filter(|rule| rule.adds) {
        let against =
            |down: &&Rule<'_>| !down.adds && down.metric == up.metric && down.threshold >= up.threshold;
        for down in rules.iter().filter(against) {
            found.push(Trap {
                reason: format!(
                    "`{list}.{}` adds instances above {} of `{}` and `{list}.{}` removes some below {}: between, both are true",
                    up.index, up.threshold, up.metric, down.index, down.threshold
                ),
                fix: "take a lower threshold to remove at, with room for one instance between the two".to_owned(),
            });
        }
    }
    found
}

fn of_aws(index: usize, policy: &serde_json::Value) -> Option<Rule<'_>> {
    let adds = match text(policy, "type")? {
        "step_scaling" => text(policy, "comparison")?.starts_with("greater"),
        "target_tracking" => true,
        _ => return None,
    };
    let threshold = policy.get("threshold").or_else(|| policy.get("target"))?.as_f64()?;
    Some(Rule { index, metric: text(policy, "metric")?, adds, threshold })
}

fn of_azure(index: usize, rule: &serde_json::Value) -> Option<Rule<'_>> {
    let adds = text(rule, "direction")? == "out";
    Some(Rule { index, metric: text(rule, "metric")?, adds, threshold: rule.get("threshold")?.as_f64()? })
}
