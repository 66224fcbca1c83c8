//! A sweep in miniature: points that meet the same requests, in groups and on threads.

use std::hint::black_box;
use std::time::Instant;

use kneepoint::random::Streams;
use kneepoint::sim::{Block, Model, Options, RequestSource, Simulation, simulate};
use kneepoint::time::Span;
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

/// Seconds to run `points` in `replications` each on so many threads.
pub fn on_threads(points: &[Model], replications: u64, threads: usize) -> f64 {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let runs: Vec<(&Model, u64)> =
        points.iter().flat_map(|model| (0..replications).map(move |index| (model, index))).collect();
    let start = Instant::now();
    pool.install(|| {
        runs.par_iter().for_each(|(model, replication)| {
            black_box(simulate(model, Streams::new(1, *replication), &OPTIONS, ()));
        });
    });
    start.elapsed().as_secs_f64()
}
