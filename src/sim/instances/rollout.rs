//! `[[instances.rollout]]`: a new version of the service takes the place of the old one while requests come.
//!
//! Rules: the rolling update of a Deployment, `pkg/controller/deployment/rolling.go` of Kubernetes.

use crate::schema::{Context, Data, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

/// A rolling update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rollout {
    /// When it begins.
    pub at: Span,
    /// Instances that there may be beyond those asked for.
    pub max_surge: Portion,
    /// Instances of those asked for that need not be ready.
    pub max_unavailable: Portion,
}

/// A number of instances, or a percentage of those asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Portion {
    /// So many.
    Instances(u32),
    /// So many in a hundred.
    Percent(f64),
}

impl Portion {
    /// Of so many instances, rounded by `round`.
    fn of(self, desired: u32, round: fn(f64) -> f64) -> u32 {
        match self {
            Portion::Instances(count) => count,
            Portion::Percent(percent) => round(f64::from(desired) * percent / 100.0) as u32,
        }
    }
}

impl Value for Portion {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::Integer, Kind::Text])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        if let Data::Integer(_) | Data::Float(_) = node.data {
            return u32::read(node, path, context).map(Portion::Instances);
        }
        let percent = match &node.data {
            Data::Text(text) => text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok()),
            _ => None,
        };
        let percent = percent.filter(|percent: &f64| (0.0..=100.0).contains(percent));
        percent.map(Portion::Percent).ok_or_else(|| {
            let message = format!("`{path}` is {}", node.to_json());
            Problem::new(
                &node.place,
                message,
                "expected a number of instances, or a percentage such as \"25%\"",
            )
        })
    }
}

const AT: Key<Span> = Key::required("at", "When it begins.");
const MAX_SURGE: Key<Portion> = Key::or(
    "max_surge",
    "\"25%\"",
    "Instances that there may be beyond those asked for, a number or a percentage of them, rounded up (`maxSurge`).",
);
const MAX_UNAVAILABLE: Key<Portion> = Key::or(
    "max_unavailable",
    "\"25%\"",
    "Instances of those asked for that need not be ready, a number or a percentage of them, rounded down (`maxUnavailable`); 1 where both come to nothing.",
);

const SPEC: TableSpec = TableSpec {
    name: "instances.rollout",
    doc: "A rolling update, as of a Deployment: every instance that there is gives way to a new one, which starts cold. New ones start as far as `max_surge` allows, old ones drain as soon as enough are ready; those that are not ready yet go first. Where fewer are asked for meanwhile, old ones go before new ones. An HPA sees all of them in `status.replicas`. Not with `warm_pool`.",
    keys: &[&AT, &MAX_SURGE, &MAX_UNAVAILABLE],
};

impl Value for Rollout {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        Ok(Rollout {
            at: reader.get(&AT)?,
            max_surge: reader.get(&MAX_SURGE)?,
            max_unavailable: reader.get(&MAX_UNAVAILABLE)?,
        })
    }
}

/// A rolling update under way.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Rolling {
    rollout: Rollout,
    /// Instances of lower numbers are of the old version.
    pub first_new: u32,
}

/// The instances that there are in a rolling update: those asked for, and by version those on their way in and those ready.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Versions {
    pub desired: u32,
    pub old_coming: u32,
    pub old_ready: u32,
    pub new_coming: u32,
    pub new_ready: u32,
}

/// What a rolling update does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sim) struct Moves {
    /// New instances to ask for.
    pub start: u32,
    /// Old ones on their way in to be given up.
    pub cancel_old: u32,
    /// Old ones that are ready to be drained.
    pub drain_old: u32,
    /// New ones that are too many.
    pub stop_new: u32,
}

impl Rolling {
    pub fn new(rollout: Rollout, first_new: u32) -> Rolling {
        Rolling { rollout, first_new }
    }

