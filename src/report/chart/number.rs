//! Numbers as a reader of a chart wants them.

/// A number with three significant digits, or its whole part: `0.00123`, `12.3`, `1234`, `12,346`, `1.23e7`; a dash if there is none.
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor();
    if (-4.0..6.0).contains(&magnitude) {
        with_decimals(value, (2.0 - magnitude).clamp(0.0, 6.0) as usize, true)
    } else {
        scientific(value)
    }
}

/// A number on an axis whose ticks are `step` apart.
pub fn on_axis(value: f64, step: f64) -> String {
    let magnitude = step.abs().log10().floor();
    if value != 0.0 && (value.abs() >= 1e6 || magnitude < -4.0) {
        return scientific(value);
    }
    with_decimals(value, (-magnitude).clamp(0.0, 5.0) as usize, false)
}

/// A latency in the unit that suits it: `320 ms`, `1.2 s`, `4.5 min`, `3 h`.
pub fn latency(seconds: f64) -> String {
    let unit = latency_unit(seconds.abs());
    format!("{} {}", short(seconds * unit.1), unit.0)
}

/// The unit for latencies up to a value in seconds, and how many of it make a second.
pub fn latency_unit(most: f64) -> (&'static str, f64) {
    match most {
        m if m > 0.0 && m < 1e-3 => ("µs", 1e6),
        m if m < 1.0 => ("ms", 1e3),
        m if m < 600.0 => ("s", 1.0),
        m if m < 36_000.0 => ("min", 1.0 / 60.0),
        m if m.is_finite() => ("h", 1.0 / 3600.0),
        _ => ("s", 1.0),
    }
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => {
            format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// Fixed decimals, commas between thousands from ten thousand on; `trim` drops trailing zeros.
fn with_decimals(value: f64, decimals: usize, trim: bool) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = if trim { fraction.trim_end_matches('0') } else { fraction };
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if digits.len() > 4 && i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if grouped == "0" && fraction.chars().all(|c| c == '0') { "" } else { sign };
    format!("{sign}{grouped}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (12.345, "12.3"),
            (0.001_234, "0.00123"),
            (1234.5, "1234"),
            (12_345.6, "12,346"),
            (12_345_678.0, "1.23e7"),
            (1e-9, "1e-9"),
            (-2.5, "-2.5"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn axis_numbers_have_the_decimals_of_their_step() {
        assert_eq!(on_axis(2.0, 0.5), "2.0");
        assert_eq!(on_axis(150.0, 50.0), "150");
        assert_eq!(on_axis(-0.0, 1.0), "0");
        assert_eq!(on_axis(2e9, 1e9), "2e9");
    }

    #[test]
    fn latencies_choose_their_unit() {
        for (seconds, text) in [
            (0.32, "320 ms"),
            (1.2, "1.2 s"),
            (0.000_05, "50 µs"),
            (270.0, "270 s"),
            (1800.0, "30 min"),
            (0.0, "0 ms"),
        ] {
            assert_eq!(latency(seconds), text);
        }
    }
}
