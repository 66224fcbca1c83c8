//! Work that is divided among processes.

use std::collections::HashSet;

use crate::api::answers::recommend_by;
use crate::api::results::{of_point, points, sweep_by};
use crate::api::{Error, Options, Recommendation, Scenario, SweepResult};
use crate::experiment::{
    self, Board, BoardStore, CaseId, Condition, Evaluator, MemoryStore, Shard, ShardRecords, shards,
};
use crate::scenario as inner;

/// Maximum number of missing shards that a message names.
const NAMED: usize = 20;

/// Into how many shards the sweep of a scenario can be divided at most, with something in each: replications times groups of 16
/// settings.
///
/// # Errors
/// What is wrong with the scenario, or it sweeps nothing.
///
/// ```
/// let scenario = kneepoint::Scenario::load("scenarios/quickstart.toml")?;
/// // 30 settings in two groups, 20 replications.
/// assert_eq!(kneepoint::shards::shards_max(&scenario)?, 40);
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn shards_max(scenario: &Scenario) -> Result<u32, Error> {
    let points = points(scenario)?;
    let scenarios: Vec<&inner::Scenario> = points.iter().map(|point| &point.scenario).collect();
    Ok(experiment::shards_max(&scenarios))
}

/// Simulates one share of a sweep: that at `index`, counted from 0, of `of`. The bytes are for [`merge_shards`] of the same
/// scenario and the same version.
///
/// # Errors
/// What is wrong with the scenario, it sweeps nothing or there is no such share; a run that came to nothing; the work was
/// cancelled.
///
/// ```
/// use kneepoint::shards::{merge_shards, simulate_shard};
/// use kneepoint::{Options, Scenario, sweep};
///
/// let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
///     instances = 20\n[run]\nduration = \"5m\"\nreplications = 6\n[sweep.parameters]\n\"autoscaler.instances\" = [10, 20]";
/// let (scenario, options) = (Scenario::parse(text)?, Options::default());
/// let parts = [simulate_shard(&scenario, 0, 2, &options)?, simulate_shard(&scenario, 1, 2, &options)?];
/// let merged = merge_shards(&scenario, &parts, &options)?;
/// assert_eq!(merged.report().summary_json(), sweep(&scenario, &options)?.report().summary_json());
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn simulate_shard(scenario: &Scenario, index: u32, of: u32, options: &Options) -> Result<Vec<u8>, Error> {
    let shard = shard(index, of)?;
    let points = points(scenario)?;
    let store = MemoryStore::default();
    let evaluator = options.evaluator(&scenario.file, points.iter().map(|point| &point.scenario))?;
    let evaluator = Evaluator { store: Some(&store), ..evaluator };
    let state = experiment::simulate_shard(points.clone(), shard, &evaluator)
        .map_err(|error| of_point(&points, &error))?;
    if state.stored < state.planned {
        return Err(Error::cancelled("the shard was finished"));
    }
    Ok(ShardRecords::of(&store, shard).to_bytes())
}

fn shard(index: u32, of: u32) -> Result<Shard, Error> {
    Shard::new(index, of).ok_or_else(|| {
        Error::bad_input(format!(
            "error: there is no shard {index} of {of}\n  expected an index from 0, less than the number of shards"
        ))
    })
}

