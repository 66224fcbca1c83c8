//! The run window by window.

use super::facts::{Areas, Gauges, InstanceCounts, InstanceTime};
use super::outcome::Window;
use super::recorder::Totals;
use super::slo::Slo;
use crate::service::FULL;
use crate::stats::{Digest, more_than_chance};
use crate::time::{Instant, Span};

/// Cuts the run into windows, judges each by the SLO, and keeps them if asked to.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Timeline {
    pub windows: WindowSettings,
    last: WindowCounters,
    /// Minimum and maximum of the instances asked for, and of those ready, since the last mark.
    desired_range: (u32, u32),
    ready_range: (u32, u32),
    pub peak_waiting: u64,
    /// Sum and number of the shares of memory taken at the ends of measured windows, and the greatest.
    pub kv_cache: (f64, u64),
    pub kv_cache_peak: f64,
    /// Seconds in measured windows that missed the SLO.
    pub below_slo_s: f64,
    pub kept: Vec<Window>,
}

/// How a run is cut into windows, and what they are judged by.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct WindowSettings {
    /// Not zero.
    pub length: Span,
    /// Whether they are kept.
    pub kept: bool,
    pub measured_from: Instant,
    pub slo: Option<Slo>,
    /// Places of one instance.
    pub places: u32,
}

/// Counters and gauges of a run at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sim) struct WindowCounters {
    pub at: Instant,
    pub gauges: Gauges,
    /// Mean share of the memory for keys and values taken on ready instances.
    pub kv_cache: f64,
    /// Requests in flight that have already missed the SLO.
    pub overdue: u64,
    pub areas: Areas,
    /// Integral of the requests in flight.
    pub in_flight: u128,
    pub time: InstanceTime,
    pub counts: InstanceCounts,
    pub arrived: u64,
    pub totals: Totals,
    pub desired: u32,
}

/// When a request in flight arrived that has missed the SLO, in nanoseconds: before either.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Overdue {
    /// Of any.
    pub unanswered: u64,
    /// Of one that waits, and has no token yet.
    pub waiting: u64,
}

impl Timeline {
    /// No window yet, of a run that starts with `initial` instances.
    pub fn new(windows: WindowSettings, initial: u32) -> Self {
        Timeline {
            windows,
            last: WindowCounters::default(),
            desired_range: (initial, initial),
            ready_range: (initial, initial),
            peak_waiting: 0,
            kv_cache: (0.0, 0),
            kv_cache_peak: 0.0,
            below_slo_s: 0.0,
            kept: Vec::new(),
        }
    }

    /// Takes in how many instances are asked for and ready, after something may have changed either.
    pub fn record_sizes(&mut self, desired: u32, ready: u32) {
        let widen = |range: &mut (u32, u32), value: u32| *range = (range.0.min(value), range.1.max(value));
        widen(&mut self.desired_range, desired);
        widen(&mut self.ready_range, ready);
    }

    /// Ends a window at `now`; `latencies` holds those of the window and is emptied.
    /// `tokens` those of the times promised token by token, where such a time stands for the promise.
    pub fn close(
        &mut self,
        now: WindowCounters,
        latencies: Option<&mut Digest>,
        tokens: Option<&mut Digest>,
    ) {
        let last = std::mem::replace(&mut self.last, now);
        let length = now.at.since(last.at);
        let measured = last.at >= self.windows.measured_from;
        if measured && self.misses_slo(&now, &last.totals) {
            self.below_slo_s += length.as_secs_f64();
        }
        if measured {
            self.peak_waiting = self.peak_waiting.max(now.gauges.waiting);
            self.kv_cache = (self.kv_cache.0 + now.kv_cache, self.kv_cache.1 + 1);
            self.kv_cache_peak = self.kv_cache_peak.max(now.kv_cache);
        }
        if self.windows.kept && !length.is_zero() {
            let mut window = self.window(&now, &last, length);
            if let Some(digest) = latencies {
                window.latency_mean_s = digest.mean();
                let quantile = self.windows.slo.map(|slo| slo.quantile());
                let promised = tokens.as_deref().unwrap_or(digest);
                window.promised_s = quantile.and_then(|quantile| promised.quantile(quantile));
                let quantiles = digest.quantiles(&[0.5, 0.99]);
                window.latency_p50_s = quantiles.as_ref().map(|found| found[0]);
                window.latency_p99_s = quantiles.as_ref().map(|found| found[1]);
                digest.clear();
                tokens.into_iter().for_each(Digest::clear);
            }
            self.kept.push(window);
        }
        self.desired_range = (now.desired, now.desired);
        self.ready_range = (now.counts.ready, now.counts.ready);
    }

    /// Whether fewer of the window's requests were good than the SLO promises, beyond chance: of those that ended in it, and
    /// those that wait at its end and have missed the SLO already. A window with neither keeps it.
    fn misses_slo(&self, now: &WindowCounters, last: &Totals) -> bool {
        let Some(slo) = self.windows.slo else { return false };
        let judged = (now.totals.served - last.served) + (now.totals.lost - last.lost) + now.overdue;
        let good = now.totals.good - last.good;
        more_than_chance(judged.saturating_sub(good), judged, 1.0 - slo.quantile())
    }

    /// The share of the window's requests that missed the SLO, over the share that it allows.
    fn burn_rate(&self, now: &WindowCounters, last: &Totals) -> Option<f64> {
        let allowed = 1.0 - self.windows.slo?.quantile();
        let judged = (now.totals.served - last.served) + (now.totals.lost - last.lost) + now.overdue;
        let good = now.totals.good - last.good;
        (judged > 0).then(|| (judged - good.min(judged)) as f64 / judged as f64 / allowed)
    }

    /// Which of the requests in flight at `at` have missed the SLO.
    pub fn overdue_before(&self, at: Instant) -> Overdue {
        let before =
            |promised: Option<Span>| at.since(Instant::ZERO + promised.unwrap_or(Span::MAX)).as_nanos();
        Overdue {
            unanswered: before(self.windows.slo.map(|slo| slo.latency)),
            waiting: before(self.windows.slo.and_then(|slo| slo.ttft)),
        }
    }

    fn window(&self, now: &WindowCounters, last: &WindowCounters, length: Span) -> Window {
        let mean = |later: u128, earlier: u128| (later - earlier) as f64 / length.as_nanos() as f64;
        let capacity =
            (now.time.ready - last.time.ready) as f64 * f64::from(self.windows.places) * FULL as f64;
        Window {
            end_s: now.at.as_secs_f64(),
            length_s: length.as_secs_f64(),
            arrived: now.arrived - last.arrived,
            served: now.totals.served - last.totals.served,
            lost: now.totals.lost - last.totals.lost,
            good: now.totals.good - last.totals.good,
            overdue: now.overdue,
            burn_rate: self.burn_rate(now, &last.totals),
            waiting: mean(now.areas.waiting, last.areas.waiting),
            in_flight: mean(now.in_flight, last.in_flight),
            utilization: (capacity > 0.0).then(|| (now.areas.work - last.areas.work) as f64 / capacity),
            desired: now.desired,
            ready: now.counts.ready,
            desired_range: self.desired_range,
            ready_range: self.ready_range,
            starting: now.counts.coming(),
            draining: now.counts.draining,
            ..Window::default()
        }
    }
}
