//! Kneepoint where its users work: findings for code hosts and build servers, the gate of a pull request, archives, the
//! installer, manual pages. Each script is run as it is shipped.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::fixtures::cli::{PROGRAM, Work};

/// A pool that keeps its SLO at any time, and is larger than it must be.
const KEPT: &str = r#"
[arrivals]
kind = "poisson"
rate = 4
[service]
time = { dist = "exponential", mean = "1s" }
[autoscaler]
kind = "fixed"
instances = 12
[cost]
per_instance_hour = 1
[slo]
latency = "20s"
percentile = 95
[run]
duration = "10m"
replications = 80
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn script(work: &Work, name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(root().join("integrations").join(name));
    command.current_dir(work.path()).args(arguments).env_remove("GITHUB_STEP_SUMMARY");
    command.env("KNEEPOINT", PROGRAM).envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn findings_are_written_for_code_hosts() {
    let work = Work::with("[arrivals\nkind = \"poisson\"\n");
    work.write("a trap.toml", &KEPT.replace("[run]", "[instances]\ncold_start = \"5m\"\n[run]").replace(
        "kind = \"fixed\"\ninstances = 12",
        "kind = \"threshold\"\nmetric = \"utilization\"\nmax = 20\nup = { above = 0.7, cooldown = \"30s\" }\n\
         down = { below = 0.3 }",
    ));
    let log: Value = serde_json::from_str(
        &work.run(2, &["check", "scenario.toml", "a trap.toml", "--format", "sarif"], "").stdout,
    )
    .unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules: BTreeSet<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    let results = run["results"].as_array().unwrap();
    assert!(
        results.len() >= 2 && results.iter().all(|result| rules.contains(result["ruleId"].as_str().unwrap()))
    );
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!((&results[0]["level"], &place["region"]["startLine"]), (&"error".into(), &1.into()));
    assert_eq!(place["artifactLocation"]["uri"], "scenario.toml");
    let trap = &results.last().unwrap();
    assert_eq!((&trap["level"], &trap["ruleId"]), (&"warning".into(), &"cooldown-shorter-than-start".into()));
    assert_eq!(trap["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20trap.toml");
    assert!(trap["message"]["text"].as_str().unwrap().contains("fix: "));

    let work = Work::with(KEPT);
    let log: Value =
        serde_json::from_str(&work.done(&["check", "scenario.toml", "--format", "sarif"])).unwrap();
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}

#[test]
fn findings_are_written_for_build_servers() {
    let work = Work::with(KEPT);
    work.write("<bad>.toml", "[arrivals]\nkind = \"poison\"\n");
    let xml = work.run(2, &["check", "scenario.toml", "<bad>.toml", "--format", "junit"], "").stdout;
    assert!(xml.starts_with("<?xml version=\"1.0\""), "{xml}");
    assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
    assert!(
        xml.contains("<testcase classname=\"scenario.toml\" name=\"check\" file=\"scenario.toml\"/>"),
        "{xml}"
    );
    assert!(xml.contains("file=\"&lt;bad&gt;.toml\"") && !xml.contains("\"<bad"), "{xml}");
    assert_eq!(xml.matches("<testcase").count(), 2);
}

#[test]
fn the_gate_says_kept_or_missed_and_leaves_its_summary() {
    let work = Work::with(KEPT);
    work.write("slow.toml", &KEPT.replace("20s", "1100ms").replace("instances = 12", "instances = 5"));
    let step = work.path().join("step.md");
    let kept = script(
        &work,
        "gate.sh",
        &["run", "scenario.toml"],
        &[("GITHUB_STEP_SUMMARY", step.to_str().unwrap())],
    );
    assert_eq!(kept.status.code(), Some(0), "{}{}", text(&kept.stdout), text(&kept.stderr));
    let summary = fs::read_to_string(work.path().join("kneepoint-gate/summary.md")).unwrap();
    assert!(summary.contains("The SLO is met") && summary.contains('|'), "{summary}");
    assert_eq!(fs::read_to_string(&step).unwrap(), summary);
    assert!(work.path().join("kneepoint-gate/scenario/summary.json").exists());
    let both = script(&work, "gate.sh", &["run", "slow.toml", "scenario.toml"], &[("KNEEPOINT_OUT", "out")]);
    assert_eq!(both.status.code(), Some(3), "{}{}", text(&both.stdout), text(&both.stderr));
    assert!(work.path().join("out/check.xml").exists() && work.path().join("out/check.sarif").exists());

    work.write("wrong.toml", "[arrivals]\nkind = \"poison\"\n");
    let wrong = script(&work, "gate.sh", &["run", "wrong.toml"], &[]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("wrong.toml"), "{}", text(&wrong.stderr));
    assert_eq!(script(&work, "gate.sh", &["delete", "scenario.toml"], &[]).status.code(), Some(2));
}

/// The script of the step called `name` in the action.
fn step_of_the_action(name: &str) -> String {
    let action = fs::read_to_string(root().join("action.yml")).unwrap();
    let step = action.split("    - name: ").find(|step| step.lines().next() == Some(name)).unwrap();
    let script = step.split_once("run: |\n").unwrap().1;
    let lines = script.lines().take_while(|line| line.starts_with("        "));
    lines.map(|line| &line[8..]).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_action_runs_the_gate_and_tells_the_verdict() {
    let work = Work::with(&KEPT.replace("20s", "1100ms").replace("instances = 12", "instances = 5"));
    let outputs = work.path().join("outputs.txt");
    let output = Command::new("bash")
        .current_dir(work.path())
        .args(["-e", "-o", "pipefail", "-c", &step_of_the_action("Gate")])
        .env("GITHUB_ACTION_PATH", root())
        .env("GITHUB_OUTPUT", &outputs)
        .env_remove("GITHUB_STEP_SUMMARY")
        .envs([("KNEEPOINT", PROGRAM), ("SCENARIOS", "scenario.toml"), ("COMMAND", "run")])
        .envs([("KNEEPOINT_ARGS", "--seed 7"), ("KNEEPOINT_OUT", "gate"), ("UNCERTAIN_FAILS", "true")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(fs::read_to_string(outputs).unwrap(), "verdict=missed\nsummary=gate/summary.md\n");
}

/// The lines of a list of the GitLab template.
fn lines_of_gitlab(name: &str) -> String {
    let template = fs::read_to_string(root().join("integrations/gitlab/kneepoint.yml")).unwrap();
    let rest = template.split_once(&format!("\n  {name}:\n")).unwrap().1.to_owned();
    let lines = rest.lines().map_while(|line| line.strip_prefix("    - "));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// Everything but the packages of the image: the scripts come from this checkout, the program from an archive that was packed here.
#[test]
fn the_job_of_gitlab_installs_gates_and_leaves_its_reports() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl is not installed");
        return;
    }
    let work = Work::with(KEPT);
    let folder = release(&work);
    let version = format!("releases/download/v{}", env!("CARGO_PKG_VERSION"));
    fs::create_dir_all(work.path().join("releases/download")).unwrap();
    fs::rename(folder, work.path().join(version)).unwrap();
    let bin = work.path().join("bin");
    let before = lines_of_gitlab("before_script");
    let (packages, installs) = before.split_once('\n').unwrap();
    assert!(packages.starts_with("apt-get update"), "{packages}");
    let script = installs.replace("/usr/local/bin", &bin.display().to_string()) + &lines_of_gitlab("script");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let done = Command::new("bash")
        .current_dir(work.path())
        .args(["-e", "-c", &script])
        .env_remove("KNEEPOINT")
        .env("PATH", path)
        .env("KNEEPOINT_RELEASES", format!("file://{}", work.path().join("releases").display()))
        .env("KNEEPOINT_SOURCE", format!("file://{}", root().join("integrations").display()))
        .envs([("KNEEPOINT_VERSION", env!("CARGO_PKG_VERSION")), ("KNEEPOINT_COMMAND", "run")])
        .envs([("KNEEPOINT_ARGS", "--seed 7"), ("KNEEPOINT_OUT", "gate")])
        .env("KNEEPOINT_SCENARIOS", "scenario.toml")
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stdout), text(&done.stderr));
    for file in ["gate/check.xml", "gate/summary.md"] {
        assert!(work.path().join(file).exists(), "{file}");
    }
}

#[test]
fn the_hook_of_pre_commit_refuses_what_is_wrong() {
    let hooks = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let entry = hooks.lines().find_map(|line| line.trim().strip_prefix("entry: ")).unwrap();
    let arguments: Vec<&str> = entry.strip_prefix("kneepoint ").unwrap().split(' ').collect();
    let work = Work::with(KEPT);
    work.write("wrong.toml", &KEPT.replace("rate = 4", "rte = 4"));
    work.done(&[&arguments[..], &["scenario.toml"]].concat());
    let refused = work.run(2, &[&arguments[..], &["scenario.toml", "wrong.toml"]].concat(), "");
    assert!(refused.stderr.contains("did you mean `rate`?"), "{}", refused.stderr);
}

#[test]
fn manual_pages_cover_every_command() {
    let work = Work::with("");
    work.done(&["man", "pages"]);
    let help = work.done(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // Names stand at the margin, what they do and its further lines do not.
    let names = commands
        .lines()
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        let page = fs::read_to_string(work.path().join(format!("pages/kneepoint-{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    work.write("file", "");
    work.fails(1, &["man", "file"]);
}

/// An archive of the program under test, as a release has it, with its list of checksums; and the folder that holds both.
fn release(work: &Work) -> PathBuf {
    let folder = work.path().join("releases/latest/download");
    let machine = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" };
    let target = if cfg!(target_os = "macos") {
        format!("{machine}-apple-darwin")
    } else {
        format!("{machine}-unknown-linux-musl")
    };
    let packed = script(work, "package.sh", &[&target, folder.to_str().unwrap()], &[("PROGRAM", PROGRAM)]);
    assert!(packed.status.success(), "{}", text(&packed.stderr));
    let sums = Command::new("sh")
        .current_dir(&folder)
        .args(["-c", "(sha256sum * || shasum -a 256 *) > SHA256SUMS"])
        .status();
    assert!(sums.unwrap().success());
    folder
}

#[test]
fn a_packed_release_installs_and_a_damaged_one_does_not() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl is not installed");
        return;
    }
    let work = Work::with("");
    let folder = release(&work);
    let releases = format!("file://{}", work.path().join("releases").display());
    let install = |to: &str| script(&work, "install.sh", &["--to", to], &[("KNEEPOINT_RELEASES", &releases)]);
    let done = install("bin");
    assert!(done.status.success(), "{}{}", text(&done.stdout), text(&done.stderr));
    let version = Command::new(work.path().join("bin/kneepoint")).arg("--version").output().unwrap();
    assert_eq!(text(&version.stdout), format!("kneepoint {}\n", env!("CARGO_PKG_VERSION")));
    let archive = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some());
    let archive = archive.unwrap();
    let listed = Command::new("tar").arg("-tzf").arg(&archive).output().unwrap();
    for part in
        ["/kneepoint\n", "/man/kneepoint-sweep.1\n", "/completions/kneepoint.fish\n", "/LICENSE-MIT\n"]
    {
        assert!(text(&listed.stdout).contains(part), "{part}");
    }

    let mut bytes = fs::read(&archive).unwrap();
    bytes.push(0);
    fs::write(&archive, bytes).unwrap();
    let refused = install("elsewhere");
    assert!(!refused.status.success() && text(&refused.stderr).contains("nothing is installed"));
    assert!(!work.path().join("elsewhere/kneepoint").exists());
}

/// No image is built here: what it copies is there, and the program in it needs nothing that an image of nothing else lacks.
#[test]
fn the_image_is_built_of_an_unpacked_archive() {
    let work = Work::with("");
    let folder = release(&work);
    let archive = folder.join("kneepoint-x86_64-unknown-linux-musl.tar.gz");
    if !archive.exists() {
        println!("skipped: the archive of this machine is not the image's");
        return;
    }
    assert!(
        Command::new("tar").arg("-xzf").arg(&archive).current_dir(work.path()).status().unwrap().success()
    );
    let unpacked = work.path().join("kneepoint-x86_64-unknown-linux-musl");
    let lines = fs::read_to_string(unpacked.join("Dockerfile")).unwrap();
    let program = lines.lines().find_map(|line| line.strip_prefix("ARG PROGRAM=")).unwrap();
    assert!(lines.contains("\nFROM scratch\n") && lines.contains("\nUSER 65532:65532\n"), "{lines}");
    assert!(lines.contains("\nCOPY --chmod=755 ${PROGRAM} /kneepoint\n"), "{lines}");
    // The one step, by hand; then the program with nothing of this machine about it but a folder to write to.
    fs::copy(unpacked.join(program), work.path().join("copied")).unwrap();
    work.write("scenario.toml", KEPT);
    let mut run = Command::new(work.path().join("copied"));
    run.current_dir(work.path()).args(["run", "scenario.toml", "--quiet"]).env_clear().env("TMPDIR", "/none");
    assert!(run.status().unwrap().success() && work.path().join("output/scenario/report.html").exists());
    // In a checkout the builder is sent the program alone.
    let own = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let built = own.lines().find_map(|line| line.strip_prefix("ARG PROGRAM=")).unwrap();
    assert_eq!(built, "target/x86_64-unknown-linux-musl/dist/kneepoint");
    let sent = fs::read_to_string(root().join(".dockerignore")).unwrap();
    assert!(sent.contains("\n*\n") && sent.contains("\n!target/*/dist/kneepoint\n"), "{sent}");
}

#[test]
fn the_formula_names_every_archive_with_its_checksum() {
    let work = Work::with("");
    let targets = [
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
        "aarch64-unknown-linux-musl",
        "x86_64-unknown-linux-musl",
    ];
    let sums: String = targets
        .iter()
        .enumerate()
        .map(|(i, target)| format!("{i:064}  kneepoint-{target}.tar.gz\n"))
        .collect();
    work.write("SHA256SUMS", &sums);
    let formula = text(&script(&work, "homebrew/formula.sh", &["SHA256SUMS"], &[]).stdout);
    for (i, target) in targets.iter().enumerate() {
        let lines = format!("kneepoint-{target}.tar.gz\"\n      sha256 \"{i:064}\"");
        assert!(formula.contains(&lines), "{formula}");
    }
    assert!(formula.contains(&format!("version \"{}\"", env!("CARGO_PKG_VERSION"))));
    work.write("SHA256SUMS", "");
    assert!(!script(&work, "homebrew/formula.sh", &["SHA256SUMS"], &[]).status.success());
}

#[test]
fn what_names_the_version_names_this_one() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, line) in [
        ("action.yml", format!("default: \"{version}\"")),
        ("CITATION.cff", format!("version: {version}")),
        ("integrations/gitlab/kneepoint.yml", format!("KNEEPOINT_VERSION: \"{version}\"")),
    ] {
        assert!(fs::read_to_string(root().join(file)).unwrap().contains(&line), "{file}: {line}");
    }
}
