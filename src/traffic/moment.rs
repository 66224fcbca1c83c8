//! Instants in every form that files write them, told apart by their looks.
//!
//! Numbers are told by their size: 10 digits before the point are seconds since 1970, 13 milliseconds, 16 microseconds, 19
//! nanoseconds (years 2001 to 2286). A smaller number counts from the start of the recording. Dates whose day and month
//! could be exchanged are never read.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::timestamps::{decimal, parse_timestamp};
use super::{Unit, quick};

/// How instants are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeForm {
    /// A date with an offset, or with "UTC".
    Zoned,
    /// A date without either, taken as UTC.
    Local,
    /// A number since 1970.
    Epoch(Unit),
    /// A number since the start of the recording.
    Elapsed(Unit),
}

/// What a cell looks like, as an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// One in this form.
    Time(TimeForm),
    /// A date of which day and month could be exchanged.
    Ambiguous,
    /// No instant.
    Other,
}

impl TimeForm {
    /// The form in words.
    pub(super) fn words(self) -> String {
        match self {
            TimeForm::Zoned => "dates with their zone".into(),
            TimeForm::Local => "dates without a zone, taken as UTC".into(),
            TimeForm::Epoch(unit) => format!("{} since 1970", unit.plural()),
            TimeForm::Elapsed(unit) => format!("{} from the start of the recording", unit.plural()),
        }
    }

    /// Whether instants are known by date.
    pub(super) fn is_absolute(self) -> bool {
        !matches!(self, TimeForm::Elapsed(_))
    }

    /// Nanoseconds since 1970, or from the start of the recording; `None` for what has another form.
    pub(super) fn parse(self, cell: &str) -> Option<i64> {
        if let TimeForm::Epoch(unit) | TimeForm::Elapsed(unit) = self
            && let Some(nanos) = quick::number(cell, unit.nanos())
        {
            return Some(nanos);
        }
        let nanos = match self {
            TimeForm::Zoned | TimeForm::Local => date(cell)?.0,
            TimeForm::Epoch(unit) => decimal(cell, unit.nanos().into())?,
            TimeForm::Elapsed(unit) => parse_timestamp(cell, unit)?,
        };
        i64::try_from(nanos).ok()
    }
}

/// What `cell` looks like by itself; numbers below 10 digits are seconds from the start.
pub(super) fn looks(cell: &str) -> Looks {
    let cell = cell.trim();
    if let Some((_, zoned)) = date(cell) {
        return Looks::Time(if zoned { TimeForm::Zoned } else { TimeForm::Local });
    }
    if is_ambiguous_date(cell) {
        return Looks::Ambiguous;
    }
    match decimal(cell, 1) {
        Some(_) => Looks::Time(epoch_unit(cell).map_or(TimeForm::Elapsed(Unit::Seconds), TimeForm::Epoch)),
        None => Looks::Other,
    }
}

/// Nanoseconds since 1970 of a date or of a number that is one by its size; `None` for anything else.
///
/// ```
/// use kneepoint::internals::traffic::wall_clock;
///
/// assert_eq!(wall_clock("2026-05-04T14:05:00Z"), wall_clock("1777903500"));
/// assert_eq!(wall_clock("90"), None);
/// ```
pub fn wall_clock(text: &str) -> Option<i64> {
    match looks(text) {
        Looks::Time(form) if form.is_absolute() => form.parse(text.trim()),
        _ => None,
    }
}

/// The unit in which a number is an instant since 1970 of this age.
fn epoch_unit(cell: &str) -> Option<Unit> {
    let whole = cell.split('.').next()?;
    match whole.len() {
        10 => Some(Unit::Seconds),
        13 => Some(Unit::Milliseconds),
        16 => Some(Unit::Microseconds),
        19 => Some(Unit::Nanoseconds),
        _ => None,
    }
    .filter(|_| whole.bytes().all(|byte| byte.is_ascii_digit()) && !whole.starts_with('0'))
}

