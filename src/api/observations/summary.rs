//! What a replay comes to: how often it decided, and how often otherwise than really happened.

use serde::Serialize;

use super::{Decision, Place};

/// A replay in numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct ReplaySummary {
    /// Rows of the recording.
    pub rows: usize,
    /// Rows that decided a number of instances.
    pub decisions: usize,
    /// Decisions that differ from the one before.
    pub changes: usize,
    /// The last decision.
    pub last_desired: Option<u64>,
    /// The smallest decision.
    pub least_desired: Option<u64>,
    /// The largest decision.
    pub most_desired: Option<u64>,
    /// Rows with a number that was expected.
    pub expected: usize,
    /// Rows whose decision differs from it.
    pub differences: usize,
    /// The first of them.
    pub first_difference: Option<Difference>,
    /// What a reader should know of how the recording was taken.
    pub notes: Vec<String>,
}

/// A decision that differs from what was expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Where the row is.
    pub place: String,
    /// Instances expected.
    pub expected: u64,
    /// Instances decided; none if the row decides none.
    pub desired: Option<u64>,
}

impl ReplaySummary {
    pub(super) fn of<'a>(
        decisions: impl Iterator<Item = (&'a Place, &'a Decision)>,
        notes: &[String],
    ) -> Self {
        let mut summary = ReplaySummary { notes: notes.to_vec(), ..ReplaySummary::default() };
        for (place, decision) in decisions {
            summary.rows += 1;
            let desired = decision.desired();
            if let Some(desired) = desired {
                summary.decisions += 1;
                summary.changes += usize::from(summary.last_desired.is_some_and(|before| before != desired));
                summary.last_desired = Some(desired);
                summary.least_desired =
                    Some(summary.least_desired.map_or(desired, |least| least.min(desired)));
                summary.most_desired = Some(summary.most_desired.map_or(desired, |most| most.max(desired)));
            }
            let Some(expected) = decision.expected() else { continue };
            summary.expected += 1;
            if decision.differs() {
                summary.differences += 1;
                let difference = || Difference { place: place.to_string(), expected, desired };
                summary.first_difference.get_or_insert_with(difference);
            }
        }
        summary
    }

    /// The differences in one line; `None` where nothing was expected.
    pub fn said(&self) -> Option<String> {
        if self.expected == 0 {
            return None;
        }
        let Some(first) = &self.first_difference else {
            return Some(format!("all {} decisions are as expected", self.expected));
        };
        let desired = first.desired.map_or_else(|| "nothing".to_owned(), |desired| desired.to_string());
        Some(format!(
            "{} of {} decisions differ from what was expected; the first at {}: decided {desired}, expected {}",
            self.differences, self.expected, first.place, first.expected
        ))
    }
}
