//! Whoever sends requests and waits for the answers: time-outs, retries and second copies of requests that arrive from
//! outside, the cap on how many are outstanding, and users in a closed loop and turns of sessions, which depend on the answers. When
//! requests arrive that depend on nothing is in `crate::arrivals`.

mod attempts;
mod client;
mod conversations;
mod crowd;
mod gate;
mod request_laws;
mod session;
mod timers;
mod users;

pub(in crate::sim) use attempts::{AttemptCounts, Attempts};
pub(in crate::sim) use conversations::Conversations;
pub(in crate::sim) use crowd::Crowd;
pub(in crate::sim) use gate::Gate;
pub(in crate::sim) use request_laws::RequestLaws;

pub use client::{Abandoned, Backoff as ClientBackoff, Client, Fault, Jitter, RetryOn};
pub use session::Session;
pub use users::{MAX_USERS, UserStage, Users};
