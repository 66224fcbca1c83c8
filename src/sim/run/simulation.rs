//! A run from outside: fed with requests, finished with an outcome.

use std::fmt;
use std::sync::Arc;

use super::engine::Engine;
use super::limits::RunLimits;
use super::model::Model;
use super::options::Options;
use super::requests::{Block, RequestSource};
use super::two_pools::TwoPools;
use crate::random::{Purpose, Streams};
use crate::service::{self, Server, ServerChoice, Slots};
use crate::sim::accounting::{DecisionRecord, Outcome, RequestObserver};
use crate::sim::queueing::{
    CentralServers, CentralSlots, Choose, DispatchPolicy, Dispatcher, EventDrivenServers, EventDrivenSlots,
    InstanceQueue, LeastOutstanding, ParallelQueues, PowerOfD, Random, RoundRobin, ServerQueue, SlotQueue,
    SlotQueueSettings, Station,
};

/// One run in progress. `T` observes what becomes of each request; `()` observes nothing.
pub struct Simulation<T = ()>(Box<dyn Running<T>>);

impl<T> fmt::Debug for Simulation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").finish_non_exhaustive()
    }
}

/// An engine compiled for its stations: chosen once, outside the loop, and called once a block of requests. Two pools one
/// after the other are a second implementor, beside [`Engine`], so that the loop of one station stays as it is.
trait Running<T> {
    fn feed(&mut self, block: &Block) -> bool;
    fn limit(&mut self, limits: RunLimits);
    fn take_decisions(&mut self) -> Vec<DecisionRecord>;
    fn finish(self: Box<Self>) -> (Outcome, T);
}

impl<F: Station, T: RequestObserver + 'static> Running<T> for Engine<F, T> {
    fn feed(&mut self, block: &Block) -> bool {
        Engine::feed(self, block)
    }
    fn limit(&mut self, limits: RunLimits) {
        Engine::limit(self, limits);
    }
    fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        Engine::take_decisions(self)
    }
    fn finish(self: Box<Self>) -> (Outcome, T) {
        Engine::finish(*self)
    }
}

impl<T: RequestObserver + 'static> Running<T> for TwoPools<T> {
    fn feed(&mut self, block: &Block) -> bool {
        TwoPools::feed(self, block)
    }
    fn limit(&mut self, limits: RunLimits) {
        TwoPools::limit(self, &limits);
    }
    fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        TwoPools::take_decisions(self)
    }
    fn finish(self: Box<Self>) -> (Outcome, T) {
        TwoPools::finish(*self)
    }
}

/// What a run is set up with.
struct Setup<'a, T> {
    model: &'a Model,
    streams: Streams,
    options: &'a Options,
    observer: T,
}

impl<T: RequestObserver + 'static> Setup<'_, T> {
    fn run<F: Station + 'static>(self, station: F) -> Box<dyn Running<T>> {
        Box::new(Engine::new(station, self.model, self.streams, self.options, self.observer))
    }

    /// Slots with a queue at each instance. The choice is a good part of a request's course, so each is compiled for
    /// itself.
    fn slot_queues(self, slots: u32) -> Box<dyn Running<T>> {
        let rng = self.streams.stream(Purpose::Routing);
        match self.model.dispatch.policy {
            // Connections and gateways are taken event by event, and never come here.
            DispatchPolicy::Random | DispatchPolicy::Connections(_) | DispatchPolicy::Gateway(_) => {
                self.parallel_slots(Random { rng }, slots)
            }
            DispatchPolicy::LeastOutstanding => self.parallel_slots(LeastOutstanding::default(), slots),
            DispatchPolicy::PowerOfD(choices) => self.parallel_slots(PowerOfD::new(rng, choices), slots),
            // A central queue has no choice to make.
            DispatchPolicy::RoundRobin | DispatchPolicy::CentralQueue => {
                self.parallel_slots(RoundRobin::default(), slots)
            }
        }
    }

    fn parallel_slots<C: Choose + 'static>(self, choice: C, concurrency: u32) -> Box<dyn Running<T>> {
        let counts = C::COUNTS || self.model.dispatch.queue_capacity.is_some();
        self.parallel::<SlotQueue>(choice, SlotQueueSettings { concurrency, counts })
    }

    fn parallel<Q>(self, choice: impl Choose + 'static, settings: Q::Settings) -> Box<dyn Running<T>>
    where
        Q: InstanceQueue + 'static,
    {
        let capacity = self.model.dispatch.queue_capacity;
        self.run(ParallelQueues::<Q, _>::new(choice, settings, capacity))
    }
}

