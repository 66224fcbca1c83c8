//! A HorizontalPodAutoscaler (autoscaling/v2, v2beta2, v2beta1 and v1 with its annotations) as it is deployed.

use super::manifest_metric::{NEW, OLD, SOURCES, metric};
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, behavior, field_of, manifest_place, of_kind,
};
use crate::document::edit::parse_embedded;
use crate::schema::{Data, Node, Place, Problem, Table};

/// A HorizontalPodAutoscaler.
pub(in crate::autoscaler) const FORM: Form = Form { name: "a HorizontalPodAutoscaler", find, read };

const VERSIONS: [&str; 4] =
    ["autoscaling/v2", "autoscaling/v2beta2", "autoscaling/v2beta1", "autoscaling/v1"];

const SPEC: &[Field] =
    &[Field::new("minReplicas", "min", Codec::Count), Field::new("maxReplicas", "max", Codec::Count)];
/// The one metric of the first version.
const CPU: &[Field] =
    &[Field::alias("targetCPUUtilizationPercentage", "metrics.0.average_utilization", Codec::Percent)];
/// What the first version holds in annotations, under this prefix.
const ALPHA: &str = "autoscaling.alpha.kubernetes.io/";

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let mut found = of_kind(documents, "autoscaling/", "HorizontalPodAutoscaler");
    // KEDA makes one for each of its objects, and decides what it is.
    if !of_kind(documents, "keda.sh/", "ScaledObject").is_empty() {
        found.retain(|candidate| !candidate.name.starts_with("keda-hpa-"));
    }
    found
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let document = candidate.node;
    let root = Fields::of(document, "", false)?;
    let version = root.text("apiVersion")?.unwrap_or_default();
    if !VERSIONS.contains(&version) {
        let at = root.get("apiVersion").unwrap_or(document);
        let message = format!("`apiVersion` is \"{version}\"");
        let expected = format!("expected one of {}", VERSIONS.join(", "));
        return Err(Problem::new(&manifest_place(&at.place), message, expected));
    }
    let mut translation = manifest.translation("hpa");
    let into = &mut translation;
    let spec = root.object("spec")?;
    let target = spec.object("scaleTargetRef")?;
    let workload = target.text("name")?;
    target.finish_known(&["apiVersion", "kind"], into);
    spec.read(SPEC, "", into)?;
    let mut count = 0;
    if let Some(percent) = spec.get("targetCPUUtilizationPercentage") {
        let text = |text: &str| Data::Text(text.into());
        into.set("metrics.0.type".into(), text("resource"), &percent.place);
        into.set("metrics.0.name".into(), text("cpu"), &percent.place);
        spec.read(CPU, "", into)?;
        count = 1;
    }
    of_version(&spec, version)?;
    for part in spec.objects("metrics")? {
        metric(&part, count, (manifest, workload), into)?;
        count += 1;
    }
    // The older versions have no such field that could be added.
    if matches!(version, "autoscaling/v2" | "autoscaling/v2beta2") {
        behavior::read(&spec.object("behavior")?, into)?;
    }
    annotations(&root, count, (manifest, workload), into)?;
    spec.finish(into);
    root.finish_object(into);
    zero(&spec, into)?;
    if let Some(status) = field_of(document, "status") {
        into.aside("status is what the cluster reports, and not used".into(), &status.place);
    }
    Ok(translation)
}

/// Refuses fields of another version, as the API server does.
fn of_version(spec: &Fields<'_>, version: &str) -> Result<(), Problem> {
    let refuse = |fields: &Fields<'_>, name: &str, theirs: &str| match fields.get(name) {
        Some(node) => {
            let message = format!("`{}` is a field of {theirs}, and this is {version}", fields.path_of(name));
            let label = format!("expected the fields of {version}, or apiVersion: {theirs}");
            Err(Problem::new(&manifest_place(&node.place), message, label))
        }
        None => Ok(()),
    };
    if version == "autoscaling/v1" {
        refuse(spec, "metrics", VERSIONS[0])?;
        return refuse(spec, "behavior", VERSIONS[0]);
    }
    refuse(spec, "targetCPUUtilizationPercentage", "autoscaling/v1")?;
    if version == "autoscaling/v2beta1" {
        return refuse(spec, "behavior", VERSIONS[0]);
    }
    for part in spec.objects("metrics")? {
        for source in SOURCES {
            let source = part.object(source)?;
            OLD.iter().try_for_each(|name| refuse(&source, name, "autoscaling/v2beta1"))?;
            for name in NEW {
                if let Some(node) = source.get(name) {
                    let (stray, home) = (source.path_of(name), source.path_of("target"));
                    let message = format!("`{stray}` stands in the wrong place");
                    let problem =
                        Problem::new(&manifest_place(&node.place), message, "expected it in the target");
                    return Err(problem.help(format!("did you mean `{home}.{name}`?")));
                }
            }
        }
    }
    Ok(())
}

