//! What KEDA answers the HPA while the source of a trigger fails.
//!
//! Source: `GetMetricsWithFallback` of `pkg/fallback/fallback.go` (kedacore/keda at 8b4f083).

use super::release::Release;
use crate::autoscaler::hpa::metric::Target;
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};

/// `[autoscaler.fallback]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fallback {
    /// Failures in a row that are put up with.
    pub failure_threshold: i64,
    pub replicas: i64,
    pub behavior: Behavior,
}

/// How many replicas a fallback stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behavior {
    Static,
    Current,
    CurrentIfHigher,
    CurrentIfLower,
    /// A name of a formula that fails is nil there; `replicas` if the formula comes to nil.
    ScalingModifiers,
}

impl Choice for Behavior {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("static", Behavior::Static, "`replicas`"),
        ("current_replicas", Behavior::Current, "as many as are asked for"),
        ("current_replicas_if_higher", Behavior::CurrentIfHigher, "the greater of the two"),
        ("current_replicas_if_lower", Behavior::CurrentIfLower, "the smaller of the two"),
        (
            "scaling_modifiers",
            Behavior::ScalingModifiers,
            "a name of the formula that fails is nil there, for `??`; `replicas` if the formula comes to nil (2.20)",
        ),
    ];
}

impl Value for Behavior {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const FAILURE_THRESHOLD: Key<f64> = Key::required(
    "failure_threshold",
    "Maximum failures in a row before the fallback; a negative number turns it off.",
)
.at_least(-1e6)
.at_most(1e6);
const REPLICAS: Key<f64> =
    Key::required("replicas", "The replicas to fall back to; a negative number turns the fallback off.")
        .at_least(-1e6)
        .at_most(1e6);
const BEHAVIOR: Key<Behavior> =
    Key::or("behavior", "\"static\"", "How many replicas the fallback stands for.");

const SPEC: TableSpec = TableSpec {
    name: "fallback",
    doc: "Fallback while a trigger fails: the HPA gets the load of this number of replicas, and the trigger counts as active. In a simulation triggers do not fail; in a replay they can.",
    keys: &[&FAILURE_THRESHOLD, &REPLICAS, &BEHAVIOR],
};

impl Value for Fallback {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let whole = |key: &Key<f64>| match reader.get(key)? {
            number if number.fract() == 0.0 => Ok(number as i64),
            number => {
                let message = format!("`{}` is {number}", reader.path_of(key.name()));
                Err(reader.problem(key.name(), message, "expected a whole number"))
            }
        };
        Ok(Fallback {
            failure_threshold: whole(&FAILURE_THRESHOLD)?,
            replicas: whole(&REPLICAS)?,
            behavior: reader.get(&BEHAVIOR)?,
        })
    }
}

/// What the HPA is told of a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Its value, in thousandths.
    Measured(i64),
    /// The load of `replicas` replicas, in thousandths.
    FellBack { value: i64, replicas: i64 },
    /// Nothing.
    Failed,
}

impl Answer {
    /// The value, if there is one.
    pub fn value(self) -> Option<i64> {
        match self {
            Answer::Measured(value) | Answer::FellBack { value, .. } => Some(value),
            Answer::Failed => None,
        }
    }
}

/// Answers for one trigger and counts its failures, at a sync as at a poll. `current` replicas are asked for, `ready` of
/// them ready.
pub(crate) fn answer(
    fallback: Option<&Fallback>,
    (target, release): (Target, Release),
    measured: Option<i64>,
    failures: &mut i64,
    current: i32,
    ready: Option<u32>,
) -> Answer {
    if let Some(value) = measured {
        *failures = 0;
        return Answer::Measured(value);
    }
    *failures += 1;
    let Some(fallback) =
        fallback.filter(|fallback| fallback.failure_threshold >= 0 && fallback.replicas >= 0)
    else {
        return Answer::Failed;
    };
    if *failures <= fallback.failure_threshold {
        return Answer::Failed;
    }
    let current = i64::from(current);
    let replicas = match fallback.behavior {
        Behavior::Static => fallback.replicas,
        Behavior::Current => current,
        Behavior::CurrentIfHigher => current.max(fallback.replicas),
        Behavior::CurrentIfLower => current.min(fallback.replicas),
        // What fails within a formula is the formula's; a formula that fails has no value.
        Behavior::ScalingModifiers => return Answer::Failed,
    };
    let value = match (target, ready) {
        (Target::AverageValue(target), _) => target.saturating_mul(replicas),
        // The HPA multiplies the ratio by the ready pods, so their share counts; without any there is no answer.
        (Target::Value(target), Some(ready)) if ready > 0 && release.falls_back_by_value() => {
            (target / i64::from(ready)).saturating_mul(replicas)
        }
        _ => return Answer::Failed,
    };
    Answer::FellBack { value, replicas }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FALLBACK: Fallback = Fallback { failure_threshold: 3, replicas: 10, behavior: Behavior::Static };
    const TARGET: (Target, Release) = (Target::AverageValue(10_000), Release::Newest);

    fn after(failures: i64, fallback: &Fallback, current: i32) -> Answer {
        answer(Some(fallback), TARGET, None, &mut { failures }, current, None)
    }

    #[test]
    fn failures_beyond_the_threshold_give_the_load_of_the_fallbacks_replicas() {
        assert_eq!(after(2, &FALLBACK, 1), Answer::Failed, "the third is put up with");
        assert_eq!(after(3, &FALLBACK, 1), Answer::FellBack { value: 100_000, replicas: 10 });
        let lower = Fallback { behavior: Behavior::CurrentIfLower, ..FALLBACK };
        assert_eq!(after(3, &lower, 4).value(), Some(40_000));
        let higher = Fallback { behavior: Behavior::CurrentIfHigher, ..FALLBACK };
        assert_eq!(
            (after(3, &higher, 4).value(), after(3, &higher, 14).value()),
            (Some(100_000), Some(140_000))
        );
    }

    #[test]
    fn a_success_starts_the_count_again() {
        let mut failures = 5;
        let measured = answer(Some(&FALLBACK), TARGET, Some(6000), &mut failures, 1, None);
        assert_eq!((measured, failures), (Answer::Measured(6000), 0));
    }

    #[test]
    fn a_value_is_shared_by_the_ready_pods_and_negative_settings_turn_it_off() {
        let of = |release, ready| {
            answer(Some(&FALLBACK), (Target::Value(10_000), release), None, &mut 9, 1, ready)
        };
        let value = |ready| of(Release::Newest, ready);
        assert_eq!(of(Release::V2_17, Some(5)), Answer::Failed, "only averages had one");
        assert_eq!(
            (value(Some(5)).value(), value(Some(0)), value(None)),
            (Some(20_000), Answer::Failed, Answer::Failed)
        );
        assert_eq!(after(9, &Fallback { failure_threshold: -1, ..FALLBACK }, 1), Answer::Failed);
        assert_eq!(answer(None, TARGET, None, &mut 9, 1, None), Answer::Failed);
    }
}
