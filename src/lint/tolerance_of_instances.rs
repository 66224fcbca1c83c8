//! A tolerance that is more than one instance at the size the traffic takes: within it, instances that are missing are not
//! asked for.

use super::subject::Subject;
use super::{Lint, Trap};

pub(super) const LINT: Lint = Lint { name: "tolerance-of-instances", find };

/// What Kubernetes takes without a value.
const DEFAULT: f64 = 0.1;

/// Instances within the tolerance from which on it is coarse; the default is within it up to ten instances.
const COARSE: f64 = 1.0;

fn find(subject: &Subject<'_>) -> Vec<Trap> {
    if !["hpa", "keda"].contains(&subject.kind()) {
        return Vec::new();
    }
    let of_all = subject.number("tolerance").unwrap_or(DEFAULT);
    let tolerance = subject.number("behavior/scale_up/tolerance").unwrap_or(of_all);
    let limits = subject.model.autoscaler.limits();
    let size = subject.needed().min(f64::from(limits.max));
    let within = tolerance * size;
    if within <= COARSE {
        return Vec::new();
    }
    vec![Trap {
        reason: format!(
            "at the peak the arrivals take {size:.0} instances, of which a tolerance of {tolerance} leaves {:.0} missing \
             without asking for one",
            within.floor()
        ),
        fix: format!(
            "take a scale-up tolerance of at most {:.3} (one instance), or a target lower by the tolerance",
            1.0 / size
        ),
    }]
}
