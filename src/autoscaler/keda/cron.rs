//! The cron trigger: so many replicas within an interval of the day or the week.
//!
//! Source: `pkg/scalers/cron_scaler.go` (kedacore/keda at 8b4f083): within the interval exactly when its next end comes no
//! later than its next start.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::release::Release;
use crate::autoscaler::general::scheduled::{Cron, LocalTime, Moment, Zone};
use crate::time::Instant;

/// When the run starts, as the world counts time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WallClock {
    start: Timestamp,
}

/// The interval of a trigger, and what it asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CronTrigger {
    pub start: Moment,
    pub end: Moment,
    pub zone: Zone,
    pub desired: u32,
}

impl WallClock {
    /// A run that starts when a clock in the zone shows `starts_at`.
    pub fn new(starts_at: LocalTime, zone: &Zone) -> WallClock {
        WallClock { start: zone.timestamp(starts_at).unwrap_or(Timestamp::UNIX_EPOCH) }
    }

    fn local(&self, now: Instant, zone: &Zone) -> Option<DateTime> {
        let since = SignedDuration::from_nanos(i64::try_from(now.as_nanos()).ok()?);
        Some(zone.local(self.start.checked_add(since).ok()?))
    }
}

impl CronTrigger {
    /// Its value at an instant of the run.
    pub fn value(&self, now: Instant, clock: &WallClock, release: Release) -> f64 {
        let is_within = clock.local(now, &self.zone).is_some_and(|local| self.is_within(local));
        if is_within { f64::from(self.desired) } else { release.outside_of_cron() }
    }

    fn is_within(&self, local: DateTime) -> bool {
        // Strictly after now: a second on, the minute that is just beginning is over.
        let Ok(after) = local.checked_add(jiff::Span::new().seconds(1)) else { return false };
        let next = |cron: &Cron| cron.next_from(after);
        match (next(self.start.cron()), next(self.end.cron())) {
            (Some(start), Some(end)) => end <= start,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::tests::keda;
    use super::*;
    use crate::autoscaler::keda::TriggerValue;
    use crate::time::Span;

    /// The value of a trigger at so many seconds after the start of a run.
    fn value(trigger: &str, starts_at: &str, seconds: u64, release: Release) -> f64 {
        let keda = keda(&format!(
            "max = 10\nstarts_at = \"{starts_at}\"\ntriggers = [{{ type = \"cron\", {trigger} }}, {{ threshold = 5 }}]"
        ));
        let TriggerValue::Cron(cron) = &keda.values[0] else { panic!("{:?}", keda.values) };
        cron.value(Instant::ZERO + Span::from_secs(seconds), &keda.clock, release)
    }

    const OFFICE: &str =
        "start = \"0 8 * * 1-5\", end = \"0 18 * * 1-5\", time_zone = \"Europe/Berlin\", desired = 5";
    const NIGHT: &str = "start = \"0 22 * * *\", end = \"0 6 * * *\", time_zone = \"UTC\", desired = 2";
    const KOLKATA: &str =
        "start = \"30 * * * *\", end = \"45 * * * *\", time_zone = \"Asia/Kolkata\", desired = 10";

    #[test]
    fn it_asks_for_its_replicas_while_the_end_comes_before_the_start() {
        // 2 March 2026 is a Monday; the start of the run as UTC shows it.
        for (trigger, starts_at, seconds, expected) in [
            (OFFICE, "2026-03-02T07:00", 0, 5.0),
            (OFFICE, "2026-03-02T06:00", 3599, 0.0),
            (OFFICE, "2026-03-02T06:00", 3600, 5.0),
            (OFFICE, "2026-03-02T17:00", 0, 0.0),
            (OFFICE, "2026-03-07T11:00", 0, 0.0),
            // In summer 08:00 in Berlin is 06:00 in UTC.
            (OFFICE, "2026-07-06T06:00", 0, 5.0),
            (NIGHT, "2026-03-02T23:30", 0, 2.0),
            (NIGHT, "2026-03-02T21:00", 3599, 0.0),
            // 10:35 in Kolkata.
            (KOLKATA, "2026-03-02T05:05", 0, 10.0),
        ] {
            let found = value(trigger, starts_at, seconds, Release::Newest);
            assert_eq!(found, expected, "{trigger} {seconds} s after {starts_at}");
        }
    }

    #[test]
    fn before_2_18_there_was_one_outside() {
        assert_eq!(value(NIGHT, "2026-03-02T12:00", 0, Release::V2_17), 1.0);
        assert_eq!(value(NIGHT, "2026-03-02T12:00", 0, Release::V2_18), 0.0);
    }
}
