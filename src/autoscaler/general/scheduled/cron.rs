//! Cron expressions: minute, hour, day of the month, month, day of the week (crontab(5), POSIX and Vixie).

use jiff::civil::{Date, DateTime, Time};

/// When a cron expression matches, to the minute, as the clock on the wall shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cron {
    /// A bit for each value that matches.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// From Sunday, 0.
    weekdays: u64,
    /// Whether day of the month and day of the week are both restricted: then either will do.
    either_day: bool,
}

struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of the month", least: 1, most: 31, names: &[] },
    Field { name: "month", least: 1, most: 12, names: &MONTHS },
    // 7 is Sunday, too.
    Field { name: "day of the week", least: 0, most: 7, names: &WEEKDAYS },
];

/// Days looked at for the next match: the 29th of February comes again after at most eight years.
const MOST_DAYS: u32 = 8 * 366 + 1;

impl Cron {
    /// Reads an expression of five fields, each `*`, a number or name, a range `a-b`, a step `*/n` or `a-b/n`, or a list
    /// of these.
    ///
    /// # Errors
    /// What is wrong with it, as a phrase.
    pub fn parse(text: &str) -> Result<Cron, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let Ok([minute, hour, day, month, weekday]) = <[&str; 5]>::try_from(words.as_slice()) else {
            return Err(format!("\"{text}\" has {} fields, not five", words.len()));
        };
        let [of_minute, of_hour, of_day, of_month, of_weekday] = &FIELDS;
        let weekdays = of_weekday.read(weekday)?;
        // As in Vixie's cron: a field that begins with a star does not restrict the day.
        let restricted = |word: &str| !word.starts_with('*');
        let cron = Cron {
            minutes: of_minute.read(minute)?,
            hours: of_hour.read(hour)?,
            days: of_day.read(day)?,
            months: of_month.read(month)?,
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            either_day: restricted(day) && restricted(weekday),
        };
        // 2000 is a leap year, so that every date there can be is within reach.
        match cron.next_from(DateTime::constant(2000, 1, 1, 0, 0, 0, 0)) {
            Some(_) => Ok(cron),
            None => Err(format!("\"{text}\" matches no day")),
        }
    }

    fn matches_day(&self, date: Date) -> bool {
        let has = |set: u64, value: i8| set >> value & 1 == 1;
        let by_day = has(self.days, date.day());
        let by_weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let day = if self.either_day { by_day || by_weekday } else { by_day && by_weekday };
        day && has(self.months, date.month())
    }

    /// The first match at or after `from`.
    pub fn next_from(&self, from: DateTime) -> Option<DateTime> {
        // A minute that has begun is over.
        let from = if from.time().second() == 0 && from.time().subsec_nanosecond() == 0 {
            from
        } else {
            from.checked_add(jiff::Span::new().minutes(1)).ok()?
        };
        let mut date = from.date();
        let mut earliest = from.time();
        for _ in 0..MOST_DAYS {
            if self.matches_day(date)
                && let Some(time) = self.time_from(earliest)
            {
                return Some(date.to_datetime(time));
            }
            date = date.tomorrow().ok()?;
            earliest = Time::midnight();
        }
        None
    }

    /// The last match before or at `until`.
    pub fn last_until(&self, until: DateTime) -> Option<DateTime> {
        let mut date = until.date();
        let mut latest = until.time();
        for _ in 0..MOST_DAYS {
            if self.matches_day(date)
                && let Some(time) = self.time_until(latest)
            {
                return Some(date.to_datetime(time));
            }
            date = date.yesterday().ok()?;
            latest = Time::constant(23, 59, 59, 0);
        }
        None
    }

    fn time_from(&self, earliest: Time) -> Option<Time> {
        let hours = first_bit_from(self.hours, earliest.hour())?;
        let least = if hours == earliest.hour() { earliest.minute() } else { 0 };
        match first_bit_from(self.minutes, least) {
            Some(minutes) => Time::new(hours, minutes, 0, 0).ok(),
            None => {
                let later = first_bit_from(self.hours, hours + 1)?;
                Time::new(later, first_bit_from(self.minutes, 0)?, 0, 0).ok()
            }
        }
    }

    fn time_until(&self, latest: Time) -> Option<Time> {
        let hours = last_bit_until(self.hours, latest.hour())?;
        let most = if hours == latest.hour() { latest.minute() } else { 59 };
        match last_bit_until(self.minutes, most) {
            Some(minutes) => Time::new(hours, minutes, 0, 0).ok(),
            None => {
                let earlier = last_bit_until(self.hours, hours - 1)?;
                Time::new(earlier, last_bit_until(self.minutes, 59)?, 0, 0).ok()
            }
        }
    }
}

