//! Autoscaling policies, one file (or folder) each.
//!
//! A policy is a pure function from its own state and an observation to desired instances: no engine, no randomness, no
//! clock of its own. The same object serves the simulator, `replay` and the conformance tests.
//!
//! Adding a policy: write its file, with its settings and its [`Policy`], and list it in the registry. Policies of no product stand in
//! `general`, those of a named system beside it.
//! Policies are called once an evaluation, far from the loop over requests, so they stand behind trait objects.

mod aws;
mod azure;
mod cloud_run;
mod dynamo;
mod explanation;
mod general;
mod hpa;
mod hugging_face;
mod keda;
mod kpa;
mod llmd;
pub mod manifest;
mod metric;
mod new_form;
pub mod new_manifest;
mod observation;
mod platforms;
mod policy;
mod ray_serve;
mod reading;
mod recording;
mod registry;
mod replay;
mod replay_context;
mod signal;
mod table;
mod times;
mod vertex;
mod windows;

/// Single values of policies and manifests as text.
pub mod values {
    pub use super::general::scheduled::Cron;
    pub use super::reading::quantity::parse_quantity;
}

pub use explanation::{Explanation, Rounded};
pub use metric::{METRIC, PER, Per, QUANTILE, Query};
pub use observation::{InstanceScrape, InstanceState, InstanceView, Observation, Scrape};
pub(crate) use policy::Settings;
use policy::{INTERVAL, PHASE};
pub use policy::{
    Limits, MetricsDefaults, Policy, PolicyContext, PoolState, Role, Schedule, SessionPace, TokenContext,
    TokenPromise, Watched,
};
pub use recording::{PoolFields, Rows, Unclear};
pub use replay::{Line, Replay, Row, RowProblem};
pub(crate) use signal::{OfPool, PoolCounters};
pub use signal::{Quantity, Signal};
pub use table::Autoscaler;
pub use times::ScrapedTimes;
pub(crate) use times::{TimeHistogram, Timed};
