//! What a policy is shown: never the truth, but what a real autoscaler in its place would see.

use super::times::ScrapedTimes;
use crate::time::{Instant, Span};

/// What the autoscaler is shown at an evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation<'a> {
    /// Instances last asked for (a real system's "spec" or "target").
    pub desired: u32,
    /// Instances that exist and are not on their way out: starting and ready.
    pub existing: u32,
    /// Instances ready to serve.
    pub ready: u32,
    /// Requests held because no instance is ready. The door itself knows them, so they are neither averaged nor late.
    pub held: u64,
    /// The metric the policy asked for through the query of its settings; `None` until the first one has arrived, or
    /// when nothing was there to measure.
    pub metric: Option<f64>,
    /// Each instance, by its number; empty unless the policy's settings ask for them.
    pub instances: &'a [InstanceView],
}

/// One instance as an orchestrator lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceView {
    /// Its number: never used again.
    pub id: u32,
    /// Where it is in its life.
    pub state: InstanceState,
    /// When it was asked for.
    pub requested: Instant,
    /// When it became ready, if it has.
    pub ready: Option<Instant>,
}

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Asked for, not ready yet.
    Starting,
    /// Ready to serve.
    Ready,
    /// Takes no more requests.
    Draining,
}

/// One scrape of the pool, for policies with a metrics pipeline of their own. Averages are over the time since the
/// scrape before (since the start of the run, for the first).
#[derive(Debug, Clone, Copy)]
pub struct Scrape<'a> {
    /// When.
    pub at: Instant,
    /// When the scrape before was.
    pub since: Instant,
    /// Requests arrived since.
    pub arrived: u64,
    /// Tokens of the prompts and of the answers of requests that have ended since.
    pub tokens: [u64; 2],
    /// Mean of the requests waiting or in service, draining instances included.
    pub in_flight: f64,
    /// Mean of the requests waiting.
    pub waiting: f64,
    /// Mean of the requests in service on ready instances.
    pub in_service: f64,
    /// Requests waiting or in service at the instant.
    pub in_flight_now: u64,
    /// Requests waiting at the instant.
    pub waiting_now: u64,
    /// Requests held at the instant because no instance is ready; part of `waiting_now`.
    pub held_now: u64,
    /// Requests in service on ready instances at the instant.
    pub in_service_now: u64,
    /// Mean of the capacity of the ready instances: slots, copies, or instances where requests share one whole.
    pub slots: f64,
    /// Mean of that capacity in use; as much as `in_service` where each request takes a slot.
    pub work: f64,
    /// Instances ready at the instant.
    pub ready: u32,
    /// Instances starting or ready at the instant.
    pub existing: u32,
    /// Each ready instance, by its number; empty unless the policy's settings ask for them.
    pub instances: &'a [InstanceScrape],
    /// Times of what completed since; none unless the policy's settings ask for them.
    pub times: Option<&'a ScrapedTimes>,
}

/// What a scrape finds on one ready instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstanceScrape {
    /// Its number.
    pub id: u32,
    /// Time since the scrape before, or since it became ready if that was later.
    pub measured: Span,
    /// Its requests in service, integrated over `measured`: request-seconds.
    pub service_seconds: f64,
    /// The share of its capacity in use, 0 to 1, integrated over `measured`: seconds.
    pub busy_seconds: f64,
    /// Its requests in service at the instant.
    pub in_service_now: u64,
    /// Requests waiting in a queue of its own at the instant.
    pub waiting_now: u64,
    /// Share of its KV cache in use at the instant, 0 to 1; 0 for services that have none.
    pub kv_cache: f64,
}

impl Scrape<'_> {
    /// Seconds since the scrape before.
    pub fn seconds(&self) -> f64 {
        self.at.since(self.since).as_secs_f64()
    }

    /// What it says of the pool, without its instances.
    pub fn of_pool(&self) -> Scrape<'static> {
        let Scrape { at, since, arrived, tokens, in_flight, waiting, in_service, .. } = *self;
        let Scrape { in_flight_now, waiting_now, held_now, in_service_now, .. } = *self;
        let Scrape { slots, work, ready, existing, .. } = *self;
        Scrape {
            at,
            since,
            arrived,
            tokens,
            in_flight,
            waiting,
            in_service,
            in_flight_now,
            waiting_now,
            held_now,
            in_service_now,
            slots,
            work,
            ready,
            existing,
            instances: &[],
            times: None,
        }
    }
}