/// The first value at or after `from` in a set.
fn first_bit_from(set: u64, from: i8) -> Option<i8> {
    (from..60).find(|value| set >> value & 1 == 1)
}

/// The last value up to `until` in a set; `until` may be below nothing.
fn last_bit_until(set: u64, until: i8) -> Option<i8> {
    (0..=until).rev().find(|value| set >> value & 1 == 1)
}

impl Field {
    /// The set of values a field matches.
    fn read(&self, word: &str) -> Result<u64, String> {
        word.split(',').try_fold(0, |set, part| Ok(set | self.part(part)?))
    }

    fn part(&self, part: &str) -> Result<u64, String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                let step = step.parse().ok().filter(|step| *step > 0);
                (range, step.ok_or_else(|| format!("\"{part}\" has no step of 1 or more"))?)
            }
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            // `5/10` starts at 5 and goes on to the end.
            None if part.contains('/') => (self.value(range)?, self.most),
            None => {
                let value = self.value(range)?;
                (value, value)
            }
        };
        if first > last {
            return Err(format!("\"{part}\" goes from {first} down to {last}"));
        }
        Ok((first..=last).step_by(step).fold(0, |set, value| set | 1 << value))
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = named.map(|index| index as u32 + self.least).or_else(|| text.parse().ok());
        let within = |value: &u32| (self.least..=self.most).contains(value);
        value.filter(within).ok_or_else(|| {
            let Field { name, least, most, .. } = self;
            format!("\"{text}\" is no {name}, which goes from {least} to {most}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, from: &str) -> String {
        Cron::parse(cron).unwrap().next_from(from.parse().unwrap()).unwrap().to_string()
    }

    fn last(cron: &str, until: &str) -> String {
        Cron::parse(cron).unwrap().last_until(until.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_next_match_is_found_in_the_minute_the_hour_or_on_another_day() {
        // 5 January 2026 is a Monday.
        assert_eq!(next("30 8 * * *", "2026-01-05T08:30:00"), "2026-01-05T08:30:00");
        assert_eq!(next("30 8 * * *", "2026-01-05T08:30:01"), "2026-01-06T08:30:00");
        assert_eq!(next("*/20 * * * *", "2026-01-05T23:41:00"), "2026-01-06T00:00:00");
        assert_eq!(next("15 9-17/4 * * *", "2026-01-05T09:16:00"), "2026-01-05T13:15:00");
        assert_eq!(next("0 0 29 feb *", "2026-01-05T00:00:00"), "2028-02-29T00:00:00");
    }

    #[test]
    fn days_of_the_week_have_names_and_sunday_two_numbers() {
        assert_eq!(next("0 9 * * mon-fri", "2026-01-09T10:00:00"), "2026-01-12T09:00:00");
        assert_eq!(next("0 9 * * 0", "2026-01-05T00:00:00"), "2026-01-11T09:00:00");
        assert_eq!(next("0 9 * * 7", "2026-01-05T00:00:00"), "2026-01-11T09:00:00");
        assert_eq!(next("0 9 * * sat,sun", "2026-01-05T00:00:00"), "2026-01-10T09:00:00");
    }

    #[test]
    fn of_two_restricted_days_either_will_do() {
        assert_eq!(next("0 0 13 * fri", "2026-01-05T00:00:00"), "2026-01-09T00:00:00");
        assert_eq!(next("0 0 13 * fri", "2026-01-10T00:00:00"), "2026-01-13T00:00:00");
        assert_eq!(next("0 0 */2 * fri", "2026-01-05T00:00:00"), "2026-01-09T00:00:00");
    }

    #[test]
    fn the_last_match_is_found_looking_back() {
        assert_eq!(last("30 8 * * *", "2026-01-05T08:30:00"), "2026-01-05T08:30:00");
        assert_eq!(last("30 8 * * *", "2026-01-05T08:29:59"), "2026-01-04T08:30:00");
        assert_eq!(last("50 6,9 * * mon", "2026-01-05T09:49:00"), "2026-01-05T06:50:00");
        assert_eq!(last("50 6,9 * * mon", "2026-01-05T06:49:00"), "2025-12-29T09:50:00");
    }

    #[test]
    fn what_is_no_expression_is_told_from_one() {
        let problem = |text: &str| Cron::parse(text).unwrap_err();
        assert_eq!(problem("0 9 * *"), "\"0 9 * *\" has 4 fields, not five");
        assert_eq!(problem("60 9 * * *"), "\"60\" is no minute, which goes from 0 to 59");
        assert_eq!(problem("0 9 * * fri-mon"), "\"fri-mon\" goes from 5 down to 1");
        assert_eq!(problem("*/0 9 * * *"), "\"*/0\" has no step of 1 or more");
        assert_eq!(problem("0 0 31 feb *"), "\"0 0 31 feb *\" matches no day");
    }
}
