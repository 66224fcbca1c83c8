//! Ray Serve configs with a deployment's `autoscaling_config`: of several applications, of one, within a KubeRay RayService,
//! and the configs of Ray's LLM servers.

use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, field_of, manifest_place, text_of,
};
use crate::schema::{Data, Node, Problem};

/// A deployment of Ray Serve.
pub(in crate::autoscaler) const FORM: Form = Form { name: "a Ray Serve config", find, read };

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
    Field::new(
        "aggregation_function",
        "aggregation_function",
        Codec::Names(&[("mean", "mean"), ("max", "max"), ("min", "min")]),
    ),
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

/// The policy of a config that names none.
const DEFAULT_POLICY: &str = "ray.serve.autoscaling_policy:default_autoscaling_policy";

/// Kinds of candidates: a deployment that scales, an LLM server's config, and a config in which nothing scales.
const DEPLOYMENT: &str = "deployment";
const LLM: &str = "LLM deployment";
const STILL: &str = "Serve config";

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    documents.iter().flat_map(of_document).collect()
}

/// The deployments of a config that scale; the config itself where none does.
fn of_document(document: &Node) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    let is_object = text_of(document, "kind").is_some();
    let is_config = !is_object
        && (field_of(document, "applications").is_some_and(|list| matches!(list.data, Data::Array(_)))
            || (field_of(document, "import_path").is_some() && field_of(document, "deployments").is_some()));
    for application in items(document, "applications") {
        let name = text_of(application, "name").unwrap_or("application");
        of_application(application, name, &mut found);
    }
    if !is_object {
        of_application(document, "", &mut found);
    }
    if found.is_empty() && is_config {
        found.push(Candidate { kind: STILL, name: String::new(), node: document });
    }
    found
}

fn of_application<'a>(application: &'a Node, name: &str, found: &mut Vec<Candidate<'a>>) {
    let named = |own: Option<&str>| match (name, own.unwrap_or_default()) {
        ("", own) => own.to_owned(),
        (name, own) => format!("{name}/{own}"),
    };
    if field_of(application, "import_path").is_some() || !name.is_empty() {
        for deployment in items(application, "deployments").iter().filter(|deployment| scales(deployment)) {
            found.push(Candidate {
                kind: DEPLOYMENT,
                name: named(text_of(deployment, "name")),
                node: deployment,
            });
        }
    }
    let arguments = field_of(application, "args");
    let configs = arguments.map_or(&[][..], |arguments| items(arguments, "llm_configs"));
    let alone = field_of(application, "model_loading_config").is_some().then_some(application);
    for config in configs.iter().chain(items(application, "llm_configs")).chain(alone) {
        let deployment = field_of(config, "deployment_config");
        if deployment.is_some_and(scales) {
            let model = field_of(config, "model_loading_config").and_then(|model| text_of(model, "model_id"));
            found.push(Candidate { kind: LLM, name: named(model), node: config });
        }
    }
}

fn items<'a>(node: &'a Node, name: &str) -> &'a [Node] {
    match field_of(node, name) {
        Some(Node { data: Data::Array(items), .. }) => items,
        _ => &[],
    }
}