    /// What is to be done about these instances.
    pub fn moves(&self, versions: Versions) -> Moves {
        let Versions { desired, old_coming, old_ready, new_coming, new_ready } = versions;
        let surge = self.rollout.max_surge.of(desired, f64::ceil);
        let unavailable = match self.rollout.max_unavailable.of(desired, f64::floor) {
            0 if surge == 0 => 1,
            unavailable => unavailable,
        };
        let (most, least_ready) = (desired.saturating_add(surge), desired.saturating_sub(unavailable));
        let (old, new) = (old_coming + old_ready, new_coming + new_ready);
        if old + new > most {
            // Fewer are asked for than before.
            let excess = old + new - most;
            let cancel_old = excess.min(old_coming);
            let drain_old = (excess - cancel_old).min(old_ready);
            let stop_new = (excess - cancel_old - drain_old).max(new.saturating_sub(desired));
            return Moves { cancel_old, drain_old, stop_new, start: 0 };
        }
        let start = (most - old - new).min(desired.saturating_sub(new));
        // Those that have just been asked for are not ready either.
        let all = old + new + start;
        let spare = all.saturating_sub(least_ready).saturating_sub(new_coming + start);
        let cancel_old = spare.min(old_coming);
        let drain_old =
            (old_ready + new_ready).saturating_sub(least_ready).min(spare - cancel_old).min(old_ready);
        Moves { start, cancel_old, drain_old, stop_new: new.saturating_sub(desired) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(surge: u32, unavailable: u32, counts: [u32; 5]) -> [u32; 4] {
        let portion = Portion::Instances;
        let rollout =
            Rollout { at: Span::ZERO, max_surge: portion(surge), max_unavailable: portion(unavailable) };
        let [desired, old_coming, old_ready, new_coming, new_ready] = counts;
        let versions = Versions { desired, old_coming, old_ready, new_coming, new_ready };
        let Moves { start, cancel_old, drain_old, stop_new } = Rolling::new(rollout, 0).moves(versions);
        [start, cancel_old, drain_old, stop_new]
    }

    #[test]
    fn one_at_a_time_waits_for_each_new_one() {
        assert_eq!(
            moves(1, 0, [3, 0, 3, 0, 0]),
            [1, 0, 0, 0],
            "one more than asked for, none may be missing"
        );
        assert_eq!(moves(1, 0, [3, 0, 3, 1, 0]), [0, 0, 0, 0]);
        assert_eq!(moves(1, 0, [3, 0, 3, 0, 1]), [0, 0, 1, 0], "four are ready: an old one may go");
        assert_eq!(moves(1, 0, [3, 0, 2, 0, 1]), [1, 0, 0, 0]);
        assert_eq!(moves(1, 0, [3, 0, 1, 0, 3]), [0, 0, 1, 0]);
    }

    #[test]
    fn what_is_not_ready_goes_first_and_both_zero_is_one_missing() {
        assert_eq!(
            moves(1, 1, [4, 2, 2, 0, 0]),
            [1, 1, 0, 0],
            "five in all, three are to be ready, one is new"
        );
        assert_eq!(moves(0, 0, [3, 0, 3, 0, 0]), [0, 0, 1, 0]);
        assert_eq!(moves(0, 0, [3, 0, 2, 0, 0]), [1, 0, 0, 0]);
    }

    #[test]
    fn fewer_asked_for_takes_old_ones_before_new_ones() {
        assert_eq!(moves(1, 0, [2, 1, 2, 1, 1]), [0, 1, 1, 0]);
        assert_eq!(
            moves(1, 0, [1, 1, 2, 1, 1]),
            [0, 1, 2, 1],
            "new ones are never more than those asked for"
        );
        assert_eq!(moves(0, 0, [1, 0, 1, 1, 2]), [0, 0, 1, 2]);
        assert_eq!(moves(1, 0, [2, 0, 0, 0, 3]), [0, 0, 0, 1], "the surge is for the old ones");
    }

    #[test]
    fn percentages_round_up_for_the_surge_and_down_for_what_is_missing() {
        assert_eq!(Portion::Percent(25.0).of(5, f64::ceil), 2);
        assert_eq!(Portion::Percent(25.0).of(7, f64::floor), 1);
    }
}
