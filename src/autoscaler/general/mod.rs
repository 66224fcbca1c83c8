//! Policies that belong to no product: constant pools, rules of queueing theory, schedules, forecasts, and the bound of all others.
//!
//! A policy of a named system does not live here: each has its file or folder beside this one.

pub(super) mod clairvoyant;
pub(super) mod fixed;
mod forecast;
pub(super) mod hysteresis;
pub(super) mod in_flight_target;
pub(super) mod predictive;
pub(super) mod scheduled;
pub(super) mod setup;
mod sizing;
pub(super) mod target;
pub(super) mod threshold;
