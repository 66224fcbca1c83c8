//! One run: pure, with no files, no clock and no threads.
//!
//! A [`Simulation`] is fed blocks of requests and lets everything between them happen. What the rest of the program
//! sees of a run is its [`Outcome`].
//!
//! Six rooms, each of which may use those it points to, and no other:
//!
//! ```text
//! run          -> clients, observation, queueing, instances, accounting
//! clients      -> queueing, accounting
//! observation  -> queueing, instances, accounting
//! queueing     -> instances (settings: what becomes of requests on an instance that goes), accounting
//! instances    -> accounting (facts, cost)
//! accounting   -> none: the facts the other rooms report are declared there
//! ```

mod accounting;
mod clients;
mod instances;
mod observation;
mod queueing;
mod run;

pub use accounting::{
    Actions, Answers, BilledFrom, Class, Completion, Cost, Counts, DecisionRecord, FLAP_WINDOW_S,
    FailureCounts, HeldTimes, Integrals, Outcome, PoolName, PoolOutcomes, Promise, Promised, RequestObserver,
    Sending, Slo, Times, TokenCompletion, TokenOutcome, TransferOutcome, TypeShare, Window,
};
pub use clients::{
    Abandoned, Client, ClientBackoff, Fault, Jitter, MAX_USERS, RetryOn, Session, UserStage, Users,
};
pub use instances::{
    Backoff, CapacityLimits, DrainPolicy, Failures, Hazards, InstanceType, Instances, Interruptions,
    LostRequests, MAX_INSTANCES, Nodes, OnOffPeriods, Outage, Portion, Rollout, ScaleDownOrder, Slow, Stage,
    StartAttempt, StartFailures, WarmPool, WarmUp,
};
pub use observation::Metrics;
pub use queueing::{
    Dispatch, DispatchPolicy, DynamoKv, GatewayRule, Idle, KnownBy, MAX_SLOTS, Picker, RayPrefix, Scorers,
    Transfer,
};
pub use run::{
    BLOCK, Block, Conflict, Decode, Model, Options, RequestSource, RunLimits, Simulation, simulate,
};
