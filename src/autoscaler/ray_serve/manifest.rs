//! Ray Serve configs: `applications`, or a KubeRay RayService, with a deployment's `autoscaling_config`.

use serde_json::{Map, Value, json};

use crate::autoscaler::fields::Fields;
use crate::autoscaler::manifest::Translation;

/// Keys of `autoscaling_config` and those of the scenario that stand for them; later ones override earlier ones.
const NUMBERS: [(&str, &str); 9] = [
    ("min_replicas", "min"),
    ("max_replicas", "max"),
    ("target_num_ongoing_requests_per_replica", "target_ongoing_requests"),
    ("target_ongoing_requests", "target_ongoing_requests"),
    ("upscale_smoothing_factor", "upscaling_factor"),
    ("downscale_smoothing_factor", "downscaling_factor"),
    ("upscaling_factor", "upscaling_factor"),
    ("downscaling_factor", "downscaling_factor"),
    ("gang_size", "gang_size"),
];
const DURATIONS: [(&str, &str); 5] = [
    ("upscale_delay_s", "upscale_delay"),
    ("downscale_delay_s", "downscale_delay"),
    ("downscale_to_zero_delay_s", "downscale_to_zero_delay"),
    ("look_back_period_s", "look_back_period"),
    ("metrics_interval_s", "metrics_interval"),
];

/// Fields of a config and of an application that have nothing to do with scaling.
const ASIDE: [&str; 11] = [
    "name",
    "route_prefix",
    "import_path",
    "runtime_env",
    "args",
    "host",
    "port",
    "proxy_location",
    "http_options",
    "grpc_options",
    "logging_config",
];

/// A deployment that scales, and what stands around it.
struct Deployment<'a> {
    fields: Fields<'a>,
    scales: bool,
}

/// The first deployment that scales; `None` if no document is a Serve config.
pub(in crate::autoscaler) fn translate(documents: &[Value]) -> Option<Result<Translation, String>> {
    documents.iter().find_map(|document| {
        if document.get("kind").and_then(Value::as_str) == Some("RayService") {
            return Some(ray_service(document));
        }
        (document.get("applications")?.is_array()).then(|| serve_config(document))
    })
}

/// The Serve config within a KubeRay RayService is a text of YAML.
fn ray_service(document: &Value) -> Result<Translation, String> {
    let text = document.pointer("/spec/serveConfigV2").and_then(Value::as_str);
    let text = text.ok_or("`spec.serveConfigV2` is missing: expected the Serve config as a text")?;
    let config: Value = serde_saphyr::from_str(text).map_err(|error| {
        format!("`spec.serveConfigV2` is not YAML: {}", error.to_string().lines().next().unwrap_or(""))
    })?;
    let mut translation = serve_config(&config)?;
    if let Some(mut spec) = document.get("spec").and_then(|spec| Fields::of(spec, "spec")) {
        spec.get("serveConfigV2");
        spec.warn_of_rest(&mut translation.warnings);
    }
    Ok(translation)
}

fn serve_config(config: &Value) -> Result<Translation, String> {
    let mut warnings = Vec::new();
    let mut config = Fields::of(config, "").ok_or("it is no object")?;
    let mut table = Map::new();
    if let Some(percent) = config.get("target_capacity") {
        table.insert("target_capacity".into(), percent.clone());
    }
    let mut deployments = Vec::new();
    for (index, application) in config.list("applications")?.iter().enumerate() {
        let Some(mut application) = Fields::of(application, format!("applications[{index}]")) else {
            continue;
        };
        let path = application.path_of("deployments");
        for (index, deployment) in application.list("deployments")?.iter().enumerate() {
            deployments.extend(deployment_of(deployment, format!("{path}[{index}]")));
        }
        application.pass_over(&ASIDE);
        application.warn_of_rest(&mut warnings);
    }
    config.pass_over(&ASIDE);
    config.warn_of_rest(&mut warnings);
    let scaled = deployments.iter().position(|deployment| deployment.scales);
    let first =
        scaled.ok_or("none of its deployments has an `autoscaling_config` or `num_replicas: auto`")?;
    for (_, other) in deployments.iter().enumerate().filter(|(index, _)| *index != first) {
        let why =
            if other.scales { "the first deployment that scales is modelled" } else { "it does not scale" };
        warnings.push(format!("`{}` is left out: {why}", other.fields.path()));
    }
    let mut deployment = deployments.swap_remove(first).fields;
    read_deployment(&mut deployment, &mut table, &mut warnings)?;
    Ok(Translation { kind: "ray_serve", table, warnings })
}

fn deployment_of(value: &Value, path: String) -> Option<Deployment<'_>> {
    let fields = Fields::of(value, path)?;
    let auto = value.get("num_replicas").and_then(Value::as_str) == Some("auto");
    let scales = auto || value.get("autoscaling_config").is_some_and(Value::is_object);
    Some(Deployment { fields, scales })
}

