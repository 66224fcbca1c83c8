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

#[test]
fn a_log_and_an_export_are_traffic_of_a_scenario_without_a_word_more() {
    let rest = "[service]\ntime = \"100ms\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nreplications = 1\n";
    let work = Work::with(&format!("[arrivals]\nkind = \"trace\"\nfile = \"access.log\"\n{rest}"));
    work.write("access.log", LOG);
    let printed = work.run(0, &["check", "scenario.toml"], "");
    assert!(
        printed.stdout.contains("an access log in common or combined format, 3 of 4 rows used"),
        "{}",
        printed.stdout
    );
    assert!(
        printed.stderr.contains("1 of 4 rows were skipped: no date in brackets (line 3)"),
        "{}",
        printed.stderr
    );

    let counts = "{\"MetricDataResults\": [{\"Label\": \"RequestCount\", \"Timestamps\": [\"2026-01-05T09:03:00Z\", \
                  \"2026-01-05T09:01:00Z\", \"2026-01-05T09:00:00Z\"], \"Values\": [300.0, 60.0, 120.0]}]}";
    work.write("metric.json", counts);
    let scenario =
        |keys: &str| format!("[arrivals]\nkind = \"counts\"\nfile = \"metric.json\"\n{keys}{rest}");
    work.write("counts.toml", &scenario(""));
    let refused = work.fails(2, &["check", "counts.toml"]);
    assert!(
        refused.contains("has 1 of 4 intervals without a value") && refused.contains("gaps = \"zero\""),
        "{refused}"
    );
    work.write("counts.toml", &scenario("gaps = \"zero\"\n"));
    let printed = work.done(&["check", "counts.toml"]);
    assert!(printed.contains("about 480 requests a run"), "{printed}");
    work.write("wrong.toml", &scenario("").replace("counts", "trace"));
    assert!(work.fails(2, &["check", "wrong.toml"]).contains("use `kind = \"counts\"` with this file"));
}

#[test]
fn a_load_test_becomes_a_service_table_that_a_scenario_takes() {
    let work = Work::with("");
    work.write(
        "levels.csv",
        "concurrency,mean_ttft_ms,mean_tpot_ms,input_len,output_len\n1,30.6,10.2,1000,101\n10,48,12,1000,101\n50,80,20,1000,101\n",
    );
    let printed = work.run(0, &["service", "fit", "levels.csv"], "");
    assert!(
        printed.stdout.contains("model = \"llm\"\n") && printed.stdout.contains("per_sequence = "),
        "{}",
        printed.stdout
    );
    assert!(printed.stdout.contains("fit_error = 0.0"), "{}", printed.stdout);
    assert!(printed.stderr.contains("50 users"), "{}", printed.stderr);
    let rest = "[arrivals]\nkind = \"poisson\"\nrate = 2\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"1m\"\n";
    work.write("fitted.toml", &(printed.stdout + rest));
    work.done(&["check", "fitted.toml"]);
    work.write(
        "bent.csv",
        "concurrency,ttft_ms,tpot_ms,prompt,output\n16,28,8.78,75,263\n64,51,14.53,68,262\n128,92,25.84,67,267\n256,206,120.96,67,260\n",
    );
    let refused = work.fails(2, &["service", "fit", "--quiet", "bent.csv"]);
    assert!(refused.contains("this fit is not usable") && refused.contains("--up-to"), "{refused}");
    // A table that does not say how it was driven.
    work.write("shared.csv", "rate,latency_ms\n16.1,62\n59,67.8\n88,90.9\n");
    let printed = work.run(0, &["service", "fit", "--model", "shared", "shared.csv"], "");
    assert!(printed.stderr.contains("taken as 4 users"), "{}", printed.stderr);
    let printed = work.run(0, &["service", "fit", "--json", "levels.csv"], "");
    let found: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(found["simulated"].as_array().unwrap().len(), 6);
    let rest = "[arrivals]\nkind = \"poisson\"\nrate = 2\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"1m\"\n";
    work.write("noted.toml", &("[service]\ntime = \"1s\"\nfit_error = 0.08\n".to_owned() + rest));
    let told = work.done(&["run", "noted.toml"]);
    assert!(told.contains("is up to 8.0 % off"), "{told}");
}

const TRACE: &str = "timestamp,latency_ms,prompt_tokens,output_tokens\n";

/// Requests every 200 ms or so, with what they took.
fn trace(rows: u64) -> String {
    let row = |row: u64| {
        let (jitter, took) = (row * row * 7919 % 173, 80 + row * 31 % 97);
        format!("{},{took},{},{}\n", 1_767_603_600_000 + row * 200 + jitter, 100 + row % 37, 20 + row % 11)
    };
    (0..rows).fold(TRACE.to_owned(), |text, at| text + &row(at))
}

