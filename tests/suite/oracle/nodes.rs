//! Nodes that several instances share.

use std::cmp::Reverse;

use kneepoint::internals::sim::Nodes;

use super::*;

#[derive(Debug)]
pub(super) struct Node {
    kind: usize,
    requested: u64,
    ready: bool,
    gone: Option<u64>,
    /// Since when what is cached is there.
    cached: Option<Instant>,
    /// Times it has been left empty, and whether it is now.
    emptied: u32,
    empty: bool,
}

impl Oracle<'_> {
    fn on(&self, node: usize) -> Vec<u32> {
        let there = |id: &u32| {
            let at = &self.instances[*id as usize];
            at.node == Some(node) && at.state != State::Gone
        };
        (0..self.instances.len() as u32).filter(there).collect()
    }

    /// The node an instance of a type would be put on.
    pub(super) fn best_node(&self, kind: usize) -> Option<usize> {
        let room = self.model.instances.node.as_ref()?.instances_per_node as usize;
        let fits = |node: &usize| {
            let at = &self.nodes[*node];
            at.kind == kind && at.gone.is_none() && self.on(*node).len() < room
        };
        let rank = |node: &usize| (!self.nodes[*node].ready, Reverse(self.on(*node).len()), *node);
        (0..self.nodes.len()).filter(fits).min_by_key(rank)
    }

    pub(super) fn count_nodes(&self, kind: usize) -> u32 {
        self.nodes.iter().filter(|node| node.kind == kind && node.gone.is_none()).count() as u32
    }

    fn enter(&mut self, instance: u32, node: usize) {
        self.instances[instance as usize].node = Some(node);
        self.nodes[node].empty = false;
    }

    fn build(&mut self, kind: usize) -> usize {
        let (requested, ready, gone, cached) = (self.now, false, None, None);
        self.nodes.push(Node { kind, requested, ready, gone, cached, emptied: 0, empty: false });
        self.nodes.len() - 1
    }

    /// Puts an instance on a node, and starts it if that is there.
    pub(super) fn place(&mut self, instance: u32) {
        let Some(settings) = &self.model.instances.node else { return self.begin_start(instance, 0) };
        let kind = self.instances[instance as usize].kind;
        let Some(node) = self.best_node(kind) else {
            let node = self.build(kind);
            self.enter(instance, node);
            let start = settings.draw_start(self.streams, node as u32).as_nanos();
            return self.schedule(self.now + start, Event::NodeReady { node });
        };
        self.enter(instance, node);
        if self.nodes[node].ready {
            self.begin_start(instance, 0);
        }
    }

    /// Puts an instance on a node that is there at the start of the run.
    pub(super) fn place_at_start(&mut self, instance: u32) {
        if self.model.instances.node.is_none() {
            return;
        }
        let kind = self.instances[instance as usize].kind;
        let node = self.best_node(kind).unwrap_or_else(|| {
            let node = self.build(kind);
            self.raise(node);
            self.nodes[node].cached = Some(Instant::ZERO);
            node
        });
        self.enter(instance, node);
    }

    fn raise(&mut self, node: usize) {
        self.nodes[node].ready = true;
        let settings = self.model.instances.node.as_ref().unwrap();
        if let Some(after) = settings.draw_failure(self.streams, node as u32) {
            self.schedule(self.now + after.as_nanos(), Event::NodeFail { node });
        }
    }

    pub(super) fn node_ready(&mut self, node: usize) {
        if self.nodes[node].gone.is_none() {
            self.raise(node);
            self.on(node).into_iter().for_each(|instance| self.begin_start(instance, 0));
        }
    }

    pub(super) fn node_fails(&mut self, node: usize) {
        if self.nodes[node].gone.is_some() {
            return;
        }
        self.nodes[node].gone = Some(self.now);
        self.course.failure_counts.node_failures += 1;
        for instance in self.on(node) {
            self.take_out(instance);
            self.lose(instance);
        }
        self.react();
        self.reconcile();
    }

    pub(super) fn node_empty(&mut self, node: usize, emptied: u32) {
        let now = self.now;
        let at = &mut self.nodes[node];
        if at.gone.is_none() && at.empty && at.emptied == emptied {
            at.gone = Some(now);
        }
    }

    pub(super) fn note_empty_nodes(&mut self) {
        for node in 0..self.nodes.len() {
            if self.nodes[node].gone.is_some() || self.nodes[node].empty || !self.on(node).is_empty() {
                continue;
            }
            self.nodes[node].empty = true;
            self.nodes[node].emptied += 1;
            let emptied = self.nodes[node].emptied;
            let settings = self.model.instances.node.as_ref().unwrap();
            self.schedule(self.now + settings.remove_after.as_nanos(), Event::NodeEmpty { node, emptied });
        }
    }

    /// How an attempt goes of an instance on a node: nobody pulls an image that is there or being pulled.
    pub(super) fn draw_start_on_node(&mut self, instance: u32, attempt: u32, node: usize) -> StartAttempt {
        let kind = &self.kinds[self.instances[instance as usize].kind];
        let (now, cached) = (Instant::from_nanos(self.now), self.nodes[node].cached);
        let (start, cached) =
            Nodes::draw_instance_start(kind, self.streams, (instance, attempt), now, cached);
        self.nodes[node].cached = cached;
        start
    }

    /// Node-nanoseconds, by type.
    pub(super) fn node_time(&self, end: u64) -> Vec<u128> {
        let mut time = vec![0; self.kinds.len()];
        for node in &self.nodes {
            time[node.kind] += u128::from(node.gone.unwrap_or(end) - node.requested);
        }
        time
    }
}
