//! Hysteresis on requests in the system: a threshold of its own for each step up and each step down.
//!
//! The class of systems of Lui and Golubchik, "Stochastic complement analysis of multi-server threshold queues with
//! hysteresis" (1999): with `i` instances, one more when the requests in the system exceed `up[i − 1]`, one fewer when
//! they fall to `down[i − 2]`. One instance starts at a time, and is cancelled when the requests fall to the threshold
//! its own removal would have.

use crate::autoscaler::{
    Explanation, Limits, Observation, Policy, PolicyContext, PoolState, Schedule, Settings,
};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::Instant;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::autoscaler) struct Hysteresis {
    /// With `i + 1` instances ready, one more above `up[i]` requests in the system.
    pub up: Vec<u64>,
    /// With `i + 2` instances ready, one fewer at `down[i]` requests or less; a start from `i + 1` is cancelled there too.
    pub down: Vec<u64>,
}

const UP: Key<Vec<u64>> = Key::required(
    "up",
    "For each number of instances from 1 on, the requests in the system above which one more is started; rising. The maximum of instances is the number of thresholds plus one.",
);
const DOWN: Key<Vec<u64>> = Key::required(
    "down",
    "For each number of instances from 2 on, the requests in the system at which one is removed; as many as in `up`, rising, each below its `up`.",
);

/// The policy at work.
#[derive(Debug, Clone)]
struct HysteresisPolicy {
    settings: Hysteresis,
    last: Option<Step>,
}

/// What the policy saw and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    desired: u32,
    in_flight: u64,
    threshold: u64,
    change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Start,
    Cancel,
    Remove,
}

/// `kind = "hysteresis"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "hysteresis",
    doc: "A threshold on the requests in the system for each step up and each step down. It acts at every arrival and departure and sees the true state, so it takes no metric; one instance starts at a time. Central queue only.",
    keys: &[&UP, &DOWN],
};

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<Hysteresis, Problem> {
    let hysteresis = Hysteresis { up: reader.get(&UP)?, down: reader.get(&DOWN)? };
    let Hysteresis { up, down } = &hysteresis;
    let wrong = |key: &str, what: &str| {
        Err(reader.problem(key, format!("`{}` does not fit", reader.path_of(key)), what))
    };
    if up.is_empty() || !up.is_sorted_by(|a, b| a < b) {
        return wrong("up", "expected one or more rising numbers");
    }
    if down.len() != up.len() || !down.is_sorted_by(|a, b| a < b) {
        return wrong("down", "expected as many rising numbers as in `up`");
    }
    if up.iter().zip(down).any(|(up, down)| down >= up) {
        return wrong("down", "expected each below its `up`");
    }
    Ok(hysteresis)
}

impl Settings for Hysteresis {
    fn limits(&self) -> Limits {
        Limits { min: 1, max: self.up.len() as u32 + 1 }
    }
    fn limiting_key(&self) -> &'static str {
        UP.name()
    }
    fn schedule(&self) -> Option<Schedule> {
        None
    }
    fn is_reactive(&self) -> bool {
        true
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(HysteresisPolicy { settings: self.clone(), last: None })
    }
}

impl Policy for HysteresisPolicy {
    fn decide(&mut self, _: Instant, observation: &Observation<'_>) -> u32 {
        observation.desired
    }

    fn react(&mut self, pool: &PoolState) -> Option<u32> {
        let step = self.settings.step(pool)?;
        self.last = Some(step);
        Some(step.desired)
    }

    fn explain(&self) -> Explanation {
        let Some(Step { in_flight, threshold, change, .. }) = self.last else {
            return Explanation::plain("nothing has happened yet");
        };
        let reason = match change {
            Change::Start => format!("{in_flight} in the system, above {threshold}: start one"),
            Change::Cancel => format!("{in_flight} in the system, down to {threshold}: cancel the start"),
            Change::Remove => format!("{in_flight} in the system, down to {threshold}: remove one"),
        };
        let figures = vec![("threshold", threshold.into())];
        Explanation {
            metric: "in_flight",
            observed: Some(in_flight as f64),
            target: Some(threshold as f64),
            figures,
            reason,
        }
    }
}

impl Hysteresis {
    fn step(&self, pool: &PoolState) -> Option<Step> {
        let PoolState { in_flight, ready, starting, .. } = *pool;
        let decide = |desired, threshold: u64, change| Some(Step { desired, in_flight, threshold, change });
        let step = ready.checked_sub(1)? as usize;
        let (up, cancel) = (self.up.get(step).copied(), self.down.get(step).copied());
        match (up, cancel) {
            (_, Some(at)) if starting > 0 && in_flight <= at => return decide(ready, at, Change::Cancel),
            (Some(above), _) if starting == 0 && in_flight > above => {
                return decide(ready + 1, above, Change::Start);
            }
            _ => {}
        }
        let at = *self.down.get(step.checked_sub(1)?)?;
        if starting == 0 && in_flight <= at { decide(ready - 1, at, Change::Remove) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(in_flight: u64, ready: u32, starting: u32) -> Option<u32> {
        let hysteresis = Hysteresis { up: vec![4, 8], down: vec![1, 4] };
        hysteresis.step(&PoolState { in_flight, waiting: 0, ready, starting }).map(|step| step.desired)
    }

    #[test]
    fn each_step_has_its_own_thresholds() {
        assert_eq!((wanted(4, 1, 0), wanted(5, 1, 0)), (None, Some(2)));
        assert_eq!((wanted(8, 2, 0), wanted(9, 2, 0)), (None, Some(3)));
        assert_eq!((wanted(5, 3, 0), wanted(4, 3, 0)), (None, Some(2)));
        assert_eq!((wanted(2, 2, 0), wanted(1, 2, 0)), (None, Some(1)));
        assert_eq!((wanted(99, 3, 0), wanted(0, 1, 0)), (None, None));
    }

    #[test]
    fn a_start_is_cancelled_at_the_threshold_of_its_removal() {
        assert_eq!((wanted(2, 1, 1), wanted(1, 1, 1)), (None, Some(1)));
        assert_eq!(wanted(99, 1, 1), None, "one start at a time");
    }
}
