//! Knative Services (and Configurations and Revisions) with their annotations, the `config-autoscaler` config map beside
//! them, KServe's InferenceServices, which become such Services, and Cloud Run services, which have the same form.

use super::annotations::{ANNOTATIONS, CLOUD_RUN, CLOUD_RUN_SERVICE, CONFIG, PREDICTOR, WITHOUT_EFFECT};
use crate::autoscaler::reading::measure::of_name;
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, field_of, manifest_place, metadata_name,
    of_kind, text_of,
};
use crate::autoscaler::reading::{Target, TargetKind, Watch};
use crate::schema::{Data, Node, Problem, Table};

const AUTOSCALING: &str = "autoscaling.knative.dev/";
const GOOGLE: &str = "run.googleapis.com/";
const DEPLOYMENT_MODE: &str = "serving.kserve.io/deploymentMode";
const HPA_BOUNDS: &[Field] = &[
    Field::new("min-scale", "min", Codec::Count),
    Field::alias("minScale", "min", Codec::Count),
    Field::new("max-scale", "max", Codec::Count),
    Field::alias("maxScale", "max", Codec::Count),
];
const DEADLINE: &[Field] =
    &[Field::new("serving.knative.dev/progress-deadline", "progress_deadline", Codec::Duration)];

/// The annotation of the utilization aimed at, in both spellings.
const UTILIZATION: [&str; 2] = ["target-utilization-percentage", "targetUtilizationPercentage"];

/// A Knative service, a KServe service that Knative scales, or a Cloud Run service.
pub(in crate::autoscaler) const FORM: Form =
    Form { name: "a Knative, KServe or Cloud Run Service", find, read };

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let knative = ["Service", "Configuration", "Revision"];
    knative.iter().flat_map(|kind| of_kind(documents, "serving.knative.dev/", kind)).collect()
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let revision = Revision::read(candidate.node, false)?;
    let has_config = config_of(manifest).is_some();
    let is_on_cloud_run = match manifest.selection.kind.as_deref() {
        Some("cloud_run") => true,
        Some("knative") => false,
        _ => revision.is_on_cloud_run(candidate.node, has_config)?,
    };
    match is_on_cloud_run {
        true => revision.cloud_run(),
        false => revision.knative(manifest),
    }
}

/// A KServe InferenceService that Knative scales.
///
/// # Errors
/// A field is not written as it has to be.
pub(in crate::autoscaler) fn inference_service(
    node: &Node,
    manifest: &Manifest<'_>,
) -> Result<Translation, Problem> {
    let mut translation = Revision::read(node, true)?.knative(manifest)?;
    let spec = Fields::of(node, "", false)?.object("spec")?;
    for component in ["transformer", "explainer"] {
        if let Some(part) = spec.get(component) {
            translation
                .unused(format!("spec.{component} scales by itself, and is not simulated"), &part.place);
        }
    }
    Ok(translation)
}

/// The `config-autoscaler` config map beside a service.
fn config_of<'a>(manifest: &Manifest<'a>) -> Option<&'a Node> {
    let is_config = |document: &&Node| {
        text_of(document, "kind") == Some("ConfigMap") && metadata_name(document) == Some("config-autoscaler")
    };
    let config = manifest.documents.iter().find(is_config)?;
    manifest.takes_from(config);
    field_of(config, "data")
}

