//! Records in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Record, RecordKey, Store};
use crate::sorting::Sorting as _;

/// Records kept in memory, as bytes: a tenth of the size that they have in use.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<RecordKey, Vec<u8>>>);

impl MemoryStore {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records().len()
    }

    /// Whether there is none.
    #[cfg(feature = "internals")]
    pub fn is_empty(&self) -> bool {
        self.records().is_empty()
    }

    /// Keeps the bytes of a record under `key`.
    pub(super) fn keep(&self, key: RecordKey, record: Vec<u8>) {
        self.records().entry(key).or_insert(record);
    }

    /// Every record as bytes, in ascending order of their keys.
    pub(super) fn all(&self) -> Vec<(RecordKey, Vec<u8>)> {
        let mut all: Vec<_> = self.records().iter().map(|(key, record)| (*key, record.clone())).collect();
        all.sort_once_by_key(|(key, _)| *key);
        all
    }

    fn records(&self) -> MutexGuard<'_, HashMap<RecordKey, Vec<u8>>> {
        // The map is whole after every statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &RecordKey) -> Option<Record> {
        let bytes = self.records().get(key).cloned()?;
        Record::from_bytes(&bytes)
    }

    fn put(&self, key: &RecordKey, record: &Record) {
        self.keep(*key, record.to_bytes());
    }
}
