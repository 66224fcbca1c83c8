//! What the controller remembers: its recommendations, and how it has scaled.
//!
//! Both lists reuse the slot of an entry that is too old to matter, so that they stay as long as what they look back on.
//! Source: `stabilizeRecommendation`, `stabilizeRecommendationWithBehaviors` and `storeScaleEvent` of
//! `pkg/controller/podautoscaler/horizontal.go` (Kubernetes, main of 2026).

use crate::time::{Instant, Span};

/// A moment in nanoseconds; before the start of the run in a replay that begins with a past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub i64);

impl Moment {
    /// How long before `now` it was; nothing if it is still to come.
    pub fn age(self, now: Moment) -> Span {
        Span::from_nanos(now.0.saturating_sub(self.0).max(0) as u64)
    }

    /// The moment `age` before this one.
    pub fn before(self, age: Span) -> Moment {
        Moment(self.0.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl From<Instant> for Moment {
    fn from(instant: Instant) -> Moment {
        Moment(i64::try_from(instant.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// Replicas the metrics once asked for, before anything held them back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recommendation {
    pub replicas: i32,
    pub at: Moment,
}

/// Once unset, an HPA records the replicas it finds before it does anything else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Recommendations(pub Option<Vec<Recommendation>>);

impl Recommendations {
    /// The first recommendation of an HPA that has none: the replicas there are.
    pub fn start(&mut self, replicas: i32, now: Moment) {
        self.0.get_or_insert_with(|| vec![Recommendation { replicas, at: now }]);
    }

    /// The largest of `wanted` and what was recommended within `window`, its end included; `wanted` is recorded.
    pub fn hold(&mut self, wanted: i32, window: Span, now: Moment) -> i32 {
        let (mut held, mut slot) = (wanted, None);
        let entries = self.0.get_or_insert_default();
        for (index, entry) in entries.iter().enumerate() {
            match entry.at.age(now) > window {
                true => slot = Some(index),
                false => held = held.max(entry.replicas),
            }
        }
        put(entries, slot, Recommendation { replicas: wanted, at: now });
        held
    }

    /// `current`, moved up to the smallest of `wanted` and what was recommended within the `up` window, and down to the
    /// largest within the `down` window, the windows' ends excluded; `wanted` is recorded.
    pub fn steady(&mut self, current: i32, wanted: i32, up: Span, down: Span, now: Moment) -> i32 {
        let (mut least, mut most, mut slot) = (wanted, wanted, None);
        let entries = self.0.get_or_insert_default();
        for (index, entry) in entries.iter().enumerate() {
            let age = entry.at.age(now);
            if age < up {
                least = least.min(entry.replicas);
            }
            if age < down {
                most = most.max(entry.replicas);
            }
            if age > up && age > down {
                slot = Some(index);
            }
        }
        put(entries, slot, Recommendation { replicas: wanted, at: now });
        current.max(least).min(most)
    }
}

/// A change of the replicas, counted in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScaleEvent {
    pub change: i32,
    pub at: Moment,
    /// Older than every period that is looked back on; its slot may be used again.
    pub outdated: bool,
}

/// The changes of one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ScaleEvents(pub Vec<ScaleEvent>);

impl ScaleEvents {
    /// By how much the replicas changed within `period`, its end excluded.
    pub fn within(&self, period: Span, now: Moment) -> i64 {
        self.0.iter().filter(|event| event.at.age(now) < period).map(|event| i64::from(event.change)).sum()
    }

    /// Records a change; `longest` is the longest period that is looked back on.
    pub fn store(&mut self, change: i32, longest: Span, now: Moment) {
        let mut slot = None;
        for (index, event) in self.0.iter_mut().enumerate() {
            event.outdated |= event.at.age(now) > longest;
            if event.outdated {
                slot = Some(index);
            }
        }
        put(&mut self.0, slot, ScaleEvent { change, at: now, outdated: false });
    }
}

fn put<T>(entries: &mut Vec<T>, slot: Option<usize>, entry: T) {
    match slot.and_then(|index| entries.get_mut(index)) {
        Some(old) => *old = entry,
        None => entries.push(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(0);

    fn ago(seconds: u64) -> Moment {
        NOW.before(Span::from_secs(seconds))
    }

    fn log(entries: &[(i32, u64)]) -> Recommendations {
        let entry = |(replicas, age): &(i32, u64)| Recommendation { replicas: *replicas, at: ago(*age) };
        Recommendations(Some(entries.iter().map(entry).collect()))
    }

    fn values(log: &Recommendations) -> Vec<i32> {
        log.0.iter().flatten().map(|entry| entry.replicas).collect()
    }

    const FIVE_MINUTES: Span = Span::from_secs(300);

    #[test]
    fn the_window_of_the_flag_includes_its_end_and_that_of_a_behavior_does_not() {
        assert_eq!(log(&[(9, 300)]).hold(3, FIVE_MINUTES, NOW), 9);
        assert_eq!(log(&[(9, 301)]).hold(3, FIVE_MINUTES, NOW), 3);
        assert_eq!(log(&[(9, 300)]).steady(10, 3, Span::ZERO, FIVE_MINUTES, NOW), 3);
        assert_eq!(log(&[(9, 299)]).steady(10, 3, Span::ZERO, FIVE_MINUTES, NOW), 9);
    }

    #[test]
    fn the_last_slot_older_than_both_windows_is_used_again_for_the_raw_recommendation() {
        let mut recommendations = log(&[(10, 600), (4, 60), (5, 120), (9, 540)]);
        assert_eq!(recommendations.steady(100, 3, Span::ZERO, Span::from_secs(180), NOW), 5);
        assert_eq!(values(&recommendations), [10, 4, 5, 3]);
        let mut recommendations = log(&[]);
        recommendations.hold(5, FIVE_MINUTES, NOW);
        assert_eq!(values(&recommendations), [5]);
    }

    #[test]
    fn between_the_two_windows_the_replicas_stay() {
        assert_eq!(log(&[(2, 6000), (3, 180)]).steady(2, 1, FIVE_MINUTES, FIVE_MINUTES, NOW), 2);
        assert_eq!(log(&[(2, 6000), (1, 180)]).steady(2, 3, FIVE_MINUTES, FIVE_MINUTES, NOW), 2);
    }

    #[test]
    fn events_count_within_their_period_and_the_last_outdated_one_is_replaced() {
        let event = |change, age| ScaleEvent { change, at: ago(age), outdated: false };
        let mut events = ScaleEvents(vec![event(8, 29), event(6, 59), event(7, 61), event(9, 61)]);
        assert_eq!(events.within(Span::from_secs(60), NOW), 14);
        assert_eq!(events.within(Span::from_secs(59), NOW), 8, "the end of the period is excluded");
        events.store(5, Span::from_secs(60), NOW);
        let stored: Vec<_> = events.0.iter().map(|event| (event.change, event.outdated)).collect();
        assert_eq!(stored, [(8, false), (6, false), (7, true), (5, false)]);
    }
}
