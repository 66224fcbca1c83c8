//! One figure over two swept parameters, a cell a setting; a map for each variant and value of what else is swept, on one
//! scale of colours.

use std::collections::BTreeMap;

use plotters::style::{Color, RGBColor};
use serde::Serialize;

use super::axis::Axis;
use super::number::{on_axis, short};
use super::of_scenario::cost_axis;
use super::palette::{AXIS, GRID, INK, ORANGE, PAPER, SOFT_INK, cividis, ink_on};
use super::panel::{MARGIN, headline, nothing};
use super::sheet::{Area, Drawn, Height, Pen, Sheet, Side, Target, Type, fit};
use super::{AnyChart, Chart, InReport, Of, Size};
use crate::experiment::{COST, PointResult, SweepResult};
use crate::report::canvas::font;
use crate::report::results::Results;
use crate::scenario::Scenario;
use crate::sorting::Sorting as _;

/// Grids of cells, each coloured by its value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeatMap {
    /// The headline.
    pub title: String,
    /// The parameter across.
    pub x: Parameter,
    /// The parameter upwards.
    pub y: Parameter,
    /// What the colour shows, with its unit: "Cost, USD/h".
    pub value: String,
    /// The maps, that of the setting to choose first.
    pub slices: Vec<Slice>,
    /// Maps that there is no room for.
    pub not_shown: usize,
}

/// One map: what else is swept has one value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slice {
    /// The variant and the values of what else is swept; empty if there is nothing of that.
    pub name: String,
    /// Row by row from the first value of `y` (the lowest row), each from the first value of `x`.
    pub cells: Vec<Cell>,
}

/// One swept parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name with its unit: "Scale up above, requests/s".
    pub name: String,
    /// Its values as they are written below or beside the cells, rising.
    pub values: Vec<String>,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cell {
    /// In the unit of the colour bar; NaN where there is none.
    pub value: f64,
    /// Whether the setting meets the SLO; a cell that does not is hatched.
    pub meets_slo: bool,
    /// Whether it is the knee; outlined.
    pub knee: bool,
}

/// The range of all cells, by which each is coloured and written.
#[derive(Debug, Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn color(self, value: f64) -> RGBColor {
        let Scale { low, high } = self;
        if !value.is_finite() {
            return GRID;
        }
        // Halved before they are subtracted: the widest range of floats has no span.
        cividis(if high > low { (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 })
    }

    /// A value as its cell shows it: all with the same decimals, enough to tell them apart.
    fn written(self, value: f64) -> String {
        let step = (self.high / 100.0 - self.low / 100.0).abs();
        if value.is_finite() && step > 0.0 { on_axis(value, step) } else { short(value) }
    }
}

const TEXT: f64 = 15.0;
const BAR: f64 = 22.0;

/// Room for the name of a map above it, and between maps.
const NAME: f64 = 22.0;
const APART: f64 = 10.0;

impl Chart for HeatMap {
    fn title(&self) -> &str {
        &self.title
    }

    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        let top = headline(sheet, &self.title)? + 4.0;
        let whole = sheet.whole();
        let bar = Axis::linear(self.value.as_str(), self.values(), 8);
        let bar_room = 96.0 + widest(bar.ticks.iter().filter_map(|t| t.label.as_deref()), 90.0);
        let left = MARGIN + 34.0 + widest(self.y.values.iter().map(String::as_str), 170.0);
        let grid = Area { left, top, right: whole.right - MARGIN - bar_room, bottom: whole.bottom - 108.0 };
        if self.x.values.is_empty() || self.y.values.is_empty() || self.values().next().is_none() {
            return nothing(sheet, grid, "No point has a value");
        }
        for (i, slice) in self.slices.iter().enumerate() {
            let place = self.place(grid, i);
            if !slice.name.is_empty() {
                let at = ((place.left + place.right) / 2.0, place.top - NAME / 2.0 - 1.0);
                let name = from_the_left(&slice.name, TEXT, place.width());
                sheet.text(&name, at, Type::sized(TEXT).color(INK).across(Side::Middle))?;
            }
            self.draw_cells(sheet, place, &slice.cells)?;
            self.draw_names(sheet, place, i)?;
        }
        self.draw_titles(sheet, grid)?;
        self.draw_bar(sheet, Area { left: grid.right + 34.0, right: grid.right + 34.0 + BAR, ..grid }, &bar)?;
        self.draw_notes(sheet, (left, whole.bottom - 26.0))
    }
}

