//! Why a scenario costs what it costs, and why it is slow when it is slow: counterfactuals on the same random numbers.
//!
//! - [`cause`]: what can be taken away, and by which keys
//! - [`shares`]: alone, last and Shapley shares of what each cause takes away
//! - [`explain`]: runs the sets of causes and draws up the account
//! - [`episode`]: the worst times of one run, with what happened before them
//!
//! `docs/explain.md` defines the terms.

pub mod cause;
pub mod episode;
mod explanation;
pub mod shares;
mod two_pools;

pub use cause::{Applied, CAUSES, Cause, applied};
pub use episode::{Episode, Episodes};
pub use explanation::{
    CauseAccount, Effect, ExplainError, Explained, KeyEffect, Measure, Moment, Total, explain,
};
