//! The run loop: requests in, events in their order, one outcome out.

use std::sync::Arc;

use super::agenda::{Agenda, Event};
use super::fleet::{Areas, Arrival, Class, Fleet, Sink};
use super::observation::{Scrape, latency_histogram};
use super::outcome::{Actions, Counts, DecisionRecord, Integrals, Outcome};
use super::pool::{InstanceTime, Pool, State};
use super::recorder::Recorder;
use super::requests::Block;
use super::scaler::Scaler;
use super::scrapes::{Counters, Scrapes};
use super::timeline::{Reading, Timeline};
use super::{Model, Options, Watch};
use crate::autoscaler::{Glance, Metric, Observation};
use crate::random::Streams;
use crate::service::{FULL, Request};
use crate::time::Instant;

/// One run in progress, compiled for one arrangement of queues.
#[derive(Debug)]
pub(super) struct Engine<F, T> {
    fleet: F,
    recorder: Recorder<T>,
    agenda: Agenda,
    /// Arrivals from here on have to wait for the next event, nanoseconds.
    gate: u64,
    /// Everything up to here has happened, nanoseconds.
    reached: u64,
    end: Instant,
    arrived: u64,
    pool: Pool,
    scaler: Scaler,
    scrapes: Scrapes,
    timeline: Timeline,
    instances: super::Instances,
    streams: Streams,
    /// Of one instance: what its utilization is measured in.
    places: u32,
    /// Requests lost with an instance; kept to keep its memory.
    lost: Vec<Request>,
    measured: Start,
    /// By whom it may be stopped; what it would come to is then of no use.
    watch: Option<Arc<Watch>>,
    /// Arrivals at which to look at how many wait.
    next_look: u64,
    /// When more requests waited than the watch allows, if they did: the run has stopped there.
    overgrown: Option<Instant>,
}

/// Arrivals between two looks at how many requests wait.
const LOOK_EVERY: u64 = 1 << 14;

/// Counters at the start of the measured part.
#[derive(Debug, Clone, Copy, Default)]
struct Start {
    at: Instant,
    arrived: u64,
    areas: Areas,
    time: InstanceTime,
    actions: Actions,
    started: u32,
}

impl<F: Fleet, T: Sink> Engine<F, T> {
    pub fn new(fleet: F, model: &Model, streams: Streams, options: &Options, tap: T) -> Self {
        let mut recorder = Recorder::new(tap, model.duration, model.warmup, model.slo.map(|slo| slo.latency));
        if options.timeline {
            recorder.watch_windows(model.duration);
        }
        if model.autoscaler.query().is_some_and(|query| query.metric == Metric::Latency) {
            recorder.watch_latency(model.duration);
        }
        if model.dispatch.high_priority.is_some() {
            recorder.watch_classes(model.duration);
        }
        let initial = model.initial_instances();
        let mut engine = Engine {
            fleet,
            recorder,
            agenda: Agenda::default(),
            gate: 0,
            reached: 0,
            end: Instant::ZERO + model.duration,
            arrived: 0,
            pool: Pool::new(model.cost.clone()),
            scaler: Scaler::new(model, streams, options.decisions),
            scrapes: Scrapes::default(),
            timeline: Timeline::new(model, options),
            instances: model.instances.clone(),
            streams,
            places: model.service.model.places(),
            lost: Vec::new(),
            measured: Start::default(),
            watch: None,
            next_look: 0,
            overgrown: None,
        };
        engine.plan(model);
        for _ in 0..initial {
            let id = engine.pool.request(Instant::ZERO);
            engine.pool.ready(id, Instant::ZERO);
            engine.fleet.add(id, 0, &mut engine.recorder);
        }
        if F::STEPPED {
            engine.react(Instant::ZERO);
        }
        engine
    }

    fn plan(&mut self, model: &Model) {
        if !model.warmup.is_zero() {
            self.agenda.add(Instant::ZERO + model.warmup, Event::Measure);
        }
        if let Some(schedule) = self.scaler.schedule {
            self.agenda.add(schedule.first(), Event::Evaluate);
        }
        if self.scaler.is_fed() {
            let first = if model.metrics.phase.is_zero() {
                model.metrics.scrape_interval
            } else {
                model.metrics.phase
            };
            self.agenda.add(Instant::ZERO + first, Event::Scrape);
        }
        self.agenda.add((Instant::ZERO + self.timeline.interval).min(self.end), Event::Mark);
        self.gate = self.next_gate();
    }

