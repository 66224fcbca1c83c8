//! How fast and how large the engine is, as ratios within one run, so that the figures mean the same on any machine.
//!
//! `cargo bench` prints the table. The first rows are nanoseconds per request and their ratio to the reference loop,
//! measured in turn with it in many short rounds, of which each has a least: what other work on the machine takes from a
//! round is not in it. Then every policy against `threshold` at the same evaluation interval, sweeps, and peak memory, where
//! the ratio shown is the median of the rounds'.
//! The rows of the command are seconds from its start, against what they are to be at most.
//! `cargo bench -- central` measures only the rows with that in their name. The exit status is 0 whatever these figures:
//! machines differ, and a busy one measures its other work.
//!
//! `cargo bench -- growth` measures how processor time and memory of the whole command, from the text of a scenario to its
//! report, grow with requests, points, instances, replications and the rows of a trace; each exponent is to be at most 1.05.
//! It takes minutes; with `--large`, far longer, sizes up to 10⁹ requests and 5 × 10⁷ rows.
//!
//! `cargo bench -- instructions` counts the instructions per request of each path with callgrind, where valgrind is
//! installed, and compares them with `benches/instructions/baseline.txt`. These do not depend on what else the machine
//! does: a rise of more than 5 % is an error, exit status 1.

mod command;
mod growth;
mod instructions;
mod memory;
mod policies;
mod reference;
mod store;
mod sweep;
mod table;

use std::time::Instant;

use kneepoint::internals::arrivals::Arrivals;
use kneepoint::internals::autoscaler::{Autoscaler, MetricsDefaults};
use kneepoint::internals::random::Streams;
use kneepoint::internals::scenario::Scenario;
use kneepoint::internals::schema::{Context, Tree};
use kneepoint::internals::service::Service;
use kneepoint::internals::sim::{Client, Cost, Dispatch, Instances, Metrics, Model, Options, simulate};
use kneepoint::internals::time::Span;
use table::{Limit, median};

const REQUESTS: u64 = 4_000_000;
const ROUNDS: usize = 7;
/// Rounds so short that some are undisturbed on any machine, their start included.
const SHORT_ROUNDS: u64 = 200;
const SERVERS: u32 = 16;
const UTILIZATION: f64 = 0.8;
/// Requests a second at which sixteen servers of a mean service time of 1 s are as busy.
const BUSY: f64 = UTILIZATION * SERVERS as f64;
const CENTRAL: &str = "policy = \"central_queue\"";
/// The service of the reference loop: one slot an instance.
const SLOTS: &str = "model = \"slots\"\ntime = { dist = \"exponential\", mean = \"1s\" }";
const SHARED: &str = "model = \"shared\"\ntime = { dist = \"exponential\", mean = \"1s\" }";
/// As busy as slots: three requests in four find others to go with.
const BATCH: &str = "model = \"batch\"\nmax_batch = 32\nconstant = \"1s\"\nslope = \"500ms\"";
const ROUND_ROBIN: &str = "policy = \"round_robin\"";
const RANDOM: &str = "policy = \"random\"";
const LEAST_OUTSTANDING: &str = "policy = \"least_outstanding\"";
const POWER_OF_TWO: &str = "policy = \"power_of_d\"\nchoices = 2";
/// Llama 3.1 8B on an H100, on prompts of 1,000 tokens and answers of 200 in the mean.
const LLM: &str = "model = \"llm\"\npreset = \"llama-3.1-8b-h100\"\n\
    prompt_tokens = { dist = \"exponential\", mean = 1000 }\noutput_tokens = { dist = \"exponential\", mean = 200 }";
/// Rounds of a swept point, longer than these.
const SWEPT_ROUNDS: u64 = 40;
/// The thresholds of an autoscaler that looks on but never acts.
const IDLE: (f64, u32) = (0.9, SERVERS);

