//! Replay of a policy that has to know the system it sizes: the object `start` of the first row says it.

use super::replay::{Generic, Line, Replay, Row, RowProblem};
use super::{PolicyContext, PoolFields, Settings};
use crate::arrivals::Arrivals;
use crate::time::Span;

/// Settings until the first row, a policy from then on.
#[derive(Debug)]
pub(super) struct Started<S> {
    settings: S,
    replay: Option<Generic>,
}

impl<S: Settings> Started<S> {
    pub fn new(settings: S) -> Self {
        Started { settings, replay: None }
    }

    fn start(&self, row: &Row<'_>) -> Result<Generic, RowProblem> {
        let known = row.find_row("start")?.ok_or_else(|| row.missing("start"))?;
        let unknown =
            PolicyContext::unknown(row.find_u32("desired")?.unwrap_or(self.settings.limits().min.max(1)));
        let service_mean_s = known.f64("service_mean")?;
        if !(service_mean_s.is_finite() && service_mean_s > 0.0) {
            return Err(known.wrong("service_mean", "seconds, more than 0"));
        }
        let percentile = known.find_f64("slo_percentile")?.unwrap_or(99.0);
        let slo = known.find_f64("slo_latency")?.map(|latency_s| (latency_s, percentile / 100.0));
        let interval = self.settings.schedule().map_or(Span::MAX, |schedule| schedule.interval);
        let rates = known.numbers("rates")?;
        let start = PolicyContext {
            slots: known.find_u32("slots")?.unwrap_or(1),
            service_mean_s,
            cold_start_mean_s: known.find_f64("cold_start_mean")?.unwrap_or(0.0).max(0.0),
            slo,
            duration: interval * rates.len() as u64,
            arrivals: Arrivals::steps(rates, interval),
            ..unknown
        };
        known.finish()?;
        Ok(Generic::new(self.settings.policy(&start), None, false, start.initial))
    }
}

impl<S: Settings> Replay for Started<S> {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        if self.replay.is_none() {
            self.replay = Some(self.start(row)?);
        }
        match &mut self.replay {
            Some(replay) => replay.step(row),
            None => Err(row.missing("start")),
        }
    }

    fn pool_fields(&self) -> Option<PoolFields> {
        let fields =
            PoolFields { desired: Some("desired"), existing: Some("existing"), ..PoolFields::default() };
        Some(PoolFields { ready: Some("ready"), ..fields })
    }
}
