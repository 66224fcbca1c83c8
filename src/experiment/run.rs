//! `run`: a scenario and its variants, as they stand.

use super::observer::FirstRuns;
use super::run_plan::run_cases;
use super::{Alternative, DecisionSink, Evaluator, RunError, RunResult};
use crate::scenario::Scenario;

/// Runs every alternative with all its replications, side by side on common random numbers. `log` hears the
/// decisions of replication 0.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn run(
    mut alternatives: Vec<(Option<String>, Scenario)>,
    log: DecisionSink<'_>,
    evaluator: &Evaluator<'_>,
) -> Result<RunResult, RunError> {
    let mut cases: Vec<&mut Scenario> = alternatives.iter_mut().map(|(_, scenario)| scenario).collect();
    let first_runs = FirstRuns::new(cases.len(), log);
    let (results, procedure) = run_cases(&mut cases, &first_runs, evaluator)?;
    let complete = procedure.ended()
        && results.iter().zip(&cases).all(|(result, case)| result.len() == case.run.replications as usize);
    let alternatives = alternatives
        .into_iter()
        .zip(results.into_iter().zip(first_runs.into_seen()))
        .enumerate()
        .filter(|(_, (_, (replications, _)))| !replications.is_empty())
        .map(|(number, ((variant, scenario), (replications, first)))| Alternative {
            number,
            variant,
            scenario,
            figures: replications.figures(),
            replications,
            first,
        })
        .collect();
    Ok(RunResult { alternatives, procedure, complete })
}
