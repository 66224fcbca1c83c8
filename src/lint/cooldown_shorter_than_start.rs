//! A pause, a window or a look-back that is over before an instance asked for is ready: what is on its way is not seen, and
//! more is asked for.

use super::subject::{Subject, seconds, text};
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "cooldown-shorter-than-start", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let start = subject.start_s();
    let short = |key: String, held: Option<f64>| {
        let held = held.filter(|held| *held < start)?;
        Some(Trap {
            reason: format!(
                "an instance takes {start:.0} s to start, but `autoscaler.{key}` is over after {held:.0} s: more are asked \
                 for before those on their way can show what they do"
            ),
            fix: format!("take at least {start:.0} s, or a policy that counts what is starting"),
        })
    };
    let found = match subject.kind() {
        // Its rule steps up from what is asked for; a size taken from a target counts what is on its way.
        "threshold" if adds_too_many(subject, start) => {
            let held = subject.seconds("up/cooldown").unwrap_or(0.0);
            vec![short("up.cooldown".to_owned(), Some(held))]
        }
        "knative" => vec![backlog(subject, start)],
        "azure_monitor" => {
            let out = |rule: &serde_json::Value| text(rule, "direction") == Some("out");
            let rules = subject.list("rules").iter().enumerate().filter(|(_, rule)| out(rule));
            rules
                .map(|(index, rule)| {
                    let held = rule.get("cooldown").and_then(seconds).unwrap_or(300.0);
                    short(format!("rules.{index}.cooldown"), Some(held))
                })
                .collect()
        }
        "aws" => {
            let steps = |policy: &serde_json::Value| {
                text(policy, "type") == Some("step_scaling")
                    && text(policy, "comparison").is_none_or(|c| c.starts_with("greater"))
            };
            let policies = subject.list("policies").iter().enumerate().filter(|(_, policy)| steps(policy));
            policies
                .map(|(index, policy)| {
                    let warmup = subject.seconds("instance_warmup");
                    let held = policy.get("cooldown").and_then(seconds).or(warmup);
                    short(format!("policies.{index}.cooldown"), held)
                })
                .collect()
        }
        _ => Vec::new(),
    };
    if !subject.scales() {
        return Vec::new();
    }
    found.into_iter().flatten().collect()
}

/// Times the instances of the peak that a maximum may be and still bound what is asked for.
const BOUND: f64 = 2.0;

/// Knative counts what waits as load: while the first instances start, all that has come meanwhile is asked instances for. A longer
/// window does not help; a maximum near what the peak takes does (knative#13284: 575 pods).
fn backlog(subject: &Subject<'_>, start_s: f64) -> Option<Trap> {
    let window = subject.seconds("stable_window").unwrap_or(60.0);
    let (needed, most) = (subject.needed().max(1.0), subject.model.autoscaler.limits().max);
    (start_s > window && f64::from(most) > BOUND * needed).then(|| Trap {
        reason: format!(
            "an instance takes {start_s:.0} s to start, longer than `autoscaler.stable_window` ({window:.0} s): what waits meanwhile \
             counts as load, and up to {} are asked for where the peak takes {:.0}",
            if most == u32::MAX { "any number".to_owned() } else { most.to_string() },
            needed.ceil()
        ),
        fix: format!(
            "set `autoscaler.max_scale` near what the peak takes, {:.0} or somewhat more, or keep more by `min_scale` so that less waits",
            needed.ceil()
        ),
    })
}

/// Whether the steps taken while the first of them starts add more than the peak takes.
fn adds_too_many(subject: &Subject<'_>, start_s: f64) -> bool {
    let interval = subject.seconds("interval").unwrap_or(15.0);
    let pause = subject.seconds("up/cooldown").unwrap_or(0.0).max(interval).max(1e-3);
    let steps = (start_s / pause).floor();
    let step = subject.at("up/step");
    if let Some(percent) = step.and_then(|step| step.as_str()?.strip_suffix('%')?.trim().parse::<f64>().ok())
    {
        // Each step is a share of what there is by then, what is starting included.
        return (1.0 + percent / 100.0).powf(steps) > 2.0;
    }
    steps * step.and_then(serde_json::Value::as_f64).unwrap_or(1.0) > subject.needed().max(1.0)
}
