//! Drawing in pixels on a plotters area: lines, shapes, text.

use std::convert::Infallible;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, DashedPathElement, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, RGBAColor, ShapeStyle};
use plotters_backend::DrawingBackend;

use super::Size;
use super::palette::{INK, PAPER};
use crate::report::canvas::{UNITS_PER_PIXEL, font};

/// A canvas to draw on: one that cannot fail while drawing.
pub trait Target: DrawingBackend<ErrorType = Infallible> {}

impl<T: DrawingBackend<ErrorType = Infallible>> Target for T {}

/// Whether drawing went well.
pub type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

/// A point in pixels from the top left corner.
pub type Point = (f64, f64);

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub fn width(self) -> f64 {
        self.right - self.left
    }

    pub fn height(self) -> f64 {
        self.bottom - self.top
    }

    /// The area common with another, in square pixels.
    pub fn overlap(self, other: Area) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    pub fn around((x, y): Point, reach: f64) -> Area {
        Area { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }
    }

    #[inline]
    pub fn holds(self, (x, y): Point) -> bool {
        self.left <= x && x <= self.right && self.top <= y && y <= self.bottom
    }

    pub fn grown(self, by: f64) -> Area {
        Area { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }
}

/// How a line is drawn; lengths in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Pen {
    pub color: RGBAColor,
    pub width: f64,
    /// Lengths of dash and gap; solid without.
    pub dash: Option<(f64, f64)>,
}

impl Pen {
    pub fn solid(color: impl Color, width: f64) -> Self {
        Pen { color: color.to_rgba(), width, dash: None }
    }

    pub fn dashed(color: impl Color, width: f64, dash: f64, gap: f64) -> Self {
        Pen { color: color.to_rgba(), width, dash: Some((dash, gap)) }
    }

    fn style(self) -> ShapeStyle {
        let width = (self.width * f64::from(UNITS_PER_PIXEL)).round() as u32;
        ShapeStyle { color: self.color, filled: false, stroke_width: width }
    }
}

/// How a line of text is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    /// Font size in pixels.
    pub size: f64,
    pub color: RGBAColor,
    /// Which part of the text lies at its point.
    pub across: Side,
    pub along: Height,
    /// Turned to read upwards.
    pub upwards: bool,
}

/// Which end of a text lies at its point.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    Start,
    Middle,
    End,
}

/// Which height of a text lies at its point.
#[derive(Debug, Clone, Copy)]
pub enum Height {
    Top,
    Middle,
}

impl Type {
    /// Text that starts at its point and is centred on its height.
    pub fn sized(size: f64) -> Self {
        Type { size, color: INK.to_rgba(), across: Side::Start, along: Height::Middle, upwards: false }
    }

    pub fn color(self, color: impl Color) -> Self {
        Type { color: color.to_rgba(), ..self }
    }

    pub fn across(self, across: Side) -> Self {
        Type { across, ..self }
    }

    pub fn along(self, along: Height) -> Self {
        Type { along, ..self }
    }

    pub fn upwards(self) -> Self {
        Type { upwards: true, ..self }
    }
}

/// A plotters area addressed in pixels.
pub struct Sheet<'a, DB: Target> {
    area: &'a DrawingArea<DB, Shift>,
    size: Size,
}

impl<'a, DB: Target> Sheet<'a, DB> {
    /// The whole of a plotters area of a size in pixels.
    pub fn new(area: &'a DrawingArea<DB, Shift>, size: Size) -> Self {
        Sheet { area, size }
    }

    /// All there is to draw on.
    pub(super) fn whole(&self) -> Area {
        let (right, bottom) = (f64::from(self.size.width), f64::from(self.size.height));
        Area { left: 0.0, top: 0.0, right, bottom }
    }

    /// Covers everything with paper.
    pub(super) fn background(&self) -> Drawn {
        self.fill(self.whole(), PAPER)
    }

