//! Numbers for people: three significant digits, a unit that fits, intervals as ±.

use crate::experiment::Unit;
use crate::stats::Estimate;

/// A unit to show a figure in: what to multiply by, how many decimals, and its name.
struct Scale {
    factor: f64,
    decimals: usize,
    suffix: String,
}

/// The estimate as text: `1.23 ± 0.04 s`, or `99.07 % (95.09 to 100)` where the interval reaches further to one side, as
/// one that ends at what a figure can be; `–` where there is none.
pub fn estimate(estimate: &Estimate, unit: Unit, currency: &str) -> String {
    let Some(mean) = estimate.mean else { return "–".to_owned() };
    let mut scale = scale(mean, unit, currency);
    let widths = estimate.widths().filter(|(below, above)| *below > 0.0 || *above > 0.0);
    let half = widths.map_or(0.0, |(below, above)| below.max(above));
    if half > 0.0 && half.is_finite() {
        // As many decimals as show a narrow interval, but no more than two over three digits.
        let needed = -(half * scale.factor * 1.01).log10().floor();
        scale.decimals = (needed as usize).clamp(scale.decimals, scale.decimals + 2);
    }
    let show = |value: f64| grouped(value * scale.factor, scale.decimals);
    let suffix = if scale.suffix.is_empty() { String::new() } else { format!(" {}", scale.suffix) };
    // What does not vary needs no interval.
    let Some((below, above)) = widths else { return format!("{}{suffix}", show(mean)) };
    if show(mean - half) == show(mean - below) && show(mean + half) == show(mean + above) {
        return format!("{} ± {}{suffix}", show(mean), show(half));
    }
    let end = |value: f64| if value.is_finite() { show(value) } else { "∞".to_owned() };
    format!("{}{suffix} ({} to {})", show(mean), end(mean - below), end(mean + above))
}

/// How far apart two figures are, whichever is more: `0.31 s` and `0.20 to 0.42`, in one unit; shares in percentage
/// points. No range without an interval.
pub fn apart(difference: &Estimate, unit: Unit, currency: &str) -> (String, Option<String>) {
    let Some(mean) = difference.mean else { return ("–".to_owned(), None) };
    let mut scale = scale(mean, unit, currency);
    if unit == Unit::Share {
        scale.suffix = "percentage points".to_owned();
    }
    distance(difference, mean, &scale)
}

/// [`apart`] for a difference that is a share of something: `12.4 %` and `11.9 to 12.9`.
pub fn percent_apart(share: &Estimate) -> (String, Option<String>) {
    let Some(mean) = share.mean else { return ("–".to_owned(), None) };
    let scale = Scale { factor: 100.0, decimals: decimals(mean * 100.0), suffix: "%".to_owned() };
    distance(share, mean, &scale)
}

fn distance(difference: &Estimate, mean: f64, scale: &Scale) -> (String, Option<String>) {
    let sign = if mean < 0.0 { -1.0 } else { 1.0 };
    let show = |value: f64| grouped(sign * value * scale.factor + 0.0, scale.decimals);
    let suffix = if scale.suffix.is_empty() { String::new() } else { format!(" {}", scale.suffix) };
    let ends = difference.low.zip(difference.high);
    let range = ends.map(|(low, high)| {
        let (near, far) = if mean < 0.0 { (high, low) } else { (low, high) };
        (show(near), show(far))
    });
    // What does not vary needs no range.
    let range = range.filter(|(near, far)| near != far).map(|(near, far)| format!("{near} to {far}"));
    (format!("{}{suffix}", show(mean)), range)
}

/// A time in the unit that fits it: `350 ms`, `1.23 s`, `4.5 min`.
pub fn seconds(value: f64) -> String {
    let estimate_ = Estimate { mean: Some(value), ..Estimate::default() };
    estimate(&estimate_, Unit::Seconds, "")
}

/// A count to three significant digits, or whole from a thousand on: `1,234,567`.
pub fn count(value: f64) -> String {
    grouped(value, decimals(value))
}

/// `1 point`, `2 points`.
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count as f64, 0))
}

fn scale(value: f64, unit: Unit, currency: &str) -> Scale {
    let scaled = |factor: f64, suffix: &str| Scale {
        factor,
        decimals: decimals(value * factor),
        suffix: suffix.to_owned(),
    };
    match unit {
        Unit::Seconds => match value.abs() {
            v if v == 0.0 || (1.0..120.0).contains(&v) => scaled(1.0, "s"),
            v if v < 1e-6 => scaled(1e9, "ns"),
            v if v < 1e-3 => scaled(1e6, "µs"),
            v if v < 1.0 => scaled(1e3, "ms"),
            v if v < 7200.0 => scaled(1.0 / 60.0, "min"),
            _ => scaled(1.0 / 3600.0, "h"),
        },
        Unit::Share => Scale { factor: 100.0, decimals: 2, suffix: "%".to_owned() },
        Unit::InstanceHours => scaled(1.0, "h"),
        Unit::Currency => scaled(1.0, currency),
        Unit::Requests | Unit::Instances | Unit::Count => scaled(1.0, ""),
        Unit::PerSecond => scaled(1.0, "/s"),
    }
}

