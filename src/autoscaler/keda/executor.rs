//! KEDA's own loop: between zero (or the idle count) and the minimum.
//!
//! Source: `RequestScale` of `pkg/scaling/executor/scale_scaledobjects.go` (kedacore/keda at 8b4f083).

use super::Keda;
use crate::autoscaler::hpa::history::Moment;

/// What the executor remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Executor {
    /// The last poll that found a trigger active.
    pub last_active: Option<Moment>,
    pub created: Moment,
}

/// What the triggers say at a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Triggers {
    /// Whether one of them is active.
    pub active: bool,
    /// Whether one of them failed, and has no fallback to count as active by.
    pub failed: bool,
    /// Whether one of them counts as active by its fallback.
    pub fallen_back: bool,
}

/// What a poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Polled {
    pub before: i32,
    pub replicas: i32,
    pub step: Step,
    /// Whether a trigger counted as active by its fallback.
    pub fallen_back: bool,
}

/// Which rule decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// All scaling is paused.
    Paused,
    /// From zero, or from idle, to the minimum.
    Activate,
    /// The same, but scaling out is paused.
    OutPaused,
    /// Active at a size the HPA sees to.
    Active,
    /// Active, but some trigger failed, so that the time is not noted.
    ActiveInPart,
    /// A trigger failed and no other is active: nothing is done.
    Failed,
    /// Not active for the whole cooldown: to zero, or to idle.
    Deactivate,
    /// Not active, but scaling in is paused.
    InPaused,
    /// Not active, but not for long enough.
    Cooling,
    /// Not active, and below the minimum: to the minimum.
    Raise,
    /// Not active, and nothing to do.
    Rest,
}

impl Executor {
    /// Takes what a poll found.
    pub fn poll(&mut self, keda: &Keda, now: Moment, current: i32, triggers: Triggers) -> Polled {
        let (replicas, step) = self.decide(keda, now, current, triggers);
        if matches!(step, Step::Activate | Step::Active) {
            self.last_active = Some(now);
        }
        Polled { before: current, replicas, step, fallen_back: triggers.fallen_back }
    }

    fn decide(&self, keda: &Keda, now: Moment, current: i32, triggers: Triggers) -> (i32, Step) {
        let Keda { min, idle, pause, .. } = *keda;
        if let Some(replicas) = pause.at {
            return (replicas, Step::Paused);
        }
        if pause.all {
            return (current, Step::Paused);
        }
        if triggers.active || keda.force_activation {
            let is_idle = current == 0 || (idle.is_some() && current < min);
            return match (is_idle, pause.scale_out) {
                (true, true) => (current, Step::OutPaused),
                (true, false) => (min.max(1), Step::Activate),
                (false, _) if triggers.failed => (current, Step::ActiveInPart),
                (false, _) => (current, Step::Active),
            };
        }
        let falls_back_to_zero = keda.fallback.is_some_and(|fallback| fallback.replicas == 0);
        if triggers.failed && !falls_back_to_zero {
            return (current, Step::Failed);
        }
        let can_shrink = idle.is_some_and(|idle| current > idle) || (current > 0 && min == 0);
        if can_shrink {
            let cooled = match self.last_active {
                Some(last) => last.age(now) > keda.cooldown_period,
                None => self.created.age(now) > keda.initial_cooldown_period,
            };
            return match (pause.scale_in, cooled) {
                (true, _) => (current, Step::InPaused),
                (false, true) => (idle.unwrap_or(min), Step::Deactivate),
                (false, false) => (current, Step::Cooling),
            };
        }
        match idle {
            None if current < min => (min, Step::Raise),
            _ => (current, Step::Rest),
        }
    }
}

