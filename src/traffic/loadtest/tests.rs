//! Each tool by a small result in its shape: levels in seconds, or a refusal.

use super::*;
use crate::files::Memory;

fn read(content: &str) -> Result<LoadTest, String> {
    let mut files = Memory::default();
    files.insert("t", content);
    let file = NamedFile { files: &files, path: "t".into(), shown: "t" };
    read_load_test(&file, None).map_err(|error| error.message)
}

/// Driven, rate, latency, TTFT and TPOT of the only level.
fn level(content: &str) -> (Driven, f64, Option<f64>, Option<f64>, Option<f64>) {
    let test = read(content).unwrap_or_else(|error| panic!("{error}\n{content}"));
    let [level] = test.levels.as_slice() else { panic!("{} levels: {content}", test.levels.len()) };
    let rounded = |value: Option<f64>| value.map(|value| (value * 1e6).round() / 1e6);
    (
        level.driven,
        (level.rate * 1e6).round() / 1e6,
        rounded(level.latency()),
        rounded(level.ttft_s),
        rounded(level.tpot_s),
    )
}

#[test]
fn requests_without_an_answer_have_failed() {
    let hey = "Summary:\n  Slowest:\t0.5000 secs\n  Average:\t0.2000 secs\n  Requests/sec:\t40.0000\n\nStatus code distribution:\n  [200]\t380 responses\n\n\
               Error distribution:\n  [20]\tPost \"http://h/v1\": context deadline exceeded\n";
    let test = read(hey).unwrap();
    assert_eq!((test.levels[0].failed, test.levels[0].rate), (20.0, 38.0));
    let wrk = "Running 1m test @ http://h/\n  2 threads and 16 connections\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    \
               Latency   400.00ms   55.00ms   1.02s    81.00%\n  Socket errors: connect 1, read 0, write 0, timeout 3\n\
               Requests/sec:     39.80\n";
    assert_eq!(read(wrk).unwrap().levels[0].failed, 4.0);
}

const VLLM: &str = "{\"backend\": \"vllm\", \"request_rate\": \"inf\", \"max_concurrency\": 4, \"completed\": 100, \"failed\": 0, \
                    \"total_input_tokens\": 50000, \"total_output_tokens\": 10100, \"request_throughput\": 3.1746, \
                    \"mean_ttft_ms\": 60, \"mean_tpot_ms\": 12.0, \"mean_itl_ms\": 12.0}";

