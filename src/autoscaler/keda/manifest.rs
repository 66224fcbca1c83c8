//! A ScaledObject (keda.sh/v1alpha1) as it is deployed.

use super::formula::{OverSignals, composite, over_signals};
use super::manifest_trigger::{
    FormulaTrigger, METRIC_TYPE, cron_of_formula, formula_trigger, is_resource, trigger,
};
use super::settings::INSTANCES;
use crate::autoscaler::Signal;
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Question, Target, TargetKind, Translation, Watch,
    behavior, of_kind,
};
use crate::schema::{Data, Node, Problem, Table};

/// A ScaledObject.
pub(in crate::autoscaler) const FORM: Form = Form { name: "a KEDA ScaledObject", find, read };

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
            ("scalingModifiers", "scaling_modifiers"),
        ]),
    ),
];

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    of_kind(documents, "keda.sh/", "ScaledObject")
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let mut translation = manifest.translation("keda");
    let into = &mut translation;
    let root = Fields::of(candidate.node, "", false)?;
    annotations(&root, into)?;
    let spec = root.object("spec")?;
    let target = spec.object("scaleTargetRef")?;
    let workload = target.text("name")?;
    target.finish_known(&["apiVersion", "kind", "envSourceContainerName"], into);
    scaled(&spec, (manifest, workload), into)?;
    spec.finish(into);
    root.finish_object(into);
    if let Some(status) = root.get("status") {
        into.aside("status is what the cluster reports, and not used".into(), &status.place);
    }
    Ok(translation)
}