fn scales(deployment: &Node) -> bool {
    let auto = text_of(deployment, "num_replicas") == Some("auto");
    auto || field_of(deployment, "autoscaling_config")
        .is_some_and(|config| matches!(config.data, Data::Table(_)))
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    if candidate.kind == STILL {
        let configs = items(candidate.node, "applications")
            .iter()
            .filter_map(|application| field_of(application, "args"))
            .flat_map(|arguments| items(arguments, "llm_configs"));
        for config in configs {
            if let Data::Text(file) = &config.data {
                let expected = format!("expected the config itself: give {file} as the manifest");
                return Err(Problem::new(
                    &manifest_place(&config.place),
                    "the LLM config stands in another file",
                    expected,
                ));
            }
        }
        let stray = |application| field_of(application, "autoscaling_config");
        let mut applications = items(candidate.node, "applications").iter().chain([candidate.node]);
        if let Some(config) = applications.find_map(stray) {
            let message = "`autoscaling_config` stands in the wrong place: none of the deployments scales";
            let label = "expected it in one of the `deployments` of the application";
            return Err(Problem::new(&manifest_place(&config.place), message, label));
        }
        let module =
            items(candidate.node, "applications").iter().find_map(|each| text_of(each, "import_path"));
        let module = module.or_else(|| text_of(candidate.node, "import_path")).unwrap_or("MODULE:APP");
        let expected = format!(
            "expected one with an `autoscaling_config` or `num_replicas: auto`; what the code of the application says is written out by `serve build {module} -o config.yaml`"
        );
        let place = manifest_place(&candidate.node.place);
        return Err(Problem::new(&place, "none of the deployments scales", expected));
    }
    let mut translation = Translation::new("ray_serve");
    let into = &mut translation;
    let holds =
        |document: &&Node| of_document(document).iter().any(|each| std::ptr::eq(each.node, candidate.node));
    if let Some(config) =
        manifest.documents.iter().find(holds).filter(|config| !std::ptr::eq(*config, candidate.node))
    {
        around(config, candidate, into)?;
    }
    for service in manifest.documents.iter().filter(|each| text_of(each, "kind") == Some("RayService")) {
        if let Some(cluster) = field_of(service, "spec").and_then(|spec| field_of(spec, "rayClusterConfig")) {
            let why = "is not used: its nodes may hold back replicas";
            into.unused(format!("`spec.rayClusterConfig` {why}"), &cluster.place);
        }
    }
    let root = Fields::of(candidate.node, path_of(candidate), true)?;
    if candidate.kind == LLM {
        root.pass_over(&[
            "model_loading_config",
            "engine_kwargs",
            "llm_engine",
            "runtime_env",
            "accelerator_type",
            "lora_config",
            "experimental_configs",
            "placement_group_config",
            "log_engine_metrics",
        ]);
        read_deployment(&root.object("deployment_config")?, into)?;
        root.finish(into);
    } else {
        read_deployment(&root, into)?;
    }
    Ok(translation)
}

/// The path of a deployment in messages: its place in the lists around it is told by its name.
fn path_of(candidate: &Candidate<'_>) -> String {
    match candidate.name.is_empty() {
        true => String::new(),
        false => format!("deployments[{}]", candidate.name),
    }
}

/// What stands around a deployment: the capacity aimed at, and what else does not scale it.
fn around(config: &Node, candidate: &Candidate<'_>, into: &mut Translation) -> Result<(), Problem> {
    let config = Fields::of(config, "", true)?;
    config.read(CAPACITY, "", into)?;
    for application in config.objects("applications")? {
        application.pass_over(&ASIDE);
        own_policy(&application, "autoscaling_policy", into)?;
        still(&application, into)?;
        application.finish(into);
    }
    still(&config, into)?;
    config.pass_over(&ASIDE);
    config.pass_over(&["llm_configs"]);
    config.finish(into);
    if candidate.kind == LLM {
        let why = "the ingress of the application scales by itself, and is not simulated";
        into.note(why.into(), &candidate.node.place);
    }
    Ok(())
}

/// Deployments that do not scale.
fn still(application: &Fields<'_>, into: &mut Translation) -> Result<(), Problem> {
    for deployment in application.objects("deployments")? {
        if !scales(deployment.node()) {
            into.unused(
                format!("`{}` is left out: it does not scale", deployment.path()),
                deployment.place(),
            );
        }
    }
    Ok(())
}

