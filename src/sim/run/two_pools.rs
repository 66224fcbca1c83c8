//! Two pools one after the other: one computes prompts, the other decodes, and the KV caches are transferred between them.
//!
//! ```text
//!  arrival ──► prefill pool ──► transfer ──► decode pool ──► answer
//!                 queue,         latency +      queue,
//!                 instances,     bytes /        instances,
//!                 autoscaler     bandwidth      autoscaler
//! ```
//!
//! Each pool is what a pool is elsewhere: a station, its instances, and an autoscaler that sees nothing but it. Their events
//! are taken in the order of their instants, those of one instant in this order: instances of the pools that change,
//! completions (prompts, answers, then transfers), arrivals, scrapes, evaluations. The first token of an answer comes with
//! its prompt; an answer of one token is complete then. A request lost while it decodes has lost its cache: where lost
//! requests begin again, its prompt is computed again.
//!
//! What is measured of the requests is measured once, from arrival to answer. Each pool also keeps its own account, in which
//! a prompt that is computed is a request answered and a cache that arrives is a request that does.

use std::ops::Range;
use std::sync::Arc;

use super::engine::recorder;
use super::limits::RunLimits;
use super::model::{Model, PoolName};
use super::operations::Operations;
use super::options::Options;
use super::request_side::{Fleet, RequestSide, Requests};
use super::requests::Block;
use crate::autoscaler::OfPool;
use crate::random::Streams;
use crate::service::{self, DecodeServer, Llm, LlmServer, Server, Tokens, UNKNOWN};
use crate::sim::accounting::{
    Actions, Areas, Class, Completion, DecisionRecord, Gauges, HeldTimes, Outcome, PoolOutcomes, Recorder,
    Recording, RequestObserver, TokenCompletion, TransferOutcome, TypeShare,
};
use crate::sim::clients::AttemptCounts;
use crate::sim::instances::{Instances, LostRequests};
use crate::sim::queueing::{
    Arrival, CacheUse, EventDrivenServers, Load, RequestOutcome, Station, Transfer, Transferred, Transfers,
};
use crate::stats::Digest;
use crate::time::Instant;

/// See the module.
#[derive(Debug)]
pub(super) struct TwoPools<T> {
    network: Network<T>,
    /// The windows and the measured part of both pools together.
    whole: Operations,
    /// The end of the run, nanoseconds.
    end: u64,
    peak_ready: u32,
}

/// The requests, wherever they are.
#[derive(Debug)]
struct Network<T> {
    prefill: Pool<LlmServer>,
    decode: Pool<DecodeServer>,
    transfers: Transfers,
    table: Table,
    recording: Recording<T>,
    engines: [Arc<Llm>; 2],
    /// Whether a request that is lost while it decodes begins again.
    begins_again: bool,
    arrived: u64,
    transferred: TransferRecord,
    waiting: Waiting,
}

/// The requests that wait, in both pools and between them.
#[derive(Debug, Default)]
struct Waiting {
    /// How many have since `since`, and the most that have for any time.
    count: u64,
    since: u64,
    peak: u64,
}

impl Waiting {
    /// As many have waited up to `now`.
    fn pass(&mut self, now: u64) {
        if now > self.since {
            self.peak = self.peak.max(self.count);
        }
        self.since = now;
    }
}

/// A pool with its instances.
#[derive(Debug)]
struct Pool<S: Server> {
    requests: Requests<EventDrivenServers<S>, ()>,
    operations: Operations,
}

/// A request between its arrival and its end; instants in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct InFlight {
    arrival: u64,
    service: u64,
    class: Class,
    tokens: Tokens,
    content: u32,
    /// When it came to the pool where it is.
    entered: u64,
    /// When its prompt was begun.
    start: u64,
    first_token: u64,
    /// Whether its prompt is not computed yet.
    in_prefill: bool,
}

