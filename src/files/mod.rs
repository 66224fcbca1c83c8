//! Files by their paths: the one way by which anything is read. On the disk, or in memory where there is none.
//!
//! Readers take a [`NamedFile`], and open it as often as they need: a large one is read in pieces and never held whole.

mod disk;
mod memory;

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use disk::Disk;
pub use memory::Memory;

/// A set of files.
///
/// [`Disk`] is the file system. [`Memory`] holds files that a caller gives by name: for a browser, a notebook or a test.
pub trait Files: fmt::Debug + Send + Sync {
    /// What is at `path`.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if nothing is, [`io::ErrorKind::PermissionDenied`] if that may not be known.
    fn kind(&self, path: &Path) -> io::Result<FileKind>;

    /// Opens the file at `path`, to be read from its start.
    ///
    /// # Errors
    /// As of [`Files::kind`], or the file may not be read.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// The names of what is in `folder`, in ascending order, as far as they are UTF-8; of the folder where relative paths
    /// start if `folder` is empty.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such folder.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;
}

/// What can be at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A file that ends, and can be read again.
    Regular,
    /// A folder.
    Folder,
    /// A pipe or a device: can be read once only, and may never end.
    Stream,
}

/// A file as someone has named it.
#[derive(Debug, Clone)]
pub struct NamedFile<'a> {
    /// Where it is looked for.
    pub files: &'a dyn Files,
    /// Its path there.
    pub path: PathBuf,
    /// Its name in messages, as the user wrote it.
    pub shown: &'a str,
}

impl NamedFile<'_> {
    /// What it is; `None` if that cannot be told. Opening it then says why.
    pub fn kind(&self) -> Option<FileKind> {
        self.files.kind(&self.path).ok()
    }

    /// Opens it, to be read from its start.
    ///
    /// # Errors
    /// It does not exist or may not be read.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        self.files.open(&self.path)
    }

    /// All its bytes; `None` if there are more than `bytes_max`.
    ///
    /// # Errors
    /// It does not exist or cannot be read.
    pub fn read(&self, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.open()?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
    }

    /// The names of what is in its folder, in ascending order; `None` if the folder does not exist.
    pub fn siblings(&self) -> Option<Vec<String>> {
        match self.files.names(self.path.parent()?) {
            Ok(names) => Some(names),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => Some(Vec::new()),
        }
    }
}
