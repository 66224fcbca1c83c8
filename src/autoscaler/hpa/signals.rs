//! What an HPA sees of the simulated pool: the newest scrapes, averaged as its metrics pipeline averages them.
//!
//! metrics-server takes each pod's usage between its last two scrapes; a Prometheus adapter averages over a window. Both
//! are the mean over `[metrics] window`, which is a scrape interval unless written.

use std::collections::VecDeque;

use super::metric::Signal;
use crate::autoscaler::{InstanceSample, Sample};
use crate::time::{Instant, Span};

/// The scrapes of a window.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    window: Span,
    pool: VecDeque<PoolScrape>,
    /// By number; those that were ready at the last scrape.
    instances: Vec<Track>,
    spare: Vec<Track>,
    at: Instant,
}

/// The pool over one scrape interval: sums over time, in request-seconds.
#[derive(Debug, Clone, Copy)]
struct PoolScrape {
    since: Instant,
    seconds: f64,
    arrived: f64,
    in_flight: f64,
    waiting: f64,
    in_service: f64,
    slots: f64,
    work: f64,
}

/// One instance over the scrapes of the window.
#[derive(Debug, Clone)]
struct Track {
    id: u32,
    scrapes: VecDeque<InstanceScrape>,
}

#[derive(Debug, Clone, Copy)]
struct InstanceScrape {
    since: Instant,
    seconds: f64,
    /// Request-seconds in service.
    in_service: f64,
    /// Seconds times the share of its capacity in use.
    busy: f64,
    kv_cache: f64,
}

/// What is known of one instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    pub value: f64,
    /// When it was taken, and over how long.
    pub at: Instant,
    pub window: Span,
}

impl Signals {
    pub fn new(window: Span) -> Signals {
        Signals { window, pool: VecDeque::new(), instances: Vec::new(), spare: Vec::new(), at: Instant::ZERO }
    }

    /// Takes in one scrape.
    pub fn scrape(&mut self, sample: &Sample<'_>) {
        let seconds = sample.seconds();
        self.at = sample.at;
        self.pool.push_back(PoolScrape {
            since: sample.since,
            seconds,
            arrived: sample.arrived as f64,
            in_flight: sample.in_flight * seconds,
            waiting: sample.waiting * seconds,
            in_service: sample.in_service * seconds,
            slots: sample.slots * seconds,
            work: sample.work * seconds,
        });
        let (at, window) = (self.at, self.window);
        let is_old = |since: Instant| since + window < at;
        while self.pool.len() > 1 && self.pool.front().is_some_and(|scrape| is_old(scrape.since)) {
            self.pool.pop_front();
        }
        self.forget_gone(sample.instances);
        for (index, instance) in sample.instances.iter().enumerate() {
            if self.instances.get(index).is_none_or(|track| track.id != instance.id) {
                let mut track = self.spare.pop().unwrap_or(Track { id: 0, scrapes: VecDeque::new() });
                track.id = instance.id;
                self.instances.insert(index, track);
            }
            let scrapes = &mut self.instances[index].scrapes;
            let seconds = instance.measured.as_secs_f64();
            scrapes.push_back(InstanceScrape {
                since: sample.since,
                seconds,
                in_service: instance.in_service * seconds,
                busy: instance.utilization * seconds,
                kv_cache: instance.kv_cache,
            });
            while scrapes.len() > 1 && scrapes.front().is_some_and(|scrape| is_old(scrape.since)) {
                scrapes.pop_front();
            }
        }
    }

    /// Drops what `present` no longer lists; both are in the order of numbers.
    fn forget_gone(&mut self, present: &[InstanceSample]) {
        let mut index = 0;
        let mut present = present.iter().peekable();
        while let Some(track) = self.instances.get(index) {
            while present.peek().is_some_and(|instance| instance.id < track.id) {
                present.next();
            }
            if present.peek().is_some_and(|instance| instance.id == track.id) {
                index += 1;
            } else {
                let mut track = self.instances.remove(index);
                track.scrapes.clear();
                self.spare.push(track);
            }
        }
    }

    /// The pool's value of a signal; `None` while there was nothing to measure.
    pub fn total(&self, signal: Signal) -> Option<f64> {
        let sum = |value: fn(&PoolScrape) -> f64| self.pool.iter().map(value).sum::<f64>();
        let seconds = sum(|scrape| scrape.seconds);
        if seconds <= 0.0 {
            return None;
        }
        match signal {
            Signal::Utilization => {
                let slots = sum(|scrape| scrape.slots);
                (slots > 0.0).then(|| sum(|scrape| scrape.work) / slots)
            }
            Signal::Concurrency => Some(sum(|scrape| scrape.in_service) / seconds),
            Signal::InFlight => Some(sum(|scrape| scrape.in_flight) / seconds),
            Signal::QueueLength => Some(sum(|scrape| scrape.waiting) / seconds),
            Signal::RequestRate => Some(sum(|scrape| scrape.arrived) / seconds),
            Signal::KvCache => {
                let of_one = |track: &Track| self.of_track(track, Signal::KvCache);
                let all = self.instances.iter().filter_map(of_one).map(|reading| reading.value).sum::<f64>();
                (!self.instances.is_empty()).then(|| all / self.instances.len() as f64)
            }
        }
    }