/// Refuses what the API server refuses: a minimum of zero without a metric that is there while there is no pod.
fn zero(spec: &Fields<'_>, into: &Translation) -> Result<(), Problem> {
    let Some(min) = spec.get("minReplicas").filter(|_| into.value("min") == Some(&Data::Integer(0))) else {
        return Ok(());
    };
    let is_beyond_pods = |kind: &str| {
        let of = |index: usize| into.value(&format!("metrics.{index}.type"));
        (0..).map_while(of).any(|found| *found == Data::Text(kind.into()))
    };
    if is_beyond_pods("object") || is_beyond_pods("external") {
        return Ok(());
    }
    let expected = "1 or more, or a metric of type Object or External beside: Kubernetes takes a minimum of 0 with one of them only";
    Err(spec.wrong("minReplicas", min, expected))
}

/// Metrics and behavior that the first version holds in annotations as JSON.
fn annotations(
    root: &Fields<'_>,
    count: usize,
    around: (&Manifest<'_>, Option<&str>),
    into: &mut Translation,
) -> Result<(), Problem> {
    let Ok(metadata) = root.object("metadata") else { return Ok(()) };
    let Ok(annotations) = metadata.object("annotations") else { return Ok(()) };
    let annotations = annotations.beneath(ALPHA);
    if let Some(list) = embedded(&annotations, "metrics")? {
        let Data::Array(items) = &list.data else {
            return Err(annotations.wrong("metrics", &list, "a list as JSON"));
        };
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", annotations.path_of("metrics"));
            metric(&Fields::of(item, path, false)?, count + index, around, into)?;
        }
    }
    if let Some(rules) = embedded(&annotations, "behavior")? {
        let rules = lower_names(&rules);
        behavior::read(&Fields::of(&rules, annotations.path_of("behavior"), false)?, into)?;
    }
    for name in ["conditions", "current-metrics"] {
        if let Some(node) = annotations.get(name) {
            let path = annotations.path_of(name);
            into.aside(format!("{path} is what the cluster reports, and not used"), &node.place);
        }
    }
    annotations.finish(into);
    Ok(())
}

/// An annotation that holds a document.
fn embedded(annotations: &Fields<'_>, name: &str) -> Result<Option<Node>, Problem> {
    let Some(text) = annotations.text(name)? else { return Ok(None) };
    let Some(node) = annotations.get(name) else { return Ok(None) };
    let place = manifest_place(&node.place);
    let path = annotations.path_of(name);
    let wrong = |why: String| Problem::new(&place, format!("`{path}` is no JSON"), why);
    let documents = parse_embedded(node, text).map_err(|fault| wrong(fault.message))?;
    match documents.into_iter().next() {
        Some(document) => Ok(Some(document)),
        None => Err(wrong("expected a document".into())),
    }
}

/// The same with the first letter of every name in lower case: the annotation is written with and without capitals.
fn lower_names(node: &Node) -> Node {
    let data = match &node.data {
        Data::Table(table) => {
            let mut lower = Table::EMPTY;
            for (name, _, value) in table.iter() {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
                lower.insert(&(first + letters.as_str()), lower_names(value));
            }
            Data::Table(lower)
        }
        Data::Array(items) => Data::Array(items.iter().map(lower_names).collect()),
        other => other.clone(),
    };
    // A text within a text has no bytes of its own to be changed.
    let place = node.place.span().map_or(Place::Nowhere, |span| Place::Manifest(span.clone()));
    Node { data, place }
}

#[cfg(test)]
mod tests {
    use crate::autoscaler::manifest::translate_text as translate;

    const HPA: &str = "
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: chat }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: chat }
  minReplicas: 2
  maxReplicas: 30
  metrics:
  - type: Resource
    resource: { name: cpu, target: { type: Utilization, averageUtilization: 70 } }
  - type: Pods
    pods:
      metric: { name: vllm_num_requests_waiting, selector: { matchLabels: { model: a } } }
      target: { type: AverageValue, averageValue: 2500m }
  - type: External
    external: { metric: { name: rabbitmq_queue_messages_ready }, target: { type: Value, value: '30' } }
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      selectPolicy: Max
      tolerance: 0.05
      policies: [{ type: Pods, value: 4, periodSeconds: 60 }]
    scaleDown: { stabilizationWindowSeconds: 600, selectPolicy: Disabled }
  pause: true
