//! A ScaledObject (keda.sh/v1alpha1) as it is deployed.

use crate::autoscaler::reading::{
    Codec, Field, Fields, Translation, behavior, likely_signal, manifest_place, text_of,
};
use crate::schema::{Data, Node, Problem, Table};

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
const DEFAULT_THRESHOLDS: [(&str, i64); 8] = [
    ("aws-sqs-queue", 5),
    ("azure-queue", 5),
    ("azure-servicebus", 5),
    ("redis", 5),
    ("redis-cluster", 5),
    ("kafka", 10),
    ("apache-kafka", 10),
    ("gcp-pubsub", 10),
];

/// Annotations that pause or force scaling; their names begin with [`OWN`].
const ANNOTATIONS: &[Field] = &[
    Field::new("paused", "paused", Codec::BoolText),
    Field::new("paused-replicas", "paused_replicas", Codec::NumberText),
    Field::new("paused-scale-in", "pause_scale_in", Codec::BoolText),
    Field::new("paused-scale-out", "pause_scale_out", Codec::BoolText),
    Field::new("force-activation", "force_activation", Codec::BoolText),
];
const OWN: &str = "autoscaling.keda.sh/";
const SPEC: &[Field] = &[
    Field::new("minReplicaCount", "min", Codec::Count),
    Field::new("maxReplicaCount", "max", Codec::Count),
    Field::new("idleReplicaCount", "idle", Codec::Count),
    Field::new("pollingInterval", "polling_interval", Codec::WholeSeconds),
    Field::new("cooldownPeriod", "cooldown_period", Codec::WholeSeconds),
    Field::new("initialCooldownPeriod", "initial_cooldown_period", Codec::WholeSeconds),
];
const FALLBACK: &[Field] = &[
    Field::new("failureThreshold", "failure_threshold", Codec::Count),
    Field::new("replicas", "replicas", Codec::Count),
    Field::new(
        "behavior",
        "behavior",
        Codec::Names(&[
            ("static", "static"),
            ("currentReplicas", "current_replicas"),
            ("currentReplicasIfHigher", "current_replicas_if_higher"),
            ("currentReplicasIfLower", "current_replicas_if_lower"),
        ]),
    ),
];
const METRIC_TYPE: Codec =
    Codec::Names(&[("AverageValue", "average_value"), ("Value", "value"), ("Utilization", "utilization")]);

/// The settings of the first ScaledObject among `documents`; `None` if there is none.
pub(in crate::autoscaler) fn translate(documents: &[Node]) -> Option<Result<Translation, Problem>> {
    let is_scaled = |document: &&Node| {
        text_of(document, "kind") == Some("ScaledObject")
            && text_of(document, "apiVersion").is_some_and(|version| version.starts_with("keda.sh/"))
    };
    let mut found = documents.iter().filter(is_scaled);
    let first = found.next()?;
    Some(read(first).map(|mut translation| {
        if let Some(further) = found.next() {
            let note = "the file has several ScaledObjects: the first is taken";
            translation.note(note.into(), &further.place);
        }
        translation
    }))
}

fn read(document: &Node) -> Result<Translation, Problem> {
    let mut translation = Translation::new("keda");
    let into = &mut translation;
    let root = Fields::of(document, "", false)?;
    annotations(&root, into)?;
    let spec = root.object("spec")?;
    // What it scales is the scenario's pool.
    spec.get("scaleTargetRef");
    spec.read(SPEC, "", into)?;
    let fallback = spec.object("fallback")?;
    if !fallback.is_absent() {
        into.set("fallback".into(), Data::Table(Table::EMPTY), fallback.place());
        fallback.read(FALLBACK, "fallback", into)?;
    }
    fallback.finish(into);
    let advanced = spec.object("advanced")?;
    let config = advanced.object("horizontalPodAutoscalerConfig")?;
    config.get("name");
    behavior::read(&config.object("behavior")?, into)?;
    config.finish(into);
    // Applies when the scaled object is deleted.
    advanced.get("restoreToOriginalReplicaCount");
    advanced.finish(into);
    let place = spec.get("triggers").map_or(spec.place(), |triggers| &triggers.place);
    into.set("triggers".into(), Data::Array(Vec::new()), place);
    let mut count = 0;
    for part in spec.objects("triggers")? {
        count += usize::from(trigger(&part, count, into)?);
    }
    spec.finish(into);
    Ok(translation)
}

fn annotations(root: &Fields<'_>, into: &mut Translation) -> Result<(), Problem> {
    // What is no object of annotations is none of KEDA's.
    let Ok(metadata) = root.object("metadata") else { return Ok(()) };
    let Ok(annotations) = metadata.object("annotations") else { return Ok(()) };
    let annotations = annotations.beneath(OWN);
    annotations.read(ANNOTATIONS, "", into)?;
    let annotations = annotations.beneath("");
    for (name, place) in annotations.rest().into_iter().filter(|(name, _)| name.contains("keda.sh/")) {
        into.unused(format!("{} is not modelled", annotations.path_of(name)), place);
    }
    Ok(())
}

