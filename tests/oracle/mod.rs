//! The slow, obvious engine: one event list, every state kept in the open, nothing clever.
//!
//! Slots complete by an event of their own each; under the other service models every instance is asked, whenever
//! anything happens, what will be next (see [`machine`]). It shares with the fast engine only the policies, the model's settings and the draws of the dispatcher; queues,
//! instances, observation, integrals and billing are worked out anew in the plainest way.

mod machine;

use std::collections::{BTreeMap, VecDeque};

use kneepoint::autoscaler::{Glance, Metric, Observation, Per, Policy};
use kneepoint::random::{Purpose, Rng, Streams};
use kneepoint::service::{self, FULL};
use kneepoint::sim::{BilledFrom, Class, DispatchPolicy, Idle, Leaving, Model, Victim};
use kneepoint::time::Instant;
use machine::{Job, Machine};
use rand::RngExt as _;

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Served { start: u64, finish: u64, instance: u32 },
    Rejected,
    TimedOut { at: u64 },
    Failed { at: u64 },
    InFlight,
}

/// What a run comes to.
#[derive(Debug, Default)]
pub struct Course {
    /// Arrival and fate of each request that arrived, in order of arrival.
    pub requests: Vec<(u64, Fate)>,
    /// Instant, observed metric and instances asked for, at each evaluation.
    pub decisions: Vec<(u64, Option<f64>, u32)>,
    /// Request-nanoseconds waiting, in service, and in service on ready instances.
    pub waiting: u128,
    pub in_service: u128,
    pub busy: u128,
    /// Capacity used on ready instances, in place-nanoseconds times [`FULL`].
    pub work: u128,
    /// Instance-nanoseconds starting, ready, draining.
    pub starting: u128,
    pub ready: u128,
    pub draining: u128,
    /// Billed nanoseconds.
    pub billed: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ready { instance: u32 },
    Deadline { instance: u32 },
    Completion { request: usize },
    GiveUp { request: usize },
    Idle { instance: u32, spells: u64 },
    Arrival { request: usize },
    Scrape,
    Evaluate,
}

/// A request to come, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    pub arrival: u64,
    pub service: u64,
    /// [`u64::MAX`] for as long as it takes.
    pub patience: u64,
    pub class: Class,
}

/// Class of completions.
const COMPLETION: u32 = 1;

fn class(event: Event) -> u32 {
    match event {
        Event::Ready { .. } | Event::Deadline { .. } | Event::Idle { .. } => 0,
        Event::Completion { .. } => COMPLETION,
        Event::GiveUp { .. } => 2,
        Event::Arrival { .. } => 3,
        Event::Scrape => 4,
        Event::Evaluate => 5,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Ready,
    Draining,
    Gone,
}

#[derive(Debug)]
struct Instance {
    state: State,
    requested: u64,
    ready: Option<u64>,
    gone: Option<u64>,
    serving: Vec<usize>,
    queue: VecDeque<usize>,
    /// Times it has begun to work after having been idle.
    spells: u64,
    /// How it serves, if not in slots.
    machine: Option<Machine>,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    arrival: u64,
    service: u64,
    patience: u64,
    class: Class,
    /// Service it has had on instances that handed it back, and how often that happened.
    had: u64,
    returns: u64,
    start: u64,
    instance: u32,
    fate: Fate,
}

#[derive(Debug, Clone)]
struct Scrape {
    at: u64,
    arrived: u64,
    work: u128,
    capacity: u128,
    waiting: u64,
    serving: u64,
    in_flight: u64,
    ready: u64,
    latencies: Vec<u64>,
}

pub struct Oracle<'a> {
    model: &'a Model,
    streams: Streams,
    slots: usize,
    /// What the utilization of one instance is measured in.
    places: u32,
    capacity: usize,
    events: BTreeMap<(u64, u32, u64), Event>,
    insertions: u64,
    now: u64,
    requests: Vec<Request>,
    instances: Vec<Instance>,
    /// Ready instances in the order they became ready.
    order: Vec<u32>,
    /// When each instance became ready, as a count of those that did.
    became_ready: BTreeMap<usize, usize>,
    /// Waiting before the pool: in the central queue, or at the door; in order of arrival but for those handed back.
    queue: VecDeque<usize>,
    /// Instances that have run out of work and have not been looked at since.
    idled: VecDeque<u32>,
    /// Completion events that no longer count, because the request was handed back: how many, by request.
    stale: Vec<(u64, usize)>,
    /// Free slots under a central queue, the one free longest first.
    free: VecDeque<u32>,
    next_in_turn: usize,
    routing: Rng,
    policy: Box<dyn Policy>,
    desired: u32,
    arrived: u64,
    scrapes: Vec<Scrape>,
    latencies: Vec<u64>,
    course: Course,
}

