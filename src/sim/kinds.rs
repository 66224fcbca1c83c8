//! `[[instances.type]]`: the types of instance a pool is made of.

use super::hazards::Hazards;
use super::instances::{ColdStart, Stage};
use crate::schema::{AnyKey, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};

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

const NAME: Key<String> = Key::required("name", "What the type is called in tables and files.");
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
    "So many of the pool are of this type before any other is taken; beyond that the types are tried in the order they are listed.",
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
pub(super) const SPEC: TableSpec = TableSpec {
    name: "instances.type",
    doc: "One type of instance of a pool of several. A start takes the first type, in the order they are listed, that is below its `base`, else the first that is not refused; if all are, it waits. A scale-down takes the last type listed that is above its base. What a type leaves out is as `[instances]` and `[cost]` say.",
    keys: &KEYS,
};

/// A type as written, before what it leaves out is known.
#[derive(Debug)]
pub(super) struct Written {
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
pub(super) fn distinct(reader: &Reader<'_>, types: &[InstanceType]) -> Result<(), Problem> {
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
