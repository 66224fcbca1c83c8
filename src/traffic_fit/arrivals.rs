//! Models of arrivals, and the choice between them.

use std::ops::Range;

use rand::RngExt as _;
use serde::Serialize;
use statrs::function::gamma::ln_gamma;

use super::mmpp;
use super::profile::{Factors, divisions};
use super::renewal::{self, Sums};
use crate::random::{Purpose, Streams};
use crate::sorting::Sorting as _;
use crate::time::Span;
use crate::traffic::{Packed, Series};

/// A model of arrivals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArrivalModel {
    /// Requests per second, on average.
    pub rate: f64,
    /// The rate over time; `None` if it is the same throughout.
    pub rates: Option<Rates>,
    /// What requests do around the rate.
    pub around: Around,
}

/// Factors on the mean rate, in turn and again from the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rates {
    /// Seconds for which each holds.
    pub every_s: f64,
    /// The factors; their mean over the recording is 1.
    pub factors: Vec<f64>,
}

/// What requests do around the rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Around {
    /// Each comes for itself.
    Poisson,
    /// Independent times between requests, gamma-distributed.
    Gamma {
        /// Their coefficient of variation.
        cv: f64,
    },
    /// The same, Weibull-distributed.
    Weibull {
        /// Their coefficient of variation.
        cv: f64,
    },
    /// Poisson at a rate that jumps between two states.
    Mmpp {
        /// Requests per second in each.
        rates: [f64; 2],
        /// Mean seconds of a stay in each.
        durations_s: [f64; 2],
    },
}

/// A model, as it compares with the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// What requests do around the rate.
    pub around: &'static str,
    /// Parts that the rate over time has.
    pub parts: usize,
    /// Numbers that were fitted.
    pub parameters: usize,
    /// Log-likelihood.
    pub log_likelihood: f64,
    /// Bayesian information criterion: the lower, the better.
    pub bic: f64,
}

impl Around {
    fn name(&self) -> &'static str {
        match self {
            Around::Poisson => "poisson",
            Around::Gamma { .. } => "gamma",
            Around::Weibull { .. } => "weibull",
            Around::Mmpp { .. } => "mmpp",
        }
    }

    fn parameters(&self) -> usize {
        match self {
            Around::Poisson => 0,
            Around::Gamma { .. } | Around::Weibull { .. } => 1,
            Around::Mmpp { .. } => 3,
        }
    }
}

impl ArrivalModel {
    /// The model with so many times as many requests.
    pub(super) fn scaled(self, factor: f64) -> ArrivalModel {
        let around = match self.around {
            Around::Mmpp { rates, durations_s } => {
                Around::Mmpp { rates: rates.map(|rate| rate * factor), durations_s }
            }
            other => other,
        };
        ArrivalModel { rate: self.rate * factor, around, ..self }
    }
}

/// Models with what they were compared by.
struct Contest {
    found: Vec<(Candidate, ArrivalModel)>,
    values: f64,
}

impl Contest {
    fn add(&mut self, model: ArrivalModel, log_likelihood: f64) {
        let parts = model.rates.as_ref().map_or(1, |rates| rates.factors.len());
        let parameters = parts + model.around.parameters();
        let bic = parameters as f64 * self.values.ln() - 2.0 * log_likelihood;
        let candidate = Candidate { around: model.around.name(), parts, parameters, log_likelihood, bic };
        if log_likelihood.is_finite() {
            self.found.push((candidate, model));
        }
    }

    fn best(mut self) -> Option<(ArrivalModel, Vec<Candidate>)> {
        self.found.sort_once_by(|one, other| one.0.bic.total_cmp(&other.0.bic));
        let model = self.found.first()?.1.clone();
        Some((model, self.found.into_iter().map(|(candidate, _)| candidate).collect()))
    }
}

fn rates(factors: &Factors) -> Option<Rates> {
    let several = factors.factors.len() > 1;
    several.then(|| Rates { every_s: factors.every.as_secs_f64(), factors: factors.factors.clone() })
}

/// Requests that models are compared by: those of a longer recording in blocks over all of it, so that memory has a bound.
pub(super) const COMPARED: usize = 4_000_000;

/// Blocks of consecutive requests.
const BLOCKS: usize = 64;

/// The requests that models are compared by.
struct Compared {
    instants: Vec<u64>,
    /// Where each block of consecutive requests begins, and the end.
    borders: Vec<usize>,
}

