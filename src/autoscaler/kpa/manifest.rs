//! Knative Services (and Configurations and Revisions) with their annotations, the `config-autoscaler` config map beside
//! them, KServe's InferenceServices, which become such Services, and Cloud Run services, which have the same form.

use super::annotations::{ANNOTATIONS, CLOUD_RUN, CLOUD_RUN_SERVICE, CONFIG, PREDICTOR, WITHOUT_EFFECT};
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, field_of, metadata_name, of_kind, text_of,
};
use crate::schema::{Data, Node, Problem};

const AUTOSCALING: &str = "autoscaling.knative.dev/";
const GOOGLE: &str = "run.googleapis.com/";
const DEPLOYMENT_MODE: &str = "serving.kserve.io/deploymentMode";
const DEADLINE: &[Field] =
    &[Field::new("serving.knative.dev/progress-deadline", "progress_deadline", Codec::Duration)];

/// A Knative service, a KServe service that Knative scales, or a Cloud Run service.
pub(in crate::autoscaler) const FORM: Form =
    Form { name: "a Knative, KServe or Cloud Run Service", find, read };

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let knative = ["Service", "Configuration", "Revision"];
    let knative = knative.iter().flat_map(|kind| of_kind(documents, "serving.knative.dev/", kind));
    knative.chain(of_kind(documents, "serving.kserve.io/", "InferenceService")).collect()
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let is_kserve = candidate.kind == "InferenceService";
    let revision = Revision::read(candidate.node, is_kserve)?;
    let is_config = |document: &&Node| {
        text_of(document, "kind") == Some("ConfigMap") && metadata_name(document) == Some("config-autoscaler")
    };
    let config = manifest.documents.iter().find(is_config).and_then(|config| field_of(config, "data"));
    match revision.is_on_cloud_run() {
        true => revision.cloud_run(),
        false => revision.knative(config),
    }
}

/// Where in a document a revision's settings stand.
struct Revision<'a> {
    /// Annotations of the revision.
    annotations: Fields<'a>,
    /// Annotations of the service around it, if there is one.
    outer: Option<Fields<'a>>,
    spec: Fields<'a>,
    /// How requests are shared out among revisions.
    traffic: Option<&'a Node>,
    /// Whether it is the predictor of an InferenceService.
    is_kserve: bool,
}

