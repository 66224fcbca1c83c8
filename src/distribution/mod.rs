//! Distributions of non-negative quantities, given as users know them: by mean and coefficient of variation, or by two
//! percentiles.
//!
//! [`Distribution`] samples; [`Durations`] and [`Numbers`] are how a scenario writes one.
//!
//! ```
//! use kneepoint::internals::distribution::Distribution;
//! use kneepoint::internals::random::{Purpose, Streams};
//!
//! let service = Distribution::lognormal(0.350, 0.6).unwrap();
//! let mut rng = Streams::new(1, 0).stream(Purpose::Service);
//! let mut block = [0.0; 256];
//! service.fill(&mut rng, &mut block);
//! assert!(block.iter().all(|seconds| *seconds > 0.0));
//! ```

mod empirical;
mod gamma;
mod hyperexponential;
mod law;
mod lognormal;
mod pareto;
mod percentiles;
mod read;
mod root;
#[cfg(test)]
mod tests;
mod weibull;

pub use empirical::Between;
pub use law::Distribution;
pub use percentiles::Percentiles;
pub use read::{Durations, Numbers};
