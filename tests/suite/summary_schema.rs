//! The schema of `summary.json`: what every command prints with `--json` keeps to it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::fixtures::cli::{SMALL_SWEEP, Work};

const PUBLISHED: &str = "docs/schema/summary.json";

/// Where `value` leaves `schema`, by the keywords that the schema uses.
fn faults(schema: &Value, value: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        let mut fault = |holds: bool| {
            if !holds {
                found.push(format!("{at}: {keyword} {rule}, and it is {value}").chars().take(300).collect());
            }
        };
        match keyword.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                faults(&root["$defs"][name], value, root, at, found);
            }
            "type" => {
                let is = |name: &str| match name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    other => panic!("{other}"),
                };
                fault(match rule {
                    Value::String(name) => is(name),
                    names => names.as_array().unwrap().iter().any(|name| is(name.as_str().unwrap())),
                });
            }
            "enum" => fault(rule.as_array().unwrap().contains(value)),
            "anyOf" | "oneOf" => {
                let holds = |one: &&Value| {
                    let mut within = Vec::new();
                    faults(one, value, root, at, &mut within);
                    within.is_empty()
                };
                let count = rule.as_array().unwrap().iter().filter(holds).count();
                fault(if keyword == "anyOf" { count > 0 } else { count == 1 });
            }
            "required" => {
                let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                fault(!value.is_object() || rule.as_array().unwrap().iter().all(has));
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        faults(rule, inner, root, &format!("{at}.{name}"), found);
                    }
                }
            }
            "additionalProperties" => {
                let known =
                    |name: &String| schema.get("properties").is_some_and(|keys| keys.get(name).is_some());
                for (name, inner) in value.as_object().into_iter().flatten().filter(|(name, _)| !known(name))
                {
                    match rule {
                        Value::Bool(false) => found.push(format!("{at}.{name} is not in the schema")),
                        rule => faults(rule, inner, root, &format!("{at}.{name}"), found),
                    }
                }
            }
            "items" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    faults(rule, inner, root, &format!("{at}.{index}"), found);
                }
            }
            "prefixItems" => {
                for (rule, inner) in rule.as_array().unwrap().iter().zip(value.as_array().unwrap()) {
                    faults(rule, inner, root, at, found);
                }
            }
            "description" | "title" | "$schema" | "$id" | "$defs" => {}
            other => panic!("the test does not know {other}"),
        }
    }
}

#[test]
fn the_published_schema_is_the_one_that_the_program_prints() {
    let printed = Work::with("").run(0, &["schema", "--output", "summary"], "").stdout;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PUBLISHED);
    if std::env::var_os("KNEEPOINT_BLESS").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let published = fs::read_to_string(path).unwrap_or_default();
    assert!(
        printed == published.replace("\r\n", "\n"),
        "{PUBLISHED}: kneepoint schema --output summary > {PUBLISHED}"
    );
}

#[test]
fn what_every_command_prints_keeps_to_the_schema() {
    let (alone, _) = SMALL_SWEEP.split_once("[sweep.parameters]").unwrap();
    let work = Work::with(alone);
    let written = |name: &str, more: &str| work.write(name, &format!("{alone}{more}"));
    written(
        "variants.toml",
        "[[variant]]\nname = \"b\"\nset = { \"autoscaler.min\" = 3 }\n[[variant]]\nname = \"oracle\"\n[variant.autoscaler]\nkind = \"clairvoyant\"\nmax = 12",
    );
    written(
        "sweep.toml",
        "[sweep.parameters]\n\"autoscaler.up.above\" = [0.6, 0.8]\n[sweep.conditions]\n\"traffic\" = [0.9, 1.1]",
    );
    written("load.toml", "[sweep.conditions]\n\"traffic\" = [0.5, 1, 2]");
    let schema: Value =
        serde_json::from_str(&work.run(0, &["schema", "--output", "summary"], "").stdout).unwrap();
    let commands: [(&[&str], i32); 9] = [
        (&["run", "variants.toml"], 0),
        (&["run", "scenario.toml", "--set", "slo.availability=99.5", "--set", "run.warmup=\"auto\""], 0),
        (
            &["run", "scenario.toml", "--set", "run.precision={ metric = \"latency.mean\", relative = 0.2 }"],
            0,
        ),
        (&["sweep", "sweep.toml"], 0),
        (&["sweep", "load.toml", "--set", "run.replications=20"], 0),
        (&["compare", "variants.toml"], 0),
        (&["explain", "scenario.toml"], 0),
        (&["recommend", "sweep.toml", "--set", "run.duration=\"5m\""], 0),
        (&["backtest", "scenario.toml", "--observed", "past.csv"], 0),
    ];
    work.run(0, &["run", "scenario.toml", "--out", "past", "-q"], "");
    fs::copy(work.path().join("past/timeline.csv"), work.path().join("past.csv")).unwrap();
    for (command, status) in commands {
        let printed = work.run(status, &[command, &["--json"]].concat(), "").stdout;
        let summary: Value = serde_json::from_str(&printed).unwrap();
        let name = summary["command"].as_str().unwrap();
        let mut found = Vec::new();
        // By the part of its command, so that a fault is told at its place; and by the whole, which takes exactly one of them.
        faults(&schema["$defs"][name], &summary, &schema, name, &mut found);
        assert!(found.is_empty(), "{command:?}: {found:#?}");
        faults(&schema, &summary, &schema, name, &mut found);
        assert!(found.is_empty(), "{command:?}: not one of the commands");
    }
}

#[test]
fn the_test_finds_what_is_not_in_the_schema() {
    let work = Work::with("");
    let schema: Value =
        serde_json::from_str(&work.run(0, &["schema", "--output", "summary"], "").stdout).unwrap();
    let fault = |text: &str| {
        let mut found = Vec::new();
        faults(&schema["$defs"]["estimate"], &serde_json::from_str(text).unwrap(), &schema, "it", &mut found);
        found.len()
    };
    assert_eq!(fault(r#"{"mean": 1.5, "low": null, "high": null, "replications": 2}"#), 0);
    assert_eq!(fault(r#"{"mean": 1.5, "low": null, "high": "2", "replications": 2}"#), 1);
    assert_eq!(fault(r#"{"mean": 1.5, "low": null, "high": null, "replications": 2, "more": 1}"#), 1);
    assert_eq!(fault(r#"{"mean": 1.5, "low": null, "replications": 2.5}"#), 2);
}
