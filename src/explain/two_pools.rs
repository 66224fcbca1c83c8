//! Episodes of two pools: each is told by the pool in which most requests waited.

use super::episode::{Course, Episode};
use crate::scenario::Scenario;
use crate::sim::{DecisionRecord, Model, PoolName, Window};

/// How far back from the first late request it counts where requests waited, in seconds.
const BEFORE_S: f64 = 60.0;

/// The episodes of a run of two pools, of which `decode` is the one that decodes.
pub(super) fn of_two_pools(
    scenario: &Scenario,
    decode: Model,
    windows: &[Window],
    decisions: &[DecisionRecord],
) -> Vec<Episode> {
    let of_decode = Scenario { model: decode, ..scenario.clone() };
    let [prefill, decode] =
        [(PoolName::Prefill, scenario), (PoolName::Decode, &of_decode)].map(|(pool, scenario)| {
            let windows: Vec<Window> = windows.iter().map(|window| of_pool(window, pool)).collect();
            let own = decisions.iter().filter(|decision| decision.pool == Some(pool));
            let decisions: Vec<DecisionRecord> = own.cloned().collect();
            let told = Course { scenario, windows: &windows, decisions: &decisions }.episodes();
            let named = |episode: Episode| {
                let crossed = episode.crossed.map(|(at, key)| match pool {
                    PoolName::Prefill => (at, key),
                    PoolName::Decode => (at, format!("decode.{key}")),
                });
                Episode { pool: Some(pool), crossed, ..episode }
            };
            let waited = |episode: &Episode| waited(&windows, episode);
            told.into_iter().map(|episode| (waited(&episode), named(episode))).collect::<Vec<_>>()
        });
    // Which requests were late is the same to both.
    let more = |((waited, prefill), (longer, decode)): ((f64, Episode), (f64, Episode))| {
        if longer > waited { decode } else { prefill }
    };
    prefill.into_iter().zip(decode).map(more).collect()
}

/// A window with the requests that were answered by both pools, and else as one pool saw it.
fn of_pool(window: &Window, pool: PoolName) -> Window {
    let part = window.of_pool(pool).cloned().unwrap_or_default();
    let Window { served, lost, good, overdue, .. } = *window;
    Window { served, lost, good, overdue, ..part }
}

/// Request-seconds in the queue of a pool, in an episode and shortly before.
fn waited(windows: &[Window], episode: &Episode) -> f64 {
    let within = windows.iter().filter(|window| {
        window.end_s > episode.from_s - BEFORE_S && window.end_s - window.length_s < episode.until_s
    });
    within.map(|window| window.waiting * window.length_s).sum()
}
