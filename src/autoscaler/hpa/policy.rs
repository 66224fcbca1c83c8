//! The HPA at work in a simulation.
//!
//! An instance is a pod. While it starts it is Pending, which is unready to every rule; when it is ready it is Running and
//! Ready, started when it was asked for; draining, it is being deleted. A pod's resource is its slots: it requests all of
//! them and uses those that are busy.

use super::controller::{Cluster, Controller, Outcome, Scale};
use super::explain::explain;
use super::metric::{MetricSpec, Signal, Source, Target};
use super::pods::{Phase, Pod, PodSample};
use super::quantity::thousandths;
use super::replica_calculator::Failure;
use super::signals::Signals;
use super::{Hpa, replay};
use crate::autoscaler::{
    Explanation, InstanceState, InstanceView, Limits, Observation, Policy, Replay, Rhythm, Sample, Schedule,
    Settings, Start,
};
use crate::time::{Instant, Span};

impl Settings for Hpa {
    fn limits(&self) -> Limits {
        Limits { min: self.bounds.min as u32, max: self.bounds.max as u32 }
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(Schedule { interval: self.sync_period, phase: self.phase })
    }
    fn rhythm(&self) -> Rhythm {
        METRICS_SERVER
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn watches_instances(&self) -> bool {
        self.metrics.iter().any(MetricSpec::is_of_each_pod)
    }
    fn policy(&self, start: &Start) -> Box<dyn Policy> {
        Box::new(AtWork {
            pool: Pool::new(start),
            controller: Controller { scaled_to_zero: start.initial == 0, ..Controller::default() },
            last: None,
            hpa: self.clone(),
        })
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::HpaReplay::new(self.clone()))
    }
}

/// metrics-server's default resolution: a scrape every 15 s, each sample the usage since the scrape before.
pub(crate) const METRICS_SERVER: Rhythm =
    Rhythm { scrape_interval: Span::from_secs(15), window: Span::from_secs(15), delay: Span::ZERO };

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
    pods: Vec<Pod>,
}

impl Pool {
    pub fn new(start: &Start) -> Pool {
        Pool { signals: Signals::new(start.window), slots: start.slots, pods: Vec::new() }
    }

    /// What the cluster answers at `now`.
    pub fn at<'a>(&'a mut self, now: Instant, seen: &'a Observation<'a>) -> Shown<'a> {
        Shown { pool: self, now, seen }
    }
}

/// See [`Pool::at`].
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pool: &'a mut Pool,
    now: Instant,
    seen: &'a Observation<'a>,
}

impl Cluster for Shown<'_> {
    fn pods(&mut self, _: usize, metric: &MetricSpec) -> Result<(&[Pod], &[i64]), Failure> {
        let Pool { signals, slots, pods } = &mut *self.pool;
        let slots = f64::from(*slots);
        pods.clear();
        for instance in self.seen.instances {
            pods.push(pod(instance, self.now, metric, slots, signals));
        }
        Ok((pods, &[]))
    }

    fn usage(&mut self, _: usize, metric: &MetricSpec) -> Result<i64, Failure> {
        self.pool.signals.total(metric.signal).map(thousandths).ok_or(Failure::Unavailable)
    }

    fn serving(&mut self) -> Option<u32> {
        (self.seen.existing > 0).then_some(self.seen.ready)
    }
}

/// An instance as a pod.
fn pod(instance: &InstanceView, now: Instant, metric: &MetricSpec, slots: f64, signals: &Signals) -> Pod {
    let is_resource = matches!(metric.source, Source::Resource | Source::ContainerResource);
    // A resource is counted in slots, everything else as it is.
    let signal = match metric.signal {
        Signal::Utilization if is_resource => Signal::Concurrency,
        signal => signal,
    };
    let request = if signal == Signal::Concurrency { slots } else { 1.0 };
    let sample = signals.of_instance(instance.id, signal, slots).map(|reading| PodSample {
        value: thousandths(reading.value),
        age: now.since(reading.at),
        window: reading.window,
    });
    Pod {
        phase: if instance.state == InstanceState::Starting { Phase::Pending } else { Phase::Running },
        deleted: instance.state == InstanceState::Draining,
        ready: Some(instance.ready.is_some()),
        start_age: Some(now.since(instance.requested)),
        transition_age: Some(now.since(instance.ready.unwrap_or(instance.requested))),
        request: Some(thousandths(request)),
        sample,
    }
}

/// The HPA of a run.
#[derive(Debug, Clone)]
struct AtWork {
    hpa: Hpa,
    controller: Controller,
    pool: Pool,
    last: Option<Outcome>,
}

impl Policy for AtWork {
    fn scrape(&mut self, sample: &Sample<'_>) {
        self.pool.signals.scrape(sample);
    }

    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let scale = Scale::of(observation);
        let cluster = &mut self.pool.at(now, observation);
        let outcome = self.controller.reconcile(&self.hpa, now.into(), scale, cluster);
        self.last = Some(outcome);
        outcome.replicas.max(0) as u32
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
