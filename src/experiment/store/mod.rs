//! Where records are kept, so that nothing is simulated twice.

mod board;
#[cfg(feature = "cli")]
mod file;
#[cfg(feature = "cli")]
mod folder;
#[cfg(feature = "cli")]
mod log;
mod memory;
mod shard_records;
mod stored;

pub use board::{Board, BoardStore};
#[cfg(feature = "cli")]
pub use file::{FileStore, StoreError, StoreScope};
#[cfg(feature = "cli")]
pub use folder::FolderBoard;
pub use memory::MemoryStore;
pub use shard_records::ShardRecords;

use super::{Record, RecordKey, Shard};

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

    /// The share that this process begins with, where several do the same work and each sees what the others have put; `None`
    /// where there is one alone.
    fn shard(&self) -> Option<Shard> {
        None
    }
}
