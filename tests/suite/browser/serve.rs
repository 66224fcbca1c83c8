//! `kneepoint serve`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::{Browser, holds_at_all_sizes};
use crate::fixtures::cli::{PROGRAM, Work};

const SCENARIO: &str = r#"
[arrivals]
kind = "poisson"
rate = 8
[service]
time = { dist = "exponential", mean = "400ms" }
[instances]
cold_start = "60s"
[autoscaler]
kind = "threshold"
metric = "utilization"
min = 2
max = 12
up = { above = 0.7 }
down = { below = 0.3 }
[cost]
per_instance_hour = 2.5
[slo]
latency = "2s"
[run]
duration = "20m"
replications = 6
[sweep.parameters]
"autoscaler.up.above" = [0.5, 0.7, 0.9]
"#;

/// A server that ends with the test.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(work: &Work) -> Served {
        Served::of(PROGRAM, &work.path().join("scenario.toml"))
    }

    fn of(program: &str, file: &Path) -> Served {
        let mut child = Command::new(program).arg("serve").arg(file).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Served { child, url: url.trim().to_owned() }
    }

    /// Host with port, and the path of the page.
    fn parts(&self) -> (&str, &str) {
        let rest = self.url.strip_prefix("http://").unwrap();
        rest.split_at(rest.find('/').unwrap())
    }

    /// The first line of the answer to a request.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.parts().0).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn only_its_own_page_is_served_and_nothing_is_written() {
    let work = Work::with(SCENARIO);
    let served = Served::start(&work);
    let (host, path) = served.parts();
    let status = |target: &str, host: &str, more: &str| {
        served.ask(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"))
    };
    assert_eq!(status(path, host, ""), "HTTP/1.1 200 OK");
    assert_eq!(status("/", host, ""), "HTTP/1.1 404 Not Found");
    assert_eq!(status(path, "evil.example", ""), "HTTP/1.1 403 Forbidden");
    assert_eq!(status(path, host, "Origin: http://evil.example\r\n"), "HTTP/1.1 403 Forbidden");
    let body = json!({ "page": "p", "scenario": 0, "text": SCENARIO.replace("rate = 8", "rate = \"x\"") })
        .to_string();
    let post = |kind: &str| {
        served.ask(&format!(
            "POST {path}check HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    assert_eq!(post("application/json"), "HTTP/1.1 200 OK");
    assert_eq!(post("text/plain"), "HTTP/1.1 415 Unsupported Media Type");
    assert_eq!(
        served.ask(&format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")),
        "HTTP/1.1 405 Method Not Allowed"
    );
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 1, "only the scenario is there");
}

#[test]
fn an_interrupt_ends_it() {
    let work = Work::with(SCENARIO);
    let mut served = Served::start(&work);
    let killed = Command::new("kill").args(["-INT", &served.child.id().to_string()]).status().unwrap();
    assert!(killed.success() && served.child.wait().unwrap().success());
}

#[test]
fn a_slider_moves_figures_and_charts_and_a_fault_is_shown_at_its_place() {
    let Some(mut browser) = Browser::start() else { return };
    let work = Work::with(SCENARIO);
    let served = Served::start(&work);
    browser.window(1280, 900, false);
    browser.open(&served.url);
    let done = "document.querySelector('header .note').textContent.startsWith('done')";
    browser.wait(done);
    browser.wait("document.querySelectorAll('[data-point]').length === 3");
    let cost = "document.querySelector('.kpi .value').textContent";
    let before = browser.text(cost);
    let field = "document.querySelector(\"input[type=range][data-path='arrivals.rate']\")";
    browser.value(&format!("(() => {{ {field}.closest('details').open = true; {field}.value = 16; {field}.dispatchEvent(new Event('input')); }})()"));
    browser.wait(&format!("{cost} !== {}", json!(before)));
    browser.wait("document.querySelector('textarea').value.includes('rate = 16')");
    browser.wait(done);
    // A point of the chart sets the sliders.
    browser.click("[data-point='0']");
    browser.wait("document.querySelector('textarea').value.includes('above = 0.5')");
    browser.wait(done);
    holds_at_all_sizes(&mut browser, "serve");
    // What was unfolded stays so when new results come.
    browser.value("document.querySelector('.log').open = true");
    browser.value(&format!("(() => {{ {field}.value = 14; {field}.dispatchEvent(new Event('input')); }})()"));
    browser.wait("document.querySelector('textarea').value.includes('rate = 14')");
    browser.wait(done);
    assert!(
        browser.value("document.querySelector('.log').open && document.querySelector('.log table') !== null")
            == true
    );
    browser.value(&format!("(() => {{ {field}.value = 16; {field}.dispatchEvent(new Event('input')); }})()"));
    browser.wait("document.querySelector('textarea').value.includes('rate = 16')");
    browser.wait(done);
    browser.value(
        "(() => { const text = document.querySelector('textarea'); text.value = text.value.replace('rate = 16', 'rte = 16'); \
         text.dispatchEvent(new Event('input')); })()",
    );
    browser.wait("!document.querySelector('.fault').hidden");
    let fault = browser.text("document.querySelector('.fault').textContent");
    assert!(fault.contains("unknown key `rte`") && fault.contains("did you mean `rate`?"), "{fault}");
    assert_eq!(browser.text("document.querySelector('header .note').textContent"), "line 4, column 1");
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// Not a test of what is right but of how long it takes, for `docs/page.md`:
/// `KNEEPOINT_PROGRAM=target/release/kneepoint cargo test --test suite -- --ignored --nocapture time_from_a_slider`.
#[test]
#[ignore = "measures; needs a quiet machine and the program of a release build"]
fn the_time_from_a_slider_to_the_drawn_page() {
    let Some(mut browser) = Browser::start() else { return };
    let program = std::env::var("KNEEPOINT_PROGRAM").unwrap_or_else(|_| PROGRAM.to_owned());
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quickstart.toml");
    let served = Served::of(&program, &scenario);
    browser.window(1280, 900, false);
    browser.open(&served.url);
    browser.wait("kneepoint.redraws.length > 0");
    for step in 0..40 {
        // A drag: a value every 60 ms.
        browser.value(&format!(
            "(() => {{ const field = document.querySelector(\"input[type=range][data-path='autoscaler.up.above']\"); \
             field.value = {}; field.dispatchEvent(new Event('input')); }})()",
            0.5 + 0.01 * f64::from(step)
        ));
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let times = browser.value("kneepoint.redraws.slice(1).sort((a, b) => a - b)");
    let times: Vec<f64> = times.as_array().unwrap().iter().filter_map(serde_json::Value::as_f64).collect();
    assert!(times.len() > 5, "{times:?}");
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{} redraws: median {:.0} ms, 95 % within {:.0} ms, longest {:.0} ms",
        times.len(),
        at(0.5),
        at(0.95),
        at(1.0)
    );
}