impl Polled {
    /// The poll in words; `now` and `executor` as they were at it.
    pub fn words(&self, keda: &Keda) -> String {
        let Polled { before, replicas, step, fallen_back } = *self;
        let stay = format!("stay at {before}");
        let by = match (keda.force_activation, fallen_back) {
            (true, _) => "activation is forced",
            (false, true) => "a trigger that fails is active by its fallback",
            (false, false) => "a trigger is active",
        };
        match step {
            Step::Paused if replicas == before => format!("paused: {stay}"),
            Step::Paused => format!("paused at {replicas}: {before} to {replicas}"),
            Step::Activate => format!("{by}: {before} to {replicas}"),
            Step::OutPaused => format!("{by}, but scaling out is paused: {stay}"),
            Step::Active => format!("{by}: the HPA scales from {before}"),
            Step::ActiveInPart => format!("{by}, but another failed: the HPA scales from {before}"),
            Step::Failed => format!("a trigger failed and none is active: {stay}"),
            Step::Deactivate => {
                format!(
                    "no trigger active for the cooldown ({}): {before} to {replicas}",
                    keda.cooldown_period
                )
            }
            Step::InPaused => format!("no trigger is active, but scaling in is paused: {stay}"),
            Step::Cooling => {
                format!(
                    "no trigger is active, but not yet for the cooldown ({}): {stay}",
                    keda.cooldown_period
                )
            }
            Step::Raise => {
                format!("no trigger is active and {before} is below the minimum: {before} to {replicas}")
            }
            Step::Rest => format!("no trigger is active: {stay}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::tests::keda;
    use super::*;
    use crate::time::Span;

    const ACTIVE: Triggers = Triggers { active: true, failed: false, fallen_back: false };
    const QUIET: Triggers = Triggers { active: false, failed: false, fallen_back: false };
    const FAILED: Triggers = Triggers { active: false, failed: true, fallen_back: false };

    fn at(seconds: u64) -> Moment {
        Moment(seconds as i64 * 1_000_000_000)
    }

    fn executor() -> Executor {
        Executor { last_active: None, created: at(0) }
    }

    #[test]
    fn zero_becomes_the_minimum_and_falls_back_to_zero_after_the_cooldown_alone() {
        let (keda, mut executor) = (keda("max = 10\ncooldown_period = \"60s\""), executor());
        assert_eq!(executor.poll(&keda, at(30), 0, ACTIVE).replicas, 1);
        assert_eq!(executor.poll(&keda, at(60), 7, ACTIVE).step, Step::Active);
        assert_eq!(
            executor.poll(&keda, at(120), 7, QUIET).step,
            Step::Cooling,
            "60 s are not more than 60 s"
        );
        assert_eq!(executor.poll(&keda, at(121), 7, QUIET).replicas, 0, "from any size at once");
        assert_eq!(executor.poll(&keda, at(150), 0, QUIET).step, Step::Rest);
    }

    #[test]
    fn before_any_activity_the_initial_cooldown_counts() {
        let keda = keda("max = 10\ninitial_cooldown_period = \"100s\"");
        assert_eq!(executor().poll(&keda, at(100), 3, QUIET).step, Step::Cooling);
        assert_eq!(executor().poll(&keda, at(101), 3, QUIET).replicas, 0);
    }

    #[test]
    fn with_a_minimum_and_no_idle_count_it_only_raises() {
        let keda = keda("min = 5\nmax = 10");
        assert_eq!(executor().poll(&keda, at(900), 1, QUIET).replicas, 5);
        assert_eq!(executor().poll(&keda, at(900), 9, QUIET).step, Step::Rest);
    }

    #[test]
    fn idle_lies_below_the_minimum() {
        let keda = keda("min = 5\nmax = 10\nidle = 0");
        assert_eq!(executor().poll(&keda, at(900), 10, QUIET).replicas, 0);
        assert_eq!(executor().poll(&keda, at(900), 0, ACTIVE).replicas, 5);
        assert_eq!(executor().poll(&keda, at(900), 0, QUIET).step, Step::Rest);
    }

    #[test]
    fn a_failing_trigger_stops_the_way_down_unless_the_fallback_is_zero() {
        let plain = keda("max = 10");
        assert_eq!(executor().poll(&plain, at(900), 4, FAILED).step, Step::Failed);
        let zero = keda("max = 10\nfallback = { failure_threshold = 3, replicas = 0 }");
        assert_eq!(executor().poll(&zero, at(900), 4, FAILED).replicas, 0);
        let mut executor = executor();
        executor.poll(&plain, at(900), 4, Triggers { active: true, failed: true, fallen_back: false });
        assert_eq!(executor.last_active, None);
    }

    #[test]
    fn the_pauses_stop_their_direction() {
        let keda_in = keda("max = 10\npause_scale_in = true");
        assert_eq!(executor().poll(&keda_in, at(900), 4, QUIET).step, Step::InPaused);
        let keda_out = keda("max = 10\npause_scale_out = true");
        assert_eq!(executor().poll(&keda_out, at(900), 0, ACTIVE).step, Step::OutPaused);
        let keda_at = keda("max = 10\npaused_replicas = 3");
        assert_eq!(executor().poll(&keda_at, at(900), 0, ACTIVE).replicas, 3);
        let forced = keda("max = 10\nforce_activation = true");
        assert_eq!(executor().poll(&forced, at(900), 0, QUIET).replicas, 1);
        assert_eq!(keda_in.cooldown_period, Span::from_secs(300));
    }
}
