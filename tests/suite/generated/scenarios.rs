//! Random models of everything a scenario can say, with the requests they meet.

use std::path::Path;
use std::sync::LazyLock;

use kneepoint::internals::arrivals::Arrivals;
use kneepoint::internals::distribution::Durations;
use kneepoint::internals::random::Streams;
use kneepoint::internals::schema::{Context, Tree, Value};
use kneepoint::internals::sim::{Block, DrainPolicy, Model, RequestSource, Slo};
use kneepoint::internals::time::Span;
use proptest::prelude::*;

use super::models::{EXACT_METRICS, Watched, models, tenths};
use super::tokens_of;

/// The streams every run of these tests draws from.
pub const STREAMS: Streams = Streams::new(23, 5);

/// Models of everything a scenario can say.
pub fn scenarios() -> impl Strategy<Value = Model> {
    let latency: [Watched; 2] = [("latency", "total", 1.0), ("latency", "total", 8.0)];
    let metrics = EXACT_METRICS.into_iter().chain(latency).collect();
    // Halves and quarters too, which a window can meet exactly.
    let share = prop_oneof![1.0..99.9, Just(50.0), Just(75.0)];
    let slo = (1_u64..40, share).prop_map(|(latency, percentile)| Slo::latency(tenths(latency), percentile));
    let warmup = prop_oneof![Just(0.0), 0.0..0.9_f64];
    (models(metrics), arrivals(), service_time(), prop::option::of(slo), warmup).prop_map(
        |(mut model, arrivals, time, slo, warmup)| {
            model.arrivals = arrivals;
            model.service.time = time;
            // Patience, classes and hand-back change who is served when: the obvious engine answers for those.
            model.instances.leaving = DrainPolicy::Finish;
            model.slo = slo;
            model.warmup = tenths((model.duration.as_secs_f64() * 10.0 * warmup) as u64);
            model
        },
    )
}

/// Arrivals of every kind, with spikes or without.
pub fn arrivals() -> impl Strategy<Value = Arrivals> {
    let spikes = prop_oneof![
        2 => Just(String::new()),
        1 => (0_u64..200, 1_u64..80, 1.0..12.0_f64).prop_map(|(at, length, rate)| format!(
            "\n[[spikes]]\nat = \"{at}00ms\"\nduration = \"{length}00ms\"\nrate = {rate}\nshape = \"triangle\"\nevery = \"9s\""
        )),
    ];
    (process(), spikes).prop_map(|(process, spikes)| read(&format!("{process}{spikes}"), Arrivals::read))
}

fn process() -> impl Strategy<Value = String> {
    let rate = || prop_oneof![1 => Just(0.0), 8 => 0.1..12.0_f64];
    let length = || 1_u64..120;
    let steps = (prop::collection::vec(rate(), 1..6), length())
        .prop_map(|(loads, step)| format!("kind = \"steps\"\nloads = {loads:?}\nstep = \"{step}00ms\""));
    let poisson = rate().prop_map(|rate| format!("kind = \"poisson\"\nrate = {rate}"));
    let renewal = (0.1..12.0_f64, 0.1..4.0_f64)
        .prop_map(|(rate, cv)| format!("kind = \"renewal\"\nrate = {rate}\ncv = {cv}"));
    // Whole tenths of a second, so that arrivals coincide with the pool's events.
    let clockwork = (1_u64..10).prop_map(|gap| format!("kind = \"renewal\"\ninterarrival = \"{gap}00ms\""));
    let after = prop::sample::select(vec!["hold", "repeat", "end"]);
    let shape = prop::sample::select(vec!["constant", "linear"]);
    let piecewise = (rate(), 0.1..12.0_f64, length(), shape, after).prop_map(|(a, b, at, shape, after)| {
        let points = format!("[{{ at = \"0s\", rate = {a} }}, {{ at = \"{at}00ms\", rate = {b} }}]");
        format!("kind = \"piecewise\"\nshape = \"{shape}\"\nafter = \"{after}\"\npoints = {points}")
    });
    let diurnal = (0.1..12.0_f64, 0.0..1.0_f64, length()).prop_map(|(rate, amplitude, period)| {
        format!("kind = \"diurnal\"\nrate = {rate}\namplitude = {amplitude}\nperiod = \"{period}00ms\"")
    });
    let mmpp = (rate(), 0.1..25.0_f64, length()).prop_map(|(a, b, length)| {
        let states =
            format!("{{ rate = {a}, duration = \"{length}00ms\" }}, {{ rate = {b}, duration = \"1s\" }}");
        format!("kind = \"mmpp\"\nstates = [{states}]")
    });
    let trace = (any::<bool>(), 0.3..3.0_f64, 0.3..3.0_f64, 0_u64..30).prop_map(
        |(looped, speed, scale, shift)| {
            format!(
                "kind = \"trace\"\nfile = \"trace.csv\"\nloop = {looped}\nspeed = {speed}\nscale = {scale}\nshift = \"{shift}00ms\""
            )
        },
    );
    let within = prop::sample::select(vec!["poisson", "uniform", "even"]);
    let counts = (any::<bool>(), 0.3..3.0_f64, within).prop_map(|(looped, scale, within)| {
        format!(
            "kind = \"counts\"\nfile = \"counts.csv\"\ninterval = \"1s\"\nloop = {looped}\nscale = {scale}\nwithin = \"{within}\""
        )
    });
    prop_oneof![steps, poisson, renewal, clockwork, piecewise, diurnal, mmpp, trace, counts]
}

