//! A HorizontalPodAutoscaler (autoscaling/v2, v2beta2 and v1) as it is deployed.

use serde_json::{Map, Value, json};

use super::part::{Part, put};
use super::quantity::parse_quantity;
use crate::autoscaler::manifest::Translation;

/// The settings of the first HorizontalPodAutoscaler among `documents`; `None` if there is none.
pub(in crate::autoscaler) fn translate(documents: &[Value]) -> Option<Result<Translation, String>> {
    let is_hpa = |document: &&Value| document["kind"] == "HorizontalPodAutoscaler";
    let mut found = documents.iter().filter(is_hpa);
    let first = found.next()?;
    Some(read(first).map(|mut translation| {
        if found.next().is_some() {
            translation
                .warnings
                .push("the file has several HorizontalPodAutoscalers: the first is taken".into());
        }
        translation
    }))
}

fn read(document: &Value) -> Result<Translation, String> {
    let version = document["apiVersion"].as_str().unwrap_or_default();
    if !["autoscaling/v2", "autoscaling/v2beta2", "autoscaling/v1"].contains(&version) {
        return Err(format!("apiVersion is \"{version}\": expected autoscaling/v2 (or v2beta2, or v1)"));
    }
    let (mut table, mut warnings) = (Map::new(), Vec::new());
    let spec = Part::new(document.get("spec"), "spec".into())?;
    // What it scales is the scenario's pool.
    spec.get("scaleTargetRef");
    put(&mut table, "min", spec.count("minReplicas")?);
    put(&mut table, "max", spec.count("maxReplicas")?);
    let mut metrics = Vec::new();
    if let Some(percent) = spec.count("targetCPUUtilizationPercentage")? {
        metrics.push(json!({"type": "resource", "name": "cpu", "average_utilization": percent}));
    }
    for part in spec.parts("metrics")? {
        metrics.push(metric(&part, metrics.len(), &mut warnings)?);
    }
    put(&mut table, "metrics", (!metrics.is_empty()).then_some(metrics));
    let behavior = spec.part("behavior")?;
    put(&mut table, "behavior", behavior_table(&behavior, &mut warnings)?);
    spec.finish(&mut warnings);
    Ok(Translation { kind: "hpa", table, warnings })
}

/// One of `spec.metrics`.
fn metric(part: &Part<'_>, index: usize, warnings: &mut Vec<String>) -> Result<Value, String> {
    let (source, field): (_, &'static str) = match part.text("type")? {
        Some("Resource") => ("resource", "resource"),
        Some("ContainerResource") => ("container_resource", "containerResource"),
        Some("Pods") => ("pods", "pods"),
        Some("Object") => ("object", "object"),
        Some("External") => ("external", "external"),
        other => {
            let found = other.map_or_else(|| "missing".to_owned(), |other| format!("\"{other}\""));
            let known = "Resource, ContainerResource, Pods, Object or External";
            return Err(format!("{}.type is {found}: expected {known}", part.path));
        }
    };
    let of_source = part.part(field)?;
    let is_resource = matches!(source, "resource" | "container_resource");
    let name = match is_resource {
        true => {
            of_source.get("container");
            of_source.text("name")?
        }
        false => {
            of_source.get("describedObject");
            let metric = of_source.part("metric")?;
            let name = metric.text("name")?;
            metric.finish(warnings);
            name
        }
    };
    let name = name.ok_or_else(|| format!("{} has no name", of_source.path))?;
    let mut table = Map::new();
    table.insert("type".into(), source.into());
    table.insert("name".into(), name.into());
    let signal = if is_resource { "utilization" } else { likely_signal(name) };
    if name != "cpu" {
        warnings.push(format!(
            "{} ({name}) is taken for signal = \"{signal}\"; autoscaler.metrics.{index}.signal sets another",
            part.path
        ));
        put(&mut table, "signal", Some(signal));
    }
    let target = of_source.part("target")?;
    target.get("type");
    put(&mut table, "average_utilization", target.count("averageUtilization")?);
    put(&mut table, "average_value", target.quantity("averageValue")?);
    put(&mut table, "value", target.quantity("value")?);
    target.finish(warnings);
    of_source.finish(warnings);
    part.finish(warnings);
    Ok(Value::Object(table))
}

/// What a metric of this name most likely measures.
pub(crate) fn likely_signal(name: &str) -> &'static str {
    const SIGNS: [(&[&str], &str); 5] = [
        (&["cache"], "kv_cache"),
        (&["waiting", "queue", "backlog", "pending"], "queue_length"),
        (&["running", "concurren", "active"], "concurrency"),
        (&["per_second", "persecond", "rps", "qps", "rate", "requests_total"], "request_rate"),
        (&["util"], "utilization"),
    ];
    let name = name.to_lowercase();
    let found = SIGNS.iter().find(|(signs, _)| signs.iter().any(|sign| name.contains(sign)));
    found.map_or("in_flight", |(_, signal)| signal)
}

