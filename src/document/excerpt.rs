//! A message with the line of a file that it is about, in the shape rustc gives its own.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Span;
use super::shown::{PHRASE, shown};

/// The message with the line at `place`, whose source is an excerpt of a file of data; no newline at the end.
pub fn rendered(message: &str, place: &Span, label: &str, help: Option<&str>) -> String {
    let label = shown(label, PHRASE);
    let here = AnnotationKind::Primary.span(place.pointed().unwrap_or_default()).label(label);
    let path = shown(place.source.name(), PHRASE);
    let lines = Snippet::source(place.source.text()).path(path).line_start(place.source.first_line());
    let mut group = Level::ERROR.primary_title(shown(message, PHRASE)).element(lines.annotation(here));
    group = group.elements(help.map(|line| Level::HELP.message(shown(line, 4 * PHRASE))));
    Renderer::plain().render(&[group])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source;

    #[test]
    fn the_line_is_shown_under_its_place_with_what_was_expected() {
        let source = Source::excerpt("t.csv", "1,\u{202e}x,many\n", 7);
        let text = rendered("it is wrong", &Span::new(&source, 7..11), "expected a number", Some("so"));
        assert!(text.starts_with("error: it is wrong\n --> t.csv:7:6\n"), "{text}");
        assert!(text.contains("^^^^ expected a number") && text.contains("help: so"), "{text}");
        assert!(!text.contains('\u{202e}'), "{text}");
    }
}
