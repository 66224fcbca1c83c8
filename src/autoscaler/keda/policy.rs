//! KEDA at work in a simulation: two clocks, one pool.

use serde_json::Value;

use super::executor::{Executor, Polled, Triggers};
use super::release::cut;
use super::settings::INSTANCES;
use super::{Keda, TriggerValue, replay};
use crate::autoscaler::hpa::controller::{Cluster, Controller, Outcome, Scale};
use crate::autoscaler::hpa::explain::explain;
use crate::autoscaler::hpa::history::Moment;
use crate::autoscaler::hpa::metric::MetricSpec;
use crate::autoscaler::hpa::pods::Pod;
use crate::autoscaler::hpa::policy::{METRICS_SERVER, Pool, Rounded, watched};
use crate::autoscaler::hpa::replica_calculator::Failure;
use crate::autoscaler::{
    Explanation, Limits, MetricsDefaults, Observation, Policy, PolicyContext, Replay, Schedule, Scrape,
    Settings, Watched,
};
use crate::autoscaler::{Signal, Timed};
use crate::time::{Instant, Span};

impl Settings for Keda {
    fn limits(&self) -> Limits {
        let paused = self.pause.at;
        let min = self.idle.unwrap_or(self.min).min(paused.unwrap_or(i32::MAX));
        let max = self.hpa.bounds.max.max(paused.unwrap_or(0));
        Limits { min: min as u32, max: max as u32 }
    }
    fn schedule(&self) -> Option<Schedule> {
        let clocks = Clocks::new(self, self.hpa.sync_delay);
        let interval = self.polling_interval.min(self.hpa.sync_period);
        Some(Schedule { interval, phase: clocks.first().since(Instant::ZERO) })
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        METRICS_SERVER
    }
    fn watched(&self) -> Vec<Watched> {
        // A formula and the clock have no unit of a signal.
        let is_signal = |watched: &Watched| {
            let at = watched.key.split('.').nth(1).and_then(|at| at.parse::<usize>().ok());
            at.and_then(|at| self.values.get(at)) == Some(&TriggerValue::Signal)
        };
        let all = watched(&self.hpa.metrics, |at, _| format!("triggers.{at}.threshold"));
        all.into_iter().filter(is_signal).collect()
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn times(&self) -> Vec<Timed> {
        let of_formulas = self.values.iter().filter_map(|value| match value {
            TriggerValue::Formula(formula) => Some(formula.times()),
            TriggerValue::Signal | TriggerValue::Cron(_) => None,
        });
        Settings::times(&self.hpa).into_iter().chain(of_formulas.flatten()).collect()
    }
    fn uses_metrics_window(&self) -> bool {
        true
    }
    fn watches_instances(&self) -> bool {
        let kv_cache = |value: &TriggerValue| match value {
            TriggerValue::Formula(formula) => {
                formula.expression.names().any(|name| name == Signal::KvCache.name())
            }
            TriggerValue::Signal | TriggerValue::Cron(_) => false,
        };
        self.hpa.metrics.iter().any(MetricSpec::is_of_each_pod) || self.values.iter().any(kv_cache)
    }
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        Box::new(KedaPolicy {
            clocks: Clocks::new(self, self.hpa.sync_delay),
            executor: Executor { last_active: None, created: Moment(0) },
            controller: Controller::default(),
            pool: Pool::new(start, self.release.quantity()),
            polled: None,
            synced: None,
            last_polled: vec![None; self.values.len()],
            keda: self.clone(),
        })
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::KedaReplay::new(self.clone()))
    }
}

/// When the executor polls next, and when the HPA syncs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clocks {
    poll: Clock,
    sync: Clock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock {
    next: Instant,
    interval: Span,
    /// What it takes each time, after which the next interval begins; zero: it strikes at multiples of the interval.
    delay: Span,
}

impl Clock {
    fn new(interval: Span, phase: Span, delay: Span) -> Clock {
        Clock { next: Schedule { interval, phase }.first(), interval, delay }
    }

    /// Whether it is due at `now`; if so, it is set to its next instant after that.
    fn strikes(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        if !self.delay.is_zero() {
            self.next = now + self.interval + self.delay;
            return true;
        }
        let passed = now.since(self.next).as_nanos() / self.interval.as_nanos().max(1);
        self.next += self.interval * (passed + 1);
        true
    }
}