/// Service times of every distribution.
fn service_time() -> impl Strategy<Value = Durations> {
    let mean = || 1_u64..30;
    let by_cv = |dist: &'static str, lowest: f64, highest: f64| {
        (mean(), lowest..highest)
            .prop_map(move |(mean, cv)| format!("{{ dist = \"{dist}\", mean = \"{mean}00ms\", cv = {cv} }}"))
    };
    let text = prop_oneof![
        mean().prop_map(|mean| format!("\"{mean}00ms\"")),
        mean().prop_map(|mean| format!("{{ dist = \"exponential\", mean = \"{mean}00ms\" }}")),
        by_cv("lognormal", 0.1, 3.0),
        by_cv("gamma", 0.1, 3.0),
        by_cv("weibull", 0.1, 3.0),
        by_cv("uniform", 0.1, 0.57),
        by_cv("hyperexponential", 1.0, 4.0),
        (mean(), 1_u32..5)
            .prop_map(|(mean, k)| format!("{{ dist = \"erlang\", mean = \"{mean}00ms\", k = {k} }}")),
        (0.5..3.0_f64).prop_map(|alpha| format!(
            "{{ dist = \"pareto\", alpha = {alpha}, min = \"50ms\", max = \"20s\" }}"
        )),
        mean().prop_map(|p50| format!("{{ dist = \"lognormal\", p50 = \"{p50}00ms\", p99 = \"{p50}s\" }}")),
        Just("{ dist = \"empirical\", values = [\"0s\", \"100ms\", \"700ms\", \"2s\"] }".to_owned()),
        Just(
            "{ dist = \"empirical\", file = \"service.csv\", unit = \"ms\", interpolation = \"linear\" }"
                .to_owned()
        ),
    ];
    text.prop_map(|text| {
        read(&format!("time = {text}"), |root, path, context| {
            let kneepoint::internals::schema::Data::Table(table) = &root.data else {
                unreachable!("a document is a table")
            };
            Durations::read(table.get("time").unwrap(), path, context)
        })
    })
}

/// Reads a part of a scenario whose files lie in [`FILES`].
fn read<T>(
    text: &str,
    reader: impl Fn(
        &kneepoint::internals::schema::Node,
        &str,
        &Context,
    ) -> Result<T, kneepoint::internals::schema::Problem>,
) -> T {
    let tree = Tree::parse(text).unwrap();
    reader(tree.root(), "part", &FILES).unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
}

/// The files the scenarios name: a bursty trace with equal instants in it, counts with gaps, measured service times.
static FILES: LazyLock<Context> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenarios");
    std::fs::create_dir_all(&folder).unwrap();
    let lines = |cells: Vec<String>| cells.join("\n") + "\n";
    let write = |name: &str, text: String| {
        // Two tests that run at once write the same bytes, each to its own name first.
        let mine = folder.join(format!("{name}.{}", std::process::id()));
        std::fs::write(&mine, text).unwrap();
        std::fs::rename(&mine, folder.join(name)).unwrap();
    };
    let instants = (0..60_u64).map(|n| (n * n % 7 * 3 + n / 6 * 21) as f64 / 10.0);
    let mut instants: Vec<f64> = instants.collect();
    instants.sort_unstable_by(f64::total_cmp);
    write("trace.csv", lines(instants.iter().map(f64::to_string).collect()));
    write("counts.csv", lines([3, 0, 12, 7, 0, 0, 1, 30, 2].iter().map(u32::to_string).collect()));
    write("service.csv", lines([50, 120, 120, 400, 900, 3000].iter().map(u32::to_string).collect()));
    Context::new(folder)
});

/// The requests a model meets before its end, as `(arrival, service)` in nanoseconds.
pub fn requests(model: &Model) -> Vec<(u64, u64)> {
    let mut source = RequestSource::new(model, STREAMS);
    let (mut block, mut all) = (Block::default(), vec![]);
    loop {
        source.fill(&mut block);
        all.extend(block.arrival.iter().copied().zip(block.service.iter().copied()));
        let end = model.duration.as_nanos();
        if block.arrival.last().is_none_or(|last| *last >= end) {
            all.retain(|(arrival, _)| *arrival < end);
            return all;
        }
    }
}

/// `requests`, so many at a time.
pub fn blocks(requests: &[(u64, u64)], size: usize) -> impl Iterator<Item = Block> {
    requests.chunks(size).map(|part| {
        let (arrival, service) = part.iter().copied().unzip();
        let tokens = part.iter().map(|(_, service)| tokens_of(*service, 50, 40)).collect();
        Block { arrival, service, tokens, ..Block::default() }
    })
}

/// The length of marks in these tests.
pub const MARK: Span = Span::from_nanos(700_000_000);
