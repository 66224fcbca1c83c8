//! The run loop: requests in, events in their order, one outcome out.

mod lifecycle;
mod nodes;
mod outcome;
mod warm;

use super::event_queue::{Event, EventQueue};
use super::limits::RunLimits;
use super::model::Model;
use super::options::Options;
use super::requests::Block;
use crate::autoscaler::{Glance, Metric, Observation};
use crate::random::Streams;
use crate::service::{Request, Tokens};
use crate::sim::accounting::{Actions, DecisionRecord, Outcome};
use crate::sim::accounting::{Areas, FailureCounts, InstanceTime, RequestObserver};
use crate::sim::accounting::{Recorder, latency_histogram};
use crate::sim::accounting::{Timeline, WindowCounters, WindowSettings};
use crate::sim::clients::{AttemptCounts, Attempts};
use crate::sim::instances::Instances;
use crate::sim::instances::Pool;
use crate::sim::instances::Provisioner;
use crate::sim::observation::ControlLoop;
use crate::sim::observation::ScrapeCounters;
use crate::sim::observation::{RawCounters, Scrapes};
use crate::sim::queueing::{Arrival, Station};
use crate::time::{Instant, Span};

/// One run in progress, compiled for one arrangement of queues.
#[derive(Debug)]
pub(in crate::sim) struct Engine<F, T> {
    station: F,
    recorder: Recorder<T>,
    events: EventQueue,
    /// Arrivals from here on have to wait for the next event, nanoseconds.
    gate: u64,
    /// Everything up to here has happened, nanoseconds.
    reached: u64,
    end: Instant,
    arrived: u64,
    /// Where requests may be sent more than once.
    client: Option<Attempts>,
    pool: Pool,
    provisioner: Provisioner,
    control: ControlLoop,
    scrapes: Scrapes,
    timeline: Timeline,
    instances: Instances,
    streams: Streams,
    /// Of one instance: what its utilization is measured in.
    places: u32,
    /// Requests lost with an instance; kept to keep its memory.
    lost: Vec<Request>,
    baseline: WarmupBaseline,
    /// By whom it may be stopped; what it would come to is then of no use.
    limits: Option<RunLimits>,
    /// Arrivals at which to look at how many wait.
    next_check: u64,
    /// When more requests waited than its limits allow, if they did: the run has stopped there.
    queue_overflow: Option<Instant>,
}

/// Arrivals between two looks at how many requests wait.
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
    preemptions: u64,
}

impl<F: Station, T: RequestObserver> Engine<F, T> {
    pub fn new(station: F, model: &Model, streams: Streams, options: &Options, observer: T) -> Self {
        let mut recorder = Recorder::new(observer, model.duration, model.warmup, model.slo);
        if F::COUNTS_TOKENS {
            recorder.track_tokens(model.duration);
        }
        if options.timeline {
            recorder.track_windows(model.duration);
        }
        if model.autoscaler.query().is_some_and(|query| query.metric == Metric::Latency) {
            recorder.track_latency(model.duration);
        }
        if model.dispatch.high_priority.is_some() {
            recorder.track_classes(model.duration);
        }
        if model.instances.first_request.is_some() {
            recorder.track_first();
        }
        let mut engine = Engine {
            station,
            recorder,
            events: EventQueue::up_to(Instant::ZERO + model.duration),
            gate: 0,
            reached: 0,
            end: Instant::ZERO + model.duration,
            arrived: 0,
            client: model.client.is_active().then(|| Attempts::new(model.client.clone(), streams)),
            pool: Pool::new(model.cost.clone(), model.prices(), &model.instances),
            provisioner: Provisioner::new(&model.instances, streams),
            control: ControlLoop::new(
                &model.autoscaler,
                model.metrics,
                &model.start(streams),
                options.decisions,
            ),
            scrapes: Scrapes::default(),
            timeline: Timeline::new(
                WindowSettings {
                    length: options.mark_interval.max(Span::from_nanos(1)),
                    kept: options.timeline,
                    measured_from: Instant::ZERO + model.warmup,
                    slo: model.slo,
                    places: model.service.model.places(),
                },
                model.initial_instances(),
            ),
            instances: model.instances.clone(),
            streams,
            places: model.service.model.places(),
            lost: Vec::new(),
            baseline: WarmupBaseline::default(),
            limits: None,
            next_check: 0,
            queue_overflow: None,
        };
        engine.plan(model);
        engine.seed(model.initial_instances());
        if F::EVENT_DRIVEN {
            engine.react(Instant::ZERO);
        }
        engine.gate = engine.next_gate();
        engine
    }

