//! A scenario with the files that it names, to be taken to another machine.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use kneepoint::Memory;
use kneepoint::io::{Disk, FileKind, Files};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::scenario_error::raised;

/// Where a text without a file stands, as messages call it.
const TEXT: &str = "scenario.toml";

/// The disk, with a text in the place of one file, that remembers what is opened.
#[derive(Debug, Clone)]
struct Remembering {
    text: Option<Arc<[u8]>>,
    opened: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Files for Remembering {
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        match &self.text {
            Some(_) if path == Path::new(TEXT) => Ok(FileKind::Regular),
            _ => Disk.kind(path),
        }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let file: Box<dyn Read + Send> = match &self.text {
            Some(text) if path == Path::new(TEXT) => Box::new(Cursor::new(text.clone())),
            _ => Disk.open(path)?,
        };
        opened.insert(path.to_owned());
        Ok(file)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        Disk.names(folder)
    }
}

/// The path of a scenario, and the bytes of every file that it takes to read all points of its sweep with `settings`.
#[pyfunction]
pub fn bundle<'py>(
    py: Python<'py>,
    path: Option<String>,
    text: Option<&str>,
    settings: Vec<(String, String)>,
) -> PyResult<(String, Vec<(String, Bound<'py, PyBytes>)>)> {
    let files = Remembering { text: text.map(|text| text.as_bytes().into()), opened: Arc::default() };
    let path = path.unwrap_or_else(|| TEXT.to_owned());
    let read = || -> Result<(), kneepoint::Error> {
        let mut scenario = kneepoint::Scenario::load_from(files.clone(), &path)?;
        for (key, value) in &settings {
            scenario.set(key, value)?;
        }
        scenario.points().map(drop)
    };
    py.detach(read).map_err(|error| raised(py, &error))?;
    let opened = files.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut found = Vec::new();
    for name in opened {
        let mut bytes = Vec::new();
        files.open(&name)?.read_to_end(&mut bytes)?;
        let name = name.to_str().ok_or_else(|| io::Error::other("a path is not UTF-8"))?.to_owned();
        found.push((name, PyBytes::new(py, &bytes)));
    }
    Ok((path, found))
}

/// Files by their paths, in memory.
pub fn memory(files: Vec<(String, PyBackedBytes)>) -> Memory {
    let mut memory = Memory::default();
    files.into_iter().for_each(|(path, bytes)| memory.insert(path, &*bytes));
    memory
}
