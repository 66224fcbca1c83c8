//! Load-based scaling: by what each engine has to do now, an engine more or fewer at a time (`planner/core/load_scaling.py`).
//!
//! A straight line fitted to what engines did gives a time for a load: of the first token for the prompt tokens in an engine, of each
//! further token for what it decodes. The load at which the time is what is promised is the target of an engine.

use std::cmp::Ordering;

/// Observations that the regression needs before anything follows from it.
pub(super) const LEAST_OBSERVATIONS: u32 = 5;

/// A fitted line: a time by a load.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Line {
    pub slope: f64,
    pub intercept: f64,
}

impl Line {
    /// The load at which the time is `time`, at least 0; none where more load does not take more time.
    pub fn inverse(self, time: f64) -> Option<f64> {
        (self.slope > 0.0).then(|| ((time - self.intercept) / self.slope).max(0.0))
    }
}

/// Which way the engines are to change, by what each has to do: one more if all are above the target, one fewer if all would be
/// below `sensitivity` of it (0 to 1) with one fewer among them.
pub(super) fn verdict(loads: &[f64], target: Option<f64>, sensitivity: f64) -> Ordering {
    let (Some(target), false) = (target, loads.is_empty()) else { return Ordering::Equal };
    if loads.iter().all(|load| *load > target) {
        return Ordering::Greater;
    }
    let engines = loads.len() as f64;
    let spare = sensitivity * target * (engines - 1.0) / engines;
    if loads.len() > 1 && loads.iter().all(|load| *load < spare) { Ordering::Less } else { Ordering::Equal }
}

/// The engines after a verdict.
pub(super) fn changed(engines: u32, verdict: Ordering) -> u32 {
    match verdict {
        Ordering::Greater => engines.saturating_add(1),
        Ordering::Less => engines.saturating_sub(1),
        Ordering::Equal => engines,
    }
}
