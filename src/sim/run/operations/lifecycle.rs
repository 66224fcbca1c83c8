//! The lives of the instances: asked for, granted, started, ready, lost or drained.

use std::ops::Range;

use super::Operations;
use crate::sim::instances::{DrainPolicy, State};
use crate::sim::run::event_queue::Event;
use crate::sim::run::request_side::RequestSide;
use crate::time::{Instant, Span};

impl Operations {
    /// Puts `count` instances into the pool that are ready at the start of the run.
    pub(super) fn seed(&mut self, requests: &mut dyn RequestSide, count: u32) {
        for _ in 0..count {
            let id = self.registry.request(Instant::ZERO);
            match self.provisioner.initial(&self.registry) {
                Some(kind) => {
                    self.registry.start(id, kind, Instant::ZERO);
                    self.place_at_start(id, kind);
                    self.become_ready(requests, id, Instant::ZERO);
                }
                None => self.ask(id, 0, Instant::ZERO),
            }
        }
        self.seed_warm();
        self.track_readiness(requests, Instant::ZERO);
    }

    /// Brings the pool to the desired size: starts what is missing, cancels or drains what is too much.
    pub(super) fn reconcile(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        if self.rolling.is_some() {
            return self.go_on_rolling(requests, at);
        }
        let existing = self.registry.counts().existing();
        for _ in existing..self.control.desired {
            let id = self.registry.request(at);
            self.ask(id, 0, at);
        }
        for _ in self.control.desired..existing {
            if !self.let_one_go(requests, 0..u32::MAX, at) {
                break;
            }
        }
        self.tidy(at);
    }

    /// Cancels or drains the one of the instances of these numbers that goes first; `false` if there is none.
    pub(super) fn let_one_go(
        &mut self,
        requests: &mut dyn RequestSide,
        among: Range<u32>,
        at: Instant,
    ) -> bool {
        let provisioner = &self.provisioner;
        let rank = |kind, held| provisioner.scale_down_rank(kind, held);
        let order = self.instances.scale_down;
        match self.registry.next_to_go(among, order, rank, |id| requests.outstanding(id)) {
            Some((id, State::Ready)) => self.drain(requests, id, at, Span::MAX),
            Some((id, _)) => {
                self.registry.remove(id, at);
            }
            None => return false,
        }
        true
    }

