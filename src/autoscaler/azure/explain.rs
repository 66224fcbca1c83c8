//! An evaluation of Azure rules in figures and in words.

use serde_json::{Value, json};

use super::flapping::Guard;
use super::rule::{Direction, Rule};
use super::{AzurePolicy, Outcome};
use crate::autoscaler::{Explanation, Limits, Rounded};
use crate::units::show_span;

impl AzurePolicy {
    pub(super) fn explanation(&self) -> Explanation {
        let index = match self.outcome {
            Outcome::Out(index) | Outcome::In(index, _) | Outcome::Cooling(index, _) => index,
            Outcome::Nothing(index) | Outcome::Flapping(index, _) | Outcome::Disagree(index, _) => index,
            Outcome::Limits | Outcome::NoData | Outcome::Quiet => self.nearest(),
        };
        Explanation {
            metric: self.settings.rules[index].metric.name(),
            observed: self.found[index].metric,
            target: self.out_above(index),
            figures: vec![("rules", self.figures())],
            reason: self.reason(),
        }
    }

    /// The rule whose metric is nearest to where it scales out; the first while none has one.
    fn nearest(&self) -> usize {
        let share = |index: &usize| {
            let above = Some(self.settings.rules[*index].threshold).filter(|above| *above > 0.0);
            Some(self.found[*index].metric? / above?)
        };
        let out = self.of(Direction::Out).filter(|index| self.settings.rules[*index].watched(0).is_some());
        let known = out.filter_map(|index| Some((index, share(&index)?)));
        known.reduce(|a, b| if b.1 > a.1 { b } else { a }).map_or(0, |(index, _)| index)
    }

    /// Above which value of its metric a rule, or another on the same metric, scales out.
    fn out_above(&self, index: usize) -> Option<f64> {
        let rules = &self.settings.rules;
        let is_same = |rule: &&Rule| {
            rule.metric == rules[index].metric
                && rule.aggregation == rules[index].aggregation
                && rule.watched(0).is_some_and(|watched| watched.adds())
        };
        rules.iter().filter(is_same).map(|rule| rule.threshold).min_by(f64::total_cmp)
    }

    /// What was found of each rule, in their order.
    fn figures(&self) -> Value {
        let found = self.found.iter().map(
            |found| json!({ "metric": found.metric, "triggered": found.triggered, "wanted": found.wanted }),
        );
        found.collect()
    }

    /// Why a scale-in to `left` would not last: what the metric of the rule `index` would be then.
    fn undone_words(&self, index: usize, left: u32) -> String {
        let Rule { operator, threshold, .. } = self.settings.rules[index];
        let metric = self.found[index].metric.unwrap_or(f64::NAN);
        let projected = Guard { metric, operator, threshold }.projected(self.current, left);
        format!(
            "on {left} it would be {}, {} {}, and scale out again",
            Rounded(projected),
            operator.words(),
            Rounded(threshold)
        )
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
            Outcome::Out(index) => {
                let bound = self.settings.limits.words(wanted(index));
                format!("{}: scale out to {}{bound}", says(index), wanted(index))
            }
            Outcome::In(index, left) if left > wanted(index) => {
                let wanted = wanted(index);
                let undone = self.undone_words(self.undone_by(self.current, wanted), wanted);
                format!("{}: scale in to {left}, as {undone}", says(index))
            }
            Outcome::In(index, left) => format!("{}: scale in to {left}", says(index)),
            Outcome::Cooling(index, left) => {
                format!("{}, but cooling down for another {}: stay", says(index), show_span(left))
            }
            Outcome::Nothing(index) => {
                let Limits { min, max } = self.settings.limits;
                match self.current {
                    current if current == max && wanted(index) > max => {
                        format!("{}, but the maximum of {max} holds it: stay", says(index))
                    }
                    current if current == min && wanted(index) < min => {
                        format!("{}, but the minimum of {min} holds it: stay", says(index))
                    }
                    current => {
                        format!("{} and asks for {}, which leaves {current}", says(index), wanted(index))
                    }
                }
            }
            Outcome::Flapping(index, other) => {
                let undone = self.undone_words(other, wanted(index).max(self.settings.limits.min));
                format!("{}, but {undone}: stay", says(index))
            }
        }
    }
}