    /// What instance `id` shows of a signal; of what only the pool as a
    /// whole has, its equal part.
    /// Instances are looked for from `next` on, which is moved past the one found: they are asked for in order.
    pub fn of_instance(&self, id: u32, signal: Signal, next: &mut usize) -> Option<Reading> {
        let track = self.instances.get(*next).filter(|track| track.id == id).or_else(|| {
            *next = self.instances.binary_search_by_key(&id, |track| track.id).ok()?;
            self.instances.get(*next)
        })?;
        *next += 1;
        self.of_track(track, signal)
    }

    fn of_track(&self, track: &Track, signal: Signal) -> Option<Reading> {
        let (mut seconds, mut in_service, mut busy, mut kv_cache) = (0.0, 0.0, 0.0, 0.0);
        for scrape in &track.scrapes {
            seconds += scrape.seconds;
            in_service += scrape.in_service;
            busy += scrape.busy;
            kv_cache += scrape.kv_cache;
        }
        if seconds <= 0.0 {
            return None;
        }
        let value = match signal {
            Signal::Concurrency => in_service / seconds,
            Signal::Utilization => busy / seconds,
            Signal::KvCache => kv_cache / track.scrapes.len() as f64,
            Signal::InFlight | Signal::QueueLength | Signal::RequestRate => {
                self.total(signal)? / self.instances.len() as f64
            }
        };
        // The time before an instance was ready belongs to the window too: such a sample is not fresh.
        let since = track.scrapes.front().map_or(self.at, |scrape| scrape.since);
        Some(Reading { value, at: self.at, window: self.at.since(since) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    /// A scrape every 10 s of ready instances with so many requests in service each.
    fn scrape(signals: &mut Signals, seconds: u64, busy: &[(u32, f64)]) {
        let instances: Vec<InstanceSample> = busy
            .iter()
            .map(|(id, in_service)| InstanceSample {
                id: *id,
                in_service: *in_service,
                measured: Span::from_secs(10),
                utilization: in_service / 2.0,
                in_service_now: 0,
                waiting_now: 0,
                kv_cache: 0.5,
            })
            .collect();
        let in_service = busy.iter().map(|(_, in_service)| in_service).sum();
        signals.scrape(&Sample {
            at: at(seconds),
            since: at(seconds - 10),
            arrived: 20,
            in_flight: in_service + 3.0,
            waiting: 3.0,
            in_service,
            in_flight_now: 0,
            waiting_now: 0,
            held_now: 0,
            in_service_now: 0,
            slots: 2.0 * busy.len() as f64,
            work: in_service,
            ready: busy.len() as u32,
            existing: busy.len() as u32,
            instances: &instances,
        });
    }

    #[test]
    fn a_window_averages_its_scrapes_and_forgets_older_ones() {
        let mut signals = Signals::new(Span::from_secs(20));
        assert_eq!(signals.total(Signal::Concurrency), None);
        scrape(&mut signals, 10, &[(0, 9.0)]);
        scrape(&mut signals, 20, &[(0, 1.0)]);
        scrape(&mut signals, 30, &[(0, 2.0)]);
        assert_eq!(signals.total(Signal::Concurrency), Some(1.5));
        assert_eq!(signals.total(Signal::RequestRate), Some(2.0));
        assert_eq!(signals.total(Signal::InFlight), Some(4.5));
        let reading = signals.of_instance(0, Signal::Utilization, &mut 0).unwrap();
        assert_eq!((reading.value, reading.at, reading.window), (0.75, at(30), Span::from_secs(20)));
    }

    #[test]
    fn an_instance_that_is_gone_has_no_sample_and_a_new_one_its_own() {
        let mut signals = Signals::new(Span::ZERO);
        scrape(&mut signals, 10, &[(0, 2.0), (1, 4.0), (5, 6.0)]);
        scrape(&mut signals, 20, &[(1, 1.0), (3, 3.0), (5, 5.0)]);
        let of = |id| signals.of_instance(id, Signal::Concurrency, &mut 0).map(|reading| reading.value);
        assert_eq!([of(0), of(1), of(3), of(5)], [None, Some(1.0), Some(3.0), Some(5.0)]);
        let share = signals.of_instance(3, Signal::QueueLength, &mut 0).map(|reading| reading.value);
        assert_eq!(share, Some(1.0));
        assert_eq!(signals.total(Signal::KvCache), Some(0.5));
    }
}
