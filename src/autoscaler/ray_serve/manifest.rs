//! Ray Serve configs: `applications`, or a KubeRay RayService, with a deployment's `autoscaling_config`.

use crate::autoscaler::reading::{Codec, Field, Fields, Translation, field_of, manifest_place, text_of};
use crate::document::edit::parse_embedded;
use crate::schema::{Data, Node, Problem};

const SECONDS: Codec = Codec::Seconds { fractions: true };
const CAPACITY: &[Field] = &[Field::new("target_capacity", "target_capacity", Codec::Number)];
const GANG: &[Field] = &[Field::alias("gang_size", "gang_size", Codec::Number)];
/// `autoscaling_config`. Older names stand before newer ones, which override them; the oldest sets both factors.
const CONFIG: &[Field] = &[
    Field::alias("smoothing_factor", "upscaling_factor", Codec::Number),
    Field::alias("smoothing_factor", "downscaling_factor", Codec::Number),
    Field::new("min_replicas", "min", Codec::Number),
    Field::new("max_replicas", "max", Codec::Number),
    Field::alias("target_num_ongoing_requests_per_replica", "target_ongoing_requests", Codec::Number),
    Field::new("target_ongoing_requests", "target_ongoing_requests", Codec::Number),
    Field::alias("upscale_smoothing_factor", "upscaling_factor", Codec::Number),
    Field::alias("downscale_smoothing_factor", "downscaling_factor", Codec::Number),
    Field::new("upscaling_factor", "upscaling_factor", Codec::Number),
    Field::new("downscaling_factor", "downscaling_factor", Codec::Number),
    Field::new("gang_size", "gang_size", Codec::Number),
    Field::new("upscale_delay_s", "upscale_delay", SECONDS),
    Field::new("downscale_delay_s", "downscale_delay", SECONDS),
    Field::new("downscale_to_zero_delay_s", "downscale_to_zero_delay", SECONDS),
    Field::new("look_back_period_s", "look_back_period", SECONDS),
    Field::new("metrics_interval_s", "metrics_interval", SECONDS),
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

/// A deployment, and whether it scales.
struct Deployment<'a> {
    fields: Fields<'a>,
    scales: bool,
}

/// The first deployment that scales; `None` if no document is a Serve config.
pub(in crate::autoscaler) fn translate(documents: &[Node]) -> Option<Result<Translation, Problem>> {
    documents.iter().find_map(|document| {
        if text_of(document, "kind") == Some("RayService") {
            return Some(ray_service(document));
        }
        let applications = field_of(document, "applications")?;
        matches!(applications.data, Data::Array(_)).then(|| serve_config(document))
    })
}

/// The Serve config within a KubeRay RayService is a text of YAML.
fn ray_service(document: &Node) -> Result<Translation, Problem> {
    let spec = Fields::of(document, "", true)?.object("spec")?;
    let missing = || spec.missing("serveConfigV2", "the Serve config as a text");
    let node = spec.get("serveConfigV2").ok_or_else(missing)?;
    let text = spec.text("serveConfigV2")?.unwrap_or_default();
    let not_yaml = |place, why| Problem::new(&place, "`spec.serveConfigV2` is not YAML", why);
    let configs = parse_embedded(node, text).map_err(|fault| {
        let place = fault.span.map_or_else(|| node.place.clone(), crate::schema::Place::File);
        not_yaml(manifest_place(&place), fault.message)
    })?;
    let [config] = configs.as_slice() else {
        return Err(not_yaml(manifest_place(&node.place), "expected one document".into()));
    };
    let mut translation = serve_config(config)?;
    spec.finish(&mut translation);
    Ok(translation)
}

