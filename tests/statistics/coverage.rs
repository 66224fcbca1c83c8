//! Whether intervals hold what they promise, over many experiments.

use kneepoint::internals::experiment::{Case, Evaluator};
use kneepoint::internals::scenario::Scenario;
use kneepoint::internals::stats::{Estimate, mser5};

use crate::fixtures::queue::mm;
use crate::fixtures::scenario::scenario;

/// Independent experiments: at a true coverage of 95 % the share found has a standard deviation of 0.7 %.
const EXPERIMENTS: u64 = 1000;

/// Few, so that the interval must be Student's: the normal quantile 1.96 in its place covers 88 % (t with 4 degrees of
/// freedom).
const REPLICATIONS: u32 = 5;

/// M/M/1 with ρ = 0.5 and μ = 1 per second.
fn queue(duration: &str, warmup: &str, seed: u64) -> Scenario {
    let run = format!(
        "[run]\nduration = \"{duration}\"\nwarmup = \"{warmup}\"\nreplications = {REPLICATIONS}\nseed = {seed}"
    );
    scenario(&(mm(1, 0.5) + &run), ".")
}

/// Fails where intervals are too narrow or too wide: a normal quantile for Student's, a variance divided by n for n − 1
/// (93 % becomes 90 %), replications that share random numbers, a standard deviation not divided by √n, or a mean that is
/// off, as by a warm-up that is kept in short runs of a busier queue.
#[test]
fn ninety_five_in_a_hundred_intervals_of_the_mean_wait_hold_the_truth() {
    // ρ / (μ − λ); relaxation takes some 12 s, so that 200 s forget the empty start.
    const TRUTH: f64 = 1.0;
    let scenarios: Vec<Scenario> = (1..=EXPERIMENTS).map(|seed| queue("2200s", "200s", seed)).collect();
    let batch: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
    let results = Evaluator::default().replications(&batch, &()).unwrap();
    let estimates: Vec<Estimate> = results.iter().map(|result| result.figures().get("wait.mean")).collect();
    let share = |covers: &dyn Fn(&Estimate) -> bool| {
        estimates.iter().filter(|estimate| covers(estimate)).count() as f64 / EXPERIMENTS as f64
    };
    let covered = share(&|estimate| estimate.low.unwrap() <= TRUTH && TRUTH <= estimate.high.unwrap());
    assert!((0.93..=0.985).contains(&covered), "{covered}");
    // The test can tell: with the normal quantile it would fail.
    let normal = share(&|estimate| {
        // Of the two sides, the one that the skewness does not widen is Student's.
        let (below, above) = estimate.widths().unwrap();
        let half = below.min(above) * 1.959_964 / 2.776_445;
        (estimate.mean.unwrap() - TRUTH).abs() <= half
    });
    assert!(normal < 0.92, "{normal}");
}

/// Fails where the interval of a quantile is too narrow or off: a test inverted without the spread between replications,
/// the normal quantile for Student's, or the wrong rank.
#[test]
fn ninety_five_in_a_hundred_intervals_of_the_p99_hold_the_truth() {
    // The latency of M/M/1 is exponential with rate μ − λ. Without an SLO, `slo_latency` is the p99 of all requests.
    let truth = 100_f64.ln() / 0.5;
    let scenarios: Vec<Scenario> = (1..=EXPERIMENTS).map(|seed| queue("20200s", "200s", seed)).collect();
    let batch: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
    let results = Evaluator::default().replications(&batch, &()).unwrap();
    let covers = |estimate: Estimate| {
        estimate.low.is_some_and(|low| low <= truth) && estimate.high.is_some_and(|high| truth <= high)
    };
    let covered = results.iter().filter(|result| covers(result.figures().get("slo_latency")));
    let share = covered.count() as f64 / EXPERIMENTS as f64;
    assert!((0.93..=0.99).contains(&share), "{share}");
}

/// The mean is biased where the warm-up is kept, and MSER-5 takes that bias out.
#[test]
fn mser_cuts_a_start_that_is_far_from_the_steady_state() {
    // A decay with a time constant of 40 observations, then a steady ripple.
    let series: Vec<f64> = (0..1000)
        .map(|i| 5.0 + 20.0 * (-f64::from(i) / 40.0).exp() + 0.5 * (f64::from(i) * 1.7).sin())
        .collect();
    let cut = mser5(&series).unwrap();
    assert!(cut.settled && (30..70).contains(&cut.batches), "{cut:?}");
}
