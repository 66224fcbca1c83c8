//! An evaluation of Azure rules in figures and in words.

use serde_json::{Value, json};

use super::rule::Rule;
use super::{AzurePolicy, Outcome};
use crate::autoscaler::{Explanation, Rounded};
use crate::units::show_span;

impl AzurePolicy {
    pub(super) fn explanation(&self) -> Explanation {
        let index = match self.outcome {
            Outcome::Out(index) | Outcome::In(index, _) | Outcome::Cooling(index, _) => index,
            Outcome::Nothing(index) | Outcome::Flapping(index) | Outcome::Disagree(index, _) => index,
            Outcome::Limits | Outcome::NoData | Outcome::Quiet => 0,
        };
        Explanation {
            metric: self.settings.rules[index].metric.name(),
            observed: self.found[index].metric,
            figures: vec![("rules", self.figures())],
            reason: self.reason(),
        }
    }

    /// What was found of each rule, in their order.
    fn figures(&self) -> Value {
        let found = self.found.iter().map(
            |found| json!({ "metric": found.metric, "triggered": found.triggered, "wanted": found.wanted }),
        );
        found.collect()
    }

    fn reason(&self) -> String {
        let says = |index: usize| {
            let Rule { metric, operator, threshold, .. } = self.settings.rules[index];
            let observed = self.found[index].metric.unwrap_or(f64::NAN);
            format!("{} {} is {} {}", metric.name(), Rounded(observed), operator.words(), Rounded(threshold))
        };
        let wanted = |index: usize| self.found[index].wanted;
        match self.outcome {
            Outcome::Limits => "outside the limits: set to the nearest limit".to_owned(),
            Outcome::NoData => "no metric: at least the default".to_owned(),
            Outcome::Quiet => "no rule is triggered: stay".to_owned(),
            Outcome::Disagree(index, other) => {
                let name = self.settings.rules[other].metric.name();
                format!("{}, but the rule on {name} does not agree: stay", says(index))
            }
            Outcome::Out(index) => format!("{}: scale out to {}", says(index), wanted(index)),
            Outcome::In(index, left) if left > wanted(index) => {
                let wanted = wanted(index);
                format!("{}: scale in to {left}, as {wanted} would have to be undone", says(index))
            }
            Outcome::In(index, left) => format!("{}: scale in to {left}", says(index)),
            Outcome::Cooling(index, left) => {
                format!("{}, but cooling down for another {}: stay", says(index), show_span(left))
            }
            Outcome::Nothing(index) => format!("{}, but the limits leave nothing to do", says(index)),
            Outcome::Flapping(index) => {
                format!("{}, but the scale-in would have to be undone at once: stay", says(index))
            }
        }
    }
}
