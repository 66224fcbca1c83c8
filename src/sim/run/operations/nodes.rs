//! Nodes that several instances share: asked for, there, empty or lost.

use super::Operations;
use crate::sim::instances::{Place, State};
use crate::sim::run::event_queue::Event;
use crate::sim::run::request_side::RequestSide;
use crate::time::{Instant, Span};

impl Operations {
    /// Puts an instance on a node, a new one if it must be; whether it can start at once.
    pub(super) fn place(&mut self, id: u32, kind: usize, at: Instant) -> bool {
        match self.registry.place(id, kind, at) {
            None | Some(Place::Ready) => true,
            Some(Place::Waiting) => false,
            Some(Place::New(node)) => {
                let start = self.instances.node.as_ref().map(|nodes| nodes.draw_start(self.streams, node));
                self.events.add(at + start.unwrap_or(Span::ZERO), Event::NodeReady(node));
                false
            }
        }
    }

    /// Puts an instance on a node that is there at the start of the run, with everything cached.
    pub(super) fn place_at_start(&mut self, id: u32, kind: usize) {
        if let Some(Place::New(node)) = self.registry.place(id, kind, Instant::ZERO) {
            self.raise(node, Instant::ZERO);
            if let Some(cached) = self.registry.nodes().and_then(|nodes| nodes.cached(id)) {
                *cached = Some(Instant::ZERO);
            }
        }
    }

    /// A node is there: the instances that wait for it, unless it is not wanted any more.
    fn raise(&mut self, node: u32, at: Instant) -> Option<Vec<u32>> {
        let waiting = self.registry.nodes()?.ready(node)?;
        if let Some(after) =
            self.instances.node.as_ref().and_then(|nodes| nodes.draw_failure(self.streams, node))
        {
            self.events.add(at + after, Event::NodeFail(node));
        }
        Some(waiting)
    }

    /// A node has started, and the instances that wait for it begin to.
    pub(super) fn node_ready(&mut self, node: u32, at: Instant) {
        for id in self.raise(node, at).unwrap_or_default() {
            self.start(id, 0, at);
        }
    }

    /// A node fails with all its instances, which are replaced.
    pub(super) fn node_fails(&mut self, requests: &mut dyn RequestSide, node: u32, at: Instant) {
        let Some(instances) = self.registry.remove_node(node, at) else { return };
        self.provisioner.failure_counts.node_failures += 1;
        for id in instances {
            let state = self.registry.find(id).map(|(state, _)| state);
            self.registry.remove(id, at);
            self.track_readiness(requests, at);
            if matches!(state, Some(State::Ready | State::Draining)) {
                requests.kill(id, at.as_nanos());
            }
        }
        self.replace(requests, at);
    }

    /// An empty node goes, if it has been so for as long as one is kept.
    pub(super) fn node_empty(&mut self, node: u32, emptied: u32, at: Instant) {
        if self.registry.nodes().is_some_and(|nodes| nodes.still_empty(node, emptied)) {
            self.registry.remove_node(node, at);
        }
    }

    /// Notes which nodes have become empty, to look at them again when they have been for as long as one is kept.
    pub(super) fn note_empty_nodes(&mut self, at: Instant) {
        let Some(settings) = &self.instances.node else { return };
        let remove_after = settings.remove_after;
        for (node, emptied) in self.registry.nodes().map(|nodes| nodes.emptied()).unwrap_or_default() {
            self.events.add(at + remove_after, Event::NodeEmpty(node, emptied));
        }
    }
}
