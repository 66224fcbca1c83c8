//! Models of arrivals and laws of requests, fitted to recorded traffic.
//!
//! A model is a rate over time (the same throughout, by parts of the recording, by hour of the day or the week) and what requests
//! do around it: Poisson, gamma or Weibull times between them, or a rate that jumps between two states (MMPP). Each is fitted by
//! maximum likelihood in operational time, in which the rate is constant (Brown et al., *The time-rescaling theorem*, Neural
//! Computation 14, 2002), and the one with the lowest Bayesian information criterion is chosen (Schwarz, *Estimating the dimension
//! of a model*, Annals of Statistics 6, 1978): −2 ln L + k ln n for k parameters and n values. How well it fits is then asked of
//! the simulator's own arrivals: counts over 1 s, 1 min and 1 h vary as much as those of recordings that the model makes, or not.

mod arrivals;
mod goodness;
mod laws;
mod mmpp;
mod profile;
mod renewal;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;

pub use arrivals::{Around, ArrivalModel, Candidate, Rates};
pub use goodness::Goodness;
pub use laws::RequestLaw;

use crate::traffic::{Packed, Recorded};

/// What was fitted to recorded traffic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrafficFit {
    /// Requests that it is of.
    pub requests: f64,
    /// From the first to the last, seconds.
    pub span_s: f64,
    /// The model of arrivals.
    pub model: ArrivalModel,
    /// All models, the best first.
    pub candidates: Vec<Candidate>,
    /// How well its counts vary as the recorded ones do.
    pub goodness: Vec<Goodness>,
    /// Why replaying the file is better, if it is.
    pub replay: Option<String>,
    /// How long requests took, seconds.
    pub duration_s: Option<RequestLaw>,
    /// Tokens of prompts.
    pub prompt_tokens: Option<RequestLaw>,
    /// Tokens of answers.
    pub output_tokens: Option<RequestLaw>,
    /// What was assumed or noticed.
    pub notes: Vec<String>,
}

/// Fewer requests than these are no basis for a law.
const LEAST_REQUESTS: usize = 20;

/// Of a long column every so many-th value, so that memory has a bound.
fn thinned(column: &Packed) -> impl Iterator<Item = u64> {
    column.iter().step_by(column.len().div_ceil(arrivals::COMPARED).max(1))
}

/// Fits models to recorded traffic; `scale` is a factor on the number of requests, after the fit.
///
/// # Errors
/// There are too few requests, or they take no time.
pub fn fit_traffic(recorded: &Recorded, scale: f64) -> Result<TrafficFit, String> {
    let mut notes = Vec::new();
    let (requests, span_s) = match recorded {
        Recorded::Requests(requests) => {
            let instants = &requests.trace.instants;
            (instants.len() as f64, instants.last().unwrap_or(0) as f64 / 1e9)
        }
        Recorded::Series(series) => (
            series.counts.iter().filter(|count| count.is_finite()).sum(),
            series.counts.len() as f64 * series.interval.as_secs_f64(),
        ),
    };
    if requests < LEAST_REQUESTS as f64 {
        return Err(format!("it has {requests} requests, and a fit needs {LEAST_REQUESTS} or more"));
    }
    if span_s <= 0.0 {
        return Err("all of its requests come at one instant".into());
    }
    let (model, candidates) = match recorded {
        Recorded::Requests(requests) => {
            arrivals::of_requests(&requests.trace.instants, arrivals::COMPARED, &mut notes)
        }
        Recorded::Series(series) => arrivals::of_series(series, &mut notes)?,
    };
    let goodness = goodness::of(&model, recorded, span_s)?;
    let replay = goodness::replay(&goodness, matches!(recorded, Recorded::Series(_)));
    let model = model.scaled(scale);
    let laws = match recorded {
        Recorded::Requests(requests) => [
            laws::fit(thinned(requests.durations()).map(|nanos| nanos as f64 / 1e9)),
            laws::fit(thinned(&requests.trace.prompt_tokens).map(|count| count as f64)),
            laws::fit(thinned(&requests.trace.output_tokens).map(|count| count as f64)),
        ],
        Recorded::Series(_) => [None, None, None],
    };
    let [duration_s, prompt_tokens, output_tokens] = laws;
    let named = [
        ("durations", &duration_s),
        ("tokens of prompts", &prompt_tokens),
        ("tokens of answers", &output_tokens),
    ];
    for (name, law) in named {
        const FAR: f64 = 0.1;
        if let Some(law) = law.filter(|law| law.distance > FAR) {
            notes.push(format!(
                "no law is near the {name}: {} is up to {:.0} % of them off; replaying the file keeps its own",
                law.dist,
                law.distance * 100.0
            ));
        }
    }
    Ok(TrafficFit {
        requests,
        span_s,
        model,
        candidates,
        goodness,
        replay,
        duration_s,
        prompt_tokens,
        output_tokens,
        notes,
    })
}
