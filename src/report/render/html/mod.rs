//! `report.html`: one file that opens from disk and needs nothing else. All that is essential stands in it as text, tables and
//! drawings; a script makes the drawings answer, and print and browsers without a script show it all the same.
//!
//! - [`mod@self`]: the document
//! - [`sections`]: its parts as markup
//! - [`data`]: what the script reads
//! - [`assets`]: style and script, from `web/`
mod assets;
mod data;
mod sections;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use crate::report::canvas::font;
use crate::report::chart::{AnyChart, Chart};
use crate::report::content::{ChartPart, Report};
use crate::report::notes::DESCRIPTION;
use crate::report::tables::{DIFFERENCES_TABLE, POINTS_TABLE, STEPS_TABLE};
pub use data::PageData;
use sections::{figure, key_figures, reading, statements, table_markup};

/// What the page may load and reach: nothing but itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'";

/// The scripts that a page may run: its own.
const SCRIPTS: &str = "script-src 'unsafe-inline'";

/// Drawings of runs that stand open where there is no script: those of two alternatives.
const UNFOLDED: usize = 4;

/// The report as one HTML document; every text in it is escaped. `drawings` are the SVG documents of its charts, in their
/// order, which are put in as they are.
pub fn html(report: &Report<'_>, drawings: &[String]) -> String {
    let data = PageData::of(report).json();
    let fonts = (!drawings.is_empty()).then(font::face_rule);
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            (head(&report.head.title, &format!("{POLICY}; {SCRIPTS}"), fonts))
            body {
                main { (content(report, drawings)) }
                script type="application/json" id="kneepoint-data" { (PreEscaped(data)) }
                script { (PreEscaped(assets::script())) }
            }
        }
    };
    page.into_string()
}

/// The live page: the same style and script, and in place of a report the scenarios that are open, as JSON.
pub fn live(title: &str, scenarios: &str) -> String {
    // The page asks the server that it came from, and nobody else.
    let policy = format!("{POLICY}; connect-src 'self'; {SCRIPTS}");
    let without = "The live page needs a script; the commands run and sweep do not.";
    alive((title, &policy), (scenarios, None), without)
}

/// The playground: the live page without a server. `module` is the address of the engine as WebAssembly, which the page loads;
/// a worker of its own runs it.
pub fn playground(scenarios: &str, module: &str) -> String {
    let policy =
        format!("{POLICY}; connect-src 'self'; worker-src blob:; {SCRIPTS} 'wasm-unsafe-eval' blob:");
    let without = "The playground simulates in the page itself, and so needs a script.";
    alive(("Kneepoint playground", &policy), (scenarios, Some(module)), without)
}

/// A page that simulates: its title and policy, the scenarios that are open with the address of the engine where no server has it,
/// and what it says where there is no script.
fn alive((title, policy): (&str, &str), (scenarios, module): (&str, Option<&str>), without: &str) -> String {
    let page = markup! {
        (DOCTYPE)
        html lang="en" class="live" {
            (head(title, policy, None))
            body {
                div id="kneepoint-live" data-module=[module] {}
                noscript { p { (without) } }
                script type="application/json" id="kneepoint-scenarios" { (PreEscaped(data::within_element(scenarios))) }
                script { (PreEscaped(assets::script())) }
            }
        }
    };
    page.into_string()
}

/// What every page begins with; `fonts` are the rules of the fonts that its drawings need.
fn head(title: &str, policy: &str, fonts: Option<&str>) -> Markup {
    markup! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy" content=(policy);
            title { (title) }
            style { (PreEscaped(assets::STYLE)) }
            @if let Some(fonts) = fonts { style { (PreEscaped(fonts)) } }
        }
    }
}

