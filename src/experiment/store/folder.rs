//! A board in a folder that all processes see: a file of records for each of them, which the others read.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::file::{Entries, Head, Header};
use super::stored::parts;
use super::{Board, FileStore, Shard, StoreError, StoreScope};

/// How often the files of others are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A folder in which each process writes a file of its own, as [`FileStore`] does, and reads those of the others as they grow.
#[derive(Debug)]
pub struct FolderBoard {
    own: FileStore,
    others: Mutex<Others>,
}

#[derive(Debug)]
struct Others {
    files: Vec<Other>,
    looked: Option<Instant>,
    /// What this process left when it was stopped.
    earlier: Vec<Vec<u8>>,
}

/// The file of another process.
#[derive(Debug)]
struct Other {
    path: PathBuf,
    header: Header,
    /// Bytes that have been read.
    end: u64,
}

impl FolderBoard {
    /// Begins the file of `shard` in `folder`, or goes on with it if it is to be resumed; `scope` says what all of them are of.
    ///
    /// # Errors
    /// It cannot be made or read, another process has it, or it was written for other cases or by another version.
    pub fn open(
        folder: &Path,
        resume: bool,
        scope: &StoreScope,
        shard: Shard,
    ) -> Result<FolderBoard, StoreError> {
        let of = |shard: Shard| StoreScope {
            command: format!("{} --shard {shard}", scope.command),
            ..scope.clone()
        };
        let path = folder.join(shard.file_name());
        let own = match resume {
            true => FileStore::resume(&path, &of(shard))?,
            false => FileStore::create(&path, &of(shard))?,
        };
        let other = |shard: Shard| Other {
            path: folder.join(shard.file_name()),
            header: Header::of(&of(shard)),
            end: 0,
        };
        let mut earlier = other(shard).take();
        earlier.shrink_to_fit();
        let files = Shard::all(shard.of()).filter(|each| *each != shard).map(other).collect();
        Ok(FolderBoard { own, others: Mutex::new(Others { files, looked: None, earlier }) })
    }

    /// Why its own file is no longer written, if that is so.
    pub fn failure(&self) -> Option<StoreError> {
        self.own.failure()
    }
}

impl Board for FolderBoard {
    fn put(&self, entry: Vec<u8>) {
        if let Some((key, record)) = parts(&entry) {
            self.own.append(&key, &entry, record.len());
            self.own.flush();
        }
    }

    fn take(&self) -> Vec<Vec<u8>> {
        // The list is whole after every statement.
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let Others { files, looked, earlier } = &mut *others;
        if looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Vec::new();
        }
        *looked = Some(Instant::now());
        let found = files.iter_mut().flat_map(Other::take);
        std::mem::take(earlier).into_iter().chain(found).collect()
    }
}

impl Other {
    /// The entries that have been added. What cannot be read, is of other cases or not there yet is looked at again the next
    /// time.
    fn take(&mut self) -> Vec<Vec<u8>> {
        let Ok(file) = File::open(&self.path) else { return Vec::new() };
        // Begun anew meanwhile.
        if file.metadata().is_ok_and(|metadata| metadata.len() < self.end) {
            self.end = 0;
        }
        let mut entries = Entries::of(&file);
        if self.end == 0 {
            match entries.header() {
                Ok(Head::Whole(header)) if header.check(&self.header, &self.path).is_ok() => {}
                _ => return Vec::new(),
            }
        } else if entries.skip(self.end).is_err() {
            return Vec::new();
        }
        let mut found = Vec::new();
        while let Ok(Some((_, content))) = entries.next() {
            found.push(content);
        }
        self.end = entries.end;
        found
    }
}
