//! Parquet files of other writers: made by pyarrow 26 and pandas 3, 240 requests 0.7 s apart and some, in every packing, encoding
//! and type of instants that they write.

use std::path::Path;

use serde_json::Value;

use crate::fixtures::cli::Work;

/// A folder with the file of that name.
fn with(name: &str) -> Work {
    let work = Work::with("");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet").join(name);
    std::fs::copy(file, work.path().join(name)).unwrap();
    work
}

fn inspected(name: &str) -> Value {
    serde_json::from_str(&with(name).done(&["traffic", "inspect", "--json", name])).unwrap()
}

/// The instants of the files: first and last, in milliseconds of 2026-01-05 from 09:00.
fn ends() -> (String, String) {
    let at = |index: u64| {
        let ms = index * 700 + index * index * 7919 % 173;
        let shown = format!("2026-01-05T09:{:02}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000);
        let shown = shown.trim_end_matches('0').trim_end_matches('.').to_owned();
        if ms == 0 { "2026-01-05T09:00:00Z".to_owned() } else { shown + "Z" }
    };
    (at(0), at(239))
}

#[test]
fn instants_are_the_same_in_every_packing_encoding_and_type() {
    let (first, last) = ends();
    for name in [
        "dictionary-snappy-groups.parquet",
        "int96-gzip.parquet",
        "nanos-lz4-pages-v2.parquet",
        "millis-none.parquet",
        "delta-encodings.parquet",
        "nulls.parquet",
        "epoch-ms-unsigned.parquet",
        "text-dates.parquet",
        "float-seconds.parquet",
        "decimals.parquet",
        "duration-type.parquet",
        "nested.parquet",
        "pandas.parquet",
        "zstd.parquet",
        "zstd-pages-v2.parquet",
    ] {
        let found = inspected(name);
        let traffic = &found["traffic"];
        assert_eq!(traffic["requests"], 240.0, "{name}: {found}");
        let shown = |key: &str| traffic[key].as_str().unwrap_or_default().to_owned();
        if name == "float-seconds.parquet" {
            // Seconds since 1970 as a number have some 200 ns.
            assert!(shown("first").starts_with("2026-01-05T09:00:00"), "{name}: {found}");
            continue;
        }
        assert_eq!((shown("first"), shown("last")), (first.clone(), last.clone()), "{name}");
    }
}

#[test]
fn tokens_and_durations_are_those_of_the_table() {
    let mean = |of: &dyn Fn(u64) -> u64| (0..240).map(of).sum::<u64>() as f64 / 240.0;
    for name in [
        "dictionary-snappy-groups.parquet",
        "delta-encodings.parquet",
        "int96-gzip.parquet",
        "decimals.parquet",
        "zstd.parquet",
        "zstd-pages-v2.parquet",
    ] {
        let found = inspected(name);
        let traffic = &found["traffic"];
        let near = |key: &str, expected: f64| {
            let found = traffic[key]["mean"].as_f64().unwrap_or_else(|| panic!("{name}, {key}: {traffic}"));
            assert!((found / expected - 1.0).abs() < 1e-9, "{name}, {key}: {found} for {expected}");
        };
        near("duration_s", mean(&|row| 80 + row * 31 % 97) / 1000.0);
        if name != "decimals.parquet" {
            near("prompt_tokens", mean(&|row| 100 + row % 37));
            near("output_tokens", mean(&|row| 20 + row % 11));
        }
    }
}

#[test]
fn what_is_missing_or_not_read_is_said() {
    let found = inspected("no-instant.parquet");
    assert_eq!(found["traffic"]["requests"], 234.0, "{found}");
    assert_eq!(found["files"][0]["skipped"][0]["reason"], "it has no instant", "{found}");
    let refused =
        with("no-instant.parquet").fails(2, &["traffic", "inspect", "--strict", "no-instant.parquet"]);
    assert!(refused.contains("it has no instant"), "{refused}");
    let refused = with("brotli.parquet").fails(2, &["traffic", "inspect", "brotli.parquet"]);
    assert!(refused.contains("brotli") && refused.contains("duckdb"), "{refused}");
    let refused = with("empty.parquet").fails(2, &["traffic", "inspect", "empty.parquet"]);
    assert!(refused.contains("has no rows"), "{refused}");
    let counts = inspected("pandas-index-counts.parquet");
    assert_eq!(counts["traffic"]["first"], "2026-01-05T08:00:00Z", "{counts}");
    assert_eq!(counts["traffic"]["requests"], (0..60).map(|row| 5 + row % 7).sum::<u32>() as f64);
}
