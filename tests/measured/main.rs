//! Public data and measured runs, where `KNEEPOINT_DATA` (default `../shared`) has them; a test whose data is not there
//! says so and passes.

mod hpa;
mod llm;
mod mersenne;
mod real_traces;
