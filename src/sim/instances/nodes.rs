//! `[instances.node]`: nodes that several instances share.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::hazards::LEAST_LIFE_S;
use super::instance_type::InstanceType;
use super::stage::{Stage, StartAttempt};
use crate::distribution::Durations;
use crate::random::{Purpose, Streams};
use crate::schema::{Context, Key, Kind, Node as Written, Problem, Reader, TableSpec, Value};
use crate::time::{Instant, Span};

/// Nodes that several instances share.
#[derive(Debug, Clone, PartialEq)]
pub struct Nodes {
    /// Instances that fit on one.
    pub instances_per_node: u32,
    /// Time from the need of a node to its being there, in seconds.
    pub start: Durations,
    /// How long an empty node is kept.
    pub remove_after: Span,
    /// Price of a node for one hour, on top of that of its instances.
    pub per_node_hour: f64,
    /// Time from when it is there to its failure, in seconds; `None`: it never fails.
    pub failures: Option<Durations>,
}

const INSTANCES_PER_NODE: Key<u32> =
    Key::required("instances_per_node", "Instances that fit on one node: 8 where each takes one of 8 GPUs.")
        .at_least(1.0)
        .at_most(1000.0);
const START: Key<Durations> = Key::required(
    "start",
    "Time from when an instance finds no room to when its new node is there; the instance's cold start follows.",
);
const REMOVE_AFTER: Key<Span> = Key::or(
    "remove_after",
    "\"10m\"",
    "How long an empty node is kept. The default is that of the Kubernetes cluster autoscaler (`scale-down-unneeded-time`).",
);
const PER_NODE_HOUR: Key<f64> = Key::or(
    "per_node_hour",
    "0",
    "Price of one node for one hour, from when it is needed to when it is removed, billed exactly. It comes on top of that of the instances: where only nodes are paid for, set `cost.per_instance_hour = 0`.",
)
.at_least(0.0)
.at_most(1e9);
const FAILURES: Key<Option<Durations>> = Key::optional(
    "failure_after",
    "Time from when a node is there to its failure, which takes all its instances: a distribution, drawn for each. Without it nodes do not fail.",
)
.at_least(LEAST_LIFE_S);

const SPEC: TableSpec = TableSpec {
    name: "instances.node",
    doc: "Nodes that several instances of one type share, as on Kubernetes. An instance starts at once on a node with room, the fullest first; else a new node is asked for and it waits for that. A start with room is never refused: `stock` is about nodes, and its `quota` counts them. A stage of the cold start may be `cached_on_node`. At the start of the run the instances are on as few nodes as hold them, with everything cached.",
    keys: &[&INSTANCES_PER_NODE, &START, &REMOVE_AFTER, &PER_NODE_HOUR, &FAILURES],
};

impl Value for Nodes {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Written, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        Ok(Nodes {
            instances_per_node: reader.get(&INSTANCES_PER_NODE)?,
            start: reader.get(&START)?,
            remove_after: reader.get(&REMOVE_AFTER)?,
            per_node_hour: reader.get(&PER_NODE_HOUR)?,
            failures: reader.find(&FAILURES)?,
        })
    }
}

impl Nodes {
    /// How long node number `node` takes to start.
    pub fn draw_start(&self, streams: Streams, node: u32) -> Span {
        let mut rng = streams.substream(Purpose::Nodes, 2 * u64::from(node));
        Span::from_secs_f64(self.start.0.sample(&mut rng))
    }

    /// How long after it is there node number `node` fails; `None`: never.
    pub fn draw_failure(&self, streams: Streams, node: u32) -> Option<Span> {
        let mut rng = streams.substream(Purpose::Nodes, 2 * u64::from(node) + 1);
        self.failures.as_ref().map(|time| Span::from_secs_f64(time.0.sample(&mut rng)))
    }

    /// Attempt number `attempt`, from 0, of instance number `instance`, of type `kind`, to start at `now` on a node where
    /// what is cached has been there since `cached`, if it has; and since when it is then. A pull that has begun goes on
    /// whatever becomes of its instance, and others wait for it.
    pub fn draw_instance_start(
        kind: &InstanceType,
        streams: Streams,
        (instance, attempt): (u32, u32),
        now: Instant,
        cached: Option<Instant>,
    ) -> (StartAttempt, Option<Instant>) {
        let mut since = cached;
        let start = kind.draw_stages(&kind.cold_start, streams, instance, attempt, |stage, passed, drawn| {
            if !stage.cached_on_node {
                return drawn;
            }
            let begins = now + passed;
            since.get_or_insert(begins + drawn).since(begins)
        });
        (start, since)
    }
}

