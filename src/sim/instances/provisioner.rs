//! Where instances come from: which type a start takes, whether it is granted, and what happens to it on the way.

use super::capacity::CapacityProcess;
use super::instance_type::InstanceType;
use super::nodes::Nodes;
use super::registry::InstanceRegistry;
use super::settings::Instances;
use super::stage::StartAttempt;
use super::warm_pool::WarmPool;
use crate::random::{Purpose, Streams};
use crate::sim::accounting::FailureCounts;
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Provisioner {
    kinds: Vec<InstanceType>,
    warm_pool: Option<WarmPool>,
    /// Capacity of each type that comes and goes at random.
    capacity: Vec<Option<CapacityProcess>>,
    streams: Streams,
    pub failure_counts: FailureCounts,
}

impl Provisioner {
    pub fn new(instances: &Instances, streams: Streams) -> Self {
        let (kinds, warm_pool) = (instances.kinds(), instances.warm_pool.clone());
        let market = |(number, kind): (usize, &InstanceType)| {
            let spells = kind.hazards.stock.as_ref()?.spells.as_ref()?;
            Some(CapacityProcess::new(spells, streams, number))
        };
        let capacity = kinds.iter().enumerate().map(market).collect();
        Provisioner { kinds, warm_pool, capacity, streams, failure_counts: FailureCounts::default() }
    }

    /// The types of instance, in order of preference.
    pub fn kinds(&self) -> &[InstanceType] {
        &self.kinds
    }

    /// The types in the order a start tries them: those below their base first.
    fn preference(&self, registry: &InstanceRegistry) -> impl Iterator<Item = usize> + use<> {
        let held: Vec<u32> = (0..self.kinds.len()).map(|kind| registry.held(kind)).collect();
        let below = |kind: &usize| held[*kind] < self.kinds[*kind].base;
        let (mut order, rest): (Vec<usize>, Vec<usize>) = (0..self.kinds.len()).partition(below);
        order.extend(rest);
        order.into_iter()
    }

    /// The type that instance number `instance` starts as at `now`; `None` if it is refused, for the `attempt`-th time.
    pub fn grant(
        &mut self,
        registry: &InstanceRegistry,
        instance: u32,
        attempt: u32,
        now: Instant,
    ) -> Option<usize> {
        let part = u64::from(instance) << 32 | u64::from(attempt);
        let mut rng = self.streams.substream(Purpose::Stock, part);
        let mut order = self.preference(registry);
        let granted = order.find(|kind| {
            if registry.has_room(*kind) {
                return true;
            }
            if self.capacity[*kind].as_mut().is_some_and(|market| market.is_out(now)) {
                return false;
            }
            let stock = &self.kinds[*kind].hazards.stock;
            stock.as_ref().is_none_or(|stock| !stock.refuses(now, registry.allotted(*kind), &mut rng))
        });
        self.failure_counts.refused_starts += u64::from(granted.is_none());
        granted
    }

    /// The type of an instance that is there at the start of the run: within every quota, though none is out of stock.
    pub fn initial(&self, registry: &InstanceRegistry) -> Option<usize> {
        self.preference(registry).find(|kind| {
            let quota = self.kinds[*kind].hazards.stock.as_ref().and_then(|stock| stock.quota);
            quota.is_none_or(|quota| registry.has_room(*kind) || registry.allotted(*kind) < quota)
        })
    }

    /// The type of the warm instance that a start takes; `None` if none is warm.
    pub fn warm(&self, registry: &InstanceRegistry) -> Option<usize> {
        self.preference(registry).find(|kind| registry.warm(*kind) > 0)
    }

    /// Instances to keep warm while the autoscaler asks for `desired`.
    pub fn warm_target(&self, desired: u32) -> u32 {
        self.warm_pool.as_ref().map_or(0, |pool| pool.target(desired))
    }

    /// Pause before a start that was refused for the `attempt`-th time is tried again.
    pub fn pause(&self, attempt: u32) -> Span {
        let pauses = self.kinds.iter().filter_map(|kind| kind.hazards.stock.as_ref());
        pauses.map(|stock| stock.backoff.pause(attempt)).min().unwrap_or(Span::MAX)
    }

