//! What the autoscaler is shown, and when: the settings of `[metrics]`, the scrapes and the averages over them, and the
//! control loop that evaluates the policy and remembers what it asked for. The policies are in `crate::autoscaler`; what is
//! done about a decision is in `run` and `instances`.

mod control_loop;
mod metrics;
mod pipeline;
mod scrapes;

pub(in crate::sim) use control_loop::ControlLoop;
pub(in crate::sim) use pipeline::ScrapeCounters;
pub(in crate::sim) use scrapes::{RawCounters, Scrapes};

pub use metrics::Metrics;
