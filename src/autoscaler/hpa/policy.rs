//! The HPA at work in a simulation.
//!
//! An instance is a pod. While it starts it is Pending, which is unready to every rule; when it is ready it is Running and
//! Ready, started when it was asked for; draining, it is being deleted. A pod's resource is its slots: it requests all of
//! them and uses those that are busy.

use super::controller::{Cluster, Controller, Outcome, Scale};
use super::explain::explain;
use super::metric::{MetricSpec, Source, Target};
use super::pods::{Phase, Pod, PodSample};
use super::replica_calculator::Failure;
use super::signals::Signals;
use super::{Hpa, replay};
use crate::autoscaler::reading::quantity::thousandths;
use crate::autoscaler::{
    Explanation, InstanceState, InstanceView, Limits, MetricsDefaults, Observation, Policy, PolicyContext,
    Replay, Schedule, Scrape, Settings, Watched,
};
use crate::autoscaler::{Per, Signal, Timed};
use crate::time::{Instant, Span};

impl Settings for Hpa {
    fn limits(&self) -> Limits {
        Limits { min: self.bounds.min as u32, max: self.bounds.max as u32 }
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(Schedule { interval: self.sync_period, phase: self.phase })
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        METRICS_SERVER
    }
    fn watched(&self) -> Vec<Watched> {
        watched(&self.metrics, |at, key| format!("metrics.{at}.{key}"))
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn times(&self) -> Vec<Timed> {
        self.metrics.iter().filter_map(|metric| metric.signal.timed()).collect()
    }
    fn uses_metrics_window(&self) -> bool {
        true
    }
    fn watches_instances(&self) -> bool {
        self.metrics.iter().any(MetricSpec::is_of_each_pod)
    }
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        Box::new(HpaPolicy {
            pool: Pool::new(start, thousandths),
            controller: Controller { scaled_to_zero: start.initial == 0, ..Controller::default() },
            last: None,
            hpa: self.clone(),
        })
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::HpaReplay::new(self.clone()))
    }
}

/// What the metrics of an HPA are compared with; `key` names the key of one by its position and the kind of its target. Of a
/// resource, the percentage of what is requested is a share; a quantity of it is left out, in units of its own.
pub(crate) fn watched(metrics: &[MetricSpec], key: impl Fn(usize, &str) -> String) -> Vec<Watched> {
    let of_one = |(at, metric): (usize, &MetricSpec)| {
        let signal = metric.signal;
        let is_resource = matches!(metric.source, Source::Resource | Source::ContainerResource);
        let is_percent = matches!(metric.target, Target::Utilization(_));
        let is_total = matches!(metric.target, Target::Value(_)) && metric.per == Per::Total;
        let (name, target) = match metric.target {
            Target::AverageValue(value) if !is_resource => ("average_value", value),
            Target::Value(value) => ("value", value),
            // Of memory it says nothing here: the cache it stands for may not exist.
            Target::Utilization(percent) if signal == Signal::Utilization => {
                ("average_utilization", i64::from(percent) * 10)
            }
            _ => return None,
        };
        let per = if is_total && signal.quantity().is_additive() { Per::Total } else { Per::Instance };
        Some(Watched { per, is_percent, ..Watched::new(key(at, name), signal, value_of(target)) })
    };
    metrics.iter().enumerate().filter_map(of_one).collect()
}

fn value_of(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

/// metrics-server's default resolution: a scrape every 15 s, each sample the usage since the scrape before.
pub(crate) const METRICS_SERVER: MetricsDefaults =
    MetricsDefaults { scrape_interval: Span::from_secs(15), window: Span::from_secs(15), delay: Span::ZERO };

impl MetricSpec {
    /// Whether the pods must be told apart to see it.
    pub fn is_of_each_pod(&self) -> bool {
        !matches!(self.source, Source::Object | Source::External) || self.signal == Signal::KvCache
    }
}

/// The simulated pool as a cluster shows it.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub signals: Signals,
    slots: u32,
    /// A total in thousandths, as its source writes it.
    quantity: fn(f64) -> i64,
}

impl Pool {
    pub fn new(start: &PolicyContext, quantity: fn(f64) -> i64) -> Pool {
        Pool { signals: Signals::new(start.window), slots: start.slots, quantity }
    }

    /// The value of an external metric, with so many instances ready; `None` while there was nothing to measure.
    pub fn value(&self, metric: &MetricSpec, ready: u32) -> Option<f64> {
        let total = self.signals.total(metric.signal, metric.quantile)?;
        let is_shared = metric.per == Per::Instance && metric.signal.quantity().is_additive();
        Some(if is_shared { total / f64::from(ready.max(1)) } else { total })
    }

