//! Statistics of runs: what one run records, and what many say together.

mod buckets;
mod digest;
mod interval;
mod linearised;
mod mser;
mod quantile;
mod tally;

pub use buckets::Buckets;
pub use digest::Digest;
pub use interval::{CONFIDENCE, Estimate, student_t};
pub use linearised::Linearised;
pub use mser::{BATCH, Truncation, mser5};
pub use quantile::{Pool, Quantile};
pub use tally::Tally;