/// The requests in flight by their tickets, which are used again.
#[derive(Debug, Default)]
struct Table {
    entries: Vec<Option<InFlight>>,
    vacant: Vec<u32>,
    count: u64,
    /// Integral of the count up to `counted_to`, request-nanoseconds.
    area: u128,
    counted_to: u64,
}

impl Table {
    fn enter(&mut self, request: InFlight, now: u64) -> u32 {
        self.pass(now);
        self.count += 1;
        match self.vacant.pop() {
            Some(ticket) => {
                self.entries[ticket as usize] = Some(request);
                ticket
            }
            None => {
                self.entries.push(Some(request));
                self.entries.len() as u32 - 1
            }
        }
    }

    fn get(&mut self, ticket: u32) -> Option<&mut InFlight> {
        self.entries.get_mut(ticket as usize)?.as_mut()
    }

    fn leave(&mut self, ticket: u32, now: u64) {
        self.pass(now);
        self.count -= 1;
        self.entries[ticket as usize] = None;
        self.vacant.push(ticket);
    }

    fn pass(&mut self, now: u64) {
        self.area = self.area(now);
        self.counted_to = now;
    }

    fn area(&self, now: u64) -> u128 {
        self.area + u128::from(now - self.counted_to) * u128::from(self.count)
    }

    fn iter(&self) -> impl Iterator<Item = (u32, &InFlight)> {
        (0..).zip(&self.entries).filter_map(|(ticket, entry)| Some((ticket, entry.as_ref()?)))
    }
}

/// What transfers have come to, of requests that are measured.
#[derive(Debug)]
struct TransferRecord {
    settings: Transfer,
    wait: Digest,
    time: Digest,
    bytes: f64,
    /// Integrals at the start of the measured part.
    before: [u128; 2],
    measured_from: u64,
}

impl TransferRecord {
    fn record(&mut self, request: &InFlight, transfer: Transferred) {
        if request.arrival >= self.measured_from {
            self.wait.record(transfer.begun - transfer.queued);
            self.time.record(transfer.finish - transfer.begun);
            self.bytes += self.settings.bytes(request.tokens.prompt);
        }
    }
}

impl<S: Server> Pool<S> {
    fn new(
        model: &Model,
        instances: &Instances,
        settings: Arc<S::Settings>,
        streams: Streams,
        options: &Options,
    ) -> Self {
        let contents = model.service.contents();
        let station = EventDrivenServers::new(&model.dispatch, instances, settings, contents, streams);
        let recording = Recording { recorder: recorder_of_pool(model, options), observer: () };
        let mut requests = Requests::new(station, recording, None);
        let mut operations = Operations::new(model, streams, options).of_one_pool();
        operations.begin(&mut requests, model);
        Pool { requests, operations }
    }

    /// A request comes to it.
    fn arrive(&mut self, arrival: Arrival) {
        let now = arrival.now;
        let Requests { station, recording, arrived, .. } = &mut self.requests;
        *arrived += 1;
        station.arrive(arrival, now + 1, recording);
        if self.operations.is_asleep() {
            self.operations.wake(&mut self.requests, now);
        }
    }

    fn handle_next(&mut self) -> Option<Instant> {
        self.operations.handle_next(&mut self.requests)
    }

    fn step(&mut self) {
        let Requests { station, recording, .. } = &mut self.requests;
        station.step(recording);
    }

    fn next_change(&self) -> u64 {
        self.requests.station.next_change()
    }

    fn react(&mut self, at: Instant) {
        self.operations.react(&mut self.requests, at);
    }

    /// Accounts for what has become of a request that came to it at `entered`, with these tokens of its own.
    fn account(&mut self, entered: u64, tokens: Tokens, outcome: RequestOutcome, now: u64) {
        let recorder = &mut self.requests.recording.recorder;
        match outcome {
            RequestOutcome::Served(served, first_token) => {
                let Completion { arrival, finish, .. } = served;
                let first_token = first_token.unwrap_or(finish);
                recorder.generated(TokenCompletion { arrival, first_token, finish, tokens });
                recorder.served(served);
            }
            RequestOutcome::Rejected => recorder.rejected(entered),
            RequestOutcome::TimedOut => recorder.timed_out(entered, now),
            RequestOutcome::Failed => recorder.failed(entered, now),
        }
    }
}

