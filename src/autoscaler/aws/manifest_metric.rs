//! The metric of a policy or an alarm of AWS: predefined, of CloudWatch by its name, or a list with one metric in it.

use crate::autoscaler::reading::{Codec, Field, Fields, Question, Translation, manifest_place};
use crate::schema::Problem;

/// Predefined metrics and names of CloudWatch metrics, and the metrics that stand for them.
const METRICS: [(&str, &str); 15] = [
    ("SageMakerVariantInvocationsPerInstance", "invocations_per_instance"),
    ("SageMakerInferenceComponentInvocationsPerCopy", "invocations_per_instance"),
    ("ALBRequestCountPerTarget", "invocations_per_instance"),
    ("InvocationsPerInstance", "invocations_per_instance"),
    ("RequestCountPerTarget", "invocations_per_instance"),
    ("SageMakerVariantConcurrentRequestsPerModelHighResolution", "concurrent_requests_per_instance"),
    (
        "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
        "concurrent_requests_per_instance",
    ),
    ("ConcurrentRequestsPerModel", "concurrent_requests_per_instance"),
    ("ConcurrentRequestsPerCopy", "concurrent_requests_per_instance"),
    ("ECSServiceAverageCPUUtilization", "utilization"),
    ("ASGAverageCPUUtilization", "utilization"),
    ("CPUUtilization", "utilization"),
    ("GPUUtilization", "utilization"),
    ("ApproximateBacklogSizePerInstance", "backlog_per_instance"),
    ("HasBacklogWithoutCapacity", "backlog_without_capacity"),
];
const PREDEFINED: Field = Field::new("PredefinedMetricType", "metric", Codec::Names(&METRICS));
const NAMED: Field = Field::new("MetricName", "metric", Codec::Names(&METRICS));

/// Reads a predefined metric. Returns its name.
///
/// # Errors
/// It has no name, or one that is none of a metric that is simulated.
pub(super) fn predefined<'n>(
    specification: &Fields<'n>,
    key: &str,
    into: &mut Translation,
) -> Result<&'n str, Problem> {
    let name = specification.text(PREDEFINED.name)?;
    let name = name.ok_or_else(|| specification.missing(PREDEFINED.name, "the name of a metric"))?;
    specification.read(&[PREDEFINED], key, into)?;
    specification.pass_over(&["ResourceLabel"]);
    Ok(name)
}

/// Reads a metric of one's own choice that is tracked. Returns its name.
///
/// # Errors
/// It has no name, one that is none of a metric that is simulated, or is an expression over several.
pub(super) fn customized<'n>(
    specification: &Fields<'n>,
    key: &str,
    into: &mut Translation,
) -> Result<&'n str, Problem> {
    if let Some(list) = specification.get("Metrics") {
        let queries = specification.objects("Metrics")?;
        let [query] = queries.as_slice() else { return Err(math(specification, &list.place)) };
        if query.get("Expression").is_some() {
            return Err(math(specification, &list.place));
        }
        query.pass_over(&["Id", "Label", "ReturnData", "AccountId"]);
        let stat = query.object("MetricStat")?;
        let metric = stat.object("Metric")?;
        let name = cloud_watch(&metric, key, ("target", "metric math of one metric: "), into)?;
        metric.finish(into);
        averaged(&stat, "Stat", into);
        stat.pass_over(&["Unit", "Period"]);
        stat.finish(into);
        query.finish(into);
        return Ok(name);
    }
    let name = cloud_watch(specification, key, ("target", ""), into)?;
    averaged(specification, "Statistic", into);
    Ok(name)
}

fn math(specification: &Fields<'_>, place: &crate::schema::Place) -> Problem {
    let label =
        "expected one metric by its name: expressions over several metrics (metric math) are not simulated";
    let message = format!("`{}` is metric math", specification.path_of("Metrics"));
    Problem::new(&manifest_place(place), message, label)
}

/// Reads a metric of CloudWatch by its name, with what it is compared with in the key `target`; `form` begins what is asked of
/// it. Returns its name.
///
/// # Errors
/// It has no name, or one that is none of a metric that is simulated.
pub(super) fn cloud_watch<'n>(
    metric: &Fields<'n>,
    key: &str,
    (target, form): (&str, &str),
    into: &mut Translation,
) -> Result<&'n str, Problem> {
    let name = metric.text(NAMED.name)?;
    let name = name.ok_or_else(|| metric.missing(NAMED.name, "the name of a metric"))?;
    metric.read(&[NAMED], key, into)?;
    let namespace = metric.text("Namespace").unwrap_or_default().unwrap_or_default();
    metric.pass_over(&["Dimensions", "Unit"]);
    let of_several = match name {
        "CPUUtilization" => "cores",
        "GPUUtilization" => "GPUs",
        _ => return Ok(name),
    };
    if namespace.starts_with("/aws/sagemaker/") {
        into.ask(Question {
            key: format!("{key}.{target}"),
            why: format!(
                "{form}`{}` of SageMaker is summed over the {of_several} of an instance, 0 to 100 times their number, which the file \
                 does not say",
                metric.path_of(NAMED.name)
            ),
            label: format!(
                "expected what is written divided by the {of_several} of an instance, in percent of all of them"
            ),
            line: format!("{key}.{target} = 70"),
            place: metric.get(NAMED.name).map_or(metric.place(), |node| &node.place).clone(),
        });
    }
    Ok(name)
}

/// Datapoints are means over a period, or sums of requests: anything else is named.
pub(super) fn averaged(fields: &Fields<'_>, name: &str, into: &mut Translation) {
    match fields.text(name).unwrap_or_default() {
        None | Some("Average" | "Sum") => {}
        Some(other) => {
            let path = fields.path_of(name);
            into.note(
                format!("`{path}` is \"{other}\": the metric is averaged all the same"),
                fields.place(),
            );
        }
    }
}
