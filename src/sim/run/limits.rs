//! What stops a run from outside before its end.

use crate::cancel::CancelToken;

/// When a run stops before its end. Nothing of it reaches a result: a run that is stopped has none.
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// Stops the run at its next event.
    pub cancel: CancelToken,
    /// Requests that may wait at a time, so that the run fits into memory.
    pub max_waiting: u64,
}
