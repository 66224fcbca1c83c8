//! An inference gateway in a run: it looks at what each engine has to do and has of the prompt, and scores it.
//!
//! The rules are those of llm-d's endpoint picker (llm-d/llm-d-inference-scheduler @ 520af47, `pkg/epp/framework/plugins/scheduling`),
//! Dynamo's router (`docs/components/router/router-concepts.md` @ 03037af), Ray Serve's `PrefixCacheAffinityRouter` (@ 06c16f2) and the
//! prefix-aware router of vLLM's production stack (`routing_logic.py` @ a6c01db). What a gateway scrapes is some tens of milliseconds
//! old in reality; here it is as of the instant.

mod prefix_index;
mod scores;

use prefix_index::PrefixIndex;

use crate::random::{Rng, below};
use crate::service::{Contents, Request};
use crate::sim::queueing::gateway::{GatewayRule, KnownBy};

/// Tokens that llm-d's index remembers of each engine: 31,250 blocks of 16.
const REMEMBERED: u64 = 31_250 * 16;

/// What a gateway sees of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EngineView {
    /// Its number.
    pub id: u32,
    /// Prompts waiting.
    pub waiting: u64,
    /// Requests in service.
    pub running: u64,
    /// Share of the KV cache in use.
    pub kv_cache: f64,
    /// Tokens of the prompts waiting or in service.
    pub tokens: u64,
    /// Tokens of the prompts whose answers have not begun.
    pub prefill: u64,
    /// Tokens of the KV cache in use.
    pub held: u64,
    /// Tokens of the prompt that it has.
    pub found: u64,
}

/// Which engines a gateway looks into, beside what they all report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// At the tokens of their prompts.
    pub tokens: bool,
    /// Into their prefix caches.
    pub prefix_cache: bool,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Gateway {
    rule: GatewayRule,
    rng: Rng,
    /// What it has sent where, if it goes by that.
    index: Option<PrefixIndex>,
    /// The engines at a choice, and their scores; kept for their memory.
    engines: Vec<EngineView>,
    scores: Vec<f64>,
}

impl Gateway {
    /// A gateway of this rule, which draws from `rng`; blocks of the engines' caches have so many tokens.
    pub fn new(rule: GatewayRule, rng: Rng, contents: Contents, block_tokens: u32) -> Gateway {
        let limit = match rule {
            GatewayRule::Scorers(_) => REMEMBERED,
            // Their trees are never cut, unless they are told to.
            _ => u64::MAX,
        };
        let index = rule.remembers().then(|| PrefixIndex::new(contents, block_tokens, limit));
        Gateway { rule, rng, index, engines: Vec::new(), scores: Vec::new() }
    }

    /// What it looks into.
    pub fn looks(&self) -> Looks {
        match self.rule {
            GatewayRule::LeastKvCache | GatewayRule::LeastWaiting => {
                Looks { tokens: false, prefix_cache: false }
            }
            GatewayRule::Scorers(scorers) => Looks {
                tokens: scorers.token_load > 0.0,
                prefix_cache: scorers.looks_at_prefixes() && scorers.prefix_index == KnownBy::Cached,
            },
            GatewayRule::DynamoKv(_) => Looks { tokens: true, prefix_cache: true },
            GatewayRule::RayPrefix(_) | GatewayRule::VllmPrefix => {
                Looks { tokens: false, prefix_cache: false }
            }
        }
    }

    /// The number of the engine that a request goes to, of which there is at least one.
    pub fn choose(&mut self, request: &Request, engines: impl Iterator<Item = EngineView>) -> u32 {
        let (content, prompt) = (request.content, u64::from(request.tokens.prompt));
        self.engines.clear();
        self.engines.extend(engines);
        if let Some(index) = &self.index
            && !self.looks().prefix_cache
        {
            self.engines.iter_mut().for_each(|engine| engine.found = index.found(engine.id, content, prompt));
        }
        self.scores.clear();
        self.scores.resize(self.engines.len(), 0.0);
        let view = scores::Choice { engines: &self.engines, index: self.index.as_ref(), content, prompt };
        scores::add(&self.rule, &view, &mut self.scores);
        let place = match self.rule {
            GatewayRule::Scorers(scorers) if scorers.is_drawn() => scores::draw(&self.scores, &mut self.rng),
            GatewayRule::RayPrefix(settings)
                if view.imbalance() > settings.imbalance.unwrap_or(f64::INFINITY) =>
            {
                scores::fewer_of_two(&self.engines, &mut self.rng)
            }
            _ => self.greatest(),
        };
        let chosen = self.engines[place].id;
        if let Some(index) = &mut self.index {
            let is_cold = self.engines.iter().all(|engine| engine.found == 0);
            index.send(chosen, content, prompt, is_cold);
        }
        chosen
    }

    /// An engine takes no more requests.
    pub fn forget(&mut self, engine: u32) {
        self.index.iter_mut().for_each(|index| index.forget(engine));
    }

    /// The one with the greatest score; among equals one at random.
    fn greatest(&mut self) -> usize {
        let greatest = self.scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let equals = || self.scores.iter().enumerate().filter(|(_, score)| **score == greatest);
        let count = equals().count();
        let nth = if count > 1 { below(&mut self.rng, count) } else { 0 };
        equals().nth(nth).map_or(0, |(index, _)| index)
    }
}