impl Compared {
    /// Of `all` requests at most so many.
    fn of(all: &Packed, most: usize, notes: &mut Vec<String>) -> Compared {
        if all.len() <= most {
            return Compared { instants: all.to_vec(), borders: vec![0, all.len()] };
        }
        let length = most / BLOCKS;
        let begin = |block: usize| block * (all.len() - length) / (BLOCKS - 1);
        let mut instants = Vec::with_capacity(length * BLOCKS);
        let mut block = 0;
        for (number, instant) in all.iter().enumerate() {
            if block < BLOCKS && number >= begin(block) {
                instants.push(instant);
                block += usize::from(number + 1 == begin(block) + length);
            }
        }
        notes.push(format!(
            "times between requests are compared by {} of the {} requests, in {BLOCKS} blocks over the recording; rates are of all",
            instants.len(),
            all.len()
        ));
        Compared { borders: (0..=BLOCKS).map(|block| block * length).collect(), instants }
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        self.borders.windows(2).map(|pair| pair[0]..pair[1])
    }

    /// Times between requests.
    fn gaps(&self) -> usize {
        self.instants.len() + 1 - self.borders.len()
    }

    /// Times between requests in units of their mean, in operational time, and what the change of time adds to the likelihood.
    fn operational(&self, mean: f64, factors: &Factors) -> (Vec<f64>, f64) {
        const SHORTEST: f64 = 1e-9;
        let at = factors.operational(&self.instants);
        let rate = |instant: &u64| (mean * factors.factors[factors.part(*instant)]).ln();
        let (mut gaps, mut change) = (Vec::with_capacity(self.gaps()), 0.0);
        for block in self.blocks() {
            gaps.extend(at[block.clone()].windows(2).map(|pair| ((pair[1] - pair[0]) * mean).max(SHORTEST)));
            change += self.instants[block].iter().skip(1).map(rate).sum::<f64>();
        }
        (gaps, change)
    }
}

/// The best model of requests one by one, compared by at most so many; there are several, and they take time.
pub(super) fn of_requests(
    all: &Packed,
    most: usize,
    notes: &mut Vec<String>,
) -> (ArrivalModel, Vec<Candidate>) {
    let compared = finer(Compared::of(all, most, notes), notes);
    let whole = compared.instants.len() == all.len();
    let last = match whole {
        true => compared.instants.last().copied().unwrap_or(1),
        false => all.last().unwrap_or(1),
    };
    // As long as the requests at their mean gap.
    let length = Span::from_nanos(last.saturating_add(last / (all.len() as u64 - 1).max(1)));
    let mut choice = Contest { found: Vec::new(), values: compared.gaps() as f64 };
    let mut fitted: Vec<(f64, Factors)> = Vec::new();
    let mut best = (0, f64::INFINITY);
    for (at, (every, parts)) in divisions(length, all.len() as f64, Span::ZERO).into_iter().enumerate() {
        let mut requests = vec![0.0; parts];
        let of = Factors { every, factors: vec![1.0; parts] };
        match whole {
            true => compared.instants.iter().for_each(|instant| requests[of.part(*instant)] += 1.0),
            false => all.iter().for_each(|instant| requests[of.part(instant)] += 1.0),
        }
        let (mean, factors) = Factors::of(every, &requests, &Factors::seen(every, parts, length));
        let (gaps, change) = compared.operational(mean, &factors);
        let sums = Sums::of(&gaps);
        let model = |around| ArrivalModel { rate: mean, rates: rates(&factors), around };
        choice.add(model(Around::Poisson), change - sums.sum);
        let (shape, likelihood) = renewal::gamma(sums);
        choice.add(model(Around::Gamma { cv: shape.powf(-0.5) }), change + likelihood);
        let (shape, _, likelihood) = renewal::weibull(&gaps, sums);
        choice.add(model(Around::Weibull { cv: renewal::weibull_cv(shape) }), change + likelihood);
        let lowest = choice
            .found
            .iter()
            .rev()
            .take(3)
            .map(|(candidate, _)| candidate.bic)
            .fold(f64::INFINITY, f64::min);
        if lowest < best.1 {
            best = (at, lowest);
        }
        fitted.push((mean, factors));
    }
    // States explain what parts could, and the other way round: both are tried with and without the other.
    let mut tried = vec![0, best.0];
    tried.dedup();
    for at in tried {
        let (mean, factors) = &fitted[at];
        let (gaps, change) = compared.operational(*mean, factors);
        let (states, likelihood) = mmpp::fit(&gaps);
        let around = Around::Mmpp {
            rates: states.rates.map(|rate| rate * mean),
            durations_s: states.leaving.map(|leaving| 1.0 / (leaving * mean)),
        };
        choice.add(ArrivalModel { rate: *mean, rates: rates(factors), around }, change + likelihood);
    }
    let poisson = ArrivalModel { rate: fitted[0].0, rates: None, around: Around::Poisson };
    choice.best().unwrap_or((poisson, Vec::new()))
}

