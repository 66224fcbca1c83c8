//! The run loop: requests in, events in their order, one outcome out.
//!
//! Generic over the station, and so compiled for each service model and arrangement of queues: here is what happens once
//! a request or more often. What happens to instances is in `operations`, compiled once.

use super::limits::RunLimits;
use super::model::Model;
use super::operations::Operations;
use super::options::Options;
use super::request_side::Requests;
use super::requests::Block;
use crate::random::Streams;
use crate::service::{self, Tokens};
use crate::sim::accounting::{DecisionRecord, Outcome, Recorder, Recording, RequestObserver};
use crate::sim::clients::{Attempts, Conversations, Crowd, Gate, RequestLaws};
use crate::sim::queueing::{Arrival, Station};
use crate::sorting::count_below;
use crate::time::Instant;

/// One run in progress, compiled for one arrangement of queues.
#[derive(Debug)]
pub(super) struct Engine<S, T> {
    requests: Requests<S, T>,
    operations: Operations,
    /// Arrivals from here on have to wait for the next event, nanoseconds.
    gate: u64,
    /// The end of the run, nanoseconds.
    end: u64,
}

impl<S: Station, T: RequestObserver> Engine<S, T> {
    pub fn new(station: S, model: &Model, streams: Streams, options: &Options, observer: T) -> Self {
        let recorder = recorder(model, options, S::COUNTS_TOKENS);
        let clients = model.client.is_active().then(|| clients(model, streams));
        let mut requests = Requests::new(station, Recording { recorder, observer }, clients);
        let mut operations = Operations::new(model, streams, options);
        operations.begin(&mut requests, model);
        let gate = operations.next_gate();
        Engine { requests, operations, gate, end: (Instant::ZERO + model.duration).as_nanos() }
    }

    /// Makes the run stop early where these limits say so.
    pub fn limit(&mut self, limits: RunLimits) {
        self.operations.limit(limits);
    }

    /// Takes the next requests, in time order; `false` once the run is past its end and wants no more.
    pub fn feed(&mut self, block: &Block) -> bool {
        if self.operations.exceeds_memory(&self.requests) {
            return false;
        }
        if S::EVENT_DRIVEN {
            return self.feed_event_driven(block);
        }
        let mut from = 0;
        while let Some(&now) = block.arrival.get(from) {
            if now >= self.gate {
                if now >= self.end {
                    return false;
                }
                self.run_until_gate(now);
            }
            // Nobody looks before the gate.
            let before = count_below(&block.arrival[from..], self.gate);
            let to = from + before.max(1);
            self.requests.arrived += (to - from) as u64;
            self.requests.advanced_to = None;
            let Requests { station, recording, .. } = &mut self.requests;
            station.arrive_all(block.arrivals(from..to), self.gate, recording);
            if self.gate == 0 {
                self.wake(now);
            }
            from = to;
        }
        true
    }

    #[inline]
    fn tokens(block: &Block, index: usize) -> Tokens {
        if S::COUNTS_TOKENS {
            block.tokens.get(index).copied().unwrap_or_default()
        } else {
            Tokens::default()
        }
    }

    /// As [`Engine::feed`], with every change of the station at its instant and the autoscaler watching each.
    fn feed_event_driven(&mut self, block: &Block) -> bool {
        for (index, (&now, &service)) in block.arrival.iter().zip(&block.service).enumerate() {
            if now >= self.end {
                return false;
            }
            self.step_until(now);
            self.operations.reach(now);
            self.requests.arrived += 1;
            let patience = block.patience.get(index).copied().unwrap_or(u64::MAX);
            let class = block.class.get(index).copied().unwrap_or_default();
            let arrival = Arrival {
                patience,
                class,
                tokens: Self::tokens(block, index),
                content: block.content.get(index).copied().unwrap_or_default(),
                ..Arrival::plain(now, service)
            };
            let Requests { station, recording, clients, .. } = &mut self.requests;
            match clients {
                Some(clients) => clients.arrive(arrival, station, recording),
                None => station.arrive(arrival, now + 1, recording),
            }
            if self.operations.is_asleep() {
                self.wake(now);
            }
            self.operations.react(&mut self.requests, Instant::from_nanos(now));
        }
        true
    }