impl<T: RequestObserver + 'static> ServerChoice for Setup<'_, T> {
    type Chosen = Box<dyn Running<T>>;

    fn slots(self, concurrency: u32) -> Box<dyn Running<T>> {
        let model = self.model;
        let capacity = model.dispatch.queue_capacity;
        match model.dispatch.policy {
            _ if model.is_event_driven() => {
                let station = EventDrivenSlots::new(
                    &model.dispatch,
                    &model.instances,
                    Slots { concurrency },
                    self.streams,
                );
                self.run(station)
            }
            DispatchPolicy::CentralQueue => self.run(CentralSlots::new(concurrency, capacity)),
            _ => self.slot_queues(concurrency),
        }
    }

    fn served<S: Server<Settings: 'static> + 'static>(self, settings: &S::Settings) -> Box<dyn Running<T>> {
        let (settings, capacity) = (Arc::new(settings.clone()), self.model.dispatch.queue_capacity);
        match self.model.dispatch.policy {
            _ if self.model.is_event_driven() => {
                let Model { dispatch, instances, .. } = self.model;
                let contents = self.model.service.contents();
                let station =
                    EventDrivenServers::<S>::new(dispatch, instances, settings, contents, self.streams);
                self.run(station)
            }
            DispatchPolicy::CentralQueue => self.run(CentralServers::<S>::new(settings, capacity)),
            // So cheap a choice that telling it from others would be felt.
            DispatchPolicy::RoundRobin => self.parallel::<ServerQueue<S>>(RoundRobin::default(), settings),
            policy => {
                let choice = Dispatcher::lazy(policy, self.streams.stream(Purpose::Routing));
                self.parallel::<ServerQueue<S>>(choice, settings)
            }
        }
    }
}

impl<T: RequestObserver + 'static> Simulation<T> {
    /// A run of `model` at its start.
    pub fn new(model: &Model, streams: Streams, options: &Options, observer: T) -> Self {
        if let (Some(decode), service::Model::Llm(_)) = (model.decode_pool(), &model.service.model) {
            return Simulation(Box::new(TwoPools::new((model, &decode), streams, options, observer)));
        }
        let setup = Setup { model, streams, options, observer };
        Simulation(model.service.model.choose(setup))
    }

    /// Takes the next requests, in time order; `false` once the run is past its end and wants no more.
    pub fn feed(&mut self, block: &Block) -> bool {
        self.0.feed(block)
    }

    /// Makes the run stop early where these limits say so; its outcome is then of no use.
    pub fn limit(&mut self, limits: RunLimits) {
        self.0.limit(limits);
    }

    /// The decisions kept since the last call, so that whoever writes them down need not hold them all.
    pub fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        self.0.take_decisions()
    }

    /// Lets the rest of the run happen and returns its outcome, with the observer.
    pub fn finish(self) -> (Outcome, T) {
        self.0.finish()
    }
}

/// Runs `model` from start to end on requests of its own.
pub fn simulate<T: RequestObserver + 'static>(
    model: &Model,
    streams: Streams,
    options: &Options,
    observer: T,
) -> (Outcome, T) {
    let mut source = RequestSource::new(model, streams);
    let mut simulation = Simulation::new(model, streams, options, observer);
    let mut block = Block::default();
    loop {
        source.fill(&mut block);
        if block.arrival.is_empty() || !simulation.feed(&block) {
            return simulation.finish();
        }
    }
}
