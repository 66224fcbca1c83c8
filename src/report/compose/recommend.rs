//! The report of a recommendation.

use std::collections::BTreeMap;

use super::parts::charts;
use crate::recommend::Recommendation;
use crate::report::content::{Head, REPORT_VERSION, Report};
use crate::report::results::Results;
use crate::report::{notes, promises, recommendation, sentences};
use crate::scenario::Scenario;

/// The report of a recommendation; `scenario` is the base, with what of it is not modelled.
pub fn recommend<'a>(
    scenario: &'a Scenario,
    result: &'a Recommendation,
    not_modelled: &[&str],
) -> Report<'a> {
    let replications = result.recommended.as_ref().or(result.today.as_ref()).or(result.estimated.as_ref());
    let replications = replications.map_or(0, |each| each.replications);
    let tables = [
        recommendation::comparison(scenario, result),
        promises::of_recommendation(result),
        recommendation::changes(result),
        recommendation::alternatives(scenario, result),
    ];
    let described = notes::description(scenario).into_iter();
    Report {
        schema_version: REPORT_VERSION,
        head: Head { title: scenario.name.clone(), command: "recommend", complete: result.complete },
        verdict: recommendation::verdict(scenario, result),
        warnings: recommendation::incomplete(result).into_iter().collect(),
        answer: recommendation::answer(scenario, result),
        details: recommendation::details(scenario, result, not_modelled),
        reading: sentences::reading(scenario),
        tables: tables.into_iter().flatten().collect(),
        charts: charts(Results::Recommend(scenario, result)).collect(),
        runs: Vec::new(),
        looks: Vec::new(),
        manifests: BTreeMap::new(),
        notes: described.chain([notes::intervals(replications as usize)]).collect(),
        origin: sentences::origin("recommend", scenario),
        results: Results::Recommend(scenario, result),
    }
}