    fn plan(&mut self, model: &Model) {
        if !model.warmup.is_zero() {
            self.events.add(Instant::ZERO + model.warmup, Event::Measure);
        }
        if let Some(schedule) = self.control.schedule {
            self.events.add(schedule.first(), Event::Evaluate);
        }
        if self.control.is_fed() {
            let first = if model.metrics.phase.is_zero() {
                model.metrics.scrape_interval
            } else {
                model.metrics.phase
            };
            self.events.add(Instant::ZERO + first, Event::Scrape);
        }
        self.events.add((Instant::ZERO + self.timeline.windows.length).min(self.end), Event::Mark);
    }

    /// Arrivals from here on have to wait for the next event, or for the autoscaler to be woken.
    fn next_gate(&self) -> u64 {
        if self.control.is_asleep() { 0 } else { self.events.gate().min(self.end.as_nanos()) }
    }

    /// Makes the run end early within these limits.
    pub fn limit(&mut self, limits: RunLimits) {
        self.limits = Some(limits);
    }

    /// Whether more requests wait than may. Looked at once in many arrivals: it need not be caught at the very one.
    fn exceeds_memory(&mut self) -> bool {
        if self.arrived >= self.next_check {
            self.next_check = self.arrived + ARRIVALS_PER_CHECK;
            let most = self.limits.as_ref().map_or(u64::MAX, |limits| limits.max_waiting);
            if self.station.backlog(self.reached) > most {
                self.queue_overflow = Some(Instant::from_nanos(self.reached));
            }
        }
        self.queue_overflow.is_some()
    }

    fn is_cancelled(&self) -> bool {
        self.limits.as_ref().is_some_and(|limits| limits.cancel.is_cancelled())
    }

    /// The next event up to `until`, unless the run is to stop.
    fn next_event(&mut self, until: Instant) -> Option<(Instant, Event)> {
        // Looked at here, where every run comes by, and not at every request.
        if self.queue_overflow.is_some() || self.is_cancelled() {
            return None;
        }
        self.events.next(until)
    }

    /// Takes the next requests, in time order; `false` once the run is past its end and wants no more.
    pub fn feed(&mut self, block: &Block) -> bool {
        if self.exceeds_memory() {
            return false;
        }
        if F::EVENT_DRIVEN {
            return self.feed_event_driven(block);
        }
        for (index, (&now, &service)) in block.arrival.iter().zip(&block.service).enumerate() {
            if now >= self.gate {
                if now >= self.end.as_nanos() {
                    return false;
                }
                self.run_until_gate(now);
            }
            self.arrived += 1;
            let tokens = Self::tokens(block, index);
            let arrival = Arrival { tokens, ..Arrival::plain(now, service) };
            self.station.arrive(arrival, self.gate, &mut self.recorder);
            if self.gate == 0 {
                self.wake(now);
            }
        }
        true
    }

    #[inline]
    fn tokens(block: &Block, index: usize) -> Tokens {
        if F::COUNTS_TOKENS {
            block.tokens.get(index).copied().unwrap_or_default()
        } else {
            Tokens::default()
        }
    }

