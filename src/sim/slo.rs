//! `[slo]`: what the service promises.

use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::Span;

/// A promise: such a share of requests is answered within such a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// The latency promised.
    pub latency: Span,
    /// The share of requests it is promised for, in percent: 99 for a p99.
    pub percentile: f64,
}

const LATENCY: Key<Span> = Key::required("latency", "The latency promised.").above(0.0);
const PERCENTILE: Key<f64> = Key::or(
    "percentile",
    "99",
    "The share of requests the promise is for, in percent. Requests rejected, timed out or failed miss it.",
)
.above(0.0)
.at_most(99.999);

impl Slo {
    /// The `[slo]` table.
    pub const SPEC: TableSpec = TableSpec {
        name: "slo",
        doc: "What the service promises: such a share of requests answered within such a time.",
        keys: &[&LATENCY, &PERCENTILE],
    };

    /// Reads the `[slo]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>) -> Result<Slo, Problem> {
        Ok(Slo { latency: reader.get(&LATENCY)?, percentile: reader.get(&PERCENTILE)? })
    }

    /// The percentile as a fraction.
    pub fn quantile(&self) -> f64 {
        self.percentile / 100.0
    }
}
