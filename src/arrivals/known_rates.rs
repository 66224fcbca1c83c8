//! The arrival rate of a run, known in advance: for the policy that knows the future, the bound of all others.

use super::table::Arrivals;
use crate::random::Streams;
use crate::time::{Instant, Span};

/// Instants drawn at a time.
const BLOCK: usize = 1024;

impl Arrivals {
    /// Requests per second in each of the first `count` intervals of length `interval`, above 0.
    ///
    /// Where the scenario gives the rate, it is the maximum of the rate at the interval's start, middle and end; the random
    /// deviation from it stays unknown. Where the rate is itself random (MMPP, renewal processes), and for traces, which
    /// have instants and no rate, the requests of the run of these `streams` are counted.
    pub fn future_rates(&self, streams: Streams, interval: Span, count: usize) -> Vec<f64> {
        if self.process.rate_is_random() || self.rate_at(Instant::ZERO).is_none() {
            return self.counted(streams, interval, count);
        }
        let at = |nanos: u64| self.rate_at(Instant::from_nanos(nanos)).unwrap_or(0.0);
        let length = interval.as_nanos();
        (0..count as u64)
            .map(|index| index.saturating_mul(length))
            .map(|start| [0, length / 2, length - 1].map(|offset| at(start.saturating_add(offset))))
            .map(|rates| rates.into_iter().fold(0.0, f64::max))
            .collect()
    }

    fn counted(&self, streams: Streams, interval: Span, count: usize) -> Vec<f64> {
        let (mut stream, mut block) = (self.stream(streams), Vec::with_capacity(BLOCK));
        let mut rates = vec![0.0; count];
        let unit = 1.0 / interval.as_secs_f64();
        loop {
            block.clear();
            stream.fill(&mut block, BLOCK);
            for instant in &block {
                let index = usize::try_from(instant / interval.as_nanos()).unwrap_or(usize::MAX);
                match rates.get_mut(index) {
                    Some(rate) => *rate += unit,
                    None => return rates,
                }
            }
            if block.len() < BLOCK {
                return rates;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ScenarioFile;

    fn arrivals(table: &str) -> Arrivals {
        let text = format!(
            "[arrivals]\n{table}\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"1h\""
        );
        ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap().model.arrivals
    }

    fn known(table: &str, seconds: u64, count: usize) -> Vec<f64> {
        arrivals(table).future_rates(Streams::new(1, 0), Span::from_secs(seconds), count)
    }

    #[test]
    fn a_rate_the_scenario_gives_is_known_and_its_chance_is_not() {
        assert_eq!(known("kind = \"poisson\"\nrate = 8", 60, 3), [8.0, 8.0, 8.0]);
        let ramp = "kind = \"piecewise\"\npoints = [{ at = \"0s\", rate = 0 }, { at = \"2m\", rate = 12 }]";
        let found = known(ramp, 60, 3);
        assert!((found[0] - 6.0).abs() < 1e-6 && (found[1] - 12.0).abs() < 1e-6 && found[2] == 12.0);
        let spike = "kind = \"poisson\"\nrate = 1\nspikes = [{ at = \"1m\", duration = \"1m\", rate = 5 }]";
        assert_eq!(known(spike, 60, 3), [1.0, 6.0, 1.0]);
    }

    #[test]
    fn a_rate_of_chance_is_counted_in_the_very_requests_of_the_run() {
        let mmpp =
            "kind = \"mmpp\"\nstates = [{ rate = 2, duration = \"5m\" }, { rate = 40, duration = \"2m\" }]";
        let found = known(mmpp, 30, 120);
        let mut instants = Vec::new();
        arrivals(mmpp).stream(Streams::new(1, 0)).fill(&mut instants, 200_000);
        let within =
            |index: u64| instants.iter().filter(|at| *at / 30_000_000_000 == index).count() as f64 / 30.0;
        for (index, rate) in found.iter().enumerate() {
            assert!((rate - within(index as u64)).abs() < 1e-9, "interval {index}");
        }
        assert!(found.iter().any(|rate| *rate > 25.0) && found.iter().any(|rate| *rate < 5.0));
    }
}
