//! An inference gateway in a run: it looks at what each engine has to do, and scores it.
//!
//! The rules are those of llm-d's endpoint picker (llm-d/llm-d-inference-scheduler @ 520af47, `pkg/epp/framework/plugins/scheduling`).
//! What a gateway scrapes is some tens of milliseconds old in reality; here it is as of the instant.

mod scores;

use crate::random::{Rng, below};
use crate::sim::queueing::gateway::GatewayRule;

/// What a gateway sees of an instance.
#[derive(Debug, Clone, Copy, PartialEq)]
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
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Gateway {
    rule: GatewayRule,
    rng: Rng,
    /// The engines at a choice, and their scores; kept for their memory.
    engines: Vec<EngineView>,
    scores: Vec<f64>,
}

impl Gateway {
    /// A gateway of this rule, which draws from `rng`.
    pub fn new(rule: GatewayRule, rng: Rng) -> Gateway {
        Gateway { rule, rng, engines: Vec::new(), scores: Vec::new() }
    }

    /// Whether it looks at the tokens of prompts.
    pub fn counts_tokens(&self) -> bool {
        matches!(self.rule, GatewayRule::Scorers(scorers) if scorers.token_load > 0.0)
    }

    /// The number of the engine that the next request goes to, of which there is at least one.
    pub fn choose(&mut self, engines: impl Iterator<Item = EngineView>) -> u32 {
        self.engines.clear();
        self.engines.extend(engines);
        self.scores.clear();
        self.scores.resize(self.engines.len(), 0.0);
        scores::add(&self.rule, &self.engines, &mut self.scores);
        let index = match self.rule {
            GatewayRule::Scorers(scorers) if scorers.is_drawn() => scores::draw(&self.scores, &mut self.rng),
            _ => self.greatest(),
        };
        self.engines[index].id
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
