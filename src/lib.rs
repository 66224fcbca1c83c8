//! Kneepoint: a discrete-event capacity-planning simulator for auto-scaled inference endpoints.
pub mod random;
pub mod schema;
pub mod theory;
pub mod time;
pub mod units;
