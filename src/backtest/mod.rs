//! The simulation against the user's own past: what an endpoint really did, beside what the deployed settings do on the
//! recorded traffic.
//!
//! - [`observed`]: what was measured, from CSV or JSON
//! - [`comparison`]: simulated against measured, over time and in sum; the likeliest missing piece; the regret of a day
mod comparison;
mod observed;

pub use comparison::{
    Backtest, BacktestError, Compared, FieldError, Missing, Parted, Regret, RowCompared, backtest,
};
pub use observed::{Field, Observed, ObservedError, ObservedRow};