/// What peak memory is measured of: its name, its requests per second, its service and its dispatch.
const REMEMBERED: [(&str, f64, &str, &str); 4] = [
    ("slots", BUSY, SLOTS, CENTRAL),
    ("shared", BUSY, SHARED, ROUND_ROBIN),
    ("batch", BUSY, BATCH, CENTRAL),
    ("llm", 20.0 * SERVERS as f64, LLM, ROUND_ROBIN),
];

/// What instructions are counted of: its name, its requests per second, its service, its dispatch, and whether clients
/// give up after 10 s, which hardly one does.
const COUNTED: [(&str, f64, &str, &str, bool); 14] = [
    ("instructions, central queue", BUSY, SLOTS, CENTRAL, false),
    ("instructions, round robin", BUSY, SLOTS, ROUND_ROBIN, false),
    ("instructions, random", BUSY, SLOTS, RANDOM, false),
    ("instructions, least outstanding", BUSY, SLOTS, LEAST_OUTSTANDING, false),
    ("instructions, power of two", BUSY, SLOTS, POWER_OF_TWO, false),
    ("instructions, event-driven", BUSY, SLOTS, "policy = \"central_queue\"\nidle = \"newest\"", false),
    ("instructions, client time-out, central queue", BUSY, SLOTS, CENTRAL, true),
    ("instructions, client time-out, round robin", BUSY, SLOTS, ROUND_ROBIN, true),
    ("instructions, shared, central queue", BUSY, SHARED, CENTRAL, false),
    ("instructions, shared, round robin", BUSY, SHARED, ROUND_ROBIN, false),
    ("instructions, batch, central queue", BUSY, BATCH, CENTRAL, false),
    ("instructions, batch, round robin", BUSY, BATCH, ROUND_ROBIN, false),
    ("instructions, llm, 2 requests/s on each GPU", 2.0 * SERVERS as f64, LLM, ROUND_ROBIN, false),
    ("instructions, llm, 20 requests/s on each GPU", 20.0 * SERVERS as f64, LLM, ROUND_ROBIN, false),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [memory::CHILD, kind, requests] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let requests = requests.parse().expect("a number of requests");
        let (_, rate, service, dispatch) =
            REMEMBERED.into_iter().find(|(name, ..)| *name == kind).expect("a kind that is measured");
        run(&model_at(rate, service, dispatch, IDLE, requests), 1);
        return memory::report();
    }
    if let [growth::CHILD, what, size] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return growth::child(what, size.parse().expect("a size"));
    }
    if let [instructions::CHILD, name, requests] =
        arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        let requests = requests.parse().expect("a number of requests");
        let (_, rate, service, dispatch, gives_up) =
            COUNTED.into_iter().find(|(counted, ..)| *counted == name).expect("a row that is counted");
        let mut model = model_at(rate, service, dispatch, IDLE, requests);
        model.client.timeout = gives_up.then(|| Span::from_secs(10));
        _ = std::hint::black_box(run(&model, 1));
        return;
    }
    // `cargo test --benches` only asks whether it runs.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let requests = if measured { REQUESTS } else { 10_000 };
    let only = arguments.iter().find(|argument| !argument.starts_with('-')).map_or("", String::as_str);
    // Under valgrind a run takes fifty times as long, so only where these rows are asked for.
    if only.starts_with("instructions") {
        let names = COUNTED.iter().map(|(name, ..)| *name).filter(|name| name.starts_with(only));
        if measured && !instructions::measure(names) {
            std::process::exit(1);
        }
        return;
    }
    // It takes minutes, and is of the whole command.
    if only.starts_with("growth") {
        table::head();
        let is_large = arguments.iter().any(|argument| argument == "--large");
        return growth::rows(only, is_large, if measured { 1 } else { 100 });
    }
    println!(
        "M/M/{SERVERS} at ρ = {UTILIZATION}, threshold autoscaler every 15 s, {requests} requests a round\n"
    );
    table::head();
    engine_rows(requests, only);
    policy_rows(requests / 4, only);
    llm_rows(requests / 4, only);
    if "sweep".contains(only) {
        sweep_rows(requests / 4);
    }
    if measured {
        swept_rows(requests / 4, only);
    }
    if measured && "store".contains(only) {
        store_rows();
    }
    if measured && "command".contains(only) {
        command::rows();
    }
    for (kind, ..) in REMEMBERED {
        if format!("memory, {kind}").contains(only) {
            memory_rows(kind, if kind == "slots" { requests * 5 / 2 } else { requests / 4 });
        }
    }
}

