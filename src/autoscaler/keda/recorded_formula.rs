//! What a formula comes to in a recording that has the values of its names: with a name that failed, and with the fallback
//! that leaves it to the formula (`fallback.behavior: scalingModifiers`, KEDA 2.20).

use std::collections::BTreeMap;

use serde_json::Value;

use super::expression::NoNumber;
use super::fallback::{Behavior, Fallback};
use super::release::Release;
use super::{Formula, Keda, TriggerValue};
use crate::autoscaler::hpa::metric::Target;
use crate::autoscaler::{Row, RowProblem};
use crate::schema::nearest;
use crate::time::Instant;

/// The values of the names in a formula, one row's; nothing for one that failed.
pub(super) type Inputs = BTreeMap<String, Option<f64>>;

/// Failures in a row, by name.
pub(super) type InputFailures = BTreeMap<String, i64>;

impl Keda {
    /// The values that `row` gives of the names in the formula of a trigger, in an object `values`, those of schedules by the
    /// clock; `None` if it gives none.
    ///
    /// # Errors
    /// The trigger has no formula, or a value is not as it has to be.
    pub(super) fn inputs(
        &self,
        index: usize,
        row: &Row<'_>,
        now: Instant,
    ) -> Result<Option<Inputs>, RowProblem> {
        let Some(given) = row.value("values") else { return Ok(None) };
        let Some(TriggerValue::Formula(formula)) = self.values.get(index) else {
            return Err(row.wrong("values", "nothing: the trigger has no formula, its value is `value`"));
        };
        let Some(given) = given.as_object() else {
            return Err(row.wrong("values", "an object with the value of each name in the formula"));
        };
        let mut inputs: Inputs = formula.expression.names().map(|name| (name.to_owned(), None)).collect();
        for named in &formula.crons {
            if let Some(input) = inputs.get_mut(&named.name) {
                *input = Some(named.cron.value(now, &self.clock, self.release));
            }
        }
        for (name, value) in given {
            let path = row.path_of(&format!("values.{name}"));
            let Some(input) = inputs.get_mut(name) else {
                let known = formula.expression.names();
                let near =
                    nearest(name, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                return Err(RowProblem::new(format!("`{path}` is no name in the formula{near}")));
            };
            *input = match value {
                Value::Null => None,
                Value::Number(number) => number.as_f64(),
                other => return Err(RowProblem::new(format!("`{path}` is {other}: expected a number"))),
            };
        }
        Ok(Some(inputs))
    }

    /// What the formula of a trigger comes to where every name has a value.
    pub(super) fn composite(&self, index: usize, inputs: &Inputs) -> Option<f64> {
        let value = |name: &str| self.input(inputs, name);
        self.formula(index)?.expression.value(value)
    }

    /// What it comes to with the fallback that leaves failures to it, each of which is counted; `None`: there is no value.
    pub(super) fn composite_with_nil(
        &self,
        index: usize,
        inputs: &Inputs,
        (failures, ready): (&mut InputFailures, Option<u32>),
    ) -> Option<f64> {
        let fallback = self.leaves_to_formula()?;
        let mut is_waiting = false;
        for (name, value) in inputs {
            let count = failures.entry(name.clone()).or_insert(0);
            *count = if value.is_some() { 0 } else { *count + 1 };
            is_waiting |= value.is_none() && *count <= fallback.failure_threshold;
        }
        if is_waiting {
            return None;
        }
        match self.formula(index)?.expression.value_with_nil(|name| self.input(inputs, name)) {
            Ok(value) => Some(value),
            Err(NoNumber::OfNil) => None,
            Err(NoNumber::Nil) => {
                let replicas = fallback.replicas as f64;
                match (self.hpa.metrics.get(index)?.target, ready) {
                    (Target::AverageValue(target), _) => Some(target as f64 / 1000.0 * replicas),
                    (Target::Value(target), Some(ready)) if ready > 0 => {
                        Some(target as f64 / 1000.0 * replicas / f64::from(ready))
                    }
                    _ => None,
                }
            }
        }
    }

    /// The fallback, where it leaves failures to the formula.
    pub(super) fn leaves_to_formula(&self) -> Option<Fallback> {
        self.fallback.filter(|fallback| fallback.behavior == Behavior::ScalingModifiers)
    }

    /// The value of a name as it enters the formula: in thousandths, as KEDA keeps the value of a trigger.
    fn input(&self, inputs: &Inputs, name: &str) -> Option<f64> {
        let in_thousandths = |value: f64| quantity(self.release, value);
        inputs.get(name).copied().flatten().map(in_thousandths)
    }

    fn formula(&self, index: usize) -> Option<&Formula> {
        match self.values.get(index)? {
            TriggerValue::Formula(formula) => Some(formula),
            TriggerValue::Signal | TriggerValue::Cron(_) => None,
        }
    }
}

fn quantity(release: Release, value: f64) -> f64 {
    release.quantity()(value) as f64 / 1000.0
}
