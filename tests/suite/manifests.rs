//! Manifests as they are deployed, with fields that are not modelled, from `check` to a sweep over one of their fields.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixtures::cli::Work;

/// Two requests a second need one instance of four slots; forty keep twenty slots busy.
const SYSTEM: &str = r#"
name = "deployed"
[arrivals]
kind = "steps"
loads = [2, 40, 2]
step = "10m"
[service]
time = "500ms"
concurrency = 4
[instances]
initial = 2
cold_start = "20s"
[cost]
per_instance_hour = 1
[slo]
latency = "2s"
[run]
duration = "30m"
replications = 1
"#;

/// A manifest of the folder, and what is to come of it.
struct Form {
    file: &'static str,
    /// What `check` warns of, in order, after the name of the file.
    warnings: &'static [&'static str],
    /// A row that `replay` takes, and what its answer must hold.
    row: &'static str,
    desired: u64,
    /// A key and two values of it that lead to different costs.
    swept: (&'static str, &'static str),
}

const FORMS: &[Form] = &[
    Form {
        file: "hpa.yaml",
        warnings: &[
            "spec.metrics[2].pods.metric.selector is not modelled",
            "spec.frobnicate is not modelled",
        ],
        row: r#"{"time": 0, "part": "limit", "desired": 10, "proposal": 40}"#,
        desired: 14,
        swept: ("autoscaler.metrics.0.average_utilization", "[30, 90]"),
    },
    Form {
        file: "knative.yaml",
        warnings: &[
            "spec.template.metadata.annotations.autoscaling.knative.dev/frob is not modelled",
            "spec.template.spec.timeoutSeconds is not part of the autoscaler: see dispatch.timeout",
            "spec.template.spec.responseStartTimeoutSeconds is not part of the autoscaler: see dispatch.timeout",
        ],
        row: r#"{"time": 0, "ready": 2, "stable": 40, "panic": 40}"#,
        desired: 5,
        swept: ("autoscaler.target", "[2, 10]"),
    },
    Form {
        file: "keda.yaml",
        warnings: &[
            "metadata.annotations.scaledobject.keda.sh/transfer-hpa-ownership is not modelled",
            "spec.triggers[4] (cron) goes by the clock: `starts_at` and `time_zone` in `[autoscaler]` say when the run starts, \
             else it is Monday 2026-01-05, 00:00 UTC",
            "spec.triggers[0] (prometheus) averages over 60 s, and others do not: set `metrics.window`",
        ],
        row: r#"{"time": 0, "part": "executor", "desired": 0, "active": true, "error": false}"#,
        desired: 2,
        swept: ("autoscaler.triggers.2.threshold", "[2, 15]"),
    },
    Form {
        file: "ray-serve.yaml",
        warnings: &[
            "`applications[0].deployments[0]` is left out: it does not scale",
            "`deployments[llm/Model].max_ongoing_requests` is not of the autoscaler: \
             `service.concurrency` is what it sets",
            "`deployments[llm/Model].autoscaling_config.initial_replicas` is not of the autoscaler: \
             `instances.initial` is what it sets",
        ],
        row: r#"{"part": "sizing", "running": 2, "total_requests": 20}"#,
        desired: 5,
        swept: ("autoscaler.target_ongoing_requests", "[2, 8]"),
    },
    Form {
        file: "aws-target.json",
        warnings: &[
            "`SuspendedState` is not modelled",
            "`TargetTrackingScalingPolicyConfiguration.Frob` is not modelled",
        ],
        row: r#"{"part": "size", "capacity": 2, "metric": 140}"#,
        desired: 4,
        swept: ("autoscaler.policies.0.target", "[150, 600]"),
    },
    Form {
        file: "aws-steps.json",
        warnings: &[],
        row: r#"{"part": "size", "capacity": 0, "metric": 1}"#,
        desired: 1,
        swept: ("autoscaler.policies.0.threshold", "[0, 1]"),
    },
];

/// A folder with all manifests and a scenario on one of them.
fn folder(file: &str, more: &str) -> Work {
    let work = Work::with(&format!("{SYSTEM}[autoscaler]\nfrom = \"{file}\"\n{more}"));
    for form in FORMS {
        let manifest =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests").join(form.file);
        std::fs::copy(manifest, work.path().join(form.file)).unwrap();
    }
    work
}

#[test]
fn every_field_that_is_not_modelled_is_named_and_nothing_else() {
    for form in FORMS {
        let said = folder(form.file, "").run(0, &["check", "scenario.toml"], "").stderr;
        let expected: Vec<String> =
            form.warnings.iter().map(|warning| format!("warning: {}: {warning}", form.file)).collect();
        // What lints say of valid settings is no matter of reading them.
        let of_file: Vec<&str> =
            said.lines().filter(|line| line.starts_with(&format!("warning: {}", form.file))).collect();
        assert_eq!(of_file, expected, "{}", form.file);
    }
}

#[test]
fn a_manifest_drives_a_run_whose_decisions_have_reasons() {
    for form in FORMS {
        let folder = folder(form.file, "");
        folder.done(&["run", "scenario.toml", "--out", "out"]);
        let reasons = folder.column("out/decisions.csv", "reason");
        assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.is_empty()), "{}", form.file);
    }
}

