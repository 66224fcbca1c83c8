//! A record with its key, as it is written.

use serde::{Deserialize, Serialize};

use super::{Record, RecordKey};
use crate::experiment::CaseId;

/// A [`RecordKey`] as it is written.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    case: [u8; 16],
    seed: u64,
    replication: u32,
}

/// The key and behind it the record, with the bytes of the record alone.
pub(super) fn entry(key: &RecordKey, record: &Record) -> (Vec<u8>, usize) {
    let RecordKey { case, seed, replication } = *key;
    let stored = StoredKey { case: case.to_bytes(), seed, replication };
    // Nothing in them refuses to be written, and memory is all that is written to.
    let mut content = postcard::to_allocvec(&stored).unwrap_or_default();
    let record = record.to_bytes();
    content.extend_from_slice(&record);
    (content, record.len())
}

/// The key at the beginning of an entry, and the bytes of the record; `None` if it is no entry.
pub(super) fn parts(entry: &[u8]) -> Option<(RecordKey, &[u8])> {
    let (stored, record) = postcard::take_from_bytes::<StoredKey>(entry).ok()?;
    let StoredKey { case, seed, replication } = stored;
    Some((RecordKey { case: CaseId::from_bytes(case), seed, replication }, record))
}
