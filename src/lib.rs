//! Kneepoint: a discrete-event capacity-planning simulator for auto-scaled inference endpoints.
pub mod random;
pub mod report;
pub mod schema;
pub mod time;
pub mod units;
