//! Records in a file that survives being killed at any moment.
//!
//! The file is a header and then one entry a record, appended when its run has finished. An entry is its length, a
//! checksum (CRC-32) and its content; the header is one too, after eight bytes that tell the kind of file. What is written
//! is never changed. When the file is opened, entries are read up to the first that is cut short or does not agree with its
//! checksum: that one was being written when the process was killed, and is cut off.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::log::{KEPT_BYTES, Log, PREFIX_BYTES, add_entry};
use super::stored::{entry, parts};
use super::{Record, RecordKey, Store};
use crate::experiment::case::{CaseId, version};

/// The first bytes of every file of records; the last of them is the version of the format.
const KIND: [u8; 8] = *b"kneerec\x01";

/// Longer than any entry: what claims to be longer is no entry.
const MAX_ENTRY_BYTES: u32 = 1 << 28;

/// Records in a file, for one process at a time.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    log: Log,
    /// Where the content of each record begins, and its length.
    places: HashMap<RecordKey, (u64, u32)>,
}

/// What a file of records is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreScope {
    /// The command that evaluates, such as "sweep".
    pub command: String,
    /// The cases, with their seeds, in any order.
    pub cases: Vec<(CaseId, u64)>,
}

/// What a file of records says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Of the program that wrote it: see [`version`].
    version: [u8; 16],
    command: String,
    /// Cases with their seeds, in ascending order.
    cases: Vec<([u8; 16], u64)>,
}

impl Header {
    pub(super) fn of(scope: &StoreScope) -> Header {
        let cases: BTreeSet<_> = scope.cases.iter().map(|(case, seed)| (case.to_bytes(), *seed)).collect();
        Header { version: version(), command: scope.command.clone(), cases: cases.into_iter().collect() }
    }
}

impl Header {
    /// Whether a file at `path` with this header is of what is `asked` for.
    pub(super) fn check(&self, asked: &Header, path: &Path) -> Result<(), StoreError> {
        if self.version != asked.version {
            return Err(StoreError::OtherKind(path.to_owned()));
        }
        if self.command != asked.command {
            return Err(StoreError::OtherCommand { path: path.to_owned(), stored: self.command.clone() });
        }
        if self.cases != asked.cases {
            let common = self.cases.iter().filter(|case| asked.cases.binary_search(case).is_ok()).count();
            let (stored, asked) = (self.cases.len(), asked.cases.len());
            return Err(StoreError::OtherCases { path: path.to_owned(), stored, asked, common });
        }
        Ok(())
    }
}