#[test]
fn fit_prints_tables_that_a_scenario_takes_and_writes_a_whole_one() {
    let work = Work::with("");
    work.write("trace.csv", &trace(600));
    let printed = work.run(0, &["traffic", "fit", "trace.csv"], "");
    for expected in ["[arrivals]", "kind = \"renewal\"", "[service]\ntime = {", "# prompt_tokens = "] {
        assert!(printed.stdout.contains(expected), "{expected}: {}", printed.stdout);
    }
    assert!(printed.stderr.contains("counts over 1 s"), "{}", printed.stderr);
    work.done(&["traffic", "fit", "trace.csv", "--what-if", "1.3", "--scenario", "out.toml", "--quiet"]);
    assert!(work.done(&["check", "out.toml"]).contains("ok: 1 point"));
    let rate = |factor: &str| {
        let json = work.done(&["traffic", "fit", "trace.csv", "--json", "--what-if", factor]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["candidates"][0]["bic"].as_f64().map(f64::is_finite), Some(true));
        json["model"]["rate"].as_f64().unwrap()
    };
    assert!((rate("1.3") / rate("1") - 1.3).abs() < 1e-9);
    work.write("bare.csv", "timestamp\n2026-01-05T09:00:00Z\n2026-01-05T09:00:01.5Z\n");
    let few = work.fails(2, &["traffic", "fit", "bare.csv"]);
    assert!(few.contains("2 requests, and a fit needs 20"), "{few}");
    let plain: String =
        trace(600).lines().map(|line| line.split(',').next().unwrap().to_owned() + "\n").collect();
    work.write("plain.csv", &plain);
    let unknown = work.fails(2, &["traffic", "fit", "plain.csv", "--scenario", "no.toml"]);
    assert!(unknown.contains("does not tell how long a request takes"), "{unknown}");
    work.write("service.toml", "[service]\ntime = \"100ms\"\n");
    work.done(&[
        "traffic",
        "fit",
        "plain.csv",
        "--scenario",
        "with.toml",
        "--service",
        "service.toml",
        "--quiet",
    ]);
    assert!(work.done(&["check", "with.toml"]).contains("ok: 1 point"));
}

#[test]
fn convert_writes_the_same_traffic_as_a_plain_table_however_it_is_packed() {
    let work = Work::with("");
    work.write(
        "in.jsonl",
        "{\"ts\": 1767603600.123456789, \"latency_ms\": 5}\n{\"ts\": 1767603600.123456790, \"latency_ms\": 7}\n\
         {\"ts\": 1767603601.000000001, \"latency_ms\": 9}\n",
    );
    let figures = |file: &str| {
        let json: Value = serde_json::from_str(&work.done(&["traffic", "inspect", "--json", file])).unwrap();
        json["traffic"].clone()
    };
    assert_eq!(figures("in.jsonl")["first"], "2026-01-05T09:00:00.123456789Z");
    for name in ["out.csv", "out.csv.gz", "out.csv.zst"] {
        work.run(0, &["traffic", "convert", "in.jsonl", "--to", name], "");
        assert_eq!(figures(name), figures("in.jsonl"), "{name}");
    }
    let text = std::fs::read_to_string(work.path().join("out.csv")).unwrap();
    assert!(text.starts_with("timestamp,duration_s\n2026-01-05T09:00:00.123456789Z,0.005000000\n"), "{text}");
    work.write(
        "counts.csv",
        "time,requests\n2026-01-05T09:00:00Z,10\n2026-01-05T09:01:00Z,20\n2026-01-05T09:03:00Z,5\n",
    );
    work.run(0, &["traffic", "convert", "counts.csv", "--to", "again.csv"], "");
    assert_eq!(figures("again.csv"), figures("counts.csv"));
    let refused = work.fails(2, &["traffic", "convert", "in.jsonl", "--to", "out.xlsx"]);
    assert!(refused.contains("expected a name in .csv"), "{refused}");
}

#[test]
fn a_fault_is_shown_at_its_cell_in_its_own_line_wherever_the_file_is_named() {
    let work = Work::with("");
    let rows: String = (0..6).map(|row| format!("2026-01-05T09:00:0{row}Z,/v1,{row}\r\n")).collect();
    work.write(
        "t.csv",
        &format!("time,path,prompt_tokens\r\n\r\n{rows}2026-01-05T09:00:09Z,\"a\r\nb\", many\r\n"),
    );
    let refused = work.fails(2, &["traffic", "inspect", "--strict", "t.csv"]);
    assert!(refused.contains("--> t.csv:10:5"), "{refused}");
    assert!(
        refused.contains("10 | b\", many") && refused.contains("^^^^ expected a number of tokens"),
        "{refused}"
    );

    // The same of a scenario that names it.
    let rest = "[service]\ntime = \"100ms\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n";
    work.write("a.toml", &format!("[arrivals]\nkind = \"trace\"\nfile = \"t.csv\"\n{rest}"));
    let refused = work.fails(2, &["check", "a.toml"]);
    assert!(refused.contains("--> t.csv:10:5") && refused.contains("named by `a.toml`"), "{refused}");

    work.write("levels.csv", "concurrency,latency_ms,throughput\n1,100,9\n4,fast,30\n");
    let refused = work.fails(2, &["service", "fit", "levels.csv"]);
    assert!(refused.contains("--> levels.csv:3:3") && refused.contains("3 | 4,fast,30"), "{refused}");
}

#[test]
fn a_parquet_file_is_told_by_its_first_bytes_whatever_its_name() {
    let work = Work::with("");
    work.write("t.csv", "PAR1\u{15}\u{4}\u{15}");
    let refused = work.fails(2, &["traffic", "inspect", "t.csv"]);
    assert!(refused.contains("Parquet"), "{refused}");
}
