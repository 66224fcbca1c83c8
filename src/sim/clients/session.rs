//! The key of `[client]` for sessions of several turns: each turn sends all before it again, and something new.

use crate::distribution::{Durations, Numbers};
use crate::random::{Purpose, Streams};
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::service::{MeanTokens, Tokens};

/// Sessions of several turns, each of which begins with all that has been said.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Turns of a session, drawn for each; rounded, at least 1.
    pub turns: Numbers,
    /// Time between an answer and the next turn, in seconds, drawn for each.
    pub think_time: Durations,
    /// Tokens at the start of every session that are the same in all: a system prompt.
    pub common_tokens: u64,
    /// A session ends before a turn whose prompt and answer have more tokens together; `None`: there is no limit.
    pub max_context: Option<u64>,
}

impl Session {
    /// Tokens of a turn on average, of which each adds so many to the prompt and so many to the answer. Every turn has all before
    /// it as its prompt, so that later ones are longer; a session ends where it would be too long.
    pub fn mean_tokens(&self, added: f64, output: f64) -> MeanTokens {
        const DRAWN: u64 = 4096;
        let common = self.common_tokens as f64;
        let most = self.max_context.map_or(f64::INFINITY, |most| {
            ((most as f64 - common) / (added + output).max(1.0)).floor().max(1.0)
        });
        // The law of the turns, by draws that are the same in every scenario.
        let (mut turns, mut pairs) = (0.0, 0.0);
        for index in 0..DRAWN {
            let mut rng = Streams::new(0, 0).substream(Purpose::Turns, index);
            let drawn = f64::from(Tokens::whole(self.turns.0.sample(&mut rng))).min(most);
            turns += drawn;
            pairs += drawn * (drawn - 1.0) / 2.0;
        }
        let said_before = common + (added + output) * pairs / turns;
        MeanTokens { prompt: said_before + added, said_before, output }
    }
}

const TURNS: Key<Numbers> = Key::required(
    "turns",
    "Turns of a session: a number or a distribution, rounded, at least 1. Drawn when the session begins.",
)
.above(0.0);
const THINK_TIME: Key<Durations> = Key::or(
    "think_time",
    "\"0s\"",
    "Time between an answer and the next turn: a duration, or a distribution from which every one is drawn.",
);
const COMMON_TOKENS: Key<u64> = Key::or(
    "common_tokens",
    "0",
    "Tokens at the start of every session that are the same in all, such as a system prompt; in each prompt besides `service.prompt_tokens`.",
)
.at_most(1e7);
const MAX_CONTEXT: Key<Option<u64>> = Key::optional(
    "max_context",
    "Maximum tokens of a prompt and its answer together: a session ends before a turn that would have more. Without it there is no limit.",
)
.at_least(1.0);

pub(super) const SESSION: Key<Option<Session>> = Key::optional(
    "session",
    "Sessions of several turns, for an `llm`: `{ turns = 6, think_time = \"20s\" }`. Each arrival, or user, begins one; the prompt of a turn holds all prompts and answers before it and `service.prompt_tokens` new ones. A session ends with its last turn, or with a turn that is not answered. With `service.prefix_cache` instances find what they have computed before.",
);

const SPEC: TableSpec = TableSpec {
    name: "session",
    doc: "Sessions of several turns, each of which sends all before it again.",
    keys: &[&TURNS, &THINK_TIME, &COMMON_TOKENS, &MAX_CONTEXT],
};

impl Value for Session {
    fn kind() -> Kind {
        Kind::Table(const { &SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        Ok(Session {
            turns: reader.get(&TURNS)?,
            think_time: reader.get(&THINK_TIME)?,
            common_tokens: reader.get(&COMMON_TOKENS)?,
            max_context: reader.find(&MAX_CONTEXT)?,
        })
    }
}
