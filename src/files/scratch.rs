//! A file for what is too much to hold: without a name, and gone with its last user.

use std::io;

#[cfg(feature = "cli")]
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
#[cfg(feature = "cli")]
use std::sync::{Mutex, PoisonError};

/// Bytes outside memory that are read in pieces, by several threads.
#[derive(Debug)]
pub(crate) struct Scratch {
    #[cfg(feature = "cli")]
    file: Mutex<std::fs::File>,
    #[cfg(feature = "cli")]
    length: u64,
}

/// A scratch file in the machine's folder of temporary files; `None` where there is none, as in a browser.
#[cfg(feature = "cli")]
pub(crate) fn scratch() -> Option<Scratch> {
    Some(Scratch { file: Mutex::new(tempfile::tempfile().ok()?), length: 0 })
}

/// A scratch file, if there were a place for one.
#[cfg(not(feature = "cli"))]
pub(crate) fn scratch() -> Option<Scratch> {
    None
}

#[cfg(feature = "cli")]
impl Scratch {
    /// Adds bytes at the end; gives their place.
    ///
    /// # Errors
    /// They cannot be written: the disk is full, for instance.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let start = self.length;
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(start)
    }

    /// Reads bytes at a place.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn read_at(&self, place: u64, out: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(out)
    }
}

#[cfg(not(feature = "cli"))]
impl Scratch {
    /// Adds bytes at the end; gives their place.
    pub(crate) fn append(&mut self, _: &[u8]) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Reads bytes at a place.
    pub(crate) fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
