//! How well counts of a model vary as those of the recording do.

use serde::Serialize;

use super::arrivals::ArrivalModel;
use crate::arrivals::Arrivals;
use crate::random::Streams;
use crate::schema::{Context, Tree};
use crate::traffic::Recorded;

/// The index of dispersion of counts (variance over mean) at one length of window, recorded and of the model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Goodness {
    /// Length of the window, seconds.
    pub window_s: f64,
    /// Whole windows in the recording.
    pub windows: usize,
    /// The recorded index.
    pub recorded: f64,
    /// The lowest of recordings that the model makes.
    pub low: f64,
    /// The highest.
    pub high: f64,
    /// Recordings that were made.
    pub simulated: usize,
}

impl Goodness {
    /// Whether the recording could be one of the model's: within their range, or nearly.
    pub fn fits(&self) -> bool {
        const NEARLY: f64 = 1.2;
        self.recorded <= self.high * NEARLY && self.recorded >= self.low / NEARLY
    }
}

/// Windows of which the fit is told, seconds.
const WINDOWS_S: [f64; 3] = [1.0, 60.0, 3600.0];

/// Windows of one length that a variance is taken of.
const LEAST_WINDOWS: usize = 10;

/// No more are looked at: the first 46 days, second by second.
const MOST_WINDOWS: usize = 4_000_000;

/// Requests of a recording that is simulated, five times at least, where the file has fewer rows: numbers per interval may stand
/// for any number of them.
const MOST_REQUESTS: usize = 16_000_000;

/// The same of a file that has them all.
const MOST_ROWS: usize = 50_000_000;

/// The goodness of a model at each window that fits the recording.
///
/// # Errors
/// The model cannot be simulated.
pub(super) fn of(model: &ArrivalModel, recorded: &Recorded, span_s: f64) -> Result<Vec<Goodness>, String> {
    let (most, looked_s) = looked_at(model, recorded, span_s);
    let windows = WINDOWS_S.into_iter().filter_map(|window_s| {
        let mut counts = recorded_counts(recorded, window_s)?;
        // Not one fewer by the rounding of a quotient.
        counts.truncate((looked_s / window_s * (1.0 + 1e-9)) as usize);
        let known = counts.iter().filter(|count| count.is_finite()).count();
        (known >= LEAST_WINDOWS).then_some((window_s, counts))
    });
    let windows: Vec<(f64, Vec<f64>)> = windows.collect();
    if windows.is_empty() {
        return Ok(Vec::new());
    }
    let arrivals = arrivals(model)?;
    let recordings = ((4e6 / (model.rate * looked_s).max(1.0)) as usize).clamp(5, 20);
    let mut indices = vec![Vec::new(); windows.len()];
    for replication in 0..recordings {
        let all: Vec<(f64, usize)> =
            windows.iter().map(|(window_s, recorded)| (*window_s, recorded.len())).collect();
        let (simulated, _) = simulated_counts(&arrivals, replication as u64, looked_s, most, &all);
        for (((_, recorded), mut counts), indices) in windows.iter().zip(simulated).zip(&mut indices) {
            // What the recording does not know is not looked at here either.
            counts
                .iter_mut()
                .zip(recorded)
                .filter(|(_, known)| known.is_nan())
                .for_each(|(count, _)| *count = f64::NAN);
            indices.push(dispersion(&counts));
        }
    }
    let goodness = windows.iter().zip(&indices).map(|((window_s, recorded), indices)| Goodness {
        window_s: *window_s,
        windows: recorded.iter().filter(|count| count.is_finite()).count(),
        recorded: dispersion(recorded),
        low: indices.iter().copied().fold(f64::INFINITY, f64::min),
        high: indices.iter().copied().fold(0.0, f64::max),
        simulated: recordings,
    });
    Ok(goodness.collect())
}

/// How many requests a simulated recording may have, and the seconds from the start that have so few of them.
fn looked_at(model: &ArrivalModel, recorded: &Recorded, span_s: f64) -> (usize, f64) {
    match recorded {
        Recorded::Requests(requests) => {
            let instants = &requests.trace.instants;
            let most = instants.len().clamp(MOST_REQUESTS, MOST_ROWS);
            let beyond = instants.range(most..instants.len()).next();
            (most, beyond.map_or(span_s, |instant| instant as f64 / 1e9))
        }
        Recorded::Series(series) => {
            let interval_s = series.interval.as_secs_f64();
            let mut sum = 0.0;
            let whole = series.counts.iter().take_while(|count| {
                sum += if count.is_finite() { **count } else { model.rate * interval_s };
                sum <= MOST_REQUESTS as f64
            });
            (MOST_REQUESTS, whole.count() as f64 * interval_s)
        }
    }
}

