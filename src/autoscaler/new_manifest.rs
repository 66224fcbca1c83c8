//! A whole manifest, in the own form of a system, for settings that no manifest holds yet.
//!
//! A skeleton has what the form requires, with an item for each metric, trigger or policy; then every setting is written into
//! it as a change of one is, so what is written reads back as it.

use std::fmt::Write as _;
use std::sync::Arc;

use super::manifest::{Change, translate, write};
use super::new_form::{azure_monitor, cloud_run, hugging_face, items, llm_d, quoted, text, vertex};
use crate::document::Source;
use crate::schema::{Data, Node, Table};

/// A manifest, and what of the settings it has no field for.
#[derive(Debug)]
pub struct NewManifest {
    /// Its text.
    pub source: Arc<Source>,
    /// Keys beneath `[autoscaler]` that stay in the scenario, each with why.
    pub left_out: Vec<(String, String)>,
}

/// Keys that say what a manifest is for, and where it is from.
const APART: [&str; 2] = ["kind", "from"];

/// The manifest of the settings in `table`, those of an autoscaler of this `kind`, for a service called `name`; `origin` says
/// in its first line where it comes from. `must` are the keys that have to be in it.
///
/// # Errors
/// The system has no form that is known, or it cannot express one of the settings, as one sentence.
pub fn new_manifest(
    (kind, table): (&str, &Table),
    (name, origin): (&str, &str),
    must: &[String],
) -> Result<NewManifest, String> {
    let name = service_name(name);
    let body = match kind {
        "hpa" => hpa(&name, table)?,
        "keda" => keda(&name, table)?,
        "knative" => knative(&name),
        "ray_serve" => ray_serve(&name),
        "aws" => aws(&name, table)?,
        "azure_monitor" => azure_monitor(&name, table, origin)?,
        "vertex" => vertex(&name, table),
        "cloud_run" => cloud_run(&name),
        "hugging_face" => hugging_face(&name, table)?,
        "llm_d" => llm_d(table),
        other => {
            return Err(format!(
                "`{other}` has no manifest that can be written; there are those of hpa, keda, knative, ray_serve, aws, azure_monitor, vertex, cloud_run, hugging_face and llm_d"
            ));
        }
    };
    // JSON has no comments.
    let text = if body.starts_with(['{', '[']) {
        body
    } else {
        format!("# {}\n{body}", origin.replace(['\n', '\r'], " "))
    };
    let mut source = Source::new("manifest", text);
    let found = translate(&source).map_err(|problem| format!("{}: {}", problem.message, problem.label))?;
    if found.kind != kind {
        return Err(format!("a manifest of `{kind}` would be read as one of `{}`", found.kind));
    }
    let mut settings = Vec::new();
    leaves(table, "", &mut settings);
    let mut left_out = Vec::new();
    for (key, value) in settings {
        if APART.contains(&key.as_str()) {
            continue;
        }
        match write(&source, &[Change { key: key.clone(), value }]) {
            Ok(written) => source = written,
            Err(why) if must.contains(&key) => return Err(why),
            Err(why) => left_out.push((key, why)),
        }
    }
    Ok(NewManifest { source, left_out })
}

/// Every single value beneath a table, by its path.
fn leaves(table: &Table, within: &str, into: &mut Vec<(String, Data)>) {
    let path = |name: &str| if within.is_empty() { name.to_owned() } else { format!("{within}.{name}") };
    table.iter().for_each(|(name, _, node)| leaf(node, path(name), into));
}

fn leaf(node: &Node, path: String, into: &mut Vec<(String, Data)>) {
    match &node.data {
        Data::Table(table) => leaves(table, &path, into),
        Data::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| leaf(item, format!("{path}.{index}"), into));
        }
        data => into.push((path, data.clone())),
    }
}

/// A name as Kubernetes takes it: lower case letters, digits and hyphens.
fn service_name(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(letter).take(50).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "service".to_owned() } else { name.to_owned() }
}

/// What a metric of the pods or from elsewhere is called: its own name, else that of the signal.
fn metric_name(of: &Table) -> Result<&str, String> {
    text(of, "name")
        .or_else(|| text(of, "signal"))
        .ok_or_else(|| "a metric has neither a name nor a signal".to_owned())
}

