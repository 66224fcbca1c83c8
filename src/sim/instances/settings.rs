//! `[instances]`: how an instance comes to life and leaves.

use super::hazards::{Hazards, LostRequests};
use super::instance_type;
use super::instance_type::{InstanceType, MAX_INSTANCES, Written};
use super::nodes;
use super::nodes::Nodes;
use super::rollout::Rollout;
use super::stage::{ColdStart, Stage};
use super::warm_pool;
use super::warm_pool::WarmPool;
use super::warm_up::WarmUp;
use crate::distribution::Durations;
use crate::random::{Purpose, Streams};
use crate::schema::{
    AnyKey, Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice,
};
use crate::time::Span;

/// How instances start and stop.
#[derive(Debug, Clone, PartialEq)]
pub struct Instances {
    /// Instances ready at the start of the run.
    pub initial: u32,
    /// Stages from the scale-up decision to ready, one after the other.
    pub cold_start: Vec<Stage>,
    /// Which ready instance a scale-down takes first.
    pub scale_down: ScaleDownOrder,
    /// How long a draining instance may finish what it has; then the rest fails. `None`: as long as it takes.
    pub drain_deadline: Option<Span>,
    /// What happens to the requests in service on an instance that is scaled down.
    pub leaving: DrainPolicy,
    /// Service requirement of the first request an instance serves, in seconds; `None`: no different.
    pub first_request: Option<Durations>,
    /// What a new instance does for itself while it serves; `None`: nothing.
    pub warm_up: Option<WarmUp>,
    /// What becomes of the requests on an instance that is lost.
    pub lost: LostRequests,
    /// What can go wrong with an instance.
    pub hazards: Hazards,
    /// Instances kept started, beside those that serve.
    pub warm_pool: Option<WarmPool>,
    /// Rolling updates, in order of their times.
    pub rollouts: Vec<Rollout>,
    /// Nodes that several instances share; `None`: each has all it needs.
    pub node: Option<Nodes>,
    /// The types of instance, in order of preference; none: all are alike, as described here.
    pub types: Vec<InstanceType>,
}

/// What happens to the requests in service on an instance that is scaled down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DrainPolicy {
    /// The instance drains: it finishes them first.
    #[default]
    Finish,
    /// They go back to the head of the queue and are resumed elsewhere where they were; the instance is gone at once.
    Requeue,
}

impl Choice for DrainPolicy {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("finish", DrainPolicy::Finish, "the instance drains: it finishes them first"),
        (
            "hand_back",
            DrainPolicy::Requeue,
            "they go back to the head of the queue and are resumed elsewhere where they were; the instance is gone at once",
        ),
    ];
}

impl Value for DrainPolicy {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// Which ready instance a scale-down takes first. Instances still starting always go before any ready one, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleDownOrder {
    /// The one that became ready last.
    Newest,
    /// The one that became ready first.
    Oldest,
    /// The one with the fewest requests, the newest among equals.
    LeastBusy,
}

impl Choice for ScaleDownOrder {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("newest", ScaleDownOrder::Newest, "the one that became ready last"),
        ("oldest", ScaleDownOrder::Oldest, "the one that became ready first"),
        (
            "least_busy",
            ScaleDownOrder::LeastBusy,
            "the one with the fewest requests, the newest among equals",
        ),
    ];
}

impl Value for ScaleDownOrder {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const INITIAL: Key<u32> = Key::or(
    "initial",
    "1",
    "Instances ready at the start of the run; left out, 1 or the autoscaler's minimum if that is more.",
)
.at_most(MAX_INSTANCES);
const COLD_START: Key<ColdStart> = Key::or(
    "cold_start",
    "\"0s\"",
    "Time from the scale-up decision to ready: one duration or distribution, or a list of stages (`[[instances.cold_start]]`), each with a `time` and a `name`, which follow one another.",
);
const SCALE_DOWN: Key<ScaleDownOrder> = Key::or(
    "scale_down",
    "\"newest\"",
    "Which ready instance a scale-down takes first. Instances still starting always go before any ready one.",
);
const DRAIN_DEADLINE: Key<Option<Span>> = Key::optional(
    "drain_deadline",
    "How long a draining instance may go on with the requests it has; then those left fail. Without it, as long as they take.",
);

const LEAVING: Key<DrainPolicy> = Key::or(
    "leaving",
    "\"finish\"",
    "What happens to the requests in service on an instance that is scaled down. \"hand_back\" goes with `slots` and a central queue only.",
);

const FIRST_REQUEST: Key<Option<Durations>> = Key::optional(
    "first_request",
    "Service requirement of the first request an instance serves, in place of the request's own: what is loaded, compiled or captured when it is first used; on a function platform, where an instance is started for a request, the start-up and the service in one. Without it no different. `slots` only.",
);
const WARM_UP: Key<Option<WarmUp>> =
    Key::optional("warm_up", "What a new instance does for itself once it is ready. Without it nothing.");
const LOST: Key<LostRequests> = Key::or(
    "lost",
    "\"fail\"",
    "What happens to the requests on an instance that is lost: failed, interrupted, or out of time as it drains. \"resume\" goes with `slots` only.",
);
const TYPE: Key<Vec<Written>> = Key::or(
    "type",
    "[]",
    "The types of instance of a pool of several, in order of preference. Without it all instances are alike.",
);
const WARM_POOL: Key<Option<WarmPool>> = Key::optional(
    "warm_pool",
    "Instances kept started, beside those that serve. Without it every start is cold.",
);
const NODE: Key<Option<Nodes>> =
    Key::optional("node", "Nodes that several instances share. Without it each instance has all it needs.");
const ROLLOUT: Key<Vec<Rollout>> = Key::or(
    "rollout",
    "[]",
    "Rolling updates: a new version takes the place of the old one while requests come. Without it none.",
);
const KEYS: [&dyn AnyKey; 17] = {
    let [start_failures, stock, failures, interruptions, slow] = Hazards::KEYS;
    [
        &INITIAL,
        &COLD_START,
        &SCALE_DOWN,
        &DRAIN_DEADLINE,
        &LEAVING,
        &FIRST_REQUEST,
        &WARM_UP,
        &LOST,
        &WARM_POOL,
        &NODE,
        &ROLLOUT,
        start_failures,
        stock,
        failures,
        interruptions,
        slow,
        &TYPE,
    ]
};

impl Instances {
    /// The `[instances]` table.
    pub const SPEC: TableSpec =
        TableSpec { name: "instances", doc: "How instances start and stop.", keys: &KEYS };

