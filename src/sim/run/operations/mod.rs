//! What happens in a run besides requests: events in their order, the lives of instances, scrapes and evaluations of the
//! autoscaler, the marks of the timeline. Compiled once for all stations; it reaches the requests by way of
//! [`RequestSide`].

mod lifecycle;
mod nodes;
mod outcome;
mod rollout;
mod scaling;
mod warm;
mod windows;

use super::event_queue::{Event, EventQueue};
use super::limits::RunLimits;
use super::model::Model;
use super::options::Options;
use super::request_side::{Fleet, RequestSide};
use crate::random::Streams;
use crate::sim::accounting::{
    Actions, Areas, DecisionRecord, FailureCounts, InstanceTime, Timeline, WindowSettings,
};
use crate::sim::clients::AttemptCounts;
use crate::sim::instances::{InstanceRegistry, Instances, Provisioner, Rolling};
use crate::sim::observation::{ControlLoop, Scrapes};
use crate::sim::queueing::CacheUse;
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug)]
pub(super) struct Operations {
    events: EventQueue,
    /// Everything up to here has happened, nanoseconds.
    reached: u64,
    end: Instant,
    registry: InstanceRegistry,
    provisioner: Provisioner,
    control: ControlLoop,
    scrapes: Scrapes,
    timeline: Timeline,
    instances: Instances,
    /// The rolling update under way.
    rolling: Option<Rolling>,
    streams: Streams,
    /// Of one instance: what its utilization is measured in.
    places: u32,
    baseline: WarmupBaseline,
    /// When the run stops before its end; its outcome is then of no use.
    limits: Option<RunLimits>,
    /// Arrivals at which to check next how many wait.
    next_check: u64,
    /// When more requests waited than the limits allow, if they did: the run has stopped there.
    queue_overflow: Option<Instant>,
    /// Whether it stands for several pools together, whose instances are their own.
    is_of_pools: bool,
}

/// Arrivals between two checks of how many requests wait.
const ARRIVALS_PER_CHECK: u64 = 1 << 14;

/// Counters at the start of the measured part.
#[derive(Debug, Clone, Default)]
struct WarmupBaseline {
    at: Instant,
    arrived: u64,
    areas: Areas,
    time: InstanceTime,
    actions: Actions,
    /// Cold, and from the warm pool.
    starts: (u32, u32),
    /// Integral of the requests in flight.
    in_flight: u128,
    attempt_counts: AttemptCounts,
    failure_counts: FailureCounts,
    /// Instance-nanoseconds ready, by type.
    ready_times: Vec<u128>,
    cache: CacheUse,
}

impl Operations {
    pub fn new(model: &Model, streams: Streams, options: &Options) -> Self {
        let places = model.service.model.places();
        let windows = WindowSettings {
            length: options.mark_interval.max(Span::from_nanos(1)),
            kept: options.timeline,
            measured_from: Instant::ZERO + model.warmup,
            slo: model.slo,
            places,
        };
        let start = model.start(streams);
        Operations {
            events: EventQueue::up_to(Instant::ZERO + model.duration),
            reached: 0,
            end: Instant::ZERO + model.duration,
            registry: InstanceRegistry::new(model.cost.clone(), model.prices(), &model.instances),
            provisioner: Provisioner::new(&model.instances, streams),
            control: ControlLoop::new(&model.autoscaler, model.metrics, &start, options.decisions),
            scrapes: Scrapes::default(),
            timeline: Timeline::new(windows, model.initial_instances()),
            instances: model.instances.clone(),
            rolling: None,
            streams,
            places,
            baseline: WarmupBaseline::default(),
            limits: None,
            next_check: 0,
            queue_overflow: None,
            is_of_pools: false,
        }
    }

    /// Those of one of several pools: promises are kept, or not, by all of them together.
    #[must_use]
    pub fn of_one_pool(mut self) -> Self {
        self.timeline =
            Timeline::new(WindowSettings { slo: None, ..self.timeline.windows }, self.control.desired);
        self
    }

    /// Those of several pools together, which begin with so many instances: the windows of the run, and its measured part.
    /// Instances come and go in each pool.
    #[must_use]
    pub fn of_pools(mut self, initial: u32) -> Self {
        self.is_of_pools = true;
        self.timeline = Timeline::new(self.timeline.windows, initial);
        self
    }

    /// Plans the events of a run of `model`, and has the instances there are at its start.
    pub fn begin(&mut self, requests: &mut dyn RequestSide, model: &Model) {
        if !model.warmup.is_zero() {
            self.events.add(Instant::ZERO + model.warmup, Event::Measure);
        }
        if self.is_of_pools {
            self.events.add((Instant::ZERO + self.timeline.windows.length).min(self.end), Event::Mark);
            return;
        }
        if let Some(schedule) = self.control.schedule {
            self.events.add(schedule.first(), Event::Evaluate);
        }
        if self.control.is_fed() {
            let metrics = &model.metrics;
            let first = if metrics.phase.is_zero() { metrics.scrape_interval } else { metrics.phase };
            self.events.add(Instant::ZERO + first, Event::Scrape);
        }
        self.events.add((Instant::ZERO + self.timeline.windows.length).min(self.end), Event::Mark);
        for (index, rollout) in (0..).zip(&self.instances.rollouts) {
            self.events.add(Instant::ZERO + rollout.at, Event::Rollout(index));
        }
        self.seed(requests, model.initial_instances());
        if requests.is_event_driven() {
            self.react(requests, Instant::ZERO);
        }
    }

    /// Makes the run stop early where these limits say so.
    pub fn limit(&mut self, limits: RunLimits) {
        self.limits = Some(limits);
    }

