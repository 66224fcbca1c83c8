//! What the engine has to do besides requests, in the order it has to do it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Instant;

/// Something that happens at an instant of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sim) enum Event {
    /// The measured part of the run begins.
    Measure,
    /// A start that was refused is tried again: of which instance, and for the how manieth time, from 0.
    Ask(u32, u32),
    /// An instance begins to start again, after so many attempts that failed.
    Start(u32, u32),
    /// An attempt of an instance to start is found to have failed.
    StartFailed(u32, u32),
    /// An instance finishes its cold start.
    Ready(u32),
    /// A rolling update begins: the how manieth, from 0.
    Rollout(u32),
    /// A node has started.
    NodeReady(u32),
    /// A node fails.
    NodeFail(u32),
    /// A node may have been empty for as long as one is kept: which, and emptied for the how manieth time.
    NodeEmpty(u32, u32),
    /// An instance fails.
    Fail(u32),
    /// An instance is given notice.
    Notice(u32),
    /// A draining instance has finished its last request.
    Gone(u32),
    /// A draining instance has no time left.
    Deadline(u32),
    /// A ready instance may have been idle for as long as one is kept: which, and after how many busy spells.
    Idle(u32, u64),
    /// The pool's metrics are read.
    Scrape,
    /// The autoscaler is evaluated.
    Evaluate,
    /// A window of the timeline ends.
    Mark,
}

/// The order of things at one instant: instance changes, completions, arrivals, scrapes, evaluations; then the marks,
/// which only look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    InstanceChange,
    /// An instance with nothing left to do: what strikes it at this very instant still finds it at its last request.
    Gone,
    Scrape,
    Evaluate,
    Mark,
}

impl Event {
    #[inline]
    fn rank(self) -> Rank {
        match self {
            Event::Gone(_) => Rank::Gone,
            Event::Scrape => Rank::Scrape,
            Event::Evaluate => Rank::Evaluate,
            Event::Mark => Rank::Mark,
            _ => Rank::InstanceChange,
        }
    }

    /// Whether it comes before the completions and arrivals of its instant, else after them.
    #[inline]
    pub fn precedes_requests(self) -> bool {
        self.rank() <= Rank::Gone
    }
}

/// The events to come: by instant, by rank, then by insertion.
#[derive(Debug, Clone)]
pub(in crate::sim) struct EventQueue {
    events: BinaryHeap<Reverse<(Instant, Rank, u64, Event)>>,
    insertions: u64,
    last: Instant,
    /// When the event taken last fell.
    reached: Instant,
}

impl EventQueue {
    /// Nothing to do yet, and nothing ever after `last`.
    #[inline]
    pub fn up_to(last: Instant) -> EventQueue {
        EventQueue { events: BinaryHeap::new(), insertions: 0, last, reached: Instant::ZERO }
    }

    #[inline]
    pub fn add(&mut self, at: Instant, event: Event) {
        debug_assert!(at >= self.reached, "{event:?} at {at:?} is added at {:?}", self.reached);
        // What never comes is not kept: a drained instance without a deadline would leave one here for good.
        if at > self.last {
            return;
        }
        self.events.push(Reverse((at, event.rank(), self.insertions, event)));
        self.insertions += 1;
    }

    /// The first instant at which an arrival has to wait for the next event, in nanoseconds: the event's own if it
    /// precedes the requests of its instant, else the one after.
    #[inline]
    pub fn gate(&self) -> u64 {
        self.events.peek().map_or(u64::MAX, |Reverse((at, _, _, event))| {
            at.as_nanos().saturating_add(u64::from(!event.precedes_requests()))
        })
    }

    /// Takes the next event if it falls at or before `until`.
    #[inline]
    pub fn next(&mut self, until: Instant) -> Option<(Instant, Event)> {
        let Reverse((at, _, _, event)) = *self.events.peek()?;
        if at > until {
            return None;
        }
        self.events.pop();
        debug_assert!(at >= self.reached, "time falls from {:?} to {at:?}", self.reached);
        self.reached = at;
        Some((at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_instant_go_by_rank_then_insertion() {
        let at = Instant::from_nanos(5);
        let mut events = EventQueue::up_to(at);
        for event in
            [Event::Mark, Event::Evaluate, Event::Ready(2), Event::Scrape, Event::Gone(1), Event::Ready(0)]
        {
            events.add(at, event);
        }
        let order: Vec<Event> = std::iter::from_fn(|| events.next(at)).map(|(_, event)| event).collect();
        let expected =
            [Event::Ready(2), Event::Ready(0), Event::Gone(1), Event::Scrape, Event::Evaluate, Event::Mark];
        assert_eq!(order, expected);
    }

    #[test]
    fn the_gate_lets_arrivals_of_the_same_instant_before_a_scrape_but_not_before_an_instance() {
        let mut events = EventQueue::up_to(Instant::from_nanos(7));
        assert_eq!(events.gate(), u64::MAX);
        events.add(Instant::from_nanos(8), Event::Ready(0));
        assert_eq!(events.gate(), u64::MAX, "what comes after the end is not kept");
        events.add(Instant::from_nanos(7), Event::Scrape);
        assert_eq!(events.gate(), 8);
        events.add(Instant::from_nanos(7), Event::Ready(0));
        assert_eq!(events.gate(), 7);
    }
}
