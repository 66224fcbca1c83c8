//! Arrival processes: when requests arrive.
//!
//! A process is one file of this folder and one line of `registry.rs`: what a scenario writes under `[arrivals]`, the
//! expected rate, and a stream of instants. Spikes are added to any of them.
//!
//! ```
//! use kneepoint::internals::arrivals::Arrivals;
//! use kneepoint::internals::random::Streams;
//!
//! let arrivals = Arrivals::poisson(8.0);
//! let mut instants = Vec::with_capacity(1024);
//! arrivals.stream(Streams::new(1, 0)).fill(&mut instants, 1024);
//! assert!(instants.is_sorted());
//! ```

mod answered;
mod counts;
mod cut;
mod diurnal;
mod known_rates;
mod merge;
mod mmpp;
mod piecewise;
mod poisson;
mod process;
mod profile;
mod registry;
mod renewal;
mod shape;
mod spikes;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod trace;
mod trace_rows;

pub use table::{ArrivalStream, Arrivals};
pub use trace_rows::TraceRows;
