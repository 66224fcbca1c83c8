//! The choice of an instance for a request, where each has a queue of its own; weighted by speed where speeds differ.

use rand::RngExt as _;

use crate::random::Rng;
use crate::sim::queueing::dispatch::DispatchPolicy;

/// See the module.
#[derive(Debug, Clone)]
pub struct Route {
    policy: DispatchPolicy,
    /// Whether instances can differ in speed.
    weighted: bool,
    rng: Rng,
    /// Ready instances in the order they became ready.
    members: Vec<Member>,
    /// Whose turn it is, where all are alike.
    next: usize,
    /// The draws of one request, kept to keep their memory.
    drawn: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    instance: u32,
    speed: f64,
    /// Share of a turn it has earned and not had.
    credit: f64,
}

impl Route {
    pub fn new(policy: DispatchPolicy, weighted: bool, rng: Rng) -> Self {
        Route { policy, weighted, rng, members: Vec::new(), next: 0, drawn: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub fn add(&mut self, instance: u32, speed: f64) {
        self.members.push(Member { instance, speed, credit: 0.0 });
    }

    pub fn remove(&mut self, instance: u32) {
        self.members.retain(|member| member.instance != instance);
    }

    /// The instance the next request goes to, of which there is one; `load` tells the requests an instance has.
    pub fn choose(&mut self, load: impl Fn(u32) -> u64) -> u32 {
        let index = match self.policy {
            DispatchPolicy::CentralQueue => 0,
            DispatchPolicy::RoundRobin if self.weighted => self.weighted_turn(),
            DispatchPolicy::RoundRobin => {
                let index = if self.next < self.members.len() { self.next } else { 0 };
                self.next = index + 1;
                index
            }
            DispatchPolicy::Random if self.weighted => self.weighted_draw(),
            DispatchPolicy::Random => self.rng.random_range(0..self.members.len()),
            DispatchPolicy::LeastOutstanding => self.least(0..self.members.len(), load),
            DispatchPolicy::PowerOfD(choices) => {
                let choices = (choices as usize).min(self.members.len());
                let mut drawn = std::mem::take(&mut self.drawn);
                drawn.clear();
                while drawn.len() < choices {
                    let index = self.rng.random_range(0..self.members.len());
                    if !drawn.contains(&index) {
                        drawn.push(index);
                    }
                }
                let index = self.least(drawn.iter().copied(), load);
                self.drawn = drawn;
                index
            }
        };
        self.members[index].instance
    }

    /// Each earns its speed a request; the one that has earned most takes it and pays the speed of all. So turns are
    /// in proportion to speed and as even as they can be (the smooth weighted round robin of nginx).
    fn weighted_turn(&mut self) -> usize {
        let total: f64 = self.members.iter().map(|member| member.speed).sum();
        let mut best = 0;
        for index in 0..self.members.len() {
            self.members[index].credit += self.members[index].speed;
            if self.members[index].credit > self.members[best].credit {
                best = index;
            }
        }
        self.members[best].credit -= total;
        best
    }

    fn weighted_draw(&mut self) -> usize {
        let total: f64 = self.members.iter().map(|member| member.speed).sum();
        let mut left = self.rng.random::<f64>() * total;
        let passed = |member: &Member| {
            left -= member.speed;
            left < 0.0
        };
        // Rounding may leave a rest behind the last.
        self.members.iter().position(passed).unwrap_or(self.members.len() - 1)
    }

    /// The one of `among` whose requests, with this one, weigh least against its speed; the first among equals.
    fn least(&self, among: impl Iterator<Item = usize>, load: impl Fn(u32) -> u64) -> usize {
        let mut best = (f64::INFINITY, 0);
        for index in among {
            let member = self.members[index];
            let weight = (load(member.instance) + 1) as f64 / member.speed;
            if weight < best.0 {
                best = (weight, index);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    fn turns(policy: DispatchPolicy, speeds: &[f64], requests: usize) -> Vec<u32> {
        let mut route = Route::new(policy, true, Streams::new(3, 0).stream(Purpose::Routing));
        (0..).zip(speeds).for_each(|(instance, speed)| route.add(instance, *speed));
        (0..requests).map(|_| route.choose(|_| 0)).collect()
    }

    #[test]
    fn turns_are_in_proportion_to_speed_and_spread_evenly() {
        assert_eq!(turns(DispatchPolicy::RoundRobin, &[2.0, 1.0, 1.0], 8), [0, 1, 2, 0, 0, 1, 2, 0]);
        assert_eq!(turns(DispatchPolicy::RoundRobin, &[1.0, 1.0], 4), [0, 1, 0, 1]);
    }

    #[test]
    fn draws_are_in_proportion_to_speed() {
        let drawn = turns(DispatchPolicy::Random, &[3.0, 1.0], 10_000);
        let fast = drawn.iter().filter(|instance| **instance == 0).count();
        // Five standard deviations of a binomial of 10,000 draws.
        assert!((7280..=7720).contains(&fast), "{fast} of 10000");
    }

    #[test]
    fn the_fewest_requests_are_counted_against_the_speed() {
        let mut route =
            Route::new(DispatchPolicy::LeastOutstanding, true, Streams::new(3, 0).stream(Purpose::Routing));
        route.add(0, 1.0);
        route.add(1, 2.0);
        assert_eq!(route.choose(|_| 0), 1, "of two idle ones the faster");
        assert_eq!(route.choose(|instance| u64::from(instance == 1) * 2), 0);
        assert_eq!(route.choose(|instance| u64::from(instance == 1)), 0, "the first among equals");
    }
}
