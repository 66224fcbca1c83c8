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
    /// In the scratch file, from this byte.
    Written(u64),
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
        let chunk = chunk.map_or_else(|| Chunk::Held(self.open.as_slice().into()), Chunk::Written);
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

    /// Passes the bytes at `place` to `take`, by way of `buffer` if they are in a file.
    ///
    /// # Panics
    /// The scratch file cannot be read: the disk under it fails, and what was kept on it is lost.
    pub(super) fn with<T>(&self, place: Place, buffer: &mut Vec<u8>, take: impl FnOnce(&[u8]) -> T) -> T {
        let (at, length) = (usize::from(place.at), usize::from(place.length));
        match self.chunks.get(place.chunk as usize) {
            None => take(&self.open[at..at + length]),
            Some(Chunk::Held(bytes)) => take(&bytes[at..at + length]),
            Some(Chunk::Written(start)) => {
                buffer.resize(length, 0);
                let read = match &self.scratch {
                    Some(file) => file.read_at(start + at as u64, buffer),
                    None => Err(io::ErrorKind::NotFound.into()),
                };
                if let Err(error) = read {
                    panic!("the scratch file of a trace cannot be read again: {error}");
                }
                take(buffer)
            }
        }
    }
}
