//! What is recognised and not read: each by name, with the reason and what to do instead.

use std::sync::Arc;

use super::{field_of, manifest_place, metadata_name, text_of};
use crate::document::{Source, Span};
use crate::schema::{Node, Place, Problem};

/// Texts that are the source of a manifest rather than one, by what they hold.
pub(crate) fn refused_text(source: &Arc<Source>) -> Option<Problem> {
    let text = source.text();
    let at = |start: usize, length: usize| Place::Manifest(Span::new(source, start..start + length));
    let refuse = |start: usize, length: usize, what: &str, label: &str| {
        Some(Problem::new(&at(start, length), format!("the file is {what}"), label))
    };
    let name = source.name().to_lowercase();
    if name.ends_with(".bicep") {
        let label = "expected JSON: compile it with `az bicep build --file FILE.bicep`, and give the result";
        return refuse(0, 0, "Bicep", label);
    }
    if let Some(start) = text.find("{{").filter(|start| is_template(&text[*start..])) {
        let label = "expected a manifest: render it with `helm template CHART`, and give the result";
        return refuse(start, 2, "a Helm template", label);
    }
    let ytt = text.lines().find(|line| line.trim_start().starts_with("#@"));
    if let Some(start) = ytt.and_then(|line| text.find(line)) {
        let label = "expected a manifest: render it with `ytt -f FILE`, and give the result";
        return refuse(start, 2, "a template of ytt", label);
    }
    let is_python = name.ends_with(".py")
        || text.lines().any(|line| line.starts_with("import ") || line.starts_with("@app."));
    if is_python {
        let start = text.find("@").unwrap_or(0);
        let label = "Python source is not read: write the arguments of its decorator as `[autoscaler]`: of Modal \
                     min_containers, max_containers, buffer_containers, scaledown_window, max_inputs and target_inputs";
        return refuse(start, usize::from(start > 0), "Python source", label);
    }
    None
}

/// Whether what begins with two braces is an action of a template.
fn is_template(text: &str) -> bool {
    let inner = text.trim_start_matches('{').trim_start_matches('-').trim_start();
    let actions = [
        "if ",
        "else",
        "end",
        "range ",
        "with ",
        "include ",
        "template ",
        "define ",
        "toYaml ",
        "tpl ",
        "$",
        "/*",
    ];
    inner.starts_with(".Values")
        || inner.starts_with('.')
        || actions.iter().any(|action| inner.starts_with(action))
}

/// Kinds of Kubernetes and shapes of other systems that have no model here.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("keda.sh/", "ScaledJob", "a ScaledJob of KEDA", "it starts jobs, and is no autoscaler of an endpoint"),
    (
        "autoscaling.aibrix.ai/",
        "PodAutoscaler",
        "a PodAutoscaler of AIBrix",
        "its strategies KPA and APA differ from Knative's and Kubernetes' own and are not simulated: write the nearest as `[autoscaler]`",
    ),
    (
        "mlops.seldon.io/",
        "Model",
        "a Model of Seldon Core 2",
        "it scales by the lag of its inference, which is not simulated",
    ),
    (
        "mlops.seldon.io/",
        "Server",
        "a Server of Seldon Core 2",
        "it scales with its models, which is not simulated",
    ),
    (
        "autoscaling.k8s.io/",
        "VerticalPodAutoscaler",
        "a VerticalPodAutoscaler",
        "it changes the size of pods, not their number",
    ),
    ("", "AutoscalingPolicy", "an AutoscalingPolicy of kthena", "its rules are not simulated"),
    ("", "AutoscalingPolicyBinding", "an AutoscalingPolicyBinding of kthena", "its rules are not simulated"),
    (
        "llmd.ai/",
        "VariantAutoscaling",
        "a VariantAutoscaling of llm-d",
        "its bounds stand in the HPA or ScaledObject that follows it, and its thresholds in the ConfigMap wva-saturation-scaling-config: give that one",
    ),
    (
        "kustomize.config.k8s.io/",
        "Kustomization",
        "a Kustomization",
        "build it with `kubectl kustomize DIR`, and give the result",
    ),
    (
        "http.keda.sh/",
        "HTTPScaledObject",
        "an HTTPScaledObject of KEDA's HTTP add-on",
        "its interceptor counts the requests: write kind = \"keda\" with a trigger of the signal \"in_flight\" (its concurrency) or \"request_rate\"",
    ),
    (
        "argoproj.io/",
        "Rollout",
        "a Rollout",
        "it has no autoscaler in this file: give its HorizontalPodAutoscaler or ScaledObject too",
    ),
    (
        "apps/",
        "Deployment",
        "a Deployment",
        "it has no autoscaler in this file: give its HorizontalPodAutoscaler or ScaledObject too",
    ),
    (
        "apps/",
        "StatefulSet",
        "a StatefulSet",
        "it has no autoscaler in this file: give its HorizontalPodAutoscaler or ScaledObject too",
    ),
];

