//! What `kneepoint compare` prints and writes.

use serde_json::Value;

use super::cli::POOLS;
use crate::fixtures::cli::Work;

#[test]
fn a_comparison_tells_each_pair_in_a_sentence_and_writes_its_files() {
    let work = Work::with(POOLS);
    insta::assert_snapshot!(work.done(&["compare", "scenario.toml"]));
    let names: Vec<String> = work.files("output/pools-compare").into_keys().collect();
    let expected = [
        "comparison.csv",
        "comparison.png",
        "comparison.svg",
        "replications.csv",
        "report.html",
        "summary.json",
    ];
    assert_eq!(names, expected);
    let one = work.done(&["compare", "scenario.toml", "--variant", "four", "--figure", "latency.p90"]);
    assert!(one.contains("four compared with base: p90 is ") && !one.contains("busier"), "{one}");
}

#[test]
fn the_differences_of_a_comparison_agree_with_its_replications() {
    let work = Work::with(POOLS);
    let shown = work.done(&["compare", "scenario.toml", "--variant", "four", "--json"]);
    let written = std::fs::read_to_string(work.path().join("output/pools-compare/summary.json")).unwrap();
    assert_eq!(shown, written);
    let summary: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(summary["correction"]["intervals"], 4);
    let latency: Vec<f64> = work
        .column("output/pools-compare/replications.csv", "latency.mean")
        .iter()
        .map(|value| value.parse().unwrap())
        .collect();
    let (three, four) = latency.split_at(6);
    let differences: Vec<f64> = three.iter().zip(four).map(|(three, four)| four - three).collect();
    let mean = differences.iter().sum::<f64>() / 6.0;
    let deviation = (differences.iter().map(|each| (each - mean).powi(2)).sum::<f64>() / 5.0).sqrt();
    let alone = &summary["pairs"][0]["differences"]["latency.mean"]["alone"];
    assert!((alone["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    // t(5) at 0.975 is 2.570582.
    let half = 2.570_582 * deviation / 6_f64.sqrt();
    // The hull is Student's on one side and reaches further on the other.
    let (below, above) = (mean - alone["low"].as_f64().unwrap(), alone["high"].as_f64().unwrap() - mean);
    assert!((below.min(above) - half).abs() < 1e-6 && below.max(above) >= half, "{alone} {half}");
    let cost = &summary["pairs"][0]["differences"]["cost"];
    assert_eq!(cost["verdict"], "higher");
    assert!((cost["relative"]["mean"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let work = Work::with(POOLS);
    let other = POOLS.replace("1h", "2h").replace("pools", "longer");
    std::fs::write(work.path().join("longer.toml"), other).unwrap();
    let message = work.fails(2, &["compare", "scenario.toml", "longer.toml"]);
    assert!(
        message.contains("cannot be paired") && message.contains("`run.duration` is 2h, not 1h"),
        "{message}"
    );
    let same = work.done(&["compare", "scenario.toml", "longer.toml", "--set", "run.duration=10m"]);
    assert!(same.contains("longer compared with pools"), "{same}");
    let message = work.fails(2, &["compare", "scenario.toml", "--figure", "latency.p98"]);
    assert!(message.contains("did you mean `latency.p9"), "{message}");
    let message = work.fails(2, &["compare", "scenario.toml", "longer.toml", "--variant", "four"]);
    assert!(message.contains("one file"), "{message}");
    let alone = Work::with(&POOLS[..POOLS.find("[[variant]]").unwrap()]);
    let message = alone.fails(2, &["compare", "scenario.toml"]);
    assert!(message.contains("nothing to compare"), "{message}");
    assert!(!alone.path().join("output").exists());
}