impl Clocks {
    /// The clocks of a run, or with `delay` zero those of a replay, whose rows are the syncs.
    pub fn new(keda: &Keda, delay: Span) -> Clocks {
        Clocks {
            poll: Clock::new(keda.polling_interval, keda.polling_phase, Span::ZERO),
            sync: Clock::new(keda.hpa.sync_period, keda.hpa.phase, delay),
        }
    }

    fn first(&self) -> Instant {
        self.poll.next.min(self.sync.next)
    }

    /// Which of poll and sync are due at `now`.
    pub fn due(&mut self, now: Instant) -> (bool, bool) {
        (self.poll.strikes(now), self.sync.strikes(now))
    }
}

/// The scaled object of a run.
#[derive(Debug, Clone)]
struct KedaPolicy {
    keda: Keda,
    clocks: Clocks,
    executor: Executor,
    controller: Controller,
    pool: Pool,
    polled: Option<Polled>,
    synced: Option<Outcome>,
    /// The values of the triggers at the last poll.
    last_polled: Vec<Option<f64>>,
}

impl Policy for KedaPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        self.pool.signals.scrape(sample);
    }

    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let mut scale = Scale::of(observation);
        let (poll, sync) = self.clocks.due(now);
        let keda = &self.keda;
        self.polled = None;
        self.synced = None;
        let mut values: Vec<Option<f64>> = (0..keda.values.len())
            .map(|index| keda.value(index, now, &self.pool, observation.ready))
            .collect();
        // Before the first scrape there is nothing to poll.
        if let Some(triggers) = Triggers::of(keda, |index, _| values[index]).filter(|_| poll) {
            self.last_polled.clone_from(&values);
            let polled = self.executor.poll(keda, now.into(), scale.spec, triggers);
            scale.spec = polled.replicas;
            self.polled = Some(polled);
        }
        if sync && !keda.pause.is_whole() {
            for (index, value) in values.iter_mut().enumerate() {
                *value = self.last_polled[index].filter(|_| keda.cached[index]).or(*value);
            }
            let answers = (0..values.len())
                .map(|index| values[index].map(|value| keda.quantity(index, value)))
                .collect();
            let cluster = &Answers { pool: self.pool.at(now, observation), values: answers };
            let outcome = self.controller.reconcile(&keda.hpa, now.into(), scale, cluster);
            scale.spec = outcome.replicas;
            self.synced = Some(outcome);
        }
        scale.spec.max(0) as u32
    }

    fn explain(&self) -> Explanation {
        tell(&self.keda, self.polled.as_ref(), self.synced.as_ref(), &self.controller)
    }

    fn next(&self, _: Instant) -> Option<Instant> {
        Some(self.clocks.first())
    }
}

/// The cluster, with KEDA in front of it, which answers for its triggers.
#[derive(Debug)]
struct Answers<'a> {
    pool: Rounded<'a>,
    /// The values of the triggers in thousandths.
    values: Vec<Option<i64>>,
}

impl Cluster for Answers<'_> {
    fn pods(&self, index: usize, metric: &MetricSpec) -> Result<impl Iterator<Item = Pod>, Failure> {
        self.pool.pods(index, metric)
    }
    fn usage(&self, index: usize, _: &MetricSpec) -> Result<i64, Failure> {
        self.values.get(index).copied().flatten().ok_or(Failure::Unavailable)
    }
    fn serving(&self) -> Option<u32> {
        self.pool.serving()
    }
}

impl Keda {
    /// The value of a trigger, with so many instances ready; `None` while there was nothing to measure.
    fn value(&self, index: usize, now: Instant, pool: &Pool, ready: u32) -> Option<f64> {
        let metric = self.hpa.metrics.get(index)?;
        // A quantile of nothing is no number, which the Prometheus scaler takes for 0 unless `ignoreNullValues` is false.
        let or_nothing = |signal: Signal, value: Option<f64>| {
            value.or_else(|| (signal.timed().is_some() && pool.signals.is_fed()).then_some(0.0))
        };
        match self.values.get(index)? {
            TriggerValue::Signal => or_nothing(metric.signal, pool.value(metric, ready)),
            TriggerValue::Cron(cron) => Some(cron.value(now, &self.clock, self.release)),
            TriggerValue::Formula(formula) => formula.expression.value(|name| {
                if name == INSTANCES {
                    return Some(f64::from(ready.max(1)));
                }
                if let Some(named) = formula.crons.iter().find(|named| named.name == name) {
                    return Some(named.cron.value(now, &self.clock, self.release));
                }
                let signal = Signal::named(name)?;
                or_nothing(signal, pool.signals.total(signal, metric.quantile))
            }),
        }
    }

