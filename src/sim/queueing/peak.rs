//! The greatest number of requests that wait at a time, first come, first served.
//!
//! ```text
//!   came        0    1    2    3    4    5          the one that came `peak` before the last, here 3 of 5:
//!   start      10   12   30   34   41   47          it starts at 30, and the last has arrived at 25, so that
//!   arrived                            25           four wait, and the peak is 4
//! ```
//!
//! The rule it relies on: requests start in the order in which they come, so as many as the peak and one wait when the last
//! has come just if the one that came so many before it has not started. That is one look a request, and no count.

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct PeakWaiting {
    /// When those that came last start, by number: a power of two of them, and more than the peak. [`u64::MAX`] where that
    /// is not known yet.
    starts: Vec<u64>,
    came: usize,
    peak: usize,
    /// The instant at which more may wait than the peak; [`u64::MAX`] if there is none. What waits for no time at all does not
    /// count, so they are counted once that instant is over.
    unsettled: u64,
    /// Those that came since they were last counted.
    since: usize,
}

impl Default for PeakWaiting {
    fn default() -> Self {
        PeakWaiting { starts: vec![0; 8], came: 0, peak: 0, unsettled: u64::MAX, since: 0 }
    }
}

impl PeakWaiting {
    /// A request has come that starts then; none waits whose start is not known.
    #[inline(always)]
    pub fn come(&mut self, arrival: u64, start: u64) {
        let mask = self.starts.len() - 1;
        self.starts[self.came & mask] = start;
        let earlier = self.starts[self.came.wrapping_sub(self.peak) & mask];
        self.came += 1;
        if earlier > arrival {
            self.rise();
        }
    }

    /// A request has come that starts nobody knows when.
    pub fn come_waiting(&mut self, arrival: u64) {
        self.pass(arrival);
        self.since += 1;
        if self.peak + self.since >= self.starts.len() {
            self.hold(2 * self.starts.len());
        }
        let mask = self.starts.len() - 1;
        self.starts[self.came & mask] = u64::MAX;
        let earlier = self.starts[self.came.wrapping_sub(self.peak) & mask];
        self.came += 1;
        if earlier > arrival {
            self.unsettled = self.unsettled.min(arrival);
        }
    }

    /// The first of `waiting` requests whose start was not known starts then.
    #[inline]
    pub fn begin(&mut self, waiting: usize, start: u64) {
        let mask = self.starts.len() - 1;
        self.starts[self.came.wrapping_sub(waiting) & mask] = start;
    }

    /// What was before `now` is over.
    #[inline]
    pub fn pass(&mut self, now: u64) {
        if now > self.unsettled {
            self.settle();
        }
    }

    /// Counts those that waited for any time at the instant that is unsettled; nothing more happens at it.
    pub fn settle(&mut self) {
        let at = std::mem::replace(&mut self.unsettled, u64::MAX);
        let start = |waiting: &PeakWaiting| {
            waiting.starts[waiting.came.wrapping_sub(1 + waiting.peak) & (waiting.starts.len() - 1)]
        };
        while at < u64::MAX && start(self) > at {
            self.rise();
        }
        self.since = 0;
    }

    #[cold]
    fn rise(&mut self) {
        self.peak += 1;
        if self.peak == self.starts.len() {
            self.hold(2 * self.peak);
        }
    }

    /// Makes room for the starts of so many, a power of two.
    fn hold(&mut self, room: usize) {
        let mut wider = vec![0; room];
        let old = self.starts.len();
        for number in self.came.saturating_sub(old)..self.came {
            wider[number & (room - 1)] = self.starts[number & (old - 1)];
        }
        self.starts = wider;
    }

    /// Forgets the peak: `waiting` do now.
    pub fn restart(&mut self, waiting: u64) {
        (self.peak, self.unsettled, self.since) = (waiting as usize, u64::MAX, 0);
    }

    /// The greatest number.
    pub fn get(&self) -> u64 {
        self.peak as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests of one server, by arrival and start; those of `late` come before their start is known.
    fn peak(requests: &[(u64, u64)], late: bool) -> u64 {
        let mut peak = PeakWaiting::default();
        let mut unknown = std::collections::VecDeque::new();
        for (arrival, start) in requests {
            peak.pass(*arrival);
            while let Some(first) = unknown.front().copied().filter(|first| first <= arrival) {
                peak.begin(unknown.len(), first);
                unknown.pop_front();
            }
            if late && (start > arrival || !unknown.is_empty()) {
                unknown.push_back(*start);
                peak.come_waiting(*arrival);
            } else {
                peak.settle();
                peak.come(*arrival, *start);
            }
        }
        peak.pass(u64::MAX);
        peak.get()
    }

    #[test]
    fn it_is_what_counting_at_each_arrival_gives() {
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for load in [5, 10, 13] {
            let (mut arrival, mut free) = (0, 0);
            let mut requests: Vec<(u64, u64)> = Vec::new();
            let mut expected = 0;
            for _ in 0..3_000 {
                arrival += next(20);
                let start = free.max(arrival);
                free = start + next(2 * load);
                requests.push((arrival, start));
                let waiting = requests.iter().rev().take_while(|(_, start)| *start > arrival).count();
                expected = expected.max(waiting as u64);
            }
            assert_eq!((peak(&requests, false), peak(&requests, true)), (expected, expected), "{load}");
            assert!(expected > 3, "{expected}");
        }
    }

    #[test]
    fn those_that_come_at_once_count_once_their_instant_is_over() {
        let mut peak = PeakWaiting::default();
        (0..1000).for_each(|_| peak.come_waiting(5));
        // At the same instant all but three find a place.
        (4..=1000).rev().for_each(|waiting| peak.begin(waiting, 5));
        assert_eq!(peak.get(), 0);
        peak.pass(6);
        assert_eq!(peak.get(), 3);
    }
}
