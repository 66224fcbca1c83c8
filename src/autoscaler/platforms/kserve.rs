//! KServe's InferenceService where Kubernetes scales it: by an HPA, or by KEDA. Where Knative does, it is read in `kpa`.
//!
//! Rules read in kserve/kserve at aaac4e29: which fields reach the HPA and the ScaledObject that its controllers make.

use crate::autoscaler::hpa::manifest_metric::metric;
use crate::autoscaler::kpa;
use crate::autoscaler::reading::measure::Measure;
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Target, TargetKind, Translation, Watch, field_of,
    manifest_place, of_kind, promql,
};
use crate::schema::{Data, Node, Problem, Table};

/// An InferenceService of KServe.
pub(super) const FORM: Form = Form { name: "a KServe InferenceService", find, read };

const MODE: &str = "serving.kserve.io/deploymentMode";
const CLASS: &str = "serving.kserve.io/autoscalerClass";
const BOUNDS: [Field; 2] =
    [Field::new("minReplicas", "min", Codec::Count), Field::new("maxReplicas", "max", Codec::Count)];

/// Fields of a component that scale it, whoever does.
const COMPONENT: [&str; 6] =
    ["minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "containerConcurrency", "autoScaling"];

/// Who scales a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scaler {
    Knative,
    Hpa,
    Keda,
}

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    of_kind(documents, "serving.kserve.io/", "InferenceService")
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let root = Fields::of(candidate.node, "", false)?;
    let spec = root.object("spec")?;
    if let Some(old) = field_of(spec.node(), "default").filter(|_| spec.get("predictor").is_none()) {
        let label = "expected serving.kserve.io/v1beta1, with `spec.predictor`: v1alpha2 is no longer served";
        let message = "the InferenceService is of v1alpha2, with `spec.default`";
        return Err(Problem::new(&manifest_place(&old.place), message, label));
    }
    let predictor = spec.object("predictor")?;
    let annotations = root.object("metadata")?.object("annotations")?;
    let own = predictor.object("annotations")?;
    let mut translation = match scaler(&annotations, &own, &predictor, manifest)? {
        Scaler::Knative => kpa::manifest::inference_service(candidate.node, manifest),
        Scaler::Hpa => by_hpa(&predictor, &annotations, manifest),
        Scaler::Keda => by_keda(&predictor, &annotations, manifest),
    }?;
    translation.knows(predictor.path(), COMPONENT.map(str::to_owned).into());
    spec.pass_over(&["transformer", "explainer"]);
    spec.finish(&mut translation);
    root.finish_object(&mut translation);
    Ok(translation)
}

/// Who scales the predictor: what the file settles, else what the scenario says.
fn scaler(
    annotations: &Fields<'_>,
    own: &Fields<'_>,
    predictor: &Fields<'_>,
    manifest: &Manifest<'_>,
) -> Result<Scaler, Problem> {
    let class = match own.text(CLASS)? {
        Some(class) => Some(class),
        None => annotations.text(CLASS)?,
    };
    let by_class = |class: &str| match class {
        "hpa" => Ok(Scaler::Hpa),
        "keda" => Ok(Scaler::Keda),
        _ => {
            let node = annotations.get(CLASS).unwrap_or(predictor.node());
            Err(annotations.wrong(
                CLASS,
                node,
                "\"hpa\" or \"keda\": with another class nothing that is simulated scales it",
            ))
        }
    };
    match annotations.text(MODE)? {
        Some("Knative" | "Serverless") => return Ok(Scaler::Knative),
        Some("Standard" | "RawDeployment") => return class.map_or(Ok(Scaler::Hpa), by_class),
        Some(_) => {
            let node = annotations.get(MODE).unwrap_or(predictor.node());
            return Err(annotations.wrong(
                MODE,
                node,
                "\"Knative\" or \"Standard\" (older names: \"Serverless\", \"RawDeployment\")",
            ));
        }
        None => {}
    }
    if let Some(class) = class {
        return by_class(class);
    }
    match manifest.selection.kind.as_deref() {
        Some("hpa") => return Ok(Scaler::Hpa),
        Some("keda") => return Ok(Scaler::Keda),
        Some("knative") => return Ok(Scaler::Knative),
        _ => {}
    }
    if predictor.get("autoScaling").is_some() {
        return Ok(Scaler::Hpa);
    }
    let of_knative = |fields: &Fields<'_>| {
        fields.rest().iter().any(|(name, _)| name.starts_with("autoscaling.knative.dev/"))
    };
    let metric = predictor.text("scaleMetric")?;
    if of_knative(annotations) || of_knative(own) || matches!(metric, Some("concurrency" | "rps")) {
        return Ok(Scaler::Knative);
    }
    let message = format!(
        "`{}` is missing, so the cluster's own default decides who scales",
        annotations.path_of(MODE)
    );
    let label = "expected the mode in the annotation, or the kind in the scenario";
    let problem = Problem::new(&manifest_place(predictor.place()), message, label);
    Err(problem.help("add to `[autoscaler]`: kind = \"knative\", \"hpa\" or \"keda\", as the cluster's ConfigMap inferenceservice-config has it"))
}

