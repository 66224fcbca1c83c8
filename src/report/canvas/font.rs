//! The embedded font: measuring a line of text, and the outlines of its glyphs.
//!
//! Inter Regular, subset to Latin, Greek and the signs of a chart (`assets/font/README.md`).

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, GlyphId, OutlineCurve, Point};

/// Height of a line above its baseline, in ems.
pub const ASCENT: f64 = 0.97;
/// Depth of a line below its baseline, in ems.
pub const DESCENT: f64 = 0.24;

const FILE: &[u8] = include_bytes!("../../../assets/font/Inter-Regular-subset.otf");

/// One line of text laid out; lengths in ems (multiples of the font size).
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Each visible glyph and where it starts, from the start of the line.
    pub glyphs: Vec<(GlyphId, f64)>,
    /// Width of the whole line.
    pub width: f64,
}

/// One step of an outline; points in ems, `x` to the right and `y` down from the start of the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Starts a new contour.
    Move((f64, f64)),
    /// A straight line to a point.
    Line((f64, f64)),
    /// A quadratic curve: control point, end.
    Quad((f64, f64), (f64, f64)),
    /// A cubic curve: two control points, end.
    Cubic((f64, f64), (f64, f64), (f64, f64)),
    /// Closes the contour.
    Close,
}

/// The font as a rule of a style sheet, under the name `KneepointInter`: for pages whose drawings should look the same where the
/// reader has no such font.
pub fn face_rule() -> &'static str {
    static RULE: OnceLock<String> = OnceLock::new();
    RULE.get_or_init(|| {
        let source = format!("url(data:font/otf;base64,{})", base64(FILE));
        format!("@font-face {{ font-family: KneepointInter; src: {source} format('opentype') }}")
    })
}

/// Base 64 as RFC 4648 has it.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let three = [group[0], group.get(1).copied().unwrap_or(0), group.get(2).copied().unwrap_or(0)];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { char::from(sign) } else { '=' });
        }
    }
    text
}

fn face() -> &'static FontRef<'static> {
    static FACE: OnceLock<FontRef<'static>> = OnceLock::new();
    FACE.get_or_init(|| FontRef::try_from_slice(FILE).expect("the embedded font is a font: a test opens it"))
}

fn units_per_em() -> f64 {
    f64::from(face().units_per_em().unwrap_or(1000.0))
}

/// Lays out one line of text, kerned.
///
/// A character the font lacks shows as a box; control characters (a line break among them) count as a space.
pub fn line(text: &str) -> Line {
    let (face, em) = (face(), units_per_em());
    let mut glyphs = Vec::new();
    let mut x = 0.0;
    let mut before: Option<GlyphId> = None;
    for character in text.chars() {
        let shown = if character.is_control() { ' ' } else { character };
        let glyph = face.glyph_id(shown);
        if let Some(before) = before {
            x += f64::from(face.kern_unscaled(before, glyph)) / em;
        }
        if !shown.is_whitespace() {
            glyphs.push((glyph, x));
        }
        // What the font lacks is mostly as wide as it is high: room for it where something else draws it.
        x += if glyph.0 == 0 { 1.0 } else { f64::from(face.h_advance_unscaled(glyph)) / em };
        before = Some(glyph);
    }
    Line { glyphs, width: x }
}

/// Width of one line of text at a font size, in the unit of `size`.
pub fn width(text: &str, size: f64) -> f64 {
    line(text).width * size
}

/// The outline of a glyph, to be filled by the non-zero rule; empty for a blank one.
pub fn outline(glyph: GlyphId) -> Vec<Step> {
    let em = units_per_em();
    let place = |p: Point| (f64::from(p.x) / em, -f64::from(p.y) / em);
    let mut steps = Vec::new();
    let mut pen: Option<Point> = None;
    for curve in face().outline(glyph).map(|outline| outline.curves).unwrap_or_default() {
        let (from, step, to) = match curve {
            OutlineCurve::Line(a, b) => (a, Step::Line(place(b)), b),
            OutlineCurve::Quad(a, b, c) => (a, Step::Quad(place(b), place(c)), c),
            OutlineCurve::Cubic(a, b, c, d) => (a, Step::Cubic(place(b), place(c), place(d)), d),
        };
        if pen != Some(from) {
            if pen.is_some() {
                steps.push(Step::Close);
            }
            steps.push(Step::Move(place(from)));
        }
        steps.push(step);
        pen = Some(to);
    }
    if pen.is_some() {
        steps.push(Step::Close);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_base_64() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert!(
            face_rule().contains("base64,T1RUTw"),
            "an OpenType font with cubic outlines begins with OTTO"
        );
    }

    #[test]
    fn the_font_has_every_sign_a_chart_uses() {
        let missing = face().glyph_id('\u{10FFFF}');
        for character in "AZaz09 ÀÿŁąΑΩαωλμρσ≤≥×·–—…−%$€£¥→←↑↓∞≈²³°±µ“”‘’".chars()
        {
            assert_ne!(face().glyph_id(character), missing, "{character}");
        }
    }

    #[test]
    fn a_missing_glyph_is_a_box_and_a_line_break_a_space() {
        let unknown = line("漢");
        assert_eq!(unknown.glyphs.len(), 1);
        assert!(!outline(unknown.glyphs[0].0).is_empty());
        assert_eq!(line("a\nb"), line("a b"));
    }

    #[test]
    fn pairs_are_kerned() {
        assert!(width("AV", 100.0) < width("A", 100.0) + width("V", 100.0) - 1.0);
    }

    #[test]
    fn width_grows_with_the_size_and_the_text() {
        assert_eq!(width("", 20.0), 0.0);
        assert!((width("knee", 20.0) - 2.0 * width("knee", 10.0)).abs() < 1e-9);
        assert!(width("knees", 20.0) > width("knee", 20.0));
    }

    #[test]
    fn the_line_metrics_are_those_of_the_font() {
        let em = units_per_em();
        assert!((f64::from(face().ascent_unscaled()) / em - ASCENT).abs() < 0.005);
        assert!((f64::from(-face().descent_unscaled()) / em - DESCENT).abs() < 0.005);
    }

    #[test]
    fn an_outline_is_closed_contours() {
        let steps = outline(line("o").glyphs[0].0);
        let moves = steps.iter().filter(|s| matches!(s, Step::Move(_))).count();
        let closes = steps.iter().filter(|s| matches!(s, Step::Close)).count();
        assert_eq!((moves, closes), (2, 2));
    }
}
