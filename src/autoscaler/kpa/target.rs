//! What one pod should carry, from the keys that speak of it.
//!
//! Source: Knative Serving, `pkg/reconciler/autoscaling/resources/target.go`, `pkg/autoscaler/config/config.go`.

use crate::autoscaler::Signal;

/// The keys that decide the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Requests per second, rather than concurrent requests.
    pub rps: bool,
    /// Requests a pod may work on at once; 0: any number.
    pub container_concurrency: u32,
    /// The revision's own target, if it has one (`autoscaling.knative.dev/target`).
    pub target: Option<f64>,
    /// The share of a pod's total to aim at, 0 to 1.
    pub utilization: f64,
    /// Total where neither `container_concurrency` nor `target` says it, in concurrent requests.
    pub default_concurrency: f64,
    /// Total where `target` does not say it, in requests per second.
    pub default_rps: f64,
}

/// Smallest target.
const LEAST: f64 = 0.01;

impl Load {
    /// Target and total of one pod.
    pub fn resolve(&self) -> (f64, f64) {
        let container = f64::from(self.container_concurrency);
        let total = match (self.rps, self.target) {
            (true, target) => target.unwrap_or(self.default_rps),
            // More than the container takes at once can never be reached.
            (false, Some(target)) if container > 0.0 => target.min(container),
            (false, Some(target)) => target,
            (false, None) if container > 0.0 => container,
            (false, None) => self.default_concurrency,
        };
        ((total * self.utilization).max(LEAST), total)
    }

    /// The metric, in the simulator's words: concurrent requests at a revision are those in flight, whether they wait in
    /// the activator or in the pod's own queue or are in service.
    pub fn metric(&self) -> Signal {
        if self.rps { Signal::RequestRate } else { Signal::InFlight }
    }
}

/// A percentage key of `config-autoscaler`: 1 and less is a fraction, more a percentage.
pub fn fraction(value: f64) -> f64 {
    if value > 1.0 { value / 100.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Load = Load {
        rps: false,
        container_concurrency: 0,
        target: None,
        utilization: 0.7,
        default_concurrency: 100.0,
        default_rps: 200.0,
    };

    #[test]
    fn by_default_seventy_percent_of_a_hundred() {
        assert_eq!(DEFAULTS.resolve(), (70.0, 100.0));
        assert_eq!(Load { rps: true, ..DEFAULTS }.resolve(), (140.0, 200.0));
    }

    #[test]
    fn the_smaller_of_target_and_container_concurrency_counts() {
        let load = |target, container_concurrency| {
            Load { target, container_concurrency, utilization: 1.0, ..DEFAULTS }.resolve()
        };
        assert_eq!(load(Some(1.0), 10), (1.0, 1.0));
        assert_eq!(load(Some(10.0), 1), (1.0, 1.0));
        assert_eq!(load(Some(500.0), 0), (500.0, 500.0));
        assert_eq!(load(None, 12), (12.0, 12.0));
    }

    #[test]
    fn requests_per_second_do_not_care_for_the_container_concurrency() {
        let load = Load { rps: true, container_concurrency: 1, target: Some(300.0), ..DEFAULTS };
        assert_eq!(load.resolve(), (210.0, 300.0));
    }

    #[test]
    fn a_target_is_never_smaller_than_a_hundredth() {
        assert_eq!(Load { target: Some(0.01), utilization: 0.5, ..DEFAULTS }.resolve(), (0.01, 0.01));
    }

    #[test]
    fn one_and_less_is_a_fraction() {
        assert_eq!((fraction(70.0), fraction(1.0), fraction(0.7)), (0.7, 1.0, 0.7));
    }
}
