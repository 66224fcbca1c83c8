//! The way of a request through two pools: it waits for and takes its turn at the one, its cache is transferred, and it waits for
//! and takes its turn at the other.

use std::collections::VecDeque;
use std::sync::Arc;

use super::in_flight::{InFlight, Place, Table};
use super::pool::Pool;
use crate::random::Streams;
use crate::service::{self, DecodeServer, Llm, LlmServer, Tokens};
use crate::sim::accounting::{Completion, RequestObserver};
use crate::sim::instances::{Instances, LostRequests};
use crate::sim::queueing::{Arrival, Attended, RequestOutcome, Transfer, Transferred, Transfers};
use crate::sim::run::model::Model;
use crate::sim::run::options::Options;
use crate::stats::Digest;

/// See the module.
#[derive(Debug)]
pub(super) struct Path {
    pub prefill: Pool<LlmServer>,
    pub decode: Pool<DecodeServer>,
    pub transfers: Transfers,
    pub table: Table,
    engines: [Arc<Llm>; 2],
    /// Whether a request that is lost while it decodes begins again.
    begins_again: bool,
    pub transferred: TransferRecord,
    /// Requests that have come to their end and nobody has taken note of yet, with what has become of each.
    ended: VecDeque<(InFlight, RequestOutcome)>,
    /// See [`Attended::paused`].
    paused: u64,
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

impl Path {
    /// The pool that computes prompts, and the one that decodes.
    pub fn new((prefill, decode): (&Model, &Model), streams: Streams, options: &Options) -> Self {
        let engine = |model: &Model| match &model.service.model {
            service::Model::Llm(llm) => Arc::new(llm.clone()),
            // Nothing else is computed in two pools: `Model::conflict` refuses it.
            _ => Arc::default(),
        };
        let engines = [engine(prefill), engine(decode)];
        let transfer = prefill.decode.as_ref().map_or(Transfer::NONE, |decode| decode.transfer);
        // What is lost while it decodes is lost to its pool, whatever becomes of it.
        let lost = Instances { lost: LostRequests::Fail, ..decode.instances.clone() };
        let (first, second) = (Arc::clone(&engines[0]), Arc::clone(&engines[1]));
        Path {
            prefill: Pool::new(prefill, &prefill.instances, first, streams, options),
            decode: Pool::new(decode, &lost, second, streams.of_second_pool(), options),
            transfers: Transfers::new(transfer),
            table: Table::default(),
            engines,
            begins_again: decode.instances.lost != LostRequests::Fail,
            transferred: TransferRecord {
                settings: transfer,
                wait: Digest::new(prefill.duration),
                time: Digest::new(prefill.duration),
                bytes: 0.0,
                before: [0; 2],
                measured_from: prefill.warmup.as_nanos(),
            },
            ended: VecDeque::new(),
            paused: 0,
        }
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
        (request.entered, request.place) = (now, Place::Decode);
        let request = *request;
        self.transferred.record(&request, transfer);
        let InFlight { service, class, tokens, .. } = request;
        self.decode.arrive(Arrival { class, ticket, tokens, ..Arrival::plain(now, service) });
    }

    /// Hands on what has left a pool.
    pub fn hand_on(&mut self, now: u64) {
        loop {
            if let Some((ticket, outcome)) = self.prefill.next_outcome() {
                self.prefilled(ticket, outcome, now);
            } else if let Some((ticket, outcome)) = self.decode.next_outcome() {
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
            request.place = Place::Transfer;
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
            (request.entered, request.place) = (now, Place::Prefill);
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
        let mut request = *request;
        let outcome = match outcome {
            RequestOutcome::Served(served, _) => {
                let InFlight { arrival, start, first_token, place, .. } = request;
                request.paused = if place == Place::Decode { served.start - first_token } else { 0 };
                RequestOutcome::Served(Completion { arrival, start, ..served }, Some(first_token))
            }
            other => other,
        };
        self.ended.push_back((request, outcome));
    }

    /// Whether a request has come to its end that nobody has taken note of.
    pub fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// A request that has come to its end since the last call, and what has become of it.
    pub fn next_ended(&mut self) -> Option<(InFlight, RequestOutcome)> {
        self.ended.pop_front()
    }

    /// Everything up to `now` has happened; the pools are to know.
    pub fn advance(&mut self, now: u64) {
        self.prefill.advance(now);
        self.decode.advance(now);
    }
}

/// Clients send to the pool that computes prompts, and hear from the one where a request ends.
impl Attended for Path {
    fn arrive(&mut self, arrival: Arrival, _gate: u64, _observer: &mut impl RequestObserver) {
        let Arrival { now, service, patience, class, ticket: client, tokens, content } = arrival;
        let request = InFlight {
            client,
            arrival: now,
            service,
            class,
            tokens: self.fitted(tokens),
            content,
            entered: now,
            start: now,
            first_token: 0,
            paused: 0,
            place: Place::Prefill,
        };
        let ticket = self.table.enter(request, now);
        self.prefill.arrive(of_prompt(&request, ticket, patience));
    }

    fn next_outcome(&mut self) -> Option<(u32, RequestOutcome)> {
        let (request, outcome) = self.next_ended()?;
        self.paused = request.paused;
        Some((request.client, outcome))
    }

    fn paused(&self) -> u64 {
        self.paused
    }

    fn cancel(&mut self, client: u32, now: u64, serving_too: bool) -> Option<u64> {
        let (ticket, request) = self.table.of_client(client)?;
        let InFlight { entered, start, first_token, place, .. } = *request;
        let had = match place {
            Place::Prefill => self.prefill.cancel(ticket, entered, now, serving_too)?,
            Place::Transfer if self.transfers.cancel(ticket, now, serving_too) => first_token - start,
            Place::Transfer => return None,
            Place::Decode => self.decode.cancel(ticket, entered, now, serving_too)? + first_token - start,
        };
        self.table.leave(ticket, now);
        Some(had)
    }

    fn has_first_token(&self, client: u32) -> bool {
        self.table.of_client(client).is_some_and(|(ticket, request)| {
            request.place != Place::Prefill || self.prefill.has_first_token(ticket)
        })
    }

    fn waits(&self, client: u32) -> bool {
        self.table.of_client(client).is_some_and(|(ticket, request)| self.waits_for_prefill(ticket, request))
    }
}

impl Path {
    /// Whether a request waits for its prompt to begin.
    pub fn waits_for_prefill(&self, ticket: u32, request: &InFlight) -> bool {
        request.place == Place::Prefill && self.prefill.waits(ticket)
    }
}

/// A request as it comes to the pool that computes prompts: of its answer nothing but the first token is computed there.
fn of_prompt(request: &InFlight, ticket: u32, patience: u64) -> Arrival {
    let InFlight { service, class, content, entered, .. } = *request;
    let tokens = Tokens { output: 1, ..request.tokens };
    Arrival { class, ticket, tokens, content, patience, ..Arrival::plain(entered, service) }
}
