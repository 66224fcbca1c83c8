//! The outcome of a run, from the counters at its end and at the start of its measured part.

use super::Operations;
use crate::service::FULL;
use crate::sim::accounting::{
    Actions, Areas, Counts, HeldTimes, Integrals, MORE, Outcome, Recorder, Sending, TokenOutcome, TypeShare,
};
use crate::sim::clients::AttemptCounts;
use crate::sim::instances::{Bill, InstanceType};
use crate::sim::queueing::CacheUse;
use crate::sim::run::request_side::RequestSide;
use crate::stats::Digest;
use crate::time::Instant;

/// Counters of the requests at the end of the run.
#[derive(Debug, Clone)]
pub(in crate::sim::run) struct LastCounts {
    arrived: u64,
    areas: Areas,
    /// Integral of the requests in flight.
    in_flight_area: u128,
    /// How long the requests in flight that arrived in the measured part have been so.
    unanswered: Digest,
    /// Those of them that have missed each promise.
    overdue: [u64; MORE + 1],
    attempt_counts: AttemptCounts,
    /// The greatest number of requests waiting at a time.
    peak_waiting: u64,
    cache: CacheUse,
    held: Option<HeldTimes>,
}

impl Operations {
    /// Lets the events happen that are left, and everything up to the end; the counters of the requests there.
    pub fn run_to_end(&mut self, requests: &mut dyn RequestSide) -> LastCounts {
        while self.handle_next(requests).is_some() {}
        let end = self.end.as_nanos();
        self.advance(requests, end);
        let mut unanswered = Digest::new(self.end.since(Instant::ZERO));
        requests.record_in_flight(end, self.baseline.at.as_nanos(), &mut unanswered);
        let overdue = self.overdue(requests, self.end);
        self.tell_overdue(requests, &overdue[1..]);
        self.timeline.end();
        LastCounts {
            arrived: requests.arrived(),
            areas: requests.areas(end),
            in_flight_area: requests.in_flight_area(end),
            unanswered,
            overdue,
            attempt_counts: requests.attempt_counts(),
            peak_waiting: requests.peak_waiting(),
            cache: requests.cache(end),
            held: requests.held(),
        }
    }

    /// The figures of the run, which has ended.
    pub fn outcome(mut self, last: &LastCounts, mut recorder: Recorder) -> Outcome {
        let end = self.end;
        let start = self.baseline.clone();
        let areas = last.areas;
        let time = self.registry.time(end);
        let counts = Counts {
            arrived: last.arrived - start.arrived,
            served: recorder.latency.count(),
            rejected: recorder.rejected,
            timed_out: recorder.timed_out,
            failed: recorder.failed,
            in_flight: last.unanswered.count(),
        };
        let ended = counts.arrived - counts.in_flight;
        let tallies = recorder.more.iter().zip(&last.overdue[1..]);
        let more = tallies.map(|(tally, overdue)| tally.kept(ended, *overdue)).collect();
        let seconds = |later: u128, earlier: u128| (later - earlier) as f64 / 1e9;
        let integrals = Integrals {
            waiting: seconds(areas.waiting, start.areas.waiting),
            in_service: seconds(areas.in_service, start.areas.in_service),
            busy: seconds(areas.busy, start.areas.busy),
            in_flight: seconds(last.in_flight_area, start.in_flight),
            pending: seconds(time.pending, start.time.pending),
            work: seconds(areas.work, start.areas.work) / FULL as f64,
            starting: seconds(time.starting, start.time.starting),
            ready: seconds(time.ready, start.time.ready),
            draining: seconds(time.draining, start.time.draining),
            warming: seconds(time.warming, start.time.warming),
            warm: seconds(time.warm, start.time.warm),
        };
        let preemptions = last.cache.preemptions - start.cache.preemptions;
        let [found, prompts] = [0, 1].map(|index| last.cache.prefix[index] - start.cache.prefix[index]);
        let (kv_cache, kv_cache_peak) = (self.timeline.kv_cache, self.timeline.kv_cache_peak);
        let tokens = recorder.tokens.take().map(|record| TokenOutcome {
            ttft: record.ttft,
            tpot: record.tpot,
            prompt: record.prompt,
            output: record.output,
            preemptions,
            prefix: (found, prompts),
            kv_cache,
            kv_cache_peak,
            sustainable_per_s: record.sustainable_per_s,
        });
        let by_type = self.by_type(end, &start.ready_times);
        let attempt_counts = last.attempt_counts;
        let failure_counts = self.provisioner.failure_counts;
        let (started, warm_starts) = self.registry.starts();
        let actions = self.control.actions;
        Outcome {
            queue_overflow: self.queue_overflow,
            measured_s: end.since(start.at).as_secs_f64(),
            counts,
            latency: recorder.latency,
            wait: recorder.wait,
            unanswered: last.unanswered.clone(),
            held: last.held.clone(),
            classes: recorder.classes,
            tokens,
            good: recorder.good,
            overdue: last.overdue[0],
            more,
            integrals,
            slots: self.places,
            peak_waiting: last.peak_waiting,
            peak_ready: self.registry.peak_ready(),
            started: u64::from(started - start.starts.0),
            warm_starts: u64::from(warm_starts - start.starts.1),
            billed_hours: by_type.iter().map(|each| each.billed_hours).sum(),
            cost: by_type.iter().map(|each| each.cost).sum(),
            by_type,
            cold: recorder.cold.latency,
            sending: Sending {
                sent: attempt_counts.sent - start.attempt_counts.sent,
                retried: attempt_counts.retried - start.attempt_counts.retried,
                hedged: attempt_counts.hedged - start.attempt_counts.hedged,
                wasted_s: seconds(attempt_counts.wasted, start.attempt_counts.wasted),
            },
            failure_counts: failure_counts.since(start.failure_counts),
            actions: Actions {
                up: actions.up - start.actions.up,
                down: actions.down - start.actions.down,
                flaps: actions.flaps - start.actions.flaps,
            },
            below_slo_s: self.timeline.below_slo_s,
            timeline: self.timeline.kept,
            decisions: self.control.decisions,
            pools: None,
        }
    }

    fn by_type(&mut self, end: Instant, before: &[u128]) -> Vec<TypeShare> {
        let bills = self.registry.bills(end);
        let before = before.iter().copied().chain(std::iter::repeat(0));
        let share = |((kind, bill), before): ((&InstanceType, Bill), u128)| TypeShare {
            name: kind.name.clone(),
            billed_hours: bill.hours,
            warm_hours: bill.warm_hours,
            node_hours: bill.node_hours,
            cost: bill.cost,
            warm_cost: bill.warm_cost,
            node_cost: bill.node_cost,
            ready: (bill.ready_time - before) as f64 / 1e9,
        };
        self.provisioner.kinds().iter().zip(bills).zip(before).map(share).collect()
    }
}
