//! The requests of two pools, wherever they are, and their way from one to the other.

use std::sync::Arc;

use super::in_flight::{InFlight, Table};
use super::pool::Pool;
use super::waiting::Waiting;
use crate::random::Streams;
use crate::service::{self, DecodeServer, Llm, LlmServer, Tokens};
use crate::sim::accounting::{Completion, Recording, RequestObserver, TokenCompletion};
use crate::sim::instances::{Instances, LostRequests};
use crate::sim::queueing::{Arrival, RequestOutcome, Station, Transfer, Transferred, Transfers};
use crate::sim::run::engine::recorder;
use crate::sim::run::model::Model;
use crate::sim::run::options::Options;
use crate::sim::run::request_side::RequestSide;
use crate::stats::Digest;

/// The requests, wherever they are.
#[derive(Debug)]
pub(super) struct Network<T> {
    pub prefill: Pool<LlmServer>,
    pub decode: Pool<DecodeServer>,
    pub transfers: Transfers,
    pub table: Table,
    pub recording: Recording<T>,
    pub engines: [Arc<Llm>; 2],
    /// Whether a request that is lost while it decodes begins again.
    pub begins_again: bool,
    pub arrived: u64,
    pub transferred: TransferRecord,
    pub waiting: Waiting,
}

/// What transfers have come to, of requests that are measured.
#[derive(Debug)]
pub(super) struct TransferRecord {
    pub settings: Transfer,
    pub wait: Digest,
    pub time: Digest,
    pub bytes: f64,
    /// Integrals at the start of the measured part.
    pub before: [u128; 2],
    pub measured_from: u64,
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

impl<T: RequestObserver> Network<T> {
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
        Network {
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
        }
    }

    /// A request arrives, willing to wait for so long.
    pub fn arrive(&mut self, request: InFlight, patience: u64) {
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
    pub fn begin_to_measure(&mut self, now: u64) {
        if now == self.transferred.measured_from {
            self.transferred.before = self.transfers.areas(now);
        }
    }

    /// When something next changes by itself.
    pub fn next_change(&self) -> u64 {
        self.prefill.next_change().min(self.decode.next_change()).min(self.transfers.next_change())
    }

    /// Lets what is due at `now` happen, one thing.
    pub fn step(&mut self, now: u64) {
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
    pub fn hand_on(&mut self, now: u64) {
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
    pub fn track_readiness(&mut self, now: u64) {
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