/// Instants that share a tick of a coarse clock distributed over it, as `spread` does: times of 0 between requests are the
/// clock's, and not the requests'.
fn finer(mut compared: Compared, notes: &mut Vec<String>) -> Compared {
    const LEAST_TICK: u64 = 1_000;
    let mut tick = 0_u64;
    let mut shared = 0_usize;
    let blocks: Vec<Range<usize>> = compared.blocks().collect();
    let instants = &mut compared.instants;
    for pair in blocks.iter().flat_map(|block| instants[block.clone()].windows(2)) {
        let (mut one, mut other) = (tick, pair[1] - pair[0]);
        shared += usize::from(other == 0);
        while other > 0 {
            (one, other) = (other, one % other);
        }
        tick = one;
    }
    if shared == 0 || tick < LEAST_TICK {
        return compared;
    }
    if shared * 20 > instants.len() {
        notes.push(format!(
            "the clock ticks every {}: requests of a tick are taken as distributed over it",
            Span::from_nanos(tick)
        ));
    }
    let mut rng = Streams::new(0, 0).stream(Purpose::Ticks);
    instants.iter_mut().for_each(|instant| *instant += rng.random_range(0..tick));
    blocks.iter().for_each(|block| instants[block.clone()].sort_unstable());
    let first = instants[0];
    instants.iter_mut().for_each(|instant| *instant -= first);
    compared
}

/// The best model of numbers per interval: Poisson, or overdispersed counts, which are those of gamma times between requests
/// over intervals of many of them (the index of dispersion of a renewal process tends to the squared CV; Cox, *Renewal Theory*, 1962, §4.2).
///
/// # Errors
/// No interval has a value.
pub(super) fn of_series(
    series: &Series,
    notes: &mut Vec<String>,
) -> Result<(ArrivalModel, Vec<Candidate>), String> {
    let interval = series.interval;
    let known: Vec<(u64, f64)> = (0_u64..)
        .zip(&series.counts)
        .filter(|(_, count)| count.is_finite())
        .map(|(row, count)| (row.saturating_mul(interval.as_nanos()), *count))
        .collect();
    let total: f64 = known.iter().map(|(_, count)| count).sum();
    let length = Span::from_nanos(interval.as_nanos().saturating_mul(series.counts.len() as u64));
    let mut choice = Contest { found: Vec::new(), values: known.len() as f64 };
    for (every, parts) in divisions(length, total, interval) {
        // A part for every interval leaves nothing to compare with.
        if parts * 2 > known.len() && parts > 1 {
            continue;
        }
        let of = Factors { every, factors: vec![1.0; parts] };
        let (mut requests, mut seen) = (vec![0.0; parts], vec![0.0; parts]);
        for (at, count) in &known {
            requests[of.part(*at)] += count;
            seen[of.part(*at)] += interval.as_secs_f64();
        }
        let (mean, factors) = Factors::of(every, &requests, &seen);
        let expected =
            |at: u64| (mean * factors.factors[factors.part(at)] * interval.as_secs_f64()).max(1e-9);
        let model = |around| ArrivalModel { rate: mean, rates: rates(&factors), around };
        let poisson = known.iter().map(|(at, count)| {
            let expected = expected(*at);
            count * expected.ln() - expected - ln_gamma(count + 1.0)
        });
        choice.add(model(Around::Poisson), poisson.sum());
        let left = (known.len() - parts).max(1) as f64;
        let spread =
            known.iter().map(|(at, count)| (count - expected(*at)).powi(2) / expected(*at)).sum::<f64>()
                / left;
        if spread > 1.0 + 1e-9 {
            // Negative binomial with a variance of `spread` times the mean.
            let likelihood = known.iter().map(|(at, count)| {
                let size = expected(*at) / (spread - 1.0);
                ln_gamma(count + size) - ln_gamma(size) - ln_gamma(count + 1.0) - size * spread.ln()
                    + count * ((spread - 1.0) / spread).ln()
            });
            choice.add(model(Around::Gamma { cv: spread.sqrt() }), likelihood.sum());
        }
    }
    notes.push(format!("the file has counts over {interval}: what requests do within one is not known"));
    choice.best().ok_or_else(|| "no interval has a value".into())
}
