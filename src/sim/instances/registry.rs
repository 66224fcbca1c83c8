//! The registry of the instances of a pool: the state of each, the time spent in each state, and the time billed.

mod beside;

use std::ops::Range;

use super::nodes::Cluster;
use super::settings::{Instances, ScaleDownOrder};
use crate::autoscaler::{InstanceState, InstanceView};
use crate::sim::accounting::{BilledFrom, Cost, InstanceCounts, InstanceTime};
use crate::time::{Instant, Span};

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum State {
    /// Asked for, and refused so far for want of capacity.
    Pending,
    Starting,
    Ready,
    Draining,
    /// Asked for to be kept warm, and refused so far.
    WarmPending,
    /// Starting, to be kept warm.
    Warming,
}

#[derive(Debug, Clone, Copy)]
struct Instance {
    id: u32,
    /// Number of its type; of no meaning while it is pending.
    kind: usize,
    state: State,
    requested: Instant,
    billed_from: Option<Instant>,
    /// [`Instant::MAX`] until it is.
    ready_since: Instant,
    /// When it has warmed up.
    warm_from: Instant,
    /// Whether it goes to the warm pool when it has drained.
    returns: bool,
}

impl Instance {
    /// Nanoseconds up to `now` that it has been warming up while it was ready.
    fn warming_up(&self, now: Instant) -> u128 {
        match self.state {
            State::Ready => u128::from(self.warm_from.min(now).since(self.ready_since).as_nanos()),
            _ => 0,
        }
    }

    /// As the autoscaler may see it; `None` of one that is for the warm pool.
    fn view(&self) -> Option<InstanceView> {
        let state = match self.state {
            State::Pending | State::Starting => InstanceState::Starting,
            State::Ready => InstanceState::Ready,
            State::Draining => InstanceState::Draining,
            State::WarmPending | State::Warming => return None,
        };
        let ready = matches!(self.state, State::Ready | State::Draining).then_some(self.ready_since);
        Some(InstanceView { id: self.id, state, requested: self.requested, ready })
    }
}

/// The instances that exist, by number, and the totals of those that are gone.
#[derive(Debug, Clone)]
pub(in crate::sim) struct InstanceRegistry {
    instances: Vec<Instance>,
    counts: InstanceCounts,
    time: InstanceTime,
    counted_to: Instant,
    numbered: u32,
    started: u32,
    warm_starts: u32,
    peak_ready: u32,
    cost: Cost,
    measured_from: Instant,
    /// Instance-nanoseconds of warming up, of instances that are no longer ready.
    warmed_up: u128,
    /// Price of an instance while it is warm, as a share of its price in service.
    warm_fraction: f64,
    /// Price of a node for an hour.
    per_node_hour: f64,
    nodes: Option<Cluster>,
    /// By type.
    shares: Vec<Share>,
}

/// The instances of one type.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    price: f64,
    /// Starting or ready.
    held: u32,
    ready: u32,
    warming: u32,
    warm: u32,
    /// Instance-nanoseconds ready.
    ready_time: u128,
    /// Billed nanoseconds of instances that are gone.
    billed: u128,
    /// Instance-nanoseconds warm in the measured part.
    warm_time: u128,
    nodes: u32,
    /// Node-nanoseconds in the measured part.
    node_time: u128,
}

/// Hours and cost of one type of instance in the measured part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::sim) struct Bill {
    pub hours: f64,
    pub warm_hours: f64,
    pub node_hours: f64,
    /// Of all three.
    pub cost: f64,
    /// Of the warm ones alone.
    pub warm_cost: f64,
    /// Of the nodes alone.
    pub node_cost: f64,
    /// Instance-nanoseconds ready since the start of the run.
    pub ready_time: u128,
}

