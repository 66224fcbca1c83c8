//! An evaluation of AWS policies in figures and in words.

use serde_json::{Map, Value};

use super::aws_policy::{AwsPolicy, Outcome};
use super::policy::{Rule, ScalingPolicy};
use crate::autoscaler::{Explanation, Limits, Rounded};
use crate::units::show_span;

impl AwsPolicy {
    pub(super) fn explanation(&self) -> Explanation {
        let index = match self.outcome {
            Outcome::Out(index) | Outcome::Enough(index) | Outcome::In(index) | Outcome::Nothing(index) => {
                index
            }
            Outcome::Resting(index, _) | Outcome::Warming(index, _) | Outcome::Disagree(index, _) => index,
            Outcome::Quiet | Outcome::NoData | Outcome::Limits => self.nearest(),
        };
        Explanation {
            metric: self.settings.policies[index].metric.name(),
            observed: self.tracks[index].metric,
            target: self.out_above(index),
            figures: self.figures(),
            reason: self.reason(index),
        }
    }

    /// The policy whose metric is nearest to where it scales out; the first while none has one.
    fn nearest(&self) -> usize {
        let share = |index: &usize| {
            let above = self.settings.policies[*index].scales_out_above().filter(|above| *above > 0.0);
            Some(self.tracks[*index].metric? / above?)
        };
        let known = (0..self.tracks.len()).filter_map(|index| Some((index, share(&index)?)));
        known.reduce(|a, b| if b.1 > a.1 { b } else { a }).map_or(0, |(index, _)| index)
    }

    /// Above which value of its metric a policy, or another on the same metric, scales out.
    fn out_above(&self, index: usize) -> Option<f64> {
        let policies = &self.settings.policies;
        let same = policies.iter().filter(|policy| policy.metric == policies[index].metric);
        same.filter_map(ScalingPolicy::scales_out_above).min_by(f64::total_cmp)
    }

    /// What each policy found, by its place in the list: from 0 on.
    fn figures(&self) -> Vec<(&'static str, Value)> {
        let figures = self.tracks.iter().zip(&self.settings.policies).map(|(track, policy)| {
            let mut figures = Map::new();
            figures.insert("metric".into(), track.metric.into());
            match policy.rule {
                Rule::TargetTracking(_) => {
                    figures.insert("high_alarm".into(), track.high.name().into());
                    figures.insert("low_alarm".into(), track.low.name().into());
                    figures.insert("high_breaches".into(), track.breaches.0.past.into());
                    figures.insert("low_breaches".into(), track.breaches.1.past.into());
                }
                Rule::StepScaling(_) => {
                    figures.insert("alarm".into(), track.high.name().into());
                    figures.insert("breaches".into(), track.breaches.0.past.into());
                }
            }
            figures.insert("base".into(), track.base.into());
            figures.insert("wanted".into(), track.wanted.into());
            Value::Object(figures)
        });
        vec![("policies", figures.collect())]
    }

    fn reason(&self, index: usize) -> String {
        let (policy, track) = (&self.settings.policies[index], &self.tracks[index]);
        let name = policy.metric.name();
        let observed =
            track.metric.map_or_else(|| "unknown".to_owned(), |metric| Rounded(metric).to_string());
        let wanted = track.wanted.unwrap_or(i64::from(track.base));
        let rule = match &policy.rule {
            Rule::TargetTracking(tracking) => {
                format!("{name} {observed} at a target of {}", Rounded(tracking.target))
            }
            Rule::StepScaling(steps) => {
                format!("{name} {observed} at a threshold of {}", Rounded(steps.alarm.threshold))
            }
        };
        let base = track.base;
        match self.outcome {
            Outcome::Quiet => {
                let waits: Vec<String> = (0..self.tracks.len()).map(|index| self.waits_for(index)).collect();
                format!("no alarm: {}: stay", waits.join("; "))
            }
            Outcome::NoData => format!("no {name} to go by, so no alarm knows its state: stay"),
            Outcome::Limits => "outside the limits: set to the nearest limit".to_owned(),
            Outcome::Out(_) => format!("{rule}: scale out from {base} to {wanted}{}", self.at_limit(wanted)),
            Outcome::Enough(_) if wanted > i64::from(self.capacity) => {
                format!("{rule} asks for {wanted}, but the maximum holds it at {}", self.capacity)
            }
            Outcome::Enough(_) => format!("{rule} asks for {wanted}, which is there or coming: stay"),
            Outcome::In(_) => format!("{rule}: scale in to {wanted}{}", self.at_limit(wanted)),
            Outcome::Nothing(_) if wanted < i64::from(self.capacity) => {
                format!("{rule} asks for {wanted}, but the minimum holds it at {}", self.capacity)
            }
            Outcome::Nothing(_) => format!("{rule} asks for {wanted}: nothing to remove"),
            Outcome::Resting(_, left) => {
                format!("{rule} would scale in to {wanted}, but cools down for another {}", show_span(left))
            }
            Outcome::Warming(_, warming) => {
                format!("{rule} would scale in to {wanted}, but {warming} instances warm up")
            }
            Outcome::Disagree(_, other) => {
                let metric = self.settings.policies[other].metric.name();
                format!("{rule} would scale in to {wanted}, but the policy on {metric} does not agree")
            }
        }
    }

    /// What the alarms of a policy wait for.
    fn waits_for(&self, index: usize) -> String {
        let (policy, track) = (&self.settings.policies[index], &self.tracks[index]);
        let name = policy.metric.name();
        let observed =
            track.metric.map_or_else(|| "unknown".to_owned(), |metric| Rounded(metric).to_string());
        let (high, low) = track.breaches;
        match &policy.rule {
            Rule::TargetTracking(tracking) => {
                let below = tracking.low(policy.period, self.settings.service.scale_in_below());
                let scale_in = match tracking.disable_scale_in {
                    true => "scale-in is disabled".to_owned(),
                    false => format!("to scale in it was {}", below.words(low)),
                };
                format!(
                    "{name} {observed} at a target of {} was {}; {scale_in}",
                    Rounded(tracking.target),
                    tracking.high().words(high)
                )
            }
            Rule::StepScaling(steps) => format!("{name} {observed} was {}", steps.alarm.words(high)),
        }
    }

    /// What the limits leave of the capacity wanted, where that is another.
    fn at_limit(&self, wanted: i64) -> String {
        let Limits { min, max } = self.settings.limits;
        match wanted {
            _ if wanted < i64::from(min) => format!(", at the minimum of {min}"),
            _ if wanted > i64::from(max) => format!(", at the maximum of {max}"),
            _ => String::new(),
        }
    }
}
