//! The autoscaler at work: scrapes into buckets, a decision every tick, and a pass of the scale-to-zero machine after
//! each and whenever one is due.

use super::super::{Explanation, Observation, Policy, Scrape};
use super::activator;
use super::apply::{Condition, Reachability, Situation, Step, condition_after};
use super::decider::{Decider, TICK_S};
use super::evaluation::{KpaEvaluation, Occasion};
use super::{Knative, reason};
use crate::autoscaler::windows::buckets::Buckets;
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct KpaPolicy {
    pub settings: Knative,
    stable: Buckets,
    panic: Buckets,
    second: Second,
    /// What the activator has reported ahead of its next report.
    reported: f64,
    decider: Decider,
    /// Pods the decider wants; `None` until it has first been able to tell.
    desired: Option<u32>,
    excess_burst_capacity: i32,
    condition: Condition,
    condition_since: Instant,
    initialized: bool,
    /// Since when requests go through the activator, if they do.
    proxied_since: Option<Instant>,
    next_tick: Instant,
    requeue: Option<Instant>,
    pub found: KpaEvaluation,
}

/// The second that was written last, so that scrapes shorter than a second are averaged within it.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    index: u64,
    mean: f64,
    measured_s: f64,
}

impl KpaPolicy {
    /// The autoscaler made at `now`, over `initial` ready instances.
    pub fn new(settings: Knative, initial: u32, now: Instant) -> KpaPolicy {
        let Knative { spec, rules, aggregation, .. } = settings;
        // No instance and no initial scale to reach: a revision that has scaled to zero, rather than a new one.
        let asleep = initial == 0 && rules.initial_scale <= 1 && rules.min_scale == 0;
        let initialized = asleep || initial >= rules.active_threshold(Reachability::Reachable, false);
        let condition = match (asleep, initialized) {
            (true, _) => Condition::Inactive,
            (false, true) => Condition::Active,
            (false, false) => Condition::Activating,
        };
        let excess = activator::initial_excess_burst_capacity(&spec, rules.initial_scale);
        let proxied = asleep || activator::in_path(None, excess, false);
        let step = Step {
            scale: None,
            before: initial,
            replicas: initial,
            requeue: None,
            probe_started: false,
            bounded: initial,
            why: super::apply::Why::Unknown,
        };
        KpaPolicy {
            settings,
            stable: Buckets::new(spec.stable_window, 1, aggregation),
            panic: Buckets::new(settings.panic_window, 1, aggregation),
            second: Second::default(),
            reported: 0.0,
            decider: Decider::new(Some(initial), settings.scale_down_delay, now),
            desired: asleep.then_some(0),
            excess_burst_capacity: excess,
            condition,
            condition_since: now,
            initialized,
            proxied_since: proxied.then_some(now),
            next_tick: now + settings.schedule_of_ticks().first().since(Instant::ZERO),
            requeue: None,
            found: KpaEvaluation {
                at: now,
                ready: initial,
                stable: 0.0,
                panic: 0.0,
                occasion: Occasion::Requeue,
                verdict: None,
                desired: None,
                excess_burst_capacity: excess,
                step,
                condition,
                proxied,
            },
        }
    }

    fn record(&mut self, at: Instant, value: f64) {
        self.stable.record(at, value);
        self.panic.record(at, value);
    }

    /// Takes in a mean over the time from `since` to `at`: into the second of `at`, and into those between the two, if
    /// reports are that far apart.
    pub fn report(&mut self, since: Instant, at: Instant, mean: f64) {
        let length = at.since(since).as_secs_f64();
        let mean = (mean - std::mem::take(&mut self.reported)).max(0.0);
        let index = at.as_nanos() / 1_000_000_000;
        let Second { index: written, mean: before, measured_s } = self.second;
        if index == written && measured_s > 0.0 {
            let measured_s = measured_s + length;
            let mean = before + (mean - before) * length / measured_s;
            self.record(at, mean - before);
            self.second = Second { index, mean, measured_s };
            return;
        }
        let reach = self.stable.count() as u64;
        let first = (since.as_nanos() / 1_000_000_000 + 1).max((index + 1).saturating_sub(reach));
        for second in first..index {
            self.record(Instant::ZERO + Span::from_secs(second), mean);
        }
        self.record(at, mean);
        self.second = Second { index, mean, measured_s: length };
    }

