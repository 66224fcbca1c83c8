//! The report as Markdown, to be read in a pull request: verdict, answer, tables and notes. Charts are files: the
//! command links the first that it writes.

use super::form::TextFormat;
use crate::report::content::Report;
use crate::report::table::Table;
use crate::report::tables::STEPS_TABLE;

/// Markdown.
pub const FORMAT: TextFormat = TextFormat { name: "md", text: markdown };

/// The report as GitHub-flavoured Markdown; every text in it is escaped.
pub fn markdown(report: &Report<'_>) -> String {
    let mut parts = vec![format!("## {}", escaped(&report.head.title))];
    parts.extend(report.warnings.iter().map(|statement| format!("> **{}**", escaped(&statement.text))));
    parts.extend(report.verdict.iter().map(|verdict| format!("**{}**", escaped(&verdict.statement.text))));
    parts.extend(report.answer.iter().map(|statement| escaped(&statement.text)));
    parts.extend(report.tables.iter().filter(|table| table.id != STEPS_TABLE).map(table_text));
    // What bounds a recommendation belongs to it: what could not be decided, ends of ranges, what is not modelled.
    let details = report.details.iter().filter(|_| report.head.command == "recommend");
    let notes = details.chain(&report.notes).map(|note| format!("- {}", escaped(&note.text)));
    let notes: Vec<String> = notes.collect();
    parts.extend((!notes.is_empty()).then(|| notes.join("\n")));
    parts.extend((!report.origin.is_empty()).then(|| format!("*{}*", escaped(&report.origin))));
    parts.join("\n\n") + "\n"
}

fn table_text(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let rule = |column| if table.is_numeric(column) { "---:" } else { "---" };
    let head = line(table.columns.iter().map(|column| escaped(&column.title)).collect());
    let rules = line((0..table.columns.len()).map(|column| rule(column).to_owned()).collect());
    let rows = table.rows.iter().map(|row| {
        let cell = |text: &String| match row.stands_out() && !text.is_empty() {
            true => format!("**{}**", escaped(text)),
            false => escaped(text),
        };
        line(row.cells.iter().map(|each| cell(&each.text)).collect())
    });
    let lines: Vec<String> = [head, rules].into_iter().chain(rows).collect();
    format!("### {}\n\n{}", escaped(&table.title), lines.join("\n"))
}

/// `text` on one line, without anything that Markdown or HTML would take for markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::report;

    #[test]
    fn a_report_is_headed_by_its_verdict_and_answer() {
        let text = report("day", markdown);
        let expected = "## day\n\n\
                        **day**\n\n\
                        day\n\n\
                        ### day\n\n\
                        | day | cost |\n\
                        | --- | ---: |\n\
                        | **day** | **12.5** |\n\
                        | b | – |\n\n\
                        - day\n\n\
                        *day*\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_name_that_is_markup_stays_text() {
        let text = report("a|b\n# <i>_c_</i>", markdown);
        assert!(text.contains("| **a\\|b \\# &lt;i&gt;\\_c\\_&lt;/i&gt;** | **12.5** |"), "{text}");
        assert!(!text.contains("<i>"), "{text}");
    }
}