/// Where in a document a revision's settings stand.
struct Revision<'a> {
    /// Annotations of the revision.
    annotations: Fields<'a>,
    /// Annotations of the service around it, if there is one.
    outer: Option<Fields<'a>>,
    /// Annotations of the component of a KServe service, which override those of the service.
    component: Option<Fields<'a>>,
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
        let mut component = None;
        let (annotations, outer, spec) = match text_of(document, "kind") {
            Some("InferenceService") => {
                let predictor = spec.object("predictor")?;
                component = Some(predictor.object("annotations")?);
                (own, None, predictor)
            }
            Some("Revision") => (own, None, spec),
            _ => {
                let template = spec.object("template")?;
                let made = template.object("metadata")?.object("annotations")?;
                (made, Some(own), template.object("spec")?)
            }
        };
        Ok(Revision { annotations, outer, component, spec, traffic, is_kserve })
    }

    /// Whether Cloud Run runs it, whose services have the same form.
    ///
    /// # Errors
    /// Nothing in the file tells one from the other.
    fn is_on_cloud_run(&self, document: &Node, has_config: bool) -> Result<bool, Problem> {
        let any =
            |fields: &Fields<'a>, is: &dyn Fn(&str) -> bool| fields.rest().iter().any(|(name, _)| is(name));
        let google = |name: &str| name.starts_with(GOOGLE);
        let annotated = |is: &dyn Fn(&str) -> bool| {
            any(&self.annotations, is) || self.outer.as_ref().is_some_and(|outer| any(outer, is))
        };
        let metadata = field_of(document, "metadata");
        let labels = metadata.and_then(|metadata| field_of(metadata, "labels"));
        let label = |name: &str| labels.is_some_and(|labels| field_of(labels, name).is_some());
        let url = field_of(document, "status").and_then(|status| text_of(status, "url"));
        let namespace = metadata.and_then(|metadata| text_of(metadata, "namespace")).unwrap_or_default();
        // A namespace of Cloud Run is the number of a project.
        let is_project = namespace.len() > 6 && namespace.bytes().all(|byte| byte.is_ascii_digit());
        if annotated(&google)
            || label("cloud.googleapis.com/location")
            || url.is_some_and(|url| url.ends_with(".run.app"))
            || is_project
        {
            return Ok(true);
        }
        // Cloud Run knows minimum and maximum alone, in this spelling.
        let shared = ["minScale", "maxScale"].map(|name| format!("{AUTOSCALING}{name}"));
        let of_knative = |name: &str| {
            (name.starts_with(AUTOSCALING) && !shared.iter().any(|known| known == name))
                || name.starts_with("serving.knative.dev/")
                || name.starts_with("networking.knative.dev/")
        };
        let is_other = text_of(document, "kind") != Some("Service");
        if has_config || is_other || annotated(&of_knative) || label("networking.knative.dev/visibility") {
            return Ok(false);
        }
        let message = "the Service may be one of Knative or of Cloud Run: nothing in the file tells which";
        let label = "expected an annotation of one of them, or the kind in the scenario";
        let problem = Problem::new(&manifest_place(&document.place), message, label);
        Err(problem.help("add to `[autoscaler]`: kind = \"knative\" or kind = \"cloud_run\""))
    }

    fn knative(self, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
        let config = config_of(manifest);
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
        if let Some(class) = annotations.get("class") {
            let expected = "\"kpa.autoscaling.knative.dev\", \"hpa.autoscaling.knative.dev\", or nothing";
            match &class.data {
                Data::Text(class) if class == "kpa.autoscaling.knative.dev" => {}
                Data::Text(class) if class == "hpa.autoscaling.knative.dev" => {
                    return by_hpa(&annotations, manifest);
                }
                _ => return Err(annotations.wrong("class", class, expected)),
            }
        }
        annotations.finish(into);
        let mut component_says = false;
        if let Some(component) = self.component {
            let component = component.beneath(AUTOSCALING);
            component.read(ANNOTATIONS, "", into)?;
            component.get("class");
            component_says = UTILIZATION.iter().any(|name| component.get(name).is_some());
            component.finish(into);
        }
        // The config map's percentage is that of concurrency; requests per second have a fixed one.
        let annotated = component_says || UTILIZATION.iter().any(|name| annotations.get(name).is_some());
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
        slips(&self.spec, into);
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
            aside(&outer, into);
        }
        let of_revision = annotations.beneath(GOOGLE);
        aside(&of_revision, into);
        common(&self.spec, self.traffic, "max_concurrency", into)?;
        Ok(translation)
    }
}