fn hpa(name: &str, table: &Table) -> Result<String, String> {
    let mut yaml = format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {name}\nspec:\n  scaleTargetRef:\n    \
         apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  minReplicas: 1\n  maxReplicas: 1\n"
    );
    let metrics = items(table, "metrics");
    if !metrics.is_empty() {
        yaml.push_str("  metrics:\n");
    }
    for metric in metrics {
        let target = match (metric.get("average_utilization"), metric.get("average_value")) {
            (Some(_), _) => "type: Utilization\n        averageUtilization: 1",
            (None, Some(_)) => "type: AverageValue\n        averageValue: \"1\"",
            (None, None) => "type: Value\n        value: \"1\"",
        };
        let target = format!("      target:\n        {target}\n");
        let _ = match text(metric, "type").unwrap_or("resource") {
            "resource" => {
                let name = quoted(text(metric, "name").unwrap_or("cpu"));
                write!(yaml, "  - type: Resource\n    resource:\n      name: {name}\n{target}")
            }
            "pods" => {
                let name = quoted(metric_name(metric)?);
                write!(yaml, "  - type: Pods\n    pods:\n      metric:\n        name: {name}\n{target}")
            }
            "external" => {
                let name = quoted(metric_name(metric)?);
                write!(
                    yaml,
                    "  - type: External\n    external:\n      metric:\n        name: {name}\n{target}"
                )
            }
            other => {
                return Err(format!(
                    "a metric of type \"{other}\" names an object that the scenario does not have"
                ));
            }
        };
    }
    behavior(&mut yaml, table, 2);
    Ok(yaml)
}

/// Rules of scale-up and scale-down, with an item for each policy, at this indentation.
fn behavior(yaml: &mut String, table: &Table, indent: usize) {
    let Some(Node { data: Data::Table(behavior), .. }) = table.get("behavior") else { return };
    let pad = " ".repeat(indent);
    let _ = writeln!(yaml, "{pad}behavior:");
    for (key, field) in [("scale_up", "scaleUp"), ("scale_down", "scaleDown")] {
        let Some(Node { data: Data::Table(rules), .. }) = behavior.get(key) else { continue };
        let policies = items(rules, "policies");
        let empty = if rules.iter().next().is_none() { " {}" } else { "" };
        let _ = writeln!(yaml, "{pad}  {field}:{empty}");
        if !policies.is_empty() {
            let _ = writeln!(yaml, "{pad}    policies:");
        }
        for policy in policies {
            let kind = if text(policy, "type") == Some("percent") { "Percent" } else { "Pods" };
            let _ =
                writeln!(yaml, "{pad}    - type: {kind}\n{pad}      value: 1\n{pad}      periodSeconds: 15");
        }
        // A table without a field would be no table.
        if empty.is_empty() && items(rules, "policies").is_empty() {
            let _ = writeln!(yaml, "{pad}    selectPolicy: Max");
        }
    }
}

fn keda(name: &str, table: &Table) -> Result<String, String> {
    let mut yaml = format!(
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: {name}\nspec:\n  scaleTargetRef:\n    name: {name}\n"
    );
    if table.get("behavior").is_some() {
        yaml.push_str("  advanced:\n    horizontalPodAutoscalerConfig:\n");
        behavior(&mut yaml, table, 6);
    }
    yaml.push_str("  triggers:\n");
    for trigger in items(table, "triggers") {
        let of = text(trigger, "type").unwrap_or("external");
        let kind = match of {
            "cpu" => "cpu\n    metricType: Utilization\n    metadata:\n      value: \"1\"".to_owned(),
            "memory" => "memory\n    metricType: Utilization\n    metadata:\n      value: \"1\"".to_owned(),
            "external" => {
                let metric = quoted(metric_name(trigger)?);
                let way = match text(trigger, "metric_type") {
                    Some("value") => "Value",
                    _ => "AverageValue",
                };
                format!(
                    "prometheus\n    name: {metric}\n    metricType: {way}\n    metadata:\n      serverAddress: \
                     http://prometheus.example:9090 # set your own\n      query: {metric} # set your own\n      threshold: \"1\""
                )
            }
            other => {
                return Err(format!(
                    "a trigger of type \"{other}\" has fields that the scenario does not have"
                ));
            }
        };
        let _ = writeln!(yaml, "  - type: {kind}");
    }
    Ok(yaml)
}

fn knative(name: &str) -> String {
    format!(
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  template:\n    metadata:\n      \
         annotations:\n        autoscaling.knative.dev/class: kpa.autoscaling.knative.dev\n    spec:\n      containers:\n      - \
         image: example/{name} # set your own\n"
    )
}

fn ray_serve(name: &str) -> String {
    format!(
        "applications:\n- name: {name}\n  import_path: app:deployment # set your own\n  deployments:\n  - name: Model # set your own\n    \
         autoscaling_config:\n      min_replicas: 1\n      max_replicas: 1\n"
    )
}