/// Whether it is a date such as `11/05/2024`, `5.11.24` or `05-11-2024`, with or without a time.
fn is_ambiguous_date(cell: &str) -> bool {
    let day = cell.split([' ', 'T', ',']).next().unwrap_or_default();
    ['/', '.', '-'].into_iter().any(|mark| {
        let parts: Vec<&str> = day.split(mark).collect();
        let digits = |part: &str, lengths: &[usize]| {
            lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        // 1.2.34 may be a version; with a mark that numbers have, a year of four digits is asked for.
        let years: &[usize] = if mark == '/' { &[2, 4] } else { &[4] };
        matches!(parts.as_slice(), [one, two, year] if digits(one, &[1, 2]) && digits(two, &[1, 2]) && digits(year, years))
    })
}

/// Nanoseconds since 1970 of a date, and whether it says its zone.
pub(super) fn date(text: &str) -> Option<(i128, bool)> {
    if let Some(found) = quick::date(text) {
        return Some(found);
    }
    let text = text.trim().trim_start_matches('[').trim_end_matches(']').trim();
    // Anything shorter is no date, and most of what is not a date ends here.
    if text.len() < 10 || !text.is_ascii() {
        return None;
    }
    match text.as_bytes() {
        [_, _, _, _, _, _, _, _, b'T', _, _, _, _, ..]
            if text[..8].bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            basic_date(text)
        }
        [a, b, c, d, b'-' | b'/', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => {
            numeric_date(text)
        }
        [_, b'/', ..] | [_, _, b'/', ..] => log_date(text),
        [_, b' ' | b'-', ..] | [_, _, b' ' | b'-', ..] => named_month(text),
        [first, ..] if first.is_ascii_alphabetic() => mail_date(text),
        _ => None,
    }
}

/// `2024-11-05 09:00:00`, with `/` or `T`, any fraction after a point or a comma, `Z`, `UTC` or an offset.
fn numeric_date(text: &str) -> Option<(i128, bool)> {
    let (mut text, mut zoned) = (text, false);
    for suffix in ["UTC", "GMT"] {
        if let Some(rest) = text.strip_suffix(suffix) {
            (text, zoned) = (rest.trim_end(), true);
        }
    }
    // Shorter without its zone, or of a log whose date lacks its year.
    let (day, time) = text.split_at_checked(10)?;
    let mut written = day.replace('/', "-");
    written.push_str(&time.replace(',', ".").replacen(' ', "T", 1).replace(' ', ""));
    let has_offset = written[10..].contains(['Z', 'z', '+', '-']);
    let written = cut_fraction(written);
    let stamp: Timestamp = match has_offset {
        true => written.parse().ok()?,
        false => Offset::UTC.to_timestamp(written.parse::<DateTime>().ok()?).ok()?,
    };
    Some((stamp.as_nanosecond(), zoned || has_offset))
}

fn cut_fraction(text: String) -> String {
    let Some((head, rest)) = text.split_once('.') else { return text };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        0..=9 => text,
        _ => format!("{head}.{}{}", &rest[..9], &rest[digits..]),
    }
}

/// `20241105T090000.123Z`, the basic form of ISO 8601.
fn basic_date(text: &str) -> Option<(i128, bool)> {
    let (day, time) = (&text[..8], &text[9..]);
    let digits = time.bytes().take_while(u8::is_ascii_digit).count();
    let seconds = match digits {
        4 => "00",
        6 => &time[4..6],
        _ => return None,
    };
    let (year, month, date) = (&day[..4], &day[4..6], &day[6..]);
    let rest = &time[digits..];
    numeric_date(&format!("{year}-{month}-{date}T{}:{}:{seconds}{rest}", &time[..2], &time[2..4]))
}

/// `05 Nov 2024 09:00:00` or `05-Nov-2024 09:00:00`, with or without an offset: a month by its name cannot be taken for a day.
fn named_month(text: &str) -> Option<(i128, bool)> {
    let mark = if text[..3].contains('-') { '-' } else { ' ' };
    let (day, rest) = text.split_once(mark)?;
    let (month, rest) = rest.split_once(mark)?;
    log_date(&format!("{day}/{}/{rest}", month.get(..3)?))
}

/// `05/Nov/2024:09:00:00 +0100`, the time of the common log format, with or without its offset.
fn log_date(text: &str) -> Option<(i128, bool)> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (day, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let (year, rest) = rest.split_once([':', ' '])?;
    let month = 1 + MONTHS.iter().position(|name| month.eq_ignore_ascii_case(name))?;
    let (time, zone) = match rest.split_once(' ') {
        Some((time, zone)) => (time, Some(zone.trim())),
        None => (rest, None),
    };
    let written = format!("{year}-{month:02}-{day:0>2}T{time}{}", zone.unwrap_or_default());
    let (nanos, zoned) = numeric_date(&written)?;
    Some((nanos, zoned))
}

/// `Tue, 05 Nov 2024 09:00:00 GMT`.
fn mail_date(text: &str) -> Option<(i128, bool)> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some((zoned.timestamp().as_nanosecond(), true))
}

