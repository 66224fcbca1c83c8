//! What is run: replications, runs, sweeps and comparisons, in parallel; intervals, the frontier and its knee.

mod bound;
mod case;
mod compare;
mod contender;
mod drawn_requests;
mod evaluator;
mod figures;
mod fresh;
mod frontier;
mod knee;
mod load;
mod load_limit;
mod memory_budget;
mod observer;
mod overload;
mod progress;
mod promise_kept;
mod record;
mod replications;
mod results;
mod run;
mod run_error;
mod run_plan;
mod shard;
mod sharded;
mod slo_verdict;
mod store;
mod sweep;
mod task;
mod types;
pub mod verify;
mod work;

pub use bound::{Bound, Standing};
pub use case::{Case, CaseId, Condition, RESULTS_VERSION, RecordKey};
pub use compare::{
    CompareResult, Difference, MAX_FOR_ALL_PAIRS, Pair, Verdict, comparable, compare, pairing_conflict,
};
pub use contender::Contender;
pub use drawn_requests::DrawnRequests;
pub use evaluator::Evaluator;
pub use figures::{
    COST, FIGURES, Figure, Figures, SLO_ATTAINMENT, SLO_LATENCY, SLO_LATENCY_OF_RUN, Sample, Unit,
};
pub use fresh::{Fresh, allowed, observations};
pub use frontier::{CostAndLatency, Membership, frontier};
pub use knee::knee;
pub use load_limit::LoadLimit;
pub use memory_budget::MemoryBudget;
pub use observer::{DecisionSink, Observer, Retain, SeenMetric, SeenRun};
pub use overload::Overload;
pub use progress::Progress;
pub use promise_kept::{PromiseKept, PromiseSummary};
pub use record::Record;
pub use replications::Replications;
pub use results::{Alternative, Confirmation, PointResult, RunResult, SweepResult};
pub use run::run;
pub use run_error::{RunError, RunFailure};
pub use run_plan::{PrecisionResult, RunPlan, StopReason, WarmupFound, settle_warmup};
pub use shard::Shard;
pub use sharded::{ShardState, settle_points, shards, shards_max, simulate_shard};
pub use slo_verdict::{LEAST_FOR_KEPT, SloVerdict};
pub use store::{Board, BoardStore, MemoryStore, ShardRecords, Store};
#[cfg(feature = "cli")]
pub use store::{FileStore, FolderBoard, StoreError, StoreScope};
pub use sweep::sweep;
pub use types::{OfType, TYPE_FIGURES, TypeFigure, TypeSample};