/// Joins the shards of a sweep, in any order, into its result: that of [`sweep`](crate::sweep), to the byte. What depends on all
/// runs together is simulated here: the runs that confirm the answer, and the one shown in detail.
///
/// # Errors
/// What is wrong with the scenario; a shard is damaged, of another scenario or another division; one is missing; a run came to
/// nothing, or no point had finished when it was cancelled.
///
/// ```
/// use kneepoint::Options;
/// use kneepoint::shards::{merge_shards, simulate_shard};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 20\n[run]\nduration = \"5m\"\nreplications = 6\n[sweep.parameters]\n\"autoscaler.instances\" = [10, 20]";
/// # let (scenario, options) = (kneepoint::Scenario::parse(text)?, Options::default());
/// let part = simulate_shard(&scenario, 1, 2, &options)?;
/// let error = merge_shards(&scenario, &[part], &options).unwrap_err();
/// assert!(error.to_string().contains("shard 1/2 is missing"));
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn merge_shards(
    scenario: &Scenario,
    parts: &[impl AsRef<[u8]>],
    options: &Options,
) -> Result<SweepResult, Error> {
    let points = points(scenario)?;
    let store = MemoryStore::default();
    let evaluator = options.evaluator(&scenario.file, points.iter().map(|point| &point.scenario))?;
    let evaluator = Evaluator { store: Some(&store), ..evaluator };
    // With the warm-up that the shards have found, where it is left to be found.
    let mut settled = points.clone();
    experiment::settle_points(&mut settled, &evaluator).map_err(|error| of_point(&points, &error))?;
    let case =
        |point: &inner::Point| (CaseId::of(&point.scenario, Condition::AsWritten), point.scenario.run.seed);
    let known: HashSet<(CaseId, u64)> = settled.iter().map(case).collect();
    let mut of = None;
    for (number, part) in parts.iter().enumerate() {
        let read = ShardRecords::from_bytes(part.as_ref());
        let Some((records, shard)) = read.and_then(|records| records.shard().map(|shard| (records, shard)))
        else {
            return Err(Error::bad_input(format!(
                "error: part {number} is no shard of a sweep by this version of kneepoint, or damaged\n  expected what \
                 simulate_shard has returned"
            )));
        };
        if *of.get_or_insert(shard.of()) != shard.of() {
            return Err(Error::bad_input(format!(
                "error: part {number} is shard {shard}: the shards are of two divisions\n  expected the shards of one"
            )));
        }
        let (same, count) = records.put_into(&store, |case, seed| known.contains(&(case, seed)));
        if same == 0 && count > 0 {
            return Err(Error::bad_input(format!(
                "error: part {number} is a shard of another scenario, or of another seed\n  expected those of this one"
            )));
        }
    }
    let of = of.unwrap_or(1);
    let states = shards(points.clone(), of, &evaluator).map_err(|error| of_point(&points, &error))?;
    let lacking: Vec<Shard> =
        states.iter().filter(|state| state.stored < state.planned).map(|state| state.shard).collect();
    if !lacking.is_empty() {
        let named: Vec<String> =
            lacking.iter().take(NAMED).map(|shard| format!("\n  shard {shard} is missing")).collect();
        return Err(Error::could_not(format!(
            "the sweep is not whole: {} of {of} shards are lacking{}",
            lacking.len(),
            named.concat()
        )));
    }
    sweep_by(scenario, points, &evaluator)
}

/// [`recommend`](crate::recommend) by several processes at once: each calls it with the same scenario, the same `requests` and
/// its own share, the first of `shard` of the second, counted from 0. Each simulates its share of every round and takes from
/// `board` what the others have; what another does not deliver, it simulates itself. All come to the same answer, that of one
/// process alone.
///
/// # Errors
/// Those of [`recommend`](crate::recommend), or there is no such share.
///
/// ```
/// use kneepoint::shards::{Board, recommend_shared};
/// use kneepoint::{Options, Scenario, recommend};
///
/// /// Nobody else is there.
/// #[derive(Debug)]
/// struct Nobody;
///
/// impl Board for Nobody {
///     fn put(&self, _: Vec<u8>) {}
///     fn take(&self) -> Vec<Vec<u8>> {
///         Vec::new()
///     }
/// }
///
/// let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
///     instances = 20\n[slo]\nlatency = \"3s\"\npercentile = 90\n[run]\nduration = \"5m\"\n\
///     [sweep.parameters]\n\"autoscaler.instances\" = [8, 12, 20]";
/// let (scenario, options) = (Scenario::parse(text)?, Options::default());
/// let found = recommend_shared(&scenario, None, (1, 3), &Nobody, &options)?;
/// let alone = recommend(&scenario, None, &options)?;
/// assert_eq!(found.report().summary_json(), alone.report().summary_json());
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn recommend_shared(
    scenario: &Scenario,
    requests: Option<f64>,
    (index, of): (u32, u32),
    board: &dyn Board,
    options: &Options,
) -> Result<Recommendation, Error> {
    let store = BoardStore::new(board, shard(index, of)?);
    let base = scenario.file.scenario()?;
    let evaluator = options.evaluator(&scenario.file, std::iter::once(&base))?;
    recommend_by(scenario, base, requests, &Evaluator { store: Some(&store), ..evaluator })
}