impl HeatMap {
    fn values(&self) -> impl Iterator<Item = f64> {
        self.cells().map(|c| c.value).filter(|v| v.is_finite())
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.slices.iter().flat_map(|slice| &slice.cells)
    }

    /// Columns and rows of maps.
    fn layout(&self) -> (usize, usize) {
        let count = self.slices.len().max(1);
        let columns = if count == 4 { 2 } else { count.min(3) };
        (columns, count.div_ceil(columns))
    }

    /// Where a map stands among the others.
    fn place(&self, grid: Area, i: usize) -> Area {
        let (columns, rows) = self.layout();
        let (x, y) = ((i % columns) as f64, (i / columns) as f64);
        let named = if self.slices.iter().any(|slice| !slice.name.is_empty()) { NAME } else { 0.0 };
        let (width, height) = (grid.width() / columns as f64, grid.height() / rows as f64);
        Area {
            left: grid.left + x * width,
            right: grid.left + (x + 1.0) * width - if columns > 1 { APART } else { 0.0 },
            top: grid.top + y * height + named,
            bottom: grid.top + (y + 1.0) * height - if y as usize + 1 < rows { APART } else { 0.0 },
        }
    }

    fn scale(&self) -> Scale {
        let range = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let (low, high) = self.values().fold((f64::INFINITY, f64::NEG_INFINITY), range);
        Scale { low, high }
    }

    fn cell_area(&self, grid: Area, i: usize) -> Area {
        let (columns, rows) = (self.x.values.len(), self.y.values.len());
        let (x, y) = ((i % columns) as f64, (i / columns) as f64);
        let (width, height) = (grid.width() / columns as f64, grid.height() / rows as f64);
        // On whole pixels: no seams.
        Area {
            left: (grid.left + x * width).round(),
            right: (grid.left + (x + 1.0) * width).round(),
            top: (grid.bottom - (y + 1.0) * height).round(),
            bottom: (grid.bottom - y * height).round(),
        }
    }