/// `behavior` as the table of the scenario; `None` if there is none, which is not the same as an empty one.
pub(crate) fn behavior_table(part: &Part<'_>, warnings: &mut Vec<String>) -> Result<Option<Value>, String> {
    if part.is_absent() {
        return Ok(None);
    }
    let mut table = Map::new();
    for (field, key) in [("scaleUp", "scale_up"), ("scaleDown", "scale_down")] {
        let rules = part.part(field)?;
        if !rules.is_absent() {
            table.insert(key.into(), rules_table(&rules, warnings)?);
        }
    }
    part.finish(warnings);
    Ok(Some(Value::Object(table)))
}

fn rules_table(rules: &Part<'_>, warnings: &mut Vec<String>) -> Result<Value, String> {
    let mut table = Map::new();
    put(&mut table, "stabilization_window", rules.count("stabilizationWindowSeconds")?.map(seconds));
    put(&mut table, "select_policy", rules.text("selectPolicy")?.map(str::to_lowercase));
    if let Some(tolerance) = rules.quantity("tolerance")? {
        let number = match &tolerance {
            Value::String(text) => parse_quantity(text).map(|thousandths| thousandths as f64 / 1000.0),
            number => number.as_f64(),
        };
        let number =
            number.ok_or_else(|| format!("{}.tolerance is {tolerance}: expected a quantity", rules.path))?;
        table.insert("tolerance".into(), number.into());
    }
    let mut policies = Vec::new();
    for policy in rules.parts("policies")? {
        let kind = policy.text("type")?.map(str::to_lowercase);
        let (value, period) = (policy.count("value")?, policy.count("periodSeconds")?.map(seconds));
        policy.finish(warnings);
        policies.push(json!({"type": kind, "value": value, "period": period}));
    }
    put(&mut table, "policies", (!policies.is_empty()).then_some(policies));
    rules.finish(warnings);
    Ok(Value::Object(table))
}

/// Whole seconds as a duration of the scenario.
pub(crate) fn seconds(seconds: u64) -> String {
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::Autoscaler;
    use crate::autoscaler::manifest::translate_text as translate;
    use crate::schema::{Context, Node, Place};

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
        let table = serde_json::to_string(&translation.table).unwrap();
        assert_eq!(
            table,
            r#"{"behavior":{"scale_down":{"select_policy":"disabled","stabilization_window":"600s"},"scale_up":{"policies":[{"period":"60s","type":"pods","value":4}],"select_policy":"max","stabilization_window":"0s","tolerance":0.05}},"max":30,"metrics":[{"average_utilization":70,"name":"cpu","type":"resource"},{"average_value":"2500m","name":"vllm_num_requests_waiting","signal":"queue_length","type":"pods"},{"name":"backlog","signal":"queue_length","type":"external","value":"30"}],"min":2}"#
        );
        assert_eq!(
            translation.warnings,
            [
                "spec.metrics[1].pods.metric.selector is not modelled",
                "spec.metrics[1] (vllm_num_requests_waiting) is taken for signal = \"queue_length\"; autoscaler.metrics.1.signal sets another",
                "spec.metrics[2] (backlog) is taken for signal = \"queue_length\"; autoscaler.metrics.2.signal sets another",
                "spec.pause is not modelled",
            ]
        );
        let mut table = translation.table;
        table.insert("kind".into(), "hpa".into());
        let node = Node::from_json(&Value::Object(table), &Place::Nowhere);
        assert!(Autoscaler::read(&node, "autoscaler", &Context::default()).is_ok());
    }

    #[test]
    fn the_first_version_has_the_cpu_alone() {
        let text = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nspec: { maxReplicas: 5, targetCPUUtilizationPercentage: 60 }";
        let translation = translate(text).unwrap();
        assert_eq!(translation.table["metrics"][0]["average_utilization"], 60);
        assert!(translation.warnings.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_path() {
        let refused = |from: &str, to: &str| translate(&HPA.replace(from, to)).unwrap_err();
        assert!(refused("autoscaling/v2", "autoscaling/v3").starts_with("apiVersion is \"autoscaling/v3\""));
        assert_eq!(
            refused("maxReplicas: 30", "maxReplicas: many"),
            "spec.maxReplicas is \"many\": expected a whole number, 0 or more"
        );
        assert!(
            refused("type: Pods\n", "type: Pod\n").starts_with("spec.metrics[1].type is \"Pod\": expected")
        );
    }
}
