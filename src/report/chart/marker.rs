//! The marks of points: told apart by shape before colour.

use plotters::style::{Color, RGBAColor};

use super::palette::PAPER;
use super::sheet::{Drawn, Pen, Point, Sheet, Target};

/// The shape of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Disc,
    Cross,
    Square,
    Diamond,
    Up,
    Down,
    Plus,
}

impl Shape {
    /// Shapes of series in their order.
    pub const SERIES: [Shape; 7] =
        [Shape::Disc, Shape::Square, Shape::Up, Shape::Diamond, Shape::Down, Shape::Cross, Shape::Plus];
}

/// A mark of a point.
#[derive(Debug, Clone, Copy)]
pub struct Marker {
    pub shape: Shape,
    /// Half its width in pixels.
    pub reach: f64,
    pub color: RGBAColor,
    /// A thin circle around it, for what is uncertain.
    pub ringed: bool,
    /// A rim of paper, which keeps it apart from what lies under it.
    pub rimmed: bool,
}

impl Marker {
    pub fn new(shape: Shape, reach: f64, color: impl Color) -> Self {
        Marker { shape, reach, color: color.to_rgba(), ringed: false, rimmed: false }
    }

    pub fn ringed(self, ringed: bool) -> Self {
        Marker { ringed, ..self }
    }

    pub fn rimmed(self) -> Self {
        Marker { rimmed: true, ..self }
    }

    pub fn draw<DB: Target>(self, sheet: &Sheet<'_, DB>, at: Point) -> Drawn {
        if self.ringed {
            sheet.ring(at, self.reach * 1.3 + 2.8, Pen::solid(self.color, 1.4))?;
        }
        if self.rimmed {
            self.shape_of(sheet, at, self.reach + 1.6, PAPER.to_rgba(), 5.2)?;
        }
        self.shape_of(sheet, at, self.reach, self.color, (self.reach * 0.45).max(1.6))
    }

    fn shape_of<DB: Target>(
        self,
        sheet: &Sheet<'_, DB>,
        (x, y): Point,
        r: f64,
        color: RGBAColor,
        stroke: f64,
    ) -> Drawn {
        let pen = Pen::solid(color, stroke);
        match self.shape {
            Shape::Disc => sheet.disc((x, y), r, color),
            Shape::Square => {
                let h = r * 0.9;
                sheet.polygon(&[(x - h, y - h), (x + h, y - h), (x + h, y + h), (x - h, y + h)], color)
            }
            Shape::Diamond => {
                let h = r * 1.25;
                sheet.polygon(&[(x, y - h), (x + h, y), (x, y + h), (x - h, y)], color)
            }
            Shape::Up => sheet
                .polygon(&[(x, y - r * 1.2), (x + r * 1.1, y + r * 0.8), (x - r * 1.1, y + r * 0.8)], color),
            Shape::Down => sheet
                .polygon(&[(x, y + r * 1.2), (x + r * 1.1, y - r * 0.8), (x - r * 1.1, y - r * 0.8)], color),
            Shape::Cross => {
                let h = r * 0.85;
                sheet.line(&[(x - h, y - h), (x + h, y + h)], pen)?;
                sheet.line(&[(x - h, y + h), (x + h, y - h)], pen)
            }
            Shape::Plus => {
                sheet.line(&[(x - r, y), (x + r, y)], pen)?;
                sheet.line(&[(x, y - r), (x, y + r)], pen)
            }
        }
    }
}
