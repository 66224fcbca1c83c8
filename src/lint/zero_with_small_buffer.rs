//! Scale to zero with a queue that holds less than what arrives while the first instance starts: the rest is rejected.

use super::subject::Subject;
use super::{Lint, Trap};
use crate::random::Streams;

pub(super) const LINT: Lint = Lint { name: "zero-with-small-buffer", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let model = subject.model;
    let Some(capacity) = model.dispatch.queue_capacity else { return Vec::new() };
    if model.autoscaler.limits().min > 0 || !subject.scales() {
        return Vec::new();
    }
    let start = subject.start_s();
    let peak = subject.needed() * f64::from(model.slots()) / model.start(Streams::new(0, 0)).service_mean_s;
    let arriving = peak * start;
    if arriving <= capacity as f64 {
        return Vec::new();
    }
    vec![Trap {
        reason: format!(
            "the pool may be at zero, and a burst of {peak:.1} requests/s brings {arriving:.0} of them in the {start:.0} s that \
             the first instance takes to start: the queue holds {capacity}"
        ),
        fix: "keep one instance (`min = 1`), start faster, or take a larger `dispatch.queue_capacity`"
            .to_owned(),
    }]
}
