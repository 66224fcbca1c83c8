//! When in the day and the week requests come, in UTC.

use serde::Serialize;

use super::counts::Bins;

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;

/// Mean rates by hour of the day and by day of the week.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Profile {
    /// Requests per second in each hour of the day, from 00:00; UTC where dates are known, else from the first row. Empty if
    /// the recording is shorter than a day.
    pub hours: Vec<f64>,
    /// Requests per second on each day of the week, from Monday. Empty if it is shorter than a week, or tells no dates.
    pub days: Vec<f64>,
}

impl Profile {
    pub(super) fn of(origin: Option<i64>, span_s: f64, hours: &Bins<'_>, fine: &Bins<'_>) -> Profile {
        if span_s < DAY_S {
            return Profile::default();
        }
        let bins = if fine.window_s <= HOUR_S { fine } else { hours };
        if bins.window_s > HOUR_S {
            return Profile::default();
        }
        let start_s = origin.unwrap_or(0) as f64 / 1e9;
        let (mut hour, mut day) = ([(0.0, 0.0); 24], [(0.0, 0.0); 7]);
        for (row, count) in bins.counts.iter().enumerate().filter(|(_, count)| !count.is_nan()) {
            let at = start_s + row as f64 * bins.window_s;
            let add = |slot: &mut (f64, f64)| {
                slot.0 += count;
                slot.1 += bins.window_s;
            };
            add(&mut hour[((at.rem_euclid(DAY_S)) / HOUR_S) as usize % 24]);
            // 1970 began on a Thursday.
            let weekday = (at / DAY_S).floor() as i64 + 3;
            add(&mut day[weekday.rem_euclid(7) as usize]);
        }
        let rates = |slots: &[(f64, f64)]| {
            slots
                .iter()
                .map(|(count, seconds)| if *seconds > 0.0 { count / seconds } else { f64::NAN })
                .collect()
        };
        let is_week = span_s >= 7.0 * DAY_S && origin.is_some();
        Profile { hours: rates(&hour), days: if is_week { rates(&day) } else { Vec::new() } }
    }
}