    /// The value of a trigger as KEDA writes it for the HPA, in thousandths: what a formula comes to is cut.
    pub fn quantity(&self, index: usize, value: f64) -> i64 {
        match self.values.get(index) {
            Some(TriggerValue::Formula(_)) => cut(value),
            _ => self.release.quantity()(value),
        }
    }
}

impl Triggers {
    /// What the triggers say, their values given; `None` if there is no value of any that has a say. The CPU and memory
    /// have none, and are active when they are alone.
    pub fn of(keda: &Keda, value: impl Fn(usize, &MetricSpec) -> Option<f64>) -> Option<Triggers> {
        let mut triggers = Triggers { active: false, failed: false, fallen_back: false };
        let (mut heard, mut external) = (false, false);
        for (index, (activation, metric)) in keda.activations.iter().zip(&keda.hpa.metrics).enumerate() {
            let Some(threshold) = activation.threshold() else { continue };
            external = true;
            if let Some(value) = value(index, metric) {
                heard = true;
                triggers.active |= value > threshold;
            }
        }
        triggers.active |= !external;
        (heard || !external).then_some(triggers)
    }
}

/// What the executor and the HPA did, in one explanation.
pub(crate) fn tell(
    keda: &Keda,
    polled: Option<&Polled>,
    synced: Option<&Outcome>,
    controller: &Controller,
) -> Explanation {
    let mut told = synced.map(|outcome| explain(&keda.hpa, controller, outcome)).unwrap_or_default();
    if !told.metric.is_empty() {
        match synced.and_then(|outcome| keda.values.get(outcome.leader?)) {
            Some(TriggerValue::Cron(_)) => told.metric = "cron",
            Some(TriggerValue::Formula(_)) => told.metric = "formula",
            Some(TriggerValue::Signal) | None => {}
        }
    }
    let mut figures: Vec<(&'static str, Value)> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    if let Some(polled) = polled {
        figures.push(("polled", polled.replicas.into()));
        words.push(format!("poll: {}", polled.words(keda)));
    }
    if synced.is_some() {
        words.push(format!("HPA: {}", told.reason));
    }
    if words.is_empty() {
        words.push(if keda.pause.is_whole() { "paused" } else { "no metric to go by yet" }.to_owned());
    }
    figures.append(&mut told.figures);
    Explanation { figures, reason: words.join("; "), ..told }
}

#[cfg(test)]
mod tests {
    use super::super::settings::tests::keda;
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    /// The pool over the 15 s before `seconds`, with so many in flight.
    fn scrape(policy: &mut dyn Policy, seconds: u64, in_flight: f64) {
        policy.scrape(&Scrape {
            tokens: [0; 2],
            at: at(seconds),
            since: at(seconds - 15),
            arrived: 0,
            in_flight,
            waiting: in_flight,
            in_service: 0.0,
            in_flight_now: 0,
            waiting_now: 0,
            held_now: 0,
            in_service_now: 0,
            slots: 0.0,
            work: 0.0,
            ready: 0,
            existing: 0,
            instances: &[],
            times: None,
        });
    }

