//! Whether a scenario fits the memory of a machine.

use super::Scenario;
use crate::time::Span;

/// What to do about it.
pub(super) const HELP: &str = "limit the queue (dispatch.queue_capacity), allow more instances, or check the unit of the rate: per second";

/// Bytes of a request that waits in a central queue: 16, in a queue that grows by doubling. At instances it may take twice as much:
/// what is refused before a run is what is too much for certain.
const WAITING_BYTES: f64 = 32.0;

/// Bytes of a slot: the request in service, and its place in the tournament of the slots.
const SLOT_BYTES: f64 = 96.0;

/// Steps in which the queue is followed through the run.
const STEPS: u64 = 2_000;

impl Scenario {
    /// Whether the scenario fits a machine with `memory` bytes, `parallel_runs` at a time. The need is estimated: the
    /// longest queue if every instance the autoscaler may have were there all along and requests came as expected, and
    /// every slot busy. A run needs more if its autoscaler lets the queue grow; it is stopped when it outgrows memory
    /// ([`RunLimits`](crate::sim::RunLimits)).
    ///
    /// # Errors
    /// A phrase with the estimate, when it does not fit.
    pub fn check_fits(&self, memory: u64, parallel_runs: usize) -> Result<(), String> {
        check(self, memory, parallel_runs)
    }
}

pub(super) fn check(scenario: &Scenario, memory: u64, parallel_runs: usize) -> Result<(), String> {
    let model = &scenario.model;
    let most = f64::from(model.autoscaler.limits().max);
    let all_slots = most * f64::from(model.service.model.slots_allocated());
    let arrivals = model.expected_requests(model.duration);
    let queue = match model.dispatch.queue_capacity {
        Some(_) => 0.0,
        // No more can wait than arrive: where there is room for all of them, nothing has to be followed step by step.
        None if (arrivals * WAITING_BYTES + all_slots * SLOT_BYTES) * parallel_runs as f64
            <= memory as f64 =>
        {
            0.0
        }
        None => longest_queue(scenario, most * model.service.throughput()),
    };
    let bytes = (queue * WAITING_BYTES + all_slots * SLOT_BYTES) * parallel_runs as f64;
    if bytes <= memory as f64 {
        return Ok(());
    }
    Err(format!(
        "{} at once, which takes {} of memory with {parallel_runs} runs at a time; \
         there is room for {}",
        if queue * WAITING_BYTES < all_slots * SLOT_BYTES {
            format!("{all_slots} requests may be in service")
        } else {
            format!("about {queue:.1e} requests would wait")
        },
        show_bytes(bytes),
        show_bytes(memory as f64)
    ))
}

/// The longest queue before a pool that answers `throughput` requests a second, of requests that come as expected and
/// flow like a liquid.
fn longest_queue(scenario: &Scenario, throughput: f64) -> f64 {
    let model = &scenario.model;
    let step = model.duration.as_secs_f64() / STEPS as f64;
    let served = step * throughput;
    let mut longest: f64 = 0.0;
    let (mut queue, mut before): (f64, f64) = (0.0, 0.0);
    for number in 1..=STEPS {
        let elapsed = Span::from_secs_f64(step * number as f64);
        let arrived = model.expected_requests(elapsed);
        queue = (queue + arrived - before - served).max(0.0);
        before = arrived;
        longest = longest.max(queue);
    }
    longest
}

/// Bytes as people read them.
pub(super) fn show_bytes(bytes: f64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let power = ((bytes.max(1.0).log10() / 3.0) as usize).min(units.len() - 1);
    format!("{:.1} {}", bytes / 1000f64.powi(power as i32), units[power])
}
