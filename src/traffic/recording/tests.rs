//! Each form by small files in its shape: what is read, and what is refused and why.

use super::*;
use crate::files::Memory;
use crate::traffic::{Column, Unit};

fn read(content: &str, wanted: &Wanted) -> Result<Recording, String> {
    let mut files = Memory::default();
    files.insert("t", content);
    let file = NamedFile { files: &files, path: "t".into(), shown: "t" };
    read_recording(&file, wanted).map_err(|error| {
        let help = error.help.map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{} | {}{help}", error.message, error.label)
    })
}

fn plain() -> Wanted {
    Wanted::default()
}

/// Form, first instant, instants in ms from it, durations in ms.
fn requests(content: &str, wanted: &Wanted) -> (String, String, Vec<u64>, Vec<u64>) {
    let recording = read(content, wanted).unwrap_or_else(|error| panic!("{error}\n{content}"));
    let Recorded::Requests(requests) = recording.content else { panic!("no requests: {content}") };
    let mut durations: Vec<u64> = requests.durations().iter().map(|nanos| nanos / 1_000_000).collect();
    durations.sort_unstable();
    let instants = requests.trace.instants.iter().map(|nanos| nanos / 1_000_000).collect();
    (recording.reading.format, recording.reading.first, instants, durations)
}

/// Form, interval in seconds, counts with NaN as −1.
fn series(content: &str, wanted: &Wanted) -> (String, f64, Vec<f64>) {
    let recording = read(content, wanted).unwrap_or_else(|error| panic!("{error}\n{content}"));
    let Recorded::Series(series) = recording.content else { panic!("no series: {content}") };
    let counts = series.counts.iter().map(|count| if count.is_nan() { -1.0 } else { *count }).collect();
    (recording.reading.format, series.interval.as_secs_f64(), counts)
}

fn rates() -> Wanted {
    Wanted { values: Some(Quantity::Rates), ..plain() }
}

fn sum() -> Wanted {
    Wanted { series: Some(SeriesChoice::Sum), ..plain() }
}

const FIRST: &str = "2026-01-05T09:00:00Z";

#[test]
fn request_logs_are_read_from_their_arrivals() {
    let alb = |end: &str, times: &str, created: &str| {
        format!(
            "https 2026-01-05T09:00:{end}Z app/x/1 203.0.113.4:50000 10.0.0.1:80 {times} 200 200 300 900 \
             \"POST https://h:443/v1 HTTP/2.0\" \"c\" TLS t arn \"Root=1\" \"h\" \"arn\" 0 2026-01-05T09:00:{created}Z \
             \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\"\n"
        )
    };
    let logs = [
        (
            "alb",
            alb("01.250000", "0.001 0.240 0.000", "00.000000") + &alb("02.0", "-1 -1 -1", "01.500000"),
            vec![0, 1500],
            vec![240],
        ),
        (
            "envoy",
            "[2026-01-05T09:00:00.100Z] \"POST /v1 HTTP/1.1\" 200 - 300 900 250 248 \"a\" \"c\" \"id1\" \"h\" \"10.0.0.1:80\"\n\
             [2026-01-05T09:00:00.000Z] \"POST /v1 HTTP/1.1\" 0 DC 300 900 400 - \"a\" \"c\" \"id2\" \"h\" \"10.0.0.1:80\"\n"
                .into(),
            vec![0, 100],
            vec![250, 400],
        ),
        (
            "istio",
            "{\"start_time\":\"2026-01-05T09:00:00.000Z\",\"response_code\":200,\"duration\":250,\"upstream_service_time\":\"248\"}\n\
             {\"start_time\":\"2026-01-05T09:00:01.000Z\",\"response_code\":0,\"duration\":1000,\"upstream_service_time\":null}\n"
                .into(),
            vec![0, 1000],
            vec![250, 1000],
        ),
        (
            "cloud_logging",
            "[{\"timestamp\":\"2026-01-05T09:00:00.750Z\",\"httpRequest\":{\"status\":200,\"latency\":\"0.240s\"}},\
             {\"timestamp\":\"2026-01-05T09:00:00Z\",\"httpRequest\":{\"status\":200,\"latency\":\"1.5s\"}}]"
                .into(),
            vec![0, 750],
            vec![240, 1500],
        ),
        (
            "access_log",
            "192.0.2.1 - - [05/Jan/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"c [x]\"\n\
             192.0.2.2 - bob [05/Jan/2026:10:00:02 +0100] \"GET / HTTP/1.1\" 200 - \"-\" \"c\"\n"
                .into(),
            vec![0, 2000],
            vec![],
        ),
        (
            "access_log",
            "192.0.2.1 - - [05/Jan/2026:09:00:01 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\" 1.000 0.640 .\n\
             192.0.2.1 - - [05/Jan/2026:09:00:03 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\" 0.500 0.500 .\n"
                .into(),
            vec![0, 2500],
            vec![500, 1000],
        ),
        (
            "cloudfront",
            "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes time-taken\n\
             2026-01-05\t09:00:01\tFRA\t900\t1.000\n2026-01-05\t09:00:03\tFRA\t900\t0.500\n"
                .into(),
            vec![0, 2500],
            vec![500, 1000],
        ),
    ];
    for (form, content, instants, durations) in logs {
        assert_eq!(
            requests(&content, &plain()),
            (form.into(), FIRST.into(), instants, durations),
            "{content}"
        );
    }
}

