//! The report as text for a terminal: the verdict first, tables that fit its width, a small drawing of the frontier.
mod fit;
mod plot;

use std::fmt::Write as _;

pub use fit::fitted as table;

use crate::report::content::Report;
use crate::report::format;
use crate::report::notes::{DESCRIPTION, UNMEASURED};
use crate::report::pools::POOLS_TABLE;
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
        let _ = writeln!(text, "{}\n", bold(&wrapped(&format!("warning: {}", warning.text), width, 0)));
    }
    if let Some(verdict) = &report.verdict {
        let _ = writeln!(text, "{}\n", bold(&wrapped(&verdict.statement.text, width, 0)));
    }
    text += &read(report, width);
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
        let _ = writeln!(text, "{}", wrapped(&note.text, width, 0));
    }
    text
}

/// A text in lines of at most `width` characters, broken between words; those after the first begin after `indent` spaces. A
/// setting stays with its value, and a number with its per cent.
pub fn wrapped(text: &str, width: Option<usize>, indent: usize) -> String {
    let Some(width) = width else { return text.to_owned() };
    let mut lines = String::new();
    let mut used = 0;
    for word in text.replace(" = ", TOGETHER).replace(" %", "\u{a0}%").split(' ') {
        let long = word.chars().count();
        if used > indent && used + 1 + long > width {
            lines += &format!("\n{:indent$}", "");
            used = indent;
        } else if !lines.is_empty() {
            lines.push(' ');
            used += 1;
        }
        lines += word;
        used += long;
    }
    lines.replace('\u{a0}', " ")
}

/// What stands between a setting and its value while lines are broken.
const TOGETHER: &str = "\u{a0}=\u{a0}";

/// Room for the topic of what was read.
const TOPIC: usize = 12;

/// What was read, in its short form: a line of traffic and capacity, one of the autoscaler.
fn read(report: &Report<'_>, width: Option<usize>) -> String {
    let facts = match report.results {
        Results::Run(scenario, _) | Results::Sweep(scenario, _) | Results::Recommend(scenario, _) => {
            &scenario.reading
        }
        Results::Explain(result) => &result.scenario.reading,
        Results::Backtest(result) => &result.scenario.reading,
        Results::Compare(..) => return String::new(),
    };
    let essential = facts.iter().filter(|fact| fact.is_essential);
    let line = |text: String| wrapped(&text, width, TOPIC + 1) + "\n";
    let lines: String = essential.map(|fact| line(format!("{:<TOPIC$} {}", fact.topic, fact.text))).collect();
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
    for id in [PROMISES_TABLE, FIGURES_TABLE, POOLS_TABLE, TYPES_TABLE] {
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
    push_sentences(&mut text, width, report.answer.iter());
    text.push('\n');
    for each in report.tables_called(ALTERNATIVES_TABLE) {
        let _ = writeln!(text, "{}\n{}\n", each.title, table(each, width));
    }
    for statement in &report.details {
        let _ = writeln!(text, "{}", wrapped(&statement.text, width, 0));
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
    for parts in [POOLS_TABLE, TYPES_TABLE].into_iter().flat_map(|id| report.tables_called(id)) {
        let _ = writeln!(text, "{}\n{}\n", parts.title, table(parts, width));
    }
    let plot = plot::frontier(report, width);
    if !plot.is_empty() {
        let _ = writeln!(text, "{plot}");
    }
    push_sentences(&mut text, width, report.answer.iter().rev());
    text
}

/// The figures, then the differences, unless they would take pages, then the answer.
fn compare(report: &Report<'_>, width: Option<usize>) -> String {
    let mut text = String::new();
    for id in [PROMISES_TABLE, FIGURES_TABLE, POOLS_TABLE, TYPES_TABLE] {
        push_tables(&mut text, report, id, width);
    }
    if !report.details.is_empty() {
        push_tables(&mut text, report, DIFFERENCES_TABLE, width);
    }
    push_sentences(&mut text, width, report.details.iter());
    // The pairs with the first are among those of the details.
    push_sentences(&mut text, width, report.answer.iter().filter(|statement| statement.id != "compare.pair"));
    text
}

/// Every table under its title, then the answer.
fn explanation(report: &Report<'_>, width: Option<usize>) -> String {
    let mut text = format!("{}\n\n", bold(&report.head.title));
    for each in &report.tables {
        let _ = writeln!(text, "{}\n{}\n", each.title, table(each, width));
    }
    push_sentences(&mut text, width, report.answer.iter());
    text
}

fn push_tables(text: &mut String, report: &Report<'_>, id: &str, width: Option<usize>) {
    for each in report.tables_called(id) {
        let _ = writeln!(text, "{}\n", table(each, width));
    }
}

fn push_sentences<'a>(
    text: &mut String,
    width: Option<usize>,
    statements: impl Iterator<Item = &'a Statement>,
) {
    for statement in statements {
        let _ = writeln!(text, "{}", bold(&wrapped(&statement.text, width, 0)));
    }
}

/// `text` in bold, where the terminal can.
pub fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_break_between_words_and_topics_stay_alone() {
        assert_eq!(wrapped("one two three", Some(9), 0), "one two\nthree");
        assert_eq!(wrapped("one two three", None, 0), "one two three");
        assert_eq!(wrapped("price  1 USD an hour", Some(14), 7), "price  1 USD\n       an hour");
        assert_eq!(wrapped("unbreakable and", Some(5), 0), "unbreakable\nand");
        assert_eq!(wrapped("", Some(5), 0), "");
        assert_eq!(wrapped("at up.above = 0.8", Some(10), 0), "at\nup.above = 0.8");
        assert_eq!(wrapped("it is 95 %", Some(9), 0), "it is\n95 %");
    }
}
