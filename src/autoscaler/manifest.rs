//! `[autoscaler] from = "hpa.yaml"`: settings in the form a system is deployed with.
//!
//! A manifest is turned into keys of `[autoscaler]`, which stand beneath what the scenario writes itself: a sweep or
//! `--set` overrides them like any other key. What a system has and the model has not is named, never left out in
//! silence. Adding a form: a translation in its system's folder, and one line of the table here.

use serde_json::{Map, Value};

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
pub fn translate(text: &str) -> Result<Translation, String> {
    // Answers of a command line put one after the other are JSON, but not YAML.
    let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    let documents: Vec<Value> = match documents {
        Ok(documents) => documents,
        Err(_) => serde_saphyr::from_multiple(text)
            .map_err(|error| format!("it is neither YAML nor JSON: {}", first_line(&error.to_string())))?,
    };
    FORMS.iter().find_map(|(_, form)| form(&documents)).unwrap_or_else(|| {
        let known: Vec<&str> = FORMS.iter().map(|(name, _)| *name).collect();
        Err(format!("it is none of: {}", known.join(", ")))
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
