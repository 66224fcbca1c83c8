//! What the autoscaler is shown, and what its decisions do to the pool.

use super::*;

/// The instances there are in a rolling update, the old ones and the new ones, and its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Versions {
    desired: u32,
    most: u32,
    least: u32,
    coming: [u32; 2],
    ready: [u32; 2],
}

impl Versions {
    fn old(&self) -> u32 {
        self.coming[0] + self.ready[0]
    }
    fn renewed(&self) -> u32 {
        self.coming[1] + self.ready[1]
    }
    fn may_start(&self) -> bool {
        self.old() + self.renewed() < self.most && self.renewed() < self.desired
    }
    fn old_may_go(&self) -> bool {
        let all = self.old() + self.renewed();
        let unready = self.coming[0] > 0 && all > self.least + self.coming[1];
        let ready = self.ready[0] > 0 && self.ready[0] + self.ready[1] > self.least;
        self.old() > 0 && (all > self.most || unready || ready)
    }
    fn new_are_too_many(&self) -> bool {
        self.renewed() > self.desired
    }
}

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

    /// A rolling update goes on: what can start does, then old ones go, then new ones that are too many, until nothing moves.
    pub(super) fn roll(&mut self) {
        while let Some((_, first_new)) = self.rolling {
            let before = self.versions();
            while self.versions().may_start() {
                let instance = self.create(State::Pending);
                self.ask(instance, 0);
            }
            while self.versions().old_may_go() {
                self.retire(0..first_new);
            }
            while self.versions().new_are_too_many() {
                self.retire(first_new..u32::MAX);
            }
            let after = self.versions();
            if after.old() == 0 && after.renewed() >= self.desired {
                self.rolling = None;
            }
            if after == before {
                break;
            }
        }
        self.refill();
    }

    fn versions(&self) -> Versions {
        let (index, first_new) = self.rolling.unwrap();
        let rollout = self.model.instances.rollouts[index];
        let of = |portion: Portion, up: bool| match portion {
            Portion::Instances(count) => count,
            Portion::Percent(percent) => {
                let exact = f64::from(self.desired) * percent / 100.0;
                (if up { exact.ceil() } else { exact.floor() }) as u32
            }
        };
        let surge = of(rollout.max_surge, true);
        let missing = of(rollout.max_unavailable, false).max(u32::from(surge == 0));
        let count = |states: &[State], is_new: bool| {
            let ids = if is_new { first_new as usize..self.instances.len() } else { 0..first_new as usize };
            self.instances[ids].iter().filter(|instance| states.contains(&instance.state)).count() as u32
        };
        let coming = [State::Pending, State::Starting];
        Versions {
            desired: self.desired,
            most: self.desired + surge,
            least: self.desired.saturating_sub(missing),
            coming: [count(&coming, false), count(&coming, true)],
            ready: [count(&[State::Ready], false), count(&[State::Ready], true)],
        }
    }

    pub(super) fn reconcile(&mut self) {
        if self.rolling.is_some() {
            return self.roll();
        }
        let (coming, ready) = (self.coming(), self.count(State::Ready));
        for _ in coming + ready..self.desired {
            let instance = self.create(State::Pending);
            self.ask(instance, 0);
        }
        for _ in self.desired..coming + ready {
            self.retire(0..u32::MAX);
        }
        self.refill();
    }

    pub(super) fn retire(&mut self, among: Range<u32>) {
        for state in [State::Pending, State::Starting] {
            let is = |id: &usize| self.instances[*id].state == state && among.contains(&(*id as u32));
            if let Some(index) = (0..self.instances.len()).rev().find(is) {
                self.instances[index].state = State::Gone;
                self.instances[index].gone = Some(self.now);
                return;
            }
        }
        // The last type listed that is above its base; the base itself only when nothing else is left.
        let meant: Vec<u32> = self.order.iter().copied().filter(|id| among.contains(id)).collect();
        let of = |kind: usize| meant.iter().any(|id| self.instances[*id as usize].kind == kind);
        let there: Vec<usize> = (0..self.kinds.len()).rev().filter(|kind| of(*kind)).collect();
        let above = there.iter().find(|kind| self.held(**kind) > self.kinds[**kind].base);
        let Some(kind) = above.or(there.first()) else { return };
        let of_kind = meant.iter().filter(|id| self.instances[**id as usize].kind == *kind);
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
