//! The keys of `[dispatch]` for inference gateways, which look at what each engine of a language model has to do.

use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};

/// How an inference gateway chooses an instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GatewayRule {
    /// The least share of the KV cache in use.
    LeastKvCache,
    /// The fewest prompts waiting.
    LeastWaiting,
    /// The greatest sum of scores.
    Scorers(Scorers),
}

/// The scorers of llm-d's endpoint picker by their weights; 0: not asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scorers {
    /// (Most waiting − waiting) / (most − fewest) over the instances; 1 if all have as many.
    pub queue: f64,
    /// 1 − the share of the KV cache in use.
    pub kv_cache: f64,
    /// As `queue`, of the requests in service.
    pub running: f64,
    /// 0.5 without a waiting request, else 0.5 × (1 − waiting / 128), at least 0.
    pub load_aware: f64,
    /// 1 − tokens in flight / 4,194,304, at least 0.
    pub token_load: f64,
    /// 1 without a request, else (most − requests) / most over the instances.
    pub active_request: f64,
    /// How the scores decide.
    pub picker: Picker,
}

/// How scores decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picker {
    /// The greatest; one of them at random among equals.
    MaxScore,
    /// A draw in proportion to the scores.
    WeightedRandom,
}

impl Choice for Picker {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("max_score", Picker::MaxScore, "the instance with the greatest sum; among equals one at random"),
        ("weighted_random", Picker::WeightedRandom, "an instance drawn in proportion to the sums"),
    ];
}

impl Value for Picker {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const fn weight(name: &'static str, default: &'static str, doc: &'static str) -> Key<f64> {
    Key::or(name, default, doc).at_least(0.0).at_most(1e6)
}

const QUEUE: Key<f64> = weight(
    "queue_weight",
    "2",
    "Weight of the fewest prompts waiting: (most − waiting) / (most − fewest) over the instances, 1 if all have as many.",
);
const KV_CACHE: Key<f64> =
    weight("kv_cache_weight", "2", "Weight of the least KV cache in use: 1 − its share.");
const RUNNING: Key<f64> =
    weight("running_weight", "0", "Weight of the fewest requests in service, as `queue_weight`.");
const LOAD_AWARE: Key<f64> = weight(
    "load_aware_weight",
    "0",
    "Weight of 0.5 for an instance without a prompt waiting, else 0.5 × (1 − waiting / 128), at least 0.",
);
const TOKEN_LOAD: Key<f64> = weight(
    "token_load_weight",
    "0",
    "Weight of 1 − tokens of the prompts in flight / 4,194,304, at least 0.",
);
const ACTIVE_REQUEST: Key<f64> = weight(
    "active_request_weight",
    "0",
    "Weight of 1 for an instance without a request, else (most − requests) / most over the instances.",
);
const PICKER: Key<Picker> = Key::or("picker", "\"max_score\"", "How the scores decide.");

pub(super) const LEAST_KV_CACHE: TableSpec = TableSpec {
    name: "least_kv_cache",
    doc: "An inference gateway: the instance of an `llm` with the least share of its KV cache in use; among equals one at random.",
    keys: &[],
};
pub(super) const LEAST_WAITING: TableSpec = TableSpec {
    name: "least_waiting",
    doc: "An inference gateway: the instance of an `llm` with the fewest prompts waiting; among equals one at random.",
    keys: &[],
};
pub(super) const SCORERS: TableSpec = TableSpec {
    name: "scorers",
    doc: "An inference gateway as llm-d's endpoint picker: each scorer gives every instance of an `llm` 0 to 1, and the sum by weights decides. The default weights are those of llm-d's chart.",
    keys: &[&QUEUE, &KV_CACHE, &RUNNING, &LOAD_AWARE, &TOKEN_LOAD, &ACTIVE_REQUEST, &PICKER],
};

impl GatewayRule {
    /// The rule of a policy of this name; `None` if it is no gateway's.
    pub(super) fn read(name: &str, reader: &Reader<'_>) -> Result<Option<GatewayRule>, Problem> {
        Ok(Some(match name {
            "least_kv_cache" => GatewayRule::LeastKvCache,
            "least_waiting" => GatewayRule::LeastWaiting,
            "scorers" => GatewayRule::Scorers(Scorers::read(reader)?),
            _ => return Ok(None),
        }))
    }
}

impl Scorers {
    fn read(reader: &Reader<'_>) -> Result<Scorers, Problem> {
        let scorers = Scorers {
            queue: reader.get(&QUEUE)?,
            kv_cache: reader.get(&KV_CACHE)?,
            running: reader.get(&RUNNING)?,
            load_aware: reader.get(&LOAD_AWARE)?,
            token_load: reader.get(&TOKEN_LOAD)?,
            active_request: reader.get(&ACTIVE_REQUEST)?,
            picker: reader.get(&PICKER)?,
        };
        Ok(scorers)
    }
}
