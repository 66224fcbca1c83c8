//! One queue before a fixed pool.

use super::reading::Reading;
use super::system::{EXPONENTIAL, System, Text, fixed, servers as counted};
use crate::theory::single::{GiM1, Interarrival, Mg1, SineLoad, priority_waits};
use crate::theory::{Error, impatient, markovian};

pub(super) fn systems() -> Result<Vec<System>, Error> {
    let mut all = vec![common_queue(0.5, 1)?, common_queue(0.8, 1)?, common_queue(0.9, 1)?];
    for (rate, servers) in [(1.6, 2), (6.5, 8), (17.0, 20)] {
        all.push(common_queue(rate, servers)?);
    }
    for (rate, servers, most) in [(0.8, 1, 5), (3.6, 4, 8), (12.0, 10, 15)] {
        all.push(bounded(rate, servers, most)?);
    }
    for (name, time) in [
        ("exponential", "{ dist = \"exponential\", mean = \"1s\" }"),
        ("constant", "\"1s\""),
        ("lognormal, cv 2", "{ dist = \"lognormal\", mean = \"1s\", cv = 2 }"),
    ] {
        all.push(loss(8.0, 10, name, time)?);
        all.push(infinite(6.0, name, time)?);
    }
    for (name, time, moments) in SERVICES {
        all.push(single(0.6, name, time, moments)?);
        all.push(single(0.8, name, time, moments)?);
    }
    for (rate, servers) in [(0.7, 1), (0.9, 1), (1.6, 2), (3.4, 4), (7.0, 8)] {
        all.push(constant_service(rate, servers)?);
    }
    for (rate, servers, cv2) in [(1.6, 2, 4.0), (3.2, 4, 4.0), (2.1, 3, 9.0)] {
        all.push(hyperexponential(rate, servers, cv2)?);
    }
    for (rate, servers) in [(1.6, 2), (3.4, 4)] {
        all.push(erlang(rate, servers)?);
    }
    all.push(renewal("constant", 0.8, Interarrival::Deterministic)?);
    for (rate, cv) in [(0.5, 2.0), (0.8, 0.5), (0.6, 3.5)] {
        all.push(renewal(&format!("gamma, cv {cv}"), rate, Interarrival::Gamma(1.0 / (cv * cv)))?);
    }
    all.push(modulated([0.5, 0.9], [0.1, 0.1], 1)?);
    all.push(modulated([1.2, 0.0], [1.0, 1.0], 1)?);
    all.push(modulated([6.0, 1.0], [0.05, 0.02], 4)?);
    for (rate, servers, theta) in [(0.8, 1, 0.5), (5.5, 5, 0.2), (12.0, 10, 1.0)] {
        all.push(impatience(rate, servers, theta)?);
    }
    for (rate, servers, tau) in [(0.8, 1, 2.0), (5.5, 5, 1.0), (11.0, 10, 0.25)] {
        all.push(timeout(rate, servers, tau)?);
    }
    all.push(priority([0.3, 0.5])?);
    all.push(priority([0.5, 0.2])?);
    all.push(sine(10.0, 5.0, 600.0, 20.0)?);
    all.push(sine(8.0, 8.0, 100.0, 5.0)?);
    Ok(all)
}

/// Services of mean 1 s with their first three moments.
const SERVICES: [(&str, &str, [f64; 3]); 4] = [
    ("constant", "\"1s\"", [1.0, 1.0, 1.0]),
    ("Erlang of 4 stages", "{ dist = \"erlang\", mean = \"1s\", k = 4 }", [1.0, 1.25, 1.875]),
    (
        "uniform from 0.5 to 1.5 s",
        "{ dist = \"uniform\", min = \"500ms\", max = \"1500ms\" }",
        [1.0, 13.0 / 12.0, 1.25],
    ),
    // Two branches: 0.25 of mean 2.5 s, 0.75 of mean 0.5 s; moments 2 Σ p m² and 6 Σ p m³.
    (
        "hyperexponential",
        "{ dist = \"hyperexponential\", p = 0.25, mean1 = \"2500ms\", mean2 = \"500ms\" }",
        [1.0, 3.5, 24.0],
    ),
];

