//! A CPU metric where the start itself burns CPU: instances that have just come look busy, and more are asked for.

use super::subject::{Subject, text};
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "cpu-of-the-start", find };

/// Work of an instance's own, in seconds of a full instance, from which it looks like load.
const LEAST_WORK_S: f64 = 15.0;

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let by_cpu = match subject.kind() {
        "hpa" => subject.list("metrics").iter().any(|metric| metric.get("average_utilization").is_some()),
        "keda" => subject.list("triggers").iter().any(|trigger| text(trigger, "type") == Some("cpu")),
        "cloud_run" | "vertex" => subject.number("cpu_at_full_load").is_some_and(|cpu| cpu > 0.0),
        "threshold" | "target" => {
            subject.at("metric").and_then(|metric| metric.as_str()) == Some("utilization")
        }
        _ => false,
    };
    if !by_cpu || !subject.scales() {
        return Vec::new();
    }
    let start = first_request(subject).or_else(|| warm_up(subject));
    let trap = |start: String| Trap {
        reason: format!("{start}, and the metric is the CPU: every instance that is added looks like load"),
        fix: "warm up before an instance is ready (a stage of `instances.cold_start`), or scale on requests"
            .to_owned(),
    };
    start.map(trap).into_iter().collect()
}

fn first_request(subject: &Subject<'_>) -> Option<String> {
    let first_s = subject.model.instances.first_request.as_ref()?.0.mean();
    let times = first_s / subject.model.service.time.0.mean().max(1e-9);
    let text = format!(
        "the first request of an instance keeps it busy for {first_s:.0} s, {times:.0} times as long as others"
    );
    (times >= 10.0).then_some(text)
}

fn warm_up(subject: &Subject<'_>) -> Option<String> {
    let warm_up = subject.model.instances.warm_up.as_ref()?;
    let (time_s, utilization) = (warm_up.time.0.mean(), warm_up.utilization);
    let text = format!(
        "an instance keeps itself busy to {:.0} % for {time_s:.0} s after it is ready",
        100.0 * utilization
    );
    (time_s * utilization >= LEAST_WORK_S).then_some(text)
}
