//! A plot: headline, axes, grid, and the place of each value.

use plotters::style::Color;

use super::axis::Axis;
use super::palette::{AXIS, GRID, INK, SOFT_INK};
use super::sheet::{Area, Drawn, Height, Pen, Point, Sheet, Side, Target, Type, wrap};
use crate::report::canvas::font;

/// Space between the edge of the sheet and everything.
pub const MARGIN: f64 = 24.0;
const TITLE: f64 = 24.0;
const TITLE_LINE: f64 = 31.0;
const AXIS_TITLE: f64 = 16.0;
const TICK: f64 = 15.0;

/// Draws a headline over the whole width; returns where the rest may start.
pub fn headline<DB: Target>(sheet: &Sheet<'_, DB>, title: &str) -> Result<f64, DrawnError> {
    let whole = sheet.whole();
    let lines = wrap(title, TITLE, whole.width() - 2.0 * MARGIN, 2);
    for (i, line) in lines.iter().enumerate() {
        let y = 18.0 + (i as f64 + 0.5) * TITLE_LINE;
        sheet.text(line, (MARGIN, y), Type::sized(TITLE).color(INK))?;
    }
    Ok(26.0 + lines.len() as f64 * TITLE_LINE)
}

/// What [`Drawn`] fails with.
pub type DrawnError = plotters::drawing::DrawingAreaErrorKind<std::convert::Infallible>;

/// A plot with its two axes.
#[derive(Debug)]
pub struct Panel {
    pub area: Area,
    pub x: Axis,
    pub y: Axis,
}

impl Panel {
    /// A plot that fills `outer`, room for its labels included.
    pub fn new(outer: Area, x: Axis, y: Axis) -> Self {
        let area = Area {
            left: outer.left + left_room(&y),
            top: outer.top + 10.0,
            right: outer.right - 28.0,
            bottom: outer.bottom - 62.0,
        };
        Panel { area, x, y }
    }

    /// Where a pair of values lies.
    pub fn at(&self, x: f64, y: f64) -> Point {
        let Area { left, bottom, .. } = self.area;
        (left + self.x.fraction(x) * self.area.width(), bottom - self.y.fraction(y) * self.area.height())
    }