/// The account of one pool: promises are kept, or not, by both together.
fn recorder_of_pool(model: &Model, options: &Options) -> Recorder {
    let duration = model.duration;
    let mut recorder = Recorder::new(duration, model.warmup, None);
    recorder.track_tokens(duration, model.service.tokens.is_some().then(|| model.service.throughput()));
    if options.timeline {
        recorder.track_windows(duration);
    }
    if let Some(OfPool::Quantile(timed)) = model.autoscaler.query().map(|query| query.metric.spec().of_pool) {
        recorder.track_scraped(duration, timed);
    }
    recorder
}

impl<T: RequestObserver> TwoPools<T> {
    /// The pool that computes prompts, and the one that decodes.
    pub fn new(
        (prefill, decode): (&Model, &Model),
        streams: Streams,
        options: &Options,
        observer: T,
    ) -> Self {
        let engine = |model: &Model| match &model.service.model {
            service::Model::Llm(llm) => Arc::new(llm.clone()),
            // Nothing else is computed in two pools: `Model::conflict` refuses it.
            _ => Arc::default(),
        };
        let engines = [engine(prefill), engine(decode)];
        let transfer = prefill.decode.as_ref().map_or(Transfer::NONE, |decode| decode.transfer);
        // What is lost while it decodes is lost to its pool, whatever becomes of it.
        let lost = Instances { lost: LostRequests::Fail, ..decode.instances.clone() };
        let mut recorder = recorder(prefill, options, true);
        if let Some(tokens) = &mut recorder.tokens {
            // That of one pool says nothing of both.
            tokens.sustainable_per_s = None;
        }
        let (first, second) = (Arc::clone(&engines[0]), Arc::clone(&engines[1]));
        let mut network = Network {
            prefill: Pool::new(prefill, &prefill.instances, first, streams, options),
            decode: Pool::new(decode, &lost, second, streams.of_second_pool(), options),
            transfers: Transfers::new(transfer),
            table: Table::default(),
            recording: Recording { recorder, observer },
            engines,
            begins_again: decode.instances.lost != LostRequests::Fail,
            arrived: 0,
            transferred: TransferRecord {
                settings: transfer,
                wait: Digest::new(prefill.duration),
                time: Digest::new(prefill.duration),
                bytes: 0.0,
                before: [0; 2],
                measured_from: prefill.warmup.as_nanos(),
            },
            waiting: Waiting::default(),
        };
        let mut whole = Operations::new(prefill, streams, options).of_pools();
        whole.begin(&mut network, prefill);
        let end = (Instant::ZERO + prefill.duration).as_nanos();
        let mut pools = TwoPools { network, whole, end, peak_ready: 0 };
        pools.settle(0);
        pools
    }

    /// Makes the run stop early where these limits say so.
    pub fn limit(&mut self, limits: &RunLimits) {
        let Network { prefill, decode, .. } = &mut self.network;
        for operations in [&mut prefill.operations, &mut decode.operations, &mut self.whole] {
            operations.limit(limits.clone());
        }
    }

    /// Takes the next requests, in time order; `false` once the run is past its end and wants no more.
    pub fn feed(&mut self, block: &Block) -> bool {
        if self.whole.exceeds_memory(&self.network) {
            return false;
        }
        for (index, (&now, &service)) in block.arrival.iter().zip(&block.service).enumerate() {
            if now >= self.end {
                return false;
            }
            self.step_until(now);
            self.reach(now);
            self.network.arrive(
                InFlight {
                    arrival: now,
                    service,
                    class: block.class.get(index).copied().unwrap_or_default(),
                    tokens: block.tokens.get(index).copied().unwrap_or_default(),
                    content: block.content.get(index).copied().unwrap_or(UNKNOWN),
                    entered: now,
                    start: now,
                    first_token: 0,
                    in_prefill: true,
                },
                block.patience.get(index).copied().unwrap_or(u64::MAX),
            );
            self.settle(now);
        }
        true
    }

