//! Instants as most files write them, read without the ways round that others need: what is not among these is none here, and may
//! still be an instant.

const POWERS: [u64; 10] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// Nanoseconds of digits with or without a point, in units of `unit` nanoseconds, a power of ten up to 10⁹.
pub(super) fn number(text: &str, unit: u64) -> Option<i64> {
    let (nanos, rest) = leading_number(text.as_bytes(), unit)?;
    rest.is_empty().then_some(nanos)
}

/// The same of the digits at the start, and what follows them.
#[inline(always)]
pub(super) fn leading_number(bytes: &[u8], unit: u64) -> Option<(i64, &[u8])> {
    let (whole, rest) = digits(bytes)?;
    let mut nanos = whole.checked_mul(unit)?;
    let mut after = rest;
    if let [b'.', rest @ ..] = rest {
        let fraction;
        (fraction, after) = digits(rest)?;
        let unit_of_last = unit_after(unit, rest.len() - after.len())?;
        nanos = nanos.checked_add(fraction * unit_of_last)?;
    }
    Some((i64::try_from(nanos).ok()?, after))
}

/// What the last of so many digits after the point counts; `None` for parts of a nanosecond.
#[inline]
fn unit_after(unit: u64, digits: usize) -> Option<u64> {
    let scale = *POWERS.get(digits)?;
    // The unit of nearly all files, without a division.
    match unit {
        1_000_000_000 => POWERS.get(POWERS.len() - 1 - digits).copied(),
        _ => unit.is_multiple_of(scale).then(|| unit / scale),
    }
}

/// The number that up to 19 digits at the start are, at least one, and what follows.
#[inline(always)]
fn digits(bytes: &[u8]) -> Option<(u64, &[u8])> {
    // As most numbers are: shorter than eight digits.
    if let Some(eight) = bytes.first_chunk::<8>()
        && let (value, length @ 1..8) = up_to_eight(*eight)
    {
        return Some((value, &bytes[length..]));
    }
    longer(bytes)
}

/// The same, of any length.
fn longer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    const MOST: usize = 19;
    let (mut value, mut count) = (0_u64, 0);
    while let Some(eight) = bytes.get(count..).and_then(|rest| rest.first_chunk::<8>()) {
        let (part, length) = up_to_eight(*eight);
        if count + length > MOST {
            return None;
        }
        value = value * POWERS[length] + part;
        count += length;
        if length < 8 {
            return (count > 0).then(|| (value, &bytes[count..]));
        }
    }
    while let Some(digit) = bytes.get(count).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        if count == MOST {
            return None;
        }
        value = value * 10 + u64::from(digit);
        count += 1;
    }
    (count > 0).then(|| (value, &bytes[count..]))
}

/// The number that the digits at the start of eight bytes are, and how many digits there are; all bytes at once, as parts of a word.
#[inline]
fn up_to_eight(bytes: [u8; 8]) -> (u64, usize) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The first byte is the lowest. A digit is now 0 to 9; 0x76 more sets the highest bit of what is above 9, with no carry into the
    // next byte once that bit is masked.
    let values = u64::from_le_bytes(bytes) ^ ZEROS;
    let others = (((values & !HIGH) + 0x7676_7676_7676_7676) | values) & HIGH;
    let length = (others.trailing_zeros() / 8) as usize;
    if length == 0 {
        return (0, 0);
    }
    // Zeros before the digits, so that they are eight; then pairs, fours and eights are joined.
    let eight = values << (8 * (8 - length));
    let pairs = (eight * 10 + (eight >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let value = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    (value, length)
}

/// Nanoseconds since 1970 of `2024-11-05 09:00:00`, with a blank or a T, up to nine digits after a point, and nothing, Z or an offset
/// such as +01:00 behind it; and whether it says its zone.
pub(super) fn date(text: &str) -> Option<(i128, bool)> {
    let (nanos, zoned, rest) = leading_date(text.as_bytes())?;
    rest.is_empty().then_some((nanos, zoned))
}

/// The same of what stands at the start, and what follows it.
#[inline]
pub(super) fn leading_date(bytes: &[u8]) -> Option<(i128, bool, &[u8])> {
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
            (fraction * unit_after(1_000_000_000, rest.len() - after.len())?, after)
        }
        _ => (0, rest),
    };
    let (offset, zoned, rest) = match *rest {
        [b'Z', ref rest @ ..] => (0, true, rest),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, ref rest @ ..] => {
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours * 3600 + minutes * 60);
            (if sign == b'-' { -seconds } else { seconds }, true, rest)
        }
        _ => (0, false, rest),
    };
    let seconds =
        days_from_1970(year, month, day) * 86_400 + i64::from(hour * 3600 + minute * 60 + second) - offset;
    Some((i128::from(seconds) * 1_000_000_000 + i128::from(nanos), zoned, rest))
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

    #[test]
    fn digits_are_read_however_many_there_are_and_whatever_follows() {
        for count in 1..=19 {
            let text = &"9876543210987654321"[..count];
            let value: u64 = text.parse().unwrap();
            for after in ["", ",", "\n0.5,123456789", "/0000000", ":", "\u{ff}1234567", "x12345678"] {
                let line = format!("{text}{after}");
                assert_eq!(digits(line.as_bytes()), Some((value, after.as_bytes())), "{line}");
            }
        }
        for byte in 0..=u8::MAX {
            let is_digit = byte.is_ascii_digit();
            assert_eq!(
                up_to_eight([byte, b'1', b'2', b'3', b'4', b'5', b'6', b'7']).1 > 0,
                is_digit,
                "{byte}"
            );
            assert_eq!(
                up_to_eight([b'1', b'2', b'3', b'4', b'5', b'6', b'7', byte]).1 == 8,
                is_digit,
                "{byte}"
            );
        }
        assert_eq!(digits(b"12345678901234567890"), None);
    }
}