impl<'a> Revision<'a> {
    fn read(document: &'a Node, is_kserve: bool) -> Result<Revision<'a>, Problem> {
        let root = Fields::of(document, "", false)?;
        let own = root.object("metadata")?.object("annotations")?;
        let spec = root.object("spec")?;
        let traffic = spec.get("traffic");
        let (annotations, outer, spec) = match text_of(document, "kind") {
            Some("InferenceService") => (own, None, spec.object("predictor")?),
            Some("Revision") => (own, None, spec),
            _ => {
                let template = spec.object("template")?;
                let made = template.object("metadata")?.object("annotations")?;
                (made, Some(own), template.object("spec")?)
            }
        };
        Ok(Revision { annotations, outer, spec, traffic, is_kserve })
    }

    fn is_on_cloud_run(&self) -> bool {
        let names = |fields: &Fields<'a>| fields.rest().iter().any(|(name, _)| name.starts_with(GOOGLE));
        names(&self.annotations) || self.outer.as_ref().is_some_and(names)
    }

    fn knative(self, config: Option<&Node>) -> Result<Translation, Problem> {
        let mut translation = Translation::new("knative");
        let into = &mut translation;
        if let Some(data) = config {
            let data = Fields::of(data, "config-autoscaler: data", false)?;
            data.read(CONFIG, "", into)?;
            data.pass_over(&WITHOUT_EFFECT);
            data.finish(into);
        }
        if self.is_kserve {
            self.predictor(into)?;
        }
        let by_config = into.sets("target_utilization_percentage");
        self.annotations.read(DEADLINE, "", into)?;
        let annotations = self.annotations.beneath(AUTOSCALING);
        annotations.read(ANNOTATIONS, "", into)?;
        if let Some(class) = annotations.get("class")
            && class.data != Data::Text("kpa.autoscaling.knative.dev".into())
        {
            return Err(annotations.wrong("class", class, "\"kpa.autoscaling.knative.dev\", or nothing"));
        }
        annotations.finish(into);
        // The config map's percentage is that of concurrency; requests per second have a fixed one.
        let utilization = ["target-utilization-percentage", "targetUtilizationPercentage"];
        let annotated = utilization.iter().any(|name| annotations.get(name).is_some());
        let rps = into.value("metric") == Some(&Data::Text("rps".into()));
        if rps && !annotated && by_config {
            into.unset("target_utilization_percentage");
        }
        if let Some(outer) = self.outer {
            for (name, place) in outer.rest().into_iter().filter(|(name, _)| name.starts_with(AUTOSCALING)) {
                let note =
                    "is ignored, as Knative does: it has to stand in spec.template.metadata.annotations";
                into.unused(format!("{} {note}", outer.path_of(name)), place);
            }
        }
        common(&self.spec, self.traffic, "container_concurrency", into)?;
        Ok(translation)
    }

    /// Keys of a predictor, which stand beneath its annotations. KServe keeps one pod where nothing else is said.
    fn predictor(&self, into: &mut Translation) -> Result<(), Problem> {
        if let Some(mode) = self.annotations.get(DEPLOYMENT_MODE) {
            let known = ["Serverless", "Knative"].map(|known| Data::Text(known.into()));
            if !known.contains(&mode.data) {
                let expected = "\"Serverless\", where Knative scales";
                return Err(self.annotations.wrong(DEPLOYMENT_MODE, mode, expected));
            }
        }
        into.set("min_scale".into(), Data::Integer(1), self.spec.place());
        self.spec.read(PREDICTOR, "", into)?;
        if let Some(canary) = self.spec.get("canaryTrafficPercent") {
            let path = self.spec.path_of("canaryTrafficPercent");
            into.unused(format!("{path} is not modelled"), &canary.place);
        }
        Ok(())
    }

    fn cloud_run(self) -> Result<Translation, Problem> {
        let mut translation = Translation::new("cloud_run");
        let into = &mut translation;
        let annotations = self.annotations.beneath(AUTOSCALING);
        annotations.read(CLOUD_RUN, "", into)?;
        annotations.finish(into);
        if let Some(outer) = self.outer {
            let outer = outer.beneath(GOOGLE);
            outer.read(CLOUD_RUN_SERVICE, "", into)?;
            for name in ["manualInstanceCount", "scalingMode"] {
                if let Some(node) = outer.get(name) {
                    into.unused(format!("{} is not modelled", outer.path_of(name)), &node.place);
                }
            }
        }
        common(&self.spec, self.traffic, "max_concurrency", into)?;
        Ok(translation)
    }
}

/// What both have: the concurrency of a container, a time-out, revisions that share the traffic.
fn common(
    spec: &Fields<'_>,
    traffic: Option<&Node>,
    concurrency: &'static str,
    into: &mut Translation,
) -> Result<(), Problem> {
    spec.read(&[Field::new("containerConcurrency", concurrency, Codec::NumberText)], "", into)?;
    for name in ["timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"] {
        if let Some(node) = spec.get(name) {
            let note = "is not part of the autoscaler: see dispatch.timeout";
            into.note(format!("{} {note}", spec.path_of(name)), &node.place);
        }
    }
    if let Some(Node { data: Data::Array(shares), place }) = traffic
        && shares.len() > 1
    {
        into.unused("spec.traffic is not modelled: one revision takes all requests".into(), place);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::autoscaler::manifest::translate_text as translate;

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
            translation.json().to_string(),
            r#"{"container_concurrency":8,"max_scale":12,"scale_down_delay":"0s","stable_window":"40s","target":7.5}"#
        );
        assert_eq!(
            translation.warnings(),
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
            translation.json().to_string(),
            r#"{"max_scale":4,"metric":"concurrency","min_scale":1,"stable_window":"2m","target":5}"#
        );
        let raw = text.replace("window: 2m", "window: 2m, serving.kserve.io/deploymentMode: RawDeployment");
        assert!(translate(&raw).unwrap_err().contains("where Knative scales"));
    }

    #[test]
    fn what_is_translated_is_read_like_any_table() {
        let autoscaler = translate(SERVICE).unwrap().autoscaler().unwrap();
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
        let value = |key: &str| translation.json()[key].clone();
        assert_eq!(value("stable_window"), "40s");
        assert_eq!(
            (value("target_utilization_percentage"), value("enable_scale_to_zero")),
            (80.into(), false.into())
        );
        assert!(translation.warnings()[0].contains("max-scale-limit"));
    }

    #[test]
    fn a_service_of_cloud_run_is_one_of_cloud_run() {
        let text =
            SERVICE.replace("autoscaling.knative.dev/min-scale: '3'", "run.googleapis.com/minScale: '3'");
        let translation = translate(&text).unwrap();
        assert_eq!(translation.kind, "cloud_run");
        let value = |key: &str| translation.json()[key].as_i64();
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