/// Why a file of records cannot be used.
#[derive(Debug)]
pub enum StoreError {
    /// It cannot be made, read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// Another process uses it.
    InUse(PathBuf),
    /// It is no file of records, or of another version of the program.
    OtherKind(PathBuf),
    /// Another command has left it.
    OtherCommand {
        /// The file.
        path: PathBuf,
        /// That command.
        stored: String,
    },
    /// Its records are those of other cases.
    OtherCases {
        /// The file.
        path: PathBuf,
        /// Cases it was made for.
        stored: usize,
        /// Cases asked for.
        asked: usize,
        /// Those that are among both.
        common: usize,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Io { path, why } => {
                write!(
                    f,
                    "cannot keep finished runs in `{}`: {}",
                    path.display(),
                    io::Error::from(why.kind())
                )
            }
            StoreError::InUse(path) => write!(
                f,
                "another process is writing to this folder: it holds `{}`\n  help: wait until it has ended, or choose \
                 another folder with --out",
                path.display()
            ),
            StoreError::OtherKind(path) => write!(
                f,
                "cannot resume: `{}` was not written by this version of kneepoint\n  help: without --resume everything is simulated again",
                path.display()
            ),
            StoreError::OtherCommand { path, stored } => write!(
                f,
                "cannot resume: `{}` was left by `kneepoint {stored}`\n  help: resume that, or simulate everything again without --resume",
                path.display()
            ),
            StoreError::OtherCases { path, stored, asked, common } => write!(
                f,
                "cannot resume: the scenario has changed since `{}` was written, so that its finished runs no longer apply: {common} of its {stored} settings are among the {asked} asked for now\n  help: undo the \
                 change, or simulate everything again without --resume",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StoreError {}

impl FileStore {
    /// Begins an empty file of records at `path`, in the place of one that is there; `scope` says which cases it is for, with
    /// their seeds.
    ///
    /// # Errors
    /// It cannot be made, or another process uses it.
    pub fn create(path: &Path, scope: &StoreScope) -> Result<FileStore, StoreError> {
        let failed = |why| StoreError::Io { path: path.to_owned(), why };
        // Locked before it is emptied: another process may be writing.
        let mut file = open_locked(path, true)?;
        file.set_len(0).map_err(failed)?;
        let header = postcard::to_allocvec(&Header::of(scope)).unwrap_or_default();
        let mut bytes = KIND.to_vec();
        add_entry(&header, &mut bytes);
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&bytes)).map_err(failed)?;
        let open = Open { log: Log::new(file, bytes.len() as u64, Vec::new()), places: HashMap::new() };
        Ok(FileStore { path: path.to_owned(), open: Mutex::new(open) })
    }

    /// Opens the file of records at `path` to go on with it; an empty one is begun if there is none.
    ///
    /// # Errors
    /// It cannot be read, another process uses it, or it was written by another version of the program or for other cases
    /// than those of `scope`.
    pub fn resume(path: &Path, scope: &StoreScope) -> Result<FileStore, StoreError> {
        let failed = |why| StoreError::Io { path: path.to_owned(), why };
        let file = match open_locked(path, false) {
            Err(StoreError::Io { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
                return FileStore::create(path, scope);
            }
            opened => opened?,
        };
        let mut entries = Entries::of(&file);
        let stored = match entries.header().map_err(failed)? {
            Head::Whole(header) => header,
            // The process was killed before it had begun.
            Head::Torn => {
                drop(file);
                return FileStore::create(path, scope);
            }
            Head::Other => return Err(StoreError::OtherKind(path.to_owned())),
        };
        let asked = Header::of(scope);
        stored.check(&asked, path)?;
        let (mut places, mut kept) = (HashMap::new(), vec![0; entries.end as usize]);
        while let Some((start, content)) = entries.next().map_err(failed)? {
            if let Some((key, record)) = parts(&content) {
                let begin = start + (content.len() - record.len()) as u64;
                places.insert(key, (begin, record.len() as u32));
            }
            // The beginning of the file, without a gap; of what stands before contents nobody asks.
            if entries.end <= KEPT_BYTES && kept.len() + PREFIX_BYTES == start as usize {
                kept.resize(start as usize, 0);
                kept.extend_from_slice(&content);
            }
        }
        let end = entries.end;
        file.set_len(end).map_err(failed)?;
        let open = Open { log: Log::new(file, end, kept), places };
        Ok(FileStore { path: path.to_owned(), open: Mutex::new(open) })
    }

    /// Takes in the records of the file at `path`, which another command has written: `command` of the same cases. That file is
    /// left as it is; what of it was being written when its process was killed is passed over.
    ///
    /// # Errors
    /// It cannot be read, or it was written by another version of the program, by another command or for other cases than those
    /// of `scope`; or this file can no longer be written.
    pub fn take_in(&self, path: &Path, command: &str, scope: &StoreScope) -> Result<(), StoreError> {
        let failed = |why| StoreError::Io { path: path.to_owned(), why };
        let file = File::open(path).map_err(failed)?;
        let mut entries = Entries::of(&file);
        let Head::Whole(stored) = entries.header().map_err(failed)? else {
            return Err(StoreError::OtherKind(path.to_owned()));
        };
        let asked = Header::of(&StoreScope { command: command.to_owned(), ..scope.clone() });
        stored.check(&asked, path)?;
        while let Some((_, content)) = entries.next().map_err(failed)? {
            if let Some((key, record)) = parts(&content) {
                self.append(&key, &content, record.len());
            }
        }
        self.failure().map_or(Ok(()), Err)
    }

    /// The command that a file of records says it was written by; `None` if it is no such file, or of another version.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn command_of(path: &Path) -> Result<Option<String>, StoreError> {
        let failed = |why| StoreError::Io { path: path.to_owned(), why };
        let file = File::open(path).map_err(failed)?;
        Ok(match Entries::of(&file).header().map_err(failed)? {
            Head::Whole(header) if header.version == version() => Some(header.command),
            _ => None,
        })
    }

    /// How many records there are.
    #[cfg(feature = "internals")]
    pub fn len(&self) -> usize {
        self.lock().places.len()
    }

    /// Whether there is none.
    #[cfg(feature = "internals")]
    pub fn is_empty(&self) -> bool {
        self.lock().places.is_empty()
    }

    /// Why records are no longer written, if that is so: for want of room, for example.
    pub fn failure(&self) -> Option<StoreError> {
        let failure = {
            let mut open = self.lock();
            open.log.flush();
            open.log.failure()
        };
        failure.map(|kind| StoreError::Io { path: self.path.clone(), why: io::Error::from(kind) })
    }

    /// Writes what was collected, for others who read the file.
    pub(super) fn flush(&self) {
        self.lock().log.flush();
    }

    /// Removes the file: everything in it has been made use of.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(self) -> Result<(), StoreError> {
        let FileStore { path, open } = self;
        // Some systems do not remove what is open.
        drop(open);
        std::fs::remove_file(&path).map_err(|why| StoreError::Io { path, why })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it holds the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for FileStore {
    fn has(&self, key: &RecordKey) -> bool {
        self.lock().places.contains_key(key)
    }

    fn get(&self, key: &RecordKey) -> Option<Record> {
        let mut open = self.lock();
        let (start, length) = open.places.get(key).copied()?;
        let bytes = open.log.read(start, length as usize)?;
        drop(open);
        Record::from_bytes(&bytes)
    }

    fn put(&self, key: &RecordKey, record: &Record) {
        let (content, record) = entry(key, record);
        self.append(key, &content, record);
    }
}

impl FileStore {
    /// Writes an entry of this content, the last `record` bytes of which are the record under `key`.
    pub(super) fn append(&self, key: &RecordKey, content: &[u8], record: usize) {
        let mut open = self.lock();
        if open.log.failure().is_some() || open.places.contains_key(key) {
            return;
        }
        open.log.append(content);
        let end = open.log.end();
        open.places.insert(*key, (end - record as u64, record as u32));
    }
}

/// Opens the file and takes hold of it until it is closed, which the system does for a process that is killed.
fn open_locked(path: &Path, create: bool) -> Result<File, StoreError> {
    let failed = |why| StoreError::Io { path: path.to_owned(), why };
    let file = OpenOptions::new().read(true).write(true).create(create).truncate(false).open(path);
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        // Some network file systems know no locks; there, nobody keeps two processes apart.
        Err(TryLockError::Error(why)) if why.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(why)) => Err(failed(why)),
    }
}

