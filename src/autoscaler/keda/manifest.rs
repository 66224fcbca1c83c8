//! A ScaledObject (keda.sh/v1alpha1) as it is deployed.

use serde_json::{Map, Value};

use crate::autoscaler::hpa::manifest::{behavior_table, likely_signal, seconds};
use crate::autoscaler::hpa::part::{Part, put};
use crate::autoscaler::manifest::Translation;

/// What scalers call their target, and the value from which on they are active.
const THRESHOLDS: [&str; 12] = [
    "threshold",
    "value",
    "queueLength",
    "lagThreshold",
    "listLength",
    "messageCount",
    "subscriptionSize",
    "targetValue",
    "targetQueryValue",
    "queryValue",
    "pendingEntriesCount",
    "targetMetricValue",
];
const ACTIVATIONS: [&str; 9] = [
    "activationThreshold",
    "activationValue",
    "activationQueueLength",
    "activationLagThreshold",
    "activationListLength",
    "activationMessageCount",
    "activationTargetValue",
    "activationTargetQueryValue",
    "activationQueryValue",
];

/// Scalers whose target has a default: that of KEDA's documentation.
const DEFAULT_THRESHOLDS: [(&str, u64); 8] = [
    ("aws-sqs-queue", 5),
    ("azure-queue", 5),
    ("azure-servicebus", 5),
    ("redis", 5),
    ("redis-cluster", 5),
    ("kafka", 10),
    ("apache-kafka", 10),
    ("gcp-pubsub", 10),
];

/// Annotations that pause or force scaling, and the key each sets.
const ANNOTATIONS: [(&str, &str); 5] = [
    ("autoscaling.keda.sh/paused", "paused"),
    ("autoscaling.keda.sh/paused-replicas", "paused_replicas"),
    ("autoscaling.keda.sh/paused-scale-in", "pause_scale_in"),
    ("autoscaling.keda.sh/paused-scale-out", "pause_scale_out"),
    ("autoscaling.keda.sh/force-activation", "force_activation"),
];

/// The settings of the first ScaledObject among `documents`; `None` if there is none.
pub(in crate::autoscaler) fn translate(documents: &[Value]) -> Option<Result<Translation, String>> {
    let is_scaled = |document: &&Value| {
        document["kind"] == "ScaledObject"
            && document["apiVersion"].as_str().is_some_and(|version| version.starts_with("keda.sh/"))
    };
    let mut found = documents.iter().filter(is_scaled);
    let first = found.next()?;
    Some(read(first).map(|mut translation| {
        if found.next().is_some() {
            translation.warnings.push("the file has several ScaledObjects: the first is taken".into());
        }
        translation
    }))
}

fn read(document: &Value) -> Result<Translation, String> {
    let (mut table, mut warnings) = (Map::new(), Vec::new());
    annotations(document, &mut table, &mut warnings)?;
    let spec = Part::new(document.get("spec"), "spec".into())?;
    // What it scales is the scenario's pool.
    spec.get("scaleTargetRef");
    put(&mut table, "min", spec.count("minReplicaCount")?);
    put(&mut table, "max", spec.count("maxReplicaCount")?);
    put(&mut table, "idle", spec.count("idleReplicaCount")?);
    put(&mut table, "polling_interval", spec.count("pollingInterval")?.map(seconds));
    put(&mut table, "cooldown_period", spec.count("cooldownPeriod")?.map(seconds));
    put(&mut table, "initial_cooldown_period", spec.count("initialCooldownPeriod")?.map(seconds));
    put(&mut table, "fallback", fallback(&spec.part("fallback")?, &mut warnings)?);
    let advanced = spec.part("advanced")?;
    let config = advanced.part("horizontalPodAutoscalerConfig")?;
    config.get("name");
    put(&mut table, "behavior", behavior_table(&config.part("behavior")?, &mut warnings)?);
    config.finish(&mut warnings);
    // Applies when the scaled object is deleted.
    advanced.get("restoreToOriginalReplicaCount");
    advanced.finish(&mut warnings);
    let mut triggers = Vec::new();
    for part in spec.parts("triggers")? {
        if let Some(trigger) = trigger(&part, triggers.len(), &mut warnings)? {
            triggers.push(trigger);
        }
    }
    put(&mut table, "triggers", Some(triggers));
    spec.finish(&mut warnings);
    Ok(Translation { kind: "keda", table, warnings })
}

