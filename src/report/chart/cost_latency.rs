//! Cost versus latency: every point of a sweep, the frontier, the knee, the SLO.

use std::collections::BTreeSet;

use plotters::style::Color;
use serde::Serialize;

use super::axis::Axis;
use super::label::{Placer, between, setting_lines};
use super::legend::{Entry, Legend};
use super::marker::{Marker, Shape};
use super::number::{latency, short};
use super::of_scenario::{cost_axis, estimate, latency_axis, leading_slo};
use super::palette::{BLUE, FAINT, ORANGE, SERIES, SOFT_INK, VERMILLION};
use super::panel::{MARGIN, Panel, along_bars, headline, nothing};
use super::sheet::{Area, Drawn, Pen, Point, Sheet, Target};
use super::{Chart, Estimate, InReport, Of, Size, Slo};
use crate::experiment::{COST, PointResult, SLO_LATENCY, SweepResult};
use crate::recommend::Recommendation;
use crate::report::format::counted;
use crate::report::results::Results;
use crate::report::sentences;
use crate::scenario::Scenario;
use crate::sorting::Sorting as _;
use crate::stats;

/// The chart the tool is for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostLatency {
    /// The headline.
    pub title: String,
    /// What the horizontal axis shows, with its unit: "Cost, USD/h".
    pub cost: String,
    /// What the vertical axis shows, without a unit: "p99 latency".
    pub latency: String,
    /// The latency promised, drawn across.
    pub slo: Option<Slo>,
    /// Names of the variants and conditions that the points are of; empty where all are of one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<String>,
    /// The points, in any order.
    pub points: Vec<SweptPoint>,
}

/// One setting of the swept parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweptPoint {
    /// The settings as the label of the knee shows them: "up = 80, down = 30".
    pub settings: String,
    /// In the unit of the axis.
    pub cost: Estimate,
    /// In seconds.
    pub latency: Estimate,
    /// Whether it meets the SLO.
    pub meets_slo: bool,
    /// Which of the series it is of; of no meaning where there are none.
    pub series: usize,
    /// Whether it is on the frontier.
    pub frontier: bool,
    /// Whether noise could have put it on the other side: on the frontier or off it.
    pub uncertain: bool,
    /// Whether it is the knee; the first such point is labelled.
    pub knee: bool,
    /// What it is called, if it is one that a reader looks for: "today".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl SweptPoint {
    fn drawable(&self) -> bool {
        self.cost.mean.is_finite() && self.latency.mean.is_finite()
    }

    /// Its mark among so many others of its kind: smaller and fainter in a crowd.
    fn marker(&self, others: usize) -> Marker {
        let shape = if self.meets_slo { Shape::Disc } else { Shape::Cross };
        let marker = if self.frontier {
            let color = if self.meets_slo { BLUE } else { VERMILLION };
            let reach = if self.meets_slo { 6.0 } else { 7.0 };
            if others > CROWD {
                Marker::new(shape, reach / 2.0, color)
            } else {
                Marker::new(shape, reach, color).rimmed()
            }
        } else {
            let (reach, alpha) = if others > 10 * CROWD { (2.6, 0.4) } else { (4.0, 0.55) };
            let (reach, alpha) = if self.meets_slo { (reach, alpha) } else { (reach + 1.0, alpha + 0.15) };
            Marker::new(shape, reach, FAINT.mix(alpha))
        };
        marker.ringed(self.uncertain)
    }
}

/// The mark of a setting that has a cost and no latency, at the upper edge of the plot.
const BEYOND: (Shape, f64) = (Shape::Up, 6.5);

/// So many points of the frontier do not all stand apart; ten times as many others do not either.
const CROWD: usize = 60;

/// The width of a label that names settings, in pixels.
const LABEL: f64 = 340.0;

