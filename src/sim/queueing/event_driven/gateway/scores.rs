//! The scores of engines: each scorer gives 0 to 1.

use rand::RngExt as _;

use super::EngineView;
use super::prefix_index::PrefixIndex;
use crate::random::Rng;
use crate::sim::queueing::gateway::{GatewayRule, Picker, RayPrefix, Scorers};

/// Waiting requests from which on load-aware scoring gives nothing.
const QUEUE_LIMIT: f64 = 128.0;
/// Tokens in flight from which on token-load scoring gives nothing.
const TOKEN_LIMIT: f64 = 4_194_304.0;

/// Tokens of a prompt of which llm-d's index looks for matches: 256 blocks of 16.
const MATCHED: u64 = 256 * 16;

/// What is chosen from: the engines, and the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub engines: &'a [EngineView],
    pub index: Option<&'a PrefixIndex>,
    pub content: u32,
    pub prompt: u64,
}

impl Choice<'_> {
    /// Difference of the most and the fewest requests.
    pub fn imbalance(&self) -> f64 {
        let requests = || self.engines.iter().map(EngineView::requests);
        (requests().max().unwrap_or(0) - requests().min().unwrap_or(0)) as f64
    }
}

impl EngineView {
    fn requests(&self) -> u64 {
        self.waiting + self.running
    }
}

impl GatewayRule {
    /// Whether it goes by what it has sent.
    pub(super) fn remembers(&self) -> bool {
        match self {
            GatewayRule::LeastKvCache | GatewayRule::LeastWaiting | GatewayRule::DynamoKv(_) => false,
            GatewayRule::Scorers(scorers) => scorers.looks_at_prefixes() || scorers.session > 0.0,
            GatewayRule::RayPrefix(_) | GatewayRule::VllmPrefix => true,
        }
    }
}

impl Scorers {
    /// Whether the scores are only odds.
    pub(super) fn is_drawn(&self) -> bool {
        self.picker == Picker::WeightedRandom
    }

    /// Whether it asks what is found of a prompt.
    pub(super) fn looks_at_prefixes(&self) -> bool {
        self.prefix > 0.0 || self.no_hit > 0.0
    }
}

/// Adds to each engine's score what the rule gives it.
pub(super) fn add(rule: &GatewayRule, choice: &Choice<'_>, scores: &mut [f64]) {
    let engines = choice.engines;
    match rule {
        GatewayRule::LeastKvCache => add_each(engines, scores, |engine| -engine.kv_cache),
        GatewayRule::LeastWaiting => add_each(engines, scores, |engine| -(engine.waiting as f64)),
        GatewayRule::Scorers(scorers) => scorers.add(choice, scores),
        GatewayRule::DynamoKv(settings) => add_each(engines, scores, |engine| {
            let to_compute = (engine.prefill + choice.prompt).saturating_sub(engine.found);
            -(settings.prefill * to_compute as f64 + (engine.held + choice.prompt) as f64)
        }),
        GatewayRule::RayPrefix(settings) => ray_prefix(settings, choice, scores),
        GatewayRule::VllmPrefix => add_each(engines, scores, |engine| engine.found as f64),
    }
}

fn add_each(engines: &[EngineView], scores: &mut [f64], score: impl Fn(&EngineView) -> f64) {
    scores.iter_mut().zip(engines).for_each(|(sum, engine)| *sum += score(engine));
}

/// The fewest requests among the engines with the longest match, or where that is short, with the least sent; the others score
/// nothing that can win.
fn ray_prefix(settings: &RayPrefix, choice: &Choice<'_>, scores: &mut [f64]) {
    let longest = choice.engines.iter().map(|engine| engine.found).max().unwrap_or(0);
    let counts = longest > 0 && longest as f64 >= settings.least_share * choice.prompt as f64;
    let size = |engine: &EngineView| choice.index.map_or(0, |index| index.size(engine.id));
    let least = choice.engines.iter().map(size).min().unwrap_or(0);
    add_each(choice.engines, scores, |engine| {
        let is_among = if counts { engine.found == longest } else { size(engine) == least };
        if is_among { -(engine.requests() as f64) } else { f64::NEG_INFINITY }
    });
}

