//! How one instance serves requests: service models, one file each.
//!
//! A model knows nothing of the pool it stands in. Which one a scenario uses is decided once; the engine's loop is
//! compiled for each.

mod server;
mod shared;
mod slots;

pub use server::{Active, FULL, Queue, Request, Server};
pub use shared::{Shared, SharedServer};
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
    /// See [`Shared`].
    Shared(Shared),
}

impl Model {
    /// What the utilization of an instance is measured in: so many places, each of which can be busy.
    pub fn places(&self) -> u32 {
        match self {
            Model::Slots(slots) => slots.concurrency,
            Model::Shared(_) => 1,
        }
    }

    /// Requests in service on one instance at the most.
    pub fn most_in_service(&self) -> u32 {
        match self {
            Model::Slots(slots) => slots.concurrency,
            Model::Shared(shared) => shared.concurrency,
        }
    }
}

const TIME: Key<Durations> = Key::required(
    "time",
    "Service requirement of a request: how long it takes on an instance that serves it at full speed. Drawn as it arrives.",
);

impl Service {
    /// Requests that one instance can answer per second, about.
    pub fn throughput(&self) -> f64 {
        let mean_s = self.time.0.mean();
        match &self.model {
            Model::Slots(slots) => f64::from(slots.concurrency) / mean_s,
            Model::Shared(shared) => shared.throughput(mean_s),
        }
    }

    /// The `[service]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "service",
        doc: "What a request needs, and how one instance serves it.",
        tag: "model",
        default: Some("slots"),
        common: &[&TIME],
        variants: &[&Slots::SPEC, &Shared::SPEC],
    };

    /// Reads the `[service]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Service, Problem> {
        let (variant, reader) = Self::SPEC.open(node, path, context)?;
        let model = match variant.name {
            "slots" => Model::Slots(Slots::read(&reader)?),
            _ => Model::Shared(Shared::read(&reader)?),
        };
        Ok(Service { time: reader.get(&TIME)?, model })
    }
}
