//! AWS scaling policies as JSON: `put-scaling-policy` with `register-scalable-target` and `put-metric-alarm`, or the answers
//! of the `describe-` calls, in one file.

use super::manifest_metric::{averaged, cloud_watch, customized, predefined};
use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, doubt_share, field_of, manifest_place,
    text_of,
};
use crate::schema::{Data, Node, Problem, Table};

const COMPARISONS: [(&str, &str); 4] = [
    ("GreaterThanThreshold", "greater_than"),
    ("GreaterThanOrEqualToThreshold", "greater_than_or_equal"),
    ("LessThanThreshold", "less_than"),
    ("LessThanOrEqualToThreshold", "less_than_or_equal"),
];
const MISSING: [(&str, &str); 4] = [
    ("missing", "missing"),
    ("ignore", "ignore"),
    ("breaching", "breaching"),
    ("notBreaching", "not_breaching"),
];
const ADJUSTMENTS: [(&str, &str); 3] = [
    ("ChangeInCapacity", "change_in_capacity"),
    ("ExactCapacity", "exact_capacity"),
    ("PercentChangeInCapacity", "percent_change_in_capacity"),
];

/// Fields that name things and do not shape scaling.
const ASIDE: [&str; 33] = [
    "RoleArn",
    "DependsOn",
    "Lifecycle",
    "Provider",
    "Region",
    "Id",
    "Arn",
    "AlarmArns",
    "TagsAll",
    "Name",
    "PolicyName",
    "PolicyARN",
    "PolicyType",
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "AutoScalingGroupName",
    "RoleARN",
    "CreationTime",
    "Alarms",
    "AlarmName",
    "AlarmArn",
    "AlarmDescription",
    "AlarmActions",
    "ActionsEnabled",
    "OKActions",
    "InsufficientDataActions",
    "Namespace",
    "Dimensions",
    "Unit",
    "StateValue",
    "StateReason",
    "Tags",
];

/// AWS takes whole seconds.
const SECONDS: Codec = Codec::Seconds { fractions: false };
const CAPACITY: &[Field] =
    &[Field::new("MinCapacity", "min", Codec::Number), Field::new("MaxCapacity", "max", Codec::Number)];
const POLICY: &[Field] = &[Field::new("EstimatedInstanceWarmup", "instance_warmup", SECONDS)];
const TRACKING: &[Field] = &[
    Field::new("TargetValue", "target", Codec::Number),
    Field::new("ScaleOutCooldown", "scale_out_cooldown", SECONDS),
    Field::new("ScaleInCooldown", "scale_in_cooldown", SECONDS),
    Field::new("DisableScaleIn", "disable_scale_in", Codec::Bool),
];
const STEPS: &[Field] = &[
    Field::new("AdjustmentType", "adjustment_type", Codec::Names(&ADJUSTMENTS)),
    Field::new("MinAdjustmentMagnitude", "min_adjustment_magnitude", Codec::Number),
    Field::new("Cooldown", "cooldown", SECONDS),
];
const STEP: &[Field] = &[
    Field::new("MetricIntervalLowerBound", "lower", Codec::Number),
    Field::new("MetricIntervalUpperBound", "upper", Codec::Number),
    Field::new("ScalingAdjustment", "adjustment", Codec::Number),
];
const ALARM: &[Field] = &[
    Field::new("ComparisonOperator", "comparison", Codec::Names(&COMPARISONS)),
    Field::new("TreatMissingData", "missing_data", Codec::Names(&MISSING)),
    Field::new("Threshold", "threshold", Codec::Number),
    Field::new("Period", "period", SECONDS),
    Field::new("EvaluationPeriods", "evaluation_periods", Codec::Number),
    Field::new("DatapointsToAlarm", "datapoints_to_alarm", Codec::Number),
];

/// Scaling policies of AWS.
pub(in crate::autoscaler) const FORM: Form =
    Form { name: "AWS scaling policies", find, read: read_candidate };

