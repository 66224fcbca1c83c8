//! The instances of a pool: their lives, the time they spend in each state, and what is billed for it.

use super::{BilledFrom, Cost, Victim};
use crate::autoscaler::{InstanceState, InstanceView};
use crate::time::{Instant, Span};

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Asked for, and refused so far for want of capacity.
    Pending,
    Starting,
    Ready,
    Draining,
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
}

impl Instance {
    fn view(&self) -> InstanceView {
        let state = match self.state {
            State::Pending | State::Starting => InstanceState::Starting,
            State::Ready => InstanceState::Ready,
            State::Draining => InstanceState::Draining,
        };
        let ready = matches!(self.state, State::Ready | State::Draining).then_some(self.ready_since);
        InstanceView { id: self.id, state, requested: self.requested, ready }
    }
}

/// Instances in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Census {
    pub pending: u32,
    pub starting: u32,
    pub ready: u32,
    pub draining: u32,
}

impl Census {
    /// Instances on their way in: starting, or waiting for capacity to start.
    pub fn coming(self) -> u32 {
        self.pending + self.starting
    }

    /// Instances that are there or on their way in.
    pub fn existing(self) -> u32 {
        self.coming() + self.ready
    }
}

/// Instance-nanoseconds in each state since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct InstanceTime {
    pub pending: u128,
    pub starting: u128,
    pub ready: u128,
    pub draining: u128,
}

/// The instances that exist, by number.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    instances: Vec<Instance>,
    census: Census,
    time: InstanceTime,
    counted_to: Instant,
    numbered: u32,
    started: u32,
    peak_ready: u32,
    cost: Cost,
    measured_from: Instant,
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
    /// Instance-nanoseconds ready.
    ready_time: u128,
    /// Billed nanoseconds of instances that are gone.
    billed: u128,
}

/// What one type of instance came to in the measured part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bill {
    pub hours: f64,
    pub cost: f64,
    /// Instance-nanoseconds ready since the start of the run.
    pub ready_time: u128,
}

impl Pool {
    /// No instances yet, of types at these prices for an hour.
    pub fn new(cost: Cost, prices: impl Iterator<Item = f64>) -> Self {
        Pool {
            instances: Vec::new(),
            census: Census::default(),
            time: InstanceTime::default(),
            counted_to: Instant::ZERO,
            numbered: 0,
            started: 0,
            peak_ready: 0,
            cost,
            measured_from: Instant::ZERO,
            shares: prices.map(|price| Share { price, ..Share::default() }).collect(),
        }
    }

    /// Asks for an instance and returns its number; it is pending.
    pub fn request(&mut self, now: Instant) -> u32 {
        self.count(now);
        let id = self.numbered;
        self.numbered += 1;
        self.census.pending += 1;
        self.instances.push(Instance {
            id,
            kind: 0,
            state: State::Pending,
            requested: now,
            billed_from: None,
            ready_since: Instant::MAX,
        });
        id
    }

    /// Grants a pending instance the capacity to start, as one of type `kind`.
    pub fn start(&mut self, id: u32, kind: usize, now: Instant) {
        let Some(index) = self.index(id) else { return };
        self.count(now);
        let instance = &mut self.instances[index];
        instance.kind = kind;
        instance.state = State::Starting;
        instance.billed_from = (self.cost.billed_from == BilledFrom::Requested).then_some(now);
        self.census.pending -= 1;
        self.census.starting += 1;
        self.started += 1;
        self.shares[kind].held += 1;
    }

    /// Instances of type `kind` that are starting or ready.
    pub fn held(&self, kind: usize) -> u32 {
        self.shares[kind].held
    }

    /// The state and type of an instance, if it is not gone.
    pub fn find(&self, id: u32) -> Option<(State, usize)> {
        self.index(id).map(|index| (self.instances[index].state, self.instances[index].kind))
    }

    /// Marks an instance ready; `false` if it was cancelled meanwhile.
    pub fn ready(&mut self, id: u32, now: Instant) -> bool {
        let Some(index) = self.index(id) else { return false };
        self.count(now);
        let instance = &mut self.instances[index];
        instance.state = State::Ready;
        instance.ready_since = now;
        instance.billed_from.get_or_insert(now);
        self.shares[instance.kind].ready += 1;
        self.census.starting -= 1;
        self.census.ready += 1;
        self.peak_ready = self.peak_ready.max(self.census.ready);
        true
    }

