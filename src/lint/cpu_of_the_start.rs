//! A CPU metric where the start itself burns CPU: instances that have just come look busy, and more are asked for.

use super::subject::{Subject, text};
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "cpu-of-the-start", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let Some(first) = &subject.model.instances.first_request else { return Vec::new() };
    let first_s = first.0.mean();
    let usual_s = subject.model.service.time.0.mean();
    let by_cpu = match subject.kind() {
        "hpa" => subject.list("metrics").iter().any(|metric| metric.get("average_utilization").is_some()),
        "keda" => subject.list("triggers").iter().any(|trigger| text(trigger, "type") == Some("cpu")),
        "cloud_run" | "vertex" => subject.number("cpu_at_full_load").is_some_and(|cpu| cpu > 0.0),
        "threshold" | "target" => {
            subject.at("metric").and_then(|metric| metric.as_str()) == Some("utilization")
        }
        _ => false,
    };
    if !by_cpu || !subject.scales() || first_s < 10.0 * usual_s {
        return Vec::new();
    }
    vec![Trap {
        reason: format!(
            "the first request of an instance keeps it busy for {first_s:.0} s, {:.0} times as long as others, and the metric \
             is the CPU: every instance that is added looks like load",
            first_s / usual_s.max(1e-9)
        ),
        fix: "warm up before an instance is ready (a stage of `instances.cold_start`), or scale on requests"
            .to_owned(),
    }]
}
