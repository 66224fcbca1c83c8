//! `report.html`: one file that opens from disk, needs nothing else and runs no script.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use crate::report::content::{ChartPart, Report};
use crate::report::table::Table;
use crate::report::tables::STEPS_TABLE;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #22262b; --soft: #4d555e; --line: #d9dde2; --paper: #fff; --card: #fff;
  --mark: #fdf3dc; --accent: #0072b2; --warn: #d55e00 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #a9b1ba; --line: #3a4048; --paper: #16191d; --mark: #3b3117; --accent: #56b4e9 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 1240px; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; overflow-wrap: anywhere }
.answer { font-size: 1.2rem; margin: 0 0 2rem; padding: .9rem 1.1rem; border-left: 4px solid var(--accent);
  background: color-mix(in srgb, var(--accent) 9%, transparent); overflow-wrap: anywhere }
.answer p { margin: 0 } .answer p + p { margin-top: .4rem }
.warnings { margin: 0 0 1rem; padding: .9rem 1.1rem; border-left: 4px solid var(--warn); background: var(--mark);
  overflow-wrap: anywhere }
.warnings p { margin: 0 } .warnings p + p { margin-top: .4rem }
figure { margin: 0 0 2rem }
figure > div { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: .5rem; overflow: hidden }
figure svg { display: block; width: 100%; height: auto }
figcaption, footer { color: var(--soft); font-size: .95rem; margin-top: .5rem; overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums }
th, td { padding: .4rem .75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th { color: var(--soft); font-weight: 600; overflow-wrap: anywhere }
.number { text-align: right }
td.number { white-space: nowrap }
.marked { background: var(--mark); font-weight: 600 }
@media print {
  :root { --ink: #000; --soft: #333; --line: #bbb; --paper: #fff; --mark: #eee; --accent: #0072b2 }
  main { max-width: none; padding: 0 } figure, tr { break-inside: avoid } h2 { break-after: avoid }
  .wide { overflow: visible } table { font-size: .75rem } th, td { padding: .25rem .4rem } }
";

/// The report as one HTML document; every text in it is escaped. `drawings` are the SVG documents of its charts, in their
/// order, which are put in as they are.
pub fn html(report: &Report<'_>, drawings: &[String]) -> String {
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (report.head.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (report.head.title) }
                    @if !report.warnings.is_empty() {
                        div.warnings { @for statement in &report.warnings { p { (statement.text) } } }
                    }
                    div.answer { @for statement in &report.answer { p { (statement.text) } } }
                    @for (chart, drawing) in report.charts.iter().zip(drawings) {
                        (figure(chart, drawing))
                    }
                    // Step by step, a run is read on the terminal: here the timeline shows it.
                    @for table in report.tables.iter().filter(|table| table.id != STEPS_TABLE) {
                        (table_markup(table))
                    }
                    @if !report.reading.is_empty() {
                        h2 { "What was read" }
                        ul { @for read in &report.reading { li { (read.text) } } }
                    }
                    @if !report.notes.is_empty() {
                        h2 { "Notes" }
                        ul { @for note in &report.notes { li { (note.text) } } }
                    }
                    @if !report.origin.is_empty() {
                        footer { (report.origin) }
                    }
                }
            }
        }
    };
    page.into_string()
}

fn figure(chart: &ChartPart, drawing: &str) -> Markup {
    markup! {
        figure {
            div { (PreEscaped(drawing)) }
            @if !chart.caption.is_empty() { figcaption { (chart.caption) } }
        }
    }
}

fn table_markup(table: &Table) -> Markup {
    let numeric: Vec<bool> = (0..table.columns.len()).map(|column| table.is_numeric(column)).collect();
    let class = |column: usize| numeric.get(column).copied().unwrap_or(false).then_some("number");
    markup! {
        h2 { (table.title) }
        div.wide {
            table {
                thead {
                    tr {
                        @for (i, column) in table.columns.iter().enumerate() {
                            th scope="col" class=[class(i)] { (column.title) }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr class=[row.stands_out().then_some("marked")] {
                            @for (j, cell) in row.cells.iter().enumerate() { td class=[class(j)] { (cell.text) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::report;
    use crate::report::render::svg;

    const EVIL: &str = "<script>alert('x')</script>\"&amp;";

    fn page() -> String {
        report(EVIL, |report| {
            let drawings: Vec<String> =
                report.charts.iter().map(|chart| svg::draw(&chart.chart, chart.size).unwrap()).collect();
            html(report, &drawings)
        })
    }

    #[test]
    fn a_name_that_is_markup_stays_text() {
        let page = page();
        assert!(!page.contains("<script"));
        // Title twice, answer, caption, table title, column, cell, note, origin; the chart's own twice in its head.
        assert!(page.matches("&lt;script&gt;").count() >= 11, "{page}");
        assert!(page.contains("&amp;amp;"));
    }

    #[test]
    fn the_file_stands_alone() {
        let page = page().replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for outside in ["http:", "https:", "src=", "@import", "url(", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn columns_of_numbers_go_right_and_the_knee_stands_out() {
        let page = page();
        assert!(page.contains("<td class=\"number\">12.5</td>") && page.contains("<td>b</td>"));
        assert_eq!(page.matches("<tr class=\"marked\">").count(), 1);
    }
}
