//! What a result begins with, before any figure of it: a pool that was overloaded, an autoscaler that had nothing to decide.

use super::statement::Statement;
use super::{notes, still};
use crate::experiment::{CompareResult, RunResult, SweepResult};

/// What is to be said first of a run.
pub fn of_run(result: &RunResult) -> Vec<Statement> {
    [notes::overload_of_run(result), still::of_run(result)].concat()
}

/// What is to be said first of a sweep.
pub fn of_sweep(result: &SweepResult) -> Vec<Statement> {
    [notes::overload_of_sweep(result), still::of_sweep(result)].concat()
}

/// What is to be said first of a comparison.
pub fn of_comparison(result: &CompareResult) -> Vec<Statement> {
    [notes::overload_of_comparison(result), still::of_comparison(result)].concat()
}
