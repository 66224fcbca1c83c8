//! Instants as most files write them, read without the ways round that others need: what is not among these is none here, and may
//! still be an instant.

/// Nanoseconds of digits with or without a point, in units of `unit` nanoseconds, a power of ten up to 10⁹.
pub(super) fn number(text: &str, unit: u64) -> Option<i64> {
    const POWERS: [u64; 10] =
        [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
    let bytes = text.as_bytes();
    let (whole, rest) = digits(bytes)?;
    let nanos = whole.checked_mul(unit)?;
    let part = match rest {
        [] => 0,
        [b'.', rest @ ..] => {
            let (fraction, after) = digits(rest)?;
            let scale = *POWERS.get(rest.len())?;
            if !after.is_empty() || !unit.is_multiple_of(scale) {
                return None;
            }
            fraction * (unit / scale)
        }
        _ => return None,
    };
    i64::try_from(nanos.checked_add(part)?).ok()
}

/// The number that up to 19 digits at the start are, at least one, and what follows.
fn digits(bytes: &[u8]) -> Option<(u64, &[u8])> {
    const MOST: usize = 19;
    let mut value = 0_u64;
    let mut count = 0;
    while let Some(digit) = bytes.get(count).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        if count == MOST {
            return None;
        }
        value = value * 10 + u64::from(digit);
        count += 1;
    }
    (count > 0).then_some((value, &bytes[count..]))
}

/// Nanoseconds since 1970 of `2024-11-05 09:00:00`, with a blank or a T, up to nine digits after a point, and nothing, Z or an offset
/// such as +01:00 behind it; and whether it says its zone.
pub(super) fn date(text: &str) -> Option<(i128, bool)> {
    let bytes = text.as_bytes();
    let (
        &[y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b' ' | b'T', h1, h2, b':', mi1, mi2, b':', s1, s2],
        rest,
    ) = bytes.split_first_chunk::<19>()?
    else {
        return None;
    };
    let two = |one: u8, other: u8| {
        let (one, other) = (one.wrapping_sub(b'0'), other.wrapping_sub(b'0'));
        (one < 10 && other < 10).then_some(u32::from(one) * 10 + u32::from(other))
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(mo1, mo2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // A second 60 is a leap second; the last days of the year 9999 are none in other zones.
    if !(1..9999).contains(&year) || day == 0 || day > days || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, rest) = match rest {
        [b'.', rest @ ..] => {
            let (fraction, after) = digits(rest)?;
            let count = rest.len() - after.len();
            (fraction * 10_u64.pow(9_u32.checked_sub(count as u32)?), after)
        }
        _ => (0, rest),
    };
    let (offset, zoned) = match *rest {
        [] => (0, false),
        [b'Z'] => (0, true),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours * 3600 + minutes * 60);
            (if sign == b'-' { -seconds } else { seconds }, true)
        }
        _ => return None,
    };
    let seconds =
        days_from_1970(year, month, day) * 86_400 + i64::from(hour * 3600 + minute * 60 + second) - offset;
    Some((i128::from(seconds) * 1_000_000_000 + i128::from(nanos), zoned))
}

/// Days from 1970-01-01, of the Gregorian calendar: years begin in March, so that the day of a leap year is their last.
fn days_from_1970(year: u32, month: u32, day: u32) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    i64::from(before + (153 * month + 2) / 5 + day) - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::Unit;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let slow = |text: &str| text.parse::<jiff::Timestamp>().ok().map(|stamp| stamp.as_nanosecond());
        let mut read = 0;
        for year in [1, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2100, 9998] {
            for (month, day) in (0..=13).flat_map(|month| [0, 1, 28, 29, 30, 31, 32].map(|day| (month, day)))
            {
                let text = format!("{year:04}-{month:02}-{day:02}T23:59:59.123456789-01:30");
                let found = date(&text).map(|(nanos, _)| nanos);
                assert_eq!(found, slow(&text), "{text}");
                read += u32::from(found.is_some());
            }
        }
        assert!(read > 300, "{read}");
    }

    #[test]
    fn what_is_read_quickly_is_what_is_read_slowly() {
        assert_eq!(date("1970-01-01 00:00:00"), Some((0, false)));
        assert_eq!(date("1970-01-01T00:00:00.5Z"), Some((500_000_000, true)));
        for text in [
            "2024-11-05T09:00:60Z",
            "2024-11-05T24:00:00Z",
            "2024-11-05t09:00:00Z",
            "2024-11-05 09:00:00 UTC",
            "2024-11-05 09:00:00.",
            "2024-11-05 09:00:00.1234567890",
            "2024-11-05 09:00",
            "2024-11-05 09:00:00+0100",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        let nanos = Unit::Seconds.nanos();
        assert_eq!(number("1742750167.4895", nanos), Some(1_742_750_167_489_500_000));
        assert_eq!(number("1759813207532900363", 1), Some(1_759_813_207_532_900_363));
        assert_eq!(number("27482.5", Unit::Milliseconds.nanos()), Some(27_482_500_000));
        for (text, unit) in [
            ("", 1),
            (".5", nanos),
            ("5.", nanos),
            ("-5", nanos),
            ("1.2.3", nanos),
            ("0.1234567891", nanos),
            ("0.1234", 1_000),
            ("99999999999", nanos),
            ("12345678901234567890", 1),
            ("1e3", nanos),
        ] {
            assert_eq!(number(text, unit), None, "{text}");
        }
    }
}
