//! Kneepoint: a discrete-event capacity-planning simulator for auto-scaled inference endpoints.

#![warn(clippy::unwrap_used)]

pub mod arrivals;
pub mod autoscaler;
pub mod cli;
pub mod distribution;
pub mod experiment;
pub mod random;
pub mod report;
pub mod scenario;
pub mod schema;
pub mod service;
pub mod sim;
pub mod stats;
pub mod theory;
pub mod time;
pub mod traffic;
pub mod units;