    /// One evaluation of the decider; keeps what it wanted before if there is nothing to go by.
    fn evaluate(&mut self, now: Instant, ready: u32) {
        let Knative { spec, rules, .. } = self.settings;
        // Without data from the pods there is nothing to go by, unless all data comes from the activator anyway.
        if self.stable.is_empty(now) && rules.target_burst_capacity != -1.0 {
            return;
        }
        // What is left of sums taken out again can be a hair below zero.
        let (stable, panic) = (self.stable.average(now).max(0.0), self.panic.average(now).max(0.0));
        let verdict = self.decider.decide(&spec, now, ready, stable, panic);
        self.desired = Some(verdict.desired);
        self.excess_burst_capacity = verdict.excess_burst_capacity;
        (self.found.stable, self.found.panic, self.found.verdict) = (stable, panic, Some(verdict));
    }

    /// One pass of the scale-to-zero machine: returns the replicas asked for.
    fn reconcile(&mut self, now: Instant, current: u32, ready: u32) -> u32 {
        let rules = self.settings.rules;
        let step = rules.apply(&Situation {
            desired: self.desired,
            current,
            condition: self.condition,
            condition_age: now.since(self.condition_since),
            reachability: Reachability::Reachable,
            initialized: self.initialized,
            probe_succeeds: true,
            proxied: self.proxied_since.is_some(),
            proxied_for: self.proxied_since.map_or(Span::ZERO, |since| now.since(since)),
        });
        let was_proxied = self.proxied_since.is_some();
        let inactive = self.condition == Condition::Inactive;
        let proxied = activator::in_path(step.scale, self.excess_burst_capacity, inactive);
        self.proxied_since = proxied.then(|| self.proxied_since.unwrap_or(now));
        let threshold = rules.active_threshold(Reachability::Reachable, self.initialized);
        self.initialized |= ready >= threshold;
        let before = self.condition;
        self.condition = condition_after(step.scale, ready, threshold, before);
        if before != self.condition {
            self.condition_since = now;
        }
        self.requeue = step.requeue.map(|wait| now + wait);
        self.found.step = step;
        // A route that changes is a reason to pass again at once.
        if before == Condition::Active && self.condition == Condition::Inactive && !was_proxied {
            return self.reconcile(now, step.replicas, ready);
        }
        step.replicas
    }
}

impl Policy for KpaPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        let seconds = sample.seconds();
        if seconds <= 0.0 {
            return;
        }
        let load = match self.settings.load.rps {
            true => sample.arrived as f64 / seconds,
            // A pod on its way out is not scraped any more: only the activator still counts its requests.
            false if self.proxied_since.is_some() => sample.in_flight,
            false => sample.waiting + sample.in_service,
        };
        // No pod to scrape, and an activator without requests does not report.
        if sample.ready > 0 || load > 0.0 {
            self.report(sample.since, sample.at, load);
        }
    }

    fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        self.found.verdict = None;
        let occasion = if now >= self.next_tick {
            let tick = Span::from_secs(TICK_S);
            self.next_tick += tick * (now.since(self.next_tick).as_nanos() / tick.as_nanos() + 1);
            Occasion::Tick
        } else if seen.desired == 0 && seen.held > 0 {
            Occasion::Poke
        } else {
            Occasion::Requeue
        };
        // The first request for a revision that wants nothing is reported at once, as one concurrent request.
        if seen.desired == 0 && seen.held > 0 && self.desired.unwrap_or(0) == 0 && self.reported == 0.0 {
            self.reported = 1.0;
            self.record(now, 1.0);
        }
        if occasion != Occasion::Requeue {
            self.evaluate(now, seen.ready);
        }
        let replicas = self.reconcile(now, seen.desired, seen.ready);
        self.found = KpaEvaluation {
            at: now,
            ready: seen.ready,
            occasion,
            desired: self.desired,
            excess_burst_capacity: self.excess_burst_capacity,
            condition: self.condition,
            proxied: self.proxied_since.is_some(),
            ..self.found
        };
        replicas.min(super::most(self.settings.rules.max_scale))
    }

    fn explain(&self) -> Explanation {
        reason::explain(&self.settings, &self.found)
    }

    fn next(&self, now: Instant) -> Option<Instant> {
        let due = self.requeue.filter(|due| *due > now).unwrap_or(self.next_tick);
        Some(due.min(self.next_tick))
    }
}

#[cfg(test)]
mod tests {
    use super::super::SPEC;
    use super::*;
    use crate::schema::{Context, Reader, Tree};

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    fn settings(keys: &str) -> Knative {
        let tree = Tree::parse(keys).unwrap();
        let context = Context::default();
        super::super::read(&Reader::open(tree.root(), "autoscaler", &SPEC, &context).unwrap()).unwrap()
    }

    /// A pool that follows at once what is asked for, under so many requests in flight.
    struct Pool {
        policy: KpaPolicy,
        second: u64,
        replicas: u32,
        reasons: Vec<String>,
    }