impl Chart for CostLatency {
    fn title(&self) -> &str {
        &self.title
    }

    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        let top = headline(sheet, &self.title)?;
        let whole = sheet.whole();
        // What the legend says of the promise depends on the axis, and the room of the axis on the legend.
        let rough =
            self.panel(Area { left: MARGIN - 8.0, top, right: whole.right, bottom: whole.bottom - 60.0 });
        let legend = Legend::new(self.legend(&rough.y), whole.width() - 2.0 * MARGIN);
        let bottom = whole.bottom - 14.0 - legend.height();
        legend.draw(sheet, (MARGIN, bottom))?;
        let panel = self.panel(Area { left: MARGIN - 8.0, top, right: whole.right, bottom: bottom - 6.0 });
        panel.draw(sheet)?;
        if self.drawn().chain(self.beyond()).next().is_none() {
            return nothing(sheet, panel.area, "No point has a cost");
        }
        self.draw_beyond(sheet, &panel)?;
        self.draw_slo(sheet, &panel)?;
        match self.series.len() {
            0 | 1 => {
                self.draw_others(sheet, &panel)?;
                self.draw_frontier(sheet, &panel)?;
            }
            many => (0..many).try_for_each(|series| self.draw_series(sheet, &panel, series))?,
        }
        self.draw_knee(sheet, &panel)?;
        self.draw_named(sheet, &panel)
    }
}

/// Dashes of the frontiers of series, so that colour alone does not tell them apart.
const DASHES: [Option<(f64, f64)>; 4] = [None, Some((9.0, 4.0)), Some((3.0, 3.0)), Some((14.0, 4.0))];

/// How the frontier of a series is drawn.
fn series_pen(series: usize) -> Pen {
    let color = SERIES[series % SERIES.len()];
    Pen { color: color.to_rgba(), width: 2.2, dash: DASHES[series / SERIES.len() % DASHES.len()] }
}

/// The mark of a setting of a series that meets the SLO: six shapes, since the cross is that of those that miss it.
fn series_marker(series: usize, reach: f64) -> Marker {
    const SHAPES: [Shape; 6] =
        [Shape::Disc, Shape::Square, Shape::Up, Shape::Diamond, Shape::Down, Shape::Plus];
    Marker::new(SHAPES[series % SHAPES.len()], reach, SERIES[series % SERIES.len()])
}

impl CostLatency {
    fn drawn(&self) -> impl Iterator<Item = &SweptPoint> {
        self.points.iter().filter(|p| p.drawable())
    }

    /// The points with a cost that lose too many requests to have a latency: above everything.
    fn beyond(&self) -> impl Iterator<Item = &SweptPoint> {
        self.points.iter().filter(|p| p.cost.mean.is_finite() && !p.latency.mean.is_finite())
    }

    /// The points of the frontier by rising cost.
    fn frontier(&self) -> Vec<&SweptPoint> {
        let mut frontier: Vec<&SweptPoint> = self.drawn().filter(|p| p.frontier).collect();
        frontier.sort_once_by(|a, b| {
            a.cost.mean.total_cmp(&b.cost.mean).then(b.latency.mean.total_cmp(&a.latency.mean))
        });
        frontier
    }

    fn panel(&self, outer: Area) -> Panel {
        let shown = |p: &&SweptPoint| p.frontier || p.knee;
        let costs = self.drawn().map(|p| p.cost.mean);
        let costs = costs.chain(self.drawn().filter(shown).flat_map(|p| p.cost.extent()));
        let costs = costs.chain(self.beyond().map(|p| p.cost.mean));
        let latencies = self.drawn().map(|p| p.latency.mean);
        let latencies = latencies.chain(self.drawn().filter(shown).flat_map(|p| p.latency.extent()));
        let x = Axis::linear(&self.cost, costs, (outer.width() / 110.0) as usize);
        let limit = self.slo.as_ref().map(|slo| slo.seconds);
        let y = Axis::latency_with(&self.latency, latencies, limit, (outer.height() / 70.0) as usize);
        Panel::new(outer, x, y)
    }

