//! Axes: from a value to a place, and the ticks between.

use super::number::{latency_unit, on_axis};

/// How values spread over an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Log,
    /// By the number of nines of a percentile: 0, 90, 99, 99.9 are one apart.
    Nines,
}

/// A tick; a minor one has no label.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// In the unit the axis was given its values in.
    pub at: f64,
    pub label: Option<String>,
}

/// One axis: its range, its ticks and its title with the unit.
#[derive(Debug, Clone)]
pub struct Axis {
    pub title: String,
    pub ticks: Vec<Tick>,
    scale: Scale,
    low: f64,
    high: f64,
}

/// From this ratio of the largest to the smallest value on, an axis is logarithmic.
const WIDE: f64 = 20.0;

/// A limit on the axis leaves the values at least this share of the room that they have without it.
const LEAST_SPREAD: f64 = 0.45;

impl Axis {
    /// Amounts on a linear axis of about `count` ticks; starts at zero where that costs little room.
    pub fn linear(title: &str, values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        Axis::scaled(format!("{title} (linear scale)"), values, 1.0, count)
    }

    /// Whole numbers from zero up.
    pub fn counts(title: impl Into<String>, values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        let mut axis = Axis::from_zero(title, values, count);
        axis.ticks.retain(|tick| tick.at.fract() == 0.0);
        // Where halves were dropped, the rest need no decimals.
        for tick in &mut axis.ticks {
            tick.label = Some(on_axis(tick.at, tick.at.abs().max(1.0)));
        }
        axis
    }

    /// Amounts from zero up.
    pub fn from_zero(title: impl Into<String>, values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        Axis::scaled(title.into(), values.into_iter().chain([0.0]), 1.0, count)
    }

    /// Latencies in seconds, shown in the unit that suits them; logarithmic where they range widely. `limit` is on the axis
    /// too, unless it lies so far off that the values would be squeezed together.
    pub fn latency_with(
        name: &str,
        values: impl IntoIterator<Item = f64>,
        limit: Option<f64>,
        count: usize,
    ) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        let alone = Axis::latency(name, values.iter().copied(), count);
        let Some(limit) = limit.filter(|limit| limit.is_finite()) else { return alone };
        let both = Axis::latency(name, values.iter().copied().chain([limit]), count);
        let spread = |axis: &Axis| {
            let places = values.iter().map(|value| axis.fraction(*value));
            let (low, high) = places.fold((1.0_f64, 0.0_f64), |(l, h), place| (l.min(place), h.max(place)));
            (high - low).max(0.0)
        };
        if spread(&both) >= LEAST_SPREAD * spread(&alone) { both } else { alone }
    }

    /// Latencies in seconds, shown in the unit that suits them; logarithmic where they range widely.
    pub fn latency(name: &str, values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        let (unit, per_second) = latency_unit(values.iter().copied().fold(0.0, f64::max));
        let titled = |unit: &str, scale: &str| {
            let name = if name.is_empty() { String::new() } else { format!("{name}, ") };
            format!("{name}{unit} ({scale} scale)")
        };
        let positive = || values.iter().copied().filter(|v| *v > 0.0);
        let (low, high) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
        if high / low <= WIDE || positive().next().is_none() {
            return Axis::scaled(titled(unit, "linear"), values, per_second, count);
        }
        // From milliseconds to hours: seconds, lest the small become unreadable fractions of the large.
        let (unit, per_second) = latency_unit(high.min(low * 1e3).max(high.min(1.0)));
        Axis::log(titled(unit, "log"), low, high, per_second, count)
    }

    /// Time from the start of the run, in seconds, shown in s, min, h or days.
    pub fn time(end: f64, count: usize) -> Self {
        const MINUTE_LIKE: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0];
        const HOUR_LIKE: &[f64] = &[0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0];
        const DAY_LIKE: &[f64] = &[0.5, 1.0, 2.0, 7.0, 14.0];
        let end = if end.is_finite() && end > 0.0 { end } else { 1.0 };
        let (unit, length, steps) = match end {
            e if e <= 300.0 => ("s", 1.0, MINUTE_LIKE),
            e if e <= 3.0 * 3600.0 => ("min", 60.0, MINUTE_LIKE),
            e if e <= 4.0 * 86_400.0 => ("h", 3600.0, HOUR_LIKE),
            _ => ("days", 86_400.0, DAY_LIKE),
        };
        let span = end / length;
        let fits = |step: &f64| span / step <= count as f64 && span >= *step;
        let step = steps.iter().copied().find(fits).unwrap_or_else(|| nice_step(span, count));
        let ticks = linear_ticks(0.0, span, step, length);
        Axis { title: format!("Time, {unit}"), ticks, scale: Scale::Linear, low: 0.0, high: end }
    }

    /// Percentiles from 0 to 99.99, by their number of nines.
    pub fn nines(title: &str) -> Self {
        let labels = [(0.0, "0"), (50.0, "50"), (90.0, "90"), (99.0, "99"), (99.9, "99.9"), (99.99, "99.99")];
        let ticks = labels.map(|(at, label)| Tick { at, label: Some(label.to_owned()) }).to_vec();
        Axis { title: title.to_owned(), ticks, scale: Scale::Nines, low: 0.0, high: 99.99 }
    }

    /// Where a value lies, from 0 at the low end to 1 at the high; what is outside lies at the nearer end.
    pub fn fraction(&self, value: f64) -> f64 {
        let place = |v: f64| match self.scale {
            Scale::Linear => v,
            Scale::Log => v.max(f64::MIN_POSITIVE).ln(),
            Scale::Nines => -(1.0 - v.clamp(0.0, 99.999_999) / 100.0).log10(),
        };
        let (low, high) = (place(self.low), place(self.high));
        let fraction = (place(value) - low) / (high - low);
        if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) }
    }

    /// Whether a value lies within the axis.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    fn scaled(title: String, values: impl IntoIterator<Item = f64>, factor: f64, count: usize) -> Self {
        let (low, high) = range(values.into_iter().map(|v| v * factor));
        let step = nice_step(high - low, count);
        let ticks = linear_ticks(low, high, step, 1.0 / factor);
        Axis { title, ticks, scale: Scale::Linear, low: low / factor, high: high / factor }
    }

    fn log(title: String, low: f64, high: f64, factor: f64, count: usize) -> Self {
        // Powers of ten beyond are not numbers any more.
        let shown = |v: f64| (v * factor).clamp(1e-280, 1e280);
        let (low, high) = (shown(low) / 1.25, shown(high) * 1.25);
        let ticks = log_ticks(low, high, count);
        let ticks = ticks.into_iter().map(|t| Tick { at: t.at / factor, ..t }).collect();
        Axis { title, ticks, scale: Scale::Log, low: low / factor, high: high / factor }
    }
}