    /// Arrivals from here on have to wait for the next event, or for the autoscaler to be woken.
    fn next_gate(&self) -> u64 {
        if self.scaler.is_asleep() { 0 } else { self.agenda.gate().min(self.end.as_nanos()) }
    }

    /// Makes the run end early once `watch` says so, or when it holds more waiting requests than that allows.
    pub fn watch(&mut self, watch: Arc<Watch>) {
        self.watch = Some(watch);
    }

    /// Whether more requests wait than may. Looked at once in many arrivals: it need not be caught at the very one.
    fn outgrows(&mut self) -> bool {
        if self.arrived >= self.next_look {
            self.next_look = self.arrived + LOOK_EVERY;
            let most = self.watch.as_ref().map_or(u64::MAX, |watch| watch.most_waiting());
            if self.fleet.held(self.reached) > most {
                self.overgrown = Some(Instant::from_nanos(self.reached));
            }
        }
        self.overgrown.is_some()
    }

    /// The next event up to `until`, unless the run is to stop.
    fn next_event(&mut self, until: Instant) -> Option<(Instant, Event)> {
        // Looked at here, where every run comes by, and not at every request.
        if self.overgrown.is_some() || self.watch.as_ref().is_some_and(|watch| watch.stopped()) {
            return None;
        }
        self.agenda.next(until)
    }

    /// Takes the next requests, in time order; `false` once the run is past its end and wants no more.
    pub fn feed(&mut self, block: &Block) -> bool {
        if self.outgrows() {
            return false;
        }
        if F::STEPPED {
            return self.feed_stepped(block);
        }
        for (&now, &service) in block.arrival.iter().zip(&block.service) {
            if now >= self.gate {
                if now >= self.end.as_nanos() {
                    return false;
                }
                self.run_until_gate(now);
            }
            self.arrived += 1;
            let arrival = Arrival { now, service, patience: u64::MAX, class: Class::Low };
            self.fleet.arrive(arrival, self.gate, &mut self.recorder);
            if self.gate == 0 {
                self.wake(now);
            }
        }
        true
    }

    /// As [`Engine::feed`], with every change of the fleet at its instant and the autoscaler watching each.
    fn feed_stepped(&mut self, block: &Block) -> bool {
        for (index, (&now, &service)) in block.arrival.iter().zip(&block.service).enumerate() {
            if now >= self.end.as_nanos() {
                return false;
            }
            self.step_until(now);
            self.reached = now;
            self.arrived += 1;
            let patience = block.patience.get(index).copied().unwrap_or(u64::MAX);
            let class = block.class.get(index).copied().unwrap_or_default();
            self.fleet.arrive(Arrival { now, service, patience, class }, now + 1, &mut self.recorder);
            if self.scaler.is_asleep() {
                self.wake(now);
            }
            self.react(Instant::from_nanos(now));
        }
        true
    }

    /// Lets everything happen, one thing at a time, that comes before an arrival at `limit`.
    fn step_until(&mut self, limit: u64) {
        loop {
            let (change, gate) = (self.fleet.next_change(), self.agenda.gate());
            let at = if gate <= change.min(limit) {
                let Some((at, event)) = self.next_event(self.end) else { return };
                self.handle(at, event);
                at
            } else if change <= limit.min(self.end.as_nanos()) {
                self.reached = change;
                self.fleet.step(&mut self.recorder);
                Instant::from_nanos(change)
            } else {
                return;
            };
            self.react(at);
        }
    }

    /// Lets a policy that acts at every arrival and departure act, until it is content.
    fn react(&mut self, at: Instant) {
        while let Some(desired) = self.reaction(at) {
            self.scaler.take_over(at, desired);
            self.reconcile(at);
        }
        while let Some((instance, spells)) = self.fleet.take_idled() {
            if let Some(delay) = self.scaler.keep_alive(self.streams, instance, spells) {
                self.agenda.add(at + delay, Event::Idle(instance, spells));
            }
        }
    }

    fn reaction(&mut self, at: Instant) -> Option<u32> {
        let census = self.pool.census();
        let gauges = self.fleet.gauges(at.as_nanos());
        let glance = Glance {
            in_flight: gauges.waiting + gauges.busy + gauges.draining,
            waiting: gauges.waiting,
            ready: census.ready,
            starting: census.starting,
        };
        self.scaler.react(at, &glance)
    }