/// A candidate for each thing that is scaled; policies that do not name it belong together.
fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let mut found: Vec<Candidate<'_>> = Vec::new();
    for document in flattened(documents).into_iter().filter(|document| is_policy(document)) {
        let name = target_name(document).unwrap_or_default().to_owned();
        if found.iter().all(|each| each.name != name) {
            found.push(Candidate { kind: "", name, node: document });
        }
    }
    if found.is_empty() {
        let has_capacity = |document: &&Node| has(document, "MinCapacity") && has(document, "MaxCapacity");
        let target = flattened(documents).into_iter().find(has_capacity);
        found.extend(target.map(|node| Candidate { kind: TARGET, name: String::new(), node }));
    }
    found
}

/// A target that no policy of the file scales.
const TARGET: &str = "scalable target";

/// What a policy or target scales.
fn target_name(document: &Node) -> Option<&str> {
    text_of(document, "ResourceId").or_else(|| text_of(document, "AutoScalingGroupName"))
}

fn read_candidate(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    if candidate.kind == TARGET {
        let label = "expected its scaling policy in the same file: the bounds alone scale nothing";
        let place = manifest_place(&candidate.node.place);
        return Err(Problem::new(&place, "the target has no scaling policy", label));
    }
    let mut documents = flattened(manifest.documents);
    documents.retain(|document| {
        target_name(document).is_none_or(|name| name == candidate.name || candidate.name.is_empty())
    });
    read(&documents)
}

/// Lists, and the lists within the answers of `describe-` calls, one after the other.
fn flattened(documents: &[Node]) -> Vec<&Node> {
    let lists = ["ScalingPolicies", "ScalableTargets", "MetricAlarms"];
    documents.iter().fold(Vec::new(), |mut all, document| {
        let within: Vec<&Node> = lists.iter().filter_map(|name| field_of(document, name)).collect();
        match &document.data {
            Data::Array(items) => all.extend(flattened(items)),
            _ if within.is_empty() => all.push(document),
            _ => all.extend(within.into_iter().flat_map(items_of)),
        }
        all
    })
}

fn items_of(node: &Node) -> &[Node] {
    match &node.data {
        Data::Array(items) => items,
        _ => &[],
    }
}

fn has(document: &Node, name: &str) -> bool {
    field_of(document, name).is_some()
}

/// Whether it is the input of `put-scaling-policy`, or the configuration alone that its command line reads from a file.
fn is_policy(document: &Node) -> bool {
    let whole = ["TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration", "PolicyType"];
    let alone = ["TargetValue", "StepAdjustments"];
    whole.iter().chain(&alone).any(|name| has(document, name))
}

fn read(documents: &[&Node]) -> Result<Translation, Problem> {
    let mut translation = Translation::new("aws");
    let into = &mut translation;
    let alarms: Vec<&Node> =
        documents.iter().copied().filter(|document| has(document, "AlarmName")).collect();
    let mut count = 0;
    for document in documents {
        if is_policy(document) {
            let key = format!("policies.{count}");
            into.set(key.clone(), Data::Table(Table::EMPTY), &document.place);
            policy(document, &key, &alarms, into)?;
            count += 1;
        } else if has(document, "MinCapacity") || has(document, "MaxCapacity") {
            let target = Fields::of(document, "", true)?;
            target.read(CAPACITY, "", into)?;
            target.pass_over(&ASIDE);
            target.finish(into);
        } else if !has(document, "AlarmName") {
            let note = "a document that is no policy, target or alarm is left out";
            into.unused(note.into(), &document.place);
        }
    }
    Ok(translation)
}

fn policy(document: &Node, key: &str, alarms: &[&Node], into: &mut Translation) -> Result<(), Problem> {
    let policy = Fields::of(document, "", true)?;
    if let Some(group) = policy.get("AutoScalingGroupName") {
        into.set("service".into(), Data::Text("ec2".into()), &group.place);
    }
    policy.read(POLICY, "", into)?;
    policy.pass_over(&ASIDE);
    if has(document, "TargetValue") {
        tracking(&policy, key, into)?;
        policy.finish(into);
        return Ok(());
    }
    for field in ["TargetTrackingScalingPolicyConfiguration", "TargetTrackingConfiguration"] {
        let config = policy.object(field)?;
        if !config.is_absent() {
            tracking(&config, key, into)?;
            config.finish(into);
            policy.finish(into);
            return Ok(());
        }
    }
    let config = policy.object("StepScalingPolicyConfiguration")?;
    if !config.is_absent() {
        steps(&config, document, key, alarms, into)?;
        config.finish(into);
    } else if has(document, "StepAdjustments") {
        // EC2 writes the steps into the policy itself.
        steps(&policy, document, key, alarms, into)?;
    } else {
        let at = field_of(document, "PolicyType").unwrap_or(document);
        let name = text_of(document, "PolicyName").unwrap_or_default();
        let kind = field_of(document, "PolicyType").map_or("null".into(), |kind| kind.to_json().to_string());
        let message = format!("the policy \"{name}\" is of the type {kind}");
        let expected = "expected target tracking or step scaling";
        return Err(Problem::new(&manifest_place(&at.place), message, expected));
    }
    policy.finish(into);
    Ok(())
}

