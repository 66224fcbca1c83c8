//! What takes part in a comparison.

use super::{Figures, Replications, SeenMetric};
use crate::scenario::Scenario;

/// One of the settings that are compared, over its replications.
#[derive(Debug, Clone)]
pub struct Contender {
    /// What it is called; each has a name of its own.
    pub name: String,
    /// What was run.
    pub scenario: Scenario,
    /// Every figure.
    pub figures: Figures,
    /// The figures of each replication.
    pub replications: Replications,
    /// What the metrics came to that the decisions of replication 0 rest on.
    pub seen: Vec<SeenMetric>,
}
