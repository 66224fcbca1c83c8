//! Two pools with the clients that send to them, and one account of both.

use super::path::Path;
use super::waiting::Waiting;
use crate::random::Streams;
use crate::sim::accounting::{Recording, RequestObserver, TokenCompletion};
use crate::sim::clients::Attempts;
use crate::sim::queueing::{Arrival, Attended, RequestOutcome};
use crate::sim::run::engine::{clients, recorder};
use crate::sim::run::model::Model;
use crate::sim::run::options::Options;
use crate::sim::run::request_side::RequestSide;

/// See the module.
#[derive(Debug)]
pub(super) struct Network<T> {
    pub path: Path,
    /// Where requests may be sent more than once, or their senders wait for answers.
    pub clients: Option<Attempts>,
    pub recording: Recording<T>,
    pub arrived: u64,
    pub waiting: Waiting,
}

impl<T: RequestObserver> Network<T> {
    /// The pool that computes prompts, and the one that decodes.
    pub fn new(
        (prefill, decode): (&Model, &Model),
        streams: Streams,
        options: &Options,
        observer: T,
    ) -> Self {
        let mut recorder = recorder(prefill, options, true);
        if let Some(tokens) = &mut recorder.tokens {
            // That of one pool says nothing of both.
            tokens.sustainable_per_s = None;
        }
        Network {
            path: Path::new((prefill, decode), streams, options),
            clients: prefill.client.is_active().then(|| clients(prefill, streams)),
            recording: Recording { recorder, observer },
            arrived: 0,
            waiting: Waiting::default(),
        }
    }

    /// A request arrives from outside.
    pub fn arrive(&mut self, arrival: Arrival) {
        self.arrived += 1;
        match &mut self.clients {
            Some(clients) => clients.arrive(arrival, &mut self.path, &mut self.recording),
            None => self.path.arrive(arrival, arrival.now + 1, &mut self.recording),
        }
    }

    /// When a client next does something by itself.
    pub fn next_timer(&self) -> u64 {
        self.clients.as_ref().map_or(u64::MAX, Attempts::next_timer)
    }

    /// Lets a timer of a client go off at `now`.
    pub fn step_client(&mut self, now: u64) {
        let Some(clients) = &mut self.clients else { return };
        // What was to happen by then has; the pools are to know.
        self.path.advance(now);
        clients.step(&mut self.path, &mut self.recording);
    }

    /// Hands on what has left a pool, and accounts for what has come to its end.
    pub fn hand_on(&mut self, now: u64) {
        loop {
            self.path.hand_on(now);
            match &mut self.clients {
                Some(_) if !self.path.has_ended() => return,
                Some(clients) => clients.take_outcomes(now, &mut self.path, &mut self.recording),
                None => {
                    while let Some((request, outcome)) = self.path.next_ended() {
                        let arrival = request.arrival;
                        match outcome {
                            RequestOutcome::Served(served, first_token) => {
                                let (finish, tokens) = (served.finish, request.tokens);
                                let first_token = first_token.unwrap_or(finish);
                                self.recording.generated(TokenCompletion {
                                    arrival,
                                    first_token,
                                    finish,
                                    tokens,
                                });
                                self.recording.served(served);
                            }
                            RequestOutcome::Rejected => self.recording.rejected_at(arrival, now),
                            RequestOutcome::TimedOut => self.recording.timed_out(arrival, now),
                            RequestOutcome::Failed => self.recording.failed(arrival, now),
                        }
                    }
                    return;
                }
            }
        }
    }

    /// Notes when no instance is ready that computes prompts, and when one is again.
    pub fn track_readiness(&mut self, now: u64) {
        let none_is_ready = self.path.prefill.requests.recording.recorder.cold.none_is_ready();
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