/// An instant as a date, or as seconds from the start.
pub fn shown(nanos: i64, absolute: bool) -> String {
    match absolute {
        true => Timestamp::from_nanosecond(nanos.into())
            .map_or_else(|_| nanos.to_string(), |stamp| stamp.to_string()),
        false => format!("{} s", nanos as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_a_date_and_is_cut_short_is_none() {
        for text in [
            "2024-01UTC",
            "2024-11-GMT",
            "2024/1/UTC",
            "05/Jan/: [1]",
            "05/Jan/:09:00",
            "5-Jan-:09:00:00",
            "05 Jan  09:00",
            "20241105T0900",
            "20241105T09001",
            "Tue, 05 No",
            "2024-11-05",
        ] {
            for cut in 0..=text.len() {
                let _ = looks(&text[..cut]);
                assert_eq!(date(&text[..cut]).filter(|_| cut < 10), None, "{}", &text[..cut]);
            }
        }
        assert_eq!(date("2024-01UTC"), None);
        assert_eq!(date("05/Jan/: [1]"), None);
    }

    #[test]
    fn one_instant_in_every_form_is_one_instant() {
        let nanos = 1_730_797_200_000_000_000;
        for (cell, form) in [
            ("2024-11-05T09:00:00Z", TimeForm::Zoned),
            ("2024-11-05T09:00:00.000000000Z", TimeForm::Zoned),
            ("2024-11-05T09:00:00.0000000", TimeForm::Local),
            ("2024-11-05 09:00:00", TimeForm::Local),
            ("2024/11/05 09:00:00", TimeForm::Local),
            ("2024-11-05 09:00:00,000", TimeForm::Local),
            ("2024-11-05 09:00", TimeForm::Local),
            ("2024-11-05 09:00:00 UTC", TimeForm::Zoned),
            ("2024-11-05 09:00:00.000 UTC", TimeForm::Zoned),
            ("20241105T090000Z", TimeForm::Zoned),
            ("20241105T090000.000Z", TimeForm::Zoned),
            ("20241105T0900", TimeForm::Local),
            ("05 Nov 2024 09:00:00", TimeForm::Local),
            ("5-Nov-2024 09:00:00 +0000", TimeForm::Zoned),
            ("5 November 2024 09:00:00", TimeForm::Local),
            ("2024-11-05 09:00:00.000 +0000 UTC", TimeForm::Zoned),
            ("2024-11-05T10:00:00+01:00", TimeForm::Zoned),
            ("2024-11-05T10:00:00+0100", TimeForm::Zoned),
            ("2024-11-05 04:00:00 -0500", TimeForm::Zoned),
            ("05/Nov/2024:09:00:00 +0000", TimeForm::Zoned),
            ("[05/Nov/2024:10:00:00 +0100]", TimeForm::Zoned),
            ("Tue, 05 Nov 2024 09:00:00 GMT", TimeForm::Zoned),
            ("1730797200", TimeForm::Epoch(Unit::Seconds)),
            ("1730797200.000", TimeForm::Epoch(Unit::Seconds)),
            ("1730797200000", TimeForm::Epoch(Unit::Milliseconds)),
            ("1730797200000000", TimeForm::Epoch(Unit::Microseconds)),
            ("1730797200000000000", TimeForm::Epoch(Unit::Nanoseconds)),
        ] {
            assert_eq!(looks(cell), Looks::Time(form), "{cell}");
            assert_eq!(form.parse(cell), Some(nanos), "{cell}");
        }
        assert_eq!(looks("12.5"), Looks::Time(TimeForm::Elapsed(Unit::Seconds)));
        assert_eq!(TimeForm::Elapsed(Unit::Milliseconds).parse("12.5"), Some(12_500_000));
    }

    #[test]
    fn days_and_months_that_could_be_exchanged_are_not_read() {
        for cell in ["11/05/2024", "11/05/2024 09:00", "5/11/24 9:00 AM", "05.11.2024 09:00:00", "05-11-2024"]
        {
            assert_eq!(looks(cell), Looks::Ambiguous, "{cell}");
        }
        for cell in [
            "",
            "abc",
            "1.2.3",
            "10.0.0.1",
            "2024-13-05 09:00:00",
            "05/Nox/2024:09:00:00 +0000",
            "-",
            "GET /",
        ] {
            assert_eq!(looks(cell), Looks::Other, "{cell}");
        }
    }

    #[test]
    fn an_instant_is_shown_as_a_date_where_it_is_one() {
        assert_eq!(shown(1_730_797_200_500_000_000, true), "2024-11-05T09:00:00.5Z");
        assert_eq!(shown(1_500_000_000, false), "1.5 s");
    }
}
