//! Knative Services (and Configurations and Revisions) with their annotations, the `config-autoscaler` config map beside
//! them, KServe's InferenceServices, which become such Services, and Cloud Run services, which have the same form.

use serde_json::{Map, Value};

use super::super::manifest::Translation;
use super::annotations::{ANNOTATIONS, CONFIG, Form, WITHOUT_EFFECT};

const AUTOSCALING: &str = "autoscaling.knative.dev/";
const CLOUD_RUN: &str = "run.googleapis.com/";
const DEPLOYMENT_MODE: &str = "serving.kserve.io/deploymentMode";
const DEADLINE: &str = "serving.knative.dev/progress-deadline";

/// The settings of a Knative, KServe or Cloud Run service among `documents`; `None` if there is no such service.
pub(in crate::autoscaler) fn translate(documents: &[Value]) -> Option<Result<Translation, String>> {
    let revision = documents.iter().find_map(Revision::of)?;
    let config = documents.iter().find(|document| {
        document["kind"] == "ConfigMap" && document["metadata"]["name"] == "config-autoscaler"
    });
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
    /// Whether it is the predictor of an InferenceService.
    is_kserve: bool,
}

/// What a manifest has come to so far.
#[derive(Default)]
struct Gathered {
    table: Map<String, Value>,
    warnings: Vec<String>,
}

impl<'a> Revision<'a> {
    /// The revision of a document, if it is about one.
    fn of(document: &'a Value) -> Option<Revision<'a>> {
        let text = |field: &'a Value| field.as_str().unwrap_or_default();
        let (api, spec) = (text(&document["apiVersion"]), &document["spec"]);
        let own = (&document["metadata"]["annotations"], "metadata.annotations");
        let template = &spec["template"];
        let made = (&template["metadata"]["annotations"], "spec.template.metadata.annotations");
        let is_kserve = api.starts_with("serving.kserve.io/");
        let is_knative = api.starts_with("serving.knative.dev/");
        let (annotations, outer, spec) = match text(&document["kind"]) {
            "InferenceService" if is_kserve => (own, None, (&spec["predictor"], "spec.predictor")),
            "Revision" if is_knative => (own, None, (spec, "spec")),
            "Service" | "Configuration" if is_knative => {
                (made, Some(own.0), (&template["spec"], "spec.template.spec"))
            }
            _ => return None,
        };
        Some(Revision { annotations, outer, spec, traffic: &document["spec"]["traffic"], is_kserve })
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
        if self.is_kserve {
            self.predictor(&mut gathered)?;
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

    /// Keys of a predictor, which stand beneath its annotations. KServe keeps one pod where nothing else is said.
    fn predictor(&self, gathered: &mut Gathered) -> Result<(), String> {
        let (spec, at) = self.spec;
        let raw = self.annotations().find(|(name, _)| *name == DEPLOYMENT_MODE);
        if let Some((_, mode)) =
            raw.filter(|(_, mode)| !["Serverless", "Knative"].iter().any(|known| *mode == *known))
        {
            let path = format!("{}.{DEPLOYMENT_MODE}", self.annotations.1);
            return Err(format!("`{path}` is {mode}: expected \"Serverless\", where Knative scales"));
        }
        gathered.table.insert("min_scale".into(), 1.into());
        for (name, key, form) in [
            ("minReplicas", "min_scale", Form::Number),
            ("maxReplicas", "max_scale", Form::Number),
            ("scaleTarget", "target", Form::Number),
            ("scaleMetric", "metric", Form::Text),
        ] {
            if !spec[name].is_null() {
                gathered.set(key, form, &spec[name], &format!("{at}.{name}"))?;
            }
        }
        if !spec["canaryTrafficPercent"].is_null() {
            gathered.warn(&format!("{at}.canaryTrafficPercent"));
        }
        Ok(())
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
    use super::super::super::Autoscaler;
    use super::super::super::manifest::translate_text as translate;
    use crate::schema::{Context, Node, Place};

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
    fn an_inference_service_of_kserve_is_scaled_by_knative() {
        let text = "
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: { name: llama, annotations: { autoscaling.knative.dev/window: 2m } }
spec: { predictor: { maxReplicas: 4, scaleTarget: 5, scaleMetric: concurrency, model: {} } }
";
        let translation = translate(text).unwrap();
        assert_eq!(
            serde_json::to_string(&translation.table).unwrap(),
            r#"{"max_scale":4,"metric":"concurrency","min_scale":1,"stable_window":"2m","target":5}"#
        );
        let raw = text.replace("window: 2m", "window: 2m, serving.kserve.io/deploymentMode: RawDeployment");
        assert!(translate(&raw).unwrap_err().contains("where Knative scales"));
    }

    #[test]
    fn what_is_translated_is_read_like_any_table() {
        let mut table = translate(SERVICE).unwrap().table;
        table.insert("kind".into(), "knative".into());
        let node = Node::from_json(&table.into(), &Place::Nowhere);
        let autoscaler = Autoscaler::read(&node, "autoscaler", &Context::default()).unwrap();
        assert_eq!((autoscaler.limits().min, autoscaler.limits().max), (0, 12));
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
