//! A deadline that is over before an instance is ready: of the probe that decides whether it may go on starting, or of those
//! who wait for it.

use super::subject::Subject;
use super::{Lint, Trap};
use crate::time::Span;

pub(super) const LINT: Lint = Lint { name: "deadline-shorter-than-start", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let start = subject.start_s();
    let mut found = Vec::new();
    let model = subject.model;
    let trap = |what: String, deadline: f64, fix: &str| Trap {
        reason: format!("an instance takes {start:.0} s to start, but {what} after {deadline:.0} s"),
        fix: fix.to_owned(),
    };
    if subject.kind() == "knative" {
        let deadline = subject.seconds("progress_deadline").unwrap_or(600.0);
        if deadline < start {
            let what = "`autoscaler.progress_deadline` gives it up".to_owned();
            found.push(trap(what, deadline, "take a longer progress deadline"));
        }
    }
    let patience = model.client.timeout.map(Span::as_secs_f64);
    let queue = model.dispatch.patience.as_ref().map(|patience| patience.0.mean());
    let shortest = patience.into_iter().chain(queue).fold(f64::INFINITY, f64::min);
    if model.autoscaler.limits().min == 0 && subject.scales() && shortest < start {
        let what = "the requests that wait for the first one give up".to_owned();
        found.push(trap(what, shortest, "keep one instance (`min = 1`), start faster, or wait longer"));
    }
    found
}
