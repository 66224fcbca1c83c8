//! The columns of the decision log.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::field::{Field, Fields};
use crate::experiment::Unit::{Instances, Seconds};
use crate::sim::{DecisionRecord, PoolName};

/// The columns of `decisions.csv` for any run.
pub const DECISION_COLUMNS: &[Field<DecisionRecord>] = &[
    Field::number("time_s", Seconds, "time of the evaluation, seconds from the start of the run", |record| {
        record.at.as_secs_f64()
    }),
    Field::text("metric", "the metric of the decision, as the scenario names it", |record| {
        record.explanation.metric.into()
    }),
    Field::maybe("observed", None, "value of this metric; empty where there was none", |record| {
        record.explanation.observed
    }),
    Field::count("desired_before", Instances, "desired instances before the evaluation", |record| {
        record.before.into()
    }),
    Field::count("desired_after", Instances, "desired instances after the evaluation", |record| {
        record.desired.into()
    }),
    Field::count("ready", Instances, "ready instances at the evaluation", |record| record.ready.into()),
    Field::text("action", "the action: `stay`, `add 2`, `remove 1`", action),
    Field::text("reason", "the reason, in a sentence with its figures", |record| {
        record.explanation.reason.as_str().into()
    }),
];

/// The column that tells two pools apart.
const POOL_COLUMN: &[Field<DecisionRecord>] =
    &[Field::text("pool", "the pool that is scaled: `prefill` or `decode`", |record| {
        record.pool.map_or("", PoolName::shown).into()
    })];

/// The columns of a decision log, of one pool or of two.
pub fn decision_fields(two_pools: bool) -> Fields<DecisionRecord> {
    if two_pools { &[DECISION_COLUMNS, POOL_COLUMN] } else { &[DECISION_COLUMNS] }
}

/// What a decision did: `stay`, `add 2`, `remove 1`.
pub fn action(record: &DecisionRecord) -> Cow<'static, str> {
    let (before, after) = (record.before, record.desired);
    match after.cmp(&before) {
        Ordering::Equal => "stay".into(),
        Ordering::Greater => format!("add {}", after - before).into(),
        Ordering::Less => format!("remove {}", before - after).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_the_difference_in_desired_instances() {
        let told = |before, desired| {
            action(&DecisionRecord {
                at: Default::default(),
                before,
                ready: 0,
                desired,
                explanation: Default::default(),
                pool: None,
            })
        };
        assert_eq!((told(2, 2), told(1, 3), told(3, 2)), ("stay".into(), "add 2".into(), "remove 1".into()));
    }
}
