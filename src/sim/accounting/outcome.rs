//! The outcome of one run, as plain figures.

use super::facts::FailureCounts;
use super::pools::PoolName;
use crate::autoscaler::Explanation;
use crate::stats::Digest;
use crate::time::Instant;

/// Requests that arrived in the measured part of a run, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Arrived.
    pub arrived: u64,
    /// Answered.
    pub served: u64,
    /// Turned away because the queue was full.
    pub rejected: u64,
    /// Gave up waiting.
    pub timed_out: u64,
    /// Lost with the instance they were on.
    pub failed: u64,
    /// Still waiting or in service at the end.
    pub in_flight: u64,
}

impl Counts {
    /// Whether every request is accounted for: arrived = served + rejected + timed out + failed + in flight.
    pub fn conserved(&self) -> bool {
        self.arrived == self.served + self.rejected + self.timed_out + self.failed + self.in_flight
    }
}

/// Integrals over the measured part of a run, in seconds times what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Integrals {
    /// Requests waiting.
    pub waiting: f64,
    /// Requests in service, draining instances included.
    pub in_service: f64,
    /// Requests in flight: waiting, in service, or between two attempts. A request counts once, however many attempts
    /// it has in the pool.
    pub in_flight: f64,
    /// Instances that wait for capacity to start.
    pub pending: f64,
    /// Instances starting.
    pub starting: f64,
    /// Instances ready.
    pub ready: f64,
    /// Instances draining.
    pub draining: f64,
    /// Instances starting, to be kept warm.
    pub warming: f64,
    /// Instances warm.
    pub warm: f64,
    /// Requests in service on ready instances.
    pub busy: f64,
    /// Capacity used on ready instances, in the places of [`Outcome::slots`].
    pub work: f64,
}

impl Integrals {
    /// With the instances of a pool.
    #[must_use]
    pub(in crate::sim) fn and_instances(self, pool: &Integrals) -> Integrals {
        Integrals {
            pending: self.pending + pool.pending,
            starting: self.starting + pool.starting,
            ready: self.ready + pool.ready,
            draining: self.draining + pool.draining,
            warming: self.warming + pool.warming,
            warm: self.warm + pool.warm,
            ..self
        }
    }
}

/// One evaluation of the autoscaler.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRecord {
    /// When.
    pub at: Instant,
    /// Instances asked for before.
    pub before: u32,
    /// Instances ready at the evaluation.
    pub ready: u32,
    /// Instances asked for after.
    pub desired: u32,
    /// What it rested on, and why it came out so.
    pub explanation: Explanation,
    /// The pool whose instances these are, where there are two.
    pub pool: Option<PoolName>,
}

/// The run between two marks of the timeline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Window {
    /// End of the window, seconds from the start of the run.
    pub end_s: f64,
    /// Length of the window in seconds.
    pub length_s: f64,
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests answered.
    pub served: u64,
    /// Requests turned away, timed out or failed.
    pub lost: u64,
    /// Requests answered within the SLO; equal to `served` without one.
    pub good: u64,
    /// Requests that wait at the end and have missed the SLO already; none without one.
    pub overdue: u64,
    /// Mean latency of the requests answered, seconds.
    pub latency_mean_s: Option<f64>,
    /// Median latency of the requests answered, seconds.
    pub latency_p50_s: Option<f64>,
    /// 99th percentile of the latency of the requests answered, seconds.
    pub latency_p99_s: Option<f64>,
    /// Mean time to the first token of the answers that ended, seconds; `None` where tokens are not counted.
    pub ttft_mean_s: Option<f64>,
    /// Mean time of a further token of the answers that ended, seconds; `None` where tokens are not counted.
    pub tpot_mean_s: Option<f64>,
    /// The time promised, at the SLO's percentile, of the requests answered, seconds; none without an SLO.
    pub promised_s: Option<f64>,
    /// Share of the requests that missed the SLO, as a multiple of the share that it allows: 1 uses up the error budget just
    /// as fast as it is given. Of several promises the greatest. Of those that ended and those overdue at the end; none without such requests or an SLO.
    pub burn_rate: Option<f64>,
    /// Time-average of requests waiting.
    pub waiting: f64,
    /// Time-average of requests waiting or in service.
    pub in_flight: f64,
    /// Busy share of the ready capacity, 0 to 1; `None` while there is none.
    pub utilization: Option<f64>,
    /// Instances asked for at the end.
    pub desired: u32,
    /// Instances ready at the end.
    pub ready: u32,
    /// Minimum and maximum of the instances asked for within the window.
    pub desired_range: (u32, u32),
    /// Minimum and maximum of the instances ready within the window.
    pub ready_range: (u32, u32),
    /// Instances starting at the end, or waiting for capacity to.
    pub starting: u32,
    /// Instances draining at the end.
    pub draining: u32,
    /// Share of the tokens of the prompts begun that prefix caches had; `None` where contents are not known, or none began.
    pub prefix_hit: Option<f64>,
    /// Mean share of the memory for keys and values taken on ready instances, at the end.
    pub kv_cache: f64,
    /// Time-averages of the KV caches that wait for their transfer from one pool to the other, and of those under way.
    pub transfers: [f64; 2],
    /// The same of each pool, in the order of [`PoolName`], where there are two; then all above is of both together.
    pub pools: Option<Box<[Window; 2]>>,
}

