//! `[autoscaler] from = "hpa.yaml"`: settings in the form a system is deployed with.
//!
//! A manifest is turned into keys of `[autoscaler]`, which stand beneath what the scenario writes itself: a sweep or
//! `--set` overrides them like any other key. What a system has and the model has not is named, never left out in
//! silence. Adding a form: a translation in its system's folder, and one line of the table here.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::document::{Source, Span, parse_json_or_yaml};
use crate::schema::{Node, Place, Problem};

use super::{aws, hpa, keda, kpa, ray_serve};

/// What a manifest comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// The kind of autoscaler it configures.
    pub kind: &'static str,
    /// Keys of `[autoscaler]` for that kind.
    pub table: Map<String, Value>,
    /// What it sets that is not modelled: one phrase each, with the path of the field.
    pub warnings: Vec<String>,
}

/// Turns the documents of a file into settings; `None` if none of them is of the form it knows. Ignores the others.
pub(super) type Translate = fn(&[Value]) -> Option<Result<Translation, String>>;

/// Each form: what it is called, and its translation.
const FORMS: &[(&str, Translate)] = &[
    ("a HorizontalPodAutoscaler", hpa::manifest::translate),
    ("a KEDA ScaledObject", keda::manifest::translate),
    ("a Knative, KServe or Cloud Run Service", kpa::manifest::translate),
    ("a Ray Serve config", ray_serve::manifest::translate),
    ("AWS scaling policies", aws::manifest::translate),
];

/// Reads a manifest: YAML or JSON, of one or more documents.
///
/// # Errors
/// It is not YAML, of no known form, or a field of it is not what it has to be. Says what is wrong, and where.
pub fn translate(source: &Arc<Source>) -> Result<Translation, Problem> {
    let whole = || Place::Manifest(Span::whole(source));
    let documents = parse_json_or_yaml(source).map_err(|fault| {
        let place = fault.span.map_or_else(whole, Place::Manifest);
        Problem::new(&place, "the manifest is neither YAML nor JSON", fault.message)
    })?;
    let documents: Vec<Value> = documents.iter().map(Node::to_json).collect();
    let understood = FORMS.iter().find_map(|(_, form)| form(&documents)).unwrap_or_else(|| {
        let known: Vec<&str> = FORMS.iter().map(|(name, _)| *name).collect();
        Err(format!("it is none of: {}", known.join(", ")))
    });
    understood.map_err(|why| Problem::new(&whole(), "the manifest is not understood", why))
}

/// [`translate`] of a text without a name; what is wrong alone.
#[cfg(test)]
pub(super) fn translate_text(text: &str) -> Result<Translation, String> {
    translate(&Source::new("manifest.yaml", text)).map_err(|problem| problem.label)
}
