//! Every latency of a run as it is, and the exact quantiles of them.

use kneepoint::sim::{Completion, RequestObserver};
use kneepoint::time::Span;

/// Records the latency of every request that arrives after the warm-up.
pub struct Latencies {
    from: u64,
    pub nanos: Vec<u64>,
}

impl Latencies {
    pub fn from(warmup: Span) -> Latencies {
        Latencies { from: warmup.as_nanos(), nanos: Vec::new() }
    }
}

impl RequestObserver for Latencies {
    fn served(&mut self, request: Completion) {
        if request.arrival >= self.from {
            self.nanos.push(request.finish - request.arrival);
        }
    }
    fn rejected(&mut self, _: u64) {}
    fn timed_out(&mut self, _: u64, _: u64) {}
    fn failed(&mut self, _: u64, _: u64) {}
}

/// The exact quantile of a finite set in seconds: the least value that at least a share `q` does not exceed.
pub fn exact_quantile(nanos: &[u64], q: f64) -> f64 {
    let mut sorted = nanos.to_vec();
    sorted.sort_unstable();
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted[rank - 1] as f64 / 1e9
}
