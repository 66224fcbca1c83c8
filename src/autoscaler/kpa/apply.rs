//! From the pods the decider wants to the replicas really asked for: bounds, initial scale, and the machine that lets
//! the last pod go only when the activator has surely taken over.
//!
//! Source: Knative Serving, `pkg/reconciler/autoscaling/kpa/scaler.go` and `kpa.go`.

use crate::time::Span;

/// Time granted beyond the progress deadline before an activation is given up, a constant of Knative.
const ACTIVATION_BUFFER: Span = Span::from_secs(30);
/// When a revision that has just become inactive is looked at again, if nothing else changes by it.
const SETTLE: Span = Span::from_secs(3);

/// The settings of this part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Minimum number of replicas.
    pub min_scale: u32,
    /// Most replicas; 0: no bound.
    pub max_scale: u32,
    /// Replicas a new revision has to reach once.
    pub initial_scale: u32,
    /// Whether the last pod may go.
    pub enable_scale_to_zero: bool,
    /// How long a revision is active at least.
    pub stable_window: Span,
    /// How long the activator has been in the path before the last pod goes.
    pub grace_period: Span,
    /// How long the last pod is kept, in any case.
    pub pod_retention: Span,
    /// How long a revision may take to become ready.
    pub progress_deadline: Span,
    /// See [`Spec::target_burst_capacity`](super::decider::Spec::target_burst_capacity).
    pub target_burst_capacity: f64,
}

/// Whether the revision is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Pods are wanted, but not enough are ready.
    Activating,
    /// As many pods as it takes are ready.
    Active,
    /// None are wanted.
    Inactive,
}

/// Whether any route leads to the revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachability {
    /// Not said.
    Unknown,
    /// One does.
    Reachable,
    /// None does.
    Unreachable,
}

/// What one pass is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation {
    /// Pods the decider wants; `None`: not known yet.
    pub desired: Option<u32>,
    /// Replicas asked for at present.
    pub current: u32,
    /// The condition.
    pub condition: Condition,
    /// For how long it has been so.
    pub condition_age: Span,
    /// Whether it can be reached.
    pub reachability: Reachability,
    /// Whether it once had its initial scale ready.
    pub initialized: bool,
    /// Whether a probe finds the activator in the path.
    pub probe_succeeds: bool,
    /// Whether the route leads through the activator.
    pub proxied: bool,
    /// For how long it has.
    pub proxied_for: Span,
}

/// What one pass does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The scale it reports; `None`: not known.
    pub scale: Option<u32>,
    /// Replicas asked for before.
    pub before: u32,
    /// Replicas asked for from now on.
    pub replicas: u32,
    /// When to pass again at the latest.
    pub requeue: Option<Span>,
    /// Whether it starts to probe for the activator.
    pub probe_started: bool,
    /// The pods wanted, within the bounds.
    pub bounded: u32,
    /// Why it comes out so.
    pub why: Why,
}

/// Why a pass comes out as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing is known of the load.
    Unknown,
    /// The pods wanted, within the bounds.
    Wanted,
    /// No pod is wanted, but the last one may not go.
    ZeroDisabled,
    /// No pod is wanted while the first one still starts.
    StillActivating,
    /// It did not start in time.
    ActivationFailed,
    /// Not active for long enough: one pod stays.
    KeepOne,
    /// Active for long enough: from now on the activator takes the requests.
    Deactivated,
    /// It is not sure that the activator is in the path.
    NotConfirmed,
    /// Inactive for long enough: the last pod goes.
    ScaledToZero,
    /// The last pod is kept for its retention.
    Retained,
    /// The activator has been in the path for long enough: the last pod goes.
    ProxiedToZero,
    /// The activator has not been in the path for long enough.
    Grace,
}