/// Decimals that show three significant digits.
fn decimals(value: f64) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    // What rounds up to the next power of ten has a digit more before the point: 9.996 is 10.0.
    let magnitude = (value.abs() * (1.0 + 5e-4)).log10().floor();
    let whole = value.fract() == 0.0;
    if whole { 0 } else { (2.0 - magnitude).clamp(0.0, 9.0) as usize }
}

/// The number with commas between thousands.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 && whole.chars().all(|c| c.is_ascii_digit()) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(mean: f64, half: f64) -> Estimate {
        Estimate { mean: Some(mean), low: Some(mean - half), high: Some(mean + half), replications: 5 }
    }

    #[test]
    fn figures_show_three_digits_and_a_fitting_unit() {
        for (value, shown) in [
            (0.0, "0 s"),
            (2.55e-8, "25.5 ns"),
            (0.000_123_4, "123 µs"),
            (0.350, "350 ms"),
            (1.234_5, "1.23 s"),
            (9.996, "10.0 s"),
            (90.0, "90 s"),
            (300.0, "5 min"),
            (86_400.0, "24 h"),
        ] {
            assert_eq!(seconds(value), shown);
        }
        assert_eq!(count(1_234_567.8), "1,234,568");
        assert_eq!(count(12.345), "12.3");
        assert_eq!(counted(1, "point"), "1 point");
        assert_eq!(counted(1200, "point"), "1,200 points");
    }

    #[test]
    fn differences_are_told_as_distances_with_their_range() {
        let told = |estimate: Estimate, unit| apart(&estimate, unit, "EUR");
        let range = |text: &str| Some(text.to_owned());
        assert_eq!(told(about(-0.31, 0.11), Unit::Seconds), ("310 ms".into(), range("200 to 420")));
        assert_eq!(told(about(2.5, 3.0), Unit::Currency), ("2.50 EUR".into(), range("-0.50 to 5.50")));
        assert_eq!(
            told(about(0.012, 0.002), Unit::Share),
            ("1.20 percentage points".into(), range("1.00 to 1.40"))
        );
        assert_eq!(percent_apart(&about(-0.124, 0.005)), ("12.4 %".into(), range("11.9 to 12.9")));
        assert_eq!(percent_apart(&about(0.25, 0.0)), ("25 %".into(), None));
        assert_eq!(percent_apart(&Estimate::default()), ("–".into(), None));
    }

    #[test]
    fn intervals_share_the_unit_and_decimals_of_their_mean() {
        assert_eq!(estimate(&about(0.8123, 0.0321), Unit::Seconds, ""), "812 ± 32 ms");
        assert_eq!(estimate(&about(12.34, 0.056), Unit::Currency, "EUR"), "12.34 ± 0.06 EUR");
        assert_eq!(estimate(&about(0.9987, 0.0004), Unit::Share, ""), "99.87 ± 0.04 %");
        assert_eq!(estimate(&about(2.0, 0.0), Unit::Count, ""), "2");
    }

    #[test]
    fn a_narrow_interval_has_the_decimals_it_needs_up_to_two_more() {
        assert_eq!(estimate(&about(169.93, 0.21), Unit::Currency, "USD"), "169.9 ± 0.2 USD");
        assert_eq!(estimate(&about(1.0583, 0.0031), Unit::Seconds, ""), "1.058 ± 0.003 s");
        assert_eq!(estimate(&about(834.2, 11.3), Unit::Currency, "USD"), "834 ± 11 USD");
        assert_eq!(estimate(&about(104.69, 0.2), Unit::Requests, ""), "104.7 ± 0.2");
        assert_eq!(estimate(&about(3_302_633.4, 3595.2), Unit::Requests, ""), "3,302,633 ± 3,595");
        assert_eq!(estimate(&about(1.0, 1e-9), Unit::Seconds, ""), "1.00 ± 0.00 s");
        assert_eq!(estimate(&about(1000.2, 0.2), Unit::Requests, ""), "1,000.2 ± 0.2");
    }

    #[test]
    fn an_interval_that_is_not_about_its_mean_shows_both_ends() {
        let ends = |mean: f64, low: f64, high: f64| Estimate {
            mean: Some(mean),
            low: Some(low),
            high: Some(high),
            replications: 5,
        };
        assert_eq!(estimate(&ends(0.9907, 0.9509, 1.0), Unit::Share, ""), "99.07 % (95.09 to 100.00)");
        assert_eq!(estimate(&ends(2.47, 2.31, 2.9), Unit::Seconds, ""), "2.47 s (2.31 to 2.90)");
        assert_eq!(estimate(&ends(2.47, 2.31, f64::INFINITY), Unit::Seconds, ""), "2.47 s (2.31 to ∞)");
        assert_eq!(estimate(&ends(3.0, 0.0, 7.5), Unit::Requests, ""), "3 (0 to 8)");
        assert_eq!(estimate(&Estimate::default(), Unit::Share, ""), "–");
    }
}
