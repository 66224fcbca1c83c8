//! How time and memory grow with the work: the whole of a command, from the text of a scenario to its report, in a process
//! of its own for each size.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::process::Command;

use kneepoint::{Options, Report, Scenario, run, sweep};
use tempfile::TempDir;

use crate::table::{Limit, row};

/// First argument of the process that a measurement starts: this program again, for one size.
pub const CHILD: &str = "--growth-of";

/// The most that an exponent may be: in proportion to the work, and what a measurement errs.
const EXPONENT: f64 = 1.05;

/// Bytes below which memory is that of the program itself.
const SMALL: f64 = 64e6;

/// What grows, its sizes, and those of the larger setting (`--large`).
const GROWN: [(&str, &[u64], &[u64]); 8] = [
    ("requests", &[100_000, 1_000_000, 10_000_000], &[1_000_000, 10_000_000, 100_000_000, 1_000_000_000]),
    ("points", &[10, 100, 1_000], &[100, 1_000, 10_000]),
    ("instances", &[10, 100, 1_000, 10_000], &[1_000, 10_000, 100_000]),
    ("overloaded instances", &[10, 100, 1_000], &[100, 1_000, 10_000]),
    ("instances, clients that give up", &[10, 100, 1_000], &[100, 1_000, 10_000]),
    ("replications", &[10, 100, 1_000], &[10, 100, 1_000]),
    ("waiting requests", &[10_000, 100_000, 1_000_000], &[100_000, 1_000_000, 10_000_000]),
    ("rows of a trace", &[10_000, 100_000, 1_000_000], &[1_000_000, 10_000_000, 50_000_000]),
];

/// Prints how each grows: seconds of processor time, memory, and the exponent of each between the two largest sizes.
pub fn rows(only: &str, is_large: bool, divisor: u64) {
    for (what, sizes, large) in GROWN {
        let name = format!("growth, {what}");
        if !name.contains(only) {
            continue;
        }
        let sizes = if is_large { large } else { sizes };
        let mut before: Option<(u64, Used)> = None;
        for size in sizes.iter().map(|size| (size / divisor).max(10)) {
            let Some(used) = measured(what, size) else {
                println!("{name:<44} skipped: this system does not tell");
                break;
            };
            if let Some((smaller, less)) = before {
                let exponent = |now: f64, then: f64| (now / then).ln() / (size as f64 / smaller as f64).ln();
                let is_last = size == sizes[sizes.len() - 1] / divisor;
                let limit = if is_last { Limit::AtMost(EXPONENT) } else { Limit::None };
                let label = format!("{name}: {smaller} to {size}");
                row(&label, &format!("{:.2} s", used.seconds), exponent(used.seconds, less.seconds), limit);
                let memory = exponent(used.bytes.max(SMALL), less.bytes.max(SMALL));
                row("  memory", &format!("{:.0} MB", used.bytes / 1e6), memory, limit);
                let written = exponent(used.written, less.written);
                row("  report and tables", &format!("{:.2} MB", used.written / 1e6), written, Limit::None);
            }
            before = Some((size, used));
        }
    }
}

/// What a process took.
struct Used {
    /// Processor time.
    seconds: f64,
    /// Peak resident memory.
    bytes: f64,
    /// Bytes of what it would write.
    written: f64,
}

fn measured(what: &str, size: u64) -> Option<Used> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new(program).args([CHILD, what, &size.to_string()]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    Some(Used {
        seconds: numbers.next()?.ok()?,
        bytes: numbers.next()?.ok()?,
        written: numbers.next()?.ok()?,
    })
}

/// Does the work of one size and prints what it took, as Linux tells it (proc(5)).
pub fn child(what: &str, size: u64) {
    let trace = (what == "rows of a trace").then(|| trace(size));
    let before = processor_seconds();
    let written = trace.map_or_else(|| work(what, size), |folder| of_trace(&folder));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    if let (Some(before), Some(after), Some(kilobytes)) = (before, processor_seconds(), kilobytes) {
        println!("{} {} {written}", after - before, kilobytes * 1024.0);
    }
}

