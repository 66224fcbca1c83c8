//! Raw scrapes: what the pool looked like since the scrape before, for policies with a metrics pipeline of their own.

use super::fleet::{Areas, Gauges, Load};
use super::pool::{Census, Pool};
use crate::autoscaler::{InstanceSample, InstanceView, Sample};
use crate::service::FULL;
use crate::time::Instant;

/// The counters at the scrape before, and room for what a scrape finds on each instance.
#[derive(Debug, Default)]
pub(super) struct Scrapes {
    since: Instant,
    arrived: u64,
    areas: Areas,
    capacity: u128,
    loads: Vec<Load>,
    /// The loads at the scrape before, by instance.
    before: Vec<Load>,
    instances: Vec<InstanceSample>,
    views: Vec<InstanceView>,
}

/// The counters at a scrape, from the start of the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counters {
    pub at: Instant,
    pub arrived: u64,
    pub areas: Areas,
    /// Place-nanoseconds of ready instances.
    pub capacity: u128,
    /// Places of one instance: what its utilization is measured in.
    pub places: u32,
    pub gauges: Gauges,
    pub census: Census,
}

impl Scrapes {
    /// Room for the load of each instance, emptied.
    pub fn loads(&mut self) -> &mut Vec<Load> {
        self.loads.clear();
        &mut self.loads
    }

    /// What has been since the scrape before; [`Scrapes::loads`] holds the instances, if anybody looks at them.
    pub fn take(&mut self, counters: Counters, pool: &Pool) -> Sample<'_> {
        let Counters { at, arrived, areas, capacity, places, gauges, census } = counters;
        let nanos = at.since(self.since).as_nanos();
        let mean = |later: u128, earlier: u128| match nanos {
            0 => 0.0,
            nanos => (later - earlier) as f64 / nanos as f64,
        };
        let waiting = mean(areas.waiting, self.areas.waiting);
        self.loads.sort_unstable_by_key(|load| load.instance);
        self.instances.clear();
        for load in &self.loads {
            let ready = pool.view(load.instance).and_then(|view| view.ready).unwrap_or(self.since);
            let measured = at.since(ready.max(self.since));
            let known = self.before.binary_search_by_key(&load.instance, |before| before.instance);
            let (served, work) =
                known.map_or((0, 0), |index| (self.before[index].served, self.before[index].work));
            let mean = |later: u128, earlier: u128| match measured.as_nanos() {
                0 => 0.0,
                nanos => later.saturating_sub(earlier) as f64 / nanos as f64,
            };
            self.instances.push(InstanceSample {
                id: load.instance,
                in_service: mean(load.served, served),
                measured,
                utilization: mean(load.work, work) / (FULL as f64 * f64::from(places)),
                in_service_now: load.in_service,
                waiting_now: load.waiting,
                kv_cache: load.kv_cache,
            });
        }
        std::mem::swap(&mut self.before, &mut self.loads);
        let sample = Sample {
            at,
            since: self.since,
            arrived: arrived - self.arrived,
            in_flight: waiting + mean(areas.in_service, self.areas.in_service),
            waiting,
            in_service: mean(areas.busy, self.areas.busy),
            in_flight_now: gauges.waiting + gauges.busy + gauges.draining,
            waiting_now: gauges.waiting,
            held_now: gauges.held,
            in_service_now: gauges.busy,
            slots: mean(capacity, self.capacity),
            work: mean(areas.work, self.areas.work) / FULL as f64,
            ready: census.ready,
            existing: census.existing(),
            instances: &self.instances,
        };
        (self.since, self.arrived, self.areas, self.capacity) = (at, arrived, areas, capacity);
        sample
    }

    /// Every instance of the pool, by its number.
    pub fn views(&mut self, pool: &Pool) -> &[InstanceView] {
        self.views.clear();
        self.views.extend(pool.views());
        &self.views
    }
}