    /// Everything up to `now` has happened.
    fn reach(&mut self, now: u64) {
        let Network { prefill, decode, .. } = &mut self.network;
        for operations in [&mut prefill.operations, &mut decode.operations, &mut self.whole] {
            operations.reach(now);
        }
    }

    /// Lets everything happen, one thing at a time, that comes before an arrival at `until`.
    fn step_until(&mut self, until: u64) {
        loop {
            let Network { prefill, decode, .. } = &self.network;
            let gates = [&prefill.operations, &decode.operations, &self.whole].map(Operations::event_gate);
            let (gate, change) = (gates[0].min(gates[1]).min(gates[2]), self.network.next_change());
            let at = if gate <= change.min(until) {
                // Of one instant the pools first: who looks at both sees both as they are after it.
                let handled = match gates {
                    [first, ..] if first == gate => self.network.prefill.handle_next(),
                    [_, second, _] if second == gate => self.network.decode.handle_next(),
                    _ => self.whole.handle_next(&mut self.network),
                };
                let Some(at) = handled else { return };
                self.network.begin_to_measure(at.as_nanos());
                at.as_nanos()
            } else if change <= until.min(self.end) {
                self.reach(change);
                self.network.step(change);
                change
            } else {
                return;
            };
            self.reach(at);
            self.settle(at);
        }
    }

    /// Hands on what has left a pool, and lets the autoscalers that act at every change act.
    fn settle(&mut self, now: u64) {
        let network = &mut self.network;
        network.hand_on(now);
        let at = Instant::from_nanos(now);
        network.prefill.react(at);
        network.decode.react(at);
        network.track_readiness(now);
        network.waiting.pass(now);
        network.waiting.count = RequestSide::gauges(network, now).waiting;
        let (one, other) = (network.prefill.operations.sizes(), network.decode.operations.sizes());
        let ready = one.1 + other.1;
        self.peak_ready = self.peak_ready.max(ready);
        self.whole.record_sizes(one.0 + other.0, ready);
    }

    /// The decisions kept since the last call, of both pools.
    pub fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        let Network { prefill, decode, .. } = &mut self.network;
        merged(prefill.operations.take_decisions(), decode.operations.take_decisions())
    }

    /// Ends the run: what is still to happen up to its end happens.
    pub fn finish(mut self) -> (Outcome, T) {
        self.step_until(self.end + 1);
        let TwoPools { mut network, mut whole, end, peak_ready } = self;
        let Network { prefill, decode, .. } = &mut network;
        let lasts = [
            prefill.operations.run_to_end(&mut prefill.requests),
            decode.operations.run_to_end(&mut decode.requests),
        ];
        let last = whole.run_to_end(&mut network);
        let Network { prefill, decode, transfers, recording, transferred, .. } = network;
        let [waiting, under_way] =
            [0, 1].map(|index| (transfers.areas(end)[index] - transferred.before[index]) as f64 / 1e9);
        let TransferRecord { wait, time, bytes, .. } = transferred;
        let pools = PoolOutcomes {
            prefill: prefill.operations.outcome(&lasts[0], prefill.requests.recording.recorder),
            decode: decode.operations.outcome(&lasts[1], decode.requests.recording.recorder),
            transfer: TransferOutcome { wait, time, bytes, waiting, under_way },
        };
        let Recording { recorder, observer } = recording;
        (together(whole.outcome(&last, recorder), pools, peak_ready), observer)
    }
}

