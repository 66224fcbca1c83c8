//! One run: the engine, the pool, dispatch, observation and accounting. Pure: no files, no clock, no threads.
//!
//! A [`Simulation`] is fed blocks of requests and lets everything between them happen. What the rest of the program
//! sees of a run is its [`Outcome`].

mod accounting;
mod agenda;
mod attempts;
mod central;
mod client;
mod dispatch;
mod engine;
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
mod pool;
mod pulled;
mod requests;
mod routed;
mod scaler;
mod scrapes;
mod simulation;
mod stage;
mod station;
mod stepped;
mod stock;
mod supply;
mod tree;
mod warm_pool;
mod watch;

pub use accounting::{
    Actions, BilledFrom, Class, Cost, Counts, DecisionRecord, FLAP_WINDOW_S, Generated, Integrals, Mishaps,
    Outcome, Promised, Sending, Served, Sink, Slo, Times, TokenOutcome, TypeShare, Window,
};
pub use client::{Abandoned, Backoff as ClientBackoff, Client, Fault, Jitter, RetryOn};
pub use dispatch::{Dispatch, DispatchPolicy, Idle, MOST_SLOTS};
pub use hazards::{Failures, Hazards, Interruptions, Lost, Slow, StartFailures};
pub use instances::{Instances, Leaving, Victim};
pub use kinds::{InstanceType, MOST_INSTANCES};
pub use metrics::Metrics;
pub use model::{Conflict, Model};
pub use nodes::Nodes;
pub use options::Options;
pub use requests::{BLOCK, Block, RequestSource};
pub use simulation::{Simulation, simulate};
pub use stage::{Backoff, Stage, Start};
pub use stock::{Outage, Spells, Stock};
pub use warm_pool::WarmPool;
pub use watch::Watch;
