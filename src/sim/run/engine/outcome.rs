//! What a run comes to, from the counters at its end and at the start of its measured part.

use super::Engine;
use crate::service::FULL;
use crate::sim::accounting::RequestObserver;
use crate::sim::accounting::{Actions, Counts, Integrals, Outcome, Sending, TokenOutcome, TypeShare};
use crate::sim::instances::Bill;
use crate::sim::instances::InstanceType;
use crate::sim::queueing::Station;
use crate::time::Instant;

impl<F: Station, T: RequestObserver> Engine<F, T> {
    /// The figures of the run, which has ended.
    pub(super) fn outcome(mut self) -> (Outcome, T) {
        let end = self.end;
        let start = self.baseline.clone();
        let areas = self.station.areas(end.as_nanos());
        let time = self.pool.time(end);
        let measured_from = start.at.as_nanos();
        let in_flight = self.in_flight(end.as_nanos()).filter(|arrival| *arrival >= measured_from).count();
        let overdue = self.overdue(end);
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
            in_flight: seconds(self.in_flight_area(end.as_nanos()), start.in_flight),
            pending: seconds(time.pending, start.time.pending),
            work: seconds(areas.work, start.areas.work) / FULL as f64,
            starting: seconds(time.starting, start.time.starting),
            ready: seconds(time.ready, start.time.ready),
            draining: seconds(time.draining, start.time.draining),
            warming: seconds(time.warming, start.time.warming),
            warm: seconds(time.warm, start.time.warm),
        };
        let preemptions = self.station.cache(end.as_nanos()).1 - start.preemptions;
        let (kv_cache, kv_cache_peak) = (self.timeline.kv_cache, self.timeline.kv_cache_peak);
        let tokens = self.recorder.tokens.take().map(|record| TokenOutcome {
            ttft: record.ttft,
            tpot: record.tpot,
            prompt: record.prompt,
            output: record.output,
            preemptions,
            kv_cache,
            kv_cache_peak,
        });
        let by_type = self.by_type(end, &start.ready_times);
        let attempt_counts = self.attempt_counts();
        let failure_counts = self.provisioner.failure_counts;
        let (started, warm_starts) = self.pool.starts();
        let actions = self.control.actions;
        let outcome = Outcome {
            queue_overflow: self.queue_overflow,
            measured_s: end.since(start.at).as_secs_f64(),
            counts,
            latency: self.recorder.latency,
            wait: self.recorder.wait,
            classes: self.recorder.classes,
            tokens,
            good: self.recorder.good,
            overdue,
            integrals,
            slots: self.places,
            peak_waiting: self.timeline.peak_waiting,
            peak_ready: self.pool.peak_ready(),
            started: u64::from(started - start.starts.0),
            warm_starts: u64::from(warm_starts - start.starts.1),
            billed_hours: by_type.iter().map(|each| each.billed_hours).sum(),
            cost: by_type.iter().map(|each| each.cost).sum(),
            by_type,
            cold: self.recorder.cold.cold,
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
        };
        (outcome, self.recorder.observer)
    }

    fn by_type(&mut self, end: Instant, before: &[u128]) -> Vec<TypeShare> {
        let bills = self.pool.bills(end);
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
