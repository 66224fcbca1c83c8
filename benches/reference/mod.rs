//! The reference: the tightest loop that computes a static first-come-first-served M/M/c queue.
//!
//! Per request one replace-top on a heap of server-free times, two exponential draws and one histogram record; nothing
//! else. It knows no autoscaler, no pool that changes, no waiting requests: what Kneepoint adds, it adds to this.

use hdrhistogram::Histogram;
use kneepoint::internals::random::{Purpose, Streams};
use rand_distr::{Distribution, Exp1};

/// Mean sojourn time, in seconds, of `requests` requests at `servers` servers of mean service time 1 s and utilization
/// `utilization`.
pub fn run(requests: u64, servers: usize, utilization: f64, seed: u64) -> f64 {
    let streams = Streams::new(seed, 0);
    let (mut arrivals, mut services) = (streams.stream(Purpose::Arrivals), streams.stream(Purpose::Service));
    let gap = 1e9 / (utilization * servers as f64);
    let mut free = vec![0_u64; servers];
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 1 << 44, 3).expect("valid bounds");
    let (mut now, mut total) = (0_u64, 0_u64);
    for _ in 0..requests {
        let (draw, work): (f64, f64) = (Exp1.sample(&mut arrivals), Exp1.sample(&mut services));
        now += (draw * gap) as u64;
        let finish = free[0].max(now) + (work * 1e9) as u64;
        replace_top(&mut free, finish);
        histogram.saturating_record(finish - now);
        total += finish - now;
    }
    std::hint::black_box(&histogram);
    total as f64 / requests as f64 / 1e9
}

/// Replaces the least element of a binary min-heap.
#[inline]
fn replace_top(heap: &mut [u64], value: u64) {
    let mut hole = 0;
    loop {
        let mut child = 2 * hole + 1;
        if child >= heap.len() {
            break;
        }
        child += usize::from(child + 1 < heap.len() && heap[child + 1] < heap[child]);
        if heap[child] >= value {
            break;
        }
        heap[hole] = heap[child];
        hole = child;
    }
    heap[hole] = value;
}
