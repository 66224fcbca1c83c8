//! `report.html`.

use serde_json::{Value, json};

use super::{Browser, holds_at_all_sizes};
use crate::fixtures::cli::Work;

/// A small sweep with two variants, an SLO that some points keep, and a hostile name.
const SWEEP: &str = r#"
description = "</script><script>document.title = 'broken'</script>"
[arrivals]
kind = "poisson"
rate = 8
[service]
time = { dist = "lognormal", mean = "350ms", cv = 0.6 }
[instances]
initial = 4
cold_start = { dist = "exponential", mean = "60s" }
[autoscaler]
kind = "threshold"
metric = "utilization"
min = 2
max = 12
up = { above = 0.7 }
down = { below = 0.3, cooldown = "2m" }
[cost]
per_instance_hour = 2.5
[slo]
latency = "2s"
percentile = 95
[run]
duration = "40m"
replications = 8
[sweep.parameters]
"autoscaler.up.above" = [0.5, 0.6, 0.7, 0.8]
"autoscaler.down.below" = [0.3, 0.4]
"#;

fn swept() -> Work {
    let work = Work::with(SWEEP);
    work.done(&["sweep", "scenario.toml", "--quiet", "--out", "out"]);
    work
}

fn url(work: &Work) -> String {
    format!("file://{}", work.path().join("out/report.html").display())
}

/// The text of the part beside the chart.
const DETAIL: &str = "document.querySelector('[data-mount=detail]').innerText";

