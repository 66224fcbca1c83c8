//! Files that are hashed as they are read: to know later what was read, a large one need not be read again.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use twox_hash::xxhash3_128::Hasher;

use super::{FileKind, Files};

/// A hash of the bytes of a file (XXH3, 128 bits). It tells a file that was changed from the one before, and is no proof against
/// somebody who wants two files to have the same.
pub(crate) type FileDigest = [u8; 16];

type Digests = Arc<Mutex<HashMap<PathBuf, FileDigest>>>;

/// The same files, with the hashes of those that were read to their end.
#[derive(Debug, Clone)]
pub(crate) struct Hashing {
    files: Arc<dyn Files>,
    digests: Digests,
}

impl Hashing {
    pub(crate) fn new(files: Arc<dyn Files>) -> Self {
        Hashing { files, digests: Digests::default() }
    }

    /// The hash of a file: of its bytes as they were first read to their end, or are now if they never were.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn digest(&self, path: &Path) -> io::Result<FileDigest> {
        let known = || held(&self.digests).get(path).copied();
        if let Some(digest) = known() {
            return Ok(digest);
        }
        let (mut file, mut buffer) = (self.open(path)?, vec![0; 1 << 16]);
        while file.read(&mut buffer)? > 0 {}
        known().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Files for Hashing {
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        self.files.kind(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let file = self.files.open(path)?;
        Ok(Box::new(Hashed {
            file,
            path: Some(path.into()),
            hash: Hasher::new(),
            digests: Arc::clone(&self.digests),
        }))
    }
    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.files.names(folder)
    }
}

struct Hashed {
    file: Box<dyn Read + Send>,
    /// `None` once the hash is known.
    path: Option<PathBuf>,
    hash: Hasher,
    digests: Digests,
}

impl Read for Hashed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(out)?;
        self.hash.write(&out[..length]);
        if length == 0
            && !out.is_empty()
            && let Some(path) = self.path.take()
        {
            held(&self.digests).entry(path).or_insert(self.hash.finish_128().to_le_bytes());
        }
        Ok(length)
    }
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashed").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What a lock guards is whole after every statement, so a panic elsewhere cannot have left it half-written.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    fn files(content: &str) -> Hashing {
        let mut files = Memory::default();
        files.insert("f", content);
        Hashing::new(Arc::new(files))
    }

    #[test]
    fn what_was_read_to_its_end_has_the_hash_of_what_is_read_for_it() {
        let long = "1.5,2\n".repeat(50_000);
        let read = files(&long);
        let mut text = String::new();
        read.open("f".as_ref()).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(held(&read.digests).len(), 1);
        assert_eq!(read.digest("f".as_ref()).unwrap(), files(&long).digest("f".as_ref()).unwrap());
        assert_ne!(read.digest("f".as_ref()).unwrap(), files("1.5,2\n").digest("f".as_ref()).unwrap());
        assert!(read.digest("g".as_ref()).is_err());
    }

    #[test]
    fn what_was_read_in_part_has_the_hash_of_the_whole() {
        let part = files("12345678");
        part.open("f".as_ref()).unwrap().read_exact(&mut [0; 4]).unwrap();
        assert!(held(&part.digests).is_empty());
        assert_eq!(part.digest("f".as_ref()).unwrap(), files("12345678").digest("f".as_ref()).unwrap());
    }
}