/// The range of finite values with some air; never empty.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|v| v.is_finite()).map(|v| v.clamp(-1e300, 1e300));
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let air = match (high - low) * 0.06 {
        // Nothing but one value, or values that differ by rounding: a range about it, as wide as itself.
        air if air <= high.abs().max(low.abs()) * 1e-9 => high.abs().max(low.abs()).max(1e-12) * 0.5,
        air => air,
    };
    if low == 0.0 && high == 0.0 {
        return (0.0, 1.0);
    }
    match (low, high) {
        (l, h) if l >= 0.0 && l - air <= 0.2 * h => (0.0, h + air),
        (l, h) if h <= 0.0 && h + air >= 0.2 * l => (l - air, 0.0),
        (l, h) => (l - air, h + air),
    }
}

/// A step of 1, 2 or 5 times a power of ten that cuts a span into at most `count` parts.
fn nice_step(span: f64, count: usize) -> f64 {
    let rough = (span / count.max(1) as f64).max(1e-300);
    let power = 10f64.powf(rough.log10().floor());
    let digit = [1.0, 2.0, 5.0].into_iter().find(|d| d * power >= rough * (1.0 - 1e-9));
    digit.unwrap_or(10.0) * power
}

/// Ticks at the multiples of a step between two ends; `length` turns what is shown into the value behind it.
fn linear_ticks(low: f64, high: f64, step: f64, length: f64) -> Vec<Tick> {
    let first = (low / step - 1e-9).ceil();
    let many = ((high / step + 1e-9).floor() - first).clamp(0.0, 200.0) as usize;
    let shown = (0..=many).map(|i| (first + i as f64) * step);
    shown.map(|v| Tick { at: v * length, label: Some(on_axis(v, step)) }).collect()
}

