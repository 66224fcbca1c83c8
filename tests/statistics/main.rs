//! The statistical tests: simulated systems against exact and published results, by confidence intervals of fixed seeds.

#[path = "../fixtures"]
mod fixtures {
    pub mod estimate;
    pub mod platform;
    pub mod queue;
    pub mod replications;
    pub mod scenario;
}

mod coverage;
mod coverage_table;
mod known_grid;
mod platforms;
mod search;
mod selection;
mod theory;
mod theory_reference;
mod verify;
