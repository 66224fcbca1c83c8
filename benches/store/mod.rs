//! What it costs to keep every finished run of a sweep, and what is saved by finding them.

use std::hint::black_box;
use std::time::Instant;

use kneepoint::internals::experiment::{Case, Evaluator, FileStore, Store, StoreScope};
use kneepoint::internals::scenario::{Scenario, ScenarioFile};

/// Short points: some 8,000 requests in each of two replications.
const POINTS: usize = 1_000;

/// Seconds that the same sweep takes.
pub struct Seconds {
    /// Without a store.
    pub without: f64,
    /// With an empty one in a file.
    pub empty: f64,
    /// With a full one.
    pub full: f64,
}

/// The points of a sweep over thresholds and limits, all of which meet the same requests.
pub fn points() -> Vec<Scenario> {
    let point = |index: usize| {
        let (above, max) = (0.5 + 0.004 * (index % 100) as f64, 8 + index / 100);
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = 13\n[service]\ntime = {{ dist = \"exponential\", mean = \"400ms\" }}\n\
             [autoscaler]\nkind = \"threshold\"\nmetric = \"utilization\"\nmin = 2\nmax = {max}\nup = {{ above = {above} }}\n\
             down = {{ below = 0.3 }}\n[slo]\nlatency = \"2s\"\n[run]\nduration = \"10m\"\nreplications = 2"
        );
        let file = ScenarioFile::parse("point.toml", &text, ".").expect("TOML");
        file.scenario().expect("a scenario")
    };
    (0..POINTS).map(point).collect()
}

/// Evaluates the points on one thread: without a store, with an empty one, and with the one that came of it.
pub fn measure(points: &[Scenario]) -> Seconds {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("records");
    let batch: Vec<Case<'_>> = points.iter().map(Case::whole).collect();
    let keys = batch.iter().map(|case| case.key(0));
    let scope = StoreScope { command: "bench".into(), cases: keys.map(|key| (key.case, key.seed)).collect() };
    let evaluate = |store: Option<&dyn Store>| {
        let evaluator = Evaluator { store, ..Evaluator::default() };
        evaluator.replications(&batch, &()).expect("runs")
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let without = timed(|| pool.install(|| evaluate(None)));
    let empty = timed(|| {
        let store = FileStore::create(&path, &scope).expect("a file");
        pool.install(|| evaluate(Some(&store)))
    });
    let full = timed(|| {
        let store = FileStore::resume(&path, &scope).expect("the file");
        pool.install(|| evaluate(Some(&store)))
    });
    assert!(without.1 == empty.1 && empty.1 == full.1, "a store changes nothing");
    Seconds { without: without.0, empty: empty.0, full: full.0 }
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let done = black_box(work());
    (start.elapsed().as_secs_f64(), done)
}
