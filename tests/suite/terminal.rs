//! What a terminal of 80 and of 120 columns shows: the verdict first, tables that fit, a small drawing of the frontier.

use crate::fixtures::cli::{SMALL_SWEEP as SWEEP, Work};

/// What a command shows in so many columns, without escape sequences.
fn shown(work: &Work, columns: &str, arguments: &[&str]) -> String {
    let output = work.kneepoint(arguments).env("COLUMNS", columns).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Asserts that no line of a table or a drawing is wider; sentences are broken by the terminal itself.
fn fits(text: &str, columns: usize) {
    let drawn = |line: &&str| line.contains("  ") || line.contains('│') || line.contains('─');
    // What was read is a sentence a line.
    let read = ["arrivals ", "service ", "autoscaler ", "metric ", "cold start ", "price "];
    let told = |line: &&str| !read.iter().any(|topic| line.starts_with(topic));
    for line in text.lines().filter(drawn).filter(told) {
        assert!(line.chars().count() <= columns, "{line}");
    }
}

#[test]
fn a_sweep_fits_the_terminal() {
    let work = Work::with(SWEEP);
    for columns in [80, 120] {
        let text = shown(&work, &columns.to_string(), &["sweep", "scenario.toml"]);
        fits(&text, columns);
        insta::assert_snapshot!(format!("sweep_in_{columns}_columns"), text);
    }
}

#[test]
fn a_run_with_many_variants_fits_the_terminal() {
    let variants: String = (1..=16)
        .map(|number| format!("[[variant]]\nname = \"rather long name {number}\"\nset = {{ \"arrivals.rate\" = {number} }}\n"))
        .collect();
    let (head, _) = SWEEP.split_once("[sweep.parameters]").unwrap();
    let work = Work::with(&format!("{head}{variants}"));
    for columns in [80, 120] {
        let text = shown(
            &work,
            &columns.to_string(),
            &["run", "scenario.toml", "--set", "run.replications=3", "--set", "run.duration=2m"],
        );
        fits(&text, columns);
        assert!(text.contains("rather long name 16"), "{text}");
        if columns == 80 {
            insta::assert_snapshot!(
                "run_in_80_columns",
                text.lines().take(40).collect::<Vec<_>>().join("\n")
            );
        }
    }
}

#[test]
fn where_the_output_is_no_terminal_nothing_is_left_out() {
    let work = Work::with(SWEEP);
    let text = work.done(&["sweep", "scenario.toml"]);
    assert!(
        text.contains("autoscaler.down.below") && text.contains("utilization") && !text.contains("Left out"),
        "{text}"
    );
}
