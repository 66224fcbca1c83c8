//! The decider: from ready pods and two means to the pods wanted, with the panic ratchet and the scale-down delay.
//!
//! Source: Knative Serving, `pkg/autoscaler/scaling/autoscaler.go`.

use super::activator;
use super::spec::Spec;
use crate::autoscaler::windows::buckets::TimeWindow;
use crate::time::{Instant, Span};

/// Time between two evaluations, a constant of Knative.
pub const TICK_S: u64 = 2;

/// What the decider has in mind from one evaluation to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Decider {
    /// Since when it panics: the last evaluation at which the panic was needed.
    pub panic_since: Option<Instant>,
    /// Most pods wanted since the panic began.
    pub max_panic_pods: u32,
    delay: Option<TimeWindow>,
}

/// How one evaluation came out, step by step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Ready pods, at least 1: what rates and threshold refer to.
    pub ready_at_least_one: u32,
    /// Most that may be wanted.
    pub max_scale_up: f64,
    /// Minimum desired number of pods.
    pub max_scale_down: f64,
    /// Pods the long mean needs, before any bound.
    pub stable_needs: f64,
    /// Pods the short mean needs, before any bound.
    pub panic_needs: f64,
    /// Pods the long mean needs, within the rates and the activation scale.
    pub desired_stable: u32,
    /// Pods the short mean needs, within the rates and the activation scale.
    pub desired_panic: u32,
    /// Whether the short mean needs so many that a panic begins or goes on.
    pub over_threshold: bool,
    /// Since when it panics, after this evaluation.
    pub panic_since: Option<Instant>,
    /// Whether a panic ended at this evaluation.
    pub calmed: bool,
    /// Pods wanted before the scale-down delay.
    pub undelayed: u32,
    /// Pods wanted.
    pub desired: u32,
    /// See [`activator::excess_burst_capacity`].
    pub excess_burst_capacity: i32,
}

impl Decider {
    /// A decider made when `ready` pods are ready (`None`: they cannot be counted). With more than one it starts in a
    /// panic at that size, so that an autoscaler that has just lost its history does not shrink the pool.
    pub fn new(ready: Option<u32>, scale_down_delay: Span, now: Instant) -> Decider {
        let ready = ready.unwrap_or(0);
        Decider {
            panic_since: (ready > 1).then_some(now),
            max_panic_pods: ready,
            // A window of one bucket is not the same as none: two evaluations within one bucket take the larger.
            delay: (!scale_down_delay.is_zero()).then(|| TimeWindow::new(scale_down_delay, TICK_S)),
        }
    }

