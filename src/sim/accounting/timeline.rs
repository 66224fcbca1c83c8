//! The run window by window.

use super::facts::{Areas, InstanceCounts, InstanceTime};
use super::outcome::Window;
use super::recorder::Totals;
use super::slo::{MORE, Promise, Slo};
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
    /// Sum and number of the shares of memory taken at the ends of measured windows, and the greatest.
    pub kv_cache: (f64, u64),
    pub kv_cache_peak: f64,
    /// Seconds in measured windows that missed the SLO.
    pub below_slo_s: f64,
    /// Windows with too few requests to be judged by themselves, by promise.
    sparse: Vec<Stretch>,
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

/// Windows that are judged together: requests that count, those that missed a promise, and seconds of windows with any.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    judged: u64,
    missed: u64,
    seconds: f64,
}

/// Counters of a run at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sim) struct WindowCounters {
    pub at: Instant,
    /// Mean share of the memory for keys and values taken on ready instances.
    pub kv_cache: f64,
    /// Tokens of the prompts begun that prefix caches had, and their tokens.
    pub prefix: [u64; 2],
    /// Requests in flight that have already missed the SLO.
    pub overdue: u64,
    /// The same of each further promise.
    pub more_overdue: [u64; MORE],
    pub areas: Areas,
    /// Integral of the requests in flight.
    pub in_flight: u128,
    pub time: InstanceTime,
    pub counts: InstanceCounts,
    pub arrived: u64,
    pub totals: Totals,
    pub desired: u32,
    /// Integrals of the KV caches that wait for their transfer between pools, and of those under way.
    pub transfers: [u128; 2],
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
            kv_cache: (0.0, 0),
            kv_cache_peak: 0.0,
            below_slo_s: 0.0,
            sparse: windows.slo.iter().flat_map(Slo::promises).map(|_| Stretch::default()).collect(),
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
        if measured {
            self.below_slo_s += self.below_slo(&now, &last.totals, length.as_secs_f64());
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

    /// Seconds of this window, and of those before that were judged with it, in which fewer of the requests were good than a
    /// promise of the whole run says, beyond chance: of those that ended in it, and those that wait at its end and have
    /// missed it already. A window without such requests keeps it. Windows with so few that one miss would already be more
    /// than chance are judged together with those that follow: a late request by itself is no rate.
    fn below_slo(&mut self, now: &WindowCounters, last: &Totals, seconds: f64) -> f64 {
        let mut below: f64 = 0.0;
        for (index, (promise, judged, missed)) in judged(self.windows.slo, now, last).into_iter().enumerate()
        {
            let stretch = &mut self.sparse[index];
            if promise.windows.is_some() || judged == 0 {
                continue;
            }
            stretch.judged += judged;
            stretch.missed += missed;
            stretch.seconds += seconds;
            if !more_than_chance(1, stretch.judged, promise.allowed()) {
                if more_than_chance(stretch.missed, stretch.judged, promise.allowed()) {
                    below = below.max(stretch.seconds);
                }
                *stretch = Stretch::default();
            }
        }
        below
    }

    /// The same of the windows that are left at the end of the run, of which more than one request has to have missed.
    pub fn end(&mut self) {
        let promises = self.windows.slo.iter().flat_map(Slo::promises);
        let below = promises.zip(&self.sparse).filter(|(promise, stretch)| {
            stretch.missed > 1 && more_than_chance(stretch.missed, stretch.judged, promise.allowed())
        });
        self.below_slo_s += below.map(|(_, stretch)| stretch.seconds).fold(0.0, f64::max);
    }

    /// The share of the window's requests that missed a promise of the whole run, over the share that it allows: the greatest
    /// of all promises.
    fn burn_rate(&self, now: &WindowCounters, last: &Totals) -> Option<f64> {
        let rate = |(promise, judged, missed): (Promise, u64, u64)| {
            let whole = promise.windows.is_none() && judged > 0;
            whole.then(|| missed as f64 / judged as f64 / promise.allowed())
        };
        judged(self.windows.slo, now, last).into_iter().filter_map(rate).reduce(f64::max)
    }

    /// Which of the requests in flight at `at` have missed a promise.
    pub fn overdue_before(at: Instant, promise: &Promise) -> Overdue {
        let before =
            |promised: Option<Span>| at.since(Instant::ZERO + promised.unwrap_or(Span::MAX)).as_nanos();
        Overdue { unanswered: before(Some(promise.latency)), waiting: before(promise.ttft) }
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
            ttft_mean_s: now.totals.token_times[0].mean_since(&last.totals.token_times[0]),
            tpot_mean_s: now.totals.token_times[1].mean_since(&last.totals.token_times[1]),
            waiting: mean(now.areas.waiting, last.areas.waiting),
            in_flight: mean(now.in_flight, last.in_flight),
            utilization: (capacity > 0.0).then(|| (now.areas.work - last.areas.work) as f64 / capacity),
            desired: now.desired,
            ready: now.counts.ready,
            desired_range: self.desired_range,
            ready_range: self.ready_range,
            starting: now.counts.coming(),
            prefix_hit: (now.prefix[1] > last.prefix[1])
                .then(|| (now.prefix[0] - last.prefix[0]) as f64 / (now.prefix[1] - last.prefix[1]) as f64),
            draining: now.counts.draining,
            kv_cache: now.kv_cache,
            transfers: [0, 1].map(|index| mean(now.transfers[index], last.transfers[index])),
            ..Window::default()
        }
    }
}

