//! `[dispatch]`: how requests meet instances.

use super::gateway::{
    DYNAMO_KV, GatewayRule, LEAST_KV_CACHE, LEAST_WAITING, RAY_PREFIX, SCORERS, VLLM_PREFIX,
};
use crate::distribution::Durations;
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, TableSpec, UnionSpec, Value, read_choice};
use crate::time::Span;

/// Slots that all instances together may have at a time: a quarter of what the engine can tell apart, so that those of
/// draining instances have room beside them.
pub const MAX_SLOTS: u64 = 1 << 20;

/// How requests are assigned to instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Which instance a request goes to.
    pub policy: DispatchPolicy,
    /// Maximum number of requests waiting: in the central queue, or at each instance; also of those buffered while no
    /// instance is ready. `None`: no limit.
    pub queue_capacity: Option<u64>,
    /// How long a request is willing to wait for its service to begin, in seconds; `None`: as long as it takes.
    pub patience: Option<Durations>,
    /// Share of the requests that are of the high class; `None`: classes are not told apart.
    pub high_priority: Option<f64>,
    /// Which idle slot, or instance with room, a central queue gives the next request.
    pub idle: Idle,
}

/// Which idle slot, or instance with room, a central queue gives the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Idle {
    /// The one free longest, so that work is spread evenly; the instance with the fewest requests, for its speed.
    #[default]
    Longest,
    /// One of the newest instance: the older ones stay idle and can go.
    Newest,
    /// One of the fastest instance, the one free longest among equals.
    Fastest,
}

impl Choice for Idle {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "longest",
            Idle::Longest,
            "the slot free longest, so that work is spread evenly; the instance with the fewest requests, for its speed",
        ),
        ("newest", Idle::Newest, "the newest instance: the older ones stay idle and can go"),
        ("fastest", Idle::Fastest, "the fastest instance; among equals as with `\"longest\"`"),
    ];
}

impl Value for Idle {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// Which instance a request goes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DispatchPolicy {
    /// All wait in one queue; the head goes to the next free slot.
    CentralQueue,
    /// Instances in turn, in the order they became ready.
    RoundRobin,
    /// An instance drawn uniformly.
    Random,
    /// The instance with the fewest requests, the one ready longest among equals.
    LeastOutstanding,
    /// The one with the fewest requests among `d` distinct instances drawn uniformly; the first drawn among equals.
    PowerOfD(u32),
    /// Connections that clients keep alive: a request takes one that is idle, with its instance, if one has been so for no
    /// longer than this; else it opens one, to an instance drawn uniformly.
    Connections(Span),
    /// The one that an inference gateway chooses by what each engine has to do.
    Gateway(GatewayRule),
}

const QUEUE_CAPACITY: Key<Option<u64>> = Key::optional(
    "queue_capacity",
    "Maximum queue length, in requests: of the central queue, or at each instance; also of the buffer while no instance is ready. Further requests are rejected. Without it there is no limit.",
);
const TIMEOUT: Key<Option<Durations>> = Key::optional(
    "timeout",
    "Maximum wait of a request for its service to begin; then it times out. A distribution if patience differs. Central queue only. Without it there is no limit.",
);
const HIGH_PRIORITY: Key<Option<f64>> = Key::optional(
    "high_priority",
    "Share of the requests that are of the high class, 0 to 1. A waiting request of the high class is begun before any of the low one; service is never interrupted. Central queue only.",
)
.at_least(0.0)
.at_most(1.0);
const IDLE: Key<Idle> = Key::or(
    "idle",
    "\"longest\"",
    "Which of the free slots gets the next request; with other service models, which instance with room. A busy `llm` takes requests from the queue at the end of each iteration.",
);
const CHOICES: Key<u32> = Key::or("choices", "2", "How many distinct instances are drawn.").at_least(1.0);

const IDLE_EXPIRY: Key<Span> = Key::or(
    "idle_expiry",
    "\"5s\"",
    "How long an idle connection is kept; 5 s is the default of Python's `httpx`.",
);

const CENTRAL_QUEUE: TableSpec = TableSpec {
    name: "central_queue",
    doc: "All requests wait in one queue, first come first served; the first one gets the next free slot.",
    keys: &[&TIMEOUT, &HIGH_PRIORITY, &IDLE],
};
const ROUND_ROBIN: TableSpec = TableSpec {
    name: "round_robin",
    doc: "Instances take turns, in the order they became ready. Each has a queue of its own, as in the policies below.",
    keys: &[],
};
const RANDOM: TableSpec = TableSpec { name: "random", doc: "An instance drawn uniformly.", keys: &[] };
const LEAST_OUTSTANDING: TableSpec = TableSpec {
    name: "least_outstanding",
    doc: "The instance with the fewest requests waiting or in service; among equals the one ready longest.",
    keys: &[],
};
const POWER_OF_D: TableSpec = TableSpec {
    name: "power_of_d",
    doc: "The one with the fewest requests among `choices` distinct instances drawn uniformly; among equals the first drawn.",
    keys: &[&CHOICES],
};

const CONNECTIONS: TableSpec = TableSpec {
    name: "connections",
    doc: "Clients keep connections alive, and a connection stays tied to its instance, as behind a Kubernetes service, which balances connections and not requests. A request takes the idle connection used last, if one was used within `idle_expiry`; else it opens one, to an instance drawn uniformly. A connection is idle from an answer to the next request.",
    keys: &[&IDLE_EXPIRY],
};

impl Dispatch {
    /// The `[dispatch]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "dispatch",
        doc: "How requests are assigned to instances.",
        tag: "policy",
        default: Some("central_queue"),
        common: &[&QUEUE_CAPACITY],
        variants: &[
            &CENTRAL_QUEUE,
            &ROUND_ROBIN,
            &RANDOM,
            &LEAST_OUTSTANDING,
            &POWER_OF_D,
            &CONNECTIONS,
            &LEAST_KV_CACHE,
            &LEAST_WAITING,
            &SCORERS,
            &DYNAMO_KV,
            &RAY_PREFIX,
            &VLLM_PREFIX,
        ],
    };

    /// Reads the `[dispatch]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Dispatch, Problem> {
        let (variant, reader) = Self::SPEC.open(node, path, context)?;
        let policy = match variant.name {
            "central_queue" => DispatchPolicy::CentralQueue,
            "round_robin" => DispatchPolicy::RoundRobin,
            "random" => DispatchPolicy::Random,
            "least_outstanding" => DispatchPolicy::LeastOutstanding,
            "connections" => DispatchPolicy::Connections(reader.get(&IDLE_EXPIRY)?),
            name => match GatewayRule::read(name, &reader)? {
                Some(rule) => DispatchPolicy::Gateway(rule),
                None => DispatchPolicy::PowerOfD(reader.get(&CHOICES)?),
            },
        };
        let queue_capacity = reader.find(&QUEUE_CAPACITY)?;
        if policy != DispatchPolicy::CentralQueue {
            return Ok(Dispatch { policy, queue_capacity, ..Dispatch::default() });
        }
        Ok(Dispatch {
            policy,
            queue_capacity,
            patience: reader.find(&TIMEOUT)?,
            high_priority: reader.find(&HIGH_PRIORITY)?,
            idle: reader.get(&IDLE)?,
        })
    }
}

impl Default for Dispatch {
    /// A central queue without limit.
    fn default() -> Self {
        Dispatch {
            policy: DispatchPolicy::CentralQueue,
            queue_capacity: None,
            patience: None,
            high_priority: None,
            idle: Idle::Longest,
        }
    }
}