fn read_deployment(deployment: &Fields<'_>, into: &mut Translation) -> Result<(), Problem> {
    let is_auto = |node: &Node| node.data == Data::Text("auto".into());
    if let Some(replicas) = deployment.get("num_replicas").filter(|replicas| !is_auto(replicas)) {
        let expected = "\"auto\", or none: Ray Serve refuses a number beside an `autoscaling_config`";
        return Err(deployment.wrong("num_replicas", replicas, expected));
    }
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
    own_policy(&config, "policy", into)?;
    if let Some(initial) = config.get("initial_replicas") {
        let bound = |key: &str| match into.value(key) {
            Some(Data::Integer(bound)) => Some(*bound),
            _ => None,
        };
        let (min, max) = (bound("min"), bound("max"));
        if let Data::Integer(number) = initial.data
            && (min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max))
        {
            let expected = "one within the bounds: Ray Serve refuses others";
            return Err(config.wrong("initial_replicas", initial, expected));
        }
    }
    not_of_the_autoscaler(&config, "initial_replicas", "instances.initial", into);
    config.finish(into);
    deployment.finish(into);
    Ok(())
}

/// Refuses a policy that is code of the application's own: what it decides, nothing here can know.
fn own_policy(fields: &Fields<'_>, name: &'static str, into: &mut Translation) -> Result<(), Problem> {
    let Some(node) = fields.get(name) else { return Ok(()) };
    let function = match &node.data {
        Data::Text(text) => Some((text.as_str(), node)),
        _ => ["policy_function", "name"]
            .iter()
            .find_map(|name| Some((text_of(node, name)?, field_of(node, name)?))),
    };
    match function {
        Some((DEFAULT_POLICY | "", _)) | None => {
            into.aside(format!("{} is Ray Serve's own", fields.shown(&fields.path_of(name))), &node.place);
            Ok(())
        }
        Some((function, at)) => {
            let label = format!(
                "expected Ray Serve's own policy: `{function}` is code, and what it decides is not in the file; take the field out to simulate the default policy in its place"
            );
            let message = format!("`{}` is a policy of its own", fields.path_of(name));
            Err(Problem::new(&manifest_place(&at.place), message, label))
        }
    }
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
          policy: { policy_function: 'ray.serve.autoscaling_policy:default_autoscaling_policy' }
";

    #[test]
    fn the_deployment_that_scales_is_taken_and_the_rest_is_named() {
        let translation = translated(CONFIG);
        let warnings = translation.warnings();
        assert_eq!(translation.kind, "ray_serve");
        let expected = json!({
            "min": 1, "max": 8, "target_ongoing_requests": 3, "upscale_delay": "10s", "downscale_delay": "500ms",
            "upscaling_factor": 0.5, "downscaling_factor": 0.2,
        });
        assert_eq!(translation.json(), expected);
        let named = ["deployments[0]", "initial_replicas", "max_ongoing_requests"];
        for name in named {
            assert!(warnings.iter().any(|warning| warning.contains(name)), "{name}: {warnings:?}");
        }
        assert_eq!(warnings.len(), named.len(), "{warnings:?}");
    }

    #[test]
    fn a_policy_that_is_code_is_refused() {
        let own = CONFIG.replace("ray.serve.autoscaling_policy:default_autoscaling_policy", "mine:policy");
        assert!(translate_text(&own).unwrap_err().contains("`mine:policy` is code"));
        let around = CONFIG.replace("route_prefix: /", "autoscaling_policy: { policy_function: ours }");
        assert!(translate_text(&around).unwrap_err().contains("`applications[0].autoscaling_policy`"));
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
        assert!(
            warnings.contains(&"`spec.rayClusterConfig` is not used: its nodes may hold back replicas"),
            "{warnings:?}"
        );
    }

    #[test]
    fn auto_is_one_to_a_hundred_replicas() {
        let text = "applications: [{deployments: [{name: A, num_replicas: auto}]}]";
        assert_eq!(translated(text).json(), json!({ "max": 100 }));
    }

    #[test]
    fn what_is_no_serve_config_is_left_to_others_and_one_that_does_not_scale_is_refused() {
        let refused = |text| translate_text(text).unwrap_err();
        assert!(refused("kind: Deployment").contains("none that is read"));
        let fixed = "applications: [{deployments: [{name: A, num_replicas: 2}]}]";
        assert!(refused(fixed).contains("none of the deployments scales"));
    }
}
