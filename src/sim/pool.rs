//! The instances of a pool: their lives, the time they spend in each state, and what is billed for it.

use super::{BilledFrom, Cost, Victim};
use crate::autoscaler::{InstanceState, InstanceView};
use crate::time::{Instant, Span};

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Starting,
    Ready,
    Draining,
}

#[derive(Debug, Clone, Copy)]
struct Instance {
    id: u32,
    state: State,
    requested: Instant,
    billed_from: Option<Instant>,
    /// [`Instant::MAX`] until it is.
    ready_since: Instant,
}

impl Instance {
    fn view(&self) -> InstanceView {
        let state = match self.state {
            State::Starting => InstanceState::Starting,
            State::Ready => InstanceState::Ready,
            State::Draining => InstanceState::Draining,
        };
        let ready = (self.state != State::Starting).then_some(self.ready_since);
        InstanceView { id: self.id, state, requested: self.requested, ready }
    }
}

/// Instances in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Census {
    pub starting: u32,
    pub ready: u32,
    pub draining: u32,
}

/// Instance-nanoseconds in each state since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct InstanceTime {
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
    started: u32,
    peak_ready: u32,
    cost: Cost,
    measured_from: Instant,
    /// Billed time of instances that are gone, in nanoseconds.
    billed: u128,
}

impl Pool {
    pub fn new(cost: Cost) -> Self {
        Pool {
            instances: Vec::new(),
            census: Census::default(),
            time: InstanceTime::default(),
            counted_to: Instant::ZERO,
            started: 0,
            peak_ready: 0,
            cost,
            measured_from: Instant::ZERO,
            billed: 0,
        }
    }

    /// Starts an instance and returns its number.
    pub fn request(&mut self, now: Instant) -> u32 {
        self.count(now);
        let id = self.started;
        self.started += 1;
        self.census.starting += 1;
        let billed_from = (self.cost.billed_from == BilledFrom::Requested).then_some(now);
        self.instances.push(Instance {
            id,
            state: State::Starting,
            requested: now,
            billed_from,
            ready_since: Instant::MAX,
        });
        id
    }

    /// Marks an instance ready; `false` if it was cancelled meanwhile.
    pub fn ready(&mut self, id: u32, now: Instant) -> bool {
        let Some(index) = self.index(id) else { return false };
        self.count(now);
        let instance = &mut self.instances[index];
        instance.state = State::Ready;
        instance.ready_since = now;
        instance.billed_from.get_or_insert(now);
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
            self.census.ready -= 1;
            self.census.draining += 1;
        }
    }

    /// Takes an instance out, whatever its state; `false` if it was out already.
    pub fn remove(&mut self, id: u32, now: Instant) -> bool {
        let Some(index) = self.index(id) else { return false };
        self.count(now);
        let instance = self.instances.remove(index);
        match instance.state {
            State::Starting => self.census.starting -= 1,
            State::Ready => self.census.ready -= 1,
            State::Draining => self.census.draining -= 1,
        }
        self.billed += self.billed_time(&instance, Some(now), now);
        true
    }

    /// The instance a scale-down takes next, and its state: one still starting (the newest) before any ready one.
    pub fn victim(&self, order: Victim, outstanding: impl Fn(u32) -> u64) -> Option<(u32, State)> {
        let starting = self.instances.iter().rev().find(|instance| instance.state == State::Starting);
        if let Some(instance) = starting {
            return Some((instance.id, State::Starting));
        }
        let ready = self.instances.iter().filter(|instance| instance.state == State::Ready);
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
        self.billed = 0;
        self.peak_ready = self.census.ready;
    }

    /// Every instance that exists, by its number, as the autoscaler may see it.
    pub fn views(&self) -> impl Iterator<Item = InstanceView> {
        self.instances.iter().map(Instance::view)
    }

    /// One instance as the autoscaler may see it.
    pub fn view(&self, id: u32) -> Option<InstanceView> {
        self.index(id).map(|index| self.instances[index].view())
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

    /// Hours billed from the start of the measured part up to `now`.
    pub fn billed_hours(&self, now: Instant) -> f64 {
        let alive: u128 = self.instances.iter().map(|instance| self.billed_time(instance, None, now)).sum();
        (self.billed + alive) as f64 / 3.6e12
    }

    /// Price of `hours` instance-hours.
    pub fn price(&self, hours: f64) -> f64 {
        self.cost.price(hours)
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
        self.time.starting += passed * u128::from(self.census.starting);
        self.time.ready += passed * u128::from(self.census.ready);
        self.time.draining += passed * u128::from(self.census.draining);
        self.counted_to = now;
    }
}
