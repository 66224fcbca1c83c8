//! The scores of engines: each scorer gives 0 to 1.

use rand::RngExt as _;

use super::EngineView;
use crate::random::Rng;
use crate::sim::queueing::gateway::{GatewayRule, Picker, Scorers};

/// Waiting requests from which on load-aware scoring gives nothing.
const QUEUE_LIMIT: f64 = 128.0;
/// Tokens in flight from which on token-load scoring gives nothing.
const TOKEN_LIMIT: f64 = 4_194_304.0;

impl Scorers {
    /// Whether the scores are only odds.
    pub(super) fn is_drawn(&self) -> bool {
        self.picker == Picker::WeightedRandom
    }
}

/// Adds to each engine's score what the rule gives it.
pub(super) fn add(rule: &GatewayRule, engines: &[EngineView], scores: &mut [f64]) {
    match rule {
        GatewayRule::LeastKvCache => add_each(engines, scores, |engine| -engine.kv_cache),
        GatewayRule::LeastWaiting => add_each(engines, scores, |engine| -(engine.waiting as f64)),
        GatewayRule::Scorers(scorers) => scorers.add(engines, scores),
    }
}

fn add_each(engines: &[EngineView], scores: &mut [f64], score: impl Fn(&EngineView) -> f64) {
    scores.iter_mut().zip(engines).for_each(|(sum, engine)| *sum += score(engine));
}

impl Scorers {
    fn add(&self, engines: &[EngineView], scores: &mut [f64]) {
        let mut weighted = |weight: f64, score: &dyn Fn(&EngineView) -> f64| {
            if weight > 0.0 {
                add_each(engines, scores, |engine| weight * score(engine));
            }
        };
        weighted(self.queue, &fewest(engines, |engine| engine.waiting));
        weighted(self.kv_cache, &|engine| 1.0 - engine.kv_cache);
        weighted(self.running, &fewest(engines, |engine| engine.running));
        weighted(self.load_aware, &|engine| {
            let waiting = (engine.waiting as f64).min(QUEUE_LIMIT);
            0.5 * (1.0 - waiting / QUEUE_LIMIT)
        });
        weighted(self.token_load, &|engine| 1.0 - (engine.tokens as f64).min(TOKEN_LIMIT) / TOKEN_LIMIT);
        let most =
            engines.iter().map(|engine| engine.waiting + engine.running).max().unwrap_or(0).max(1) as f64;
        weighted(self.active_request, &|engine| (most - (engine.waiting + engine.running) as f64) / most);
    }
}

/// (Most − count) / (most − fewest) over the engines; 1 if all have as many.
fn fewest(engines: &[EngineView], count: impl Fn(&EngineView) -> u64) -> impl Fn(&EngineView) -> f64 {
    let counts = || engines.iter().map(&count);
    let (most, least) = (counts().max().unwrap_or(0), counts().min().unwrap_or(0));
    move |engine| if most == least { 1.0 } else { (most - count(engine)) as f64 / (most - least) as f64 }
}

