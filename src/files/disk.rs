//! The file system.

use std::io::{self, Read};
use std::path::Path;

use super::{FileKind, Files};

/// The file system of the machine; relative paths start at the working directory.
///
/// Where there is none, as in a browser, every operation fails with [`io::ErrorKind::Unsupported`].
///
/// ```
/// use std::path::Path;
///
/// use kneepoint::io::{Disk, FileKind, Files};
///
/// assert_eq!(Disk.kind(Path::new("scenarios"))?, FileKind::Folder);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let found = std::fs::metadata(path)?;
        Ok(if found.is_dir() {
            FileKind::Folder
        } else if found.is_file() {
            FileKind::Regular
        } else {
            FileKind::Stream
        })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(std::fs::File::open(path)?))
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = std::fs::read_dir(folder)?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_files_folders_and_devices() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv"] {
            std::fs::write(folder.path().join(name), "1\n").unwrap();
        }
        assert_eq!(Disk.kind(folder.path()).unwrap(), FileKind::Folder);
        assert_eq!(Disk.kind(&folder.path().join("a.csv")).unwrap(), FileKind::Regular);
        assert_eq!(Disk.names(folder.path()).unwrap(), ["a.csv", "b.csv"]);
        let none = folder.path().join("none");
        assert_eq!(Disk.kind(&none).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(Disk.names(&none).unwrap_err().kind(), io::ErrorKind::NotFound);
        #[cfg(unix)]
        assert_eq!(Disk.kind(Path::new("/dev/null")).unwrap(), FileKind::Stream);
    }

    #[test]
    fn the_empty_folder_is_the_working_directory() {
        assert!(Disk.names(Path::new("")).unwrap().contains(&"Cargo.toml".to_owned()));
    }
}