/// Bounds of the component, as the controller hands them on.
fn bounds(predictor: &Fields<'_>, into: &mut Translation) -> Result<(), Problem> {
    predictor.read(&BOUNDS, "", into)?;
    let number = |key: &str, into: &Translation| match into.value(key) {
        Some(Data::Integer(number)) => *number,
        _ => 0,
    };
    let (min, max) = (number("min", into), number("max", into));
    if min < 1 {
        if predictor.get("minReplicas").is_some() {
            into.note(
                format!("{} becomes 1, as KServe hands it on", predictor.path_of("minReplicas")),
                predictor.place(),
            );
        }
        into.set("min".into(), Data::Integer(1), predictor.place());
    }
    if max < min.max(1) {
        into.note(
            format!(
                "{} is left out or less than the minimum: it becomes the minimum",
                predictor.path_of("maxReplicas")
            ),
            predictor.place(),
        );
        into.set("max".into(), Data::Integer(min.max(1)), predictor.place());
    }
    Ok(())
}

fn by_hpa(
    predictor: &Fields<'_>,
    annotations: &Fields<'_>,
    manifest: &Manifest<'_>,
) -> Result<Translation, Problem> {
    let mut translation = manifest.translation("hpa");
    let into = &mut translation;
    bounds(predictor, into)?;
    let scaling = predictor.object("autoScaling")?;
    let mut count = 0;
    for part in scaling.objects("metrics")? {
        if part.text("type")? == Some("Resource") {
            metric(&part, count, (manifest, None), into)?;
            count += 1;
        } else {
            into.unused(
                format!("{} is not passed on: an HPA of KServe has resources alone", part.path()),
                part.place(),
            );
        }
    }
    if let Some(behavior) = scaling.get("behavior") {
        into.unused(format!("{} is not passed on to the HPA", scaling.path_of("behavior")), &behavior.place);
    }
    scaling.finish(into);
    if count == 0 {
        let metric = predictor.text("scaleMetric")?.unwrap_or("cpu");
        if !matches!(metric, "cpu" | "memory") {
            let node = predictor.get("scaleMetric").unwrap_or(predictor.node());
            return Err(predictor.wrong("scaleMetric", node, "\"cpu\" or \"memory\": others are Knative's"));
        }
        let text = |text: &str| Data::Text(text.into());
        into.set("metrics.0".into(), Data::Table(Table::EMPTY), predictor.place());
        into.set("metrics.0.type".into(), text("resource"), predictor.place());
        into.set("metrics.0.name".into(), text(metric), predictor.place());
        if metric == "memory" {
            let path = predictor.path_of("scaleMetric");
            let watch = Watch { key: "metrics.0".into(), path, place: predictor.place(), example: None };
            watch.ask_share(
                "memory does not follow the requests in service: what it stands for has to be said",
                into,
            );
        }
        predictor.read(
            &[Field::new("scaleTarget", "metrics.0.average_utilization", Codec::Percent)],
            "",
            into,
        )?;
        if predictor.get("scaleTarget").is_none() {
            into.set("metrics.0.average_utilization".into(), Data::Integer(80), predictor.place());
        }
    }
    rest(predictor, annotations, into);
    Ok(translation)
}

fn by_keda(
    predictor: &Fields<'_>,
    annotations: &Fields<'_>,
    manifest: &Manifest<'_>,
) -> Result<Translation, Problem> {
    let mut translation = manifest.translation("keda");
    let into = &mut translation;
    bounds(predictor, into)?;
    let scaling = predictor.object("autoScaling")?;
    into.set("triggers".into(), Data::Array(Vec::new()), scaling.place());
    for (index, part) in scaling.objects("metrics")?.iter().enumerate() {
        trigger(part, index, manifest, into)?;
        part.finish(into);
    }
    let behavior = scaling.object("behavior")?;
    for (field, key) in [("scaleUp", "behavior.scale_up"), ("scaleDown", "behavior.scale_down")] {
        let rules = behavior.object(field)?;
        if !rules.is_absent() {
            into.set("behavior".into(), Data::Table(Table::EMPTY), behavior.place());
            into.set(key.into(), Data::Table(Table::EMPTY), rules.place());
        }
        rules.read(
            &[Field::new("stabilizationWindowSeconds", "stabilization_window", Codec::WholeSeconds)],
            key,
            into,
        )?;
        for (name, place) in rules.rest() {
            into.unused(format!("{} is not passed on to the ScaledObject", rules.path_of(name)), place);
        }
    }
    behavior.finish(into);
    scaling.finish(into);
    rest(predictor, annotations, into);
    Ok(translation)
}

