//! Instances that serve in another way than by slots: they take from a queue what they can.

use super::*;

impl Oracle<'_> {
    /// Instances in the order they became ready, those that drain among them.
    pub(super) fn by_readiness(&self) -> Vec<u32> {
        let present = |id: &u32| matches!(self.instances[*id as usize].state, State::Ready | State::Draining);
        let mut all: Vec<u32> = (0..self.instances.len() as u32).filter(present).collect();
        all.sort_by_key(|id| self.became_ready[&(*id as usize)]);
        all
    }

    /// What waits in a queue, those that go first first.
    pub(super) fn jobs(&self, queue: &VecDeque<usize>) -> VecDeque<Job> {
        let mut queue: Vec<usize> = queue.iter().copied().collect();
        queue.sort_by_key(|request| self.rank(*request));
        let job = |request: &usize| {
            let Request { arrival, service, tokens, content, .. } = self.requests[*request];
            Job { request: *request, arrival, service, tokens, content }
        };
        queue.iter().map(job).collect()
    }

    /// What a machine draws from.
    pub(super) fn source(&self, instance: u32) -> VecDeque<Job> {
        let at = &self.instances[instance as usize];
        match (self.central(), at.state) {
            (false, _) => self.jobs(&at.queue),
            (true, State::Ready) => self.jobs(&self.queue),
            (true, _) => VecDeque::new(),
        }
    }

    /// When a machine next changes, whether because it has let requests wait long enough, and which.
    pub(super) fn next_change(&self) -> (u64, bool, u32) {
        let mut next = (u64::MAX, false, 0);
        for id in self.by_readiness() {
            let Some(machine) = &self.instances[id as usize].machine else { continue };
            let change = machine.next(self.now);
            if change < next.0 {
                next = (change, false, id);
            }
        }
        let holders =
            if self.central() { self.next_in_line().into_iter().collect() } else { self.by_readiness() };
        for id in holders {
            let Some(machine) = &self.instances[id as usize].machine else { continue };
            let held = machine.held(&self.source(id));
            if held < next.0 {
                next = (held, true, id);
            }
        }
        next
    }

    /// The ready instance whose turn it is to take what waits before the pool.
    pub(super) fn next_in_line(&self) -> Option<u32> {
        let differ = self.model.instances.differ_in_speed();
        let place = |id: u32| {
            let eagerness = self.instances[id as usize].machine.as_ref()?.eagerness()? as f64;
            Some(match self.model.dispatch.idle {
                Idle::Longest if differ => ((eagerness + 1.0) / self.speed(id), 0.0, id),
                Idle::Longest => (eagerness, 0.0, id),
                Idle::Newest => (-f64::from(id), 0.0, id),
                Idle::Fastest => (-self.speed(id), eagerness, id),
            })
        };
        let places = self.order.iter().filter_map(|id| place(*id));
        let first = places.reduce(|best, next| if (next.0, next.1) < (best.0, best.1) { next } else { best });
        first.map(|(_, _, id)| id)
    }

    /// Lets machines take what waits before the pool.
    pub(super) fn begin(&mut self) {
        while !self.queue.is_empty()
            && let Some(instance) = self.next_in_line()
        {
            if self.admit(instance) == 0 {
                return;
            }
        }
    }

    pub(super) fn begin_held(&mut self, instance: u32) {
        if self.central() {
            self.begin();
        } else {
            self.admit(instance);
        }
    }

    /// Lets a machine take what it can; how many begin.
    pub(super) fn admit(&mut self, instance: u32) -> usize {
        let mut waiting = self.source(instance);
        let (before, central) = (waiting.len(), self.central());
        let at = &mut self.instances[instance as usize];
        let machine = at.machine.as_mut().unwrap();
        let known = machine.hits();
        let begun = machine.admit(&mut waiting, self.now, &mut self.course.preemptions);
        let (found, prompts) = machine.hits();
        self.course.prefix.0 += found - known.0;
        self.course.prefix.1 += prompts - known.1;
        at.spells += u64::from(at.serving.is_empty() && !begun.is_empty());
        at.serving.extend(&begun);
        assert_eq!(before - waiting.len(), begun.len());
        let queue = if central { &mut self.queue } else { &mut at.queue };
        queue.retain(|request| !begun.contains(request));
        for &request in &begun {
            (self.requests[request].start, self.requests[request].instance) = (self.now, instance);
        }
        begun.len()
    }

    /// What is due at a machine happens.
    pub(super) fn change(&mut self, instance: u32) {
        let machine = self.instances[instance as usize].machine.as_mut().unwrap();
        let (done, first) = machine.change();
        for request in first {
            self.requests[request].first_token = self.now;
        }
        for request in done {
            let at = &mut self.instances[instance as usize];
            at.serving.retain(|other| *other != request);
            let Request { start, .. } = self.requests[request];
            self.end(request, Fate::Served { start, finish: self.now, instance });
        }
        self.admit(instance);
        self.settle(instance);
    }

    /// Looks whether an instance has run out of work, and goes if it drains.
    pub(super) fn settle(&mut self, instance: u32) {
        let at = &mut self.instances[instance as usize];
        if !at.serving.is_empty() || !at.queue.is_empty() {
            return;
        }
        if at.state == State::Draining {
            self.leave(instance);
        } else if self.central() {
            self.idled.push_back(instance);
        }
    }
}
