//! Files by their paths: the one way by which anything is read. On the disk, or in memory where there is none.
//!
//! Readers take a [`NamedFile`], and open it as often as they need: a large one is read in pieces and never held whole.

mod disk;
mod hashing;
mod memory;
mod scratch;

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use disk::Disk;
pub(crate) use hashing::Hashing;
pub use memory::Memory;
pub(crate) use scratch::{Scratch, scratch};

/// A set of files.
///
/// [`Disk`] is the file system. [`Memory`] holds files that a caller gives by name: for a browser, a notebook or a test.
/// Others can be had by a few lines:
///
/// ```
/// use std::io::{self, Read};
/// use std::path::Path;
///
/// use kneepoint::Scenario;
/// use kneepoint::io::{Disk, FileKind, Files};
///
/// /// The shipped scenarios, read-only, without what lies beside them.
/// #[derive(Debug)]
/// struct Shipped;
///
/// impl Files for Shipped {
///     fn kind(&self, path: &Path) -> io::Result<FileKind> {
///         Disk.kind(&Path::new("scenarios").join(path))
///     }
///     fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
///         Disk.open(&Path::new("scenarios").join(path))
///     }
///     fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
///         Disk.names(&Path::new("scenarios").join(folder))
///     }
/// }
///
/// assert_eq!(Scenario::load_from(Shipped, "walkthrough.toml")?.name()?, "walkthrough");
/// # Ok::<(), kneepoint::Error>(())
/// ```
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
///
/// ```
/// use kneepoint::io::{Disk, FileKind, Files};
///
/// assert_eq!(Disk.kind("scenarios".as_ref()).unwrap(), FileKind::Folder);
/// assert_eq!(Disk.kind("scenarios/quickstart.toml".as_ref()).unwrap(), FileKind::Regular);
/// ```
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Sources that may touch the machine: those of the command line and of the local server, and the file system as it is seen through [`Files`].
    const MAY: [&str; 11] = [
        "cli",
        "serve",
        "main.rs",
        "files/disk.rs",
        "files/scratch.rs",
        "report/folder.rs",
        "report/render/parquet.rs",
        "experiment/store/file.rs",
        "experiment/store/folder.rs",
        "experiment/store/log.rs",
        "traffic/recording/parquet",
    ];

    /// What a browser does not have.
    const MACHINE: [&str; 8] = [
        "std::fs",
        "std::thread",
        "std::process",
        "std::env",
        "std::net",
        "std::time",
        "ThreadPoolBuilder",
        "::now()",
    ];

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn nothing_but_the_command_line_touches_the_machine_except_through_this_seam() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut read = 0;
        for path in sources(&src) {
            let name = path.strip_prefix(&src).unwrap();
            let is_test = name.file_name().is_some_and(|name| name == "tests.rs");
            if is_test
                || name.extension().is_none_or(|extension| extension != "rs")
                || MAY.iter().any(|may| name.starts_with(may))
            {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for (number, line) in (1..).zip(code.lines()) {
                let found =
                    MACHINE.iter().find(|word| line.contains(**word) && !line.trim_start().starts_with("//"));
                assert_eq!(found, None, "{}:{number}: {line}", name.display());
            }
            read += 1;
        }
        assert!(read > 100, "{read} files");
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let mut files = Memory::default();
        files.insert("a", "12345");
        let file = NamedFile { files: &files, path: "a".into(), shown: "a" };
        assert_eq!(file.read(5).unwrap(), Some(b"12345".to_vec()));
        assert_eq!(file.read(4).unwrap(), None);
    }
}
