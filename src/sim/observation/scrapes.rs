//! Raw scrapes: what the pool looked like since the scrape before, for policies with a metrics pipeline of their own.

use crate::autoscaler::{InstanceScrape, InstanceView, Scrape, ScrapedTimes};
use crate::service::FULL;
use crate::sim::accounting::{Areas, Gauges, InstanceCounts};
use crate::sim::instances::InstanceRegistry;
use crate::sim::queueing::Load;
use crate::time::Instant;

/// The counters at the scrape before, and room for what a scrape finds on each instance.
#[derive(Debug, Default)]
pub(in crate::sim) struct Scrapes {
    since: Instant,
    arrived: u64,
    tokens: [u64; 2],
    areas: Areas,
    capacity: u128,
    loads: Vec<Load>,
    /// The loads at the scrape before, by instance.
    before: Vec<Load>,
    instances: Vec<InstanceScrape>,
    views: Vec<InstanceView>,
}

/// The counters at a scrape, from the start of the run.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct RawCounters {
    pub at: Instant,
    pub arrived: u64,
    /// Tokens of the prompts and of the answers of requests that have ended.
    pub tokens: [u64; 2],
    pub areas: Areas,
    /// Place-nanoseconds of ready instances.
    pub capacity: u128,
    /// Places of one instance: what its utilization is measured in.
    pub places: u32,
    pub gauges: Gauges,
    pub counts: InstanceCounts,
}

impl Scrapes {
    /// Room for the load of each instance, emptied.
    pub fn loads(&mut self) -> &mut Vec<Load> {
        self.loads.clear();
        &mut self.loads
    }

    /// What has been since the scrape before; [`Scrapes::loads`] holds the instances, if anybody looks at them.
    pub fn take<'a>(
        &'a mut self,
        counters: RawCounters,
        registry: &InstanceRegistry,
        times: &'a ScrapedTimes,
    ) -> Scrape<'a> {
        let RawCounters { at, arrived, tokens, areas, capacity, places, gauges, counts } = counters;
        let nanos = at.since(self.since).as_nanos();
        let mean = |later: u128, earlier: u128| match nanos {
            0 => 0.0,
            nanos => float(later - earlier) / nanos as f64,
        };
        let waiting = mean(areas.waiting, self.areas.waiting);
        self.loads.sort_unstable_by_key(|load| load.instance);
        self.instances.clear();
        // Both lists are in the order of numbers, so one walk along them finds everything.
        let mut earlier = self.before.iter().peekable();
        let since_before = at.since(self.since);
        let per_capacity = 1e-9 / (FULL as f64 * f64::from(places));
        for load in &self.loads {
            while earlier.next_if(|before| before.instance < load.instance).is_some() {}
            let (measured, served, work) = match earlier.next_if(|before| before.instance == load.instance) {
                Some(before) => (since_before, before.served, before.work),
                None => (at.since(registry.ready_since(load.instance).max(self.since)), 0, 0),
            };
            self.instances.push(InstanceScrape {
                id: load.instance,
                measured,
                service_seconds: float(load.served.saturating_sub(served)) * 1e-9,
                busy_seconds: float(load.work.saturating_sub(work)) * per_capacity,
                in_service_now: load.in_service,
                waiting_now: load.waiting,
                kv_cache: load.kv_cache,
            });
        }
        std::mem::swap(&mut self.before, &mut self.loads);
        let sample = Scrape {
            at,
            since: self.since,
            arrived: arrived - self.arrived,
            tokens: [tokens[0] - self.tokens[0], tokens[1] - self.tokens[1]],
            in_flight: waiting + mean(areas.in_service, self.areas.in_service),
            waiting,
            in_service: mean(areas.busy, self.areas.busy),
            in_flight_now: gauges.waiting + gauges.busy + gauges.draining,
            waiting_now: gauges.waiting,
            held_now: gauges.buffered,
            in_service_now: gauges.busy,
            slots: mean(capacity, self.capacity),
            work: mean(areas.work, self.areas.work) / FULL as f64,
            ready: counts.ready,
            existing: counts.existing(),
            instances: &self.instances,
            times: Some(times),
        };
        (self.since, self.arrived, self.areas, self.capacity) = (at, arrived, areas, capacity);
        self.tokens = tokens;
        sample
    }

    /// Every instance of the pool, by its number.
    pub fn views(&mut self, registry: &InstanceRegistry) -> &[InstanceView] {
        self.views.clear();
        self.views.extend(registry.views());
        &self.views
    }
}

