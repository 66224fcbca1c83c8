//! The lives of the instances: asked for, granted, started, ready, lost or drained.

use super::Engine;
use crate::sim::accounting::RequestObserver;
use crate::sim::instances::DrainPolicy;
use crate::sim::instances::State;
use crate::sim::queueing::Station;
use crate::sim::run::event_queue::Event;
use crate::time::{Instant, Span};

impl<F: Station, T: RequestObserver> Engine<F, T> {
    /// Puts `count` instances into the pool that are ready at the start of the run.
    pub(super) fn seed(&mut self, count: u32) {
        for _ in 0..count {
            let id = self.pool.request(Instant::ZERO);
            match self.provisioner.initial(&self.pool) {
                Some(kind) => {
                    self.pool.start(id, kind, Instant::ZERO);
                    self.place_at_start(id, kind);
                    self.become_ready(id, Instant::ZERO);
                }
                None => self.ask(id, 0, Instant::ZERO),
            }
        }
        self.seed_warm();
        self.track_readiness(Instant::ZERO);
    }

    /// Brings the pool to the desired size: starts what is missing, cancels or drains what is too much.
    pub(super) fn reconcile(&mut self, at: Instant) {
        let existing = self.pool.counts().existing();
        for _ in existing..self.control.desired {
            let id = self.pool.request(at);
            self.ask(id, 0, at);
        }
        for _ in self.control.desired..existing {
            let (station, provisioner) = (&self.station, &self.provisioner);
            let scale_down_rank = |kind, held| provisioner.scale_down_rank(kind, held);
            match self
                .pool
                .next_to_go(self.instances.scale_down, scale_down_rank, |id| station.outstanding(id))
            {
                Some((id, State::Ready)) => self.drain(id, at, Span::MAX),
                Some((id, _)) => {
                    self.pool.remove(id, at);
                }
                None => break,
            }
        }
        self.tidy(at);
    }

    /// Asks for the capacity an instance needs to start, for the `attempt`-th time; what is warm comes first.
    pub(super) fn ask(&mut self, id: u32, attempt: u32, at: Instant) {
        let Some((state, _)) = self.pool.find(id) else { return };
        if state == State::Pending
            && let Some(kind) = self.provisioner.warm(&self.pool)
        {
            self.pool.start_warm(id, kind, at);
            self.events.add(at + self.provisioner.draw_warm_start(kind, id), Event::Ready(id));
            return;
        }
        match self.provisioner.grant(&self.pool, id, attempt, at) {
            Some(kind) => {
                self.pool.start(id, kind, at);
                if self.place(id, kind, at) {
                    self.start(id, 0, at);
                }
            }
            None => {
                let again = at + self.provisioner.pause(attempt);
                self.events.add(again, Event::Ask(id, attempt.saturating_add(1)));
            }
        }
    }

    /// An instance begins to start, after so many attempts that failed.
    pub(super) fn start(&mut self, id: u32, attempt: u32, at: Instant) {
        let Some((state, kind)) = self.pool.find(id) else { return };
        let start = match self.pool.nodes().and_then(|nodes| nodes.cached(id)) {
            Some(cached) => self.provisioner.draw_start_on_node(kind, (id, attempt), at, cached),
            None => self.provisioner.draw_start(kind, id, attempt, state == State::Warming),
        };
        let event = if start.retry.is_some() { Event::StartFailed(id, attempt) } else { Event::Ready(id) };
        self.events.add(at + start.time, event);
    }

    /// An attempt to start is found to have failed.
    pub(super) fn start_failed(&mut self, id: u32, attempt: u32, at: Instant) {
        let Some((state, kind)) = self.pool.find(id) else { return };
        self.provisioner.failure_counts.failed_starts += 1;
        let start = self.provisioner.draw_start(kind, id, attempt, state == State::Warming);
        let pause = start.retry.unwrap_or(Span::ZERO);
        self.events.add(at + pause, Event::Start(id, attempt.saturating_add(1)));
    }