impl InstanceRegistry {
    /// No instances yet, of types at these prices for an hour.
    pub fn new(cost: Cost, prices: impl Iterator<Item = f64>, instances: &Instances) -> Self {
        InstanceRegistry {
            instances: Vec::new(),
            counts: InstanceCounts::default(),
            time: InstanceTime::default(),
            counted_to: Instant::ZERO,
            numbered: 0,
            started: 0,
            warm_starts: 0,
            peak_ready: 0,
            cost,
            measured_from: Instant::ZERO,
            warmed_up: 0,
            warm_fraction: instances.warm_fraction(),
            per_node_hour: instances.node.as_ref().map_or(0.0, |nodes| nodes.per_node_hour),
            nodes: instances.node.as_ref().map(Cluster::new),
            shares: prices.map(|price| Share { price, ..Share::default() }).collect(),
        }
    }

    /// Asks for an instance and returns its number; it is pending.
    pub fn request(&mut self, now: Instant) -> u32 {
        self.count(now);
        self.counts.pending += 1;
        self.enter(State::Pending, now)
    }

    fn enter(&mut self, state: State, now: Instant) -> u32 {
        let id = self.numbered;
        self.numbered += 1;
        self.instances.push(Instance {
            id,
            kind: 0,
            state,
            requested: now,
            billed_from: None,
            ready_since: Instant::MAX,
            warm_from: Instant::ZERO,
            returns: false,
        });
        id
    }

    /// Grants a pending instance the capacity to start, as one of type `kind`.
    pub fn start(&mut self, id: u32, kind: usize, now: Instant) {
        let Some(index) = self.index(id) else { return };
        self.count(now);
        let instance = &mut self.instances[index];
        instance.kind = kind;
        instance.billed_from = (self.cost.billed_from == BilledFrom::Requested).then_some(now);
        self.started += 1;
        if instance.state == State::WarmPending {
            instance.state = State::Warming;
            self.counts.warm_pending -= 1;
            self.counts.warming += 1;
            self.shares[kind].warming += 1;
        } else {
            instance.state = State::Starting;
            self.counts.pending -= 1;
            self.counts.starting += 1;
            self.shares[kind].held += 1;
        }
    }

    /// Instances of type `kind` that are starting or ready.
    pub fn held(&self, kind: usize) -> u32 {
        self.shares[kind].held
    }

    /// What a quota counts of type `kind`: instances that are starting, ready, warm or becoming so; nodes, where there are
    /// such.
    pub fn allotted(&self, kind: usize) -> u32 {
        let share = &self.shares[kind];
        if self.nodes.is_some() {
            return share.nodes;
        }
        share.held + share.warming + share.warm
    }

    /// The state and type of an instance, if it is not gone.
    pub fn find(&self, id: u32) -> Option<(State, usize)> {
        self.index(id).map(|index| (self.instances[index].state, self.instances[index].kind))
    }

    /// When an instance became ready; [`Instant::ZERO`] if there is none of that number.
    pub fn ready_since(&self, id: u32) -> Instant {
        self.index(id).map_or(Instant::ZERO, |index| self.instances[index].ready_since)
    }

    /// Nanoseconds up to `now` that an instance has been warming up, for it to have been ready all the time.
    pub fn warming_up(&self, id: u32, now: Instant) -> u128 {
        self.index(id).map_or(0, |index| self.instances[index].warming_up(now))
    }

    /// Instance-nanoseconds up to `now` in which ready instances have been warming up.
    pub fn warmed_up(&self, now: Instant) -> u128 {
        self.warmed_up + self.instances.iter().map(|instance| instance.warming_up(now)).sum::<u128>()
    }

    /// Marks an instance ready, which takes until `warm_from` to warm up; `false` if it was cancelled meanwhile.
    pub fn ready(&mut self, id: u32, now: Instant, warm_from: Instant) -> bool {
        let Some(index) = self.index(id) else { return false };
        self.count(now);
        let instance = &mut self.instances[index];
        instance.state = State::Ready;
        instance.ready_since = now;
        instance.warm_from = warm_from;
        instance.billed_from.get_or_insert(now);
        self.shares[instance.kind].ready += 1;
        self.counts.starting -= 1;
        self.counts.ready += 1;
        self.peak_ready = self.peak_ready.max(self.counts.ready);
        true
    }