    /// As [`Engine::feed`], with every change of the station at its instant and the autoscaler watching each.
    fn feed_event_driven(&mut self, block: &Block) -> bool {
        for (index, (&now, &service)) in block.arrival.iter().zip(&block.service).enumerate() {
            if now >= self.end.as_nanos() {
                return false;
            }
            self.step_until(now);
            self.reached = now;
            self.arrived += 1;
            let patience = block.patience.get(index).copied().unwrap_or(u64::MAX);
            let class = block.class.get(index).copied().unwrap_or_default();
            let arrival = Arrival {
                patience,
                class,
                tokens: Self::tokens(block, index),
                ..Arrival::plain(now, service)
            };
            match &mut self.client {
                Some(client) => client.arrive(arrival, &mut self.station, &mut self.recorder),
                None => self.station.arrive(arrival, now + 1, &mut self.recorder),
            }
            if self.control.is_asleep() {
                self.wake(now);
            }
            self.react(Instant::from_nanos(now));
        }
        true
    }

    /// Lets everything happen, one thing at a time, that comes before an arrival at `until`.
    fn step_until(&mut self, until: u64) {
        loop {
            let (change, gate) = (self.station.next_change(), self.events.gate());
            let timer = self.client.as_ref().map_or(u64::MAX, Attempts::next_timer);
            let limit = until.min(self.end.as_nanos());
            let at = if gate <= change.min(timer).min(until) {
                let Some((at, event)) = self.next_event(self.end) else { return };
                self.handle(at, event);
                at
            } else if change <= timer.min(limit) {
                self.reached = change;
                self.station.step(&mut self.recorder);
                Instant::from_nanos(change)
            } else if timer <= limit {
                self.reached = timer;
                self.step_client(timer);
                Instant::from_nanos(timer)
            } else {
                return;
            };
            self.react(at);
        }
    }

    /// Lets a timer of a client go off at `now`.
    fn step_client(&mut self, now: u64) {
        // What was to happen by then has; the station is to know.
        self.station.advance(now, &mut self.recorder);
        let Some(client) = &mut self.client else { return };
        if client.step(&mut self.station, &mut self.recorder) && self.control.is_asleep() {
            self.wake(now);
        }
    }

    /// Tells the clients what has become of their requests, takes away draining instances that have none left, and lets
    /// a policy that acts at every arrival and departure act, until it is content.
    fn react(&mut self, at: Instant) {
        if let Some(client) = &mut self.client {
            client.take_outcomes(at.as_nanos(), &mut self.station, &mut self.recorder);
        }
        while let Some(id) = self.station.next_drained() {
            self.leave(id, at);
        }
        while let Some(desired) = self.reaction(at) {
            self.control.take_over(at, desired);
            self.reconcile(at);
            self.timeline.record_sizes(self.control.desired, self.pool.counts().ready);
        }
        while let Some((instance, spells)) = self.station.next_idle() {
            if let Some(delay) = self.control.keep_alive(self.streams, instance, spells) {
                self.events.add(at + delay, Event::Idle(instance, spells));
            }
        }
    }

    fn reaction(&mut self, at: Instant) -> Option<u32> {
        let counts = self.pool.counts();
        let gauges = self.station.gauges(at.as_nanos());
        let glance = Glance {
            in_flight: gauges.waiting + gauges.busy + gauges.draining,
            waiting: gauges.waiting,
            ready: counts.ready,
            starting: counts.coming(),
        };
        self.control.react(at, &glance)
    }

    /// Lets an instance go that has been idle for as long as the policy keeps one.
    fn expire(&mut self, id: u32, spells: u64, at: Instant) {
        if self.station.still_idle(id, spells) && self.control.may_expire(self.pool.counts().ready) {
            self.control.expired(at);
            self.drain(id, at, Span::MAX);
            self.tidy(at);
        }
    }

    /// Lets the events happen that come before an arrival at `now`.
    #[cold]
    fn run_until_gate(&mut self, now: u64) {
        while now >= self.events.gate() {
            let Some((at, event)) = self.next_event(self.end) else {
                self.gate = self.end.as_nanos();
                return;
            };
            self.handle(at, event);
        }
        self.gate = self.next_gate();
    }