/// The outcome of the whole with the instances of its pools.
fn together(whole: Outcome, mut pools: PoolOutcomes, peak_ready: u32) -> Outcome {
    let decisions =
        merged(std::mem::take(&mut pools.prefill.decisions), std::mem::take(&mut pools.decode.decisions));
    let PoolOutcomes { prefill, decode, .. } = &pools;
    let mut integrals = whole.integrals;
    for of in [&prefill.integrals, &decode.integrals] {
        integrals.pending += of.pending;
        integrals.starting += of.starting;
        integrals.ready += of.ready;
        integrals.draining += of.draining;
        integrals.warming += of.warming;
        integrals.warm += of.warm;
    }
    let named =
        |pool: PoolName, share: &TypeShare| TypeShare { name: pool.with(&share.name), ..share.clone() };
    let by_type = prefill.by_type.iter().map(|share| named(PoolName::Prefill, share));
    let by_type = by_type.chain(decode.by_type.iter().map(|share| named(PoolName::Decode, share))).collect();
    let actions = |of: fn(&Outcome) -> u64| of(prefill) + of(decode);
    let failure_counts = prefill.failure_counts.and(decode.failure_counts);
    Outcome {
        integrals,
        peak_ready,
        started: prefill.started + decode.started,
        warm_starts: prefill.warm_starts + decode.warm_starts,
        billed_hours: prefill.billed_hours + decode.billed_hours,
        cost: prefill.cost + decode.cost,
        by_type,
        failure_counts,
        actions: Actions {
            up: actions(|pool| pool.actions.up),
            down: actions(|pool| pool.actions.down),
            flaps: actions(|pool| pool.actions.flaps),
        },
        decisions,
        pools: Some(Box::new(pools)),
        ..whole
    }
}

/// The decisions of both pools in the order in which they were made, each with its pool.
fn merged(prefill: Vec<DecisionRecord>, decode: Vec<DecisionRecord>) -> Vec<DecisionRecord> {
    let of = |pool: PoolName| {
        move |mut decision: DecisionRecord| {
            decision.explanation.reason = format!("{} pool: {}", pool.shown(), decision.explanation.reason);
            decision
        }
    };
    let mut all: Vec<DecisionRecord> = prefill
        .into_iter()
        .map(of(PoolName::Prefill))
        .chain(decode.into_iter().map(of(PoolName::Decode)))
        .collect();
    all.sort_by_key(|decision| decision.at);
    all
}

impl<T: RequestObserver> Network<T> {
    /// A request arrives, willing to wait for so long.
    fn arrive(&mut self, request: InFlight, patience: u64) {
        let (now, tokens) = (request.arrival, self.fitted(request.tokens));
        self.arrived += 1;
        let request = InFlight { tokens, ..request };
        let ticket = self.table.enter(request, now);
        self.prefill.arrive(of_prompt(&request, ticket, patience));
    }

    /// Its tokens as they are served: cut to what either engine holds.
    fn fitted(&self, tokens: Tokens) -> Tokens {
        let (prompt, _) = self.engines[0].fitted(Tokens { output: 1, ..tokens });
        let (prompt, output) = self.engines[1].fitted(Tokens { prompt: prompt as u32, ..tokens });
        Tokens { prompt: prompt as u32, output: output as u32 }
    }

    /// Notes what has been transferred by the start of the measured part, if that is at `now`.
    fn begin_to_measure(&mut self, now: u64) {
        if now == self.transferred.measured_from {
            self.transferred.before = self.transfers.areas(now);
        }
    }

    /// When something next changes by itself.
    fn next_change(&self) -> u64 {
        self.prefill.next_change().min(self.decode.next_change()).min(self.transfers.next_change())
    }

    /// Lets what is due at `now` happen, one thing.
    fn step(&mut self, now: u64) {
        if self.prefill.next_change() == now {
            self.prefill.step();
        } else if self.decode.next_change() == now {
            self.decode.step();
        } else if let Some(transfer) = self.transfers.step() {
            self.transferred(transfer);
        }
    }

    /// A cache has come to the decode pool.
    fn transferred(&mut self, transfer: Transferred) {
        let (ticket, now) = (transfer.ticket, transfer.finish);
        let Some(request) = self.table.get(ticket) else { return };
        request.entered = now;
        let request = *request;
        self.transferred.record(&request, transfer);
        let InFlight { service, class, tokens, .. } = request;
        self.decode.arrive(Arrival { class, ticket, tokens, ..Arrival::plain(now, service) });
    }

