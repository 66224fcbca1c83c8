//! How instances come to life, misbehave and leave.

use super::*;

impl Oracle<'_> {
    pub(super) fn create(&mut self, state: State) -> u32 {
        let (serving, queue) = (vec![], VecDeque::new());
        self.instances.push(Instance {
            state,
            kind: 0,
            granted: None,
            ready: None,
            gone: None,
            node: None,
            returns: false,
            serving,
            queue,
            spells: 0,
            machine: None,
        });
        self.instances.len() as u32 - 1
    }

    /// Instances of a type that are starting or ready.
    pub(super) fn held(&self, kind: usize) -> u32 {
        let held = |at: &&Instance| at.kind == kind && matches!(at.state, State::Starting | State::Ready);
        self.instances.iter().filter(held).count() as u32
    }

    /// Instances of a type that a quota counts.
    pub(super) fn allotted(&self, kind: usize) -> u32 {
        if self.model.instances.node.is_some() {
            return self.count_nodes(kind);
        }
        let warming = |at: &&Instance| at.kind == kind && at.state == State::Warming;
        self.held(kind) + self.instances.iter().filter(warming).count() as u32 + self.warm[kind]
    }

    /// Whether no capacity is to be had now: every spell since the start of the run is gone through.
    fn is_out(&self, kind: usize) -> bool {
        let stock = self.kinds[kind].hazards.stock.as_ref();
        let Some(OnOffPeriods { available, unavailable }) = stock.and_then(|stock| stock.spells.as_ref())
        else {
            return false;
        };
        let mut rng = self.streams.substream(Purpose::StockSpells, kind as u64);
        let mut end = 0;
        for spell in 0.. {
            let time = if spell % 2 == 0 { available } else { unavailable };
            end += Span::from_secs_f64(time.0.sample(&mut rng)).as_nanos();
            if self.now < end {
                return spell % 2 == 1;
            }
        }
        unreachable!("spells have no end")
    }

    /// The type of an instance that is there at the start of the run.
    pub(super) fn within_quotas(&self) -> Option<usize> {
        self.preference().into_iter().find(|kind| {
            let quota = self.kinds[*kind].hazards.stock.as_ref().and_then(|stock| stock.quota);
            self.best_node(*kind).is_some() || quota.is_none_or(|quota| self.allotted(*kind) < quota)
        })
    }

    /// The types in the order a start tries them.
    pub(super) fn preference(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.kinds.len()).collect();
        order.sort_by_key(|kind| self.held(*kind) >= self.kinds[*kind].base);
        order
    }

    pub(super) fn grant(&mut self, instance: u32, kind: usize) {
        let at = &mut self.instances[instance as usize];
        let state = if at.state == State::WarmPending { State::Warming } else { State::Starting };
        (at.kind, at.state, at.granted) = (kind, state, Some(self.now));
    }

    pub(super) fn ask(&mut self, instance: u32, attempt: u32) {
        let state = self.instances[instance as usize].state;
        if !matches!(state, State::Pending | State::WarmPending) {
            return;
        }
        if state == State::Pending
            && let Some(kind) = self.preference().into_iter().find(|kind| self.warm[*kind] > 0)
        {
            self.warm[kind] -= 1;
            self.course.warm_starts += 1;
            self.grant(instance, kind);
            let pool = self.model.instances.warm_pool.as_ref().unwrap();
            let time = pool.draw_start(&self.kinds[kind], self.streams, instance);
            return self.schedule(self.now + time.as_nanos(), Event::Ready { instance });
        }
        let part = u64::from(instance) << 32 | u64::from(attempt);
        let mut rng = self.streams.substream(Purpose::Stock, part);
        for kind in self.preference() {
            let held = self.allotted(kind);
            let room = self.best_node(kind).is_some();
            if !room && self.is_out(kind) {
                continue;
            }
            let stock = &self.kinds[kind].hazards.stock;
            if room
                || stock
                    .as_ref()
                    .is_none_or(|stock| !stock.refuses(Instant::from_nanos(self.now), held, &mut rng))
            {
                self.grant(instance, kind);
                return self.place(instance);
            }
        }
        self.course.failure_counts.refused_starts += 1;
        let stocks = self.kinds.iter().filter_map(|kind| kind.hazards.stock.as_ref());
        let pause = stocks.map(|stock| stock.backoff.pause(attempt)).min().unwrap();
        self.schedule(self.now + pause.as_nanos(), Event::Ask { instance, attempt: attempt + 1 });
    }

    pub(super) fn begin_start(&mut self, instance: u32, attempt: u32) {
        let Some(mut start) = self.draw_start(instance, attempt) else { return };
        if let Some(node) = self.instances[instance as usize].node {
            start = self.draw_start_on_node(instance, attempt, node);
        }
        let event = match start.retry {
            Some(_) => Event::StartFailed { instance, attempt },
            None => Event::Ready { instance },
        };
        self.schedule(self.now + start.time.as_nanos(), event);
    }

    /// How an attempt goes of one that is starting, in service or to be kept warm.
    fn draw_start(&self, instance: u32, attempt: u32) -> Option<StartAttempt> {
        let Instance { state, kind, .. } = self.instances[instance as usize];
        let kind = &self.kinds[kind];
        match (state, &self.model.instances.warm_pool) {
            (State::Starting, _) => Some(kind.draw_start(self.streams, instance, attempt)),
            (State::Warming, Some(pool)) => Some(pool.draw_warming(kind, self.streams, instance, attempt)),
            _ => None,
        }
    }

    pub(super) fn warm_target(&self) -> u32 {
        self.model.instances.warm_pool.as_ref().map_or(0, |pool| pool.target(self.desired))
    }

    /// Brings the warm pool to its size.
    pub(super) fn refill(&mut self) {
        self.note_empty_nodes();
        let target = self.warm_target();
        loop {
            let returning =
                self.instances.iter().filter(|at| at.state == State::Draining && at.returns).count();
            let warm = self.warm.iter().sum::<u32>();
            let coming = self.count(State::WarmPending) + self.count(State::Warming);
            let prepared = returning as u32 + warm + coming;
            if prepared < target {
                let instance = self.create(State::WarmPending);
                self.ask(instance, 0);
            } else if prepared > target && coming > 0 {
                let newest = |state| self.instances.iter().rposition(|at| at.state == state);
                let index = newest(State::WarmPending).or_else(|| newest(State::Warming)).unwrap();
                self.instances[index].state = State::Gone;
                self.instances[index].gone = Some(self.now);
            } else if prepared > target && warm > 0 {
                *self.warm.iter_mut().rfind(|warm| **warm > 0).unwrap() -= 1;
            } else {
                return;
            }
        }
    }

    /// A draining instance is done.
    pub(super) fn leave(&mut self, instance: u32) {
        let at = &mut self.instances[instance as usize];
        (at.state, at.gone) = (State::Gone, Some(self.now));
        self.warm[at.kind] += u32::from(at.returns);
    }

    pub(super) fn start_failed(&mut self, instance: u32, attempt: u32) {
        let Some(start) = self.draw_start(instance, attempt) else { return };
        self.course.failure_counts.failed_starts += 1;
        let pause = start.retry.unwrap();
        self.schedule(self.now + pause.as_nanos(), Event::StartAttempt { instance, attempt: attempt + 1 });
    }

    /// An instance fails with what it has.
    pub(super) fn fail(&mut self, instance: u32) {
        let was_ready = self.instances[instance as usize].state == State::Ready;
        if self.instances[instance as usize].state == State::Gone {
            return;
        }
        self.course.failure_counts.failures += 1;
        self.take_out(instance);
        self.instances[instance as usize].returns = false;
        self.lose(instance);
        if was_ready {
            self.react();
            self.reconcile();
        }
    }

    pub(super) fn give_notice(&mut self, instance: u32) {
        let Instance { state, kind, .. } = self.instances[instance as usize];
        if state == State::Gone {
            return;
        }
        self.course.failure_counts.interruptions += 1;
        let notice = self.kinds[kind].hazards.interruptions.as_ref().unwrap().notice.as_nanos();
        if state == State::Ready {
            self.remove(instance, notice);
            self.react();
            self.reconcile();
        } else {
            self.instances[instance as usize].returns = false;
            self.schedule(self.now + notice, Event::Deadline { instance });
        }
    }

    /// An instance takes no more requests.
    pub(super) fn take_out(&mut self, instance: u32) {
        let was_ready = self.instances[instance as usize].state == State::Ready;
        self.order.retain(|other| *other != instance);
        self.credits.remove(&instance);
        self.free.retain(|other| *other != instance);
        self.instances[instance as usize].state = State::Draining;
        if was_ready && self.count(State::Ready) == 0 {
            self.shut = Some(self.now);
        }
    }

    pub(super) fn become_ready(&mut self, instance: u32) {
        let now = self.now;
        let at = &mut self.instances[instance as usize];
        if at.state == State::Warming {
            (at.state, at.gone) = (State::Gone, Some(now));
            self.warm[at.kind] += 1;
            return;
        }
        if at.state != State::Starting {
            return;
        }
        at.state = State::Ready;
        at.ready = Some(now);
        let speed = self.speed(instance);
        self.instances[instance as usize].machine = Machine::of(&self.model.service.model, speed);
        self.shut = None;
        // Whoever arrives at the very instant an instance becomes ready did not have to wait for it.
        self.calls.iter_mut().filter(|call| call.demand.arrival == now).for_each(|call| call.cold = false);
        self.order.push(instance);
        self.became_ready.insert(instance as usize, self.became_ready.len());
        let kind = &self.kinds[self.instances[instance as usize].kind];
        let failure = kind.hazards.draw_failure(self.streams, instance);
        let notice = kind.hazards.draw_interruption(self.streams, instance);
        if self.central() {
            for _ in 0..self.slots {
                self.employ(instance);
            }
            if self.slots == 0 {
                self.begin();
            }
            if self.instances[instance as usize].serving.is_empty() {
                self.idled.push_back(instance);
            }
        } else {
            while let Some(request) = self.take_waiting() {
                let chosen = self.choose(request);
                self.offer(request, chosen, usize::MAX);
            }
        }
        if let Some(after) = failure {
            self.schedule(self.now + after.as_nanos(), Event::Fail { instance });
        }
        if let Some(after) = notice {
            self.schedule(self.now + after.as_nanos(), Event::Notice { instance });
        }
    }

    /// A drain deadline, or a failure: what the instance has left is lost.
    pub(super) fn lose(&mut self, instance: u32) {
        let at = &mut self.instances[instance as usize];
        if at.state != State::Draining {
            return;
        }
        at.machine = None;
        let (serving, queue) = (std::mem::take(&mut at.serving), std::mem::take(&mut at.queue));
        self.leave(instance);
        let mut lost: Vec<usize> = serving.iter().copied().chain(queue).collect();
        lost.sort_unstable();
        if self.model.instances.lost == LostRequests::Fail {
            lost.into_iter().for_each(|request| self.end(request, Fate::Failed { at: self.now }));
            return;
        }
        let resume = self.model.instances.lost == LostRequests::Resume;
        for request in &lost {
            if serving.contains(request) {
                self.interrupt(*request, resume);
            }
        }
        self.hand_back(lost);
    }

    /// The service of a request is interrupted, to be resumed or begun anew.
    pub(super) fn interrupt(&mut self, request: usize, resume: bool) {
        let speed = self.speed(self.requests[request].instance);
        let now = self.now;
        let request = &mut self.requests[request];
        request.runs += 1;
        if resume {
            request.remaining = Some(((request.finish - now) as f64 * speed).round() as u64);
            request.had += now - request.start;
        } else {
            (request.remaining, request.had) = (None, 0);
        }
    }

    pub(super) fn hand_back(&mut self, requests: Vec<usize>) {
        for request in requests {
            self.requests[request].returns += 1;
            if self.central() || self.order.is_empty() {
                self.queue.push_back(request);
            } else {
                let chosen = self.choose(request);
                self.offer(request, chosen, usize::MAX);
            }
        }
        if self.central() && self.slots == 0 {
            return self.begin();
        }
        while self.central()
            && !self.queue.is_empty()
            && let Some(instance) = self.take_free()
        {
            let next = self.take_waiting().unwrap();
            self.start(next, instance);
        }
    }
}