impl Rules {
    /// Minimum and maximum number of replicas (0: no bound) in a situation.
    pub fn bounds(&self, reachability: Reachability, initialized: bool) -> (u32, u32) {
        if reachability == Reachability::Unreachable {
            return (0, self.max_scale);
        }
        let initial = if self.initial_scale > 1 && !initialized { self.initial_scale } else { 0 };
        (self.min_scale.max(initial), self.max_scale)
    }

    /// Pods that must be ready before the revision is active.
    pub fn active_threshold(&self, reachability: Reachability, initialized: bool) -> u32 {
        let min = if reachability == Reachability::Unreachable { 0 } else { self.min_scale };
        min.max(if initialized { 1 } else { self.initial_scale })
    }

    /// One pass.
    pub fn apply(&self, now: &Situation) -> Step {
        let hold = Step {
            scale: None,
            before: now.current,
            replicas: now.current,
            requeue: None,
            probe_started: false,
            bounded: now.current,
            why: Why::Unknown,
        };
        if now.desired.is_none() && now.condition != Condition::Activating {
            return hold;
        }
        let (min, max) = self.bounds(now.reachability, now.initialized);
        let wanted = now.desired.unwrap_or(0);
        let bounded = match wanted {
            few if few < min => min,
            many if max > 0 && many > max => max,
            within => within,
        };
        let hold = Step { bounded, ..hold };
        let write = |scale, why| Step { scale: Some(scale), replicas: scale, why, ..hold };
        if bounded > 0 {
            return write(bounded, Why::Wanted);
        }
        if !self.enable_scale_to_zero {
            return write(1, Why::ZeroDisabled);
        }
        let age = now.condition_age;
        match now.condition {
            Condition::Activating => {
                let limit = self.progress_deadline + ACTIVATION_BUFFER;
                match age > limit {
                    true => write(0, Why::ActivationFailed),
                    false => Step { requeue: Some(limit), why: Why::StillActivating, ..hold },
                }
            }
            Condition::Active if age < self.stable_window => {
                Step { requeue: Some(self.stable_window - age), ..write(1, Why::KeepOne) }
            }
            // Reported as zero, so that the route goes to the activator, but the pods stay for now.
            Condition::Active => {
                let requeue = now.proxied.then_some(SETTLE);
                Step { scale: Some(0), requeue, why: Why::Deactivated, ..hold }
            }
            Condition::Inactive => self.let_the_last_pod_go(now, hold),
        }
    }

    fn let_the_last_pod_go(&self, now: &Situation, hold: Step) -> Step {
        let hold = Step { scale: Some(0), ..hold };
        let wait = |requeue, why| Step { requeue: Some(requeue), why, ..hold };
        let go = |why| Step { replicas: 0, why, ..hold };
        // With −1 the activator is always in the path: there is no need to ask.
        if self.target_burst_capacity != -1.0 && !now.probe_succeeds {
            return Step { probe_started: true, why: Why::NotConfirmed, ..hold };
        }
        let retention = match now.reachability {
            Reachability::Unreachable => Span::ZERO,
            _ => self.pod_retention,
        };
        let age = now.condition_age;
        if age >= self.grace_period.max(retention) {
            go(Why::ScaledToZero)
        } else if age < retention {
            wait(retention - age, Why::Retained)
        } else if now.proxied_for >= self.grace_period {
            go(Why::ProxiedToZero)
        } else {
            wait(self.grace_period - now.proxied_for, Why::Grace)
        }
    }
}

