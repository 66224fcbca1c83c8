//! The policies against the published test cases of the systems they model, through `replay`.
//!
//! `tests/conformance/<system>.jsonl` has a case a line: a policy, rows of observations, and what each line of the answer
//! must hold. A case that cannot apply says why. The counts are printed: `cargo test --test suite conformance -- --nocapture`.

use std::path::Path;

use kneepoint::internals::autoscaler::{Autoscaler, Row};
use kneepoint::internals::document::{Source, json};
use kneepoint::internals::schema::Context;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    /// Where it was published, and the name it has there.
    source: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    policy: Value,
    #[serde(default)]
    rows: Vec<Value>,
    /// For each row, fields that its line must have; null where nothing is checked.
    #[serde(default)]
    expect: Vec<Value>,
    /// Why the case cannot apply.
    inapplicable: Option<String>,
}

/// Runs every case of `system` and prints how many there were.
fn conform(system: &str, at_least: usize) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/conformance/{system}.jsonl"));
    let text = std::fs::read_to_string(&file).unwrap();
    let cases: Vec<Case> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}")))
        .collect();
    let (apart, cases): (Vec<Case>, Vec<Case>) =
        cases.into_iter().partition(|case| case.inapplicable.is_some());
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    println!("{system}: {} cases, {} fail, {} cannot apply", cases.len(), failures.len(), apart.len());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/validation.md");
    let page = std::fs::read_to_string(&page).unwrap();
    for case in &apart {
        let reason = case.inapplicable.as_deref().unwrap_or_default();
        println!("  {} cannot apply: {reason}", case.id);
        assert!(page.contains(&format!("| {reason} |")), "{}: docs/validation.md does not list it", case.id);
    }
    let count = format!(
        "| {} | {}",
        cases.len(),
        if apart.is_empty() { String::new() } else { apart.len().to_string() }
    );
    assert!(page.contains(&count), "{system}: docs/validation.md does not have its count, {count}");
    assert!(failures.is_empty(), "{system}:\n{}", failures.join("\n"));
    assert!(cases.len() >= at_least, "{system}: {} cases, once {at_least}", cases.len());
}

fn check(case: &Case) -> Result<(), String> {
    let wrong = |what: String| Err(format!("{} ({}, {}): {what}", case.id, case.source, case.test));
    let source = Source::new("policy", case.policy.to_string());
    let node = json::parse_all(&source).unwrap().remove(0);
    let autoscaler = match Autoscaler::read(&node, "autoscaler", &Context::default()) {
        Ok(autoscaler) => autoscaler,
        Err(problem) => return wrong(format!("{} ({})", problem.message, problem.label)),
    };
    if case.rows.is_empty() || case.rows.len() != case.expect.len() || case.expect.iter().all(Value::is_null)
    {
        return wrong("has no rows, nothing to check, or not as many of both".into());
    }
    let mut replay = autoscaler.replay();
    for (number, (row, expect)) in case.rows.iter().zip(&case.expect).enumerate() {
        let Some(fields) = row.as_object() else { return wrong(format!("row {number} is no object")) };
        let line = match replay.step(&Row::new(fields)) {
            Ok(line) => line,
            Err(problem) => return wrong(format!("row {number}: {problem}")),
        };
        for (name, expected) in expect.as_object().into_iter().flatten() {
            let found = line.get(name).unwrap_or(&Value::Null);
            let fine = match (name.as_str(), expected) {
                ("error", Value::Bool(failed)) => *failed != found.is_null(),
                _ => agrees(found, expected),
            };
            if !fine {
                let line = serde_json::to_string(&line).unwrap();
                return wrong(format!("row {number}: {name} is {found}, expected {expected}\n  {line}"));
            }
        }
    }
    Ok(())
}

/// Equal, numbers by their value; `{"value", "within"}` and `{"between"}` allow what the published test allows.
fn agrees(found: &Value, expected: &Value) -> bool {
    let number = |value: &Value| value.as_f64();
    if let Some(allowed) = expected.as_object() {
        if let (Some(value), Some(within)) = (allowed.get("value"), allowed.get("within")) {
            let distance = number(found).zip(number(value)).map(|(a, b)| (a - b).abs());
            return distance.zip(number(within)).is_some_and(|(distance, within)| distance <= within);
        }
        if let Some([low, high]) = allowed.get("between").and_then(Value::as_array).map(Vec::as_slice) {
            let bounds = number(low).zip(number(high));
            return bounds
                .zip(number(found))
                .is_some_and(|((low, high), found)| (low..=high).contains(&found));
        }
        let all = |found: &serde_json::Map<String, Value>| {
            allowed.iter().all(|(name, value)| agrees(found.get(name).unwrap_or(&Value::Null), value))
        };
        return found.as_object().is_some_and(all);
    }
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| agrees(a, b))
        }
        _ if found.is_i64() && expected.is_i64() || found.is_u64() && expected.is_u64() => found == expected,
        _ => match (number(found), number(expected)) {
            (Some(found), Some(expected)) => found == expected,
            _ => found == expected,
        },
    }
}

#[test]
fn the_worked_example_of_a_threshold_loop() {
    conform("threshold", 3);
}

#[test]
fn the_kubernetes_hpa() {
    conform("hpa", 343);
}

#[test]
fn the_variant_autoscaler_of_llm_d() {
    conform("llmd_wva", 16);
}

#[test]
fn the_token_capacity_analyzer_of_llm_d_and_what_follows_it() {
    conform("llmd_v2", 90);
}

#[test]
fn the_planner_of_dynamo() {
    conform("dynamo", 41);
}

#[test]
fn the_examples_in_the_documentation_of_hosted_endpoints() {
    conform("in_flight_target", 2);
}

#[test]
fn knative_kpa() {
    conform("knative_kpa", 181);
}

#[test]
fn ray_serve_decides_as_its_own_unit_tests_say() {
    conform("ray_serve", 100);
}

#[test]
fn aws_scales_as_its_guides_say() {
    conform("aws", 22);
}

#[test]
fn azure_scales_as_its_documentation_says() {
    conform("azure", 6);
}

#[test]
fn keda() {
    conform("keda", 56);
}
