//! Round trips: what Kneepoint's own processes make is fitted by them, with their parameters.

use super::*;
use crate::arrivals::Arrivals;
use crate::random::Streams;
use crate::schema::{Context, Tree};
use crate::time::Span;
use crate::traffic::{Packed, Quantity, Requests, Series, Trace};

fn drawn(text: &str, count: usize, seed: u64) -> Recorded {
    let tree = Tree::parse(text).unwrap();
    let arrivals = Arrivals::read(tree.root(), "arrivals", &Context::new(""))
        .unwrap_or_else(|problem| panic!("{problem:?}"));
    let mut instants = Vec::new();
    arrivals.stream(Streams::new(seed, 0)).fill(&mut instants, count);
    let first = instants[0];
    instants.iter_mut().for_each(|instant| *instant -= first);
    requests(instants)
}

fn requests(instants: Vec<u64>) -> Recorded {
    let trace = Trace { instants: instants.into_iter().collect(), ..Trace::default() };
    Recorded::Requests(Requests {
        trace,
        origin: None,
        some_durations: Packed::default(),
        durations_include_waiting: false,
    })
}

fn near(found: f64, exact: f64, share: f64) {
    assert!((found / exact - 1.0).abs() <= share, "{found} for {exact}");
}

/// 4,000 requests: the rate is within 4 CVs of the mean over √n, which holds but once in 16,000 fits.
#[test]
fn poisson_arrivals_are_found_with_their_rate() {
    for seed in 1..4 {
        let fit = fit_traffic(&drawn("kind = \"poisson\"\nrate = 20", 4000, seed), 1.0).unwrap();
        assert_eq!((fit.model.around, fit.model.rates.clone()), (Around::Poisson, None), "seed {seed}");
        near(fit.model.rate, 20.0, 4.0 / 4000_f64.sqrt());
        assert_eq!(fit.replay, None, "{:?}", fit.goodness);
    }
}

/// The standard error of the CV of 4,000 gamma times is about 2 % of it: 8 % is four of them.
#[test]
fn renewal_arrivals_are_found_with_their_law_and_cv() {
    let gamma = fit_traffic(&drawn("kind = \"renewal\"\nrate = 50\ncv = 2.5", 4000, 1), 1.0).unwrap();
    let Around::Gamma { cv } = gamma.model.around else { panic!("{:?}", gamma.candidates) };
    near(cv, 2.5, 0.08);
    near(gamma.model.rate, 50.0, 4.0 * 2.5 / 4000_f64.sqrt());
    let text = "kind = \"renewal\"\ninterarrival = { dist = \"weibull\", mean = \"20ms\", cv = 1.8 }";
    let weibull = fit_traffic(&drawn(text, 4000, 2), 1.0).unwrap();
    let Around::Weibull { cv } = weibull.model.around else { panic!("{:?}", weibull.candidates) };
    near(cv, 1.8, 0.08);
    let regular = fit_traffic(&drawn("kind = \"renewal\"\nrate = 50\ncv = 0.3", 4000, 3), 1.0).unwrap();
    let Around::Gamma { cv } = regular.model.around else { panic!("{:?}", regular.candidates) };
    near(cv, 0.3, 0.08);
}

/// Some 270 stays in each state: their mean length has a standard error of 6 %; 25 % is four of them.
#[test]
fn two_states_are_found_with_their_rates_and_stays() {
    let text = "kind = \"mmpp\"\nstates = [{ rate = 60, duration = \"500ms\" }, { rate = 6, duration = \"1500ms\" }]";
    let fit = fit_traffic(&drawn(text, 10_000, 4), 1.0).unwrap();
    let Around::Mmpp { rates, durations_s } = fit.model.around else { panic!("{:?}", fit.candidates) };
    near(rates[0], 60.0, 0.08);
    near(rates[1], 6.0, 0.25);
    near(durations_s[0], 0.5, 0.25);
    near(durations_s[1], 1.5, 0.25);
    assert_eq!(fit.replay, None, "{:?}", fit.goodness);
}

#[test]
fn a_rate_over_time_is_found_beside_what_requests_do_around_it() {
    let text = "kind = \"renewal\"\nrate = 20\ncv = 0.5\nprofile = { every = \"50s\", factors = [0.5, 1.5, 1.2, 0.8] }";
    let fit = fit_traffic(&drawn(text, 4000, 5), 1.0).unwrap();
    let Around::Gamma { cv } = fit.model.around else { panic!("{:?}", fit.candidates) };
    near(cv, 0.5, 0.08);
    let rates = fit.model.rates.expect("a rate over time");
    for (second, factor) in [(20.0, 0.5), (75.0, 1.5), (125.0, 1.2), (180.0, 0.8)] {
        let found = rates.factors[(second / rates.every_s) as usize % rates.factors.len()];
        near(found, factor, 0.15);
    }
    assert_eq!(fit.replay, None, "{:?}", fit.goodness);
}

#[test]
fn what_no_model_makes_is_to_be_replayed() {
    // Groups of 40 at once, evenly spaced: neither renewal nor two states.
    let instants = (0..200_u64)
        .flat_map(|group| (0..40_u64).map(move |one| group * 1_000_000_000 + one * one * one * 1000))
        .collect();
    let fit = fit_traffic(&requests(instants), 1.0).unwrap();
    assert!(fit.replay.is_some(), "{:?} {:?}", fit.model, fit.goodness);
    assert!(fit.tables("kind = \"trace\"\n").contains("# Replaying the file is better"));
}