/// Processor time of this process.
fn processor_seconds() -> Option<f64> {
    // Behind the name of the program, which may hold anything: user and system time in ticks of 10 ms.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

fn scenario(arrivals: &str, instances: u64, run: &str) -> String {
    format!(
        "[arrivals]\n{arrivals}\n[service]\ntime = {{ dist = \"exponential\", mean = \"1s\" }}\n[autoscaler]\n\
         kind = \"fixed\"\ninstances = {instances}\n[slo]\nlatency = \"5s\"\n[cost]\nper_instance_hour = 1\n[run]\n{run}\n"
    )
}

/// Bytes of the report and the tables.
fn work(what: &str, size: u64) -> usize {
    // Eight in ten of the instances are busy.
    let poisson = |instances: u64| format!("kind = \"poisson\"\nrate = {}", instances as f64 * 0.8);
    let lasting = |requests: u64, instances: u64, more: &str| {
        let run = format!("duration = \"{:.3}s\"\n{more}", requests as f64 / (instances as f64 * 0.8));
        scenario(&poisson(instances), instances, &run)
    };
    match what {
        "requests" => of_run(&lasting(size, 1_000, "replications = 1\ntimeline_interval = \"1m\"")),
        // The same number for each instance, so many that the ticks of the clock do not count.
        "instances" => of_run(&lasting(size * 1_000, size, "replications = 1\ntimeline_interval = \"10s\"")),
        // Half of what comes waits at the end, at instances with a queue each.
        "waiting requests" => {
            let run =
                format!("duration = \"{size}s\"\nreplications = 1\ntimeline_interval = \"{}s\"", size / 10);
            let text = scenario("kind = \"poisson\"\nrate = 2", 1, &run);
            of_run(&format!("{text}[dispatch]\npolicy = \"round_robin\"\n"))
        }
        // A queue each, and more and more in all of them.
        "overloaded instances" => of_run(&queues(size, 1.2, "policy = \"round_robin\"")),
        // Taken event by event, the least loaded of all chosen for each request.
        "instances, clients that give up" => {
            of_run(&queues(size, 0.8, "policy = \"least_outstanding\"\n[client]\ntimeout = \"30s\""))
        }
        "replications" => of_run(&lasting(20_000, 20, &format!("replications = {size}"))),
        _ => of_sweep(size, &lasting(2_000, 20, "replications = 2")),
    }
}

/// Instances with a queue each, with so much to do each, for a thousand of its requests.
fn queues(instances: u64, load: f64, dispatch: &str) -> String {
    let run = format!("duration = \"{:.0}s\"\nreplications = 1\ntimeline_interval = \"60s\"", 1_000.0 / load);
    let arrivals = format!("kind = \"poisson\"\nrate = {}", instances as f64 * load);
    format!("{}[dispatch]\n{dispatch}\n", scenario(&arrivals, instances, &run))
}

fn of_run(text: &str) -> usize {
    let scenario = Scenario::parse(text).expect("a scenario");
    let result = run(&scenario, &Options::default()).expect("a run");
    bytes(&result.report())
}

/// A square of settings of two parameters, which makes a heat map.
fn of_sweep(points: u64, text: &str) -> usize {
    let across = (points as f64).sqrt().floor() as u64;
    let up = points / across;
    let pool = "kind = \"threshold\"\nmetric = \"utilization\"\nmax = 40\nup = { above = 0.7 }\ndown = { below = 0.3 }";
    let text = text.replace("kind = \"fixed\"\ninstances = 20", pool);
    let swept = format!(
        "{text}[sweep.parameters]\n\
         \"autoscaler.up.above\" = {{ from = 0.5, to = 0.9, steps = {across} }}\n\
         \"autoscaler.down.below\" = {{ from = 0.1, to = 0.4, steps = {up} }}\n"
    );
    let scenario = Scenario::parse(&swept).expect("a scenario");
    let result = sweep(&scenario, &Options::default()).expect("a sweep");
    bytes(&result.report())
}

/// A folder with a trace and a scenario that replays it.
fn trace(rows: u64) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let file = File::create(folder.path().join("trace.csv")).expect("a file");
    let mut out = BufWriter::new(file);
    writeln!(out, "time").expect("room for a trace");
    for row in 0..rows {
        let micros = row * 12_500;
        writeln!(out, "{}.{:06}", micros / 1_000_000, micros % 1_000_000).expect("room for a trace");
    }
    out.flush().expect("room for a trace");
    let keys = "kind = \"trace\"\nfile = \"trace.csv\"";
    let text = scenario(keys, 100, "replications = 1\ntimeline_interval = \"1m\"");
    std::fs::write(folder.path().join("scenario.toml"), text).expect("a file");
    folder
}

fn of_trace(folder: &TempDir) -> usize {
    let scenario = Scenario::load(folder.path().join("scenario.toml")).expect("a scenario");
    let result = run(&scenario, &Options::default()).expect("a run");
    bytes(&result.report())
}

fn bytes(report: &Report<'_>) -> usize {
    let charts = report.charts().expect("charts");
    let tables = report.csv_files().expect("tables");
    let html = report.html().expect("a page");
    let written = |files: &[(String, String)]| files.iter().map(|(_, text)| text.len()).sum::<usize>();
    black_box(written(&charts) + written(&tables) + html.len() + report.summary_json().len())
}
