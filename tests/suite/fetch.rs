//! `kneepoint traffic fetch`: against a server of a few lines, and against a real Prometheus where it is installed.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fixtures::cli::Work;

/// The form and the headers of a request.
fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut block = [0; 4096];
    loop {
        let read = stream.read(&mut block).unwrap_or(0);
        text.extend_from_slice(&block[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if read == 0 || body.len() >= length.unwrap_or(0_usize) {
            return so_far;
        }
    }
}

/// Serves so many requests with what `answer` makes of each, by its number; returns what was asked.
fn serve(
    count: usize,
    answer: impl Fn(usize, &str) -> (u16, String) + Send + 'static,
) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        (0..count)
            .map(|number| {
                let (mut stream, _) = listener.accept().unwrap();
                let asked = request(&mut stream);
                let (status, body) = answer(number, &asked);
                let length = body.len();
                let text = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                stream.write_all(text.as_bytes()).unwrap();
                asked
            })
            .collect()
    });
    (url, served)
}

/// A number of the form that was asked.
fn asked(text: &str, key: &str) -> f64 {
    let form = text.rsplit("\r\n").next().unwrap_or_default();
    let value = form.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("{key}: {form}")).parse().unwrap()
}

/// One series, the value of a point being its number in the piece.
fn matrix(text: &str) -> String {
    let (start, end, step) = (asked(text, "start"), asked(text, "end"), asked(text, "step"));
    let points = ((end - start) / step).round() as usize + 1;
    let values: Vec<String> =
        (0..points).map(|at| format!("[{}, \"2\"]", start + at as f64 * step)).collect();
    format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{\"job\":\"a\"}},\"values\":[{}]}}]}}}}",
        values.join(",")
    )
}

const QUERY: &str = "sum(rate(http_requests_total[1m]))";

#[test]
fn fetch_asks_in_pieces_again_where_the_server_is_busy_and_lets_itself_in() {
    let work = Work::with("");
    // Busy once, then two pieces, of which the second is first too large.
    let too_large = "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"query processing would load too many samples\"}";
    let (url, served) = serve(5, move |number, text| match number {
        0 => (503, "busy".into()),
        2 => (422, too_large.into()),
        _ => (200, matrix(text)),
    });
    let arguments = ["traffic", "fetch", "--prometheus", &url, "--query", QUERY];
    let range = ["--start", "1767603600", "--end", "1768323540", "--step", "1m", "--to", "week.json"];
    let mut command = work.kneepoint(&[&arguments[..], &range].concat());
    let output = command.env("KNEEPOINT_PROMETHEUS_TOKEN", "t0ken").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let requests = served.join().unwrap();
    assert!(requests.iter().all(|text| text.to_lowercase().contains("authorization: bearer t0ken")));
    assert!(requests.iter().all(|text| text.starts_with("POST /api/v1/query_range ")));
    let starts: Vec<f64> =
        requests.iter().map(|text| (asked(text, "start") - 1_767_603_600.0) / 60.0).collect();
    assert_eq!(starts, [0.0, 0.0, 11_000.0, 11_000.0, 11_500.0], "points from the start of the range");
    let json: Value =
        serde_json::from_str(&std::fs::read_to_string(work.path().join("week.json")).unwrap()).unwrap();
    assert_eq!(json["data"]["result"][0]["values"].as_array().unwrap().len(), 12_000);
    // The query stands in the file: a rate is known to be one.
    let text = work.done(&["traffic", "inspect", "week.json"]);
    assert!(text.contains("its values are requests per second") && text.contains("2 requests/s"), "{text}");
}

#[test]
fn fetch_says_what_is_wrong() {
    let work = Work::with("");
    let fails = |status: i32, url: &str, more: &[&str]| {
        let arguments =
            ["traffic", "fetch", "--prometheus", url, "--start", "1767603600", "--end", "1767607200"];
        work.fails(status, &[&arguments[..], more].concat())
    };
    let query = ["--query", "up"];
    for (status, body, why) in [
        (401, "", "set KNEEPOINT_PROMETHEUS_USER"),
        (400, "{\"status\":\"error\",\"error\":\"parse error\"}", "status 400: parse error"),
        (200, "<html>", "answers something else than Prometheus"),
        (200, "{\"data\":{\"resultType\":\"matrix\",\"result\":[]}}", "has no values in this range"),
    ] {
        let (url, served) = serve(1, move |_, _| (status, body.to_owned()));
        let error = fails(1, &url, &query);
        assert!(error.contains(why), "{why}: {error}");
        served.join().unwrap();
    }
    assert!(fails(2, "localhost:9090", &query).contains("is no URL"));
    assert!(fails(2, "http://localhost:9090", &[]).contains("--query"));
    assert!(fails(2, "http://127.0.0.1:9", &["--query", "up", "--step", "0s"]).contains("step"));
}