#[test]
fn each_tool_gives_its_level_in_seconds() {
    let (users, rate) = (Driven::Users, Driven::Rate);
    let cases = [
        (VLLM.to_owned(), (users(4.0), 3.1746, Some(1.26), Some(0.06), Some(0.012))),
        (
            "{\"benchmarks\": [{\"args\": {\"strategy\": {\"type_\": \"concurrent\", \"streams\": 8}}, \"metrics\": {\
             \"requests_per_second\": {\"successful\": {\"mean\": 4.0}}, \"request_latency\": {\"successful\": {\"mean\": 2.0}}, \
             \"time_to_first_token_ms\": {\"successful\": {\"mean\": 200.0}}, \"inter_token_latency_ms\": {\"successful\": {\"mean\": 18.0}}}}]}"
                .into(),
            (users(8.0), 4.0, Some(2.0), Some(0.2), Some(0.018)),
        ),
        (
            "{\"request_throughput\": {\"unit\": \"requests/sec\", \"avg\": 5.0}, \"request_latency\": {\"unit\": \"ms\", \"avg\": 1600.0}, \
             \"time_to_first_token\": {\"unit\": \"ms\", \"avg\": 100.0}, \"inter_token_latency\": {\"unit\": \"ms\", \"avg\": 15.0}, \
             \"input_config\": {\"loadgen\": {\"concurrency\": 8}}}"
                .into(),
            (users(8.0), 5.0, Some(1.6), Some(0.1), Some(0.015)),
        ),
        (
            "{\"load_summary\": {\"count\": 120, \"requested_rate\": 2.0, \"achieved_rate\": 2.0}, \"successes\": {\"count\": 118, \
             \"latency\": {\"request_latency\": {\"mean\": 3.0}, \"time_per_output_token\": {\"mean\": 0.028}, \
             \"time_to_first_token\": {\"mean\": 0.2}}}, \"failures\": {\"count\": 2}}"
                .into(),
            (rate(2.0), 2.0, Some(3.0), Some(0.2), Some(0.028)),
        ),
        (
            "version: '0.2'\nscenario: {load: {standardized: {rate_qps: 10, concurrency: .inf}}}\nresults:\n  request_performance:\n    aggregate:\n      \
             throughput: {request_rate: {units: queries/s, mean: 9.8}}\n      latency: {time_to_first_token: {units: ms, mean: 200}, \
             inter_token_latency: {units: s/token, mean: 0.02}, request_latency: {units: s, mean: 2.2}}\n"
                .into(),
            (rate(10.0), 9.8, Some(2.2), Some(0.2), Some(0.02)),
        ),
        (
            "{\"metrics\": {\"http_req_duration\": {\"avg\": 220.0}, \"http_reqs\": {\"count\": 3000, \"rate\": 50.0}, \"vus\": {\"value\": 11, \"max\": 11}}}"
                .into(),
            (users(11.0), 50.0, Some(0.22), None, None),
        ),
        (
            "{\"metrics\": {\"vus\": {\"values\": {\"value\": 5, \"max\": 5}}, \"http_reqs\": {\"values\": {\"count\": 45, \"rate\": 3.5}}, \
             \"http_req_duration\": {\"values\": {\"avg\": 371.6}}}}"
                .into(),
            (users(5.0), 3.5, Some(0.3716), None, None),
        ),
        (
            ":::MLLOG {\"key\": \"effective_scenario\", \"value\": \"Server\"}\n:::MLLOG {\"key\": \"result_validity\", \"value\": \"VALID\"}\n\
             :::MLLOG {\"key\": \"result_scheduled_samples_per_sec\", \"value\": 8.05}\n:::MLLOG {\"key\": \"result_completed_samples_per_sec\", \"value\": 8.0}\n\
             :::MLLOG {\"key\": \"result_mean_latency_ns\", \"value\": 45000000000}\n"
                .into(),
            (rate(8.05), 8.0, Some(45.0), None, None),
        ),
        (
            "{\"metadata\": {\"request_start_ns\": 1759813207000000000, \"request_end_ns\": 1759813207400000000, \"benchmark_phase\": \"profiling\"}, \
             \"metrics\": {\"time_to_first_token\": {\"value\": 100, \"unit\": \"ms\"}, \"inter_token_latency\": {\"value\": 10, \"unit\": \"ms\"}}, \"error\": null}\n\
             {\"metadata\": {\"request_start_ns\": 1759813207600000000, \"request_end_ns\": 1759813208000000000, \"benchmark_phase\": \"profiling\"}, \
             \"metrics\": {\"time_to_first_token\": {\"value\": 200, \"unit\": \"ms\"}}, \"error\": null}\n"
                .into(),
            (Driven::Unknown, 2.0, Some(0.4), Some(0.15), Some(0.01)),
        ),
        (
            "{\"spec\": {\"numberOfConnections\": 8}, \"result\": {\"timeTakenSeconds\": 10, \"req2xx\": 400, \"req5xx\": 3, \"latency\": {\"mean\": 200000}, \"rps\": {\"mean\": 55}}}"
                .into(),
            (users(8.0), 40.0, Some(0.2), None, None),
        ),
        (
            "{\"aggregate\": {\"counters\": {\"vusers.failed\": 10}, \"rates\": {\"http.request_rate\": 10}, \"summaries\": {\"http.response_time\": {\"mean\": 210, \"median\": 200}}}, \"intermediate\": []}"
                .into(),
            (rate(10.0), 10.0, Some(0.21), None, None),
        ),
        (
            "timeStamp,elapsed,label,responseCode,success,allThreads,Latency\n1767603600000,400,c,200,true,2,150\n1767603600100,700,c,200,true,2,150\n"
                .into(),
            (users(2.0), 2.5, Some(0.55), Some(0.15), None),
        ),
        (
            "metric_name,timestamp,metric_value,status\nvus,1767603600,5,\nhttp_req_duration,1767603600,200,200\nhttp_req_duration,1767603604,200,200\n"
                .into(),
            (users(5.0), 0.47619, Some(0.2), None, None),
        ),
        (
            "{\"type\":\"Point\",\"data\":{\"time\":\"2026-01-05T09:00:00.2Z\",\"value\":200,\"tags\":{\"status\":\"200\"}},\"metric\":\"http_req_duration\"}\n\
             {\"type\":\"Point\",\"data\":{\"time\":\"2026-01-05T09:00:02Z\",\"value\":300,\"tags\":{\"status\":\"200\"}},\"metric\":\"http_req_duration\"}\n"
                .into(),
            (Driven::Unknown, 1.0, Some(0.25), None, None),
        ),
        (
            "1767603600000000000,200,100000000,10,20,,e30=,a,0,POST,http://h/,\n1767603600900000000,200,100000000,10,20,,e30=,a,0,POST,http://h/,\n".into(),
            (Driven::Unknown, 2.0, Some(0.1), None, None),
        ),
        (
            "Summary:\n  Total:\t2.0 secs\n  Slowest:\t0.3 secs\n  Average:\t0.1 secs\n  Requests/sec:\t40.0\n\nStatus code distribution:\n  [200]\t80 responses\n".into(),
            (Driven::Unknown, 40.0, Some(0.1), None, None),
        ),
        (
            "{\"latencies\": {\"mean\": 100000000}, \"requests\": 300, \"rate\": 30.0, \"throughput\": 29.4, \"success\": 0.99}".into(),
            (rate(30.0), 29.4, Some(0.1), None, None),
        ),
        (
            "{\"summary\": {\"successRate\": 0.998, \"average\": 0.2, \"requestsPerSec\": 40.0}, \"statusCodeDistribution\": {\"200\": 395, \"503\": 5}}"
                .into(),
            (Driven::Unknown, 40.0, Some(0.2), None, None),
        ),
        (
            "MLPerf Results Summary\nScenario : Server\nCompleted samples per second    : 8.00\nResult is : VALID\n\
             Scheduled samples per second : 8.05\nMean latency (ns)                : 45000000000\n\
             Mean First Token latency (ns)                : 400000000\nMean Time to Output Token (ns)               : 150000000\n"
                .into(),
            (rate(8.05), 8.0, Some(45.0), Some(0.4), Some(0.15)),
        ),
        (
            "Running 30s test @ http://h/\n  4 threads and 64 connections\n  Thread Stats   Avg      Stdev\n    Latency   128.00ms   20.00ms\n\
             Requests/sec:    500.00\n"
                .into(),
            (users(64.0), 500.0, Some(0.128), None, None),
        ),
        (
            "response-time,DNS+dialup,status-code,offset\n0.1,0.001,200,0.0\n0.12,0,200,0.05\n0.14,0,503,0.06\n".into(),
            (Driven::Unknown, 10.0, Some(0.11), None, None),
        ),
        (
            "Timestamp,User Count,Type,Name,Requests/s,Failures/s,Total Average Response Time\n1,10,,Aggregated,0.0,0.0,0.0\n\
             2,10,,Aggregated,20.0,0.5,480.0\n"
                .into(),
            (users(10.0), 20.0, Some(0.48), None, None),
        ),
    ];
    for (content, expected) in cases {
        assert_eq!(level(&content), expected, "{content}");
    }
    assert_eq!(read(&format!("{VLLM}\n{VLLM}\n")).unwrap().levels.len(), 2);
}