/// Time per request of each arrangement of queues, against the reference loop.
fn engine_rows(requests: u64, only: &str) {
    let rows = [
        ("central queue", SLOTS, CENTRAL, 1.05),
        ("round robin", SLOTS, ROUND_ROBIN, 0.9),
        ("random", SLOTS, RANDOM, 0.9),
        ("least outstanding", SLOTS, LEAST_OUTSTANDING, 2.1),
        ("power of two", SLOTS, POWER_OF_TWO, 1.6),
        ("shared, central queue", SHARED, CENTRAL, 2.5),
        ("shared, round robin", SHARED, ROUND_ROBIN, 2.5),
        ("batch, central queue", BATCH, CENTRAL, 2.2),
        ("batch, round robin", BATCH, ROUND_ROBIN, 2.2),
    ];
    let mut reference_ns = Vec::new();
    for (name, service, dispatch, limit) in rows.into_iter().filter(|(name, ..)| name.contains(only)) {
        let model = model(service, dispatch, IDLE, requests / SHORT_ROUNDS);
        let (reference, engine) = least_of_rounds(requests / SHORT_ROUNDS, &model);
        reference_ns.push(reference);
        table::row(name, &format!("{engine:.1} ns/request"), engine / reference, Limit::AtMost(limit));
    }
    if !reference_ns.is_empty() {
        table::row("reference loop", &format!("{:.1} ns/request", median(reference_ns)), 1.0, Limit::None);
    }
}

/// Time per request under each policy, against `threshold` at the same evaluation interval.
fn policy_rows(requests: u64, only: &str) {
    let base = model(SLOTS, CENTRAL, IDLE, requests);
    let wanted = |name: &str| format!("policy {name}").contains(only);
    for (name, policy) in policies::POLICIES.iter().filter(|(name, _)| wanted(name)) {
        let (policy, threshold) = policies::pair(&base, policy);
        let mut rounds: Vec<(f64, f64)> = Vec::with_capacity(ROUNDS);
        for seed in 0..ROUNDS as u64 {
            let against = time(requests, || run(&threshold, seed));
            let under = time(requests, || run(&policy, seed));
            rounds.push((under / against, under));
        }
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, under) = rounds[ROUNDS / 2];
        table::row(&format!("policy {name}"), &format!("{under:.1} ns/request"), ratio, Limit::AtMost(1.1));
    }
}

/// A language model on sixteen GPUs, at rest and busy, against the reference loop, and against itself with every
/// iteration stepped through.
fn llm_rows(requests: u64, only: &str) {
    for (name, per_instance, limit) in
        [("llm, 2 requests/s on each GPU", 2.0, 5.9), ("llm, 20 requests/s on each GPU", 20.0, 5.2)]
    {
        if !name.contains(only) {
            continue;
        }
        let rate = per_instance * f64::from(SERVERS);
        let model = model_at(rate, LLM, ROUND_ROBIN, IDLE, requests);
        let mut stepped = model.clone();
        if let kneepoint::internals::service::Model::Llm(llm) = &mut stepped.service.model {
            llm.join_iterations = false;
        }
        let gains = (0..ROUNDS as u64).map(|seed| {
            let joined = time(requests, || run(&model, seed));
            time(requests, || run(&stepped, seed)) / joined
        });
        let gain = median(gains.collect());
        let few = requests / 100;
        let (reference, engine) = least_of_rounds(few, &model_at(rate, LLM, ROUND_ROBIN, IDLE, few));
        assert_eq!(run(&model, 1), run(&stepped, 1), "strides change nothing");
        table::row(name, &format!("{engine:.1} ns/request"), engine / reference, Limit::AtMost(limit));
        table::row(&format!("{name}, speed-up by strides"), "", gain, Limit::None);
    }
}

