//! Requests waiting, some of which go first, give up, or are cancelled.
//!
//! ```text
//!   lanes[0]  handed back   | 3 | 9 |                 taken first
//!   lanes[1]  high class    | 5 | x | 12 |            x: gone (gave up, or cancelled), its place still there
//!   lanes[2]  low class     | 4 | 7 | 8 | 10 |        taken last
//!
//!   deadlines               (at 50, 8) (at 70, 4)     the earliest first; passed over if the request has left
//! ```
//!
//! The rule it relies on: each lane is in order of the requests' sequence numbers, so one is found by bisection, and none
//! begins with one that is gone, so the head is at hand. One that leaves from the middle is only marked: taking it out
//! would move all behind it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::service::{Request, RequestQueue};
use crate::sim::accounting::Class;
use crate::sim::queueing::station::Arrival;

/// A request before it is served, or between two times it is.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Order of arrival at the pool.
    pub sequence: u64,
    /// What it asks for.
    pub request: Request,
    pub ticket: u32,
    pub class: Class,
    /// Work still to do, in nanoseconds at full speed, if it was interrupted and is to be resumed.
    pub remaining: Option<u64>,
    /// Nanoseconds it has been in service before, which are not lost.
    pub had: u64,
    /// Whether it has been handed back by an instance: it goes first.
    pub returned: bool,
    /// Whether it waits no more, though its place in the queue is still there.
    pub gone: bool,
}

impl Job {
    pub fn new(arrival: Arrival, sequence: u64) -> Job {
        let Arrival { class, ticket, .. } = arrival;
        Job {
            sequence,
            request: arrival.request(),
            ticket,
            class,
            remaining: None,
            had: 0,
            returned: false,
            gone: false,
        }
    }
}

/// Requests waiting: those handed back, then the high class, then the low one, each in order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    /// Handed back, high class, low class. None begins with one that is gone.
    lanes: [VecDeque<Job>; 3],
    /// When waiting requests give up, by instant; those that have left meanwhile are skipped when their time comes.
    deadlines: BinaryHeap<Reverse<(u64, u64)>>,
    len: u64,
}

impl Queue {
    #[inline]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Adds a request that arrives, willing to wait until `deadline`.
    #[inline]
    pub fn push(&mut self, job: Job, deadline: u64) {
        self.len += 1;
        self.lanes[1 + job.class as usize].push_back(job);
        if deadline < u64::MAX {
            self.deadlines.push(Reverse((deadline, job.sequence)));
        }
    }

    /// Adds a request that has been served before: it goes first, and no longer gives up.
    pub fn push_returned(&mut self, job: Job) {
        self.len += 1;
        let at = self.lanes[0].partition_point(|waiting| waiting.sequence < job.sequence);
        self.lanes[0].insert(at, Job { returned: true, ..job });
    }

    #[inline]
    pub fn pop(&mut self) -> Option<Job> {
        let lane = self.lanes.iter_mut().find(|lane| !lane.is_empty())?;
        let taken = lane.pop_front();
        clear_front(lane);
        self.len -= 1;
        taken
    }

    /// Takes out the request of this sequence number, if it waits.
    pub fn remove(&mut self, sequence: u64) -> Option<Job> {
        let job = self.lanes.iter_mut().find_map(|lane| {
            let index = lane.binary_search_by_key(&sequence, |job| job.sequence).ok()?;
            let found = lane.get_mut(index).filter(|job| !job.gone)?;
            found.gone = true;
            let job = *found;
            clear_front(lane);
            Some(job)
        })?;
        self.len -= 1;
        Some(job)
    }

    #[inline]
    pub fn next_deadline(&self) -> u64 {
        self.deadlines.peek().map_or(u64::MAX, |Reverse((at, _))| *at)
    }

    /// Takes the next deadline; the request that gives up, if it still waits and has never been served.
    pub fn pass_deadline(&mut self) -> Option<Job> {
        let Reverse((_, sequence)) = self.deadlines.pop()?;
        let handed_back = self.lanes[0].binary_search_by_key(&sequence, |job| job.sequence).is_ok();
        if handed_back { None } else { self.remove(sequence) }
    }

    /// The requests waiting, those that go first first.
    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.lanes.iter().flatten().filter(|job| !job.gone)
    }
}

/// Takes away those at the front that wait no more.
fn clear_front(lane: &mut VecDeque<Job>) {
    while lane.front().is_some_and(|job| job.gone) {
        lane.pop_front();
    }
}

impl RequestQueue for Queue {
    fn len(&self) -> u64 {
        self.len
    }

    #[inline]
    fn front(&self) -> Option<&Request> {
        self.lanes.iter().find_map(VecDeque::front).map(|job| &job.request)
    }

    fn pop(&mut self, _now: u64) -> Option<Request> {
        self.pop().map(|job| job.request)
    }

    #[inline]
    fn oldest(&self) -> Option<u64> {
        self.lanes.iter().filter_map(VecDeque::front).map(|job| job.request.arrival).min()
    }
}