/// The promises, with the requests of a window that count for each and those of them that missed it.
fn judged(slo: Option<Slo>, now: &WindowCounters, last: &Totals) -> Vec<(Promise, u64, u64)> {
    let ended = (now.totals.served - last.served) + (now.totals.lost - last.lost);
    let good = std::iter::once((now.totals.good - last.good, now.overdue));
    let more = now.totals.more.iter().zip(&last.more).zip(&now.more_overdue);
    let good = good.chain(more.map(|((now, last), overdue)| (now - last, *overdue)));
    let promises = slo.iter().flat_map(Slo::promises).collect::<Vec<_>>();
    let of = |(promise, (good, overdue)): (Promise, (u64, u64))| {
        let judged = ended + overdue;
        (promise, judged, judged - good.min(judged))
    };
    promises.into_iter().zip(good).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds below a p99 of windows of a minute, each with so many requests and so many of them late.
    fn below(windows: &[(u64, u64)]) -> f64 {
        let slo = Some(Slo::latency(Span::from_secs(1), 99.0));
        let settings = WindowSettings {
            length: Span::from_secs(60),
            kept: false,
            measured_from: Instant::ZERO,
            slo,
            places: 1,
        };
        let mut timeline = Timeline::new(settings, 1);
        let mut totals = Totals::default();
        for (index, (served, late)) in (1..).zip(windows) {
            totals.served += served;
            totals.good += served - late;
            let at = Instant::ZERO + Span::from_secs(60 * index);
            timeline.close(WindowCounters { at, totals, ..WindowCounters::default() }, None, None);
        }
        timeline.end();
        timeline.below_slo_s
    }

    #[test]
    fn windows_too_small_to_judge_are_judged_together() {
        // One late request of few is no rate; all late, window after window, is.
        assert_eq!(below(&[(1, 1), (1, 0), (2, 0), (1, 0), (1, 0)]), 0.0);
        assert_eq!(below(&[(1, 1); 12]), 720.0);
        assert_eq!(below(&[(3, 3)]), 60.0);
        assert_eq!(below(&[(1, 1)]), 0.0);
        // Windows without a request are no part of it, and large ones stand by themselves.
        assert_eq!(below(&[(3, 3), (0, 0), (3, 3)]), 120.0);
        assert_eq!(below(&[(500, 100), (500, 0), (500, 5)]), 60.0);
    }
}
