//! How fast the engine is, as ratios within one run, so that the figures mean the same on any machine.
//!
//! `cargo bench` prints the table. Every row is a number of nanoseconds per request and its ratio to the reference loop,
//! measured in turn with it, round by round; the ratio shown is the median of the rounds'. `cargo bench -- central`
//! measures only the rows with that in their name.

mod reference;

use std::time::Instant;

use kneepoint::arrivals::Arrivals;
use kneepoint::autoscaler::Autoscaler;
use kneepoint::random::Streams;
use kneepoint::schema::{Context, Tree};
use kneepoint::service::Service;
use kneepoint::sim::{Cost, Dispatch, Instances, Metrics, Model, Options, simulate};
use kneepoint::time::Span;

const REQUESTS: u64 = 4_000_000;
const ROUNDS: usize = 7;
const SERVERS: u32 = 16;
const UTILIZATION: f64 = 0.8;

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let requests = if std::env::args().any(|argument| argument == "--bench") { REQUESTS } else { 10_000 };
    println!(
        "M/M/{SERVERS} at ρ = {UTILIZATION}, threshold autoscaler every 15 s, one thread, {requests} requests a round\n"
    );
    println!("{:<28} {:>12} {:>8} {:>8}", "", "ns/request", "ratio", "at most");
    let rows: [(&str, &str, f64); 5] = [
        ("central queue", "policy = \"central_queue\"", 1.5),
        ("round robin", "policy = \"round_robin\"", 3.0),
        ("random", "policy = \"random\"", 3.0),
        ("least outstanding", "policy = \"least_outstanding\"", 3.0),
        ("power of two", "policy = \"power_of_d\"\nchoices = 2", 3.0),
    ];
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut reference_ns = Vec::new();
    for (name, dispatch, limit) in rows.into_iter().filter(|(name, _, _)| name.contains(&only)) {
        let model = model(dispatch, requests);
        let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
            .map(|round| {
                let reference =
                    time(requests, || reference::run(requests, SERVERS as usize, UTILIZATION, round as u64));
                let engine = time(requests, || run(&model, round as u64));
                (engine / reference, engine)
            })
            .map(|(ratio, engine)| {
                reference_ns.push(engine / ratio);
                (ratio, engine)
            })
            .collect();
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, engine) = rounds[ROUNDS / 2];
        println!("{name:<28} {engine:>12.1} {ratio:>8.2} {limit:>8.2}");
    }
    reference_ns.sort_by(f64::total_cmp);
    println!("{:<28} {:>12.1} {:>8.2}", "reference loop", reference_ns[reference_ns.len() / 2], 1.0);
}

/// Nanoseconds per request of one call.
fn time(requests: u64, work: impl FnOnce() -> f64) -> f64 {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed().as_nanos() as f64 / requests as f64
}

fn run(model: &Model, seed: u64) -> f64 {
    let options = Options { mark_interval: Span::from_secs(3600), timeline: false, decisions: false };
    let (outcome, ()) = simulate(model, Streams::new(seed, 0), &options, ());
    outcome.latency.mean().unwrap_or(0.0)
}

/// The reference's system as a scenario, with the autoscaler looking on but never acting.
fn model(dispatch: &str, requests: u64) -> Model {
    let rate = UTILIZATION * f64::from(SERVERS);
    let read = |text: &str| Tree::parse(text).expect("valid TOML");
    let context = Context::default();
    let part = |text: String| (read(&text), &context);
    let (arrivals, _) = part(format!("kind = \"poisson\"\nrate = {rate}"));
    let (service, _) = part("model = \"slots\"\ntime = { dist = \"exponential\", mean = \"1s\" }".into());
    let (dispatch, _) = part(dispatch.into());
    let (autoscaler, _) = part(format!(
        "kind = \"threshold\"\nmetric = \"utilization\"\nmin = {SERVERS}\nmax = {SERVERS}\n\
         up = {{ above = 0.9 }}\ndown = {{ below = 0.5 }}"
    ));
    let empty = |path| kneepoint::schema::Reader::absent(path, &context);
    Model {
        arrivals: Arrivals::read(arrivals.root(), "arrivals", &context).expect("arrivals"),
        service: Service::read(service.root(), "service", &context).expect("service"),
        instances: Instances { initial: SERVERS, ..Instances::read(&empty("instances")).expect("instances") },
        dispatch: Dispatch::read(dispatch.root(), "dispatch", &context).expect("dispatch"),
        metrics: Metrics::read(&empty("metrics")).expect("metrics"),
        autoscaler: Autoscaler::read(autoscaler.root(), "autoscaler", &context).expect("autoscaler"),
        cost: Cost::read(&empty("cost")).expect("cost"),
        slo: None,
        duration: Span::from_secs_f64(requests as f64 / rate),
        warmup: Span::ZERO,
    }
}
