//! The times of an engine's iterations from what was measured: levels of load, the engine's own metrics, or logs of requests.
//!
//! Each gives rows of what an iteration computed, on average, and how long it took; one regression fits the law to them.

mod law;
mod least_squares;

pub use law::IterationTimes;
pub(in crate::traffic) use law::{FirstToken, Row, fit};