#[test]
fn a_sweep_overrides_a_field_of_the_manifest() {
    for form in FORMS {
        let (key, values) = form.swept;
        let folder = folder(form.file, &format!("[sweep.parameters]\n\"{key}\" = {values}\n"));
        folder.done(&["sweep", "scenario.toml", "--out", "out"]);
        let column = |name: &str| folder.column("out/sweep.csv", name);
        let rows: BTreeSet<(String, String)> = column("cost").into_iter().zip(column(key)).collect();
        let costs: BTreeSet<&String> = rows.iter().map(|(cost, _)| cost).collect();
        assert_eq!((rows.len(), costs.len()), (2, 2), "{}: {rows:?}", form.file);
    }
}

/// The desired replicas of a replayed sync that asks for 13 by the manifest.
fn replayed(folder: &Work, policy: &str, set: &[&str]) -> u64 {
    let row = r#"{"time": 0, "desired": 10, "ready": 10, "value": 900}"#;
    let set = set.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> = ["replay", policy, "-"].into_iter().chain(set).collect();
    let line = folder.run(0, &arguments, &format!("{row}\n")).stdout;
    serde_json::from_str::<Value>(&line).unwrap()["desired"].as_u64().unwrap()
}

#[test]
fn the_command_line_and_variants_stand_above_the_manifest() {
    let hpa = |most: u32, target: u32| {
        format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec: {{maxReplicas: {most}, metrics: \
             [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, \
             averageUtilization: {target}}}}}}}]}}\n"
        )
    };
    let folder = folder("small.yaml", "[[variant]]\nname = \"one\"\nset = { \"autoscaler.max\" = 2 }\n");
    folder.write("small.yaml", &hpa(40, 70));
    folder.write("other.yaml", &hpa(40, 75));
    assert_eq!(replayed(&folder, "small.yaml", &[]), 13);
    assert_eq!(replayed(&folder, "small.yaml", &["autoscaler.max=11"]), 11);
    assert_eq!(replayed(&folder, "scenario.toml", &["autoscaler.max=11"]), 11);
    let target = "autoscaler.metrics.0.average_utilization=60";
    assert_eq!(replayed(&folder, "small.yaml", &[target]), 15);
    assert_eq!(replayed(&folder, "small.yaml", &[target, "autoscaler.max=14"]), 14);
    assert_eq!(replayed(&folder, "scenario.toml", &["autoscaler.from=other.yaml"]), 12);
    assert_eq!(replayed(&folder, "scenario.toml", &["autoscaler.max=11", "autoscaler.from=other.yaml"]), 11);
    folder.done(&["run", "scenario.toml", "--out", "out"]);
    let most = |file: &str| {
        folder
            .column(file, "desired_after")
            .iter()
            .map(|desired| desired.parse::<u32>().unwrap())
            .max()
            .unwrap()
    };
    assert!(most("out/decisions.csv") > 2);
    assert_eq!(most("out/variants/1-one/decisions.csv"), 2);
}

#[test]
fn a_replay_takes_the_manifest_itself() {
    for form in FORMS {
        let folder = folder(form.file, "");
        let printed = folder.run(0, &["replay", form.file, "-"], &format!("{}\n", form.row));
        let (line, said) = (serde_json::from_str::<Value>(&printed.stdout).unwrap(), printed.stderr);
        assert_eq!(line["desired"], form.desired, "{}: {line}", form.file);
        assert_eq!(said.lines().count(), form.warnings.len(), "{}: {said}", form.file);
    }
}

#[test]
fn nonsense_is_refused_with_one_message() {
    let hpa = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n";
    let keda = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\n";
    let deep = format!("{}1{}", "[".repeat(4000), "]".repeat(4000));
    let texts = [
        (String::new(), "the manifest is empty"),
        ("a: [b".into(), "the manifest is neither YAML nor JSON"),
        (deep, "the manifest is neither YAML nor JSON"),
        (format!("{hpa}spec: []\n"), "`spec` is a list"),
        (format!("{hpa}spec: {{maxReplicas: many}}\n"), "`spec.maxReplicas` is \"many\""),
        (format!("{hpa}spec: {{minReplicas: 9, maxReplicas: 2}}\n"), " bad.yaml"),
        (
            format!("{keda}spec: {{triggers: [{{type: cron}}]}}\n"),
            "`spec.triggers[0].metadata.start` is missing",
        ),
        (
            r#"{"PolicyName": "p", "PolicyType": "SimpleScaling"}"#.into(),
            "expected target tracking or step scaling",
        ),
        ("applications: [{name: a, deployments: []}]\n".into(), "bad.yaml"),
    ];
    for (text, expected) in texts {
        let folder = folder("bad.yaml", "");
        folder.write("bad.yaml", &text);
        let said = folder.fails(2, &["check", "scenario.toml"]);
        assert!(said.contains(expected), "{expected}: {said}");
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
    }
}

/// Fails where a metric called like a signal is simulated as another, and where the digest keeps quiet of what nobody has written.
#[test]
fn a_metric_that_is_called_like_a_signal_is_that_signal() {
    let metric = |kind: &str, name: &str| match kind {
        "hpa" => format!("metrics = [{{ type = \"external\", name = \"{name}\", value = 3 }}]"),
        _ => format!("triggers = [{{ name = \"{name}\", metric_type = \"value\", threshold = 3 }}]"),
    };
    for kind in ["hpa", "keda"] {
        for (name, signal) in
            [("latency", "latency"), ("queue_length", "queue_length"), ("mine", "in_flight")]
        {
            let folder = Work::with(&format!(
                "{SYSTEM}[autoscaler]\nkind = \"{kind}\"\nmax = 5\n{}\n",
                metric(kind, name)
            ));
            let digest = folder.done(&["check", "scenario.toml"]);
            assert!(digest.contains(&format!("signal {signal} (not written)")), "{kind} {name}: {digest}");
        }
    }
}