/// Why replaying the file is better than the model, if it is.
pub(super) fn replay(goodness: &[Goodness], is_series: bool) -> Option<String> {
    let ratio = |one: &Goodness| match one.recorded > one.high {
        true => one.recorded / one.high.max(f64::MIN_POSITIVE),
        false => one.low / one.recorded.max(f64::MIN_POSITIVE),
    };
    let worst =
        goodness.iter().filter(|one| !one.fits()).max_by(|one, other| ratio(one).total_cmp(&ratio(other)))?;
    let window = match worst.window_s {
        1.0 => "1 s",
        60.0 => "1 min",
        _ => "1 h",
    };
    let kind = if is_series { "counts" } else { "trace" };
    Some(format!(
        "Replaying the file is better (kind = \"{kind}\"): over {window} its counts have an index of dispersion of {:.3}, those of \
         the model {:.3} to {:.3}.",
        worst.recorded, worst.low, worst.high
    ))
}

fn arrivals(model: &ArrivalModel) -> Result<Arrivals, String> {
    let table = model.table();
    let keys = table.strip_prefix("[arrivals]\n").unwrap_or(&table);
    let tree = Tree::parse(keys).map_err(|_| "the fitted arrivals cannot be read".to_owned())?;
    Arrivals::read(tree.root(), "arrivals", &Context::new("")).map_err(|problem| problem.message)
}

/// Counts of arrivals that the model makes, over so many windows of each length, and how many arrivals were made for them; block by
/// block, so that none is held whole. A model that makes twice as many as the recording has is stopped there.
fn simulated_counts(
    arrivals: &Arrivals,
    replication: u64,
    span_s: f64,
    most: usize,
    windows: &[(f64, usize)],
) -> (Vec<Vec<f64>>, usize) {
    const BLOCK: usize = 4096;
    let end = (span_s * 1e9) as u64;
    let mut stream = arrivals.stream(Streams::new(1, replication));
    let mut all: Vec<Vec<f64>> = windows.iter().map(|(_, count)| vec![0.0; *count]).collect();
    let (mut block, mut made, mut more) = (Vec::with_capacity(BLOCK), 0, true);
    while more && made < 2 * most {
        block.clear();
        stream.fill(&mut block, BLOCK);
        made += block.len();
        more = block.len() == BLOCK && block.last().is_some_and(|last| *last < end);
        for ((window_s, _), counts) in windows.iter().zip(&mut all) {
            add_counts(block.iter().copied().filter(|instant| *instant < end), *window_s, counts);
        }
    }
    (all, made)
}

fn recorded_counts(recorded: &Recorded, window_s: f64) -> Option<Vec<f64>> {
    match recorded {
        Recorded::Requests(requests) => {
            let last = requests.trace.instants.last().unwrap_or(0) as f64 / 1e9;
            let whole = (last / window_s) as usize;
            let mut counts = vec![0.0; whole.min(MOST_WINDOWS)];
            add_counts(requests.trace.instants.iter(), window_s, &mut counts);
            Some(counts)
        }
        Recorded::Series(series) => {
            let merged = (window_s / series.interval.as_secs_f64()).round();
            let is_whole =
                merged >= 1.0 && (merged * series.interval.as_secs_f64() - window_s).abs() < 1e-6 * window_s;
            is_whole.then(|| {
                series.counts.chunks_exact(merged as usize).map(|chunk| chunk.iter().sum()).collect()
            })
        }
    }
}

fn add_counts(instants: impl Iterator<Item = u64>, window_s: f64, counts: &mut [f64]) {
    let window = (window_s * 1e9) as u64;
    for instant in instants {
        if let Some(count) = counts.get_mut((instant / window) as usize) {
            *count += 1.0;
        }
    }
}

fn dispersion(counts: &[f64]) -> f64 {
    let known: Vec<f64> = counts.iter().copied().filter(|count| count.is_finite()).collect();
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
    let variance = known.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / known.len().max(1) as f64;
    if mean > 0.0 { variance / mean } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use crate::traffic::{Quantity, Series};
    use crate::traffic_fit::arrivals::of_series;

    #[test]
    fn a_few_numbers_that_stand_for_many_requests_are_not_all_simulated() {
        let counts: Vec<f64> = (0..60).map(|row| 1e6 + 1e3 * f64::from(row % 3)).collect();
        let series =
            Series { origin: None, interval: Span::from_secs(60), counts, quantity: Quantity::Counts };
        let (model, _) = of_series(&series, &mut Vec::new()).unwrap();
        let recorded = Recorded::Series(series);
        let (most, looked_s) = looked_at(&model, &recorded, 3600.0);
        assert_eq!((most, looked_s), (MOST_REQUESTS, 15.0 * 60.0));
        let (counts, made) = simulated_counts(&arrivals(&model).unwrap(), 0, looked_s, most, &[(60.0, 15)]);
        assert!(made <= MOST_REQUESTS, "{made} requests");
        // None of the windows is one that was not simulated to its end.
        assert!(counts[0].iter().all(|count| *count > 9e5), "{counts:?}");
    }
}
