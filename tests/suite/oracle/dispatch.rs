//! How requests meet instances, and wait for one.

use super::*;

impl Oracle<'_> {
    pub(super) fn arrive(&mut self, request: usize) {
        self.arrived += 1;
        if self.central() && self.slots == 0 {
            self.queue.push_back(request);
            self.wait_no_longer_than_it_will(request);
            self.begin();
            if self.queue.len() > self.capacity && self.queue.contains(&request) {
                self.queue.retain(|other| *other != request);
                self.end(request, Fate::Rejected);
            }
        } else if self.central() {
            match self.take_free() {
                Some(instance) => self.start(request, instance),
                None => self.wait_before_the_pool(request),
            }
        } else if self.order.is_empty() {
            self.wait_before_the_pool(request);
        } else {
            let instance = self.choose();
            self.offer(request, instance, self.capacity);
        }
    }

    pub(super) fn take_free(&mut self) -> Option<u32> {
        match self.model.dispatch.idle {
            Idle::Longest => self.free.pop_front(),
            Idle::Newest => {
                let newest = self.free.iter().max().copied()?;
                let index = self.free.iter().position(|instance| *instance == newest)?;
                self.free.remove(index)
            }
            Idle::Fastest => {
                let speed = |instance: &u32| self.speed(*instance);
                let fastest = self.free.iter().map(speed).max_by(f64::total_cmp)?;
                let index = self.free.iter().position(|instance| self.speed(*instance) == fastest)?;
                self.free.remove(index)
            }
        }
    }

    pub(super) fn wait_before_the_pool(&mut self, request: usize) {
        if self.queue.len() < self.capacity {
            self.queue.push_back(request);
            self.wait_no_longer_than_it_will(request);
        } else {
            self.end(request, Fate::Rejected);
        }
    }

    fn wait_no_longer_than_it_will(&mut self, request: usize) {
        let Request { arrival, patience, .. } = self.requests[request];
        if patience < u64::MAX && self.central() {
            self.schedule(arrival + patience, Event::GiveUp { request });
        }
    }

    /// Who goes before whom, of those that wait: those handed back, then the high class, then the order of arrival.
    pub(super) fn rank(&self, request: usize) -> (bool, Class, usize) {
        let Request { returns, class, .. } = self.requests[request];
        (returns == 0, if returns > 0 { Class::High } else { class }, request)
    }

    pub(super) fn give_up(&mut self, request: usize) {
        if let Some(index) = self.queue.iter().position(|other| *other == request) {
            // Once handed back it has begun, and no longer gives up.
            if self.requests[request].returns == 0 {
                self.queue.remove(index);
                self.end(request, Fate::TimedOut { at: self.now });
            }
        }
    }

    /// The request a free slot takes next: one handed back, else the first of the high class, else the first.
    pub(super) fn take_waiting(&mut self) -> Option<usize> {
        let index = (0..self.queue.len()).min_by_key(|index| self.rank(self.queue[*index]))?;
        self.queue.remove(index)
    }

    pub(super) fn choose(&mut self) -> u32 {
        let weighted = self.model.instances.differ_in_speed();
        let total: f64 = self.order.iter().map(|id| self.speed(*id)).sum();
        let index = match self.model.dispatch.policy {
            DispatchPolicy::CentralQueue => unreachable!("a central queue does not choose"),
            DispatchPolicy::Connections(_) => unreachable!("not among the models of these tests"),
            DispatchPolicy::RoundRobin if weighted => {
                for id in self.order.clone() {
                    *self.credits.entry(id).or_default() += self.speed(id);
                }
                let credit = |index: usize| self.credits[&self.order[index]];
                let most = (0..self.order.len()).map(credit).max_by(f64::total_cmp).unwrap();
                let index = (0..self.order.len()).find(|index| credit(*index) == most).unwrap();
                *self.credits.get_mut(&self.order[index]).unwrap() -= total;
                index
            }
            DispatchPolicy::RoundRobin => {
                let index = if self.next_in_turn < self.order.len() { self.next_in_turn } else { 0 };
                self.next_in_turn = index + 1;
                index
            }
            DispatchPolicy::Random if weighted => {
                let mut left = self.routing.random::<f64>() * total;
                let mut index = 0;
                while index + 1 < self.order.len() {
                    left -= self.speed(self.order[index]);
                    if left < 0.0 {
                        break;
                    }
                    index += 1;
                }
                index
            }
            DispatchPolicy::Random => self.routing.random_range(0..self.order.len()),
            DispatchPolicy::LeastOutstanding => self.lightest(0..self.order.len()),
            DispatchPolicy::PowerOfD(choices) => {
                let mut drawn: Vec<usize> = vec![];
                while drawn.len() < (choices as usize).min(self.order.len()) {
                    let index = self.routing.random_range(0..self.order.len());
                    if !drawn.contains(&index) {
                        drawn.push(index);
                    }
                }
                self.lightest(drawn.into_iter())
            }
        };
        self.order[index]
    }

    /// The one of these whose requests, with one more, weigh least against its speed; the first among equals.
    pub(super) fn lightest(&self, indices: impl Iterator<Item = usize>) -> usize {
        let weigh = |index: usize| {
            let id = self.order[index];
            let instance = &self.instances[id as usize];
            (instance.serving.len() + instance.queue.len() + 1) as f64 / self.speed(id)
        };
        indices.reduce(|best, next| if weigh(next) < weigh(best) { next } else { best }).unwrap()
    }

    pub(super) fn speed(&self, instance: u32) -> f64 {
        let kind = &self.kinds[self.instances[instance as usize].kind];
        kind.speed * kind.hazards.draw_speed(self.streams, instance)
    }

    pub(super) fn offer(&mut self, request: usize, instance: u32, capacity: usize) {
        let at = &mut self.instances[instance as usize];
        if at.machine.is_some() {
            at.queue.push_back(request);
            self.admit(instance);
            let queue = &mut self.instances[instance as usize].queue;
            if queue.len() > capacity && queue.contains(&request) {
                queue.retain(|other| *other != request);
                self.end(request, Fate::Rejected);
            }
        } else if at.serving.len() < self.slots {
            self.start(request, instance);
        } else if self.requests[request].returns > 0 {
            // Those handed back go first, in the order they arrived.
            let after = |other: &&usize| self.requests[**other].returns > 0 && **other < request;
            let index = at.queue.iter().take_while(after).count();
            at.queue.insert(index, request);
        } else if at.queue.len() < capacity {
            at.queue.push_back(request);
        } else {
            self.end(request, Fate::Rejected);
        }
    }
}