#[test]
fn a_reader_selects_pins_drags_and_filters() {
    let Some(mut browser) = Browser::start() else { return };
    let work = swept();
    browser.window(1280, 900, false);
    browser.open(&url(&work));
    browser.wait("document.querySelectorAll('[data-point]').length === 8");
    assert_ne!(browser.text("document.title"), "broken");
    // Hover: settings and figures with intervals.
    let at = browser.place("[data-point='0']");
    browser.pointer("mouseMoved", at);
    let tip = browser.text("document.querySelector('.tip').innerText");
    assert!(tip.contains("up.above 0.5") && tip.contains(" to ") && tip.contains("USD"), "{tip}");
    // Click: what is beside the chart follows.
    browser.click("[data-point='0']");
    browser.wait(&format!("{DETAIL}.includes('0.5')"));
    browser.wait("location.hash.includes('selected=0')");
    // A row of the table selects too; P pins.
    browser.click("tr[data-row='7'] td");
    browser.wait(&format!("{DETAIL}.includes('0.8')"));
    browser.value("document.querySelector(\"tr[data-row='0']\").focus()");
    browser.key("p");
    browser.wait(&format!("{DETAIL}.includes('pinned')"));
    // The SLO: dragged, verdicts and the cheapest follow.
    let before = browser.text("document.querySelector('.slo').getAttribute('aria-valuetext')");
    let line = browser.place(".slo line");
    browser.drag(line, (line.0, line.1 - 60.0));
    browser.wait(&format!(
        "document.querySelector('.slo').getAttribute('aria-valuetext') !== {}",
        json!(before)
    ));
    browser.wait("!document.querySelector('[data-mount=moved]').hidden");
    assert!(browser.text("location.hash").contains("slo="));
    // With the keyboard alone.
    browser.value("document.querySelector('.slo').focus()");
    browser.key("Home");
    browser.wait(&format!(
        "document.querySelector('.slo').getAttribute('aria-valuetext') === {}",
        json!(before)
    ));
    browser.value("document.querySelector('[data-focus=chart]').focus()");
    browser.key("Home");
    browser.key("ArrowRight");
    assert!(browser.value("document.activeElement.getAttribute('data-focus') === 'chart'") == true);
    // The table.
    browser.value("(() => { const field = document.querySelector('input[type=search]'); field.value = '0.6'; field.dispatchEvent(new Event('input')); })()");
    browser.wait("document.querySelectorAll('tr[data-row]').length === 2");
    // A link shows the same view.
    let hash = browser.text("location.hash");
    browser.open(&format!("{}?again{hash}", url(&work)));
    browser.wait("document.querySelectorAll('tr[data-row]').length === 2");
    assert_eq!(browser.text("location.hash"), hash);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

#[test]
fn the_day_is_read_with_a_cursor_and_zoomed() {
    let Some(mut browser) = Browser::start() else { return };
    let work = swept();
    browser.window(1280, 900, false);
    browser.open(&url(&work));
    browser.wait("Boolean(document.querySelector('[data-mount=timeline] svg'))");
    let at = browser.place("[data-mount=timeline] svg");
    browser.pointer("mouseMoved", at);
    let read = browser.text("document.querySelector('.readout').innerText");
    assert!(read.contains("requests/s") && read.contains("ready of"), "{read}");
    browser.drag((at.0 - 100.0, at.1), (at.0 + 100.0, at.1));
    browser.wait("location.hash.includes('zoom=')");
    browser.value("document.querySelector('[data-mount=timeline] .canvas').focus()");
    browser.key("Escape");
    browser.wait("!location.hash.includes('zoom=')");
    work.done(&["run", "scenario.toml", "--quiet", "--out", "out", "--set", "autoscaler.up.above=0.5"]);
    browser.open(&url(&work));
    browser.wait("Boolean(document.querySelector('[data-mount=timeline] svg'))");
    let events = browser.value("document.querySelectorAll('.event title').length");
    assert!(events.as_u64().is_some_and(|events| events > 0), "{events}");
}

/// A sweep under two conditions of an HPA, whose settings have a manifest.
const CONDITIONS: &str = r#"
[arrivals]
kind = "poisson"
rate = 30
[service]
time = { dist = "lognormal", mean = "350ms", cv = 0.6 }
concurrency = 2
[instances]
initial = 6
cold_start = "60s"
[autoscaler]
kind = "hpa"
min = 2
max = 20
metrics = [{ type = "resource", name = "cpu", average_utilization = 60 }]
[cost]
per_instance_hour = 2.5
[slo]
latency = "2s"
[run]
duration = "30m"
replications = 5
[sweep.parameters]
"autoscaler.metrics.0.average_utilization" = [50, 70]
[sweep.conditions]
"arrivals.rate" = [20, 30, 40]
"#;

#[test]
fn the_decision_log_follows_a_condition_is_a_slider_and_a_manifest_is_copied() {
    let Some(mut browser) = Browser::start() else { return };
    let work = Work::with(CONDITIONS);
    work.done(&["sweep", "scenario.toml", "--quiet", "--out", "out"]);
    browser.window(1280, 900, false);
    browser.open(&url(&work));
    browser.wait("document.querySelectorAll('[data-point]').length === 2");
    // What, with which inputs, by which version and command, on the first screen; when, by the date of the file.
    let origin = browser.text("document.querySelector('.origin').innerText");
    for part in
        ["kneepoint ", "sweep of scenario", "inputs ", "5 replications of 30m", "seed 1", ", written 2"]
    {
        assert!(origin.contains(part), "{part}: {origin}");
    }
    assert!(
        browser.value("document.querySelector('.origin').getBoundingClientRect().bottom < innerHeight")
            == true
    );
    // The condition: a slider of three values, for which the points are drawn anew.
    let points = "[...document.querySelectorAll('[data-point]')].map((point) => point.dataset.point).join()";
    let before = browser.text(points);
    browser.value("document.querySelector('.condition input').focus()");
    browser.key("End");
    browser.value(
        "(() => { const slider = document.querySelector('.condition input'); slider.value = 2; \
         slider.dispatchEvent(new Event('input')); })()",
    );
    browser.wait(&format!("{points} !== {}", json!(before)));
    assert_eq!(
        browser.text("document.querySelector('.condition input').getAttribute('aria-valuetext')"),
        "40"
    );
    browser.wait("location.hash.includes('arrivals.rate%3D40')");
    // The decision log is that of the run that is shown, and a time in it zooms.
    browser.value("document.querySelector('.log').open = true");
    let log = browser.text("document.querySelector('.log').innerText");
    assert!(log.contains("Decision log") && log.contains("→"), "{log}");
    browser.click(".log button");
    browser.wait("location.hash.includes('zoom=')");
    browser.wait("document.querySelector('.log summary').textContent.includes('in this part')");
    // The manifest.
    browser.click("[data-point]");
    browser.wait(
        "[...document.querySelectorAll('button')].some((button) => button.textContent === 'Copy manifest')",
    );
    let manifest = "JSON.parse(document.getElementById('kneepoint-data').textContent).points.map((point) => point.manifest)";
    let manifests = browser.value(manifest);
    let text = manifests.to_string();
    assert!(
        text.contains("kind: HorizontalPodAutoscaler") && text.contains("averageUtilization: 70"),
        "{text}"
    );
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

#[test]
fn variants_have_a_frontier_each_and_labels_stand_on_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let work = Work::with(&format!(
        "{SWEEP}[[variant]]\nname = \"spot\"\nset = {{ \"cost.per_instance_hour\" = 1 }}\n"
    ));
    work.done(&["sweep", "scenario.toml", "--quiet", "--out", "out", "--set", "run.replications=5"]);
    browser.window(1280, 900, false);
    browser.open(&url(&work));
    browser.wait("document.querySelectorAll('[data-point]').length === 16");
    assert_eq!(
        browser.text("document.querySelector('.key').innerText").split_whitespace().collect::<Vec<_>>(),
        ["base", "spot"]
    );
    // Texts of the chart: none over another, none over a point.
    let overlaps = "(() => { const boxes = (selector) => [...document.querySelectorAll(`[data-mount=frontier] ${selector}`)].map((each) => [each.getBoundingClientRect(), each.textContent]); \
        const over = ([a], [b]) => a.right > b.left + 1 && b.right > a.left + 1 && a.bottom > b.top + 3 && b.bottom > a.top + 3; \
        const texts = boxes('text'); return texts.filter((one, at) => texts.some((other, place) => place < at && over(one, other))).map(([, text]) => text); })()";
    for width in [1280, 390] {
        browser.window(width, 900, false);
        browser.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        assert_eq!(browser.value(overlaps), json!([]), "{width}");
    }
    // The table's head breaks between words alone.
    let broken = "[...document.querySelectorAll('th button')].filter((head) => head.getClientRects().length > 1 && !/[ .]/.test(head.textContent)).map((head) => head.textContent)";
    assert_eq!(browser.value(broken), json!([]));
}

#[test]
fn contenders_have_their_names_and_verdicts_and_no_knee() {
    let Some(mut browser) = Browser::start() else { return };
    let (head, _) = SWEEP.split_once("[sweep.parameters]").unwrap();
    let work = Work::with(&format!(
        "{head}[[variant]]\nname = \"one\"\nset = {{ \"autoscaler.max\" = 4 }}\n[[variant]]\nname = \"many\"\nset = {{ \"autoscaler.min\" = 4 }}\n"
    ));
    work.done(&["compare", "scenario.toml", "--quiet", "--out", "out", "--set", "run.replications=5"]);
    browser.window(1280, 900, false);
    browser.open(&url(&work));
    browser.wait("document.querySelectorAll('[data-point]').length === 3");
    let texts = "[...document.querySelectorAll('[data-mount=frontier] .label')].map((label) => label.textContent).join('; ')";
    let names = browser.text(texts);
    assert!(names.contains("base") && names.contains("one") && names.contains("many"), "{names}");
    assert!(!names.contains("knee"), "{names}");
    // Each has the verdict of the table, and what misses the SLO is not called the cheapest that keeps it.
    let verdicts = browser.value("JSON.parse(document.getElementById('kneepoint-data').textContent).points.map((point) => point.keeps)");
    assert!(verdicts.as_array().unwrap().iter().all(serde_json::Value::is_string), "{verdicts}");
    assert_eq!(
        browser.value("document.querySelectorAll('.tag:not(:is(.yes, .so_far, .no, .uncertain))').length"),
        0
    );
}

#[test]
fn the_page_is_open_to_everybody_at_all_sizes() {
    let Some(mut browser) = Browser::start() else { return };
    let work = swept();
    browser.open(&url(&work));
    browser.wait("Boolean(document.querySelector('[data-point]'))");
    holds_at_all_sizes(&mut browser, "sweep");
    work.done(&["run", "scenario.toml", "--quiet", "--out", "out"]);
    browser.open(&url(&work));
    holds_at_all_sizes(&mut browser, "run");
    // Its chart is the drawing: the script has no points to draw.
    work.done(&["recommend", "scenario.toml", "--quiet", "--out", "out", "--budget", "200000"]);
    browser.open(&url(&work));
    holds_at_all_sizes(&mut browser, "recommend");
    let drawing = "document.querySelector('section.trade figure').getBoundingClientRect().height";
    assert!(browser.value(drawing).as_f64().is_some_and(|height| height > 100.0));
}

#[test]
fn print_and_a_browser_without_scripts_show_all_that_is_essential() {
    let Some(mut browser) = Browser::start() else { return };
    let work = swept();
    let seen = "[...document.querySelectorAll('.answer, figure, table, .origin')].filter((part) => part.getClientRects().length).length";
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.open(&url(&work));
    let without: Value = browser.value(seen);
    // Answer, four charts, a table, the origin.
    assert!(without.as_u64().is_some_and(|parts| parts >= 7), "{without}");
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": false }));
    browser.open(&url(&work));
    browser.wait("Boolean(document.querySelector('[data-point]'))");
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    assert_eq!(browser.value(seen), without);
}

#[test]
fn a_sweep_of_500_points_is_a_page_of_less_than_2_megabytes() {
    let parameters = "[sweep.parameters]\n\"autoscaler.up.above\" = { from = 0.5, to = 0.9, steps = 20 }\n\
                      \"autoscaler.down.below\" = { from = 0.05, to = 0.45, steps = 25 }\n";
    let (head, _) = SWEEP.split_once("[sweep.parameters]").unwrap();
    let work = Work::with(&format!("{head}{parameters}"));
    work.done(&[
        "sweep",
        "scenario.toml",
        "--quiet",
        "--out",
        "out",
        "--set",
        "run.replications=3",
        "--set",
        "run.duration=5m",
    ]);
    let page = std::fs::metadata(work.path().join("out/report.html")).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}