#[test]
fn public_traces_are_recognised_by_their_columns_with_their_units() {
    let traces = [
        (
            "azure_llm",
            "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2026-01-05 09:00:00.0000000,4808,10\r\n2026-01-05 09:00:01.5000000,5,8",
            vec![0, 1500],
        ),
        (
            "burst_gpt",
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,x\n45,ChatGPT,87,0,87,x\n",
            vec![0, 40_000],
        ),
        (
            "mooncake",
            "{\"timestamp\": 0, \"input_length\": 6955, \"output_length\": 52, \"hash_ids\": [46]}\n{\"timestamp\": 2999, \"input_length\": 1, \"output_length\": 2, \"hash_ids\": []}\n",
            vec![0, 2999],
        ),
        (
            "bailian",
            "{\"chat_id\":1,\"parent_chat_id\":-1,\"timestamp\":61.0,\"input_length\":521,\"output_length\":132,\"hash_ids\":[1]}\n{\"chat_id\":2,\"parent_chat_id\":-1,\"timestamp\":61.5,\"input_length\":5,\"output_length\":1,\"hash_ids\":[1]}\n",
            vec![0, 500],
        ),
        (
            "azure_functions_2021",
            "app,func,end_timestamp,duration\na,f,10.5,0.5\nb,g,10.25,10.25\n",
            vec![0, 10_000],
        ),
        (
            "gentd26",
            "gmt_create,predict_type,predict_status,exec_time_seconds\n2026-01-05 09:00:00,T,SUCCEED,32.0\n2026-01-05 09:00:05,T,FAILED,1.0\n",
            vec![0, 5000],
        ),
        (
            "aibrix",
            "prompt_tokens,generation_tokens,ttft,generation_time,user_id,question_id,launch_time,finish_time\n21,10,1,3,2,1,1742750169.0,1742750172\n8,9,1,1,2,1,1742750167.0,1742750170\n",
            vec![0, 2000],
        ),
    ];
    for (form, content, instants) in traces {
        let (found, _, read, _) = requests(content, &plain());
        assert_eq!((found.as_str(), read), (form, instants), "{content}");
    }
}