/// What a ScaledObject says of scaling, wherever it stands.
///
/// # Errors
/// A field is not written as it has to be.
pub(in crate::autoscaler) fn scaled(
    spec: &Fields<'_>,
    around: (&Manifest<'_>, Option<&str>),
    into: &mut Translation,
) -> Result<(), Problem> {
    spec.read(SPEC, "", into)?;
    let fallback = spec.object("fallback")?;
    if !fallback.is_absent() {
        into.set("fallback".into(), Data::Table(Table::EMPTY), fallback.place());
        fallback.read(FALLBACK, "fallback", into)?;
    }
    fallback.finish(into);
    let advanced = spec.object("advanced")?;
    let config = advanced.object("horizontalPodAutoscalerConfig")?;
    if let Some(node) = config.get("name") {
        into.aside(format!("{} is what the HPA is called", config.path_of("name")), &node.place);
    }
    behavior::read(&config.object("behavior")?, into)?;
    config.finish(into);
    const RESTORE: &str = "restoreToOriginalReplicaCount";
    if let Some(node) = advanced.get(RESTORE) {
        let path = advanced.path_of(RESTORE);
        into.aside(format!("{path} applies when the object is deleted"), &node.place);
    }
    let modifiers = advanced.object("scalingModifiers")?;
    let place = spec.get("triggers").map_or(spec.place(), |triggers| &triggers.place);
    into.set("triggers".into(), Data::Array(Vec::new()), place);
    let triggers = spec.objects("triggers")?;
    if modifiers.get("formula").is_some() {
        let is_kept = fallback.text("behavior")? == Some("scalingModifiers");
        by_formula(&modifiers, (&triggers, is_kept), around, into)?;
    } else {
        for (index, part) in triggers.iter().enumerate() {
            trigger(part, index, around, into)?;
        }
    }
    modifiers.finish(into);
    advanced.finish(into);
    Ok(())
}

/// A formula takes the place of every external trigger: one of what it comes to, with a target of its own. It stays a formula
/// if it `is_kept`, since a fallback needs it.
fn by_formula(
    modifiers: &Fields<'_>,
    (triggers, is_kept): (&[Fields<'_>], bool),
    around: (&Manifest<'_>, Option<&str>),
    into: &mut Translation,
) -> Result<(), Problem> {
    let formula = modifiers.text("formula")?.unwrap_or_default();
    if modifiers.get("target").is_none() {
        return Err(modifiers.missing("target", "what the formula is compared with"));
    }
    let (mut measures, mut crons, mut cached) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 1;
    for part in triggers {
        if is_resource(part)? {
            trigger(part, count, around, into)?;
            count += 1;
        } else {
            let FormulaTrigger { measure, is_cached } = formula_trigger(part, into)?;
            measures.extend(measure);
            cached.push(is_cached);
            if let (Some("cron"), Some(name)) = (part.text("type")?, part.text("name")?) {
                crons.push((part, name));
            }
        }
    }
    let key = "triggers.0".to_owned();
    into.set(key.clone(), Data::Table(Table::EMPTY), modifiers.place());
    for (name, value) in [("type", "external"), ("name", "composite-metric")] {
        into.set(format!("{key}.{name}"), Data::Text(value.into()), modifiers.place());
    }
    if cached.contains(&true) {
        into.set(format!("{key}.use_cached_metrics"), Data::Bool(true), modifiers.place());
        if cached.contains(&false) {
            let note = "some triggers of the formula use cached metrics and some do not: all are taken to, as of the last poll";
            into.note(note.into(), modifiers.place());
        }
    }
    let is_value = modifiers.text("metricType")? == Some("Value");
    let is_recorded = into.is_as_written();
    modifiers.read(&[Field::new("metricType", "metric_type", METRIC_TYPE)], &key, into)?;
    let watch = Watch {
        key,
        path: format!("{} ({formula})", modifiers.path_of("formula")),
        place: modifiers.place(),
        example: None,
    };
    let target = Target {
        kind: if is_value { TargetKind::Value } else { TargetKind::AverageValue },
        fields: modifiers,
        name: "target",
        keys: ["threshold", "threshold"],
        type_key: Some(("metric_type", ["average_value", "value"])),
        activation: Some(("activationTarget", "activation_threshold")),
    };
    let single = match is_kept || is_recorded {
        true => Err("the formula itself is needed".into()),
        false => composite(formula, &measures),
    };
    let cron_name = |name: &str| if is_recorded { name.to_owned() } else { unlike_signals(name) };
    let names: Vec<(String, String)> =
        crons.iter().map(|(_, name)| ((*name).to_owned(), cron_name(name))).collect();
    let place = modifiers.get("formula").map_or(modifiers.place(), |node| &node.place);
    if single.is_err() && !crons.is_empty() {
        let key = format!("{}.crons", watch.key);
        into.set(key.clone(), Data::Array(Vec::new()), place);
        for (index, ((part, _), (_, name))) in crons.iter().zip(&names).enumerate() {
            cron_of_formula(part, name, &format!("{key}.{index}"), into)?;
        }
    }
    // A recording has the values of the triggers themselves.
    let written = match (is_recorded, single.is_err()) {
        (true, _) => Ok(OverSignals { text: formula.to_owned(), quantile: None, notes: Vec::new() }),
        (false, true) => over_signals(formula, &measures, &names),
        (false, false) => Err(String::new()),
    };
    match written {
        Ok(OverSignals { text, quantile, notes }) => {
            into.set(format!("{}.formula", watch.key), Data::Text(text), place);
            if let Some(quantile) = quantile {
                into.set(format!("{}.quantile", watch.key), Data::Float(quantile), place);
            }
            for note in notes {
                into.note(format!("{}: {note}", watch.path), place);
            }
            modifiers.read(
                &[
                    Field::new("target", "threshold", Codec::Quantity),
                    Field::new("activationTarget", "activation_threshold", Codec::NumberText),
                ],
                &watch.key,
                into,
            )
        }
        Err(why) if single.is_err() => {
            into.ask(Question {
                key: format!("{}.formula", watch.key),
                why: format!("{}: {why}", watch.path),
                label: "expected the formula over signals of the simulator: request_rate, in_flight, concurrency, queue_length, utilization, kv_cache, latency, ttft, tpot, and instances".into(),
                line: format!("{}.formula = \"concurrency + 10 * queue_length\"", watch.key),
                place: place.clone(),
            });
            modifiers.read(
                &[
                    Field::new("target", "threshold", Codec::Quantity),
                    Field::new("activationTarget", "activation_threshold", Codec::NumberText),
                ],
                &watch.key,
                into,
            )
        }
        Err(_) => watch.put(single, &target, into),
    }
}

/// A name for a cron trigger that is none of a signal.
fn unlike_signals(name: &str) -> String {
    let is_signal = name == INSTANCES || Signal::ALL.iter().any(|signal| signal.name() == name);
    if is_signal { format!("{name}_cron") } else { name.to_owned() }
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
            r#"{"behavior":{"scale_down":{"stabilization_window":"60s"}},"cooldown_period":"120s","fallback":{"behavior":"current_replicas_if_higher","failure_threshold":3,"replicas":6},"max":40,"min":0,"pause_scale_in":true,"polling_interval":"15s","triggers":[{"activation_threshold":5,"name":"rabbitmq","signal":"queue_length","threshold":"20","type":"external"},{"metric_type":"utilization","threshold":"70","type":"cpu"},{"desired":5,"end":"0 18 * * *","start":"0 8 * * *","time_zone":"Europe/Berlin","type":"cron"}]}"#
        );
        assert_eq!(
            translation.warnings(),
            [
                "metadata.annotations.autoscaling.keda.sh/colour is not modelled",
                "spec.triggers[2] (cron) goes by the clock: `starts_at` and `time_zone` in `[autoscaler]` say when the run starts, else it is Monday 2026-01-05, 00:00 UTC",
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
        assert_eq!(refused, "`spec.triggers[0].metadata` has no target: expected threshold");
    }

    fn trigger(trigger: &str) -> String {
        format!("apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nspec:\n  triggers:\n  - {trigger}\n")
    }

    #[test]
    fn a_query_is_converted_into_the_unit_of_its_signal() {
        let read = |query: &str, more: &str| {
            let text = format!(
                "{{ type: prometheus, metadata: {{ query: '{query}', threshold: '70', activationThreshold: '5' }}{more} }}"
            );
            translate(&trigger(&text)).unwrap().json()["triggers"][0].clone()
        };
        let gpu = read("avg(DCGM_FI_DEV_GPU_UTIL)", "");
        assert_eq!((&gpu["threshold"], &gpu["activation_threshold"]), (&0.7.into(), &0.05.into()));
        let minutes = read("sum(increase(http_requests_total[1m]))", "");
        assert_eq!(
            (&minutes["signal"], &minutes["threshold"]),
            (&"request_rate".into(), &1.166666666667.into())
        );
        // A mean of a count is the mean under AverageValue, and the total in equal parts under Value.
        let mean = read("avg(vllm:num_requests_waiting)", "");
        assert_eq!((&mean["per"], &mean["threshold"]), (&"instance".into(), &"70".into()));
        let mean = read("avg(vllm:num_requests_waiting)", ", metricType: Value");
        assert_eq!((&mean["per"], &mean["metric_type"]), (&serde_json::Value::Null, &"average_value".into()));
    }

    #[test]
    fn what_a_trigger_or_a_formula_does_not_settle_is_asked_for() {
        let asked = |text: &str| {
            let translation = translate(&trigger(text)).unwrap();
            translation.questions().iter().map(|question| question.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(asked("{ type: gcp-stackdriver, metadata: { filter: f } }"), ["triggers.0.signal"]);
        assert_eq!(asked("{ type: postgresql, metadata: { targetQueryValue: '3' } }"), ["triggers.0.signal"]);
        assert_eq!(
            asked("{ type: cpu, metricType: AverageValue, metadata: { value: 500m } }"),
            ["requests.cpu"]
        );
        assert!(asked("{ type: kafka, metadata: {} }").is_empty());
        let unknown = translate(&trigger("{ type: rabitmq, metadata: {} }")).unwrap_err();
        assert!(unknown.starts_with("KEDA has no scaler \"rabitmq\""), "{unknown}");
        let cron = "type: cron, metadata: { timezone: Europe/Berlin, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: '5' }";
        let formula = trigger("{ name: q, type: kafka, metadata: {} }")
            + &format!("  - {{ name: office, {cron} }}\n")
            + "  advanced: { scalingModifiers: { formula: 'max(q, office * 10)', target: '10' } }\n";
        let table = translate(&formula).unwrap().json();
        let expected = "{\"crons\":[{\"desired\":5,\"end\":\"0 18 * * *\",\"name\":\"office\",\"start\":\"0 8 * * *\",\"time_zone\":\"Europe/Berlin\"}],\"formula\":\"max(in_flight, office * 10)\",\"name\":\"composite-metric\",\"threshold\":\"10\",\"type\":\"external\"}";
        assert_eq!(table["triggers"][0].to_string(), expected);
        let formula = trigger("{ type: kafka, metadata: {} }")
            + "  advanced: { scalingModifiers: { formula: a + b, target: '5' } }\n";
        let translation = translate(&formula).unwrap();
        let asked: Vec<_> = translation.questions().iter().map(|question| question.key.as_str()).collect();
        assert_eq!(asked, ["triggers.0.formula"]);
    }
}
