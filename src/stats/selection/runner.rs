//! A setting in the race: what was seen of it, and what that says.

use std::borrow::Cow;

use super::{Look, Observation};
use crate::stats::interval::one_sided_t;
use crate::stats::misses::Expected;
use crate::stats::{Linearised, Misses};

/// A setting in the race.
#[derive(Debug, Clone, Default)]
pub(super) struct Runner {
    pub seen: Vec<Observation>,
    /// Of each promise, by what was seen.
    pub misses: Vec<Option<Misses>>,
    /// Whether what was seen has been judged.
    pub screened: bool,
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    #[default]
    Running,
    /// Surely misses the promise, or was proposed and not confirmed.
    Out,
}

impl Runner {
    pub fn tell(&mut self, each: impl IntoIterator<Item = Observation>, allowed: &[f64]) {
        self.seen.extend(each);
        self.misses = AllMisses::of(&self.seen, allowed).misses.into_owned();
        self.screened = false;
    }

    pub fn all<'a>(&'a self, allowed: &'a [f64]) -> AllMisses<'a> {
        AllMisses { misses: Cow::Borrowed(&self.misses), allowed }
    }

    pub fn count(&self) -> u32 {
        self.seen.len() as u32
    }

    /// The mean cost of the first replications.
    pub fn mean_cost(&self, replications: usize) -> f64 {
        let costs = self.seen.iter().take(replications).map(|each| each.cost);
        if replications == 0 { f64::INFINITY } else { costs.sum::<f64>() / replications as f64 }
    }
}

/// The share of the cost of `other` that `this` costs more, over the replications that both have.
pub(super) fn cost_above(this: &Runner, other: &Runner) -> Option<f64> {
    let both = this.seen.len().min(other.seen.len());
    let (cost, reference) = (this.mean_cost(both), other.mean_cost(both));
    let more = (cost - reference) / reference.abs().max(f64::MIN_POSITIVE);
    Some(more).filter(|more| both > 0 && !more.is_nan())
}

/// Whether `this` costs at most a share more than `other`, replication by replication, but for a probability of error.
pub(super) fn surely_within(this: &Runner, other: &Runner, (share, error): (f64, f64)) -> bool {
    surely_positive(this, other, error, |this, other| (1.0 + share) * other - this)
}

/// Whether `this` costs more than `other`, replication by replication, but for this probability of `error`.
pub(super) fn surely_dearer(this: &Runner, other: &Runner, error: f64) -> bool {
    surely_positive(this, other, error, |this, other| this - other)
}

/// Whether a difference of costs is above zero in the mean of the replications that both have, but for a probability of error.
fn surely_positive(this: &Runner, other: &Runner, error: f64, of: impl Fn(f64, f64) -> f64) -> bool {
    let more = this.seen.iter().zip(&other.seen).map(|(this, other)| of(this.cost, other.cost));
    let more = Linearised::of_values(&more.collect::<Vec<_>>());
    let t = one_sided_t(error, more.replications().saturating_sub(1) as u32);
    let least = |(mean, t): (f64, f64)| mean - t * more.variance_of_mean().sqrt();
    more.mean().zip(t).map(least).is_some_and(|least| least > 0.0)
}

impl Look {
    /// What the limits of a setting are expected to come to at it.
    pub fn expected(&self) -> Expected {
        Expected::new(self.replications, self.error)
    }
}

/// The misses of each promise, with what it allows.
pub(super) struct AllMisses<'a> {
    misses: Cow<'a, [Option<Misses>]>,
    allowed: &'a [f64],
}

impl<'a> AllMisses<'a> {
    pub fn of(seen: &[Observation], allowed: &'a [f64]) -> AllMisses<'a> {
        let one = |promise: usize| {
            let each = seen.iter().filter_map(|seen| seen.promises.get(promise));
            Misses::of(each.map(|kept| (kept.missed, kept.counted)))
        };
        AllMisses { misses: (0..allowed.len()).map(one).collect(), allowed }
    }

    /// Whether something is known of each.
    pub fn is_whole(&self) -> bool {
        self.misses.iter().all(Option::is_some)
    }

    pub fn all(&self, holds: impl Fn(&Misses, f64) -> bool) -> bool {
        let holds = |(misses, allowed): (&Option<Misses>, &f64)| {
            misses.as_ref().is_some_and(|misses| holds(misses, *allowed))
        };
        self.misses.iter().zip(self.allowed).all(holds)
    }

    pub fn any(&self, holds: impl Fn(&Misses, f64) -> bool) -> bool {
        self.misses
            .iter()
            .zip(self.allowed)
            .any(|(misses, allowed)| misses.as_ref().is_some_and(|misses| holds(misses, *allowed)))
    }

    /// The greatest of such shares as a multiple of what is allowed; infinite if one is not known.
    pub fn worst(&self, share: impl Fn(&Misses) -> f64) -> f64 {
        let times = |(misses, allowed): (&Option<Misses>, &f64)| match misses.as_ref().map(&share) {
            Some(share) if share <= *allowed => share / allowed.max(f64::MIN_POSITIVE),
            Some(share) => (share / allowed.max(1e-12)).max(1.0 + f64::EPSILON),
            None => f64::INFINITY,
        };
        self.misses.iter().zip(self.allowed).map(times).fold(0.0, f64::max)
    }
}
