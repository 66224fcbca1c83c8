//! The report as text for a terminal: the verdict first, tables that fit its width, a small drawing of the frontier.
mod fit;
mod plot;

use std::fmt::Write as _;

pub use fit::fitted as table;

use crate::report::content::Report;
use crate::report::format;
use crate::report::notes::{DESCRIPTION, UNMEASURED};
use crate::report::promises::PROMISES_TABLE;
use crate::report::recommendation::{ALTERNATIVES_TABLE, CHANGES_TABLE, RECOMMENDATION_TABLE};
use crate::report::results::Results;
use crate::report::sentences::SCOPE;
use crate::report::statement::Statement;
use crate::report::tables::{DIFFERENCES_TABLE, FIGURES_TABLE, POINTS_TABLE, STEPS_TABLE, TYPES_TABLE};

/// The report as a terminal of `width` characters shows it, with escape sequences for bold; of any width if `None`.
pub fn text(report: &Report<'_>, width: Option<usize>) -> String {
    let mut text = String::new();
    for warning in &report.warnings {
        let _ = writeln!(text, "{}\n", bold(&format!("warning: {}", warning.text)));
    }
    if let Some(verdict) = &report.verdict {
        let _ = writeln!(text, "{}\n", bold(&verdict.statement.text));
    }
    text += &read(report);
    text += &match report.results {
        Results::Run(..) => run(report, width),
        Results::Sweep(..) => sweep(report, width),
        Results::Compare(..) => compare(report, width),
        Results::Explain(..) | Results::Backtest(..) => explanation(report, width),
        Results::Recommend(..) => recommendation(report, width),
    };
    // What the scenario says of itself its reader knows, and what is not measured the scenario says.
    let known = [DESCRIPTION, UNMEASURED];
    for note in report.notes.iter().filter(|note| !known.contains(&note.id)) {
        let _ = writeln!(text, "{}", note.text);
    }
    text
}

/// What was read, in its short form: a line of traffic and capacity, one of the autoscaler.
fn read(report: &Report<'_>) -> String {
    let facts = match report.results {
        Results::Run(scenario, _) | Results::Sweep(scenario, _) | Results::Recommend(scenario, _) => {
            &scenario.reading
        }
        Results::Explain(result) => &result.scenario.reading,
        Results::Backtest(result) => &result.scenario.reading,
        Results::Compare(..) => return String::new(),
    };
    let essential = facts.iter().filter(|fact| fact.is_essential);
    let lines: String = essential.map(|fact| format!("{:<12} {}\n", fact.topic, fact.text)).collect();
    if lines.is_empty() { lines } else { lines + "\n" }
}

/// The steps of short runs, then the figures.
fn run(report: &Report<'_>, width: Option<usize>) -> String {
    let mut text = format!("{}\n\n", bold(&report.head.title));
    for steps in report.tables_called(STEPS_TABLE) {
        if let Some(variant) = &steps.subject {
            let _ = writeln!(text, "{}", bold(variant));
        }
        let _ = writeln!(text, "{}\n", table(steps, width));
    }
    for id in [PROMISES_TABLE, FIGURES_TABLE, TYPES_TABLE] {
        push_tables(&mut text, report, id, width);
    }
    text
}

/// Today and recommended, what changes, the answer, then what it trades and what bounds it.
fn recommendation(report: &Report<'_>, width: Option<usize>) -> String {
    let mut text = format!("{}\n\n", bold(&report.head.title));
    for id in [RECOMMENDATION_TABLE, PROMISES_TABLE, CHANGES_TABLE] {
        push_tables(&mut text, report, id, width);
    }
    push_sentences(&mut text, report.answer.iter());
    text.push('\n');
    for each in report.tables_called(ALTERNATIVES_TABLE) {
        let _ = writeln!(text, "{}\n{}\n", each.title, table(each, width));
    }
    for statement in &report.details {
        let _ = writeln!(text, "{}", statement.text);
    }
    text
}

/// The points, then the answer.
fn sweep(report: &Report<'_>, width: Option<usize>) -> String {
    let scope = report.details.iter().find(|statement| statement.id == SCOPE);
    let scope = scope.map_or("", |scope| scope.text.as_str());
    let mut text = format!("{}: {scope}\n\n", bold(&report.head.title));
    for points in report.tables_called(POINTS_TABLE) {
        let _ = writeln!(text, "{}\n", table(points, width));
        if points.left_out > 0 {
            let more = format::counted(points.left_out, "more point");
            let _ = writeln!(text, "… and {more} in sweep.csv\n");
        }
    }
    for promises in report.tables_called(PROMISES_TABLE) {
        let _ = writeln!(text, "{}\n{}\n", promises.title, table(promises, width));
    }
    for types in report.tables_called(TYPES_TABLE) {
        let _ = writeln!(text, "{}\n{}\n", types.title, table(types, width));
    }
    let plot = plot::frontier(report, width);
    if !plot.is_empty() {
        let _ = writeln!(text, "{plot}");
    }
    push_sentences(&mut text, report.answer.iter().rev());
    text
}

/// The figures, then the differences, unless they would take pages, then the answer.
fn compare(report: &Report<'_>, width: Option<usize>) -> String {
    let mut text = String::new();
    for id in [PROMISES_TABLE, FIGURES_TABLE, TYPES_TABLE] {
        push_tables(&mut text, report, id, width);
    }
    if !report.details.is_empty() {
        push_tables(&mut text, report, DIFFERENCES_TABLE, width);
    }
    push_sentences(&mut text, report.details.iter());
    // The pairs with the first are among those of the details.
    push_sentences(&mut text, report.answer.iter().filter(|statement| statement.id != "compare.pair"));
    text
}

/// Every table under its title, then the answer.
fn explanation(report: &Report<'_>, width: Option<usize>) -> String {
    let mut text = format!("{}\n\n", bold(&report.head.title));
    for each in &report.tables {
        let _ = writeln!(text, "{}\n{}\n", each.title, table(each, width));
    }
    push_sentences(&mut text, report.answer.iter());
    text
}

fn push_tables(text: &mut String, report: &Report<'_>, id: &str, width: Option<usize>) {
    for each in report.tables_called(id) {
        let _ = writeln!(text, "{}\n", table(each, width));
    }
}

fn push_sentences<'a>(text: &mut String, statements: impl Iterator<Item = &'a Statement>) {
    for statement in statements {
        let _ = writeln!(text, "{}", bold(&statement.text));
    }
}

/// `text` in bold, where the terminal can.
pub fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}
