//! How an instance serves: processor sharing and batches.

use super::reading::Reading;
use super::system::{EXPONENTIAL, System, Text, fixed};
use crate::theory::batching::{Batching, sojourn_bounds};
use crate::theory::sharing::{LoadDependent, Mg1Ps};
use crate::theory::{Error, markovian};

pub(super) fn systems() -> Result<Vec<System>, Error> {
    let mut all = Vec::new();
    for rate in [0.5, 0.9] {
        all.push(shared_by_exponentials(rate)?);
    }
    for (name, time) in SERVICES {
        all.push(shared(0.5, name, time)?);
        all.push(shared(0.8, name, time)?);
    }
    for (name, time) in SERVICES {
        all.push(shared_cores(3.2, 4, name, time)?);
    }
    for (fixed_ms, each_ms, tokens, most, rate) in
        [(8.0, 0.65, 100.0, 128, 5.0), (8.0, 0.65, 100.0, 16, 5.0), (4.0, 0.32, 256.0, 128, 8.0)]
    {
        all.push(slowed(fixed_ms, each_ms, tokens, most, rate)?);
    }
    for (slope, rate) in [(1.0, 0.6), (1.0, 0.8), (0.1, 3.0), (0.1, 6.0)] {
        all.push(batches(slope, rate, None)?);
    }
    for (slope, rate, most) in [(0.1, 3.0, 8), (0.1, 6.0, 32), (1.0, 0.6, 4)] {
        all.push(batches(slope, rate, Some(most))?);
    }
    Ok(all)
}

/// Services of mean 1 s, to which processor sharing is insensitive.
const SERVICES: [(&str, &str); 3] = [
    ("constant", "\"1s\""),
    ("lognormal, cv 2", "{ dist = \"lognormal\", mean = \"1s\", cv = 2 }"),
    ("hyperexponential, cv 3", "{ dist = \"hyperexponential\", mean = \"1s\", cv = 3 }"),
];

/// Most in service where there is to be no limit: so many are never there.
const NO_LIMIT: &str = "concurrency = 100000";

fn shared_by_exponentials(rate: f64) -> Result<System, Error> {
    let exact = Mg1Ps::new(rate, 1.0)?;
    let service = format!("model = \"shared\"\n{EXPONENTIAL}\n{NO_LIMIT}");
    let text = Text { service, ..Text::markovian(rate, fixed(1)) };
    Ok(System::new("M/M/1-PS", format!("rate {rate}"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("requests in the system", Reading::Jobs, exact.mean_jobs())
        .with("utilization", Reading::Utilization, exact.utilisation()))
}

fn shared(rate: f64, name: &str, time: &str) -> Result<System, Error> {
    let exact = Mg1Ps::new(rate, 1.0)?;
    let service = format!("model = \"shared\"\ntime = {time}\n{NO_LIMIT}");
    let text = Text { service, ..Text::markovian(rate, fixed(1)) };
    Ok(System::new("M/G/1-PS", format!("rate {rate}, {name}"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("requests in the system", Reading::Jobs, exact.mean_jobs())
        .with("utilization", Reading::Utilization, exact.utilisation()))
}

/// Requests run at min(1, cores/n): as many in the system as in M/M/c, whatever the service.
fn shared_cores(rate: f64, cores: usize, name: &str, time: &str) -> Result<System, Error> {
    let exact = markovian::Mmc::new(rate, 1.0, cores)?;
    let service = format!("model = \"shared\"\ntime = {time}\ncores = {cores}\n{NO_LIMIT}");
    let text = Text { service, ..Text::markovian(rate, fixed(1)) };
    Ok(System::new("M/G/c-PS", format!("rate {rate}, {cores} cores, {name}"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("requests in the system", Reading::Jobs, exact.mean_jobs())
        .with("utilization", Reading::Utilization, rate / cores as f64))
}

/// The idealisation of continuous batching: n requests share iterations of `fixed_ms` + `each_ms` n, each of which gives
/// each of them a token.
fn slowed(fixed_ms: f64, each_ms: f64, tokens: f64, most: usize, rate: f64) -> Result<System, Error> {
    let rates: Vec<f64> =
        (1..=most).map(|n| n as f64 * 1e3 / ((fixed_ms + each_ms * n as f64) * tokens)).collect();
    let exact = LoadDependent::new(rate, &rates)?;
    let (alone_s, slowdown) = ((fixed_ms + each_ms) * tokens / 1e3, each_ms / (fixed_ms + each_ms));
    let time = format!("time = {{ dist = \"exponential\", mean = \"{alone_s}s\" }}");
    let service = format!("model = \"shared\"\n{time}\nslowdown = {slowdown}\nconcurrency = {most}");
    let text = Text { service, ..Text::markovian(rate, fixed(1)) };
    let case = format!("{fixed_ms} ms + {each_ms} ms × n, {tokens} tokens, at most {most}, rate {rate}");
    let system = System::new("state-dependent PS", case, text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn)
        .with("requests in service", Reading::Busy, exact.mean_active);
    // What waits once in a million runs gives no interval.
    Ok(match exact.wait_probability > 1e-4 {
        true => system.with("mean wait", Reading::Wait, exact.mean_wait),
        false => system,
    })
}

/// Batches of all that waits, up to `most`, in 1 s + `slope` seconds for each request.
fn batches(slope: f64, rate: f64, most: Option<usize>) -> Result<System, Error> {
    let exact = Batching::new(rate, slope, 1.0, most)?;
    let service = format!(
        "model = \"batch\"\nconstant = \"1s\"\nslope = \"{slope}s\"\nmax_batch = {}",
        most.unwrap_or(10_000)
    );
    let text = Text { service, ..Text::markovian(rate, fixed(1)) };
    let (family, limit) = match most {
        None => ("M/D[b]/1", String::new()),
        Some(most) => ("M/D[b]/1 with a maximum", format!(", at most {most}")),
    };
    let system = System::new(family, format!("rate {rate}, 1 s + {slope} s × size{limit}"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn)
        .with("requests in the system", Reading::Jobs, exact.mean_jobs);
    // An instance that is idle once in a million seconds gives no interval.
    let system = match exact.utilisation < 0.9999 {
        true => system.with("utilization", Reading::Utilization, exact.utilisation),
        false => system,
    };
    Ok(match most {
        None => {
            let [one, other] = sojourn_bounds(rate, slope, 1.0)?;
            system.at_most("mean sojourn, upper bound", Reading::Sojourn, one.min(other))
        }
        Some(_) => system,
    })
}
