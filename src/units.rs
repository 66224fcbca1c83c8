//! Durations as text, the way people write them.

use std::fmt;

use jiff::fmt::friendly::{Spacing, SpanPrinter};
use jiff::{SignedDuration, SpanRelativeTo};

use crate::time::Span;

/// The longest duration a scenario may name: 100 years. Leaves sums of a few of them far from overflow.
pub const LONGEST: Span = Span::from_secs(100 * 365 * 24 * 3600);

/// Reads a duration such as `"90s"`, `"1h 30m"`, `"350ms"` or `"1.5s"`; a day has 24 hours.
///
/// Every number needs its unit: a bare number is refused, because nothing says which unit was meant.
///
/// # Errors
/// One phrase saying what is wrong: no unit, not a duration, negative, or longer than 100 years.
///
/// ```
/// use kneepoint::internals::units::parse_span;
/// assert_eq!(parse_span("1h 30m").unwrap().as_secs_f64(), 5400.0);
/// assert!(parse_span("90").unwrap_err().contains("unit"));
/// ```
pub fn parse_span(text: &str) -> Result<Span, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the duration is empty".into());
    }
    if text.parse::<f64>().is_ok() {
        return Err(format!("a duration needs its unit, as in \"{text}s\" or \"{text}ms\""));
    }
    let not_a_duration = || format!("`{text}` is not a duration; its units are ns, us, ms, s, m, h, d and w");
    let too_fine = || {
        format!("`{text}` is finer than a nanosecond: write at most nine digits after the point of a second")
    };
    let refused = |_| if coarser(text).is_some() { too_fine() } else { not_a_duration() };
    let span: jiff::Span = text.parse().map_err(refused)?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| not_a_duration())?;
    if duration.is_negative() {
        return Err(format!("`{text}` is negative"));
    }
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    match Span::from_nanos(nanos) {
        span if span > LONGEST => Err(format!("`{text}` is longer than 100 years")),
        span => Ok(span),
    }
}

/// `text` as a duration without the digits after a point that are too many, if it is one then.
fn coarser(text: &str) -> Option<jiff::Span> {
    let without = |most: usize| -> Option<jiff::Span> {
        let (mut shorter, mut digits) = (String::new(), None);
        for c in text.chars() {
            digits = match (c, digits) {
                ('.' | ',', None) => Some(0),
                ('.' | ',', Some(_)) => return None,
                (c, Some(digits)) if c.is_ascii_digit() => Some(digits + 1),
                _ => None,
            };
            if digits.is_none_or(|digits| most > 0 && digits <= most) {
                shorter.push(c);
            }
        }
        shorter.parse().ok()
    };
    // Of nanoseconds there is no fraction at all.
    without(9).or_else(|| without(0))
}

/// Writes a span the way [`parse_span`] reads it, exactly: `1h 30m`, `90ms`, `2.5s`.
pub fn format_span(span: Span) -> String {
    let seconds = i64::try_from(span.as_nanos() / 1_000_000_000).unwrap_or(i64::MAX);
    let nanos = (span.as_nanos() % 1_000_000_000) as i32;
    if (1..60).contains(&seconds) {
        return format!("{}s", span.as_secs_f64());
    }
    SpanPrinter::new().spacing(Spacing::BetweenUnits).duration_to_string(&SignedDuration::new(seconds, nanos))
}

/// As [`format_span`] writes it.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_span(*self))
    }
}

/// Writes a span for reading: to the second from a minute on, to the millisecond from a second on, below in one unit with three
/// digits.
pub fn show_span(span: Span) -> String {
    let to = |unit: u64| Span::from_nanos((span.as_nanos().saturating_add(unit / 2)) / unit * unit);
    match span.as_nanos() {
        60_000_000_000.. => format_span(to(1_000_000_000)),
        999_500_000.. => format_span(to(1_000_000)),
        999_500.. => format!("{}ms", three_digits(span, 1_000_000)),
        1_000.. => format!("{}µs", three_digits(span, 1_000)),
        _ => format_span(span),
    }
}

/// How many of `unit`, in nanoseconds, a span below a thousand of them is, with three digits.
fn three_digits(span: Span, unit: u64) -> f64 {
    let step = [100, 10, 1].into_iter().find(|step| span.as_nanos() < unit * 1_000 / step).unwrap_or(1);
    let steps = (span.as_nanos() * step + unit / 2) / unit;
    steps as f64 / step as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90.0),
            ("1h 30m", 5400.0),
            ("350ms", 0.35),
            ("1.5s", 1.5),
            ("2 days", 172_800.0),
            ("1h30m", 5400.0),
            ("1w", 604_800.0),
            ("0s", 0.0),
        ] {
            assert_eq!(parse_span(text), Ok(Span::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused() {
        for text in [
            "",
            "90",
            "0",
            "ninety",
            "5 parsecs",
            "-3s",
            "1h 30",
            "nan",
            "inf",
            "200000d",
            "1.2.3s",
            "1 month",
        ] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_too_fine_is_told_from_what_is_no_duration() {
        for text in ["1.4285714285714286s", "0.0000000001s", "1.5ns", "1h 0.33333333333m"] {
            let message = parse_span(text).unwrap_err();
            assert!(message.contains("finer than a nanosecond"), "{text}: {message}");
        }
        assert!(parse_span("1.428571428s").is_ok());
        for text in ["1.2.3s", "5.5 parsecs", "1.00000000001"] {
            assert!(!parse_span(text).unwrap_err().contains("finer"), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_as_fine_as_a_reader_can_use() {
        let shown = |nanos| show_span(Span::from_nanos(nanos));
        assert_eq!(shown(7_197_403_668_315), "1h 59m 57s");
        assert_eq!(shown(2_500_000_000), "2.5s");
        assert_eq!(shown(2_500_400_000), "2.5s");
        assert_eq!(shown(59_999_999_999), "1m");
        assert_eq!(shown(350_000_000), "350ms");
        assert_eq!(shown(51_400_000), "51.4ms");
        assert_eq!(shown(345_678_901), "346ms");
        assert_eq!(shown(1_234_567), "1.23ms");
        assert_eq!(shown(45_600), "45.6µs");
        assert_eq!(shown(999_999_999), "1s");
        assert_eq!(shown(999_999), "1ms");
        assert_eq!(shown(7), "7ns");
        assert_eq!(shown(0), "0s");
    }

    #[test]
    fn formatting_and_parsing_agree() {
        for nanos in [0, 1, 1_500, 90_000_000, 1_500_000_000, 5_400_000_000_000, 90_061_000_000_001] {
            let span = Span::from_nanos(nanos);
            assert_eq!(parse_span(&format_span(span)), Ok(span), "{}", format_span(span));
        }
    }
}
