//! When the activator stands in the path of the requests, and how many of them do.
//!
//! Source: Knative Serving, `pkg/autoscaler/scaling/autoscaler.go` (excess burst capacity),
//! `pkg/reconciler/autoscaling/kpa/kpa.go` (mode and number).

use super::spec::Spec;

/// Minimum number of activators of a revision.
const FEWEST: f64 = 2.0;

/// How much of the pods' capacity is left after the present load and the burst to be kept room for; negative: the
/// activator has to buffer. −1 when it always does, 0 when it never does.
pub fn excess_burst_capacity(spec: &Spec, ready: u32, panic: f64) -> i32 {
    match spec.target_burst_capacity {
        0.0 => 0,
        burst if burst > 0.0 => (f64::from(ready) * spec.total - burst - panic).floor() as i32,
        _ => -1,
    }
}

/// The same before the first evaluation: as if the initial scale were there and idle; cut off towards 0.
pub fn initial_excess_burst_capacity(spec: &Spec, initial_scale: u32) -> i32 {
    match spec.target_burst_capacity {
        0.0 => 0,
        burst if burst > 0.0 => (f64::from(initial_scale) * spec.total - burst) as i32,
        _ => -1,
    }
}

/// Whether requests pass through the activator: at scale zero, or when there is too little room for a burst. `want` is
/// the scale wanted, `None` while it is not known.
pub fn in_path(want: Option<u32>, excess_burst_capacity: i32, inactive: bool) -> bool {
    want == Some(0) || excess_burst_capacity < 0 || (want.is_none() && inactive)
}

/// Activators a revision with so many ready pods is given: enough of `activator_capacity` each for what the pods can
/// hold and the burst.
pub fn activators(ready: u32, total: f64, target_burst_capacity: f64, activator_capacity: f64) -> u32 {
    if target_burst_capacity == 0.0 {
        return FEWEST as u32;
    }
    let capacity = f64::from(ready) * total + target_burst_capacity.max(0.0);
    (capacity / activator_capacity).ceil().max(FEWEST) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn spec(target_burst_capacity: f64) -> Spec {
        Spec {
            target: 70.0,
            total: 100.0,
            target_burst_capacity,
            panic_threshold: 2.0,
            max_scale_up_rate: 1000.0,
            max_scale_down_rate: 2.0,
            stable_window: Span::from_secs(60),
            activation_scale: 0,
            reachable: true,
        }
    }

    #[test]
    fn three_idle_pods_let_the_activator_go_by_default() {
        let room = |ready| excess_burst_capacity(&spec(211.0), ready, 0.0);
        assert_eq!((room(2), room(3)), (-11, 89));
        assert!(in_path(Some(2), room(2), false) && !in_path(Some(3), room(3), false));
        assert_eq!(excess_burst_capacity(&spec(211.0), 3, 89.5), -1, "rounded down, not towards zero");
    }

    #[test]
    fn the_activator_stays_out_or_in_when_told_to() {
        assert_eq!(
            (excess_burst_capacity(&spec(0.0), 0, 9.0), excess_burst_capacity(&spec(-1.0), 9, 0.0)),
            (0, -1)
        );
        assert!(in_path(Some(0), 0, false), "nobody else can hold requests at zero");
        assert!(in_path(None, 0, true) && !in_path(None, 0, false));
    }

    #[test]
    fn before_the_first_evaluation_the_initial_scale_stands_for_the_pods() {
        assert_eq!(initial_excess_burst_capacity(&spec(211.0), 1), -111);
        assert_eq!(initial_excess_burst_capacity(&spec(211.0), 3), 89);
    }

    #[test]
    fn activators_cover_the_pods_and_the_burst() {
        assert_eq!(activators(0, 100.0, 200.0, 100.0), 2);
        assert_eq!(activators(15, 100.0, 200.0, 100.0), 17);
        assert_eq!(activators(5, 100.0, -1.0, 100.0), 5);
        assert_eq!(activators(99, 100.0, 0.0, 100.0), 2);
    }
}
