//! Pools that grow and shrink: what Kneepoint is for.

use super::reading::Reading;
use super::system::{System, Text, servers};
use crate::theory::periodic::Proportional;
use crate::theory::single::{Mg1, fluid_step};
use crate::theory::{Error, autoscaled, setup};

pub(super) fn systems() -> Result<Vec<System>, Error> {
    let mut all = Vec::new();
    for (rate, most, alpha) in [(0.5, 1, 0.1), (2.0, 4, 0.1), (3.2, 4, 0.5), (5.0, 10, 0.05)] {
        all.push(on_demand(rate, most, alpha, None)?);
    }
    for (rate, most, alpha, beta) in [(0.5, 1, 0.1, 0.1), (2.0, 4, 0.1, 0.05), (5.0, 10, 0.2, 0.5)] {
        all.push(on_demand(rate, most, alpha, Some(beta))?);
    }
    all.push(unlimited(5.0, 0.5)?);
    all.push(unlimited(12.0, 0.1)?);
    for (name, time, moments) in [
        ("exponential", "{ dist = \"exponential\", mean = \"1s\" }", [1.0, 2.0, 6.0]),
        ("constant", "\"1s\"", [1.0, 1.0, 1.0]),
    ] {
        all.push(one_server(0.5, 5.0, name, time, moments, true)?);
        all.push(one_server(0.3, 8.0, name, time, moments, false)?);
    }
    for (rate, service, keep) in [(0.01, 2.0, 60.0), (0.1, 2.0, 5.0), (0.5, 0.5, 2.0)] {
        all.push(keep_alive(rate, service, keep)?);
    }
    for alpha in [None, Some(0.1), Some(1.0)] {
        all.push(hysteresis(2.4, &[4, 8], &[1, 4], alpha)?);
        all.push(hysteresis(3.0, &[3, 6, 9], &[0, 2, 4], alpha)?);
    }
    for slow_start in [false, true] {
        let pool = Proportional { lam: 5.0, mu: 1.0, target: 0.7, period: 5.0, min: 1, max: 12, slow_start };
        all.push(proportional(pool)?);
        all.push(proportional(Proportional { lam: 2.0, target: 0.5, period: 15.0, ..pool })?);
        all.push(proportional(Proportional { lam: 8.0, target: 0.8, period: 1.0, max: 20, ..pool })?);
    }
    all.push(step_response()?);
    Ok(all)
}

fn on_demand(rate: f64, most: usize, alpha: f64, beta: Option<f64>) -> Result<System, Error> {
    let exact = setup::mmk_setup(rate, 1.0, most, alpha, beta)?;
    let keep = beta.map_or_else(String::new, |beta| {
        format!("keep_alive = {{ dist = \"exponential\", mean = \"{}s\" }}\n", 1.0 / beta)
    });
    let text = Text::markovian(rate, autoscaler(most, &keep, &exponential(alpha)));
    let (family, kept) = match beta {
        None => ("M/M/k/setup", String::new()),
        Some(beta) => ("M/M/k/setup/delayedoff", format!(", off at {beta}")),
    };
    let system = System::new(family, format!("rate {rate}, {}, start at {alpha}{kept}", servers(most)), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn)
        .with("requests in the system", Reading::Jobs, exact.mean_jobs)
        .with("servers starting", Reading::Starting, exact.starting)
        .with("servers busy", Reading::Busy, exact.busy);
    Ok(if beta.is_some() { system.with("servers idle", Reading::Idle, exact.idle) } else { system })
}

/// The on-demand autoscaler: `keep` is a line of it, `start` the time an instance takes.
fn autoscaler(most: usize, keep: &str, start: &str) -> String {
    format!("[instances]\ncold_start = {start}\n\n[autoscaler]\nkind = \"setup\"\nmax = {most}\n{keep}")
}

fn exponential(rate: f64) -> String {
    format!("{{ dist = \"exponential\", mean = \"{}s\" }}", 1.0 / rate)
}