#[test]
fn counts_give_a_rate_over_time_and_how_much_they_vary_around_it() {
    let counts = |spread: &dyn Fn(usize) -> f64| {
        (0..2880_usize)
            .map(|minute| if minute % 1440 < 720 { 60.0 } else { 180.0 } + spread(minute))
            .collect::<Vec<f64>>()
    };
    let series = |counts| {
        Recorded::Series(Series {
            origin: None,
            interval: Span::from_secs(60),
            counts,
            quantity: Quantity::Counts,
        })
    };
    let fit =
        fit_traffic(&series(counts(&|minute| if minute % 2 == 0 { 30.0 } else { -30.0 })), 1.0).unwrap();
    let rates = fit.model.rates.clone().expect("a rate over time");
    near(fit.model.rate, 2.0, 1e-9);
    near(rates.factors[0], 0.5, 0.01);
    // Half of the time the variance is 900 over a mean of 60, half of it over one of 180: 15 and 5.
    let Around::Gamma { cv } = fit.model.around else { panic!("{:?}", fit.candidates) };
    near(cv * cv, 10.0, 0.02);
}

#[test]
fn a_factor_scales_the_rate_and_nothing_else() {
    let recorded = drawn("kind = \"renewal\"\nrate = 50\ncv = 2", 2000, 1);
    let (one, more) = (fit_traffic(&recorded, 1.0).unwrap(), fit_traffic(&recorded, 1.3).unwrap());
    near(more.model.rate, 1.3 * one.model.rate, 1e-12);
    assert_eq!((one.model.around, one.goodness), (more.model.around, more.goodness));
}

#[test]
fn laws_of_durations_and_tokens_are_those_they_were_drawn_from() {
    use crate::distribution::Distribution;
    use crate::random::Purpose;
    let laws = [
        ("lognormal", Distribution::lognormal(0.35, 0.6).unwrap(), 0.35, 0.6),
        ("gamma", Distribution::gamma(500.0, 0.8).unwrap(), 500.0, 0.8),
    ];
    for (dist, law, mean, cv) in laws {
        let mut values = vec![0.0; 5000];
        law.fill(&mut Streams::new(3, 0).stream(Purpose::Service), &mut values);
        let found = laws::fit(values.into_iter()).unwrap();
        assert_eq!(found.dist, dist);
        // Four standard errors, about 4 % of either.
        near(found.mean, mean, 0.05);
        near(found.cv, cv, 0.08);
        assert!(found.distance < 0.02, "{}", found.distance);
    }
    // A lognormal is the likeliest of values over six decades, and its mean a thousand times theirs.
    let wide: Vec<f64> = (0..200).map(|at| 10_f64.powf(f64::from(at) / 33.0 - 4.0)).collect();
    let mean = wide.iter().sum::<f64>() / 200.0;
    near(laws::fit(wide.into_iter()).unwrap().mean, mean, 0.2);
    let constant = laws::fit(std::iter::repeat_n(3.0, 30)).unwrap();
    assert_eq!((constant.dist, constant.mean), ("constant", 3.0));
    assert_eq!(laws::fit(std::iter::repeat_n(3.0, 5)), None);
}

#[test]
fn too_little_is_no_basis() {
    assert!(fit_traffic(&requests(vec![0, 1, 2]), 1.0).unwrap_err().contains("3 requests"));
    assert!(fit_traffic(&requests(vec![0; 50]), 1.0).unwrap_err().contains("one instant"));
}

/// A long recording is compared by blocks of it: 6,400 of 60,000 requests, whose CV has a standard error of 1.6 %.
#[test]
fn of_a_long_recording_blocks_are_compared_and_rates_are_of_all() {
    let fitted = |text: &str, most: usize| {
        let Recorded::Requests(requests) = drawn(text, 60_000, 5) else { panic!() };
        let mut notes = Vec::new();
        let (model, candidates) = arrivals::of_requests(&requests.trace.instants, most, &mut notes);
        (model, candidates, notes)
    };
    let text = "kind = \"renewal\"\nrate = 50\ncv = 2.5";
    let (whole, all, notes) = fitted(text, 100_000);
    assert!(notes.is_empty());
    let (model, candidates, notes) = fitted(text, 6_400);
    assert_eq!(
        notes,
        [
            "times between requests are compared by 6400 of the 60000 requests, in 64 blocks over the recording; rates are of all"
        ]
    );
    let (Around::Gamma { cv: of_all }, Around::Gamma { cv }) = (whole.around, model.around) else {
        panic!("{all:?} {candidates:?}")
    };
    near(cv, of_all, 0.08);
    near(model.rate, whole.rate, 1e-9);
    assert!(candidates[0].log_likelihood.abs() < all[0].log_likelihood.abs());
    // Every block is counted as it is, and none of what lies between two.
    let (even, _, _) = fitted("kind = \"renewal\"\nrate = 50\ncv = 0.3", 6_400);
    let Around::Gamma { cv } = even.around else { panic!("{even:?}") };
    near(cv, 0.3, 0.08);
}