impl Window {
    /// The part of one of two pools.
    pub fn of_pool(&self, pool: PoolName) -> Option<&Window> {
        self.pools.as_deref().map(|pools| &pools[pool as usize])
    }
}

/// What clients sent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sending {
    /// Attempts sent: requests, retries and second copies.
    pub sent: u64,
    /// Times a request was sent again after a fault.
    pub retried: u64,
    /// Second copies sent because no answer had come.
    pub hedged: u64,
    /// Seconds of service that nobody waited for at its end.
    pub wasted_s: f64,
}

/// Instance-hours and cost of one type of instance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TypeShare {
    /// Name of the type; empty where there is only one.
    pub name: String,
    /// Instance-hours billed at the full price.
    pub billed_hours: f64,
    /// Instance-hours warm.
    pub warm_hours: f64,
    /// Node-hours.
    pub node_hours: f64,
    /// The price of all three.
    pub cost: f64,
    /// The price of the warm ones alone.
    pub warm_cost: f64,
    /// The price of the nodes alone.
    pub node_cost: f64,
    /// Integral of the instances ready, in seconds.
    pub ready: f64,
}

/// Figures of the answers of a language model, token by token.
#[derive(Debug, Clone)]
pub struct TokenOutcome {
    /// Time to the first token of the requests answered.
    pub ttft: Digest,
    /// Mean time of each further token of the requests answered that have one.
    pub tpot: Digest,
    /// Prompt tokens of the requests answered.
    pub prompt: u64,
    /// Output tokens of the requests answered.
    pub output: u64,
    /// Sequences that had to give way for want of memory, and were computed again.
    pub preemptions: u64,
    /// Tokens of the prompts begun that prefix caches had, and their tokens, where contents are known.
    pub prefix: (u64, u64),
    /// Share of the memory for keys and values taken on ready instances, at each end of a window of the timeline: their
    /// sum, and how many; and the greatest.
    pub kv_cache: (f64, u64),
    /// The greatest of them.
    pub kv_cache_peak: f64,
    /// Requests per second that a ready instance can answer at most, about; `None` where the tokens are those of a trace.
    pub sustainable_per_s: Option<f64>,
}

/// How often the autoscaler acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Actions {
    /// Decisions that raised the number asked for.
    pub up: u64,
    /// Decisions that lowered it.
    pub down: u64,
    /// Actions that undid the direction of one less than [`FLAP_WINDOW_S`] before.
    pub flaps: u64,
}

impl Actions {
    /// With those of another pool.
    pub(in crate::sim) fn and(self, other: Actions) -> Actions {
        Actions { up: self.up + other.up, down: self.down + other.down, flaps: self.flaps + other.flaps }
    }
}

/// Two opposite actions within this many seconds are a flap: five minutes, the stabilization window Kubernetes defaults to.
pub const FLAP_WINDOW_S: u64 = 300;

/// How long requests that were answered took.
#[derive(Debug, Clone)]
pub struct Times {
    /// From arrival to answer.
    pub latency: Digest,
    /// From arrival to the start of service.
    pub wait: Digest,
}

/// What a cap on requests outstanding has done to the requests that were answered.
#[derive(Debug, Clone)]
pub struct HeldTimes {
    /// Time that they waited at the client before they were sent.
    pub delay: Digest,
    /// Latency from when they were meant to be sent, which the latency from when they were leaves out.
    pub latency: Digest,
}

