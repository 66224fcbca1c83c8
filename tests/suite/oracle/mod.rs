//! The slow, obvious engine: one event list, every state kept in the open, nothing clever.
//!
//! Slots complete by an event of their own each; under the other service models every instance is asked, whenever
//! anything happens, what will be next (see [`machine`]). It shares with the fast engine only the policies, the model's settings and the draws of the dispatcher; queues,
//! instances, observation, integrals and billing are worked out anew in the plainest way.

mod autoscaling;
mod client;
mod dispatch;
mod instances;
mod machine;
mod nodes;
mod prefix;
mod serving;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use kneepoint::internals::autoscaler::{Observation, Per, Policy, PoolState, Signal};
use kneepoint::internals::random::{Purpose, Rng, Streams};
use kneepoint::internals::service::{self, FULL, Tokens};
use kneepoint::internals::sim::{
    Abandoned, BilledFrom, Class, DispatchPolicy, DrainPolicy, DynamoKv, FailureCounts, Fault, GatewayRule,
    Idle, InstanceType, LostRequests, Model, OnOffPeriods, Picker, Portion, ScaleDownOrder, StartAttempt,
};
use kneepoint::internals::time::{Instant, Span};
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
    /// Tokens found in prefix caches, and of the prompts begun.
    pub prefix: (u64, u64),
    /// Instant, observed metric and instances asked for, at each evaluation.
    pub decisions: Vec<(u64, Option<f64>, u32)>,
    /// Request-nanoseconds waiting, in service, and in service on ready instances.
    pub waiting: u128,
    /// The most that waited for any time.
    pub peak_waiting: u64,
    pub in_service: u128,
    pub busy: u128,
    /// Capacity used on ready instances, in place-nanoseconds times [`FULL`].
    pub work: u128,
    /// Instance-nanoseconds ready and warming up.
    pub warm_up: u128,
    /// Instance-nanoseconds starting, ready, draining.
    pub starting: u128,
    pub ready: u128,
    pub draining: u128,
    /// Instance-nanoseconds waiting for capacity.
    pub pending: u128,
    /// Request-nanoseconds in flight, each request once.
    pub in_flight: u128,
    /// Instance-nanoseconds starting to be kept warm, and starts from the warm pool.
    pub warming: u128,
    pub warm_starts: u64,
    /// Warm, billed and ready nanoseconds, by type of instance.
    pub warm: Vec<u128>,
    pub nodes: Vec<u128>,
    pub billed: Vec<u128>,
    pub ready_by_type: Vec<u128>,
    /// Latencies of the requests that found no instance ready, or were the first of theirs.
    pub cold: Vec<u64>,
    /// Attempts sent, requests sent again, second copies, and nanoseconds of service in vain.
    pub sent: u64,
    pub retried: u64,
    pub hedged: u64,
    pub wasted: u128,
    pub failure_counts: FailureCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ask { instance: u32, attempt: u32 },
    StartAttempt { instance: u32, attempt: u32 },
    StartFailed { instance: u32, attempt: u32 },
    Ready { instance: u32 },
    Rollout { index: usize },
    NodeReady { node: usize },
    NodeFail { node: usize },
    NodeEmpty { node: usize, emptied: u32 },
    Fail { instance: u32 },
    Notice { instance: u32 },
    Deadline { instance: u32 },
    Completion { request: usize, run: u64 },
    GiveUp { request: usize },
    Idle { instance: u32, spells: u64 },
    NoFirstToken { request: usize },
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
    /// The number of its session; 0: it is of none.
    pub content: u32,
}

/// Class of completions.
const COMPLETION: u32 = 1;