    pub(super) fn line(&self, points: &[Point], pen: Pen) -> Drawn {
        if points.len() < 2 {
            return Ok(());
        }
        let path: Vec<(i32, i32)> = points.iter().map(|&p| units(p)).collect();
        match pen.dash {
            None => self.area.draw(&PathElement::new(path, pen.style())),
            Some((dash, gap)) => {
                let long = |v: f64| (v.max(0.5) * f64::from(UNITS_PER_PIXEL)) as i32;
                self.area.draw(&DashedPathElement::new(path, long(dash), long(gap), pen.style()))
            }
        }
    }

    pub(super) fn polygon(&self, points: &[Point], color: impl Color) -> Drawn {
        let path: Vec<(i32, i32)> = points.iter().map(|&p| units(p)).collect();
        self.area.draw(&Polygon::new(path, color))
    }

    pub(super) fn fill(&self, area: Area, color: impl Color) -> Drawn {
        let corners = [units((area.left, area.top)), units((area.right, area.bottom))];
        self.area.draw(&Rectangle::new(corners, color.filled()))
    }

    pub(super) fn outline(&self, area: Area, pen: Pen) -> Drawn {
        let corners = [units((area.left, area.top)), units((area.right, area.bottom))];
        self.area.draw(&Rectangle::new(corners, pen.style()))
    }

    pub(super) fn disc(&self, center: Point, radius: f64, color: impl Color) -> Drawn {
        self.area.draw(&Circle::new(units(center), length(radius), color.filled()))
    }

    pub(super) fn ring(&self, center: Point, radius: f64, pen: Pen) -> Drawn {
        self.area.draw(&Circle::new(units(center), length(radius), pen.style()))
    }

    pub(super) fn text(&self, text: &str, at: Point, look: Type) -> Drawn {
        let across = match look.across {
            Side::Start => HPos::Left,
            Side::Middle => HPos::Center,
            Side::End => HPos::Right,
        };
        let along = match look.along {
            Height::Top => VPos::Top,
            Height::Middle => VPos::Center,
        };
        let turn = if look.upwards { FontTransform::Rotate270 } else { FontTransform::None };
        let font = ("sans-serif", look.size * f64::from(UNITS_PER_PIXEL)).into_font().transform(turn);
        let style = font.color(&look.color).pos(Pos::new(across, along));
        self.area.draw(&Text::new(text, units(at), style))
    }
}

fn length(pixels: f64) -> i32 {
    (pixels * f64::from(UNITS_PER_PIXEL)).round() as i32
}

/// A point in plotters' units; kept within reach of any sheet, so that no later sum overflows.
fn units((x, y): Point) -> (i32, i32) {
    let clamped = |v: f64| length(v.clamp(-1e5, 1e5));
    (clamped(x), clamped(y))
}

/// The text cut to a width, with an ellipsis where something is missing.
pub fn fit(text: &str, size: f64, width: f64) -> String {
    if font::width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if font::width(&kept, size) + font::width("…", size) > width {
            kept.pop();
            break;
        }
    }
    kept.trim_end().to_owned() + "…"
}

/// The text in lines of at most a width, broken at spaces; what does not fit in `most` lines is cut.
pub fn wrap(text: &str, size: f64, width: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let mut line = word.to_owned();
        let last = lines.len() + 1 == most;
        while let Some(next) = words.peek() {
            let longer = format!("{line} {next}");
            if !last && font::width(&longer, size) > width {
                break;
            }
            line = longer;
            words.next();
        }
        lines.push(fit(&line, size, width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_too_long_is_cut_with_an_ellipsis() {
        let long = "a rather long name of a policy";
        let short = fit(long, 16.0, 100.0);
        assert!(short.ends_with('…') && font::width(&short, 16.0) <= 100.0);
        assert_eq!(fit(long, 16.0, 1000.0), long);
    }

    #[test]
    fn wrapped_lines_hold_every_word_until_room_runs_out() {
        let text = "knee at scale up above 80 and scale down below 30";
        let lines = wrap(text, 16.0, 150.0, 9);
        assert!(lines.len() > 1 && lines.iter().all(|l| font::width(l, 16.0) <= 150.0));
        assert_eq!(lines.join(" "), text);
        let two = wrap(text, 16.0, 150.0, 2);
        assert!(two.len() == 2 && two[1].ends_with('…'));
        assert_eq!(wrap(&"x".repeat(5000), 16.0, 150.0, 2).len(), 1);
    }
}
