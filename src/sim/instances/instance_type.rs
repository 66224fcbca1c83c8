//! `[[instances.type]]`: the types of instance a pool is made of.

use super::hazards::Hazards;
use super::stage::{ColdStart, Stage, StartAttempt};
use crate::random::{Purpose, Streams};
use crate::schema::{AnyKey, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

/// One type of instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceType {
    /// What it is called in tables and files.
    pub name: String,
    /// Price of one for one hour; `None`: that of `[cost]`.
    pub per_instance_hour: Option<f64>,
    /// How fast it serves, against an instance of speed 1; above 0.
    pub speed: f64,
    /// So many of the pool are of this type before any other is taken.
    pub base: u32,
    /// Stages from the scale-up decision to ready.
    pub cold_start: Vec<Stage>,
    /// What can go wrong with it.
    pub hazards: Hazards,
}

/// More instances than any pool this simulator is meant for; keeps a slip of the hand from exhausting memory.
pub const MAX_INSTANCES: f64 = 100_000.0;

const NAME: Key<String> = Key::required("name", "Name of the type, in tables and files.");
const PER_INSTANCE_HOUR: Key<Option<f64>> = Key::optional(
    "per_instance_hour",
    "Price of one instance of this type for one hour. Without it that of `[cost]`.",
)
.at_least(0.0)
.at_most(1e9);
const SPEED: Key<f64> = Key::or(
    "speed",
    "1",
    "How fast it serves: a request whose service requirement is 1 s takes 1 s divided by the speed, and so does every other time of its service, of a batch or of an iteration.",
)
.at_least(1e-3)
.at_most(1e3);
const BASE: Key<u32> = Key::or(
    "base",
    "0",
    "Number of instances of this type that the pool has before it takes any other; beyond that the types are tried in the order listed.",
);
const COLD_START: Key<Option<ColdStart>> = Key::optional(
    "cold_start",
    "Time from the scale-up decision to ready. Without it that of `[instances]`.",
);

const KEYS: [&dyn AnyKey; 10] = {
    let [start_failures, stock, failures, interruptions, slow] = Hazards::KEYS;
    [
        &NAME,
        &PER_INSTANCE_HOUR,
        &SPEED,
        &BASE,
        &COLD_START,
        start_failures,
        stock,
        failures,
        interruptions,
        slow,
    ]
};

/// The table `[[instances.type]]`.
pub(in crate::sim) const SPEC: TableSpec = TableSpec {
    name: "instances.type",
    doc: "One type of instance of a pool of several. A start takes the first type, in the order they are listed, that is below its `base`, else the first that is not refused; if all are, it waits. A scale-down takes the last type listed that is above its base. What a type leaves out is as `[instances]` and `[cost]` say.",
    keys: &KEYS,
};

/// A type as written, before what it leaves out is known.
#[derive(Debug)]
pub(in crate::sim) struct Written {
    node: Node,
    path: String,
}

impl Value for Written {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Reader::open(node, path, &SPEC, context)?;
        Ok(Written { node: node.clone(), path: path.to_owned() })
    }
}

impl Written {
    /// The type, with what it leaves out as in the pool's `cold_start` and `hazards`.
    pub fn complete(
        &self,
        context: &Context,
        cold_start: &[Stage],
        hazards: &Hazards,
    ) -> Result<InstanceType, Problem> {
        let reader = Reader::open(&self.node, &self.path, &SPEC, context)?;
        let cold_start = match reader.find(&COLD_START)? {
            Some(ColdStart(stages)) => stages,
            None => cold_start.to_vec(),
        };
        Ok(InstanceType {
            name: reader.get(&NAME)?,
            per_instance_hour: reader.find(&PER_INSTANCE_HOUR)?,
            speed: reader.get(&SPEED)?,
            base: reader.get(&BASE)?,
            hazards: Hazards::read(&reader, &cold_start, hazards)?,
            cold_start,
        })
    }
}

/// Refuses two types of one name.
pub(in crate::sim) fn distinct(reader: &Reader<'_>, types: &[InstanceType]) -> Result<(), Problem> {
    let twice =
        |(index, kind): &(usize, &InstanceType)| types[..*index].iter().any(|other| other.name == kind.name);
    match types.iter().enumerate().find(twice) {
        Some((_, kind)) => {
            let message = format!("two types of instance are called \"{}\"", kind.name);
            Err(reader.problem("type", message, "expected a name of its own for each"))
        }
        None => Ok(()),
    }
}

impl InstanceType {
    /// How long attempt number `attempt`, from 0, of instance number `instance` to start takes, and whether it fails
    /// then. Each is drawn from a part of the stream that is its own, so that the n-th instance started takes as long
    /// under every setting.
    pub fn draw_start(&self, streams: Streams, instance: u32, attempt: u32) -> StartAttempt {
        self.draw_stages(&self.cold_start, streams, instance, attempt, |_, _, drawn| drawn)
    }

    /// The same of an attempt that ends with the last of `stages`, the first ones of the cold start. Each takes as long as
    /// `length` says, of the stage, the time that has passed before it and that which it was drawn to take.
    pub(in crate::sim) fn draw_stages(
        &self,
        stages: &[Stage],
        streams: Streams,
        instance: u32,
        attempt: u32,
        mut length: impl FnMut(&Stage, Span, Span) -> Span,
    ) -> StartAttempt {
        let part = (u64::from(attempt) << 32) + u64::from(instance) + 1;
        let mut rng = streams.substream(Purpose::ColdStart, part);
        let mut passed = Span::ZERO;
        let mut time = |stage: &Stage| {
            let drawn = Span::from_secs_f64(stage.time.0.sample(&mut rng));
            let taken = length(stage, passed, drawn);
            passed += taken;
            taken
        };
        match self.hazards.draw_start_failure(streams, instance, attempt) {
            Some(failures) => StartAttempt {
                time: failures.found_out(stages, time),
                retry: Some(failures.backoff.pause(attempt)),
            },
            None => {
                let time = stages.iter().map(&mut time).fold(Span::ZERO, |total, time| total + time);
                StartAttempt { time, retry: None }
            }
        }
    }
}
