//! What reading a scenario needs from outside the file itself.

use std::any::Any;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::files::{Disk, Files, Hashing, NamedFile};

/// The files that a scenario may name, where their paths start, and what has been read from them.
///
/// A sweep reads the same scenario once a point; a file it names is read and parsed once.
#[derive(Debug)]
pub struct Context {
    files: Hashing,
    base: PathBuf,
    loaded: Mutex<HashMap<String, Slot>>,
    is_recorded: bool,
}

/// What has been loaded under a key, if anything has; held by who loads it, so that threads do not load it twice.
type Slot = Arc<Mutex<Option<Arc<dyn Any + Send + Sync>>>>;

/// The file system, from the working directory.
impl Default for Context {
    fn default() -> Self {
        Context::new("")
    }
}

impl Context {
    /// A context of the file system, whose relative paths start at `base`, the folder of the scenario file.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Context::of(Arc::new(Disk), base)
    }

    /// A context of `files`, whose relative paths start at `base`.
    pub fn of(files: Arc<dyn Files>, base: impl Into<PathBuf>) -> Self {
        Context {
            files: Hashing::new(files),
            base: base.into(),
            loaded: Mutex::default(),
            is_recorded: false,
        }
    }

    /// The same files for a policy that is given recorded values: they are in the units of the system, not of the simulator.
    #[must_use]
    pub fn recorded(&self) -> Self {
        let (files, base) = (self.files.clone(), self.base.clone());
        Context { files, base, loaded: Mutex::default(), is_recorded: true }
    }

    /// Whether values are recorded ones.
    pub fn is_recorded(&self) -> bool {
        self.is_recorded
    }

    /// The file a path of the scenario means.
    pub fn file<'a>(&'a self, path: &'a str) -> NamedFile<'a> {
        NamedFile { files: &self.files, path: self.base.join(Path::new(path)), shown: path }
    }

    /// A hash of the bytes of the file that a path of the scenario means, as they were read.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn file_digest(&self, path: &str) -> io::Result<[u8; 16]> {
        self.files.digest(&self.file(path).path)
    }

    /// What `load` makes, made once for each `key`; `key` names the file and everything that shapes the result.
    ///
    /// # Errors
    /// What `load` fails with; a failure is not kept.
    pub fn load_once<T, E>(&self, key: &str, load: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        T: Any + Send + Sync,
    {
        let slot = held(&self.loaded).entry(key.to_owned()).or_default().clone();
        let mut slot = held(&slot);
        if let Some(value) = slot.clone().and_then(|any| any.downcast::<T>().ok()) {
            return Ok(value);
        }
        let value = Arc::new(load()?);
        *slot = Some(value.clone());
        Ok(value)
    }
}

/// What a lock guards: it is whole after every statement, so a panic elsewhere cannot have left it half-written.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
