//! A sweep in miniature: points that meet the same requests, in groups and on threads.

use std::hint::black_box;
use std::time::Instant;

use kneepoint::internals::experiment::{Case, Evaluator};
use kneepoint::internals::random::Streams;
use kneepoint::internals::scenario::{Scenario, ScenarioFile};
use kneepoint::internals::sim::{Block, Model, Options, RequestSource, Simulation, simulate};
use kneepoint::internals::time::Span;
use rayon::prelude::*;

const OPTIONS: Options = Options { mark_interval: Span::from_secs(3600), timeline: false, decisions: false };

/// Seconds to run `points` once, the requests drawn once for each `size` of them, which then take turns block by block.
pub fn in_groups(points: &[Model], size: usize, seed: u64) -> f64 {
    let start = Instant::now();
    for group in points.chunks(size) {
        let streams = Streams::new(seed, 0);
        let mut source = RequestSource::new(&group[0], streams);
        let mut runs: Vec<Simulation> =
            group.iter().map(|model| Simulation::new(model, streams, &OPTIONS, ())).collect();
        let mut block = Block::default();
        let mut wanted = true;
        while wanted {
            source.fill(&mut block);
            wanted = !block.arrival.is_empty();
            for run in &mut runs {
                wanted &= run.feed(&block);
            }
        }
        runs.into_iter().for_each(|run| _ = black_box(run.finish()));
    }
    start.elapsed().as_secs_f64()
}

/// Sixteen thresholds of the reference's system that meet the same requests: as many as are fed from one source.
pub fn group(rate: f64, requests: u64) -> Vec<Scenario> {
    let seconds = (requests as f64 / rate).ceil();
    let point = |index: u32| thresholds(rate, 16, 0.6 + 0.025 * f64::from(index), seconds);
    (0..16).map(point).collect()
}

/// Eight points of a day each, in one replication.
pub fn long_points() -> Vec<Scenario> {
    (0..8_u32).map(|index| thresholds(12.0, 24, 0.5 + 0.05 * f64::from(index), 86_400.0)).collect()
}

fn thresholds(rate: f64, max: u32, above: f64, seconds: f64) -> Scenario {
    let text = format!(
        "[arrivals]\nkind = \"poisson\"\nrate = {rate}\n\
         [service]\ntime = {{ dist = \"exponential\", mean = \"1s\" }}\n[instances]\ninitial = {max}\n\
         [autoscaler]\nkind = \"threshold\"\nmetric = \"utilization\"\nmin = 4\nmax = {max}\n\
         up = {{ above = {above} }}\ndown = {{ below = 0.5 }}\n\
         [run]\nduration = \"{seconds}s\"\nreplications = 1\ntimeline_interval = \"1h\""
    );
    ScenarioFile::parse("point.toml", &text, ".").expect("TOML").scenario().expect("a scenario")
}

/// The scenario of the README, in four replications of a quarter of its day.
pub fn quickstart() -> Vec<Scenario> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/quickstart.toml");
    let mut file = ScenarioFile::load(path.as_ref()).expect("the quickstart");
    for (key, value) in [("run.duration", "6h"), ("run.replications", "4")] {
        file.override_path(key, value).expect("a value");
    }
    file.points().expect("points").into_iter().map(|point| point.scenario).collect()
}

/// Seconds to evaluate `points` on so many threads, as a sweep does.
pub fn evaluated(points: &[Scenario], threads: usize) -> f64 {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let batch: Vec<Case<'_>> = points.iter().map(Case::whole).collect();
    let start = Instant::now();
    black_box(pool.install(|| Evaluator::default().replications(&batch, &())).expect("runs"));
    start.elapsed().as_secs_f64()
}

/// What a sweep on some threads took.
pub struct Threaded {
    /// Seconds from start to end.
    pub wall: f64,
    /// Share of the threads' time that they had a run at hand: what the division of the work leaves of them.
    pub busy: f64,
    /// Seconds of processor time of all runs, where the system tells: what threads cost one another.
    pub cpu: Option<f64>,
}

/// Runs `points` in `replications` each on so many threads, a run at a time as `experiment::Evaluator` hands them out.
pub fn on_threads(points: &[Model], replications: u64, threads: usize) -> Threaded {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let runs: Vec<(&Model, u64)> =
        points.iter().flat_map(|model| (0..replications).map(move |index| (model, index))).collect();
    let start = Instant::now();
    let each: Vec<(f64, Option<f64>)> = pool.install(|| {
        let one = |(model, replication): &(&Model, u64)| {
            let (begun, before) = (Instant::now(), thread_seconds());
            black_box(simulate(model, Streams::new(1, *replication), &OPTIONS, ()));
            let cpu = thread_seconds().zip(before).map(|(now, before)| now - before);
            (begun.elapsed().as_secs_f64(), cpu)
        };
        runs.par_iter().with_max_len(1).map(one).collect()
    });
    let wall = start.elapsed().as_secs_f64();
    Threaded {
        wall,
        busy: each.iter().map(|run| run.0).sum::<f64>() / (wall * threads as f64),
        cpu: each.iter().map(|run| run.1).sum(),
    }
}

/// Processor time of this thread so far, as Linux tells it.
fn thread_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}