    /// What the series are drawn as, each with its frontier.
    fn legend_of_series(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self
            .series
            .iter()
            .enumerate()
            .map(|(i, name)| Entry::both(name.as_str(), series_pen(i), series_marker(i, 6.0)))
            .collect();
        if self.drawn().any(|point| point.knee) {
            let marker = Marker::new(Shape::Diamond, 8.5, ORANGE);
            entries.push(Entry::marker("Knee of all", marker));
        }
        if self.drawn().any(|point| !point.meets_slo) {
            entries.push(Entry::marker("Misses the SLO", Marker::new(Shape::Cross, 6.0, SOFT_INK)));
        }
        entries
    }

    fn legend(&self, y: &Axis) -> Vec<Entry> {
        let mut entries = match self.series.len() {
            0 | 1 => self.legend_of_one(),
            _ => self.legend_of_series(),
        };
        if self.beyond().next().is_some() {
            let marker = Marker::new(BEYOND.0, BEYOND.1, VERMILLION);
            let label = format!("At the top: no {}, too many requests lost", self.latency);
            entries.push(Entry::marker(label, marker));
        }
        if self.drawn().any(|point| point.uncertain) {
            let marker = Marker::new(Shape::Disc, 3.5, SOFT_INK).ringed(true);
            entries.push(Entry::marker("Ring: on or off the frontier within noise", marker));
        }
        entries.extend(self.slo.as_ref().map(|slo| Entry::line(slo.label_on(y), slo_pen())));
        entries
    }

    fn legend_of_one(&self) -> Vec<Entry> {
        let any = |test: fn(&SweptPoint) -> bool| self.drawn().any(test);
        let mut entries = Vec::new();
        if any(|p| p.frontier) {
            let marker = Marker::new(Shape::Disc, 6.0, BLUE).rimmed();
            let bars = self.drawn().any(|p| p.frontier && p.cost.interval.or(p.latency.interval).is_some());
            let label = if bars { "Frontier, with 95 % intervals" } else { "Frontier" };
            entries.push(Entry::both(label, Pen::solid(BLUE, 2.4), marker));
        }
        if any(|p| p.knee) {
            entries.push(Entry::marker("Knee", Marker::new(Shape::Diamond, 8.5, ORANGE)));
        }
        if any(|p| p.frontier && !p.meets_slo) {
            entries
                .push(Entry::marker("Frontier, misses the SLO", Marker::new(Shape::Cross, 7.0, VERMILLION)));
        }
        if any(|p| !p.frontier && p.meets_slo) {
            let label = if self.slo.is_some() { "Other settings, SLO met" } else { "Other settings" };
            entries.push(Entry::marker(label, Marker::new(Shape::Disc, 4.0, FAINT.mix(0.7))));
        }
        if any(|p| !p.frontier && !p.meets_slo) {
            let marker = Marker::new(Shape::Cross, 5.0, FAINT.mix(0.85));
            entries.push(Entry::marker("Other settings, SLO missed", marker));
        }
        entries
    }

