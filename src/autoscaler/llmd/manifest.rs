//! The ConfigMap `wva-saturation-scaling-config` of llm-d's variant autoscaler.

use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Question, Translation, field_of, manifest_place,
    metadata_name, text_of,
};
use crate::document::edit::parse_embedded;
use crate::schema::{Data, Node, Place, Problem};

/// The thresholds of llm-d's variant autoscaler.
pub(in crate::autoscaler) const FORM: Form =
    Form { name: "llm-d's ConfigMap of saturation thresholds", find, read };

/// The entry for all models.
const DEFAULT: &str = "default";

const THRESHOLDS: &[Field] = &[
    Field::new("kvCacheThreshold", "kv_cache_threshold", Codec::NumberText),
    Field::new("queueLengthThreshold", "queue_length_threshold", Codec::NumberText),
    Field::new("kvSpareTrigger", "kv_spare_trigger", Codec::NumberText),
    Field::new("queueSpareTrigger", "queue_spare_trigger", Codec::NumberText),
    Field::new("scaleUpThreshold", "scale_up_threshold", Codec::NumberText),
    Field::new("scaleDownBoundary", "scale_down_boundary", Codec::NumberText),
];

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let is_config = |document: &&Node| {
        text_of(document, "kind") == Some("ConfigMap")
            && (metadata_name(document).is_some_and(|name| name.contains("saturation-scaling-config")))
    };
    let mut found = Vec::new();
    for config in documents.iter().filter(is_config) {
        let Some(Node { data: Data::Table(entries), .. }) = field_of(config, "data") else { continue };
        let candidate = |name: &str| Candidate { kind: "thresholds", name: name.to_owned(), node: config };
        found.extend(entries.iter().map(|(name, _, _)| candidate(name)));
    }
    found
}

fn read(candidate: &Candidate<'_>, _: &Manifest<'_>) -> Result<Translation, Problem> {
    let mut translation = Translation::new("llm_d");
    let into = &mut translation;
    let data = Fields::of(candidate.node, "", false)?.object("data")?;
    // What a model of its own leaves out is as it is for all.
    if candidate.name != DEFAULT && data.get(DEFAULT).is_some() {
        entry(&data, DEFAULT, into)?;
    }
    entry(&data, &candidate.name, into)?;
    for (name, place) in data.rest() {
        into.aside(format!("{} is of other models", data.path_of(name)), place);
    }
    into.ask(Question {
        key: "max".into(),
        why: "the bounds of the pool are not in this ConfigMap: they stand in the HPA or ScaledObject that follows the autoscaler".into(),
        label: "expected the maximum of instances in the scenario".into(),
        line: "max = 8".into(),
        place: data.place().clone(),
    });
    Ok(translation)
}

/// Reads the thresholds under one key.
fn entry(data: &Fields<'_>, name: &str, into: &mut Translation) -> Result<(), Problem> {
    let node = data.get(name).ok_or_else(|| data.missing(name, "thresholds as YAML"))?;
    let text = data.text(name)?.unwrap_or_default();
    let path = data.path_of(name);
    let documents = parse_embedded(node, text).map_err(|fault| {
        let place = fault.span.map_or_else(|| manifest_place(&node.place), Place::Manifest);
        Problem::new(&place, format!("`{path}` is not YAML"), fault.message)
    })?;
    let Some(document) = documents.first() else {
        let place = manifest_place(&node.place);
        return Err(Problem::new(&place, format!("`{path}` is empty"), "expected thresholds"));
    };
    let thresholds = Fields::of(document, path, false)?;
    thresholds.read(THRESHOLDS, "", into)?;
    thresholds.pass_over(&["model_id", "namespace"]);
    if let Some(analyzer) = thresholds.get("analyzerName")
        && !matches!(thresholds.text("analyzerName")?, Some("" | "saturation"))
    {
        let expected = "\"saturation\", the token-capacity analyzer: others are not simulated";
        return Err(thresholds.wrong("analyzerName", analyzer, expected));
    }
    thresholds.finish(into);
    Ok(())
}
