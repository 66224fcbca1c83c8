//! Parts of the page as markup: statements, key figures, drawings, tables.

use maud::{Markup, PreEscaped, html as markup};

use super::data;
use crate::experiment::{COST, FIGURES, Figures, SLO_ATTAINMENT, SLO_LATENCY, SloVerdict, Unit};
use crate::report::chart::{AnyChart, Chart};
use crate::report::content::{ChartPart, Report};
use crate::report::format;
use crate::report::results::Results;
use crate::report::statement::Statement;
use crate::report::table::Table;
use crate::report::{chart, sentences};
use crate::scenario::Scenario;

/// Statements, a paragraph each.
pub fn statements(all: &[Statement]) -> Markup {
    markup! { @for statement in all { p { (prose(&statement.text)) } } }
}

/// A text, with what it has between backticks as code.
fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return markup! { (text) };
    }
    markup! { @for (at, part) in parts.iter().enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// What was read: each topic beside what was understood of it.
pub fn reading(all: &[Statement]) -> Markup {
    markup! {
        dl {
            @for statement in all {
                @match statement.text.split_once(": ") {
                    Some((topic, rest)) => { div { dt { (topic) } dd { (prose(rest)) } } }
                    None => { div { dt {} dd { (prose(&statement.text)) } } }
                }
            }
        }
    }
}

/// The figures of the setting that the answer is about, large: cost, latency with what is left of the promise, requests
/// within it. Nothing where there are several alternatives and none is chosen.
pub fn key_figures(report: &Report<'_>) -> Markup {
    let Some((scenario, figures, of)) = chosen(&report.results) else { return markup! {} };
    let currency = &scenario.model.cost.currency;
    let told = [(COST, chart::cost_axis(scenario)), (SLO_LATENCY, latency(scenario, figures))]
        .into_iter()
        .chain(scenario.model.slo.map(|_| (SLO_ATTAINMENT, "of requests within the SLO".to_owned())));
    let figure = |name: &str, label: String| {
        let estimate = figures.get(name);
        let unit =
            FIGURES.iter().find(|figure| figure.name == name).map_or(Unit::Count, |figure| figure.unit);
        let text = format::estimate(&estimate, unit, currency);
        // The interval in small below the value.
        let (value, range) = match text.split_once(" (") {
            Some((value, range)) => (value.to_owned(), Some(range.trim_end_matches(')').to_owned())),
            None => (text, None),
        };
        estimate.mean.map(|_| {
            markup! {
                div.kpi {
                    div.value { (value) }
                    div.label { (label) @if let Some(range) = range { br; (range) } }
                }
            }
        })
    };
    markup! {
        div.kpis { @for (name, label) in told { @if let Some(each) = figure(name, label) { (each) } } }
        @if let Some(of) = of { p.note { "These figures: " (of) "." } }
        @if let Some(today) = today(&report.results) { p.note { (today) } }
    }
}

/// What the scenario costs and does as it is written, where the sweep has it and would choose another setting.
fn today(results: &Results<'_>) -> Option<String> {
    let Results::Sweep(scenario, result) = *results else { return None };
    let at = data::as_written(scenario, result).filter(|at| Some(*at) != result.pick())?;
    let point = &result.points[at];
    let told = [(COST, Unit::Currency, ""), (SLO_LATENCY, Unit::Seconds, &*sentences::percentile(scenario))];
    let figure = |(name, unit, label): (&str, Unit, &str)| {
        let estimate = point.figures.get(name);
        let text = format::estimate(&estimate, unit, &scenario.model.cost.currency);
        estimate.mean.map(|_| if label.is_empty() { text } else { format!("{label} {text}") })
    };
    let figures: Vec<String> = told.into_iter().filter_map(figure).collect();
    let verdict = match point.meets_slo? {
        SloVerdict::Yes | SloVerdict::SoFar => "it keeps the SLO",
        SloVerdict::No => "it misses the SLO",
        SloVerdict::Uncertain => "it is uncertain whether it keeps the SLO",
    };
    let name = sentences::settings(&point.point);
    Some(format!("As the scenario is written ({name}): {}; {verdict}.", figures.join(", ")))
}

/// The setting that the answer is about, and what it is called where that has to be said.
fn chosen<'a>(results: &Results<'a>) -> Option<(&'a Scenario, &'a Figures, Option<String>)> {
    match *results {
        Results::Run(scenario, result) => match &result.alternatives[..] {
            [only] => Some((scenario, &only.figures, None)),
            _ => None,
        },
        Results::Sweep(scenario, result) => {
            let index = result.pick()?;
            let point = &result.points[index];
            let confirmed = result.confirmed.as_ref().map(|confirmed| &confirmed.figures);
            let figures = confirmed.unwrap_or(&point.figures);
            Some((scenario, figures, Some(sentences::settings(&point.point))))
        }
        Results::Recommend(scenario, result) => {
            let (chosen, name) = match (&result.recommended, &result.estimated) {
                (Some(chosen), _) => (chosen, "the settings recommended"),
                (None, estimated) => (estimated.as_ref()?, "the settings estimated, not verified"),
            };
            let figures = &chosen.by_condition.first()?.figures;
            Some((scenario, figures, Some(name.to_owned())))
        }
        Results::Compare(..) | Results::Explain(..) | Results::Backtest(..) => None,
    }
}

/// What the latency figure is called, with the share of the promise that it leaves or exceeds.
fn latency(scenario: &Scenario, figures: &Figures) -> String {
    let name = sentences::percentile(scenario);
    let promised = chart::leading_slo(scenario).map(|slo| slo.seconds);
    match (promised, figures.get(SLO_LATENCY).mean) {
        (Some(promised), Some(mean)) if promised > 0.0 => {
            let percent = (mean / promised * 100.0).round();
            format!("{name}: {percent} % of the {} promised", format::seconds(promised))
        }
        _ => name,
    }
}

/// A drawing with its caption; one that the script draws anew stays for print.
pub fn figure(chart: &ChartPart, drawing: &str, replaced: bool) -> Markup {
    markup! {
        figure.static[replaced].paper[matches!(chart.chart, AnyChart::HeatMap(_))] {
            // Where it is wider than the page it is scrolled, which takes the focus of the keyboard.
            div tabindex="0" role="region" aria-label=(chart.chart.title()) { (PreEscaped(drawing)) }
            @if !chart.caption.is_empty() { figcaption { (chart.caption) } }
        }
    }
}

/// A table; one that the script shows in full stays for print.
pub fn table_markup(table: &Table, replaced: bool) -> Markup {
    let numeric: Vec<bool> = (0..table.columns.len()).map(|column| table.is_numeric(column)).collect();
    let class = |column: usize| numeric.get(column).copied().unwrap_or(false).then_some("number");
    markup! {
        div.wide.static[replaced] tabindex="0" role="region" aria-label=(table.title) {
            table {
                thead {
                    tr {
                        @for (i, column) in table.columns.iter().enumerate() {
                            th scope="col" class=[class(i)] { (breakable(&column.title)) }
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

/// A dotted path that may break after its dots, and nowhere within its words.
fn breakable(title: &str) -> Markup {
    let mut parts = title.split_inclusive('.');
    markup! {
        @if let Some(first) = parts.next() { (first) }
        @for part in parts { wbr; (part) }
    }
}
