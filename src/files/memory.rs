//! Files that are held in memory.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::{FileKind, Files};

/// Files given by name, with the folders that their paths imply.
///
/// ```
/// use std::path::Path;
///
/// use kneepoint::Memory;
/// use kneepoint::io::Files;
///
/// let mut files = Memory::default();
/// files.insert("traffic/monday.csv", "0.5\n1.25\n");
/// assert_eq!(files.names(Path::new("traffic")).unwrap(), ["monday.csv"]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<PathBuf, Arc<[u8]>>,
}

impl Memory {
    /// Puts a file at `path`, in the place of one that was there.
    pub fn insert(&mut self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) {
        self.files.insert(plain(path.as_ref()), content.into().into());
    }

    /// The paths below `folder`, relative to it.
    fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a Path> {
        self.files.keys().filter_map(move |path| path.strip_prefix(folder).ok())
    }
}

impl Files for Memory {
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let path = plain(path);
        match self.files.contains_key(&path) {
            true => Ok(FileKind::Regular),
            false if path.as_os_str().is_empty() || self.below(&path).next().is_some() => {
                Ok(FileKind::Folder)
            }
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        match self.files.get(&plain(path)) {
            Some(content) => Ok(Box::new(Cursor::new(Arc::clone(content)))),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let folder = plain(folder);
        if self.kind(&folder)? != FileKind::Folder {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let first = |path: &Path| {
            path.components().next().and_then(|part| part.as_os_str().to_str().map(str::to_owned))
        };
        // Those of one folder follow each other, because paths are in the order of their components.
        let mut names: Vec<String> = self.below(&folder).filter_map(first).collect();
        names.dedup();
        Ok(names)
    }
}

/// The path without `.` and `..`: `a/./b` and `c/../a/b` are the same file.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Memory {
        let mut files = Memory::default();
        for path in ["b.csv", "data/two.csv", "data/more/x.csv", "data/more/y.csv", "./a.csv"] {
            files.insert(path, path);
        }
        files
    }

    #[test]
    fn a_file_is_found_by_any_spelling_of_its_path() {
        for path in ["data/two.csv", "./data/two.csv", "data/more/../two.csv"] {
            let mut text = String::new();
            files().open(Path::new(path)).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "data/two.csv");
        }
        assert!(files().open(Path::new("../b.csv")).is_err());
    }

    #[test]
    fn folders_are_those_that_paths_imply() {
        let names = |folder: &str| files().names(Path::new(folder)).map_err(|error| error.kind());
        assert_eq!(names(""), Ok(vec!["a.csv".into(), "b.csv".into(), "data".into()]));
        assert_eq!(names("data"), Ok(vec!["more".into(), "two.csv".into()]));
        assert_eq!(names("no"), Err(io::ErrorKind::NotFound));
        assert_eq!(names("b.csv"), Err(io::ErrorKind::NotADirectory));
        assert_eq!(files().kind(Path::new("data/more")).unwrap(), FileKind::Folder);
        assert_eq!(files().kind(Path::new("a.csv")).unwrap(), FileKind::Regular);
    }
}