fn text(key: &str, name: &str, value: &str, place: &crate::schema::Place, into: &mut Translation) {
    into.set(format!("{key}.{name}"), Data::Text(value.into()), place);
}

fn tracking(config: &Fields<'_>, key: &str, into: &mut Translation) -> Result<(), Problem> {
    text(key, "type", "target_tracking", config.place(), into);
    let mut written = None;
    for object in ["PredefinedMetricSpecification", "CustomizedMetricSpecification"] {
        let specification = config.object(object)?;
        if specification.is_absent() {
            continue;
        }
        written = Some(match object {
            "PredefinedMetricSpecification" => predefined(&specification, key, into)?,
            _ => customized(&specification, key, into)?,
        });
        specification.finish(into);
    }
    let missing = || config.missing("PredefinedMetricSpecification", "the metric that is tracked");
    if written.ok_or_else(missing)?.ends_with("HighResolution") {
        text(key, "period", "10s", config.place(), into);
    }
    config.read(TRACKING, key, into)?;
    if is_percent(key, into) {
        doubt_share(config, "TargetValue", into);
    }
    Ok(())
}

/// Whether the metric of a policy is a percentage.
fn is_percent(key: &str, into: &Translation) -> bool {
    into.value(&format!("{key}.metric")) == Some(&Data::Text("utilization".into()))
}

fn steps(
    config: &Fields<'_>,
    document: &Node,
    key: &str,
    alarms: &[&Node],
    into: &mut Translation,
) -> Result<(), Problem> {
    text(key, "type", "step_scaling", config.place(), into);
    config.read(STEPS, key, into)?;
    averaged(config, "MetricAggregationType", into);
    into.set(format!("{key}.steps"), Data::Array(Vec::new()), config.place());
    for (index, step) in config.objects("StepAdjustments")?.iter().enumerate() {
        let key = format!("{key}.steps.{index}");
        into.set(key.clone(), Data::Table(Table::EMPTY), step.place());
        step.read(STEP, &key, into)?;
        step.finish(into);
    }
    let alarm = Fields::of(alarm_of(document, alarms)?, "", true)?;
    cloud_watch(&alarm, key, ("threshold", ""), into)?;
    alarm.get("ComparisonOperator").ok_or_else(|| alarm.missing("ComparisonOperator", "how it compares"))?;
    alarm.read(ALARM, key, into)?;
    averaged(&alarm, "Statistic", into);
    if is_percent(key, into) {
        doubt_share(&alarm, "Threshold", into);
    }
    alarm.pass_over(&ASIDE);
    alarm.finish(into);
    Ok(())
}