    /// Lets everything happen, one thing at a time, that comes before an arrival at `until`.
    fn step_until(&mut self, until: u64) {
        loop {
            let (change, gate) = (self.requests.station.next_change(), self.operations.event_gate());
            let timer = self.requests.clients.as_ref().map_or(u64::MAX, Attempts::next_timer);
            let limit = until.min(self.end);
            let at = if gate <= change.min(timer).min(until) {
                let Some(at) = self.operations.handle_next(&mut self.requests) else { return };
                at
            } else if change <= timer.min(limit) {
                self.operations.reach(change);
                self.requests.station.step(&mut self.requests.recording);
                Instant::from_nanos(change)
            } else if timer <= limit {
                self.operations.reach(timer);
                self.step_client(timer);
                Instant::from_nanos(timer)
            } else {
                return;
            };
            self.operations.react(&mut self.requests, at);
        }
    }

    /// Lets a timer of a client go off at `now`.
    fn step_client(&mut self, now: u64) {
        let Requests { station, recording, clients, .. } = &mut self.requests;
        // What was to happen by then has; the station is to know.
        station.advance(now, recording);
        let Some(clients) = clients else { return };
        if clients.step(station, recording) && self.operations.is_asleep() {
            self.wake(now);
        }
    }

    /// Lets the events happen that come before an arrival at `now`.
    #[cold]
    fn run_until_gate(&mut self, now: u64) {
        self.gate = self.operations.run_until_gate(&mut self.requests, now);
    }

    /// Has the autoscaler evaluated because a request has arrived while no instance is asked for.
    #[cold]
    fn wake(&mut self, now: u64) {
        self.gate = self.operations.wake(&mut self.requests, now);
    }

    /// The decisions kept since the last call.
    pub fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        self.operations.take_decisions()
    }

    /// Ends the run: what is still to happen up to its end happens.
    pub fn finish(mut self) -> (Outcome, T) {
        if S::EVENT_DRIVEN {
            self.step_until(self.end + 1);
        }
        let last = self.operations.run_to_end(&mut self.requests);
        let Recording { recorder, observer } = self.requests.recording;
        (self.operations.outcome(&last, recorder), observer)
    }
}

/// The clients of a run of `model`.
pub(super) fn clients(model: &Model, streams: Streams) -> Attempts {
    let mut clients = Attempts::new(model.client.clone(), streams).bounded(model.duration.as_nanos());
    if let service::Model::Llm(llm) = &model.service.model {
        let outside = llm.overhead[0] + llm.overhead[1];
        clients = clients.far_away(outside, llm.overhead_iterations, llm.overhead_per_prompt_token);
    }
    let laws = || RequestLaws {
        service: model.service.time.clone(),
        patience: model.dispatch.patience.clone(),
        high_priority: model.dispatch.high_priority,
        tokens: model.service.tokens.clone(),
    };
    if let Some(users) = &model.client.users {
        clients = clients.with_users(Crowd::new(users.clone(), laws(), streams));
    }
    if let Some(session) = &model.client.session {
        clients = clients.with_sessions(Conversations::new(session.clone(), laws(), streams));
    }
    if let Some(most) = model.client.max_outstanding {
        clients = clients.with_gate(Gate::new(most, model.duration, model.warmup));
    }
    clients
}

/// The account of the requests of a run of `model`, with as much detail as `model` and `options` ask for.
pub(super) fn recorder(model: &Model, options: &Options, counts_tokens: bool) -> Recorder {
    let mut recorder = Recorder::new(model.duration, model.warmup, model.slo);
    if counts_tokens {
        // Of a trace each request has its own tokens.
        let sustainable = model.service.tokens.is_some().then(|| model.service.throughput());
        recorder.track_tokens(model.duration, sustainable);
    }
    if let service::Model::Llm(llm) = &model.service.model {
        recorder.add_outside(llm.overhead, llm.overhead_iterations, llm.overhead_per_prompt_token);
    }
    if options.timeline {
        recorder.track_windows(model.duration);
    }
    let of_query = model.autoscaler.query().and_then(|query| query.metric.timed());
    for timed in model.autoscaler.times().into_iter().chain(of_query) {
        recorder.track_scraped(model.duration, timed);
    }
    if model.dispatch.high_priority.is_some() {
        recorder.track_classes(model.duration);
    }
    if model.instances.first_request.is_some() {
        recorder.track_first();
    }
    recorder
}