    fn draw_cells<DB: Target>(&self, sheet: &Sheet<'_, DB>, grid: Area, cells: &[Cell]) -> Drawn {
        let all = self.x.values.len() * self.y.values.len();
        let texts = cells;
        let cells = || cells.iter().take(all).enumerate().map(|(i, c)| (self.cell_area(grid, i), c));
        let scale = self.scale();
        let texts = texts.iter().map(|c| font::width(&scale.written(c.value), TEXT)).fold(0.0, f64::max);
        let first = self.cell_area(grid, 0);
        let written = first.width() > texts + 12.0 && first.height() > TEXT + 9.0;
        let seam = if first.width().min(first.height()) > 30.0 { 1.0 } else { 0.0 };
        for (area, cell) in cells() {
            let color = scale.color(cell.value);
            let shown = Area { right: area.right - seam, bottom: area.bottom - seam, ..area };
            sheet.fill(shown, color)?;
            if !cell.meets_slo && cell.value.is_finite() {
                hatch(sheet, shown, Pen::solid(ink_on(color).mix(0.55), 1.2))?;
            }
            if written {
                let at = ((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0);
                let text = scale.written(cell.value);
                if !cell.meets_slo && cell.value.is_finite() {
                    let half = font::width(&text, TEXT) / 2.0 + 4.0;
                    let behind =
                        Area { left: at.0 - half, right: at.0 + half, top: at.1 - 10.5, bottom: at.1 + 10.5 };
                    sheet.fill(behind, color)?;
                }
                sheet.text(&text, at, Type::sized(TEXT).color(ink_on(color)).across(Side::Middle))?;
            }
        }
        for (area, _) in cells().filter(|(_, c)| c.knee) {
            outline_knee(sheet, area)?;
        }
        Ok(())
    }

    /// Draws the values below a map that has none under it, and beside the leftmost.
    fn draw_names<DB: Target>(&self, sheet: &Sheet<'_, DB>, grid: Area, map: usize) -> Drawn {
        let maps_across = self.layout().0;
        let (lowest, leftmost) = (map + maps_across >= self.slices.len(), map.is_multiple_of(maps_across));
        let columns = self.x.values.len();
        let look = Type::sized(TEXT).color(SOFT_INK);
        let names =
            |values: &[String], most: f64| values.iter().map(|v| fit(v, TEXT, most)).collect::<Vec<_>>();
        let most = 150.0_f64.min(grid.width());
        let (across, upwards) = (names(&self.x.values, most), names(&self.y.values, 170.0));
        let first = self.cell_area(grid, 0);
        let wide = widest(across.iter().map(String::as_str), most) + 10.0;
        let mut free = f64::NEG_INFINITY;
        for (i, name) in across.iter().enumerate().step_by(every(wide, first.width())).filter(|_| lowest) {
            let area = self.cell_area(grid, i);
            let middle = (area.left + area.right) / 2.0;
            // Beside another map a name stays below its own.
            let half = font::width(name, TEXT) / 2.0;
            let (from, to) = (grid.left + half, (grid.right - half).max(grid.left + half));
            let middle = if maps_across > 1 { middle.clamp(from, to) } else { middle };
            if middle - half < free {
                continue;
            }
            free = middle + half + 8.0;
            sheet.text(name, (middle, grid.bottom + 8.0), look.across(Side::Middle).along(Height::Top))?;
        }
        for (i, name) in upwards.iter().enumerate().step_by(every(20.0, first.height())).filter(|_| leftmost)
        {
            let area = self.cell_area(grid, i * columns);
            sheet.text(name, (grid.left - 9.0, (area.top + area.bottom) / 2.0), look.across(Side::End))?;
        }
        Ok(())
    }

    fn draw_titles<DB: Target>(&self, sheet: &Sheet<'_, DB>, grid: Area) -> Drawn {
        let look = Type::sized(16.0).color(SOFT_INK).across(Side::Middle);
        let across = fit(&self.x.name, 16.0, grid.width());
        let middle = ((grid.left + grid.right) / 2.0, (grid.top + grid.bottom) / 2.0);
        sheet.text(&across, (middle.0, grid.bottom + 34.0), look.along(Height::Top))?;
        sheet.text(&fit(&self.y.name, 16.0, grid.height()), (MARGIN + 4.0, middle.1), look.upwards())
    }

    fn draw_bar<DB: Target>(&self, sheet: &Sheet<'_, DB>, bar: Area, axis: &Axis) -> Drawn {
        let Scale { low, high } = self.scale();
        let steps = 128;
        for i in 0..steps {
            let bottom = bar.bottom - bar.height() * f64::from(i) / f64::from(steps);
            let top = bar.bottom - bar.height() * f64::from(i + 1) / f64::from(steps);
            let color = if high > low { cividis(f64::from(i) / f64::from(steps - 1)) } else { cividis(0.5) };
            sheet.fill(Area { top: top.floor(), bottom: bottom.ceil(), ..bar }, color)?;
        }
        sheet.outline(bar, Pen::solid(AXIS, 1.0))?;
        let look = Type::sized(TEXT).color(SOFT_INK);
        let (from, to) = (axis.fraction(low), axis.fraction(high));
        for tick in axis.ticks.iter().filter(|t| t.at >= low && t.at <= high) {
            let share = if to > from { (axis.fraction(tick.at) - from) / (to - from) } else { 0.5 };
            let y = bar.bottom - share * bar.height();
            sheet.line(&[(bar.right, y), (bar.right + 5.0, y)], Pen::solid(AXIS, 1.0))?;
            sheet.text(tick.label.as_deref().unwrap_or(""), (bar.right + 9.0, y), look)?;
        }
        if high <= low {
            sheet.text(&short(low), (bar.right + 9.0, (bar.top + bar.bottom) / 2.0), look)?;
        }
        let title = fit(&self.value, 16.0, bar.height());
        let x = sheet.whole().right - MARGIN + 2.0;
        let look = Type::sized(16.0).color(SOFT_INK).across(Side::Middle).upwards();
        sheet.text(&title, (x, (bar.top + bar.bottom) / 2.0), look)
    }

    /// Says what outline and hatching mean, where there are any.
    fn draw_notes<DB: Target>(&self, sheet: &Sheet<'_, DB>, (mut x, y): (f64, f64)) -> Drawn {
        let look = Type::sized(TEXT).color(SOFT_INK);
        let swatch = |x: f64| Area { left: x, right: x + 30.0, top: y - 9.0, bottom: y + 9.0 };
        let mut note = |text: &str| {
            let at = x;
            x += 40.0 + font::width(text, TEXT) + 28.0;
            sheet.text(text, (at + 40.0, y), look).map(|()| swatch(at))
        };
        if self.cells().any(|c| c.knee) {
            outline_knee(sheet, note("Knee")?)?;
        }
        if self.cells().any(|c| !c.meets_slo && c.value.is_finite()) {
            let area = note("Hatched: misses the SLO")?;
            sheet.fill(area, GRID)?;
            hatch(sheet, area, Pen::solid(INK.mix(0.7), 1.2))?;
        }
        if self.cells().any(|c| !c.value.is_finite()) {
            sheet.fill(note("No value")?, GRID)?;
        }
        if self.not_shown > 0 {
            let maps = if self.not_shown == 1 { "map" } else { "maps" };
            sheet.text(
                &format!("{} more {maps} not shown: sweep.csv has all", self.not_shown),
                (x, y),
                look,
            )?;
        }
        Ok(())
    }
}

/// The text cut at its left to a width, with an ellipsis: what differs between maps stands at the end.
fn from_the_left(text: &str, size: f64, width: f64) -> String {
    if font::width(text, size) <= width {
        return text.to_owned();
    }
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).rev().take(200).collect();
    let mut shorter = starts.into_iter().rev().map(|at| format!("…{}", &text[at..]));
    shorter.find(|text| font::width(text, size) <= width).unwrap_or_else(|| fit(text, size, width))
}

