//! Messages about a scenario, in the shape rustc gives its own.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::schema::{Place, Problem};

/// What is wrong with a scenario file, with the text it is wrong in.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioError(Box<Report>);

#[derive(Debug, Clone, PartialEq)]
struct Report {
    file: String,
    text: Arc<str>,
    problem: Problem,
    /// What the scenario was set to, beside the file: a variant, a sweep point, the command line.
    settings: Vec<String>,
}

impl ScenarioError {
    /// A problem of the file shown as `file`, whose content is `text`.
    pub(super) fn new(file: &str, text: &Arc<str>, problem: Problem) -> Self {
        let report = Report { file: file.to_owned(), text: text.clone(), problem, settings: Vec::new() };
        ScenarioError(Box::new(report))
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

    /// The message with the lines of the file it is about; coloured for terminals if `colour`. No newline at the end.
    pub fn render(&self, colour: bool) -> String {
        self.0.render(colour)
    }
}

impl Report {
    fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let Problem { place, message, label, help } = &self.problem;
        let mut group = Group::with_title(Level::ERROR.primary_title(message));
        match self.span(place) {
            Some(span) => {
                let here = AnnotationKind::Primary.span(span).label(label);
                group = group.element(Snippet::source(self.text.as_ref()).path(&self.file).annotation(here));
            }
            None => {
                group = group.element(Origin::path(&self.file)).element(Level::NOTE.message(label));
            }
        }
        if let Place::Override(by) = place {
            group = group.element(Level::NOTE.message(format!("set by `{by}`")));
        }
        if let Place::Manifest(file) = place {
            group = group.element(Level::NOTE.message(format!("set in the manifest `{file}`")));
        }
        for setting in &self.settings {
            group = group.element(Level::NOTE.message(format!("met {setting}")));
        }
        group = group.elements(help.iter().map(|line| Level::HELP.message(line)));
        renderer.render(&[group])
    }

    /// The bytes to point at; `None` for what is nowhere in particular, or everywhere.
    fn span(&self, place: &Place) -> Option<Range<usize>> {
        let Place::File(range) = place else { return None };
        let (start, end) = (range.start.min(self.text.len()), range.end.min(self.text.len()));
        let everywhere = start == 0 && end == self.text.len();
        (!everywhere && self.text.is_char_boundary(start) && self.text.is_char_boundary(end))
            .then_some(start..end.max(start))
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ScenarioError {}
