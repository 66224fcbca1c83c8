//! Knative Services (and Configurations and Revisions) with their annotations, the `config-autoscaler` config map beside
//! them, and Cloud Run services, which have the same form.

use serde_json::{Map, Value};

use super::super::manifest::Translation;

/// Annotations of a revision, without their prefix, in both spellings that Knative reads, and the key each sets.
const ANNOTATIONS: &[(&str, &str, &str, Form)] = &[
    ("metric", "metric", "metric", Form::Text),
    ("target", "target", "target", Form::Number),
    (
        "target-utilization-percentage",
        "targetUtilizationPercentage",
        "target_utilization_percentage",
        Form::Percentage,
    ),
    ("min-scale", "minScale", "min_scale", Form::Number),
    ("max-scale", "maxScale", "max_scale", Form::Number),
    ("initial-scale", "initialScale", "initial_scale", Form::Number),
    ("activation-scale", "activationScale", "activation_scale", Form::Number),
    ("window", "window", "stable_window", Form::Duration),
    ("panic-window-percentage", "panicWindowPercentage", "panic_window_percentage", Form::Number),
    ("panic-threshold-percentage", "panicThresholdPercentage", "panic_threshold_percentage", Form::Number),
    ("target-burst-capacity", "targetBurstCapacity", "target_burst_capacity", Form::Number),
    ("scale-down-delay", "scaleDownDelay", "scale_down_delay", Form::Duration),
    (
        "scale-to-zero-pod-retention-period",
        "scaleToZeroPodRetentionPeriod",
        "scale_to_zero_pod_retention_period",
        Form::Duration,
    ),
    (
        "metric-aggregation-algorithm",
        "metricAggregationAlgorithm",
        "metric_aggregation_algorithm",
        Form::Text,
    ),
];

/// Keys of `config-autoscaler`, and the key each sets.
const CONFIG: &[(&str, &str, Form)] = &[
    ("container-concurrency-target-percentage", "target_utilization_percentage", Form::Number),
    ("container-concurrency-target-default", "container_concurrency_target_default", Form::Number),
    ("requests-per-second-target-default", "requests_per_second_target_default", Form::Number),
    ("target-burst-capacity", "target_burst_capacity", Form::Number),
    ("stable-window", "stable_window", Form::Duration),
    ("panic-window-percentage", "panic_window_percentage", Form::Number),
    ("panic-threshold-percentage", "panic_threshold_percentage", Form::Number),
    ("max-scale-up-rate", "max_scale_up_rate", Form::Number),
    ("max-scale-down-rate", "max_scale_down_rate", Form::Number),
    ("enable-scale-to-zero", "enable_scale_to_zero", Form::Bool),
    ("scale-to-zero-grace-period", "scale_to_zero_grace_period", Form::Duration),
    ("scale-to-zero-pod-retention-period", "scale_to_zero_pod_retention_period", Form::Duration),
    ("activator-capacity", "activator_capacity", Form::Number),
    ("initial-scale", "initial_scale", Form::Number),
    ("min-scale", "min_scale", Form::Number),
    ("max-scale", "max_scale", Form::Number),
    ("scale-down-delay", "scale_down_delay", Form::Duration),
];

/// Keys of `config-autoscaler` that change nothing in a simulation, or nothing beyond what other keys say.
const WITHOUT_EFFECT: [&str; 3] = ["_example", "allow-zero-initial-scale", "pod-autoscaler-class"];

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Number,
    /// Always a percentage, where the key of the scenario reads up to 1 as a fraction.
    Percentage,
    Duration,
    Text,
    Bool,
}

const AUTOSCALING: &str = "autoscaling.knative.dev/";
const CLOUD_RUN: &str = "run.googleapis.com/";
const DEADLINE: &str = "serving.knative.dev/progress-deadline";

/// The settings of a Knative or Cloud Run service among `documents`; `None` if there is no such service.
pub(in crate::autoscaler) fn translate(documents: &[Value]) -> Option<Result<Translation, String>> {
    let kind = |document: &Value| document["kind"].as_str().unwrap_or_default().to_owned();
    let serves = |document: &&Value| {
        let version = document["apiVersion"].as_str().unwrap_or_default();
        version.starts_with("serving.knative.dev/")
            && ["Service", "Configuration", "Revision"].contains(&kind(document).as_str())
    };
    let service = documents.iter().find(serves)?;
    let config = documents.iter().find(|document| {
        kind(document) == "ConfigMap" && document["metadata"]["name"] == "config-autoscaler"
    });
    let revision = Revision::of(service, kind(service) == "Revision");
    Some(match revision.is_on_cloud_run() {
        true => revision.cloud_run(),
        false => revision.knative(config.map(|config| &config["data"])),
    })
}

/// Where in a document a revision's settings stand.
struct Revision<'a> {
    /// Annotations of the revision, and their path.
    annotations: (&'a Value, &'static str),
    /// Annotations of the service around it, if there is one.
    outer: Option<&'a Value>,
    /// Its spec, and the path of that.
    spec: (&'a Value, &'static str),
    /// How requests are shared out among revisions.
    traffic: &'a Value,
}

