//! An anti-aliased PNG as a target of plotters.

use std::convert::Infallible;
use std::fmt;

use miniz_oxide::deflate::compress_to_vec_zlib;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};
use png::chunk::IDAT;
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};

use super::font::{self, Step};
use super::{TextPlacement, UNITS_PER_PIXEL, pixels, text_size};

/// Level of compression, of 9. The differences between the rows of a chart are zero nearly everywhere: at the fastest level
/// a file is a third larger than at the usual one, and takes a tenth of the time.
const LEVEL: u8 = 1;

/// How PNG calls a row of differences from the row above.
const FILTER_UP: u8 = 2;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Why no picture could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PngError {
    /// No pixels at all, or more than fit in memory: width and height.
    Size(u32, u32),
    /// The encoder refused; with its own words.
    Encoding(String),
}

impl fmt::Display for PngError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PngError::Size(width, height) => write!(f, "a picture cannot be {width} × {height} pixels"),
            PngError::Encoding(reason) => write!(f, "the picture could not be encoded: {reason}"),
        }
    }
}

impl std::error::Error for PngError {}

/// Draws into pixels. `&mut PngCanvas` is the plotters backend; [`PngCanvas::finish`] gives the file.
#[derive(Debug)]
pub struct PngCanvas {
    pixmap: Pixmap,
}

impl PngCanvas {
    /// A white canvas of a size in pixels.
    ///
    /// # Errors
    /// [`PngError::Size`] if there is no such picture.
    pub fn new(width: u32, height: u32) -> Result<Self, PngError> {
        let mut pixmap = Pixmap::new(width, height).ok_or(PngError::Size(width, height))?;
        pixmap.fill(tiny_skia::Color::WHITE);
        Ok(PngCanvas { pixmap })
    }

    /// The bytes of the PNG file.
    ///
    /// # Errors
    /// [`PngError::Encoding`] if the encoder refuses.
    pub fn finish(self) -> Result<Vec<u8>, PngError> {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        // The paper is opaque, so that nothing on it is transparent.
        encoder.set_color(png::ColorType::Rgb);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_chunk(IDAT, &compress_to_vec_zlib(&self.rows(), LEVEL))?;
            writer.finish()
        });
        written.map_err(|error| PngError::Encoding(error.to_string()))?;
        Ok(file)
    }

    /// The rows as PNG has them compressed: each the differences from the row above, after a byte that says so.
    fn rows(&self) -> Vec<u8> {
        let width = self.pixmap.width() as usize;
        let mut rows = vec![FILTER_UP; (1 + 3 * width) * self.pixmap.height() as usize];
        let mut above = vec![[0; 3]; width];
        let pixels = self.pixmap.pixels().chunks_exact(width);
        for (row, pixels) in rows.chunks_exact_mut(1 + 3 * width).zip(pixels) {
            // Plain loops: there are millions of pixels, and not every build makes such of closures.
            let (bytes, _) = row[1..].as_chunks_mut::<3>();
            for (at, pixel) in pixels.iter().enumerate() {
                let color = [pixel.red(), pixel.green(), pixel.blue()];
                for channel in 0..3 {
                    bytes[at][channel] = color[channel].wrapping_sub(above[at][channel]);
                }
                above[at] = color;
            }
        }
        rows
    }

    fn fill(&mut self, path: &Path, color: BackendColor) {
        self.pixmap.fill_path(path, &paint(color), FillRule::Winding, Transform::identity(), None);
    }

    fn draw<S: BackendStyle>(&mut self, path: Option<Path>, style: &S, fill: bool) {
        let Some(path) = path else { return };
        if fill {
            self.fill(&path, style.color());
        } else {
            let width = style.stroke_width() as f32 / UNITS_PER_PIXEL as f32;
            let stroke =
                Stroke { width, line_join: LineJoin::Round, line_cap: LineCap::Butt, ..Stroke::default() };
            self.pixmap.stroke_path(&path, &paint(style.color()), &stroke, Transform::identity(), None);
        }
    }
}

fn paint(color: BackendColor) -> Paint<'static> {
    let (r, g, b) = color.rgb;
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, (color.alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint
}