    fn seen(desired: u32) -> Observation<'static> {
        Observation { desired, existing: desired, ready: desired, held: 0, metric: None, instances: &[] }
    }

    #[test]
    fn the_poll_wakes_the_pool_and_the_sync_scales_it_from_there() {
        let keda = keda("max = 10\ncooldown_period = \"60s\"\nsync_delay = \"0s\"");
        let mut policy = Settings::policy(&keda, &PolicyContext::unknown(0));
        assert_eq!(Settings::schedule(&keda).unwrap().first(), at(15));
        scrape(policy.as_mut(), 15, 12.0);
        assert_eq!(policy.decide(at(15), &seen(0)), 0, "only the HPA looks, which leaves zero alone");
        assert_eq!(policy.explain().reason, "HPA: at 0: scaling is disabled");
        scrape(policy.as_mut(), 30, 12.0);
        assert_eq!(policy.next(at(15)), Some(at(30)));
        // The poll makes it 1, and the sync at the same instant 3: 12 at 5 each.
        assert_eq!(policy.decide(at(30), &seen(0)), 3);
        assert_eq!(
            policy.explain().reason,
            "poll: a trigger is active: 0 to 1; HPA: in_flight: no replica is there, and the total over target 5 asks for 3: 1 to 3"
        );
        for seconds in [45, 60, 75, 90, 105] {
            scrape(policy.as_mut(), seconds, 0.0);
            let wanted = policy.decide(at(seconds), &seen(3));
            assert_eq!(wanted, if seconds < 120 { 3 } else { 0 }, "at {seconds} s");
        }
        scrape(policy.as_mut(), 120, 0.0);
        assert_eq!(
            policy.decide(at(120), &seen(3)),
            0,
            "more than a minute after the last active poll at 30 s"
        );
    }

    #[test]
    fn a_formula_is_worked_out_over_signals_and_its_result_is_cut() {
        let keda = keda(
            "max = 10\nsync_delay = \"0s\"\n[[triggers]]\nformula = \"in_flight > 4 ? in_flight + 10 * queue_length : 1\"\nthreshold = 22",
        );
        let mut policy = Settings::policy(&keda, &PolicyContext::unknown(1));
        scrape(policy.as_mut(), 15, 4.0);
        assert_eq!(policy.decide(at(15), &seen(1)), 1);
        // 6 + 60 = 66 of 22 each; all of `scrape`'s requests wait.
        scrape(policy.as_mut(), 30, 6.0);
        assert_eq!(policy.decide(at(30), &seen(1)), 3);
        assert_eq!((policy.explain().metric, policy.explain().observed), ("formula", Some(66.0)));
        assert_eq!(keda.quantity(0, 1.2349), 1234);
    }

    #[test]
    fn the_clock_asks_for_its_replicas_and_a_cached_value_is_that_of_the_last_poll() {
        let keda = keda(
            "max = 10\nsync_delay = \"0s\"\nstarts_at = \"2026-01-05T07:59\"\ncooldown_period = \"60s\"\n[[triggers]]\ntype = \"cron\"\nstart = \"0 8 * * *\"\nend = \"1 8 * * *\"\ndesired = 4",
        );
        let mut policy = Settings::policy(&keda, &PolicyContext::unknown(0));
        let asked: Vec<u32> = [45, 60, 75].map(|seconds| policy.decide(at(seconds), &seen(0))).into();
        assert_eq!(asked, [0, 4, 0], "the poll at 60 s wakes the pool, and the sync goes on from there");
        assert_eq!(policy.explain().metric, "");
        let cached = keda_of("[[triggers]]\nthreshold = 5\nuse_cached_metrics = true");
        let mut policy = Settings::policy(&cached, &PolicyContext::unknown(1));
        scrape(policy.as_mut(), 30, 5.0);
        assert_eq!(policy.decide(at(30), &seen(1)), 1);
        scrape(policy.as_mut(), 45, 15.0);
        assert_eq!(policy.decide(at(45), &seen(1)), 1, "the sync at 45 s has the value of the poll at 30 s");
        assert_eq!(policy.decide(at(60), &seen(1)), 3);
    }

    fn keda_of(triggers: &str) -> Keda {
        keda(&format!("max = 10\nsync_delay = \"0s\"\n{triggers}"))
    }

    #[test]
    fn what_a_sync_takes_delays_the_next_ones_and_polls_keep_their_clock() {
        let mut clocks = Clocks::new(&keda("max = 10"), Span::from_secs(1));
        assert_eq!(clocks.due(at(15)), (false, true));
        assert_eq!((clocks.sync.next, clocks.due(at(30))), (at(31), (true, false)));
        assert_eq!((clocks.due(at(31)), clocks.sync.next, clocks.poll.next), ((false, true), at(47), at(60)));
    }

    #[test]
    fn cpu_alone_keeps_the_pool_and_beside_another_trigger_has_no_say() {
        let mut keda = keda("max = 10");
        assert_eq!(
            Triggers::of(&keda, |_, _| Some(0.0)),
            Some(Triggers { active: false, failed: false, fallen_back: false })
        );
        assert_eq!(Triggers::of(&keda, |_, _| None), None);
        keda.activations = vec![super::super::Activation::Resource];
        assert_eq!(
            Triggers::of(&keda, |_, _| None),
            Some(Triggers { active: true, failed: false, fallen_back: false })
        );
    }
}
