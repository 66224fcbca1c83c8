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
            let instance = self.choose(request);
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

    pub(super) fn choose(&mut self, request: usize) -> u32 {
        let weighted = self.model.instances.differ_in_speed();
        let total: f64 = self.order.iter().map(|id| self.speed(*id)).sum();
        let index = match self.model.dispatch.policy {
            DispatchPolicy::CentralQueue => unreachable!("a central queue does not choose"),
            DispatchPolicy::Connections(_) => unreachable!("not among the models of these tests"),
            DispatchPolicy::Gateway(rule) => self.scored(rule, request),
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

    /// The instance with the greatest score, or one drawn by the scores.
    fn scored(&mut self, rule: GatewayRule, request: usize) -> usize {
        let instances: Vec<&Instance> = self.order.iter().map(|id| &self.instances[*id as usize]).collect();
        let machines = instances.iter().map(|instance| instance.machine.as_ref());
        let caches: Vec<f64> = machines.map(|machine| machine.map_or(0.0, Machine::cache)).collect();
        let waiting: Vec<f64> = instances.iter().map(|instance| instance.queue.len() as f64).collect();
        let running: Vec<f64> = instances.iter().map(|instance| instance.serving.len() as f64).collect();
        let tokens = |instance: &&Instance| -> f64 {
            let waiting =
                instance.queue.iter().map(|request| f64::from(self.requests[*request].tokens.prompt));
            let cut = |request: &usize| {
                instance
                    .machine
                    .as_ref()
                    .map_or(0.0, |machine| machine.prompt(self.requests[*request].tokens))
            };
            waiting.chain(instance.serving.iter().map(cut)).sum()
        };
        let tokens: Vec<f64> = instances.iter().map(tokens).collect();
        let Request { tokens: asked, content, .. } = self.requests[request];
        let prompt = f64::from(asked.prompt);
        let found = |instance: &&Instance| -> f64 {
            instance.machine.as_ref().map_or(0.0, |machine| machine.found(content, asked.prompt.into()))
        };
        let found: Vec<f64> = instances.iter().map(found).collect();
        let unanswered = |instance: &&Instance| -> f64 {
            let waiting =
                instance.queue.iter().map(|request| f64::from(self.requests[*request].tokens.prompt));
            waiting.sum::<f64>() + instance.machine.as_ref().map_or(0.0, Machine::unanswered)
        };
        let unanswered: Vec<f64> = instances.iter().map(unanswered).collect();
        let held: Vec<f64> = instances
            .iter()
            .map(|instance| instance.machine.as_ref().map_or(0.0, Machine::held_tokens))
            .collect();
        let most = |of: &[f64]| of.iter().copied().fold(f64::MIN, f64::max);
        let least = |of: &[f64]| of.iter().copied().fold(f64::MAX, f64::min);
        let fewest = |of: &[f64], index: usize| match most(of) - least(of) {
            0.0 => 1.0,
            range => (most(of) - of[index]) / range,
        };
        let together: Vec<f64> = waiting.iter().zip(&running).map(|(one, other)| one + other).collect();
        let score = |index: usize| match rule {
            GatewayRule::LeastKvCache => -caches[index],
            GatewayRule::LeastWaiting => -waiting[index],
            GatewayRule::DynamoKv(DynamoKv { prefill }) => {
                let to_compute = (unanswered[index] + prompt - found[index]).max(0.0);
                -(prefill * to_compute + (held[index] + prompt))
            }
            GatewayRule::RayPrefix(_) | GatewayRule::VllmPrefix => {
                unreachable!("not among the models of these tests")
            }
            GatewayRule::Scorers(weights) => [
                weights.queue * fewest(&waiting, index),
                weights.kv_cache * (1.0 - caches[index]),
                weights.running * fewest(&running, index),
                weights.load_aware * (0.5 * (1.0 - waiting[index].min(128.0) / 128.0)),
                weights.token_load * (1.0 - tokens[index].min(4_194_304.0) / 4_194_304.0),
                weights.active_request
                    * ((most(&together).max(1.0) - together[index]) / most(&together).max(1.0)),
                weights.prefix * (found[index].min(4096.0) / prompt.clamp(1.0, 4096.0)),
            ]
            .into_iter()
            .fold(0.0, |sum, score| sum + score),
        };
        let scores: Vec<f64> = (0..self.order.len()).map(score).collect();
        if matches!(rule, GatewayRule::Scorers(scorers) if scorers.picker == Picker::WeightedRandom) {
            let total: f64 = scores.iter().sum();
            if total <= 0.0 {
                return self.routing.random_range(0..scores.len());
            }
            let mut left = self.routing.random::<f64>() * total;
            for (index, score) in scores.iter().enumerate() {
                left -= score;
                if left < 0.0 {
                    return index;
                }
            }
            return scores.len() - 1;
        }
        let equals: Vec<usize> = (0..scores.len()).filter(|index| scores[*index] == most(&scores)).collect();
        if equals.len() == 1 { equals[0] } else { equals[self.routing.random_range(0..equals.len())] }
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
