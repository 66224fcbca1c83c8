//! Users in a closed loop, who think between an answer and their next request.

use super::reading::Reading;
use super::system::{EXPONENTIAL, System, Text, fixed, servers as counted};
use crate::theory::Error;
use crate::theory::closed::Repairmen;

pub(super) fn systems() -> Result<Vec<System>, Error> {
    let mut all = Vec::new();
    for (users, think, servers) in [(1, 4.0, 1), (10, 10.0, 1), (20, 10.0, 1), (12, 4.0, 2), (60, 9.0, 5)] {
        all.push(queued(users, "exponential", think, servers)?);
    }
    for law in ["constant", "lognormal"] {
        all.push(queued(12, law, 4.0, 2)?);
    }
    for (name, time) in [
        ("exponential", "{ dist = \"exponential\", mean = \"1s\" }"),
        ("lognormal, cv 2", "{ dist = \"lognormal\", mean = \"1s\", cv = 2 }"),
        ("constant", "\"1s\""),
    ] {
        all.push(shared(10, 8.0, name, time)?);
    }
    Ok(all)
}

/// Users with this law of the think time, in the place of arrivals.
fn text(users: usize, law: &str, think: f64, rate: f64, service: String, servers: usize) -> Text {
    let think_time = match law {
        "constant" => format!("\"{think}s\""),
        "lognormal" => format!("{{ dist = \"lognormal\", mean = \"{think}s\", cv = 2 }}"),
        law => format!("{{ dist = \"{law}\", mean = \"{think}s\" }}"),
    };
    let client = format!("[client]\nusers = {users}\nthink_time = {think_time}");
    Text {
        arrivals: String::new(),
        service,
        tables: format!("{client}\n\n{}", fixed(servers)),
        rate,
        requests: 3e5,
        warmup_s: 2000.0,
    }
}

fn queued(users: usize, law: &str, think: f64, servers: usize) -> Result<System, Error> {
    let exact = Repairmen::new(users, think, 1.0, servers)?;
    let text = text(users, law, think, exact.throughput(), EXPONENTIAL.to_owned(), servers);
    let family = match (law, servers) {
        ("exponential", 1) => "M/M/1//N",
        ("exponential", _) => "M/M/c//N",
        _ => "G/M/c//N",
    };
    let think = match law {
        "lognormal" => format!("{law}, cv 2, {think} s"),
        law => format!("{law}, {think} s"),
    };
    let users = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
    let system = System::new(family, format!("{users}, think time {think}, {}", counted(servers)), text)
        .with("requests per second", Reading::ArrivalRate, exact.throughput())
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("requests in the system", Reading::Jobs, exact.mean_jobs())
        .with("utilization", Reading::Utilization, exact.utilisation());
    // A request of a lone user never waits: there is nothing to estimate.
    Ok(match exact.wait_quantile(0.95).filter(|quantile| *quantile > 0.0) {
        Some(quantile) => system.with("share that waits", Reading::Waited, exact.wait_probability()).with(
            "wait p95",
            Reading::WaitQuantile(0.95),
            quantile,
        ),
        None => system,
    })
}

fn shared(users: usize, think: f64, name: &str, time: &str) -> Result<System, Error> {
    let exact = Repairmen::new(users, think, 1.0, 1)?;
    let service = format!("model = \"shared\"\ntime = {time}\nconcurrency = {users}");
    let text = text(users, "exponential", think, exact.throughput(), service, 1);
    let family = if name == "exponential" { "M/M/1//N-PS" } else { "M/G/1//N-PS" };
    Ok(System::new(family, format!("{users} users, think time {think} s, {name}"), text)
        .with("requests per second", Reading::ArrivalRate, exact.throughput())
        .with("mean sojourn", Reading::Sojourn, exact.mean_sojourn())
        .with("requests in the system", Reading::Jobs, exact.mean_jobs()))
}