/// Every how many cells a name of a length has room.
fn every(length: f64, cell: f64) -> usize {
    (length / cell.max(0.01)).ceil().max(1.0) as usize
}

fn outline_knee<DB: Target>(sheet: &Sheet<'_, DB>, area: Area) -> Drawn {
    let width = if area.width().min(area.height()) < 30.0 { 2.4 } else { 3.4 };
    sheet.outline(area.grown(0.5), Pen::solid(PAPER, width + 2.4))?;
    sheet.outline(area.grown(0.5), Pen::solid(ORANGE, width))
}

/// Lines from lower left to upper right, kept inside the area.
fn hatch<DB: Target>(sheet: &Sheet<'_, DB>, area: Area, pen: Pen) -> Drawn {
    const APART: f64 = 9.0;
    let (width, height) = (area.width(), area.height());
    let count = ((width + height) / APART) as usize;
    for i in 1..=count {
        // The line x + y = reach, measured from the upper left corner.
        let reach = i as f64 * APART;
        let start = if reach < height { (0.0, reach) } else { (reach - height, height) };
        let end = if reach < width { (reach, 0.0) } else { (width, reach - width) };
        let place = |(x, y): (f64, f64)| (area.left + x, area.top + y);
        sheet.line(&[place(start), place(end)], pen)?;
    }
    Ok(())
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>, most: f64) -> f64 {
    texts.map(|t| font::width(t, TEXT)).fold(0.0, f64::max).min(most)
}

/// Its place in reports.
pub(super) const IN_REPORTS: &[InReport] = &[InReport {
    name: "heat_map",
    caption: "",
    size: Size::WIDE,
    is_of_a_run: false,
    of: Of::Result(|results| match results {
        Results::Sweep(scenario, result) => of_sweep(scenario, result).map(AnyChart::from),
        _ => None,
    }),
}];