fn annotations(
    document: &Value,
    table: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    let path = "metadata.annotations";
    for (name, value) in document["metadata"]["annotations"].as_object().into_iter().flatten() {
        let known = ANNOTATIONS.iter().find(|(annotation, _)| annotation == name);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match known {
            None if name.contains("keda.sh/") => warnings.push(format!("{path}.{name} is not modelled")),
            None => {}
            Some((_, key @ "paused_replicas")) => {
                let count: u64 =
                    text.parse().map_err(|_| format!("{path}.{name} is \"{text}\": expected a count"))?;
                put(table, key, Some(count));
            }
            Some((_, key)) => match text.as_str() {
                "true" | "false" => put(table, key, Some(text == "true")),
                _ => return Err(format!("{path}.{name} is \"{text}\": expected \"true\" or \"false\"")),
            },
        }
    }
    Ok(())
}

fn fallback(part: &Part<'_>, warnings: &mut Vec<String>) -> Result<Option<Value>, String> {
    if part.is_absent() {
        return Ok(None);
    }
    let mut table = Map::new();
    put(&mut table, "failure_threshold", part.count("failureThreshold")?);
    put(&mut table, "replicas", part.count("replicas")?);
    let behavior = match part.text("behavior")? {
        None => None,
        Some("static") => Some("static"),
        Some("currentReplicas") => Some("current_replicas"),
        Some("currentReplicasIfHigher") => Some("current_replicas_if_higher"),
        Some("currentReplicasIfLower") => Some("current_replicas_if_lower"),
        Some(other) => {
            return Err(format!(
                "{}.behavior is \"{other}\": expected static, currentReplicas, currentReplicasIfHigher or currentReplicasIfLower",
                part.path
            ));
        }
    };
    put(&mut table, "behavior", behavior);
    part.finish(warnings);
    Ok(Some(Value::Object(table)))
}

/// One of `spec.triggers`; `None` for one that is left out, which is named.
fn trigger(part: &Part<'_>, index: usize, warnings: &mut Vec<String>) -> Result<Option<Value>, String> {
    let scaler = part.text("type")?.ok_or_else(|| format!("{}.type is missing", part.path))?;
    if scaler == "cron" {
        warnings.push(format!("{} (cron) is not modelled and left out", part.path));
        return Ok(None);
    }
    let metadata = part.part("metadata")?;
    let mut table = Map::new();
    let is_resource = matches!(scaler, "cpu" | "memory");
    table.insert("type".into(), if is_resource { scaler } else { "external" }.into());
    let of_metadata = metadata.text("type")?.filter(|_| is_resource);
    let metric_type = match part.text("metricType")?.or(of_metadata) {
        None => None,
        Some("AverageValue") => Some("average_value"),
        Some("Value") => Some("value"),
        Some("Utilization") => Some("utilization"),
        Some(other) => {
            let known = "expected AverageValue, Value or Utilization";
            return Err(format!("{}.metricType is \"{other}\": {known}", part.path));
        }
    };
    put(&mut table, "metric_type", metric_type);
    let threshold = match first(&metadata, &THRESHOLDS)? {
        Some(threshold) => threshold,
        None => DEFAULT_THRESHOLDS
            .iter()
            .find(|(known, _)| *known == scaler)
            .map(|(_, threshold)| Value::from(*threshold))
            .ok_or_else(|| {
                format!("{} has no target; known are: {}", metadata.path, THRESHOLDS.join(", "))
            })?,
    };
    table.insert("threshold".into(), threshold);
    if let Some(activation) = first(&metadata, &ACTIVATIONS)? {
        let number = activation.as_f64().or_else(|| activation.as_str()?.trim().parse().ok());
        let number = number.ok_or_else(|| {
            format!("{}: the activation threshold is {activation}: expected a number", metadata.path)
        })?;
        table.insert("activation_threshold".into(), number.into());
    }
    let name = part.text("name")?;
    if !is_resource {
        put(&mut table, "name", Some(name.unwrap_or(scaler)));
        let query = metadata.text("query")?.or(metadata.text("metricName")?);
        // Queues count what is being worked on too: a message leaves them when it is done.
        let signal = query.map_or("in_flight", likely_signal);
        put(&mut table, "signal", Some(signal));
        let rest = metadata.rest();
        let also = if rest.is_empty() { String::new() } else { format!(": {}", rest.join(", ")) };
        warnings.push(format!(
            "{} ({scaler}{also}) is taken for signal = \"{signal}\"; autoscaler.triggers.{index}.signal sets another",
            part.path
        ));
    } else {
        metadata.finish(warnings);
    }
    // Who may read the metric changes nothing.
    part.get("authenticationRef");
    if part.get("useCachedMetrics") == Some(&Value::Bool(true)) {
        warnings.push(format!("{}.useCachedMetrics is not modelled", part.path));
    }
    part.finish(warnings);
    Ok(Some(Value::Object(table)))
}

