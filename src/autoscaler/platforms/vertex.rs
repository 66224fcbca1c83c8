//! Vertex AI: `dedicatedResources` of a request to deploy, or of an endpoint as it is described.

use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, field_of, text_of,
};
use crate::schema::{Data, Node, Problem, nearest};

/// A model deployed on Vertex AI.
pub(super) const FORM: Form = Form { name: "dedicatedResources of Vertex AI", find, read };

const BOUNDS: [Field; 2] = [
    Field::new("minReplicaCount", "min_replica_count", Codec::Count),
    Field::new("maxReplicaCount", "max_replica_count", Codec::Count),
];
/// Metrics that are simulated, after [`PREFIX`].
const METRICS: [&str; 3] = ["cpu/utilization", "accelerator/duty_cycle", "request_count"];
const PREFIX: &str = "aiplatform.googleapis.com/prediction/online/";

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    for document in documents {
        let several = match field_of(document, "deployedModels") {
            Some(Node { data: Data::Array(models), .. }) => models.as_slice(),
            _ => &[],
        };
        let alone = field_of(document, "deployedModel").or(Some(document)).filter(|_| several.is_empty());
        for node in several.iter().chain(alone) {
            if field_of(node, "dedicatedResources").is_some() {
                let name = text_of(node, "displayName")
                    .or_else(|| text_of(node, "id"))
                    .unwrap_or_default()
                    .to_owned();
                found.push(Candidate { kind: "deployed model", name, node });
            }
        }
    }
    found
}

fn read(candidate: &Candidate<'_>, _: &Manifest<'_>) -> Result<Translation, Problem> {
    let mut translation = Translation::new("vertex");
    let into = &mut translation;
    let model = Fields::of(candidate.node, "", false)?;
    let resources = model.object("dedicatedResources")?;
    resources.read(&BOUNDS, "", into)?;
    let place = resources.place();
    if !into.sets("max_replica_count") {
        // Without a maximum the minimum is one too.
        let min = into.value("min_replica_count").cloned().unwrap_or(Data::Integer(1));
        into.set("max_replica_count".into(), min, place);
    }
    let machine = resources.object("machineSpec")?;
    machine.get("machineType");
    machine.get("reservationAffinity");
    let has_accelerator =
        machine.get("acceleratorType").is_some() || machine.get("acceleratorCount").is_some();
    machine.finish(into);
    if has_accelerator {
        into.set("duty_cycle_at_full_load".into(), Data::Integer(1), place);
        into.note("an accelerator is taken to be at work all the time while every slot is busy: autoscaler.duty_cycle_at_full_load sets another".into(), machine.place());
    }
    for metric in resources.objects("autoscalingMetricSpecs")? {
        let node = metric.get("metricName").ok_or_else(|| metric.missing("metricName", "the metric"))?;
        let key = match metric.text("metricName")?.and_then(|name| name.strip_prefix(PREFIX)) {
            Some("cpu/utilization") => "cpu_target",
            Some("accelerator/duty_cycle") => "accelerator_target",
            Some("request_count") => "request_count_target",
            _ => {
                let expected = "CPU utilization, the duty cycle of the accelerator or the request count: others are not simulated";
                let problem = metric.wrong("metricName", node, expected);
                let names = METRICS.map(|name| format!("{PREFIX}{name}"));
                let near = metric
                    .text("metricName")?
                    .and_then(|name| nearest(name, names.iter().map(String::as_str)));
                // Names of other metrics are as long, and alike in all but their ends.
                let near = near.filter(|near| {
                    metric.text("metricName").ok().flatten().is_some_and(|name| {
                        let first = |name: &str| name.rsplit('/').nth(1).map(str::to_owned);
                        first(near) == first(name)
                    })
                });
                return Err(match near {
                    Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                    None => problem,
                });
            }
        };
        metric.read(&[Field::new("target", key, Codec::Number)], "", into)?;
        metric.finish(into);
    }
    let zero = resources.object("scaleToZeroSpec")?;
    zero.read(&[Field::new("idleScaledownPeriod", "idle_scaledown_period", Codec::Duration)], "", into)?;
    zero.finish(into);
    resources.finish(into);
    model.finish_known(&[], into);
    Ok(translation)
}
