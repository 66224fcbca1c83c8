//! SVG text as a target of plotters.

use std::convert::Infallible;
use std::fmt::Write;

use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use super::{TextPlacement, UNITS_PER_PIXEL, pixels, text_size};

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// The fonts of the texts, in the order in which they are looked for. The first is the one that they are laid out in, the second
/// the same as a page may bring it along ([`font::face_rule`](super::font::face_rule)).
const FONTS: &str = "Inter,KneepointInter,system-ui,Helvetica,Arial,sans-serif";

/// Draws into SVG text. `&mut SvgCanvas` is the plotters backend; [`SvgCanvas::finish`] gives the document.
///
/// Every text is a text of the document: it can be searched, selected and read out. It is laid out with the metrics of the
/// embedded font and says how long it is, so that it keeps its room in whatever font the reader has. A character that the
/// embedded font lacks (Chinese, for one) is shown too; in a [`PngCanvas`](super::PngCanvas) it is a box.
#[derive(Debug)]
pub struct SvgCanvas {
    width: u32,
    height: u32,
    title: String,
    body: String,
}

impl SvgCanvas {
    /// An empty canvas of a size in pixels; the title is what a screen reader announces.
    pub fn new(width: u32, height: u32, title: &str) -> Self {
        SvgCanvas { width, height, title: title.to_owned(), body: String::new() }
    }

    /// The whole document.
    pub fn finish(self) -> String {
        let SvgCanvas { width, height, title, body } = self;
        let title = escape(&title);
        // A group and not a picture: the texts of a picture are not read out.
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"{title}\" font-family=\"{FONTS}\">\n\
             <title>{title}</title>\n{body}</svg>\n"
        )
    }

    fn element(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.body.write_fmt(arguments);
        self.body.push('\n');
    }
}

/// The text with what XML gives a meaning replaced, and characters XML 1.0 forbids as U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            c if (c as u32) < 0x20 => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// A number with at most two decimals and no trailing zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

fn point((x, y): (f64, f64)) -> String {
    format!("{} {}", number(x), number(y))
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let points: Vec<String> = path.into_iter().map(|(x, y)| point((pixels(x), pixels(y)))).collect();
    points.join(" ")
}

/// A paint attribute (`fill` or `stroke`) with its opacity where it is not one.
fn paint(attribute: &str, color: BackendColor) -> String {
    let (r, g, b) = color.rgb;
    let opaque = format!("{attribute}=\"#{r:02x}{g:02x}{b:02x}\"");
    if color.alpha >= 1.0 {
        opaque
    } else {
        format!("{opaque} {attribute}-opacity=\"{}\"", number(color.alpha.max(0.0)))
    }
}

fn stroke<S: BackendStyle>(style: &S) -> String {
    let width = number(f64::from(style.stroke_width()) / f64::from(UNITS_PER_PIXEL));
    format!("fill=\"none\" {} stroke-width=\"{width}\"", paint("stroke", style.color()))
}

fn shape<S: BackendStyle>(style: &S, fill: bool) -> String {
    if fill { paint("fill", style.color()) } else { stroke(style) }
}

impl DrawingBackend for &mut SvgCanvas {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.width * UNITS_PER_PIXEL as u32, self.height * UNITS_PER_PIXEL as u32)
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
        let (x, y) = (pixels(a.0.min(b.0)), pixels(a.1.min(b.1)));
        let (width, height) = (pixels((a.0 - b.0).abs()), pixels((a.1 - b.1).abs()));
        self.element(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}/>",
            number(x),
            number(y),
            number(width),
            number(height),
            shape(style, fill)
        ));
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.element(format_args!(
            "<polyline points=\"{}\" {} stroke-linejoin=\"round\"/>",
            points(path),
            stroke(style)
        ));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        self.element(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}/>",
            number(pixels(center.0)),
            number(pixels(center.1)),
            number(f64::from(radius) / f64::from(UNITS_PER_PIXEL)),
            shape(style, fill)
        ));
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.element(format_args!("<polygon points=\"{}\" {}/>", points(path), paint("fill", style.color())));
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let placement = TextPlacement::new(text, style, at);
        let turn = match placement.degrees {
            0 => String::new(),
            degrees => format!(" rotate({degrees})"),
        };
        if text.trim().is_empty() {
            return Ok(());
        }
        self.element(format_args!(
            "<text transform=\"translate({}){turn}\" x=\"{}\" y=\"{}\" font-size=\"{}\" textLength=\"{}\" \
             lengthAdjust=\"spacingAndGlyphs\" {}>{}</text>",
            point(placement.origin),
            number(placement.start.0),
            number(placement.start.1),
            number(placement.size),
            number(placement.line.width * placement.size),
            paint("fill", style.color()),
            escape(text),
        ));
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

    fn drawn(title: &str, text: &str) -> String {
        let mut canvas = SvgCanvas::new(200, 100, title);
        {
            let area = (&mut canvas).into_drawing_area();
            let style = ("sans-serif", 150).into_font().color(&BLACK.mix(0.5));
            area.draw(&Text::new(text.to_owned(), (1000, 500), style)).unwrap();
            area.draw(&PathElement::new(vec![(0, 0), (333, 777)], BLACK.filled().stroke_width(15))).unwrap();
            area.present().unwrap();
        }
        canvas.finish()
    }

    #[test]
    fn every_name_is_escaped() {
        let svg = drawn("<script>&\"'</script>", "</svg><script>alert('1')</script>\u{1}\u{FFFF}");
        assert!(!svg.contains("<script"));
        assert_eq!(svg.matches("</svg>").count(), 1);
        assert!(svg.contains("aria-label=\"&lt;script&gt;&amp;&quot;&#39;&lt;/script&gt;\""));
        assert!(!svg.contains('\u{1}') && !svg.contains('\u{FFFF}'));
    }

    #[test]
    fn a_text_can_be_searched_and_keeps_its_room_in_any_font() {
        for (text, written) in
            [("day & night", ">day &amp; night</text>"), ("昼 & night", ">昼 &amp; night</text>")]
        {
            let svg = drawn("t", text);
            assert!(svg.contains(written) && svg.contains(FONTS), "{svg}");
            let length = svg.split("textLength=\"").nth(1).unwrap().split('"').next().unwrap();
            let width = super::super::font::width(text, 15.0);
            assert!((length.parse::<f64>().unwrap() - width).abs() < 0.01, "{length} {width}");
        }
        assert!(!drawn("t", " ").contains("<text"), "nothing to read");
    }

    #[test]
    fn a_drawing_has_a_name_and_is_no_picture_whose_texts_are_lost() {
        let svg = drawn("Cost & latency", "a");
        assert!(
            svg.contains("role=\"group\" aria-label=\"Cost &amp; latency\"") && !svg.contains("role=\"img\"")
        );
        assert!(svg.contains("<title>Cost &amp; latency</title>"));
    }

    #[test]
    fn numbers_have_at_most_two_decimals() {
        let svg = drawn("t", "Wait ≤ 2.5 s");
        for (i, _) in svg.match_indices('.') {
            let decimals = svg[i + 1..].chars().take_while(char::is_ascii_digit).count();
            assert!(decimals <= 2, "{}", &svg[i.saturating_sub(10)..i + decimals + 1]);
        }
        assert!(svg.contains("points=\"0 0 33.3 77.7\"") && svg.contains("stroke-width=\"1.5\""));
        assert!(svg.contains("fill-opacity=\"0.5\""));
    }
}
