//! How one instance serves requests: service models, one file each.
//!
//! A model knows nothing of the pool it stands in. Which one a scenario uses is decided once; the engine's loop is
//! compiled for each.

mod slots;

pub use slots::Slots;

use crate::distribution::Durations;
use crate::schema::{Context, Key, Node, Problem, UnionSpec};

/// The `[service]` table: what a request needs, and how an instance gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Service requirement of a request: the time it takes on an instance that serves it at full speed.
    pub time: Durations,
    /// How an instance serves the requests it has.
    pub model: Model,
}

/// A service model with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// See [`Slots`].
    Slots(Slots),
}

const TIME: Key<Durations> = Key::required(
    "time",
    "Service requirement of a request: how long it takes on an instance that serves it at full speed. Drawn as it arrives.",
);

impl Service {
    /// The `[service]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "service",
        doc: "What a request needs, and how one instance serves it.",
        tag: "model",
        default: Some("slots"),
        common: &[&TIME],
        variants: &[&Slots::SPEC],
    };

    /// Reads the `[service]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Service, Problem> {
        let (_, reader) = Self::SPEC.open(node, path, context)?;
        Ok(Service { time: reader.get(&TIME)?, model: Model::Slots(Slots::read(&reader)?) })
    }
}
