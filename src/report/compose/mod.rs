//! From results to reports: one file a kind of result. What a report holds, and in which order, is decided here; how it
//! looks is decided in [`render`](super::render).
mod backtest;
mod compare;
mod explain;
mod parts;
mod recommend;
mod run;
mod sweep;

pub use backtest::backtest;
pub use compare::compare;
pub use explain::explain;
pub use recommend::recommend;
pub use run::run;
pub use sweep::sweep;
