//! A sweep in miniature: points that meet the same requests, in groups and on threads.

use std::hint::black_box;
use std::time::Instant;

use kneepoint::internals::random::Streams;
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
