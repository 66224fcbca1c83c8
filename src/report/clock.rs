//! Instants of a run as a reader looks for them: by the date of the recording, else from the start of the run.

use jiff::Timestamp;

use crate::scenario::Scenario;

/// How the instants of a run are shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunClock {
    /// The start of the run, nanoseconds since 1970.
    start: Option<i64>,
}

impl RunClock {
    /// That of a scenario: of its arrivals, if they were recorded with dates.
    pub fn of(scenario: &Scenario) -> RunClock {
        RunClock { start: scenario.model.arrivals.starts_at() }
    }

    /// An instant, in seconds from the start of the run, as `14:05:30`: the time of day in UTC where it is known, with the date
    /// if that is not the one of the start; else hours, minutes and seconds from the start.
    pub fn show(self, seconds: f64) -> String {
        if let Some((start, at)) = self.wall(0.0).zip(self.wall(seconds)) {
            let form = if start.date() == at.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
            return at.strftime(form).to_string();
        }
        let whole = seconds.max(0.0).round() as u64;
        format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
    }

    /// What the times shown are; `None` where they count from the start of the run.
    pub fn words(self) -> Option<String> {
        let start = self.wall(0.0)?;
        Some(format!(
            "Times are those of the recording, in UTC: the run starts at {}.",
            start.strftime("%Y-%m-%d %H:%M:%S")
        ))
    }

    /// To the second, as they are shown.
    fn wall(self, seconds: f64) -> Option<jiff::civil::DateTime> {
        let at = i128::from(self.start?) + (seconds.max(0.0) * 1e9).round() as i128;
        let rounded = (at + 500_000_000).div_euclid(1_000_000_000) * 1_000_000_000;
        let at = Timestamp::from_nanosecond(rounded).ok()?;
        Some(jiff::tz::Offset::UTC.to_datetime(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_times_of_day_where_the_recording_has_dates_and_else_count_from_the_start() {
        let none = RunClock::default();
        assert_eq!((none.show(50_730.0).as_str(), none.words()), ("14:05:30", None));
        // 2026-05-04 14:05:00 UTC.
        let known = RunClock { start: Some(1_777_903_500_000_000_000) };
        assert_eq!(known.show(90.4), "14:06:30");
        assert_eq!(known.show(86_400.0), "2026-05-05 14:05:00");
        assert!(known.words().is_some_and(|words| words.ends_with("starts at 2026-05-04 14:05:00.")));
    }
}
