//! Endpoints of Hugging Face as their interface gives them: `compute.scaling`.

use crate::autoscaler::reading::measure::Factor;
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, field_of, text_of,
};
use crate::schema::{Data, Node, Problem};

/// An endpoint of Hugging Face.
pub(super) const FORM: Form = Form { name: "a Hugging Face endpoint", find, read };

const SCALING: [Field; 2] =
    [Field::new("minReplica", "min", Codec::Count), Field::new("maxReplica", "max", Codec::Count)];
/// Percent, where the scenario has a share.
const PERCENT: Codec = Codec::Converted(Factor { num: 1.0, den: 100.0 });

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let is_endpoint = |document: &&Node| {
        let scaling = field_of(document, "compute").and_then(|compute| field_of(compute, "scaling"));
        scaling.is_some_and(|scaling| field_of(scaling, "maxReplica").is_some())
    };
    let candidate = |node| {
        let name = text_of(node, "name").unwrap_or_default().to_owned();
        Candidate { kind: "endpoint", name, node }
    };
    documents.iter().filter(is_endpoint).map(candidate).collect()
}

fn read(candidate: &Candidate<'_>, _: &Manifest<'_>) -> Result<Translation, Problem> {
    let mut translation = Translation::new("hugging_face");
    let into = &mut translation;
    let root = Fields::of(candidate.node, "", false)?;
    let scaling = root.object("compute")?.object("scaling")?;
    scaling.read(&SCALING, "", into)?;
    if let Some(node) = scaling.get("scaleToZeroTimeout") {
        match node.data {
            Data::Integer(minutes @ 0..1_000_000) => {
                into.set(
                    "scale_to_zero_after".into(),
                    Data::Text(format!("{}s", minutes.max(1) * 60)),
                    &node.place,
                );
            }
            _ => return Err(scaling.wrong("scaleToZeroTimeout", node, "whole minutes")),
        }
    }
    let measure = scaling.object("measure")?;
    let named = match measure.is_absent() {
        false => None,
        true => scaling.text("metric")?,
    };
    let (field, strategy) = match (measure.get("pendingRequests"), measure.get("hardwareUsage"), named) {
        (Some(_), _, _) => (Some("pendingRequests"), "pending_requests"),
        (_, Some(_), _) => (Some("hardwareUsage"), "hardware_usage"),
        (None, None, Some("pendingRequests")) => (None, "pending_requests"),
        _ => (None, "hardware_usage"),
    };
    into.set("strategy".into(), Data::Text(strategy.into()), scaling.place());
    if let Some(field) = field {
        let is_percent = measure
            .get(field)
            .and_then(crate::autoscaler::reading::quantity_of)
            .is_some_and(|value| value > 1.0);
        let codec = if field == "hardwareUsage" && is_percent { PERCENT } else { Codec::Number };
        measure.read(&[Field::new(field, "threshold", codec)], "", into)?;
    }
    scaling.get("metric");
    measure.finish(into);
    if let Some(threshold) = scaling.get("threshold").filter(|_| field.is_none()) {
        let codec = match crate::autoscaler::reading::quantity_of(threshold) {
            Some(value) if value > 1.0 && strategy == "hardware_usage" => PERCENT,
            _ => Codec::Number,
        };
        scaling.read(&[Field::new("threshold", "threshold", codec)], "", into)?;
    }
    scaling.finish(into);
    if let Some(status) = root.get("status") {
        into.aside("status is what the endpoint reports, and not used".into(), &status.place);
    }
    Ok(translation)
}