    /// An instance has started: requests may come, or it is kept warm.
    pub(super) fn become_ready(&mut self, id: u32, at: Instant) {
        let Some((state, kind)) = self.pool.find(id) else { return };
        if state == State::Warming {
            self.pool.warmed(id, kind, at);
            return;
        }
        self.pool.ready(id, at);
        self.track_readiness(at);
        if F::EVENT_DRIVEN {
            let first_service = self.instances.draw_first_request(self.streams, id);
            self.station.set_next_instance(self.provisioner.speed(kind, id), first_service);
        }
        self.station.add(id, at.as_nanos(), &mut self.recorder);
        let (failure, notice) = self.provisioner.draw_end(kind, id);
        if let Some(after) = failure {
            self.events.add(at + after, Event::Fail(id));
        }
        if let Some(after) = notice {
            self.events.add(at + after, Event::Notice(id));
        }
    }

    /// An instance fails with the requests it has, and is replaced.
    pub(super) fn fail(&mut self, id: u32, at: Instant) {
        let Some((state, _)) = self.pool.find(id) else { return };
        self.provisioner.failure_counts.failures += 1;
        self.pool.remove(id, at);
        self.track_readiness(at);
        self.kill(id, at.as_nanos());
        if state == State::Ready {
            self.replace(at);
        } else {
            self.tidy(at);
        }
    }

    /// Takes an instance away with all it has.
    pub(super) fn kill(&mut self, id: u32, now: u64) {
        self.station.kill(id, now, &mut self.lost);
        for request in self.lost.drain(..) {
            self.recorder.failed(request.arrival, now);
        }
    }

    /// An instance is given notice: it drains as far as it gets, and is replaced.
    pub(super) fn give_notice(&mut self, id: u32, at: Instant) {
        let Some((state, kind)) = self.pool.find(id) else { return };
        self.provisioner.failure_counts.interruptions += 1;
        let notice = self.provisioner.notice(kind);
        if state == State::Ready {
            self.drain(id, at, notice);
            self.replace(at);
        } else {
            self.pool.keep_from_returning(id);
            self.tidy(at);
            self.events.add(at + notice, Event::Deadline(id));
        }
    }

    /// Starts another for one that was lost, as far as the autoscaler still wants it.
    pub(super) fn replace(&mut self, at: Instant) {
        if F::EVENT_DRIVEN {
            // A policy that acts at every change acts at this one first.
            self.react(at);
        }
        self.reconcile(at);
    }

    /// A ready instance takes no more requests, and is gone when it has finished those it has: within `notice`, and the
    /// drain deadline.
    pub(super) fn drain(&mut self, id: u32, at: Instant, notice: Span) {
        // What has been given notice cannot come back.
        let reuse = self.instances.warm_pool.as_ref().is_some_and(|pool| pool.reuse_on_scale_in);
        self.pool.drain(id, at, reuse && notice == Span::MAX);
        self.track_readiness(at);
        let is_busy = self.station.outstanding(id) > 0;
        let last = Instant::from_nanos(self.station.drain(id, at.as_nanos()));
        let deadline = at + self.instances.drain_deadline.unwrap_or(Span::MAX).min(notice);
        if is_busy && deadline <= last && self.instances.leaving == DrainPolicy::Finish {
            self.events.add(deadline, Event::Deadline(id));
        } else if last == at {
            self.pool.leave(id, at);
        } else {
            self.events.add(last, Event::Gone(id));
        }
    }

    /// Notes when no instance is ready, and when one is again.
    pub(super) fn track_readiness(&mut self, at: Instant) {
        let shut = self.pool.counts().ready == 0;
        if shut == self.recorder.cold.none_is_ready() {
            return;
        }
        if shut {
            self.recorder.settle();
            let oldest = self.in_flight(at.as_nanos()).min().unwrap_or(u64::MAX);
            self.recorder.cold.shut(at.as_nanos(), oldest);
        } else {
            self.recorder.cold.open(at.as_nanos());
        }
    }
}