    /// Hands on what has left a pool.
    fn hand_on(&mut self, now: u64) {
        loop {
            if let Some((ticket, outcome)) = self.prefill.requests.station.next_outcome() {
                self.prefilled(ticket, outcome, now);
            } else if let Some((ticket, outcome)) = self.decode.requests.station.next_outcome() {
                self.decoded(ticket, outcome, now);
            } else {
                return;
            }
        }
    }

    /// A request has left the pool that computes prompts.
    fn prefilled(&mut self, ticket: u32, outcome: RequestOutcome, now: u64) {
        let Some(request) = self.table.get(ticket) else { return };
        if let RequestOutcome::Served(served, first_token) = outcome {
            request.start = served.start;
            request.first_token = first_token.unwrap_or(served.finish);
            request.in_prefill = false;
        }
        let request = *request;
        self.prefill.account(request.entered, Tokens { output: 1, ..request.tokens }, outcome, now);
        match outcome {
            RequestOutcome::Served(..) if request.tokens.output > 1 => {
                self.transfers.push(ticket, request.tokens.prompt, now);
            }
            _ => self.end(ticket, &request, outcome, now),
        }
    }

    /// A request has left the pool that decodes.
    fn decoded(&mut self, ticket: u32, outcome: RequestOutcome, now: u64) {
        let again = self.begins_again && outcome == RequestOutcome::Failed;
        let Some(request) = self.table.get(ticket) else { return };
        let entered = request.entered;
        if again {
            (request.entered, request.in_prefill) = (now, true);
        }
        let request = *request;
        self.decode.account(entered, request.tokens, outcome, now);
        if again {
            self.prefill.arrive(of_prompt(&request, ticket, u64::MAX));
        } else {
            self.end(ticket, &request, outcome, now);
        }
    }

    /// A request is answered or lost.
    fn end(&mut self, ticket: u32, request: &InFlight, outcome: RequestOutcome, now: u64) {
        self.table.leave(ticket, now);
        let InFlight { arrival, start, first_token, tokens, .. } = *request;
        match outcome {
            RequestOutcome::Served(served, _) => {
                let finish = served.finish;
                self.recording.generated(TokenCompletion { arrival, first_token, finish, tokens });
                self.recording.served(Completion { arrival, start, ..served });
            }
            RequestOutcome::Rejected => self.recording.rejected_at(arrival, now),
            RequestOutcome::TimedOut => self.recording.timed_out(arrival, now),
            RequestOutcome::Failed => self.recording.failed(arrival, now),
        }
    }

    /// Notes when no instance is ready that computes prompts, and when one is again.
    fn track_readiness(&mut self, now: u64) {
        let none_is_ready = self.prefill.requests.recording.recorder.cold.none_is_ready();
        if none_is_ready == self.recording.recorder.cold.none_is_ready() {
            return;
        }
        if none_is_ready {
            self.recording.recorder.settle();
            let oldest = self.oldest_in_flight(now);
            self.recording.recorder.cold.lose_last(now, oldest);
        } else {
            self.recording.recorder.cold.gain_first(now);
        }
    }
}

/// A request as it comes to the pool that computes prompts: of its answer nothing but the first token is computed there.
fn of_prompt(request: &InFlight, ticket: u32, patience: u64) -> Arrival {
    let InFlight { service, class, content, entered, .. } = *request;
    let tokens = Tokens { output: 1, ..request.tokens };
    Arrival { class, ticket, tokens, content, patience, ..Arrival::plain(entered, service) }
}

