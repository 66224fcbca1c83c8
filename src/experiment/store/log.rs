//! The file below a store, written in large pieces.
//!
//! With a system call for each, keeping thousands of short runs takes more time than may be lost by it. So entries are collected,
//! and written when there are many bytes of them or some time has passed. A process that is killed loses what it has
//! collected since, which is simulated again.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

/// Length and checksum before the content of an entry.
pub(super) const PREFIX_BYTES: usize = 8;

/// Bytes that are collected before they are written.
const PIECE_BYTES: usize = 1 << 18;

/// How long they are collected at most, looked at with each entry.
const PIECE_TIME: Duration = Duration::from_millis(200);

/// Of a file that is gone on with, so much stays in memory: it is read through at the beginning anyhow.
pub(super) const KEPT_BYTES: u64 = 1 << 26;

/// A file that is only added to.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    /// Its first bytes, as they were read at the beginning.
    kept: Vec<u8>,
    /// Bytes of the file.
    written: u64,
    /// What follows them.
    collected: Vec<u8>,
    since: Instant,
    /// The first failure to write; nothing is written after it.
    failure: Option<io::ErrorKind>,
}

impl Log {
    /// The log in `file`, which has `written` bytes, of which `kept` are the first.
    pub fn new(file: File, written: u64, kept: Vec<u8>) -> Log {
        Log { file, kept, written, collected: Vec::new(), since: Instant::now(), failure: None }
    }

    /// Where the next entry begins.
    pub fn end(&self) -> u64 {
        self.written + self.collected.len() as u64
    }

    /// Why nothing is written any more, if that is so.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.failure
    }

    /// Adds an entry of this content.
    pub fn append(&mut self, content: &[u8]) {
        add_entry(content, &mut self.collected);
        if self.collected.len() >= PIECE_BYTES || self.since.elapsed() >= PIECE_TIME {
            self.flush();
        }
    }

    /// Writes what was collected.
    pub fn flush(&mut self) {
        self.since = Instant::now();
        if self.failure.is_some() || self.collected.is_empty() {
            return;
        }
        // In one piece: a process that is killed leaves the last entry cut short at the worst.
        let at = SeekFrom::Start(self.written);
        match self.file.seek(at).and_then(|_| self.file.write_all(&self.collected)) {
            Ok(()) => {
                self.written += self.collected.len() as u64;
                self.collected.clear();
            }
            Err(error) => self.failure = Some(error.kind()),
        }
    }

    /// So many bytes from `start` on; `None` if they are not there.
    pub fn read(&mut self, start: u64, length: usize) -> Option<Vec<u8>> {
        let within = |bytes: &[u8], start: u64| {
            let start = usize::try_from(start).ok()?;
            bytes.get(start..start.checked_add(length)?).map(<[u8]>::to_vec)
        };
        if let Some(bytes) = within(&self.kept, start) {
            return Some(bytes);
        }
        if let Some(later) = start.checked_sub(self.written) {
            return within(&self.collected, later);
        }
        let mut bytes = vec![0; length];
        self.file.seek(SeekFrom::Start(start)).and_then(|_| self.file.read_exact(&mut bytes)).ok()?;
        Some(bytes)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Adds an entry of this content to `bytes`: its length, its checksum, itself.
pub(super) fn add_entry(content: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    bytes.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_collected_is_read_as_what_is_written_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let file =
            || File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        let mut log = Log::new(file(), 0, Vec::new());
        log.append(b"one");
        log.append(b"three");
        assert_eq!(std::fs::read(&path).unwrap(), b"", "collected");
        assert_eq!(log.read(8, 3).unwrap(), b"one");
        log.flush();
        log.append(b"four");
        assert_eq!((log.read(8, 3).unwrap(), log.read(19, 5).unwrap()), (b"one".to_vec(), b"three".to_vec()));
        assert_eq!(log.read(32, 4).unwrap(), b"four");
        assert_eq!((log.end(), log.read(32, 5), log.read(400, 1)), (36, None, None));
        drop(log);
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 36);
        // With its beginning in memory it is the same.
        let mut log = Log::new(file(), 36, bytes[..20].to_vec());
        assert_eq!((log.read(8, 3).unwrap(), log.read(19, 5).unwrap()), (b"one".to_vec(), b"three".to_vec()));
        log.append(&[7; PIECE_BYTES]);
        assert_eq!(
            std::fs::metadata(&path).unwrap().len(),
            36 + 8 + PIECE_BYTES as u64,
            "enough for a piece"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_and_nothing_is_written_after_it() {
        let mut log = Log::new(File::options().write(true).open("/dev/full").unwrap(), 0, Vec::new());
        log.append(b"one");
        log.flush();
        assert_eq!(log.failure(), Some(io::ErrorKind::StorageFull));
    }
}