/// One metric as the trigger that the controller makes of it.
fn trigger(
    part: &Fields<'_>,
    index: usize,
    manifest: &Manifest<'_>,
    into: &mut Translation,
) -> Result<(), Problem> {
    let key = format!("triggers.{index}");
    let text = |text: &str| Data::Text(text.into());
    into.set(key.clone(), Data::Table(Table::EMPTY), part.place());
    let kind = part.text("type")?.unwrap_or_default();
    if kind == "Resource" {
        let resource = part.object("resource")?;
        let name = resource.text("name")?.unwrap_or("cpu");
        let target = resource.object("target")?;
        into.set(format!("{key}.type"), text(name), part.place());
        let is_amount = target.get("averageValue").is_some();
        let request = if name == "cpu" {
            manifest.cpu_request(None, None)
        } else {
            manifest.memory_request(None, None)
        };
        if is_amount || name != "cpu" {
            let watch = Watch {
                key: key.clone(),
                path: resource.path().to_owned(),
                place: part.place(),
                example: None,
            };
            let why = match request {
                None if is_amount => "it is an amount, and what a pod requests of it is not known",
                _ => "it does not follow the requests in service",
            };
            watch.ask_share(why, into);
        }
        if is_amount && into.is_as_written() {
            into.set(format!("{key}.metric_type"), text("average_value"), part.place());
        }
        let target_name = if is_amount { "averageValue" } else { "averageUtilization" };
        target.get("type");
        target.read(&[Field::new(target_name, "threshold", Codec::Quantity)], &key, into)?;
        if target.get(target_name).is_none() {
            into.set(format!("{key}.threshold"), Data::Integer(80), part.place());
        }
        target.finish(into);
        resource.finish(into);
        return Ok(());
    }
    let (field, query) = if kind == "PodMetric" { ("podmetric", "query") } else { ("external", "query") };
    let source = part.object(field)?;
    let metric = source.object("metric")?;
    let measure: Result<Measure, String> = match metric.text(query)? {
        Some(query) => promql::read(query),
        None => Err("it has no query".into()),
    };
    into.set(format!("{key}.type"), text("external"), part.place());
    into.set(format!("{key}.name"), text(metric.text("backend")?.unwrap_or(kind)), part.place());
    let target = source.object("target")?;
    if target.get("value").is_none() {
        let label =
            "expected `value`: KServe hands nothing else on to KEDA, and leaves 0 where it is missing";
        let message = format!("`{}` is missing", target.path_of("value"));
        return Err(Problem::new(&manifest_place(target.place()), message, label));
    }
    if target.text("type")?.is_some_and(|kind| kind != "AverageValue") {
        into.note(
            format!(
                "{} is not passed on: KEDA divides by the replicas (AverageValue)",
                target.path_of("type")
            ),
            target.place(),
        );
    }
    let says = metric.get(query).map_or(part.place(), |node| &node.place);
    let watch = Watch { key, path: source.path().to_owned(), place: says, example: None };
    let compared = Target {
        kind: TargetKind::AverageValue,
        fields: &target,
        name: "value",
        keys: ["threshold", "threshold"],
        type_key: Some(("metric_type", ["average_value", "value"])),
        activation: None,
    };
    watch.put(measure, &compared, into)?;
    for (name, place) in metric.rest().into_iter().chain(source.rest()) {
        into.aside(format!("{} says where the value comes from", metric.path_of(name)), place);
    }
    target.finish(into);
    Ok(())
}

/// What of a service does not scale it.
fn rest(predictor: &Fields<'_>, annotations: &Fields<'_>, into: &mut Translation) {
    for name in ["serving.kserve.io/targetUtilizationPercentage", "serving.kserve.io/metric"] {
        if let Some(node) = annotations.get(name) {
            into.unused(
                format!("{} is read by no controller of KServe any more", annotations.path_of(name)),
                &node.place,
            );
        }
    }
    kpa::manifest::slips(predictor, into);
    for name in ["scaleMetricType", "canaryTrafficPercent", "containerConcurrency"] {
        if let Some(node) = predictor.get(name) {
            into.unused(format!("{} is not modelled", predictor.path_of(name)), &node.place);
        }
    }
}