    /// The course of an attempt to start, or to become warm where the instance is `warming`.
    pub fn draw_start(&self, kind: usize, instance: u32, attempt: u32, warming: bool) -> StartAttempt {
        let kind = &self.kinds[kind];
        match &self.warm_pool {
            Some(pool) if warming => pool.draw_warming(kind, self.streams, instance, attempt),
            _ => kind.draw_start(self.streams, instance, attempt),
        }
    }

    /// The course of an attempt to start at `now`, on a node where what is cached has been there since `cached`, if it
    /// has; sets since when it is then.
    pub fn draw_start_on_node(
        &self,
        kind: usize,
        (instance, attempt): (u32, u32),
        now: Instant,
        cached: &mut Option<Instant>,
    ) -> StartAttempt {
        let kind = &self.kinds[kind];
        let (start, since) =
            Nodes::draw_instance_start(kind, self.streams, (instance, attempt), now, *cached);
        *cached = since;
        start
    }

    /// How long an instance takes from warm to ready.
    pub fn draw_warm_start(&self, kind: usize, instance: u32) -> Span {
        let pool = self.warm_pool.as_ref();
        pool.map_or(Span::ZERO, |pool| pool.draw_start(&self.kinds[kind], self.streams, instance))
    }

    /// When, after it has become ready, an instance fails and is given notice.
    pub fn draw_end(&self, kind: usize, instance: u32) -> (Option<Span>, Option<Span>) {
        let hazards = &self.kinds[kind].hazards;
        (hazards.draw_failure(self.streams, instance), hazards.draw_interruption(self.streams, instance))
    }

    /// How long the notice of an interruption is.
    pub fn notice(&self, kind: usize) -> Span {
        self.kinds[kind]
            .hazards
            .interruptions
            .as_ref()
            .map_or(Span::ZERO, |interruptions| interruptions.notice)
    }

    /// Speed of an instance.
    pub fn speed(&self, kind: usize, instance: u32) -> f64 {
        self.kinds[kind].speed * self.kinds[kind].hazards.draw_speed(self.streams, instance)
    }

    /// How dear type `kind`, of which there are `held`, is to a scale-down, which takes the least: the last type listed
    /// that is above its base, and only then those within it.
    pub fn scale_down_rank(&self, kind: usize, held: u32) -> usize {
        let within_base = held <= self.kinds[kind].base;
        self.kinds.len() - kind + usize::from(within_base) * self.kinds.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Backoff, CapacityLimits, Cost, Hazards};

    fn kind(name: &str, base: u32, quota: Option<u32>) -> InstanceType {
        let backoff = Backoff { first: Span::from_secs(30), longest: Span::from_secs(60) };
        let stock = CapacityLimits { quota, refused: 0.0, outages: Vec::new(), spells: None, backoff };
        InstanceType {
            name: name.to_owned(),
            base,
            hazards: Hazards { stock: Some(stock), ..Hazards::default() },
            ..Instances::default().kinds().remove(0)
        }
    }

    #[test]
    fn a_base_is_filled_first_then_the_types_in_their_order_as_far_as_they_go() {
        let kinds = vec![kind("spot", 0, Some(2)), kind("on demand", 1, Some(2))];
        let streams = Streams::new(1, 0);
        let mut provisioner = Provisioner {
            kinds,
            warm_pool: None,
            capacity: vec![None, None],
            streams,
            failure_counts: FailureCounts::default(),
        };
        let mut registry =
            InstanceRegistry::new(Cost::default(), [1.0, 3.0].into_iter(), &Instances::default());
        let mut granted = Vec::new();
        for _ in 0..5 {
            let id = registry.request(Instant::ZERO);
            let kind = provisioner.grant(&registry, id, 0, Instant::ZERO);
            kind.into_iter().for_each(|kind| registry.start(id, kind, Instant::ZERO));
            granted.push(kind);
        }
        assert_eq!(granted, [Some(1), Some(0), Some(0), Some(1), None]);
        assert_eq!(provisioner.failure_counts.refused_starts, 1);
        let order = |held: [u32; 2]| {
            let mut order = [0, 1];
            order.sort_unstable_by_key(|kind| provisioner.scale_down_rank(*kind, held[*kind]));
            order
        };
        assert_eq!(order([2, 2]), [1, 0], "the last listed above its base");
        assert_eq!(order([2, 1]), [0, 1], "the base stays to the end");
    }
}
