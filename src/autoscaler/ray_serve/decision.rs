//! What Ray Serve's controller computes at a tick: requests to replicas, smoothing, delay, gangs, bounds.
//!
//! Source: Ray `python/ray/serve/autoscaling_policy.py` and `serve/_private/autoscaling_state.py` (2026, "newest") and the
//! same files of earlier releases.

use super::RayServe;
use super::delay::{Delay, Path};
use crate::time::Instant;

/// What a tick starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inputs {
    /// Replicas running.
    pub running: u32,
    /// Replicas last asked for.
    pub target: u32,
    /// Ongoing and queued requests of the whole deployment, averaged over the look-back period.
    pub total: f64,
    /// What a policy of the user's own asks for; `None`: Ray's own, by requests.
    pub proposal: Option<f64>,
}

/// How a tick came to its decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// Replicas asked for before smoothing; `None` where the path does not get there.
    pub raw: Option<f64>,
    /// After smoothing, and in legacy releases after the bounds.
    pub smoothed: Option<i64>,
    /// Which way was taken.
    pub path: Path,
    /// The policy's answer, before gangs and bounds.
    pub decision: u32,
    /// Rounded up to whole gangs.
    pub in_gangs: u32,
    /// Within the bounds: what becomes the target.
    pub desired: u32,
}

impl RayServe {
    /// One tick at `now`.
    pub(super) fn tick(&self, delay: &mut Delay, now: Instant, inputs: Inputs) -> Decision {
        let inputs = Inputs { target: self.seen_as(inputs.target), ..inputs };
        let Inputs { running, target, .. } = inputs;
        let answer = |raw, smoothed, path, decision: u32| {
            let in_gangs = self.in_gangs(decision);
            Decision { raw, smoothed, path, decision, in_gangs, desired: self.bounded(i64::from(in_gangs)) }
        };
        if running == 0 && inputs.total > 0.0 {
            // `max(ceil(1 × factor), target)`, without touching the delay.
            let first = self.upscaling_factor.ceil() as u32;
            return answer(None, None, Path::ColdStart, first.max(target));
        }
        if running == 0 && !self.release.goes_by_the_clock() {
            return answer(None, None, Path::Starting, target);
        }
        let (raw, smoothed) = self.wanted(inputs);
        if running == 0 && smoothed > 0 {
            let path = if inputs.proposal.is_some() { Path::ColdStart } else { Path::Starting };
            return answer(Some(raw), Some(smoothed), path, replicas(smoothed));
        }
        let (decision, path) = self.delayed(delay, now, replicas(smoothed), target);
        answer(Some(raw), Some(smoothed), path, decision)
    }

    /// What the delays leave of a number wanted at `now`.
    pub(super) fn delayed(&self, delay: &mut Delay, now: Instant, wanted: u32, target: u32) -> (u32, Path) {
        match self.release.goes_by_the_clock() {
            true => delay.by_time(&self.delays, now, wanted, target),
            false => delay.by_ticks(&self.delays, wanted, target, self.release.stops_at_one()),
        }
    }

    /// Replicas asked for before and after smoothing.
    pub(super) fn wanted(&self, inputs: Inputs) -> (f64, i64) {
        let Inputs { running, target, total, proposal } = inputs;
        let replicas = f64::from(running);
        // The order of operations is Ray's: another one may round an exact number of replicas up by one.
        let ratio = total / (self.target_ongoing_requests * replicas);
        let raw = match proposal {
            Some(proposal) => proposal,
            None if running == 0 => f64::from(target),
            None => replicas * ratio,
        };
        let smooths_the_ratio = self.release.smooths_the_ratio() && proposal.is_none();
        match (self.release.goes_by_the_clock(), smooths_the_ratio) {
            (true, _) => (raw, self.smoothed(raw, running)),
            (false, false) => (raw, i64::from(self.bounded(self.smoothed(raw, running)))),
            (false, true) => {
                let factor = if ratio >= 1.0 { self.upscaling_factor } else { self.downscaling_factor };
                let smoothed = whole(replicas * (1.0 + (ratio - 1.0) * factor));
                (raw, i64::from(self.bounded(unstuck(smoothed, raw, running))))
            }
        }
    }

    /// The distance from the running replicas, times the factor of its direction.
    pub(super) fn smoothed(&self, raw: f64, running: u32) -> i64 {
        // From zero the whole number would be the distance, and the factor would amplify it tick by tick.
        if running == 0 && self.release.goes_by_the_clock() {
            return whole(raw);
        }
        let running_f = f64::from(running);
        let distance = raw - running_f;
        let factor = if distance > 0.0 { self.upscaling_factor } else { self.downscaling_factor };
        unstuck(whole(running_f + factor * distance), raw, running)
    }