/// The condition after a pass that reports `scale`, with `ready` pods ready of the `threshold` it takes.
pub fn condition_after(scale: Option<u32>, ready: u32, threshold: u32, before: Condition) -> Condition {
    let wanted = scale.is_some_and(|scale| scale > 0);
    match before {
        _ if scale == Some(0) || threshold == 0 => Condition::Inactive,
        Condition::Inactive if !wanted => Condition::Inactive,
        _ if ready < threshold => Condition::Activating,
        _ => Condition::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        min_scale: 0,
        max_scale: 0,
        initial_scale: 1,
        enable_scale_to_zero: true,
        stable_window: Span::from_secs(60),
        grace_period: Span::from_secs(30),
        pod_retention: Span::ZERO,
        progress_deadline: Span::from_secs(600),
        target_burst_capacity: 211.0,
    };

    fn idle(condition: Condition, age: u64) -> Situation {
        Situation {
            desired: Some(0),
            current: 1,
            condition,
            condition_age: Span::from_secs(age),
            reachability: Reachability::Reachable,
            initialized: true,
            probe_succeeds: true,
            proxied: false,
            proxied_for: Span::ZERO,
        }
    }

    fn outcome(rules: &Rules, now: &Situation) -> (Option<u32>, u32, Why) {
        let step = rules.apply(now);
        (step.scale, step.replicas, step.why)
    }

    #[test]
    fn zero_goes_through_one_then_inactive_then_the_grace_period() {
        use Condition::{Active, Inactive};
        assert_eq!(outcome(&RULES, &idle(Active, 59)), (Some(1), 1, Why::KeepOne));
        assert_eq!(outcome(&RULES, &idle(Active, 60)), (Some(0), 1, Why::Deactivated));
        assert_eq!(outcome(&RULES, &idle(Inactive, 29)), (Some(0), 1, Why::Grace));
        assert_eq!(outcome(&RULES, &idle(Inactive, 30)), (Some(0), 0, Why::ScaledToZero));
    }

    #[test]
    fn an_activator_that_was_in_the_path_anyway_lets_the_last_pod_go_at_once() {
        let now =
            Situation { proxied: true, proxied_for: Span::from_secs(30), ..idle(Condition::Inactive, 3) };
        assert_eq!(outcome(&RULES, &now), (Some(0), 0, Why::ProxiedToZero));
    }

    #[test]
    fn retention_holds_the_last_pod_unless_nothing_can_reach_it() {
        let rules = Rules { pod_retention: Span::from_secs(120), ..RULES };
        let now = idle(Condition::Inactive, 60);
        assert_eq!(rules.apply(&now).requeue, Some(Span::from_secs(60)));
        let lost = Situation { reachability: Reachability::Unreachable, ..now };
        assert_eq!(outcome(&rules, &lost), (Some(0), 0, Why::ScaledToZero));
    }

    #[test]
    fn the_initial_scale_bounds_until_it_was_reached_once() {
        let rules = Rules { initial_scale: 3, ..RULES };
        let new = Situation { initialized: false, desired: Some(1), ..idle(Condition::Activating, 0) };
        assert_eq!(outcome(&rules, &new), (Some(3), 3, Why::Wanted));
        assert_eq!(outcome(&rules, &Situation { initialized: true, ..new }), (Some(1), 1, Why::Wanted));
        let unknown = Situation { desired: None, current: 0, ..new };
        assert_eq!(outcome(&rules, &unknown), (Some(3), 3, Why::Wanted), "before there is any metric");
    }

    #[test]
    fn an_activation_is_given_up_after_the_progress_deadline() {
        assert_eq!(outcome(&RULES, &idle(Condition::Activating, 630)), (None, 1, Why::StillActivating));
        assert_eq!(outcome(&RULES, &idle(Condition::Activating, 631)), (Some(0), 0, Why::ActivationFailed));
    }

    #[test]
    fn the_condition_follows_what_is_wanted_and_what_is_ready() {
        use Condition::{Activating, Active, Inactive};
        for (scale, ready, threshold, before, after) in [
            (Some(0), 5, 1, Active, Inactive),
            (Some(1), 0, 1, Inactive, Activating),
            (Some(1), 1, 1, Activating, Active),
            (None, 0, 1, Inactive, Inactive),
            (None, 0, 1, Active, Activating),
            (None, 1, 1, Inactive, Inactive),
            (None, 1, 1, Activating, Active),
            (None, 0, 0, Activating, Inactive),
        ] {
            assert_eq!(
                condition_after(scale, ready, threshold, before),
                after,
                "{scale:?} {ready} {before:?}"
            );
        }
    }
}
