//! The report of a comparison.

use std::collections::BTreeMap;

use super::parts::charts;
use crate::experiment::{CompareResult, MAX_FOR_ALL_PAIRS};
use crate::report::content::{Head, REPORT_VERSION, Report};
use crate::report::results::Results;
use crate::report::statement::Statement;
use crate::report::{notes, pools, promises, sentences, tables, warnings};
use crate::scenario::Scenario;

/// The report of a comparison; `scenario` is the first contender's.
pub fn compare<'a>(scenario: &'a Scenario, result: &'a CompareResult) -> Report<'a> {
    let mut notes = notes::comparison_notes(result);
    notes.extend(notes::procedure(&result.procedure));
    notes.extend(notes::formulas(result.contenders.iter().map(|contender| &contender.scenario)));
    notes.extend(notes::unmeasured(scenario));
    let few = result.contenders.len() <= MAX_FOR_ALL_PAIRS;
    Report {
        schema_version: REPORT_VERSION,
        head: Head { title: title(result), command: "compare", complete: result.complete },
        verdict: None,
        warnings: warnings::of_comparison(result),
        answer: answer(result),
        details: if few { sentences::pairs(result, result.pairs.iter()) } else { Vec::new() },
        reading: Vec::new(),
        tables: [tables::differences(result), tables::contenders(result)]
            .into_iter()
            .chain(promises::of_comparison(result))
            .chain(pools::of_comparison(result))
            .chain(tables::types_of_comparison(result))
            .collect(),
        charts: charts(Results::Compare(scenario, result)).collect(),
        runs: Vec::new(),
        looks: Vec::new(),
        manifests: BTreeMap::new(),
        notes,
        origin: sentences::origin("compare", scenario),
        results: Results::Compare(scenario, result),
    }
}

/// The contenders by name, or how many they are.
fn title(result: &CompareResult) -> String {
    let names: Vec<&str> = result.contenders.iter().map(|each| each.name.as_str()).collect();
    match names.len() {
        0..=MAX_FOR_ALL_PAIRS => names.join(" – "),
        many => format!("{many} alternatives compared"),
    }
}

/// All contenders against the bound if there is one, else against the first. The table has all pairs.
fn answer(result: &CompareResult) -> Vec<Statement> {
    let kept = sentences::kept_by(result).into_iter();
    let bound = sentences::bound(result);
    if !bound.is_empty() {
        return kept.chain(bound).collect();
    }
    kept.chain(sentences::pairs(result, result.pairs.iter().filter(|pair| pair.a == 0))).collect()
}
