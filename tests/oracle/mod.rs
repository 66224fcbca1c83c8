//! The slow, obvious engine: one event list, every state kept in the open, nothing clever.
//!
//! Slots complete by an event of their own each; under the other service models every instance is asked, whenever
//! anything happens, what will be next (see [`machine`]). It shares with the fast engine only the policies, the model's settings and the draws of the dispatcher; queues,
//! instances, observation, integrals and billing are worked out anew in the plainest way.

mod machine;

use std::collections::{BTreeMap, VecDeque};

use kneepoint::autoscaler::{Glance, Metric, Observation, Per, Policy};
use kneepoint::random::{Purpose, Rng, Streams};
use kneepoint::service::{self, FULL, Tokens};
use kneepoint::sim::{
    Abandoned, BilledFrom, Class, DispatchPolicy, Fault, Idle, InstanceType, Leaving, Lost, Mishaps, Model,
    Victim,
};
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
    /// Arrival, and first token if tokens are counted, of each request answered.
    pub first_tokens: Vec<(u64, u64)>,
    /// Sequences that had to give way.
    pub preemptions: u64,
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
    /// Instance-nanoseconds waiting for capacity.
    pub pending: u128,
    /// Request-nanoseconds in flight, each request once.
    pub in_flight: u128,
    /// Billed and ready nanoseconds, by type of instance.
    pub billed: Vec<u128>,
    pub ready_by_type: Vec<u128>,
    /// Latencies of the requests that found no instance ready, or were the first of theirs.
    pub cold: Vec<u64>,
    /// Attempts sent, requests sent again, second copies, and nanoseconds of service in vain.
    pub sent: u64,
    pub retried: u64,
    pub hedged: u64,
    pub wasted: u128,
    pub mishaps: Mishaps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ask { instance: u32, attempt: u32 },
    Start { instance: u32, attempt: u32 },
    StartFailed { instance: u32, attempt: u32 },
    Ready { instance: u32 },
    Fail { instance: u32 },
    Notice { instance: u32 },
    Deadline { instance: u32 },
    Completion { request: usize, run: u64 },
    GiveUp { request: usize },
    Idle { instance: u32, spells: u64 },
    ClientGivesUp { request: usize },
    Hedge { call: usize, retries: u32 },
    Retry { call: usize },
    Arrival { call: usize },
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
    pub tokens: Tokens,
}

/// Class of completions.
const COMPLETION: u32 = 1;