    /// Marks a ready instance draining, on its way to the warm pool if it `returns`.
    pub fn drain(&mut self, id: u32, now: Instant, returns: bool) {
        if let Some(index) = self.index(id) {
            self.count(now);
            self.warmed_up += self.instances[index].warming_up(now);
            self.instances[index].state = State::Draining;
            self.instances[index].returns = returns;
            self.counts.returning += u32::from(returns);
            let share = &mut self.shares[self.instances[index].kind];
            share.ready -= 1;
            share.held -= 1;
            self.counts.ready -= 1;
            self.counts.draining += 1;
        }
    }

    /// Takes an instance out, whatever its state; `false` if it was out already.
    pub fn remove(&mut self, id: u32, now: Instant) -> bool {
        let Some(index) = self.index(id) else { return false };
        self.count(now);
        let instance = self.instances.remove(index);
        self.warmed_up += instance.warming_up(now);
        let billed = self.billed_time(&instance, Some(now), now);
        if let Some(nodes) = &mut self.nodes {
            nodes.vacate(id);
        }
        let share = &mut self.shares[instance.kind];
        share.billed += billed;
        match instance.state {
            State::Pending => self.counts.pending -= 1,
            State::Starting => {
                self.counts.starting -= 1;
                share.held -= 1;
            }
            State::Ready => {
                self.counts.ready -= 1;
                share.ready -= 1;
                share.held -= 1;
            }
            State::Draining => {
                self.counts.draining -= 1;
                self.counts.returning -= u32::from(instance.returns);
            }
            State::WarmPending => self.counts.warm_pending -= 1,
            State::Warming => {
                self.counts.warming -= 1;
                share.warming -= 1;
            }
        }
        true
    }

    /// The number that the next instance will have.
    pub fn next_number(&self) -> u32 {
        self.numbered
    }

    /// Instances on their way in, and those that are ready: of numbers below `first_new`, and of the others.
    pub fn by_version(&self, first_new: u32) -> [[u32; 2]; 2] {
        let mut counts = [[0; 2]; 2];
        for instance in &self.instances {
            let of_version = &mut counts[usize::from(instance.id >= first_new)];
            match instance.state {
                State::Pending | State::Starting => of_version[0] += 1,
                State::Ready => of_version[1] += 1,
                State::Draining | State::WarmPending | State::Warming => {}
            }
        }
        counts
    }

    /// The instance a scale-down takes next among those of these numbers, and its state: one on its way in (the newest) before any ready one; of the
    /// ready ones, one of the type that `scale_down_rank` ranks lowest.
    pub fn next_to_go(
        &self,
        among: Range<u32>,
        order: ScaleDownOrder,
        scale_down_rank: impl Fn(usize, u32) -> usize,
        outstanding: impl Fn(u32) -> u64,
    ) -> Option<(u32, State)> {
        let meant = || self.instances.iter().filter(|instance| among.contains(&instance.id));
        let coming = |state: State| meant().rev().find(|instance| instance.state == state);
        if let Some(instance) = coming(State::Pending).or_else(|| coming(State::Starting)) {
            return Some((instance.id, instance.state));
        }
        let rank = |kind: &usize| scale_down_rank(*kind, self.shares[*kind].held);
        let is_ready =
            |kind: usize| move |instance: &&Instance| instance.state == State::Ready && instance.kind == kind;
        let kind = (0..self.shares.len())
            .filter(|kind| meant().any(|one| is_ready(*kind)(&one)))
            .min_by_key(rank)?;
        let ready = meant().filter(is_ready(kind));
        let age = |instance: &&Instance| (instance.ready_since, instance.id);
        let chosen = match order {
            ScaleDownOrder::Newest => ready.max_by_key(age),
            ScaleDownOrder::Oldest => ready.min_by_key(age),
            ScaleDownOrder::LeastBusy => {
                ready.min_by_key(|instance| (outstanding(instance.id), std::cmp::Reverse(age(instance))))
            }
        };
        chosen.map(|instance| (instance.id, State::Ready))
    }

    /// From here on instance-time is measured.
    pub fn measure_from(&mut self, now: Instant) {
        self.count(now);
        self.measured_from = now;
        for share in &mut self.shares {
            (share.billed, share.warm_time, share.node_time) = (0, 0, 0);
        }
        self.peak_ready = self.counts.ready;
    }

