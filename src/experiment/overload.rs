//! Pools whose queue grows for the whole run: what is measured of them is how long the run was.

use serde::Serialize;

use super::Replications;
use crate::stats::{Estimate, Linearised, student_t};

/// A pool that gets more requests than it answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Overload {
    /// Requests in flight at the end of a run.
    pub in_flight_at_end: Estimate,
    /// Time-average of the requests in flight.
    pub mean_in_flight: Estimate,
    /// Share of the requests arrived that a full queue rejected, where that is what keeps the queue from growing.
    pub rejected: Option<f64>,
}

/// Busy share of the ready instances from which on a pool has nothing left to give.
const BUSY: f64 = 0.98;

/// Share of the requests arrived that a full queue must reject: a few rejected in a burst are no overload.
const REJECTED: f64 = 0.01;

/// A queue that grows evenly from nothing holds twice its average at the end, one that does not grow just as many.
const GROWN: f64 = 1.5;

/// Share of the requests arrived that must be in flight at the end: a few that happen to be there are no overload.
const IN_FLIGHT: f64 = 0.01;

/// Two-sided confidence of the growth: 99 % to the one side that counts.
const CONFIDENCE: f64 = 0.98;

impl Overload {
    /// Whether a pool is overloaded over its `replications`: at the end of a run more than half again as many requests are
    /// in flight as on average over it, with 99 % confidence where there are several replications, and they are more than
    /// one in a hundred of those that arrived.
    pub fn of(replications: &Replications) -> Option<Overload> {
        let figures = ["in_flight_at_end", "mean_in_flight", "arrived"];
        let values = |name: &str| -> Vec<f64> {
            replications.iter().filter_map(|record| record.sample(name).value()).collect()
        };
        let [at_end, average, arrived] = figures.map(values);
        if at_end.is_empty() || at_end.len() != average.len() {
            return None;
        }
        let grown: Vec<f64> = at_end.iter().zip(&average).map(|(end, mean)| end - GROWN * mean).collect();
        let grown = Linearised::of_values(&grown);
        let error = student_t(CONFIDENCE, grown.replications().saturating_sub(1) as u32)
            .map_or(0.0, |t| t * grown.variance_of_mean().sqrt());
        let grows = grown.mean().is_some_and(|mean| mean - error > 0.0);
        let many = at_end.iter().sum::<f64>() > IN_FLIGHT * arrived.iter().sum::<f64>();
        let rejected = rejected_when_busy(replications).filter(|_| !(grows && many));
        ((grows && many) || rejected.is_some()).then(|| Overload {
            in_flight_at_end: Estimate::of_values(&at_end),
            mean_in_flight: Estimate::of_values(&average),
            rejected,
        })
    }
}

/// The share of the requests that a full queue rejected, if instances were busy all the time in each replication.
fn rejected_when_busy(replications: &Replications) -> Option<f64> {
    let values =
        |name: &'static str| replications.iter().filter_map(move |record| record.sample(name).value());
    let busy = replications.iter().all(|record| {
        let utilization = record.values().find(|(figure, _)| figure.name == "utilization");
        utilization.and_then(|(_, value)| value).is_some_and(|utilization| utilization >= BUSY)
    });
    let (rejected, arrived): (f64, f64) = (values("rejected").sum(), values("arrived").sum());
    (busy && rejected > REJECTED * arrived).then(|| rejected / arrived)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Case, Evaluator};
    use crate::scenario::ScenarioFile;

    fn overload(rate: f64, replications: u32, more: &str) -> Option<Overload> {
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = {rate}\n[service]\ntime = {{ dist = \"exponential\", mean = \"200ms\" }}\n\
             [autoscaler]\nkind = \"fixed\"\ninstances = 2\n{more}[run]\nduration = \"1h\"\nreplications = {replications}"
        );
        let scenario = ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap();
        let found = Evaluator::default().replications(&[Case::whole(&scenario)], &()).unwrap();
        Overload::of(&found[0])
    }

    #[test]
    fn a_queue_that_grows_is_told_from_one_that_does_not() {
        // Two servers of five requests a second each.
        for replications in [1, 3, 10] {
            let found = overload(12.0, replications, "").unwrap();
            let (end, mean) = (found.in_flight_at_end.mean.unwrap(), found.mean_in_flight.mean.unwrap());
            assert!((end / mean - 2.0).abs() < 0.3 && end > 6000.0, "{found:?}");
            assert_eq!(overload(8.0, replications, ""), None);
        }
        assert_eq!(overload(9.5, 10, ""), None, "busy, and not overloaded");
        // What a full queue turns away does not wait: two in twelve are rejected.
        let full = overload(12.0, 10, "[dispatch]\nqueue_capacity = 50\n").unwrap();
        assert!((full.rejected.unwrap() - 2.0 / 12.0).abs() < 0.01, "{full:?}");
        assert_eq!(overload(8.0, 10, "[dispatch]\nqueue_capacity = 5\n"), None, "a few of a burst");
        assert_eq!(overload(12.0, 3, "").unwrap().rejected, None);
    }
}