/// What drawing requests once for several points saves, and what a second thread brings.
fn sweep_rows(requests: u64) {
    let thresholds = (0..16).map(|index| (0.6 + 0.025 * f64::from(index), 4));
    let points: Vec<Model> = thresholds.map(|idle| model(SLOTS, CENTRAL, idle, requests)).collect();
    for size in [1, 2, 4, 8, 16] {
        let rounds = (0..3).map(|seed| {
            let alone = sweep::in_groups(&points, 1, seed);
            let grouped = sweep::in_groups(&points, size, seed);
            (grouped / alone, grouped)
        });
        let (ratios, seconds): (Vec<f64>, Vec<f64>) = rounds.unzip();
        let figure = format!("{:.1} points/s", points.len() as f64 / median(seconds));
        table::row(
            &format!("sweep, requests drawn once for {size} points"),
            &figure,
            median(ratios),
            Limit::None,
        );
    }
    let rounds: Vec<_> =
        (0..3).map(|_| (sweep::on_threads(&points, 2, 1), sweep::on_threads(&points, 2, 2))).collect();
    let middle = |of: fn(&(sweep::Threaded, sweep::Threaded)) -> f64| median(rounds.iter().map(of).collect());
    let figure = format!("{:.1} points/s", points.len() as f64 / middle(|(_, two)| two.wall));
    let ratio = middle(|(one, two)| one.wall / two.wall);
    table::row("sweep, two threads against one", &figure, ratio, Limit::AtLeast(1.9));
    // What of it is this program's: other work on the machine lengthens the wall time, but neither of these.
    let busy = middle(|(_, two)| two.busy);
    table::row("  busy share of the two threads", "", busy, Limit::AtLeast(0.95));
    let cost = middle(|(one, two)| one.cpu.zip(two.cpu).map_or(f64::NAN, |(one, two)| two / one));
    if cost.is_finite() {
        table::row("  processor time, two threads against one", "", cost, Limit::None);
        table::row("  so two threads can bring", "", 2.0 * busy / cost, Limit::AtLeast(1.9));
    }
}

/// A point of a sweep as the evaluator runs it, sixteen fed from one source, against the reference loop; and what a second
/// thread brings to three jobs. Of all rounds the least, as in [`engine_rows`].
fn swept_rows(requests: u64, only: &str) {
    let name = "swept point, 16 fed from one source";
    if name.contains(only) {
        let few = requests / 10;
        let points = sweep::group(BUSY, few);
        let round = |seed| {
            let reference = time(few, || reference::run(few, SERVERS as usize, UTILIZATION, seed));
            (reference, time(few * points.len() as u64, || sweep::evaluated(&points, 1)))
        };
        let (reference, point) = least((0..SWEPT_ROUNDS).map(round));
        table::row(name, &format!("{point:.1} ns/request"), point / reference, Limit::AtMost(0.45));
    }
    type Points = fn() -> Vec<Scenario>;
    let jobs: [(&str, Points); 3] = [
        ("quickstart", sweep::quickstart),
        ("8 long points", sweep::long_points),
        ("1,000 short points", store::points),
    ];
    for (job, points) in jobs {
        let name = format!("swept, two threads against one, {job}");
        if name.contains(only) {
            let points = points();
            let round = |_| (sweep::evaluated(&points, 1), sweep::evaluated(&points, 2));
            let (one, two) = least((0..ROUNDS).map(round));
            table::row(&name, &format!("{two:.2} s"), one / two, Limit::AtLeast(1.9));
        }
    }
}

