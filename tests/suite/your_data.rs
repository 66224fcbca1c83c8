//! From files of traffic to figures and scenarios, as `docs/your-data.md` describes it.

use serde_json::Value;

use crate::fixtures::cli::Work;

const LOG: &str = "192.0.2.1 - - [05/Jan/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\"\n\
                   192.0.2.1 - - [05/Jan/2026:10:00:02 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\"\n\
                   nothing\n\
                   192.0.2.1 - - [05/Jan/2026:10:00:08 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\"\n";

#[test]
fn inspect_prints_how_a_file_was_read_and_what_is_in_it() {
    let work = Work::with("");
    work.write("access.log", LOG);
    let text = work.done(&["traffic", "inspect", "access.log"]);
    for expected in [
        "access.log: an access log in common or combined format",
        "4 read, 3 used, 1 skipped",
        "1 skipped: no date in brackets (line 3)",
        "first    2026-01-05T09:00:00Z",
        "mean rate                 0.375 requests/s",
        "CV between requests       0.5",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let json: Value = serde_json::from_str(&work.done(&[
        "traffic",
        "inspect",
        "access.log",
        "--json",
        "--chart",
        "rate.svg",
    ]))
    .unwrap();
    assert_eq!(json["files"][0]["skipped"][0]["lines"][0], 3);
    assert_eq!(json["traffic"]["mean_rate"], 0.375);
    assert!(std::fs::read_to_string(work.path().join("rate.svg")).unwrap().starts_with("<svg"));
    let refused = work.fails(2, &["traffic", "inspect", "--strict", "access.log"]);
    assert!(refused.contains("`access.log`, line 3: no date in brackets"), "{refused}");
}

#[test]
fn inspect_asks_for_what_a_file_does_not_say() {
    let work = Work::with("");
    work.write(
        "rate.json",
        "{\"data\": {\"resultType\": \"matrix\", \"result\": [{\"metric\": {}, \"values\": [[1767603600, \"2\"], [1767603660, \"4\"]]}]}}",
    );
    let refused = work.fails(2, &["traffic", "inspect", "rate.json"]);
    assert!(refused.contains("--values counts"), "{refused}");
    let text = work.done(&["traffic", "inspect", "rate.json", "--values", "rates"]);
    assert!(text.contains("requests                  360"), "{text}");
}
