//! Whether a promise is kept, by the limits of its misses.

use serde::Serialize;

use crate::stats::{CONFIDENCE, Misses};

/// Whether a promise is kept, as far as the replications can tell.
///
/// ```
/// use kneepoint::{Options, Scenario, SloVerdict, sweep};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"1m\"";
/// let mut scenario = Scenario::parse(text)?;
/// scenario.set("run.replications", "5")?;
/// scenario.set("sweep.parameters", "{ 'autoscaler.instances' = [4, 30] }")?;
/// let result = sweep(&scenario, &Options::default())?;
/// // Half as many instances as it takes, and plenty: but five replications are too few to be sure of that.
/// let verdicts: Vec<_> = result.points().iter().map(|point| point.keeps_slo).collect();
/// assert_eq!(verdicts, [Some(SloVerdict::No), Some(SloVerdict::SoFar)]);
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SloVerdict {
    /// The share of requests that miss it is at most the share allowed, by the safest of three limits.
    Yes,
    /// Kept in the replications there are, which are too few to tell: fewer than 20, among which the one that matters may
    /// be missing; or none of them misses anything, and they are fewer than it takes to know how rare one that does is.
    SoFar,
    /// More requests miss it than it allows, throughout the interval.
    No,
    /// The replications do not tell.
    Uncertain,
}

/// Minimum number of replications by which a promise is called kept: below, even the safest limit is too low where misses come in
/// bursts that few replications have.
pub const LEAST_FOR_KEPT: u32 = 20;

impl SloVerdict {
    /// Whether `misses` leave at least a share `promised` of the requests.
    pub fn of(misses: Option<&Misses>, promised: f64) -> SloVerdict {
        SloVerdict::among(misses, 1.0 - promised, 1)
    }

    /// Whether `misses` are at most `allowed`, of a promise that is one of so many that are judged together.
    ///
    /// That all are kept is said if each is, at the error of one: the claim is wrong only if some promise is missed, and
    /// then the verdict on that one is (the intersection-union test; Berger, Technometrics 24, 1982). That one of them is
    /// missed is said at that error divided by their number (Bonferroni), for any of them may seem to be.
    pub fn among(misses: Option<&Misses>, allowed: f64, promises: usize) -> SloVerdict {
        let Some(misses) = misses else { return SloVerdict::Uncertain };
        let error = (1.0 - CONFIDENCE) / 2.0;
        // Rounding must not decide where misses are exactly what is allowed.
        let within = |limit: f64| limit <= allowed * (1.0 + 1e-9);
        if misses.lower_limit(error / promises.max(1) as f64).is_some_and(|limit| !within(limit)) {
            return SloVerdict::No;
        }
        match misses.upper_limit(error) {
            Some(limit) if within(limit) && misses.replications() >= LEAST_FOR_KEPT => SloVerdict::Yes,
            Some(limit) if within(limit) || misses.none() => SloVerdict::SoFar,
            _ => SloVerdict::Uncertain,
        }
    }

    /// Replications that it takes to call a promise of this share kept, if they go on as these do.
    pub fn replications_to_be_kept(misses: Option<&Misses>, promised: f64) -> u32 {
        match misses {
            Some(misses) if misses.none() => {
                let (allowed, error) = (1.0 - promised, (1.0 - CONFIDENCE) / 2.0);
                Misses::replications_without_a_miss(allowed * (1.0 + 1e-9), error).max(LEAST_FOR_KEPT)
            }
            _ => LEAST_FOR_KEPT,
        }
    }

    /// How bad it is, the worst the greatest.
    pub(super) fn rank(self) -> u8 {
        match self {
            SloVerdict::Yes => 0,
            SloVerdict::SoFar => 1,
            SloVerdict::Uncertain => 2,
            SloVerdict::No => 3,
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            SloVerdict::Yes => "yes",
            SloVerdict::SoFar => "so_far",
            SloVerdict::No => "no",
            SloVerdict::Uncertain => "uncertain",
        }
    }
}