    /// Has the autoscaler evaluated because a request has arrived while no instance is asked for.
    #[cold]
    fn wake(&mut self, now: u64) {
        let at = Instant::from_nanos(now);
        self.advance(now);
        self.decide(at);
        self.gate = self.next_gate();
    }

    /// The decisions kept since the last call.
    pub fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        std::mem::take(&mut self.control.decisions)
    }

    /// Ends the run: what is still to happen up to its end happens.
    pub fn finish(mut self) -> (Outcome, T) {
        if F::EVENT_DRIVEN {
            self.step_until(self.end.as_nanos() + 1);
        }
        while let Some((at, event)) = self.next_event(self.end) {
            self.handle(at, event);
        }
        self.advance(self.end.as_nanos());
        self.outcome()
    }

    /// Lets every request up to `now` take its course, and accounts for it.
    fn advance(&mut self, now: u64) {
        self.reached = now;
        self.station.advance(now, &mut self.recorder);
        self.recorder.settle();
    }

    fn handle(&mut self, at: Instant, event: Event) {
        let nanos = at.as_nanos();
        if !event.precedes_requests() {
            self.advance(nanos);
        } else if self.reached + 1 < nanos {
            // Else an event of this very instant has brought everything here before.
            self.advance(nanos - 1);
        }
        match event {
            Event::Measure => self.measure_from(at),
            Event::Ask(id, attempt) => {
                self.ask(id, attempt, at);
                self.tidy(at);
            }
            Event::Start(id, attempt) => self.start(id, attempt, at),
            Event::StartFailed(id, attempt) => self.start_failed(id, attempt, at),
            Event::Ready(id) => self.become_ready(id, at),
            Event::NodeReady(node) => self.node_ready(node, at),
            Event::NodeFail(node) => self.node_fails(node, at),
            Event::NodeEmpty(node, emptied) => self.node_empty(node, emptied, at),
            Event::Fail(id) => self.fail(id, at),
            Event::Notice(id) => self.give_notice(id, at),
            Event::Gone(id) => {
                self.leave(id, at);
            }
            Event::Deadline(id) => {
                if self.leave(id, at) {
                    self.kill(id, nanos);
                }
            }
            Event::Idle(id, spells) => self.expire(id, spells, at),
            Event::Scrape => self.scrape(at),
            Event::Evaluate => self.evaluate(at),
            Event::Mark => self.mark(at),
        }
        self.timeline.record_sizes(self.control.desired, self.pool.counts().ready);
    }

    fn measure_from(&mut self, at: Instant) {
        // The window at hand ends here, so that each is either measured or not.
        self.close_window(at);
        self.pool.measure_from(at);
        self.baseline = WarmupBaseline {
            at,
            arrived: self.arrived,
            areas: self.station.areas(at.as_nanos()),
            time: self.pool.time(at),
            actions: self.control.actions,
            starts: self.pool.starts(),
            in_flight: self.in_flight_area(at.as_nanos()),
            attempt_counts: self.attempt_counts(),
            failure_counts: self.provisioner.failure_counts,
            ready_times: self.pool.bills(at).into_iter().map(|bill| bill.ready_time).collect(),
            preemptions: self.station.cache(at.as_nanos()).1,
        };
    }

    /// Arrival instants of the requests in flight at `now`, to which everything has advanced, in no order.
    fn in_flight(&self, now: u64) -> impl Iterator<Item = u64> {
        let attended = self.client.iter().flat_map(Attempts::in_flight);
        let plain = self.client.is_none().then(|| self.station.in_flight(now));
        attended.chain(plain.into_iter().flatten())
    }

    /// Integral of the requests in flight up to `now`.
    fn in_flight_area(&self, now: u64) -> u128 {
        match &self.client {
            Some(client) => client.area(now),
            None => {
                let areas = self.station.areas(now);
                areas.waiting + areas.in_service
            }
        }
    }

    /// What has been sent so far.
    fn attempt_counts(&self) -> AttemptCounts {
        let plain = AttemptCounts { sent: self.arrived, ..AttemptCounts::default() };
        self.client.as_ref().map_or(plain, |client| client.attempt_counts)
    }

    fn scrape(&mut self, at: Instant) {
        self.events.add(at + self.control.scrape_interval, Event::Scrape);
        if self.control.scrapes() {
            self.scrape_raw(at);
        }
        let arrived = self.attempt_counts().sent;
        let Some(pipeline) = &mut self.control.pipeline else { return };
        let watched = self.recorder.scraped.is_some();
        let latency = watched.then(|| latency_histogram(self.end.since(Instant::ZERO)));
        pipeline.record(ScrapeCounters {
            at,
            arrived,
            work: self.station.areas(at.as_nanos()).work,
            capacity: self.pool.time(at).ready * u128::from(self.places),
            gauges: self.station.gauges(at.as_nanos()),
            ready: self.pool.counts().ready,
            latency: std::mem::replace(&mut self.recorder.scraped, latency),
        });
    }

    fn scrape_raw(&mut self, at: Instant) {
        let nanos = at.as_nanos();
        let loads = self.scrapes.loads();
        if self.control.watches_instances {
            self.station.loads(nanos, loads);
        }
        let counters = RawCounters {
            at,
            arrived: self.attempt_counts().sent,
            areas: self.station.areas(nanos),
            capacity: self.pool.time(at).ready * u128::from(self.places),
            places: self.places,
            gauges: self.station.gauges(nanos),
            counts: self.pool.counts(),
        };
        self.control.take_in(&self.scrapes.take(counters, &self.pool));
    }

    fn evaluate(&mut self, at: Instant) {
        self.decide(at);
        if let Some(next) = self.control.next_evaluation(at) {
            self.events.add(next, Event::Evaluate);
        }
    }

    fn decide(&mut self, at: Instant) {
        let counts = self.pool.counts();
        let instances: &[_] = match self.control.watches_instances {
            true => self.scrapes.views(&self.pool),
            false => &[],
        };
        let observation = Observation {
            desired: self.control.desired,
            existing: counts.existing(),
            ready: counts.ready,
            held: self.station.gauges(at.as_nanos()).buffered,
            metric: self.control.pipeline.as_ref().and_then(|pipeline| pipeline.observe(at)),
            instances,
        };
        self.control.decide(at, &observation);
        self.reconcile(at);
    }

    fn mark(&mut self, at: Instant) {
        if at < self.end {
            self.events.add((at + self.timeline.windows.length).min(self.end), Event::Mark);
        }
        self.close_window(at);
    }

    fn close_window(&mut self, at: Instant) {
        let reading = WindowCounters {
            at,
            gauges: self.station.gauges(at.as_nanos()),
            kv_cache: self.station.cache(at.as_nanos()).0,
            overdue: self.overdue(at),
            areas: self.station.areas(at.as_nanos()),
            in_flight: self.in_flight_area(at.as_nanos()),
            time: self.pool.time(at),
            counts: self.pool.counts(),
            arrived: self.arrived,
            totals: self.recorder.totals,
            desired: self.control.desired,
        };
        self.timeline.close(reading, self.recorder.window.as_mut());
    }

    /// Requests in flight at `at` that are measured and have missed the SLO.
    fn overdue(&self, at: Instant) -> u64 {
        let (from, before) = (self.baseline.at.as_nanos(), self.timeline.overdue_before(at));
        let late = |arrival: &u64| (from..before.unanswered).contains(arrival);
        let unanswered = self.in_flight(at.as_nanos()).filter(late).count();
        let silent = |arrival: &u64| (from.max(before.unanswered)..before.waiting).contains(arrival);
        (unanswered + self.waiting().filter(silent).count()) as u64
    }

    /// Arrival instants of the requests in flight that wait, in no order, where tokens are counted.
    fn waiting(&self) -> impl Iterator<Item = u64> {
        let attended = self.client.iter().filter(|_| F::COUNTS_TOKENS);
        let plain = self.client.is_none().then(|| self.station.waiting());
        attended.flat_map(|client| client.waiting(&self.station)).chain(plain.into_iter().flatten())
    }
}