fn class(event: Event) -> u32 {
    match event {
        Event::Completion { .. } => COMPLETION,
        Event::GiveUp { .. } => 2,
        Event::ClientGivesUp { .. } | Event::Hedge { .. } | Event::Retry { .. } => 3,
        Event::Arrival { .. } => 4,
        Event::Scrape => 5,
        Event::Evaluate => 6,
        _ => 0,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Starting,
    Ready,
    Draining,
    Gone,
}

#[derive(Debug)]
struct Instance {
    state: State,
    kind: usize,
    /// When it was granted the capacity to start.
    granted: Option<u64>,
    ready: Option<u64>,
    gone: Option<u64>,
    serving: Vec<usize>,
    queue: VecDeque<usize>,
    /// Times it has begun to work after having been idle.
    spells: u64,
    /// How it serves, if not in slots.
    machine: Option<Machine>,
}

/// A request as its client sees it.
#[derive(Debug, Clone)]
struct Call {
    demand: Demand,
    cold: bool,
    retries: u32,
    /// Its attempts whose answer is waited for.
    out: Vec<usize>,
    fate: Fate,
}

/// An attempt to have a request served.
#[derive(Debug, Clone, Copy)]
struct Request {
    call: usize,
    arrival: u64,
    service: u64,
    patience: u64,
    class: Class,
    tokens: Tokens,
    /// When the first token of its answer came.
    first_token: u64,
    /// Time it has been served on instances that handed it back, and how often that happened.
    had: u64,
    returns: u64,
    /// Work that is left of it, if it is to be resumed.
    remaining: Option<u64>,
    /// Times it has been started; when last, and until when.
    runs: u64,
    start: u64,
    finish: u64,
    first: bool,
    instance: u32,
    over: Option<Fate>,
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
    kinds: Vec<InstanceType>,
    calls: Vec<Call>,
    requests: Vec<Request>,
    /// Attempts that are over and whose client does not know yet.
    inbox: VecDeque<usize>,
    instances: Vec<Instance>,
    /// When the last ready instance went, if none is ready.
    shut: Option<u64>,
    /// Ready instances in the order they became ready.
    order: Vec<u32>,
    /// When each instance became ready, as a count of those that did.
    became_ready: BTreeMap<usize, usize>,
    /// Waiting before the pool: in the central queue, or at the door; in order of arrival but for those handed back.
    queue: VecDeque<usize>,
    /// Instances that have run out of work and have not been looked at since.
    idled: VecDeque<u32>,
    /// Free slots under a central queue, the one free longest first.
    free: VecDeque<u32>,
    next_in_turn: usize,
    /// What each instance has earned of a turn, by instance.
    credits: BTreeMap<u32, f64>,
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
        kinds: model.instances.kinds(),
        calls: Vec::new(),
        requests: Vec::new(),
        inbox: VecDeque::new(),
        instances: Vec::new(),
        shut: None,
        order: Vec::new(),
        became_ready: BTreeMap::new(),
        queue: VecDeque::new(),
        idled: VecDeque::new(),
        free: VecDeque::new(),
        next_in_turn: 0,
        credits: BTreeMap::new(),
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
        let within = |kind: &usize| {
            let quota = oracle.kinds[*kind].hazards.stock.as_ref().and_then(|stock| stock.quota);
            quota.is_none_or(|quota| oracle.held(*kind) < quota)
        };
        match oracle.preference().into_iter().find(within) {
            Some(kind) => {
                oracle.grant(instance, kind);
                oracle.become_ready(instance);
            }
            None => oracle.ask(instance, 0),
        }
    }
    oracle.react();
    for &demand in demands {
        let call = oracle.calls.len();
        let fate = Fate::InFlight;
        oracle.calls.push(Call { demand, cold: false, retries: 0, out: vec![], fate });
        oracle.schedule(demand.arrival, Event::Arrival { call });
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
                Event::Arrival { call } => {
                    self.calls[call].cold =
                        self.count(State::Ready) == 0 && self.shut.is_none_or(|shut| shut < at);
                    self.send(call);
                }
                Event::Completion { request, run } => self.complete(request, run),
                Event::GiveUp { request } => self.give_up(request),
                Event::ClientGivesUp { request } => self.client_gives_up(request),
                Event::Hedge { call, retries } => self.hedge(call, retries),
                Event::Retry { call } => {
                    self.course.retried += 1;
                    self.send(call);
                }
                Event::Ask { instance, attempt } => self.ask(instance, attempt),
                Event::Start { instance, attempt } => self.begin_start(instance, attempt),
                Event::StartFailed { instance, attempt } => self.start_failed(instance, attempt),
                Event::Ready { instance } => self.become_ready(instance),
                Event::Fail { instance } => self.fail(instance),
                Event::Notice { instance } => self.give_notice(instance),
                Event::Deadline { instance } => self.lose(instance),
                Event::Idle { instance, spells } => self.expire(instance, spells),
                Event::Scrape => self.scrape(),
                Event::Evaluate => self.evaluate(),
            }
            self.react();
        }
        self.pass(end);
        self.course.billed = vec![0; self.kinds.len()];
        for instance in &self.instances {
            self.course.billed[instance.kind] += u128::from(self.bill(instance, end));
        }
        self.course.ready_by_type.resize(self.kinds.len(), 0);
        self.course.sent = self.requests.len() as u64;
        let arrived = self.calls.iter().filter(|call| call.demand.arrival < end);
        self.course.requests = arrived.map(|call| (call.demand.arrival, call.fate)).collect();
        self.course
    }

    /// Lets time pass, adding to every integral.
    fn pass(&mut self, to: u64) {
        let passed = u128::from(to - self.now);
        let open = |call: &&Call| call.demand.arrival < to && call.fate == Fate::InFlight;
        let open: u64 =
            self.calls.iter().filter(open).map(|call| to - call.demand.arrival.max(self.now)).sum();
        self.course.in_flight += u128::from(open);
        self.now = to;
        self.course.ready_by_type.resize(self.kinds.len(), 0);
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
                State::Pending => self.course.pending += passed,
                State::Starting => self.course.starting += passed,
                State::Ready => {
                    self.course.ready += passed;
                    self.course.ready_by_type[instance.kind] += passed;
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
            BilledFrom::Requested => instance.granted,
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

    /// A client sends a request, for the first time or again.
    fn send(&mut self, call: usize) {
        if let Some(after) = self.model.client.hedge_after {
            let retries = self.calls[call].retries;
            self.schedule(self.now + after.as_nanos(), Event::Hedge { call, retries });
        }
        self.attempt(call);
    }

    fn attempt(&mut self, call: usize) {
        let request = self.requests.len();
        let Demand { service, patience, class, tokens, .. } = self.calls[call].demand;
        self.requests.push(Request {
            call,
            arrival: self.now,
            service,
            patience,
            class,
            tokens,
            first_token: 0,
            had: 0,
            returns: 0,
            remaining: None,
            runs: 0,
            start: 0,
            finish: 0,
            first: false,
            instance: 0,
            over: None,
        });
        self.calls[call].out.push(request);
        if let Some(timeout) = self.model.client.timeout {
            self.schedule(self.now + timeout.as_nanos(), Event::ClientGivesUp { request });
        }
        self.arrive(request);
        self.hear();
    }

    fn hedge(&mut self, call: usize, retries: u32) {
        let Call { retries: now, out, fate, .. } = &self.calls[call];
        if *fate == Fate::InFlight && *now == retries && out.len() == 1 {
            self.course.hedged += 1;
            self.attempt(call);
        }
    }

    fn client_gives_up(&mut self, request: usize) {
        let call = self.requests[request].call;
        if self.calls[call].out.contains(&request) {
            self.calls[call].out.retain(|other| *other != request);
            self.abandon(request, self.model.client.abandoned);
            self.come_to_nothing(call, Fault::TimedOut);
        }
    }

    /// Nobody waits for an attempt any more.
    fn abandon(&mut self, request: usize, abandoned: Abandoned) {
        let Request { instance, .. } = self.requests[request];
        if abandoned == Abandoned::Served || self.requests[request].over.is_some() {
            return;
        }
        let waits_here = self.queue.iter().position(|other| *other == request);
        let waits_there = self.instances.iter().position(|at| at.queue.contains(&request));
        if let Some(index) = waits_here {
            self.queue.remove(index);
        } else if let Some(index) = waits_there {
            self.instances[index].queue.retain(|other| *other != request);
        } else if abandoned == Abandoned::Stopped {
            self.requests[request].had += self.now - self.requests[request].start;
            self.instances[instance as usize].serving.retain(|other| *other != request);
            self.requests[request].over = Some(Fate::InFlight);
            self.fall_free(instance);
        } else {
            return;
        }
        self.requests[request].over = Some(Fate::InFlight);
        self.course.wasted += u128::from(self.requests[request].had);
    }

    /// The clients learn what has become of their attempts.
    fn hear(&mut self) {
        while let Some(request) = self.inbox.pop_front() {
            let Request { call, over, first, .. } = self.requests[request];
            let awaited = self.calls[call].out.contains(&request);
            self.calls[call].out.retain(|other| *other != request);
            match (over, awaited) {
                (Some(fate @ Fate::Served { finish, .. }), true) => {
                    self.calls[call].fate = fate;
                    let latency = finish - self.calls[call].demand.arrival;
                    self.latencies.push(latency);
                    if self.calls[call].cold || first {
                        self.course.cold.push(latency);
                    }
                    let cancel = self.model.client.hedge_cancel;
                    for other in std::mem::take(&mut self.calls[call].out) {
                        self.abandon(other, if cancel { Abandoned::Stopped } else { Abandoned::Served });
                    }
                }
                (Some(Fate::Served { start, finish, .. }), false) => {
                    self.course.wasted += u128::from(finish - start);
                }
                (Some(Fate::Rejected), true) => self.come_to_nothing(call, Fault::Rejected),
                (Some(Fate::TimedOut { .. }), true) => self.come_to_nothing(call, Fault::TimedOut),
                (Some(Fate::Failed { .. }), true) => self.come_to_nothing(call, Fault::Failed),
                _ => {}
            }
        }
    }

    /// An attempt has come to nothing: with the last one out, the request is sent again or ends.
    fn come_to_nothing(&mut self, call: usize, fault: Fault) {
        let client = &self.model.client;
        if !self.calls[call].out.is_empty() {
            return;
        }
        if self.calls[call].retries < client.retries && client.retry_on.includes(fault) {
            self.calls[call].retries += 1;
            let pause = client.draw_pause(self.streams, call as u64, self.calls[call].retries);
            self.schedule(self.now + pause.as_nanos(), Event::Retry { call });
            return;
        }
        self.calls[call].fate = match fault {
            Fault::Rejected => Fate::Rejected,
            Fault::TimedOut => Fate::TimedOut { at: self.now },
            Fault::Failed => Fate::Failed { at: self.now },
        };
    }

    fn end(&mut self, request: usize, fate: Fate) {
        self.requests[request].over = Some(fate);
        self.inbox.push_back(request);
    }

    fn arrive(&mut self, request: usize) {
        self.arrived += 1;
        if self.central() && self.slots == 0 {
            self.queue.push_back(request);
            self.begin();
            if self.queue.len() > self.capacity {
                self.queue.pop_back();
                self.end(request, Fate::Rejected);
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
            Idle::Fastest => {
                let speed = |instance: &u32| self.speed(*instance);
                let fastest = self.free.iter().map(speed).max_by(f64::total_cmp)?;
                let index = self.free.iter().position(|instance| self.speed(*instance) == fastest)?;
                self.free.remove(index)
            }
        }
    }

    fn wait_before_the_pool(&mut self, request: usize) {
        if self.queue.len() < self.capacity {
            self.queue.push_back(request);
            let Request { arrival, patience, .. } = self.requests[request];
            if patience < u64::MAX && self.central() {
                self.schedule(arrival + patience, Event::GiveUp { request });
            }
        } else {
            self.end(request, Fate::Rejected);
        }
    }

    fn give_up(&mut self, request: usize) {
        if let Some(index) = self.queue.iter().position(|other| *other == request) {
            // Once handed back it has begun, and no longer gives up.
            if self.requests[request].returns == 0 {
                self.queue.remove(index);
                self.end(request, Fate::TimedOut { at: self.now });
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
        self.hear();
        loop {
            let serving: usize = self.instances.iter().map(|instance| instance.serving.len()).sum();
            let waiting = self.queue.len() as u64;
            let (ready, starting) = (self.count(State::Ready), self.coming());
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
            self.remove(instance, u64::MAX);
            self.desired -= 1;
            self.course.decisions.push((self.now, None, self.desired));
        }
    }

    fn choose(&mut self) -> u32 {
        let weighted = self.model.instances.differ_in_speed();
        let total: f64 = self.order.iter().map(|id| self.speed(*id)).sum();
        let index = match self.model.dispatch.policy {
            DispatchPolicy::CentralQueue => unreachable!("a central queue does not choose"),
            DispatchPolicy::RoundRobin if weighted => {
                for id in self.order.clone() {
                    *self.credits.entry(id).or_default() += self.speed(id);
                }
                let credit = |index: usize| self.credits[&self.order[index]];
                let most = (0..self.order.len()).map(credit).max_by(f64::total_cmp).unwrap();
                let index = (0..self.order.len()).find(|index| credit(*index) == most).unwrap();
                *self.credits.get_mut(&self.order[index]).unwrap() -= total;
                index
            }
            DispatchPolicy::RoundRobin => {
                let index = if self.next_in_turn < self.order.len() { self.next_in_turn } else { 0 };
                self.next_in_turn = index + 1;
                index
            }
            DispatchPolicy::Random if weighted => {
                let mut left = self.routing.random::<f64>() * total;
                let mut index = 0;
                while index + 1 < self.order.len() {
                    left -= self.speed(self.order[index]);
                    if left < 0.0 {
                        break;
                    }
                    index += 1;
                }
                index
            }
            DispatchPolicy::Random => self.routing.random_range(0..self.order.len()),
            DispatchPolicy::LeastOutstanding => self.lightest(0..self.order.len()),
            DispatchPolicy::PowerOfD(choices) => {
                let mut drawn: Vec<usize> = vec![];
                while drawn.len() < (choices as usize).min(self.order.len()) {
                    let index = self.routing.random_range(0..self.order.len());
                    if !drawn.contains(&index) {
                        drawn.push(index);
                    }
                }
                self.lightest(drawn.into_iter())
            }
        };
        self.order[index]
    }

    /// The one of these whose requests, with one more, weigh least against its speed; the first among equals.
    fn lightest(&self, indices: impl Iterator<Item = usize>) -> usize {
        let weigh = |index: usize| {
            let id = self.order[index];
            let instance = &self.instances[id as usize];
            (instance.serving.len() + instance.queue.len() + 1) as f64 / self.speed(id)
        };
        indices.reduce(|best, next| if weigh(next) < weigh(best) { next } else { best }).unwrap()
    }

    fn speed(&self, instance: u32) -> f64 {
        let kind = &self.kinds[self.instances[instance as usize].kind];
        kind.speed * kind.hazards.draw_speed(self.streams, instance)
    }

    fn offer(&mut self, request: usize, instance: u32, capacity: usize) {
        let at = &mut self.instances[instance as usize];
        if at.machine.is_some() {
            at.queue.push_back(request);
            self.admit(instance);
            let queue = &mut self.instances[instance as usize].queue;
            if queue.len() > capacity {
                queue.pop_back();
                self.end(request, Fate::Rejected);
            }
        } else if at.serving.len() < self.slots {
            self.start(request, instance);
        } else if self.requests[request].returns > 0 {
            // Those handed back go first, in the order they arrived.
            let after = |other: &&usize| self.requests[**other].returns > 0 && **other < request;
            let index = at.queue.iter().take_while(after).count();
            at.queue.insert(index, request);
        } else if at.queue.len() < capacity {
            at.queue.push_back(request);
        } else {
            self.end(request, Fate::Rejected);
        }
    }

    fn start(&mut self, request: usize, instance: u32) {
        let at = &mut self.instances[instance as usize];
        let new = at.spells == 0;
        at.spells += u64::from(at.serving.is_empty());
        at.serving.push(request);
        let first_service = self.model.instances.draw_first_request(self.streams, instance);
        let speed = self.speed(instance);
        let now = self.now;
        let request_at = &mut self.requests[request];
        request_at.first = new && request_at.remaining.is_none() && first_service < u64::MAX;
        let whole = if request_at.first { first_service } else { request_at.service };
        let work = request_at.remaining.unwrap_or(whole);
        request_at.instance = instance;
        request_at.runs += 1;
        request_at.start = now;
        request_at.finish = now + (work as f64 / speed).round() as u64;
        let (finish, run) = (request_at.finish, request_at.runs);
        self.schedule(finish, Event::Completion { request, run });
    }

    fn complete(&mut self, request: usize, run: u64) {
        let Request { start, had, instance, over, runs, .. } = self.requests[request];
        let serving = self.instances[instance as usize].serving.contains(&request);
        if over.is_some() || run != runs || !serving {
            return;
        }
        // Where it was handed back, the wait is all the time without service.
        let start = self.now - (had + self.now - start);
        self.end(request, Fate::Served { start, finish: self.now, instance });
        self.instances[instance as usize].serving.retain(|other| *other != request);
        self.fall_free(instance);
    }

    /// A slot of an instance has fallen free.
    fn fall_free(&mut self, instance: u32) {
        let at = &mut self.instances[instance as usize];
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
            let Request { arrival, service, tokens, .. } = self.requests[*request];
            Job { request: *request, arrival, service, tokens }
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
        let begun = at.machine.as_mut().unwrap().admit(&mut waiting, self.now, &mut self.course.preemptions);
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
        let machine = self.instances[instance as usize].machine.as_mut().unwrap();
        let (done, first) = machine.change();
        for request in first {
            self.requests[request].first_token = self.now;
        }
        for request in done {
            let at = &mut self.instances[instance as usize];
            at.serving.retain(|other| *other != request);
            let Request { arrival, start, first_token, .. } = self.requests[request];
            self.course.first_tokens.push((arrival, first_token));
            self.end(request, Fate::Served { start, finish: self.now, instance });
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
        self.instances.push(Instance {
            state: State::Pending,
            kind: 0,
            granted: None,
            ready: None,
            gone: None,
            serving,
            queue,
            spells: 0,
            machine: Machine::of(&self.model.service.model),
        });
        self.instances.len() as u32 - 1
    }

    /// Instances of a type that are starting or ready.
    fn held(&self, kind: usize) -> u32 {
        let held = |at: &&Instance| at.kind == kind && matches!(at.state, State::Starting | State::Ready);
        self.instances.iter().filter(held).count() as u32
    }

    /// The types in the order a start tries them.
    fn preference(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.kinds.len()).collect();
        order.sort_by_key(|kind| self.held(*kind) >= self.kinds[*kind].base);
        order
    }

    fn grant(&mut self, instance: u32, kind: usize) {
        let at = &mut self.instances[instance as usize];
        (at.kind, at.state, at.granted) = (kind, State::Starting, Some(self.now));
    }

    fn ask(&mut self, instance: u32, attempt: u32) {
        if self.instances[instance as usize].state != State::Pending {
            return;
        }
        let part = u64::from(instance) << 32 | u64::from(attempt);
        let mut rng = self.streams.substream(Purpose::Stock, part);
        for kind in self.preference() {
            let held = self.held(kind);
            let stock = &self.kinds[kind].hazards.stock;
            if stock
                .as_ref()
                .is_none_or(|stock| !stock.refuses(Instant::from_nanos(self.now), held, &mut rng))
            {
                self.grant(instance, kind);
                return self.begin_start(instance, 0);
            }
        }
        self.course.mishaps.refused_starts += 1;
        let stocks = self.kinds.iter().filter_map(|kind| kind.hazards.stock.as_ref());
        let pause = stocks.map(|stock| stock.backoff.pause(attempt)).min().unwrap();
        self.schedule(self.now + pause.as_nanos(), Event::Ask { instance, attempt: attempt + 1 });
    }

    fn begin_start(&mut self, instance: u32, attempt: u32) {
        let Instance { state, kind, .. } = self.instances[instance as usize];
        if state != State::Starting {
            return;
        }
        let start = self.kinds[kind].draw_start(self.streams, instance, attempt);
        let event = match start.retry {
            Some(_) => Event::StartFailed { instance, attempt },
            None => Event::Ready { instance },
        };
        self.schedule(self.now + start.time.as_nanos(), event);
    }

    fn start_failed(&mut self, instance: u32, attempt: u32) {
        let Instance { state, kind, .. } = self.instances[instance as usize];
        if state != State::Starting {
            return;
        }
        self.course.mishaps.failed_starts += 1;
        let pause = self.kinds[kind].draw_start(self.streams, instance, attempt).retry.unwrap();
        self.schedule(self.now + pause.as_nanos(), Event::Start { instance, attempt: attempt + 1 });
    }

    /// An instance fails with what it has.
    fn fail(&mut self, instance: u32) {
        let was_ready = self.instances[instance as usize].state == State::Ready;
        if self.instances[instance as usize].state == State::Gone {
            return;
        }
        self.course.mishaps.failures += 1;
        self.take_out(instance);
        self.lose(instance);
        if was_ready {
            self.react();
            self.reconcile();
        }
    }

    fn give_notice(&mut self, instance: u32) {
        let Instance { state, kind, .. } = self.instances[instance as usize];
        if state == State::Gone {
            return;
        }
        self.course.mishaps.interruptions += 1;
        let notice = self.kinds[kind].hazards.interruptions.as_ref().unwrap().notice.as_nanos();
        if state == State::Ready {
            self.remove(instance, notice);
            self.react();
            self.reconcile();
        } else {
            self.schedule(self.now + notice, Event::Deadline { instance });
        }
    }

    /// An instance takes no more requests.
    fn take_out(&mut self, instance: u32) {
        let was_ready = self.instances[instance as usize].state == State::Ready;
        self.order.retain(|other| *other != instance);
        self.credits.remove(&instance);
        self.free.retain(|other| *other != instance);
        self.instances[instance as usize].state = State::Draining;
        if was_ready && self.count(State::Ready) == 0 {
            self.shut = Some(self.now);
        }
    }

    fn become_ready(&mut self, instance: u32) {
        let now = self.now;
        let at = &mut self.instances[instance as usize];
        if at.state != State::Starting {
            return;
        }
        at.state = State::Ready;
        at.ready = Some(now);
        self.shut = None;
        // Whoever arrives at the very instant an instance becomes ready did not have to wait for it.
        self.calls.iter_mut().filter(|call| call.demand.arrival == now).for_each(|call| call.cold = false);
        self.order.push(instance);
        self.became_ready.insert(instance as usize, self.became_ready.len());
        let kind = &self.kinds[self.instances[instance as usize].kind];
        let failure = kind.hazards.draw_failure(self.streams, instance);
        let notice = kind.hazards.draw_interruption(self.streams, instance);
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
        if let Some(after) = failure {
            self.schedule(self.now + after.as_nanos(), Event::Fail { instance });
        }
        if let Some(after) = notice {
            self.schedule(self.now + after.as_nanos(), Event::Notice { instance });
        }
    }

    /// A drain deadline, or a failure: what the instance has left is lost.
    fn lose(&mut self, instance: u32) {
        let at = &mut self.instances[instance as usize];
        if at.state != State::Draining {
            return;
        }
        at.state = State::Gone;
        at.gone = Some(self.now);
        at.machine = None;
        let (serving, queue) = (std::mem::take(&mut at.serving), std::mem::take(&mut at.queue));
        let mut lost: Vec<usize> = serving.iter().copied().chain(queue).collect();
        lost.sort_unstable();
        if self.model.instances.lost == Lost::Fail {
            lost.into_iter().for_each(|request| self.end(request, Fate::Failed { at: self.now }));
            return;
        }
        let resume = self.model.instances.lost == Lost::Resume;
        for request in &lost {
            if serving.contains(request) {
                self.interrupt(*request, resume);
            }
        }
        self.hand_back(lost);
    }

    /// The service of a request is interrupted, to be resumed or begun anew.
    fn interrupt(&mut self, request: usize, resume: bool) {
        let speed = self.speed(self.requests[request].instance);
        let now = self.now;
        let request = &mut self.requests[request];
        request.runs += 1;
        if resume {
            request.remaining = Some(((request.finish - now) as f64 * speed).round() as u64);
            request.had += now - request.start;
        } else {
            (request.remaining, request.had) = (None, 0);
        }
    }

    fn hand_back(&mut self, requests: Vec<usize>) {
        for request in requests {
            self.requests[request].returns += 1;
            if self.central() || self.order.is_empty() {
                self.queue.push_back(request);
            } else {
                let chosen = self.choose();
                self.offer(request, chosen, usize::MAX);
            }
        }
        while self.central()
            && !self.queue.is_empty()
            && let Some(instance) = self.take_free()
        {
            let next = self.take_waiting().unwrap();
            self.start(next, instance);
        }
    }

    /// Instances on their way in.
    fn coming(&self) -> u32 {
        self.count(State::Pending) + self.count(State::Starting)
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
        let (starting, ready) = (self.coming(), self.count(State::Ready));
        let metric = self.observe();
        let held = if ready == 0 { self.queue.len() as u64 } else { 0 };
        let (desired, existing) = (self.desired, starting + ready);
        let observation = Observation { desired, existing, ready, held, metric, instances: &[] };
        self.desired = self.policy.decide(Instant::from_nanos(self.now), &observation);
        self.course.decisions.push((self.now, metric, self.desired));
        self.reconcile();
    }

    fn reconcile(&mut self) {
        let (coming, ready) = (self.coming(), self.count(State::Ready));
        for _ in coming + ready..self.desired {
            let instance = self.create();
            self.ask(instance, 0);
        }
        for _ in self.desired..coming + ready {
            self.retire();
        }
    }

    fn retire(&mut self) {
        for state in [State::Pending, State::Starting] {
            if let Some(index) = self.instances.iter().rposition(|instance| instance.state == state) {
                self.instances[index].state = State::Gone;
                self.instances[index].gone = Some(self.now);
                return;
            }
        }
        // The last type listed that is above its base; the base itself only when nothing else is left.
        let of = |kind: usize| self.order.iter().any(|id| self.instances[*id as usize].kind == kind);
        let there: Vec<usize> = (0..self.kinds.len()).rev().filter(|kind| of(*kind)).collect();
        let above = there.iter().find(|kind| self.held(**kind) > self.kinds[**kind].base);
        let Some(kind) = above.or(there.first()) else { return };
        let of_kind = self.order.iter().filter(|id| self.instances[**id as usize].kind == *kind);
        // Of those that became ready at one instant the one of the higher number counts as the newer.
        let mut order: Vec<u32> = of_kind.copied().collect();
        order.sort_by_key(|id| (self.instances[*id as usize].ready, *id));
        let load = |id: &&u32| {
            let instance = &self.instances[**id as usize];
            instance.serving.len() + instance.queue.len()
        };
        let chosen = match self.model.instances.scale_down {
            Victim::Newest => order.last(),
            Victim::Oldest => order.first(),
            Victim::LeastBusy => order.iter().rev().min_by_key(load),
        };
        if let Some(&id) = chosen {
            self.remove(id, u64::MAX);
        }
    }

    /// A ready instance takes no more requests, and goes when it has finished those it has, within `notice`; or hands
    /// them back.
    fn remove(&mut self, id: u32, notice: u64) {
        self.take_out(id);
        let at = &mut self.instances[id as usize];
        if at.serving.is_empty() && at.queue.is_empty() {
            at.state = State::Gone;
            at.gone = Some(self.now);
            return;
        }
        if self.model.instances.leaving == Leaving::HandBack {
            at.state = State::Gone;
            at.gone = Some(self.now);
            let mut requests = std::mem::take(&mut at.serving);
            requests.sort_unstable();
            requests.iter().for_each(|request| self.interrupt(*request, true));
            return self.hand_back(requests);
        }
        let deadline = self.model.instances.drain_deadline.map_or(u64::MAX, |deadline| deadline.as_nanos());
        if deadline.min(notice) < u64::MAX {
            self.schedule(self.now + deadline.min(notice), Event::Deadline { instance: id });
        }
    }
}