fn aws(name: &str, table: &Table) -> Result<String, String> {
    let resource = format!(
        "\"ServiceNamespace\": \"sagemaker\",\n    \"ResourceId\": {},\n    \"ScalableDimension\": \
         \"sagemaker:variant:DesiredInstanceCount\"",
        quoted(&format!("endpoint/{name}/variant/AllTraffic"))
    );
    let mut json = format!("[\n  {{\n    {resource},\n    \"MinCapacity\": 1,\n    \"MaxCapacity\": 1\n  }}");
    for policy in items(table, "policies") {
        if text(policy, "type") != Some("target_tracking") {
            return Err("step scaling has alarms that the scenario does not name".to_owned());
        }
        let metric = match text(policy, "metric") {
            Some("invocations_per_instance") => "SageMakerVariantInvocationsPerInstance",
            Some("concurrent_requests_per_instance") => {
                "SageMakerVariantConcurrentRequestsPerModelHighResolution"
            }
            other => {
                return Err(format!(
                    "the metric \"{}\" has no predefined name that is known",
                    other.unwrap_or_default()
                ));
            }
        };
        let _ = write!(
            json,
            ",\n  {{\n    \"PolicyName\": {},\n    {resource},\n    \"PolicyType\": \"TargetTrackingScaling\",\n    \
             \"TargetTrackingScalingPolicyConfiguration\": {{\n      \"TargetValue\": 1.0,\n      \
             \"PredefinedMetricSpecification\": {{\n        \"PredefinedMetricType\": {}\n      }}\n    }}\n  }}",
            quoted(name),
            quoted(metric)
        );
    }
    json.push_str("\n]\n");
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Tree;

    fn made(toml: &str) -> Result<NewManifest, String> {
        let tree = Tree::parse(toml).unwrap();
        let Some(Node { data: Data::Table(table), .. }) = tree.get("autoscaler") else { panic!("no table") };
        let kind = text(table, "kind").unwrap().to_owned();
        new_manifest((&kind, table), ("My Pool", "Computed."), &[])
    }

    #[test]
    fn a_manifest_made_anew_reads_back_as_the_settings_it_was_made_of() {
        for (toml, fields) in [
            (
                "[autoscaler]\nkind = \"hpa\"\nmin = 2\nmax = 30\nsync_period = \"15s\"\n[[autoscaler.metrics]]\ntype = \"pods\"\n\
                 name = \"num_requests_running\"\naverage_value = 10\n[autoscaler.behavior.scale_down]\nstabilization_window = \"10m\"\n\
                 policies = [{ type = \"percent\", value = 10, period = \"60s\" }]",
                &[
                    "maxReplicas: 30",
                    "averageValue: \"10\"",
                    "stabilizationWindowSeconds: 600",
                    "name: my-pool",
                ][..],
            ),
            (
                "[autoscaler]\nkind = \"hpa\"\nmax = 8\n[[autoscaler.metrics]]\nname = \"cpu\"\naverage_utilization = 60",
                &["averageUtilization: 60", "maxReplicas: 8"],
            ),
            (
                "[autoscaler]\nkind = \"keda\"\nmin = 1\nmax = 9\ncooldown_period = \"2m\"\n[[autoscaler.triggers]]\n\
                 signal = \"queue_length\"\nname = \"queue_length\"\nthreshold = 4",
                &["maxReplicaCount: 9", "cooldownPeriod: 120", "threshold: \"4\""],
            ),
            (
                "[autoscaler]\nkind = \"knative\"\ntarget = 10\nmin_scale = 1\nmax_scale = 12",
                &["autoscaling.knative.dev/target: \"10\"", "autoscaling.knative.dev/max-scale: \"12\""],
            ),
            (
                "[autoscaler]\nkind = \"ray_serve\"\nmin = 2\nmax = 20\ntarget_ongoing_requests = 3\nupscale_delay = \"10s\"",
                &["max_replicas: 20", "target_ongoing_requests: 3", "upscale_delay_s: 10"],
            ),
        ] {
            let made = made(toml).unwrap();
            for field in fields {
                assert!(made.source.text().contains(field), "{field}: {}", made.source.text());
            }
            assert!(made.source.text().starts_with("# Computed.\n"));
            assert!(made.left_out.len() <= 1, "{:?}", made.left_out);
        }
    }

    #[test]
    fn what_a_system_has_no_form_for_is_refused_in_words() {
        let why = made("[autoscaler]\nkind = \"threshold\"\nmetric = \"utilization\"").unwrap_err();
        assert!(why.contains("has no manifest"), "{why}");
        let why = made(
            "[autoscaler]\nkind = \"hpa\"\nmax = 8\n[[autoscaler.metrics]]\ntype = \"object\"\nvalue = 3",
        )
        .unwrap_err();
        assert!(why.contains("object"), "{why}");
    }
}
