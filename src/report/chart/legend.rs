//! What the marks and lines mean, in rows outside the plot.

use super::marker::Marker;
use super::palette::SOFT_INK;
use super::sheet::{Drawn, Pen, Point, Sheet, Target, Type, fit};
use crate::report::canvas::font;

const SIZE: f64 = 15.0;
const ROW: f64 = 25.0;
const SWATCH: f64 = 34.0;
const GAP: f64 = 26.0;

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    label: String,
    line: Option<Pen>,
    marker: Option<Marker>,
}

impl Entry {
    pub fn line(label: impl Into<String>, pen: Pen) -> Self {
        Entry { label: label.into(), line: Some(pen), marker: None }
    }

    pub fn marker(label: impl Into<String>, marker: Marker) -> Self {
        Entry { label: label.into(), line: None, marker: Some(marker) }
    }

    pub fn both(label: impl Into<String>, pen: Pen, marker: Marker) -> Self {
        Entry { label: label.into(), line: Some(pen), marker: Some(marker) }
    }

    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>, (x, y): Point) -> Drawn {
        if let Some(pen) = self.line {
            sheet.line(&[(x, y), (x + SWATCH - 8.0, y)], pen)?;
        }
        if let Some(marker) = self.marker {
            marker.draw(sheet, (x + SWATCH / 2.0 - 4.0, y))?;
        }
        sheet.text(&self.label, (x + SWATCH, y), Type::sized(SIZE).color(SOFT_INK))
    }

    fn width(&self) -> f64 {
        SWATCH + font::width(&self.label, SIZE)
    }
}

/// Entries laid out in rows.
#[derive(Debug, Clone)]
pub struct Legend {
    rows: Vec<Vec<Entry>>,
}

impl Legend {
    /// Lays entries out in rows of at most a width in pixels.
    pub fn new(entries: impl IntoIterator<Item = Entry>, width: f64) -> Self {
        let mut rows: Vec<Vec<Entry>> = Vec::new();
        let mut used = f64::INFINITY;
        for mut entry in entries {
            entry.label = fit(&entry.label, SIZE, width - SWATCH);
            if used + entry.width() > width {
                rows.push(Vec::new());
                used = 0.0;
            }
            used += entry.width() + GAP;
            if let Some(row) = rows.last_mut() {
                row.push(entry);
            }
        }
        Legend { rows }
    }

    /// Lays entries out in one row of at most a width in pixels; the last one is shortened to what the others leave.
    pub fn in_one_row(mut entries: Vec<Entry>, width: f64) -> Self {
        if let Some((last, others)) = entries.split_last_mut() {
            let used: f64 = others.iter().map(|entry| entry.width() + GAP).sum();
            last.label = fit(&last.label, SIZE, width - used - SWATCH);
        }
        Legend { rows: vec![entries] }
    }

    pub fn height(&self) -> f64 {
        self.rows.len() as f64 * ROW
    }

    /// Draws the rows from a top left corner down.
    pub fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>, (left, top): Point) -> Drawn {
        for (i, row) in self.rows.iter().enumerate() {
            let (mut x, y) = (left, top + (i as f64 + 0.5) * ROW);
            for entry in row {
                entry.draw(sheet, (x, y))?;
                x += entry.width() + GAP;
            }
        }
        Ok(())
    }

    /// Draws the entries in one row that ends at a point.
    pub fn draw_ending_at<DB: Target>(&self, sheet: &Sheet<'_, DB>, (right, y): Point) -> Drawn {
        let entries: Vec<&Entry> = self.rows.iter().flatten().collect();
        let width: f64 = entries.iter().map(|e| e.width() + GAP).sum::<f64>() - GAP;
        let mut x = right - width;
        for entry in entries {
            entry.draw(sheet, (x, y))?;
            x += entry.width() + GAP;
        }
        Ok(())
    }
}
