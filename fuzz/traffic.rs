//! Files of traffic and of load tests whose form is recognised by their content.

use kneepoint::internals::files::{Memory, NamedFile};
use kneepoint::internals::traffic::{
    FileError, Quantity, SeriesChoice, Unit, Wanted, fit, measure, read_load_test, read_recordings,
};
use kneepoint::internals::traffic_fit::fit_traffic;

use crate::targets::{Outcome, Target, target, texts};

fn refused(error: &FileError) -> Outcome {
    let help = error.help.as_deref().unwrap_or_default();
    Outcome::Refused(format!("error: {} {} {help}", error.message, error.label))
}

fn with_file<T>(input: &[u8], read: impl FnOnce(&NamedFile<'_>) -> T) -> T {
    let mut files = Memory::default();
    files.insert("t", input);
    read(&NamedFile { files: &files, path: "t".into(), shown: "t" })
}

/// A file of each form, a few rows long.
fn recordings() -> Vec<Vec<u8>> {
    texts(&[
        "ts,latency_ms\n1767603600.1,5\n1767603600.7,7\n1767603602.5,9\n",
        "Time;a;b\n2026-01-05 09:00:00;1,5;2\n2026-01-05 09:01:00;1,6;3\n2026-01-05 09:02:00;;4\n",
        "time,requests\n2026-01-05T09:00:00Z,\"1,100\"\n2026-01-05T09:01:00Z,\"1,200\"\n",
        "10 20 30 40 50",
        "192.0.2.1 - - [05/Jan/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\" 0.120\n192.0.2.1 - - [05/Jan/2026:10:00:02 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\" 0.2\n",
        "https 2026-01-05T09:00:01.250Z app/x/1 203.0.113.4:50000 10.0.0.1:80 0.001 0.240 0.000 200 200 300 900 \"POST https://h:443/v1 HTTP/2.0\" \"c\" TLS t arn \"Root=1\" \"h\" \"arn\" 0 2026-01-05T09:00:01.009000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\"\n",
        "[2026-01-05T09:00:00.100Z] \"POST /v1 HTTP/1.1\" 200 - 10 20 250 249 \"-\" \"c\" \"id\" \"h\" \"10.0.0.1:80\"\n",
        "{\"start_time\":\"2026-01-05T09:00:00.100Z\",\"duration\":250,\"response_code\":200,\"response_flags\":\"-\",\"upstream_cluster\":\"c\"}\n",
        "[{\"httpRequest\":{\"latency\":\"1.5s\",\"status\":200},\"timestamp\":\"2026-01-05T09:00:00.5Z\"}]",
        "{\"hits\":{\"hits\":[{\"_source\":{\"@timestamp\":\"2026-01-05T09:00:00Z\"}},{\"_source\":{\"@timestamp\":\"2026-01-05T09:00:01Z\"}}]}}",
        "log line\n{\"ts\":1767603600.123456789,\"latency\":\"5ms\"}\n{\"ts\":1767603601.123456789,\"latency\":\"6ms\"}\n",
        "{\"status\":\"success\",\"query\":\"sum(rate(x[1m]))\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"a\":\"b\"},\"values\":[[1767603600,\"2\"],[1767603660,\"NaN\"]]}]}}",
        "{\"MetricDataResults\":[{\"Label\":\"RequestCount\",\"Timestamps\":[\"2026-01-05T09:03:00Z\",\"2026-01-05T09:01:00Z\",\"2026-01-05T09:00:00Z\"],\"Values\":[300,60,120]}]}",
        "{\"Label\":\"Invocations\",\"Datapoints\":[{\"Timestamp\":\"2026-01-05T09:05:00Z\",\"Sum\":900,\"Unit\":\"Count\"},{\"Timestamp\":\"2026-01-05T09:00:00Z\",\"Sum\":600,\"Unit\":\"Count\"}]}",
        "{\"timeSeries\":[{\"metricKind\":\"DELTA\",\"valueType\":\"INT64\",\"points\":[{\"interval\":{\"startTime\":\"2026-01-05T09:01:00Z\",\"endTime\":\"2026-01-05T09:02:00Z\"},\"value\":{\"int64Value\":\"90\"}}]}]}",
        "{\"series\":[{\"metric\":\"m\",\"interval\":30,\"unit\":[{\"name\":\"hit\",\"per_unit\":{\"name\":\"second\"}}],\"pointlist\":[[1767603600000,20],[1767603630000,null]],\"scope\":\"*\"}]}",
        "#Version: 1.0\n#Fields: date time x-edge-location time-taken\n2026-01-05\t09:00:00\tFRA\t0.120\n",
        "timeStamp,elapsed,label,responseCode,success,allThreads,Latency\n1767603600000,400,chat,200,true,2,150\n",
        "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n0.1,0,0,0,0.099,0,200,0.05\n",
        "1767603600000000000,200,120000000,10,20,,e30=,a,0,POST,http://h/,\n",
        "metric_name,timestamp,metric_value,check,status\nhttp_req_duration,1767603600,200,,200\n",
        "{\"type\":\"Metric\",\"data\":{\"type\":\"trend\",\"contains\":\"time\"},\"metric\":\"http_req_duration\"}\n{\"type\":\"Point\",\"data\":{\"time\":\"2026-01-05T10:00:00.5+01:00\",\"value\":200.0,\"tags\":{}},\"metric\":\"http_req_duration\"}\n",
        "{\"timestamp\": 0, \"input_length\": 10, \"output_length\": 2, \"hash_ids\": [1]}\n{\"timestamp\": 3000, \"input_length\": 10, \"output_length\": 2, \"hash_ids\": [1]}\n",
        "app,func,end_timestamp,duration\na,f,12.5,0.5\na,f,13.5,0.2\n",
        "<?xml version=\"1.0\"?>\n<testResults version=\"1.2\">\n<httpSample t=\"400\" lt=\"150\" ts=\"1767603600000\" s=\"true\" na=\"2\"/>\n<sample t=\"7\" ts=\"1767603600900\" s=\"false\"><httpSample t=\"3\" ts=\"1767603600900\"/></sample>\n</testResults>\n",
        "[\n{\"ts\": \"2026-01-05T09:00:00Z\", \"a\": [1, {\"b\": \"]\"}]},\n{\"ts\": \"2026-01-05T09:00:01Z\"}\n]\n",
        "time\tuser\tn\r\n2026-01-05 09:00:00\t\"a\r\n\"\"b\"\"\"\t1\r\n\r\n2026-01-05 09:00:07\tb\t2\r\n",
    ])
}

/// Recorded traffic, read with nothing said of it and with much said; measured, and fitted where it is short.
pub fn recorded() -> Target {
    let said = Wanted {
        values: Some(Quantity::Rates),
        series: Some(SeriesChoice::Sum),
        unit: Some(Unit::Milliseconds),
        service_unit: Some(Unit::Seconds),
        sort: true,
        ..Wanted::default()
    };
    target("recorded traffic", recordings(), 8, move |input| {
        with_file(input, |file| {
            for wanted in [&Wanted { strict: true, ..Wanted::default() }, &said] {
                if let Ok((_, recorded)) = read_recordings(std::slice::from_ref(file), wanted) {
                    let _ = measure(&recorded);
                }
            }
            match read_recordings(std::slice::from_ref(file), &Wanted::default()) {
                Ok((_, recorded)) => {
                    let _ = fit_traffic(&recorded, 1.3).map(|fit| fit.tables("[arrivals]\n"));
                    Outcome::Read
                }
                Err(error) => refused(&error),
            }
        })
    })
}

/// A result of each tool, as small as it can be.
fn results() -> Vec<Vec<u8>> {
    texts(&[
        "{\"request_rate\":\"inf\",\"max_concurrency\":4,\"completed\":100,\"failed\":0,\"total_input_tokens\":50000,\"total_output_tokens\":10100,\"request_throughput\":3.17,\"mean_ttft_ms\":60,\"mean_tpot_ms\":12}\n{\"request_rate\":\"inf\",\"max_concurrency\":16,\"completed\":100,\"total_input_tokens\":50000,\"total_output_tokens\":10100,\"request_throughput\":8.3,\"mean_ttft_ms\":120,\"mean_tpot_ms\":18}\n",
        "{\"benchmarks\":[{\"config\":{\"strategy\":{\"type_\":\"concurrent\",\"streams\":8}},\"metrics\":{\"requests_per_second\":{\"successful\":{\"mean\":4}},\"request_latency\":{\"successful\":{\"mean\":2}},\"time_to_first_token_ms\":{\"successful\":{\"mean\":200}},\"inter_token_latency_ms\":{\"successful\":{\"mean\":18}}}}]}",
        "{\"request_throughput\":{\"unit\":\"requests/sec\",\"avg\":5},\"request_latency\":{\"unit\":\"ms\",\"avg\":1600},\"input_config\":{\"loadgen\":{\"concurrency\":8}}}",
        "{\"load_summary\":{\"requested_rate\":2,\"achieved_rate\":2},\"successes\":{\"count\":118,\"latency\":{\"request_latency\":{\"mean\":3},\"time_per_output_token\":{\"mean\":0.028},\"time_to_first_token\":{\"mean\":0.2}}},\"failures\":{\"count\":2}}",
        "version: '0.2'\nscenario: {load: {standardized: {rate_qps: 10, concurrency: .inf}}}\nresults:\n  request_performance:\n    aggregate:\n      throughput: {request_rate: {units: queries/s, mean: 9.8}}\n      latency: {request_latency: {units: s, mean: 2.2}}\n",
        "{\"metrics\":{\"http_req_duration\":{\"avg\":220},\"http_reqs\":{\"count\":3000,\"rate\":50},\"vus\":{\"value\":11,\"max\":11}}}",
        "{\"latencies\":{\"mean\":100000000},\"requests\":300,\"rate\":30,\"throughput\":29.4,\"success\":0.99}",
        "{\"summary\":{\"average\":0.2,\"requestsPerSec\":40},\"statusCodeDistribution\":{\"200\":395,\"503\":5}}",
        "{\"spec\":{\"numberOfConnections\":8},\"result\":{\"timeTakenSeconds\":10,\"req2xx\":400,\"latency\":{\"mean\":200000}}}",
        "{\"aggregate\":{\"counters\":{\"vusers.failed\":10},\"rates\":{\"http.request_rate\":10},\"summaries\":{\"http.response_time\":{\"mean\":210}}},\"intermediate\":[]}",
        "MLPerf Results Summary\nScenario : Server\nCompleted samples per second    : 8.00\nResult is : VALID\nMean latency (ns)                : 45000000000\n",
        "Running 30s test @ http://h/\n  4 threads and 64 connections\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency   128.00ms   10.00ms 300.00ms   80.00%\nRequests/sec:    500.00\n",
        "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n0.1,0,0,0,0.099,0,200,0.05\n",
        "Summary:\n  Slowest:\t0.3 secs\n  Average:\t0.1 secs\n  Requests/sec:\t40.0\n\nStatus code distribution:\n  [200]\t80 responses\n",
        "Timestamp,User Count,Type,Name,Requests/s,Failures/s,Total Request Count,Total Failure Count,Total Average Response Time,Average Response Time\n1767603600,10,,Aggregated,20,0.5,100,5,480,480\n",
        "timeStamp,elapsed,label,responseCode,success,allThreads,Latency\n1767603600000,400,chat,200,true,2,150\n",
        "metric_name,timestamp,metric_value,status\nvus,1767603600,5,\nhttp_req_duration,1767603600,200,200\n",
        "{\"type\":\"Point\",\"data\":{\"time\":\"2026-01-05T09:00:00.2Z\",\"value\":200,\"tags\":{\"status\":\"200\"}},\"metric\":\"http_req_duration\"}\n",
        "1767603600000000000,200,100000000,10,20,,e30=,a,0,POST,http://h/,\n",
        "concurrency,latency_ms,tpot_ms\n1,100,10\n4,120,12\n",
        "<testResults>\n<httpSample t=\"400\" lt=\"150\" ts=\"1767603600000\" s=\"true\" na=\"2\"/>\n</testResults>\n",
        "Run Info,Benchmark,Request Counts,Request Latency,Time to First Token,Inter Token Latency,Server Throughput\nProfile,Strategy,Errored,Successful Sec,Successful ms,Successful ms,Successful Requests/Sec\n,,,Mean,Mean,Mean,Mean\n\"{\"\"streams\"\": [1]}\",concurrent,0,1.2,100,12,0.8\n",
        "benchmarks:\n- config: {strategy: {type_: concurrent, streams: 8}}\n  metrics:\n    requests_per_second: {successful: {mean: 4.0}}\n    request_latency: {successful: {mean: 2.0}}\n",
        "{\"results\":{\"metrics\":[{\"name\":\"http_reqs\",\"values\":{\"count\":1500,\"rate\":25}},{\"name\":\"http_req_duration\",\"values\":{\"avg\":250}},{\"name\":\"vus\",\"values\":{\"max\":10}}]}}",
    ])
}

/// Results of load tests, and the laws that they give.
pub fn load_test_results() -> Target {
    target("load test, result", results(), 8, |input| {
        with_file(input, |file| match read_load_test(file, None) {
            Ok(test) => {
                for model in [None, Some("llm"), Some("shared"), Some("slots")] {
                    let _ = fit(&test.levels, model);
                }
                Outcome::Read
            }
            Err(error) => refused(&error),
        })
    })
}