/// Runs `model` on these requests, which are in order of arrival.
pub fn run(model: &Model, streams: Streams, demands: &[Demand]) -> Course {
    let slots = match &model.service.model {
        service::Model::Slots(slots) => slots.concurrency as usize,
        _ => 0,
    };
    let mut oracle = Oracle {
        model,
        streams,
        slots,
        places: model.service.model.places(),
        capacity: model.dispatch.queue_capacity.map_or(usize::MAX, |n| n as usize),
        events: BTreeMap::new(),
        insertions: 0,
        now: 0,
        requests: Vec::new(),
        instances: Vec::new(),
        order: Vec::new(),
        became_ready: BTreeMap::new(),
        queue: VecDeque::new(),
        idled: VecDeque::new(),
        stale: Vec::new(),
        free: VecDeque::new(),
        next_in_turn: 0,
        routing: streams.stream(Purpose::Routing),
        policy: model.autoscaler.policy(&model.start(streams)),
        desired: model.initial_instances(),
        arrived: 0,
        scrapes: vec![],
        latencies: vec![],
        course: Course::default(),
    };
    for _ in 0..oracle.desired {
        let instance = oracle.create();
        oracle.become_ready(instance);
    }
    oracle.react();
    for &Demand { arrival, service, patience, class } in demands {
        let request = oracle.requests.len();
        let (had, returns, start, instance, fate) = (0, 0, 0, 0, Fate::InFlight);
        oracle.requests.push(Request {
            arrival,
            service,
            patience,
            class,
            had,
            returns,
            start,
            instance,
            fate,
        });
        oracle.schedule(arrival, Event::Arrival { request });
    }
    if let Some(schedule) = model.autoscaler.schedule() {
        oracle.schedule(schedule.first().as_nanos(), Event::Evaluate);
        let interval = model.metrics.scrape_interval.as_nanos();
        let phase = model.metrics.phase.as_nanos();
        oracle.schedule(if phase == 0 { interval } else { phase }, Event::Scrape);
    }
    oracle.run()
}

