//! A fitted service against its own load test: each level simulated as it was driven, closed loop by users or open by rate.

mod drive;
mod reason;
mod service_table;

pub use drive::{Compared, calibrated, resimulate};
pub use reason::why_refused;
pub use service_table::service_table;

/// The share by which a fit may be off one of its own levels.
pub const TOLERANCE: f64 = 0.15;

/// The greatest of the errors, as a share.
pub fn worst(rows: &[Compared]) -> f64 {
    rows.iter().map(|row| row.error().abs()).fold(0.0, f64::max)
}