    /// Every instance that exists, by its number, as the autoscaler may see it.
    pub fn views(&self) -> impl Iterator<Item = InstanceView> {
        self.instances.iter().filter_map(Instance::view)
    }

    #[inline]
    pub fn counts(&self) -> InstanceCounts {
        self.counts
    }

    /// Instances started over the whole run, cold and from the warm pool.
    pub fn starts(&self) -> (u32, u32) {
        (self.started, self.warm_starts)
    }

    /// Maximum number of instances ready at once in the measured part.
    pub fn peak_ready(&self) -> u32 {
        self.peak_ready
    }

    /// Instance-time up to `now`.
    #[inline]
    pub fn time(&mut self, now: Instant) -> InstanceTime {
        self.count(now);
        self.time
    }

    /// What is billed from the start of the measured part up to `now`, by type.
    pub fn bills(&mut self, now: Instant) -> Vec<Bill> {
        self.count(now);
        let mut billed: Vec<u128> = self.shares.iter().map(|share| share.billed).collect();
        for instance in &self.instances {
            billed[instance.kind] += self.billed_time(instance, None, now);
        }
        let bill = |(share, billed): (&Share, u128)| {
            let (hours, warm_hours) = (billed as f64 / 3.6e12, share.warm_time as f64 / 3.6e12);
            let warm_cost = warm_hours * share.price * self.warm_fraction;
            let node_hours = share.node_time as f64 / 3.6e12;
            let node_cost = node_hours * self.per_node_hour;
            let cost = hours * share.price + warm_cost + node_cost;
            let ready_time = share.ready_time;
            Bill { hours, warm_hours, node_hours, cost, warm_cost, node_cost, ready_time }
        };
        self.shares.iter().zip(billed).map(bill).collect()
    }

    /// Billed nanoseconds of one instance within the measured part: what is billed by `now`, less what was by its start.
    fn billed_time(&self, instance: &Instance, gone: Option<Instant>, now: Instant) -> u128 {
        let Some(from) = instance.billed_from else { return 0 };
        let by = |instant| self.cost.billed(from, gone, instant);
        let before = if self.measured_from > Instant::ZERO { by(self.measured_from) } else { Span::ZERO };
        u128::from((by(now) - before).as_nanos())
    }

    /// Whether every instance is counted once, and those within others are no more than they.
    fn counts_hold(&self) -> bool {
        let InstanceCounts { pending, starting, ready, draining, warm_pending, warming, warm, returning } =
            self.counts;
        let counted = pending + starting + ready + draining + warm_pending + warming;
        let sum = |share: fn(&Share) -> u32| self.shares.iter().map(share).sum::<u32>();
        counted as usize == self.instances.len()
            && returning <= draining
            && sum(|share| share.held) == starting + ready
            && sum(|share| share.ready) == ready
            && sum(|share| share.warm) == warm
    }

    fn index(&self, id: u32) -> Option<usize> {
        self.instances.binary_search_by_key(&id, |instance| instance.id).ok()
    }

    fn count(&mut self, now: Instant) {
        debug_assert!(self.counts_hold(), "{:?} of {} instances", self.counts, self.instances.len());
        debug_assert!(now >= self.counted_to, "time falls from {:?} to {now:?}", self.counted_to);
        let passed = u128::from(now.since(self.counted_to).as_nanos());
        for share in &mut self.shares {
            share.ready_time += passed * u128::from(share.ready);
            share.warm_time += passed * u128::from(share.warm);
            share.node_time += passed * u128::from(share.nodes);
        }
        self.time.warming += passed * u128::from(self.counts.warming);
        self.time.warm += passed * u128::from(self.counts.warm);
        self.time.pending += passed * u128::from(self.counts.pending);
        self.time.starting += passed * u128::from(self.counts.starting);
        self.time.ready += passed * u128::from(self.counts.ready);
        self.time.draining += passed * u128::from(self.counts.draining);
        self.counted_to = now;
    }
}
