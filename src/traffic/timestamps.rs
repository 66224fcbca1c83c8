//! Timestamps as traces write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::{Unit, quick};

/// Nanoseconds since some origin, which is the same for all numbers and for all dates.
pub(super) fn parse_timestamp(cell: &str, unit: Unit) -> Option<i128> {
    if let Some(nanos) = quick::number(cell, unit.nanos()) {
        return Some(nanos.into());
    }
    decimal(cell, unit.nanos().into()).or_else(|| parse_date(cell))
}

/// A decimal number times `unit`, rounded to the nanosecond from all of its digits: a 64-bit float would lose
/// tenths of microseconds of a time since 1970.
pub(super) fn decimal(text: &str, unit: i128) -> Option<i128> {
    const DIGITS: usize = 18;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return scientific(text, unit);
    }
    if whole.is_empty() && fraction.is_empty() || whole.len() > 20 {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(DIGITS)];
    let number = |part: &str| if part.is_empty() { Some(0) } else { part.parse::<i128>().ok() };
    let scale = 10i128.pow(fraction.len() as u32);
    let nanos = number(whole)? * unit + (number(fraction)? * unit + scale / 2) / scale;
    Some(if negative { -nanos } else { nanos })
}

/// A number such as `1.5e3`; nothing else that a float may be written as.
fn scientific(text: &str, unit: i128) -> Option<i128> {
    let value: f64 = text.contains(['e', 'E']).then(|| text.parse().ok())??;
    let nanos = (value * unit as f64).round();
    (nanos.abs() < 1e30).then_some(nanos as i128)
}

/// Nanoseconds since 1970 of a date with a time of day, in UTC unless it says otherwise.
pub(crate) fn parse_date(text: &str) -> Option<i128> {
    if let Some((nanos, _)) = quick::date(text) {
        return Some(nanos);
    }
    let text = cut_fraction(text);
    let has_offset = text.get(10..)?.contains(['Z', 'z', '+', '-']);
    let timestamp: Timestamp = match has_offset {
        true => text.parse().ok()?,
        false => Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    Some(timestamp.as_nanosecond())
}

/// The text with at most nine digits after its point, which is all that nanoseconds hold.
fn cut_fraction(text: &str) -> std::borrow::Cow<'_, str> {
    let Some((head, rest)) = text.split_once('.') else { return text.into() };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        0..=9 => text.into(),
        _ => format!("{head}.{}{}", &rest[..9], &rest[digits..]).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit_whatever_their_unit() {
        let in_nanos = |text, unit| parse_timestamp(text, unit);
        assert_eq!(in_nanos("1742750167.4895", Unit::Seconds), Some(1_742_750_167_489_500_000));
        assert_eq!(in_nanos("1759813207532900363", Unit::Nanoseconds), Some(1_759_813_207_532_900_363));
        assert_eq!(in_nanos("27482", Unit::Milliseconds), Some(27_482_000_000));
        assert_eq!(in_nanos("0.1234567890123456789012345", Unit::Seconds), Some(123_456_789));
        assert_eq!(in_nanos("-1.5", Unit::Microseconds), Some(-1_500));
        assert_eq!(in_nanos(".5", Unit::Seconds), Some(500_000_000));
        assert_eq!(in_nanos("1.5e3", Unit::Seconds), Some(1_500_000_000_000));
    }

    #[test]
    fn dates_are_utc_unless_they_say_otherwise_and_take_any_fraction() {
        let parse = |text| parse_timestamp(text, Unit::Seconds);
        let base = parse("2023-11-16 18:15:46").unwrap();
        assert_eq!(parse("2023-11-16T18:15:46Z"), Some(base));
        assert_eq!(parse("2023-11-16T20:15:46+02:00"), Some(base));
        assert_eq!(parse("2023-11-16 18:15:46.6805900"), Some(base + 680_590_000));
        assert_eq!(parse("2023-11-16 18:15:46.5"), Some(base + 500_000_000));
        assert_eq!(parse("2023-11-16T18:15:46.123456789987Z"), Some(base + 123_456_789));
        assert_eq!(parse("1970-01-01 00:00:01"), Some(1_000_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", ".", "-", "abc", "nan", "inf", "1e400", "12:30", "2023-13-01 00:00:00", "1.2.3", "0x10"]
        {
            assert_eq!(parse_timestamp(text, Unit::Seconds), None, "{text}");
        }
    }
}
