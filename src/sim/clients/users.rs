//! The keys of `[client]` that say who sends requests: users in a closed loop, who wait for each answer before they think
//! and send again.

use crate::distribution::{Distribution, Durations};
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

/// Maximum number of users.
pub const MAX_USERS: u32 = 1_000_000;

/// Users who each send a request, wait for its answer, think, and send the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Users {
    /// At the start of the run.
    pub count: u32,
    /// How their number goes on, stage by stage; after the last it stays.
    pub stages: Vec<UserStage>,
    /// Time a user thinks after an answer, in seconds, drawn for each.
    pub think_time: Durations,
    /// Time a user thinks at least after a request that was not answered.
    pub pause_after_failure: Span,
}

/// A stage in which the number of users goes in a straight line to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserStage {
    /// How long it takes; zero: at once.
    pub duration: Span,
    /// Users at its end.
    pub users: u32,
}

pub(super) const USERS: Key<Option<u32>> = Key::optional(
    "users",
    "Users in a closed loop, who send the requests in the place of `[arrivals]`: each sends one, waits for its answer, thinks, and sends the next. With `stages`, users at the start.",
)
.at_most(MAX_USERS as f64);
pub(super) const STAGES: Key<Vec<UserStage>> = Key::or(
    "stages",
    "[]",
    "How the number of users goes on, stage after stage: `{ duration = \"2m\", users = 50 }` goes to 50 in a straight line. Without `run.duration` the run ends with the last stage. A user who is to leave still waits for the answer.",
);
pub(super) const THINK_TIME: Key<Durations> = Key::or(
    "think_time",
    "\"0s\"",
    "Time between an answer and the next request of its user: a duration, or a distribution from which every one is drawn. A load test usually has none.",
);
pub(super) const PAUSE_AFTER_FAILURE: Key<Span> = Key::or(
    "pause_after_failure",
    "\"1s\"",
    "Minimum time between a request that was rejected, timed out or failed for good and the next one of its user. Otherwise users without think time would send without end at one instant.",
)
.above(0.0);
pub(super) const MAX_OUTSTANDING: Key<Option<u32>> = Key::optional(
    "max_outstanding",
    "Maximum number of requests sent and not yet answered, as a load generator with a maximum concurrency has it: further ones wait at the client, first come first served, and their latency is from when they are sent. Without it every request is sent when it arrives.",
)
.at_least(1.0);

const DURATION: Key<Span> = Key::required("duration", "How long the stage takes; `\"0s\"`: at once.");
const STAGE_USERS: Key<u32> = Key::required("users", "Users at its end.").at_most(MAX_USERS as f64);
const STAGE: TableSpec = TableSpec {
    name: "user_stage",
    doc: "A stage in which the number of users goes in a straight line from that before it to its own.",
    keys: &[&DURATION, &STAGE_USERS],
};

impl Value for UserStage {
    fn kind() -> Kind {
        Kind::Table(const { &STAGE })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &STAGE, context)?;
        Ok(UserStage { duration: reader.get(&DURATION)?, users: reader.get(&STAGE_USERS)? })
    }
}

impl Users {
    /// Reads the keys of `[client]` that are about users; `None` if there are none.
    pub(super) fn read(reader: &Reader<'_>) -> Result<Option<Users>, Problem> {
        let Some(count) = reader.find(&USERS)? else {
            let lone = [STAGES.name(), THINK_TIME.name(), PAUSE_AFTER_FAILURE.name()];
            return match lone.into_iter().find(|key| reader.has(key)) {
                Some(key) => {
                    let message = format!("`{}` is about users, and there are none", reader.path_of(key));
                    let label = "expected `users` beside it: how many there are at the start";
                    Err(reader.problem(key, message, label))
                }
                None => Ok(None),
            };
        };
        let users = Users {
            count,
            stages: reader.get(&STAGES)?,
            think_time: reader.get(&THINK_TIME)?,
            pause_after_failure: reader.get(&PAUSE_AFTER_FAILURE)?,
        };
        if users.most() == 0 {
            let label = "expected at least 1, or `stages` that bring some";
            return Err(reader.problem("users", "there is never a user", label));
        }
        Ok(Some(users))
    }

    /// So many users with this think time, from start to end.
    pub fn constant(count: u32, think_time: Distribution) -> Users {
        let pause_after_failure = Span::from_secs(1);
        Users { count, stages: Vec::new(), think_time: Durations(think_time), pause_after_failure }
    }

    /// Maximum number of users at a time.
    pub fn most(&self) -> u32 {
        self.stages.iter().map(|stage| stage.users).fold(self.count, u32::max)
    }

    /// Length of the stages; `None` without any.
    pub fn natural_duration(&self) -> Option<Span> {
        let total = self.stages.iter().fold(Span::ZERO, |sum, stage| sum + stage.duration);
        (!total.is_zero()).then_some(total)
    }

    /// The number of users where it turns: seconds from the start and users, with straight lines between.
    pub fn profile(&self) -> Vec<(f64, f64)> {
        let mut points = vec![(0.0, f64::from(self.count))];
        let mut at = Span::ZERO;
        for stage in &self.stages {
            at += stage.duration;
            points.push((at.as_secs_f64(), f64::from(stage.users)));
        }
        points
    }

    /// When each user comes and goes: instants in nanoseconds, the number of the user from 0, and whether it comes. User
    /// number n is there while there are more than n.
    pub(super) fn changes(&self) -> Vec<(u64, u32, bool)> {
        let mut changes: Vec<(u64, u32, bool)> = (0..self.count).map(|user| (0, user, true)).collect();
        let (mut users, mut start) = (self.count, 0_u64);
        for stage in &self.stages {
            let (length, difference) = (stage.duration.as_nanos(), users.abs_diff(stage.users));
            // The k-th change of the stage, from 1, comes when the line has gone k users far.
            let at = |k: u32| {
                let part = u128::from(length) * u128::from(k) / u128::from(difference.max(1));
                start.saturating_add(part as u64)
            };
            match stage.users > users {
                true => changes.extend((1..=difference).map(|k| (at(k), users + k - 1, true))),
                false => changes.extend((1..=difference).map(|k| (at(k), users - k, false))),
            }
            (users, start) = (stage.users, start.saturating_add(length));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_come_and_go_along_straight_lines() {
        let stage = |seconds, users| UserStage { duration: Span::from_secs(seconds), users };
        let stages = vec![stage(4, 3), stage(2, 3), stage(0, 1), stage(1, 0)];
        let users = Users { stages, ..Users::constant(1, Distribution::constant(0.0)) };
        let second = 1_000_000_000;
        let expected = [
            (0, 0, true),
            (2 * second, 1, true),
            (4 * second, 2, true),
            (6 * second, 2, false),
            (6 * second, 1, false),
            (7 * second, 0, false),
        ];
        assert_eq!(users.changes(), expected);
        assert_eq!(users.most(), 3);
        assert_eq!(users.natural_duration(), Some(Span::from_secs(7)));
    }
}