/// The first of `names` that `part` has.
fn first(part: &Part<'_>, names: &[&'static str]) -> Result<Option<Value>, String> {
    for name in names {
        if let Some(value) = part.quantity(name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::Autoscaler;
    use crate::autoscaler::manifest::translate_text as translate;
    use crate::schema::{Context, Node, Place};

    const SCALED: &str = "
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: worker, annotations: { autoscaling.keda.sh/paused-scale-in: 'true', autoscaling.keda.sh/colour: blue } }
spec:
  scaleTargetRef: { name: worker }
  pollingInterval: 15
  cooldownPeriod: 120
  minReplicaCount: 0
  maxReplicaCount: 40
  fallback: { failureThreshold: 3, replicas: 6, behavior: currentReplicasIfHigher }
  advanced:
    restoreToOriginalReplicaCount: true
    scalingModifiers: { formula: a + b }
    horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } }
  triggers:
  - type: rabbitmq
    metadata: { queueName: jobs, mode: QueueLength, value: '20', activationValue: '5' }
  - type: cpu
    metricType: Utilization
    metadata: { value: '70' }
  - type: cron
    metadata: { timezone: Europe/Berlin, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: '5' }
";

    #[test]
    fn a_manifest_becomes_the_table_and_what_is_unknown_is_named() {
        let translation = translate(SCALED).unwrap();
        assert_eq!(translation.kind, "keda");
        let table = serde_json::to_string(&translation.table).unwrap();
        assert_eq!(
            table,
            r#"{"behavior":{"scale_down":{"stabilization_window":"60s"}},"cooldown_period":"120s","fallback":{"behavior":"current_replicas_if_higher","failure_threshold":3,"replicas":6},"max":40,"min":0,"pause_scale_in":true,"polling_interval":"15s","triggers":[{"activation_threshold":5.0,"name":"rabbitmq","signal":"in_flight","threshold":"20","type":"external"},{"metric_type":"utilization","threshold":"70","type":"cpu"}]}"#
        );
        assert_eq!(
            translation.warnings,
            [
                "metadata.annotations.autoscaling.keda.sh/colour is not modelled",
                "spec.advanced.scalingModifiers is not modelled",
                "spec.triggers[0] (rabbitmq: mode, queueName) is taken for signal = \"in_flight\"; autoscaler.triggers.0.signal sets another",
                "spec.triggers[2] (cron) is not modelled and left out",
            ]
        );
        let mut table = translation.table;
        table.insert("kind".into(), "keda".into());
        let node = Node::from_json(&Value::Object(table), &Place::Nowhere);
        assert!(Autoscaler::read(&node, "autoscaler", &Context::default()).is_ok());
    }

    #[test]
    fn a_query_says_what_it_measures_and_queues_have_a_default_length() {
        let text = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nspec:\n  triggers:\n  - { type: prometheus, metadata: { query: 'sum(rate(http_requests_total[1m]))', threshold: '2.5' } }\n  - { type: aws-sqs-queue, metadata: { queueURL: a } }";
        let table = translate(text).unwrap().table;
        assert_eq!(table["triggers"][0]["signal"], "request_rate");
        assert_eq!(table["triggers"][1]["threshold"], 5);
        let refused = translate(&text.replace("threshold", "limit")).unwrap_err();
        assert!(refused.starts_with("spec.triggers[0].metadata has no target; known are: threshold,"));
    }
}
