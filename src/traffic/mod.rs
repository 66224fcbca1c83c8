//! Traces: files of recorded traffic, one reader a format.
//!
//! Every reader gives the file, line and column of what it cannot read, and what it expected there.

mod error;
mod table;

pub use error::FileError;
pub use table::{Column, read_column};
