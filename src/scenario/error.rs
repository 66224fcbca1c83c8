//! Messages about a scenario, in the shape rustc gives its own.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::document::Source;
use crate::document::shown::{PHRASE, is_ours, shown};
use crate::schema::{Place, Problem};

/// What is wrong with a scenario file, with the text it is wrong in.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioError(Box<Report>);

#[derive(Debug, Clone, PartialEq)]
struct Report {
    scenario: Arc<Source>,
    problem: Problem,
    /// What the scenario was set to, beside the file: a variant, a sweep point, the command line.
    settings: Vec<String>,
}

impl ScenarioError {
    /// A problem of the scenario, or of a file that it names.
    pub(super) fn new(scenario: &Arc<Source>, problem: Problem) -> Self {
        ScenarioError(Box::new(Report { scenario: scenario.clone(), problem, settings: Vec::new() }))
    }

    /// The same error, met under this setting of the scenario: "in the variant …", "with `--set …`".
    #[must_use]
    pub(super) fn met(mut self, setting: Option<String>) -> Self {
        self.0.settings.extend(setting);
        self
    }

    /// What is wrong, and where.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The file, and the line and column in it, from 1; `None` for what is nowhere in particular, or everywhere.
    pub fn location(&self) -> Option<(String, usize, usize)> {
        let span = self.0.problem.place.span()?;
        span.pointed()?;
        let at = span.line_column();
        Some((span.source.name().to_owned(), at.line, at.column))
    }

    /// The message with the lines of the file it is about; coloured for terminals if `colour`. No newline at the end.
    pub fn render(&self, colour: bool) -> String {
        self.0.render(colour)
    }
}

impl Report {
    fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let Problem { place, message, label, help } = &self.problem;
        let (message, label) = (shown(message, PHRASE), shown(label, PHRASE));
        let mut group = Group::with_title(Level::ERROR.primary_title(message));
        let source = place.span().map_or(&self.scenario, |span| &span.source);
        // A line of a table of numbers, which its reader has chosen.
        let is_table = matches!(place, Place::File(_)) && source.name() != self.scenario.name();
        let path = shown(source.name(), PHRASE);
        match place.span().and_then(|span| Some((span.pointed()?, span.line_column()))) {
            Some((bytes, _)) if is_ours(source.text()) || is_table => {
                let here = AnnotationKind::Primary.span(bytes).label(label);
                let lines = Snippet::source(source.text()).path(path).line_start(source.first_line());
                group = group.element(lines.annotation(here));
            }
            Some((_, at)) => {
                let origin = Origin::path(path).line(at.line).char_column(at.column);
                let why = "it has no key of a scenario or a manifest: its text is not shown";
                group = group.element(origin).element(Level::NOTE.message(label));
                group = group.element(Level::NOTE.message(why));
            }
            None => {
                group = group.element(Origin::path(path)).element(Level::NOTE.message(label));
            }
        }
        let note = |text: String| Level::NOTE.message(shown(&text, PHRASE).into_owned());
        if let Place::Override(by) = place {
            group = group.element(note(format!("set by `{by}`")));
        }
        if source.name() != self.scenario.name() {
            group = group.element(note(format!("named by `{}`", self.scenario.name())));
        }
        for setting in &self.settings {
            group = group.element(note(format!("met {setting}")));
        }
        group = group.elements(help.iter().map(|line| Level::HELP.message(shown(line, 4 * PHRASE))));
        renderer.render(&[group])
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ScenarioError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Span;

    fn rendered(place: Place) -> String {
        let scenario = Source::new("scenario.toml", "a = 1\n[autoscaler]\nfrom = \"hpa.yaml\"\n");
        ScenarioError::new(&scenario, Problem::new(&place, "wrong", "expected right")).render(false)
    }

    #[test]
    fn a_fault_of_any_file_is_shown_at_its_own_line_with_its_own_text() {
        let lines = "kind: Größe # one\nspec:\n  size: many\n";
        for text in [lines.to_owned(), lines.replace('\n', "\r\n")] {
            let manifest = Source::new("folder/hpa.yaml", text);
            let start = manifest.text().find("many").unwrap();
            let shown = rendered(Place::Manifest(Span::new(&manifest, start..start + 4)));
            assert!(shown.contains("--> folder/hpa.yaml:3:9"), "{shown}");
            assert!(shown.contains("3 |   size: many\n  |         ^^^^ expected right"), "{shown}");
            assert!(shown.contains("note: named by `scenario.toml`"), "{shown}");
        }
    }

    #[test]
    fn an_excerpt_counts_lines_from_the_start_of_its_file() {
        let table = Source::excerpt("data.csv", "3,4\n5,x\n", 700);
        let shown = rendered(Place::File(Span::new(&table, 6..7)));
        assert!(shown.contains("--> data.csv:701:3"), "{shown}");
        assert!(shown.contains("701 | 5,x\n"), "{shown}");
    }

    #[test]
    fn nothing_is_echoed_of_a_file_of_another_kind_but_the_place() {
        let key = Source::new("key", "-----BEGIN PRIVATE KEY-----\nsecret-of-mine\n");
        let problem = Problem::new(&Place::File(Span::new(&key, 28..34)), "wrong", "expected TOML");
        let shown = ScenarioError::new(&key, problem).render(false);
        assert!(shown.contains("--> key:2:1") && shown.contains("expected TOML"), "{shown}");
        assert!(!shown.contains("secret") && !shown.contains("BEGIN"), "{shown}");
    }

    #[test]
    fn echoed_text_is_cut_and_cleaned_wherever_it_stands_in_a_message() {
        let text = format!("[autoscaler]\nkind = \"{}\"\n", "x\u{1b}".repeat(9_000));
        let scenario = Source::new("a\nb.toml", text.clone());
        let place = Place::File(Span::new(&scenario, 21..text.len() - 2));
        let long = format!("`{}` is wrong\nreally", "y".repeat(9_000));
        let problem = Problem::new(&place, &*long, &*long).help(long.clone());
        let shown = ScenarioError::new(&scenario, problem).met(Some(long.clone())).render(false);
        assert!(shown.chars().count() < 5_000, "{} characters", shown.chars().count());
        assert!(shown.contains("a\\nb.toml:2:9") && !shown.contains('\u{1b}'), "{shown}");
        let by = rendered(Place::Override("z".repeat(100_000)));
        assert!(by.contains("zzz… (") && by.len() < 1_000, "{by}");
    }

    #[test]
    fn what_is_wrong_with_a_whole_file_names_it() {
        let manifest = Source::new("hpa.yaml", "a: 1");
        assert!(rendered(Place::Manifest(Span::whole(&manifest))).contains("--> hpa.yaml\n"));
        assert!(rendered(Place::Nowhere).contains("--> scenario.toml\n"));
    }
}