    /// Draws the SLO and shades what is above it. The legend names it: a label in the plot would stand on points.
    fn draw_slo<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        let Some(slo) = self.slo.as_ref() else { return Ok(()) };
        let Area { left, top, right, .. } = panel.area;
        let y = panel.at(0.0, slo.seconds).1;
        sheet.fill(Area { left, top, right, bottom: y }, VERMILLION.mix(0.05))?;
        if panel.y.holds(slo.seconds) {
            return sheet.line(&[(left, y), (right, y)], slo_pen());
        }
        // Beyond the axis: an arrow at the edge points to it.
        let shape = if y <= top { Shape::Up } else { Shape::Down };
        Marker::new(shape, 7.0, VERMILLION)
            .rimmed()
            .draw(sheet, (right - 9.0, y.clamp(top + 10.0, panel.area.bottom - 10.0)))
    }

    fn draw_beyond<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        let mut seen = BTreeSet::new();
        for point in self.beyond() {
            let at = (panel.at(point.cost.mean, 0.0).0, panel.area.top + BEYOND.1 + 1.0);
            if seen.insert(at.0 as i32) {
                Marker::new(BEYOND.0, BEYOND.1, VERMILLION).rimmed().draw(sheet, at)?;
            }
        }
        Ok(())
    }

    fn draw_others<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        let crowd = self.points.len();
        let grain = if crowd > 10 * CROWD { 3.0 } else { 1.0 };
        let mut seen = BTreeSet::new();
        for point in self.drawn().filter(|p| !p.frontier && !p.knee) {
            let at = panel.at(point.cost.mean, point.latency.mean);
            // Of thousands of points many fall on the same spot: one mark each keeps the file small.
            let spot = ((at.0 / grain) as i32, (at.1 / grain) as i32);
            if seen.insert((spot, point.meets_slo, point.uncertain)) {
                point.marker(crowd).draw(sheet, at)?;
            }
        }
        Ok(())
    }

    fn draw_frontier<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        let frontier = self.frontier();
        let line: Vec<Point> = frontier.iter().map(|p| panel.at(p.cost.mean, p.latency.mean)).collect();
        sheet.line(&line, Pen::solid(BLUE, 2.4))?;
        // In a crowd some bars show the width of all.
        for point in frontier.iter().step_by(frontier.len().div_ceil(CROWD).max(1)) {
            panel.bars(sheet, (point.cost, point.latency), Pen::solid(BLUE.mix(0.8), 1.4))?;
        }
        let markers = frontier.iter().zip(line).filter(|(point, _)| !point.knee);
        for (point, at) in markers {
            point.marker(frontier.len()).draw(sheet, at)?;
        }
        Ok(())
    }

    /// Draws one series: its points, and the line through those of them that no other of them beats.
    fn draw_series<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel, series: usize) -> Drawn {
        let own: Vec<&SweptPoint> = self.drawn().filter(|point| point.series == series).collect();
        let at = |point: &SweptPoint| panel.at(point.cost.mean, point.latency.mean);
        let frontier = own_frontier(&own);
        let pen = series_pen(series);
        let mut seen = BTreeSet::new();
        for point in
            own.iter().filter(|point| !point.knee && !frontier.iter().any(|on| std::ptr::eq(*on, **point)))
        {
            let (reach, grain) = if self.points.len() > 10 * CROWD { (2.6, 3.0) } else { (4.0, 1.0) };
            let (x, y) = at(point);
            if !seen.insert(((x / grain) as i32, (y / grain) as i32, point.meets_slo, point.uncertain)) {
                continue;
            }
            let marker = if point.meets_slo { series_marker(series, reach) } else { crossed(series, reach) };
            Marker { color: marker.color.mix(0.5), ..marker }
                .ringed(point.uncertain)
                .draw(sheet, at(point))?;
        }
        let line: Vec<Point> = frontier.iter().map(|point| at(point)).collect();
        sheet.line(&line, pen)?;
        for point in frontier.iter().step_by(frontier.len().div_ceil(CROWD).max(1)) {
            panel.bars(sheet, (point.cost, point.latency), Pen::solid(pen.color.mix(0.8), 1.4))?;
        }
        for point in frontier.iter().filter(|point| !point.knee) {
            let marker = if point.meets_slo { series_marker(series, 6.0) } else { crossed(series, 7.0) };
            marker.rimmed().ringed(point.uncertain).draw(sheet, at(point))?;
        }
        Ok(())
    }

    /// Draws the points that have a name, each with it.
    fn draw_named<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        let named: Vec<(&SweptPoint, &str)> =
            self.drawn().filter_map(|point| Some((point, point.name.as_deref()?))).collect();
        if named.is_empty() {
            return Ok(());
        }
        let at = |point: &SweptPoint| panel.at(point.cost.mean, point.latency.mean);
        let taken = named.iter().map(|(point, _)| Area::around(at(point), 12.0)).collect();
        let mut placer = Placer::new(panel.area, taken, self.drawn().map(at).collect());
        let unit = self.cost.rsplit_once(", ").map_or("", |(_, unit)| unit);
        for (point, name) in named {
            let color = if point.meets_slo { BLUE } else { VERMILLION };
            Marker::new(Shape::Square, 8.0, color).rimmed().draw(sheet, at(point))?;
            let mut lines = setting_lines(&format!("{name}:"), &point.settings, LABEL);
            lines.push(format!("{} {unit}, {}", short(point.cost.mean), latency(point.latency.mean)));
            placer.add(at(point), lines, 14.0);
        }
        placer.draw(sheet)
    }

    fn draw_knee<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        for point in self.drawn().filter(|p| p.knee) {
            let at = panel.at(point.cost.mean, point.latency.mean);
            Marker::new(Shape::Diamond, 9.0, ORANGE).rimmed().ringed(point.uncertain).draw(sheet, at)?;
            sheet.disc(at, 2.4, SOFT_INK)?;
        }
        let Some(knee) = self.drawn().find(|p| p.knee) else { return Ok(()) };
        let at = panel.at(knee.cost.mean, knee.latency.mean);
        let mut lines = setting_lines("Knee:", &knee.settings, LABEL);
        let unit = self.cost.rsplit_once(", ").map_or("", |(_, unit)| unit);
        lines.push(format!("{} {unit}, {}", short(knee.cost.mean), latency(knee.latency.mean)));
        let mut taken = vec![Area::around(at, 11.0)];
        let mut avoided: Vec<Point> =
            self.drawn().map(|point| panel.at(point.cost.mean, point.latency.mean)).collect();
        for line in self.lines(panel) {
            taken.extend(line.iter().map(|&point| Area::around(point, 11.0)));
            avoided.extend(line.windows(2).flat_map(|ends| between(ends[0], ends[1])));
        }
        if self.beyond().next().is_some() {
            taken.push(Area { bottom: panel.area.top + 2.0 * BEYOND.1 + 4.0, ..panel.area });
        }
        if let Some(slo) = self.slo.as_ref().filter(|slo| panel.y.holds(slo.seconds)) {
            let y = panel.at(0.0, slo.seconds).1;
            taken.push(Area { top: y - 1.0, bottom: y + 1.0, ..panel.area });
        }
        avoided.extend(along_bars(panel, (knee.cost, knee.latency)));
        let mut placer = Placer::new(panel.area, taken, avoided);
        placer.add(at, lines, 14.0);
        placer.draw(sheet)
    }

    /// The frontiers that are drawn, as places on the sheet.
    fn lines(&self, panel: &Panel) -> Vec<Vec<Point>> {
        let places = |points: Vec<&SweptPoint>| -> Vec<Point> {
            points.iter().map(|point| panel.at(point.cost.mean, point.latency.mean)).collect()
        };
        if self.series.len() < 2 {
            return vec![places(self.frontier())];
        }
        let of = |series: usize| self.drawn().filter(|point| point.series == series).collect::<Vec<_>>();
        (0..self.series.len()).map(|series| places(own_frontier(&of(series)))).collect()
    }
}