fn class(event: Event) -> u32 {
    match event {
        Event::Completion { .. } => COMPLETION,
        Event::GiveUp { .. } => 2,
        Event::ClientGivesUp { .. }
        | Event::NoFirstToken { .. }
        | Event::Hedge { .. }
        | Event::Retry { .. } => 3,
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
    /// Asked for to be kept warm, and starting to be.
    WarmPending,
    Warming,
}

#[derive(Debug)]
struct Instance {
    state: State,
    kind: usize,
    /// When it was granted the capacity to start.
    granted: Option<u64>,
    ready: Option<u64>,
    gone: Option<u64>,
    /// The node it is on, if there are nodes.
    node: Option<usize>,
    /// Whether it goes to the warm pool when it has drained.
    returns: bool,
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
    content: u32,
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
    nodes: Vec<nodes::Node>,
    /// Warm instances of each type.
    warm: Vec<u32>,
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
    /// The number of the rolling update under way, and that of the first instance of the new version.
    rolling: Option<(usize, u32)>,
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
        nodes: Vec::new(),
        warm: vec![0; model.instances.kinds().len()],
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
        rolling: None,
        arrived: 0,
        scrapes: vec![],
        latencies: vec![],
        course: Course::default(),
    };
    oracle.course.warm = vec![0; oracle.kinds.len()];
    for (index, rollout) in model.instances.rollouts.iter().enumerate() {
        oracle.schedule(rollout.at.as_nanos(), Event::Rollout { index });
    }
    for _ in 0..oracle.desired {
        let instance = oracle.create(State::Pending);
        match oracle.within_quotas() {
            Some(kind) => {
                oracle.grant(instance, kind);
                oracle.place_at_start(instance);
                oracle.become_ready(instance);
            }
            None => oracle.ask(instance, 0),
        }
    }
    let target = oracle.warm_target();
    while oracle.warm.iter().sum::<u32>() < target
        && let Some(kind) = oracle.within_quotas()
    {
        oracle.warm[kind] += 1;
    }
    oracle.refill();
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
                self.refill();
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
                Event::NoFirstToken { request } => {
                    let begun = self.instances.iter().filter_map(|at| at.machine.as_ref());
                    if !begun.into_iter().any(|machine| machine.has_answered_in_part(request)) {
                        self.client_gives_up(request);
                    }
                }
                Event::Hedge { call, retries } => self.hedge(call, retries),
                Event::Retry { call } => {
                    self.course.retried += 1;
                    self.send(call);
                }
                Event::Ask { instance, attempt } => self.ask(instance, attempt),
                Event::StartAttempt { instance, attempt } => self.begin_start(instance, attempt),
                Event::StartFailed { instance, attempt } => self.start_failed(instance, attempt),
                Event::Ready { instance } => {
                    self.become_ready(instance);
                    self.roll();
                }
                Event::Rollout { index } => {
                    self.rolling = Some((index, self.instances.len() as u32));
                    self.roll();
                }
                Event::NodeReady { node } => self.node_ready(node),
                Event::NodeFail { node } => self.node_fails(node),
                Event::NodeEmpty { node, emptied } => self.node_empty(node, emptied),
                Event::Fail { instance } => self.fail(instance),
                Event::Notice { instance } => self.give_notice(instance),
                Event::Deadline { instance } => self.lose(instance),
                Event::Idle { instance, spells } => self.expire(instance, spells),
                Event::Scrape => self.scrape(),
                Event::Evaluate => self.evaluate(),
            }
            self.refill();
            self.react();
        }
        self.pass(end);
        self.course.nodes = self.node_time(end);
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
        for (time, warm) in self.course.warm.iter_mut().zip(&self.warm) {
            *time += passed * u128::from(*warm);
        }
        let mut waiting = self.queue.len();
        for (number, instance) in self.instances.iter_mut().enumerate() {
            let used = match &instance.machine {
                Some(machine) => u128::from(machine.share()),
                None => instance.serving.len() as u128 * u128::from(FULL),
            };
            if instance.state == State::Ready {
                self.course.work += passed * used;
                if let (Some(warm_up), Some(ready)) = (&self.model.instances.warm_up, instance.ready)
                    && ready > 0
                {
                    let over = ready + warm_up.draw(self.streams, number as u32).as_nanos();
                    self.course.warm_up += u128::from(over.min(to).saturating_sub(to - passed as u64));
                }
            }
            if let Some(machine) = instance.machine.as_mut().filter(|_| instance.state != State::Gone) {
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
                State::Warming => self.course.warming += passed,
                State::Gone | State::WarmPending => {}
            }
        }
        self.course.waiting += passed * waiting as u128;
        if passed > 0 {
            self.course.peak_waiting = self.course.peak_waiting.max(waiting as u64);
        }
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

    fn react(&mut self) {
        self.hear();
        // What clients call off may have been the last that a draining instance had.
        self.refill();
        loop {
            let serving: usize = self.instances.iter().map(|instance| instance.serving.len()).sum();
            let waiting = self.queue.len() as u64;
            let (ready, starting) = (self.count(State::Ready), self.coming());
            let pool = PoolState { in_flight: waiting + serving as u64, waiting, ready, starting };
            match self.policy.react(&pool) {
                Some(desired) if desired != self.desired => {
                    self.course.decisions.push((self.now, Some(pool.in_flight as f64), desired));
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
        if self.slots == 0 {
            if self.central() {
                self.begin();
            } else {
                self.admit(instance);
            }
            return self.settle(instance);
        }
        let at = &mut self.instances[instance as usize];
        if let Some(next) = at.queue.pop_front() {
            self.start(next, instance);
        } else if at.state == State::Draining {
            if at.serving.is_empty() {
                self.leave(instance);
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
}
