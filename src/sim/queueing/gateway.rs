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
    /// The least cost of blocks to compute and to hold, as Dynamo's router.
    DynamoKv(DynamoKv),
    /// The most of the prompt sent before, as Ray Serve's prefix router.
    RayPrefix(RayPrefix),
    /// The most of the prompt sent before, as the prefix router of vLLM's production stack.
    VllmPrefix,
}

/// Dynamo's router.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DynamoKv {
    /// Weight of the blocks to compute against those to hold.
    pub prefill: f64,
}

/// Ray Serve's prefix router.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RayPrefix {
    /// Share of the prompt from which on a match counts.
    pub least_share: f64,
    /// Difference of the longest and the shortest queue beyond which prefixes do not count; `None`: they always do.
    pub imbalance: Option<f64>,
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
    /// Share of the prompt that is found, of at most 4,096 tokens.
    pub prefix: f64,
    /// 1 for the instance that the session's last turn went to.
    pub session: f64,
    /// Of a prompt of which nothing is found anywhere: 1 for the instance that such a prompt went to longest ago, down to 0.
    pub no_hit: f64,
    /// What tells where a prompt is found.
    pub prefix_index: KnownBy,
    /// How the scores decide.
    pub picker: Picker,
}

/// What tells a gateway where a prompt is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// What it has sent.
    Routed,
    /// What the instances have.
    Cached,
}

impl Choice for KnownBy {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "routed",
            KnownBy::Routed,
            "what the gateway has sent, the last 500,000 tokens of each instance, whether they are still there or not",
        ),
        ("cached", KnownBy::Cached, "what the instances have, as they report it"),
    ];
}

impl Value for KnownBy {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
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
const PREFIX: Key<f64> = weight(
    "prefix_weight",
    "3",
    "Weight of the share of the prompt that is found, of at most 4,096 tokens; with `service.prefix_cache`.",
);
const SESSION: Key<f64> =
    weight("session_weight", "0", "Weight of 1 for the instance that the last turn of the session went to.");
const NO_HIT: Key<f64> = weight(
    "no_hit_weight",
    "0",
    "Weight, for a prompt of which nothing is found anywhere, of 1 for the instance that such a prompt went to longest ago, down to 0 for the last.",
);
const PREFIX_INDEX: Key<KnownBy> =
    Key::or("prefix_index", "\"routed\"", "What tells where a prompt is found.");
const PREFILL: Key<f64> =
    Key::or("prefill_weight", "1", "Weight of the blocks to compute against those to hold.")
        .at_least(0.0)
        .at_most(1e6);
const LEAST_SHARE: Key<f64> =
    Key::or("least_share", "0.1", "Share of the prompt from which on a match counts.")
        .at_least(0.0)
        .at_most(1.0);
const IMBALANCE: Key<Option<f64>> = Key::optional(
    "imbalance",
    "Difference of the most and the fewest requests beyond which the one with fewer of two drawn at random is taken. Without it prefixes always count.",
)
.at_least(0.0);
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
    keys: &[
        &QUEUE,
        &KV_CACHE,
        &PREFIX,
        &RUNNING,
        &LOAD_AWARE,
        &TOKEN_LOAD,
        &ACTIVE_REQUEST,
        &SESSION,
        &NO_HIT,
        &PREFIX_INDEX,
        &PICKER,
    ],
};
pub(super) const DYNAMO_KV: TableSpec = TableSpec {
    name: "dynamo_kv",
    doc: "Dynamo's router: the instance of an `llm` with the least cost, `prefill_weight` × (blocks of prompts without an answer + of this prompt − found in its cache) + blocks held + of this prompt; among equals one at random.",
    keys: &[&PREFILL],
};
pub(super) const RAY_PREFIX: TableSpec = TableSpec {
    name: "ray_prefix",
    doc: "Ray Serve's prefix router: the instances of an `llm` that were sent most of the prompt before, if that is `least_share` of it, else those that were sent least of all; of these the one with the fewest requests.",
    keys: &[&LEAST_SHARE, &IMBALANCE],
};
pub(super) const VLLM_PREFIX: TableSpec = TableSpec {
    name: "vllm_prefix",
    doc: "The prefix-aware router of vLLM's production stack: one at random of the instances of an `llm` that were sent most of the prompt before.",
    keys: &[],
};

impl GatewayRule {
    /// The rule of a policy of this name; `None` if it is no gateway's.
    pub(super) fn read(name: &str, reader: &Reader<'_>) -> Result<Option<GatewayRule>, Problem> {
        Ok(Some(match name {
            "least_kv_cache" => GatewayRule::LeastKvCache,
            "least_waiting" => GatewayRule::LeastWaiting,
            "scorers" => GatewayRule::Scorers(Scorers::read(reader)?),
            "dynamo_kv" => GatewayRule::DynamoKv(DynamoKv { prefill: reader.get(&PREFILL)? }),
            "ray_prefix" => GatewayRule::RayPrefix(RayPrefix {
                least_share: reader.get(&LEAST_SHARE)?,
                imbalance: reader.find(&IMBALANCE)?,
            }),
            "vllm_prefix" => GatewayRule::VllmPrefix,
            _ => return Ok(None),
        }))
    }
}

impl Scorers {
    fn read(reader: &Reader<'_>) -> Result<Scorers, Problem> {
        Ok(Scorers {
            queue: reader.get(&QUEUE)?,
            kv_cache: reader.get(&KV_CACHE)?,
            running: reader.get(&RUNNING)?,
            load_aware: reader.get(&LOAD_AWARE)?,
            token_load: reader.get(&TOKEN_LOAD)?,
            active_request: reader.get(&ACTIVE_REQUEST)?,
            prefix: reader.get(&PREFIX)?,
            session: reader.get(&SESSION)?,
            no_hit: reader.get(&NO_HIT)?,
            prefix_index: reader.get(&PREFIX_INDEX)?,
            picker: reader.get(&PICKER)?,
        })
    }
}