    impl Pool {
        fn new(keys: &str, initial: u32) -> Pool {
            let policy = KpaPolicy::new(settings(keys), initial, Instant::ZERO);
            Pool { policy, second: 0, replicas: initial, reasons: Vec::new() }
        }

        fn evaluate(&mut self, ready: u32, held: u64) -> u32 {
            let desired = self.replicas;
            let seen = Observation { desired, existing: ready, ready, held, metric: None, instances: &[] };
            self.replicas = self.policy.decide(at(self.second), &seen);
            self.reasons.push(self.policy.explain().reason);
            self.replicas
        }

        /// The replicas after another `seconds` under a constant load.
        fn run(&mut self, seconds: u64, load: f64) -> u32 {
            for _ in 0..seconds {
                self.second += 1;
                if self.replicas > 0 || load > 0.0 {
                    self.policy.report(at(self.second - 1), at(self.second), load);
                }
                if self.second.is_multiple_of(2) {
                    self.evaluate(self.replicas, 0);
                }
            }
            self.replicas
        }
    }

    #[test]
    fn a_burst_panics_and_the_pool_does_not_shrink_for_a_minute() {
        let mut pool = Pool::new("", 1);
        assert_eq!(pool.run(60, 60.0), 1);
        assert_eq!(pool.run(2, 700.0), 4, "a third of the panic window: (4 × 60 + 2 × 700) / 6 = 273");
        assert!(
            pool.reasons
                .last()
                .unwrap()
                .starts_with("panic: 6s mean 273.3333 at 70 a pod needs 4 of 1 ready")
        );
        assert_eq!(pool.run(8, 700.0), 10);
        assert_eq!(pool.run(52, 10.0), 10);
        assert_eq!(pool.run(20, 10.0), 1);
        assert!(pool.reasons.iter().any(|reason| reason.starts_with("panic over")));
    }

    #[test]
    fn an_idle_revision_keeps_one_pod_until_the_activator_has_long_been_in_the_path() {
        // By default one pod has no room for a burst, so the activator is in the path all along.
        let mut pool = Pool::new("", 1);
        pool.run(100, 10.0);
        assert_eq!(pool.run(60, 0.0), 1, "the minute's mean is above zero until then");
        assert_eq!(pool.run(4, 0.0), 0);
        // With a burst capacity of 0 it is not, and the grace period has to pass.
        let mut pool = Pool::new("target_burst_capacity = 0", 1);
        pool.run(100, 10.0);
        assert_eq!((pool.run(88, 0.0), pool.run(6, 0.0)), (1, 0));
    }

    #[test]
    fn the_first_request_wakes_a_revision_at_zero_at_once() {
        let mut pool = Pool::new("activation_scale = 3", 0);
        assert_eq!(pool.run(300, 0.0), 0);
        assert_eq!(pool.reasons[0], "no metrics for longer than the stable window: no decision; at zero");
        assert_eq!(pool.evaluate(0, 1), 3);
        assert!(pool.reasons.last().unwrap().starts_with("first request: 1m mean 1 at 70 a pod needs 1: 3"));
    }

    #[test]
    fn a_new_revision_reaches_its_initial_scale_first() {
        let mut pool = Pool::new("initial_scale = 4", 1);
        assert_eq!(pool.run(2, 1.0), 4);
        assert_eq!(pool.run(2, 1.0), 4, "seen ready at this evaluation");
        assert_eq!(pool.run(8, 1.0), 1);
    }

    #[test]
    fn scrapes_of_any_length_give_the_same_means() {
        let mean = |step: u64| {
            let mut policy = KpaPolicy::new(settings(""), 1, Instant::ZERO);
            let nanos = |index| Instant::from_nanos(index * step);
            let steps = 30_000_000_000 / step;
            (0..steps).for_each(|i| policy.report(nanos(i), nanos(i + 1), 50.0));
            (policy.stable.average(at(30)), policy.panic.average(at(30)))
        };
        for step in [250_000_000, 1_000_000_000, 15_000_000_000] {
            assert_eq!(mean(step), (50.0, 50.0), "{step}");
        }
    }

    #[test]
    fn it_asks_to_be_evaluated_when_a_wait_is_over() {
        let mut pool = Pool::new("target_burst_capacity = 0\nscale_to_zero_grace_period = \"31s\"", 1);
        pool.run(100, 10.0);
        pool.run(62, 0.0);
        let due = pool.policy.requeue.unwrap();
        assert!(due > at(pool.second) && pool.policy.next(at(pool.second)).unwrap() <= due);
        pool.run(28, 0.0);
        assert_eq!(pool.policy.next(at(pool.second)), Some(due));
    }
}