/// Both pools as one, from outside. Instances are those of the pools: nothing is asked for here.
impl<T: RequestObserver> RequestSide for Network<T> {
    fn is_event_driven(&self) -> bool {
        true
    }
    fn advance(&mut self, now: u64) {
        self.recording.recorder.settle();
        self.waiting.pass(now);
    }
    fn take_outcomes(&mut self, _now: u64) {}
    fn next_drained(&mut self) -> Option<u32> {
        None
    }
    fn next_idle(&mut self) -> Option<(u32, u64)> {
        None
    }
    fn still_idle(&self, _instance: u32, _spells: u64) -> bool {
        false
    }
    fn add(&mut self, _instance: u32, _now: u64, _speed: f64, _first_service: u64) {}
    fn drain(&mut self, _instance: u32, now: u64) -> u64 {
        now
    }
    fn kill(&mut self, _instance: u32, _now: u64) {}
    fn outstanding(&self, _instance: u32) -> u64 {
        0
    }
    fn backlog(&self, now: u64) -> u64 {
        self.prefill.requests.backlog(now) + self.decode.requests.backlog(now) + self.transfers.waiting()
    }
    fn held_back(&self) -> u64 {
        0
    }
    fn gauges(&self, now: u64) -> Gauges {
        let (one, other) = (self.prefill.requests.gauges(now), self.decode.requests.gauges(now));
        Gauges {
            waiting: one.waiting + other.waiting + self.transfers.waiting(),
            buffered: one.buffered + other.buffered,
            busy: one.busy + other.busy,
            draining: one.draining + other.draining,
        }
    }
    fn peak_waiting(&self) -> u64 {
        self.waiting.peak
    }
    fn restart_peak(&mut self) {
        self.waiting.peak = self.waiting.count;
    }
    fn areas(&self, now: u64) -> Areas {
        let mut areas = self.prefill.requests.areas(now);
        areas.add(&self.decode.requests.areas(now));
        areas.waiting += self.transfers.areas(now)[0];
        areas
    }
    fn cache(&self, now: u64) -> CacheUse {
        let (one, other) = (self.prefill.requests.cache(now), self.decode.requests.cache(now));
        let ready = [self.prefill.operations.sizes().1, self.decode.operations.sizes().1].map(f64::from);
        CacheUse {
            used: (one.used * ready[0] + other.used * ready[1]) / (ready[0] + ready[1]).max(1.0),
            preemptions: one.preemptions + other.preemptions,
            prefix: one.prefix,
        }
    }
    fn loads(&self, _now: u64, _out: &mut Vec<Load>) {}
    fn arrived(&self) -> u64 {
        self.arrived
    }
    fn held(&self) -> Option<HeldTimes> {
        None
    }
    fn attempt_counts(&self) -> AttemptCounts {
        AttemptCounts { sent: self.arrived, ..AttemptCounts::default() }
    }
    fn fleet(&mut self, now: Instant) -> Option<Fleet> {
        let (one, other) = (self.prefill.operations.fleet(now), self.decode.operations.fleet(now));
        Some(one.and(other))
    }
    fn in_flight_area(&self, now: u64) -> u128 {
        self.table.area(now)
    }
    fn in_flight(&self, _now: u64, arrivals: Range<u64>) -> u64 {
        self.table.iter().filter(|(_, request)| arrivals.contains(&request.arrival)).count() as u64
    }
    fn record_in_flight(&self, now: u64, from: u64, times: &mut Digest) {
        let measured = self.table.iter().filter(|(_, request)| request.arrival >= from);
        measured.for_each(|(_, request)| times.record(now - request.arrival));
    }
    fn waiting(&self, arrivals: Range<u64>) -> u64 {
        let station = &self.prefill.requests.station;
        let waits = |(ticket, request): &(u32, &InFlight)| {
            arrivals.contains(&request.arrival) && request.in_prefill && station.waits(*ticket)
        };
        self.table.iter().filter(waits).count() as u64
    }
    fn oldest_in_flight(&self, _now: u64) -> u64 {
        self.table.iter().map(|(_, request)| request.arrival).min().unwrap_or(u64::MAX)
    }
    fn recorder(&mut self) -> &mut Recorder {
        &mut self.recording.recorder
    }
    fn as_dyn(&mut self) -> &mut dyn RequestSide {
        self
    }
}
