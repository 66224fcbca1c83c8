//! The bytes of a column: in memory as far as they are few, in a scratch file beyond that.

use std::io;

use crate::files::{Scratch, scratch};

/// Bytes that are held or written at once; no block is longer.
const CHUNK: usize = 64 << 10;

/// Bytes of a column that are held before a scratch file takes the others.
pub(super) const MOST_HELD: usize = 2 << 20;

/// Where bytes lie: the chunk, and the place and the length in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    chunk: u32,
    at: u16,
    length: u16,
}

#[derive(Debug)]
enum Chunk {
    Held(Box<[u8]>),
    /// In the scratch file, from this byte, so many.
    Written(u64, usize),
}

/// A chunk of the scratch file that was read last.
#[derive(Debug, Clone, Default)]
pub(super) struct ChunkRead {
    /// Its number, from 1; 0 is none.
    chunk: u32,
    bytes: Vec<u8>,
}

/// Bytes that are put once, and read often.
#[derive(Debug, Default)]
pub(super) struct Store {
    chunks: Vec<Chunk>,
    /// The chunk that is not full yet.
    open: Vec<u8>,
    held: usize,
    scratch: Option<Scratch>,
    /// Whether no scratch file can be had, or no more written to it.
    has_no_scratch: bool,
}

impl Store {
    pub(super) fn put(&mut self, bytes: &[u8]) -> Place {
        if self.open.len() + bytes.len() > CHUNK {
            self.end_chunk();
        }
        let place =
            Place { chunk: self.chunks.len() as u32, at: self.open.len() as u16, length: bytes.len() as u16 };
        self.open.extend_from_slice(bytes);
        place
    }

    fn end_chunk(&mut self) {
        let chunk = if self.held < MOST_HELD { None } else { self.written() };
        let held = || Chunk::Held(self.open.as_slice().into());
        let chunk = chunk.map_or_else(held, |start| Chunk::Written(start, self.open.len()));
        self.held += if let Chunk::Held(bytes) = &chunk { bytes.len() } else { 0 };
        self.chunks.push(chunk);
        self.open.clear();
    }

    /// Writes the open chunk; `None` if there is no place for it but memory.
    fn written(&mut self) -> Option<u64> {
        if self.scratch.is_none() && !self.has_no_scratch {
            self.scratch = scratch();
        }
        let written =
            self.scratch.as_mut().filter(|_| !self.has_no_scratch).map(|file| file.append(&self.open));
        self.has_no_scratch = !matches!(written, Some(Ok(_)));
        written?.ok()
    }

    /// Bytes in memory.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held + self.open.len()
    }

    /// Passes the bytes at `place` to `take`, by way of `read` if they are in a file: from there whole chunks are read, since blocks are
    /// mostly asked for one after the other.
    ///
    /// # Panics
    /// The scratch file cannot be read: the disk under it fails, and what was kept on it is lost.
    pub(super) fn with<T>(&self, place: Place, read: &mut ChunkRead, take: impl FnOnce(&[u8]) -> T) -> T {
        let at = usize::from(place.at)..usize::from(place.at) + usize::from(place.length);
        match self.chunks.get(place.chunk as usize) {
            None => take(&self.open[at]),
            Some(Chunk::Held(bytes)) => take(&bytes[at]),
            Some(Chunk::Written(start, length)) => {
                if read.chunk != place.chunk + 1 {
                    read.chunk = 0;
                    read.bytes.resize(*length, 0);
                    let done = match &self.scratch {
                        Some(file) => file.read_at(*start, &mut read.bytes),
                        None => Err(io::ErrorKind::NotFound.into()),
                    };
                    if let Err(error) = done {
                        panic!("the scratch file of a trace cannot be read again: {error}");
                    }
                    read.chunk = place.chunk + 1;
                }
                take(&read.bytes[at])
            }
        }
    }
}