/// The problem of an object that is recognised and not read.
pub(crate) fn refused_object(document: &Node) -> Option<Problem> {
    let kind = text_of(document, "kind").unwrap_or_default();
    let api = text_of(document, "apiVersion").unwrap_or_default();
    let known = KINDS.iter().find(|(group, name, ..)| kind == *name && api.starts_with(group));
    let at = |name: &str| {
        let node = field_of(document, name).unwrap_or(document);
        manifest_place(&node.place)
    };
    if let Some((_, _, what, why)) = known {
        return Some(Problem::new(&at("kind"), format!("the manifest is {what}"), *why));
    }
    if kind == "ConfigMap" && metadata_name(document) == Some("config-autoscaler") {
        let label = "it has defaults alone: give the Knative Service in the same file";
        return Some(Problem::new(&at("kind"), "the manifest is Knative's config-autoscaler", label));
    }
    if field_of(document, "op").is_some() && field_of(document, "path").is_some() {
        let label = "build what it is a patch of with `kubectl kustomize DIR`, and give the result";
        return Some(Problem::new(&at("op"), "the file is a patch of JSON", label));
    }
    let bounds = ["minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount"];
    let has_bounds = |name: &str| {
        field_of(document, name).filter(|values| bounds.iter().any(|bound| field_of(values, bound).is_some()))
    };
    let values = ["autoscaling", "hpa", "keda"].iter().find_map(|name| has_bounds(name));
    if let Some(values) = values.filter(|_| kind.is_empty() && api.is_empty()) {
        let label = "expected a manifest: render it with `helm template CHART -f FILE`, and give the result";
        return Some(Problem::new(
            &manifest_place(&values.place),
            "the file holds the values of a Helm chart",
            label,
        ));
    }
    let vertex = ["deployedModel", "automaticResources"];
    let model = field_of(document, vertex[0]).unwrap_or(document);
    if let Some(automatic) = field_of(model, vertex[1]) {
        return Some(Problem::new(
            &manifest_place(&automatic.place),
            "the model has `automaticResources`",
            "Vertex AI scales them by rules that it does not publish: expected `dedicatedResources`",
        ));
    }
    let is_kustomization = field_of(document, "resources").is_some()
        && kind.is_empty()
        && field_of(document, "patches").is_some();
    is_kustomization.then(|| {
        Problem::new(
            &at("resources"),
            "the manifest is a Kustomization",
            "build it with `kubectl kustomize DIR`, and give the result",
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::autoscaler::manifest::translate;
    use crate::document::Source;

    fn refused(name: &str, text: &str) -> String {
        let problem = translate(&Source::new(name, text)).unwrap_err();
        format!("{}: {}", problem.message, problem.label)
    }

    #[test]
    fn what_is_no_manifest_yet_is_named_with_the_command_that_makes_one() {
        let helm = "{{- if .Values.a }}\nkind: HorizontalPodAutoscaler\n{{- end }}\n";
        assert!(refused("a.yaml", helm).contains("helm template"));
        assert!(
            refused("a.yaml", "kind: HorizontalPodAutoscaler\nspec: {maxReplicas: \"{{ .Values.max }}\"}")
                .contains("Helm")
        );
        assert!(refused("a.bicep", "resource a 'x' = {}").contains("az bicep build"));
        assert!(
            refused("a.py", "import modal\n@app.cls(gpu=\"L4\")\nclass M: ...\n").contains("min_containers")
        );
        assert!(refused("a.yaml", "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\n").contains("jobs"));
        assert!(
            refused("a.yaml", "apiVersion: apps/v1\nkind: Deployment\n")
                .contains("no autoscaler in this file")
        );
    }
}
