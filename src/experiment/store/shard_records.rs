//! The records of one shard as bytes, to be carried from one process to another.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{MemoryStore, RecordKey, Shard};
use crate::experiment::CaseId;
use crate::experiment::case::version;

/// Bytes of the checksum at the beginning.
const CHECKSUM_BYTES: usize = 16;

/// The records of one shard.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShardRecords {
    /// Of the program that made them.
    version: [u8; 16],
    /// Index from 0, and how many shards there are.
    shard: (u32, u32),
    records: Vec<KeptRecord>,
}

/// A record as bytes, and what it is of.
#[derive(Debug, Serialize, Deserialize)]
struct KeptRecord {
    case: [u8; 16],
    seed: u64,
    replication: u32,
    bytes: Vec<u8>,
}

impl ShardRecords {
    /// All that `store` has, as those of `shard`.
    pub fn of(store: &MemoryStore, shard: Shard) -> ShardRecords {
        let record = |(key, bytes): (RecordKey, Vec<u8>)| {
            let RecordKey { case, seed, replication } = key;
            KeptRecord { case: case.to_bytes(), seed, replication, bytes }
        };
        let records = store.all().into_iter().map(record).collect();
        ShardRecords { version: version(), shard: (shard.index(), shard.of()), records }
    }

    /// As bytes, with a checksum.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Nothing in them refuses to be written, and memory is all that is written to.
        let content = postcard::to_allocvec(self).unwrap_or_default();
        [&Sha256::digest(&content)[..CHECKSUM_BYTES], &content].concat()
    }

    /// Those written by [`ShardRecords::to_bytes`]; `None` if they are damaged, something else, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Option<ShardRecords> {
        let (checksum, content) = bytes.split_at_checked(CHECKSUM_BYTES)?;
        if Sha256::digest(content)[..CHECKSUM_BYTES] != *checksum {
            return None;
        }
        postcard::from_bytes(content).ok().filter(|records: &ShardRecords| records.version == version())
    }

    /// Which shard they are of.
    pub fn shard(&self) -> Option<Shard> {
        Shard::new(self.shard.0, self.shard.1)
    }

    /// Puts them into `store`; gives how many of them `is_known` knows the case and seed of, and how many there are.
    pub fn put_into(self, store: &MemoryStore, is_known: impl Fn(CaseId, u64) -> bool) -> (usize, usize) {
        let count = self.records.len();
        let mut known = 0;
        for KeptRecord { case, seed, replication, bytes } in self.records {
            let case = CaseId::from_bytes(case);
            known += usize::from(is_known(case, seed));
            store.keep(RecordKey { case, seed, replication }, bytes);
        }
        (known, count)
    }
}
