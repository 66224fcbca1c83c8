//! What is run: replications, runs, sweeps and comparisons, in parallel; intervals, the frontier and its knee.

mod bound;
mod compare;
mod control;
mod figures;
mod frontier;
mod knee;
mod procedure;
mod record;
mod replicate;
mod replications;
mod results;
mod run;
mod sweep;
mod types;
pub mod verify;

pub use bound::{Bound, Standing};
pub use compare::{
    CompareResult, Contender, Difference, MOST_FOR_ALL_PAIRS, Pair, Verdict, cannot_pair, comparable, compare,
};
pub use control::Control;
pub use figures::{COST, FIGURES, Figure, Figures, SLO_ATTAINMENT, SLO_LATENCY, Sample, Unit};
pub use frontier::{CostAndLatency, Membership, frontier};
pub use knee::knee;
pub use procedure::{Attained, End, Procedure, WarmupFound};
pub use record::Record;
pub use replicate::{
    DecisionSink, Keep, MOST_TOGETHER, Mishap, Replicated, RunError, replicate, replicate_from,
};
pub use replications::Replications;
pub use results::{Alternative, Keeps, PointResult, RunResult, SweepResult};
pub use run::run;
pub use sweep::sweep;
pub use types::{OfType, TYPE_FIGURES, TypeFigure, TypeSample};
