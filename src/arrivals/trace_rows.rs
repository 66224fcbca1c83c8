//! The rows of a trace that are replayed, with the requirements of their requests.

use std::ops::Range;
use std::sync::Arc;

use crate::service::TraceColumnMeans;
use crate::traffic::Trace;

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
        fn mean<T: Copy + Into<u64>>(column: &[T]) -> Option<f64> {
            let total: u128 = column.iter().map(|value| u128::from((*value).into())).sum();
            (!column.is_empty()).then(|| total as f64 / column.len() as f64)
        }
        fn part<T>(column: &[T], part: Range<usize>) -> &[T] {
            column.get(part).unwrap_or_default()
        }
        TraceColumnMeans {
            service_s: mean(part(&self.trace.service, self.part())).map(|nanos| nanos / 1e9),
            prompt_tokens: mean(part(&self.trace.prompt_tokens, self.part())),
            output_tokens: mean(part(&self.trace.output_tokens, self.part())),
        }
    }
}
