//! An instance of `shared`.
//!
//! All requests in service progress at the same speed. One counter therefore suffices: `attained`, the service of a
//! (virtual) request that has been in service since the instance was last idle. A request completes when the counter has
//! grown by its requirement since it began, and an arrival or a departure changes the slope of the counter only:
//!
//! ```text
//! attained
//!    |                      .  target of B: B completes
//!    |                    /       slope 1: B alone
//!    |               . '       target of A: A completes
//!    |          . '               slope 1/2: A and B share
//!    |        /
//!    |      /                     slope 1: A alone
//!    +-----+--+--------+----+-----> time
//!          A  B begins A    B
//!     begins           completes
//! ```
//!
//! So the next completion is that of the lowest target, whatever arrives or departs (Kleinrock, *Queueing Systems*, vol.
//! II, 1976, §4.4; virtual time as in fair queueing).

use std::cmp::Ordering;
use std::sync::Arc;

use super::settings::{Pace, Shared, UNIT_BITS};
use crate::service::queue::RequestQueue;
use crate::service::request::{Active, Request};
use crate::service::server::Server;
use crate::service::small_heap::SmallHeap;

/// An instance of `shared`.
#[derive(Debug, Clone)]
pub struct SharedServer {
    /// Speed by the number of requests in service − 1; its length is the maximum concurrency.
    paces: Arc<[Pace]>,
    /// Requests in service, by their completion.
    active: SmallHeap<Sharer>,
    /// Service attained by a request in service since the instance was last idle, up to `counted_to`; units of 2⁻³² ns.
    attained: u128,
    counted_to: u64,
    pace: Pace,
    next_change: u64,
    requests_begun: u64,
    work: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sharer {
    /// Value of `attained` at which it completes.
    target: u128,
    /// Requests that began before it: breaks ties.
    number: u64,
    active: Active,
}

impl Ord for Sharer {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (self.target, self.number).cmp(&(other.target, other.number))
    }
}

impl PartialOrd for Sharer {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const IDLE: Pace = Pace { per_request: 0, share: 0 };

impl SharedServer {
    /// Advances all requests in service to `now`.
    #[inline]
    fn advance_to(&mut self, now: u64) {
        let passed = now - self.counted_to;
        self.attained += u128::from(passed) * u128::from(self.pace.per_request);
        self.work += u128::from(passed) * u128::from(self.pace.share);
        self.counted_to = now;
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.active.len() == self.paces.len()
    }

    /// Adds a request at `now`, to which all have been advanced.
    #[inline(always)]
    fn add(&mut self, request: Request, now: u64) {
        let target = self.attained + (u128::from(request.service) << UNIT_BITS);
        self.active.push(Sharer {
            target,
            number: self.requests_begun,
            active: Active { request, start: now },
        });
        self.requests_begun += 1;
    }

    /// Sets the speed for the requests now in service, and the instant of the next completion.
    #[inline]
    fn schedule_next(&mut self) {
        match self.active.peek() {
            None => {
                self.attained = 0;
                self.pace = IDLE;
                self.next_change = u64::MAX;
            }
            Some(first) => {
                self.pace = self.paces[self.active.len() - 1];
                let left = first.target.saturating_sub(self.attained);
                let time = match u64::try_from(left) {
                    Ok(left) => left.div_ceil(self.pace.per_request),
                    Err(_) => left.div_ceil(u128::from(self.pace.per_request)).try_into().unwrap_or(u64::MAX),
                };
                self.next_change = self.counted_to.saturating_add(time);
            }
        }
    }
}

impl Server for SharedServer {
    type Settings = Shared;

    fn new(settings: &Arc<Shared>, speed: f64) -> Self {
        SharedServer {
            paces: if speed == 1.0 { Arc::clone(&settings.paces) } else { settings.scaled(speed) },
            active: SmallHeap::new(),
            attained: 0,
            counted_to: 0,
            pace: IDLE,
            next_change: u64::MAX,
            requests_begun: 0,
            work: 0,
        }
    }

    // Inlined always, so that the request is passed in registers: stored and loaded again, it costs a stall.
    #[inline(always)]
    fn begin(&mut self, request: Request, now: u64) -> bool {
        let begins = !self.is_full();
        if begins {
            self.advance_to(now);
            self.add(request, now);
            self.schedule_next();
        }
        begins
    }

    #[inline]
    fn admit(&mut self, queue: &mut impl RequestQueue, now: u64) {
        if queue.is_empty() || self.is_full() {
            return;
        }
        self.advance_to(now);
        while !self.is_full()
            && let Some(request) = queue.pop(now)
        {
            self.add(request, now);
        }
        self.schedule_next();
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.next_change
    }

    #[inline]
    fn step(&mut self, done: &mut impl FnMut(Active, u64)) {
        self.advance_to(self.next_change);
        if let Some(first) = self.active.pop() {
            done(first.active, 0);
        }
        self.schedule_next();
    }

    fn cancel(&mut self, mark: u32, now: u64, _over: u64) -> Option<Active> {
        self.advance_to(now);
        let mut stopped = None;
        self.active.remove(|Sharer { active, .. }| {
            let is_removed = active.request.mark == mark;
            if is_removed {
                stopped = Some(*active);
            }
            is_removed
        });
        self.schedule_next();
        stopped
    }

    fn dispatch_rank(&self) -> Option<u64> {
        (!self.is_full()).then_some(self.active.len() as u64)
    }

    #[inline]
    fn in_service(&self) -> u64 {
        self.active.len() as u64
    }

    fn requests(&self) -> impl Iterator<Item = &Active> {
        self.active.iter().map(|sharer| &sharer.active)
    }

    fn work(&self, now: u64) -> u128 {
        self.work + u128::from(now - self.counted_to) * u128::from(self.pace.share)
    }
}
