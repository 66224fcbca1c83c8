//! A maximum that the peak of the arrivals exceeds: no policy can serve it.

use super::subject::Subject;
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "maximum-below-peak", find };

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    let autoscaler = &subject.model.autoscaler;
    let (needed, max) = (subject.needed(), autoscaler.limits().max);
    if needed <= f64::from(max) {
        return Vec::new();
    }
    vec![Trap {
        reason: format!(
            "the arrivals keep {needed:.1} instances busy at their peak; `{}` allows {max}",
            autoscaler.limiting_path()
        ),
        fix: format!(
            "allow at least {:.0}, or accept that the peak waits or is rejected",
            (needed / 0.8).ceil()
        ),
    }]
}