#[test]
fn a_form_that_is_nearly_a_known_one_says_what_differs() {
    for (content, expected) in [
        (
            "TIMESTAMP,ContextTokens,OutTokens\n2026-01-05 09:00:00,1,2\n",
            "looks like an Azure LLM inference trace (`azure_llm`), but has no column `GeneratedTokens`",
        ),
        (
            "{\"timestamp\": 0, \"input_length\": 5, \"output_length\": 2}\n{\"timestamp\": 9, \"input_length\": 5, \"output_length\": 2}\n",
            "may be milliseconds, as Mooncake's, or seconds, as Bailian's",
        ),
        (
            "HashOwner,HashApp,HashFunction,Average,Count\na,b,c,1,2\n",
            "it is the file of durations or of memory",
        ),
        (
            "http 2026-01-05T09:00:01.25Z app 203.0.113.4:1 10.0.0.1:80 0.0 0.2 0.0 200 200 3 9 \"GET / HTTP/1.1\"\n",
            "no `request_creation_time`",
        ),
        ("{\"a\": {\"b\": [1, 2]}}", "is a JSON document of no known form"),
    ] {
        let error = read(content, &plain()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let wanted = Wanted { format: Some("csv".into()), ..plain() };
    let table = requests(
        "TIMESTAMP,ContextTokens,OutTokens\n2026-01-05 09:00:00,1,2\n2026-01-05 09:00:01,1,2\n",
        &wanted,
    );
    assert_eq!(table.2, [0, 1000]);
}

#[test]
fn tables_tell_the_column_of_their_instants_whatever_separates_them() {
    let rows = |rows: &str| requests(rows, &plain()).2;
    for content in [
        "id,timestamp,latency_ms\n0,2026-01-05T09:00:00,243\n1,2026-01-05T09:00:07,182\n2,2026-01-05T09:00:30,359\n",
        "time\tpath\n05/Jan/2026:09:00:00 +0000\t/a\n05/Jan/2026:09:00:07 +0000\t/b\n05/Jan/2026:09:00:30 +0000\t/c\n",
        "\u{feff}path;time\n/a;2026-01-05 09:00:00 UTC\n/b;2026-01-05 09:00:07 UTC\n/c;2026-01-05 09:00:30 UTC\n",
        "timestamp,latency_ms\n1767603600000,5\n1767603607000,5\n1767603630000,5\n",
        "ts,latency_ms\n1767603600.0,5\n1767603607.0,5\n1767603630.0,5\n",
        "1767603600000000\n1767603607000000\n1767603630000000\n",
        "0.0\n7.0\n30.0\n",
        "when_ms,x\n0,a\n7000,b\n30000,a\n",
        "{\"a\":{\"time\":\"2026-01-05T09:00:00Z\"},\"n\":1}\n{\"a\":{\"time\":\"2026-01-05T09:00:07Z\"},\"n\":2}\n{\"a\":{\"time\":\"2026-01-05T09:00:30Z\"},\"n\":5}\n",
    ] {
        assert_eq!(rows(content), [0, 7000, 30_000], "{content}");
    }
    let newest_first = "time,path\n2026-01-05T09:00:30Z,a\n2026-01-05T09:00:07Z,b\n2026-01-05T09:00:00Z,c\n";
    assert_eq!(rows(newest_first), [0, 7000, 30_000]);
}

#[test]
fn a_duration_is_taken_only_with_its_unit() {
    let taken = |content: &str, wanted: &Wanted| requests(content, wanted).3;
    let bare = "time,lat\n2026-01-05T09:00:00Z,200\n2026-01-05T09:00:01.5Z,250\n";
    assert!(taken(bare, &plain()).is_empty());
    assert_eq!(taken(bare, &Wanted { service_unit: Some(Unit::Milliseconds), ..plain() }), [200, 250]);
    assert_eq!(taken(&bare.replace("lat", "latency (ms)"), &plain()), [200, 250]);
    assert_eq!(taken(&bare.replace("00Z,200", "00Z,0.2s").replace(",250", ",0.25s"), &plain()), [200, 250]);
    let wanted = Wanted { service_time: Some(Column::Name("lat".into())), ..plain() };
    assert!(read(bare, &wanted).unwrap_err().contains("numbers without a unit in column `lat`"));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_both() {
    for (content, expected) in [
        ("time,n\n11/05/2024 09:00,1\n11/05/2024 09:01,2\n", "as day and month could be exchanged"),
        (
            "start_time,send_time,x\n2026-01-05T09:00:00Z,2026-01-05T09:00:01Z,a\n",
            "has instants in column `start_time` and in column `send_time`",
        ),
        (
            "time,a\n2026-01-05T09:00:00Z,5\n2026-01-05T09:01:00Z,6\n2026-01-05T09:02:00Z,9\n",
            "whether a row is a request or an interval",
        ),
        ("path,code\n/a,x\n/b,y\n", "has no column of instants among column `path`, column `code`"),
        ("5\n7\n3\n8\n", "numbers without times"),
        ("5 7 3 8 9 4\n", "numbers without times"),
        ("id,status\n0,a\n1,b\n2,a\n3,c\n", "that rise by exactly 1: it counts rows"),
    ] {
        let error = read(content, &plain()).expect_err(content);
        assert!(error.contains(expected), "{error}\n{content}");
    }
}

#[test]
fn instants_that_cannot_be_those_of_requests_are_refused_unless_they_were_named() {
    let rows: String = (0..12).map(|n| format!("{},a\n", 1_000_000 * n * n)).collect();
    let content = format!("time,x\n{rows}");
    assert!(read(&content, &plain()).unwrap_err().contains("less than a request a day"));
    assert!(read(&content, &Wanted { unit: Some(Unit::Milliseconds), ..plain() }).is_ok());
    assert!(read(&content, &Wanted { column: Some(Column::Number(1)), ..plain() }).is_ok());
    let century = "time,x\n1950-01-01T00:00:00Z,a\n2026-01-05T09:00:00Z,b\n";
    assert!(read(century, &plain()).unwrap_err().contains("a span of 76 years"));
}

#[test]
fn series_are_put_on_their_grid_in_order_and_keep_their_gaps() {
    let matrix = |values: &str| {
        format!(
            "{{\"status\": \"success\", \"data\": {{\"resultType\": \"matrix\", \"result\": [{values}]}}}}"
        )
    };
    let one = "{\"metric\": {\"pod\": \"a\"}, \"values\": [[1767603600, \"2.5\"], [1767603660, \"3\"], [1767603720, \"3.5\"], [1767603900, \"4\"]]}";
    let two = "{\"metric\": {\"pod\": \"b\"}, \"values\": [[1767603600, \"1.5\"], [1767603660, \"NaN\"], [1767603720, \"2.5\"], [1767603900, \"2\"]]}";
    let both = Wanted { values: Some(Quantity::Rates), ..sum() };
    let gaps = series(&matrix(one), &rates());
    assert_eq!(gaps, ("prometheus".into(), 60.0, vec![150.0, 180.0, 210.0, -1.0, -1.0, 240.0]));
    let added = series(&matrix(&format!("{one}, {two}")), &both);
    assert_eq!(added.2, [240.0, -1.0, 360.0, -1.0, -1.0, 360.0]);
    let named = Wanted { series: Some(SeriesChoice::Named("{pod=b}".into())), ..rates() };
    assert_eq!(series(&matrix(&format!("{one}, {two}")), &named).2[0], 90.0);
    assert!(
        read(&matrix(&format!("{one}, {two}")), &rates())
            .unwrap_err()
            .contains("has 2 series: `{pod=a}`, `{pod=b}`")
    );
    assert!(
        read(&matrix(one), &plain()).unwrap_err().contains("requests in an interval or requests per second")
    );

    let data = "{\"MetricDataResults\": [{\"Id\": \"r\", \"Label\": \"RequestCount\", \"Timestamps\": [\"2026-01-05T09:04:00Z\", \
                \"2026-01-05T09:03:00Z\", \"2026-01-05T09:01:00Z\", \"2026-01-05T09:00:00Z\"], \"Values\": [480.0, 300.0, 60.0, \
                120.0], \"StatusCode\": \"Complete\"}], \"Messages\": []}";
    assert_eq!(
        series(data, &plain()),
        ("cloudwatch_data".into(), 60.0, vec![120.0, 60.0, -1.0, 300.0, 480.0])
    );
    let statistics = "{\"Label\": \"Invocations\", \"Datapoints\": [{\"Timestamp\": \"2026-01-05T09:05:00Z\", \"Sum\": 900.0, \"Unit\": \"None\"}, \
                      {\"Timestamp\": \"2026-01-05T09:00:00Z\", \"Sum\": 600.0, \"Unit\": \"None\"}]}";
    assert_eq!(series(statistics, &plain()), ("cloudwatch_statistics".into(), 300.0, vec![600.0, 900.0]));
    let point = |start: &str, end: &str, value: u32| {
        format!(
            "{{\"interval\": {{\"startTime\": \"2026-01-05T09:{start}:00Z\", \"endTime\": \"2026-01-05T09:{end}:00Z\"}}, \"value\": {{\"int64Value\": \"{value}\"}}}}"
        )
    };
    let monitoring = format!(
        "{{\"timeSeries\": [{{\"metric\": {{\"type\": \"request_count\"}}, \"metricKind\": \"DELTA\", \"points\": [{}, {}]}}]}}",
        point("01", "02", 90),
        point("00", "01", 30)
    );
    assert_eq!(series(&monitoring, &plain()), ("cloud_monitoring".into(), 60.0, vec![30.0, 90.0]));
    let datadog = "{\"status\": \"ok\", \"series\": [{\"metric\": \"hits\", \"pointlist\": [[1767603600000, 20.0], [1767603630000, null], \
                   [1767603660000, 26.0]], \"interval\": 30, \"unit\": [{\"name\": \"hit\", \"per_unit\": {\"name\": \"second\"}}, null]}]}";
    assert_eq!(series(datadog, &plain()), ("datadog".into(), 30.0, vec![600.0, -1.0, 780.0]));
}

#[test]
fn tables_of_numbers_per_interval_are_told_by_names_and_units() {
    let grafana = "\"Time\",\"sum(rate(x[1m]))\"\n2026-01-05 09:00:00,12.5 req/s\n2026-01-05 09:00:15,13 req/s\n2026-01-05 09:00:30,1.02 K req/s\n";
    assert_eq!(series(grafana, &plain()).2, [187.5, 195.0, 15_300.0]);
    let semicolons =
        "\u{feff}sep=;\n\"Time\";\"a\";\"b\"\n1767603600000;1,5;2,5\n1767603660000;2;\n1767603720000;2;1\n";
    let both = Wanted { values: Some(Quantity::Counts), ..sum() };
    assert_eq!(series(semicolons, &both), ("csv".into(), 60.0, vec![4.0, -1.0, 3.0]));
    assert!(read(semicolons, &plain()).unwrap_err().contains("whether a row is a request or an interval"));
    let counts = "timestamp,requests\n2026-01-05T09:00:00Z,60\n2026-01-05T09:01:00Z,61\n2026-01-05T09:04:00Z,62\n2026-01-05T09:05:00Z,62\n2026-01-05T09:06:00Z,62\n";
    assert_eq!(series(counts, &plain()).2, [60.0, 61.0, -1.0, -1.0, 62.0, 62.0, 62.0]);
    let long = "time,group,value\n2026-01-05T09:00:00Z,a,1\n2026-01-05T09:00:00Z,b,2\n2026-01-05T09:01:00Z,a,3\n2026-01-05T09:01:00Z,b,4\n";
    assert_eq!(series(long, &both).2, [3.0, 7.0]);
    let wide = "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f1,http,5,7,0\no,a,f2,queue,1,0,0\n";
    assert_eq!(series(wide, &sum()), ("azure_functions".into(), 60.0, vec![6.0, 7.0, 0.0]));
    let every_second = Wanted { interval: Some(crate::time::Span::from_secs(1)), ..both };
    assert_eq!(series("5 7 3 8 9 4\n", &every_second).2, [5.0, 7.0, 3.0, 8.0, 9.0, 4.0]);
    assert_eq!(series("5\n7\n3\n", &every_second).2, [5.0, 7.0, 3.0]);
}

#[test]
fn skipped_rows_are_counted_with_their_lines_and_refused_when_strict() {
    let content = "time,path\r\n2026-01-05T09:00:00Z,a\r\n\r\nsoon,b\r\n2026-01-05T09:00:02Z,c\r\n2026-01-05T09:00:04Z\r\n2026-01-05T09:00:05Z,d\r\n";
    let reading = read(content, &plain()).unwrap().reading;
    assert_eq!((reading.rows, reading.used), (5, 3));
    let skipped: Vec<(&str, &[u64])> =
        reading.skipped.iter().map(|skipped| (skipped.reason.as_str(), skipped.lines.as_slice())).collect();
    assert_eq!(
        skipped,
        [
            ("its instant is none of dates with their zone", [4].as_slice()),
            ("it has 1 columns instead of 2", [6].as_slice())
        ]
    );
    let error = read(content, &Wanted { strict: true, ..plain() }).unwrap_err();
    assert!(
        error.starts_with("`t`, line 4, column `time` is `soon` | expected dates with their zone"),
        "{error}"
    );
    let mostly = "time,path\n2026-01-05T09:00:00Z,a\n2026-01-05T09:00:01Z\n2026-01-05T09:00:02Z\n2026-01-05T09:00:04Z\n";
    assert!(read(mostly, &plain()).unwrap_err().contains("but 3 of its 4 rows cannot be read so"));
}

#[test]
fn rows_out_of_order_are_sorted_within_an_hour_and_refused_beyond_with_the_line() {
    let rows = |late: &str| {
        format!(
            "time,path\n2026-01-05T09:00:00Z,a\n2026-01-05T12:00:00Z,b\n2026-01-05T{late}Z,c\n2026-01-05T12:00:05Z,d\n"
        )
    };
    let near = read(&rows("11:30:00"), &plain()).unwrap().reading;
    assert!(near.notes[0].starts_with("1 rows came up to 30m after a later one"), "{:?}", near.notes);
    let error = read(&rows("10:30:00"), &plain()).unwrap_err();
    assert!(error.starts_with("`t`, line 4: its row lies more than 1h before one above it"), "{error}");
    assert!(read(&rows("10:30:00"), &Wanted { sort: true, ..plain() }).is_ok());
}

#[test]
fn several_files_become_one_recording_by_their_dates() {
    let mut files = Memory::default();
    files.insert("b", "time,path\n2026-01-05T10:00:00Z,a\n2026-01-05T10:00:01Z,a\n");
    files.insert("a", "time,path\n2026-01-05T09:59:59Z,a\n2026-01-05T10:00:00.5Z,a\n");
    let named = ["b", "a"].map(|name| NamedFile { files: &files, path: name.into(), shown: name });
    let (readings, recorded) = read_recordings(&named, &plain()).unwrap();
    assert_eq!(readings.len(), 2);
    let Recorded::Requests(requests) = recorded else { panic!() };
    let millis: Vec<u64> = requests.trace.instants.iter().map(|nanos| nanos / 1_000_000).collect();
    assert_eq!(millis, [0, 1000, 1500, 2000]);
}

#[test]
fn requests_of_load_tests_are_traffic_from_when_they_were_sent() {
    let jmeter = "timeStamp,elapsed,label,responseCode,success,allThreads,Latency\n\
                  1767603600000,400,chat,200,true,2,150\n1767603600100,600,chat,500,false,2,150\n";
    let hey = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n\
               0.1000,0,0,0,0.0990,0,200,0.0000\n0.1200,0,0,0,0.1190,0,200,0.0500\n";
    let vegeta = "1767603600000000000,200,120000000,10,20,,e30=,a,0,POST,http://h/,\n\
                  1767603600033333333,503,80000000,10,20,503 Service Unavailable,,a,1,POST,http://h/,\n";
    let k6_csv = "metric_name,timestamp,metric_value,check,status\nhttp_reqs,1767603600,1,,200\n\
                  http_req_duration,1767603600,200,,200\nhttp_req_duration,1767603601,500,,200\nvus,1767603600,5,,\n";
    let aiperf = "{\"metadata\":{\"request_start_ns\":1767603600000000001,\"request_end_ns\":1767603600400000001},\"metrics\":{\"output_sequence_length\":{\"value\":9,\"unit\":\"tokens\"}},\"error\":null}\n\
                  {\"metadata\":{\"request_start_ns\":1767603600600000001,\"request_end_ns\":1767603601100000001},\"metrics\":null,\"error\":{\"code\":499}}\n";
    let point = |metric: &str, time: &str, value: f64| {
        format!(
            "{{\"type\":\"Point\",\"data\":{{\"time\":\"2026-01-05T10:00:0{time}+01:00\",\"value\":{value},\"tags\":{{}}}},\"metric\":\"{metric}\"}}\n"
        )
    };
    let k6_points = [
        "{\"type\":\"Metric\",\"data\":{\"type\":\"trend\",\"contains\":\"time\"},\"metric\":\"http_req_duration\"}\n".to_owned(),
        point("http_req_duration", "0.500", 200.0),
        point("vus", "0.700", 5.0),
        point("http_req_duration", "1.000", 250.0),
    ]
    .concat();
    for (content, form, first, instants, durations) in [
        (jmeter, "jmeter", FIRST, vec![0, 100], vec![400, 600]),
        (hey, "hey", "0 s", vec![0, 50], vec![100, 120]),
        (vegeta, "vegeta", FIRST, vec![0, 33], vec![80, 120]),
        (k6_csv, "k6_csv", "2026-01-05T08:59:59.8Z", vec![0, 700], vec![200, 500]),
        (aiperf, "aiperf_records", "2026-01-05T09:00:00.000000001Z", vec![0, 600], vec![400, 500]),
        (k6_points.as_str(), "k6_points", "2026-01-05T09:00:00.3Z", vec![0, 450], vec![200, 250]),
    ] {
        assert_eq!(requests(content, &plain()), (form.into(), first.into(), instants, durations), "{form}");
    }
    let levels = "concurrency,latency_ms\n1,100\n4,120\n16,300\n64,900\n";
    assert!(read(levels, &plain()).unwrap_err().contains("`kneepoint service fit` reads it"));
}

#[test]
fn what_was_once_read_as_something_else_is_read_right_or_refused() {
    let times = ["00.048", "00.674", "02.5", "08.46"];
    let table = |header: &str, row: &dyn Fn(&str) -> String| {
        times.iter().fold(header.to_owned(), |text, time| text + &row(time))
    };
    let thousands: String = (0..6).map(|row| format!("2026-01-05T09:0{row}:00Z,\"1,{row}00\"\n")).collect();
    let (_, _, counts) = series(&format!("time,requests\n{thousands}"), &plain());
    assert_eq!(counts, [1000.0, 1100.0, 1200.0, 1300.0, 1400.0, 1500.0]);
    for (content, instants) in [
        (table("time\n", &|time| format!("20260105T0900{time}Z\n")), vec![0, 626, 2452, 8412]),
        (table("time,n\n", &|time| format!("05 Jan 2026 09:00:{time},1\n")), vec![0, 626, 2452, 8412]),
        (table("starting up\n", &|time| format!("{{\"ts\": \"2026-01-05T09:00:{time}Z\"}}\n")), vec![0, 626, 2452, 8412]),
        (
            "{\"hits\": {\"total\": 2, \"hits\": [{\"_source\": {\"@timestamp\": \"2026-01-05T09:00:00Z\"}}, \
             {\"_source\": {\"@timestamp\": \"2026-01-05T09:00:01Z\"}}]}}"
                .into(),
            vec![0, 1000],
        ),
        (
            "{\"StartUTC\":\"2026-01-05T09:00:00Z\",\"time\":\"2026-01-05T09:00:05Z\"}\n\
             {\"StartUTC\":\"2026-01-05T09:00:01Z\",\"time\":\"2026-01-05T09:00:03Z\"}\n"
                .into(),
            vec![0, 1000],
        ),
    ] {
        let (_, first, found, _) = requests(&content, &plain());
        assert!(first.starts_with("2026-01-05T09:00:00"), "{first}: {content}");
        assert_eq!(found, instants, "{content}");
    }
    let iis = "#Software: IIS\n#Fields: date time cs-method sc-status time-taken\n2026-01-05 09:00:00 GET 200 123\n";
    for (content, why) in [
        (
            table("date,time,n\n", &|time| format!("2026-01-05,09:00:{time},1\n")),
            "times of day in column `time`",
        ),
        (table("time,n\n", &|time| format!("09:00:{time},1\n")), "a time of day needs its date"),
        (table("time,n\n", &|time| format!("2026-01-05 09:00:{time} AM,1\n")), "write hours from 0 to 23"),
        (table("time,n\n", &|time| format!("2026-01-05 09:00:{time} PST,1\n")), "a zone by its letters"),
        (table("time,n\n", &|_| "1.767604e9,1\n".to_owned()), "all of its 4 requests at one instant"),
        (iis.to_owned(), "the unit of `time-taken` is not known"),
        ("<?xml version=\"1.0\"?><a/>".to_owned(), "a document in XML"),
        (
            "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"no\"}".to_owned(),
            "an error of Prometheus: no",
        ),
        (
            "{\"request_throughput\": 3.1, \"completed\": 3, \"mean_ttft_ms\": 2}".to_owned(),
            "a result of vllm bench serve",
        ),
    ] {
        let error = read(&content, &plain()).unwrap_err();
        assert!(error.contains(why), "{why}: {error}");
    }
}

/// Where a file is refused, as `line:column text`.
fn place(name: &str, content: &str, wanted: &Wanted) -> String {
    let mut files = Memory::default();
    files.insert(name, content);
    let file = NamedFile { files: &files, path: name.into(), shown: name };
    let error = read_recording(&file, wanted).expect_err(content);
    let Some(place) = &error.place else { panic!("no place: {}", error.message) };
    let at = place.line_column();
    assert!(
        error.rendered().contains(&format!("--> {name}:{}:{}\n", at.line, at.column)),
        "{}",
        error.rendered()
    );
    format!("{}:{} {}", at.line, at.column, place.text())
}

#[test]
fn what_is_refused_is_shown_at_its_cell_in_its_own_line() {
    let strict = Wanted { strict: true, ..plain() };
    let rows = |bad: &str, end: &str| {
        let good = (0..6).map(|row| format!("2026-01-05T09:00:0{row}Z,a,{row}{end}"));
        format!("time,path,prompt_tokens{end}{}{bad}{end}", good.collect::<String>())
    };
    for (content, expected) in [
        (rows("soon,b,5", "\n"), "8:1 soon"),
        (rows("soon,b,5", "\r\n"), "8:1 soon"),
        (rows("\"2026-01-05T09:00:09Z\",\"b\n,c\", many", "\n"), "9:6 many"),
        (rows("2026-01-05T09:00:09Z,b", "\r\n"), "8:1 2026-01-05T09:00:09Z,b"),
        (
            format!(
                "time;a\n{}x;3\n",
                (0..6).map(|row| format!("2026-01-05 09:0{row}:00;1\n")).collect::<String>()
            ),
            "8:1 x;3",
        ),
    ] {
        let wanted = if content.contains("path") {
            &strict
        } else {
            &Wanted { values: Some(Quantity::Counts), ..strict.clone() }
        };
        assert_eq!(place("t.csv", &content, wanted), expected, "{content}");
    }
    let lines = "{\"ts\": \"2026-01-05T09:00:00Z\", \"n\": 1}\n\n{\"ts\": \"2026-01-05T09:00:01Z\"}\n{\"n\": 2, \"ts\": \"soon\"}\n";
    let many = lines.replacen("\n\n", &"\n{\"ts\": \"2026-01-05T09:00:00.5Z\"}\n".repeat(9), 1);
    let list = format!("[\n{}\n]\n", many.trim_end().replace("}\n", "},\n\n"));
    for (name, text) in [("t.jsonl", &many), ("t.json", &list)] {
        let line = 1 + text.lines().position(|line| line.contains("soon")).unwrap();
        assert_eq!(place(name, text, &strict), format!("{line}:16 \"soon\""));
    }
    let grid = "time,requests\n2026-01-05T09:00:00Z,5\n2026-01-05T09:01:00Z,5\n2026-01-05T09:02:00Z,5\n2026-01-05T09:02:31Z,-7\n";
    assert!(place("t.csv", grid, &plain()).starts_with("3:1 "), "a whole row, where no cell is meant");
    assert_eq!(
        place("t.log", "2026 no\n", &Wanted { format: Some("access_log".into()), ..strict.clone() }),
        "1:1 2026 no"
    );
    assert_eq!(
        place(
            "t.json",
            "{\"data\": {\"result\": [}",
            &Wanted { format: Some("prometheus".into()), ..plain() }
        ),
        "1:22 }"
    );
}

#[test]
fn samples_of_jmeter_in_xml_are_traffic_as_those_of_its_table_are() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testResults version=\"1.2\">\n\
               <httpSample t=\"400\" lt=\"150\" ts=\"1767603600000\" s=\"true\" lb=\"c\" rc=\"200\" na=\"2\"/>\n\
               <httpSample t=\"700\" lt=\"150\" ts=\"1767603600100\" s=\"false\" lb=\"c\" rc=\"500\" na=\"2\"/>\n</testResults>\n";
    let expected = ("jmeter".into(), "2026-01-05T09:00:00Z".into(), vec![0, 100], vec![400, 700]);
    assert_eq!(requests(xml, &plain()), expected);
    let notes = read(xml, &plain()).unwrap().reading.notes;
    assert!(notes.iter().any(|note| note.contains("1 rows failed")), "{notes:?}");
}

#[test]
fn entries_of_a_list_have_their_own_lines_and_a_list_that_is_cut_off_is_refused() {
    let list = "[\n  {\"ts\": \"2026-01-05T09:00:00Z\"},\n  {\"ts\": null},\n\n  {\"ts\": \"2026-01-05T09:00:01Z\"}\n]\n";
    let reading = read(list, &Wanted { strict_tables: false, ..plain() }).unwrap().reading;
    assert_eq!(reading.skipped[0].lines, [3]);
    let within = format!("{{\"took\": 5,\n \"hits\": {{\"hits\": {list} }} }}");
    assert_eq!(read(&within, &plain()).unwrap().reading.skipped[0].lines, [4]);
    let cut = read(&list[..list.len() - 3], &plain()).unwrap_err();
    assert!(cut.contains("line 5: the list has no end"), "{cut}");
    assert!(read(&format!("{list}x"), &plain()).unwrap_err().contains("goes on after its list"));
}

#[test]
fn a_number_behind_the_fields_of_an_access_log_is_a_duration_only_where_its_unit_is_said() {
    let line = |second: u32, took: u64| {
        format!(
            "192.0.2.1 - - [05/Jan/2026:09:00:0{second} +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\" {took}\n"
        )
    };
    let log = line(0, 250_123) + &line(2, 8_000);
    let silent = read(&log, &plain()).unwrap().reading.notes;
    assert!(
        silent.iter().any(|note| note.contains("Apache's %D") && note.contains("--service-unit us")),
        "{silent:?}"
    );
    assert_eq!(requests(&log, &plain()).3, [] as [u64; 0]);
    let said = Wanted { service_unit: Some(Unit::Microseconds), ..plain() };
    assert_eq!(
        requests(&log, &said),
        ("access_log".into(), "2026-01-05T09:00:00Z".into(), vec![0, 2000], vec![8, 250])
    );
}

#[test]
fn long_durations_in_nanoseconds_are_durations() {
    let text = "ts,duration_ns\n1767603600,90000000000\n1767603601,5000000000\n1767603603,7000000000\n";
    assert_eq!(requests(text, &plain()).3, [5_000, 7_000, 90_000]);
}

#[test]
fn instants_at_the_ends_of_all_time_overflow_nowhere() {
    const ENDS: [&str; 5] =
        ["-9223372036854775808", "9223372036854775807", "5", "-9223372036854775807", "1767603600.7"];
    let said = Wanted { unit: Some(Unit::Nanoseconds), sort: true, ..plain() };
    for (one, other) in ENDS.iter().flat_map(|one| ENDS.map(|other| (one, other))) {
        for header in ["ts,latency_ms", "time,requests", "id,value", "end_time,duration_ns"] {
            let text =
                format!("{header}\n{one},5\n{other},5\n{one},7\n1767603600.7,7\n1767603602.5,9\n{other},1\n");
            for wanted in [&plain(), &said, &Wanted { values: Some(Quantity::Rates), ..said.clone() }] {
                let _ = read(&text, wanted);
            }
        }
    }
}

#[test]
fn numbers_with_a_decimal_comma_are_values_whatever_their_unit_and_what_separates_the_cells() {
    // As Grafana writes them in a browser that is set to German or French.
    let table = |mark: &str, value: &str| {
        let rows = (10..40).map(|minute| format!("\"2026-01-05 09:{minute}:00\"{mark}\"{value}\"\r\n"));
        format!("\u{feff}\"Time\"{mark}\"Requests\"\r\n{}", rows.collect::<String>())
    };
    for (mark, value, first) in [
        (";", "20,5 req/s", 1230.0),
        (";", "1,02 K req/s", 61_200.0),
        (";", "1.020,5 req/s", 61_230.0),
        (",", "20,5 req/s", 1230.0),
        ("\t", "20,55", 1233.0),
        (";", "20.5 req/s", 1230.0),
        (",", "1,020 req/s", 61_200.0),
    ] {
        let (form, interval, counts) = series(&table(mark, value), &rates());
        assert_eq!((form.as_str(), interval, counts.len()), ("csv", 60.0, 30), "{mark} {value}");
        assert!((counts[0] / first - 1.0).abs() < 1e-9, "{mark} {value}: {}", counts[0]);
    }
    for value in ["1 020,5 req/s", "1\u{202f}020,5", "1'020 req/s"] {
        let error = read(&table(";", value), &plain()).unwrap_err();
        assert!(error.contains("a number that is not read"), "{value}: {error}");
    }
}

#[test]
fn what_would_be_misread_in_silence_is_refused_with_the_reason() {
    let rows = |header: &str, row: &dyn Fn(usize) -> String| {
        (0..30).fold(format!("{header}\n"), |text, at| text + &row(at) + "\n")
    };
    let minute = |at: usize| format!("2026-01-05T09:{at:02}:00Z");
    let refused = |content: &str, wanted: &Wanted, part: &str| {
        let error = read(content, wanted).err().unwrap_or_else(|| panic!("read: {content}"));
        assert!(error.contains(part), "{part}: {error}");
    };
    // Days since 1899-12-30, a minute each.
    let serial =
        rows("time,requests", &|at| format!("{:.8},{}", 46_027.375 + at as f64 / 1440.0, 5 + at % 7));
    refused(&serial, &plain(), "46027.375 in column `time`, which are days of a spreadsheet");
    let said = Wanted { unit: Some(Unit::Seconds), ..plain() };
    assert!(!read(&serial, &said).is_err_and(|error| error.contains("spreadsheet")));
    // Seconds of a recording are none, however large.
    let seconds = rows("time,latency_ms", &|at| format!("{},5", 40_000.5 + 7.3 * at as f64));
    assert!(read(&seconds, &plain()).is_ok());

    // A counter.
    let counts = Wanted { values: Some(Quantity::Counts), ..plain() };
    let total = rows("time,http_requests_total", &|at| format!("{},{}", minute(at), 100 + 40 * at));
    refused(&total, &counts, "only rise, from 100 to 1260: a total since some start");
    let rising = rows("time,requests", &|at| format!("{},{}", minute(at), 100 + 40 * at));
    let notes = read(&rising, &plain()).unwrap().reading.notes;
    assert!(notes.iter().any(|note| note.contains("if they are a running total")), "{notes:?}");

    // One row a minute exactly, with numbers and texts.
    let buckets = rows("time,label,amount", &|at| format!("{},a{at},{}", minute(at), at % 9));
    refused(&buckets, &plain(), "evenly spaced rows with numbers in column `amount`");
    let codes = rows("time,path,status", &|at| format!("{},/v{at},200", minute(at)));
    assert_eq!(requests(&codes, &plain()).2.len(), 30);
    let hits = "{\"aggregations\": {\"2\": {\"buckets\": [".to_owned()
        + &(0..30_u64)
            .map(|at| {
                let ms = 1_767_603_600_000 + 60_000 * at;
                format!("{{\"key_as_string\": \"x{at}\", \"key\": {ms}, \"doc_count\": {}}}", 3 + at % 5)
            })
            .collect::<Vec<_>>()
            .join(",")
        + "]}}}";
    assert_eq!(series(&hits, &plain()).1, 60.0);

    let named =
        rows("Timestamp,Requests per minute", &|at| format!("\"January 5, 2026 09:{at:02}:00\",{}", at % 9));
    refused(
        &named,
        &plain(),
        "`January 5, 2026 09:00:00` in column `Timestamp`, which is no instant that can be read",
    );
    let haproxy = rows("Jan  5 09:00:00 lb haproxy[1]: 10.0.1.2 http-in 200", &|at| {
        format!("Jan  5 09:00:{at:02} lb haproxy[1]: 10.0.1.2 http-in 200")
    });
    refused(&haproxy, &plain(), "looks like the lines of a log in a form that is not read");
    let spans = "{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": []}]}]}";
    refused(spans, &plain(), "");
    let minutes = rows("time,rpm", &|at| format!("{},{}", minute(at), 60 * (1 + at % 3)));
    let notes = read(&minutes, &plain()).unwrap().reading.notes;
    assert!(notes.iter().any(|note| note == "its values are requests per minute"), "{notes:?}");
}

#[test]
fn a_few_values_far_apart_are_refused_before_their_gaps_are_held() {
    let datadog = |last: u64| {
        format!(
            "{{\"series\":[{{\"metric\":\"m\",\"interval\":30,\"unit\":[{{\"name\":\"hit\",\"per_unit\":{{\"name\":\"second\"}}}}],\
             \"pointlist\":[[1767603600000,20],[{last},1]],\"scope\":\"*\"}}]}}"
        )
    };
    let refused = read(&datadog(1), &plain()).unwrap_err();
    assert!(
        refused.contains("has values in 2 of 58920121 intervals of 30s") && refused.contains("1970-01-01"),
        "{refused}"
    );
    // A week without a value is a gap.
    assert!(read(&datadog(1_767_603_600_000 + 7 * 86_400_000), &plain()).is_ok());
}
