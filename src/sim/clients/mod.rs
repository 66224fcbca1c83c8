//! Whoever sends requests and waits for the answers: time-outs, retries and second copies of requests that arrive from
//! outside, the cap on how many are outstanding, and users in a closed loop, whose requests depend on the answers. When
//! requests arrive that depend on nothing is in `crate::arrivals`.

mod attempts;
mod client;
mod crowd;
mod gate;
mod timers;
mod users;

pub(in crate::sim) use attempts::{AttemptCounts, Attempts};
pub(in crate::sim) use crowd::{Crowd, RequestLaws};
pub(in crate::sim) use gate::Gate;

pub use client::{Abandoned, Backoff as ClientBackoff, Client, Fault, Jitter, RetryOn};
pub use users::{MAX_USERS, UserStage, Users};
