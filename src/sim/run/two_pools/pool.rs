//! One of two pools, with its instances and an account of its own.

use std::sync::Arc;

use crate::autoscaler::OfPool;
use crate::random::Streams;
use crate::service::{Server, Tokens};
use crate::sim::accounting::{Completion, Recorder, Recording, RequestObserver, TokenCompletion};
use crate::sim::instances::Instances;
use crate::sim::queueing::{Arrival, EventDrivenServers, RequestOutcome, Station};
use crate::sim::run::model::Model;
use crate::sim::run::operations::Operations;
use crate::sim::run::options::Options;
use crate::sim::run::request_side::Requests;
use crate::time::Instant;

/// A pool with its instances.
#[derive(Debug)]
pub(super) struct Pool<S: Server> {
    pub requests: Requests<EventDrivenServers<S>, ()>,
    pub operations: Operations,
}

impl<S: Server> Pool<S> {
    pub fn new(
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
    pub fn arrive(&mut self, arrival: Arrival) {
        let now = arrival.now;
        let Requests { station, recording, arrived, .. } = &mut self.requests;
        *arrived += 1;
        station.arrive(arrival, now + 1, recording);
        if self.operations.is_asleep() {
            self.operations.wake(&mut self.requests, now);
        }
    }

    /// Takes away a request that came to it at `entered`, as [`Station::cancel`] does: in its account it has given up.
    pub fn cancel(&mut self, ticket: u32, entered: u64, now: u64, serving_too: bool) -> Option<u64> {
        let Requests { station, recording, .. } = &mut self.requests;
        let had = station.cancel(ticket, now, serving_too)?;
        recording.recorder.timed_out(entered, now);
        Some(had)
    }

    /// What has become of a request since the last call.
    pub fn next_outcome(&mut self) -> Option<(u32, RequestOutcome)> {
        self.requests.station.next_outcome()
    }

    /// Whether the first token of a request has come.
    pub fn has_first_token(&self, ticket: u32) -> bool {
        self.requests.station.has_first_token(ticket)
    }

    /// Whether a request waits for its part to begin.
    pub fn waits(&self, ticket: u32) -> bool {
        self.requests.station.waits(ticket)
    }

    /// Everything up to `now` has happened; it is to know.
    pub fn advance(&mut self, now: u64) {
        let Requests { station, recording, .. } = &mut self.requests;
        station.advance(now, recording);
    }

    pub fn handle_next(&mut self) -> Option<Instant> {
        self.operations.handle_next(&mut self.requests)
    }

    pub fn step(&mut self) {
        let Requests { station, recording, .. } = &mut self.requests;
        station.step(recording);
    }

    pub fn next_change(&self) -> u64 {
        self.requests.station.next_change()
    }

    pub fn react(&mut self, at: Instant) {
        self.operations.react(&mut self.requests, at);
    }

    /// Accounts for what has become of a request that came to it at `entered`, with these tokens of its own.
    pub fn account(&mut self, entered: u64, tokens: Tokens, outcome: RequestOutcome, now: u64) {
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
