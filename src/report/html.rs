//! `report.html`: one file that opens from disk, needs nothing else and runs no script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a report says, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The headline: the scenario's name.
    pub title: String,
    /// The answer, a paragraph a sentence.
    pub answer: Vec<String>,
    /// Charts and tables in their order.
    pub parts: Vec<Part>,
    /// What a reader should know: warm-up, replications, what is not modelled.
    pub notes: Vec<String>,
    /// Where it comes from: version, command, seed.
    pub origin: String,
}

/// One part of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A chart.
    Chart {
        /// The document [`chart::svg`](super::chart::svg) made: put in as it is.
        svg: String,
        /// How to read it, below it; may be empty.
        caption: String,
    },
    /// A table.
    Table(Table),
}

/// A table of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it shows, above it.
    pub title: String,
    /// The name of each column, with its unit.
    pub columns: Vec<String>,
    /// The cells of each row, in the order of the columns; columns of numbers are set to the right.
    pub rows: Vec<Vec<String>>,
    /// The row that stands out: the knee.
    pub marked: Option<usize>,
}

impl Table {
    /// Whether every cell of a column that says anything starts as a number does; such a column is set to the right.
    pub fn is_numeric(&self, column: usize) -> bool {
        let mut cells =
            self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).peekable();
        let starts = |cell: &String| cell.starts_with(|c: char| c.is_ascii_digit() || "-−–+".contains(c));
        cells.peek().is_some() && cells.all(starts)
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #22262b; --soft: #4d555e; --line: #d9dde2; --paper: #fff; --card: #fff;
  --mark: #fdf3dc; --accent: #0072b2 }
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

/// Writes the report as one HTML document; every text in it is escaped.
///
/// ```
/// use kneepoint::report::html::{Report, html};
/// let (title, answer) = ("a <b> day".into(), vec!["Scale up above 80 requests/s.".into()]);
/// let page = html(&Report { title, answer, parts: vec![], notes: vec![], origin: String::new() });
/// assert!(page.contains("<h1>a &lt;b&gt; day</h1>"));
/// ```
pub fn html(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (report.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (report.title) }
                    div.answer { @for sentence in &report.answer { p { (sentence) } } }
                    @for part in &report.parts {
                        (part_markup(part))
                    }
                    @if !report.notes.is_empty() {
                        h2 { "Notes" }
                        ul { @for note in &report.notes { li { (note) } } }
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

fn part_markup(part: &Part) -> Markup {
    match part {
        Part::Chart { svg, caption } => html! {
            figure {
                div { (PreEscaped(svg)) }
                @if !caption.is_empty() { figcaption { (caption) } }
            }
        },
        Part::Table(table) => table_markup(table),
    }
}

fn table_markup(table: &Table) -> Markup {
    let numeric: Vec<bool> = (0..table.columns.len()).map(|column| table.is_numeric(column)).collect();
    let class = |column: usize| numeric.get(column).copied().unwrap_or(false).then_some("number");
    html! {
        h2 { (table.title) }
        div.wide {
            table {
                thead {
                    tr { @for (i, name) in table.columns.iter().enumerate() { th scope="col" class=[class(i)] { (name) } } }
                }
                tbody {
                    @for (i, row) in table.rows.iter().enumerate() {
                        tr class=[(table.marked == Some(i)).then_some("marked")] {
                            @for (j, cell) in row.iter().enumerate() { td class=[class(j)] { (cell) } }
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
    use crate::report::chart::{Comparison, Size, svg};

    const EVIL: &str = "<script>alert('x')</script>\"&amp;";

    fn page() -> String {
        let evil = || EVIL.to_owned();
        let chart = Comparison {
            title: evil(),
            cost: evil(),
            latency: evil(),
            slo: None,
            contenders: vec![],
            bound: None,
        };
        let rows = vec![vec![evil(), "12.5".into()], vec!["b".into(), "–".into()]];
        let columns = vec![evil(), "Cost, USD/h".into()];
        let parts = vec![
            Part::Chart { svg: svg(&chart, Size::WIDE).unwrap(), caption: evil() },
            Part::Table(Table { title: evil(), columns, rows, marked: Some(0) }),
        ];
        html(&Report { title: evil(), answer: vec![evil()], parts, notes: vec![evil()], origin: evil() })
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
