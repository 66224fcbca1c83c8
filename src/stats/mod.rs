//! Statistics of runs: what one run records, and what many say together.

mod digest;

pub use digest::Digest;
