//! Kneepoint: a discrete-event capacity-planning simulator for auto-scaled inference endpoints.
pub mod arrivals;
pub mod distribution;
pub mod random;
pub mod schema;
pub mod time;
pub mod traffic;
pub mod units;