    /// Reads the `[instances]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>) -> Result<Instances, Problem> {
        let cold_start = reader.get(&COLD_START)?.0;
        let hazards = Hazards::read(reader, &cold_start, &Hazards::default())?;
        let complete = |written: &Written| written.complete(reader.context(), &cold_start, &hazards);
        let types: Vec<InstanceType> =
            reader.get(&TYPE)?.iter().map(complete).collect::<Result<_, Problem>>()?;
        instance_type::distinct(reader, &types)?;
        let node = reader.find(&NODE)?;
        let cold_starts = types.iter().map(|kind| kind.cold_start.as_slice());
        nodes::check(reader, node.as_ref(), cold_starts.chain([cold_start.as_slice()]))?;
        let warm_pool = reader.find(&WARM_POOL)?;
        if let Some(pool) = &warm_pool {
            warm_pool::check(reader, pool, &cold_start, &types)?;
        }
        let mut rollouts = reader.get(&ROLLOUT)?;
        rollouts.sort_by_key(|rollout| rollout.at);
        if !rollouts.is_empty() && warm_pool.is_some() {
            let message = format!("`{}` stands beside a warm pool", reader.path_of("rollout"));
            let label = "expected one of the two: what is kept warm is of the old version";
            return Err(reader.problem("rollout", message, label.to_owned()));
        }
        Ok(Instances {
            initial: reader.get(&INITIAL)?,
            cold_start,
            scale_down: reader.get(&SCALE_DOWN)?,
            drain_deadline: reader.find(&DRAIN_DEADLINE)?,
            leaving: reader.get(&LEAVING)?,
            first_request: reader.find(&FIRST_REQUEST)?,
            warm_up: reader.find(&WARM_UP)?,
            lost: reader.get(&LOST)?,
            hazards,
            warm_pool,
            rollouts,
            node,
            types,
        })
    }

    /// The types of instance, in order of preference; of a pool of one type, that one.
    pub fn kinds(&self) -> Vec<InstanceType> {
        if !self.types.is_empty() {
            return self.types.clone();
        }
        vec![InstanceType {
            name: String::new(),
            per_instance_hour: None,
            speed: 1.0,
            base: 0,
            cold_start: self.cold_start.clone(),
            hazards: self.hazards.clone(),
        }]
    }

    /// Service requirement of the first request that instance number `instance` serves, in nanoseconds; [`u64::MAX`]:
    /// the request's own.
    pub fn draw_first_request(&self, streams: Streams, instance: u32) -> u64 {
        let Some(time) = &self.first_request else { return u64::MAX };
        let mut rng = streams.substream(Purpose::FirstService, u64::from(instance));
        Span::from_secs_f64(time.0.sample(&mut rng)).as_nanos()
    }

    /// Price of an instance while it is warm, as a share of its price in service.
    pub fn warm_fraction(&self) -> f64 {
        self.warm_pool.as_ref().map_or(0.0, |pool| pool.price_fraction)
    }

    /// Whether instances can differ in speed.
    pub fn differ_in_speed(&self) -> bool {
        self.kinds().iter().any(|kind| kind.speed != 1.0 || kind.hazards.slow.is_some())
    }
}

impl Default for Instances {
    /// One instance that is ready at once and never fails.
    fn default() -> Self {
        Instances {
            initial: 1,
            cold_start: Vec::new(),
            scale_down: ScaleDownOrder::Newest,
            drain_deadline: None,
            leaving: DrainPolicy::Finish,
            first_request: None,
            warm_up: None,
            lost: LostRequests::Fail,
            hazards: Hazards::default(),
            warm_pool: None,
            rollouts: Vec::new(),
            node: None,
            types: Vec::new(),
        }
    }
}
