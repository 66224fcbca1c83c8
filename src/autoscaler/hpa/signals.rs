//! What an HPA sees of the simulated pool: the newest scrapes, averaged as its metrics pipeline averages them.
//!
//! metrics-server takes each pod's usage between its last two scrapes; a Prometheus adapter averages over a window. Both
//! are the mean over `[metrics] window`, which is a scrape interval unless written.

use std::collections::VecDeque;

use crate::autoscaler::Timed;
use crate::autoscaler::signal::{OfInstance, OfPool, Signal};
use crate::autoscaler::{InstanceScrape, Scrape, ScrapedTimes};
use crate::time::{Instant, Span};

/// The scrapes of a window.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    window: Span,
    /// In time order; the newest lists the instances there are.
    scrapes: VecDeque<KeptScrape>,
    /// Instance lists of scrapes that are over, to be filled again.
    spare: Vec<Vec<InstanceScrape>>,
}

/// One scrape, with a list of its own.
#[derive(Debug, Clone)]
struct KeptScrape {
    pool: Scrape<'static>,
    seconds: f64,
    /// By number; those that were ready.
    instances: Vec<InstanceScrape>,
    /// Times of what completed, where they are watched.
    times: Option<ScrapedTimes>,
}

impl KeptScrape {
    /// Where instance `id` is in the list; most likely at `guess`.
    fn position(&self, id: u32, guess: usize) -> Option<usize> {
        match self.instances.get(guess) {
            Some(instance) if instance.id == id => Some(guess),
            _ => self.instances.binary_search_by_key(&id, |instance| instance.id).ok(),
        }
    }
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
        Signals { window, scrapes: VecDeque::new(), spare: Vec::new() }
    }

    /// Takes in one scrape.
    pub fn scrape(&mut self, sample: &Scrape<'_>) {
        let is_old = |scrape: &KeptScrape| scrape.pool.since + self.window < sample.at;
        while self.scrapes.front().is_some_and(is_old) {
            self.spare.extend(self.scrapes.pop_front().map(|scrape| scrape.instances));
        }
        let mut instances = self.spare.pop().unwrap_or_default();
        instances.clear();
        instances.extend_from_slice(sample.instances);
        let seconds = sample.seconds();
        let times = sample.times.cloned();
        self.scrapes.push_back(KeptScrape { pool: sample.of_pool(), seconds, instances, times });
    }

    /// Whether anything has been scraped yet.
    pub fn is_fed(&self) -> bool {
        !self.scrapes.is_empty()
    }

    /// The pool's value of a signal, of times the quantile; `None` while there was nothing to measure.
    pub fn total(&self, signal: Signal, quantile: f64) -> Option<f64> {
        let sum = |of: &dyn Fn(&KeptScrape) -> f64| self.scrapes.iter().map(of).sum::<f64>();
        let seconds = sum(&|scrape| scrape.seconds);
        if seconds <= 0.0 {
            return None;
        }
        let over_time = |of: fn(&Scrape<'_>) -> f64| sum(&|scrape| of(&scrape.pool) * scrape.seconds);
        match signal.spec().of_pool {
            OfPool::Share { used, of, .. } => {
                let there = over_time(of);
                (there > 0.0).then(|| over_time(used) / there)
            }
            OfPool::Gauge { mean, .. } => Some(over_time(mean) / seconds),
            OfPool::Count { since, .. } => Some(sum(&|scrape| since(&scrape.pool)) / seconds),
            OfPool::Quantile(timed) => self.time(timed, quantile),
            OfPool::Instances(_) => {
                let present = &self.scrapes.back()?.instances;
                let mut next = 0;
                let of_one =
                    |instance: &InstanceScrape| self.of_instance(instance.id, (signal, quantile), &mut next);
                let all: f64 = present.iter().filter_map(of_one).map(|reading| reading.value).sum();
                (!present.is_empty()).then(|| all / present.len() as f64)
            }
        }
    }

    /// The quantile of the times of what completed, in seconds; within 1 %, as a histogram metric would be.
    fn time(&self, timed: Timed, quantile: f64) -> Option<f64> {
        let kept = self.scrapes.iter().filter_map(|scrape| scrape.times.as_ref());
        let mut parts = kept.filter_map(|times| times.of(timed));
        let mut total = parts.next()?.clone();
        parts.for_each(|part| total.add(part));
        total.quantile(quantile).map(|micros| micros as f64 / 1e6)
    }

    /// What instance `id`, if it was there at the newest scrape, shows of a signal, of times the quantile; of what only the
    /// pool as a whole has, its equal part. Instances are asked for in order: `next` is where this one is expected, and then
    /// the one after.
    #[inline(always)]
    pub fn of_instance(
        &self,
        id: u32,
        (signal, quantile): (Signal, f64),
        next: &mut usize,
    ) -> Option<Reading> {
        let newest = self.scrapes.back()?;
        let index = newest.position(id, *next)?;
        *next = index + 1;
        let shown = signal.spec().of_instance;
        let of_one = |instance: &InstanceScrape| match shown {
            OfInstance::Integral(of) | OfInstance::Now(of) => of(instance),
            OfInstance::EqualPart | OfInstance::AsPool => 0.0,
        };
        let instance = &newest.instances[index];
        let (mut measured, mut sum, mut scrapes) = (instance.measured, of_one(instance), 1.0);
        let mut since = newest.pool.since;
        for scrape in self.scrapes.iter().rev().skip(1) {
            let Some(instance) = scrape.position(id, index).map(|index| &scrape.instances[index]) else {
                break;
            };
            since = scrape.pool.since;
            scrapes += 1.0;
            measured += instance.measured;
            sum += of_one(instance);
        }
        if measured.is_zero() {
            return None;
        }
        let value = match shown {
            // One division instead of two, for each instance at each look.
            OfInstance::Integral(_) => sum * 1e9 / measured.as_nanos() as f64,
            OfInstance::Now(_) => sum / scrapes,
            OfInstance::EqualPart => self.total(signal, quantile)? / newest.instances.len() as f64,
            OfInstance::AsPool => self.total(signal, quantile)?,
        };
        // The time before an instance was ready belongs to the window too: such a sample is not fresh.
        Some(Reading { value, at: newest.pool.at, window: newest.pool.at.since(since) })
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
        let instances: Vec<InstanceScrape> = busy
            .iter()
            .map(|(id, in_service)| InstanceScrape {
                id: *id,
                measured: Span::from_secs(10),
                service_seconds: in_service * 10.0,
                busy_seconds: in_service * 5.0,
                in_service_now: 0,
                waiting_now: 0,
                kv_cache: 0.5,
            })
            .collect();
        let in_service = busy.iter().map(|(_, in_service)| in_service).sum();
        signals.scrape(&Scrape {
            tokens: [0; 2],
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
            times: None,
        });
    }

    #[test]
    fn a_window_averages_its_scrapes_and_forgets_older_ones() {
        let mut signals = Signals::new(Span::from_secs(20));
        assert_eq!(signals.total(Signal::Concurrency, 0.5), None);
        scrape(&mut signals, 10, &[(0, 9.0)]);
        scrape(&mut signals, 20, &[(0, 1.0)]);
        scrape(&mut signals, 30, &[(0, 2.0)]);
        assert_eq!(signals.total(Signal::Concurrency, 0.5), Some(1.5));
        assert_eq!(signals.total(Signal::RequestRate, 0.5), Some(2.0));
        assert_eq!(signals.total(Signal::InFlight, 0.5), Some(4.5));
        let reading = signals.of_instance(0, (Signal::Utilization, 0.5), &mut 0).unwrap();
        assert_eq!((reading.value, reading.at, reading.window), (0.75, at(30), Span::from_secs(20)));
    }

    #[test]
    fn an_instance_that_is_gone_has_no_sample_and_a_new_one_its_own() {
        let mut signals = Signals::new(Span::ZERO);
        scrape(&mut signals, 10, &[(0, 2.0), (1, 4.0), (5, 6.0)]);
        scrape(&mut signals, 20, &[(1, 1.0), (3, 3.0), (5, 5.0)]);
        let of =
            |id| signals.of_instance(id, (Signal::Concurrency, 0.5), &mut 0).map(|reading| reading.value);
        assert_eq!([of(0), of(1), of(3), of(5)], [None, Some(1.0), Some(3.0), Some(5.0)]);
        let share = signals.of_instance(3, (Signal::QueueLength, 0.5), &mut 0).map(|reading| reading.value);
        assert_eq!(share, Some(1.0));
        assert_eq!(signals.total(Signal::KvCache, 0.5), Some(0.5));
    }
}
