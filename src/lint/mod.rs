//! Traps in settings that public threads show to hurt, found before a run: one file a lint, one line of registration.
//!
//! Each has a name, which `allow = ["…"]` in a scenario silences, a section in `docs/lints.md`, and a case in the tests that
//! fails in simulation and, fixed, does not.

mod activation_above_threshold;
mod cooldown_shorter_than_start;
mod cpu_of_the_start;
mod deadline_shorter_than_start;
mod maximum_below_peak;
mod percentile_as_average_value;
mod policies_that_fight;
mod pool_total_as_value;
mod subject;
mod target_never_exceeded;
mod thresholds_too_close;
mod tolerance_of_instances;
mod zero_with_small_buffer;
mod zero_without_way_back;

use subject::Subject;

use serde_json::Value as Json;

use crate::scenario::{Scenario, ScenarioError, ScenarioFile, keys_in_decode};
use crate::sim::{Model, PoolName};

/// A trap that can be found in settings.
#[derive(Debug)]
pub struct Lint {
    /// Its name, one of [`LINT_NAMES`](crate::scenario::LINT_NAMES).
    pub name: &'static str,
    /// What it finds.
    find: fn(&Subject<'_>) -> Vec<Trap>,
}

/// What a lint has found: why it hurts, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trap {
    reason: String,
    fix: String,
}

/// A trap in a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Name of the lint.
    pub lint: &'static str,
    /// Why it hurts.
    pub reason: String,
    /// What to do.
    pub fix: String,
}

/// Every lint.
static LINTS: &[Lint] = &[
    pool_total_as_value::LINT,
    percentile_as_average_value::LINT,
    thresholds_too_close::LINT,
    cooldown_shorter_than_start::LINT,
    tolerance_of_instances::LINT,
    target_never_exceeded::LINT,
    cpu_of_the_start::LINT,
    zero_with_small_buffer::LINT,
    zero_without_way_back::LINT,
    activation_above_threshold::LINT,
    deadline_shorter_than_start::LINT,
    maximum_below_peak::LINT,
    policies_that_fight::LINT,
];

/// The traps in the base scenario of `file`, or in its variant called `variant`, without those that it allows.
///
/// # Errors
/// There is no such variant, or it is refused.
pub fn lint(file: &ScenarioFile, variant: Option<&str>) -> Result<Vec<Finding>, ScenarioError> {
    let scenario: Scenario = file.changed(variant, &[])?;
    let autoscaler = file.written(variant, "autoscaler")?.unwrap_or_default();
    let own = of_pool(&scenario, &scenario.model, &autoscaler);
    let Some(pool) = scenario.model.decode_pool() else { return Ok(own) };
    let autoscaler = file.written(variant, "decode.autoscaler")?.unwrap_or_default();
    let in_pool = |found: Finding, name: PoolName| Finding {
        reason: format!("in the {} pool: {}", name.shown(), found.reason),
        ..found
    };
    let decode = of_pool(&scenario, &pool, &autoscaler).into_iter().map(|found| {
        let (reason, fix) = (keys_in_decode(&found.reason), keys_in_decode(&found.fix));
        in_pool(Finding { reason, fix, ..found }, PoolName::Decode)
    });
    Ok(own.into_iter().map(|found| in_pool(found, PoolName::Prefill)).chain(decode).collect())
}

/// The traps in one pool of a scenario, without those that the scenario allows.
fn of_pool(scenario: &Scenario, model: &Model, autoscaler: &Json) -> Vec<Finding> {
    let subject = Subject::new(scenario, model, autoscaler);
    let active = LINTS.iter().filter(|lint| !scenario.allow.iter().any(|allowed| allowed == lint.name));
    let found = active.flat_map(|lint| {
        let traps = (lint.find)(&subject);
        traps.into_iter().map(|Trap { reason, fix }| Finding { lint: lint.name, reason, fix })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::LINT_NAMES;

    #[test]
    fn every_lint_is_registered_under_a_name_that_can_be_allowed_and_is_documented() {
        let names: Vec<&str> = LINTS.iter().map(|lint| lint.name).collect();
        assert_eq!(names, LINT_NAMES);
        let page = include_str!("../../docs/lints.md");
        for name in names {
            assert!(page.contains(&format!("\n## {name}\n")), "docs/lints.md has no section {name}");
        }
    }
}
