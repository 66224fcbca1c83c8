//! One run: the engine, the pool, dispatch, observation and accounting. Pure: no files, no clock, no threads.
//!
//! A [`Simulation`] is fed blocks of requests and lets everything between them happen. What the rest of the program
//! sees of a run is its [`Outcome`].

mod agenda;
mod attempts;
mod central;
mod client;
mod cost;
mod dispatch;
mod door;
mod engine;
mod facts;
mod fleet;
mod hazards;
mod hosted;
mod instances;
mod kinds;
mod metrics;
mod model;
mod nodes;
mod observation;
mod options;
mod outcome;
mod pool;
mod pulled;
mod recorder;
mod requests;
mod routed;
mod scaler;
mod scrapes;
mod simulation;
mod slo;
mod stage;
mod station;
mod stepped;
mod stock;
mod supply;
mod timeline;
mod tree;
mod warm_pool;
mod watch;

pub use client::{Abandoned, Backoff as ClientBackoff, Client, Fault, Jitter, RetryOn};
pub use cost::{BilledFrom, Cost};
pub use dispatch::{Dispatch, DispatchPolicy, Idle, MOST_SLOTS};
pub use facts::{Class, Generated, Mishaps, Served, Sink};
pub use hazards::{Failures, Hazards, Interruptions, Lost, Slow, StartFailures};
pub use instances::{Instances, Leaving, Victim};
pub use kinds::{InstanceType, MOST_INSTANCES};
pub use metrics::Metrics;
pub use model::{Conflict, Model};
pub use nodes::Nodes;
pub use options::Options;
pub use outcome::{
    Actions, Counts, DecisionRecord, FLAP_WINDOW_S, Integrals, Outcome, Sending, Times, TokenOutcome,
    TypeShare, Window,
};
pub use requests::{BLOCK, Block, RequestSource};
pub use simulation::{Simulation, simulate};
pub use slo::{Promised, Slo};
pub use stage::{Backoff, Stage, Start};
pub use stock::{Outage, Spells, Stock};
pub use warm_pool::WarmPool;
pub use watch::Watch;
