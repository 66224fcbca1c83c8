//! What the crate offers to programs: the names of its root. Each reads a scenario, does one thing with it, and returns
//! what there is to know as one value.
//!
//! Everything else of the crate is below and may change in any release; this may not.

mod answers;
mod check;
mod error;
mod observations;
mod options;
mod report;
mod results;
mod scenario;
mod shards;

pub use answers::{Explanation, Recommendation, explain, recommend};
pub use check::{Checked, check};
pub use error::{Error, ErrorKind, Location};
pub use observations::{Decision, Observations, replay};
#[cfg(feature = "cli")]
pub(crate) use observations::{RecordedFile, ReplayOptions, Replayed};
pub use options::Options;
pub use report::Report;
#[cfg(feature = "cli")]
pub(crate) use results::check_pairs;
pub use results::{
    Alternative, CompareResult, Difference, Point, RunResult, SweepResult, compare, run, sweep,
};
pub use scenario::{Scenario, Setting};
pub use shards::{merge_shards, recommend_shared, shards_max, simulate_shard};
