//! What the clients of a run wait for, in the order in which it comes due.
//!
//! Time-outs and second copies are each due one fixed time after they are set, so they come due in the order they were set:
//! a queue each, where a heap would sift every one of them through all that are outstanding. Only the rest is in a heap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Something to do at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// An attempt is given up: ticket and serial number.
    GiveUp(u32, u64),
    /// An attempt is given up if its answer has not begun: ticket and serial number.
    FirstToken(u32, u64),
    /// A second copy is sent: place and number of the request, and after how many retries.
    Hedge(usize, u64, u32),
    /// A request is sent again: place and number.
    Retry(usize, u64),
    /// A user comes.
    Join(u32),
    /// A user is to go.
    Leave(u32),
    /// A user has thought.
    Thought(u32),
    /// The next turn of a session is due: its place and user.
    Turn(u32, u32),
    /// A client has its answer, so that another request may be sent.
    Release,
}

/// When a timer goes off, and which of the run it is: of those due together the first set goes off first.
type Due = (u64, u64);

/// Later than every timer.
const NEVER: Due = (u64::MAX, u64::MAX);

/// The timers that are set.
#[derive(Debug, Clone)]
pub(super) struct Timers {
    give_ups: VecDeque<(Due, Timer)>,
    first_tokens: VecDeque<(Due, Timer)>,
    hedges: VecDeque<(Due, Timer)>,
    others: BinaryHeap<Reverse<(Due, Timer)>>,
    set: u64,
    /// The first to go off: it is asked for at every event.
    next: Due,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            give_ups: VecDeque::new(),
            first_tokens: VecDeque::new(),
            hedges: VecDeque::new(),
            others: BinaryHeap::new(),
            set: 0,
            next: NEVER,
        }
    }
}

impl Timers {
    /// Sets a timer. Those of a kind with a fixed time are due no earlier than the ones set before.
    #[inline]
    pub fn set(&mut self, at: u64, timer: Timer) {
        let due = (at, self.set);
        self.set += 1;
        self.next = self.next.min(due);
        let queue = match timer {
            Timer::GiveUp(..) => &mut self.give_ups,
            Timer::FirstToken(..) => &mut self.first_tokens,
            Timer::Hedge(..) => &mut self.hedges,
            _ => return self.others.push(Reverse((due, timer))),
        };
        debug_assert!(
            queue.back().is_none_or(|(last, _)| *last < due),
            "one fixed time ahead, and time never falls"
        );
        queue.push_back((due, timer));
    }

    /// When the next timer goes off; [`u64::MAX`] if none is set.
    #[inline]
    pub fn next_at(&self) -> u64 {
        self.next.0
    }

    /// Takes the next timer, with its instant.
    #[inline]
    pub fn pop(&mut self) -> Option<(u64, Timer)> {
        let due = self.next;
        let taken = if first(&self.give_ups) == due {
            self.give_ups.pop_front()
        } else if first(&self.first_tokens) == due {
            self.first_tokens.pop_front()
        } else if first(&self.hedges) == due {
            self.hedges.pop_front()
        } else {
            self.others.pop().map(|Reverse(entry)| entry)
        };
        let other = self.others.peek().map_or(NEVER, |Reverse((due, _))| *due);
        self.next = other.min(first(&self.give_ups)).min(first(&self.first_tokens)).min(first(&self.hedges));
        taken.map(|((at, _), timer)| (at, timer))
    }
}

#[inline]
fn first(queue: &VecDeque<(Due, Timer)>) -> Due {
    queue.front().map_or(NEVER, |(due, _)| *due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_go_off_by_instant_then_in_the_order_they_were_set_whatever_their_kind() {
        let mut timers = Timers::default();
        let set = [
            (5, Timer::Release),
            (9, Timer::GiveUp(1, 1)),
            (5, Timer::Hedge(0, 0, 0)),
            (9, Timer::Thought(3)),
            (9, Timer::Hedge(1, 1, 0)),
            (9, Timer::FirstToken(1, 1)),
            (12, Timer::GiveUp(2, 2)),
            (1, Timer::Join(0)),
        ];
        for (at, timer) in set {
            timers.set(at, timer);
        }
        let mut expected = set.to_vec();
        expected.sort_by_key(|(at, _)| *at);
        assert_eq!(timers.next_at(), 1);
        let taken: Vec<_> = std::iter::from_fn(|| timers.pop()).collect();
        assert_eq!(taken, expected);
        assert_eq!(timers.next_at(), u64::MAX);
    }
}
