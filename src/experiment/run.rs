//! `run`: a scenario and its variants, as they stand.

use super::procedure::conduct;
use super::{Alternative, Control, DecisionSink, Keep, RunError, RunResult};
use crate::scenario::Scenario;

/// Runs every alternative with all its replications, side by side on common random numbers. `log` hears the
/// decisions of replication 0.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn run(
    mut alternatives: Vec<(Option<String>, Scenario)>,
    log: DecisionSink<'_>,
    control: &Control,
) -> Result<RunResult, RunError> {
    let mut cases: Vec<&mut Scenario> = alternatives.iter_mut().map(|(_, scenario)| scenario).collect();
    let (results, procedure) = conduct(&mut cases, Keep::First(log), control)?;
    let complete = procedure.ended()
        && results
            .iter()
            .zip(&cases)
            .all(|(result, case)| result.replications.len() == case.run.replications as usize);
    let alternatives = alternatives
        .into_iter()
        .zip(results)
        .enumerate()
        .filter(|(_, (_, result))| !result.replications.is_empty())
        .map(|(number, ((variant, scenario), result))| Alternative {
            number,
            variant,
            scenario,
            figures: result.replications.figures(),
            replications: result.replications,
            first: result.first,
        })
        .collect();
    Ok(RunResult { alternatives, procedure, complete })
}