/// One of `spec.triggers`; false for one that is left out, which is named.
fn trigger(part: &Fields<'_>, index: usize, into: &mut Translation) -> Result<bool, Problem> {
    let scaler = part.text("type")?.ok_or_else(|| part.missing("type", "the name of a scaler"))?;
    if scaler == "cron" {
        into.unused(format!("{} (cron) is not modelled and left out", part.path()), part.place());
        return Ok(false);
    }
    let key = format!("triggers.{index}");
    into.set(key.clone(), Data::Table(Table::EMPTY), part.place());
    let metadata = part.object("metadata")?;
    let is_resource = matches!(scaler, "cpu" | "memory");
    let kind = if is_resource { scaler } else { "external" };
    into.set(format!("{key}.type"), Data::Text(kind.into()), part.place());
    let of_metadata = metadata.get("type");
    let has_metric_type = part.get("metricType").is_some();
    if is_resource && of_metadata.is_some() && !has_metric_type {
        metadata.read(&[Field::alias("type", "metric_type", METRIC_TYPE)], &key, into)?;
    } else {
        part.read(&[Field::new("metricType", "metric_type", METRIC_TYPE)], &key, into)?;
    }
    target(scaler, &metadata, &key, into)?;
    let name = part.text("name")?;
    if !is_resource {
        into.set(format!("{key}.name"), Data::Text(name.unwrap_or(scaler).into()), part.place());
        let query = metadata.text("query")?.or(metadata.text("metricName")?);
        // Queues count what is being worked on too: a message leaves them when it is done.
        let signal = query.map_or("in_flight", likely_signal);
        into.set(format!("{key}.signal"), Data::Text(signal.into()), part.place());
        let rest: Vec<&str> = metadata.rest().into_iter().map(|(name, _)| name).collect();
        let also = if rest.is_empty() { String::new() } else { format!(": {}", rest.join(", ")) };
        let note = format!(
            "{} ({scaler}{also}) is taken for signal = \"{signal}\"; autoscaler.{key}.signal sets another",
            part.path()
        );
        into.note(note, part.place());
    } else {
        metadata.finish(into);
    }
    // Who may read the metric changes nothing.
    part.get("authenticationRef");
    if let Some(cached) = part.get("useCachedMetrics")
        && cached.data == Data::Bool(true)
    {
        into.unused(format!("{}.useCachedMetrics is not modelled", part.path()), &cached.place);
    }
    part.finish(into);
    Ok(true)
}

/// The target of a trigger and the value from which on it is active: the first of the names that it has.
fn target(scaler: &str, metadata: &Fields<'_>, key: &str, into: &mut Translation) -> Result<(), Problem> {
    let first = |names: &[&'static str]| names.iter().copied().find(|name| metadata.get(name).is_some());
    match first(&THRESHOLDS) {
        Some(name) => metadata.read(&[Field::new(name, "threshold", Codec::Quantity)], key, into)?,
        None => {
            let default = DEFAULT_THRESHOLDS.iter().find(|(known, _)| *known == scaler);
            let (_, threshold) = default.ok_or_else(|| {
                let message = format!("`{}` has no target", metadata.path());
                let known = format!("known are: {}", THRESHOLDS.join(", "));
                Problem::new(&manifest_place(metadata.place()), message, known)
            })?;
            into.set(format!("{key}.threshold"), Data::Integer(*threshold), metadata.place());
        }
    }
    match first(&ACTIVATIONS) {
        Some(name) => {
            metadata.read(&[Field::new(name, "activation_threshold", Codec::NumberText)], key, into)
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::autoscaler::manifest::translate_text as translate;

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
        let table = translation.json().to_string();
        assert_eq!(
            table,
            r#"{"behavior":{"scale_down":{"stabilization_window":"60s"}},"cooldown_period":"120s","fallback":{"behavior":"current_replicas_if_higher","failure_threshold":3,"replicas":6},"max":40,"min":0,"pause_scale_in":true,"polling_interval":"15s","triggers":[{"activation_threshold":5,"name":"rabbitmq","signal":"in_flight","threshold":"20","type":"external"},{"metric_type":"utilization","threshold":"70","type":"cpu"}]}"#
        );
        assert_eq!(
            translation.warnings(),
            [
                "metadata.annotations.autoscaling.keda.sh/colour is not modelled",
                "spec.advanced.scalingModifiers is not modelled",
                "spec.triggers[0] (rabbitmq: mode, queueName) is taken for signal = \"in_flight\"; autoscaler.triggers.0.signal sets another",
                "spec.triggers[2] (cron) is not modelled and left out",
            ]
        );
        assert!(translation.autoscaler().is_ok());
    }

    #[test]
    fn a_query_says_what_it_measures_and_queues_have_a_default_length() {
        let text = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nspec:\n  triggers:\n  - { type: prometheus, metadata: { query: 'sum(rate(http_requests_total[1m]))', threshold: '2.5' } }\n  - { type: aws-sqs-queue, metadata: { queueURL: a } }";
        let table = translate(text).unwrap().json();
        assert_eq!(table["triggers"][0]["signal"], "request_rate");
        assert_eq!(table["triggers"][1]["threshold"], 5);
        let refused = translate(&text.replace("threshold", "limit")).unwrap_err();
        assert!(refused.starts_with("`spec.triggers[0].metadata` has no target: known are: threshold,"));
    }
}
