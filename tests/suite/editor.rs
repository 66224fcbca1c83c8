//! What an editor needs to complete and check a scenario: the schema at its address, the line that names it, and an editor's
//! own checker that follows both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::fixtures::cli::{PROGRAM, Work};

const ADDRESS: &str = "https://kneepoint.github.io/kneepoint/schema/scenario.json";
const PUBLISHED: &str = "docs/schema/scenario.json";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("scenarios")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

#[test]
fn the_published_schema_is_the_one_that_the_program_prints() {
    let printed = Command::new(PROGRAM).arg("schema").output().unwrap().stdout;
    let published = fs::read(root().join(PUBLISHED)).unwrap();
    assert!(printed == published, "{PUBLISHED} is out of date: target/debug/kneepoint schema > {PUBLISHED}");
    let schema: Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(schema["$id"], ADDRESS);
}

#[test]
fn every_scenario_names_the_schema_in_its_first_line() {
    let work = Work::with("");
    work.run(0, &["init", "new.toml"], "");
    for file in shipped().into_iter().chain([work.path().join("new.toml")]) {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().next(), Some(format!("#:schema {ADDRESS}").as_str()), "{}", file.display());
    }
}

#[test]
fn taplo_checks_every_scenario_by_that_line() {
    if Command::new("taplo").arg("--version").output().is_err() {
        println!("skipped: taplo is not installed (pip install taplo)");
        return;
    }
    let work = Work::with("");
    // The address is that of the documentation site; the test reads the same file from the checkout.
    let here = format!("file://{}", root().join(PUBLISHED).display());
    let check = |name: &str, text: &str| {
        work.write(name, &text.replace(ADDRESS, &here));
        Command::new("taplo").current_dir(work.path()).args(["check", name]).output().unwrap()
    };
    for file in shipped() {
        let output = check("shipped.toml", &fs::read_to_string(&file).unwrap());
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
    let quickstart = fs::read_to_string(root().join("scenarios/quickstart.toml")).unwrap();
    let wrong = quickstart.replace("cold_start = ", "cold_strat = ");
    assert_ne!(wrong, quickstart);
    let output = check("wrong.toml", &wrong);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("cold_strat"));
}