";

    #[test]
    fn a_manifest_becomes_the_table_and_what_is_unknown_is_named() {
        let translation = translate(HPA).unwrap();
        assert_eq!(translation.kind, "hpa");
        let table = translation.json().to_string();
        assert_eq!(
            table,
            r#"{"behavior":{"scale_down":{"select_policy":"disabled","stabilization_window":"600s"},"scale_up":{"policies":[{"period":"60s","type":"pods","value":4}],"select_policy":"max","stabilization_window":"0s","tolerance":0.05}},"max":30,"metrics":[{"average_utilization":70,"name":"cpu","type":"resource"},{"average_value":"2500m","name":"vllm_num_requests_waiting","signal":"queue_length","type":"pods"},{"name":"rabbitmq_queue_messages_ready","signal":"queue_length","type":"external","value":"30"}],"min":2}"#
        );
        assert_eq!(
            translation.warnings(),
            ["spec.metrics[1].pods.metric.selector is not modelled", "spec.pause is not modelled",]
        );
        assert!(translation.autoscaler().is_ok());
    }

    #[test]
    fn the_first_version_has_the_cpu_alone() {
        let text = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nspec: { maxReplicas: 5, targetCPUUtilizationPercentage: 60 }";
        let translation = translate(text).unwrap();
        assert_eq!(translation.json()["metrics"][0]["average_utilization"], 60);
        assert!(translation.warnings().is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_path() {
        let refused = |from: &str, to: &str| translate(&HPA.replace(from, to)).unwrap_err();
        assert!(
            refused("autoscaling/v2", "autoscaling/v3").starts_with("`apiVersion` is \"autoscaling/v3\"")
        );
        assert_eq!(
            refused("maxReplicas: 30", "maxReplicas: many"),
            "`spec.maxReplicas` is \"many\": expected a whole number, 0 or more"
        );
        assert!(
            refused("type: Pods\n", "type: Pod\n").starts_with("`spec.metrics[1].type` is \"Pod\": expected")
        );
    }

    #[test]
    fn older_versions_say_the_same_in_other_fields() {
        let text = "apiVersion: autoscaling/v2beta1\nkind: HorizontalPodAutoscaler\nspec: { maxReplicas: 8, metrics: [\
                    {type: Resource, resource: {name: cpu, targetAverageUtilization: 75}}, \
                    {type: Object, object: {metricName: requests-per-second, target: {kind: Ingress, name: m}, targetValue: 2k}}, \
                    {type: External, external: {metricName: queue_of_ours, targetAverageValue: '30'}}] }";
        let translation = translate(text).unwrap();
        let table = translation.json();
        assert_eq!(table["metrics"][0]["average_utilization"], 75);
        assert_eq!(
            (&table["metrics"][1]["value"], &table["metrics"][1]["signal"]),
            (&"2k".into(), &"request_rate".into())
        );
        let asked: Vec<&str> = translation.questions().iter().map(|question| question.key.as_str()).collect();
        assert_eq!(asked, ["metrics.2.signal"]);
    }

    #[test]
    fn percentages_become_shares_and_resources_need_what_a_pod_requests() {
        let gpu =
            HPA.replace("vllm_num_requests_waiting", "gpu_utilization_percent").replace("2500m", "'20'");
        let table = translate(&gpu).unwrap().json();
        assert_eq!(
            (&table["metrics"][1]["average_value"], &table["metrics"][1]["signal"]),
            (&0.2.into(), &"utilization".into())
        );
        let cores = HPA.replace(
            "{ type: Utilization, averageUtilization: 70 }",
            "{ type: AverageValue, averageValue: 500m }",
        );
        let asked = translate(&cores).unwrap();
        assert_eq!(asked.questions()[0].key, "requests.cpu");
        let workload = "---\nkind: Deployment\nmetadata: { name: chat }\nspec: { template: { spec: { containers: [\
                        { name: a, resources: { requests: { cpu: '2' } } }] } } }\n";
        let known = translate(&format!("{cores}{workload}")).unwrap();
        assert_eq!(known.json()["metrics"][0]["average_utilization"], 25);
    }

    #[test]
    fn annotations_of_the_first_version_hold_metrics_and_behavior() {
        let text = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata:\n  annotations:\n    \
                    autoscaling.alpha.kubernetes.io/metrics: '[{\"type\":\"Pods\",\"pods\":{\"metricName\":\"http_requests_per_second\",\"targetAverageValue\":\"10\"}}]'\n    \
                    autoscaling.alpha.kubernetes.io/behavior: '{\"ScaleDown\":{\"StabilizationWindowSeconds\":120,\"Policies\":[{\"Type\":\"Percent\",\"Value\":50,\"PeriodSeconds\":60}]}}'\n    \
                    autoscaling.alpha.kubernetes.io/conditions: '[]'\nspec: { maxReplicas: 5, targetCPUUtilizationPercentage: 60 }";
        let translation = translate(text).unwrap();
        let table = translation.json();
        assert_eq!(table["metrics"][0]["average_utilization"], 60);
        assert_eq!(
            (&table["metrics"][1]["signal"], &table["metrics"][1]["average_value"]),
            (&"request_rate".into(), &"10".into())
        );
        assert_eq!(table["behavior"]["scale_down"]["stabilization_window"], "120s");
        assert!(translation.remarks()[0].text.contains("conditions"), "{:?}", translation.remarks());
    }
}