impl Oracle<'_> {
    fn schedule(&mut self, at: u64, event: Event) {
        self.events.insert((at, class(event), self.insertions), event);
        self.insertions += 1;
    }

    fn run(mut self) -> Course {
        let end = self.model.duration.as_nanos();
        loop {
            let next = self
                .events
                .first_key_value()
                .map_or((u64::MAX, u32::MAX), |((at, class, _), _)| (*at, *class));
            // What machines do takes the place of completions in the order of an instant.
            let (change, held, instance) = self.next_change();
            if (change, COMPLETION) < next && change <= end {
                self.pass(change);
                if held {
                    self.begin_held(instance)
                } else {
                    self.change(instance)
                }
                self.react();
                continue;
            }
            let Some(((at, _, _), event)) = self.events.pop_first() else { break };
            if at > end {
                break;
            }
            self.pass(at);
            match event {
                Event::Arrival { .. } if at >= end => {}
                Event::Arrival { request } => self.arrive(request),
                Event::Completion { request } => self.complete(request),
                Event::GiveUp { request } => self.give_up(request),
                Event::Ready { instance } => self.become_ready(instance),
                Event::Deadline { instance } => self.lose(instance),
                Event::Idle { instance, spells } => self.expire(instance, spells),
                Event::Scrape => self.scrape(),
                Event::Evaluate => self.evaluate(),
            }
            self.react();
        }
        self.pass(end);
        for instance in &self.instances {
            self.course.billed += u128::from(self.bill(instance, end));
        }
        let arrived = self.requests.iter().filter(|request| request.arrival < end);
        self.course.requests = arrived.map(|request| (request.arrival, request.fate)).collect();
        self.course
    }

    /// Lets time pass, adding to every integral.
    fn pass(&mut self, to: u64) {
        let passed = u128::from(to - self.now);
        self.now = to;
        let mut waiting = self.queue.len();
        for instance in &mut self.instances {
            let used = match &instance.machine {
                Some(machine) => u128::from(machine.share()),
                None => instance.serving.len() as u128 * u128::from(FULL),
            };
            if instance.state == State::Ready {
                self.course.work += passed * used;
            }
            if let Some(machine) = &mut instance.machine {
                machine.pass(passed as u64);
            }
            waiting += instance.queue.len();
            self.course.in_service += passed * instance.serving.len() as u128;
            match instance.state {
                State::Starting => self.course.starting += passed,
                State::Ready => {
                    self.course.ready += passed;
                    self.course.busy += passed * instance.serving.len() as u128;
                }
                State::Draining => self.course.draining += passed,
                State::Gone => {}
            }
        }
        self.course.waiting += passed * waiting as u128;
    }

    fn bill(&self, instance: &Instance, end: u64) -> u64 {
        let cost = &self.model.cost;
        let from = match cost.billed_from {
            BilledFrom::Requested => Some(instance.requested),
            BilledFrom::Ready => instance.ready,
        };
        let Some(from) = from.filter(|from| *from < end || instance.gone == Some(*from)) else { return 0 };
        let used = (instance.gone.unwrap_or(end) - from).max(cost.minimum.as_nanos());
        match cost.granularity.as_nanos() {
            0 => used,
            unit => used.div_ceil(unit) * unit,
        }
    }

    fn central(&self) -> bool {
        self.model.dispatch.policy == DispatchPolicy::CentralQueue
    }

    fn arrive(&mut self, request: usize) {
        self.arrived += 1;
        if self.central() && self.slots == 0 {
            self.queue.push_back(request);
            self.begin();
            if self.queue.len() > self.capacity {
                self.queue.pop_back();
                self.requests[request].fate = Fate::Rejected;
            }
        } else if self.central() {
            match self.take_free() {
                Some(instance) => self.start(request, instance),
                None => self.wait_before_the_pool(request),
            }
        } else if self.order.is_empty() {
            self.wait_before_the_pool(request);
        } else {
            let instance = self.choose();
            self.offer(request, instance, self.capacity);
        }
    }

    fn take_free(&mut self) -> Option<u32> {
        match self.model.dispatch.idle {
            Idle::Longest => self.free.pop_front(),
            Idle::Newest => {
                let newest = self.free.iter().max().copied()?;
                let index = self.free.iter().position(|instance| *instance == newest)?;
                self.free.remove(index)
            }
        }
    }

    fn wait_before_the_pool(&mut self, request: usize) {
        if self.queue.len() < self.capacity {
            self.queue.push_back(request);
            let Request { arrival, patience, .. } = self.requests[request];
            if patience < u64::MAX {
                self.schedule(arrival + patience, Event::GiveUp { request });
            }
        } else {
            self.requests[request].fate = Fate::Rejected;
        }
    }

    fn give_up(&mut self, request: usize) {
        if let Some(index) = self.queue.iter().position(|other| *other == request) {
            // Once handed back it has begun, and no longer gives up.
            if self.requests[request].returns == 0 {
                self.queue.remove(index);
                self.requests[request].fate = Fate::TimedOut { at: self.now };
            }
        }
    }

    /// The request a free slot takes next: one handed back, else the first of the high class, else the first.
    fn take_waiting(&mut self) -> Option<usize> {
        let rank = |request: usize| {
            let Request { returns, class, .. } = self.requests[request];
            (returns == 0, if returns > 0 { Class::High } else { class }, request)
        };
        let index = (0..self.queue.len()).min_by_key(|index| rank(self.queue[*index]))?;
        self.queue.remove(index)
    }

    fn react(&mut self) {
        loop {
            let serving: usize = self.instances.iter().map(|instance| instance.serving.len()).sum();
            let waiting = self.queue.len() as u64;
            let (ready, starting) = (self.count(State::Ready), self.count(State::Starting));
            let glance = Glance { in_flight: waiting + serving as u64, waiting, ready, starting };
            match self.policy.react(&glance) {
                Some(desired) if desired != self.desired => {
                    self.course.decisions.push((self.now, Some(glance.in_flight as f64), desired));
                    self.desired = desired;
                    self.reconcile();
                }
                _ => break,
            }
        }
        while let Some(instance) = self.idled.pop_front() {
            let spells = self.instances[instance as usize].spells;
            if let Some(delay) = self.policy.keep_alive(self.streams, instance, spells) {
                self.schedule(self.now + delay.as_nanos(), Event::Idle { instance, spells });
            }
        }
    }

    fn expire(&mut self, instance: u32, spells: u64) {
        let at = &self.instances[instance as usize];
        let idle = at.state == State::Ready && at.serving.is_empty() && at.spells == spells;
        if idle && self.count(State::Ready) > self.model.autoscaler.limits().min {
            self.remove(instance);
            self.desired -= 1;
            self.course.decisions.push((self.now, None, self.desired));
        }
    }

    fn choose(&mut self) -> u32 {
        let load = |instance: u32, instances: &[Instance]| {
            let instance = &instances[instance as usize];
            instance.serving.len() + instance.queue.len()
        };
        let index = match self.model.dispatch.policy {
            DispatchPolicy::CentralQueue => unreachable!("a central queue does not choose"),
            DispatchPolicy::RoundRobin => {
                let index = if self.next_in_turn < self.order.len() { self.next_in_turn } else { 0 };
                self.next_in_turn = index + 1;
                index
            }
            DispatchPolicy::Random => self.routing.random_range(0..self.order.len()),
            DispatchPolicy::LeastOutstanding => {
                (0..self.order.len()).min_by_key(|i| load(self.order[*i], &self.instances)).unwrap()
            }
            DispatchPolicy::PowerOfD(choices) => {
                let mut drawn: Vec<usize> = vec![];
                while drawn.len() < (choices as usize).min(self.order.len()) {
                    let index = self.routing.random_range(0..self.order.len());
                    if !drawn.contains(&index) {
                        drawn.push(index);
                    }
                }
                drawn.into_iter().min_by_key(|i| load(self.order[*i], &self.instances)).unwrap()
            }
        };
        self.order[index]
    }

    fn offer(&mut self, request: usize, instance: u32, capacity: usize) {
        let at = &mut self.instances[instance as usize];
        if at.machine.is_some() {
            at.queue.push_back(request);
            self.admit(instance);
            let queue = &mut self.instances[instance as usize].queue;
            if queue.len() > capacity {
                queue.pop_back();
                self.requests[request].fate = Fate::Rejected;
            }
        } else if at.serving.len() < self.slots {
            self.start(request, instance);
        } else if at.queue.len() < capacity {
            at.queue.push_back(request);
        } else {
            self.requests[request].fate = Fate::Rejected;
        }
    }

    fn start(&mut self, request: usize, instance: u32) {
        self.requests[request].start = self.now;
        self.requests[request].instance = instance;
        let at = &mut self.instances[instance as usize];
        at.spells += u64::from(at.serving.is_empty());
        at.serving.push(request);
        let Request { service, had, .. } = self.requests[request];
        self.schedule(self.now + service - had, Event::Completion { request });
    }

    fn complete(&mut self, request: usize) {
        let Request { arrival, service, instance, fate, .. } = self.requests[request];
        if let Some(index) = self.stale.iter().position(|stale| *stale == (self.now, request)) {
            self.stale.remove(index);
            return;
        }
        if fate != Fate::InFlight {
            return;
        }
        // Where it was handed back, the wait is all the time without service.
        let start = self.now - service;
        self.requests[request].fate = Fate::Served { start, finish: self.now, instance };
        self.latencies.push(self.now - arrival);
        let at = &mut self.instances[instance as usize];
        at.serving.retain(|other| *other != request);
        if let Some(next) = at.queue.pop_front() {
            self.start(next, instance);
        } else if at.state == State::Draining {
            if at.serving.is_empty() {
                at.state = State::Gone;
                at.gone = Some(self.now);
            }
        } else if self.central() {
            self.employ(instance);
            if self.instances[instance as usize].serving.is_empty() {
                self.idled.push_back(instance);
            }
        }
    }

    fn employ(&mut self, instance: u32) {
        match self.take_waiting() {
            Some(next) => self.start(next, instance),
            None => self.free.push_back(instance),
        }
    }

    /// Instances in the order they became ready, those that drain among them.
    fn by_readiness(&self) -> Vec<u32> {
        let present = |id: &u32| matches!(self.instances[*id as usize].state, State::Ready | State::Draining);
        let mut all: Vec<u32> = (0..self.instances.len() as u32).filter(present).collect();
        all.sort_by_key(|id| self.became_ready[&(*id as usize)]);
        all
    }

    fn jobs(&self, queue: &VecDeque<usize>) -> VecDeque<Job> {
        let job = |request: &usize| {
            let Request { arrival, service, .. } = self.requests[*request];
            Job { request: *request, arrival, service }
        };
        queue.iter().map(job).collect()
    }

    /// What a machine draws from.
    fn source(&self, instance: u32) -> VecDeque<Job> {
        let at = &self.instances[instance as usize];
        match (self.central(), at.state) {
            (false, _) => self.jobs(&at.queue),
            (true, State::Ready) => self.jobs(&self.queue),
            (true, _) => VecDeque::new(),
        }
    }

    /// When a machine next changes, whether because it has let requests wait long enough, and which.
    fn next_change(&self) -> (u64, bool, u32) {
        let mut next = (u64::MAX, false, 0);
        for id in self.by_readiness() {
            let Some(machine) = &self.instances[id as usize].machine else { continue };
            let change = machine.next(self.now);
            if change < next.0 {
                next = (change, false, id);
            }
        }
        let holders =
            if self.central() { self.next_in_line().into_iter().collect() } else { self.by_readiness() };
        for id in holders {
            let Some(machine) = &self.instances[id as usize].machine else { continue };
            let held = machine.held(&self.source(id));
            if held < next.0 {
                next = (held, true, id);
            }
        }
        next
    }

    /// The ready instance whose turn it is to take what waits before the pool.
    fn next_in_line(&self) -> Option<u32> {
        let eager = |id: &u32| self.instances[*id as usize].machine.as_ref()?.eagerness();
        self.order.iter().copied().filter(|id| eager(id).is_some()).min_by_key(eager)
    }

    /// Lets machines take what waits before the pool.
    fn begin(&mut self) {
        while !self.queue.is_empty()
            && let Some(instance) = self.next_in_line()
        {
            if self.admit(instance) == 0 {
                return;
            }
        }
    }

    fn begin_held(&mut self, instance: u32) {
        if self.central() {
            self.begin();
        } else {
            self.admit(instance);
        }
    }

    /// Lets a machine take what it can; how many begin.
    fn admit(&mut self, instance: u32) -> usize {
        let mut waiting = self.source(instance);
        let (before, central) = (waiting.len(), self.central());
        let at = &mut self.instances[instance as usize];
        let begun = at.machine.as_mut().unwrap().admit(&mut waiting, self.now);
        at.spells += u64::from(at.serving.is_empty() && !begun.is_empty());
        at.serving.extend(&begun);
        assert_eq!(before - waiting.len(), begun.len());
        let queue = if central { &mut self.queue } else { &mut at.queue };
        queue.retain(|request| !begun.contains(request));
        for &request in &begun {
            (self.requests[request].start, self.requests[request].instance) = (self.now, instance);
        }
        begun.len()
    }

    /// What is due at a machine happens.
    fn change(&mut self, instance: u32) {
        let at = &mut self.instances[instance as usize];
        for request in at.machine.as_mut().unwrap().change() {
            at.serving.retain(|other| *other != request);
            let Request { arrival, start, .. } = self.requests[request];
            self.requests[request].fate = Fate::Served { start, finish: self.now, instance };
            self.latencies.push(self.now - arrival);
        }
        self.admit(instance);
        let at = &mut self.instances[instance as usize];
        if !at.serving.is_empty() || !at.queue.is_empty() {
            return;
        }
        if at.state == State::Draining {
            at.state = State::Gone;
            at.gone = Some(self.now);
        } else if self.central() {
            self.idled.push_back(instance);
        }
    }

    fn create(&mut self) -> u32 {
        let (serving, queue) = (vec![], VecDeque::new());
        let (requested, state) = (self.now, State::Starting);
        self.instances.push(Instance {
            state,
            requested,
            ready: None,
            gone: None,
            serving,
            queue,
            spells: 0,
            machine: Machine::of(&self.model.service.model),
        });
        self.instances.len() as u32 - 1
    }

    fn become_ready(&mut self, instance: u32) {
        let at = &mut self.instances[instance as usize];
        if at.state != State::Starting {
            return;
        }
        at.state = State::Ready;
        at.ready = Some(self.now);
        self.order.push(instance);
        self.became_ready.insert(instance as usize, self.became_ready.len());
        if self.central() {
            for _ in 0..self.slots {
                self.employ(instance);
            }
            if self.slots == 0 {
                self.begin();
            }
            if self.instances[instance as usize].serving.is_empty() {
                self.idled.push_back(instance);
            }
        } else {
            while let Some(request) = self.take_waiting() {
                let chosen = self.choose();
                self.offer(request, chosen, usize::MAX);
            }
        }
    }

    /// A drain deadline: what the instance has left is lost.
    fn lose(&mut self, instance: u32) {
        let at = &mut self.instances[instance as usize];
        if at.state != State::Draining {
            return;
        }
        at.state = State::Gone;
        at.gone = Some(self.now);
        at.machine = None;
        let (serving, queue) = (std::mem::take(&mut at.serving), std::mem::take(&mut at.queue));
        for request in serving.into_iter().chain(queue) {
            self.requests[request].fate = Fate::Failed { at: self.now };
        }
    }

    fn count(&self, state: State) -> u32 {
        self.instances.iter().filter(|instance| instance.state == state).count() as u32
    }

    fn scrape(&mut self) {
        self.schedule(self.now + self.model.metrics.scrape_interval.as_nanos(), Event::Scrape);
        let ready = self.instances.iter().filter(|instance| instance.state == State::Ready);
        let serving: usize = ready.map(|instance| instance.serving.len()).sum();
        let waiting =
            self.queue.len() + self.instances.iter().map(|instance| instance.queue.len()).sum::<usize>();
        let in_service: usize = self.instances.iter().map(|instance| instance.serving.len()).sum();
        self.scrapes.push(Scrape {
            at: self.now,
            arrived: self.arrived,
            work: self.course.work,
            capacity: self.course.ready * u128::from(self.places),
            waiting: waiting as u64,
            serving: serving as u64,
            in_flight: (waiting + in_service) as u64,
            ready: u64::from(self.count(State::Ready)),
            latencies: std::mem::take(&mut self.latencies),
        });
    }

    /// The metric as the autoscaler sees it now.
    fn observe(&self) -> Option<f64> {
        let query = self.model.autoscaler.query()?;
        let (window, delay) = (self.model.metrics.window.as_nanos(), self.model.metrics.delay.as_nanos());
        let newest = self.scrapes.iter().rposition(|scrape| scrape.at + delay <= self.now)?;
        let end = &self.scrapes[newest];
        // How many scrapes the average takes: those less than a window old, and always the newest.
        let older = |scrape: &Scrape| scrape.at + window <= end.at;
        let base = (0..newest).rev().find(|index| older(&self.scrapes[*index]));
        let within = &self.scrapes[base.map_or(0, |index| index + 1)..=newest];
        let (from, arrived, work, capacity) = base.map_or((0, 0, 0, 0), |index| {
            let scrape = &self.scrapes[index];
            (scrape.at, scrape.arrived, scrape.work, scrape.capacity)
        });
        let mean = |gauge: fn(&Scrape) -> u64| {
            within.iter().map(|scrape| gauge(scrape) as f64).sum::<f64>() / within.len() as f64
        };
        let value = match query.metric {
            Metric::RequestRate => (end.arrived - arrived) as f64 / ((end.at - from) as f64 / 1e9),
            Metric::InFlight => mean(|scrape| scrape.in_flight),
            Metric::Concurrency => mean(|scrape| scrape.serving),
            Metric::QueueLength => mean(|scrape| scrape.waiting),
            Metric::Utilization => {
                if end.capacity == capacity {
                    return None;
                }
                (end.work - work) as f64 / FULL as f64 / (end.capacity - capacity) as f64
            }
            Metric::Latency => {
                let mut all: Vec<u64> = within.iter().flat_map(|scrape| scrape.latencies.clone()).collect();
                all.sort_unstable();
                let rank = (query.quantile * all.len() as f64).ceil().max(1.0) as usize;
                return Some(*all.get(rank - 1)? as f64 / 1e9);
            }
        };
        Some(if query.per == Per::Instance { value / end.ready.max(1) as f64 } else { value })
    }

    fn evaluate(&mut self) {
        let Some(schedule) = self.model.autoscaler.schedule() else { return };
        self.schedule(self.now + schedule.interval.as_nanos(), Event::Evaluate);
        let (starting, ready) = (self.count(State::Starting), self.count(State::Ready));
        let metric = self.observe();
        let held = if ready == 0 { self.queue.len() as u64 } else { 0 };
        let (desired, existing) = (self.desired, starting + ready);
        let observation = Observation { desired, existing, ready, held, metric, instances: &[] };
        self.desired = self.policy.decide(Instant::from_nanos(self.now), &observation);
        self.course.decisions.push((self.now, metric, self.desired));
        self.reconcile();
    }

    fn reconcile(&mut self) {
        let (starting, ready) = (self.count(State::Starting), self.count(State::Ready));
        for _ in starting + ready..self.desired {
            let instance = self.create();
            let cold = self.model.instances.draw_cold_start(self.streams, instance);
            self.schedule(self.now + cold.as_nanos(), Event::Ready { instance });
        }
        for _ in self.desired..starting + ready {
            self.retire();
        }
    }

    fn retire(&mut self) {
        let newest_starting = self.instances.iter().rposition(|instance| instance.state == State::Starting);
        if let Some(index) = newest_starting {
            self.instances[index].state = State::Gone;
            self.instances[index].gone = Some(self.now);
            return;
        }
        let load = |id: &&u32| {
            let instance = &self.instances[**id as usize];
            instance.serving.len() + instance.queue.len()
        };
        let chosen = match self.model.instances.scale_down {
            Victim::Newest => self.order.last(),
            Victim::Oldest => self.order.first(),
            Victim::LeastBusy => self.order.iter().rev().min_by_key(load),
        };
        if let Some(&id) = chosen {
            self.remove(id);
        }
    }

    /// A ready instance takes no more requests, and goes when it has finished those it has, or hands them back.
    fn remove(&mut self, id: u32) {
        self.order.retain(|other| *other != id);
        self.free.retain(|other| *other != id);
        let at = &mut self.instances[id as usize];
        if at.serving.is_empty() && at.queue.is_empty() {
            at.state = State::Gone;
            at.gone = Some(self.now);
            return;
        }
        if self.model.instances.leaving == Leaving::HandBack {
            at.state = State::Gone;
            at.gone = Some(self.now);
            for request in std::mem::take(&mut at.serving) {
                let Request { start, service, had, .. } = self.requests[request];
                self.stale.push((start + service - had, request));
                self.requests[request].had += self.now - start;
                self.requests[request].returns += 1;
                self.queue.push_back(request);
            }
            while !self.queue.is_empty()
                && let Some(instance) = self.take_free()
            {
                let next = self.take_waiting().unwrap();
                self.start(next, instance);
            }
            return;
        }
        at.state = State::Draining;
        if let Some(deadline) = self.model.instances.drain_deadline {
            self.schedule(self.now + deadline.as_nanos(), Event::Deadline { instance: id });
        }
    }
}
