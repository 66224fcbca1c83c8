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

mod in_flight;
mod network;
mod outcome;
mod path;
mod pool;
mod side;
mod waiting;

use self::network::Network;
use self::outcome::{merged, together};
use self::path::{Path, TransferRecord};
use super::limits::RunLimits;
use super::model::Model;
use super::operations::Operations;
use super::options::Options;
use super::request_side::RequestSide;
use super::requests::Block;
use crate::random::Streams;
use crate::service::UNKNOWN;
use crate::sim::accounting::{
    DecisionRecord, Outcome, PoolOutcomes, Recording, RequestObserver, TransferOutcome,
};
use crate::sim::queueing::Arrival;
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

impl<T: RequestObserver> TwoPools<T> {
    /// The pool that computes prompts, and the one that decodes.
    pub fn new(
        (prefill, decode): (&Model, &Model),
        streams: Streams,
        options: &Options,
        observer: T,
    ) -> Self {
        let mut network = Network::new((prefill, decode), streams, options, observer);
        let mut whole = Operations::new(prefill, streams, options)
            .of_pools(prefill.initial_instances() + decode.initial_instances());
        whole.begin(&mut network, prefill);
        let end = (Instant::ZERO + prefill.duration).as_nanos();
        let mut pools = TwoPools { network, whole, end, peak_ready: 0 };
        pools.settle(0);
        pools
    }

    /// Makes the run stop early where these limits say so.
    pub fn limit(&mut self, limits: &RunLimits) {
        let Path { prefill, decode, .. } = &mut self.network.path;
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
            self.network.arrive(Arrival {
                class: block.class.get(index).copied().unwrap_or_default(),
                tokens: block.tokens.get(index).copied().unwrap_or_default(),
                content: block.content.get(index).copied().unwrap_or(UNKNOWN),
                patience: block.patience.get(index).copied().unwrap_or(u64::MAX),
                ..Arrival::plain(now, service)
            });
            self.settle(now);
        }
        true
    }

    /// Everything up to `now` has happened.
    fn reach(&mut self, now: u64) {
        let Path { prefill, decode, .. } = &mut self.network.path;
        for operations in [&mut prefill.operations, &mut decode.operations, &mut self.whole] {
            operations.reach(now);
        }
    }

    /// Lets everything happen, one thing at a time, that comes before an arrival at `until`.
    fn step_until(&mut self, until: u64) {
        loop {
            let Path { prefill, decode, .. } = &self.network.path;
            let gates = [&prefill.operations, &decode.operations, &self.whole].map(Operations::event_gate);
            let gate = gates[0].min(gates[1]).min(gates[2]);
            let (change, timer) = (self.network.path.next_change(), self.network.next_timer());
            let limit = until.min(self.end);
            let at = if gate <= change.min(timer).min(until) {
                // Of one instant the pools first: who looks at both sees both as they are after it.
                let handled = match gates {
                    [first, ..] if first == gate => self.network.path.prefill.handle_next(),
                    [_, second, _] if second == gate => self.network.path.decode.handle_next(),
                    _ => self.whole.handle_next(&mut self.network),
                };
                let Some(at) = handled else { return };
                self.network.path.begin_to_measure(at.as_nanos());
                at.as_nanos()
            } else if change <= timer.min(limit) {
                self.reach(change);
                self.network.path.step(change);
                change
            } else if timer <= limit {
                self.reach(timer);
                self.network.step_client(timer);
                timer
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
        network.path.prefill.react(at);
        network.path.decode.react(at);
        network.track_readiness(now);
        network.waiting.pass(now);
        network.waiting.count = RequestSide::gauges(network, now).waiting;
        let (one, other) = (network.path.prefill.operations.sizes(), network.path.decode.operations.sizes());
        let ready = one.1 + other.1;
        self.peak_ready = self.peak_ready.max(ready);
        self.whole.record_sizes(one.0 + other.0, ready);
    }

    /// The decisions kept since the last call, of both pools.
    pub fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        let Path { prefill, decode, .. } = &mut self.network.path;
        merged(prefill.operations.take_decisions(), decode.operations.take_decisions())
    }

    /// Ends the run: what is still to happen up to its end happens.
    pub fn finish(mut self) -> (Outcome, T) {
        self.step_until(self.end + 1);
        let TwoPools { mut network, mut whole, end, peak_ready } = self;
        let Path { prefill, decode, .. } = &mut network.path;
        let lasts = [
            prefill.operations.run_to_end(&mut prefill.requests),
            decode.operations.run_to_end(&mut decode.requests),
        ];
        let last = whole.run_to_end(&mut network);
        let Network { path, recording, .. } = network;
        let Path { prefill, decode, transfers, transferred, .. } = path;
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
