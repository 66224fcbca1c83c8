//! The station as the engine drives it.

use super::*;
use crate::service::Request;
use crate::sim::accounting::Gauges;
use crate::sim::queueing::dispatch::MAX_SLOTS;
use crate::sim::queueing::station::{Arrival, Load, Station};

impl Station for EventDrivenSlots {
    const EVENT_DRIVEN: bool = true;

    #[inline]
    fn arrive(&mut self, arrival: Arrival, _gate: u64, observer: &mut impl RequestObserver) {
        let now = arrival.now;
        self.advance(now, observer);
        let job = Job::new(arrival, self.sequence);
        self.sequence += 1;
        if self.routing.is_some() {
            return self.dispatch(job, self.capacity, now, observer);
        }
        let idle = self.idle.least();
        if idle != InstantKey::NEVER {
            self.begin(idle.leaf(), job, now);
        } else if self.queue.len() < self.capacity {
            self.enqueue(job, now.saturating_add(arrival.patience));
        } else {
            self.report(&job, RequestOutcome::Rejected, now, observer);
        }
    }

    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver) {
        while self.next_change() <= now {
            self.step(observer);
        }
        self.ledger.pass(now);
    }

    #[inline]
    fn step(&mut self, observer: &mut impl RequestObserver) {
        let (due, deadline) = (self.due.least(), self.queue.next_deadline());
        // A slot that falls free at the very instant of a deadline is still in time.
        if due.nanos() <= deadline {
            self.ledger.pass(due.nanos());
            self.complete(due.leaf(), due.nanos(), observer);
        } else {
            self.ledger.pass(deadline);
            if let Some(job) = self.queue.pass_deadline() {
                self.ledger.waiting -= 1;
                self.report(&job, RequestOutcome::TimedOut, deadline, observer);
            }
        }
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.due.least().nanos().min(self.queue.next_deadline())
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
        let had = match self.places.get(ticket) {
            Place::Nowhere => return None,
            Place::Queue(sequence) => {
                let job = self.queue.remove(sequence)?;
                self.ledger.waiting -= 1;
                job.had
            }
            Place::Host(id, sequence) => {
                let job = self.host(id)?.queue.remove(sequence)?;
                self.note_change(id);
                self.ledger.waiting -= 1;
                job.had
            }
            Place::Slot(_) if !serving_too => return None,
            Place::Slot(leaf) => {
                let id = self.slots[leaf].instance;
                let active = self.release(leaf)?;
                self.assign_next(leaf, now);
                self.note_idle(id);
                active.job.had + (now - active.begun)
            }
        };
        self.places.put(ticket, Place::Nowhere);
        Some(had)
    }

    #[inline]
    fn still_idle(&self, instance: u32, spell: u64) -> bool {
        let host = self.index(instance).map(|index| &self.hosts[index]);
        host.is_some_and(|host| host.busy == 0 && host.spells == spell && !host.draining)
    }

    fn set_next_instance(&mut self, speed: f64, first_service: u64) {
        self.next = (speed, first_service);
    }

    fn add(&mut self, instance: u32, now: u64, observer: &mut impl RequestObserver) {
        self.ledger.pass(now);
        self.hosts.retain(|host| !host.draining || host.busy > 0);
        let slots = self.concurrency as usize;
        if self.vacant.len() < slots {
            // Doubling keeps the cost of growing small; the last bit of room is given out sparingly.
            let double = self.slots.len().min(MAX_SLOTS as usize);
            self.grow(slots.max(double) - self.vacant.len());
        }
        let leaves = self.vacant.split_off(self.vacant.len() - slots);
        let leaves: Vec<usize> = leaves.into_iter().rev().collect();
        let at = self.hosts.partition_point(|host| host.id < instance);
        let (speed, first_service) = self.next;
        let host = Host {
            id: instance,
            speed,
            first_service,
            leaves: leaves.clone(),
            free: Vec::new(),
            queue: Queue::default(),
            busy: 0,
            spells: 0,
            draining: false,
            served: 0,
            changed: now,
        };
        self.hosts.insert(at, host);
        self.ready += 1;
        for leaf in leaves {
            self.slots[leaf] = Slot { instance, active: None };
            self.assign_next(leaf, now);
        }
        if let Some(routing) = &mut self.routing {
            routing.add(instance, speed);
            // All that is buffered goes on at once: its own limit has already been applied.
            while let Some(job) = self.dequeue() {
                self.dispatch(job, u64::MAX, now, observer);
            }
        }
        self.note_idle(instance);
    }

    fn drain(&mut self, instance: u32, now: u64) -> u64 {
        self.ledger.pass(now);
        if !self.close(instance) {
            return now;
        }
        let Some(index) = self.index(instance) else { return now };
        if self.leaving == DrainPolicy::Finish {
            return self.last_finish(&self.hosts[index], now);
        }
        let speed = self.hosts[index].speed;
        let mut jobs = Vec::new();
        for leaf in self.leaves_of(instance) {
            if let Some(active) = self.release(leaf) {
                jobs.push(self.rest_of(&active, speed, now));
            }
            self.free_slot(leaf);
        }
        self.requeue(jobs, now, &mut ());
        now
    }

    fn kill(&mut self, instance: u32, now: u64, lost: &mut Vec<Request>) {
        self.ledger.pass(now);
        let Some(index) = self.index(instance) else { return };
        self.close(instance);
        let speed = self.hosts[index].speed;
        let mut jobs = Vec::new();
        for leaf in self.leaves_of(instance) {
            if let Some(active) = self.release(leaf) {
                jobs.push(match self.lost {
                    LostRequests::Fail => active.job,
                    LostRequests::Restart => Job { remaining: None, had: 0, ..active.job },
                    LostRequests::Resume => self.rest_of(&active, speed, now),
                });
            }
            self.free_slot(leaf);
        }
        while let Some(job) = self.hosts[index].queue.pop() {
            self.ledger.waiting -= 1;
            jobs.push(job);
        }
        self.hosts.remove(index);
        if self.lost != LostRequests::Fail {
            return self.requeue(jobs, now, &mut ());
        }
        jobs.sort_unstable_by_key(|job| job.sequence);
        for job in jobs {
            if job.ticket == NO_TICKET {
                lost.push(job.request);
            } else {
                self.report(&job, RequestOutcome::Failed, now, &mut ());
            }
        }
    }

    fn outstanding(&self, instance: u32) -> u64 {
        let host = self.index(instance).map(|index| &self.hosts[index]);
        host.map_or(0, |host| u64::from(host.busy) + host.queue.len())
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

    #[inline]
    fn areas(&self, now: u64) -> Areas {
        debug_assert!(self.counts_hold(), "{:?}", self.ledger);
        let areas = self.ledger.areas(now);
        Areas { work: areas.busy * u128::from(FULL), ..areas }
    }

    fn loads(&self, now: u64, out: &mut Vec<Load>) {
        let load = |host: &Host| Load {
            instance: host.id,
            served: host.served(now),
            work: host.served(now) * u128::from(FULL),
            in_service: u64::from(host.busy),
            waiting: host.queue.len(),
            kv_cache: 0.0,
        };
        out.extend(self.hosts.iter().filter(|host| !host.draining).map(load));
    }

    fn in_flight(&self, _now: u64) -> impl Iterator<Item = u64> {
        let serving =
            self.slots.iter().filter_map(|slot| slot.active.map(|active| active.job.request.arrival));
        let queued = self.hosts.iter().flat_map(|host| host.queue.iter());
        self.queue.iter().chain(queued).map(|job| job.request.arrival).chain(serving)
    }
}