/// The outcome of one run. Everything is over the measured part: from the end of the warm-up to the end of the run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// When more requests waited than its [`RunLimits`](crate::sim::RunLimits) allow, if they did: then the run stopped there, and
    /// nothing else here is of any use.
    pub queue_overflow: Option<Instant>,
    /// Length of the measured part, seconds.
    pub measured_s: f64,
    /// Requests by what became of them.
    pub counts: Counts,
    /// Latency of the requests answered.
    pub latency: Digest,
    /// Wait of the requests answered.
    pub wait: Digest,
    /// How long the requests in flight at the end had been so by then.
    pub unanswered: Digest,
    /// The same by class, the high one first, where classes are told apart.
    pub classes: Option<[Times; 2]>,
    /// What a cap on requests outstanding has done; `None` without one.
    pub held: Option<HeldTimes>,
    /// The answers token by token, where tokens are counted.
    pub tokens: Option<TokenOutcome>,
    /// Requests answered within the SLO; equal to `served` without one.
    pub good: u64,
    /// Requests still in flight at the end that have missed the SLO already; none without one.
    pub overdue: u64,
    /// How each promise beside the first is kept: what missed it and what counts, of the requests that ended or are overdue,
    /// or of the windows with one where it is a promise of windows.
    pub more: Vec<(u64, u64)>,
    /// Integrals over time.
    pub integrals: Integrals,
    /// Places of one instance that its utilization is measured in: slots of the model `slots`, else see the model.
    pub slots: u32,
    /// Maximum number of requests waiting at a time, within the measured part.
    pub peak_waiting: u64,
    /// Maximum number of instances ready at once.
    pub peak_ready: u32,
    /// Instances started from nothing, in service or to be kept warm.
    pub started: u64,
    /// Starts from the warm pool.
    pub warm_starts: u64,
    /// Instance-hours billed at the full price.
    pub billed_hours: f64,
    /// Price of the instance-hours billed, of those warm and of the node-hours.
    pub cost: f64,
    /// The same by type of instance.
    pub by_type: Vec<TypeShare>,
    /// Latency of the requests answered that found no instance ready, or were the first of theirs where that takes a
    /// time of its own; `None` without any.
    pub cold: Option<Digest>,
    /// What clients sent.
    pub sending: Sending,
    /// What went wrong with instances.
    pub failure_counts: FailureCounts,
    /// What the autoscaler did.
    pub actions: Actions,
    /// Time in windows whose share of good requests fell short of that of a promise beyond chance, seconds: good of those that
    /// ended in the window and those that had missed it at its end. Windows without such requests meet it; windows with
    /// too few to judge are judged together with those that follow.
    pub below_slo_s: f64,
    /// The run window by window, if asked for.
    pub timeline: Vec<Window>,
    /// Every evaluation, if asked for.
    pub decisions: Vec<DecisionRecord>,
    /// The pools by themselves, where one computes prompts and another decodes; then all above is of both together.
    pub pools: Option<Box<PoolOutcomes>>,
}

/// What a pool that computes prompts and one that decodes came to, each by itself.
#[derive(Debug, Clone)]
pub struct PoolOutcomes {
    /// The pool that computes prompts: a request is answered when its prompt is computed.
    pub prefill: Outcome,
    /// The pool that decodes: a request arrives when its KV cache has.
    pub decode: Outcome,
    /// The way of the caches between them.
    pub transfer: TransferOutcome,
}

impl PoolOutcomes {
    /// What one of them came to.
    pub fn of(&self, pool: PoolName) -> &Outcome {
        match pool {
            PoolName::Prefill => &self.prefill,
            PoolName::Decode => &self.decode,
        }
    }
}

/// Transfers of KV caches.
#[derive(Debug, Clone)]
pub struct TransferOutcome {
    /// From when a prompt was computed to when the transfer of its cache began, of those that have finished.
    pub wait: Digest,
    /// From when it began to when it had finished.
    pub time: Digest,
    /// Bytes of the caches that have been transferred.
    pub bytes: f64,
    /// Integral of the transfers that wait, transfer-seconds.
    pub waiting: f64,
    /// Integral of the transfers under way, transfer-seconds.
    pub under_way: f64,
}