    /// What the cluster answers at `now`.
    pub fn at<'a>(&'a self, now: Instant, seen: &'a Observation<'a>) -> Rounded<'a> {
        Rounded { pool: self, now, seen }
    }
}

/// See [`Pool::at`].
#[derive(Debug)]
pub(crate) struct Rounded<'a> {
    pool: &'a Pool,
    now: Instant,
    seen: &'a Observation<'a>,
}

impl Cluster for Rounded<'_> {
    fn pods(&self, _: usize, metric: &MetricSpec) -> Result<impl Iterator<Item = Pod>, Failure> {
        let Rounded { pool, now, seen } = *self;
        let (signals, signal, slots) = (&pool.signals, metric.signal, f64::from(pool.slots));
        let is_resource = matches!(metric.source, Source::Resource | Source::ContainerResource);
        // A resource is counted in slots, everything else as it is.
        let unit = if is_resource && signal == Signal::Utilization { slots } else { 1.0 };
        let request = thousandths(if signal == Signal::Concurrency { slots } else { unit });
        let mut next = 0;
        Ok(seen.instances.iter().map(move |instance| {
            let reading = signals.of_instance(instance.id, (signal, metric.quantile), &mut next);
            let sample = reading.map(|reading| PodSample {
                value: thousandths(reading.value * unit),
                age: now.since(reading.at),
                window: reading.window,
            });
            pod(instance, now, request, sample)
        }))
    }

    fn usage(&self, _: usize, metric: &MetricSpec) -> Result<i64, Failure> {
        self.pool.value(metric, self.seen.ready).map(self.pool.quantity).ok_or(Failure::Unavailable)
    }

    fn serving(&self) -> Option<u32> {
        (self.seen.existing > 0).then_some(self.seen.ready)
    }
}

/// An instance as a pod that requests `request` thousandths.
fn pod(instance: &InstanceView, now: Instant, request: i64, sample: Option<PodSample>) -> Pod {
    Pod {
        phase: if instance.state == InstanceState::Starting { Phase::Pending } else { Phase::Running },
        deleted: instance.state == InstanceState::Draining,
        ready: Some(instance.ready.is_some()),
        start_age: Some(now.since(instance.requested)),
        transition_age: Some(now.since(instance.ready.unwrap_or(instance.requested))),
        request: Some(request),
        sample,
    }
}

/// The HPA of a run.
#[derive(Debug, Clone)]
struct HpaPolicy {
    hpa: Hpa,
    controller: Controller,
    pool: Pool,
    last: Option<Outcome>,
}

impl Policy for HpaPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        self.pool.signals.scrape(sample);
    }

    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let scale = Scale::of(observation);
        let cluster = &self.pool.at(now, observation);
        let outcome = self.controller.reconcile(&self.hpa, now.into(), scale, cluster);
        self.last = Some(outcome);
        outcome.replicas.max(0) as u32
    }

    fn next(&self, now: Instant) -> Option<Instant> {
        Some(now + self.hpa.sync_period + self.hpa.sync_delay)
    }

    fn explain(&self) -> Explanation {
        match &self.last {
            Some(outcome) => explain(&self.hpa, &self.controller, outcome),
            None => Explanation::plain("not evaluated yet"),
        }
    }
}

impl Scale {
    /// The replicas as the simulator shows them.
    pub fn of(observation: &Observation<'_>) -> Scale {
        let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        Scale { spec: count(observation.desired), status: count(observation.existing) }
    }
}