/// Reads a file of records from its beginning.
pub(super) struct Entries<'a> {
    file: BufReader<&'a File>,
    /// End of what was read whole.
    pub(super) end: u64,
}

pub(super) enum Head {
    Whole(Header),
    /// Cut short: written by a process that was killed.
    Torn,
    /// Of another kind or version.
    Other,
}

impl<'a> Entries<'a> {
    pub(super) fn of(file: &'a File) -> Self {
        Entries { file: BufReader::with_capacity(1 << 16, file), end: 0 }
    }

    /// Goes on behind the first `end` bytes, which were read whole.
    pub(super) fn skip(&mut self, end: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(end))?;
        self.end = end;
        Ok(())
    }

    pub(super) fn header(&mut self) -> io::Result<Head> {
        let mut kind = Vec::new();
        (&mut self.file).take(KIND.len() as u64).read_to_end(&mut kind)?;
        if kind != KIND {
            return Ok(if KIND.starts_with(&kind) { Head::Torn } else { Head::Other });
        }
        self.end = KIND.len() as u64;
        Ok(match self.next()? {
            None => Head::Torn,
            Some((_, content)) => postcard::from_bytes(&content).map_or(Head::Other, Head::Whole),
        })
    }

    /// The next entry with the place of its content; `None` at the end, or at one that is not whole.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        let mut prefix = [0; PREFIX_BYTES];
        match self.file.read_exact(&mut prefix) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let [a, b, c, d, checksum @ ..] = prefix;
        let length = u32::from_le_bytes([a, b, c, d]);
        if length > MAX_ENTRY_BYTES {
            return Ok(None);
        }
        let mut content = Vec::with_capacity(length as usize);
        (&mut self.file).take(u64::from(length)).read_to_end(&mut content)?;
        if content.len() < length as usize || crc32fast::hash(&content).to_le_bytes() != checksum {
            return Ok(None);
        }
        let start = self.end + PREFIX_BYTES as u64;
        self.end = start + content.len() as u64;
        Ok(Some((start, content)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Case, Evaluator};
    use crate::scenario::{Scenario, ScenarioFile};

    fn scenario() -> Scenario {
        let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"200ms\"\n[autoscaler]\n\
                    kind = \"fixed\"\ninstances = 3\n[run]\nduration = \"1m\"\nreplications = 4";
        ScenarioFile::parse("test.toml", text, ".").unwrap().scenario().unwrap()
    }

    fn scope_of(command: &str, case: &Case<'_>) -> StoreScope {
        let key = case.key(0);
        StoreScope { command: command.to_owned(), cases: vec![(key.case, key.seed)] }
    }

    fn records(case: &Case<'_>) -> Vec<Record> {
        let batch = std::slice::from_ref(case);
        Evaluator::default().evaluate(batch, &(), |_, records| records).unwrap().swap_remove(0)
    }

    #[test]
    fn what_is_cut_short_anywhere_keeps_every_record_before() {
        let (folder, scenario) = (tempfile::tempdir().unwrap(), scenario());
        let (path, case) = (folder.path().join("records"), Case::whole(&scenario));
        let (scope, records) = (scope_of("sweep", &case), records(&case));
        let store = FileStore::create(&path, &scope).unwrap();
        let mut ends = vec![store.lock().log.end()];
        for record in &records {
            store.put(&case.key(record.number), record);
            ends.push(store.lock().log.end());
        }
        drop(store);
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(whole.len() as u64, ends[4]);
        let cuts = (0..whole.len()).step_by(211).chain(ends.iter().map(|end| *end as usize));
        for cut in cuts {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let store = FileStore::resume(&path, &scope).unwrap();
            let kept = ends[1..].iter().filter(|end| **end <= cut as u64).count();
            assert_eq!(store.len(), kept, "{cut} of {}", whole.len());
            // Goes on from there, and gives back what it had.
            records.iter().for_each(|record| store.put(&case.key(record.number), record));
            for record in &records {
                assert_eq!(store.get(&case.key(record.number)).as_ref(), Some(record));
            }
            drop(store);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "{cut}");
        }
    }

    #[test]
    fn a_damaged_entry_ends_what_is_read() {
        let (folder, scenario) = (tempfile::tempdir().unwrap(), scenario());
        let (path, case) = (folder.path().join("records"), Case::whole(&scenario));
        let (scope, records) = (scope_of("sweep", &case), records(&case));
        let store = FileStore::create(&path, &scope).unwrap();
        store.put(&case.key(0), &records[0]);
        let first = store.lock().log.end() as usize;
        store.put(&case.key(1), &records[1]);
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[first + 40] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let store = FileStore::resume(&path, &scope).unwrap();
        assert_eq!((store.len(), store.get(&case.key(0))), (1, Some(records[0].clone())));
    }

    #[test]
    fn a_file_of_another_kind_command_or_case_is_refused_and_left_alone() {
        let (folder, scenario) = (tempfile::tempdir().unwrap(), scenario());
        let (path, case) = (folder.path().join("records"), Case::whole(&scenario));
        let mine = scope_of("sweep", &case);
        let refused = |scope: &StoreScope| {
            let before = std::fs::read(&path).unwrap();
            let error = FileStore::resume(&path, scope).unwrap_err();
            assert_eq!(std::fs::read(&path).unwrap(), before);
            error
        };
        std::fs::write(&path, "time,requests\n0,1\n").unwrap();
        assert!(matches!(refused(&mine), StoreError::OtherKind(_)));
        FileStore::create(&path, &mine).unwrap();
        assert!(matches!(refused(&scope_of("run", &case)), StoreError::OtherCommand { .. }));
        let mut other = scenario.clone();
        other.identity = other.identity.changed("something");
        let others = StoreScope {
            cases: [&mine, &scope_of("sweep", &Case::whole(&other))].map(|scope| scope.cases[0]).into(),
            ..mine.clone()
        };
        let StoreError::OtherCases { stored, asked, common, .. } = refused(&others) else { panic!() };
        assert_eq!((stored, asked, common), (1, 2, 1));
        // The version of the program stands right after the kind of file, and length and checksum of the header.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[KIND.len() + PREFIX_BYTES] ^= 1;
        let header = bytes[KIND.len() + PREFIX_BYTES..].to_vec();
        let mut bytes = KIND.to_vec();
        add_entry(&header, &mut bytes);
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(refused(&mine), StoreError::OtherKind(_)));
    }

    #[test]
    fn only_one_at_a_time_can_hold_it() {
        let (folder, scenario) = (tempfile::tempdir().unwrap(), scenario());
        let (path, case) = (folder.path().join("records"), Case::whole(&scenario));
        let scope = scope_of("sweep", &case);
        let store = FileStore::create(&path, &scope).unwrap();
        store.put(&case.key(0), &records(&case)[0]);
        assert!(matches!(FileStore::create(&path, &scope), Err(StoreError::InUse(_))));
        assert!(matches!(FileStore::resume(&path, &scope), Err(StoreError::InUse(_))));
        drop(store);
        assert_eq!(FileStore::resume(&path, &scope).unwrap().len(), 1);
    }
}
