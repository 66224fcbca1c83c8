//! `[metrics]`: what stands between the pool and the autoscaler.

use crate::autoscaler::MetricsDefaults;
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::Span;

/// The metrics pipeline between the pool and the autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    /// Time between two scrapes; not zero.
    pub scrape_interval: Span,
    /// Shift of the scrapes from the multiples of the interval.
    pub phase: Span,
    /// Length of the average. Zero: the last scrape alone.
    pub window: Span,
    /// Delay: the age of a scrape when the autoscaler first sees it.
    pub delay: Span,
}

const SCRAPE_INTERVAL: Key<Span> =
    Key::or("scrape_interval", "\"15s\"", "Time between two scrapes of the pool.").at_least(1e-3);
const PHASE: Key<Span> =
    Key::or("phase", "\"0s\"", "Shifts the scrapes: they fall at `phase` + k × `scrape_interval`.");
const WINDOW: Key<Span> = Key::or(
    "window",
    "\"60s\"",
    "Time over which metrics are averaged: rates and utilization from the growth of counters, the others as the mean of the scrapes. With \"0s\" it is the last scrape alone.",
);
const DELAY: Key<Span> =
    Key::or("delay", "\"0s\"", "Delay: the age of a scrape when the autoscaler first sees it.");

impl Metrics {
    /// The `[metrics]` table.
    pub const SPEC: TableSpec = TableSpec {
        name: "metrics",
        doc: "How the autoscaler observes the pool: scrapes, averages and delay. For an autoscaler named after a real system, the defaults are those of that system.",
        keys: &[&SCRAPE_INTERVAL, &PHASE, &WINDOW, &DELAY],
    };

    /// Maximum number of scrapes kept at a time.
    const MAX_SCRAPES: u64 = 100_000;

    /// Reads the `[metrics]` table; what it leaves out is as the autoscaler's system has it.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>, defaults: MetricsDefaults) -> Result<Metrics, Problem> {
        let written = |key: &Key<Span>, otherwise: Span| match reader.has(key.name()) {
            true => reader.get(key),
            false => Ok(otherwise),
        };
        let metrics = Metrics {
            scrape_interval: written(&SCRAPE_INTERVAL, defaults.scrape_interval)?,
            phase: reader.get(&PHASE)?,
            window: written(&WINDOW, defaults.window)?,
            delay: written(&DELAY, defaults.delay)?,
        };
        if metrics.scrapes_kept() > Self::MAX_SCRAPES {
            let message = format!(
                "`{}` and `{}` span {} scrapes",
                reader.path_of("window"),
                reader.path_of("delay"),
                metrics.scrapes_kept()
            );
            let label = format!("expected at most {} scrapes within window and delay", Self::MAX_SCRAPES);
            return Err(reader.problem("window", message, label));
        }
        Ok(metrics)
    }

    /// How many scrapes window and delay together reach back.
    pub fn scrapes_kept(&self) -> u64 {
        (self.window + self.delay).as_nanos() / self.scrape_interval.as_nanos().max(1) + 2
    }
}
