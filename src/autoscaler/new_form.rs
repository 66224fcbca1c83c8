//! Skeletons of manifests of the clouds and of llm-d: what each form requires, with an item for each rule or metric.

use std::fmt::Write as _;

use crate::schema::{Data, Node, Table};
use crate::units::parse_span;

/// The tables of a list.
pub(super) fn items<'a>(table: &'a Table, name: &str) -> Vec<&'a Table> {
    let Some(Node { data: Data::Array(items), .. }) = table.get(name) else { return Vec::new() };
    let tables = items.iter().filter_map(|item| match &item.data {
        Data::Table(table) => Some(table),
        _ => None,
    });
    tables.collect()
}

pub(super) fn text<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    match &table.get(name)?.data {
        Data::Text(text) => Some(text),
        _ => None,
    }
}

/// A text in quotes, as both YAML and JSON read it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Autoscale settings of Azure Monitor. JSON has no comments: where they come from stands in a tag.
pub(super) fn azure_monitor(name: &str, table: &Table, origin: &str) -> Result<String, String> {
    let mut rules = Vec::new();
    for rule in items(table, "rules") {
        let (metric, divides) = match text(rule, "metric") {
            Some("utilization") => ("CpuUtilizationPercentage", ""),
            Some("requests_per_minute") => {
                ("RequestsPerMinute", ",\n              \"dividePerInstance\": true")
            }
            Some("queue_length") => ("HttpQueueLength", ""),
            Some("in_flight") => ("ConnectionsActive", ""),
            other => return Err(format!("the metric \"{}\" has no name that is known", other.unwrap_or(""))),
        };
        rules.push(format!(
            "          {{\n            \"metricTrigger\": {{\n              \"metricName\": {metric},\n              \
             \"metricResourceUri\": \"[resourceId('your/resource')]\",\n              \"timeGrain\": \"PT1M\",\n              \
             \"statistic\": \"Average\",\n              \"timeWindow\": \"PT5M\",\n              \"timeAggregation\": \
             \"Average\",\n              \"operator\": \"GreaterThan\",\n              \"threshold\": 1{divides}\n            \
             }},\n            \"scaleAction\": {{\n              \"direction\": \"Increase\",\n              \"type\": \
             \"ChangeCount\",\n              \"value\": \"1\",\n              \"cooldown\": \"PT5M\"\n            }}\n          }}",
            metric = quoted(metric),
        ));
    }
    let default = if table.get("default").is_some() { ",\n            \"default\": \"1\"" } else { "" };
    Ok(format!(
        "{{\n  \"type\": \"Microsoft.Insights/autoscaleSettings\",\n  \"apiVersion\": \"2022-10-01\",\n  \"name\": {},\n  \
         \"location\": \"[resourceGroup().location]\",\n  \"tags\": {{ \"origin\": {} }},\n  \"properties\": {{\n    \"enabled\": \
         true,\n    \"targetResourceUri\": \"[resourceId('your/resource')]\",\n    \"profiles\": [\n      {{\n        \"name\": \
         \"default\",\n        \"capacity\": {{\n            \"minimum\": \"1\",\n            \"maximum\": \"1\"{default}\n        \
         }},\n        \"rules\": [\n{}\n        ]\n      }}\n    ]\n  }}\n}}\n",
        quoted(name),
        quoted(origin),
        rules.join(",\n"),
    ))
}

/// A deployed model of Vertex AI.
pub(super) fn vertex(name: &str, table: &Table) -> String {
    let mut yaml = format!(
        "deployedModel:\n  displayName: {name}\n  dedicatedResources:\n    machineSpec:\n      machineType: n1-standard-4 # set your \
         own, with its accelerator\n    minReplicaCount: 1\n    maxReplicaCount: 1\n"
    );
    let metrics = [
        ("cpu_target", "cpu/utilization"),
        ("accelerator_target", "accelerator/duty_cycle"),
        ("request_count_target", "request_count"),
    ];
    let mut heading = "    autoscalingMetricSpecs:\n";
    for (_, metric) in metrics.into_iter().filter(|(key, _)| table.get(key).is_some()) {
        let _ = write!(
            yaml,
            "{heading}    - metricName: aiplatform.googleapis.com/prediction/online/{metric}\n      target: 60\n"
        );
        heading = "";
    }
    if table.get("idle_scaledown_period").is_some() {
        yaml.push_str("    scaleToZeroSpec:\n      idleScaledownPeriod: 3600s\n");
    }
    yaml
}

/// A service of Cloud Run, in the second version of its interface.
pub(super) fn cloud_run(name: &str) -> String {
    format!(
        "name: {name}\ntemplate:\n  containers:\n  - image: example/{name} # set your own\n  maxInstanceRequestConcurrency: 80\n  \
         scaling:\n    minInstanceCount: 0\n    maxInstanceCount: 100\n"
    )
}

/// An endpoint of Hugging Face.
pub(super) fn hugging_face(name: &str, table: &Table) -> Result<String, String> {
    let (metric, threshold) = match text(table, "strategy") {
        Some("pending_requests") => ("pendingRequests", "1.5"),
        _ => ("hardwareUsage", "80"),
    };
    let mut yaml = format!(
        "name: {name}\ncompute:\n  scaling:\n    minReplica: 1\n    maxReplica: 1\n    metric: {metric}\n"
    );
    if table.get("threshold").is_some() {
        let _ = writeln!(yaml, "    threshold: {threshold}");
    }
    if let Some(after) = text(table, "scale_to_zero_after") {
        let seconds = parse_span(after).map_or(0.0, |span| span.as_secs_f64());
        if seconds < 60.0 || seconds % 60.0 != 0.0 {
            return Err(format!(
                "autoscaler.scale_to_zero_after = {after} cannot be written: it takes whole minutes"
            ));
        }
        let _ = writeln!(yaml, "    scaleToZeroTimeout: {}", seconds / 60.0);
    }
    Ok(yaml)
}

/// The ConfigMap of llm-d's variant autoscaler, with the thresholds that are set.
pub(super) fn llm_d(table: &Table) -> String {
    let thresholds = [
        ("kv_cache_threshold", "kvCacheThreshold: 0.8"),
        ("queue_length_threshold", "queueLengthThreshold: 5"),
        ("kv_spare_trigger", "kvSpareTrigger: 0.1"),
        ("queue_spare_trigger", "queueSpareTrigger: 3"),
    ];
    let mut yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: wva-saturation-scaling-config\ndata:\n  default: |\n".to_owned();
    let written = thresholds.iter().filter(|(key, _)| table.get(key).is_some());
    let mut lines: Vec<&str> = written.map(|(_, line)| *line).collect();
    if lines.is_empty() {
        // A text without a threshold would be empty; these are the defaults.
        lines = thresholds[..1].iter().map(|(_, line)| *line).collect();
    }
    for line in lines {
        let _ = writeln!(yaml, "    {line}");
    }
    yaml
}
