//! One metric of a manifest's HPA, in the form of any version.

use crate::autoscaler::reading::measure::{Factor, Measure, Of, likely, of_name};
use crate::autoscaler::reading::{
    Codec, Field, Fields, Manifest, Question, Target, TargetKind, Translation, Watch, quantity_of,
};
use crate::schema::{Data, Problem, Table, nearest};

const KNOWN: &str = "Resource, ContainerResource, Pods, Object or External";

/// Names of the objects of the sources.
pub(super) const SOURCES: [&str; 5] = ["resource", "containerResource", "pods", "object", "external"];

/// Names of the target's fields: average utilization, average value, value.
type Names = [&'static str; 3];

pub(super) const NEW: Names = ["averageUtilization", "averageValue", "value"];
/// Before v2beta2, in the object of the source itself.
pub(super) const OLD: Names = ["targetAverageUtilization", "targetAverageValue", "targetValue"];

/// Reads one metric as `metrics.INDEX`. `around` is the file, and the workload that is scaled.
///
/// # Errors
/// A field is not written as it has to be.
pub(in crate::autoscaler) fn metric(
    part: &Fields<'_>,
    index: usize,
    around: (&Manifest<'_>, Option<&str>),
    into: &mut Translation,
) -> Result<(), Problem> {
    let kind = part.get("type").ok_or_else(|| part.missing("type", KNOWN))?;
    let (source, field) = match part.text("type")?.unwrap_or_default() {
        "Resource" => ("resource", "resource"),
        "ContainerResource" => ("container_resource", "containerResource"),
        "Pods" => ("pods", "pods"),
        "Object" => ("object", "object"),
        "External" => ("external", "external"),
        other => {
            let names = ["Resource", "ContainerResource", "Pods", "Object", "External"];
            let problem = part.wrong("type", kind, KNOWN);
            return Err(match nearest(other, names) {
                Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                None => problem,
            });
        }
    };
    if part.get(field).is_none() {
        let Some(given) = SOURCES.iter().find(|name| part.get(name).is_some()) else {
            return Err(part.missing(field, "the object that holds what the metric is, and its target"));
        };
        return Err(part.wrong(
            "type",
            kind,
            &format!("`{field}`, or the type of `{given}`, which is what is given"),
        ));
    }
    let key = format!("metrics.{index}");
    into.set(key.clone(), Data::Table(Table::EMPTY), part.place());
    into.set(format!("{key}.type"), Data::Text(source.into()), part.place());
    let of_source = part.object(field)?;
    if matches!(source, "resource" | "container_resource") {
        resource(&of_source, &key, around, into)?;
    } else {
        custom(&of_source, source, &key, into)?;
    }
    of_source.finish(into);
    part.finish(into);
    Ok(())
}

/// The object that holds the target, and the names of its fields.
fn target_of<'a>(source: &Fields<'a>) -> Result<(Fields<'a>, Names), Problem> {
    let target = source.object("target")?;
    let is_new = NEW.iter().any(|name| target.get(name).is_some()) || target.get("type").is_some();
    match is_new || OLD.iter().chain(&["averageValue"]).all(|name| source.get(name).is_none()) {
        true => Ok((target, NEW)),
        // `target` then is the object that is measured.
        false => Ok((source.clone(), OLD)),
    }
}

fn resource(
    source: &Fields<'_>,
    key: &str,
    (manifest, workload): (&Manifest<'_>, Option<&str>),
    into: &mut Translation,
) -> Result<(), Problem> {
    let container = source.text("container")?;
    let name = source.text("name")?.ok_or_else(|| source.missing("name", "the name of the resource"))?;
    into.set(format!("{key}.name"), Data::Text(name.into()), source.place());
    let (target, [percent, average, _]) = target_of(source)?;
    let watch =
        Watch { key: key.to_owned(), path: source.path().to_owned(), place: source.place(), example: None };
    match name {
        "cpu" => {}
        "memory" => watch.ask_share(
            "memory does not follow the requests in service: what it stands for has to be said",
            into,
        ),
        _ => {
            let near = nearest(name, ["cpu", "memory"]);
            let meant = near.map_or_else(String::new, |near| format!(": did you mean \"{near}\"?"));
            watch.ask_share(&format!("the resource \"{name}\" is none that is simulated{meant}"), into);
        }
    }
    if let Some(node) = target.get(average).filter(|_| target.get(percent).is_none()) {
        let request = match name {
            "cpu" => manifest.cpu_request(workload, container),
            "memory" => manifest.memory_request(workload, container),
            _ => None,
        };
        let example = if name == "cpu" { "\"2\"" } else { "\"8Gi\"" };
        let path = target.path_of(average);
        match (request, quantity_of(node)) {
            (_, Some(_)) if into.is_as_written() => {
                target.read(&[Field::new(average, "average_value", Codec::Quantity)], key, into)?;
            }
            (_, None) => return Err(target.wrong(average, node, "a quantity")),
            (Some(request), Some(value)) if request > 0.0 => {
                let share = 100.0 * value / request;
                let whole = share.round().max(1.0);
                let field = Field::new(
                    average,
                    "average_utilization",
                    Codec::Converted(Factor { num: 100.0, den: request }),
                );
                match (share - whole).abs() < 1e-9 {
                    true => target.read(&[field], key, into)?,
                    false => {
                        into.set(
                            format!("{key}.average_utilization"),
                            Data::Integer(whole as i64),
                            &node.place,
                        );
                        into.note(
                            format!("{path} is {share:.1} % of what a pod requests: taken for {whole} %"),
                            &node.place,
                        );
                    }
                }
            }
            _ => into.ask(Question {
                key: format!("requests.{name}"),
                why: format!("{path} is an amount of {name}, and what a pod requests of it is not known"),
                label: "expected the workload in the same file, or what its pod requests".into(),
                line: format!("requests.{name} = {example}"),
                place: node.place.clone(),
            }),
        }
    } else {
        target.read(&[Field::new(percent, "average_utilization", Codec::Percent)], key, into)?;
    }
    finish_target(&target, source, into)
}

fn custom(source: &Fields<'_>, kind: &str, key: &str, into: &mut Translation) -> Result<(), Problem> {
    if let Some(node) = source.get("describedObject") {
        let path = source.path_of("describedObject");
        into.aside(format!("{path} is what the metric is described by"), &node.place);
    }
    let metric = source.object("metric")?;
    let name = match metric.text("name")? {
        Some(name) => Some(name),
        None => source.text("metricName")?,
    };
    let name = name.ok_or_else(|| source.missing("metric", "the metric with its name"))?;
    let says = metric.get("name").or(source.get("metricName")).map_or(source.place(), |node| &node.place);
    metric.finish(into);
    into.set(format!("{key}.name"), Data::Text(name.into()), source.place());
    let (target, [_, average, value]) = target_of(source)?;
    // An object's average value has kept its name.
    let average =
        if average == OLD[1] && target.get(average).is_none() && kind == "object" { NEW[1] } else { average };
    let is_value = target.get(value).is_some() && target.get(average).is_none();
    if let (true, "pods", Some(node)) = (is_value, kind, target.get(value)) {
        return Err(target.wrong(value, node, &format!("`{average}`: a metric of pods has no other target")));
    }
    let target_kind = match (kind, is_value) {
        ("pods", _) => TargetKind::EachPod,
        (_, true) => TargetKind::Value,
        (_, false) => TargetKind::AverageValue,
    };
    // A series for each pod comes as their sum, unless each pod is asked for its own.
    let example = likely(name);
    let of_name = of_name(name).map(|measure| match (kind, measure.scope) {
        ("object" | "external", Of::One) => Measure { scope: Of::Total, ..measure },
        _ => measure,
    });
    let watch =
        Watch { key: key.to_owned(), path: format!("{} ({name})", source.path()), place: says, example };
    let target_field = Target {
        kind: target_kind,
        fields: &target,
        name: if is_value { value } else { average },
        keys: ["average_value", "value"],
        type_key: None,
        activation: None,
    };
    watch.put(of_name, &target_field, into)?;
    finish_target(&target, source, into)
}

/// What a target is of, as its type and the field that holds it say.
const TYPES: [(&str, &str); 3] = [("Utilization", NEW[0]), ("AverageValue", NEW[1]), ("Value", NEW[2])];

/// Refuses two targets at once, as the API server does, says of a type that it is not that of the field, and names the rest.
fn finish_target(target: &Fields<'_>, source: &Fields<'_>, into: &mut Translation) -> Result<(), Problem> {
    let is_new = target.path() != source.path();
    let given: Vec<&str> = NEW.into_iter().filter(|name| is_new && target.get(name).is_some()).collect();
    if let [first, second, ..] = given[..]
        && let Some(node) = target.get(second)
    {
        return Err(target.wrong(second, node, &format!("one target: `{first}` is given too")));
    }
    if let (true, Some(node)) = (is_new, target.get("type")) {
        let name = target.text("type")?.unwrap_or_default();
        let Some((_, field)) = TYPES.iter().find(|(known, _)| *known == name) else {
            let names = TYPES.map(|(known, _)| known);
            let problem = target.wrong("type", node, &format!("one of {}", names.join(", ")));
            return Err(match nearest(name, names) {
                Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                None => problem,
            });
        };
        if let Some(given) = given.first().filter(|given| *given != field) {
            let path = target.path_of("type");
            into.note(
                format!("{path} is {name}, but what is given is `{given}`, and that counts"),
                &node.place,
            );
        }
    }
    if is_new {
        target.finish(into);
    } else {
        source.pass_over(&["target", "metricName", "metricSelector", "selector"]);
        source.pass_over(&OLD);
        source.pass_over(&NEW);
    }
    Ok(())
}
