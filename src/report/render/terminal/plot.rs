//! The frontier as a small drawing of characters: enough to see its bend, and where the settings stand that the answer names.

use crate::report::chart::{AnyChart, CostLatency, SweptPoint};
use crate::report::content::Report;
use crate::report::format;
use crate::sorting::Sorting as _;

/// Rows of the drawing, without its axis.
const ROWS: usize = 11;
/// Columns of the drawing, where there is room.
const MOST_COLUMNS: usize = 64;
/// Room for the labels at the left.
const LEFT: usize = 10;

/// Cost against latency of a sweep in at most `width` columns; nothing for other reports, and for fewer than three points.
pub fn frontier(report: &Report<'_>, width: Option<usize>) -> String {
    let chart = report.charts.iter().find_map(|part| match &part.chart {
        AnyChart::CostLatency(chart) => Some(chart),
        _ => None,
    });
    chart.and_then(|chart| drawn(chart, width.unwrap_or(80))).unwrap_or_default()
}

fn drawn(chart: &CostLatency, width: usize) -> Option<String> {
    let columns = width.saturating_sub(LEFT + 2).min(MOST_COLUMNS);
    let known = |point: &&SweptPoint| point.cost.mean.is_finite() && point.latency.mean.is_finite();
    let points: Vec<&SweptPoint> = chart.points.iter().filter(known).collect();
    if points.len() < 3 || columns < 20 {
        return None;
    }
    let own = |latency: f64| latency.max(1e-9).ln();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let costs = range(&mut points.iter().map(|point| point.cost.mean));
    let latencies = range(&mut points.iter().map(|point| own(point.latency.mean)));
    let place = |value: f64, (low, high): (f64, f64), most: usize| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        (share * (most - 1) as f64).round() as usize
    };
    let mut grid = vec![vec![' '; columns]; ROWS];
    let slo = chart.slo.as_ref().map(|slo| own(slo.seconds));
    let line = slo
        .filter(|slo| (latencies.0..=latencies.1).contains(slo))
        .map(|slo| ROWS - 1 - place(slo, latencies, ROWS));
    if let Some(line) = line {
        grid[line].fill('╌');
    }
    // What matters more is drawn over what matters less.
    let mut marks: Vec<(u8, char, &SweptPoint)> = points.iter().map(|point| mark(point)).collect();
    marks.sort_once_by_key(|(rank, ..)| *rank);
    for (_, sign, point) in marks {
        let row = ROWS - 1 - place(own(point.latency.mean), latencies, ROWS);
        grid[row][place(point.cost.mean, costs, columns)] = sign;
    }
    let label = |row: usize| match row {
        0 => format::seconds(latencies.1.exp()),
        row if row + 1 == ROWS => format::seconds(latencies.0.exp()),
        row if Some(row) == line => "SLO".to_owned(),
        _ => String::new(),
    };
    let mut text = format!("{} (log scale), settings\n", chart.latency);
    for (row, cells) in grid.iter().enumerate() {
        let cells: String = cells.iter().collect();
        text += &format!("{:>width$} │{}\n", label(row), cells.trim_end(), width = LEFT - 2);
    }
    text += &format!("{:>width$} └{}\n", "", "─".repeat(columns), width = LEFT - 2);
    let (from, to) = (format::count(costs.0), format::count(costs.1));
    let middle = columns.saturating_sub(from.len() + to.len());
    let title: String = chart.cost.chars().take(middle.saturating_sub(2)).collect();
    text += &format!("{:>width$}  {from}{title:^middle$}{to}\n", "", width = LEFT - 2);
    Some(text + "◆ knee  ● frontier  o other  x misses the SLO on average\n")
}

/// How much a point matters, and its sign.
fn mark(point: &SweptPoint) -> (u8, char, &SweptPoint) {
    match (point.knee, point.frontier, point.meets_slo) {
        (true, ..) => (3, '◆', point),
        (_, true, true) => (2, '●', point),
        (_, true, false) => (1, 'x', point),
        (_, _, true) => (0, 'o', point),
        (_, _, false) => (0, 'x', point),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::{Estimate, Slo};

    fn chart(points: &[(f64, f64, bool)]) -> CostLatency {
        let point = |(index, (cost, latency, on)): (usize, &(f64, f64, bool))| SweptPoint {
            name: None,
            settings: String::new(),
            cost: Estimate::exactly(*cost),
            latency: Estimate::exactly(*latency),
            meets_slo: *latency < 3.0,
            series: 0,
            frontier: *on,
            uncertain: false,
            knee: index == 1,
        };
        CostLatency {
            title: String::new(),
            cost: "Cost of 24h, USD".into(),
            latency: "p99 latency".into(),
            slo: Some(Slo { label: String::new(), seconds: 3.0 }),
            series: Vec::new(),
            points: points.iter().enumerate().map(point).collect(),
        }
    }

    #[test]
    fn the_bend_of_the_frontier_is_seen() {
        let text = drawn(
            &chart(&[(10.0, 40.0, true), (12.0, 2.0, true), (20.0, 1.0, true), (18.0, 2.5, false)]),
            60,
        )
        .unwrap();
        let expected = "\
p99 latency (log scale), settings
    40 s │x
         │
         │
         │
         │
         │
         │
     SLO │╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
         │         ◆                            o
         │
     1 s │                                               ●
         └────────────────────────────────────────────────
          10              Cost of 24h, USD              20
◆ knee  ● frontier  o other  x misses the SLO on average
";
        assert_eq!(text, expected, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60));
    }

    #[test]
    fn too_little_is_not_drawn() {
        assert_eq!(drawn(&chart(&[(1.0, 1.0, true), (2.0, 0.5, true)]), 80), None);
        assert_eq!(drawn(&chart(&[(1.0, 1.0, true), (2.0, 0.5, true), (3.0, 0.2, true)]), 25), None);
        let same = [(1.0, 1.0, true), (1.0, 1.0, true), (1.0, 1.0, true), (f64::NAN, 1.0, false)];
        assert!(drawn(&chart(&same), 80).is_some());
    }
}
