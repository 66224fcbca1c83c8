//! Random models for property tests.

pub mod models;
pub mod scenarios;
pub mod wild;