    /// Whether more requests wait than may. Checked once in many arrivals: it need not be caught at the very one.
    pub fn exceeds_memory(&mut self, requests: &dyn RequestSide) -> bool {
        let taken = requests.arrived() + requests.held_back();
        if taken >= self.next_check {
            self.next_check = taken + ARRIVALS_PER_CHECK;
            let most = self.limits.as_ref().map_or(u64::MAX, |limits| limits.max_waiting);
            if requests.backlog(self.reached) > most {
                self.queue_overflow = Some(Instant::from_nanos(self.reached));
            }
        }
        self.queue_overflow.is_some()
    }

    /// Whether the next request is to wake the pool.
    #[inline]
    pub fn is_asleep(&self) -> bool {
        self.control.is_asleep()
    }

    /// When an arrival has to wait for the next event, nanoseconds.
    #[inline]
    pub fn event_gate(&self) -> u64 {
        self.events.gate()
    }

    /// Arrivals from here on have to wait for the next event, or for the autoscaler to be woken.
    pub fn next_gate(&self) -> u64 {
        if self.is_asleep() { 0 } else { self.events.gate().min(self.end.as_nanos()) }
    }

    /// Everything up to `now` has happened.
    #[inline]
    pub fn reach(&mut self, now: u64) {
        debug_assert!(self.reached <= now, "time falls from {} to {now}", self.reached);
        self.reached = now;
    }

    fn is_cancelled(&self) -> bool {
        self.limits.as_ref().is_some_and(|limits| limits.cancel.is_cancelled())
    }

    /// The next event, unless the run is to stop.
    fn next_event(&mut self) -> Option<(Instant, Event)> {
        // Looked at here, where every run comes by, and not at every request.
        if self.queue_overflow.is_some() || self.is_cancelled() {
            return None;
        }
        self.events.next(self.end)
    }

    /// Lets the next event happen; when it did, unless the run is to stop.
    pub fn handle_next(&mut self, requests: &mut dyn RequestSide) -> Option<Instant> {
        let (at, event) = self.next_event()?;
        self.handle(requests, at, event);
        Some(at)
    }

    /// Lets the events happen that come before an arrival at `now`; the next gate.
    pub fn run_until_gate(&mut self, requests: &mut dyn RequestSide, now: u64) -> u64 {
        while now >= self.events.gate() {
            if self.handle_next(requests).is_none() {
                return self.end.as_nanos();
            }
        }
        self.next_gate()
    }

    /// Has the autoscaler evaluated at `now`, apart from its schedule; the next gate.
    pub fn wake(&mut self, requests: &mut dyn RequestSide, now: u64) -> u64 {
        self.advance(requests, now);
        self.decide(requests, Instant::from_nanos(now));
        self.next_gate()
    }

    /// The decisions kept since the last call.
    pub fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        std::mem::take(&mut self.control.decisions)
    }

    /// Lets every request up to `now` take its course, and accounts for it.
    fn advance(&mut self, requests: &mut dyn RequestSide, now: u64) {
        self.reach(now);
        requests.advance(now);
    }

    fn handle(&mut self, requests: &mut dyn RequestSide, at: Instant, event: Event) {
        let nanos = at.as_nanos();
        debug_assert!(self.reached <= nanos, "{event:?} at {nanos} comes after {}", self.reached);
        if !event.precedes_requests() {
            self.advance(requests, nanos);
        } else if self.reached + 1 < nanos {
            // Else an event of this very instant has brought everything here before.
            self.advance(requests, nanos - 1);
        }
        match event {
            Event::Measure => self.measure_from(requests, at),
            Event::Ask(id, attempt) => {
                self.ask(id, attempt, at);
                self.tidy(at);
            }
            Event::Rollout(index) => self.begin_rollout(requests, index, at),
            Event::Start(id, attempt) => self.start(id, attempt, at),
            Event::StartFailed(id, attempt) => self.start_failed(id, attempt, at),
            Event::Ready(id) => {
                self.become_ready(requests, id, at);
                self.go_on_rolling(requests, at);
            }
            Event::NodeReady(node) => self.node_ready(node, at),
            Event::NodeFail(node) => self.node_fails(requests, node, at),
            Event::NodeEmpty(node, emptied) => self.node_empty(node, emptied, at),
            Event::Fail(id) => self.fail(requests, id, at),
            Event::Notice(id) => self.give_notice(requests, id, at),
            Event::Gone(id) => {
                self.leave(id, at);
            }
            Event::Deadline(id) => {
                if self.leave(id, at) {
                    requests.kill(id, nanos);
                }
            }
            Event::Idle(id, spells) => self.expire(requests, id, spells, at),
            Event::Scrape => self.scrape(requests, at),
            Event::Evaluate => self.evaluate(requests, at),
            Event::Mark => self.mark(requests, at),
        }
        if !self.is_of_pools {
            self.record_sizes(self.control.desired, self.registry.counts().ready);
        }
    }

    /// Takes in how many instances are asked for and ready, after something may have changed either.
    pub fn record_sizes(&mut self, desired: u32, ready: u32) {
        self.timeline.record_sizes(desired, ready);
    }

    /// Instances asked for, and instances ready.
    pub fn sizes(&self) -> (u32, u32) {
        (self.control.desired, self.registry.counts().ready)
    }

    /// The instances there are at `now`.
    pub fn fleet(&mut self, now: Instant) -> Fleet {
        Fleet {
            time: self.registry.time(now),
            counts: self.registry.counts(),
            desired: self.control.desired,
            transfers: [0; 2],
        }
    }
}