/// Names the fields of a KServe component that are like one of those that scale it: the others say what runs in its pods.
pub(in crate::autoscaler) fn slips(component: &Fields<'_>, into: &mut Translation) {
    const SCALES: [&str; 6] =
        ["minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "autoScaling", "containerConcurrency"];
    SCALES.iter().for_each(|name| {
        component.get(name);
    });
    for (name, place) in component.rest() {
        if let Some(near) = component.meant(name) {
            let path = component.path_of(name);
            into.unused(format!("{path} is no field that is known: did you mean `{near}`?"), place);
        }
    }
}

/// Lists annotations that scale nothing.
fn aside(annotations: &Fields<'_>, into: &mut Translation) {
    for (name, place) in annotations.rest() {
        let path = annotations.path_of(name.strip_prefix(GOOGLE).unwrap_or(name));
        into.aside(format!("{path} scales nothing"), place);
    }
}

/// A revision of the class that leaves scaling to an HPA.
fn by_hpa(annotations: &Fields<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let mut translation = manifest.translation("hpa");
    let into = &mut translation;
    annotations.read(HPA_BOUNDS, "", into)?;
    if !matches!(into.value("min"), Some(Data::Integer(1..))) {
        into.set("min".into(), Data::Integer(1), annotations.place());
    }
    if !matches!(into.value("max"), Some(Data::Integer(1..))) {
        into.note("no maximum is written: Knative sets none, 1000 is taken".into(), annotations.place());
        into.set("max".into(), Data::Integer(1000), annotations.place());
    }
    let metric = annotations.text("metric")?.unwrap_or("cpu");
    let set = |key: &str, value: &str, into: &mut Translation| {
        into.set(format!("metrics.0.{key}"), Data::Text(value.into()), annotations.place());
    };
    into.set("metrics.0".into(), Data::Table(Table::EMPTY), annotations.place());
    let watch = Watch {
        key: "metrics.0".into(),
        path: annotations.path_of("metric"),
        place: annotations.place(),
        example: None,
    };
    match metric {
        "cpu" => {
            set("type", "resource", into);
            let field = Field::new("target", "metrics.0.average_utilization", Codec::NumberText);
            annotations.read(&[field], "", into)?;
            if annotations.get("target").is_none() {
                into.set("metrics.0.average_utilization".into(), Data::Integer(80), annotations.place());
            }
        }
        "memory" => {
            set("type", "pods", into);
            set("name", "memory", into);
            annotations.read(
                &[Field::new("target", "metrics.0.average_value", Codec::NumberText)],
                "",
                into,
            )?;
            watch.ask(
                "memory, in MiB, does not follow the requests in service: what it stands for has to be said",
                into,
            );
        }
        name => {
            set("type", "pods", into);
            set("name", name, into);
            let target = Target {
                kind: TargetKind::EachPod,
                fields: annotations,
                name: "target",
                keys: ["average_value", "value"],
                type_key: None,
                activation: None,
            };
            watch.put(of_name(name), &target, into)?;
        }
    }
    annotations.finish(into);
    Ok(translation)
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
        assert!(
            translate(&raw).unwrap_err().contains("\"cpu\" or \"memory\""),
            "an HPA scales it, which has no concurrency"
        );
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
        let other = SERVICE.replace("class: kpa.", "class: other.");
        assert!(translate(&other).unwrap_err().contains("expected \"kpa.autoscaling.knative.dev\""));
    }

    #[test]
    fn a_class_that_leaves_scaling_to_an_hpa_becomes_one() {
        let translation =
            translate(&SERVICE.replace("class: kpa.", "class: hpa.").replace("'7.5'", "'70'")).unwrap();
        let json = translation.json();
        assert_eq!((translation.kind, &json["min"], &json["max"]), ("hpa", &1.into(), &12.into()));
        assert_eq!(json["metrics"][0]["average_utilization"], 70);
    }

    #[test]
    fn what_may_be_of_either_system_is_asked_for() {
        let text = "apiVersion: serving.knative.dev/v1\nkind: Service\nspec: { template: { metadata: { annotations: { \
                    autoscaling.knative.dev/maxScale: '5' } }, spec: { containerConcurrency: 80 } } }";
        assert!(translate(text).unwrap_err().contains("Knative or of Cloud Run"));
        let named = text.replace(
            "spec: { template",
            "metadata: { labels: { cloud.googleapis.com/location: x } }\nspec: { template",
        );
        assert_eq!(translate(&named).unwrap().kind, "cloud_run");
    }
}
