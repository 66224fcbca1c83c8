//! Whoever sends requests and waits for the answers: time-outs, retries and second copies of requests that arrive from
//! outside. A source whose requests depend on the answers (users with a time to think) has its place here too, beside the
//! attempts. When requests arrive that depend on nothing is in `crate::arrivals`.

mod attempts;
mod client;

pub(in crate::sim) use attempts::{AttemptCounts, Attempts};

pub use client::{Abandoned, Backoff as ClientBackoff, Client, Fault, Jitter, RetryOn};