fn unlimited(rate: f64, alpha: f64) -> Result<System, Error> {
    let exact = setup::infinite_setup(rate, 1.0, alpha)?;
    // As good as no limit: no more than some dozens are ever in the system.
    let text = Text { warmup_s: 500.0, ..Text::markovian(rate, autoscaler(1000, "", &exponential(alpha))) };
    Ok(System::new("M/M/∞/setup", format!("rate {rate}, start at {alpha}"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn)
        .with("servers starting", Reading::Starting, exact.starting)
        .with("servers busy", Reading::Busy, exact.busy))
}

fn one_server(
    rate: f64,
    start_s: f64,
    name: &str,
    time: &str,
    moments: [f64; 3],
    constant: bool,
) -> Result<System, Error> {
    let second = if constant { start_s * start_s } else { 2.0 * start_s * start_s };
    let sojourn = Mg1::new(rate, moments)?.mean_sojourn() + setup::welch_delay(rate, start_s, second)?;
    let [off, starting] = setup::single_setup_shares(rate, moments[0], start_s)?;
    let (kind, start) = match constant {
        true => ("constant", format!("\"{start_s}s\"")),
        false => ("exponential", exponential(1.0 / start_s)),
    };
    let service = format!("time = {time}");
    let text = Text { service, ..Text::markovian(rate, autoscaler(1, "", &start)) };
    Ok(System::new("M/G/1/setup", format!("rate {rate}, {name} service, {kind} start of {start_s} s"), text)
        .with("mean sojourn", Reading::Sojourn, sojourn)
        .with("share of time starting", Reading::Starting, starting)
        .with("share of time ready", Reading::Ready, 1.0 - off - starting))
}

fn keep_alive(rate: f64, service_s: f64, keep_s: f64) -> Result<System, Error> {
    let cold = setup::cold_probability(rate, service_s, keep_s)?;
    let tables = autoscaler(1, &format!("keep_alive = \"{keep_s}s\"\n"), "\"0s\"");
    // More slots than are ever taken: no limit, in effect.
    let service =
        format!("time = {{ dist = \"lognormal\", mean = \"{service_s}s\", cv = 1.5 }}\nconcurrency = 32");
    let text = Text { service, requests: 1e5, warmup_s: 1000.0, ..Text::markovian(rate, tables) };
    Ok(System::new("scale to zero", format!("rate {rate}, service {service_s} s, kept for {keep_s} s"), text)
        .with("cold starts per request", Reading::StartsPerRequest, cold)
        .with("share of time alive", Reading::Ready, 1.0 - cold))
}

fn hysteresis(rate: f64, up: &[usize], down: &[usize], alpha: Option<f64>) -> Result<System, Error> {
    let exact = autoscaled::hysteresis(rate, 1.0, up, down, alpha)?;
    let start = alpha.map_or_else(|| "\"0s\"".to_owned(), exponential);
    let tables = format!(
        "[instances]\ncold_start = {start}\nleaving = \"hand_back\"\n\n[autoscaler]\nkind = \"hysteresis\"\n\
         up = {up:?}\ndown = {down:?}"
    );
    let text = Text { warmup_s: 1000.0, ..Text::markovian(rate, tables) };
    let (family, starts) = match alpha {
        None => ("hysteresis, instant", String::new()),
        Some(alpha) => ("hysteresis, slow start", format!(", start at {alpha}")),
    };
    let system = System::new(family, format!("rate {rate}, up {up:?}, down {down:?}{starts}"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn)
        .with("instances ready", Reading::Ready, exact.ready);
    Ok(match alpha {
        None => system.with("scale-ups per second", Reading::ScaleUps, exact.scale_ups),
        Some(_) => system.with("instances starting", Reading::Starting, exact.pending),
    })
}

fn proportional(pool: Proportional) -> Result<System, Error> {
    let exact = pool.averages()?;
    let Proportional { lam, target, period, min, max, slow_start, .. } = pool;
    let start_s = if slow_start { period } else { 0.0 };
    let tables = format!(
        "[instances]\ncold_start = \"{start_s}s\"\nscale_down = \"least_busy\"\n\n\
         [metrics]\nscrape_interval = \"{period}s\"\nwindow = \"0s\"\n\n\
         [autoscaler]\nkind = \"target\"\nmetric = \"in_flight\"\ntarget = {target}\ninterval = \"{period}s\"\n\
         min = {min}\nmax = {max}"
    );
    let text = Text { warmup_s: 500.0, ..Text::markovian(lam, tables) };
    let family = if slow_start { "proportional, start of a period" } else { "proportional, instant" };
    let system = System::new(family, format!("rate {lam}, target {target}, every {period} s"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn)
        .with("requests in the system", Reading::Jobs, exact.mean_jobs)
        .with("instances ready", Reading::Ready, exact.active)
        .with("share that waits", Reading::Waited, exact.wait_probability);
    Ok(if slow_start { system.with("instances starting", Reading::Starting, exact.pending) } else { system })
}

/// A step from 800 to 2000 requests a second over 10 instances of 100 a second; 19 more serve 30 s later: one second
/// until the threshold fires, and a cold start of 29 s.
///
/// Nothing is random. A fluid has no whole requests, so a count of them may be off by one on each of the 29 instances,
/// a time by what they take to serve those, and the total delay by those for as long as there is a backlog.
fn step_response() -> Result<System, Error> {
    let (instances, capacity, time_s) = (29.0, 2900.0, 0.01);
    let exact = fluid_step(2000.0, 1000.0, capacity, 30.0)?;
    let tables = "[instances]\ninitial = 10\ncold_start = \"29s\"\n\n\
                  [metrics]\nscrape_interval = \"1s\"\nwindow = \"1s\"\n\n\
                  [autoscaler]\nkind = \"threshold\"\nmetric = \"request_rate\"\ninterval = \"1s\"\nmin = 10\nmax = 29\n\
                  up = { above = 1000, step = 19 }\ndown = { below = 1 }";
    let text = Text {
        arrivals: "kind = \"steps\"\nloads = [800, 2000, 2000]\nstep = \"60s\"".to_owned(),
        service: format!("time = \"{}ms\"", time_s * 1000.0),
        tables: tables.to_owned(),
        rate: 2000.0,
        requests: 340_000.0,
        warmup_s: 10.0,
    };
    let drain = instances / (capacity - 2000.0);
    let mut system = System::new("fluid step response", "800 to 2000/s, 10 then 29 instances", text)
        .within("maximum waiting", Reading::PeakQueue, exact.peak_backlog, instances)
        .within("longest wait", Reading::LongestWait, exact.longest_delay, 2.0 * time_s)
        .within("time to drain", Reading::DrainedAfter(90.0), exact.drain_time, drain + 0.01)
        .within("total delay", Reading::TotalDelay, exact.total_delay, instances * (30.0 + exact.drain_time));
    system.scenario =
        system.scenario.replace("replications = 20", "replications = 1\ntimeline_interval = \"10ms\"");
    Ok(system)
}
