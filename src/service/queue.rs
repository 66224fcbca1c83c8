//! Queues that an instance draws requests from.

use std::collections::VecDeque;

use super::request::Request;

/// A queue that an instance draws requests from: first come first served, or with priorities.
pub trait RequestQueue {
    /// Requests waiting.
    fn len(&self) -> u64;

    /// Whether no request waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next request to be served.
    fn front(&self) -> Option<&Request>;

    /// Removes the next request to be served, at `now`.
    fn pop(&mut self, now: u64) -> Option<Request>;

    /// Removes the next `count` requests to be served, at `now`, and hands each over; fewer if there are no more.
    fn take(&mut self, count: usize, now: u64, mut each: impl FnMut(Request)) {
        (0..count).map_while(|_| self.pop(now)).for_each(&mut each);
    }

    /// Arrival instant of the request that has waited longest, nanoseconds.
    fn oldest(&self) -> Option<u64>;
}

/// Requests waiting, first come first served, with the time that they have waited.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    requests: VecDeque<Request>,
    /// Sum of the arrival instants of the requests waiting.
    arrivals: u128,
    /// Request-nanoseconds waited by the requests that have left.
    waited: u128,
}

impl Queue {
    /// Adds a request at the end.
    #[inline]
    pub fn push(&mut self, request: Request) {
        self.arrivals += u128::from(request.arrival);
        self.requests.push_back(request);
    }

    /// Removes the first request, at `now`.
    #[inline]
    pub fn pop(&mut self, now: u64) -> Option<Request> {
        let request = self.requests.pop_front()?;
        self.arrivals -= u128::from(request.arrival);
        self.waited += u128::from(now - request.arrival);
        Some(request)
    }

    /// Removes the last request, as if it had never arrived.
    pub fn withdraw(&mut self) -> Option<Request> {
        let request = self.requests.pop_back()?;
        self.arrivals -= u128::from(request.arrival);
        Some(request)
    }

    /// Requests waiting.
    #[inline]
    pub fn len(&self) -> u64 {
        self.requests.len() as u64
    }

    /// Whether no request waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The requests waiting, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter()
    }

    /// Request-nanoseconds waited up to `now`.
    pub fn area(&self, now: u64) -> u128 {
        self.waited + u128::from(now) * self.requests.len() as u128 - self.arrivals
    }
}

impl RequestQueue for Queue {
    #[inline]
    fn len(&self) -> u64 {
        self.len()
    }

    #[inline]
    fn front(&self) -> Option<&Request> {
        self.requests.front()
    }

    #[inline]
    fn pop(&mut self, now: u64) -> Option<Request> {
        self.pop(now)
    }

    // The sums change once for all of them.
    #[inline]
    fn take(&mut self, count: usize, now: u64, mut each: impl FnMut(Request)) {
        let count = count.min(self.requests.len());
        let mut arrivals = 0;
        for request in self.requests.drain(..count) {
            arrivals += u128::from(request.arrival);
            each(request);
        }
        self.arrivals -= arrivals;
        self.waited += u128::from(now) * count as u128 - arrivals;
    }

    #[inline]
    fn oldest(&self) -> Option<u64> {
        self.requests.front().map(|first| first.arrival)
    }
}
