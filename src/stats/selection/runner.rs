//! A setting in the race: what was seen of it, and what that says.

use super::Observation;
use crate::stats::interval::one_sided_t;
use crate::stats::{Linearised, Misses};

/// A setting in the race.
#[derive(Debug, Clone, Default)]
pub(super) struct Runner {
    pub seen: Vec<Observation>,
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    #[default]
    Running,
    /// Dearer than one that seemed to keep the promise; comes back if none is confirmed.
    Parked,
    /// Surely misses the promise, or was proposed and not confirmed.
    Out,
}

impl Runner {
    pub fn misses<'a>(&self, allowed: &'a [f64]) -> AllMisses<'a> {
        AllMisses::of(&self.seen, allowed)
    }

    pub fn costs(&self) -> Linearised {
        Linearised::of_values(&self.seen.iter().map(|each| each.cost).collect::<Vec<_>>())
    }

    pub fn cost(&self) -> f64 {
        self.costs().mean().unwrap_or(f64::INFINITY)
    }

    /// Whether this costs more than `other`, replication by replication, but for this probability of `error`.
    pub fn surely_dearer(&self, other: &Runner, error: f64) -> bool {
        let extra = self.costs().minus(&other.costs());
        let t = one_sided_t(error, extra.replications().saturating_sub(1) as u32);
        let least = |(mean, t): (f64, f64)| mean - t * extra.variance_of_mean().sqrt();
        extra.mean().zip(t).map(least).is_some_and(|least| least > 0.0)
    }
}

/// The misses of each promise, with what it allows.
pub(super) struct AllMisses<'a>(pub Vec<Option<Misses>>, pub &'a [f64]);

impl<'a> AllMisses<'a> {
    pub fn of(seen: &[Observation], allowed: &'a [f64]) -> AllMisses<'a> {
        let one = |promise: usize| {
            let each = seen.iter().filter_map(|seen| seen.promises.get(promise));
            Misses::of(each.map(|kept| (kept.missed, kept.counted)))
        };
        AllMisses((0..allowed.len()).map(one).collect(), allowed)
    }

    /// Whether something is known of each.
    pub fn is_whole(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    pub fn all(&self, holds: impl Fn(&Misses, f64) -> bool) -> bool {
        let holds = |(misses, allowed): (&Option<Misses>, &f64)| {
            misses.as_ref().is_some_and(|misses| holds(misses, *allowed))
        };
        self.0.iter().zip(self.1).all(holds)
    }

    pub fn any(&self, holds: impl Fn(&Misses, f64) -> bool) -> bool {
        self.0
            .iter()
            .zip(self.1)
            .any(|(misses, allowed)| misses.as_ref().is_some_and(|misses| holds(misses, *allowed)))
    }

    /// The greatest of such shares as a multiple of what is allowed; infinite if one is not known.
    pub fn worst(&self, share: impl Fn(&Misses) -> f64) -> f64 {
        let times = |(misses, allowed): (&Option<Misses>, &f64)| match misses.as_ref().map(&share) {
            Some(share) if share <= *allowed => share / allowed.max(f64::MIN_POSITIVE),
            Some(share) => (share / allowed.max(1e-12)).max(1.0 + f64::EPSILON),
            None => f64::INFINITY,
        };
        self.0.iter().zip(self.1).map(times).fold(0.0, f64::max)
    }
}
