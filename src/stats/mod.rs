//! Statistics of runs: what one run records, and what many say together.

mod buckets;
mod chance;
mod digest;
mod hull;
mod interval;
mod linearised;
mod misses;
mod mser;
mod quantile;
mod selection;
mod tally;

pub use buckets::Buckets;
pub use chance::more_than_chance;
pub use digest::Digest;
pub use hull::LEAST_REPLICATIONS;
pub use interval::{CONFIDENCE, Estimate, student_t};
pub use linearised::Linearised;
pub use misses::Misses;
pub use mser::{BATCH, Truncation, mser5};
pub use quantile::{Pool, Quantile};
pub use selection::{Batch, Kept, Observation, Plan, Selection, Step};
pub use tally::Tally;