fn serve_config(config: &Node) -> Result<Translation, Problem> {
    let mut translation = Translation::new("ray_serve");
    let into = &mut translation;
    let config = Fields::of(config, "", true)?;
    config.read(CAPACITY, "", into)?;
    let mut deployments = Vec::new();
    for application in config.objects("applications")? {
        deployments.extend(application.objects("deployments")?.into_iter().map(Deployment::of));
        application.pass_over(&ASIDE);
        application.finish(into);
    }
    config.pass_over(&ASIDE);
    config.finish(into);
    let Some(first) = deployments.iter().position(|deployment| deployment.scales) else {
        let expected = "expected one with an `autoscaling_config` or `num_replicas: auto`";
        return Err(Problem::new(
            &manifest_place(config.place()),
            "none of the deployments scales",
            expected,
        ));
    };
    for (_, other) in deployments.iter().enumerate().filter(|(index, _)| *index != first) {
        let why =
            if other.scales { "the first deployment that scales is modelled" } else { "it does not scale" };
        into.unused(format!("`{}` is left out: {why}", other.fields.path()), other.fields.place());
    }
    read_deployment(&deployments.swap_remove(first).fields, into)?;
    Ok(translation)
}

impl<'a> Deployment<'a> {
    fn of(fields: Fields<'a>) -> Deployment<'a> {
        let auto = fields.get("num_replicas").is_some_and(|node| node.data == Data::Text("auto".into()));
        let config = fields.get("autoscaling_config");
        let scales = auto || config.is_some_and(|config| matches!(config.data, Data::Table(_)));
        Deployment { fields, scales }
    }
}

fn read_deployment(deployment: &Fields<'_>, into: &mut Translation) -> Result<(), Problem> {
    // `num_replicas: auto` is a set of defaults of its own, beneath the config.
    if let Some(replicas) = deployment.get("num_replicas")
        && replicas.data == Data::Text("auto".into())
    {
        into.set("max".into(), Data::Integer(100), &replicas.place);
    }
    for (name, stands_for) in
        [("max_ongoing_requests", "service.concurrency"), ("max_queued_requests", "dispatch.queue_limit")]
    {
        not_of_the_autoscaler(deployment, name, stands_for, into);
    }
    deployment.get("name");
    let gang = deployment.object("gang_scheduling_config")?;
    gang.read(GANG, "", into)?;
    gang.finish(into);
    let config = deployment.object("autoscaling_config")?;
    config.read(CONFIG, "", into)?;
    not_of_the_autoscaler(&config, "initial_replicas", "instances.initial", into);
    match config.text("aggregation_function").unwrap_or_default() {
        None | Some("mean") => {}
        Some(other) => {
            let path = config.path_of("aggregation_function");
            into.note(format!("`{path}` is \"{other}\": requests are averaged all the same"), config.place());
        }
    }
    config.finish(into);
    deployment.finish(into);
    Ok(())
}

fn not_of_the_autoscaler(fields: &Fields<'_>, name: &str, stands_for: &str, into: &mut Translation) {
    if let Some(node) = fields.get(name) {
        let path = fields.path_of(name);
        let note = format!("`{path}` is not of the autoscaler: `{stands_for}` is what it sets");
        into.note(note, &node.place);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::autoscaler::manifest::translate_text;
    use crate::autoscaler::reading::Translation;

    fn translated(text: &str) -> Translation {
        translate_text(text).unwrap()
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
        let translation = translated(CONFIG);
        let warnings = translation.warnings();
        assert_eq!(translation.kind, "ray_serve");
        let expected = json!({
            "min": 1, "max": 8, "target_ongoing_requests": 3, "upscale_delay": "10s", "downscale_delay": "500ms",
            "upscaling_factor": 0.5, "downscaling_factor": 0.2,
        });
        assert_eq!(translation.json(), expected);
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
        let translation = translated(&text);
        assert_eq!(translation.json()["max"], 8);
        let warnings = translation.warnings();
        assert!(warnings.contains(&"`spec.rayClusterConfig` is not modelled"), "{warnings:?}");
    }

    #[test]
    fn auto_is_one_to_a_hundred_replicas() {
        let text = "applications: [{deployments: [{name: A, num_replicas: auto}]}]";
        assert_eq!(translated(text).json(), json!({ "max": 100 }));
    }

    #[test]
    fn what_is_no_serve_config_is_left_to_others_and_one_that_does_not_scale_is_refused() {
        let refused = |text| translate_text(text).unwrap_err();
        assert!(refused("kind: Deployment").contains("none of"));
        let fixed = "applications: [{deployments: [{name: A, num_replicas: 2}]}]";
        assert!(refused(fixed).contains("none of the deployments scales"));
    }
}