    /// Asks for the capacity an instance needs to start, for the `attempt`-th time; what is warm comes first.
    pub(super) fn ask(&mut self, id: u32, attempt: u32, at: Instant) {
        let Some((state, _)) = self.registry.find(id) else { return };
        if state == State::Pending
            && let Some(kind) = self.provisioner.warm(&self.registry)
        {
            self.registry.start_warm(id, kind, at);
            self.events.add(at + self.provisioner.draw_warm_start(kind, id), Event::Ready(id));
            return;
        }
        match self.provisioner.grant(&self.registry, id, attempt, at) {
            Some(kind) => {
                self.registry.start(id, kind, at);
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

    /// An instance begins its attempt number `attempt`, from 0, to start.
    pub(super) fn start(&mut self, id: u32, attempt: u32, at: Instant) {
        let Some((state, kind)) = self.registry.find(id) else { return };
        let start = match self.registry.nodes().and_then(|nodes| nodes.cached(id)) {
            Some(cached) => self.provisioner.draw_start_on_node(kind, (id, attempt), at, cached),
            None => self.provisioner.draw_start(kind, id, attempt, state == State::Warming),
        };
        let event = if start.retry.is_some() { Event::StartFailed(id, attempt) } else { Event::Ready(id) };
        self.events.add(at + start.time, event);
    }

    /// An attempt to start is found to have failed.
    pub(super) fn start_failed(&mut self, id: u32, attempt: u32, at: Instant) {
        let Some((state, kind)) = self.registry.find(id) else { return };
        self.provisioner.failure_counts.failed_starts += 1;
        let start = self.provisioner.draw_start(kind, id, attempt, state == State::Warming);
        let pause = start.retry.unwrap_or(Span::ZERO);
        self.events.add(at + pause, Event::Start(id, attempt.saturating_add(1)));
    }

    /// An instance has started: requests may come, or it is kept warm.
    pub(super) fn become_ready(&mut self, requests: &mut dyn RequestSide, id: u32, at: Instant) {
        let Some((state, kind)) = self.registry.find(id) else { return };
        if state == State::Warming {
            self.registry.warmed(id, kind, at);
            return;
        }
        // What is there at the start of the run has long been warm.
        let warm_up = self.instances.warm_up.as_ref().filter(|_| at > Instant::ZERO);
        let warm_from = at + warm_up.map_or(Span::ZERO, |warm_up| warm_up.draw(self.streams, id));
        self.registry.ready(id, at, warm_from);
        self.track_readiness(requests, at);
        let first_service = self.instances.draw_first_request(self.streams, id);
        requests.add(id, at.as_nanos(), self.provisioner.speed(kind, id), first_service);
        let (failure, notice) = self.provisioner.draw_end(kind, id);
        if let Some(after) = failure {
            self.events.add(at + after, Event::Fail(id));
        }
        if let Some(after) = notice {
            self.events.add(at + after, Event::Notice(id));
        }
    }

    /// An instance fails with the requests it has, and is replaced.
    pub(super) fn fail(&mut self, requests: &mut dyn RequestSide, id: u32, at: Instant) {
        let Some((state, _)) = self.registry.find(id) else { return };
        self.provisioner.failure_counts.failures += 1;
        self.registry.remove(id, at);
        self.track_readiness(requests, at);
        requests.kill(id, at.as_nanos());
        if state == State::Ready {
            self.replace(requests, at);
        } else {
            self.tidy(at);
        }
    }

    /// An instance is given notice: it drains as far as it gets, and is replaced.
    pub(super) fn give_notice(&mut self, requests: &mut dyn RequestSide, id: u32, at: Instant) {
        let Some((state, kind)) = self.registry.find(id) else { return };
        self.provisioner.failure_counts.interruptions += 1;
        let notice = self.provisioner.notice(kind);
        if state == State::Ready {
            self.drain(requests, id, at, notice);
            self.replace(requests, at);
        } else {
            self.registry.keep_from_returning(id);
            self.tidy(at);
            self.events.add(at + notice, Event::Deadline(id));
        }
    }

    /// Starts another for one that was lost, as far as the autoscaler still wants it.
    pub(super) fn replace(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        if requests.is_event_driven() {
            // A policy that acts at every change acts at this one first.
            self.react(requests, at);
        }
        self.reconcile(requests, at);
    }

    /// A ready instance takes no more requests, and is gone when it has finished those it has: within `notice`, and the
    /// drain deadline.
    pub(super) fn drain(&mut self, requests: &mut dyn RequestSide, id: u32, at: Instant, notice: Span) {
        // What has been given notice cannot come back.
        let reuse = self.instances.warm_pool.as_ref().is_some_and(|pool| pool.reuse_on_scale_in);
        self.registry.drain(id, at, reuse && notice == Span::MAX);
        self.track_readiness(requests, at);
        let is_busy = requests.outstanding(id) > 0;
        let last = Instant::from_nanos(requests.drain(id, at.as_nanos()));
        let deadline = at + self.instances.drain_deadline.unwrap_or(Span::MAX).min(notice);
        if is_busy && deadline <= last && self.instances.leaving == DrainPolicy::Finish {
            self.events.add(deadline, Event::Deadline(id));
        } else if last == at && (!is_busy || self.instances.leaving == DrainPolicy::Requeue) {
            self.registry.leave(id, at);
        } else {
            self.events.add(last, Event::Gone(id));
        }
    }

    /// Notes when no instance is ready, and when one is again.
    pub(super) fn track_readiness(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        let none_is_ready = self.registry.counts().ready == 0;
        if none_is_ready == requests.recorder().cold.none_is_ready() {
            return;
        }
        if none_is_ready {
            requests.recorder().settle();
            let oldest = requests.oldest_in_flight(at.as_nanos());
            requests.recorder().cold.lose_last(at.as_nanos(), oldest);
        } else {
            requests.recorder().cold.gain_first(at.as_nanos());
        }
    }
}
