//! `recommend` on the command line: what it answers, that it depends on nothing but scenario, seed and budget, and that it
//! resumes.

use std::path::Path;
use std::process::{Command, Output};

use kneepoint::internals::document::Data;
use kneepoint::internals::scenario::ScenarioFile;
use serde_json::Value;

const POOL: &str = "[arrivals]\nkind = \"poisson\"\nrate = 10\n[service]\ntime = { dist = \"exponential\", mean = \"500ms\" }\n\
    [instances]\ncold_start = \"30s\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 14\n[cost]\nper_instance_hour = 2\n[slo]\n\
    latency = \"2s\"\npercentile = 95\n[run]\nduration = \"20m\"\n";

fn kneepoint(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kneepoint")).current_dir(folder).args(arguments).output().unwrap()
}

fn with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pool.toml"), text).unwrap();
    folder
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = kneepoint(folder, &[&["recommend", "pool.toml", "--json"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_least_pool_that_keeps_the_promise_is_recommended_against_the_one_in_force() {
    let folder = with(POOL);
    let output = kneepoint(folder.path(), &["recommend", "pool.toml"]);
    let shown = text(&output);
    assert!(output.status.success(), "{shown}");
    for part in [
        "Recommended: autoscaler.instances = 7.",
        "cost a month",
        "time within SLO",
        "worst window",
        "Margin: ",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let written = folder.path().join("output/pool-recommend");
    for file in ["recommendation.json", "report.html", "cost_latency.svg", "summary.json"] {
        assert!(written.join(file).exists(), "{file}");
    }
    let found: Value =
        serde_json::from_slice(&std::fs::read(written.join("recommendation.json")).unwrap()).unwrap();
    let found = &found["recommendation"];
    assert_eq!(found["ending"], "confirmed");
    assert_eq!(found["changes"][0]["old"], "14");
    assert_eq!(found["changes"][0]["new"], "7");
    // Half of the instances: half of the cost.
    let saving = found["saving"]["mean"].as_f64().unwrap();
    assert!((saving - 0.5).abs() < 1e-9, "{saving}");
    assert_eq!(found["recommended"]["replications"], found["today"]["replications"]);
}

#[test]
fn conditions_are_kept_all_and_never_chosen() {
    let folder = with(&format!("{POOL}[sweep.conditions]\n\"traffic\" = [1, 1.5]\n"));
    let robust = json(folder.path(), &[]);
    let chosen =
        |found: &Value| found["recommendation"]["recommended"]["settings"]["autoscaler.instances"].clone();
    let many = chosen(&robust);
    assert_eq!(robust["recommendation"]["recommended"]["by_condition"].as_array().unwrap().len(), 2);
    let few = chosen(&json(folder.path(), &["--condition", "traffic=1"]));
    let number = |value: &Value| value.as_str().unwrap().parse::<u32>().unwrap();
    assert!(number(&many) > number(&few), "{many} {few}");
    assert!(
        robust["recommendation"]["changes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|change| change["path"] != "traffic")
    );
    let refused = kneepoint(folder.path(), &["recommend", "pool.toml", "--condition", "traffic=3"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(text(&refused).contains("traffic=1, traffic=1.5"), "{}", text(&refused));
}

#[test]
fn the_answer_depends_on_seed_and_requests_and_not_on_threads() {
    let folder = with(POOL);
    let one = json(folder.path(), &["--budget", "20M", "--threads", "1"]);
    let four = json(folder.path(), &["--budget", "20M", "--threads", "4"]);
    assert_eq!(one, four);
    assert_eq!(one["recommendation"]["ending"], "confirmed");
    // With next to nothing to spend, nothing is confirmed, and nothing is recommended.
    let poor = json(folder.path(), &["--budget", "100k"]);
    assert_eq!(poor["recommendation"]["ending"], "unconfirmed");
    assert_eq!(poor["recommendation"]["budget_spent"], true);
    only_estimated(&poor["recommendation"]);
    for arguments in [&[][..], &["--summary", "md"]] {
        let said = text(&kneepoint(
            folder.path(),
            &[&["recommend", "pool.toml", "--budget", "100k"], arguments].concat(),
        ));
        assert!(said.contains("the budget ended before any settings were verified"), "{said}");
        // Those in force are, at any budget.
        assert!(said.contains("The SLO can be met: the settings in force keep"), "{said}");
        nothing_is_called_recommended(&said);
    }
}

fn only_estimated(found: &Value) {
    assert_eq!(found["recommended"], Value::Null);
    assert_ne!(found["best_estimate"], Value::Null);
    assert_ne!(found["estimated"]["replications"], Value::Null);
    let names: Vec<&Value> = found["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| &point["name"])
        .filter(|name| !name.is_null())
        .collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| !name.to_string().contains("recommended")),
        "{names:?}"
    );
}

fn nothing_is_called_recommended(said: &str) {
    assert!(said.contains("Estimated: ") && said.contains("estimated"), "{said}");
    assert!(!said.contains("ecommended"), "{said}");
}

/// In the first round, and after it.
#[cfg(unix)]
#[test]
fn ctrl_c_during_the_race_leaves_an_estimate_that_is_marked_as_one_on_every_output() {
    for records in [150_000, 900_000] {
        stopped_once_there_are(records);
    }
}

#[cfg(unix)]
fn stopped_once_there_are(bytes: u64) {
    let folder = with(&POOL.replace("\"20m\"", "\"12h\""));
    let child = Command::new(env!("CARGO_BIN_EXE_kneepoint"))
        .current_dir(folder.path())
        .args(["recommend", "pool.toml", "--threads", "1", "--gate"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let written = folder.path().join("output/pool-recommend");
    let records = written.join(".records");
    let began = std::time::Instant::now();
    while began.elapsed().as_secs() < 100 && std::fs::metadata(&records).map_or(0, |file| file.len()) < bytes
    {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    // Not the 4 of a gate that is uncertain: the work could not be done.
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("incomplete, since the work was stopped: nothing was verified"), "{said}");
    nothing_is_called_recommended(&said);
    let read = |name: &str| std::fs::read_to_string(written.join(name)).unwrap();
    let found: Value = serde_json::from_str(&read("recommendation.json")).unwrap();
    assert_eq!(found["recommendation"]["complete"], false);
    assert_eq!(found["recommendation"]["ending"], "stopped");
    only_estimated(&found["recommendation"]);
    assert!(read("summary.json").contains("\"complete\": false"));
    let page = read("report.html");
    assert!(
        page.contains("incomplete, since the work was stopped") && page.contains("estimated, not verified")
    );
}

#[test]
fn a_scenario_that_promises_nothing_and_one_that_has_nothing_to_choose_are_refused() {
    let folder = with(&POOL.replace("[slo]\nlatency = \"2s\"\npercentile = 95\n", ""));
    let refused = kneepoint(folder.path(), &["recommend", "pool.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("promises nothing"), "{}", text(&refused));
    assert!(!folder.path().join("output").exists());
    let wrong = kneepoint(folder.path(), &["recommend", "pool.toml", "--budget", "soon"]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// The manifests of all systems, and what each scenario has to say beside it.
const MANIFESTS: [(&str, &str); 5] = [
    ("hpa.yaml", ""),
    ("keda.yaml", ""),
    ("knative.yaml", ""),
    ("ray-serve.yaml", ""),
    ("aws-target.json", ""),
];

fn scenario(folder: &Path, autoscaler: &str) -> ScenarioFile {
    let text = format!(
        "[arrivals]\nkind = \"poisson\"\nrate = 10\n[service]\ntime = \"500ms\"\nconcurrency = 20\n{autoscaler}\n[cost]\n\
         per_instance_hour = 1\n[slo]\nlatency = \"2s\"\n[run]\nduration = \"10m\""
    );
    ScenarioFile::parse("test.toml", &text, folder).unwrap()
}

#[test]
fn a_manifest_with_other_settings_reads_back_as_the_scenario_with_them_for_every_system() {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let mut written = 0;
    for (name, more) in MANIFESTS {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(manifests.join(name), folder.path().join(name)).unwrap();
        let file = scenario(folder.path(), &format!("[autoscaler]\nfrom = \"{name}\"\n{more}"));
        let space = match file.space() {
            Ok(space) => space,
            Err(error) => panic!("{name}: {}", error.render(false)),
        };
        assert!(space.axes.len() >= 2, "{name}: {space:?}");
        for axis in &space.axes {
            for level in &axis.levels {
                let settings = [(axis.path.clone(), level.clone())];
                // What the form cannot hold is refused, in words.
                let manifest = match file.manifest_with(&settings, ("test", "Computed.")) {
                    Ok(manifest) => manifest,
                    Err(why) => {
                        assert!(why.contains("cannot be written"), "{name} {settings:?}: {why}");
                        continue;
                    }
                };
                let other = format!("new-{name}");
                std::fs::write(folder.path().join(&other), &manifest.text).unwrap();
                let again = scenario(folder.path(), &format!("[autoscaler]\nfrom = \"{other}\"\n{more}"));
                let (again, asked) = (again.scenario().unwrap(), file.with(&settings, &[]).unwrap());
                // The same model and seed: the same bytes of every output.
                assert_eq!(again.model, asked.model, "{name} {settings:?}");
                written += 1;
            }
        }
    }
    assert!(written > 60, "{written}");
}

#[test]
fn a_manifest_made_anew_simulates_as_the_scenario_it_was_made_of_for_every_system() {
    let mut made = std::collections::BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for name in [
        "hpa",
        "keda",
        "knative",
        "ray-serve",
        "sagemaker",
        "azure-ml",
        "vertex",
        "cloud-run",
        "hugging-face",
        "llm-d",
    ] {
        let path = folder.join(format!("{name}.toml"));
        let file = ScenarioFile::load(&path).unwrap();
        let manifest = match file.manifest_with(&[], ("my pool", "Computed by a test.")) {
            Ok(manifest) => manifest,
            Err(why) => panic!("{name}: {why}"),
        };
        // AWS has no place for a comment.
        let said = name == "sagemaker" || manifest.text.contains("Computed by a test.");
        assert!(manifest.old.is_none() && said, "{}", manifest.text);
        // What has no field stays in the scenario.
        let out = tempfile::tempdir().unwrap();
        std::fs::write(out.path().join("new.yaml"), &manifest.text).unwrap();
        let before = std::fs::read_to_string(&path).unwrap();
        let value = |key: &str| {
            let tree = kneepoint::internals::schema::Tree::parse(&before).unwrap();
            tree.get(&format!("autoscaler.{key}")).map(|node| node.data.clone())
        };
        let mut again =
            ScenarioFile::parse("test.toml", &with_manifest(&before, "new.yaml"), out.path()).unwrap();
        for (key, _) in &manifest.left_out {
            let text = match value(key) {
                Some(Data::Text(text)) => text,
                Some(Data::Integer(number)) => number.to_string(),
                Some(Data::Float(number)) => number.to_string(),
                Some(Data::Bool(flag)) => flag.to_string(),
                other => panic!("{name} {key}: {other:?}"),
            };
            again.override_path(&format!("autoscaler.{key}"), &text).unwrap();
        }
        let again = match again.scenario() {
            Ok(again) => again,
            Err(error) => panic!("{name}: {}\n{}", error.render(false), manifest.text),
        };
        // The same model and seed: the same bytes of every output.
        assert_eq!(again.model, file.scenario().unwrap().model, "{name}: {}", manifest.text);
        made.insert(name);
    }
    assert_eq!(made.len(), 10);
}

/// A scenario that names a manifest in place of its settings.
fn with_manifest(text: &str, manifest: &str) -> String {
    let mut kept = Vec::new();
    let mut within = false;
    for line in text.lines() {
        if line.starts_with('[') {
            let was = within;
            within = line.starts_with("[autoscaler") || line.starts_with("[[autoscaler");
            if within && !was {
                kept.push(format!("[autoscaler]\nfrom = \"{manifest}\""));
            }
        }
        // What is swept or varied may have keys that only the scenario holds.
        if line.starts_with("[sweep") || line.starts_with("[[variant") {
            break;
        }
        if !within {
            kept.push(line.to_owned());
        }
    }
    kept.join("\n")
}

#[test]
fn what_a_cloud_cannot_express_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let written = |autoscaler: &str, path: &str, value: &str| {
        let file = scenario(folder.path(), autoscaler);
        let space = file.space().unwrap();
        let axis = space.axes.iter().find(|axis| axis.path == path);
        let level =
            axis.and_then(|axis| axis.levels.iter().find(|level| level.to_string() == value).cloned());
        let level = level.unwrap_or_else(|| panic!("{path} = {value}: {space:?}"));
        file.manifest_with(&[(path.to_owned(), level)], ("pool", "Computed."))
    };
    let sweep = |path: &str, values: &str| format!("[sweep.parameters]\n\"{path}\" = {values}\n");
    let endpoint = "[autoscaler]\nkind = \"hugging_face\"\nmin = 0\nmax = 4\n";
    let path = "autoscaler.scale_to_zero_after";
    let text = format!("{endpoint}{}", sweep(path, "[\"15m\", \"90s\"]"));
    assert!(written(&text, path, "15m").unwrap().text.contains("scaleToZeroTimeout: 15"));
    assert!(written(&text, path, "1m 30s").unwrap_err().contains("whole minutes"));
    // The bounds of llm-d's pool stand in another object.
    let pool = "[autoscaler]\nkind = \"llm_d\"\nrelease = \"0.8\"\nmax = 4\n";
    let text = format!("{pool}{}", sweep("autoscaler.max", "[4, 6]"));
    assert!(written(&text, "autoscaler.max", "6").is_err());
    // Cloud Run's share of the concurrency to aim at is its own.
    let service = "[autoscaler]\nkind = \"cloud_run\"\nmax_concurrency = 20\n";
    let text = format!("{service}{}", sweep("autoscaler.concurrency_target", "[0.5, 0.6]"));
    assert!(written(&text, "autoscaler.concurrency_target", "0.5").is_err());
}

#[test]
fn the_manifest_of_the_user_is_written_back_with_a_diff_and_only_the_changed_fields() {
    let folder = with(
        &POOL
            .replace("kind = \"fixed\"\ninstances = 14", "from = \"hpa.yaml\"")
            .replace("duration = \"20m\"", "duration = \"20m\"\nseed = 3"),
    );
    let hpa = "# ours\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: chat}\nspec:\n  \
               scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}\n  minReplicas: 8 # why\n  \
               maxReplicas: 20\n  metrics:\n  - type: Resource\n    resource: {name: cpu, target: {type: Utilization, \
               averageUtilization: 40}}\n";
    std::fs::write(folder.path().join("hpa.yaml"), hpa).unwrap();
    let output =
        kneepoint(folder.path(), &["recommend", "pool.toml", "--manifest", "new.yaml", "--budget", "30M"]);
    let shown = text(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("--- hpa.yaml\n+++ new.yaml\n"), "{shown}");
    let new = std::fs::read_to_string(folder.path().join("new.yaml")).unwrap();
    assert!(new.starts_with("# ours\n") && new.contains("# why\n") && new != hpa, "{new}");
    assert_eq!(std::fs::read_to_string(folder.path().join("hpa.yaml")).unwrap(), hpa, "the old one stays");
}

#[test]
fn the_exit_status_of_a_gate_tells_kept_missed_and_uncertain() {
    let folder = with(POOL);
    let status = |arguments: &[&str]| {
        kneepoint(folder.path(), &[arguments, &["pool.toml", "--gate", "-q"]].concat()).status.code()
    };
    assert_eq!(status(&["run"]), Some(0));
    assert_eq!(status(&["run", "--set", "slo.latency=550ms"]), Some(3));
    // Three replications are too few to tell.
    assert_eq!(status(&["run", "--set", "run.replications=3"]), Some(4));
    assert_eq!(status(&["recommend"]), Some(0));
    let without = with(&POOL.replace("[slo]\nlatency = \"2s\"\npercentile = 95\n", ""));
    let refused = kneepoint(without.path(), &["run", "pool.toml", "--gate"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    // Without the option the verdict is told and the status is that of the command.
    let told = kneepoint(folder.path(), &["run", "pool.toml", "--set", "slo.latency=550ms"]);
    assert_eq!(told.status.code(), Some(0));
    assert!(text(&told).contains("The SLO is missed"), "{}", text(&told));
}

#[test]
fn a_recommendation_that_was_killed_resumes_to_the_same_bytes_and_a_changed_scenario_is_refused() {
    let folder = with(POOL);
    let whole = json(folder.path(), &["--out", "whole"]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_kneepoint"))
        .current_dir(folder.path())
        .args(["recommend", "pool.toml", "--out", "cut", "-q"])
        .spawn()
        .unwrap();
    let records = folder.path().join("cut/.records");
    let began = std::time::Instant::now();
    while began.elapsed().as_secs() < 60 && std::fs::metadata(&records).map_or(0, |file| file.len()) < 20_000
    {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    if records.exists() {
        let other = kneepoint(
            folder.path(),
            &["recommend", "pool.toml", "--out", "cut", "--resume", "--set", "arrivals.rate=11"],
        );
        assert_eq!(other.status.code(), Some(1), "{}", text(&other));
        assert!(text(&other).contains("cannot resume: the scenario has changed"), "{}", text(&other));
    }
    assert_eq!(json(folder.path(), &["--out", "cut", "--resume"]), whole);
    assert!(!records.exists());
}