/// Slices that one heat map shows at most: beyond, its cells could not be read.
const MOST_SLICES: usize = 6;

/// Cost over the first two swept parameters that are numbers, a map for each variant, condition and value of the others, that
/// of the point a user would pick first; cells outside the SLO are hatched. `None` if there are no two such parameters, or
/// not every cell was run.
fn of_sweep(scenario: &Scenario, result: &SweepResult) -> Option<HeatMap> {
    let chosen = &result.points[result.pick().unwrap_or(0)];
    let number = |point: &PointResult, path: &str| {
        point.point.settings.iter().find(|(name, _)| name == path).and_then(|(_, setting)| setting.value())
    };
    let paths = result.paths();
    let mut numeric = paths.iter().filter(|path| number(chosen, path).is_some());
    let (across, up) = (numeric.next()?, numeric.next()?);
    let variants = result.points.iter().any(|point| point.point.variant.is_some());
    let held = |point: &PointResult| -> String {
        let others = point.point.settings.iter().filter(|(path, _)| path != across && path != up);
        let others =
            others.chain(&point.point.condition).map(|(path, setting)| format!("{path} = {setting}"));
        let variant = variants.then(|| point.point.variant.clone().unwrap_or_else(|| "base".to_owned()));
        variant.into_iter().chain(others).collect::<Vec<String>>().join(", ")
    };
    let mut slices: Vec<(String, Vec<&PointResult>)> = vec![(held(chosen), Vec::new())];
    for point in &result.points {
        let name = held(point);
        match slices.iter_mut().find(|(known, _)| *known == name) {
            Some((_, points)) => points.push(point),
            None => slices.push((name, vec![point])),
        }
    }
    let axis = |path: &str| {
        let points = slices[0].1.iter();
        let mut values: Vec<(f64, String)> =
            points.filter_map(|point| Some((number(point, path)?, point.setting(path)))).collect();
        values.sort_once_by(|a, b| a.0.total_cmp(&b.0));
        values.dedup();
        values
    };
    let (columns, rows) = (axis(across), axis(up));
    if columns.len() < 2 || rows.len() < 2 {
        return None;
    }
    // Every value is a number of the scenario: equal ones have equal bits, but for the two zeros.
    let key = |x: f64, y: f64| ((x + 0.0).to_bits(), (y + 0.0).to_bits());
    let cells = |points: &[&PointResult]| -> Option<Vec<Cell>> {
        let mut places: BTreeMap<(u64, u64), &PointResult> = BTreeMap::new();
        for point in points {
            places.entry(key(number(point, across)?, number(point, up)?)).or_insert(point);
        }
        let cell = |y: &(f64, String), x: &(f64, String)| {
            let point = places.get(&key(x.0, y.0))?;
            Some(Cell {
                value: point.figures.get(COST).mean.unwrap_or(f64::NAN),
                meets_slo: point.meets_slo_on_average(),
                knee: result.knee.is_some_and(|knee| result.points[knee].number == point.number),
            })
        };
        let all = rows.iter().flat_map(|y| columns.iter().map(move |x| cell(y, x)));
        (points.len() == columns.len() * rows.len()).then(|| all.collect()).flatten()
    };
    // A variant that fixes one of the parameters has no map.
    let mut maps = slices
        .iter()
        .map(|(name, points)| Some(Slice { name: name.clone(), cells: cells(points)? }))
        .collect::<Vec<Option<Slice>>>();
    maps.first()?.as_ref()?;
    let all = maps.len();
    maps.retain(Option::is_some);
    maps.truncate(MOST_SLICES);
    let parameter = |path: &str, values: &[(f64, String)]| Parameter {
        name: path.to_owned(),
        values: values.iter().map(|(_, shown)| shown.clone()).collect(),
    };
    Some(HeatMap {
        title: format!("{}: cost by {across} and {up}", scenario.name),
        x: parameter(across, &columns),
        y: parameter(up, &rows),
        value: cost_axis(scenario),
        not_shown: all - maps.len(),
        slices: maps.into_iter().flatten().collect(),
    })
}