fn read_deployment(
    deployment: &mut Fields<'_>,
    table: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    // `num_replicas: auto` is a set of defaults of its own, beneath the config.
    if deployment.text("num_replicas") == Some("auto") {
        table.insert("max".into(), json!(100));
    }
    for (name, stands_for) in
        [("max_ongoing_requests", "service.concurrency"), ("max_queued_requests", "dispatch.queue_limit")]
    {
        if deployment.get(name).is_some() {
            let path = deployment.path_of(name);
            warnings.push(format!("`{path}` is not of the autoscaler: `{stands_for}` is what it sets"));
        }
    }
    deployment.get("name");
    if let Some(mut gang) = deployment.object("gang_scheduling_config")? {
        if let Some(size) = gang.get("gang_size") {
            table.insert("gang_size".into(), size.clone());
        }
        gang.warn_of_rest(warnings);
    }
    if let Some(mut config) = deployment.object("autoscaling_config")? {
        read_config(&mut config, table, warnings)?;
        config.warn_of_rest(warnings);
    }
    deployment.warn_of_rest(warnings);
    Ok(())
}

fn read_config(
    config: &mut Fields<'_>,
    table: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    // The oldest key sets both factors.
    if let Some(factor) = config.get("smoothing_factor") {
        table.insert("upscaling_factor".into(), factor.clone());
        table.insert("downscaling_factor".into(), factor.clone());
    }
    for (name, key) in NUMBERS {
        if let Some(value) = config.get(name) {
            table.insert(key.into(), value.clone());
        }
    }
    for (name, key) in DURATIONS {
        if let Some(value) = config.seconds(name)? {
            table.insert(key.into(), value);
        }
    }
    if config.get("initial_replicas").is_some() {
        let path = config.path_of("initial_replicas");
        warnings.push(format!("`{path}` is not of the autoscaler: `instances.initial` is what it sets"));
    }
    match config.get("aggregation_function").and_then(Value::as_str) {
        None | Some("mean") => {}
        Some(other) => {
            let path = config.path_of("aggregation_function");
            warnings.push(format!("`{path}` is \"{other}\": requests are averaged all the same"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(text: &str) -> Translation {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
        translate(&documents).unwrap().unwrap()
    }

    const CONFIG: &str = "
applications:
  - name: chat
    route_prefix: /
    import_path: chat:app
    autoscaling_policy: { policy_function: ours }
    deployments:
      - name: Router
        num_replicas: 2
      - name: Model
        max_ongoing_requests: 5
        autoscaling_config:
          min_replicas: 1
          max_replicas: 8
          initial_replicas: 2
          target_ongoing_requests: 3
          upscale_delay_s: 10
          downscale_delay_s: 0.5
          smoothing_factor: 0.5
          downscaling_factor: 0.2
          policy: { policy_function: mine }
";

    #[test]
    fn the_first_deployment_that_scales_is_taken_and_the_rest_is_named() {
        let Translation { kind, table, warnings } = translated(CONFIG);
        assert_eq!(kind, "ray_serve");
        let expected = json!({
            "min": 1, "max": 8, "target_ongoing_requests": 3, "upscale_delay": "10s", "downscale_delay": "500ms",
            "upscaling_factor": 0.5, "downscaling_factor": 0.2,
        });
        assert_eq!(Value::Object(table), expected);
        let named =
            ["deployments[0]", "initial_replicas", "max_ongoing_requests", "policy", "autoscaling_policy"];
        for name in named {
            assert!(warnings.iter().any(|warning| warning.contains(name)), "{name}: {warnings:?}");
        }
        assert_eq!(warnings.len(), named.len(), "{warnings:?}");
    }

    #[test]
    fn a_ray_service_holds_a_serve_config() {
        let indented = CONFIG.replace('\n', "\n    ");
        let text = format!(
            "apiVersion: ray.io/v1\nkind: RayService\nspec:\n  rayClusterConfig: {{}}\n  serveConfigV2: |\n{indented}\n"
        );
        let Translation { table, warnings, .. } = translated(&text);
        assert_eq!(table["max"], 8);
        assert!(warnings.contains(&"`spec.rayClusterConfig` is not modelled".to_owned()), "{warnings:?}");
    }

    #[test]
    fn auto_is_one_to_a_hundred_replicas() {
        let text = "applications: [{deployments: [{name: A, num_replicas: auto}]}]";
        assert_eq!(translated(text).table, *json!({ "max": 100 }).as_object().unwrap());
    }

    #[test]
    fn what_is_no_serve_config_is_left_to_others_and_one_that_does_not_scale_is_refused() {
        assert!(translate(&[json!({ "kind": "Deployment" })]).is_none());
        let fixed = json!({ "applications": [{ "deployments": [{ "name": "A", "num_replicas": 2 }] }] });
        assert!(translate(&[fixed]).unwrap().is_err());
    }
}
