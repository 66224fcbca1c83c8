//! Two targets for plotters that look the same everywhere: [`SvgCanvas`] and [`PngCanvas`].
//!
//! Both measure text with the metrics of an embedded font. In pixels it is drawn as that font's outlines, so no font is
//! needed on the machine; in SVG it stays text, which keeps its measured length in the font of whoever reads it.
//!
//! plotters speaks whole units. A unit here is a tenth of a pixel, so that curves fall where they should and not on the
//! pixel grid; sizes, stroke widths and font sizes given to plotters are in these units too.
pub mod font;
mod png;
mod svg;

pub use png::{PngCanvas, PngError};
pub use svg::SvgCanvas;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendCoord, BackendTextStyle, FontTransform};

/// How many units of plotters make one pixel.
pub const UNITS_PER_PIXEL: i32 = 10;

/// A length in plotters' units as pixels.
fn pixels(units: i32) -> f64 {
    f64::from(units) / f64::from(UNITS_PER_PIXEL)
}

/// Where and how a line of text goes: shared by the two canvases, so that they agree.
struct TextPlacement {
    /// The glyphs, in ems from the start of the line.
    line: font::Line,
    /// The point the text turns about, in pixels.
    origin: (f64, f64),
    /// The start of the baseline relative to `origin`, before turning, in pixels.
    start: (f64, f64),
    /// Clockwise turn in degrees: 0, 90, 180 or 270.
    degrees: u16,
    /// Font size in pixels.
    size: f64,
}

impl TextPlacement {
    fn new<S: BackendTextStyle>(text: &str, style: &S, at: BackendCoord) -> Self {
        let line = font::line(text);
        let size = style.size() / f64::from(UNITS_PER_PIXEL);
        let width = line.width * size;
        let x = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let y = match style.anchor().v_pos {
            VPos::Top => font::ASCENT * size,
            VPos::Center => (font::ASCENT - font::DESCENT) / 2.0 * size,
            VPos::Bottom => -font::DESCENT * size,
        };
        let degrees = match style.transform() {
            FontTransform::None => 0,
            FontTransform::Rotate90 => 90,
            FontTransform::Rotate180 => 180,
            FontTransform::Rotate270 => 270,
        };
        TextPlacement { line, origin: (pixels(at.0), pixels(at.1)), start: (x, y), degrees, size }
    }
}

/// Width and height of a line of text in plotters' units.
fn text_size<S: BackendTextStyle>(text: &str, style: &S) -> (u32, u32) {
    let height = (font::ASCENT + font::DESCENT) * style.size();
    ((font::line(text).width * style.size()).ceil() as u32, height.ceil() as u32)
}
