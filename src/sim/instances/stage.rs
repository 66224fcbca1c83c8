//! A cold start in its parts: its stages, one attempt to go through them, and the pause before the next. They know
//! nothing of the settings they occur in, so that all of those can use them.

use crate::distribution::Durations;
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

/// One stage of a cold start.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// What the stage does: "node", "image", "model load".
    pub name: String,
    /// How long it takes, in seconds.
    pub time: Durations,
    /// Whether only the first instance on a node goes through it.
    pub cached_on_node: bool,
}

/// An attempt to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartAttempt {
    /// How long it takes.
    pub time: Span,
    /// If it fails then: the pause before the next.
    pub retry: Option<Span>,
}

/// A pause that doubles with every attempt, up to a longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause; not zero.
    pub first: Span,
    /// The longest.
    pub longest: Span,
}

const STAGE_NAME: Key<String> = Key::or("name", "\"cold start\"", "What the stage does, for the report.");
const STAGE_TIME: Key<Durations> = Key::required("time", "How long the stage takes.");
const STAGE_CACHED: Key<bool> = Key::or(
    "cached_on_node",
    "false",
    "Whether only the first instance on a node goes through it, as with the pull of an image: the next ones wait for that or find it done. The first is the one that begins to start first, however long the stages before take it. One stage of a cold start can be; goes with `[instances.node]`.",
);
const STAGE_SPEC: TableSpec = TableSpec {
    name: "instances.cold_start",
    doc: "One stage of the cold start; stages follow one another.",
    keys: &[&STAGE_NAME, &STAGE_TIME, &STAGE_CACHED],
};

impl Value for Stage {
    fn kind() -> Kind {
        Kind::Table(&STAGE_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &STAGE_SPEC, context)?;
        let cached_on_node = reader.get(&STAGE_CACHED)?;
        Ok(Stage { name: reader.get(&STAGE_NAME)?, time: reader.get(&STAGE_TIME)?, cached_on_node })
    }
}

/// `cold_start`: one duration or distribution, or a list of stages.
pub(in crate::sim) struct ColdStart(pub Vec<Stage>);

impl Value for ColdStart {
    fn kind() -> Kind {
        Kind::Either(vec![Durations::kind(), Kind::List(Box::new(Stage::kind()))])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        if let crate::schema::Data::Array(_) = node.data {
            return Vec::<Stage>::read(node, path, context).map(ColdStart);
        }
        let time = Durations::read(node, path, context)?;
        Ok(ColdStart(vec![Stage { name: "cold start".into(), time, cached_on_node: false }]))
    }
}

impl Backoff {
    pub(in crate::sim) fn read(
        reader: &Reader<'_>,
        first: &Key<Span>,
        longest: &Key<Span>,
    ) -> Result<Backoff, Problem> {
        let first_name = first.name();
        let backoff = Backoff { first: reader.get(first)?, longest: reader.get(longest)? };
        if backoff.first <= backoff.longest || !reader.has(longest.name()) {
            return Ok(Backoff { longest: backoff.longest.max(backoff.first), ..backoff });
        }
        let message = format!("`{}` is {}", reader.path_of(longest.name()), backoff.longest);
        let label = format!("expected at least `{first_name}`, which is {}", backoff.first);
        Err(reader.problem(longest.name(), message, label))
    }

    /// The pause after attempt number `attempt`, from 0.
    pub fn pause(&self, attempt: u32) -> Span {
        (self.first * (1_u64 << attempt.min(40))).min(self.longest)
    }
}
