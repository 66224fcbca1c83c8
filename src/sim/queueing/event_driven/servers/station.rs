//! The pool as the engine drives it.

use super::*;
use crate::sim::accounting::Gauges;
use crate::sim::queueing::station::{Arrival, CacheUse, Load, NO_TICKET, Station};

impl<S: Server> Station for EventDrivenServers<S> {
    const EVENT_DRIVEN: bool = true;
    const COUNTS_TOKENS: bool = S::COUNTS_TOKENS;

    #[inline]
    fn arrive(&mut self, arrival: Arrival, _gate: u64, observer: &mut impl RequestObserver) {
        let now = arrival.now;
        self.advance(now, observer);
        let job = self.table.enter(&arrival, self.sequence);
        self.sequence += 1;
        if !self.is_central() {
            return self.dispatch(job, self.capacity, now, observer);
        }
        self.enqueue(job, now.saturating_add(arrival.patience));
        self.begin(now);
        if self.queue.len() > self.capacity && self.queue.remove(job.sequence).is_some() {
            self.ledger.waiting -= 1;
            self.reject(&job, now, observer);
        }
    }

    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        while self.next_change() <= now {
            self.step(observer);
        }
        self.ledger.pass(now);
        self.progress.reached = now;
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.due.least().nanos().min(self.held_until()).min(self.queue.next_deadline())
    }

    #[inline]
    fn step(&mut self, observer: &mut impl RequestObserver) {
        let (due, held) = (self.due.least(), self.held_until());
        let deadline = self.queue.next_deadline();
        // What ends at the very instant at which waiting ends comes first; a deadline last, so that what begins then is
        // still in time.
        if due.nanos() <= held.min(deadline) {
            self.ledger.pass(due.nanos());
            self.happen(due.leaf(), due.nanos(), observer);
        } else if held <= deadline {
            self.ledger.pass(held);
            self.progress.reached = held;
            self.begin(held);
        } else {
            self.ledger.pass(deadline);
            self.progress.reached = deadline;
            if let Some(job) = self.queue.pass_deadline() {
                self.ledger.waiting -= 1;
                self.table.remove(job.request.mark);
                self.notices.report(job.ticket, &job.request, RequestOutcome::TimedOut, deadline, observer);
                self.call(deadline);
            }
        }
    }

    #[inline]
    fn next_idle(&mut self) -> Option<(u32, u64)> {
        self.notices.idle.pop_front()
    }

    #[inline]
    fn next_drained(&mut self) -> Option<u32> {
        self.notices.drained.pop_front()
    }

    #[inline]
    fn next_outcome(&mut self) -> Option<(u32, RequestOutcome)> {
        self.notices.outcomes.pop_front()
    }

    fn cancel(&mut self, ticket: u32, now: u64, serving_too: bool) -> Option<u64> {
        self.ledger.pass(now);
        let (mark, entry) = self.table.find(ticket)?;
        let had = match entry.place {
            Place::Nowhere => return None,
            Place::Queue => {
                self.queue.remove(entry.sequence)?;
                self.ledger.waiting -= 1;
                self.call(now);
                0
            }
            Place::Host(id) => {
                let index = self.index(id)?;
                let over = self.over(index, now);
                let host = &mut self.hosts[index];
                host.queue.remove(entry.sequence)?;
                host.server.notify(&host.queue, over);
                self.ledger.waiting -= 1;
                self.update(index);
                self.settle(index, now);
                0
            }
            Place::Service(_) if !serving_too => return None,
            Place::Service(id) => {
                let index = self.index(id)?;
                let over = self.over(index, now);
                let host = &mut self.hosts[index];
                host.pass(now);
                let active = host.server.cancel(mark, now, over)?;
                self.count_over(index, 1);
                self.update(index);
                if self.is_central() {
                    self.begin(now);
                } else {
                    self.admit(index, now);
                }
                self.settle(index, now);
                now - active.start
            }
        };
        self.table.remove(mark);
        Some(had)
    }

    #[inline]
    fn still_idle(&self, instance: u32, spells: u64) -> bool {
        self.index(instance)
            .map(|index| &self.hosts[index])
            .is_some_and(|host| host.is_empty() && host.spells == spells && host.drained.is_none())
    }

    fn set_next_instance(&mut self, speed: f64, _first_service: u64) {
        self.speed = speed;
    }

    fn add(&mut self, instance: u32, now: u64, observer: &mut impl RequestObserver) {
        self.ledger.pass(now);
        let server = S::new(&self.settings, self.speed);
        self.hosts.push(Host::new(instance, self.speed, server, now));
        self.rebuild();
        self.ready += 1;
        if let Some(routing) = &mut self.routing {
            routing.add(instance, self.speed);
            // All that is buffered goes on at once: its own limit has already been applied.
            while let Some(job) = self.queue.pop() {
                self.ledger.waiting -= 1;
                self.dispatch(job, u64::MAX, now, observer);
            }
        } else {
            self.begin(now);
        }
        if let Some(index) = self.index(instance) {
            self.settle(index, now);
        }
    }

    /// When it will have finished is not known ahead: [`Station::next_drained`] reports it when it has.
    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        self.ledger.pass(now);
        let Some(index) = self.index(instance) else { return now };
        self.close(index, now);
        if self.hosts[index].is_empty() {
            self.remove(index, now);
            return now;
        }
        u64::MAX
    }

    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>) {
        self.ledger.pass(now);
        let Some(index) = self.index(instance) else { return };
        self.close(index, now);
        self.count_over(index, self.hosts[index].server.in_service());
        let mut host = self.remove(index, now);
        let mut jobs: Vec<Job> =
            host.server.requests().map(|active| self.table.again(active.request)).collect();
        while let Some(job) = host.queue.pop() {
            self.ledger.waiting -= 1;
            jobs.push(job);
        }
        jobs.sort_unstable_by_key(|job| job.sequence);
        if self.lost != LostRequests::Fail {
            return self.requeue(jobs, now);
        }
        for job in jobs {
            self.table.remove(job.request.mark);
            if job.ticket == NO_TICKET {
                lost.push(job.request);
            } else {
                self.notices.outcomes.push_back((job.ticket, RequestOutcome::Failed));
            }
        }
    }

    fn outstanding(&self, instance: u32) -> u64 {
        self.index(instance).map_or(0, |index| self.hosts[index].outstanding())
    }

    #[inline]
    fn gauges(&self, _now: u64) -> Gauges {
        self.ledger.gauges(if self.ready > 0 { 0 } else { self.queue.len() })
    }

    fn peak_waiting(&self) -> u64 {
        self.ledger.peak_waiting
    }

    fn restart_peak(&mut self) {
        self.ledger.peak_waiting = self.ledger.waiting;
    }

    fn areas(&self, now: u64) -> Areas {
        debug_assert!(self.counts_hold(), "{:?}", self.ledger);
        let work = self.past_work + self.hosts.iter().map(|host| host.work(now)).sum::<u128>();
        Areas { work, ..self.ledger.areas(now) }
    }

    fn cache(&self, now: u64) -> CacheUse {
        let ready = || self.hosts.iter().filter(|host| host.drained.is_none());
        let used: f64 = ready().map(|host| host.server.kv_cache(now)).sum();
        let preempted: u64 = self.hosts.iter().map(|host| host.server.preemptions()).sum();
        let hits = self.hosts.iter().map(|host| host.server.prefix_hits());
        CacheUse {
            used: used / f64::from(self.ready.max(1)),
            preemptions: self.preemptions + preempted,
            prefix: hits.fold(self.prefix, |sum, own| [sum[0] + own[0], sum[1] + own[1]]),
        }
    }

    #[inline]
    fn has_first_token(&self, ticket: u32) -> bool {
        let Some((mark, Entry { place: Place::Service(id), .. })) = self.table.find(ticket) else {
            return false;
        };
        self.index(id).is_some_and(|index| self.hosts[index].server.has_first_token(mark))
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        out.extend(self.hosts.iter().filter(|host| host.drained.is_none()).map(|host| host.load(now)));
    }

    #[inline]
    fn waits(&self, ticket: u32) -> bool {
        let place = self.table.find(ticket).map(|(_, entry)| entry.place);
        matches!(place, Some(Place::Queue | Place::Host(_)))
    }

    fn waiting(&self) -> impl Iterator<Item = u64> {
        let queued = self.hosts.iter().flat_map(|host| host.queue.iter());
        self.queue.iter().chain(queued).map(|job| job.request.arrival)
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let serving = self.hosts.iter().flat_map(|host| host.server.requests());
        self.waiting().chain(serving.map(|active| active.request.arrival))
    }
}
