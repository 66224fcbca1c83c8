//! Where records are kept, so that nothing is simulated twice.

#[cfg(feature = "cli")]
mod file;
#[cfg(feature = "cli")]
mod log;
mod memory;

#[cfg(feature = "cli")]
pub use file::{FileStore, StoreError, StoreScope};
pub use memory::MemoryStore;

use super::{Record, RecordKey};

/// Keeps records by what they are of. Shared by the threads that evaluate.
///
/// A store may forget: what it does not have is simulated.
pub trait Store: std::fmt::Debug + Sync {
    /// The record kept under `key`.
    fn get(&self, key: &RecordKey) -> Option<Record>;

    /// Whether there is a record under `key`.
    fn has(&self, key: &RecordKey) -> bool {
        self.get(key).is_some()
    }

    /// Keeps `record` under `key`. A record that is there already stays: by the meaning of its key it is the same.
    fn put(&self, key: &RecordKey, record: &Record);
}
