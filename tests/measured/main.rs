//! Public data and measured runs, where `KNEEPOINT_DATA` (default `../shared`) has them; a test whose data is not there
//! says so and passes.

#[path = "../fixtures"]
mod fixtures {
    pub mod data;
    pub mod estimate;
    pub mod platform;
    pub mod replications;
    pub mod scenario;
    pub mod simulation;
    pub mod traces;
}

mod catalogue;
mod hardware;
mod hpa;
mod lambda;
mod llm;
mod llm_points;
mod mersenne;
mod prefix_cache;
mod real_traces;
