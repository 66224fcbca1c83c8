//! Flapping avoidance: no scale-in that would have to be undone at once.
//!
//! Source: Azure Monitor, "Understand autoscale settings" and "Flapping in autoscale": before a scale-in the metric is
//! projected onto the instances that would be left, and where that would trigger a scale-out the scale-in is skipped, or
//! removes fewer. Scale-out is never held back.

use super::rule::Operator;

/// A metric and the scale-out rule on it that a scale-in must not trigger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guard {
    pub metric: f64,
    pub operator: Operator,
    pub threshold: f64,
}

impl Guard {
    /// The metric once its load is shared by `left` of `current` instances; infinite for none of them.
    pub fn projected(&self, current: u32, left: u32) -> f64 {
        self.metric * f64::from(current) / f64::from(left)
    }

    fn triggers(&self, current: u32, left: u32) -> bool {
        // A metric of zero stays zero on however few instances.
        self.metric != 0.0 && self.operator.holds(self.projected(current, left), self.threshold)
    }
}

/// The instances a scale-in from `current` to `wanted` may leave: the fewest from `wanted` on that trigger none of the
/// rules; `current` if all would.
pub(super) fn allowed(current: u32, wanted: u32, guards: impl Iterator<Item = Guard> + Clone) -> u32 {
    let safe = |left: &u32| !guards.clone().any(|guard| guard.triggers(current, *left));
    (wanted..current).find(safe).unwrap_or(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(metric: f64, current: u32, wanted: u32, threshold: f64) -> u32 {
        let guard = Guard { metric, operator: Operator::AtLeast, threshold };
        allowed(current, wanted, [guard].into_iter())
    }

    #[test]
    fn a_scale_in_that_would_be_undone_is_skipped() {
        // The examples of the documentation.
        assert_eq!(left(60.0, 3, 2, 80.0), 3, "60 on three is 90 on two");
        assert_eq!(left(50.0, 3, 2, 80.0), 2, "50 on three is 75 on two");
        assert_eq!(left(575.0, 3, 2, 600.0), 3, "575 on three is 862.5 on two");
    }

    #[test]
    fn fewer_go_where_not_all_can() {
        assert_eq!(left(50.0, 10, 4, 80.0), 7, "50 on ten is 83.3 on six");
        assert_eq!(left(0.0, 2, 0, 80.0), 0);
        assert_eq!(left(0.1, 2, 0, 80.0), 1);
    }
}
