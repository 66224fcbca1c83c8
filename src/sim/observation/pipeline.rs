//! The observation pipeline: scrapes, averages and delay between the pool and the autoscaler.

use std::collections::VecDeque;

use super::metrics::Metrics;
use crate::autoscaler::{OfPool, Per, PoolCounters, Query, TimeHistogram, Timed};
use crate::service::FULL;
use crate::time::Instant;

/// One reading of the pool. Counters run from the start of the run.
#[derive(Debug, Clone)]
pub(in crate::sim) struct ScrapeCounters {
    pub at: Instant,
    pub pool: PoolCounters,
    pub ready: u32,
    /// Latencies, or times of tokens, in microseconds, of what completed since the scrape before; kept only if they are asked for.
    pub latency: Option<TimeHistogram>,
}

/// What the autoscaler's metric is made of.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Pipeline {
    metrics: Metrics,
    query: Query,
    /// In time order; the first is as old as an average can reach back, or the start of the run.
    scrapes: VecDeque<ScrapeCounters>,
}

impl Pipeline {
    pub fn new(metrics: Metrics, query: Query) -> Self {
        let start =
            ScrapeCounters { at: Instant::ZERO, pool: PoolCounters::default(), ready: 0, latency: None };
        Pipeline { metrics, query, scrapes: VecDeque::from([start]) }
    }

    /// Whether the use of the KV cache is watched, which takes a look at each instance.
    pub fn watches_cache(&self) -> bool {
        matches!(self.query.metric.spec().of_pool, OfPool::Instances(_))
    }

    /// The times of requests that a scrape is to have.
    pub fn timed(&self) -> Option<Timed> {
        self.query.metric.timed()
    }

    pub fn record(&mut self, scrape: ScrapeCounters) {
        // One interval more than window and delay: the newest scrape seen may be that much older than the delay.
        let reach = self.metrics.window + self.metrics.delay + self.metrics.scrape_interval;
        let now = scrape.at;
        self.scrapes.push_back(scrape);
        while self.scrapes.get(1).is_some_and(|second| second.at + reach <= now) {
            self.scrapes.pop_front();
        }
    }

    /// The metric as it is seen at `now`; `None` if nothing has arrived yet or there was nothing to measure.
    pub fn observe(&self, now: Instant) -> Option<f64> {
        let newest = self.scrapes.iter().rposition(|scrape| scrape.at + self.metrics.delay <= now)?;
        if newest == 0 {
            return None;
        }
        let end = &self.scrapes[newest];
        // The last scrape that is a whole window old; a window shorter than the interval still spans one interval.
        let base =
            (0..newest).rev().find(|i| self.scrapes[*i].at + self.metrics.window <= end.at).unwrap_or(0);
        let within = || self.scrapes.range(base + 1..=newest);
        let begin = &self.scrapes[base];
        let value = match self.query.metric.spec().of_pool {
            OfPool::Count { total, .. } => {
                (total(&end.pool) - total(&begin.pool)) as f64 / end.at.since(begin.at).as_secs_f64()
            }
            OfPool::Gauge { now, .. } | OfPool::Instances(now) => {
                let total: f64 = within().map(|scrape| now(&scrape.pool)).sum();
                total / within().count() as f64
            }
            OfPool::Share { used_total, of_total, .. } => {
                let there = of_total(&end.pool) - of_total(&begin.pool);
                if there == 0 {
                    return None;
                }
                (used_total(&end.pool) - used_total(&begin.pool)) as f64 / FULL as f64 / there as f64
            }
            OfPool::Quantile(_) => return self.latency_quantile(base, newest),
        };
        Some(match self.query.per {
            Per::Total => value,
            Per::Instance => value / f64::from(end.ready.max(1)),
        })
    }

    /// The quantile of the latencies scraped after `base`, up to `newest`; within 1 %, as a histogram metric would be.
    fn latency_quantile(&self, base: usize, newest: usize) -> Option<f64> {
        let mut parts = self.scrapes.range(base + 1..=newest).filter_map(|scrape| scrape.latency.as_ref());
        let mut total = parts.next()?.clone();
        for part in parts {
            total.add(part);
        }
        total.quantile(self.query.quantile).map(|micros| micros as f64 / 1e6)
    }
}
