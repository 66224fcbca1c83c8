//! How each promise of an SLO is kept.

use serde::Serialize;

use super::SloVerdict;
use crate::sim::Promise;
use crate::stats::{Estimate, Misses};
use crate::units::show_span;

/// How one promise is kept over the replications of a setting.
#[derive(Debug, Clone)]
pub struct PromiseKept {
    /// The promise.
    pub promise: Promise,
    /// What misses it; `None` where nothing that counts has ended.
    pub misses: Option<Misses>,
    /// The share that misses it, with its interval.
    pub share: Estimate,
    /// Whether it is kept.
    pub kept: SloVerdict,
}

impl PromiseKept {
    /// The share of the error budget that is used: what misses over what is allowed to, 1 for all of it.
    pub fn budget_used(&self) -> Estimate {
        let allowed = self.promise.allowed();
        let part = |share: Option<f64>| share.map(|share| share / allowed);
        let Estimate { mean, low, high, replications } = self.share;
        Estimate { mean: part(mean), low: part(low), high: part(high), replications }
    }

    /// Whether it is kept with all replications taken together.
    pub fn on_average(&self) -> bool {
        self.misses.as_ref().is_some_and(|misses| misses.share() <= self.promise.allowed() * (1.0 + 1e-9))
    }
}

/// The same as plain data.
#[derive(Debug, Clone, Serialize)]
pub struct PromiseSummary {
    /// The promise in words.
    pub promise: String,
    /// What is counted: requests, or windows.
    pub of: &'static str,
    /// The share of them that may miss it.
    pub allowed: f64,
    /// The share that does.
    pub missed: Estimate,
    /// The share of the error budget used: 1 is all of it.
    pub budget_used: Estimate,
    /// Whether it is kept.
    pub keeps: SloVerdict,
}

impl PromiseSummary {
    /// That of one promise.
    pub fn of(kept: &PromiseKept) -> PromiseSummary {
        PromiseSummary {
            promise: kept.promise.describe(show_span),
            of: if kept.promise.windows.is_some() { "windows" } else { "requests" },
            allowed: kept.promise.allowed(),
            missed: kept.share,
            budget_used: kept.budget_used(),
            keeps: kept.kept,
        }
    }
}