    /// The target as the policy beneath the gangs sees it: where zero is allowed, the last gang is the one replica over
    /// which zero is reached, or it would never go (`gang_scheduling_autoscaling_policy.py`).
    fn seen_as(&self, target: u32) -> u32 {
        if self.gang_size > 1 && self.limits.min == 0 && target == self.gang_size { 1 } else { target }
    }

    /// Rounded up to whole gangs.
    pub(super) fn in_gangs(&self, replicas: u32) -> u32 {
        match self.gang_size {
            0 | 1 => replicas,
            size => replicas.div_ceil(size).saturating_mul(size),
        }
    }

    /// Within the bounds, which a target capacity in percent shrinks.
    pub(super) fn bounded(&self, replicas: i64) -> u32 {
        let (least, most) = self.bounds();
        // `max(min, min(max, n))`, the order that also holds when a capacity leaves the minimum above the maximum.
        replicas.min(i64::from(most)).max(i64::from(least)) as u32
    }

    /// The bounds as the target capacity leaves them.
    pub(super) fn bounds(&self) -> (u32, u32) {
        let adjust = |replicas: u32| match self.target_capacity {
            // `round half up`, and at least one where there was one.
            Some(percent) if percent > 0.0 && replicas > 0 => {
                ((f64::from(replicas) * percent / 100.0 + 0.5).floor() as u32).max(1)
            }
            Some(_) => 0,
            None => replicas,
        };
        (adjust(self.limits.min), adjust(self.limits.max))
    }
}

/// `ceil` as a whole number; `as` saturates.
fn whole(number: f64) -> i64 {
    number.ceil() as i64
}

fn replicas(number: i64) -> u32 {
    number.clamp(0, i64::from(u32::MAX)) as u32
}

/// One fewer where the factor alone keeps the number where it is while fewer are asked for.
fn unstuck(smoothed: i64, raw: f64, running: u32) -> i64 {
    let stuck = whole(raw) < i64::from(running) && smoothed == i64::from(running);
    smoothed - i64::from(stuck)
}

#[cfg(test)]
mod tests {
    use super::super::Release;
    use super::*;

    fn wanted(settings: &RayServe, running: u32, total: f64) -> i64 {
        settings.wanted(Inputs { running, target: running, total, proposal: None }).1
    }

    #[test]
    fn requests_over_target_round_up() {
        let settings = RayServe { target_ongoing_requests: 10.0, ..RayServe::example() };
        assert_eq!((wanted(&settings, 10, 200.0), wanted(&settings, 10, 201.0)), (20, 21));
    }

    #[test]
    fn the_order_of_operations_is_rays() {
        // 0.7 requests at 0.1 each are 7 replicas; 5 × (0.7 / 0.5) is 7.000000000000001 in floating point.
        let settings = RayServe { target_ongoing_requests: 0.1, ..RayServe::example() };
        assert_eq!(wanted(&settings, 5, 0.1 * 7.0), 8);
        assert_eq!(wanted(&settings, 4, 0.1 * 7.0), 7);
    }

    #[test]
    fn a_factor_that_holds_the_number_gives_way_by_one() {
        let settings = RayServe { downscaling_factor: 0.2, ..RayServe::example() };
        assert_eq!(settings.smoothed(4.0, 5), 4);
        assert_eq!(settings.smoothed(4.5, 5), 5, "4.5 rounds up to the 5 that run");
    }

    #[test]
    fn legacy_smooths_the_ratio_and_bounds_before_the_delay() {
        let settings = RayServe {
            release: Release::Legacy,
            target_ongoing_requests: 2.0,
            upscaling_factor: 0.5,
            ..RayServe::example()
        };
        assert_eq!(wanted(&settings, 10, 80.0), 25);
        assert_eq!(wanted(&settings, 10, 8000.0), 100);
    }

    #[test]
    fn gangs_are_whole_and_zero_stays_zero() {
        let settings = RayServe { gang_size: 4, ..RayServe::example() };
        assert_eq!([0, 1, 4, 5].map(|replicas| settings.in_gangs(replicas)), [0, 4, 4, 8]);
    }

    #[test]
    fn a_target_capacity_shrinks_the_bounds_and_rounds_half_up() {
        let settings = RayServe { target_capacity: Some(25.0), ..RayServe::example() };
        assert_eq!(settings.bounds(), (0, 25));
        let limits = crate::autoscaler::Limits { min: 2, max: 10 };
        let settings = RayServe { limits, ..settings };
        assert_eq!(settings.bounds(), (1, 3));
        assert_eq!(RayServe { target_capacity: Some(0.0), ..settings }.bounds(), (0, 0));
    }
}