impl Target {
    /// The target as the metric is shown: a share for a utilization, else in whole units.
    pub fn shown(self) -> f64 {
        match self {
            Target::Utilization(percent) => f64::from(percent) / 100.0,
            Target::AverageValue(value) | Target::Value(value) => value as f64 / 1000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings;
    use super::*;
    use crate::autoscaler::InstanceScrape;
    use crate::schema::{Context, Reader, Tree};

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    /// An HPA on a pool of `initial` instances of one slot.
    fn policy(keys: &str, initial: u32) -> Box<dyn Policy> {
        let (tree, context) = (Tree::parse(keys).unwrap(), Context::default());
        let reader = Reader::open(tree.root(), "autoscaler", &settings::SPEC, &context).unwrap();
        let start = PolicyContext { window: Span::from_secs(15), ..PolicyContext::unknown(initial) };
        settings::read(&reader).unwrap().policy(&start)
    }

    /// A scrape that finds the ready instances with so many requests in service each.
    fn scrape(policy: &mut dyn Policy, seconds: u64, busy: &[(u32, f64)]) {
        let instances: Vec<InstanceScrape> = busy
            .iter()
            .map(|(id, in_service)| InstanceScrape {
                id: *id,
                measured: Span::from_secs(5),
                service_seconds: in_service * 5.0,
                busy_seconds: in_service * 5.0,
                in_service_now: 0,
                waiting_now: 0,
                kv_cache: 0.0,
            })
            .collect();
        let in_service = busy.iter().map(|(_, in_service)| in_service).sum();
        policy.scrape(&Scrape {
            tokens: [0; 2],
            at: at(seconds),
            since: at(seconds - 15),
            arrived: 0,
            in_flight: in_service,
            waiting: 0.0,
            in_service,
            in_flight_now: 0,
            waiting_now: 0,
            held_now: 0,
            in_service_now: 0,
            slots: busy.len() as f64,
            work: in_service,
            ready: busy.len() as u32,
            existing: busy.len() as u32,
            instances: &instances,
            times: None,
        });
    }

    fn decide(policy: &mut dyn Policy, seconds: u64, ready: &[Option<u64>]) -> u32 {
        let view = |(id, ready): (usize, &Option<u64>)| InstanceView {
            id: id as u32,
            state: if ready.is_some() { InstanceState::Ready } else { InstanceState::Starting },
            requested: at(ready.unwrap_or(seconds).saturating_sub(60)),
            ready: ready.map(at),
        };
        let instances: Vec<InstanceView> = ready.iter().enumerate().map(view).collect();
        let count = instances.len() as u32;
        policy.decide(
            at(seconds),
            &Observation {
                desired: count,
                existing: count,
                ready: ready.iter().flatten().count() as u32,
                held: 0,
                metric: None,
                instances: &instances,
            },
        )
    }

    const CPU: &str = "max = 9\nmetrics = [{ average_utilization = 50 }]";

    #[test]
    fn an_instance_that_starts_holds_back_the_way_up_as_an_idle_pod() {
        let mut policy = policy(CPU, 1);
        scrape(policy.as_mut(), 600, &[(0, 1.0)]);
        assert_eq!(decide(policy.as_mut(), 600, &[Some(0)]), 2);
        assert_eq!(decide(policy.as_mut(), 600, &[Some(0), None]), 2, "100 % and 0 % are 50 %");
        let reason = policy.explain().reason;
        assert_eq!(
            reason,
            "cpu utilization 100 % of target 50 %: ratio 1 with 1 unready filled in within tolerance 0.10: stay at 2"
        );
    }

    #[test]
    fn a_new_instance_counts_once_a_whole_sample_lies_after_its_readiness() {
        let mut policy = policy(CPU, 1);
        scrape(policy.as_mut(), 600, &[(0, 1.0), (1, 1.0)]);
        assert_eq!(decide(policy.as_mut(), 600, &[Some(0), Some(595)]), 2, "its sample is of 585 to 600");
        scrape(policy.as_mut(), 615, &[(0, 1.0), (1, 1.0)]);
        assert_eq!(decide(policy.as_mut(), 615, &[Some(0), Some(595)]), 4);
    }

    #[test]
    fn only_the_cpu_waits_for_new_instances() {
        let mut policy = policy(
            "max = 9\nmetrics = [{ type = \"pods\", signal = \"utilization\", average_value = 0.5 }]",
            1,
        );
        scrape(policy.as_mut(), 600, &[(0, 1.0), (1, 1.0)]);
        assert_eq!(decide(policy.as_mut(), 600, &[Some(0), Some(595)]), 4);
    }

    #[test]
    fn before_the_first_scrape_there_is_nothing_to_go_by() {
        let mut policy = policy(CPU, 3);
        assert_eq!(decide(policy.as_mut(), 15, &[Some(0), Some(0), Some(0)]), 3);
        assert_eq!(policy.explain().reason, "cpu: no pod that counts has a sample: stay at 3");
    }

    #[test]
    fn an_empty_pool_comes_back_by_an_external_metric() {
        let keys = "min = 0\nmax = 9\nmetrics = [{ type = \"external\", signal = \"in_flight\", average_value = 2 }]";
        let mut policy = policy(keys, 0);
        scrape(policy.as_mut(), 15, &[(0, 5.0)]);
        assert_eq!(decide(policy.as_mut(), 15, &[]), 3);
    }
}