/// The parts of the page in their order: the answer, the trade, what was read, why, tables, the runs over time, notes.
fn content(report: &Report<'_>, drawings: &[String]) -> Markup {
    let charts: Vec<(&ChartPart, &str)> =
        report.charts.iter().zip(drawings.iter().map(String::as_str)).collect();
    let (of_runs, of_points): (Vec<_>, Vec<_>) = charts.into_iter().partition(|(chart, _)| chart.is_of_a_run);
    // The script draws the points itself where there are several, and runs where it has their windows.
    let (maps, of_points): (Vec<_>, Vec<_>) =
        of_points.into_iter().partition(|(chart, _)| matches!(chart.chart, AnyChart::HeatMap(_)));
    let description = report.notes.iter().find(|note| note.id == DESCRIPTION);
    let notes = report.notes.iter().filter(|note| note.id != DESCRIPTION);
    // Step by step, a run is read on the terminal: here the timeline shows it. What the contenders are comes before what sets each
    // two apart, which is long.
    let shown = report.tables.iter().filter(|table| table.id != STEPS_TABLE);
    let (apart, tables): (Vec<_>, Vec<_>) = shown.partition(|table| table.id == DIFFERENCES_TABLE);
    markup! {
        header {
            h1 { (report.head.title) }
            @if let Some(description) = description { p.note { (description.text) } }
            // What, with which inputs, by which version and command; when is told by the file's own date.
            p.note.origin { (report.origin) span data-mount="when" hidden {} }
        }
        section.card.wide-card.answer-card aria-label="Answer" {
            @if !report.warnings.is_empty() { div.warnings { (statements(&report.warnings)) } }
            // A recommendation says itself what of it holds.
            @if !report.head.complete && report.head.command != "recommend" { div.warnings { p { "The work was stopped: this is what had finished by then." } } }
            div class="answer" { (statements(&report.answer)) }
            div.moved data-mount="moved" hidden {}
            (key_figures(report))
        }
        @if !of_points.is_empty() {
            section.card.trade aria-label="Cost and latency" {
                h2 { "Cost and latency" }
                div.tools data-mount="controls" hidden {}
                div.chart data-mount="frontier" hidden {}
                @for (chart, drawing) in &of_points {
                    (figure(chart, drawing, true))
                }
            }
        }
        section.card.selected data-mount="detail" hidden aria-label="Selected setting" {}
        @if !report.reading.is_empty() {
            section.card.wide-card { h2 { "What was read" } (reading(&report.reading)) }
        }
        @if !report.details.is_empty() {
            section.card.wide-card { h2 { "In detail" } (statements(&report.details)) }
        }
        @for table in tables.into_iter().chain(apart) {
            section.card.wide-card {
                h2.static[table.id == POINTS_TABLE] {
                    (table.title) @if let Some(subject) = &table.subject { ": " (subject) }
                }
                @if table.id == POINTS_TABLE { div data-mount="points" hidden {} }
                (table_markup(table, table.id == POINTS_TABLE))
            }
        }
        @for (chart, drawing) in &maps {
            section.card.wide-card { (figure(chart, drawing, false)) }
        }
        section.card.wide-card data-mount="timeline" hidden aria-label="Over time" {}
        (drawings_of_runs(&of_runs, !report.looks.is_empty()))
        section.card.wide-card {
            h2 { "Notes" }
            ul { @for note in notes { li { (note.text) } } }
        }
    }
}

/// The drawings of single runs; `replaced` where the script draws them anew. Of many alternatives each is a line that opens:
/// the page stays as long as its tables.
fn drawings_of_runs(drawings: &[(&ChartPart, &str)], replaced: bool) -> Markup {
    let folded = drawings.len() > UNFOLDED;
    markup! {
        @for (chart, drawing) in drawings {
            section.card.wide-card.static[replaced] {
                @if folded { details { summary { (chart.chart.title()) } (figure(chart, drawing, false)) } }
                @else { (figure(chart, drawing, false)) }
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

    fn page_of(name: &str) -> String {
        report(name, |report| {
            let drawings: Vec<String> =
                report.charts.iter().map(|chart| svg::draw(&chart.chart, chart.size).unwrap()).collect();
            html(report, &drawings)
        })
    }

    #[test]
    fn a_name_that_is_markup_stays_text() {
        let page = page_of(EVIL);
        // The data and the script, and none besides.
        assert_eq!(page.matches("<script").count(), 2);
        assert_eq!(page.matches("</script").count(), 2);
        // Title twice, answer, caption, table title, column, cell, note, origin; the chart's own twice in its head.
        assert!(page.matches("&lt;script&gt;").count() >= 11, "{page}");
        assert!(page.contains("&amp;amp;"));
        assert!(page.contains("\\u003cscript>alert('x')\\u003c/script>"), "in the data");
    }

    #[test]
    fn the_data_of_the_page_read_back_as_what_was_said() {
        let page = page_of("</script><!--\u{2028}");
        let (_, rest) = page.split_once("id=\"kneepoint-data\">").unwrap();
        let json: serde_json::Value = serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap();
        assert_eq!(json["title"], "</script><!--\u{2028}");
        assert_eq!(json["command"], "run");
    }

    #[test]
    fn the_file_stands_alone() {
        let page = page_of(EVIL).replace("http://www.w3.org/2000/svg", "").replace("url(data:", "");
        for outside in ["http:", "https:", " src=", "@import", "url(", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn the_drawings_of_many_alternatives_are_folded() {
        report("day", |report| {
            for (drawings, folded) in [(2, 0), (4, 0), (32, 32)] {
                let all = vec![(&report.charts[0], "<svg></svg>"); drawings];
                let page = drawings_of_runs(&all, true).into_string();
                assert_eq!(page.matches("<details><summary>day</summary>").count(), folded);
                assert_eq!(page.matches("<svg>").count(), drawings);
            }
        });
    }

    #[test]
    fn columns_of_numbers_go_right_and_the_knee_stands_out() {
        let page = page_of("day");
        assert!(page.contains("<td class=\"number\">12.5</td>") && page.contains("<td>b</td>"));
        assert_eq!(page.matches("<tr class=\"marked\">").count(), 1);
    }
}
