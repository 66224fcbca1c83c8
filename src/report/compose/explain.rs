//! The report of an explanation.

use std::collections::BTreeMap;

use super::parts::detail;
use crate::explain::Explained;
use crate::report::content::{ChartPart, Head, REPORT_VERSION, Report};
use crate::report::results::Results;
use crate::report::{explained, notes, sentences};

/// The report of an explanation.
pub fn explain(result: &Explained) -> Report<'_> {
    let scenario = &result.scenario;
    let name = result.variant.as_deref().unwrap_or(&scenario.name);
    let (run, charts) = detail("", scenario, name, &result.run);
    let caption = format!("Replication {}.", result.episodes.replication);
    let mut notes: Vec<_> = notes::description(scenario).into_iter().collect();
    notes.push(notes::intervals(result.replications as usize));
    notes.extend(explained::notes(result));
    Report {
        schema_version: REPORT_VERSION,
        head: Head { title: format!("{name}: explained"), command: "explain", complete: true },
        verdict: None,
        warnings: Vec::new(),
        answer: explained::answer(result),
        details: Vec::new(),
        reading: sentences::reading(scenario),
        tables: explained::measures(result).into_iter().chain(explained::keys(result)).collect(),
        charts: charts.into_iter().map(|chart| ChartPart { caption: caption.clone(), ..chart }).collect(),
        runs: vec![run],
        looks: Vec::new(),
        manifests: BTreeMap::new(),
        notes,
        origin: sentences::origin("explain", scenario),
        results: Results::Explain(result),
    }
}