    /// Marks a ready instance draining.
    pub fn drain(&mut self, id: u32, now: Instant) {
        if let Some(index) = self.index(id) {
            self.count(now);
            self.instances[index].state = State::Draining;
            let share = &mut self.shares[self.instances[index].kind];
            share.ready -= 1;
            share.held -= 1;
            self.census.ready -= 1;
            self.census.draining += 1;
        }
    }

    /// Takes an instance out, whatever its state; `false` if it was out already.
    pub fn remove(&mut self, id: u32, now: Instant) -> bool {
        let Some(index) = self.index(id) else { return false };
        self.count(now);
        let instance = self.instances.remove(index);
        let billed = self.billed_time(&instance, Some(now), now);
        let share = &mut self.shares[instance.kind];
        share.billed += billed;
        match instance.state {
            State::Pending => self.census.pending -= 1,
            State::Starting => {
                self.census.starting -= 1;
                share.held -= 1;
            }
            State::Ready => {
                self.census.ready -= 1;
                share.ready -= 1;
                share.held -= 1;
            }
            State::Draining => self.census.draining -= 1,
        }
        true
    }

    /// The instance a scale-down takes next, and its state: one on its way in (the newest) before any ready one; of the
    /// ready ones, one of the type that `spared` ranks lowest.
    pub fn victim(
        &self,
        order: Victim,
        spared: impl Fn(usize, u32) -> usize,
        outstanding: impl Fn(u32) -> u64,
    ) -> Option<(u32, State)> {
        let coming = |state: State| self.instances.iter().rev().find(move |instance| instance.state == state);
        if let Some(instance) = coming(State::Pending).or_else(|| coming(State::Starting)) {
            return Some((instance.id, instance.state));
        }
        let rank = |kind: &usize| spared(*kind, self.shares[*kind].held);
        let kind = (0..self.shares.len()).filter(|kind| self.shares[*kind].ready > 0).min_by_key(rank)?;
        let ready =
            self.instances.iter().filter(|instance| instance.state == State::Ready && instance.kind == kind);
        let age = |instance: &&Instance| (instance.ready_since, instance.id);
        let chosen = match order {
            Victim::Newest => ready.max_by_key(age),
            Victim::Oldest => ready.min_by_key(age),
            Victim::LeastBusy => {
                ready.min_by_key(|instance| (outstanding(instance.id), std::cmp::Reverse(age(instance))))
            }
        };
        chosen.map(|instance| (instance.id, State::Ready))
    }

    /// From here on instance-time is measured.
    pub fn measure_from(&mut self, now: Instant) {
        self.count(now);
        self.measured_from = now;
        self.shares.iter_mut().for_each(|share| share.billed = 0);
        self.peak_ready = self.census.ready;
    }

    /// Every instance that exists, by its number, as the autoscaler may see it.
    pub fn views(&self) -> impl Iterator<Item = InstanceView> {
        self.instances.iter().map(Instance::view)
    }

    pub fn census(&self) -> Census {
        self.census
    }

    /// Instances started over the whole run, and most ready at once in its measured part.
    pub fn totals(&self) -> (u32, u32) {
        (self.started, self.peak_ready)
    }

    /// Instance-time up to `now`.
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
            let hours = billed as f64 / 3.6e12;
            Bill { hours, cost: hours * share.price, ready_time: share.ready_time }
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

    fn index(&self, id: u32) -> Option<usize> {
        self.instances.binary_search_by_key(&id, |instance| instance.id).ok()
    }

    fn count(&mut self, now: Instant) {
        let passed = u128::from(now.since(self.counted_to).as_nanos());
        for share in &mut self.shares {
            share.ready_time += passed * u128::from(share.ready);
        }
        self.time.pending += passed * u128::from(self.census.pending);
        self.time.starting += passed * u128::from(self.census.starting);
        self.time.ready += passed * u128::from(self.census.ready);
        self.time.draining += passed * u128::from(self.census.draining);
        self.counted_to = now;
    }
}
