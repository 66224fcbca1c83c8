//! Which release of KEDA it is, where its rules changed.
//!
//! Sources: the tags v2.17.0 to v2.20.2 of kedacore/keda: `pkg/fallback/fallback.go` (value targets since 2.18, #6655),
//! `pkg/scaling/scale_handler.go` (the fallback at polls since 2.19, #7239), `pkg/scalers/scaler.go` (to the nearest thousandth
//! since 2.20.0, #7441; no negative values since 2.20.2, #7880).

use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};

/// A release, with all before it that have the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Release {
    V2_17,
    V2_18,
    V2_19,
    V2_20,
    Newest,
}

impl Choice for Release {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("newest", Release::Newest, "2.20.2 and later: negative values become 0"),
        ("2.20", Release::V2_20, "2.20.0 and 2.20.1: values are rounded to the nearest thousandth, not cut"),
        ("2.19", Release::V2_19, "polls count failures too, and a fallback wakes the pool from zero"),
        ("2.18", Release::V2_18, "a fallback for `value` targets too"),
        ("2.17", Release::V2_17, "a fallback for `average_value` targets only"),
    ];
}

impl Value for Release {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Release {
    /// Whether polls count failures, and take a fallback for an active trigger.
    pub fn falls_back_at_polls(self) -> bool {
        self >= Release::V2_19
    }

    /// Whether a `value` target has a fallback.
    pub fn falls_back_by_value(self) -> bool {
        self >= Release::V2_18
    }

    /// The value of a cron trigger outside its interval (0 since 2.18, #6886).
    pub fn outside_of_cron(self) -> f64 {
        if self >= Release::V2_18 { 0.0 } else { 1.0 }
    }

    /// A value as KEDA writes it for the HPA, in thousandths.
    pub fn quantity(self) -> fn(f64) -> i64 {
        match self {
            Release::Newest => nearest_from_zero,
            Release::V2_20 => nearest,
            Release::V2_17 | Release::V2_18 | Release::V2_19 => cut,
        }
    }
}

fn nearest_from_zero(value: f64) -> i64 {
    // Not a number becomes 0, too.
    nearest(value.max(0.0))
}

/// As three decimals are printed: to the nearest, by all binary digits of the value.
fn nearest(value: f64) -> i64 {
    if !value.is_finite() {
        return 0;
    }
    let thousandths = value * 1000.0;
    // Only next to a half does the product's own rounding matter, and far from zero there are no halves.
    if (thousandths.fract().abs() - 0.5).abs() > 1e-3 || thousandths.abs() > 1e9 {
        return thousandths.round() as i64;
    }
    let printed = format!("{value:.3}");
    printed.parse().map_or(0, |printed: f64| (printed * 1000.0).round() as i64)
}

/// Without what follows the third decimal; what is no finite number becomes 0.
pub(super) fn cut(value: f64) -> i64 {
    if value.is_finite() { (value * 1000.0) as i64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_round_to_the_nearest_thousandth_and_were_cut_before() {
        let newest = Release::Newest.quantity();
        assert_eq!([10.0004, 10.0006, 0.0004, 42.5].map(newest), [10_000, 10_001, 0, 42_500]);
        assert_eq!([0.0625, 0.1875].map(newest), [62, 188], "exact halves go to the even digit");
        assert_eq!([-1.0, -9.3e15, f64::NAN, f64::INFINITY].map(newest), [0, 0, 0, 0]);
        assert_eq!([-1.0, 10.0006].map(Release::V2_20.quantity()), [-1000, 10_001]);
        assert_eq!([-1.0, 10.0009].map(Release::V2_19.quantity()), [-1000, 10_000]);
        assert_eq!(newest(1e300), i64::MAX);
    }
}
