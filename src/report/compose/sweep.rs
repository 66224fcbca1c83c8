//! The report of a sweep.

use std::collections::BTreeMap;

use super::parts::{charts, detail, notes as run_notes};
use crate::experiment::SweepResult;
use crate::report::content::{Head, REPORT_VERSION, Report};
use crate::report::results::Results;
use crate::report::statement::Statement;
use crate::report::{looks, pools, promises, sentences, tables, warnings};
use crate::scenario::Scenario;

/// The report of a sweep; `scenario` without any swept parameter.
pub fn sweep<'a>(scenario: &'a Scenario, result: &'a SweepResult) -> Report<'a> {
    let mut charts: Vec<_> = charts(Results::Sweep(scenario, result)).collect();
    let mut runs = Vec::new();
    if let Some((index, seen)) = &result.detailed_run {
        let point = &result.points[*index].point;
        let (run, of_run) = detail("", &point.scenario, &sentences::settings(point), &seen.outcome);
        runs.push(run);
        charts.extend(of_run);
    }
    let looks = result.detailed_run.iter().chain(&result.looks).map(|(index, seen)| {
        let point = &result.points[*index].point;
        (*index, sentences::settings(point), &point.scenario, seen)
    });
    // A sweep of the load has nothing to choose: it asks how much there may be of it.
    let answer: Vec<Statement> = match result.load_limits.is_empty() {
        true => sentences::within_slo(scenario, result)
            .into_iter()
            .chain(sentences::edges(result))
            .chain([sentences::knee(scenario, result)])
            .collect(),
        false => sentences::load_limits(scenario, result),
    };
    let simulated = result.points.iter().map(|point| &point.point.scenario);
    Report {
        schema_version: REPORT_VERSION,
        head: Head { title: scenario.name.clone(), command: "sweep", complete: result.complete() },
        verdict: sentences::sweep_verdict(scenario, result),
        warnings: warnings::of_sweep(result),
        answer,
        details: vec![sentences::scope(scenario, result.points.len())],
        reading: sentences::reading(scenario),
        tables: [tables::sweep(scenario, result)]
            .into_iter()
            .chain(promises::of_sweep(result, sentences::settings_and_condition))
            .chain(pools::of_pick(result))
            .chain(tables::types_of_pick(result))
            .collect(),
        charts,
        runs,
        looks: looks::looks(looks.collect()),
        manifests: BTreeMap::new(),
        notes: run_notes(scenario, simulated, scenario.run.replications as usize, &result.procedure),
        origin: sentences::origin("sweep", scenario),
        results: Results::Sweep(scenario, result),
    }
}