    /// Draws grid, ticks and axis titles.
    pub fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        self.draw_y(sheet)?;
        self.draw_x(sheet)?;
        let Area { left, top, bottom, .. } = self.area;
        let middle = (top + bottom) / 2.0;
        let title = wrap(&self.y.title, AXIS_TITLE, self.area.height(), 1).join("");
        let look = Type::sized(AXIS_TITLE).color(SOFT_INK).across(Side::Middle).upwards();
        // Turned text hangs from its point to the right: its middle goes half a line to the left.
        sheet.text(&title, (left - left_room(&self.y) + 12.0, middle), look)?;
        self.draw_x_title(sheet)
    }

    /// Draws the vertical axis: its grid lines and labels.
    pub fn draw_y<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        let Area { left, right, .. } = self.area;
        for tick in &self.y.ticks {
            let y = crisp(self.at(0.0, tick.at).1);
            let strength = if tick.label.is_some() { 1.0 } else { 0.5 };
            sheet.line(&[(left, y), (right, y)], Pen::solid(GRID.mix(strength), 1.0))?;
            if let Some(label) = &tick.label {
                let look = Type::sized(TICK).color(SOFT_INK).across(Side::End);
                sheet.text(label, (left - 9.0, y), look)?;
            }
        }
        Ok(())
    }

    /// Draws the horizontal axis: its grid lines, its line and the labels that fit side by side.
    pub fn draw_x<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        let Area { left, top, right, bottom } = self.area;
        let mut free = f64::NEG_INFINITY;
        for tick in &self.x.ticks {
            let x = crisp(self.at(tick.at, 0.0).0);
            let strength = if tick.label.is_some() { 1.0 } else { 0.5 };
            sheet.line(&[(x, top), (x, bottom)], Pen::solid(GRID.mix(strength), 1.0))?;
            let Some(label) = &tick.label else { continue };
            let half = font::width(label, TICK) / 2.0;
            if x - half > free {
                sheet.line(&[(x, bottom), (x, bottom + 5.0)], Pen::solid(AXIS, 1.0))?;
                let look = Type::sized(TICK).color(SOFT_INK).across(Side::Middle).along(Height::Top);
                sheet.text(label, (x, bottom + 8.0), look)?;
                free = x + half + 10.0;
            }
        }
        let bottom = crisp(bottom);
        sheet.line(&[(left, bottom), (right, bottom)], Pen::solid(AXIS, 1.0))
    }

    /// Draws the title of the horizontal axis.
    pub fn draw_x_title<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        let Area { left, right, bottom, .. } = self.area;
        let title = wrap(&self.x.title, AXIS_TITLE, right - left, 1).join("");
        let look = Type::sized(AXIS_TITLE).color(SOFT_INK).across(Side::Middle).along(Height::Top);
        sheet.text(&title, ((left + right) / 2.0, bottom + 32.0), look)
    }

    /// Draws the bars of an interval in both directions, with caps.
    pub fn bars<DB: Target>(
        &self,
        sheet: &Sheet<'_, DB>,
        (x, y): (super::Estimate, super::Estimate),
        pen: Pen,
    ) -> Drawn {
        const CAP: f64 = 4.5;
        if let Some((low, high)) = x.interval.filter(|(l, h)| l.is_finite() && h.is_finite()) {
            let ((a, at), (b, _)) = (self.at(low, y.mean), self.at(high, y.mean));
            sheet.line(&[(a, at), (b, at)], pen)?;
            for end in [a, b] {
                sheet.line(&[(end, at - CAP), (end, at + CAP)], pen)?;
            }
        }
        if let Some((low, high)) = y.interval.filter(|(l, h)| l.is_finite() && !h.is_nan()) {
            let ((at, a), (_, b)) = (self.at(x.mean, low), self.at(x.mean, high));
            // An interval without an upper end goes through the edge, and has no cap there.
            let b = if high.is_finite() { b } else { self.area.top };
            sheet.line(&[(at, a), (at, b)], pen)?;
            for end in [a, b].into_iter().take(if high.is_finite() { 2 } else { 1 }) {
                sheet.line(&[(at - CAP, end), (at + CAP, end)], pen)?;
            }
        }
        Ok(())
    }
}

/// Points along the bars of an interval, for labels to keep off.
pub fn along_bars(panel: &Panel, (x, y): (super::Estimate, super::Estimate)) -> Vec<Point> {
    let shares = (0..=12).map(|i| f64::from(i) / 12.0);
    let along = |(low, high): (f64, f64)| shares.clone().map(move |s| low * (1.0 - s) + high * s);
    let across = x.interval.into_iter().flat_map(along).map(|c| panel.at(c, y.mean));
    let up = y
        .interval
        .filter(|(_, high)| high.is_finite())
        .into_iter()
        .flat_map(along)
        .map(|l| panel.at(x.mean, l));
    across.chain(up).collect()
}

/// Room to the left of a plot for the labels and the title of its vertical axis.
pub fn left_room(y: &Axis) -> f64 {
    let labels = y.ticks.iter().filter_map(|t| t.label.as_deref());
    labels.map(|l| font::width(l, TICK)).fold(0.0, f64::max) + 42.0
}

/// The middle of a pixel: a thin line there is sharp.
fn crisp(v: f64) -> f64 {
    v.floor() + 0.5
}

/// Says in the middle of a plot why it is empty.
pub fn nothing<DB: Target>(sheet: &Sheet<'_, DB>, area: Area, reason: &str) -> Drawn {
    let at = ((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0);
    sheet.text(reason, at, Type::sized(18.0).color(SOFT_INK).across(Side::Middle))
}
