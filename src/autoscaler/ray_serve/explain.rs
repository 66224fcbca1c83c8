//! A tick of Ray Serve's controller in figures and in words.

use serde_json::Value;

use super::RayServe;
use super::decision::{Decision, Inputs};
use super::delay::Path;
use super::delay::Wait;
use crate::autoscaler::Rounded;
use crate::units::show_span;

impl RayServe {
    /// Every intermediate number, in the order it was worked out.
    pub(super) fn figures(&self, inputs: &Inputs, decision: &Decision) -> Vec<(&'static str, Value)> {
        let (least, most) = self.bounds();
        let (direction, wait) = match decision.path {
            Path::Waiting(wait) | Path::Acted(wait) => (if wait.up { "up" } else { "down" }, Some(wait)),
            Path::ColdStart | Path::Starting | Path::Steady => ("none", None),
        };
        let seconds = |part: fn(&Wait) -> f64| wait.as_ref().map(part).into();
        vec![
            ("running", inputs.running.into()),
            ("target", inputs.target.into()),
            ("total_requests", inputs.total.into()),
            ("raw", decision.raw.into()),
            ("smoothed", decision.smoothed.into()),
            ("direction", direction.into()),
            ("elapsed", seconds(|wait| wait.elapsed.as_secs_f64())),
            ("delay", seconds(|wait| wait.needed.as_secs_f64())),
            ("decision", decision.decision.into()),
            ("in_gangs", decision.in_gangs.into()),
            ("lower_bound", least.into()),
            ("upper_bound", most.into()),
        ]
    }

    /// Why, in words.
    pub(super) fn reason(&self, inputs: &Inputs, decision: &Decision) -> String {
        let asks = match (inputs.proposal, decision.raw) {
            (Some(proposal), _) => format!("the policy asks for {}", Rounded(proposal)),
            (None, Some(raw)) if inputs.running > 0 => format!(
                "{} requests at {} a replica ask for {}",
                Rounded(inputs.total),
                Rounded(self.target_ongoing_requests),
                Rounded(raw)
            ),
            _ => format!("{} requests", Rounded(inputs.total)),
        };
        let wanted = decision.smoothed.unwrap_or(i64::from(decision.decision)).max(0);
        let Decision { decision: decided, in_gangs, desired, .. } = *decision;
        let mut words = match decision.path {
            Path::ColdStart => format!("{asks} and no replica runs: {decided} at once"),
            Path::Starting if decided == 0 => "no requests and no replica: none".to_owned(),
            Path::Starting => format!("no replica runs yet: keep the {decided} asked for"),
            Path::Steady => format!("{asks}: stay at {decided}"),
            Path::Waiting(wait) => {
                let side = if wait.up { "more" } else { "fewer" };
                let (elapsed, needed) = (show_span(wait.elapsed), show_span(wait.needed));
                format!("{asks}: {wanted}, but {side} for {elapsed} of {needed}: stay at {decided}")
            }
            Path::Acted(wait) if i64::from(decided) != wanted => {
                format!("{asks}: {wanted} for {}, over 1 first: {decided}", show_span(wait.elapsed))
            }
            Path::Acted(wait) => format!("{asks}: {decided} after {}", show_span(wait.elapsed)),
        };
        if in_gangs != decided {
            words += &format!(", in gangs of {}: {in_gangs}", self.gang_size);
        }
        if desired != in_gangs {
            let side = if desired > in_gangs { "minimum" } else { "maximum" };
            words += &format!(", at the {side} of {desired}");
        }
        words
    }
}
