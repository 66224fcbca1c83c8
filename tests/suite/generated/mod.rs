//! Random models for property tests, and what these tests share.

pub mod models;
pub mod scenarios;
pub mod wild;

use kneepoint::internals::service::Tokens;
use models::tenths;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// So many cases, the same ones in every run.
pub fn config(seed: u64, cases: u32) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(seed);
    ProptestConfig { cases, failure_persistence: None, rng_seed, ..ProptestConfig::default() }
}

/// Equal but for the rounding of a few floating-point operations.
pub fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-11 * a.abs().max(b.abs()) + 1e-12
}

/// The tokens of a request in place of its service requirement: prompts of at most `prompt`, answers of at most `output`.
pub fn tokens_of(service: u64, prompt: u64, output: u64) -> Tokens {
    let tenth = tenths(1).as_nanos();
    Tokens {
        prompt: (service / tenth * 3 % prompt) as u32 + 1,
        output: (service * 2 / tenth % output) as u32 + 1,
    }
}
