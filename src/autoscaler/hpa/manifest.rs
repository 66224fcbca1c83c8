//! A HorizontalPodAutoscaler (autoscaling/v2, v2beta2 and v1) as it is deployed.

use crate::autoscaler::reading::{
    Codec, Field, Fields, Translation, behavior, likely_signal, manifest_place, text_of,
};
use crate::schema::{Data, Node, Problem, Table};

const SPEC: &[Field] =
    &[Field::new("minReplicas", "min", Codec::Count), Field::new("maxReplicas", "max", Codec::Count)];
/// The one metric of the first version.
const CPU: &[Field] =
    &[Field::alias("targetCPUUtilizationPercentage", "metrics.0.average_utilization", Codec::Percent)];
const TARGET: &[Field] = &[
    Field::new("averageUtilization", "average_utilization", Codec::Percent),
    Field::new("averageValue", "average_value", Codec::Quantity),
    Field::new("value", "value", Codec::Quantity),
];

/// The settings of the first HorizontalPodAutoscaler among `documents`; `None` if there is none.
pub(in crate::autoscaler) fn translate(documents: &[Node]) -> Option<Result<Translation, Problem>> {
    let is_hpa = |document: &&Node| text_of(document, "kind") == Some("HorizontalPodAutoscaler");
    let mut found = documents.iter().filter(is_hpa);
    let first = found.next()?;
    Some(read(first).map(|mut translation| {
        if let Some(further) = found.next() {
            let note = "the file has several HorizontalPodAutoscalers: the first is taken";
            translation.note(note.into(), &further.place);
        }
        translation
    }))
}

fn read(document: &Node) -> Result<Translation, Problem> {
    let root = Fields::of(document, "", false)?;
    let version = root.text("apiVersion")?.unwrap_or_default();
    if !["autoscaling/v2", "autoscaling/v2beta2", "autoscaling/v1"].contains(&version) {
        let at = root.get("apiVersion").unwrap_or(document);
        let message = format!("`apiVersion` is \"{version}\"");
        let expected = "expected autoscaling/v2 (or v2beta2, or v1)";
        return Err(Problem::new(&manifest_place(&at.place), message, expected));
    }
    let mut translation = Translation::new("hpa");
    let spec = root.object("spec")?;
    // What it scales is the scenario's pool.
    spec.get("scaleTargetRef");
    spec.read(SPEC, "", &mut translation)?;
    let mut count = 0;
    if let Some(percent) = spec.get("targetCPUUtilizationPercentage") {
        let text = |text: &str| Data::Text(text.into());
        translation.set("metrics.0.type".into(), text("resource"), &percent.place);
        translation.set("metrics.0.name".into(), text("cpu"), &percent.place);
        spec.read(CPU, "", &mut translation)?;
        count = 1;
    }
    for part in spec.objects("metrics")? {
        metric(&part, count, &mut translation)?;
        count += 1;
    }
    behavior::read(&spec.object("behavior")?, &mut translation)?;
    spec.finish(&mut translation);
    Ok(translation)
}

/// One of `spec.metrics`.
fn metric(part: &Fields<'_>, index: usize, into: &mut Translation) -> Result<(), Problem> {
    const KNOWN: &str = "Resource, ContainerResource, Pods, Object or External";
    let (source, field) = match part.get("type") {
        None => return Err(part.missing("type", KNOWN)),
        Some(node) => match &node.data {
            Data::Text(text) => match text.as_str() {
                "Resource" => ("resource", "resource"),
                "ContainerResource" => ("container_resource", "containerResource"),
                "Pods" => ("pods", "pods"),
                "Object" => ("object", "object"),
                "External" => ("external", "external"),
                _ => return Err(part.wrong("type", node, KNOWN)),
            },
            _ => return Err(part.wrong("type", node, KNOWN)),
        },
    };
    let key = format!("metrics.{index}");
    into.set(key.clone(), Data::Table(Table::EMPTY), part.place());
    let of_source = part.object(field)?;
    let is_resource = matches!(source, "resource" | "container_resource");
    let name = match is_resource {
        true => {
            of_source.get("container");
            of_source.text("name")?
        }
        false => {
            of_source.get("describedObject");
            let metric = of_source.object("metric")?;
            let name = metric.text("name")?;
            metric.finish(into);
            name
        }
    };
    let name = name.ok_or_else(|| of_source.missing("name", "the name of the metric"))?;
    into.set(format!("{key}.type"), Data::Text(source.into()), part.place());
    into.set(format!("{key}.name"), Data::Text(name.into()), part.place());
    let signal = if is_resource { "utilization" } else { likely_signal(name) };
    if name != "cpu" {
        let note = format!(
            "{} ({name}) is taken for signal = \"{signal}\"; autoscaler.{key}.signal sets another",
            part.path()
        );
        into.note(note, part.place());
        into.set(format!("{key}.signal"), Data::Text(signal.into()), part.place());
    }
    let target = of_source.object("target")?;
    target.get("type");
    target.read(TARGET, &key, into)?;
    target.finish(into);
    of_source.finish(into);
    part.finish(into);
    Ok(())
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
    external: { metric: { name: backlog }, target: { type: Value, value: '30' } }
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
            r#"{"behavior":{"scale_down":{"select_policy":"disabled","stabilization_window":"600s"},"scale_up":{"policies":[{"period":"60s","type":"pods","value":4}],"select_policy":"max","stabilization_window":"0s","tolerance":0.05}},"max":30,"metrics":[{"average_utilization":70,"name":"cpu","type":"resource"},{"average_value":"2500m","name":"vllm_num_requests_waiting","signal":"queue_length","type":"pods"},{"name":"backlog","signal":"queue_length","type":"external","value":"30"}],"min":2}"#
        );
        assert_eq!(
            translation.warnings(),
            [
                "spec.metrics[1].pods.metric.selector is not modelled",
                "spec.metrics[1] (vllm_num_requests_waiting) is taken for signal = \"queue_length\"; autoscaler.metrics.1.signal sets another",
                "spec.metrics[2] (backlog) is taken for signal = \"queue_length\"; autoscaler.metrics.2.signal sets another",
                "spec.pause is not modelled",
            ]
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
}
