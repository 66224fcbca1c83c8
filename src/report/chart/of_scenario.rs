//! What charts show of a scenario: the titles of the axes of cost and latency, and the SLO.

use super::{Estimate, Slo};
use crate::report::sentences;
use crate::scenario::Scenario;
use crate::sim::Promised;
use crate::stats;
use crate::units::show_span;

/// What an axis of cost shows.
pub fn cost_axis(scenario: &Scenario) -> String {
    format!("Cost of {}, {}", show_span(scenario.model.duration), scenario.model.cost.currency)
}

/// What the latency axis of a frontier shows.
pub fn latency_axis(scenario: &Scenario) -> String {
    let percentile = sentences::percentile(scenario);
    if sentences::promised(scenario) == Promised::Latency {
        format!("{percentile} latency")
    } else {
        percentile
    }
}

/// What is promised of the time that stands for the promise.
pub fn leading_slo(scenario: &Scenario) -> Option<Slo> {
    let time = scenario.model.slo?.leading().1?;
    Some(Slo {
        label: format!("SLO: {} ≤ {time}", sentences::percentile(scenario)),
        seconds: time.as_secs_f64(),
    })
}

/// The latency promised.
pub(super) fn latency_slo(scenario: &Scenario) -> Option<Slo> {
    let slo = scenario.model.slo?;
    let latency = slo.promised_latency()?;
    let label = format!("SLO: p{} ≤ {latency}", slo.percentile);
    Some(Slo { label, seconds: latency.as_secs_f64() })
}

/// A figure, for a chart.
pub(super) fn estimate(estimate: stats::Estimate) -> Estimate {
    Estimate { mean: estimate.mean.unwrap_or(f64::NAN), interval: estimate.low.zip(estimate.high) }
}
