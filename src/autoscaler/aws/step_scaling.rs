//! Step scaling: how far past its threshold the metric is decides by how much capacity changes.
//!
//! Source: Application Auto Scaling User Guide, "Step scaling policies" (text of 2023); EC2 Auto Scaling is the same but for
//! warm-up instead of cooldown.

use super::alarms::Alarm;
use crate::schema::{Choice, Context, Data, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};

/// What an adjustment means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AdjustmentType {
    Change,
    Exact,
    Percent,
}

impl Choice for AdjustmentType {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("change_in_capacity", AdjustmentType::Change, "instances more or fewer"),
        ("exact_capacity", AdjustmentType::Exact, "the new number of instances"),
        ("percent_change_in_capacity", AdjustmentType::Percent, "percent of the capacity more or fewer"),
    ];
}

impl Value for AdjustmentType {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// A whole number that may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole(pub i64);

impl Value for Whole {
    fn kind() -> Kind {
        Kind::Number
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        const MOST: f64 = 1e9;
        match f64::read(node, path, context)? {
            number if number.fract() == 0.0 && number.abs() <= MOST => Ok(Whole(number as i64)),
            number => {
                let label = "expected a whole number, negative to remove instances";
                Err(Problem::new(&node.place, format!("`{path}` is {number}"), label))
            }
        }
    }
}

/// One step: an interval of the distance from the threshold, and what to do in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// `None`: no end on this side.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub adjustment: i64,
}

const LOWER: Key<Option<f64>> = Key::optional(
    "lower",
    "Lower end of the interval, as the metric minus the threshold; left out, without end. Belongs to the interval above the threshold, not below it.",
);
const UPPER: Key<Option<f64>> = Key::optional(
    "upper",
    "Upper end; left out, without end. Belongs to the interval below the threshold, not above it.",
);
const ADJUSTMENT: Key<Whole> =
    Key::required("adjustment", "What to do: a whole number, of what `adjustment_type` says.");
const STEP_SPEC: TableSpec = TableSpec {
    name: "step",
    doc: "One step of a step scaling policy.",
    keys: &[&LOWER, &UPPER, &ADJUSTMENT],
};

impl Value for Step {
    fn kind() -> Kind {
        Kind::Table(const { &STEP_SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        if let Data::Table(_) = node.data {
            let reader = Reader::open(node, path, &STEP_SPEC, context)?;
            let Whole(adjustment) = reader.get(&ADJUSTMENT)?;
            let step = Step { lower: reader.find(&LOWER)?, upper: reader.find(&UPPER)?, adjustment };
            return match (step.lower, step.upper) {
                (Some(lower), Some(upper)) if lower >= upper => {
                    let message =
                        format!("`{}` is {lower}, not below the upper end", reader.path_of("lower"));
                    Err(reader.problem("lower", message, format!("expected less than {upper}")))
                }
                _ => Ok(step),
            };
        }
        Err(Problem::new(&node.place, format!("`{path}` is {}", node.data.kind()), "expected a table"))
    }
}

impl Step {
    fn holds(&self, distance: f64, upward: bool) -> bool {
        // Above the threshold the lower end belongs to a step, below it the upper end.
        let (over, under) = match upward {
            true => (
                self.lower.is_none_or(|lower| distance >= lower),
                self.upper.is_none_or(|upper| distance < upper),
            ),
            false => (
                self.lower.is_none_or(|lower| distance > lower),
                self.upper.is_none_or(|upper| distance <= upper),
            ),
        };
        over && under
    }
}

/// A step scaling policy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepScaling {
    pub alarm: Alarm,
    pub adjustment_type: AdjustmentType,
    pub steps: Vec<Step>,
    pub min_adjustment_magnitude: u32,
}

impl StepScaling {
    /// The adjustment of the step that `metric` falls into; `None`: it falls into none.
    pub fn adjustment(&self, metric: f64) -> Option<i64> {
        let distance = metric - self.alarm.threshold;
        let upward = self.alarm.comparison.is_upward();
        self.steps.iter().find(|step| step.holds(distance, upward)).map(|step| step.adjustment)
    }

    /// The capacity that `adjustment` makes of `capacity`.
    pub fn capacity(&self, capacity: u32, adjustment: i64) -> i64 {
        adjusted(self.adjustment_type, capacity, adjustment, self.min_adjustment_magnitude)
    }
}

/// See [`StepScaling::capacity`].
pub(super) fn adjusted(kind: AdjustmentType, capacity: u32, adjustment: i64, least: u32) -> i64 {
    let capacity = i64::from(capacity);
    match kind {
        AdjustmentType::Exact => adjustment,
        AdjustmentType::Change => capacity + adjustment,
        AdjustmentType::Percent => {
            let change = whole_change(capacity as f64 * adjustment as f64 / 100.0);
            let magnitude = if change == 0 { 0 } else { change.abs().max(i64::from(least)) };
            capacity + magnitude * change.signum()
        }
    }
}

/// A change by a percentage, as whole instances: towards zero, but at least one.
pub(super) fn whole_change(change: f64) -> i64 {
    if change == 0.0 { 0 } else { (change.trunc() as i64).abs().max(1) * change.signum() as i64 }
}

#[cfg(test)]
mod tests {
    use super::super::alarms::{Comparison, Missing};
    use super::*;

    fn policy(comparison: Comparison, steps: Vec<Step>) -> StepScaling {
        StepScaling {
            alarm: Alarm {
                comparison,
                threshold: 50.0,
                periods: 1,
                datapoints: 1,
                missing: Missing::LeftOut,
            },
            adjustment_type: AdjustmentType::Percent,
            steps,
            min_adjustment_magnitude: 0,
        }
    }

    fn step(lower: Option<f64>, upper: Option<f64>, adjustment: i64) -> Step {
        Step { lower, upper, adjustment }
    }

    #[test]
    fn above_the_threshold_the_lower_end_belongs_to_the_step() {
        let steps = vec![step(Some(0.0), Some(10.0), 0), step(Some(10.0), None, 10)];
        let policy = policy(Comparison::AtLeast, steps);
        assert_eq!([59.9, 60.0, 49.0].map(|metric| policy.adjustment(metric)), [Some(0), Some(10), None]);
    }

    #[test]
    fn below_the_threshold_the_upper_end_belongs_to_the_step() {
        let steps = vec![step(Some(-10.0), Some(0.0), 0), step(None, Some(-10.0), -10)];
        let policy = policy(Comparison::AtMost, steps);
        assert_eq!([50.0, 40.1, 40.0].map(|metric| policy.adjustment(metric)), [Some(0), Some(0), Some(-10)]);
    }

    #[test]
    fn percentages_round_towards_zero_but_change_by_one_at_least() {
        assert_eq!([12.7, 0.67, -0.58, -6.67, 0.0].map(whole_change), [12, 1, -1, -6, 0]);
    }

    #[test]
    fn a_least_magnitude_applies_to_percentages_in_both_directions() {
        assert_eq!(adjusted(AdjustmentType::Percent, 4, 25, 2), 6);
        assert_eq!(adjusted(AdjustmentType::Percent, 4, -25, 2), 2);
        assert_eq!(adjusted(AdjustmentType::Change, 4, 1, 2), 5);
        assert_eq!(adjusted(AdjustmentType::Exact, 3, 5, 0), 5);
    }
}
