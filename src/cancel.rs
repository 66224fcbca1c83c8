//! Stopping work from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop, shared by the work and whoever may stop it. Clones are the same token.
///
/// ```
/// use kneepoint::CancelToken;
///
/// let all = CancelToken::default();
/// let part = all.child();
/// part.cancel();
/// assert!(part.is_cancelled() && !all.is_cancelled());
/// assert!(!all.child().is_cancelled());
/// all.cancel();
/// assert!(all.child().is_cancelled());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    cancelled: AtomicBool,
    parent: Option<CancelToken>,
}

impl CancelToken {
    /// A token that is cancelled with this one, or by itself: for a part of the work.
    #[must_use]
    pub fn child(&self) -> CancelToken {
        CancelToken(Arc::new(Flag { cancelled: AtomicBool::new(false), parent: Some(self.clone()) }))
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work is asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
            || self.0.parent.as_ref().is_some_and(CancelToken::is_cancelled)
    }
}
