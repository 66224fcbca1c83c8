//! The rows of a trace that are replayed, with the requirements of their requests.

use std::ops::Range;
use std::sync::Arc;

use crate::service::TraceColumnMeans;
use crate::traffic::{Packed, Trace};

/// The rows of a trace that are replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRows {
    pub(super) trace: Arc<Trace>,
    pub(super) part: Range<usize>,
}

impl TraceRows {
    /// The trace.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Indices of the rows that are replayed, at least one.
    pub fn part(&self) -> Range<usize> {
        self.part.clone()
    }

    /// Means over these rows of the columns that the trace has.
    pub fn column_means(&self) -> TraceColumnMeans {
        let mean = |column: &Packed| {
            let values = column.range(self.part());
            let count = values.len();
            (count > 0).then(|| values.map(u128::from).sum::<u128>() as f64 / count as f64)
        };
        TraceColumnMeans {
            service_s: mean(&self.trace.service).map(|nanos| nanos / 1e9),
            prompt_tokens: mean(&self.trace.prompt_tokens),
            output_tokens: mean(&self.trace.output_tokens),
        }
    }
}