/// The one with fewer requests of two engines drawn at random; the first drawn among equals.
pub(super) fn fewer_of_two(engines: &[EngineView], rng: &mut Rng) -> usize {
    let one = rng.random_range(0..engines.len());
    if engines.len() == 1 {
        return one;
    }
    let mut other = rng.random_range(0..engines.len() - 1);
    other += usize::from(other >= one);
    if engines[other].requests() < engines[one].requests() { other } else { one }
}

impl Scorers {
    fn add(&self, choice: &Choice<'_>, scores: &mut [f64]) {
        let engines = choice.engines;
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
        let most = engines.iter().map(EngineView::requests).max().unwrap_or(0).max(1) as f64;
        weighted(self.active_request, &|engine| (most - engine.requests() as f64) / most);
        let whole = choice.prompt.clamp(1, MATCHED) as f64;
        weighted(self.prefix, &|engine| engine.found.min(MATCHED) as f64 / whole);
        if let Some(index) = choice.index {
            weighted(self.session, &|engine| f64::from(u8::from(index.is_last(engine.id, choice.content))));
            if engines.iter().all(|engine| engine.found == 0) {
                let used = |engine: &EngineView| index.cold_use(engine.id);
                let last = (engines.len() - 1).max(1) as f64;
                let rank = |engine: &EngineView| {
                    engines.iter().filter(|other| used(other) < used(engine)).count() as f64
                };
                weighted(self.no_hit, &|engine| 1.0 - rank(engine) / last);
            }
        }
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
    use crate::service::{Contents, Request, Tokens};
    use crate::sim::queueing::gateway::{DynamoKv, KnownBy};

    fn engine(id: u32, waiting: u64, running: u64, kv_cache: f64, tokens: u64) -> EngineView {
        EngineView { id, waiting, running, kv_cache, tokens, ..EngineView::default() }
    }

    const NONE: Scorers = Scorers {
        queue: 0.0,
        kv_cache: 0.0,
        running: 0.0,
        load_aware: 0.0,
        token_load: 0.0,
        active_request: 0.0,
        prefix: 0.0,
        session: 0.0,
        no_hit: 0.0,
        prefix_index: KnownBy::Routed,
        picker: Picker::MaxScore,
    };

    fn scored(scorers: Scorers, engines: &[EngineView]) -> Vec<f64> {
        let mut scores = vec![0.0; engines.len()];
        let choice = Choice { engines, index: None, content: 0, prompt: 1000 };
        add(&GatewayRule::Scorers(scorers), &choice, &mut scores);
        scores
    }

    fn chosen(rule: GatewayRule, engines: &[EngineView], times: usize) -> Vec<u32> {
        let contents = Contents::Sessions { common_tokens: 0 };
        let mut gateway = Gateway::new(rule, Streams::new(3, 0).stream(Purpose::Routing), contents, 16);
        (0..times).map(|_| gateway.choose(&Request::default(), engines.iter().copied())).collect()
    }

    /// Where requests of these sessions and prompt tokens go, to three engines with nothing to do.
    fn routed(rule: GatewayRule, requests: &[(u32, u32)]) -> Vec<u32> {
        let contents = Contents::Sessions { common_tokens: 0 };
        let mut gateway = Gateway::new(rule, Streams::new(3, 0).stream(Purpose::Routing), contents, 16);
        let engines = [1, 2, 3].map(|id| engine(id, 0, 0, 0.0, 0));
        let request = |(content, prompt): &(u32, u32)| Request {
            content: *content,
            tokens: Tokens { prompt: *prompt, output: 1 },
            ..Request::default()
        };
        requests.iter().map(|one| gateway.choose(&request(one), engines.into_iter())).collect()
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

    #[test]
    fn a_session_stays_where_its_prefix_was_sent() {
        let turns: Vec<(u32, u32)> = (0..60).map(|turn| (1 + turn % 6, 100 + 50 * (turn / 6))).collect();
        let rules = [
            GatewayRule::Scorers(Scorers { prefix: 1.0, ..NONE }),
            GatewayRule::Scorers(Scorers { session: 1.0, ..NONE }),
            GatewayRule::RayPrefix(RayPrefix { least_share: 0.1, imbalance: None }),
            GatewayRule::VllmPrefix,
        ];
        for rule in rules {
            let went = routed(rule, &turns);
            for (index, engine) in went.iter().enumerate().skip(6) {
                assert_eq!(*engine, went[index % 6], "{rule:?} at {index}");
            }
        }
        let spread = routed(GatewayRule::LeastWaiting, &turns);
        assert!(spread.iter().enumerate().any(|(index, engine)| *engine != spread[index % 6]));
    }

    #[test]
    fn prompts_of_which_nothing_is_known_go_where_the_last_such_prompt_went_longest_ago() {
        let went = routed(
            GatewayRule::Scorers(Scorers { no_hit: 1.0, ..NONE }),
            &[(1, 50), (2, 50), (3, 50), (4, 50)],
        );
        assert!(
            went[0] != went[1] && went[1] != went[2] && went[2] != went[0] && went[3] == went[0],
            "{went:?}"
        );
        // Those that were sent least, of three.
        let went = routed(
            GatewayRule::RayPrefix(RayPrefix { least_share: 0.1, imbalance: None }),
            &[(1, 500), (2, 50), (3, 60), (4, 50)],
        );
        assert_eq!(went[3], went[1], "{went:?}");
    }

    #[test]
    fn the_cost_of_blocks_weighs_what_is_found_against_what_is_held() {
        let view =
            |id, prefill, held, found| EngineView { id, prefill, held, found, ..EngineView::default() };
        let engines = [view(1, 0, 3000, 2000), view(2, 0, 1500, 0), view(3, 4000, 0, 0)];
        let cost = |prefill| {
            let mut scores = vec![0.0; 3];
            let choice = Choice { engines: &engines, index: None, content: 1, prompt: 2500 };
            add(&GatewayRule::DynamoKv(DynamoKv { prefill }), &choice, &mut scores);
            scores
        };
        assert_eq!(cost(1.0), [-6000.0, -6500.0, -9000.0]);
        assert_eq!(cost(0.0), [-5500.0, -4000.0, -2500.0]);
    }

    /// The example that Dynamo publishes with its rule (ai-dynamo/dynamo, `docs/router/kv_cache_routing.md` at 1148bfb247a0): a prompt of
    /// ten blocks, of which three workers have 2, 5 and 8, while they decode with 10, 5 and 9. Blocks of the prompt itself, which
    /// it leaves out, are the same for each.
    #[test]
    fn the_published_example_of_dynamo_comes_out_with_its_costs() {
        const BLOCK: u64 = 16;
        let engines = [(1, 2, 10), (2, 5, 5), (3, 8, 9)].map(|(id, found, held)| EngineView {
            id,
            found: found * BLOCK,
            held: held * BLOCK,
            ..EngineView::default()
        });
        let rule = |prefill| GatewayRule::DynamoKv(DynamoKv { prefill });
        let costs = |prefill| {
            let mut scores = [0.0; 3];
            let choice = Choice { engines: &engines, index: None, content: 1, prompt: 10 * BLOCK };
            add(&rule(prefill), &choice, &mut scores);
            scores.map(|score| -score / BLOCK as f64 - 10.0)
        };
        assert_eq!(costs(1.0), [18.0, 10.0, 11.0]);
        let mut gateway = Gateway::new(
            rule(1.0),
            Streams::new(3, 0).stream(Purpose::Routing),
            Contents::Sessions { common_tokens: 0 },
            16,
        );
        let tokens = Tokens { prompt: 10 * BLOCK as u32, output: 1 };
        let sent = gateway.choose(&Request { content: 1, tokens, ..Request::default() }, engines.into_iter());
        assert_eq!(sent, 2, "as published");
        // Twice the weight for the cache: 8, 5 and 2 more.
        assert_eq!(costs(2.0), [26.0, 15.0, 13.0]);
    }

    #[test]
    fn beyond_the_imbalance_the_fewer_of_two_take_it() {
        let engines = [engine(1, 9, 0, 0.0, 0), engine(2, 0, 0, 0.0, 0)];
        let rule = |imbalance| GatewayRule::RayPrefix(RayPrefix { least_share: 0.0, imbalance });
        assert!(chosen(rule(Some(5.0)), &engines, 20).iter().all(|id| *id == 2));
    }
}