    /// Lets an instance go that has been idle for as long as the policy keeps one.
    fn expire(&mut self, id: u32, spells: u64, at: Instant) {
        if self.fleet.still_idle(id, spells) && self.scaler.may_expire(self.pool.census().ready) {
            self.drain(id, at);
            self.scaler.expired(at);
        }
    }

    /// Lets the events happen that come before an arrival at `now`.
    #[cold]
    fn run_until_gate(&mut self, now: u64) {
        while now >= self.agenda.gate() {
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
        std::mem::take(&mut self.scaler.decisions)
    }

    /// Ends the run: what is still to happen up to its end happens.
    pub fn finish(mut self) -> (Outcome, T) {
        if F::STEPPED {
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
        self.fleet.advance(now, &mut self.recorder);
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
            Event::Ready(id) => {
                if self.pool.ready(id, at) {
                    self.fleet.add(id, nanos, &mut self.recorder);
                }
            }
            Event::Gone(id) => {
                self.pool.remove(id, at);
            }
            Event::Deadline(id) => {
                if self.pool.remove(id, at) {
                    self.kill(id, nanos);
                }
            }
            Event::Idle(id, spells) => self.expire(id, spells, at),
            Event::Scrape => self.scrape(at),
            Event::Evaluate => self.evaluate(at),
            Event::Mark => self.mark(at),
        }
    }

    fn measure_from(&mut self, at: Instant) {
        // The window at hand ends here, so that each is either measured or not.
        self.close_window(at);
        self.pool.measure_from(at);
        self.measured = Start {
            at,
            arrived: self.arrived,
            areas: self.fleet.areas(at.as_nanos()),
            time: self.pool.time(at),
            actions: self.scaler.actions,
            started: self.pool.totals().0,
        };
    }

    fn scrape(&mut self, at: Instant) {
        self.agenda.add(at + self.scaler.scrape_interval, Event::Scrape);
        if self.scaler.scrapes() {
            self.scrape_raw(at);
        }
        let Some(pipeline) = &mut self.scaler.pipeline else { return };
        let fresh = latency_histogram(self.end.since(Instant::ZERO));
        let latency = self.recorder.scraped.is_some().then_some(fresh).flatten();
        pipeline.record(Scrape {
            at,
            arrived: self.arrived,
            work: self.fleet.areas(at.as_nanos()).work,
            capacity: self.pool.time(at).ready * u128::from(self.places),
            gauges: self.fleet.gauges(at.as_nanos()),
            ready: self.pool.census().ready,
            latency: std::mem::replace(&mut self.recorder.scraped, latency),
        });
    }

    fn scrape_raw(&mut self, at: Instant) {
        let nanos = at.as_nanos();
        let loads = self.scrapes.loads();
        if self.scaler.watches_instances {
            self.fleet.loads(nanos, loads);
        }
        let counters = Counters {
            at,
            arrived: self.arrived,
            areas: self.fleet.areas(nanos),
            capacity: self.pool.time(at).ready * u128::from(self.places),
            gauges: self.fleet.gauges(nanos),
            census: self.pool.census(),
        };
        self.scaler.take_in(&self.scrapes.take(counters, &self.pool));
    }

    fn evaluate(&mut self, at: Instant) {
        self.decide(at);
        if let Some(next) = self.scaler.next_evaluation(at) {
            self.agenda.add(next, Event::Evaluate);
        }
    }

    fn decide(&mut self, at: Instant) {
        let census = self.pool.census();
        let instances: &[_] = match self.scaler.watches_instances {
            true => self.scrapes.views(&self.pool),
            false => &[],
        };
        let observation = Observation {
            desired: self.scaler.desired,
            existing: census.starting + census.ready,
            ready: census.ready,
            held: self.fleet.gauges(at.as_nanos()).held,
            metric: self.scaler.pipeline.as_ref().and_then(|pipeline| pipeline.observe(at)),
            instances,
        };
        self.scaler.decide(at, &observation);
        self.reconcile(at);
    }

    /// Brings the pool to the desired size: starts what is missing, cancels or drains what is too much.
    fn reconcile(&mut self, at: Instant) {
        let census = self.pool.census();
        let existing = census.starting + census.ready;
        for _ in existing..self.scaler.desired {
            let id = self.pool.request(at);
            let ready = at + self.instances.draw_cold_start(self.streams, id);
            self.agenda.add(ready, Event::Ready(id));
        }
        for _ in self.scaler.desired..existing {
            let fleet = &self.fleet;
            match self.pool.victim(self.instances.scale_down, |id| fleet.outstanding(id)) {
                Some((id, State::Starting)) => {
                    self.pool.remove(id, at);
                }
                Some((id, _)) => self.drain(id, at),
                None => return,
            }
        }
    }

    fn drain(&mut self, id: u32, at: Instant) {
        self.pool.drain(id, at);
        let last = Instant::from_nanos(self.fleet.drain(id, at.as_nanos()));
        let deadline = self.instances.drain_deadline.map_or(Instant::MAX, |deadline| at + deadline);
        if last == at {
            self.pool.remove(id, at);
        } else if last < deadline {
            self.agenda.add(last, Event::Gone(id));
        } else {
            self.agenda.add(deadline, Event::Deadline(id));
        }
    }

    /// Takes an instance away with all it has.
    fn kill(&mut self, id: u32, now: u64) {
        self.fleet.kill(id, now, &mut self.lost);
        for request in self.lost.drain(..) {
            self.recorder.failed(request.arrival, now);
        }
    }

    fn mark(&mut self, at: Instant) {
        if at < self.end {
            self.agenda.add((at + self.timeline.interval).min(self.end), Event::Mark);
        }
        self.close_window(at);
    }

    fn close_window(&mut self, at: Instant) {
        let overdue = self.timeline.overdue_before(at);
        let reading = Reading {
            at,
            gauges: self.fleet.gauges(at.as_nanos()),
            overdue: overdue.map_or(0, |before| self.overdue(at, before)),
            areas: self.fleet.areas(at.as_nanos()),
            time: self.pool.time(at),
            census: self.pool.census(),
            arrived: self.arrived,
            totals: self.recorder.totals,
            desired: self.scaler.desired,
        };
        self.timeline.close(reading, self.recorder.window.as_mut());
    }

    /// Requests in flight at `at` that are measured and arrived before `before`.
    fn overdue(&self, at: Instant, before: u64) -> u64 {
        let measured_from = self.measured.at.as_nanos();
        let late = |arrival: &u64| (measured_from..before).contains(arrival);
        self.fleet.in_flight(at.as_nanos()).filter(late).count() as u64
    }

    fn outcome(mut self) -> (Outcome, T) {
        let end = self.end;
        let start = self.measured;
        let areas = self.fleet.areas(end.as_nanos());
        let time = self.pool.time(end);
        let measured_from = start.at.as_nanos();
        let in_flight =
            self.fleet.in_flight(end.as_nanos()).filter(|arrival| *arrival >= measured_from).count();
        let overdue = self.timeline.overdue_before(end).map_or(0, |before| self.overdue(end, before));
        let counts = Counts {
            arrived: self.arrived - start.arrived,
            served: self.recorder.latency.count(),
            rejected: self.recorder.rejected,
            timed_out: self.recorder.timed_out,
            failed: self.recorder.failed,
            in_flight: in_flight as u64,
        };
        let seconds = |later: u128, earlier: u128| (later - earlier) as f64 / 1e9;
        let integrals = Integrals {
            waiting: seconds(areas.waiting, start.areas.waiting),
            in_service: seconds(areas.in_service, start.areas.in_service),
            busy: seconds(areas.busy, start.areas.busy),
            work: seconds(areas.work, start.areas.work) / FULL as f64,
            starting: seconds(time.starting, start.time.starting),
            ready: seconds(time.ready, start.time.ready),
            draining: seconds(time.draining, start.time.draining),
        };
        let billed_hours = self.pool.billed_hours(end);
        let (started, peak_ready) = self.pool.totals();
        let actions = self.scaler.actions;
        let outcome = Outcome {
            overgrown: self.overgrown,
            measured_s: end.since(start.at).as_secs_f64(),
            counts,
            latency: self.recorder.latency,
            wait: self.recorder.wait,
            classes: self.recorder.classes,
            good: self.recorder.good,
            overdue,
            integrals,
            slots: self.places,
            peak_waiting: self.timeline.peak_waiting,
            peak_ready,
            started: u64::from(started - start.started),
            billed_hours,
            cost: self.pool.price(billed_hours),
            actions: Actions {
                up: actions.up - start.actions.up,
                down: actions.down - start.actions.down,
                flaps: actions.flaps - start.actions.flaps,
            },
            below_slo_s: self.timeline.below_slo_s,
            timeline: self.timeline.windows,
            decisions: self.scaler.decisions,
        };
        (outcome, self.recorder.tap)
    }
}
