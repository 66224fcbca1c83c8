//! What the parts of a run report, and accounting adds up: what became of a request, the requests and instances there are
//! at one instant, and integrals of both over time.

use crate::service::Tokens;

/// The class of a request: the high one is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Class {
    /// Served first.
    High,
    /// Every request, where classes are not told apart.
    #[default]
    Low,
}

/// A request that was answered; instants in nanoseconds from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Completion {
    /// When it arrived.
    pub arrival: u64,
    /// When its service began.
    pub start: u64,
    /// When its service ended.
    pub finish: u64,
    /// The instance that served it.
    pub instance: u32,
    /// Its class.
    pub class: Class,
    /// Whether it was the first request of its instance, and took the time of one.
    pub first: bool,
}

impl Completion {
    /// Time from arrival to end.
    #[inline]
    #[cfg(feature = "internals")]
    pub fn latency(&self) -> u64 {
        self.finish - self.arrival
    }

    /// Time from arrival to the beginning of its service.
    #[inline]
    pub fn wait(&self) -> u64 {
        self.start - self.arrival
    }
}

/// Requests that were answered, column by column, as many in each; instants in nanoseconds from the start of the run.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// See [`Completion::arrival`].
    pub arrivals: &'a [u64],
    /// See [`Completion::start`].
    pub starts: &'a [u64],
    /// See [`Completion::finish`].
    pub finishes: &'a [u64],
    /// See [`Completion::instance`].
    pub instances: &'a [u32],
}

impl Answers<'_> {
    /// One of them.
    #[inline]
    pub fn get(&self, index: usize) -> Completion {
        Completion {
            arrival: self.arrivals[index],
            start: self.starts[index],
            finish: self.finishes[index],
            instance: self.instances[index],
            class: Class::Low,
            first: false,
        }
    }
}

/// The course of an answer to a language model's request; instants in nanoseconds from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCompletion {
    /// When the request arrived.
    pub arrival: u64,
    /// When the first token of the answer came.
    pub first_token: u64,
    /// When the last came.
    pub finish: u64,
    /// Its tokens.
    pub tokens: Tokens,
}

impl TokenCompletion {
    /// Time from arrival to the first token.
    pub fn ttft(&self) -> u64 {
        self.first_token - self.arrival
    }

    /// Mean time of the further tokens, rounded down; `None` if there is no further one.
    pub fn tpot(&self) -> Option<u64> {
        let further = u64::from(self.tokens.output.max(1)) - 1;
        (self.finish - self.first_token).checked_div(further)
    }
}

/// Is told what becomes of each request. Every request that arrives is reported at most once.
///
/// Reports come late and out of order in time, but whenever the engine looks (a scrape, a mark of the timeline, an
/// evaluation, the end), everything up to then has been reported.
pub trait RequestObserver {
    /// A request was answered token by token; [`RequestObserver::served`] follows.
    fn generated(&mut self, _answer: TokenCompletion) {}
    /// A request was answered.
    fn served(&mut self, request: Completion);
    /// Requests without classes were answered, column by column, none of them the first of its instance.
    #[inline]
    fn served_all(&mut self, answers: &Answers<'_>) {
        for index in 0..answers.arrivals.len() {
            self.served(answers.get(index));
        }
    }
    /// A request that arrived at `arrival` found the queue full.
    fn rejected(&mut self, arrival: u64);
    /// A request that arrived at `arrival` found the queue full, for the last time at `at`.
    fn rejected_at(&mut self, arrival: u64, _at: u64) {
        self.rejected(arrival);
    }
    /// A request that arrived at `arrival` gave up waiting at `at`.
    fn timed_out(&mut self, arrival: u64, at: u64);
    /// A request that arrived at `arrival` was lost at `at` with its instance.
    fn failed(&mut self, arrival: u64, at: u64);
}

/// Observes nothing.
impl RequestObserver for () {
    #[inline]
    fn served(&mut self, _: Completion) {}
    #[inline]
    fn served_all(&mut self, _: &Answers<'_>) {}
    #[inline]
    fn rejected(&mut self, _: u64) {}
    #[inline]
    fn timed_out(&mut self, _: u64, _: u64) {}
    #[inline]
    fn failed(&mut self, _: u64, _: u64) {}
}

/// Requests in the pool at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sim) struct Gauges {
    /// Waiting: buffered, in the queue or at an instance.
    pub waiting: u64,
    /// Of those, buffered because no instance is ready.
    pub buffered: u64,
    /// In service on ready instances.
    pub busy: u64,
    /// In service on draining instances.
    pub draining: u64,
}

