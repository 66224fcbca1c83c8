//! AWS scaling policies as JSON: `put-scaling-policy` with `register-scalable-target` and `put-metric-alarm`, or the answers
//! of the `describe-` calls, in one file.

use serde_json::{Map, Value, json};

use crate::autoscaler::fields::Fields;
use crate::autoscaler::manifest::Translation;

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
const ASIDE: [&str; 23] = [
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

/// What the documents of a file come to, bit by bit.
#[derive(Default)]
struct Gathered {
    table: Map<String, Value>,
    policies: Vec<Value>,
    warnings: Vec<String>,
}

/// The scaling policies of the documents; `None` if there are none.
pub(in crate::autoscaler) fn translate(documents: &[Value]) -> Option<Result<Translation, String>> {
    let documents = flattened(documents);
    documents.iter().any(|document| is_policy(document)).then(|| gather(&documents))
}

/// Lists, and the lists within the answers of `describe-` calls, one after the other.
fn flattened(documents: &[Value]) -> Vec<&Value> {
    let lists = ["ScalingPolicies", "ScalableTargets", "MetricAlarms"];
    documents.iter().fold(Vec::new(), |mut all, document| {
        let within: Vec<&Value> = lists.iter().filter_map(|name| document.get(name)).collect();
        match document {
            Value::Array(items) => all.extend(flattened(items)),
            _ if within.is_empty() => all.push(document),
            _ => all.extend(within.into_iter().filter_map(Value::as_array).flatten()),
        }
        all
    })
}

/// Whether it is the input of `put-scaling-policy`, or the configuration alone that its command line reads from a file.
fn is_policy(document: &Value) -> bool {
    let whole = ["TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration", "PolicyType"];
    let alone = ["TargetValue", "StepAdjustments"];
    whole.iter().chain(&alone).any(|name| document.get(name).is_some())
}

fn gather(documents: &[&Value]) -> Result<Translation, String> {
    let mut gathered = Gathered::default();
    let alarms: Vec<&Value> =
        documents.iter().copied().filter(|document| document.get("AlarmName").is_some()).collect();
    for document in documents {
        if is_policy(document) {
            gathered.policy(document, &alarms)?;
        } else if document.get("MinCapacity").or_else(|| document.get("MaxCapacity")).is_some() {
            gathered.limits(document);
        } else if document.get("AlarmName").is_none() {
            gathered.warnings.push("a document that is no policy, target or alarm is left out".into());
        }
    }
    let Gathered { mut table, policies, warnings } = gathered;
    table.insert("policies".into(), policies.into());
    Ok(Translation { kind: "aws", table, warnings })
}

/// The scenario's name for one of AWS's.
fn named(names: &[(&str, &'static str)], name: &str, path: &str) -> Result<&'static str, String> {
    let found = names.iter().find(|(known, _)| *known == name).map(|(_, ours)| *ours);
    let known = || names.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("`{path}` is \"{name}\": expected one of {}", known()))
}

/// Puts the value under `key`, if there is one.
fn put(table: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        table.insert(key.into(), value);
    }
}

impl Gathered {
    fn limits(&mut self, document: &Value) {
        let Some(mut target) = Fields::of(document, "") else { return };
        put(&mut self.table, "min", target.get("MinCapacity").cloned());
        put(&mut self.table, "max", target.get("MaxCapacity").cloned());
        target.pass_over(&ASIDE);
        target.warn_of_rest(&mut self.warnings);
    }

    fn policy(&mut self, document: &Value, alarms: &[&Value]) -> Result<(), String> {
        let mut policy = Fields::of(document, "").ok_or("a scaling policy is no object")?;
        let name = policy.text("PolicyName").unwrap_or_default().to_owned();
        if policy.get("AutoScalingGroupName").is_some() {
            self.table.insert("service".into(), "ec2".into());
        }
        put(&mut self.table, "instance_warmup", policy.seconds("EstimatedInstanceWarmup")?);
        policy.pass_over(&ASIDE);
        if document.get("TargetValue").is_some() {
            self.tracking(&mut policy)?;
            policy.warn_of_rest(&mut self.warnings);
            return Ok(());
        }
        let tracking = ["TargetTrackingScalingPolicyConfiguration", "TargetTrackingConfiguration"];
        for field in tracking {
            if let Some(mut config) = policy.object(field)? {
                self.tracking(&mut config)?;
                config.warn_of_rest(&mut self.warnings);
                policy.warn_of_rest(&mut self.warnings);
                return Ok(());
            }
        }
        // EC2 writes the steps into the policy itself.
        match policy.object("StepScalingPolicyConfiguration")? {
            Some(mut config) => {
                self.steps(&mut config, document, &name, alarms)?;
                config.warn_of_rest(&mut self.warnings);
            }
            None if document.get("StepAdjustments").is_some() => {
                self.steps(&mut policy, document, &name, alarms)?;
            }
            None => {
                let kind = document.get("PolicyType").unwrap_or(&Value::Null);
                return Err(format!(
                    "the policy \"{name}\" is of the type {kind}: expected target tracking or step scaling"
                ));
            }
        }
        policy.warn_of_rest(&mut self.warnings);
        Ok(())
    }

    fn tracking(&mut self, config: &mut Fields<'_>) -> Result<(), String> {
        let mut table = Map::from_iter([("type".to_owned(), json!("target_tracking"))]);
        let mut metric = None;
        for (field, name) in [
            ("PredefinedMetricSpecification", "PredefinedMetricType"),
            ("CustomizedMetricSpecification", "MetricName"),
        ] {
            if let Some(mut specification) = config.object(field)? {
                let path = specification.path_of(name);
                let written = specification.text(name).ok_or_else(|| format!("`{path}` is missing"))?;
                metric = Some((named(&METRICS, written, &path)?, written));
                specification.pass_over(&["Namespace", "Dimensions", "Unit", "ResourceLabel"]);
                self.averaged(&mut specification, "Statistic");
                specification.warn_of_rest(&mut self.warnings);
            }
        }
        let (metric, written) = metric
            .ok_or_else(|| format!("`{}` is missing", config.path_of("PredefinedMetricSpecification")))?;
        table.insert("metric".into(), metric.into());
        if written.ends_with("HighResolution") {
            table.insert("period".into(), "10s".into());
        }
        put(&mut table, "target", config.get("TargetValue").cloned());
        put(&mut table, "scale_out_cooldown", config.seconds("ScaleOutCooldown")?);
        put(&mut table, "scale_in_cooldown", config.seconds("ScaleInCooldown")?);
        put(&mut table, "disable_scale_in", config.get("DisableScaleIn").cloned());
        self.policies.push(Value::Object(table));
        Ok(())
    }

    /// Datapoints are means over a period, or sums of requests: anything else is named.
    fn averaged(&mut self, fields: &mut Fields<'_>, name: &'static str) {
        let path = fields.path_of(name);
        match fields.text(name) {
            None | Some("Average" | "Sum") => {}
            Some(other) => {
                self.warnings.push(format!("`{path}` is \"{other}\": the metric is averaged all the same"));
            }
        }
    }

    fn steps(
        &mut self,
        config: &mut Fields<'_>,
        document: &Value,
        name: &str,
        alarms: &[&Value],
    ) -> Result<(), String> {
        let mut table = Map::from_iter([("type".to_owned(), json!("step_scaling"))]);
        if let Some(kind) = config.text("AdjustmentType") {
            let kind = named(&ADJUSTMENTS, kind, &config.path_of("AdjustmentType"))?;
            table.insert("adjustment_type".into(), kind.into());
        }
        put(&mut table, "min_adjustment_magnitude", config.get("MinAdjustmentMagnitude").cloned());
        put(&mut table, "cooldown", config.seconds("Cooldown")?);
        self.averaged(config, "MetricAggregationType");
        let path = config.path_of("StepAdjustments");
        let mut steps = Vec::new();
        for (index, step) in config.list("StepAdjustments")?.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let mut step = Fields::of(step, path.clone()).ok_or_else(|| format!("`{path}` is no object"))?;
            let mut entry = Map::new();
            put(&mut entry, "lower", step.get("MetricIntervalLowerBound").cloned());
            put(&mut entry, "upper", step.get("MetricIntervalUpperBound").cloned());
            put(&mut entry, "adjustment", step.get("ScalingAdjustment").cloned());
            step.warn_of_rest(&mut self.warnings);
            steps.push(Value::Object(entry));
        }
        table.insert("steps".into(), steps.into());
        let alarm = alarm_of(document, name, alarms)?;
        self.alarm(alarm, &mut table)?;
        self.policies.push(Value::Object(table));
        Ok(())
    }

    fn alarm(&mut self, alarm: &Value, table: &mut Map<String, Value>) -> Result<(), String> {
        let mut alarm = Fields::of(alarm, "").ok_or("an alarm is no object")?;
        let metric = alarm.text("MetricName").ok_or("`MetricName` of an alarm is missing")?;
        table.insert("metric".into(), named(&METRICS, metric, "MetricName")?.into());
        let comparison =
            alarm.text("ComparisonOperator").ok_or("`ComparisonOperator` of an alarm is missing")?;
        table.insert("comparison".into(), named(&COMPARISONS, comparison, "ComparisonOperator")?.into());
        if let Some(missing) = alarm.text("TreatMissingData") {
            table.insert("missing_data".into(), named(&MISSING, missing, "TreatMissingData")?.into());
        }
        put(table, "threshold", alarm.get("Threshold").cloned());
        put(table, "period", alarm.seconds("Period")?);
        put(table, "evaluation_periods", alarm.get("EvaluationPeriods").cloned());
        put(table, "datapoints_to_alarm", alarm.get("DatapointsToAlarm").cloned());
        self.averaged(&mut alarm, "Statistic");
        alarm.pass_over(&ASIDE);
        alarm.warn_of_rest(&mut self.warnings);
        Ok(())
    }
}

/// The alarm that acts through a policy, by its name in the alarm's actions; the only one, if there is one.
fn alarm_of<'a>(document: &Value, name: &str, alarms: &[&'a Value]) -> Result<&'a Value, String> {
    let arn = document.get("PolicyARN").and_then(Value::as_str);
    let acts = |alarm: &&&Value| {
        let actions = alarm.get("AlarmActions").and_then(Value::as_array).into_iter().flatten();
        let mut actions = actions.filter_map(Value::as_str);
        actions.any(|action| Some(action) == arn || action.ends_with(&format!("policyName/{name}")))
    };
    match (alarms.iter().find(acts), alarms) {
        (Some(alarm), _) => Ok(alarm),
        (None, [only]) => Ok(only),
        _ => Err(format!(
            "the step scaling policy \"{name}\" has no alarm: put its `put-metric-alarm` JSON into the same file"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        translate(documents).unwrap()
    }

    #[test]
    fn a_policy_and_its_target_become_a_table() {
        let policy: Value = serde_json::from_str(TRACKING).unwrap();
        let target = json!({ "ServiceNamespace": "sagemaker", "MinCapacity": 1, "MaxCapacity": 8 });
        let Translation { table, warnings, .. } = translated(&[policy, target]).unwrap();
        let expected = json!({ "min": 1, "max": 8, "policies": [{
            "type": "target_tracking", "metric": "invocations_per_instance", "target": 70.0,
            "scale_out_cooldown": "1m", "scale_in_cooldown": "5m",
        }]});
        assert_eq!(Value::Object(table), expected);
        assert_eq!(warnings, ["`TargetTrackingScalingPolicyConfiguration.Surprise` is not modelled"]);
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
        let table = translated(&[json!([policy, alarm])]).unwrap().table;
        let expected = json!({ "policies": [{
            "type": "step_scaling", "adjustment_type": "change_in_capacity", "cooldown": "5m",
            "steps": [{ "lower": 0, "adjustment": 1 }], "metric": "backlog_without_capacity",
            "comparison": "greater_than_or_equal", "missing_data": "missing", "threshold": 1, "period": "1m",
            "evaluation_periods": 2,
        }]});
        assert_eq!(Value::Object(table), expected);
    }

    #[test]
    fn a_configuration_alone_is_a_policy() {
        let config = json!({
            "TargetValue": 70, "ScaleInCooldown": 600, "Surprise": 1,
            "PredefinedMetricSpecification": { "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance" },
        });
        let translation = translated(&[config]).unwrap();
        assert_eq!(translation.table["policies"][0]["target"], 70);
        assert_eq!(translation.table["policies"][0]["scale_in_cooldown"], "10m");
        assert_eq!(translation.warnings, ["`Surprise` is not modelled"]);
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
        let table = translated(&[policy]).unwrap().table;
        assert_eq!((table["service"].as_str(), table["instance_warmup"].as_str()), (Some("ec2"), Some("2m")));
    }
}
