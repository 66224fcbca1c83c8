//! Seldon's SeldonDeployment: the HPA or the ScaledObject that it makes for a component.

use crate::autoscaler::hpa::manifest_metric::metric;
use crate::autoscaler::keda;
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, field_of, manifest_place, metadata_name,
    of_kind, text_of,
};
use crate::schema::{Data, Node, Problem};

/// A SeldonDeployment.
pub(super) const FORM: Form = Form { name: "a SeldonDeployment", find, read };

const HPA: [Field; 2] =
    [Field::new("minReplicas", "min", Codec::Count), Field::new("maxReplicas", "max", Codec::Count)];

/// A candidate for each component that scales; the deployment itself where none does.
fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    for deployment in of_kind(documents, "machinelearning.seldon.io/", "SeldonDeployment") {
        let name = metadata_name(deployment.node).unwrap_or_default();
        let before = found.len();
        for predictor in items(field_of(deployment.node, "spec"), "predictors") {
            let predictor_name = text_of(predictor, "name").unwrap_or("predictor");
            let components = items(Some(predictor), "componentSpecs");
            let scaling = components.iter().filter(|component| scales(component));
            found.extend(scaling.map(|node| Candidate {
                kind: "SeldonDeployment",
                name: format!("{name}/{predictor_name}"),
                node,
            }));
        }
        if found.len() == before {
            found.push(deployment);
        }
    }
    found
}

fn items<'a>(node: Option<&'a Node>, name: &str) -> &'a [Node] {
    match node.and_then(|node| field_of(node, name)) {
        Some(Node { data: Data::Array(items), .. }) => items,
        _ => &[],
    }
}

fn scales(component: &Node) -> bool {
    field_of(component, "hpaSpec").is_some() || field_of(component, "kedaSpec").is_some()
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let component = Fields::of(candidate.node, "", false)?;
    let (hpa, scaled) = (component.object("hpaSpec")?, component.object("kedaSpec")?);
    if !hpa.is_absent() {
        let mut translation = manifest.translation("hpa");
        let into = &mut translation;
        hpa.read(&HPA, "", into)?;
        // The newer list holds the newer form.
        let mut count = 0;
        for list in ["metricsv2", "metrics"] {
            for part in hpa.objects(list)? {
                metric(&part, count, (manifest, None), into)?;
                count += 1;
            }
        }
        hpa.finish(into);
        return Ok(translation);
    }
    if !scaled.is_absent() {
        let mut translation = manifest.translation("keda");
        keda::manifest::scaled(&scaled, (manifest, None), &mut translation)?;
        scaled.finish(&mut translation);
        return Ok(translation);
    }
    let message = "none of the components of the SeldonDeployment scales";
    let label = "expected one with `hpaSpec` or `kedaSpec`";
    Err(Problem::new(&manifest_place(&candidate.node.place), message, label))
}