/// As a floating-point number; by way of 64 bits, where they are enough, which is several times as fast.
#[inline]
fn float(integral: u128) -> f64 {
    #[cold]
    #[inline(never)]
    fn wide(integral: u128) -> f64 {
        integral as f64
    }
    match u64::try_from(integral) {
        Ok(narrow) => narrow as f64,
        Err(_) => wide(integral),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use crate::autoscaler::{
        Autoscaler, Explanation, InstanceState, Limits, Observation, Policy, PolicyContext, Schedule, Scrape,
        Settings,
    };
    use crate::random::Streams;
    use crate::scenario::ScenarioFile;
    use crate::sim::{Options, simulate};
    use crate::time::{Instant, Span};

    /// Asks for one instance more at every evaluation up to its most, then for one, and hears every scrape.
    #[derive(Debug, Clone)]
    struct Watcher {
        heard: Arc<Mutex<Heard>>,
        min: u32,
        /// Whether requests share an instance, else each takes one of two slots.
        shares: bool,
    }

    #[derive(Debug, Default)]
    struct Heard {
        arrived: u64,
        scrapes: u32,
        instances: u32,
        /// Most requests in service beyond what keeps the instances busy.
        most_sharing: f64,
        /// Instants of evaluations.
        evaluated: Vec<Instant>,
    }

    impl PartialEq for Watcher {
        fn eq(&self, _: &Self) -> bool {
            false
        }
    }

    impl Settings for Watcher {
        fn limits(&self) -> Limits {
            Limits { min: self.min, max: 4 }
        }
        fn schedule(&self) -> Option<Schedule> {
            Some(Schedule { interval: Span::from_secs(7), phase: Span::ZERO })
        }
        fn scrapes(&self) -> bool {
            true
        }
        fn watches_instances(&self) -> bool {
            true
        }
        fn wakes(&self) -> bool {
            true
        }
        fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
            Box::new(self.clone())
        }
    }

    impl Policy for Watcher {
        fn scrape(&mut self, sample: &Scrape<'_>) {
            let mut heard = self.heard.lock().unwrap();
            heard.arrived += sample.arrived;
            heard.scrapes += 1;
            heard.instances += sample.instances.len() as u32;
            assert_eq!(sample.instances.len(), sample.ready as usize);
            assert!(sample.instances.is_sorted_by_key(|instance| instance.id));
            assert_eq!(sample.in_service_now, sample.instances.iter().map(|i| i.in_service_now).sum::<u64>());
            // Slots of instances that have left since the scrape before are in the total alone.
            let by_instance = sample.instances.iter().map(|i| i.service_seconds);
            let total = sample.in_service * sample.seconds();
            let by_instance: f64 = by_instance.sum();
            if self.shares {
                // However many share an instance, it is no more than busy.
                assert!(sample.instances.iter().all(|i| i.busy_seconds <= i.measured.as_secs_f64() + 1e-9));
                assert!(sample.work <= sample.slots + 1e-9);
                heard.most_sharing = heard.most_sharing.max(sample.in_service - sample.work);
            } else {
                // Two slots each: the share in use times two is what is in service.
                assert!(
                    sample.instances.iter().all(|i| (i.busy_seconds * 2.0 - i.service_seconds).abs() < 1e-9)
                );
                assert!((sample.work - sample.in_service).abs() < 1e-9);
            }
            assert!(by_instance <= total + 1e-6, "{by_instance} {total}");
            if heard.evaluated.len() < 4 {
                assert!((by_instance - total).abs() < 1e-6, "{by_instance} {total}");
            }
            assert!(
                (sample.in_flight - sample.waiting - sample.in_service).abs() < 1e-9
                    || heard.evaluated.len() >= 4
            );
        }

        fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
            let count = |state| seen.instances.iter().filter(|view| view.state == state).count() as u32;
            assert_eq!(count(InstanceState::Ready), seen.ready);
            assert_eq!(count(InstanceState::Ready) + count(InstanceState::Starting), seen.existing);
            self.heard.lock().unwrap().evaluated.push(now);
            if seen.desired < 4 && self.min > 0 {
                seen.desired + 1
            } else {
                self.min.max(u32::from(seen.held > 0))
            }
        }

        fn explain(&self) -> Explanation {
            Explanation::plain("to watch")
        }
    }

    fn watched(dispatch: &str, min: u32, rate: f64) -> Heard {
        watched_on("concurrency = 2", dispatch, min, rate)
    }

    fn watched_on(service: &str, dispatch: &str, min: u32, rate: f64) -> Heard {
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = {rate}\n[service]\ntime = {{ dist = \"exponential\", mean = \"1s\" }}\n\
             {service}\n[instances]\ncold_start = \"3s\"\n[dispatch]\n{dispatch}\n[metrics]\nscrape_interval = \"2s\"\n\
             [autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"10m\""
        );
        let mut model = ScenarioFile::parse("a.toml", &text, ".").unwrap().scenario().unwrap().model;
        let heard = Arc::new(Mutex::new(Heard::default()));
        model.autoscaler = Autoscaler::of(Arc::new(Watcher {
            heard: heard.clone(),
            min,
            shares: service.contains("shared"),
        }));
        let options = Options { mark_interval: Span::from_secs(60), timeline: false, decisions: false };
        let (outcome, ()) = simulate(&model, Streams::new(3, 0), &options, ());
        assert!(outcome.counts.conserved());
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        assert!(heard.arrived <= outcome.counts.arrived && heard.arrived + 40 > outcome.counts.arrived);
        heard
    }

    #[test]
    fn the_instances_of_a_scrape_add_up_to_the_pool_in_every_arrangement() {
        for dispatch in
            ["", "idle = \"newest\"", "policy = \"round_robin\"", "policy = \"least_outstanding\""]
        {
            let heard = watched(dispatch, 1, 3.0);
            assert_eq!(heard.scrapes, 300, "{dispatch}");
            assert!(heard.instances > 600, "{dispatch}: {}", heard.instances);
        }
    }

    #[test]
    fn the_utilization_of_instances_that_are_shared_is_no_more_than_all() {
        for dispatch in ["", "policy = \"round_robin\""] {
            let heard = watched_on("model = \"shared\"\nconcurrency = 8", dispatch, 1, 3.0);
            assert!(heard.most_sharing > 1.0, "{dispatch}: {}", heard.most_sharing);
        }
    }

    #[test]
    fn a_request_that_finds_no_instance_asked_for_wakes_the_policy_at_once() {
        for dispatch in ["", "idle = \"newest\"", "policy = \"round_robin\""] {
            let heard = watched(dispatch, 0, 0.05);
            let unscheduled = |at: &&Instant| !at.as_nanos().is_multiple_of(Span::from_secs(7).as_nanos());
            let woken = heard.evaluated.iter().filter(unscheduled).count();
            assert!(woken > 5, "{dispatch}: woken {woken} times");
        }
    }
}