/// A child process that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn fetch_reads_a_real_prometheus() {
    let is_installed =
        |name: &str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_installed("prometheus") || !is_installed("promtool") {
        eprintln!("skipped: prometheus and promtool are not installed");
        return;
    }
    let work = Work::with("");
    // A counter that rises by 3 a second for an hour, scraped every 15 s.
    let mut text = String::from("# TYPE vllm:request_success counter\n");
    for scrape in 0..=240_u64 {
        let at = 1_767_603_600 + scrape * 15;
        text += &format!("vllm:request_success_total{{model_name=\"m\"}} {} {at}\n", scrape * 45);
    }
    text += "# EOF\n";
    work.write("metrics.txt", &text);
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics", "metrics.txt", "data"])
        .current_dir(work.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    work.write("prometheus.yml", "global: {}\n");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _server = Server(
        Command::new("prometheus")
            .args([
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                "--storage.tsdb.retention.time=100y",
            ])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(work.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the server does not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    let url = format!("http://127.0.0.1:{port}");
    let range = ["--start", "2026-01-05T09:05:00Z", "--end", "2026-01-05T09:55:00Z", "--to", "hour.json"];
    let arguments =
        ["traffic", "fetch", "--prometheus", &url, "--endpoint", "vllm", "--labels", "model_name=\"m\""];
    work.run(0, &[&arguments[..], &range].concat(), "");
    let printed = work.done(&["traffic", "inspect", "hour.json"]);
    assert!(
        printed.contains("51 intervals of 1m") && printed.contains("mean rate                 3 requests/s"),
        "{printed}"
    );
}

/// A load test of so many users in the form of vLLM's benchmark: an engine of 8 ms an iteration and 0.05 ms a sequence.
fn vllm_level(users: u32) -> String {
    let tpot = 8.0 + 0.05 * f64::from(users);
    let ttft = 2.2 * tpot;
    let (prompt, output) = (128, 200);
    let latency = ttft + tpot * f64::from(output - 1);
    let rate = f64::from(users) / latency * 1e3;
    serde_json::json!({
        "backend": "vllm", "request_rate": "inf", "max_concurrency": users, "completed": 1000, "failed": 0,
        "duration": 1000.0 / rate, "request_throughput": rate, "total_input_tokens": 1000 * prompt,
        "total_output_tokens": 1000 * output, "mean_ttft_ms": ttft, "mean_tpot_ms": tpot, "mean_e2el_ms": latency,
    })
    .to_string()
}

/// Every command of `docs/your-data.md`, in a folder with files of the names that it has, and a server of a few lines in the
/// place of the Prometheus.
#[test]
fn every_command_of_the_page_about_your_own_data_runs() {
    let work = Work::with("");
    let clf = |second: u32| {
        format!(
            "192.0.2.1 - - [05/Jan/2026:10:{:02}:{:02} +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\"\n",
            second / 60,
            second % 60
        )
    };
    work.write("access.log", &(0..400).map(|at| clf(at * 7 % 900)).collect::<String>());
    let row = |row: u64| {
        let (jitter, took) = (row * row * 7919 % 173, 80 + row * 31 % 97);
        format!("{},{took}\n", 1_767_603_600_000 + row * 200 + jitter)
    };
    work.write(
        "trace.csv",
        &(0..600).map(row).fold("timestamp,latency_ms\n".to_owned(), |text, row| text + &row),
    );
    work.done(&["traffic", "convert", "trace.csv", "--to", "trace.csv.gz"]);
    work.write("levels.csv", "users,latency,rps\n1,100,10\n4,110,36\n16,200,80\n");
    std::fs::create_dir(work.path().join("results")).unwrap();
    for users in [1, 4, 16] {
        work.write(&format!("c{users}.json"), &vllm_level(users));
        work.write(&format!("results/c{users}.json"), &vllm_level(users));
    }
    work.write("service.toml", "[service]\ntime = \"100ms\"\n");
    let page = include_str!("../../docs/your-data.md");
    let commands = page.lines().filter_map(|line| line.strip_prefix("$ kneepoint "));
    let (mut count, mut fetched) = (0, 0);
    for line in commands {
        // Quotes hold a query together; what is printed goes to a file where the page says so.
        let (line, to) = line.split_once(" > ").map_or((line, None), |(line, to)| (line, Some(to)));
        let parts: Vec<&str> = line.split('\'').collect();
        let mut words: Vec<String> = Vec::new();
        for (index, part) in parts.into_iter().enumerate() {
            match index % 2 {
                1 => words.push(part.to_owned()),
                _ => words.extend(part.split_whitespace().map(str::to_owned)),
            }
        }
        let served = words.iter().position(|word| word.starts_with("http://")).map(|at| {
            let pieces = 3;
            let (url, served) = serve(pieces, |_, form| (200, matrix(form)));
            words[at] = url;
            served
        });
        fetched += usize::from(served.is_some());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let printed = work.done(&words);
        if let Some(to) = to {
            work.write(to, &printed);
        }
        count += 1;
    }
    assert!(count >= 12 && fetched == 2, "{count}, {fetched}");
    assert!(work.done(&["check", "busier.toml"]).contains("ok: 1 point"));
}
