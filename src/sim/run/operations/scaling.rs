//! The autoscaler in a run: what it is shown, and when it acts.

use super::Operations;
use crate::autoscaler::{Observation, PoolCounters, PoolState, ScrapedTimes};
use crate::sim::observation::{RawCounters, ScrapeCounters};
use crate::sim::run::event_queue::Event;
use crate::sim::run::request_side::RequestSide;
use crate::time::{Instant, Span};

impl Operations {
    /// Hands the clients what has become of their requests, takes away draining instances that have none left, and lets
    /// a policy that acts at every arrival and departure act, until it is content. Where requests are taken event by
    /// event this comes after each, so it is compiled for their station.
    #[inline]
    pub fn react<R: RequestSide + ?Sized>(&mut self, requests: &mut R, at: Instant) {
        requests.take_outcomes(at.as_nanos());
        while let Some(id) = requests.next_drained() {
            self.leave(id, at);
        }
        while let Some(desired) = self.reaction(requests, at) {
            self.control.take_over(at, desired);
            self.reconcile(requests.as_dyn(), at);
            self.timeline.record_sizes(self.control.desired, self.registry.counts().ready);
        }
        while let Some((instance, spells)) = requests.next_idle() {
            if let Some(delay) = self.control.keep_alive(self.streams, instance, spells) {
                self.events.add(at + delay, Event::Idle(instance, spells));
            }
        }
    }

    #[inline]
    fn reaction<R: RequestSide + ?Sized>(&mut self, requests: &R, at: Instant) -> Option<u32> {
        let counts = self.registry.counts();
        let gauges = requests.gauges(at.as_nanos());
        let pool = PoolState {
            in_flight: gauges.waiting + gauges.busy + gauges.draining,
            waiting: gauges.waiting,
            ready: counts.ready,
            starting: counts.coming(),
        };
        self.control.react(at, &pool)
    }

    /// Lets an instance go that has been idle for as long as the policy keeps one.
    pub(super) fn expire(&mut self, requests: &mut dyn RequestSide, id: u32, spells: u64, at: Instant) {
        if requests.still_idle(id, spells) && self.control.may_expire(self.registry.counts().ready) {
            self.control.expired(at);
            self.drain(requests, id, at, Span::MAX);
            self.tidy(at);
        }
    }

    pub(super) fn scrape(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        self.events.add(at + self.control.scrape_interval, Event::Scrape);
        let mut times = requests.recorder().scraped.take(self.end.since(Instant::ZERO));
        if self.control.scrapes() {
            self.scrape_raw(requests, at, &times);
        }
        let arrived = requests.attempt_counts().sent;
        let warm_up_work = self.warm_up_work(at);
        let Some(pipeline) = &mut self.control.pipeline else { return };
        let mut kv_cache = 0.0;
        if pipeline.watches_cache() {
            let loads = self.scrapes.loads();
            requests.loads(at.as_nanos(), loads);
            let held: f64 = loads.iter().map(|load| load.kv_cache).sum();
            kv_cache = held / loads.len().max(1) as f64;
        }
        let tokens = answered(requests);
        let gauges = requests.gauges(at.as_nanos());
        let work = requests.areas(at.as_nanos()).work + warm_up_work;
        pipeline.record(ScrapeCounters {
            at,
            pool: PoolCounters {
                arrived,
                work,
                capacity: self.registry.time(at).ready * u128::from(self.places),
                in_flight: gauges.waiting + gauges.busy + gauges.draining,
                in_service: gauges.busy,
                waiting: gauges.waiting,
                tokens,
                kv_cache,
            },
            ready: self.registry.counts().ready,
            latency: pipeline.timed().and_then(|timed| times.part(timed)),
        });
    }

    fn scrape_raw(&mut self, requests: &mut dyn RequestSide, at: Instant, times: &ScrapedTimes) {
        let nanos = at.as_nanos();
        let loads = self.scrapes.loads();
        if self.control.watches_instances {
            requests.loads(nanos, loads);
            if let Some(warm_up) = &self.instances.warm_up {
                for load in loads {
                    load.work += warm_up.work(self.places, self.registry.warming_up(load.instance, at));
                }
            }
        }
        let mut areas = requests.areas(nanos);
        areas.work += self.warm_up_work(at);
        let counters = RawCounters {
            at,
            arrived: requests.attempt_counts().sent,
            tokens: answered(requests),
            areas,
            capacity: self.registry.time(at).ready * u128::from(self.places),
            places: self.places,
            gauges: requests.gauges(nanos),
            counts: self.registry.counts(),
        };
        self.control.take_in(&self.scrapes.take(counters, &self.registry, times));
    }

    /// What warming up has taken of the capacity up to `at`, as the work of requests is counted.
    fn warm_up_work(&self, at: Instant) -> u128 {
        let warm_up = self.instances.warm_up.as_ref();
        warm_up.map_or(0, |warm_up| warm_up.work(self.places, self.registry.warmed_up(at)))
    }

    pub(super) fn evaluate(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        self.decide(requests, at);
        if let Some(next) = self.control.next_evaluation(at) {
            self.events.add(next, Event::Evaluate);
        }
    }

    pub(super) fn decide(&mut self, requests: &mut dyn RequestSide, at: Instant) {
        let counts = self.registry.counts();
        let instances: &[_] = match self.control.watches_instances {
            true => self.scrapes.views(&self.registry),
            false => &[],
        };
        let observation = Observation {
            desired: self.control.desired,
            existing: counts.existing(),
            ready: counts.ready,
            held: requests.gauges(at.as_nanos()).buffered,
            metric: self.control.pipeline.as_ref().and_then(|pipeline| pipeline.observe(at)),
            instances,
        };
        self.control.decide(at, &observation);
        self.reconcile(requests, at);
    }
}

/// Tokens of the prompts and of the answers of requests that have ended; none where tokens are not counted.
fn answered(requests: &mut dyn RequestSide) -> [u64; 2] {
    requests.recorder().tokens.as_ref().map_or([0; 2], |tokens| tokens.all)
}
