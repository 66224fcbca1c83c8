//! One run: the engine, the pool, dispatch, observation and accounting. Pure: no files, no clock, no threads.
//!
//! A [`Simulation`] is fed blocks of requests and lets everything between them happen. What the rest of the program
//! sees of a run is its [`Outcome`].

mod agenda;
mod central;
mod cost;
mod dispatch;
mod engine;
mod fleet;
mod hosted;
mod instances;
mod metrics;
mod model;
mod observation;
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
mod station;
mod stepped;
mod timeline;
mod tree;
mod watch;

pub use cost::{BilledFrom, Cost};
pub use dispatch::{Dispatch, DispatchPolicy, Idle};
pub use fleet::{Class, Served, Sink};
pub use instances::{Instances, Leaving, MOST_INSTANCES, Stage, Victim};
pub use metrics::Metrics;
pub use model::{Conflict, MOST_SLOTS, Model};
pub use outcome::{Actions, Counts, DecisionRecord, FLAP_WINDOW_S, Integrals, Outcome, Times, Window};
pub use requests::{BLOCK, Block, RequestSource};
pub use simulation::{Options, Simulation, simulate};
pub use slo::Slo;
pub use watch::Watch;