/// The points of which none of the others is both cheaper and faster on average, cheapest first.
fn own_frontier<'a>(points: &[&'a SweptPoint]) -> Vec<&'a SweptPoint> {
    let mut order = points.to_vec();
    order.sort_once_by(|a, b| {
        a.cost.mean.total_cmp(&b.cost.mean).then(a.latency.mean.total_cmp(&b.latency.mean))
    });
    let mut fastest = f64::INFINITY;
    order.retain(|point| {
        point.latency.mean < fastest && {
            fastest = point.latency.mean;
            true
        }
    });
    order
}

/// The mark of a setting of a series that misses the SLO.
fn crossed(series: usize, reach: f64) -> Marker {
    Marker { shape: Shape::Cross, ..series_marker(series, reach) }
}

fn slo_pen() -> Pen {
    Pen::dashed(VERMILLION, 2.0, 9.0, 5.0)
}

/// Its places in reports: the points of a sweep, and all settings that a recommendation tried.
pub(super) const IN_REPORTS: &[InReport] = &[
    InReport {
        name: "cost_latency",
        caption: sentences::CURVE_CAPTION,
        size: Size::WIDE,
        is_of_a_run: false,
        of: Of::Result(|results| match results {
            Results::Sweep(scenario, result) => Some(swept(scenario, result).into()),
            _ => None,
        }),
    },
    InReport {
        name: "cost_latency",
        caption: sentences::TRIED_CAPTION,
        size: Size::WIDE,
        is_of_a_run: false,
        of: Of::Result(|results| match results {
            Results::Recommend(scenario, result) => Some(tried(scenario, result).into()),
            _ => None,
        }),
    },
];

