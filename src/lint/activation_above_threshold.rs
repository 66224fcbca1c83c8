//! An activation threshold above what one instance is to have: the pool goes to zero under a load that takes instances.

use super::subject::Subject;
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "activation-above-threshold", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    if subject.kind() != "keda" || subject.model.autoscaler.limits().min > 0 {
        return Vec::new();
    }
    let trap = |(index, trigger): (usize, &serde_json::Value)| {
        let activation = trigger.get("activation_threshold")?.as_f64()?;
        let threshold = number(trigger.get("threshold")?)?;
        let asks = (activation / threshold).ceil();
        (activation > threshold && threshold > 0.0).then(|| Trap {
            reason: format!(
                "trigger {index} is active above {activation} only, where its threshold of {threshold} asks for {asks:.0} \
                 instances already: below, there is none at all"
            ),
            fix: format!("take an activation threshold below {threshold}"),
        })
    };
    subject.list("triggers").iter().enumerate().filter_map(trap).collect()
}

/// A number, or a text that is one.
fn number(value: &serde_json::Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}
