//! The result that a report is composed of.

use crate::backtest::Backtest;
use crate::experiment::{CompareResult, RunResult, SweepResult};
use crate::explain::Explained;
use crate::recommend::Recommendation;
use crate::scenario::Scenario;

/// The result that a report is composed of, with its scenario.
#[derive(Debug, Clone, Copy)]
pub enum Results<'a> {
    /// Of `run`; the scenario as it was asked for.
    Run(&'a Scenario, &'a RunResult),
    /// Of `sweep`; the scenario without any swept parameter.
    Sweep(&'a Scenario, &'a SweepResult),
    /// Of `compare`; the scenario of the first contender.
    Compare(&'a Scenario, &'a CompareResult),
    /// Of `recommend`; the base scenario.
    Recommend(&'a Scenario, &'a Recommendation),
    /// Of `explain`.
    Explain(&'a Explained),
    /// Of `backtest`.
    Backtest(&'a Backtest),
}