fn open_path(points: impl IntoIterator<Item = BackendCoord>) -> PathBuilder {
    let mut path = PathBuilder::new();
    for (x, y) in points {
        let (x, y) = (pixels(x) as f32, pixels(y) as f32);
        if path.is_empty() { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path
}

/// Adds a glyph to a path, each point of its outline put in place by `at`.
fn add_glyph(path: &mut PathBuilder, steps: &[Step], at: impl Fn((f64, f64)) -> (f32, f32)) {
    for step in steps {
        match *step {
            Step::Move(p) => {
                let p = at(p);
                path.move_to(p.0, p.1);
            }
            Step::Line(p) => {
                let p = at(p);
                path.line_to(p.0, p.1);
            }
            Step::Quad(c, p) => {
                let (c, p) = (at(c), at(p));
                path.quad_to(c.0, c.1, p.0, p.1);
            }
            Step::Cubic(c, d, p) => {
                let (c, d, p) = (at(c), at(d), at(p));
                path.cubic_to(c.0, c.1, d.0, d.1, p.0, p.1);
            }
            Step::Close => path.close(),
        }
    }
}

impl DrawingBackend for &mut PngCanvas {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.pixmap.width() * UNITS_PER_PIXEL as u32, self.pixmap.height() * UNITS_PER_PIXEL as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        a: BackendCoord,
        b: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let (left, right) = (pixels(a.0.min(b.0)) as f32, pixels(a.0.max(b.0)) as f32);
        let (top, bottom) = (pixels(a.1.min(b.1)) as f32, pixels(a.1.max(b.1)) as f32);
        let path = Rect::from_ltrb(left, top, right, bottom).map(PathBuilder::from_rect);
        self.draw(path, style, fill);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.draw(open_path(path).finish(), style, false);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let radius = radius as f32 / UNITS_PER_PIXEL as f32;
        let path = PathBuilder::from_circle(pixels(center.0) as f32, pixels(center.1) as f32, radius);
        self.draw(path, style, fill);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let mut polygon = open_path(path);
        polygon.close();
        self.draw(polygon.finish(), style, true);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let TextPlacement { line, origin, start, degrees, size } = TextPlacement::new(text, style, at);
        let (cos, sin) = match degrees {
            90 => (0.0, 1.0),
            180 => (-1.0, 0.0),
            270 => (0.0, -1.0),
            _ => (1.0, 0.0),
        };
        let mut path = PathBuilder::new();
        for (glyph, x) in line.glyphs {
            add_glyph(&mut path, &font::outline(glyph), |(gx, gy)| {
                let (dx, dy) = (start.0 + (x + gx) * size, start.1 + gy * size);
                ((origin.0 + dx * cos - dy * sin) as f32, (origin.1 + dx * sin + dy * cos) as f32)
            });
        }
        if let Some(path) = path.finish() {
            self.fill(&path, style.color());
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok(text_size(text, style))
    }
}

#[cfg(test)]
mod tests {
    use plotters::prelude::*;

    use super::*;

    /// The dark pixels of a 100 × 100 picture, as the box around them: left, top, right, bottom.
    fn ink(canvas: &PngCanvas) -> Option<(usize, usize, usize, usize)> {
        let dark = canvas.pixmap.pixels().iter().enumerate().filter(|(_, p)| p.red() < 128);
        dark.map(|(i, _)| (i % 100, i / 100)).fold(None, |found, (x, y)| {
            let (l, t, r, b) = found.unwrap_or((x, y, x, y));
            Some((l.min(x), t.min(y), r.max(x), b.max(y)))
        })
    }

    fn with_text(text: &str, turn: FontTransform) -> PngCanvas {
        let mut canvas = PngCanvas::new(100, 100).unwrap();
        {
            let area = (&mut canvas).into_drawing_area();
            let style = ("sans-serif", 200).into_font().transform(turn).color(&BLACK);
            area.draw(&Text::new(text.to_owned(), (500, 500), style)).unwrap();
            area.present().unwrap();
        }
        canvas
    }

    #[test]
    fn text_starts_at_its_point_and_turns_about_it() {
        let (left, top, right, bottom) = ink(&with_text("Hl", FontTransform::None)).unwrap();
        assert!(left >= 50 && right < 80 && top >= 50 && bottom <= 70, "{left} {top} {right} {bottom}");
        let (left, top, right, bottom) = ink(&with_text("Hl", FontTransform::Rotate270)).unwrap();
        assert!(left >= 50 && right <= 70 && bottom <= 50 && top > 20, "{left} {top} {right} {bottom}");
    }

    #[test]
    fn any_text_can_be_drawn() {
        for text in ["", " ", "\n\t\0", "漢字 🎉 e\u{301}", "ﷺ\u{200D}\u{FFFF}"] {
            with_text(text, FontTransform::Rotate90);
        }
    }

    #[test]
    fn an_edge_between_pixels_is_half_covered() {
        let mut canvas = PngCanvas::new(4, 4).unwrap();
        {
            let area = (&mut canvas).into_drawing_area();
            area.draw(&Rectangle::new([(0, 0), (15, 40)], BLACK.filled())).unwrap();
            area.present().unwrap();
        }
        let red: Vec<u8> = canvas.pixmap.pixels()[..3].iter().map(|p| p.red()).collect();
        assert!(red[0] == 0 && (120..=136).contains(&red[1]) && red[2] == 255, "{red:?}");
    }

    #[test]
    fn a_file_is_a_png_and_an_impossible_size_an_error() {
        let canvas = with_text("Hl", FontTransform::None);
        let drawn: Vec<u8> =
            canvas.pixmap.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
        assert!(canvas.pixmap.pixels().iter().all(|pixel| pixel.alpha() == 255), "nothing is transparent");
        let bytes = canvas.finish().unwrap();
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut read = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut read).unwrap();
        assert_eq!((frame.width, frame.height, frame.color_type), (100, 100, png::ColorType::Rgb));
        assert!(read == drawn && read.iter().any(|color| *color < 128));
        reader.finish().unwrap();
        assert_eq!(PngCanvas::new(0, 5).unwrap_err(), PngError::Size(0, 5));
    }
}
