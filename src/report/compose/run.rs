//! The report of a run.

use std::collections::BTreeMap;

use super::parts::{charts, detail, notes as run_notes};
use crate::experiment::RunResult;
use crate::report::content::{Head, REPORT_VERSION, Report};
use crate::report::results::Results;
use crate::report::{looks, place, pools, promises, sentences, tables, warnings};
use crate::scenario::Scenario;
use crate::sim::DecisionRecord;

/// The report of a run; `scenario` as it was asked for. `decisions` are the first of each alternative, by its number:
/// where they are few they are shown step by step.
pub fn run<'a>(
    scenario: &'a Scenario,
    result: &'a RunResult,
    decisions: &[Vec<DecisionRecord>],
) -> Report<'a> {
    let mut charts: Vec<_> = charts(Results::Run(scenario, result)).collect();
    let mut runs = Vec::new();
    let mut seen = Vec::new();
    let mut all_tables = Vec::new();
    for (index, alternative) in result.alternatives.iter().enumerate() {
        let variant = alternative.variant.as_deref();
        let steps = decisions.get(alternative.number).and_then(|first| tables::steps(variant, first));
        all_tables.extend(steps);
        let Some(first) = &alternative.first else { continue };
        let title = variant.unwrap_or(&scenario.name);
        let place = place(alternative.number, variant);
        let (run, of_run) = detail(&place, &alternative.scenario, title, &first.outcome);
        seen.push((index, title.to_owned(), &alternative.scenario, first));
        runs.push(run);
        charts.extend(of_run);
    }
    all_tables.extend(promises::of_run(result));
    all_tables.push(tables::run(scenario, result));
    all_tables.extend(pools::of_run(result));
    all_tables.extend(tables::types_of_run(result));
    let replications = result.alternatives.iter().map(|alternative| alternative.replications.len()).min();
    let simulated = result.alternatives.iter().map(|alternative| &alternative.scenario);
    Report {
        schema_version: REPORT_VERSION,
        head: Head { title: scenario.name.clone(), command: "run", complete: result.complete },
        verdict: promises::run_verdict(result),
        warnings: warnings::of_run(result),
        answer: sentences::run(scenario, result),
        details: Vec::new(),
        reading: sentences::reading(scenario),
        tables: all_tables,
        charts,
        runs,
        looks: looks::looks(seen),
        manifests: BTreeMap::new(),
        notes: run_notes(scenario, simulated, replications.unwrap_or(0), &result.procedure),
        origin: sentences::origin("run", scenario),
        results: Results::Run(scenario, result),
    }
}
