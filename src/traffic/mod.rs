//! Traces: files of recorded traffic, one reader a format.
//!
//! Every reader gives the file, line and column of what it cannot read, and what it expected there.

mod counts;
mod error;
mod table;
#[cfg(test)]
mod tests;
mod timestamps;
mod unit;

pub use counts::read_counts;
pub use error::FileError;
pub use table::{Column, Order, read_column};
pub use timestamps::{Trace, read_timestamps};
pub use unit::Unit;
