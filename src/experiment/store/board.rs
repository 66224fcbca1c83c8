//! Records that several processes share while each does the same work: what one has simulated, the others need not.

use std::fmt;

use super::stored::{entry, parts};
use super::{MemoryStore, Record, RecordKey, Shard, Store};

/// Where processes put what they have simulated, and find what the others have: a folder that all of them see, an actor of a
/// cluster.
///
/// It may be slow, and it may lose what is put: who finds nothing simulates it.
///
/// ```
/// use std::sync::Mutex;
///
/// use kneepoint::shards::{Board, recommend_shared};
/// use kneepoint::{Options, Scenario};
///
/// /// A board that nobody else looks at.
/// #[derive(Debug, Default)]
/// struct Alone(Mutex<usize>);
///
/// impl Board for Alone {
///     fn put(&self, entry: Vec<u8>) {
///         *self.0.lock().unwrap() += usize::from(!entry.is_empty());
///     }
///     fn take(&self) -> Vec<Vec<u8>> {
///         Vec::new()
///     }
/// }
///
/// let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
///     instances = 20\n[slo]\nlatency = \"3s\"\npercentile = 90\n[run]\nduration = \"5m\"\n\
///     [sweep.parameters]\n\"autoscaler.instances\" = [8, 12, 20]";
/// let board = Alone::default();
/// let found = recommend_shared(&Scenario::parse(text)?, None, (0, 2), &board, &Options::default())?;
/// assert!(found.complete() && *board.0.lock().unwrap() > 0);
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub trait Board: fmt::Debug + Sync {
    /// Shows an entry to the others.
    fn put(&self, entry: Vec<u8>);

    /// The entries of others that have come since it was last asked; none if there are none now.
    fn take(&self) -> Vec<Vec<u8>>;
}

impl<B: Board + ?Sized> Board for &B {
    fn put(&self, entry: Vec<u8>) {
        (**self).put(entry);
    }

    fn take(&self) -> Vec<Vec<u8>> {
        (**self).take()
    }
}

/// The records of this process, and of the others by way of a [`Board`].
#[derive(Debug)]
pub struct BoardStore<B> {
    records: MemoryStore,
    board: B,
    shard: Shard,
}

impl<B: Board> BoardStore<B> {
    /// Records that are shared by `board`; the process begins with the share of `shard`.
    pub fn new(board: B, shard: Shard) -> BoardStore<B> {
        BoardStore { records: MemoryStore::default(), board, shard }
    }

    /// The board.
    pub fn board(&self) -> &B {
        &self.board
    }

    fn take_in(&self) {
        for entry in self.board.take() {
            // What is no entry of this version is not found, and so simulated.
            if let Some((key, record)) = parts(&entry) {
                self.records.keep(key, record.to_vec());
            }
        }
    }
}

impl<B: Board> Store for BoardStore<B> {
    fn get(&self, key: &RecordKey) -> Option<Record> {
        self.records.get(key).or_else(|| {
            self.take_in();
            self.records.get(key)
        })
    }

    fn put(&self, key: &RecordKey, record: &Record) {
        let (entry, length) = entry(key, record);
        self.records.keep(*key, entry[entry.len() - length..].to_vec());
        self.board.put(entry);
    }

    fn shard(&self) -> Option<Shard> {
        Some(self.shard)
    }
}
