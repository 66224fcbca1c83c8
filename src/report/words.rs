//! Results in sentences.

use super::format;
use crate::experiment::{COST, Figures, PointResult, RunResult, SLO_LATENCY, SweepResult, Unit};
use crate::scenario::Scenario;
use crate::stats::CONFIDENCE;
use crate::units::show_span;

/// The scenario among its variants.
pub const AS_IT_STANDS: &str = "as it stands";

/// What the latency figure of a frontier is called: `p99`, `p99.5`.
pub fn percentile(scenario: &Scenario) -> String {
    format!("p{}", scenario.model.slo.map_or(99.0, |slo| slo.percentile))
}

/// A point by its variant and settings: `spot, autoscaler.up.above = 80`.
pub fn settings(point: &PointResult) -> String {
    let settings = point.point.settings.iter().map(|(path, setting)| format!("{path} = {setting}"));
    let all: Vec<String> = point.point.variant.iter().cloned().chain(settings).collect();
    if all.is_empty() { AS_IT_STANDS.to_owned() } else { all.join(", ") }
}

/// The knee of a sweep, in a sentence.
pub fn knee(scenario: &Scenario, result: &SweepResult) -> String {
    match result.knee {
        Some(index) => format!("The knee is at {}.", point(scenario, &result.points[index])),
        None => {
            let points = format::counted(result.frontier().count(), "point");
            format!("There is no knee: the frontier of {points} nowhere bends.")
        }
    }
}

/// The cheapest point that meets the SLO, in a sentence; `None` if nothing is promised.
pub fn within_slo(scenario: &Scenario, result: &SweepResult) -> Option<String> {
    let promise = promise(scenario)?;
    Some(match result.cheapest_within_slo {
        Some(index) => {
            let cheapest = &result.points[index];
            let limit = cheapest.point.scenario.model.slo.map(|slo| slo.latency.as_secs_f64());
            let doubt = match cheapest.figures.get(SLO_LATENCY).high > limit {
                true => " Its interval reaches beyond the SLO: more replications would tell.",
                false => "",
            };
            format!("The cheapest setting that keeps {promise} is {}.{doubt}", point(scenario, cheapest))
        }
        None => format!("No setting keeps {promise}."),
    })
}

/// What a run comes to, a sentence for each alternative.
pub fn run(scenario: &Scenario, result: &RunResult) -> String {
    let sentence = |alternative: &crate::experiment::Alternative| {
        let name = alternative.variant.as_deref();
        let begin = name.map_or_else(String::new, |name| format!("{name}: "));
        let figures = &alternative.figures;
        let kept = slo_attainment(&alternative.scenario, figures);
        format!("{begin}{}{kept}.", cost_and_latency(scenario, figures))
    };
    result.alternatives.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// What the intervals are, or why there are none.
pub fn intervals(replications: usize) -> String {
    match replications {
        1 => "One replication: no intervals, since one run says nothing about spread.".to_owned(),
        n => format!("± is the {} % confidence interval over {n} replications.", CONFIDENCE * 100.0),
    }
}

/// Where a result comes from.
pub fn origin(command: &str, scenario: &Scenario) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("kneepoint {version}, {command} of {}, seed {}", scenario.name, scenario.run.seed)
}

/// The SLO as something to keep: `p99 within 2 s`.
fn promise(scenario: &Scenario) -> Option<String> {
    let slo = scenario.model.slo?;
    Some(format!("{} within {}", percentile(scenario), format::seconds(slo.latency.as_secs_f64())))
}

fn point(scenario: &Scenario, point: &PointResult) -> String {
    format!("{}: {}", settings(point), cost_and_latency(scenario, &point.figures))
}

fn cost_and_latency(scenario: &Scenario, figures: &Figures) -> String {
    let currency = &scenario.model.cost.currency;
    format!(
        "{} for {}, {} {}",
        format::estimate(&figures.get(COST), Unit::Currency, currency),
        show_span(scenario.model.duration),
        percentile(scenario),
        format::estimate(&figures.get(SLO_LATENCY), Unit::Seconds, currency),
    )
}

fn slo_attainment(scenario: &Scenario, figures: &Figures) -> String {
    let Some(slo) = scenario.model.slo else { return String::new() };
    let share = format::estimate(&figures.get("slo_attainment"), Unit::Share, "");
    format!(", {share} of requests within {}", format::seconds(slo.latency.as_secs_f64()))
}