/// The alarm that acts through a policy, by its name in the alarm's actions; the only one, if there is one.
fn alarm_of<'a>(policy: &Node, alarms: &[&'a Node]) -> Result<&'a Node, Problem> {
    let name = text_of(policy, "PolicyName").unwrap_or_default();
    let arn = text_of(policy, "PolicyARN");
    let acts = |alarm: &&&Node| {
        let actions = field_of(alarm, "AlarmActions").map_or(&[][..], items_of).iter();
        let mut actions = actions.filter_map(|action| match &action.data {
            Data::Text(action) => Some(action.as_str()),
            _ => None,
        });
        actions.any(|action| Some(action) == arn || action.ends_with(&format!("policyName/{name}")))
    };
    match (alarms.iter().find(acts), alarms) {
        (Some(alarm), _) => Ok(alarm),
        (None, [only]) => Ok(only),
        _ => Err(Problem::new(
            &manifest_place(&policy.place),
            format!("the step scaling policy \"{name}\" has no alarm"),
            "expected its `put-metric-alarm` JSON in the same file",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::autoscaler::manifest::translate_text;
    use crate::autoscaler::reading::Translation;

    const TRACKING: &str = r#"{
        "PolicyName": "invocations", "ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": { "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance" },
            "ScaleOutCooldown": 60, "ScaleInCooldown": 300, "Surprise": 1
        }
    }"#;

    fn translated(documents: &[Value]) -> Result<Translation, String> {
        translate_text(&documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_policy_and_its_target_become_a_table() {
        let policy: Value = serde_json::from_str(TRACKING).unwrap();
        let target = json!({ "ServiceNamespace": "sagemaker", "MinCapacity": 1, "MaxCapacity": 8 });
        let translation = translated(&[policy, target]).unwrap();
        let expected = json!({ "min": 1, "max": 8, "policies": [{
            "type": "target_tracking", "metric": "invocations_per_instance", "target": 70.0,
            "scale_out_cooldown": "1m", "scale_in_cooldown": "5m",
        }]});
        assert_eq!(translation.json(), expected);
        assert_eq!(
            translation.warnings(),
            ["`TargetTrackingScalingPolicyConfiguration.Surprise` is not modelled"]
        );
    }

    #[test]
    fn steps_need_their_alarm() {
        let policy = json!({
            "PolicyName": "wake", "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity", "Cooldown": 300,
                "StepAdjustments": [{ "MetricIntervalLowerBound": 0, "ScalingAdjustment": 1 }],
            },
        });
        assert!(translated(std::slice::from_ref(&policy)).unwrap_err().contains("put-metric-alarm"));
        let alarm = json!({
            "AlarmName": "backlog", "MetricName": "HasBacklogWithoutCapacity", "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold", "EvaluationPeriods": 2, "Period": 60,
            "TreatMissingData": "missing", "AlarmActions": ["arn:aws:autoscaling:r:1:scalingPolicy:x:policyName/wake"],
        });
        let translation = translated(&[json!([policy, alarm])]).unwrap();
        let expected = json!({ "policies": [{
            "type": "step_scaling", "adjustment_type": "change_in_capacity", "cooldown": "5m",
            "steps": [{ "lower": 0, "adjustment": 1 }], "metric": "backlog_without_capacity",
            "comparison": "greater_than_or_equal", "missing_data": "missing", "threshold": 1, "period": "1m",
            "evaluation_periods": 2,
        }]});
        assert_eq!(translation.json(), expected);
    }

    #[test]
    fn a_configuration_alone_is_a_policy() {
        let config = json!({
            "TargetValue": 70, "ScaleInCooldown": 600, "Surprise": 1,
            "PredefinedMetricSpecification": { "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance" },
        });
        let translation = translated(&[config]).unwrap();
        assert_eq!(translation.json()["policies"][0]["target"], 70);
        assert_eq!(translation.json()["policies"][0]["scale_in_cooldown"], "10m");
        assert_eq!(translation.warnings(), ["`Surprise` is not modelled"]);
    }

    #[test]
    fn a_metric_that_is_not_modelled_is_refused() {
        let text =
            TRACKING.replace("SageMakerVariantInvocationsPerInstance", "DynamoDBReadCapacityUtilization");
        let problem = translated(&[serde_json::from_str(&text).unwrap()]).unwrap_err();
        assert!(problem.contains("DynamoDBReadCapacityUtilization"), "{problem}");
    }

    #[test]
    fn a_group_of_instances_is_one_of_ec2() {
        let policy = json!({
            "AutoScalingGroupName": "g", "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling",
            "EstimatedInstanceWarmup": 120,
            "TargetTrackingConfiguration": {
                "TargetValue": 50, "PredefinedMetricSpecification": { "PredefinedMetricType": "ASGAverageCPUUtilization" },
            },
        });
        let table = translated(&[policy]).unwrap().json();
        assert_eq!((table["service"].as_str(), table["instance_warmup"].as_str()), (Some("ec2"), Some("2m")));
    }
}