/// Refuses stages cached where there are no nodes, and more than one in a cold start.
pub(in crate::sim) fn check<'a>(
    reader: &Reader<'_>,
    nodes: Option<&Nodes>,
    mut cold_starts: impl Iterator<Item = &'a [Stage]>,
) -> Result<(), Problem> {
    let cached = |stages: &[Stage]| stages.iter().filter(|stage| stage.cached_on_node).count();
    let most = if nodes.is_some() { 1 } else { 0 };
    let Some(stages) = cold_starts.find(|stages| cached(stages) > most) else { return Ok(()) };
    let (message, label) = match nodes {
        None => (
            "a stage is cached on a node, but there are no nodes".to_owned(),
            "expected an [instances.node] table",
        ),
        Some(_) => (format!("{} stages are cached on a node", cached(stages)), "expected at most one"),
    };
    Err(reader.problem("cold_start", message, label))
}

/// A node of a run.
#[derive(Debug, Clone)]
struct Node {
    number: u32,
    kind: usize,
    ready: bool,
    instances: Vec<u32>,
    /// Since when what is cached is there.
    cached: Option<Instant>,
    /// Times it has been left empty, and whether it is now.
    emptied: u32,
    empty: bool,
}

/// Where an instance has been put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Place {
    /// On a node that is there.
    Ready,
    /// On one that is not yet.
    Waiting,
    /// On a new one, of this number.
    New(u32),
}

/// The nodes of a run.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Cluster {
    room: usize,
    /// By number.
    nodes: Vec<Node>,
    numbered: u32,
    /// Those with room, the one that is filled next first.
    open: BTreeSet<Rank>,
    /// The node of each instance.
    places: BTreeMap<u32, u32>,
    /// Nodes that an instance has left since [`Cluster::emptied`].
    left: Vec<u32>,
}

/// Type; whether the node is not there yet; instances on it, the greatest number first; number of the node.
type Rank = (usize, bool, Reverse<usize>, u32);

impl Node {
    fn rank(&self) -> Rank {
        (self.kind, !self.ready, Reverse(self.instances.len()), self.number)
    }
}

impl Cluster {
    pub fn new(settings: &Nodes) -> Cluster {
        Cluster::of(settings.instances_per_node as usize)
    }

    fn of(room: usize) -> Cluster {
        let (open, places) = (BTreeSet::new(), BTreeMap::new());
        Cluster { room, nodes: Vec::new(), numbered: 0, open, places, left: Vec::new() }
    }

    /// The node an instance of type `kind` would be put on: one that is there before one that is not, then the fullest,
    /// then the oldest.
    fn best(&self, kind: usize) -> Option<u32> {
        let least = (kind, false, Reverse(usize::MAX), 0);
        self.open.range(least..).next().filter(|(of, ..)| *of == kind).map(|(.., number)| *number)
    }

    pub fn has_room(&self, kind: usize) -> bool {
        self.best(kind).is_some()
    }

    /// Puts an instance on a node.
    pub fn place(&mut self, id: u32, kind: usize) -> Place {
        let (number, is_new) = self.best(kind).map_or((self.numbered, true), |number| (number, false));
        if is_new {
            let (instances, cached) = (Vec::new(), None);
            self.nodes.push(Node { number, kind, ready: false, instances, cached, emptied: 0, empty: false });
            self.numbered += 1;
        }
        self.places.insert(id, number);
        let ready = self.change(number, |node| {
            node.instances.push(id);
            node.empty = false;
            node.ready
        });
        match ready {
            _ if is_new => Place::New(number),
            Some(true) => Place::Ready,
            _ => Place::Waiting,
        }
    }

    fn index(&self, number: u32) -> Option<usize> {
        self.nodes.binary_search_by_key(&number, |node| node.number).ok()
    }

    /// Changes a node, which may change its place in the order.
    fn change<R>(&mut self, number: u32, change: impl FnOnce(&mut Node) -> R) -> Option<R> {
        let index = self.index(number)?;
        let node = &mut self.nodes[index];
        self.open.remove(&node.rank());
        let result = change(node);
        if node.instances.len() < self.room {
            self.open.insert(node.rank());
        }
        Some(result)
    }

    /// A node is there: the instances that wait for it, by number; `None` if it is not wanted any more.
    pub fn ready(&mut self, number: u32) -> Option<Vec<u32>> {
        let mut waiting = self.change(number, |node| {
            node.ready = true;
            node.instances.clone()
        })?;
        waiting.sort_unstable();
        Some(waiting)
    }

    /// Since when what is cached is on the node of an instance, to be read and set.
    pub fn cached(&mut self, id: u32) -> Option<&mut Option<Instant>> {
        let index = self.index(*self.places.get(&id)?)?;
        Some(&mut self.nodes[index].cached)
    }

    /// An instance is gone.
    pub fn vacate(&mut self, id: u32) {
        let Some(number) = self.places.remove(&id) else { return };
        self.change(number, |node| node.instances.retain(|other| *other != id));
        self.left.push(number);
    }