/// A sweep of 1,000 short points whose finished runs are kept in a file, and one that finds them there.
fn store_rows() {
    let points = store::points();
    let rounds: Vec<_> = (0..ROUNDS).map(|_| store::measure(&points)).collect();
    let middle = |of: fn(&store::Seconds) -> f64| median(rounds.iter().map(of).collect());
    let figure = |seconds: f64| format!("{:.0} µs/point", seconds / points.len() as f64 * 1e6);
    let ratio = middle(|round| round.empty / round.without);
    table::row(
        "store, every run kept, against none kept",
        &figure(middle(|round| round.empty)),
        ratio,
        Limit::None,
    );
    let ratio = middle(|round| round.without / round.full);
    table::row("store, every run found, speed-up", &figure(middle(|round| round.full)), ratio, Limit::None);
}

/// Peak memory of a run against one of a tenth of its requests, and against 100 MB.
fn memory_rows(kind: &str, requests: u64) {
    let many = requests * 10;
    let name = format!("memory, {kind}: {many} requests to {requests}");
    let (Some(short), Some(long)) = (memory::peak(kind, requests), memory::peak(kind, many)) else {
        println!("{name:<44} skipped: this system does not tell");
        return;
    };
    let megabytes = long as f64 / 1e6;
    table::row(&name, &format!("{megabytes:.1} MB"), long as f64 / short as f64, Limit::AtMost(1.1));
    let name = format!("memory, {kind}, against 100 MB");
    table::row(&name, &format!("{megabytes:.1} MB"), megabytes / 100.0, Limit::AtMost(1.0));
}

/// Least nanoseconds per request of the reference loop and of a model of so many requests, measured in turn.
fn least_of_rounds(requests: u64, model: &Model) -> (f64, f64) {
    let round = |seed| {
        let reference = time(requests, || reference::run(requests, SERVERS as usize, UTILIZATION, seed));
        (reference, time(requests, || run(model, seed)))
    };
    least((0..SHORT_ROUNDS).map(round))
}

/// The least of each of two.
fn least(rounds: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    rounds.reduce(|least, round| (least.0.min(round.0), least.1.min(round.1))).unwrap_or((f64::NAN, f64::NAN))
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

/// The reference's system as a scenario; the autoscaler acts above a utilization, from
/// a least size up to the reference's.
fn model(service: &str, dispatch: &str, idle: (f64, u32), requests: u64) -> Model {
    model_at(BUSY, service, dispatch, idle, requests)
}

/// As [`model`], at so many requests a second.
fn model_at(rate: f64, service: &str, dispatch: &str, (above, min): (f64, u32), requests: u64) -> Model {
    let read = |text: &str| Tree::parse(text).expect("valid TOML");
    let context = Context::default();
    let part = |text: String| (read(&text), &context);
    let (arrivals, _) = part(format!("kind = \"poisson\"\nrate = {rate}"));
    let (service, _) = part(service.into());
    let (dispatch, _) = part(dispatch.into());
    let (autoscaler, _) = part(format!(
        "kind = \"threshold\"\nmetric = \"utilization\"\nmin = {min}\nmax = {SERVERS}\n\
         up = {{ above = {above} }}\ndown = {{ below = 0.5 }}"
    ));
    let empty = |path| kneepoint::internals::schema::Reader::absent(path, &context);
    Model {
        arrivals: Arrivals::read(arrivals.root(), "arrivals", &context).expect("arrivals"),
        service: Service::read(service.root(), "service", &context).expect("service"),
        instances: Instances { initial: SERVERS, ..Instances::read(&empty("instances")).expect("instances") },
        dispatch: Dispatch::read(dispatch.root(), "dispatch", &context).expect("dispatch"),
        client: Client::default(),
        metrics: Metrics::read(&empty("metrics"), MetricsDefaults::DEFAULT).expect("metrics"),
        autoscaler: Autoscaler::read(autoscaler.root(), "autoscaler", &context).expect("autoscaler"),
        cost: Cost::read(&empty("cost")).expect("cost"),
        slo: None,
        duration: Span::from_secs_f64(requests as f64 / rate),
        warmup: Span::ZERO,
        decode: None,
    }
}