#[test]
fn times_without_a_unit_and_results_that_are_none_are_refused() {
    for (content, expected) in [
        ("concurrency,latency\n1,252\n4,263\n", "the times of column `latency` have no unit"),
        ("MLPerf Results Summary\nScenario : Offline\n", "its scenario is Offline"),
        ("MLPerf Results Summary\nScenario : Server\nResult is : INVALID\n", "its result is INVALID"),
        ("{\"a\": 1}", "is of no known tool"),
        (&VLLM.replace("\"completed\": 100", "\"completed\": 0"), "no request was completed"),
    ] {
        let error = read(content).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

fn levels(rows: &[(f64, f64)]) -> Vec<Level> {
    let level = |(users, tpot_ms): &(f64, f64)| {
        let (tpot, ttft) = (tpot_ms / 1e3, tpot_ms / 1e3 + 0.01);
        Level {
            ttft_s: Some(ttft),
            tpot_s: Some(tpot),
            prompt_tokens: Some(1000.0),
            output_tokens: Some(101.0),
            ..Level::new(format!("{users} users"), Driven::Users(*users), users / (ttft + 100.0 * tpot))
        }
    };
    rows.iter().map(level).collect()
}

/// Levels by the law itself: 10 ms, 0.2 ms a sequence (half of it beyond 64 of them another 0.6 ms), 10 µs a prompt token.
fn by_law(users: f64, more_beyond_64: f64) -> Level {
    let decoding = users;
    let base = 0.010 + 0.0002 * decoding + more_beyond_64 * (decoding - 64.0).max(0.0);
    let (prompt, output) = (1000.0, 101.0);
    // The others' prompts, an answer's time apart each.
    let prefill = |tpot: f64| (users - 1.0) * prompt / (100.0 * tpot) * tpot;
    let tpot = base + 1e-5 * prefill(base);
    let ttft = 1.5 * base + 1e-5 * (prompt + prefill(base) / 2.0) + 0.020 + 1.0 * tpot;
    let rate = users / (ttft + 100.0 * tpot);
    Level {
        ttft_s: Some(ttft),
        tpot_s: Some(tpot),
        prompt_tokens: Some(prompt),
        output_tokens: Some(output),
        ..Level::new(format!("{users} users"), Driven::Users(users), rate)
    }
}

#[test]
fn a_law_is_found_from_its_own_levels_and_a_bend_with_its_place() {
    let straight: Vec<Level> = [1.0, 8.0, 16.0, 64.0, 128.0].map(|users| by_law(users, 0.0)).to_vec();
    let fitted = fit(&straight, None).unwrap();
    assert_eq!(fitted.refused, None);
    assert!(fitted.rows.iter().all(|row| row.error().abs() < 0.02), "{:?}", fitted.rows);
    let Law::Llm { times, max_sequences, .. } = &fitted.law else { panic!() };
    assert!(times.bends().is_empty() && max_sequences.is_none(), "{times:?}");
    assert!((times.fixed_s / 0.010 - 1.0).abs() < 0.05, "{times:?}");
    let bent: Vec<Level> =
        [8.0, 16.0, 32.0, 64.0, 96.0, 128.0, 256.0].map(|users| by_law(users, 0.0006)).to_vec();
    let fitted = fit(&bent, None).unwrap();
    let Law::Llm { times, .. } = &fitted.law else { panic!() };
    let bends: Vec<f64> = times.bends().iter().map(|bend| bend.0).collect();
    assert!(bends.iter().any(|at| (50.0..80.0).contains(at)), "{bends:?}");
    assert!(fitted.notes.iter().any(|note| note.contains("bends at about")), "{:?}", fitted.notes);
    assert!(fitted.rows.iter().all(|row| row.error().abs() < 0.05), "{:?}", fitted.rows);
}

#[test]
fn levels_that_no_law_fits_are_refused() {
    let falling = fit(&levels(&[(1.0, 12.0), (9.0, 10.0)]), None).unwrap_err();
    assert!(falling.contains("negative time per sequence"), "{falling}");
    let wild = fit(&levels(&[(8.0, 10.0), (16.0, 30.0), (32.0, 12.0), (64.0, 40.0)]), None).unwrap();
    assert!(wild.refused.unwrap().contains("off its own measurement of the time per token"));
    let alone = fit(&levels(&[(8.0, 10.0)]), None).unwrap_err();
    assert!(alone.contains("has one level"), "{alone}");
}

#[test]
fn users_who_are_not_all_waiting_are_named() {
    let mut level = levels(&[(8.0, 10.0)]).remove(0);
    assert_eq!(level.idle_users(), None);
    level.rate /= 2.0;
    assert!(level.idle_users().unwrap().contains("4.0 requests in flight, but there were 8 users"));
}

#[test]
fn places_are_told_by_the_level_at_which_answers_come_no_faster() {
    let level = |users: f64, latency: f64| Level {
        latency_s: Some(latency),
        ..Level::new("l", Driven::Users(users), users / latency)
    };
    let fitted = fit(&[level(1.0, 0.2), level(4.0, 0.2), level(8.0, 0.4)], Some("slots")).unwrap();
    assert_eq!((fitted.law, fitted.refused), (Law::Slots { time_s: 0.2, concurrency: 4 }, None));
    let slowed = fit(&[level(1.0, 0.2), level(4.0, 0.36), level(8.0, 0.5)], Some("slots")).unwrap();
    assert!(slowed.refused.unwrap().contains("fit --model shared"));
}

#[test]
fn what_is_broken_is_refused_with_its_place_and_what_is_no_number_is_missing() {
    let cut = read(&VLLM[..80]).unwrap_err();
    assert!(cut.starts_with("`t`, line 1, column 80: EOF"), "{cut}");
    let without = VLLM.replace("\"mean_ttft_ms\": 60", "\"mean_ttft_ms\": NaN, \"mean_e2el_ms\": 1260");
    assert_eq!(level(&without), (Driven::Users(4.0), 3.1746, Some(1.26), None, Some(0.012)));
    let spreadsheet = "\u{feff}concurrency;latency_ms;throughput\n1;100,5;9,9\n4;120,1;33\n";
    let test = read(spreadsheet).unwrap();
    assert_eq!((test.levels[0].latency_s, test.levels[0].rate), (Some(0.1005), 9.9));
}

/// Message, label and place of what is refused, as `line:column text`.
fn refused(content: &str) -> (String, String) {
    let mut files = Memory::default();
    files.insert("t", content);
    let file = NamedFile { files: &files, path: "t".into(), shown: "t" };
    let error = read_load_test(&file, None).unwrap_err();
    let place = error.place.map_or(String::new(), |place| {
        let at = place.line_column();
        format!("{}:{} {}", at.line, at.column, place.text())
    });
    (error.message, place)
}

#[test]
fn a_table_is_refused_at_its_cell_whatever_its_line_ends_and_quotation_marks() {
    for (content, message, place) in [
        ("concurrency,latency_ms\r\n\r\n1,100\r\n4,many\r\n", "`many` is no number", "4:3 many"),
        ("concurrency;latency_ms\n1;100,5\n4; 1,2,3\n", "`1,2,3` is no number", "3:4 1,2,3"),
        (
            "timeStamp,elapsed,label,success\n1767603600000,400,\"a\nb\",true\n1767603600000,x,c,true\n",
            "line 4, column `elapsed`: `x` is no number",
            "4:15 x",
        ),
        ("metric_name,timestamp,metric_value\nvus,,5\n", "column `timestamp`: `` is no number", "2:5 "),
        ("response-time,status-code,offset\n0.1,200,soon\n", "column `offset`", "2:9 soon"),
        ("concurrency,throughput\n4,5\n,\n", "line 3 has neither a rate", "3:1 ,"),
        ("{\"metrics\": {\n  \"vus\": }", "line 2, column 10", "2:10 }"),
        (
            "<testResults>\n <httpSample t=\"a\" ts=\"5\"/>\n</testResults>",
            "line 2: the attribute `t` (how long it took)",
            "2:2 <httpSample t=\"a\" ts=\"5\"/>",
        ),
    ] {
        let (found, at) = refused(content);
        assert!(found.contains(message), "{content}: {found}");
        assert_eq!(at, place, "{content}: {found}");
    }
}

#[test]
fn tables_of_guidellm_are_read_by_their_header_of_three_rows_and_of_one() {
    let groups = "Run Info,Benchmark,Request Counts,Request Latency,Request Latency,Time to First Token,Inter Token Latency,Server Throughput,Token Metrics,Token Metrics\r\n\
                  Profile,Strategy,Errored,Successful Sec,Successful Sec,Successful ms,Successful ms,Successful Requests/Sec,Successful Input Tokens,Successful Output Tokens\r\n\
                  ,,,Mean,Median,Mean,Mean,Mean,Mean,Mean\r\n";
    let profile = "\"{\"\"type_\"\": \"\"concurrent\"\", \"\"streams\"\": [1, 8]}\"";
    let text = format!(
        "{groups}{profile},concurrent,0,1.2,9,100,12,0.8,256,100\r\n{profile},concurrent,3,2.0,9,200,18,4.0,256,100\r\n"
    );
    let test = read(&text).unwrap();
    assert_eq!(test.levels.len(), 2);
    let second = &test.levels[1];
    assert_eq!((second.driven, second.rate, second.latency_s), (Driven::Users(8.0), 4.0, Some(2.0)));
    assert_eq!((second.ttft_s, second.tpot_s, second.failed), (Some(0.2), Some(0.018), 3.0));
    assert_eq!((second.prompt_tokens, second.output_tokens), (Some(256.0), Some(100.0)));
    assert!(test.notes.is_empty(), "{:?}", test.notes);

    let one = "Type,Name,Successful Requests,Successful Requests per second mean,Successful Request latency mean,Errored Requests,\
               Successful Inter token latency ms mean\ngenerative_benchmark,constant@2.50,100,2.4,1.5,0,14\n";
    assert_eq!(level(one), (Driven::Rate(2.5), 2.4, Some(1.5), None, Some(0.014)));
    let (message, place) = refused(&text.replace(",4.0,", ",-,"));
    assert!(message.contains("`-` is no number"), "{message}");
    assert!(place.starts_with("5:"), "{place}");
}

#[test]
fn yaml_of_guidellm_a_summary_of_k6_for_machines_and_xml_of_jmeter_are_levels_as_their_other_forms_are() {
    let yaml = "metadata:\n  version: 1\nbenchmarks:\n- type_: generative_benchmark\n  config:\n    strategy: {type_: concurrent, streams: 8}\n  \
                metrics:\n    requests_per_second: {successful: {mean: 4.0}}\n    request_latency: {successful: {mean: 2.0, std_dev: .nan}}\n    \
                time_to_first_token_ms: {successful: {mean: 200.0}}\n    inter_token_latency_ms: {successful: {mean: 18.0}}\n";
    assert_eq!(level(yaml), (Driven::Users(8.0), 4.0, Some(2.0), Some(0.2), Some(0.018)));

    let k6 = "{\"version\": \"1.0.0\", \"metadata\": {\"k6Version\": \"2.0.0\"}, \"results\": {\"passed\": true, \"metrics\": [\
              {\"name\": \"http_reqs\", \"type\": \"counter\", \"values\": {\"count\": 1500, \"rate\": 25.0}}, \
              {\"name\": \"http_req_duration\", \"type\": \"trend\", \"contains\": \"time\", \"values\": {\"avg\": 250.0, \"count\": 1500}}, \
              {\"name\": \"http_req_failed\", \"type\": \"rate\", \"values\": {\"rate\": 0.02, \"passes\": 30, \"fails\": 1470}}, \
              {\"name\": \"vus\", \"type\": \"gauge\", \"values\": {\"value\": 10, \"min\": 1, \"max\": 10}}]}}";
    assert_eq!(level(k6), (Driven::Users(10.0), 25.0, Some(0.25), None, None));
    assert_eq!(read(k6).unwrap().levels[0].failed, 30.0);

    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testResults version=\"1.2\">\n\
               <httpSample t=\"400\" lt=\"150\" ts=\"1767603600000\" s=\"true\" lb=\"c\" rc=\"200\" na=\"2\"/>\n\
               <httpSample t=\"700\" lt=\"150\" ts=\"1767603600100\" s=\"true\" lb=\"c\" rc=\"200\" na=\"2\">\n  \
               <httpSample t=\"1\" ts=\"1767603600100\" s=\"true\"/>\n</httpSample>\n</testResults>\n";
    assert_eq!(level(xml), (Driven::Users(2.0), 2.5, Some(0.55), Some(0.15), None));
    assert!(read(xml).unwrap().notes.iter().any(|note| note.contains("1 samples are parts of others")));
}

#[test]
fn printed_and_older_results_are_levels_too() {
    let vegeta = "Requests      [total, rate, throughput]         300, 30.10, 29.40\nDuration      [total, attack, wait]             10.07s, 9.967s, 100.3ms\n\
                  Latencies     [min, mean, 50, 90, 95, 99, max]  80.1ms, 100.2ms, 99ms, 120ms, 130ms, 150ms, 180ms\n\
                  Success       [ratio]                           99.00%\n";
    assert_eq!(level(vegeta), (Driven::Rate(30.1), 29.4, Some(0.1002), None, None));
    assert_eq!(read(vegeta).unwrap().levels[0].failed, 3.0);
    let (message, place) = refused(&vegeta.replace("100.2ms", "soon"));
    assert!(
        message.contains("line 3 has no mean") && place.starts_with("3:1 Latencies"),
        "{message} {place}"
    );

    let experiments = "{\"experiments\": [{\"experiment\": {\"mode\": \"concurrency\", \"value\": 2}, \"requests\": [\
                       {\"timestamp\": 1700000000000000000, \"response_timestamps\": [1700000000100000000, 1700000000400000000]}, \
                       {\"timestamp\": 1700000000100000000, \"response_timestamps\": [1700000000200000000, 1700000000600000000]}, \
                       {\"timestamp\": 1700000000200000000, \"response_timestamps\": []}]}]}";
    let (driven, rate, latency, first, token) = level(experiments);
    assert_eq!((driven, token), (Driven::Users(2.0), None));
    assert!((rate - 2.0 / 0.6).abs() < 1e-3 && (latency.unwrap() - 0.45).abs() < 1e-3, "{rate} {latency:?}");
    assert!((first.unwrap() - 0.1).abs() < 1e-3, "{first:?}");

    let stage = "{\"load_summary\": {\"requested_rate\": 2.0}, \"successes\": {\"latency\": {\"request_latency\": {\"mean\": 3.0}}, \
                 \"prompt_tokens\": {\"mean\": 256}, \"output_tokens\": {\"mean\": 100}}}";
    let level = &read(stage).unwrap().levels[0];
    assert_eq!((level.prompt_tokens, level.output_tokens), (Some(256.0), Some(100.0)));
}

#[test]
fn what_a_message_repeats_of_a_result_is_on_one_line_and_not_too_long() {
    let named = |scenario: &str| {
        read(&format!("MLPerf Results Summary\nScenario : {scenario}\nResult is : VALID\n")).unwrap_err()
    };
    assert!(
        named("Of\u{2}fline\u{202e}")
            .contains("its scenario is Of\\u{2}fline\\u{202e}, which has no arrivals")
    );
    assert!(named(&"x".repeat(100_000)).len() < 2_000);
}