/// Integrals over time since the start of the run, in request-nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sim) struct Areas {
    /// Of requests waiting.
    pub waiting: u128,
    /// Of requests in service, wherever.
    pub in_service: u128,
    /// Of requests in service on ready instances.
    pub busy: u128,
    /// Of the capacity used on ready instances: place-nanoseconds times [`crate::service::FULL`].
    pub work: u128,
}

impl Areas {
    /// Adds those of another part of the pool.
    pub fn add(&mut self, other: &Areas) {
        self.waiting += other.waiting;
        self.in_service += other.in_service;
        self.busy += other.busy;
        self.work += other.work;
    }
}

/// Instances in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sim) struct InstanceCounts {
    pub pending: u32,
    pub starting: u32,
    pub ready: u32,
    pub draining: u32,
    /// Asked for to be kept warm, and refused so far.
    pub warm_pending: u32,
    pub warming: u32,
    pub warm: u32,
    /// Draining, on their way to the warm pool.
    pub returning: u32,
}

impl InstanceCounts {
    /// With those of another pool.
    pub fn and(self, other: InstanceCounts) -> InstanceCounts {
        InstanceCounts {
            pending: self.pending + other.pending,
            starting: self.starting + other.starting,
            ready: self.ready + other.ready,
            draining: self.draining + other.draining,
            warm_pending: self.warm_pending + other.warm_pending,
            warming: self.warming + other.warming,
            warm: self.warm + other.warm,
            returning: self.returning + other.returning,
        }
    }

    /// Instances on their way in: starting, or waiting for capacity to start.
    pub fn coming(self) -> u32 {
        self.pending + self.starting
    }

    /// Instances that are there or on their way in.
    pub fn existing(self) -> u32 {
        self.coming() + self.ready
    }

    /// Instances that are warm or will be.
    pub fn prepared(self) -> u32 {
        self.warm_pending + self.warming + self.warm + self.returning
    }
}

/// Instance-nanoseconds in each state since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sim) struct InstanceTime {
    pub pending: u128,
    pub starting: u128,
    pub ready: u128,
    pub draining: u128,
    pub warming: u128,
    pub warm: u128,
}

impl InstanceTime {
    /// With that of another pool.
    pub fn and(self, other: InstanceTime) -> InstanceTime {
        InstanceTime {
            pending: self.pending + other.pending,
            starting: self.starting + other.starting,
            ready: self.ready + other.ready,
            draining: self.draining + other.draining,
            warming: self.warming + other.warming,
            warm: self.warm + other.warm,
        }
    }
}

/// What has gone wrong with instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FailureCounts {
    /// Starts refused for want of capacity; each attempt counts.
    pub refused_starts: u64,
    /// Starts that failed; each attempt counts.
    pub failed_starts: u64,
    /// Instances that failed.
    pub failures: u64,
    /// Instances that were given notice.
    pub interruptions: u64,
    /// Nodes that failed.
    pub node_failures: u64,
}

impl FailureCounts {
    /// Those of two pools.
    pub(in crate::sim) fn and(self, other: FailureCounts) -> FailureCounts {
        FailureCounts {
            refused_starts: self.refused_starts + other.refused_starts,
            failed_starts: self.failed_starts + other.failed_starts,
            failures: self.failures + other.failures,
            interruptions: self.interruptions + other.interruptions,
            node_failures: self.node_failures + other.node_failures,
        }
    }

    /// Those since `earlier`.
    pub(in crate::sim) fn since(self, earlier: FailureCounts) -> FailureCounts {
        FailureCounts {
            refused_starts: self.refused_starts - earlier.refused_starts,
            failed_starts: self.failed_starts - earlier.failed_starts,
            failures: self.failures - earlier.failures,
            interruptions: self.interruptions - earlier.interruptions,
            node_failures: self.node_failures - earlier.node_failures,
        }
    }
}
