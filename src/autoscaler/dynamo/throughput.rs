//! Throughput-based scaling: engines for the load of the interval before (`planner/utils/planner_core.py`,
//! `planner/core/throughput_scaling.py`).

use crate::service::SteadyIterations;

/// What engines are to do in an interval: mean tokens of its requests, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Demand {
    pub requests: f64,
    /// Prompt tokens of a request.
    pub prompt: f64,
    /// Tokens of an answer.
    pub output: f64,
    pub seconds: f64,
}

/// Engines for a demand in tokens per second, where an engine of so many GPUs does so many tokens per second on each; a correction
/// below 1 takes part of the demand away.
pub(super) fn engines(tokens_per_s: f64, correction: f64, per_gpu: f64, gpus: u32, min: u32) -> u32 {
    let needed = tokens_per_s * correction.min(1.0) / per_gpu / f64::from(gpus.max(1));
    whole(needed.ceil()).max(min)
}

/// The greatest throughput of a decode engine whose time per token is within the promise; of none is, that of the least time.
/// `points` are time per token and tokens per second and GPU. A correction of 0 or less is none.
pub(super) fn best_decode(points: &[(f64, f64)], promise: f64, correction: f64) -> Option<f64> {
    let within = if correction > 0.0 { promise / correction } else { promise };
    let kept = points.iter().filter(|(time, _)| *time <= within).map(|(_, rate)| *rate);
    let fastest = || points.iter().min_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, rate)| *rate);
    kept.max_by(f64::total_cmp).or_else(fastest)
}

/// What one engine that computes prompts and answers is like, with requests as they have been measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct EngineProfile {
    pub iterations: SteadyIterations,
    /// Tokens of an answer.
    pub output: f64,
    /// Most sequences that decode at a time: as many as are allowed, or as its cache holds.
    pub sequences: f64,
}

/// The rate of an engine, and the engines that the time to first token takes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct EngineRate {
    /// Requests per second.
    pub rate: f64,
    /// More than 1 where no rate is low enough for the promise.
    pub engines_for_ttft: f64,
}

impl EngineProfile {
    /// The greatest rate at which both promises hold: an iteration at r requests/s takes fixed / (1 − r w), w being what a
    /// request brings to compute, which solves for r at each bound. Where a promise holds at no rate, the rate is that of one
    /// request at a time for the time per token, and of the others for the time to first token.
    pub fn rate(&self, ttft_s: f64, tpot_s: f64) -> EngineRate {
        let SteadyIterations { fixed_s, prefill_s, decode_s, prompt_iterations } = self.iterations;
        let work = prefill_s + decode_s;
        // The iteration may take so long.
        let at = |iteration_s: f64| (1.0 - fixed_s / iteration_s) / work;
        let full = |sequences: f64| sequences / (self.output * fixed_s + sequences * work);
        let alone_s = prompt_iterations * fixed_s + prefill_s;
        let by_tpot = at(tpot_s).max(full(1.0));
        let by_ttft =
            if alone_s < ttft_s { at((ttft_s - prefill_s) / prompt_iterations) } else { f64::INFINITY };
        let rate = by_tpot.min(by_ttft).min(full(self.sequences.max(1.0)));
        EngineRate { rate, engines_for_ttft: if alone_s < ttft_s { 1.0 } else { alone_s / ttft_s } }
    }
}

/// A count of engines as a whole number; `as` saturates.
pub(super) fn whole(engines: f64) -> u32 {
    engines as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_rate_of_an_engine_the_tighter_promise_is_just_kept() {
        let iterations =
            SteadyIterations { fixed_s: 0.01, prefill_s: 0.05, decode_s: 0.2, prompt_iterations: 2.0 };
        let profile = EngineProfile { iterations, output: 100.0, sequences: 1e9 };
        let rate = profile.rate(10.0, 0.04).rate;
        assert!((iterations.iteration_s(rate) - 0.04).abs() < 1e-12, "{rate}");
        let by_ttft = profile.rate(0.1, 0.04);
        let ttft_s = 2.0 * iterations.iteration_s(by_ttft.rate) + 0.05;
        assert!((ttft_s - 0.1).abs() < 1e-12 && by_ttft.rate < rate && by_ttft.engines_for_ttft == 1.0);
        // So few sequences that they are the bound: rate × answer × iteration are those in the engine.
        let few = EngineProfile { sequences: 3.0, ..profile };
        let rate = few.rate(10.0, 0.04).rate;
        assert!((rate * 100.0 * iterations.iteration_s(rate) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_promise_that_no_rate_keeps_is_spread_over_more_engines() {
        let iterations =
            SteadyIterations { fixed_s: 0.01, prefill_s: 0.99, decode_s: 0.2, prompt_iterations: 1.0 };
        let profile = EngineProfile { iterations, output: 100.0, sequences: 64.0 };
        let EngineRate { rate, engines_for_ttft } = profile.rate(0.5, 0.04);
        assert!((engines_for_ttft - 2.0).abs() < 1e-12 && rate > 0.0);
        assert!(profile.rate(0.5, 0.001).rate > 0.0, "one request at a time");
    }

    #[test]
    fn decoding_takes_the_best_point_within_the_promise_else_the_fastest() {
        let points = [(0.02, 500.0), (0.04, 900.0), (0.08, 1200.0)];
        assert_eq!(best_decode(&points, 0.05, 1.0), Some(900.0));
        assert_eq!(best_decode(&points, 0.05, 2.0), Some(500.0), "measured twice as slow as expected");
        assert_eq!(best_decode(&points, 0.05, 0.0), Some(900.0));
        assert_eq!(best_decode(&points, 0.01, 1.0), Some(500.0));
        assert_eq!(best_decode(&[], 0.01, 1.0), None);
    }
}