/// Cost against latency of a sweep, with the frontier and the knee.
fn swept(scenario: &Scenario, result: &SweepResult) -> CostLatency {
    let knee = result.knee.map(|knee| result.of_setting(knee).collect::<Vec<_>>()).unwrap_or_default();
    let names: Vec<String> = result.points.iter().map(series_name).collect();
    let mut series: Vec<String> = Vec::new();
    for name in &names {
        if !series.contains(name) {
            series.push(name.clone());
        }
    }
    let point = |(index, point): (usize, &PointResult)| SweptPoint {
        series: series.iter().position(|name| *name == names[index]).unwrap_or(0),
        settings: sentences::settings_and_condition(&point.point),
        cost: estimate(point.figures.get(COST)),
        latency: estimate(point.figures.get(SLO_LATENCY)),
        meets_slo: point.meets_slo_on_average(),
        frontier: point.frontier.on,
        uncertain: point.frontier.uncertain.unwrap_or(false),
        knee: knee.contains(&index),
        name: None,
    };
    CostLatency {
        title: format!("{}: cost and latency of {}", scenario.name, counted(result.points.len(), "setting")),
        cost: cost_axis(scenario),
        latency: latency_axis(scenario),
        slo: leading_slo(scenario),
        points: result.points.iter().enumerate().map(point).collect(),
        series: if series.len() > 1 { series } else { Vec::new() },
    }
}

/// What tells the points of a frontier of their own: the variant and the condition, which nobody chooses between.
fn series_name(point: &PointResult) -> String {
    let condition = point.point.condition.iter().map(|(path, setting)| format!("{path} = {setting}"));
    let named: Vec<String> = point.point.variant.iter().cloned().chain(condition).collect();
    if named.is_empty() { "base".to_owned() } else { named.join(", ") }
}

/// Cost against latency of all that were tried, today's and the recommended marked.
fn tried(scenario: &Scenario, result: &Recommendation) -> CostLatency {
    let estimate =
        |estimate: &stats::Estimate| Estimate { mean: estimate.mean.unwrap_or(f64::NAN), interval: None };
    let points = result.points.iter().map(|point| SweptPoint {
        settings: point.settings.clone(),
        cost: estimate(&point.cost_per_hour),
        latency: estimate(&point.latency),
        meets_slo: !point.misses_slo,
        series: 0,
        frontier: false,
        uncertain: false,
        knee: false,
        name: point.name.map(str::to_owned),
    });
    CostLatency {
        title: format!("{}: {} tried", scenario.name, counted(result.points.len(), "setting")),
        cost: format!("Cost of an hour, {}", scenario.model.cost.currency),
        latency: latency_axis(scenario),
        slo: leading_slo(scenario),
        series: Vec::new(),
        points: points.collect(),
    }
}