    /// The nodes that have become empty since this was last asked, each with how many times it has been.
    pub fn emptied(&mut self) -> Vec<(u32, u32)> {
        let mut left = std::mem::take(&mut self.left);
        left.sort_unstable();
        let mut found = Vec::new();
        for number in left {
            let Some(index) = self.index(number) else { continue };
            let node = &mut self.nodes[index];
            if node.instances.is_empty() && !node.empty {
                (node.empty, node.emptied) = (true, node.emptied + 1);
                found.push((number, node.emptied));
            }
        }
        found
    }

    /// Whether a node has been empty since it became so for the `emptied`-th time.
    pub fn still_empty(&self, number: u32, emptied: u32) -> bool {
        let node = self.index(number).map(|index| &self.nodes[index]);
        node.is_some_and(|node| node.empty && node.emptied == emptied)
    }

    /// Takes a node out: its type and its instances, by number; `None` if it was out already.
    pub fn remove(&mut self, number: u32) -> Option<(usize, Vec<u32>)> {
        let node = self.nodes.remove(self.index(number)?);
        self.open.remove(&node.rank());
        let mut instances = node.instances;
        for id in &instances {
            self.places.remove(id);
        }
        instances.sort_unstable();
        Some((node.kind, instances))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> Cluster {
        Cluster::of(2)
    }

    #[test]
    fn the_fullest_node_that_is_there_comes_first() {
        let mut cluster = cluster();
        assert_eq!([0, 1, 2].map(|id| cluster.place(id, 0)), [Place::New(0), Place::Waiting, Place::New(1)]);
        assert_eq!(cluster.ready(1), Some(vec![2]));
        cluster.vacate(0);
        assert_eq!(cluster.place(3, 0), Place::Ready, "on the node that is there");
        assert_eq!(cluster.place(4, 1), Place::New(2), "a node holds instances of one type");
        assert_eq!(cluster.place(5, 0), Place::Waiting, "then on the one that is not yet");
        assert_eq!(cluster.remove(0), Some((0, vec![1, 5])));
        assert_eq!(cluster.remove(0), None);
        assert_eq!((cluster.has_room(0), cluster.has_room(1)), (false, true));
    }

    #[test]
    fn a_node_is_empty_only_as_long_as_nothing_comes() {
        let mut cluster = cluster();
        cluster.place(0, 0);
        cluster.vacate(0);
        assert_eq!(cluster.emptied(), [(0, 1)]);
        assert!(cluster.emptied().is_empty(), "it is told once");
        cluster.place(1, 0);
        assert!(!cluster.still_empty(0, 1));
        cluster.vacate(1);
        assert_eq!(cluster.emptied(), [(0, 2)]);
        assert!(!cluster.still_empty(0, 1) && cluster.still_empty(0, 2));
    }

    #[test]
    fn others_wait_for_a_pull_under_way_and_find_it_done_later() {
        let stage = |time: f64, cached_on_node| Stage {
            name: String::new(),
            time: Durations(crate::distribution::Distribution::constant(time)),
            cached_on_node,
        };
        let cold_start = vec![stage(1.0, false), stage(30.0, true), stage(5.0, false)];
        let kind = InstanceType { cold_start, ..crate::sim::Instances::default().kinds().remove(0) };
        let begin = |at: u64, cached| {
            let at = Instant::ZERO + Span::from_secs(at);
            let (start, cached) = Nodes::draw_instance_start(&kind, Streams::new(1, 0), (0, 0), at, cached);
            (start.time, cached)
        };
        let (first, cached) = begin(100, None);
        assert_eq!(first, Span::from_secs(36));
        assert_eq!(cached, Some(Instant::ZERO + Span::from_secs(131)), "from the end of the pull on");
        assert_eq!(begin(110, cached).0, Span::from_secs(26), "what is left of the pull is waited for");
        assert_eq!(begin(500, cached).0, Span::from_secs(6));
    }

    #[test]
    fn a_cached_stage_without_nodes_and_two_of_them_are_refused() {
        use crate::schema::Tree;
        use crate::sim::Instances;
        let stage = "[[cold_start]]\ntime = \"9s\"\ncached_on_node = true\n";
        let read = |text: &str| {
            let tree = Tree::parse(text).unwrap();
            let context = Context::default();
            Instances::read(&Reader::open(tree.root(), "instances", &Instances::SPEC, &context).unwrap())
                .map_err(|problem| format!("{problem:?}"))
        };
        let node = "[node]\ninstances_per_node = 2\nstart = \"1m\"\n";
        assert!(read(stage).unwrap_err().contains("expected an [instances.node] table"));
        assert!(read(&format!("{stage}{stage}{node}")).unwrap_err().contains("2 stages are cached"));
        assert!(read(&format!("{stage}{node}")).is_ok());
    }
}