/// An engine drawn in proportion to the scores; any of them if none has one.
pub(super) fn draw(scores: &[f64], rng: &mut Rng) -> usize {
    let total: f64 = scores.iter().sum();
    if total <= 0.0 {
        return rng.random_range(0..scores.len());
    }
    let mut left = rng.random::<f64>() * total;
    let passed = |score: &f64| {
        left -= score;
        left < 0.0
    };
    // Rounding may leave a rest behind the last.
    scores.iter().position(passed).unwrap_or(scores.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::super::Gateway;
    use super::*;
    use crate::random::{Purpose, Streams};

    fn engine(id: u32, waiting: u64, running: u64, kv_cache: f64, tokens: u64) -> EngineView {
        EngineView { id, waiting, running, kv_cache, tokens }
    }

    const NONE: Scorers = Scorers {
        queue: 0.0,
        kv_cache: 0.0,
        running: 0.0,
        load_aware: 0.0,
        token_load: 0.0,
        active_request: 0.0,
        picker: Picker::MaxScore,
    };

    fn scored(scorers: Scorers, engines: &[EngineView]) -> Vec<f64> {
        let mut scores = vec![0.0; engines.len()];
        add(&GatewayRule::Scorers(scorers), engines, &mut scores);
        scores
    }

    fn chosen(rule: GatewayRule, engines: &[EngineView], times: usize) -> Vec<u32> {
        let mut gateway = Gateway::new(rule, Streams::new(3, 0).stream(Purpose::Routing));
        (0..times).map(|_| gateway.choose(engines.iter().copied())).collect()
    }

    #[test]
    fn each_scorer_gives_what_the_endpoint_picker_documents() {
        let engines =
            [engine(1, 0, 8, 0.25, 0), engine(2, 6, 2, 0.5, 1 << 21), engine(3, 2, 4, 1.0, 1 << 23)];
        assert_eq!(scored(Scorers { queue: 1.0, ..NONE }, &engines), [1.0, 0.0, 4.0 / 6.0]);
        assert_eq!(scored(Scorers { kv_cache: 2.0, ..NONE }, &engines), [1.5, 1.0, 0.0]);
        assert_eq!(scored(Scorers { running: 1.0, ..NONE }, &engines), [0.0, 1.0, 4.0 / 6.0]);
        let load = scored(Scorers { load_aware: 1.0, ..NONE }, &engines);
        assert_eq!(load, [0.5, 0.5 * (1.0 - 6.0 / 128.0), 0.5 * (1.0 - 2.0 / 128.0)]);
        assert_eq!(scored(Scorers { token_load: 1.0, ..NONE }, &engines), [1.0, 0.5, 0.0]);
        assert_eq!(scored(Scorers { active_request: 1.0, ..NONE }, &engines), [0.0, 0.0, 0.25]);
        let equal = [engine(1, 3, 3, 0.0, 0), engine(2, 3, 3, 0.0, 0)];
        assert_eq!(scored(Scorers { queue: 1.0, running: 1.0, ..NONE }, &equal), [2.0, 2.0]);
        let idle = [engine(1, 0, 0, 0.0, 0)];
        assert_eq!(scored(Scorers { active_request: 1.0, ..NONE }, &idle), [1.0]);
    }

    #[test]
    fn the_least_is_chosen_and_equals_at_random() {
        let engines = [engine(7, 2, 0, 0.3, 0), engine(8, 1, 9, 0.3, 0), engine(9, 1, 0, 0.9, 0)];
        let by_cache = chosen(GatewayRule::LeastKvCache, &engines, 200);
        let first = by_cache.iter().filter(|id| **id == 7).count();
        assert!(by_cache.iter().all(|id| *id != 9) && (60..140).contains(&first), "{first} of 200");
        let by_queue = chosen(GatewayRule::LeastWaiting, &engines, 200);
        let second = by_queue.iter().filter(|id| **id == 8).count();
        assert!(by_queue.iter().all(|id| *id != 7) && (60..140).contains(&second), "{second} of 200");
    }

    #[test]
    fn a_weighted_draw_follows_the_scores() {
        let scorers = Scorers { kv_cache: 1.0, picker: Picker::WeightedRandom, ..NONE };
        let engines = [engine(1, 0, 0, 0.25, 0), engine(2, 0, 0, 0.75, 0)];
        let drawn = chosen(GatewayRule::Scorers(scorers), &engines, 10_000);
        let first = drawn.iter().filter(|id| **id == 1).count();
        // Five standard deviations of a binomial of 10,000 draws.
        assert!((7280..=7720).contains(&first), "{first} of 10000");
        let without = Scorers { picker: Picker::WeightedRandom, ..NONE };
        let any = chosen(GatewayRule::Scorers(without), &engines, 100);
        assert!(any.contains(&1) && any.contains(&2));
    }
}
