//! What is evaluated: a scenario under a condition, and its identity.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::FIGURES;
use crate::scenario::{Scenario, defaults};
use crate::sim::Metrics;

/// Raised whenever the same scenario comes to other results than before: by another order of random draws, a corrected
/// policy, or a figure with another meaning. Records of other versions are not found in a store, and so computed anew.
pub const RESULTS_VERSION: u32 = 1;

/// Under what circumstances a scenario is evaluated: what may happen, as against what the user chooses. Cases under one
/// condition share their requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// As the scenario is written.
    #[default]
    AsWritten,
}

/// Some replications of one scenario under one condition.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// What is run.
    pub scenario: &'a Scenario,
    /// Under what circumstances.
    pub condition: Condition,
    /// Numbers of the replications.
    pub replications: Range<u32>,
}

impl Case<'_> {
    /// Every replication that `scenario` asks for, as it is written.
    pub fn whole(scenario: &Scenario) -> Case<'_> {
        Case::some(scenario, 0..scenario.run.replications)
    }

    /// These replications of `scenario`, as it is written.
    pub fn some(scenario: &Scenario, replications: Range<u32>) -> Case<'_> {
        Case { scenario, condition: Condition::AsWritten, replications }
    }

    /// What a record of it is stored under.
    pub fn key(&self, replication: u32) -> RecordKey {
        let case = CaseId::of(self.scenario, self.condition);
        RecordKey { case, seed: self.scenario.run.seed, replication }
    }
}

/// Identity of a scenario under a condition: equal if every seed gives the same records. The same scenario written in
/// another way has the same identity; anything that can change a result gives another one.
///
/// A part of a hash (SHA-256) of the scenario's tables with their defaults, of the bytes of every file they name, and of
/// [`RESULTS_VERSION`]. Seed and replication are not part of it: see [`RecordKey`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseId([u8; 16]);

impl CaseId {
    /// That of `scenario` as it would run now: with the warm-up it has, found or given.
    pub fn of(scenario: &Scenario, condition: Condition) -> CaseId {
        let Metrics { scrape_interval, phase, window, delay } = scenario.model.metrics;
        let (model, run) = (&scenario.model, &scenario.run);
        let mut hash = Sha256::new().chain_update(version()).chain_update(scenario.identity.bytes());
        for span in
            [model.duration, model.warmup, run.timeline_interval, scrape_interval, phase, window, delay]
        {
            hash.update(span.as_nanos().to_le_bytes());
        }
        hash.update(match condition {
            Condition::AsWritten => [0],
        });
        CaseId::first_of(hash)
    }

    /// That of an identity's bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> CaseId {
        CaseId(bytes)
    }

    /// Its bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    fn first_of(hash: Sha256) -> CaseId {
        let mut first = [0; 16];
        first.copy_from_slice(&hash.finalize()[..16]);
        CaseId(first)
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaseId({self})")
    }
}

/// What every identity rests on beside the scenario: [`RESULTS_VERSION`], the defaults of the schema, and the figures that
/// a record has.
pub fn version() -> [u8; 16] {
    static VERSION: OnceLock<CaseId> = OnceLock::new();
    let of_version = || {
        let mut hash = Sha256::new().chain_update(RESULTS_VERSION.to_le_bytes()).chain_update(defaults());
        FIGURES.iter().for_each(|figure| hash.update(figure.name));
        CaseId::first_of(hash)
    };
    VERSION.get_or_init(of_version).0
}

/// What one record is stored under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey {
    /// The scenario and its condition.
    pub case: CaseId,
    /// The seed.
    pub seed: u64,
    /// Number of the replication.
    pub replication: u32,
}
