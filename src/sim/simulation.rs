//! A run from outside: fed with requests, finished with an outcome.

use std::sync::Arc;

use super::central::CentralQueue;
use super::engine::Engine;
use super::fleet::Sink;
use super::requests::{Block, RequestSource};
use super::routed::{LeastOutstanding, PowerOfD, Random, RoundRobin, Routed};
use super::stepped::SteppedQueue;
use super::{DecisionRecord, DispatchPolicy, Model, Outcome, Watch};
use crate::random::{Purpose, Streams};
use crate::service;
use crate::time::Span;

/// What a run keeps beside its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Length of the windows the run is judged by, and drawn in; not zero.
    pub mark_interval: Span,
    /// Keep the timeline.
    pub timeline: bool,
    /// Keep every decision of the autoscaler; of more than a million evaluations, those that change something.
    pub decisions: bool,
}

/// One run in progress. `T` hears what becomes of each request; `()` does not listen.
#[derive(Debug)]
pub struct Simulation<T = ()>(Arrangement<T>);

/// The engine, compiled for each arrangement of queues: chosen once, outside the loop.
#[derive(Debug)]
enum Arrangement<T> {
    Central(Box<Engine<CentralQueue, T>>),
    Stepped(Box<Engine<SteppedQueue, T>>),
    RoundRobin(Box<Engine<Routed<RoundRobin>, T>>),
    Random(Box<Engine<Routed<Random>, T>>),
    LeastOutstanding(Box<Engine<Routed<LeastOutstanding>, T>>),
    PowerOfD(Box<Engine<Routed<PowerOfD>, T>>),
}

impl<T: Sink> Simulation<T> {
    /// A run of `model` at its start.
    pub fn new(model: &Model, streams: Streams, options: &Options, tap: T) -> Self {
        let service::Model::Slots(slots) = model.service.model;
        let (slots, capacity) = (slots.concurrency, model.dispatch.queue_capacity);
        let rng = || streams.stream(Purpose::Routing);
        Simulation(match model.dispatch.policy {
            DispatchPolicy::CentralQueue if model.is_stepped() => {
                let fleet = SteppedQueue::new(slots, capacity, model.dispatch.idle, model.instances.leaving);
                Arrangement::Stepped(Box::new(Engine::new(fleet, model, streams, options, tap)))
            }
            DispatchPolicy::CentralQueue => {
                let fleet = CentralQueue::new(slots, capacity);
                Arrangement::Central(Box::new(Engine::new(fleet, model, streams, options, tap)))
            }
            DispatchPolicy::RoundRobin => {
                let fleet = Routed::new(RoundRobin::default(), slots, capacity);
                Arrangement::RoundRobin(Box::new(Engine::new(fleet, model, streams, options, tap)))
            }
            DispatchPolicy::Random => {
                let fleet = Routed::new(Random { rng: rng() }, slots, capacity);
                Arrangement::Random(Box::new(Engine::new(fleet, model, streams, options, tap)))
            }
            DispatchPolicy::LeastOutstanding => {
                let fleet = Routed::new(LeastOutstanding::default(), slots, capacity);
                Arrangement::LeastOutstanding(Box::new(Engine::new(fleet, model, streams, options, tap)))
            }
            DispatchPolicy::PowerOfD(choices) => {
                let chooser = PowerOfD { rng: rng(), choices: choices as usize, drawn: Vec::new() };
                let fleet = Routed::new(chooser, slots, capacity);
                Arrangement::PowerOfD(Box::new(Engine::new(fleet, model, streams, options, tap)))
            }
        })
    }

    /// Takes the next requests, in time order; `false` once the run is past its end and wants no more.
    pub fn feed(&mut self, block: &Block) -> bool {
        match &mut self.0 {
            Arrangement::Central(engine) => engine.feed(block),
            Arrangement::Stepped(engine) => engine.feed(block),
            Arrangement::RoundRobin(engine) => engine.feed(block),
            Arrangement::Random(engine) => engine.feed(block),
            Arrangement::LeastOutstanding(engine) => engine.feed(block),
            Arrangement::PowerOfD(engine) => engine.feed(block),
        }
    }

    /// Makes the run end early once `watch` says so, or when it holds more waiting requests than that allows; what it comes
    /// to is then of no use.
    pub fn watch(&mut self, watch: Arc<Watch>) {
        match &mut self.0 {
            Arrangement::Central(engine) => engine.watch(watch),
            Arrangement::Stepped(engine) => engine.watch(watch),
            Arrangement::RoundRobin(engine) => engine.watch(watch),
            Arrangement::Random(engine) => engine.watch(watch),
            Arrangement::LeastOutstanding(engine) => engine.watch(watch),
            Arrangement::PowerOfD(engine) => engine.watch(watch),
        }
    }

    /// The decisions kept since the last call, so that whoever writes them down need not hold them all.
    pub fn take_decisions(&mut self) -> Vec<DecisionRecord> {
        match &mut self.0 {
            Arrangement::Central(engine) => engine.take_decisions(),
            Arrangement::Stepped(engine) => engine.take_decisions(),
            Arrangement::RoundRobin(engine) => engine.take_decisions(),
            Arrangement::Random(engine) => engine.take_decisions(),
            Arrangement::LeastOutstanding(engine) => engine.take_decisions(),
            Arrangement::PowerOfD(engine) => engine.take_decisions(),
        }
    }

    /// Lets the rest of the run happen and returns what it comes to, with the listener.
    pub fn finish(self) -> (Outcome, T) {
        match self.0 {
            Arrangement::Central(engine) => engine.finish(),
            Arrangement::Stepped(engine) => engine.finish(),
            Arrangement::RoundRobin(engine) => engine.finish(),
            Arrangement::Random(engine) => engine.finish(),
            Arrangement::LeastOutstanding(engine) => engine.finish(),
            Arrangement::PowerOfD(engine) => engine.finish(),
        }
    }
}

/// Runs `model` from start to end on requests of its own.
pub fn simulate<T: Sink>(model: &Model, streams: Streams, options: &Options, tap: T) -> (Outcome, T) {
    let mut source = RequestSource::new(model, streams);
    let mut simulation = Simulation::new(model, streams, options, tap);
    let mut block = Block::default();
    loop {
        source.fill(&mut block);
        if block.arrival.is_empty() || !simulation.feed(&block) {
            return simulation.finish();
        }
    }
}