/// Ticks of a logarithmic axis: decades, or also 2 and 5 where there are few, and minor ones between.
fn log_ticks(low: f64, high: f64, count: usize) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = (high / low).log10();
    let every = (decades / count.max(2) as f64).ceil().max(1.0) as i32;
    let dense = decades * 3.0 <= count as f64 + 1.0;
    let mut ticks = Vec::new();
    for decade in first..=last {
        for digit in 1..10 {
            let value = f64::from(digit) * 10f64.powi(decade);
            if value < low || value > high || (digit > 1 && every > 1) {
                continue;
            }
            let labelled =
                if digit == 1 { decade.rem_euclid(every) == 0 } else { dense && matches!(digit, 2 | 5) };
            ticks.push(Tick { at: value, label: labelled.then(|| on_axis(value, 10f64.powi(decade))) });
        }
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().filter_map(|t| t.label.as_deref()).collect()
    }

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        let axis = Axis::linear("Cost", [12.0, 17.0], 6);
        assert_eq!(labels(&axis), ["12", "13", "14", "15", "16", "17"]);
        assert_eq!(labels(&Axis::from_zero("", [9.0], 5)), ["0", "2", "4", "6", "8"]);
    }

    #[test]
    fn a_limit_far_from_the_values_is_left_off_and_one_near_them_is_not() {
        let values = [0.50, 0.52, 0.55, 0.6];
        for (limit, held) in [(0.7, true), (0.45, true), (2.0, false), (60.0, false), (0.01, false)] {
            assert_eq!(Axis::latency_with("p99", values, Some(limit), 6).holds(limit), held, "{limit}");
        }
        // Widely spread values have room for it, and a single one has nothing to lose.
        assert!(Axis::latency_with("p99", [0.3, 4.0], Some(10.0), 6).holds(10.0));
        assert!(Axis::latency_with("p99", [0.3], Some(60.0), 6).holds(60.0));
    }

    #[test]
    fn widely_ranging_latencies_are_logarithmic_and_in_one_unit() {
        let axis = Axis::latency("p99", [0.05, 30.0], 6);
        assert_eq!(axis.title, "p99, s (log scale)");
        assert_eq!(labels(&axis), ["0.1", "1", "10"]);
        let (a, b, c) = (axis.fraction(0.1), axis.fraction(1.0), axis.fraction(10.0));
        assert!((b - a - (c - b)).abs() < 1e-9 && a > 0.0 && c < 1.0);
        assert_eq!(Axis::latency("p99", [0.2, 0.3], 6).title, "p99, ms (linear scale)");
        assert_eq!(Axis::latency("p99", [0.02, 7200.0], 6).title, "p99, s (log scale)");
        assert_eq!(Axis::latency("p99", [3600.0, 7200.0], 6).title, "p99, min (linear scale)");
    }

    #[test]
    fn time_runs_in_units_of_the_clock() {
        for (end, title, shown) in [
            (60.0, "Time, s", vec!["0", "10", "20", "30", "40", "50", "60"]),
            (3600.0, "Time, min", vec!["0", "10", "20", "30", "40", "50", "60"]),
            (86_400.0, "Time, h", vec!["0", "3", "6", "9", "12", "15", "18", "21", "24"]),
            (7.0 * 86_400.0, "Time, days", vec!["0", "1", "2", "3", "4", "5", "6", "7"]),
        ] {
            let axis = Axis::time(end, 9);
            assert_eq!((axis.title.as_str(), labels(&axis)), (title, shown));
        }
    }

    #[test]
    fn each_further_nine_takes_the_same_room() {
        let axis = Axis::nines("");
        let at = |p| axis.fraction(p);
        assert_eq!(at(0.0), 0.0);
        assert!((at(90.0) - 0.25).abs() < 1e-9 && (at(99.9) - 0.75).abs() < 1e-9 && at(100.0) == 1.0);
    }

    #[test]
    fn any_values_make_an_axis_with_labels() {
        let odd = [
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
            0.0,
            -0.0,
            1e-300,
            1e300,
            -1e300,
            f64::MIN_POSITIVE,
            5.0,
            5.000_000_000_1,
        ];
        for a in odd {
            for b in odd {
                for axis in [
                    Axis::linear("", [a, b], 6),
                    Axis::from_zero("", [a, b], 6),
                    Axis::latency("", [a, b], 6),
                ] {
                    let within = axis.ticks.iter().all(|t| (0.0..=1.0).contains(&axis.fraction(t.at)));
                    assert!(within && axis.ticks.len() < 1000 && axis.low < axis.high, "{a} {b} {axis:?}");
                    assert!(!labels(&axis).is_empty(), "{a} {b} {axis:?}");
                }
            }
            assert!(!labels(&Axis::time(a, 8)).is_empty());
        }
    }
}
