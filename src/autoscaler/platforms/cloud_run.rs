//! Cloud Run as its second interface has it. The first, which has the form of a Knative Service, is read in `kpa`.

use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, field_of, text_of,
};
use crate::schema::{Node, Problem};

/// A Cloud Run service of API version 2.
pub(super) const FORM: Form = Form { name: "a Cloud Run service (v2)", find, read };

const SCALING: [Field; 2] = [
    Field::new("minInstanceCount", "min_instances", Codec::Count),
    Field::new("maxInstanceCount", "max_instances", Codec::Count),
];

/// Bounds of the service as a whole.
const SERVICE: [Field; 2] = [
    Field::alias("minInstanceCount", "min_instances", Codec::Count),
    Field::alias("maxInstanceCount", "max_instances", Codec::Count),
];

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let is_service = |document: &&Node| {
        let template = field_of(document, "template");
        text_of(document, "kind").is_none()
            && template.is_some_and(|template| {
                field_of(template, "containers").is_some()
                    && (field_of(template, "scaling").is_some()
                        || field_of(template, "maxInstanceRequestConcurrency").is_some()
                        || field_of(document, "scaling").is_some())
            })
    };
    let candidate = |node| {
        let name = text_of(node, "name").unwrap_or_default().to_owned();
        Candidate { kind: "Cloud Run service", name, node }
    };
    documents.iter().filter(is_service).map(candidate).collect()
}

fn read(candidate: &Candidate<'_>, _: &Manifest<'_>) -> Result<Translation, Problem> {
    let mut translation = Translation::new("cloud_run");
    let into = &mut translation;
    let root = Fields::of(candidate.node, "", false)?;
    let template = root.object("template")?;
    let scaling = template.object("scaling")?;
    scaling.read(&SCALING, "", into)?;
    scaling.finish(into);
    template.read(
        &[Field::new("maxInstanceRequestConcurrency", "max_concurrency", Codec::Count)],
        "",
        into,
    )?;
    if let Some(timeout) = template.get("timeout") {
        into.note(
            "template.timeout is not part of the autoscaler: see dispatch.timeout".into(),
            &timeout.place,
        );
    }
    // What the service says stands above what its revision says.
    let service = root.object("scaling")?;
    if let Some(mode) = service
        .get("scalingMode")
        .filter(|_| service.text("scalingMode").is_ok_and(|mode| mode == Some("MANUAL")))
    {
        return Err(service.wrong(
            "scalingMode",
            mode,
            "automatic scaling: of a fixed number write kind = \"fixed\"",
        ));
    }
    service.read(&SERVICE, "", into)?;
    service.finish(into);
    Ok(translation)
}
