//! Target tracking: two alarms around a target, and capacity in proportion to the metric.
//!
//! Source: Application Auto Scaling User Guide, "Target tracking scaling policies" (text of 2023): scale-out in proportion to
//! the metric and rounded up, scale-in more gradual, no action without data. AWS does not publish the closed formulas, nor
//! the alarms it makes; theirs are as seen on consoles: above the target for 3 of 3 minutes, below 90 % of it for 15 of 15.

use super::alarms::{Alarm, Comparison, Missing};
use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};
use crate::time::Span;

/// How much a scale-in removes. AWS does not publish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScaleIn {
    Proportional,
    One,
}

impl Choice for ScaleIn {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("proportional", ScaleIn::Proportional, "down to capacity × metric / target, rounded up"),
        ("one", ScaleIn::One, "one instance"),
    ];
}

impl Value for ScaleIn {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// A target tracking policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TargetTracking {
    pub target: f64,
    pub scale_out_periods: u32,
    /// `None`: as many as make a quarter of an hour.
    pub scale_in_periods: Option<u32>,
    /// Share of the target below which the scale-in alarm counts; `None`: the service's own.
    pub scale_in_below: Option<f64>,
    pub scale_in: ScaleIn,
    pub disable_scale_in: bool,
}

impl TargetTracking {
    /// The alarm that scales out.
    pub fn high(&self) -> Alarm {
        self.alarm(Comparison::Above, self.target, self.scale_out_periods)
    }

    /// The alarm that scales in, over periods of `period`, where `share` of the target is the service's own limit.
    pub fn low(&self, period: Span, share: f64) -> Alarm {
        let quarter = Span::from_secs(15 * 60).as_nanos().div_ceil(period.as_nanos().max(1)) as u32;
        let periods = self.scale_in_periods.unwrap_or(quarter.max(1));
        self.alarm(Comparison::Below, self.target * self.scale_in_below.unwrap_or(share), periods)
    }

    fn alarm(&self, comparison: Comparison, threshold: f64, periods: u32) -> Alarm {
        Alarm { comparison, threshold, periods, datapoints: periods, missing: Missing::LeftOut }
    }

    /// Capacity in proportion to the metric, rounded up.
    pub fn proportional(&self, capacity: u32, metric: f64) -> i64 {
        (f64::from(capacity) * metric / self.target).ceil() as i64
    }

    /// What a scale-in leaves of `capacity`; never more.
    pub fn scaled_in(&self, capacity: u32, metric: f64) -> i64 {
        let left = match self.scale_in {
            ScaleIn::Proportional => self.proportional(capacity, metric),
            ScaleIn::One => i64::from(capacity) - 1,
        };
        left.min(i64::from(capacity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> TargetTracking {
        TargetTracking {
            target: 70.0,
            scale_out_periods: 3,
            scale_in_periods: None,
            scale_in_below: None,
            scale_in: ScaleIn::Proportional,
            disable_scale_in: false,
        }
    }

    #[test]
    fn both_directions_round_up() {
        assert_eq!((policy().proportional(10, 71.0), policy().proportional(10, 140.0)), (11, 20));
        assert_eq!((policy().scaled_in(3, 60.0), policy().scaled_in(10, 35.0)), (3, 5));
    }

    #[test]
    fn the_low_alarm_looks_at_a_quarter_of_an_hour() {
        let low = policy().low(Span::from_secs(60), 0.9);
        assert_eq!((low.periods, low.threshold), (15, 63.0));
        assert_eq!(policy().low(Span::from_secs(10), 0.9).periods, 90);
    }
}
