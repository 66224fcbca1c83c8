//! KServe's LLMInferenceService where it scales: by KEDA, or by llm-d's variant autoscaler.

use crate::autoscaler::keda;
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, manifest_place, of_kind,
};
use crate::schema::{Data, Node, Problem};

/// An LLMInferenceService of KServe.
pub(super) const FORM: Form = Form { name: "a KServe LLMInferenceService", find, read };

const BOUNDS: [Field; 2] =
    [Field::new("minReplicas", "min", Codec::Count), Field::new("maxReplicas", "max", Codec::Count)];

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    of_kind(documents, "serving.kserve.io/", "LLMInferenceService")
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let root = Fields::of(candidate.node, "", false)?;
    let spec = root.object("spec")?;
    let scaling = spec.object("scaling")?;
    let [by_wva, by_keda] = [scaling.object("wva")?, scaling.object("keda")?];
    let kind = match (by_wva.is_absent(), by_keda.is_absent()) {
        (false, _) => "llm_d",
        (true, false) => "keda",
        (true, true) => {
            let message =
                "the LLMInferenceService does not scale: `spec.scaling` has neither `keda` nor `wva`";
            let label = "expected one of them; of a fixed number of replicas write kind = \"fixed\"";
            return Err(Problem::new(&manifest_place(scaling.place()), message, label));
        }
    };
    let mut translation = manifest.translation(kind);
    let into = &mut translation;
    scaling.read(&BOUNDS, "", into)?;
    if !into.sets("min") {
        into.set("min".into(), Data::Integer(1), scaling.place());
    }
    if kind == "keda" {
        keda::manifest::scaled(&by_keda, (manifest, None), into)?;
        by_keda.finish(into);
    } else {
        for (name, place) in by_wva.rest() {
            into.unused(
                format!(
                    "{} is not modelled: the number of the variant autoscaler takes effect at once",
                    by_wva.path_of(name)
                ),
                place,
            );
        }
    }
    scaling.finish(into);
    if let Some(prefill) = spec.get("prefill") {
        into.unused(
            format!("{} has replicas of its own, and is not simulated", spec.path_of("prefill")),
            &prefill.place,
        );
    }
    Ok(translation)
}
