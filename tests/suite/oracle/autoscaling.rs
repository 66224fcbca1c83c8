//! What the autoscaler is shown, and what its decisions do to the pool.

use super::*;

impl Oracle<'_> {
    /// Instances on their way in.
    pub(super) fn coming(&self) -> u32 {
        self.count(State::Pending) + self.count(State::Starting)
    }

    pub(super) fn count(&self, state: State) -> u32 {
        self.instances.iter().filter(|instance| instance.state == state).count() as u32
    }

    pub(super) fn scrape(&mut self) {
        self.schedule(self.now + self.model.metrics.scrape_interval.as_nanos(), Event::Scrape);
        let ready = self.instances.iter().filter(|instance| instance.state == State::Ready);
        let serving: usize = ready.map(|instance| instance.serving.len()).sum();
        let waiting =
            self.queue.len() + self.instances.iter().map(|instance| instance.queue.len()).sum::<usize>();
        let in_service: usize = self.instances.iter().map(|instance| instance.serving.len()).sum();
        self.scrapes.push(Scrape {
            at: self.now,
            arrived: self.arrived,
            work: self.course.work
                + self.model.instances.warm_up.as_ref().map_or(0, |warm_up| {
                    let share = (warm_up.utilization * FULL as f64).round() as u128;
                    self.course.warm_up * share * u128::from(self.places)
                }),
            capacity: self.course.ready * u128::from(self.places),
            waiting: waiting as u64,
            serving: serving as u64,
            in_flight: (waiting + in_service) as u64,
            ready: u64::from(self.count(State::Ready)),
            latencies: std::mem::take(&mut self.latencies),
        });
    }

    /// The metric as the autoscaler sees it now.
    pub(super) fn observe(&self) -> Option<f64> {
        let query = self.model.autoscaler.query()?;
        let (window, delay) = (self.model.metrics.window.as_nanos(), self.model.metrics.delay.as_nanos());
        let newest = self.scrapes.iter().rposition(|scrape| scrape.at + delay <= self.now)?;
        let end = &self.scrapes[newest];
        // How many scrapes the average takes: those less than a window old, and always the newest.
        let older = |scrape: &Scrape| scrape.at + window <= end.at;
        let base = (0..newest).rev().find(|index| older(&self.scrapes[*index]));
        let within = &self.scrapes[base.map_or(0, |index| index + 1)..=newest];
        let (from, arrived, work, capacity) = base.map_or((0, 0, 0, 0), |index| {
            let scrape = &self.scrapes[index];
            (scrape.at, scrape.arrived, scrape.work, scrape.capacity)
        });
        let mean = |gauge: fn(&Scrape) -> u64| {
            within.iter().map(|scrape| gauge(scrape) as f64).sum::<f64>() / within.len() as f64
        };
        let value = match query.metric {
            Signal::RequestRate => (end.arrived - arrived) as f64 / ((end.at - from) as f64 / 1e9),
            Signal::InFlight => mean(|scrape| scrape.in_flight),
            Signal::Concurrency => mean(|scrape| scrape.serving),
            Signal::QueueLength => mean(|scrape| scrape.waiting),
            Signal::Utilization => {
                if end.capacity == capacity {
                    return None;
                }
                (end.work - work) as f64 / FULL as f64 / (end.capacity - capacity) as f64
            }
            Signal::KvCache
            | Signal::Ttft
            | Signal::Tpot
            | Signal::PromptTokenRate
            | Signal::OutputTokenRate => return None,
            Signal::Latency => {
                let mut all: Vec<u64> = within.iter().flat_map(|scrape| scrape.latencies.clone()).collect();
                all.sort_unstable();
                let rank = (query.quantile * all.len() as f64).ceil().max(1.0) as usize;
                return Some(*all.get(rank - 1)? as f64 / 1e9);
            }
        };
        Some(if query.per == Per::Instance { value / end.ready.max(1) as f64 } else { value })
    }

    pub(super) fn evaluate(&mut self) {
        let Some(schedule) = self.model.autoscaler.schedule() else { return };
        self.schedule(self.now + schedule.interval.as_nanos(), Event::Evaluate);
        let (starting, ready) = (self.coming(), self.count(State::Ready));
        let metric = self.observe();
        let held = if ready == 0 { self.queue.len() as u64 } else { 0 };
        let (desired, existing) = (self.desired, starting + ready);
        let observation = Observation { desired, existing, ready, held, metric, instances: &[] };
        self.desired = self.policy.decide(Instant::from_nanos(self.now), &observation);
        self.course.decisions.push((self.now, metric, self.desired));
        self.reconcile();
    }

    pub(super) fn reconcile(&mut self) {
        let (coming, ready) = (self.coming(), self.count(State::Ready));
        for _ in coming + ready..self.desired {
            let instance = self.create(State::Pending);
            self.ask(instance, 0);
        }
        for _ in self.desired..coming + ready {
            self.retire();
        }
        self.refill();
    }

    pub(super) fn retire(&mut self) {
        for state in [State::Pending, State::Starting] {
            if let Some(index) = self.instances.iter().rposition(|instance| instance.state == state) {
                self.instances[index].state = State::Gone;
                self.instances[index].gone = Some(self.now);
                return;
            }
        }
        // The last type listed that is above its base; the base itself only when nothing else is left.
        let of = |kind: usize| self.order.iter().any(|id| self.instances[*id as usize].kind == kind);
        let there: Vec<usize> = (0..self.kinds.len()).rev().filter(|kind| of(*kind)).collect();
        let above = there.iter().find(|kind| self.held(**kind) > self.kinds[**kind].base);
        let Some(kind) = above.or(there.first()) else { return };
        let of_kind = self.order.iter().filter(|id| self.instances[**id as usize].kind == *kind);
        // Of those that became ready at one instant the one of the higher number counts as the newer.
        let mut order: Vec<u32> = of_kind.copied().collect();
        order.sort_by_key(|id| (self.instances[*id as usize].ready, *id));
        let load = |id: &&u32| {
            let instance = &self.instances[**id as usize];
            instance.serving.len() + instance.queue.len()
        };
        let chosen = match self.model.instances.scale_down {
            ScaleDownOrder::Newest => order.last(),
            ScaleDownOrder::Oldest => order.first(),
            ScaleDownOrder::LeastBusy => order.iter().rev().min_by_key(load),
        };
        if let Some(&id) = chosen {
            self.remove(id, u64::MAX);
        }
    }

    /// A ready instance takes no more requests, and goes when it has finished those it has, within `notice`; or hands
    /// them back.
    pub(super) fn remove(&mut self, id: u32, notice: u64) {
        self.take_out(id);
        let reuse = self.model.instances.warm_pool.as_ref().is_some_and(|pool| pool.reuse_on_scale_in);
        let at = &mut self.instances[id as usize];
        at.returns = reuse && notice == u64::MAX;
        if at.serving.is_empty() && at.queue.is_empty() {
            return self.leave(id);
        }
        if self.model.instances.leaving == DrainPolicy::Requeue {
            let mut requests = std::mem::take(&mut at.serving);
            self.leave(id);
            requests.sort_unstable();
            requests.iter().for_each(|request| self.interrupt(*request, true));
            return self.hand_back(requests);
        }
        let deadline = self.model.instances.drain_deadline.map_or(u64::MAX, |deadline| deadline.as_nanos());
        if deadline.min(notice) < u64::MAX {
            self.schedule(self.now + deadline.min(notice), Event::Deadline { instance: id });
        }
    }
}