    /// One evaluation with `ready` pods ready, and the means over the stable and the panic window, as totals.
    pub fn decide(&mut self, spec: &Spec, now: Instant, ready: u32, stable: f64, panic: f64) -> Verdict {
        let ready_at_least_one = ready.max(1);
        let pods = f64::from(ready_at_least_one);
        let max_scale_up = (spec.max_scale_up_rate * pods).ceil();
        let max_scale_down = if spec.reachable { (pods / spec.max_scale_down_rate).floor() } else { 0.0 };
        // Plus zero, so that a mean just under zero, which rounding can leave, is not written as -0.
        let stable_needs = (stable / spec.target).ceil() + 0.0;
        let panic_needs = (panic / spec.target).ceil() + 0.0;
        let within = |needs: f64| {
            let desired = needs.max(max_scale_down).min(max_scale_up) as u32;
            // Once any pod is needed, so many are.
            if needs > 0.0 && spec.activation_scale > 1 {
                desired.max(spec.activation_scale)
            } else {
                desired
            }
        };
        let (desired_stable, desired_panic) = (within(stable_needs), within(panic_needs));

        let over_threshold = panic_needs / pods >= spec.panic_threshold;
        let mut calmed = false;
        if over_threshold {
            self.panic_since = Some(now);
        } else if self.panic_since.is_some_and(|since| since + spec.stable_window < now) {
            (self.panic_since, self.max_panic_pods) = (None, 0);
            calmed = true;
        }

        let mut desired = desired_stable;
        if self.panic_since.is_some() {
            self.max_panic_pods = self.max_panic_pods.max(desired_stable).max(desired_panic);
            desired = self.max_panic_pods;
        }
        let undelayed = desired;
        if let (Some(delay), true) = (&mut self.delay, spec.reachable) {
            desired = delay.record(now, desired);
        }
        Verdict {
            ready_at_least_one,
            max_scale_up,
            max_scale_down,
            stable_needs,
            panic_needs,
            desired_stable,
            desired_panic,
            over_threshold,
            panic_since: self.panic_since,
            calmed,
            undelayed,
            desired,
            excess_burst_capacity: activator::excess_burst_capacity(spec, ready, panic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(target: f64) -> Spec {
        Spec {
            target,
            total: target / 0.75,
            target_burst_capacity: 100.0,
            panic_threshold: 2.0,
            max_scale_up_rate: 10.0,
            max_scale_down_rate: 10.0,
            stable_window: Span::from_secs(60),
            activation_scale: 0,
            reachable: true,
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(1000 + seconds)
    }

    fn calm() -> Decider {
        Decider::new(Some(1), Span::ZERO, at(0))
    }

    #[test]
    fn the_pool_is_bounded_by_the_rates_of_the_ready_pods() {
        assert_eq!(calm().decide(&spec(10.0), at(0), 1, 1000.0, 0.0).desired, 10);
        assert_eq!(calm().decide(&spec(10.0), at(0), 100, 1.0, 1.0).desired, 10);
        assert_eq!(calm().decide(&Spec { reachable: false, ..spec(10.0) }, at(0), 100, 1.0, 1.0).desired, 1);
    }

    #[test]
    fn a_rate_that_is_no_whole_number_still_lets_the_pool_change_by_one() {
        let slow_up = Spec { max_scale_up_rate: 1.1, ..spec(1.0) };
        assert_eq!(calm().decide(&slow_up, at(0), 2, 3.0, 3.1).desired, 3);
        let slow_down = Spec { max_scale_down_rate: 1.1, ..spec(10.0) };
        assert_eq!(calm().decide(&slow_down, at(0), 100, 1.0, 1.0).desired, 90);
    }

    #[test]
    fn a_panic_never_shrinks_and_ends_a_stable_window_after_it_was_last_needed() {
        let mut decider = calm();
        assert_eq!(decider.decide(&spec(10.0), at(0), 10, 100.0, 1000.0).desired, 100);
        let quiet = decider.decide(&spec(10.0), at(60), 10, 1.0, 1.0);
        assert_eq!(
            (quiet.desired, quiet.panic_since),
            (100, Some(at(0))),
            "exactly the window is not past it"
        );
        let after = decider.decide(&spec(10.0), at(62), 10, 1.0, 1.0);
        assert_eq!((after.desired, after.calmed, decider.max_panic_pods), (1, true, 0));
    }

    #[test]
    fn a_decider_made_over_a_running_pool_starts_in_panic() {
        let made = |ready| Decider::new(ready, Span::ZERO, at(0));
        assert_eq!((made(Some(1)).panic_since, made(Some(1)).max_panic_pods), (None, 1));
        assert_eq!((made(Some(2)).panic_since, made(Some(2)).max_panic_pods), (Some(at(0)), 2));
        assert_eq!((made(None).panic_since, made(None).max_panic_pods), (None, 0));
    }

    #[test]
    fn the_scale_down_delay_keeps_the_largest_of_its_window_while_reachable() {
        let patient = Spec { panic_threshold: 100.0, stable_window: Span::ZERO, ..spec(10.0) };
        let mut decider = Decider::new(Some(0), Span::from_secs(300), at(0));
        let mut desired = |seconds, load| decider.decide(&patient, at(seconds), 0, load, load).desired;
        assert_eq!([desired(2, 40.0), desired(300, 0.0), desired(302, 0.0)], [4, 4, 0]);
        assert_eq!(desired(400, 40.0), 4);
        let unreachable = Spec { reachable: false, ..patient };
        assert_eq!(decider.decide(&unreachable, at(402), 0, 0.0, 0.0).desired, 0);
    }

    #[test]
    fn the_activation_scale_holds_while_any_pod_is_needed() {
        let spec = Spec { activation_scale: 2, ..spec(10.0) };
        assert_eq!(calm().decide(&spec, at(0), 1, 0.0, 0.0).desired, 0);
        assert_eq!(calm().decide(&spec, at(0), 1, 1.0, 0.0).desired, 2);
    }
}