/// Time over which a common queue forgets, a few times over: 1/(1 - rho)² services.
fn warmup(rate: f64, servers: usize) -> f64 {
    let spare = 1.0 - rate / servers as f64;
    (20.0 / (spare * spare)).max(200.0).ceil()
}

fn common_queue(rate: f64, servers: usize) -> Result<System, Error> {
    let exact = markovian::Mmc::new(rate, 1.0, servers)?;
    let text = Text { warmup_s: warmup(rate, servers), ..Text::markovian(rate, fixed(servers)) };
    let family = if servers == 1 { "M/M/1" } else { "M/M/c" };
    let quantile = exact.sojourn_quantile(0.95).ok_or(Error::OutOfRange)?;
    Ok(System::new(family, format!("rate {rate}, {}", counted(servers)), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("mean wait", Reading::Wait, exact.mean_wait())
        .with("share that waits", Reading::Waited, exact.wait_probability)
        .with("sojourn p95", Reading::SojournQuantile(0.95), quantile)
        .with("requests in the system", Reading::Jobs, exact.mean_jobs()))
}

fn bounded(rate: f64, servers: usize, most: usize) -> Result<System, Error> {
    let exact = markovian::Mmck::new(rate, 1.0, servers, most)?;
    let queue = format!("[dispatch]\nqueue_capacity = {}\n\n{}", most - servers, fixed(servers));
    let text = Text { warmup_s: 200.0, ..Text::markovian(rate, queue) };
    let quantile = exact.wait_quantile(0.95).ok_or(Error::OutOfRange)?;
    Ok(System::new("M/M/c/K", format!("rate {rate}, {}, {most} in all", counted(servers)), text)
        .with("share rejected", Reading::Rejected, exact.blocking())
        .with("mean wait", Reading::Wait, exact.mean_wait())
        .with("wait p95", Reading::WaitQuantile(0.95), quantile)
        .with("requests in the system", Reading::Jobs, exact.mean_jobs()))
}

fn loss(load: f64, servers: usize, name: &str, time: &str) -> Result<System, Error> {
    let blocking = markovian::erlang_b(load, servers)?;
    let tables = format!("[dispatch]\nqueue_capacity = 0\n\n{}", fixed(servers));
    let service = format!("time = {time}");
    let text = Text { service, warmup_s: 200.0, ..Text::markovian(load, tables) };
    Ok(System::new("Erlang B", format!("load {load}, {}, {name}", counted(servers)), text)
        .with("share rejected", Reading::Rejected, blocking)
        .with("servers busy", Reading::Busy, load * (1.0 - blocking)))
}

fn infinite(load: f64, name: &str, time: &str) -> Result<System, Error> {
    // An instance for every request, which is gone with it; 60 are as good as no limit.
    let blocking = markovian::erlang_b(load, 60)?;
    let tables = "[autoscaler]\nkind = \"setup\"\nmax = 60";
    let service = format!("time = {time}");
    let text = Text { service, warmup_s: 200.0, ..Text::markovian(load, tables) };
    Ok(System::new("M/G/∞", format!("load {load}, {name}"), text)
        .with("requests in service", Reading::Busy, load * (1.0 - blocking))
        .with("instances", Reading::Ready, load * (1.0 - blocking)))
}

fn single(rate: f64, name: &str, time: &str, moments: [f64; 3]) -> Result<System, Error> {
    let exact = Mg1::new(rate, moments)?;
    let service = format!("time = {time}");
    let text = Text { service, warmup_s: 1000.0, ..Text::markovian(rate, fixed(1)) };
    Ok(System::new("M/G/1", format!("rate {rate}, {name}"), text)
        .with("mean wait", Reading::Wait, exact.mean_wait())
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("requests waiting", Reading::Queue, exact.mean_queue())
        .with("share that waits", Reading::Waited, exact.utilisation()))
}

fn constant_service(rate: f64, servers: usize) -> Result<System, Error> {
    let exact = markovian::Mdc::new(rate, 1.0, servers)?;
    let service = "time = \"1s\"".to_owned();
    let text = Text { service, warmup_s: warmup(rate, servers), ..Text::markovian(rate, fixed(servers)) };
    let quantile = exact.wait_quantile(0.95).ok_or(Error::OutOfRange)?;
    let family = if servers == 1 { "M/D/1" } else { "M/D/c" };
    Ok(System::new(family, format!("rate {rate}, {}", counted(servers)), text)
        .with("mean wait", Reading::Wait, exact.mean_wait())
        .with("share that waits", Reading::Waited, exact.wait_probability())
        .with("wait p95", Reading::WaitQuantile(0.95), quantile))
}

fn hyperexponential(rate: f64, servers: usize, cv2: f64) -> Result<System, Error> {
    let exact = markovian::mh2c(rate, 1.0, cv2, servers)?;
    let service = format!("time = {{ dist = \"hyperexponential\", mean = \"1s\", cv = {} }}", cv2.sqrt());
    let text =
        Text { service, warmup_s: 2.0 * warmup(rate, servers), ..Text::markovian(rate, fixed(servers)) };
    Ok(phases("M/H2/c", format!("rate {rate}, {}, squared cv {cv2}", counted(servers)), text, &exact))
}

fn erlang(rate: f64, servers: usize) -> Result<System, Error> {
    let exact = markovian::me2c(rate, 1.0, servers)?;
    let service = "time = { dist = \"erlang\", mean = \"1s\", k = 2 }".to_owned();
    let text = Text { service, warmup_s: warmup(rate, servers), ..Text::markovian(rate, fixed(servers)) };
    Ok(phases("M/E2/c", format!("rate {rate}, {}", counted(servers)), text, &exact))
}

fn phases(family: &'static str, case: String, text: Text, exact: &markovian::Queue) -> System {
    System::new(family, case, text)
        .with("mean wait", Reading::Wait, exact.mean_wait)
        .with("share that waits", Reading::Waited, exact.wait_probability)
        .with("requests in the system", Reading::Jobs, exact.mean_jobs)
}

fn renewal(name: &str, rate: f64, law: Interarrival) -> Result<System, Error> {
    let exact = GiM1::new(rate, 1.0, law)?;
    let arrivals = match law {
        Interarrival::Deterministic => format!("kind = \"renewal\"\ninterarrival = \"{}s\"", 1.0 / rate),
        Interarrival::Gamma(shape) => format!("kind = \"renewal\"\nrate = {rate}\ncv = {}", shape.powf(-0.5)),
    };
    let text = Text { arrivals, ..Text::markovian(rate, fixed(1)) };
    let quantile = exact.sojourn_quantile(0.95).ok_or(Error::OutOfRange)?;
    Ok(System::new("GI/M/1", format!("rate {rate}, {name}"), text)
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("share that waits", Reading::Waited, exact.sigma)
        .with("sojourn p95", Reading::SojournQuantile(0.95), quantile))
}

fn modulated(rates: [f64; 2], leave: [f64; 2], servers: usize) -> Result<System, Error> {
    let (exact, waits) = markovian::mmpp2(rates, leave, 1.0, servers)?;
    let rate = (rates[0] * leave[1] + rates[1] * leave[0]) / (leave[0] + leave[1]);
    let state = |i: usize| format!("{{ rate = {}, duration = \"{}s\" }}", rates[i], 1.0 / leave[i]);
    let arrivals = format!("kind = \"mmpp\"\nstates = [{}, {}]", state(0), state(1));
    // Long stays in each state make neighbouring requests alike over thousands of them.
    let text = Text { arrivals, requests: 1e6, ..Text::markovian(rate, fixed(servers)) };
    let case = format!("rates {} and {}, {}", rates[0], rates[1], counted(servers));
    Ok(System::new("MMPP/M/c", case, text)
        .with("mean wait", Reading::Wait, exact.mean_wait)
        .with("share that waits", Reading::Waited, exact.wait_probability)
        .with("wait p95", Reading::WaitQuantile(0.95), waits[0].ok_or(Error::OutOfRange)?))
}

fn impatience(rate: f64, servers: usize, theta: f64) -> Result<System, Error> {
    let exact = impatient::erlang_a(rate, 1.0, servers, theta)?;
    let patience = format!("{{ dist = \"exponential\", mean = \"{}s\" }}", 1.0 / theta);
    let tables = format!("[dispatch]\ntimeout = {patience}\n\n{}", fixed(servers));
    let text = Text { warmup_s: 200.0, ..Text::markovian(rate, tables) };
    Ok(System::new("Erlang A", format!("rate {rate}, {}, patience 1/{theta}", counted(servers)), text)
        .with("share timed out", Reading::TimedOut, exact.abandoned)
        .with("mean wait of all", Reading::WaitOfAll, exact.mean_wait)
        .with("servers busy", Reading::Busy, exact.busy))
}

fn timeout(rate: f64, servers: usize, tau: f64) -> Result<System, Error> {
    let exact = impatient::timeout(rate, 1.0, servers, tau)?;
    let tables = format!("[dispatch]\ntimeout = \"{tau}s\"\n\n{}", fixed(servers));
    let text = Text { warmup_s: 200.0, ..Text::markovian(rate, tables) };
    Ok(System::new("M/M/c+D", format!("rate {rate}, {}, time-out {tau} s", counted(servers)), text)
        .with("share timed out", Reading::TimedOut, exact.abandoned)
        .with("mean wait of all", Reading::WaitOfAll, exact.mean_wait)
        .with("mean wait of the served", Reading::Wait, exact.mean_wait_served(tau)))
}

fn priority(rates: [f64; 2]) -> Result<System, Error> {
    let waits = priority_waits(&rates, 1.0)?;
    let rate = rates[0] + rates[1];
    let tables = format!("[dispatch]\nhigh_priority = {}\n\n{}", rates[0] / rate, fixed(1));
    let text = Text::markovian(rate, tables);
    Ok(System::new("M/M/1 with priority", format!("rates {} and {}", rates[0], rates[1]), text)
        .with("mean wait, high class", Reading::HighWait, waits[0])
        .with("mean wait, low class", Reading::LowWait, waits[1]))
}

fn sine(mean: f64, swing: f64, period: f64, service: f64) -> Result<System, Error> {
    let exact = SineLoad::new(mean, swing, period, service)?;
    let (amplitude, peak_at) = (swing / mean, period / 4.0);
    let arrivals = format!(
        "kind = \"diurnal\"\nrate = {mean}\namplitude = {amplitude}\nperiod = \"{period}s\"\npeak_at = \"{peak_at}s\""
    );
    // One instance that takes every request there is.
    let text = Text {
        arrivals,
        service: format!("{}\nconcurrency = 2000", EXPONENTIAL.replace("1s", &format!("{service}s"))),
        tables: fixed(1),
        rate: mean,
        requests: 10.0 * mean * period,
        warmup_s: period,
    };
    let mut system = System::new("M(t)/M/∞", format!("rate {mean} ± {swing}, period {period} s"), text);
    system.scenario += &format!("timeline_interval = \"{}s\"\n", period / 20.0);
    let points = [("rising", 3), ("at its peak", 7), ("falling", 12), ("at its trough", 17)];
    Ok(points.into_iter().fold(system, |system, (name, window)| {
        let end_s = f64::from(window) * period / 20.0;
        let jobs = exact.mean_between(end_s - period / 20.0, end_s);
        system.with(
            &format!("requests in service, {name}"),
            Reading::JobsAtPhase { period_s: period, end_s },
            jobs,
        )
    }))
}
