//! A small report for the tests of its forms.

use super::chart::{Comparison, Measure, Size};
use super::content::{ChartPart, Head, REPORT_VERSION, Report, RunPart};
use super::data::{Records, window_fields};
use super::results::Results;
use super::statement::{PromiseVerdict, Statement};
use super::table::{Cell, Heading, Mark, Row, Table};
use crate::experiment::{RunPlan, RunResult, SloVerdict};
use crate::scenario::ScenarioFile;
use crate::sim::Window;

/// What `of` makes of a report that says `name` wherever it says anything.
pub fn report<T>(name: &str, of: impl FnOnce(&Report<'_>) -> T) -> T {
    let text = "[arrivals]\nkind = \"poisson\"\nrate = 1\n[service]\ntime = \"1s\"\n\
                [autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"10m\"";
    let scenario = ScenarioFile::parse("test.toml", text, ".").unwrap().scenario().unwrap();
    let result = RunResult { alternatives: Vec::new(), procedure: RunPlan::default(), complete: true };
    let statement = || Statement::plain("test", name);
    let chart = Comparison {
        title: name.to_owned(),
        cost: name.to_owned(),
        measure: name.to_owned(),
        upwards: Measure::Latency,
        slo: None,
        contenders: Vec::new(),
        bound: None,
    };
    let caption = name.to_owned();
    let knee = Row { marks: vec![Mark::Knee], ..Row::of([Cell::text(name), Cell::number(12.5, "12.5")]) };
    let table = Table {
        id: "test",
        title: name.to_owned(),
        columns: vec![Heading::named(name), Heading::named("cost")],
        rows: vec![knee, Row::of([Cell::text("b"), Cell::text("–")])],
        ..Table::default()
    };
    let windows = [Window { arrived: 3, ..Window::default() }];
    let windows = Records { fields: window_fields(false), records: &windows };
    of(&Report {
        schema_version: REPORT_VERSION,
        head: Head { title: name.to_owned(), command: "run", complete: true },
        verdict: Some(PromiseVerdict { kept: SloVerdict::Yes, statement: statement() }),
        warnings: Vec::new(),
        answer: vec![statement()],
        details: Vec::new(),
        reading: Vec::new(),
        tables: vec![table],
        charts: vec![ChartPart {
            name: "test".to_owned(),
            caption,
            size: Size::WIDE,
            is_of_a_run: false,
            chart: chart.into(),
        }],
        runs: vec![RunPart { place: String::new(), title: name.to_owned(), windows }],
        looks: Vec::new(),
        manifests: std::collections::BTreeMap::new(),
        notes: vec![statement()],
        origin: name.to_owned(),
        results: Results::Run(&scenario, &result),
    })
}
