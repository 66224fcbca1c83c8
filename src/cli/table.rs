//! Tables on the terminal.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use super::format;
use crate::experiment::{COST, FIGURES, Figures, PointResult, RunResult, SLO_LATENCY, SweepResult, Unit};
use crate::scenario::Scenario;

/// Points of a sweep up to which all of them are shown, else those of the frontier.
const MOST_ROWS: usize = 20;

/// A rule under the header and two spaces between columns: all that aligned numbers need.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Figures without which a run is reported just as well when they are zero.
const QUIET_WHEN_ZERO: [&str; 7] =
    ["rejected", "timed_out", "failed", "in_flight_at_end", "mean_draining", "flaps", "below_slo_s"];

/// `text` in bold, where the terminal can.
pub(super) fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

/// Rows under a header; numbers to the right, the columns in `words` to the left.
pub(super) fn plain(header: &[&str], rows: Vec<Vec<String>>, words: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).add_rows(rows);
    if header.iter().any(|name| !name.is_empty()) {
        table.set_header(header.iter().copied());
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 0 } else { 1 }, 1));
        column.set_cell_alignment(if words.contains(&index) {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        });
    }
    table.trim_fmt()
}

/// The figures of a run, the alternatives side by side.
pub(super) fn run(scenario: &Scenario, result: &RunResult) -> String {
    let currency = &scenario.model.cost.currency;
    let mut header = vec![""];
    let base = if result.alternatives.len() > 1 { "as it stands" } else { "" };
    header.extend(result.alternatives.iter().map(|each| each.variant.as_deref().unwrap_or(base)));
    let told = |figures: &Figures, name: &str| {
        let mean = figures.get(name).mean;
        mean.is_some() && !(mean == Some(0.0) && QUIET_WHEN_ZERO.contains(&name))
    };
    let rows = FIGURES
        .iter()
        .filter(|figure| result.alternatives.iter().any(|each| told(&each.figures, figure.name)))
        .map(|figure| {
            let cell = |figures: &Figures| format::estimate(&figures.get(figure.name), figure.unit, currency);
            let cells = result.alternatives.iter().map(|each| cell(&each.figures));
            std::iter::once(figure.name.to_owned()).chain(cells).collect()
        })
        .collect();
    plain(&header, rows, &[0])
}

/// The points of a sweep: all if they are few, else the frontier.
pub(super) fn sweep(scenario: &Scenario, result: &SweepResult) -> String {
    let all = result.points.len() <= MOST_ROWS;
    let shown: Vec<&PointResult> = if all { result.points.iter().collect() } else { around_the_knee(result) };
    let variants = result.points.iter().any(|point| point.point.variant.is_some());
    let percentile = percentile(scenario);
    let mut header: Vec<&str> = Vec::new();
    header.extend(variants.then_some("variant"));
    let paths = result.paths();
    header.extend(paths.iter().map(String::as_str));
    header.extend(["cost", &percentile, "within SLO", "utilization", "instances", ""]);
    let rows = shown.iter().map(|point| row(scenario, result, point, &paths, variants)).collect();
    let mut words = vec![header.len() - 1];
    words.extend(variants.then_some(0));
    let table = plain(&header, rows, &words);
    match result.points.len() - shown.len() {
        0 => table,
        more => format!("{table}\n… and {} in sweep.csv", format::counted(more, "more point")),
    }
}

fn row(
    scenario: &Scenario,
    result: &SweepResult,
    point: &PointResult,
    paths: &[String],
    variants: bool,
) -> Vec<String> {
    let currency = &scenario.model.cost.currency;
    let mut row = Vec::new();
    row.extend(variants.then(|| point.point.variant.clone().unwrap_or_default()));
    row.extend(paths.iter().map(|path| point.setting(path)));
    for (name, unit) in [
        (COST, Unit::Currency),
        (SLO_LATENCY, Unit::Seconds),
        ("slo_attainment", Unit::Share),
        ("utilization", Unit::Share),
        ("mean_ready", Unit::Instances),
    ] {
        row.push(format::estimate(&point.figures.get(name), unit, currency));
    }
    row.push(marks(result, point));
    row
}

/// What there is to say of a point: `frontier, knee`.
fn marks(result: &SweepResult, point: &PointResult) -> String {
    let is = |index: Option<usize>| index.is_some_and(|index| result.points[index].number == point.number);
    let mut marks = Vec::new();
    match (point.frontier.on, point.frontier.uncertain) {
        (true, Some(true)) => marks.push("frontier?"),
        (true, _) => marks.push("frontier"),
        _ => {}
    }
    marks.extend(is(result.knee).then_some("knee"));
    marks.extend(is(result.cheapest_within_slo).then_some("cheapest within SLO"));
    marks.extend((point.meets_slo == Some(false)).then_some("misses SLO"));
    marks.join(", ")
}

/// The points of the frontier, cheapest first; of a long one, those nearest to the knee and the cheapest within the SLO.
fn around_the_knee(result: &SweepResult) -> Vec<&PointResult> {
    let frontier: Vec<&PointResult> = result.frontier().collect();
    let centres: Vec<usize> = [result.knee, result.cheapest_within_slo]
        .into_iter()
        .flatten()
        .filter_map(|index| frontier.iter().position(|point| point.number == result.points[index].number))
        .collect();
    let away = |rank: usize| centres.iter().map(|centre| centre.abs_diff(rank)).min().unwrap_or(rank);
    let mut ranks: Vec<usize> = (0..frontier.len()).collect();
    ranks.sort_by_key(|rank| (away(*rank), *rank));
    ranks.truncate(MOST_ROWS);
    ranks.sort_unstable();
    ranks.into_iter().map(|rank| frontier[rank]).collect()
}

/// What the SLO's latency figure is called: `p99`, `p99.5`.
pub(super) fn percentile(scenario: &Scenario) -> String {
    format!("p{}", scenario.model.slo.map_or(99.0, |slo| slo.percentile))
}
