//! The statistical tests: simulated systems against exact and published results, by confidence intervals of fixed seeds.

mod coverage;
mod reference_runs;
mod theory;
mod theory_reference;
mod verify;