/// What a manifest has come to so far.
#[derive(Default)]
struct Gathered {
    table: Map<String, Value>,
    warnings: Vec<String>,
}

impl<'a> Revision<'a> {
    fn of(document: &'a Value, bare: bool) -> Revision<'a> {
        let spec = &document["spec"];
        let (annotations, outer, spec) = match bare {
            true => ((&document["metadata"]["annotations"], "metadata.annotations"), None, (spec, "spec")),
            false => {
                let template = &spec["template"];
                let annotations =
                    (&template["metadata"]["annotations"], "spec.template.metadata.annotations");
                let outer = Some(&document["metadata"]["annotations"]);
                (annotations, outer, (&template["spec"], "spec.template.spec"))
            }
        };
        Revision { annotations, outer, spec, traffic: &document["spec"]["traffic"] }
    }

    fn annotations(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.annotations.0.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    fn outer(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let outer = self.outer.and_then(Value::as_object);
        outer.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    fn is_on_cloud_run(&self) -> bool {
        self.annotations().chain(self.outer()).any(|(name, _)| name.starts_with(CLOUD_RUN))
    }

    fn knative(&self, config: Option<&Value>) -> Result<Translation, String> {
        let mut gathered = Gathered::default();
        for (name, value) in config.and_then(Value::as_object).into_iter().flatten() {
            let path = format!("config-autoscaler: data.{name}");
            match CONFIG.iter().find(|(known, _, _)| known == name) {
                Some((_, key, form)) => gathered.set(key, *form, value, &path)?,
                None if WITHOUT_EFFECT.contains(&name.as_str()) => {}
                None => gathered.warn(&path),
            }
        }
        let by_config = gathered.table.get("target_utilization_percentage").cloned();
        let mut utilization_annotated = false;
        for (name, value) in self.annotations() {
            let path = format!("{}.{name}", self.annotations.1);
            if name == DEADLINE {
                gathered.set("progress_deadline", Form::Duration, value, &path)?;
            }
            let Some(short) = name.strip_prefix(AUTOSCALING) else { continue };
            match ANNOTATIONS.iter().find(|(kebab, camel, _, _)| short == *kebab || short == *camel) {
                Some((_, _, key, form)) => {
                    utilization_annotated |= *key == "target_utilization_percentage";
                    gathered.set(key, *form, value, &path)?;
                }
                None if short == "class" => class(value, &path)?,
                None => gathered.warn(&path),
            }
        }
        // The config map's percentage is that of concurrency; requests per second have a fixed one.
        let rps = gathered.table.get("metric").is_some_and(|metric| metric == "rps");
        if rps && !utilization_annotated && by_config.is_some() {
            gathered.table.remove("target_utilization_percentage");
        }
        for (name, _) in self.outer().filter(|(name, _)| name.starts_with(AUTOSCALING)) {
            let warning =
                "is ignored, as Knative does: it has to stand in spec.template.metadata.annotations";
            gathered.warnings.push(format!("metadata.annotations.{name} {warning}"));
        }
        self.common("container_concurrency", &mut gathered)?;
        Ok(gathered.translation("knative"))
    }

    fn cloud_run(&self) -> Result<Translation, String> {
        let mut gathered = Gathered::default();
        for (name, value) in self.annotations() {
            let path = format!("{}.{name}", self.annotations.1);
            match name.strip_prefix(AUTOSCALING) {
                Some("minScale" | "min-scale") => {
                    gathered.set("min_instances", Form::Number, value, &path)?
                }
                Some("maxScale" | "max-scale") => {
                    gathered.set("max_instances", Form::Number, value, &path)?
                }
                Some(_) => gathered.warn(&path),
                None => {}
            }
        }
        for (name, value) in self.outer() {
            let path = format!("metadata.annotations.{name}");
            match name.strip_prefix(CLOUD_RUN) {
                Some("minScale") => gathered.set("min_instances", Form::Number, value, &path)?,
                Some("maxScale") => gathered.set("max_instances", Form::Number, value, &path)?,
                Some("scalingMode" | "manualInstanceCount") => gathered.warn(&path),
                _ => {}
            }
        }
        self.common("max_concurrency", &mut gathered)?;
        Ok(gathered.translation("cloud_run"))
    }

    /// What both have: the concurrency of a container, a time-out, revisions that share the traffic.
    fn common(&self, concurrency: &'static str, gathered: &mut Gathered) -> Result<(), String> {
        let (spec, at) = self.spec;
        if !spec["containerConcurrency"].is_null() {
            let path = format!("{at}.containerConcurrency");
            gathered.set(concurrency, Form::Number, &spec["containerConcurrency"], &path)?;
        }
        for name in ["timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"] {
            if !spec[name].is_null() {
                gathered
                    .warnings
                    .push(format!("{at}.{name} is not part of the autoscaler: see dispatch.timeout"));
            }
        }
        if self.traffic.as_array().is_some_and(|shares| shares.len() > 1) {
            gathered.warnings.push("spec.traffic is not modelled: one revision takes all requests".into());
        }
        Ok(())
    }
}

fn class(value: &Value, path: &str) -> Result<(), String> {
    match value.as_str() {
        Some("kpa.autoscaling.knative.dev") => Ok(()),
        _ => Err(format!("`{path}` is {value}: expected \"kpa.autoscaling.knative.dev\", or nothing")),
    }
}

impl Gathered {
    fn set(&mut self, key: &'static str, form: Form, value: &Value, path: &str) -> Result<(), String> {
        let wrong = |expected: &str| format!("`{path}` is {value}: expected {expected}");
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(bool) => bool.to_string(),
            _ => return Err(wrong("a text or a number")),
        };
        let value = match form {
            Form::Number | Form::Percentage => {
                let mut number: f64 = text.parse().map_err(|_| wrong("a number"))?;
                if form == Form::Percentage && number <= 1.0 {
                    number /= 100.0;
                }
                // Whole numbers stay whole, for keys that count.
                if number.fract() == 0.0 && number.abs() < 9e15 {
                    (number as i64).into()
                } else {
                    number.into()
                }
            }
            // Go writes a zero duration without a unit.
            Form::Duration if text == "0" => "0s".into(),
            Form::Duration => text.into(),
            Form::Text => text.into(),
            Form::Bool => match text.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                _ => return Err(wrong("true or false")),
            },
        };
        self.table.insert(key.into(), value);
        Ok(())
    }

    fn warn(&mut self, path: &str) {
        self.warnings.push(format!("{path} is not modelled"));
    }

    fn translation(self, kind: &'static str) -> Translation {
        Translation { kind, table: self.table, warnings: self.warnings }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::manifest::translate;

    const SERVICE: &str = "
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: summary, annotations: { autoscaling.knative.dev/min-scale: '3' } }
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/class: kpa.autoscaling.knative.dev
        autoscaling.knative.dev/maxScale: '12'
        autoscaling.knative.dev/target: '7.5'
        autoscaling.knative.dev/window: 40s
        autoscaling.knative.dev/scale-down-delay: '0'
        autoscaling.knative.dev/colour: blue
    spec: { containerConcurrency: 8, timeoutSeconds: 300, containers: [{ image: summary }] }
";

    #[test]
    fn annotations_become_keys_and_what_is_unknown_is_named() {
        let translation = translate(SERVICE).unwrap();
        assert_eq!(translation.kind, "knative");
        assert_eq!(
            serde_json::to_string(&translation.table).unwrap(),
            r#"{"container_concurrency":8,"max_scale":12,"scale_down_delay":"0s","stable_window":"40s","target":7.5}"#
        );
        assert_eq!(
            translation.warnings,
            [
                "spec.template.metadata.annotations.autoscaling.knative.dev/colour is not modelled",
                "metadata.annotations.autoscaling.knative.dev/min-scale is ignored, as Knative does: it has to stand in spec.template.metadata.annotations",
                "spec.template.spec.timeoutSeconds is not part of the autoscaler: see dispatch.timeout",
            ]
        );
    }

    #[test]
    fn the_config_map_stands_beneath_the_annotations() {
        let config = "
apiVersion: v1
kind: ConfigMap
metadata: { name: config-autoscaler, namespace: knative-serving }
data:
  _example: text
  stable-window: 120s
  container-concurrency-target-percentage: '80'
  enable-scale-to-zero: 'false'
  max-scale-limit: '50'
";
        let translation = translate(&format!("{SERVICE}---{config}")).unwrap();
        let value = |key: &str| translation.table[key].clone();
        assert_eq!(value("stable_window"), "40s");
        assert_eq!(
            (value("target_utilization_percentage"), value("enable_scale_to_zero")),
            (80.into(), false.into())
        );
        assert!(translation.warnings[0].contains("max-scale-limit"));
    }

    #[test]
    fn a_service_of_cloud_run_is_one_of_cloud_run() {
        let text =
            SERVICE.replace("autoscaling.knative.dev/min-scale: '3'", "run.googleapis.com/minScale: '3'");
        let translation = translate(&text).unwrap();
        assert_eq!(translation.kind, "cloud_run");
        let value = |key: &str| translation.table[key].as_i64();
        assert_eq!(
            (value("min_instances"), value("max_instances"), value("max_concurrency")),
            (Some(3), Some(12), Some(8))
        );
    }

    #[test]
    fn what_is_no_number_or_no_kpa_is_refused_with_its_place() {
        let wrong = translate(&SERVICE.replace("'12'", "'twelve'")).unwrap_err();
        assert_eq!(
            wrong,
            "`spec.template.metadata.annotations.autoscaling.knative.dev/maxScale` is \"twelve\": expected a number"
        );
        let other = SERVICE.replace("class: kpa.", "class: hpa.");
        assert!(translate(&other).unwrap_err().contains("expected \"kpa.autoscaling.knative.dev\""));
    }
}
