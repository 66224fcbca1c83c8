//! Timelines as OpenMetrics text, by the command, and read by Prometheus' own tool where it is installed.

use std::process::Command;

use crate::fixtures::cli::{SMALL_SWEEP, Work};

#[test]
fn a_timeline_is_written_for_a_dashboard_and_prometheus_takes_it() {
    let work = Work::with(SMALL_SWEEP);
    let start = "2026-11-02T08:00:00Z";
    work.run(0, &["run", "scenario.toml", "--format", "openmetrics", "--start", start, "--out", "out"], "");
    let text = std::fs::read_to_string(work.path().join("out/timeline.om")).unwrap();
    let table = std::fs::read_to_string(work.path().join("out/timeline.csv")).unwrap();
    assert!(text.ends_with("# EOF\n"));
    let last = |name: &str| {
        let line = text.lines().rfind(|line| line.starts_with(&format!("{name}{{"))).unwrap();
        let mut words = line.rsplit(' ');
        let at: f64 = words.next().unwrap().parse().unwrap();
        (at, words.next().unwrap().parse::<f64>().unwrap())
    };
    let arrived: f64 =
        table.lines().skip(1).map(|row| row.split(',').nth(2).unwrap().parse::<f64>().unwrap()).sum();
    // 2026-11-02T08:00:00Z and twenty minutes.
    assert_eq!(last("kneepoint_arrived_requests_total"), (1_793_606_400.0 + 1200.0, arrived));
    // What an earlier command has left goes with the next one that does not ask for it.
    work.run(0, &["run", "scenario.toml", "--out", "out", "-q"], "");
    assert!(!work.path().join("out/timeline.om").exists());
    std::fs::write(work.path().join("timeline.om"), text).unwrap();
    let mut promtool = Command::new("promtool");
    promtool.current_dir(work.path()).args([
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "timeline.om",
        "blocks",
    ]);
    match promtool.output() {
        Err(_) => eprintln!("skipped: promtool is not installed"),
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(std::fs::read_dir(work.path().join("blocks")).unwrap().count() > 0);
        }
    }
}

#[test]
fn a_form_needs_its_start_and_a_start_its_zone() {
    let work = Work::with(SMALL_SWEEP);
    let refused = |more: &[&str]| work.run(2, &[&["run", "scenario.toml"], more].concat(), "").stderr;
    assert!(refused(&["--format", "openmetrics"]).contains("--start <INSTANT>"));
    assert!(refused(&["--format", "openmetric", "--start", "2026-11-02T08:00:00Z"]).contains("openmetrics"));
    assert!(refused(&["--format", "openmetrics", "--start", "2026-11-02"]).contains("--start <INSTANT>"));
    assert!(!work.path().join("output").exists());
}

#[test]
fn tables_are_written_as_parquet_too_or_it_says_how_to_get_that() {
    let work = Work::with(SMALL_SWEEP);
    if cfg!(feature = "parquet") {
        work.run(0, &["sweep", "scenario.toml", "--format", "parquet", "--out", "out", "-q"], "");
        for table in ["sweep", "replications", "timeline", "decisions"] {
            let bytes = std::fs::read(work.path().join(format!("out/{table}.parquet"))).unwrap();
            assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{table}");
            assert!(work.path().join(format!("out/{table}.csv")).exists(), "{table}");
        }
        work.run(0, &["sweep", "scenario.toml", "--out", "out", "-q"], "");
        assert!(!work.path().join("out/decisions.parquet").exists());
    } else {
        let message = work.run(2, &["sweep", "scenario.toml", "--format", "parquet"], "").stderr;
        assert!(message.contains("--features parquet"), "{message}");
        assert!(!work.path().join("output").exists());
    }
}
