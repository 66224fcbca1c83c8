//! How instances come to life and leave: the settings of `[instances]`, the registry of those that exist and of the time
//! they spend in each state, and the provisioner that grants, draws and refuses starts. The requests on them are in
//! `queueing`, what asks for them in `observation`, when things happen to them in `run`.

mod capacity;
mod hazards;
mod instance_type;
mod nodes;
mod provisioner;
mod registry;
mod rollout;
mod settings;
mod stage;
mod warm_pool;
mod warm_up;

pub(in crate::sim) use nodes::Place;
pub(in crate::sim) use provisioner::Provisioner;
pub(in crate::sim) use registry::{Bill, InstanceRegistry, State};
pub(in crate::sim) use rollout::{Moves, Rolling, Versions};

pub use capacity::{CapacityLimits, OnOffPeriods, Outage};
pub use hazards::{Failures, Hazards, Interruptions, LostRequests, Slow, StartFailures};
pub use instance_type::{InstanceType, MAX_INSTANCES};
pub use nodes::Nodes;
pub use rollout::{Portion, Rollout};
pub use settings::{DrainPolicy, Instances, ScaleDownOrder};
pub use stage::{Backoff, Stage, StartAttempt};
pub use warm_pool::WarmPool;
pub use warm_up::WarmUp;
